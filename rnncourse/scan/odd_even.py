r"""The scan in about log₂ T rounds: join neighbours, scan half as many, fill in the rest.

Two steps in a row are again one such step, because

.. math:: a_{t+1} (a_t h + b_t) + b_{t+1} = (a_{t+1} a_t) \, h + (a_{t+1} b_t + b_{t+1}).

So the steps are joined in pairs; a sequence of half the length is left, whose states are those after every pair, and
which is scanned in the same way. The state in the middle of each pair then takes one more step from the pair before.
Every round is one operation for all pairs at once, and there are :math:`T + T/2 + T/4 + \dots < 2T` of them to compute.

Source: the recursion is that of odd–even (cyclic) reduction and of the parallel prefix sums of Brent and Kung (1982)
and Blelloch (1990), all from secondary sources.
"""

from __future__ import annotations

import torch
from torch import Tensor

from rnncourse.scan.sequential import sequential

__all__ = ["odd_even"]

SHORTEST = 8
"""Steps that are not worth joining any more."""


def odd_even(a: Tensor, b: Tensor, start: Tensor, h: Tensor, *, reverse: bool = False) -> None:
    """Write the states into ``h``, half of them by way of the other half.

    Args:
        a: The factors, of shape (time, …).
        b: What is added, of shape (time, …).
        start: The state before the first step, of shape (…).
        h: Where the states go, of shape (time, …).
        reverse: Whether the first step is the last entry.

    Example:
        >>> a, h = torch.full((16,), 0.5), torch.empty(16)
        >>> odd_even(a, 1 - a, torch.tensor(9.0), h)
        >>> h[[0, 1, 2, 15]]  # what is above 1 halves at every step
        tensor([5.0000, 3.0000, 2.0000, 1.0001])
    """
    time = len(b)
    if time <= SHORTEST:
        sequential(a, b, start, h, reverse=reverse)
        return
    # in the order of the walk each pair has a first and a second step; of an odd number the last stays a first
    second_begins = time % 2 if reverse else 1
    first, second = slice(1 - second_begins, None, 2), slice(second_begins, None, 2)
    a_1, b_1, h_1 = a[first], b[first], h[first]
    a_2, b_2, h_2 = a[second], b[second], h[second]

    pairs, fed = len(b_2), len(b_1) - 1  # `fed`: the firsts that have a pair before them
    if reverse:
        joined, later, earlier, head = slice(len(b_1) - pairs, None), slice(0, fed), slice(pairs - fed, None), -1
    else:
        joined, later, earlier, head = slice(0, pairs), slice(1, None), slice(0, fed), 0
    odd_even(a_2 * a_1[joined], torch.addcmul(b_2, a_2, b_1[joined]), start, h_2, reverse=reverse)
    torch.addcmul(b_1[later], a_1[later], h_2[earlier], out=h_1[later])
    torch.addcmul(b_1[head], a_1[head], start, out=h_1[head])
