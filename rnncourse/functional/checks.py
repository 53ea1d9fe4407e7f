"""What every step refuses: an input, a state or a bias that does not fit the weights."""

from __future__ import annotations

from torch import Tensor

from rnncourse.checks import check_shape

__all__ = ["check_step"]


def check_step(x_t: Tensor, h: Tensor, weights: tuple[Tensor | None, ...], gates: int) -> None:
    """Refuse a step whose input or hidden state does not fit the weights, or whose weights do not fit each other.

    Args:
        x_t: The input of this step.
        h: The hidden state that the step before left.
        weights: ``weight_ih, weight_hh, bias_ih, bias_hh``; a bias may be none.
        gates: How many blocks of hidden rows the weights hold.

    Raises:
        ValueError: If a tensor is none, or its shape, dtype or device does not fit the others.

    Example:
        >>> import torch
        >>> weights = torch.zeros(5, 3), torch.zeros(5, 4), None, None
        >>> check_step(torch.zeros(2, 3), torch.zeros(2, 5), weights, gates=1)
        Traceback (most recent call last):
        ...
        ValueError: h has shape (2, 5); its axis 'hidden' should be 4, not 5, in (batch=2, hidden=4)
    """
    weight_ih, weight_hh, bias_ih, bias_hh = weights
    for name, weight in (("weight_ih", weight_ih), ("weight_hh", weight_hh)):
        if not isinstance(weight, Tensor) or weight.dim() != 2 or not weight.numel():
            check_shape(name, weight, gates=None, features=None)
    check_shape("x_t", x_t, like=weight_ih, batch=None, input=weight_ih.shape[1])
    check_shape("h", h, like=weight_hh, batch=x_t.shape[0], hidden=weight_hh.shape[1])
    rows = gates * h.shape[1]
    if weight_ih.shape[0] != rows or weight_hh.shape[0] != rows:
        raise ValueError(
            f"weight_ih and weight_hh have {weight_ih.shape[0]} and {weight_hh.shape[0]} rows; with hidden="
            f"{h.shape[1]} both should have {rows}"
        )
    for name, bias in (("bias_ih", bias_ih), ("bias_hh", bias_hh)):
        if bias is not None and (
            not isinstance(bias, Tensor) or bias.shape != (rows,) or bias.dtype != weight_ih.dtype
        ):
            check_shape(name, bias, like=weight_ih, gates=rows)  # one of size 1 would be spread over all gates
