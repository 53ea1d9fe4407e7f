r"""The scan as two running sums of logarithms, for factors and summands that are positive.

With :math:`A_t = \sum_{s \le t} \ln a_s` the recurrence has the closed form

.. math:: h_t = e^{A_t} \Big( h_0 + \sum_{s \le t} e^{-A_s}\, b_s \Big).

Computed like this it overflows within some hundred steps, since :math:`e^{-A_s}` grows as fast as a state is forgotten.
Its logarithm does not,

.. math:: \ln h_t = A_t + \ln \sum_{s \le t} e^{\ln b_s - A_s}, \qquad b_0 = h_0,\; A_0 = 0,

and both sums are library functions, ``cumsum`` and ``logcumsumexp``. The price: a logarithm is of a positive number;
and :math:`A_t` grows with t, so the rounding error of its last digits, which the exponential makes a *relative* error
of :math:`h_t`, grows with t as well.

Source: Heinsen (2023), whose abstract was read ("two prefix sums"); the closed form and its use in Feng et al. (2024)
from secondary sources.
"""

from __future__ import annotations

import torch
from torch import Tensor

__all__ = ["log_space", "signed_log_space"]


def log_space(a: Tensor, b: Tensor, start: Tensor, h: Tensor, *, reverse: bool = False) -> None:
    """Write the states into ``h``, by way of their logarithms.

    Args:
        a: The factors, above zero, of shape (time, …).
        b: What is added, nowhere below zero, of shape (time, …).
        start: The state before the first step, nowhere below zero, of shape (…).
        h: Where the states go, of shape (time, …).
        reverse: Whether the first step is the last entry.

    Raises:
        ValueError: If something is complex, or not positive.

    Example:
        >>> a, h = torch.full((4,), 0.5), torch.empty(4)
        >>> log_space(a, 1 - a, torch.tensor(9.0), h)
        >>> h.round(decimals=4)
        tensor([5.0000, 3.0000, 2.0000, 1.5000])
    """
    remedy = "use 'odd_even', 'chunked' or 'sequential', or a cell with candidate='positive'"
    for name, value, wrong in (("a", a, torch.le), ("b", b, torch.lt), ("h", start, torch.lt)):
        if value.is_complex():
            raise ValueError(f"{name} is complex; scan='log_space' takes logarithms of positive numbers: {remedy}")
        if wrong(value, 0).any():
            bound = "above zero" if wrong is torch.le else "zero or above"
            raise ValueError(
                f"{name} holds {value.min().item():.3g}; with scan='log_space' it should be {bound}: {remedy}"
            )
    if reverse:
        a, b = a.flip(0), b.flip(0)
    states = _states(a.log().cumsum(0), b, start)
    h.copy_(states.flip(0) if reverse else states)


def signed_log_space(a: Tensor, b: Tensor, start: Tensor, h: Tensor, *, reverse: bool = False) -> None:
    """Write the states into ``h``: those of the positive parts less those of the negative parts.

    This is what goes backwards through :func:`log_space`, since gradients have both signs. The arguments are the same,
    but ``b`` and ``start`` may be of any sign.

    Example:
        >>> a, h = torch.full((2,), 0.5), torch.empty(2)
        >>> signed_log_space(a, torch.tensor([-1.0, 0.0]), torch.tensor(6.0), h)
        >>> h.round(decimals=4)
        tensor([2., 1.])
    """
    if reverse:
        a, b = a.flip(0), b.flip(0)
    A = a.log().cumsum(0)
    states = _states(A, b.clamp(min=0), start.clamp(min=0)) - _states(A, -b.clamp(max=0), -start.clamp(max=0))
    h.copy_(states.flip(0) if reverse else states)


def _states(A: Tensor, b: Tensor, start: Tensor) -> Tensor:
    """The closed form above, from the running sums A of the logarithms of the factors."""
    summands = torch.cat([start.log()[None], b.log() - A])
    return (A + summands.logcumsumexp(0)[1:]).exp()
