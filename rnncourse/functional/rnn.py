"""The vanilla recurrent network, one step."""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from rnncourse.checks import check_choice
from rnncourse.functional.checks import check_step

__all__ = ["RNNTrace", "rnn_step", "rnn_trace"]


class RNNTrace(NamedTuple):
    """One step of the vanilla RNN, opened.

    Attributes:
        a: The activation before the nonlinearity, of shape (batch, hidden).
        h: The new hidden state, of shape (batch, hidden).
    """

    a: Float[Tensor, "batch hidden"]
    h: Float[Tensor, "batch hidden"]


torch.serialization.add_safe_globals([RNNTrace])  # for torch.load(…, weights_only=True)


def rnn_trace(
    x_t: Float[Tensor, "batch input"],
    h: Float[Tensor, "batch hidden"],
    weight_ih: Float[Tensor, "hidden input"],
    weight_hh: Float[Tensor, "hidden hidden"],
    bias_ih: Float[Tensor, "hidden"] | None = None,
    bias_hh: Float[Tensor, "hidden"] | None = None,
    *,
    nonlinearity: str = "tanh",
) -> RNNTrace:
    r"""One step of the vanilla (Elman) recurrent network, with its activation.

    .. math::

        a_t &= U x_t + W h_{t-1} + b \\
        h_t &= \varphi(a_t)

    where :math:`x_t` is the step's input, :math:`h_{t-1}` the old hidden state, :math:`U` and :math:`W` the weights
    ``weight_ih`` and ``weight_hh``, :math:`b` the sum of the two biases and :math:`\varphi` is tanh or ReLU.

    Args:
        x_t: The input of this step.
        h: The hidden state that the step before left.
        weight_ih: :math:`U`, input to hidden.
        weight_hh: :math:`W`, hidden to hidden.
        bias_ih: A bias, or none.
        bias_hh: A second bias, superfluous but PyTorch's, or none.
        nonlinearity: ``"tanh"`` or ``"relu"``.

    Returns:
        The activation and the new hidden state.

    Raises:
        ValueError: If a tensor's shape does not fit the weights, or the nonlinearity is unknown.

    Source: Elman (1990), from secondary sources; the form, with its second bias, is that of ``torch.nn.RNN``, read in
    PyTorch's documentation.

    Example:
        >>> one = torch.ones(1, 1)
        >>> rnn_trace(one, one, weight_ih=one, weight_hh=-3 * one, nonlinearity="relu")
        RNNTrace(a=tensor([[-2.]]), h=tensor([[0.]]))
    """
    check_choice("nonlinearity", nonlinearity, ("tanh", "relu"))
    check_step(x_t, h, (weight_ih, weight_hh, bias_ih, bias_hh), gates=1)
    a = F.linear(x_t, weight_ih, bias_ih) + F.linear(h, weight_hh, bias_hh)  # (batch, hidden)
    return RNNTrace(a, torch.tanh(a) if nonlinearity == "tanh" else torch.relu(a))


def rnn_step(
    x_t: Float[Tensor, "batch input"],
    h: Float[Tensor, "batch hidden"],
    weight_ih: Float[Tensor, "hidden input"],
    weight_hh: Float[Tensor, "hidden hidden"],
    bias_ih: Float[Tensor, "hidden"] | None = None,
    bias_hh: Float[Tensor, "hidden"] | None = None,
    *,
    nonlinearity: str = "tanh",
) -> Float[Tensor, "batch hidden"]:
    r"""The new hidden state of the vanilla recurrent network.

    .. math:: h_t = \varphi(U x_t + W h_{t-1} + b)

    The symbols, arguments and refusals are those of :func:`rnn_trace`.

    Returns:
        The new hidden state.

    Example:
        >>> one = torch.ones(1, 1)
        >>> rnn_step(one, one, weight_ih=2 * one, weight_hh=one, nonlinearity="relu")
        tensor([[3.]])
    """
    return rnn_trace(x_t, h, weight_ih, weight_hh, bias_ih, bias_hh, nonlinearity=nonlinearity).h
