"""Cutting the context: what a network profits from and what it depends on are two things, and both have an error."""

import pytest
import torch
from torch import nn

from rnncourse.chapters.c02_vanilla_rnn.experiments.compact_opponents import cut_context


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
