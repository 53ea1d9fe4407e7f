r"""The scan as it is defined, one step after the other.

.. math:: h_t = a_t \odot h_{t-1} + b_t, \qquad t = 1, \dots, T

It is T small operations, each of which has to wait for the one before: the least arithmetic of all scans, and the
longest chain.
"""

from __future__ import annotations

import torch
from torch import Tensor

__all__ = ["sequential"]


def sequential(a: Tensor, b: Tensor, start: Tensor, h: Tensor, *, reverse: bool = False) -> None:
    """Write the states into ``h``, step by step.

    Args:
        a: The factors, of shape (time, …).
        b: What is added, of shape (time, …).
        start: The state before the first step, of shape (…).
        h: Where the states go, of shape (time, …).
        reverse: Whether the first step is the last entry: then it is :math:`h_t = a_t h_{t+1} + b_t`.

    Example:
        >>> h = torch.empty(3)
        >>> sequential(torch.full((3,), 0.5), torch.tensor([1.0, 0.0, 0.0]), torch.tensor(6.0), h)
        >>> h
        tensor([4., 2., 1.])
    """
    steps = list(zip(a.unbind(0), b.unbind(0), h.unbind(0), strict=True))
    before = start
    for a_t, b_t, h_t in reversed(steps) if reverse else steps:
        torch.addcmul(b_t, a_t, before, out=h_t)
        before = h_t
