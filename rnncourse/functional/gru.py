"""The gated recurrent unit, one step, in its four forms."""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from rnncourse.checks import check_choice
from rnncourse.functional.checks import check_step

__all__ = ["GRUTrace", "gru_step", "gru_trace"]


class GRUTrace(NamedTuple):
    """One step of the GRU, opened. Every field has shape (batch, hidden).

    Attributes:
        r: The reset gate, in (0, 1).
        z: The update gate, in (0, 1).
        m: The hidden state's share of the candidate, reset applied.
        n: The candidate, in (-1, 1).
        h: The new hidden state.
    """

    r: Float[Tensor, "batch hidden"]
    z: Float[Tensor, "batch hidden"]
    m: Float[Tensor, "batch hidden"]
    n: Float[Tensor, "batch hidden"]
    h: Float[Tensor, "batch hidden"]


torch.serialization.add_safe_globals([GRUTrace])  # for torch.load(…, weights_only=True)


def gru_trace(
    x_t: Float[Tensor, "batch input"],
    h: Float[Tensor, "batch hidden"],
    weight_ih: Float[Tensor, "gates input"],
    weight_hh: Float[Tensor, "gates hidden"],
    bias_ih: Float[Tensor, "gates"] | None = None,
    bias_hh: Float[Tensor, "gates"] | None = None,
    *,
    reset: str = "after",
    blend: str = "keep",
) -> GRUTrace:
    r"""One step of the gated recurrent unit, with every gate.

    .. math::

        r_t &= \sigma(W_{ir} x_t + W_{hr} h_{t-1} + b_r) \\
        z_t &= \sigma(W_{iz} x_t + W_{hz} h_{t-1} + b_z) \\
        m_t &= r_t \odot (W_{hn} h_{t-1} + b_{hn})
            \quad\text{or}\quad W_{hn} (r_t \odot h_{t-1}) + b_{hn} \\
        n_t &= \tanh(W_{in} x_t + b_{in} + m_t) \\
        h_t &= (1 - z_t) \odot n_t + z_t \odot h_{t-1}
            \quad\text{or}\quad (1 - z_t) \odot h_{t-1} + z_t \odot n_t

    where ``weight_ih`` is :math:`(W_{ir}|W_{iz}|W_{in})`, of shape (3*hidden, input), ``weight_hh`` is
    :math:`(W_{hr}|W_{hz}|W_{hn})`, of shape (3*hidden, hidden), and :math:`b_r` and :math:`b_z` are sums of two parts.

    The two choices are independent. ``blend`` is a matter of naming: negate the weights and biases of :math:`z` and
    one becomes the other, since :math:`1 - \sigma(a) = \sigma(-a)`. ``reset`` is not: :math:`r \odot (W h)` scales the
    rows of :math:`W` and :math:`W (r \odot h)` its columns, so that in general no weights of one form reproduce the
    other.

    Args:
        x_t: The input of this step.
        h: The hidden state that the step before left.
        weight_ih: Input to gates, in the order r, z, n.
        weight_hh: Hidden to gates, in the same order.
        bias_ih: The gates' bias, or none.
        bias_hh: The gates' second bias, or none; its last third stands inside the reset, as in PyTorch.
        reset: ``"after"`` the matrix product (PyTorch) or ``"before"`` it (Cho et al.).
        blend: Whether an update gate of 1 means ``"keep"`` the old state (PyTorch, Cho et al.) or ``"replace"`` it
            (Chung et al.).

    Returns:
        The gates, the hidden state's share of the candidate, the candidate and the new hidden state.

    Raises:
        ValueError: If a tensor's shape does not fit the weights, or a choice is unknown.

    Source: Cho et al. (2014), equations 5 to 8, and Chung et al. (2014), section 3.2, both from secondary sources; the
    form with the reset after the product is that of ``torch.nn.GRU``, read in PyTorch's documentation. Keras's
    documentation says that the first version of Cho et al. on arXiv had the reset after the product too, and the
    published one before it.

    Example:
        >>> trace = gru_trace(torch.ones(1, 1), torch.full((1, 1), 4.0), torch.zeros(3, 1), torch.zeros(3, 1))
        >>> trace.z, trace.h  # all-zero weights keep half of the old state
        (tensor([[0.5000]]), tensor([[2.]]))
    """
    check_choice("reset", reset, ("after", "before"))
    check_choice("blend", blend, ("keep", "replace"))
    check_step(x_t, h, (weight_ih, weight_hh, bias_ih, bias_hh), gates=3)

    hidden = h.shape[1]
    x_r, x_z, x_n = F.linear(x_t, weight_ih, bias_ih).chunk(3, dim=1)  # three times (batch, hidden)
    if reset == "after":
        h_r, h_z, h_n = F.linear(h, weight_hh, bias_hh).chunk(3, dim=1)
        r = torch.sigmoid(x_r + h_r)
        m = r * h_n
    else:
        W_rz, W_n = weight_hh.split([2 * hidden, hidden])
        b_rz, b_n = (None, None) if bias_hh is None else bias_hh.split([2 * hidden, hidden])
        h_r, h_z = F.linear(h, W_rz, b_rz).chunk(2, dim=1)
        r = torch.sigmoid(x_r + h_r)
        m = F.linear(r * h, W_n, b_n)
    z = torch.sigmoid(x_z + h_z)
    n = torch.tanh(x_n + m)
    h_t = (1 - z) * n + z * h if blend == "keep" else (1 - z) * h + z * n
    return GRUTrace(r, z, m, n, h_t)


def gru_step(
    x_t: Float[Tensor, "batch input"],
    h: Float[Tensor, "batch hidden"],
    weight_ih: Float[Tensor, "gates input"],
    weight_hh: Float[Tensor, "gates hidden"],
    bias_ih: Float[Tensor, "gates"] | None = None,
    bias_hh: Float[Tensor, "gates"] | None = None,
    *,
    reset: str = "after",
    blend: str = "keep",
) -> Float[Tensor, "batch hidden"]:
    r"""The new hidden state of the gated recurrent unit.

    .. math:: h_t = (1 - z_t) \odot n_t + z_t \odot h_{t-1}

    The gates, symbols, arguments and refusals are those of :func:`gru_trace`.

    Returns:
        The new hidden state.

    Example:
        >>> gru_step(torch.ones(1, 1), torch.full((1, 1), 4.0), torch.zeros(3, 1), torch.zeros(3, 1))
        tensor([[2.]])
    """
    return gru_trace(x_t, h, weight_ih, weight_hh, bias_ih, bias_hh, reset=reset, blend=blend).h
