"""Interpolated n-grams equal their definition, are distributions, and count their own bytes."""

from collections import Counter
from math import log2

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from rnncourse.data.compressors import primed_bits
from rnncourse.data.ngrams import InterpolatedNgram, curve


def witten_bell(train: list[int], context: list[int], character: int, order: int, alphabet_size: int) -> float:
    """The printed recursion, by counting with slices."""
    if order == 0:
        return 1 / alphabet_size
    before = context[len(context) - (order - 1) :] if order > 1 else []
    follows = Counter(train[i + order - 1] for i in range(len(train) - order + 1) if train[i : i + order - 1] == before)
    shorter = witten_bell(train, context, character, order - 1, alphabet_size)
    total, distinct = sum(follows.values()), len(follows)
    return (follows[character] + distinct * shorter) / (total + distinct) if total else shorter


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.integers(0, 2), min_size=4, max_size=30),
    st.lists(st.integers(0, 3), min_size=1, max_size=8),
    st.integers(1, 4),
)
def test_probabilities_equal_the_recursion(train, test, order):
    model = InterpolatedNgram(order, 4).fit(torch.tensor(train))
    expected = [witten_bell(train, test[:t], test[t], min(order, t + 1), 4) for t in range(len(test))]
    np.testing.assert_allclose(model.probabilities(torch.tensor(test)), expected, rtol=1e-12)
    assert model.bits_per_character(torch.tensor(test)) == pytest.approx(-sum(map(log2, expected)) / len(test))


def test_probabilities_of_all_characters_sum_to_one():
    train = torch.randint(5, (200,), generator=torch.Generator().manual_seed(0))
    model = InterpolatedNgram(3, 6).fit(train)
    for context in ([0, 1], [5, 5], [2, 2]):
        total = sum(model.probabilities(torch.tensor([*context, last]))[-1] for last in range(6))
        assert total == pytest.approx(1, abs=1e-12)


def test_memory_is_the_bytes_of_the_arrays():
    train = torch.tensor([0, 1, 0, 1, 1, 0])
    model = InterpolatedNgram(2, 2).fit(train)
    pairs, contexts = [2, 3], [1, 2]  # distinct n-grams and contexts of order 1 and 2
    expected = {order + 1: pairs[order] * (8 + 4) + contexts[order] * (8 + 4 + 2) for order in range(2)}
    assert model.memory() == expected
    assert model.memory_bytes == sum(expected.values())


def test_curve_equals_one_model_an_order():
    generator = torch.Generator().manual_seed(1)
    train, test = torch.randint(4, (500,), generator=generator), torch.randint(4, (60,), generator=generator)
    for point in curve(train, test, alphabet_size=4, orders=range(1, 5)):
        model = InterpolatedNgram(point.order, 4).fit(train)
        assert point.bits == pytest.approx(model.bits_per_character(test), rel=1e-12)
        assert point.bytes == model.memory_bytes


def test_random_text_cannot_be_compressed_below_its_entropy():
    generator = torch.Generator().manual_seed(2)
    train, test = torch.randint(4, (20_000,), generator=generator), torch.randint(4, (4000,), generator=generator)
    assert all(1.99 < point.bits < 2.1 for point in curve(train, test, alphabet_size=4, orders=range(1, 4)))


@pytest.mark.parametrize(
    ("order", "alphabet", "codes", "message"),
    [
        (0, 4, [0], "order is 0"),
        (32, 4, [0], "order is 32"),
        (3, 4, [0, 1], "codes has 2 characters"),
        (1, 4, [0, 4], r"codes holds 0\.\.4"),
        (1, 4, [[0]], r"codes is a Tensor of shape \(1, 1\).* of axes \(characters\)"),
    ],
)
def test_bad_input_is_named(order, alphabet, codes, message):
    with pytest.raises(ValueError, match=message):
        InterpolatedNgram(order, alphabet).fit(torch.tensor(codes))


def test_an_unfitted_model_says_so():
    with pytest.raises(ValueError, match="call fit first"):
        InterpolatedNgram(2, 3).probabilities(torch.tensor([0]))
    with pytest.raises(ValueError, match="orders is"):
        curve(torch.tensor([0]), torch.tensor([0]), alphabet_size=2, orders=range(0))


def test_priming_lets_every_compressor_see_the_training_text():
    generator = np.random.default_rng(0)
    noise = "".join(generator.choice(list("abcdefgh"), size=6000))
    alone, primed = primed_bits("", noise), primed_bits(noise, noise)
    assert set(primed) == {"gzip", "bzip2", "xz"}
    assert all(alone[name] > 2.9 for name in alone), "eight random letters hold three bits each"
    assert all(primed[name] < 0.5 for name in ("gzip", "xz")), "a text seen before costs next to nothing"
    assert primed["bzip2"] < 0.7 * alone["bzip2"], "block sorting finds the copy too, at a price"


def test_an_empty_test_text_is_refused():
    with pytest.raises(ValueError, match="test_text is empty"):
        primed_bits("abc", "")


def test_bzip2_pieces_cover_a_long_text():
    text = "the quick brown fox " * 60_000
    assert primed_bits("", text)["bzip2"] < 0.1
