r"""The LSTM over all of time, with its backpropagation through time written by hand.

Forward, for :math:`t = 1, \dots, T`: the equations of :func:`rnncourse.functional.lstm_trace`, without peepholes.

Backward, for :math:`t = T, \dots, 1`, where :math:`dh_t` and :math:`dc_t` are the gradients of the loss with respect to
:math:`h_t` and :math:`c_t`, and :math:`\delta` those with respect to what the gates' activations are applied to:

.. math::

    dc_t &\mathrel{+}= dh_t \odot o_t \odot (1 - \tanh^2 c_t) \\
    \delta_o &= dh_t \odot \tanh c_t \odot o_t (1 - o_t) \\
    \delta_i &= dc_t \odot g_t \odot i_t (1 - i_t) \\
    \delta_f &= dc_t \odot c_{t-1} \odot f_t (1 - f_t) \\
    \delta_g &= dc_t \odot i_t \odot (1 - g_t^2) \\
    dc_{t-1} &= dc_t \odot f_t \\
    dh_{t-1} &\mathrel{+}= W^\top \delta_t

Each :math:`\delta` is :math:`dh_t` or :math:`dc_t` times a slope that does not depend on them. All slopes are computed
in bulk; only the products are left to the walk. The last line but one is the carry through time.

One rearrangement makes it fast: the gates stand one further round than in PyTorch, o|i|f|g, so that the three which are
sigmoids are neighbours, and so are the three deltas which :math:`dc_t` scales. (With :math:`\tanh a = 2 \sigma(2a) - 1`
all four would be one sigmoid; but that has the absolute error of a number near one, and where the inputs are tiny the
candidate would lose all of its digits.)
"""

from __future__ import annotations

import torch
from torch import Tensor

from rnncourse.kernels.operator import register
from rnncourse.kernels.rows import continuing, one_step_before, prefixes
from rnncourse.kernels.sequence import Kernel, add_product, biases_or_zeros, check_call, project, run
from rnncourse.shapes import LSTMState, check_state

__all__ = ["lstm_over_time", "lstm_sequence"]


def lstm_sequence(
    inputs: Tensor,
    state: LSTMState,
    weight_ih: Tensor,
    weight_hh: Tensor,
    bias_ih: Tensor | None = None,
    bias_hh: Tensor | None = None,
    lengths: Tensor | None = None,
    *,
    checkpoint: bool = False,
) -> tuple[Tensor, LSTMState]:
    """The LSTM over a batch of sequences.

    Args:
        inputs: Sequences of shape (batch, time, input).
        state: The hidden and the cell state before the first step, each of shape (batch, hidden).
        weight_ih: Input to gates i, f, g, o, of shape (4*hidden, input).
        weight_hh: Hidden to gates, of shape (4*hidden, hidden).
        bias_ih: The gates' bias, of shape (4*hidden,), or none.
        bias_hh: A second one.
        lengths: How many steps of each sequence are real; all if not given.
        checkpoint: Whether to keep only every √T-th cell state for the backward pass and compute the gates again.

    Returns:
        The hidden states of all steps, of shape (batch, time, hidden), zero at padding; and the state at each
        sequence's own end.

    Raises:
        ValueError: If a part does not fit the others, or a choice is unknown.

    Example:
        >>> state = LSTMState(torch.zeros(1, 1), torch.full((1, 1), 8.0))
        >>> outputs, (h, c) = lstm_sequence(torch.ones(1, 3, 1), state, torch.zeros(4, 1), torch.zeros(4, 1))
        >>> c  # all-zero weights leave the forget gate half open: 8, 4, 2, 1
        tensor([[1.]])
    """
    check_state("state", state, LSTMState)
    named = {"state.h": state.h, "state.c": state.c}
    check_call(inputs, named, (weight_ih, weight_hh, bias_ih, bias_hh), lengths, gates=4)
    return lstm_over_time(inputs, state, weight_ih, weight_hh, bias_ih, bias_hh, lengths, checkpoint=checkpoint)


def lstm_over_time(
    inputs: Tensor,
    state: LSTMState,
    weight_ih: Tensor,
    weight_hh: Tensor,
    bias_ih: Tensor | None = None,
    bias_hh: Tensor | None = None,
    lengths: Tensor | None = None,
    *,
    checkpoint: bool = False,
) -> tuple[Tensor, LSTMState]:
    """The same as :func:`lstm_sequence`, for a layer that has checked what it hands on."""
    bias_ih, bias_hh = biases_or_zeros(weight_ih, bias_ih, bias_hh)
    bias = bias_ih + bias_hh
    weights = tuple(_rearrange(weight) for weight in (weight_ih, weight_hh, bias))
    outputs, final = run(_KERNEL, inputs, state, weights, lengths, checkpoint=checkpoint)
    return outputs, LSTMState(*final)


def _rearrange(weight: Tensor) -> Tensor:
    """From i|f|g|o to o|i|f|g. Autograd carries the gradients back."""
    i, f, g, o = weight.chunk(4)
    return torch.cat([o, i, f, g])


times_sigmoid_slope = torch.ops.aten.sigmoid_backward.grad_input  # (left, s): left · s (1 - s)
times_tanh_slope = torch.ops.aten.tanh_backward.grad_input  # (left, s): left · (1 - s²)


def _forward(x, batch_sizes, state, weights, W_T, h):
    U, _, b = weights
    h_0, c_0 = state
    gates = project(x, U, b)
    c_since, c = _cells(c_0, gates)
    tanh_c = torch.empty_like(h)
    hs, cs = h.split(batch_sizes), c.split(batch_sizes)
    before = [h_0, *continuing(hs, batch_sizes)], [c_0, *continuing(cs, batch_sizes)]
    columns = gates, gates[:, : 3 * h.shape[1]], *gates.chunk(4, dim=1)
    gates_by_step = (seq.split(batch_sizes) for seq in columns)
    for a_t, o_i_f, o, i, f, g, h_before, c_before, h_t, c_t, tanh_c_t in zip(
        *gates_by_step, *before, hs, cs, tanh_c.split(batch_sizes), strict=True
    ):
        a_t.addmm_(h_before, W_T)
        o_i_f.sigmoid_()
        g.tanh_()
        torch.mul(f, c_before, out=c_t).addcmul_(i, g)
        torch.mul(o, torch.tanh(c_t, out=tanh_c_t), out=h_t)
    return (c,), (gates, c_since, tanh_c)


def _cells(c_0, gates):
    """Room for all cell states: with those before the first step in front, and without."""
    c_since = gates.new_empty(len(c_0) + len(gates), c_0.shape[1])
    c_since[: len(c_0)] = c_0
    return c_since, c_since[len(c_0) :]


def _recompute(x, batch_sizes, h_before, state, weights):
    U, W, b = weights
    (c_0,) = state
    gates = project(x, U, b)
    gates.addmm_(h_before, W.t())
    o, i, f, g = gates.chunk(4, dim=1)
    gates[:, : 3 * o.shape[1]].sigmoid_()
    g.tanh_()
    c_since, c = _cells(c_0, gates)
    torch.mul(i, g, out=c)
    cs = c.split(batch_sizes)
    for f_t, c_before, c_t in zip(f.split(batch_sizes), [c_0, *continuing(cs, batch_sizes)], cs, strict=True):
        c_t.addcmul_(f_t, c_before)
    return gates, c_since, torch.tanh(c)


def _backward(dh, batch_sizes, carry, h_before, h, kept, weights, grads):
    U, W, b = weights
    gates, c_since, tanh_c = kept
    (dc,) = carry
    o, i, f, g = gates.chunk(4, dim=1)

    delta = torch.empty_like(gates)  # holds the slopes until the walk turns them into deltas
    slope_o, slope_i, slope_f, slope_g = delta.chunk(4, dim=1)
    times_sigmoid_slope(tanh_c, o, grad_input=slope_o)  # tanh c · o (1 - o), in one pass
    times_sigmoid_slope(g, i, grad_input=slope_i)
    times_sigmoid_slope(one_step_before(c_since, batch_sizes), f, grad_input=slope_f)
    times_tanh_slope(i, g, grad_input=slope_g)
    slope_c = times_tanh_slope(o, tanh_c, grad_input=torch.empty_like(tanh_c))

    by_c = delta.unflatten(1, (4, -1))[:, 1:]  # (rows, 3, hidden): the deltas that dc scales
    by_step = (seq.split(batch_sizes) for seq in (delta, slope_o, by_c, dh, f, slope_c))
    steps = list(zip(*by_step, prefixes(dc, batch_sizes), prefixes(dc.unsqueeze(1), batch_sizes), strict=True))
    dh_before = [None, *continuing(dh.split(batch_sizes), batch_sizes)]
    for t in reversed(range(len(batch_sizes))):
        delta_t, delta_o, delta_ifg, dh_t, f_t, slope_c_t, dc_t, dc_by_gate = steps[t]
        dc_t.addcmul_(dh_t, slope_c_t)
        delta_o.mul_(dh_t)
        delta_ifg.mul_(dc_by_gate)
        dc_t.mul_(f_t)
        if t > 0:
            dh_before[t].addmm_(delta_t, W)
    add_product(grads[1], delta, h_before)
    return delta, steps[0][0] @ W


_KERNEL = Kernel(_forward, _recompute, _backward, "lstm")
register(_KERNEL)
