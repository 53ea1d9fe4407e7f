"""The fixed window: a feedforward network at every step, blind beyond its window."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional as F

from rnncourse.layers.windowed import FixedWindow
from rnncourse.unroll import padding_mask


def layer_and_inputs(batch=2, time=7, window=3, input_size=4, hidden_size=5):
    torch.manual_seed(0)
    layer = FixedWindow(input_size, hidden_size, window=window).double()
    return layer, torch.randn(batch, time, input_size, dtype=torch.float64, requires_grad=True)


@settings(max_examples=20, deadline=None)
@given(batch=st.integers(1, 3), time=st.integers(1, 8), window=st.integers(1, 6))
def test_window_is_one_feedforward_layer_at_every_step(batch, time, window):
    layer, x = layer_and_inputs(batch, time, window)
    outputs, _ = layer(x)
    padded = torch.cat([torch.zeros(batch, window - 1, 4, dtype=torch.float64), x], dim=1)
    flat = layer.weight.flip(0).permute(1, 0, 2).reshape(5, -1)  # oldest input first, side by side
    for t in range(time):
        expected = torch.tanh(padded[:, t : t + window].reshape(batch, -1) @ flat.T + layer.bias)
        torch.testing.assert_close(outputs[:, t], expected, rtol=0, atol=1e-12)


def test_window_is_a_causal_convolution_in_value_and_every_gradient():
    layer, x = layer_and_inputs()
    outputs, _ = layer(x)
    outputs.pow(2).sum().backward()
    ours = [x.grad.clone(), layer.weight.grad.clone(), layer.bias.grad.clone()]
    x.grad = layer.weight.grad = layer.bias.grad = None
    kernel = layer.weight.flip(0).permute(1, 2, 0)  # (hidden, input, window)
    expected = torch.tanh(F.conv1d(F.pad(x.transpose(1, 2), (2, 0)), kernel, layer.bias)).transpose(1, 2)
    expected.pow(2).sum().backward()
    torch.testing.assert_close(outputs, expected, rtol=0, atol=1e-12)
    for mine, theirs in zip(ours, [x.grad, layer.weight.grad, layer.bias.grad], strict=True):
        torch.testing.assert_close(mine, theirs, rtol=0, atol=1e-10)


def test_nothing_beyond_the_window_has_any_influence():
    layer, x = layer_and_inputs(time=7, window=3)
    outputs, _ = layer(x)
    (gradient,) = torch.autograd.grad(outputs[:, 6].sum(), x)
    assert torch.all(gradient[:, :4] == 0)
    assert torch.all(gradient[:, 4:].abs().amax(dim=(0, 2)) > 0)


def test_state_carries_over_a_cut_in_the_sequence():
    layer, x = layer_and_inputs(window=4)
    whole, end = layer(x)
    first, state = layer(x[:, :2])
    second, state = layer(x[:, 2:], state)
    torch.testing.assert_close(torch.cat([first, second], dim=1), whole)
    torch.testing.assert_close(state, end)


def test_window_respects_lengths():
    layer, x = layer_and_inputs(batch=3, window=4)
    lengths = torch.tensor([7, 1, 4])
    outputs, state = layer(x, lengths=lengths)
    assert torch.all(outputs[~padding_mask(lengths, 7)] == 0)
    for row, length in enumerate(lengths.tolist()):
        alone, end = layer(x[row : row + 1, :length])
        torch.testing.assert_close(outputs[row : row + 1, :length], alone)
        torch.testing.assert_close(state[row : row + 1], end)


@pytest.mark.bad_input
@pytest.mark.parametrize(
    ("call", "named"),
    [
        (lambda: FixedWindow(3, 5, window=0), "window"),
        (lambda: FixedWindow(3, 5, window=2)(torch.zeros(2, 7, 4)), "inputs"),
        (lambda: FixedWindow(3, 5, window=2)(torch.zeros(2, 7, 3), torch.zeros(2, 2, 3)), "state"),
        (lambda: FixedWindow(3, 5, window=2)(torch.zeros(2, 7, 3), lengths=torch.tensor([8, 1])), "lengths"),
    ],
)
def test_bad_input_is_refused_by_name(call, named):
    with pytest.raises(ValueError, match=named):
        call()
