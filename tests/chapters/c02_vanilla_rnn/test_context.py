"""What chapter 2 measures is what it says it measures: theorems about the measuring, on models that are known."""

import pytest
import torch
from torch import nn

from rnncourse.chapters.c02_vanilla_rnn.experiments.character_model import character_model
from rnncourse.chapters.c02_vanilla_rnn.experiments.context import (
    CONTEXTS,
    REACH,
    bits_with_context,
    cut_context,
    shuffled_context,
)
from rnncourse.models.text import text_bits
from rnncourse.training.losses import nats_to_bits

VOCABULARY = 7


def codes(length: int = 400) -> torch.Tensor:
    return torch.randint(VOCABULARY, (length,), generator=torch.Generator().manual_seed(3))


class Markov(nn.Module):
    """Knows the last ``order`` characters in order, and nothing else."""

    def __init__(self, order: int) -> None:
        super().__init__()
        self.order = order
        self.table = torch.randn(VOCABULARY**order, VOCABULARY, generator=torch.Generator().manual_seed(5))

    def forward(self, tokens, state=None):
        before = torch.zeros(len(tokens), self.order - 1, dtype=torch.long) if state is None else state
        known = torch.cat([before, tokens], dim=1)
        windows = known.unfold(1, self.order, 1)  # (batch, time, order)
        index = (windows * VOCABULARY ** torch.arange(self.order)).sum(-1)
        return self.table[index], known[:, len(known[0]) - self.order + 1 :]


def test_text_bits_in_one_stretch_is_the_mean_surprise_of_every_character():
    model, text = character_model(VOCABULARY, hidden_size=5).requires_grad_(False), codes()
    logits, _ = model(text[None, :-1])
    surprise = -torch.log_softmax(logits[0], dim=1).gather(1, text[1:, None]).mean()
    assert text_bits(model, text, streams=1) == pytest.approx(float(nats_to_bits(surprise)), rel=1e-5)


def test_text_bits_does_not_depend_on_the_pieces_it_reads_in():
    model, text = Markov(2), codes(1200)  # 1199 predictions: several pieces of 256
    logits, _ = model(text[None, :-1])
    surprise = -torch.log_softmax(logits[0], dim=1).gather(1, text[1:, None]).mean()
    assert text_bits(model, text, streams=1) == pytest.approx(float(nats_to_bits(surprise)), rel=1e-5)


def test_a_model_of_known_order_loses_nothing_once_its_context_is_left():
    text, positions = codes(), torch.arange(64, 400)
    for order in (1, 3):
        model = Markov(order)
        whole = bits_with_context(model, text, positions, 64)
        for size in (order, order + 1, 20):
            assert bits_with_context(model, text, positions, size) == pytest.approx(whole, abs=1e-5)
            assert bits_with_context(model, text, positions, size, reach=64) == pytest.approx(whole, abs=1e-5)
        if order > 1:
            assert bits_with_context(model, text, positions, order - 1) != pytest.approx(whole, abs=1e-3)
            assert bits_with_context(model, text, positions, order - 1, reach=64) != pytest.approx(whole, abs=1e-3)


def test_shuffling_moves_the_older_characters_only_and_keeps_them_all():
    text, positions, seen = codes(), torch.arange(64, 400), []

    class Spy(nn.Module):
        def forward(self, tokens, state=None):
            seen.append(tokens)
            return torch.zeros(*tokens.shape, VOCABULARY), state

    bits_with_context(Spy(), text, positions, 8, reach=64, generator=torch.Generator().manual_seed(0))
    shown = torch.cat(seen)
    true = text[positions[:, None] - 64 + torch.arange(64)]
    assert torch.equal(shown[:, -8:], true[:, -8:])
    assert torch.equal(shown[:, :-8].sort(dim=1).values, true[:, :-8].sort(dim=1).values)
    assert not torch.equal(shown[:, :-8], true[:, :-8])


def test_the_two_curves_meet_where_nothing_is_left_to_cut_or_shuffle():
    model, text = Markov(2), codes()
    found = shuffled_context(model, text, count=30, seed=0)
    whole = bits_with_context(model, text, torch.linspace(REACH, len(text) - 1, 30).long(), REACH)
    assert len(found) == len(CONTEXTS)
    assert found[1:] == pytest.approx([whole] * (len(CONTEXTS) - 1), abs=1e-5)
    assert found[0] != pytest.approx(whole, abs=1e-3)


@pytest.mark.bad_input
def test_a_position_without_enough_text_before_it_is_refused():
    with pytest.raises(ValueError, match=r"size is 4 and the first position 3; they should be"):
        bits_with_context(Markov(1), codes(), torch.tensor([3, 9]), 4)
    with pytest.raises(ValueError, match="size is 0"):
        bits_with_context(Markov(1), codes(), torch.tensor([9]), 0)


class Reaches(nn.Module):
    """Two characters; its scores hang on the character so many steps back, by chance for better or for worse."""

    def __init__(self, back: int, sure: float):
        super().__init__()
        self.back, self.sure = back, sure

    def forward(self, tokens, state=None):
        seen = nn.functional.pad(tokens, (self.back, 0), value=-1)[:, : tokens.shape[1]]
        signs = torch.where(seen < 0, 0, 2 * seen - 1).float()
        return torch.stack([self.sure * signs, -self.sure * signs], -1), state


def test_a_network_may_depend_on_what_it_does_not_profit_from():
    """On coin flips, each character before is worth nothing, but every prediction moves with it."""
    codes = torch.randint(2, (4001,), generator=torch.Generator().manual_seed(0))
    cut = cut_context(Reaches(5, 0.2), codes, count=2000, contexts=(3, 8), reach=12)
    assert cut.depends == [1.0, 0.0]  # by log2 of e to the 0.2 or so, everywhere; beyond six characters nowhere
    assert abs(cut.excess[0]) < 4 * cut.error[0] + 0.03  # minus what being sure of nothing costs
    assert cut.excess[1] == cut.error[1] == 0


def test_the_error_is_that_of_the_mean_over_places():
    codes = torch.randint(2, (4001,), generator=torch.Generator().manual_seed(0))
    few = cut_context(Reaches(5, 1.0), codes, count=500, contexts=(3,), reach=12)
    many = cut_context(Reaches(5, 1.0), codes, count=2000, contexts=(3,), reach=12)
    assert few.error[0] / many.error[0] == pytest.approx(2.0, rel=0.1)
    assert few.error[0] == pytest.approx(2 / 0.6931 / 2 / 500**0.5, rel=0.2)  # ± one nat, about evenly


@pytest.mark.bad_input
@pytest.mark.parametrize("bad", [{"count": 1}, {"contexts": (12,)}, {"contexts": (0,)}, {"reach": 40}])
def test_too_little_text_or_context_is_refused(bad):
    with pytest.raises(ValueError, match="count is"):
        cut_context(
            Reaches(1, 1.0), torch.zeros(40, dtype=torch.long), **{"count": 5, "contexts": (3,), "reach": 12} | bad
        )
