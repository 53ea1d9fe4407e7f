"""What enters the race is what it is called: the place of the reset, and for how long a memory starts out."""

import math

import pytest
import torch

from rnncourse.chapters.c06_gru.experiments.entrants import ENTRANTS, KEEPS, entrant
from rnncourse.shapes import LSTMState

PLACE_OF_CANDIDATE = {"LSTM": 2, "GRU": 2, "GRU before": 2, "MGU": 1}
"""Which block of a gated cell's rows computes what is new."""

GATED = [name for name in ENTRANTS if not name.startswith("tanh")]


@pytest.mark.parametrize("name", GATED)
def test_a_silent_unit_keeps_the_share_that_its_bias_says(name):
    """Without an input and with a candidate of zero, what is left of a memory of one is the share that is kept."""
    torch.manual_seed(0)
    cell = entrant(name, 2, 4)
    kind, start = name.split(", ")
    place = PLACE_OF_CANDIDATE[kind]
    rows = slice(4 * place, 4 * (place + 1))
    with torch.no_grad():
        for weight in (cell.weight_ih, cell.weight_hh):
            weight.zero_()
        cell.bias_ih[rows] = cell.bias_hh[rows] = 0.0
        if start == "orthogonal":
            cell.bias_ih.zero_()
            cell.bias_hh.zero_()
        memory = torch.ones(1, 4)
        state = cell(torch.zeros(1, 2), LSTMState(memory, memory) if kind == "LSTM" else memory)[1]
    kept = state.c if kind == "LSTM" else state
    bias = {"keeps less": KEEPS, "forget bias 1": 1.0, "orthogonal": 0.0}[start]
    assert torch.allclose(kept, torch.full((1, 4), 1 / (1 + math.exp(-bias))), atol=1e-6)


@pytest.mark.parametrize("name", ENTRANTS)
def test_recurrent_matrices_start_orthogonal_each_by_itself(name):
    torch.manual_seed(0)
    for block in entrant(name, 2, 8).weight_hh.split(8):
        assert torch.allclose(block @ block.T, torch.eye(8), atol=1e-5)


def test_the_reset_is_where_the_name_says():
    for name in ENTRANTS:
        if name.startswith("GRU"):
            assert entrant(name, 2, 4).reset == ("before" if "before" in name else "after")
