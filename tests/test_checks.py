"""Bad input is refused in a sentence that names the argument, what it was and what it should be."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from rnncourse.checks import (
    check_callable,
    check_choice,
    check_count,
    check_finite,
    check_fraction,
    check_kind,
    check_layer,
    check_lengths,
    check_positive,
    check_positive_number,
    check_probability,
    check_shape,
)
from rnncourse.depth import Perceptron


@pytest.mark.parametrize("value", [0, -1, 1.0, True, "3", None])
def test_only_whole_numbers_of_at_least_one_are_positive(value):
    with pytest.raises(ValueError, match="size is .*; it should be a whole number of at least 1"):
        check_positive("size", value)


@pytest.mark.parametrize("value", [-0.1, 1.1, True, "0.5", float("nan")])
def test_only_numbers_from_zero_to_one_are_probabilities(value):
    with pytest.raises(ValueError, match="dropout is .*; it should be a number from 0 to 1"):
        check_probability("dropout", value)


@pytest.mark.parametrize("value", [-1, 0.0, True, "3", None])
def test_only_whole_numbers_of_at_least_zero_are_counts(value):
    with pytest.raises(ValueError, match="lag is .*; it should be a whole number of at least 0"):
        check_count("lag", value)


@pytest.mark.parametrize("value", [0, -1.0, True, "3", None, float("nan"), float("inf")])
def test_only_finite_numbers_above_zero_are_positive_numbers(value):
    with pytest.raises(ValueError, match="tolerance is .*; it should be a positive, finite number"):
        check_positive_number("tolerance", value)


@pytest.mark.parametrize("value", [0, 1, -0.1, 1.1, True, "0.5", None, float("nan")])
def test_only_numbers_within_both_ends_are_fractions(value):
    with pytest.raises(ValueError, match="bound is .*; it should be a number between 0 and 1, neither"):
        check_fraction("bound", value)


def test_what_fits_passes_without_a_word():
    check_count("lag", 0)
    check_positive_number("tolerance", 1)
    check_fraction("bound", 0.5)
    check_kind("h", torch.zeros(1), torch.Tensor)
    check_kind("h", None, (torch.Tensor, type(None)))
    check_callable("loss", torch.sum, "a function")
    check_choice("last", None, ["tanh", None])
    check_layer("layer", Perceptron([3, 2]))


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        (torch.Tensor, "h is a list; it should be of type Tensor$"),
        ((int, str), "h is a list; it should be of type int or str$"),
    ],
)
def test_another_kind_is_named_with_the_wanted_ones(kind, message):
    with pytest.raises(ValueError, match=message):
        check_kind("h", [1.0], kind)


@pytest.mark.parametrize("value", [None, "lstm", torch.nn.Linear(3, 4), torch.nn.LSTM(3, 4)])
def test_what_does_not_say_its_sizes_is_no_layer(value):
    with pytest.raises(ValueError, match="layer is a .*; it should be a layer such as"):
        check_layer("layer", value)


def test_what_cannot_be_called_is_no_function():
    with pytest.raises(ValueError, match="loss is a float; it should be a function of the outputs"):
        check_callable("loss", 3.0, "a function of the outputs")


@pytest.mark.parametrize("value", [np.array(["sum", "sum"]), torch.ones(2), ["sum"], None, 1.0])
def test_an_array_is_no_choice(value):
    with pytest.raises(ValueError, match="merge is .*; it should be one of 'sum', 'multiply'"):
        check_choice("merge", value, ("sum", "multiply"))


def test_probabilities_include_both_ends():
    for value in (0, 0.0, 0.5, 1, 1.0):
        check_probability("dropout", value)


def test_unknown_names_are_answered_with_the_known_ones():
    with pytest.raises(ValueError, match="merge is 'add'; it should be one of 'sum', 'multiply'"):
        check_choice("merge", "add", ("sum", "multiply"))


@given(shape=st.lists(st.integers(1, 3), max_size=4), wanted=st.lists(st.none() | st.integers(1, 3), max_size=4))
def test_a_shape_passes_exactly_if_every_axis_fits(shape, wanted):
    axes = {f"axis{index}": size for index, size in enumerate(wanted)}
    fits = len(shape) == len(wanted) and all(want in (None, size) for size, want in zip(shape, wanted, strict=False))
    if fits:
        check_shape("x", torch.zeros(shape), **axes)
    else:
        with pytest.raises(ValueError, match="^x has"):
            check_shape("x", torch.zeros(shape), **axes)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ([1.0], "x is a list; it should be a tensor of shape"),
        (torch.zeros(2, 0), "axis 'input' is empty"),
        (torch.zeros(2, 3, dtype=torch.long), "dtype torch.int64; it should be a floating-point tensor"),
        (torch.zeros(2, 3, dtype=torch.float64), "dtype torch.float64; it should be torch.float32"),
        (torch.zeros(2, 3, device="meta"), "is on meta; it should be on cpu"),
    ],
)
def test_kind_emptiness_dtype_and_device_are_looked_at(value, message):
    with pytest.raises(ValueError, match=message):
        check_shape("x", value, like=torch.zeros(1), batch=None, input=None)


@pytest.mark.parametrize(
    ("lengths", "message"),
    [
        ([2, 1], "lengths is a list"),
        (torch.tensor([2.0, 1.0]), "tensor of dtype torch.float32"),
        (torch.tensor([True, True]), "tensor of dtype torch.bool"),
        (torch.tensor([2, 1, 1]), r"shape \(3,\); it should be \(batch=2,\)"),
        (torch.tensor([[2], [1]]), r"shape \(2, 1\)"),
        (torch.tensor([2, 0]), "runs from 0 to 2; each should be from 1 to 3"),
        (torch.tensor([4, 1]), "runs from 1 to 4; each should be from 1 to 3"),
    ],
)
@pytest.mark.bad_input
def test_lengths_are_whole_numbers_one_per_sequence_within_time(lengths, message):
    with pytest.raises(ValueError, match=message):
        check_lengths(lengths, batch=2, time=3)


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), float("-inf")])
def test_the_first_entry_that_is_not_finite_is_located(bad):
    value = torch.zeros(3, 4)
    value[1, 2] = bad
    value[2, 0] = bad
    with pytest.raises(ValueError, match=r"targets is -?(nan|inf) at index \(1, 2\)"):
        check_finite("targets", value)
    check_finite("targets", torch.zeros(2))
