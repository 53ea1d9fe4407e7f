"""Chapter 10's encoder-decoders read as they are told, hand on no more than they may, and learn."""

import pytest
import torch

from rnncourse.chapters.c10_encoder_decoder.experiments import copying, networks
from rnncourse.chapters.c10_encoder_decoder.experiments.networks import KINDS, make_model, model_of_budget
from rnncourse.seq2seq import Hypotheses
from rnncourse.unroll import flip_by_length

SIZES = {"sources": 13, "targets": 13, "embedding": 6}


def batch_of(count=12, longest=5, seed=0):
    return copying.strings(count, length=(1, longest), seed=seed)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("budget", [3_000, 20_000])
def test_every_network_comes_as_close_to_the_budget_as_one_unit_allows(kind, budget):
    model = model_of_budget(kind, budget, **SIZES)
    units = model.decoder.layer.output_size

    def cost(hidden):
        return sum(p.numel() for p in make_model(kind, hidden_size=hidden, **SIZES).parameters())

    assert cost(units) == sum(p.numel() for p in model.parameters())
    assert abs(cost(units) - budget) <= min(abs(cost(units + d) - budget) for d in (-1, 1))


@pytest.mark.parametrize("kind", KINDS)
def test_only_the_reversed_reader_sees_each_source_backwards(kind):
    torch.manual_seed(0)
    model, batch = make_model(kind, hidden_size=7, **SIZES), batch_of()
    inputs = flip_by_length(batch.inputs, batch.lengths) if kind == "reversed" else batch.inputs
    assert torch.equal(networks.encoded(model, batch), model.encode(inputs, batch.lengths))
    other = make_model("forward" if kind == "reversed" else "reversed", hidden_size=7, **SIZES)
    if kind != "two ways":
        other.load_state_dict(model.state_dict())
        assert not torch.allclose(networks.encoded(model, batch), networks.encoded(other, batch))
        assert torch.equal(networks.forced(model, batch), model(inputs, batch.targets, batch.lengths)[0])


@pytest.mark.parametrize("width", [1, 3])
def test_a_neck_lets_so_many_numbers_pass_and_no_more(width):
    torch.manual_seed(0)
    bridge = make_model("forward", hidden_size=8, neck=width, **SIZES).bridge.double()
    jacobian = torch.autograd.functional.jacobian(lambda s: bridge(s[None])[0], torch.randn(8, dtype=torch.float64))
    assert int(torch.linalg.matrix_rank(jacobian)) == width


@pytest.mark.parametrize("steps", [0, 60])
@pytest.mark.parametrize("kind", KINDS)
def test_greedy_is_exact_where_and_only_where_every_forced_step_is_right(kind, steps):
    torch.manual_seed(1)
    model, batch = make_model(kind, hidden_size=24, **SIZES), batch_of(60, longest=2, seed=1)
    if steps:
        networks.train(
            model, copying.endless(2, 0), valid=lambda model: 0.0, steps=steps, lr=2e-2, seed=0, validations=1
        )
    exact = [
        a == b for a, b in zip(networks.symbols(networks.decode(model, batch)), networks.truths(batch), strict=True)
    ]
    right = networks.forced(model, batch).argmax(-1) == batch.targets[:, 1:]
    assert exact == (right | ~batch.target_mask[:, 1:]).all(1).tolist()
    assert any(exact) == bool(steps)


def test_what_was_said_ends_before_the_end_mark_or_where_it_was_cut():
    tokens = torch.tensor([[5, 6, 2, 0], [5, 6, 7, 8], [2, 0, 0, 0]])
    lengths, finished = torch.tensor([3, 4, 1]), torch.tensor([True, False, True])
    assert networks.symbols(Hypotheses(tokens, lengths, torch.zeros(3), finished)) == [[5, 6], [5, 6, 7, 8], []]


def test_the_truth_is_the_target_without_its_marks():
    batch = batch_of()
    rows = [row[:length] for row, length in zip(batch.inputs.tolist(), batch.lengths.tolist(), strict=True)]
    assert networks.truths(batch) == rows


def test_errors_are_edits_for_each_symbol():
    torch.manual_seed(2)
    model, batch = make_model("forward", hidden_size=5, **SIZES), batch_of(4)
    with torch.no_grad():  # a decoder that says the end mark whatever it has read
        model.decoder.readout.weight.zero_()
        model.decoder.readout.bias.zero_()
        model.decoder.readout.bias[networks.EOS] = 5.0
    assert networks.symbol_errors(model, batch) == pytest.approx(1.0)


def test_a_beam_of_one_and_greedy_are_the_same_answer_and_a_wide_one_is_no_less_likely():
    torch.manual_seed(3)
    model, batch = make_model("two ways", hidden_size=9, **SIZES), batch_of(9)
    alone = networks.decode(model, batch, max_length=3)
    wide = networks.decode(model, batch, width=13**3, max_length=3)
    assert bool((wide.log_probabilities >= alone.log_probabilities - 1e-5).all())


def test_a_short_training_says_short_strings_again():
    model, history = copying.train_copier("reversed", seed=0, steps=150, lr=1e-2, longest=2, hidden_size=24, valid=50)
    assert history.steps == 150
    assert min(copying.exact_by_length(model, [1, 2], 40)) > 0.5


@pytest.mark.bad_input
def test_an_unknown_way_to_read_is_refused_by_name():
    with pytest.raises(ValueError, match="kind is 'sideways'"):
        make_model("sideways", hidden_size=3, **SIZES)
