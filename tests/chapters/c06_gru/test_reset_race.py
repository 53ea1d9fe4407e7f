"""What enters the race later is what it is called: the reset before, and a memory that starts out short."""

import math

import pytest
import torch

from rnncourse.cells import GRUCell
from rnncourse.chapters.c06_gru.experiments.reset_race import ENTRANTS, KEEPS, entrant


@pytest.mark.parametrize("name", ENTRANTS)
def test_a_silent_unit_keeps_the_share_that_its_bias_says(name):
    """With all weights zero the candidate's tanh is that of its bias, here zero: what is left of a one is the share."""
    torch.manual_seed(0)
    cell = entrant(name, 2, 4)
    rows = slice(2 * 4, 3 * 4) if isinstance(cell, GRUCell) else slice(4, 8)
    with torch.no_grad():
        for weight in (cell.weight_ih, cell.weight_hh):
            weight.zero_()
        cell.bias_ih[rows] = cell.bias_hh[rows] = 0.0
        if not name.endswith("keeps less"):
            cell.bias_ih.zero_()
            cell.bias_hh.zero_()
        h, _ = cell(torch.zeros(1, 2), torch.ones(1, 4))
    share = 1 / (1 + math.exp(-KEEPS)) if name.endswith("keeps less") else 0.5
    assert torch.allclose(h, torch.full((1, 4), share), atol=1e-6)


def test_the_resets_are_before_the_product():
    assert all(entrant(name, 2, 4).reset == "before" for name in ENTRANTS if name.startswith("GRU"))
