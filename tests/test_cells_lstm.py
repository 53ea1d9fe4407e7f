"""The LSTM's own: the forget bias, peepholes, and cells without a part."""

import math

import pytest
import torch

from rnncourse.cells import ABLATIONS, LSTMCell
from rnncourse.functional import Peepholes, lstm_step
from rnncourse.shapes import LSTMState


@pytest.mark.parametrize("value", [0.0, 1.0, -2.0])
def test_the_forget_bias_is_the_sum_of_both_biases(value):
    cell, plain = LSTMCell(3, 5, forget_bias=value), LSTMCell(3, 5)
    assert torch.equal((cell.bias_ih + cell.bias_hh)[5:10], torch.full((5,), value))
    zero = torch.zeros(1, 3), LSTMState(torch.zeros(1, 5), torch.zeros(1, 5))
    torch.testing.assert_close(cell.trace(*zero)[0].f, torch.full((1, 5), 1 / (1 + math.exp(-value))))
    assert plain.bias_hh[5:10].any()


def test_a_forget_bias_changes_nothing_else():
    cells = []
    for options in ({}, {"forget_bias": 1.0}):
        torch.manual_seed(0)
        cells.append(LSTMCell(3, 5, **options))
    assert torch.equal(cells[0].weight_hh, cells[1].weight_hh)
    assert torch.equal(cells[0].bias_ih[10:], cells[1].bias_ih[10:])


def test_peepholes_come_after_the_parameters_that_all_lstms_have():
    cells = []
    for peepholes in (False, True):
        torch.manual_seed(0)
        cells.append(LSTMCell(3, 5, peepholes=peepholes))
    for name, value in cells[0].named_parameters():
        assert torch.equal(value, dict(cells[1].named_parameters())[name])
    extra = {"weight_ci", "weight_cf", "weight_co"}
    assert set(dict(cells[1].named_parameters())) - set(dict(cells[0].named_parameters())) == extra
    state = LSTMState(torch.randn(2, 5), torch.randn(2, 5))
    x_t = torch.randn(2, 3)
    p = Peepholes(cells[1].weight_ci, cells[1].weight_cf, cells[1].weight_co)
    assert torch.equal(cells[1](x_t, state)[0], lstm_step(x_t, state, *cells[0].weights, peepholes=p).h)


@pytest.mark.parametrize("name", ABLATIONS)
def test_each_ablation_of_the_paper_differs_from_the_full_cell_and_trains(name):
    torch.manual_seed(0)
    full = LSTMCell(3, 5, peepholes=True)
    cell = LSTMCell(3, 5, **{"peepholes": True} | ABLATIONS[name])
    cell.load_state_dict(full.state_dict(), strict=False)
    x_t, state = torch.randn(2, 3), LSTMState(torch.randn(2, 5), torch.randn(2, 5))
    output, new = cell(x_t, state)
    assert (output - full(x_t, state)[0]).abs().max() > 1e-4
    assert torch.autograd.grad(new.c.sum() + output.sum(), cell.weight_hh)[0].abs().sum() > 0


def test_the_parameters_of_a_gate_that_is_gone_have_no_influence():
    cell = LSTMCell(3, 5, without=("input", "output"))
    output, _ = cell(torch.randn(2, 3), LSTMState(torch.randn(2, 5), torch.randn(2, 5)))
    i, f, g, o = torch.autograd.grad(output.sum(), cell.weight_hh)[0].chunk(4)
    assert not i.any()
    assert not o.any()
    assert f.any()
    assert g.any()
