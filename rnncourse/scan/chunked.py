r"""The scan over √T chunks of √T steps: all chunks at once, then from chunk to chunk, then all chunks once more.

Whatever enters a chunk of steps, what leaves it is a straight line in it, :math:`p\,h + s`: :math:`s` is what the chunk
makes of a zero state, and :math:`p` is the product of its factors. Both are found for all chunks side by side. With
them the states *between* the chunks are a short scan of their own; and once each chunk knows where it starts, all run
side by side again, this time in earnest.

It reads everything twice, and needs about :math:`3\sqrt T` operations, one after the other.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from rnncourse.scan.sequential import sequential

__all__ = ["chunked"]


def chunked(a: Tensor, b: Tensor, start: Tensor, h: Tensor, *, reverse: bool = False) -> None:
    """Write the states into ``h``, chunks side by side.

    Args:
        a: The factors, of shape (time, …).
        b: What is added, of shape (time, …).
        start: The state before the first step, of shape (…).
        h: Where the states go, of shape (time, …).
        reverse: Whether the first step is the last entry.

    Example:
        >>> a, h = torch.full((10,), 0.5), torch.empty(10)
        >>> chunked(a, 1 - a, torch.tensor(9.0), h)
        >>> h[[0, 1, 2, 9]]  # what is above 1 halves at every step
        tensor([5.0000, 3.0000, 2.0000, 1.0078])
    """
    size = math.isqrt(len(b))
    whole = len(b) // size * size  # the steps after it make no chunk
    if reverse and whole < len(b):
        sequential(a[whole:], b[whole:], start, h[whole:], reverse=True)
        start = h[whole]

    # from (time, …) to one tensor (chunks, …) for each step inside a chunk
    by_step = [list(seq[:whole].unflatten(0, (-1, size)).unbind(1)) for seq in (a, b, h)]
    if reverse:
        by_step = [steps[::-1] for steps in by_step]
    p, s = by_step[0][0], by_step[1][0]
    for a_t, b_t in list(zip(*by_step[:2], strict=True))[1:]:
        p, s = a_t * p, torch.addcmul(b_t, a_t, s)

    ends = torch.empty_like(s)
    sequential(p, s, start, ends, reverse=reverse)
    before = torch.cat([ends[1:], start[None]] if reverse else [start[None], ends[:-1]])
    for a_t, b_t, h_t in zip(*by_step, strict=True):
        torch.addcmul(b_t, a_t, before, out=h_t)
        before = h_t

    if not reverse and whole < len(b):
        sequential(a[whole:], b[whole:], h[whole - 1], h[whole:])
