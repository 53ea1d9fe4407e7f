"""Greedy decoding, sampling and beam search, on real models and on scripted ones whose every probability is known."""

import itertools
import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from rnncourse.attention import CausalTransformer
from rnncourse.cells import GRUCell, LSTMCell
from rnncourse.layers import Recurrent, Stacked
from rnncourse.models import LanguageModel
from rnncourse.seq2seq import beam_search, greedy, sample
from tests.oracles import assert_close
from tests.test_seq2seq import KINDS, model_of, some_batch

BEGIN, END, VOCAB = 1, 2, 8


class Scripted(nn.Module):
    """A model whose state is what it has read, so that a script can say what follows each beginning.

    Args:
        script: from what was read after the begin mark, as a tuple, to the probabilities of the next token; what the
            script leaves out follows ``otherwise``.
        otherwise: the probabilities after any other beginning.
    """

    def __init__(self, script, otherwise):
        super().__init__()
        self.script, self.otherwise = script, otherwise

    def forward(self, tokens, state=None):
        read = tokens if state is None else torch.cat([state, tokens], 1)
        rows = [self.script.get(tuple(row[1:]), self.otherwise) for row in read.tolist()]
        return torch.tensor(rows, dtype=torch.float64).log()[:, None], read


def begin(batch=1):
    return torch.full((batch, 1), BEGIN)


def one_model(name):
    """(model, start, state) of everything that decoding should work with; three sentences each."""
    torch.manual_seed(4)
    if name in KINDS:
        model = model_of(name, "lstm", depth=2)
        sources, lengths, _, _ = some_batch()
        return model.decoder, begin(3), model.encode(sources, lengths)
    layer = {
        "language model": lambda: Stacked.of(LSTMCell, 4, 5, num_layers=2),
        "transformer": lambda: CausalTransformer(8, 2, num_layers=2),
    }[name]()
    return LanguageModel(layer, VOCAB).double(), torch.randint(3, VOCAB, (3, 2)), None


MODELS = [*KINDS, "language model", "transformer"]


@pytest.fixture(params=MODELS)
def case(request):
    return one_model(request.param)


def sharpen(model, factor=8.0):
    """Make a random model's predictions differ enough to be worth searching."""
    with torch.no_grad():
        model.readout.weight.mul_(factor)
    return model


def log_probability(model, start, state, row, tokens):
    """Of one sequence, from scratch: the model reads it whole, with no state carried from step to step."""
    state = None if state is None else rows_of(state, row)
    whole = torch.cat([start[row : row + 1], torch.tensor([tokens])], 1)
    logits, _ = model(whole[:, :-1], state)
    log_p = torch.log_softmax(logits[0, start.shape[1] - 1 :], -1)
    return sum(log_p[t, token].item() for t, token in enumerate(tokens))


def rows_of(state, row):
    if isinstance(state, tuple):
        parts = [rows_of(part, row) for part in state]
        return type(state)(*parts) if hasattr(state, "_fields") else tuple(parts)
    return state[row : row + 1]


def written_of(found, *place):
    """The real tokens of one hypothesis."""
    return found.tokens[place][: found.lengths[place]].tolist()


def test_greedy_with_a_state_equals_greedy_from_scratch(case):
    model, start, state = case
    found = greedy(model, start, state, eos=END, max_length=7)
    for row in range(3):
        tokens = []
        while len(tokens) < 7 and END not in tokens:
            read = torch.cat([start[row : row + 1], torch.tensor([tokens], dtype=torch.long)], 1)
            logits, _ = model(read, None if state is None else rows_of(state, row))
            tokens.append(logits[0, -1].argmax().item())
        assert written_of(found, row) == tokens
        assert found.finished[row].item() == (END in tokens)
        expected = log_probability(model, start, state, row, tokens)
        assert found.log_probabilities[row].item() == pytest.approx(expected, abs=1e-10)


@settings(max_examples=30, deadline=None)
@given(
    name=st.sampled_from(MODELS), seed=st.integers(0, 100), max_length=st.integers(1, 8),
    length_penalty=st.sampled_from([0.0, 0.7, 1.0]),
)  # fmt: skip
def test_a_beam_of_one_is_greedy(name, seed, max_length, length_penalty):
    model, start, state = one_model(name)
    torch.manual_seed(seed)
    for parameter in model.parameters():
        nn.init.normal_(parameter)
    alone = greedy(model, start, state, eos=END, max_length=max_length)
    beam = beam_search(
        model, start, state, width=1, eos=END, max_length=max_length, length_penalty=length_penalty
    ).best()
    for name, a, b in zip(alone._fields, alone, beam, strict=True):
        assert_close(b, a, name)


def check_exhaustive(name, length_penalty):
    """Every sequence there is, with its score, in the order that a full search ranks them."""
    torch.manual_seed(0)
    vocab, longest = 4, 3
    if name == "plain":
        model, state = LanguageModel(Recurrent(GRUCell(4, 5)), vocab).double(), torch.randn(2, 5).double()
    else:
        model, state = LanguageModel(CausalTransformer(4, 1), vocab).double(), None
    sharpen(model)
    start = torch.tensor([[BEGIN], [3]])
    others = [token for token in range(vocab) if token != END]
    sequences = [(*body, END) for length in range(longest) for body in itertools.product(others, repeat=length)] + list(
        itertools.product(others, repeat=longest)
    )
    found = beam_search(model, start, state, width=len(sequences), eos=END, max_length=longest,
                        length_penalty=length_penalty)  # fmt: skip
    for row in range(2):
        scores = {
            tokens: log_probability(model, start, state, row, tokens) / len(tokens) ** length_penalty
            for tokens in sequences
        }
        ranking = sorted(scores, key=scores.get, reverse=True)
        assert [tuple(written_of(found, row, place)) for place in range(len(sequences))] == ranking
        expected = torch.tensor([scores[tokens] for tokens in ranking], dtype=torch.float64)
        assert_close(found.scores(length_penalty)[row], expected, "scores")
        assert found.finished[row].tolist() == [tokens[-1] == END for tokens in ranking]


@pytest.mark.parametrize("length_penalty", [0.0, 1.0])
@pytest.mark.parametrize("name", ["plain", "transformer"])
def test_a_beam_wide_enough_is_exhaustive_search(name, length_penalty):
    check_exhaustive(name, length_penalty)


def test_places_without_a_sequence_are_empty():
    """Three sequences in five places, wider than the vocabulary."""
    model = Scripted({}, [0.0, 0.0, 0.5, 0.5])
    found = beam_search(model, begin(), width=5, eos=END, max_length=2, pad=0)
    assert sorted(written_of(found, 0, place) for place in range(3)) == [[2], [3, 2], [3, 3]]
    assert found.lengths[0].tolist() == [1, 2, 2, 0, 0]
    assert found.log_probabilities[0, 3:].eq(-math.inf).all()
    assert found.tokens[0, 3:].eq(0).all()
    assert not found.finished[0, 3:].any()


def beam_loses():
    """Greedy takes 3, then the sure 4 4: one half, a third, one, one. Two places are both lured away after 5."""
    flat = [0, 0, 0.0, 0.34, 0.33, 0.33, 0, 0]
    script = {
        (): [0, 0, 0, 0.5, 0, 0.4, 0.1, 0],
        (3,): flat,
        (3, 3): [0, 0, 1, 0, 0, 0, 0, 0],
        (5,): [0, 0, 0, 0.5, 0.5, 0, 0, 0],
        (5, 3): [0, 0, 0.1, 0.18, 0.18, 0.18, 0.18, 0.18],
        (5, 4): [0, 0, 0.1, 0.18, 0.18, 0.18, 0.18, 0.18],
    }
    return Scripted(script, [0, 0, 1.0, 0, 0, 0, 0, 0])


def test_beam_search_can_lose_to_greedy():
    model = beam_loses()
    alone = greedy(model, begin(), eos=END, max_length=6)
    beam = beam_search(model, begin(), width=2, eos=END, max_length=6).best()
    assert written_of(alone, 0) == [3, 3, END]
    assert alone.log_probabilities.exp().item() == pytest.approx(0.5 * 0.34)
    assert beam.tokens[0, 0].item() == 5
    assert beam.log_probabilities.exp().item() == pytest.approx(0.4 * 0.5 * 0.18)
    assert beam.log_probabilities < alone.log_probabilities
    wide = beam_search(model, begin(), width=5, eos=END, max_length=6).best()
    assert written_of(wide, 0) == written_of(alone, 0)


def test_the_greedy_hypothesis_can_be_kept():
    model = beam_loses()
    kept = beam_search(model, begin(), width=2, eos=END, max_length=6, keep_greedy=True)
    assert written_of(kept, 0, 0) == [3, 3, END]
    assert kept.tokens.shape[:2] == (1, 2)
    assert kept.tokens[0, 1, 0].item() == 5


def test_with_the_greedy_hypothesis_kept_the_score_is_never_below_greedys(case):
    model, start, state = case
    sharpen(model)
    alone = greedy(model, start, state, eos=END, max_length=6)
    for width in (1, 2, 3):
        for penalty in (0.0, 1.0):
            kept = beam_search(model, start, state, width=width, eos=END, max_length=6, length_penalty=penalty,
                               keep_greedy=True)  # fmt: skip
            assert (kept.best().scores(penalty) >= alone.scores(penalty) - 1e-12).all()
            for row in range(3):
                texts = [tuple(written_of(kept, row, place)) for place in range(width)]
                assert len(set(texts)) == width


def check_each_hypothesis_has_its_own_probability(name):
    """What the search says of a hypothesis is what the model says that reads it from scratch."""
    model, start, state = one_model(name)
    sharpen(model)
    found = beam_search(model, start, state, width=4, eos=END, max_length=7)
    changed_places = False
    for row in range(3):
        texts = [tuple(written_of(found, row, place)) for place in range(4)]
        assert len(set(texts)) == 4
        for place, tokens in enumerate(texts):
            expected = log_probability(model, start, state, row, tokens)
            assert found.log_probabilities[row, place].item() == pytest.approx(expected, abs=1e-9)
        changed_places = changed_places or len({text[0] for text in texts}) < 4
    assert changed_places  # some beginning has two continuations, so that states had to move


@pytest.mark.parametrize("name", MODELS)
def test_each_hypothesis_has_its_own_probability(name):
    check_each_hypothesis_has_its_own_probability(name)


def test_sentences_searched_together_are_as_if_alone(case):
    model, start, state = case
    sharpen(model)
    together = beam_search(model, start, state, width=3, eos=END, max_length=7, length_penalty=0.5)
    for row in range(3):
        alone = beam_search(
            model, start[row : row + 1], None if state is None else rows_of(state, row), width=3, eos=END, max_length=7,
            length_penalty=0.5,
        )  # fmt: skip
        assert_close(together.log_probabilities[row], alone.log_probabilities[0], f"row {row}")
        for place in range(3):
            assert written_of(together, row, place) == written_of(alone, 0, place)


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_written_does_not_hang_on_the_sources_padding(kind):
    model = model_of(kind, "lstm")
    sharpen(model.decoder)
    sources, lengths, _, _ = some_batch()
    for filling, more in ((0, 0), (0, 2), (7, 2)):
        padded = torch.where(torch.arange(6) < lengths[:, None], sources, filling)
        padded = torch.cat([padded, torch.full((3, more), filling)], 1)
        together = beam_search(model.decoder, begin(3), model.encode(padded, lengths), width=3, eos=END, max_length=6)
        for row, length in enumerate(lengths.tolist()):
            own = model.encode(sources[row : row + 1, :length])
            alone = beam_search(model.decoder, begin(), own, width=3, eos=END, max_length=6)
            assert_close(together.log_probabilities[row], alone.log_probabilities[0], f"row {row}")
            for place in range(3):
                assert written_of(together, row, place) == written_of(alone, 0, place)


def test_in_half_precision_log_probabilities_are_summed_in_single():
    model = Scripted({}, [0, 0, 0.2, 0.3, 0.5, 0, 0, 0])

    def half(tokens, state):
        logits, state = model(tokens, state)
        return logits.bfloat16(), state

    found = greedy(half, begin(), max_length=40)
    assert found.log_probabilities.dtype == torch.float32
    assert found.log_probabilities.item() == pytest.approx(40 * math.log(0.5), rel=5e-3)


def test_finished_hypotheses_are_kept_to_the_end():
    """At once finished with 0.3, while the three others go on sharing 0.7: each of their steps is more likely."""
    script = {(): [0, 0, 0.3, 0.25, 0.24, 0.21, 0, 0]}
    model = Scripted(script, [0, 0, 0, 0.5, 0.5, 0, 0, 0])
    found = beam_search(model, begin(), width=2, eos=END, max_length=3)
    assert written_of(found, 0, 0) == [END]
    assert found.log_probabilities[0, 0].exp().item() == pytest.approx(0.3)
    # The same where what is unfinished is more likely at the end: 0.35 against 0.3.
    model = Scripted({(): [0, 0, 0.3, 0.7, 0, 0, 0, 0]}, [0, 0, 0, 0.5, 0.5, 0, 0, 0])
    found = beam_search(model, begin(), width=2, eos=END, max_length=2)
    assert written_of(found, 0, 1) == [END]
    assert found.finished[0].tolist() == [False, True]


def test_a_finished_hypothesis_is_never_extended():
    """After the end mark the script would go on with certainty; nobody asks it."""
    model = Scripted({(): [0, 0, 0.6, 0.4, 0, 0, 0, 0]}, [0, 0, 0.5, 0.5, 0, 0, 0, 0])
    found = beam_search(model, begin(), width=3, eos=END, max_length=4, pad=7)
    for place in range(3):
        tokens = written_of(found, 0, place)
        assert END not in tokens[:-1]
        assert found.tokens[0, place, len(tokens) :].eq(7).all()
    best = found.best()
    assert written_of(best, 0) == [END]
    assert best.log_probabilities.item() == pytest.approx(math.log(0.6))


def test_the_length_penalty_decides_between_short_and_long():
    """[2] has 0.3; [3, 3, 3, 2] has 0.7 · 0.6³ = 0.151, a mean of 0.62 a token: the penalty decides."""
    model = Scripted({(): [0, 0, 0.3, 0.7, 0, 0, 0, 0], (3,): [0, 0, 0, 0.6, 0.2, 0.2, 0, 0],
                      (3, 3): [0, 0, 0, 0.6, 0.2, 0.2, 0, 0], (3, 3, 3): [0, 0, 0.6, 0.2, 0.2, 0, 0, 0]},
                     [0, 0, 1, 0, 0, 0, 0, 0])  # fmt: skip

    def best(penalty):
        found = beam_search(model, begin(), width=2, eos=END, max_length=4, length_penalty=penalty)
        long = 0.7 * 0.6**3
        for place in range(2):
            tokens = written_of(found, 0, place)
            expected = math.log(0.3 if tokens == [END] else long) / len(tokens) ** penalty
            assert found.scores(penalty)[0, place].item() == pytest.approx(expected)
        return written_of(found, 0, 0)

    assert best(0.0) == [END]
    assert best(0.3) == [END]  # -1.204 against -1.888 / 4^0.3 = -1.246
    assert best(0.4) == [3, 3, 3, END]  # -1.204 against -1.888 / 4^0.4 = -1.085
    assert best(1.0) == [3, 3, 3, END]


def test_what_is_too_long_is_cut_and_says_so(case):
    model, start, state = case
    for found in (
        greedy(model, start, state, max_length=3),
        sample(model, start, state, max_length=3),
        beam_search(model, start, state, width=2, max_length=3).best(),
    ):
        assert found.tokens.shape == (3, 3)
        assert found.lengths.eq(3).all()
        assert not found.finished.any()


def test_the_token_after_the_end_has_no_say(case):
    model, start, state = case
    sharpen(model)
    uneven = False
    likely = greedy(model, start, state, max_length=4).tokens.unique().tolist()[:2]
    for decode in (greedy, lambda *a, **k: beam_search(*a, width=3, **k)):
        for end in likely:
            first, second = (decode(model, start, state, eos=end, max_length=5, pad=pad) for pad in (0, 5))
            assert first.log_probabilities.equal(second.log_probabilities)
            assert first.lengths.equal(second.lengths)
            inside = torch.arange(first.tokens.shape[-1]) < first.lengths[..., None]
            assert first.tokens[inside].equal(second.tokens[inside])
            assert second.tokens[~inside].eq(5).all()
            uneven = uneven or bool((~inside).any())
    assert uneven  # there was something after an end


def test_samples_follow_the_models_probabilities_at_each_temperature():
    model = Scripted({}, [0, 0, 0.2, 0.3, 0.5, 0, 0, 0])
    for temperature in (0.5, 1.0, 2.0):
        found = sample(model, begin(5_000), max_length=1, temperature=temperature,
                       generator=torch.Generator().manual_seed(0))  # fmt: skip
        shares = torch.bincount(found.tokens.flatten(), minlength=VOCAB) / 5_000
        wanted = torch.tensor([0, 0, 0.2, 0.3, 0.5, 0, 0, 0]) ** (1 / temperature)
        torch.testing.assert_close(shares, wanted / wanted.sum(), rtol=0, atol=0.02)
        spoken = found.log_probabilities.exp()
        assert_close(spoken, torch.tensor([0, 0, 0.2, 0.3, 0.5], dtype=torch.float64)[found.tokens[:, 0]], "p")


def test_samples_end_at_the_end_mark_and_are_seeded(case):
    model, start, state = case

    def drawn(seed):
        return sample(model, start, state, eos=END, max_length=20, generator=torch.Generator().manual_seed(seed))

    found = drawn(0)
    assert found.tokens.equal(drawn(0).tokens)
    assert any(not torch.equal(found.lengths, drawn(seed).lengths) for seed in range(1, 9))
    for row in range(3):
        tokens = written_of(found, row)
        assert END not in tokens[:-1]
        assert found.finished[row].item() == (tokens[-1] == END)
        expected = log_probability(model, start, state, row, tokens)
        assert found.log_probabilities[row].item() == pytest.approx(expected, abs=1e-9)


def test_decoding_leaves_every_part_in_its_mode_also_after_an_error():
    model = LanguageModel(Stacked.of(GRUCell, 4, 5, num_layers=2, dropout=0.5), VOCAB, dropout=0.5)
    model.layer.eval()  # one part frozen on purpose
    modes = [part.training for part in model.modules()]
    first = greedy(model, begin(), max_length=5)
    assert first.tokens.equal(greedy(model, begin(), max_length=5).tokens)  # no dropout
    assert [part.training for part in model.modules()] == modes
    with torch.no_grad():
        model.readout.bias.fill_(float("nan"))
    with pytest.raises(ValueError, match="the model's scores hold NaN"):
        beam_search(model, begin(), width=2, max_length=3)
    assert [part.training for part in model.modules()] == modes
    assert not first.log_probabilities.requires_grad


@pytest.mark.bad_input
@pytest.mark.parametrize(
    ("arguments", "options", "message"),
    [
        ((None, begin()), {}, "model is a NoneType"),
        ((beam_loses(), [1]), {}, "start is a list"),
        ((beam_loses(), torch.ones(1).long()), {}, r"start has dtype torch.int64 and shape \(1,\)"),
        ((beam_loses(), torch.ones(1, 0).long()), {}, r"shape \(1, 0\); it should hold tokens"),
        ((beam_loses(), torch.ones(0, 1).long()), {}, r"shape \(0, 1\); it should hold tokens"),
        ((beam_loses(), torch.ones(1, 1)), {}, "start has dtype torch.float32"),
        ((beam_loses(), begin()), {"max_length": 0}, "max_length is 0"),
        ((beam_loses(), begin()), {"eos": -1}, "eos is -1"),
        ((beam_loses(), begin()), {"eos": 8}, "eos is 8; it should be a token of the model's, from 0 to 7"),
        ((beam_loses(), begin()), {"pad": 8}, "pad is 8; it should be a token"),
        ((Scripted({}, [math.nan] * 8), begin()), {}, "the model's scores hold NaN"),
    ],
)
def test_bad_input_is_named(arguments, options, message):
    for decode in (greedy, sample, lambda *a, **k: beam_search(*a, width=2, **k)):
        with pytest.raises(ValueError, match=message):
            decode(*arguments, **({"max_length": 3} | options))


@pytest.mark.bad_input
def test_bad_input_of_one_way_alone_is_named():
    for options, message in (
        ({"width": 0}, "width is 0"),
        ({"width": 2, "length_penalty": -1}, "length_penalty is -1"),
        ({"width": 2, "length_penalty": math.inf}, "length_penalty is inf"),
        ({"width": 2, "keep_greedy": "yes"}, "keep_greedy is 'yes'"),
    ):
        with pytest.raises(ValueError, match=message):
            beam_search(beam_loses(), begin(), max_length=3, **options)
    for temperature in (0, -1.0, math.nan, "cold"):
        with pytest.raises(ValueError, match="temperature is"):
            sample(beam_loses(), begin(), max_length=3, temperature=temperature)
