r"""The vanilla RNN over all of time, with its backpropagation through time written by hand.

Forward, for :math:`t = 1, \dots, T`:

.. math:: h_t = \varphi(U x_t + W h_{t-1} + b)

Backward, for :math:`t = T, \dots, 1`, where :math:`dh_t` is the gradient of the loss with respect to :math:`h_t` and
:math:`\delta_t` that with respect to what :math:`\varphi` is applied to:

.. math::

    \delta_t &= \varphi'_t \odot dh_t \\
    dh_{t-1} &\mathrel{+}= W^\top \delta_t

and then, each a single product over all steps and sequences,
:math:`dU = \sum_t \delta_t x_t^\top`, :math:`dW = \sum_t \delta_t h_{t-1}^\top`, :math:`db = \sum_t \delta_t`,
:math:`dx_t = U^\top \delta_t`.
"""

from __future__ import annotations

from functools import partial

import torch
from torch import Tensor

from rnncourse.checks import check_choice
from rnncourse.kernels.operator import register
from rnncourse.kernels.rows import continuing
from rnncourse.kernels.sequence import Kernel, add_product, biases_or_zeros, check_call, project, run

__all__ = ["rnn_over_time", "rnn_sequence"]


def rnn_sequence(
    inputs: Tensor,
    h: Tensor,
    weight_ih: Tensor,
    weight_hh: Tensor,
    bias_ih: Tensor | None = None,
    bias_hh: Tensor | None = None,
    lengths: Tensor | None = None,
    *,
    nonlinearity: str = "tanh",
    checkpoint: bool = False,
) -> tuple[Tensor, Tensor]:
    """The vanilla recurrent network over a batch of sequences.

    Args:
        inputs: Sequences of shape (batch, time, input).
        h: The hidden state before the first step, of shape (batch, hidden).
        weight_ih: Input to hidden, of shape (hidden, input).
        weight_hh: Hidden to hidden, of shape (hidden, hidden).
        bias_ih: A bias of shape (hidden,), or none.
        bias_hh: A second one.
        lengths: How many steps of each sequence are real; all if not given.
        nonlinearity: ``"tanh"`` or ``"relu"``.
        checkpoint: Accepted as by the other kernels; this one keeps nothing but the hidden states in any case.

    Returns:
        The hidden states of all steps, of shape (batch, time, hidden), zero at padding; and the hidden state at each
        sequence's own end.

    Raises:
        ValueError: If a part does not fit the others, or a choice is unknown.

    Example:
        >>> one = torch.ones(1, 1)
        >>> outputs, h = rnn_sequence(torch.ones(1, 3, 1), torch.zeros(1, 1), one, one, nonlinearity="relu")
        >>> outputs.flatten()
        tensor([1., 2., 3.])
    """
    check_choice("nonlinearity", nonlinearity, _KERNELS)
    check_call(inputs, {"h": h}, (weight_ih, weight_hh, bias_ih, bias_hh), lengths, gates=1)
    weights = (weight_ih, weight_hh, bias_ih, bias_hh)
    return rnn_over_time(inputs, h, *weights, lengths, nonlinearity=nonlinearity, checkpoint=checkpoint)


def rnn_over_time(
    inputs: Tensor,
    h: Tensor,
    weight_ih: Tensor,
    weight_hh: Tensor,
    bias_ih: Tensor | None = None,
    bias_hh: Tensor | None = None,
    lengths: Tensor | None = None,
    *,
    nonlinearity: str = "tanh",
    checkpoint: bool = False,
) -> tuple[Tensor, Tensor]:
    """The same as :func:`rnn_sequence`, for a layer that has checked what it hands on."""
    bias_ih, bias_hh = biases_or_zeros(weight_ih, bias_ih, bias_hh)
    bias = bias_ih + bias_hh
    kernel = _KERNELS[nonlinearity]
    outputs, (h,) = run(kernel, inputs, (h,), (weight_ih, weight_hh, bias), lengths, checkpoint=checkpoint)
    return outputs, h


def _forward(activate, x, batch_sizes, state, weights, W_T, h):
    U, _, b = weights
    hs = h.split(batch_sizes)
    for a_t, h_before, h_t in zip(
        project(x, U, b).split(batch_sizes), [*state, *continuing(hs, batch_sizes)], hs, strict=True
    ):
        activate(a_t.addmm_(h_before, W_T), out=h_t)
    return (), ()


def _recompute(x, batch_sizes, h_before, state, weights):
    return ()  # the hidden states are all that the backward pass needs


def _backward(slope, dh, batch_sizes, carry, h_before, h, kept, weights, grads):
    U, W, b = weights
    delta = slope(h)
    deltas, dhs = delta.split(batch_sizes), dh.split(batch_sizes)
    dh_before = [None, *continuing(dhs, batch_sizes)]
    for t in reversed(range(len(batch_sizes))):
        deltas[t].mul_(dhs[t])
        if t > 0:
            dh_before[t].addmm_(deltas[t], W)
    add_product(grads[1], delta, h_before)
    return delta, deltas[0] @ W


def _relu(a, out):
    return torch.clamp(a, min=0, out=out)


def _tanh_slope(h):
    return 1 - h * h


def _relu_slope(h):
    return (h > 0).to(h.dtype)


_KERNELS = {
    "tanh": Kernel(partial(_forward, torch.tanh), _recompute, partial(_backward, _tanh_slope), "tanh"),
    "relu": Kernel(partial(_forward, _relu), _recompute, partial(_backward, _relu_slope), "relu"),
}
register(*_KERNELS.values())
