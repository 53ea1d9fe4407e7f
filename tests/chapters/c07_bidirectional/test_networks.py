"""Chapter 7 compares what it says it compares: late answers, two directions, equal budgets."""

import pytest
import torch

from rnncourse.cells import LSTMCell
from rnncourse.chapters.c07_bidirectional.experiments.networks import Delayed, make_layer, make_tagger
from rnncourse.chapters.c07_bidirectional.experiments.rates import chosen, swept
from rnncourse.chapters.c07_bidirectional.figures.two_ways import two_ways
from rnncourse.layers import Bidirectional, Recurrent
from rnncourse.results import find_experiment, load_result
from rnncourse.training import Diverged, History


def count(module):
    return sum(parameter.numel() for parameter in module.parameters())


@pytest.mark.parametrize("delay", [0, 1, 3, 7])
@pytest.mark.parametrize("implementation", ["kernel", "loop"])
def test_a_late_answer_is_the_state_so_many_steps_of_nothing_later(delay, implementation):
    layer = Recurrent(LSTMCell(3, 4), implementation=implementation).double()
    x, lengths = torch.randn(3, 5, 3, dtype=torch.float64), torch.tensor([5, 1, 3])
    late, _ = Delayed(layer, delay=delay)(x, lengths=lengths)
    for row, length in enumerate(lengths.tolist()):
        alone = torch.cat([x[row : row + 1, :length], torch.zeros(1, delay, 3, dtype=torch.float64)], dim=1)
        assert torch.allclose(late[row, :length], layer(alone)[0][0, delay:], atol=1e-12)
        assert (late[row, length:] == 0).all()


def test_a_late_answer_has_seen_so_many_inputs_more_and_none_beyond():
    layer = Delayed(Recurrent(LSTMCell(2, 3)), delay=2)
    jacobian = torch.autograd.functional.jacobian(lambda x: layer(x)[0], torch.randn(1, 6, 2))
    sees = jacobian.abs().sum(dim=(0, 2, 3, 5)) > 0
    assert torch.equal(sees, torch.ones(6, 6, dtype=torch.bool).tril(diagonal=2))


def test_what_stands_in_the_padding_has_no_part_in_a_late_answer_or_its_gradient():
    layer, lengths = Delayed(Recurrent(LSTMCell(2, 3)), delay=2), torch.tensor([4, 2])
    x = torch.randn(2, 4, 2, requires_grad=True)
    outputs, _ = layer(x, lengths=lengths)
    (gradient,) = torch.autograd.grad(outputs.sum(), x)
    assert (gradient[1, 2:] == 0).all()
    assert (gradient[1, :2] != 0).any()


@pytest.mark.bad_input
@pytest.mark.parametrize("delay", [-1, 1.5])
def test_a_delay_is_a_whole_number_of_steps(delay):
    with pytest.raises(ValueError, match="delay is"):
        Delayed(Recurrent(LSTMCell(2, 3)), delay=delay)


@pytest.mark.bad_input
@pytest.mark.parametrize("kind", ["backward", "delay", "delay x", "concatenate"])
def test_an_unknown_competitor_is_refused_by_name(kind):
    with pytest.raises(ValueError, match="kind is"):
        make_layer(kind, 3)


def test_names_give_the_networks_they_say():
    assert make_layer("delay 4", 3).delay == 4
    for kind, merge in (("bidirectional", "concatenate"), ("sum", "sum"), ("product", "multiply")):
        layer = make_layer(kind, 3)
        assert isinstance(layer, Bidirectional)
        assert layer.merge == merge
    cell = make_layer("forward", 3).cell
    assert torch.allclose((cell.bias_ih + cell.bias_hh)[3:6], torch.ones(3))  # the forget gate starts open


@pytest.mark.parametrize("kind", ["forward", "delay 4", "bidirectional", "sum", "product"])
def test_every_tagger_comes_as_close_to_the_budget_as_one_unit_allows(kind):
    def cost(hidden):
        directions = 2 if kind in ("bidirectional", "sum", "product") else 1
        width = hidden * (2 if kind == "bidirectional" else 1)
        return 27 * 32 + directions * 4 * hidden * (32 + hidden + 2) + 79 * (width + 1)

    model = make_tagger(kind, 27, 79, budget=60_000)
    hidden = model.layer.output_size // (2 if kind == "bidirectional" else 1)
    assert count(model) == cost(hidden)
    assert abs(cost(hidden) - 60_000) <= min(abs(cost(hidden + change) - 60_000) for change in (-1, 1))


def test_a_rate_that_diverges_is_a_gap_and_never_chosen():
    def learn(lr):
        if lr > 1:
            raise Diverged("too high", History())
        history = History()
        history.best = lr
        return history

    errors = swept([0.5, 0.2, 2.0], learn)
    assert errors[:2] == [0.5, 0.2]
    assert errors[2] != errors[2]
    assert chosen([0.5, 0.2, 2.0], errors) == 0.2
    with pytest.raises(ValueError, match="at one rate at least"):
        chosen([2.0], [float("nan")])


@pytest.mark.parametrize(("tuned", "final"), [("07.sound_rates", "07.sounds"), ("07.word_rates", "07.words")])
def test_everybody_trains_at_the_rate_that_validation_chose(tuned, final):
    swept_result, sizes = load_result(tuned), find_experiment(final).scales["full"]
    for kind, rate in sizes["rates"].items():
        assert rate == swept_result.config["rates"][swept_result.mean(f"{kind}_valid").argmin()]
    for size in ("steps", "budget"):
        assert sizes[size] == swept_result.config[size]


@pytest.mark.bad_input
@pytest.mark.parametrize("word", ["a", "letters"])
def test_the_drawing_refuses_words_that_do_not_fit(word):
    with pytest.raises(ValueError, match="should have 2 to 6 letters"):
        two_ways(word)


def test_the_drawing_has_an_arrow_along_each_direction():
    figure = two_ways("mate")
    texts = [text.get_text() for text in figure.axes[0].texts]
    assert {"$h^f_{1}$", "$h^b_{1}$", "$h^f_{n}$", "$h^b_{n}$", "$y_{n}$"} <= set(texts)
