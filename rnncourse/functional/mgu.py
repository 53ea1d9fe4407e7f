"""The minimal gated unit, one step."""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from rnncourse.functional.checks import check_step

__all__ = ["MGUTrace", "mgu_step", "mgu_trace"]


class MGUTrace(NamedTuple):
    """One step of the minimal gated unit, opened. Every field has shape (batch, hidden).

    Attributes:
        f: The only gate, in (0, 1).
        n: The candidate, in (-1, 1).
        h: The new hidden state.
    """

    f: Float[Tensor, "batch hidden"]
    n: Float[Tensor, "batch hidden"]
    h: Float[Tensor, "batch hidden"]


torch.serialization.add_safe_globals([MGUTrace])  # for torch.load(…, weights_only=True)


def mgu_trace(
    x_t: Float[Tensor, "batch input"],
    h: Float[Tensor, "batch hidden"],
    weight_ih: Float[Tensor, "gates input"],
    weight_hh: Float[Tensor, "gates hidden"],
    bias_ih: Float[Tensor, "gates"] | None = None,
    bias_hh: Float[Tensor, "gates"] | None = None,
) -> MGUTrace:
    r"""One step of the minimal gated unit, whose single gate both resets and updates.

    .. math::

        f_t &= \sigma(W_{if} x_t + W_{hf} h_{t-1} + b_f) \\
        n_t &= \tanh(W_{in} x_t + W_{hn} (f_t \odot h_{t-1}) + b_n) \\
        h_t &= (1 - f_t) \odot h_{t-1} + f_t \odot n_t

    where ``weight_ih`` is :math:`(W_{if}|W_{in})`, of shape (2*hidden, input), ``weight_hh`` is
    :math:`(W_{hf}|W_{hn})`, of shape (2*hidden, hidden), and each :math:`b` is a sum of two parts.

    Args:
        x_t: The input of this step.
        h: The hidden state that the step before left.
        weight_ih: Input to gate and candidate, in the order f, n.
        weight_hh: Hidden to gate and candidate, in the same order.
        bias_ih: Their bias, or none.
        bias_hh: Their second bias, or none.

    Returns:
        The gate, the candidate and the new hidden state.

    Raises:
        ValueError: If a tensor's shape does not fit the weights.

    Source: Zhou et al. (2016), "Minimal gated unit for recurrent neural networks", whose abstract was read; the
    equations from a secondary source, the documentation of the library RecurrentLayers.jl.

    Example:
        >>> mgu_trace(torch.ones(1, 1), torch.full((1, 1), 4.0), torch.zeros(2, 1), torch.zeros(2, 1)).h
        tensor([[2.]])
    """
    check_step(x_t, h, (weight_ih, weight_hh, bias_ih, bias_hh), gates=2)
    W_f, W_n = weight_hh.chunk(2)
    b_f, b_n = (None, None) if bias_hh is None else bias_hh.chunk(2)
    x_f, x_n = F.linear(x_t, weight_ih, bias_ih).chunk(2, dim=1)  # twice (batch, hidden)
    f = torch.sigmoid(x_f + F.linear(h, W_f, b_f))
    n = torch.tanh(x_n + F.linear(f * h, W_n, b_n))
    return MGUTrace(f, n, (1 - f) * h + f * n)


def mgu_step(
    x_t: Float[Tensor, "batch input"],
    h: Float[Tensor, "batch hidden"],
    weight_ih: Float[Tensor, "gates input"],
    weight_hh: Float[Tensor, "gates hidden"],
    bias_ih: Float[Tensor, "gates"] | None = None,
    bias_hh: Float[Tensor, "gates"] | None = None,
) -> Float[Tensor, "batch hidden"]:
    r"""The new hidden state of the minimal gated unit.

    .. math:: h_t = (1 - f_t) \odot h_{t-1} + f_t \odot n_t

    The gate, symbols, arguments and refusals are those of :func:`mgu_trace`.

    Returns:
        The new hidden state.

    Example:
        >>> mgu_step(torch.ones(1, 1), torch.full((1, 1), 4.0), torch.zeros(2, 1), torch.zeros(2, 1))
        tensor([[2.]])
    """
    return mgu_trace(x_t, h, weight_ih, weight_hh, bias_ih, bias_hh).h
