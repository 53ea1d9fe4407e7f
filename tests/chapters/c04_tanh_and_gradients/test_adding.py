"""The adding experiment: it stops when solved, gives up where it should, and its exact solution is exact."""

import pytest
import torch

from rnncourse.cells import RNNCell
from rnncourse.chapters.c04_tanh_and_gradients.experiments.adding import (
    BASELINE,
    BATCH_SIZE,
    SOLVED,
    learn_to_add,
)
from rnncourse.chapters.c04_tanh_and_gradients.experiments.remedies import remedy
from rnncourse.data.adding import adding
from rnncourse.layers import Recurrent


def exact_adder() -> RNNCell:
    """Two ReLU units that add: one reads what is marked, the other sums what the first one said."""
    cell = RNNCell(2, 2, nonlinearity="relu")
    with torch.no_grad():
        cell.weight_ih.copy_(torch.tensor([[1.0, 1.0], [0.0, 0.0]]))
        cell.weight_hh.copy_(torch.tensor([[0.0, 0.0], [1.0, 1.0]]))
        cell.bias_ih.copy_(torch.tensor([-1.0, 0.0]))
        cell.bias_hh.zero_()
    return cell


def test_two_relu_units_add_exactly_at_any_length():
    for length in (2, 30, 400):
        batch = adding(50, length=length, seed=length)
        _, h_T = Recurrent(exact_adder())(batch.inputs)
        assert (h_T.sum(1, keepdim=True) - batch.targets).abs().max() < 1e-6


def test_baseline_is_the_variance_of_the_target():
    assert adding(100_000, length=5, seed=1).targets.var().item() == pytest.approx(BASELINE, rel=0.02)
    assert round(60 * SOLVED, 9) == 1


def test_learning_stops_as_soon_as_it_is_solved():
    torch.manual_seed(0)
    learnt = learn_to_add(remedy("relu identity"), length=3, steps=400, lr=0.01, seed=0, check_every=10)
    assert learnt.solved
    assert learnt.error < 2 * SOLVED
    assert learnt.sequences == learnt.history.steps * BATCH_SIZE < 400 * BATCH_SIZE
    assert learnt.history.validation[-1][1] < SOLVED <= learnt.history.validation[-2][1]


def test_divergence_is_reported_and_not_raised():
    cell = exact_adder()
    with torch.no_grad():
        cell.weight_hh.mul_(1e30)
    learnt = learn_to_add(cell, length=8, steps=3, lr=0.01, clip=None, seed=0)
    assert learnt.diverged
    assert not learnt.solved


def test_same_seed_same_result():
    errors = []
    for _ in range(2):
        torch.manual_seed(3)
        errors.append(learn_to_add(remedy("skip orthogonal"), length=12, steps=3, lr=0.01, seed=3).history.losses)
    assert errors[0] == errors[1]
