"""Gates on text: what is tracked, who is found to track it, and that removal is measured against everyone else."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from rnncourse.chapters.c05_lstm.experiments.gates_on_text import (
    MATTERS,
    bits_at,
    correlations,
    cut,
    find_tracking_unit,
    gates_of,
    open_gates,
    removal_test,
    remove_unit,
    rises,
    saturation_by_unit,
    stretches,
    text_lstm,
    tracked,
)

CODES = torch.randint(0, 11, (200,), generator=torch.Generator().manual_seed(1))


@pytest.fixture
def model():
    return text_lstm(11, hidden_size=6).double()


def slow_tracked(text: str) -> dict[str, list[int]]:
    """The same things by walking through the text."""
    found = {name: [] for name in MATTERS}
    word = clause = sentence = 0
    capital = half = False
    for character in text:
        letter = character.isalpha() or character == "'"
        if letter and not word:
            capital = character.isupper()
        word = word + 1 if letter else 0
        clause = 0 if character in ".?!,:;" else clause + 1
        sentence = 0 if character in ".?!" else sentence + 1
        half = character not in ".?!" and (half or character in ":;")
        for name, value in zip(MATTERS, (word, int(capital and letter), clause, sentence, int(half)), strict=True):
            found[name].append(value)
    return found


@given(st.text("aB' .,:;?\n", min_size=1, max_size=60))
def test_tracked_things_are_what_a_walk_through_the_text_finds(text):
    slow = slow_tracked(text)
    for name, values in tracked(text).items():
        assert values.tolist() == slow[name], name


@given(st.text("aB' .,:;?", min_size=2, max_size=40), st.integers(1, 39))
def test_tracked_things_do_not_look_ahead(text, size):
    size = min(size, len(text) - 1)
    for name, values in tracked(text).items():
        assert values[:size].tolist() == tracked(text[:size])[name].tolist(), name


def test_stretches_follow_one_another_and_values_are_cut_alike():
    inputs, targets = stretches(CODES, 4)
    assert inputs.shape == targets.shape == (4, 49)
    assert torch.equal(inputs.flatten()[1:], targets.flatten()[:-1])
    assert torch.equal(cut(CODES.numpy(), 4, 49), inputs)


def test_opened_gates_are_those_of_the_model(model):
    opened = open_gates(model, CODES, streams=5, length=30)
    logits, _ = model(opened.inputs)
    assert torch.allclose(opened.surprise, bits_at(logits, opened.targets), atol=1e-12)
    assert torch.allclose(opened.trace.h, opened.trace.o * torch.tanh(opened.trace.c), atol=1e-12)
    share = sum(gates_of(opened.trace)["f_histogram"]).item()
    assert share == pytest.approx(1)


def test_bits_are_minus_log2_of_the_probability():
    logits = torch.tensor([[[0.0, 0.0, 0.0, 0.0]]])
    assert bits_at(logits, torch.tensor([[3]])).item() == pytest.approx(2)


def test_a_unit_held_at_what_it_would_have_been_changes_nothing(model):
    """A unit whose gates make c constant anyway may be removed without a trace."""
    cell = model.layer.cell
    with torch.no_grad():
        i, f, g = (slice(n * 6 + 2, n * 6 + 3) for n in range(3))
        for rows in (i, f, g):
            cell.weight_ih[rows] = cell.weight_hh[rows] = 0.0
            cell.bias_ih[rows] = cell.bias_hh[rows] = 0.0
        cell.bias_ih[f] = 100.0  # keeps the zero it starts from, and adds tanh(0)
    opened = open_gates(model, CODES, streams=3, length=20)
    surprise = remove_unit(model, opened.inputs, opened.targets, unit=2, value=0.0)
    assert torch.allclose(surprise, opened.surprise, atol=1e-12)
    assert rises(model, opened, torch.zeros(6), [2]).abs().max() < 1e-12


def test_removal_holds_the_cell_and_spares_the_first_prediction_of_others(model):
    opened = open_gates(model, CODES, streams=3, length=20)
    held = float(opened.trace.c[:, 0, 4].mean())
    surprise = remove_unit(model, opened.inputs, opened.targets, unit=4, value=held)
    with torch.no_grad():  # by hand, one step
        h = opened.trace.h[:, 0].clone()
        h[:, 4] = opened.trace.o[:, 0, 4] * np.tanh(held)
        expected = bits_at(model.readout(h).unsqueeze(1), opened.targets[:, :1])
    assert torch.allclose(surprise[:, :1], expected, atol=1e-12)
    assert (surprise[:, 1:] - opened.surprise[:, 1:]).abs().max() > 1e-6


def test_the_planted_unit_is_found_whatever_its_sign_and_scale():
    values = torch.randn(4, 50)
    c = torch.randn(4, 50, 9)
    c[..., 7] = 3 - 0.01 * values
    unit, r = find_tracking_unit(c, values)
    assert unit == 7
    assert r == pytest.approx(1, abs=1e-6)
    expected = [abs(np.corrcoef(c[..., k].flatten(), values.flatten())[0, 1]) for k in range(9)]
    assert np.allclose(correlations(c, values), expected, atol=1e-6)


def test_what_never_changes_is_tracked_by_nobody():
    assert (correlations(torch.randn(2, 5, 3), torch.ones(2, 5)) == 0).all()


def test_saturation_counts_by_unit():
    gate = torch.tensor([[[0.01, 0.95], [0.5, 0.99]]])
    closed, open = saturation_by_unit(gate)
    assert closed.tolist() == [0.5, 0.0]
    assert open.tolist() == [0.0, 1.0]


def test_the_removal_test_ranks_the_unit_among_all():
    matters = torch.tensor([[True, False, False]])
    rise = torch.tensor([[[0.2, 0.0, 0.1]], [[0.5, 0.6, 0.8]], [[0.1, 0.0, 0.0]]])
    found = removal_test(rise, 0, matters)
    assert found["rank"] == 2
    assert found["selective_rank"] == 1
    assert found["elsewhere"] == pytest.approx(0.05)
    assert found["others_where"] == pytest.approx(0.3)
    assert found["others_elsewhere"] == pytest.approx(0.35)
    assert found["others_spread"] == pytest.approx(np.std([0.5, 0.1], ddof=1))


@pytest.mark.bad_input
def test_a_text_that_is_too_short_is_refused():
    with pytest.raises(ValueError, match="streams is 4 and length 50; together they should be"):
        stretches(CODES, 4, 50)
