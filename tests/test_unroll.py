"""Unrolling is a loop; it knows no cell, and neither padding nor batch neighbours reach a sequence."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from rnncourse.cells import GRUCell, LSTMCell, MGUCell, RNNCell
from rnncourse.shapes import LSTMState, detach_state
from rnncourse.unroll import flip_by_length, padding_mask, unroll, windows
from tests.oracles import DEVICES, assert_close, random_lengths, tensors


def test_unroll_is_a_loop_and_knows_no_cell():
    outputs, state = unroll(lambda x, s: (x + 1, s + 1), torch.zeros(2, 5, 3), 0)
    assert torch.equal(outputs, torch.ones(2, 5, 3))
    assert state == 5


def test_unroll_hands_the_state_on():
    x = torch.randn(2, 6, 1, dtype=torch.float64)

    def running_sum(x_t, total):
        return total + x_t, total + x_t

    sums, last = unroll(running_sum, x, torch.zeros(2, 1, dtype=torch.float64))
    torch.testing.assert_close(sums, x.cumsum(1), rtol=0, atol=1e-14)
    assert torch.equal(last, sums[:, -1])


def test_outputs_may_be_any_tree_of_tensors_over_any_axes():
    outputs, _ = unroll(lambda x, s: (LSTMState(x, (x.sum(dim=(1, 2)))), s), torch.ones(2, 5, 3, 4), 0)
    assert outputs.h.shape == (2, 5, 3, 4)
    assert torch.equal(outputs.c, torch.full((2, 5), 12.0))


@pytest.mark.parametrize("cell", [RNNCell, LSTMCell, GRUCell, MGUCell])
@settings(max_examples=15, deadline=None)
@given(batch=st.integers(1, 4), time=st.integers(1, 6), seed=st.integers(0, 99))
def test_each_sequence_is_read_as_if_it_were_alone(cell, batch, time, seed):
    torch.manual_seed(seed)
    cell = cell(2, 3).double()
    x, lengths = torch.randn(batch, time, 2, dtype=torch.float64), random_lengths(batch, time, seed)
    outputs, state = unroll(cell, x, cell.initial_state(batch), lengths)
    for row, length in enumerate(lengths.tolist()):
        alone, own = unroll(cell, x[row : row + 1, :length], cell.initial_state(1))
        assert_close(outputs[row : row + 1, :length], alone, "outputs")
        assert not outputs[row, length:].any()
        for a, b in zip(tensors(state), tensors(own), strict=True):
            assert_close(a[row : row + 1], b, "final state")


@pytest.mark.parametrize("cell", [RNNCell, LSTMCell, GRUCell, MGUCell])
def test_final_state_is_read_at_each_end(cell):
    cell = cell(2, 3).double()
    x, lengths = torch.randn(3, 5, 2, dtype=torch.float64), torch.tensor([5, 1, 3])
    outputs, state = unroll(cell, x, cell.initial_state(3), lengths)
    last = outputs[torch.arange(3), lengths - 1]
    assert_close(tensors(state)[0], last, "the final hidden state")


def test_what_the_padding_holds_changes_nothing_not_even_nan():
    cell = LSTMCell(2, 3)
    x, lengths = torch.randn(2, 4, 2), torch.tensor([4, 2])
    spoilt = x.clone()
    spoilt[1, 2:] = float("nan")
    gradients = []
    for inputs in (x, spoilt):
        outputs, state = unroll(cell, inputs, cell.initial_state(2), lengths)
        gradients.append(torch.autograd.grad(outputs.sum() + state.c.sum(), list(cell.parameters())))
    for clean, dirty in zip(*gradients, strict=True):
        assert torch.equal(clean, dirty)


def test_a_trace_over_time_is_the_unrolled_trace():
    cell = LSTMCell(2, 3)
    x, lengths = torch.randn(2, 4, 2), torch.tensor([4, 2])
    trace, state = unroll(cell.trace, x, cell.initial_state(2), lengths)
    outputs, same = unroll(cell, x, cell.initial_state(2), lengths)
    assert torch.equal(trace.h, outputs)
    assert torch.equal(state.c, same.c)
    assert torch.equal(trace.c[0, -1], state.c[0])
    assert not trace.f[1, 2:].any()


@settings(max_examples=40, deadline=None)
@given(batch=st.integers(1, 4), time=st.integers(1, 7), features=st.integers(1, 3), seed=st.integers(0, 99))
def test_flipping_by_length_reverses_each_sequence_and_twice_is_nothing(batch, time, features, seed):
    x, lengths = torch.randn(batch, time, features), random_lengths(batch, time, seed)
    flipped = flip_by_length(x, lengths)
    for row, length in enumerate(lengths.tolist()):
        assert torch.equal(flipped[row, :length], x[row, :length].flip(0))
        assert torch.equal(flipped[row, length:], x[row, length:])
    assert torch.equal(flip_by_length(flipped, lengths), x)


def test_flipping_without_lengths_is_a_flip():
    x = torch.randn(2, 5, 3)
    assert torch.equal(flip_by_length(x), x.flip(1))
    assert torch.equal(flip_by_length(x, torch.tensor([5, 5])), x.flip(1))


def test_the_gradient_of_a_flip_is_flipped():
    x, lengths = torch.randn(3, 4, 2, requires_grad=True), torch.tensor([4, 1, 3])
    weight = torch.randn(3, 4, 2)
    (gradient,) = torch.autograd.grad((flip_by_length(x, lengths) * weight).sum(), x)
    assert torch.equal(gradient, flip_by_length(weight, lengths))


def test_the_mask_counts_what_the_lengths_say():
    lengths = torch.tensor([3, 1, 2])
    mask = padding_mask(lengths, 4)
    assert torch.equal(mask.sum(1), lengths)
    assert torch.equal(mask.long().cummin(1).values, mask.long())


@pytest.mark.parametrize("device", DEVICES)
def test_lengths_may_lie_on_the_processor_wherever_the_sequences_are(device):
    cell, lengths = GRUCell(2, 3).to(device), torch.tensor([4, 1, 3])
    x = torch.randn(3, 4, 2, device=device)
    outputs, state = unroll(cell, x, cell.initial_state(3), lengths)
    assert outputs.device == state.device == x.device
    backwards = flip_by_length(x, lengths)
    for row, length in enumerate(lengths.tolist()):
        alone, last = unroll(cell, x[row : row + 1, :length], cell.initial_state(1))
        assert_close(outputs[row : row + 1, :length], alone, "outputs")
        assert_close(state[row : row + 1], last, "state")
        assert torch.equal(backwards[row, :length], x[row, :length].flip(0))


@given(time=st.integers(1, 9), size=st.integers(1, 10))
def test_windows_put_together_are_the_sequence(time, size):
    x = torch.arange(2 * time).view(2, time)
    parts = list(windows(x, size))
    assert torch.equal(torch.cat(parts, dim=1), x)
    assert {part.shape[1] for part in parts[:-1]} <= {size}
    assert 1 <= parts[-1].shape[1] <= size


def test_reading_by_windows_gives_the_same_values_and_cuts_the_gradient():
    cell = GRUCell(2, 3).double()
    x = torch.randn(2, 6, 2, dtype=torch.float64, requires_grad=True)
    state, outputs = cell.initial_state(2), []
    for window in windows(x, 2):
        output, state = unroll(cell, window, detach_state(state))
        outputs.append(output)
    assert_close(torch.cat(outputs, 1), unroll(cell, x, cell.initial_state(2))[0], "outputs")
    (gradient,) = torch.autograd.grad(outputs[-1].sum(), x)
    assert not gradient[:, :4].any()
    assert gradient[:, 4:].all()


@pytest.mark.bad_input
@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: unroll(lambda x, s: (x, s), [1.0], 0), "inputs is a list"),
        (lambda: unroll(lambda x, s: (x, s), torch.zeros(3), 0), r"inputs has shape \(3,\)"),
        (lambda: unroll(lambda x, s: (x, s), torch.zeros(3, 0, 2), 0), "with time at least 1"),
        (lambda: unroll(lambda x, s: (x, s), torch.zeros(2, 3), 0, torch.tensor([4, 1])), "lengths runs from 1 to 4"),
        (lambda: flip_by_length(torch.zeros(2, 3), torch.tensor([0, 1])), "lengths runs from 0 to 1"),
        (lambda: flip_by_length(torch.zeros(2, 3), [1, "2"]), "lengths is a list"),
        (lambda: padding_mask(torch.tensor([4]), 3), "lengths runs from 4 to 4"),
        (lambda: windows(torch.zeros(1, 3), 0), "size is 0"),  # at the call, not at the first window
        (lambda: windows(torch.zeros(1, 3), 1.5), "size is 1.5"),
        (lambda: windows([1, 2], 1), "sequence is a list"),
        (lambda: windows(torch.zeros(3), 1), r"sequence has shape \(3,\)"),
        (lambda: windows(torch.zeros(1, 0), 1), r"sequence has shape \(1, 0\); .* neither of them empty"),
        (lambda: flip_by_length(None), "sequence is a NoneType"),
        (lambda: flip_by_length(torch.zeros(3)), r"sequence has shape \(3,\)"),
        (lambda: flip_by_length(torch.zeros(0, 3), torch.zeros(0, dtype=torch.long)), "neither of them empty"),
        (lambda: padding_mask(torch.zeros(0, dtype=torch.long), 3), "lengths is empty"),
        (lambda: padding_mask([3], 3), "lengths is a list"),
        (lambda: padding_mask(None, 3), "lengths is a NoneType"),
        (lambda: padding_mask(torch.tensor(3), 3), r"lengths has shape \(\); it should be \(batch,\)"),
        (lambda: padding_mask(torch.tensor([[3]]), 3), r"lengths has shape \(1, 1\)"),
        (lambda: padding_mask(torch.tensor([3]), 3.5), "time is 3.5; it should be a whole number"),
        (lambda: padding_mask(torch.tensor([3.0]), 3), "dtype torch.float32"),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
