"""Pruned tables are models still, and the bytes that they are said to take are enough to restore them."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from rnncourse.data.compact_ngrams import _packed, _unpacked, from_bytes, pruned, pruned_to, to_bytes
from rnncourse.data.ngrams import InterpolatedNgram


def text(length: int = 4000, size: int = 5, seed: int = 0) -> torch.Tensor:
    """A text whose characters depend on the two before."""
    rng = np.random.default_rng(seed)
    likely = rng.integers(size, size=(size, size))
    codes = [0, 1]
    for _ in range(length - 2):
        codes.append(int(likely[codes[-2], codes[-1]]) if rng.random() < 0.7 else int(rng.integers(size)))
    return torch.tensor(codes)


@given(st.lists(st.integers(0, 2**62 - 1), min_size=1, max_size=50))
@settings(deadline=None, max_examples=30)
def test_numbers_come_back_in_as_few_groups_of_seven_bits_as_they_need(numbers):
    packed = _packed(np.array(numbers))
    assert _unpacked(packed).tolist() == numbers
    assert len(packed) == sum(max(1, -(-number.bit_length() // 7)) for number in numbers)


@pytest.mark.parametrize("least", [-np.inf, 0.5, 5.0, 1e9])
@pytest.mark.parametrize("order", [1, 2, 4])
def test_whatever_is_dropped_the_probabilities_add_up_to_one(least, order):
    model = pruned(InterpolatedNgram(order, 5).fit(text()), float(least))
    context = text(seed=9)[: order + 5]
    total = sum(float(model.probabilities(torch.cat([context, torch.tensor([c])]))[-1]) for c in range(5))
    assert total == pytest.approx(1.0, abs=1e-12)


def test_nothing_dropped_is_the_same_model():
    model = InterpolatedNgram(4, 5).fit(text())
    np.testing.assert_array_equal(pruned(model, -np.inf).probabilities(text(seed=1)), model.probabilities(text(seed=1)))


def test_everything_dropped_leaves_single_characters():
    model = pruned(InterpolatedNgram(4, 5).fit(text()), 1e9)
    single = InterpolatedNgram(1, 5).fit(text())
    np.testing.assert_allclose(model.probabilities(text(seed=1)), single.probabilities(text(seed=1)), rtol=1e-12)


@pytest.mark.parametrize("least", [-np.inf, 3.0, 1e9])
def test_what_is_stored_restores_the_model_to_the_last_bit(least):
    model = pruned(InterpolatedNgram(4, 5).fit(text()), float(least))
    again = from_bytes(to_bytes(model), 4, 5)
    np.testing.assert_array_equal(again.probabilities(text(seed=2)), model.probabilities(text(seed=2)))


def test_dropped_entries_cost_the_training_text_no_more_than_they_were_said_to_save():
    """Their own occurrences lose what the formula says at most; all others at their contexts can only gain."""
    codes = text(400)
    model = InterpolatedNgram(2, 5).fit(codes)
    entries = [len(table.pairs) for table in model._tables]
    lowest, highest = 0.0, 1e4
    for _ in range(60):  # the threshold at which the first entries go; alike ones go together
        middle = (lowest + highest) / 2
        gone = sum(entries) - sum(len(table.pairs) for table in pruned(model, middle)._tables)
        lowest, highest = (middle, highest) if gone < 1 else (lowest, middle)
    left = pruned(model, highest)
    gone = sum(entries) - sum(len(table.pairs) for table in left._tables)
    assert 1 <= gone < sum(entries) / 4
    lost = -np.log2(left.probabilities(codes)).sum() + np.log2(model.probabilities(codes)).sum()
    assert lost <= gone * highest + 1e-6


def test_a_table_fits_its_bytes_and_more_bytes_predict_no_worse():
    model = InterpolatedNgram(5, 5).fit(text(20_000))
    whole = len(to_bytes(model))
    bits = []
    for budget in (whole // 8, whole // 2, whole):
        fitted = pruned_to(model, budget)
        assert fitted.bytes == len(to_bytes(fitted.model)) <= budget
        assert fitted.bytes > 0.8 * budget
        bits.append(fitted.model.bits_per_character(text(20_000)))  # of the training text
    assert bits == sorted(bits, reverse=True)
    assert whole < sum(model.memory().values()) / 3


@pytest.mark.bad_input
def test_models_without_counts_and_budgets_for_nothing_are_refused():
    for use in (lambda model: pruned(model, 0.0), to_bytes):
        with pytest.raises(ValueError, match="model has counted nothing yet"):
            use(InterpolatedNgram(2, 3))
    with pytest.raises(ValueError, match="budget is 3; it should be at least"):
        pruned_to(InterpolatedNgram(2, 5).fit(text()), 3)
