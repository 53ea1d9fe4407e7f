r"""The GRU over all of time, with its backpropagation through time written by hand.

Forward, for :math:`t = 1, \dots, T`: the equations of :func:`rnncourse.functional.gru_trace` with the reset after the
product and the update gate keeping, as in PyTorch. Here :math:`p_t = W_n h_{t-1} + b_{hn}` is what the reset gate
scales.

Backward, for :math:`t = T, \dots, 1`, where :math:`dh_t` is the gradient of the loss with respect to :math:`h_t` and
:math:`\delta` those with respect to what the activations are applied to:

.. math::

    \delta_n &= dh_t \odot (1 - z_t) (1 - n_t^2) \\
    \delta_p &= \delta_n \odot r_t \\
    \delta_r &= \delta_p \odot p_t (1 - r_t) \\
    \delta_z &= dh_t \odot (h_{t-1} - n_t) \odot z_t (1 - z_t) \\
    dh_{t-1} &\mathrel{+}= dh_t \odot z_t + W^\top (\delta_r|\delta_z|\delta_p)

Every delta is :math:`dh_t` times a slope that does not depend on it. All slopes are computed in bulk; only the products
are left to the walk. The first term of the last line is the carry through time.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from rnncourse.checks import check_choice
from rnncourse.kernels.operator import register
from rnncourse.kernels.rows import continuing
from rnncourse.kernels.sequence import Kernel, add_product, biases_or_zeros, check_call, project, run

__all__ = ["gru_over_time", "gru_sequence"]


def gru_sequence(
    inputs: Tensor,
    h: Tensor,
    weight_ih: Tensor,
    weight_hh: Tensor,
    bias_ih: Tensor | None = None,
    bias_hh: Tensor | None = None,
    lengths: Tensor | None = None,
    *,
    blend: str = "keep",
    checkpoint: bool = False,
) -> tuple[Tensor, Tensor]:
    """The GRU over a batch of sequences.

    Args:
        inputs: Sequences of shape (batch, time, input).
        h: The hidden state before the first step, of shape (batch, hidden).
        weight_ih: Input to gates r, z, n, of shape (3*hidden, input).
        weight_hh: Hidden to gates, of shape (3*hidden, hidden).
        bias_ih: The gates' bias, of shape (3*hidden,), or none.
        bias_hh: A second one, whose last third stands inside the reset.
        lengths: How many steps of each sequence are real; all if not given.
        blend: Whether an update gate of 1 means ``"keep"`` or ``"replace"``.
        checkpoint: Whether to keep only the hidden states for the backward pass and compute the gates again.

    Returns:
        The hidden states of all steps, of shape (batch, time, hidden), zero at padding; and the hidden state at each
        sequence's own end.

    Raises:
        ValueError: If a part does not fit the others, or a choice is unknown.

    Example:
        >>> weight = torch.zeros(3, 1)
        >>> outputs, h = gru_sequence(torch.ones(1, 3, 1), torch.full((1, 1), 8.0), weight, weight)
        >>> outputs.flatten()  # all-zero weights keep half of the state
        tensor([4., 2., 1.])
    """
    check_choice("blend", blend, ("keep", "replace"))
    check_call(inputs, {"h": h}, (weight_ih, weight_hh, bias_ih, bias_hh), lengths, gates=3)
    weights = (weight_ih, weight_hh, bias_ih, bias_hh)
    return gru_over_time(inputs, h, *weights, lengths, blend=blend, checkpoint=checkpoint)


def gru_over_time(
    inputs: Tensor,
    h: Tensor,
    weight_ih: Tensor,
    weight_hh: Tensor,
    bias_ih: Tensor | None = None,
    bias_hh: Tensor | None = None,
    lengths: Tensor | None = None,
    *,
    blend: str = "keep",
    checkpoint: bool = False,
) -> tuple[Tensor, Tensor]:
    """The same as :func:`gru_sequence`, for a layer that has checked what it hands on."""
    hidden = h.shape[1]
    bias_ih, bias_hh = biases_or_zeros(weight_ih, bias_ih, bias_hh)
    bias_rz, bias_hn = bias_hh.split([2 * hidden, hidden])
    bias = bias_ih + F.pad(bias_rz, (0, hidden))  # two biases are one, but for the part inside the reset
    if blend == "replace":
        weight_ih, weight_hh, bias = (_negate_update(weight) for weight in (weight_ih, weight_hh, bias))
    outputs, (h,) = run(_KERNEL, inputs, (h,), (weight_ih, weight_hh, bias, bias_hn), lengths, checkpoint=checkpoint)
    return outputs, h


def _negate_update(weight: Tensor) -> Tensor:
    """Turn one blend into the other: 1 - σ(a) is σ(-a). Autograd carries the gradients back."""
    r, z, n = weight.chunk(3)
    return torch.cat([r, -z, n])


def _forward(x, batch_sizes, state, weights, W_T, h):
    U, _, b, b_n = weights
    hidden = h.shape[1]
    gates = project(x, U, b)
    p = torch.empty_like(h)
    W_rz, W_n = W_T[:, : 2 * hidden], W_T[:, 2 * hidden :]
    hs = h.split(batch_sizes)
    steps = zip(gates.split(batch_sizes), p.split(batch_sizes), [*state, *continuing(hs, batch_sizes)], hs, strict=True)
    for a_t, p_t, h_before, h_t in steps:
        r, z, n = a_t.chunk(3, dim=1)
        a_t[:, : 2 * hidden].addmm_(h_before, W_rz).sigmoid_()
        torch.addmm(b_n, h_before, W_n, out=p_t)
        n.addcmul_(r, p_t).tanh_()
        torch.lerp(n, h_before, z, out=h_t)
    return (), (gates, p)


def _recompute(x, batch_sizes, h_before, state, weights):
    U, W, b, b_n = weights
    hidden = h_before.shape[1]
    gates = project(x, U, b)
    r_z, n = gates[:, : 2 * hidden], gates[:, 2 * hidden :]
    h_rz, p = F.linear(h_before, W).split([2 * hidden, hidden], dim=1)
    r_z.add_(h_rz).sigmoid_()
    p = p + b_n
    n.addcmul_(r_z[:, :hidden], p).tanh_()
    return gates, p


def _backward(dh, batch_sizes, carry, h_before, h, kept, weights, grads):
    U, W, b, b_n = weights
    gates, p = kept
    r, z, n = gates.chunk(3, dim=1)

    delta = torch.empty_like(gates)  # holds the slopes until the walk turns them into deltas
    slope_r, slope_z, slope_p = delta.chunk(3, dim=1)
    slope_n = (1 - n * n).mul_(1 - z)
    torch.mul(slope_n, r, out=slope_p)
    torch.addcmul(slope_p, slope_p, r, value=-1, out=slope_r).mul_(p)
    torch.addcmul(z, z, z, value=-1, out=slope_z).mul_(h_before - n)

    by_gate = delta.unflatten(1, (3, -1))  # (rows, 3, hidden)
    steps = list(zip(*(seq.split(batch_sizes) for seq in (delta, by_gate, dh, z)), strict=True))
    dh_before = [None, *continuing(dh.split(batch_sizes), batch_sizes)]
    for t in reversed(range(len(batch_sizes))):
        delta_t, gate, dh_t, z_t = steps[t]
        gate.mul_(dh_t.unsqueeze(1))
        if t > 0:
            dh_before[t].addcmul_(dh_t, z_t).addmm_(delta_t, W)
    add_product(grads[1], delta, h_before)
    grads[3] += slope_p.sum(0)  # by now the delta of p
    delta_1, _, dh_1, z_1 = steps[0]
    dh_0 = (dh_1 * z_1).addmm_(delta_1, W)
    torch.mul(slope_n, dh, out=slope_p)  # towards the inputs the last third is the delta of n
    return delta, dh_0


_KERNEL = Kernel(_forward, _recompute, _backward, "gru")
register(_KERNEL)
