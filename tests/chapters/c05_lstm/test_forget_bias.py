"""The forget-bias experiment: its task, its settings, and when it stops."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from rnncourse.chapters.c05_lstm.experiments.forget_bias import (
    BATCH_SIZE,
    CHANCE,
    CUES,
    SOLVED,
    Recalled,
    _best,
    _longest,
    biased,
    learn_to_recall,
    recall,
    share_wrong,
)
from rnncourse.layers import Recurrent
from rnncourse.models import SequenceClassifier


@given(batch_size=st.integers(1, 5), lag=st.integers(1, 30), seed=st.integers(0, 99))
def test_only_the_first_step_tells_the_answer(batch_size, lag, seed):
    batch = recall(batch_size, lag=lag, seed=seed)
    symbols = batch.inputs.argmax(-1)
    assert batch.inputs.shape == (batch_size, lag + 1, 2 * CUES)
    assert torch.equal(batch.inputs.sum(-1), torch.ones(batch_size, lag + 1))
    assert torch.equal(symbols[:, 0], batch.targets)
    assert (symbols[:, 1:] >= CUES).all()


def test_cues_are_equally_likely_so_that_a_guess_is_wrong_three_times_in_four():
    shares = recall(20_000, lag=1, seed=0).targets.bincount() / 20_000
    assert (shares - 1 / CUES).abs().max() < 0.015
    assert CHANCE == 0.75


def total_bias(cell, gate: int) -> torch.Tensor:
    rows = slice(gate * cell.hidden_size, (gate + 1) * cell.hidden_size)
    return (cell.bias_ih + cell.bias_hh)[rows].detach()


@pytest.mark.parametrize("bias", ["-2", "0", "1", "4.5"])
def test_a_setting_is_the_sum_of_both_biases(bias):
    cell = biased(bias, hidden_size=5, lag=9)
    assert torch.equal(total_bias(cell, 1), torch.full((5,), float(bias)))
    assert all(parameter.requires_grad for parameter in cell.parameters())


def test_settings_share_all_weights_but_the_forget_bias():
    cells = []
    for setting in ("default", "3"):
        torch.manual_seed(7)
        cells.append(biased(setting, hidden_size=5, lag=9))
    first, second = cells
    assert torch.equal(first.weight_ih, second.weight_ih)
    assert torch.equal(first.weight_hh, second.weight_hh)
    assert torch.equal(total_bias(first, 0), total_bias(second, 0))
    assert not torch.equal(total_bias(first, 1), total_bias(second, 1))


@pytest.mark.parametrize("lag", [1, 2, 50, 1000])
def test_chrono_spreads_time_scales_up_to_the_lag(lag):
    cell = biased("chrono", hidden_size=200, lag=lag)
    forget = total_bias(cell, 1)
    assert forget.min() >= 0
    assert forget.max() <= math.log(max(lag, 2)) + 1e-6
    assert torch.equal(total_bias(cell, 0), -forget)
    if lag > 2:
        assert abs(forget.exp().mean() - (1 + lag) / 2) < 0.15 * lag


def test_learning_stops_as_soon_as_it_is_solved():
    torch.manual_seed(0)
    learnt = learn_to_recall(biased("4", hidden_size=16, lag=3), lag=3, steps=600, lr=0.01, seed=0)
    assert learnt.solved
    assert learnt.error < 5 * SOLVED
    assert learnt.sequences < 600 * BATCH_SIZE


def test_a_closed_forget_gate_cannot_recall():
    """With f = 0 from the start and no time to learn otherwise, the answer is a guess."""
    cell = biased("-30", hidden_size=8, lag=20)
    with torch.no_grad():
        cell.weight_hh.zero_()
    model = SequenceClassifier(Recurrent(cell), CUES)
    assert share_wrong(model, recall(4000, lag=20, seed=1)) == pytest.approx(CHANCE, abs=0.04)


def run(solved: bool, sequences: int = 10) -> Recalled:
    return Recalled(0.0, solved, sequences, torch.nn.Identity())


def test_longest_stops_at_the_first_failure():
    lags = [2, 4, 8]
    for solved, longest in (((1, 1, 1), 8), ((1, 0, 1), 2), ((0, 1, 1), 0), ((0, 0, 0), 0)):
        assert _longest([run(bool(one)) for one in solved], lags) == longest


def test_the_best_bias_is_the_quickest_of_the_numbers():
    settings = ["default", "0", "4", "chrono"]
    column = [run(True, 1), run(True, 30), run(True, 20), run(True, 2)]
    assert _best(column, settings) == 4
    assert math.isnan(_best([run(True), run(False), run(False), run(True)], settings))


@pytest.mark.bad_input
def test_nonsense_is_refused():
    with pytest.raises(ValueError, match="setting is 'high'; it should be 'default', 'chrono' or a number in words"):
        biased("high", hidden_size=3, lag=4)
    with pytest.raises(ValueError, match="lag is 0"):
        recall(2, lag=0)
