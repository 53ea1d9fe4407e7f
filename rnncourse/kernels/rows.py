"""Time and batch as one axis: the rows of the first step, then those of the second, and so on.

The sequences stand longest first, so that those which a step still has are its first rows; where all are equally long,
every step has as many. This is the layout of PyTorch's packed sequences: nothing is ever computed for padding.

``batch_sizes`` is always the list of how many sequences, and so how many rows, each step has. It never grows.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

__all__ = ["Block", "blocks_of", "continuing", "one_step_before", "prefixes"]

BLOCK_ENTRIES = 2**18
"""Entries of the hidden states in one block: some megabytes with the gates, about a processor's second-level cache."""
SHORTEST_BLOCK = 16
"""Steps in a block, however large the batch: fewer would cost the matrix products of a block their efficiency."""


def continuing(steps: Sequence[Tensor], batch_sizes: list[int]) -> list[Tensor]:
    """Of every step but the last, the rows of the sequences that go on to the next.

    Args:
        steps: The rows of each step.
        batch_sizes: How many sequences each step has.

    Example:
        >>> [step.tolist() for step in continuing(torch.arange(6).split([3, 2, 1]), [3, 2, 1])]
        [[0, 1], [3]]
    """
    if batch_sizes[0] == batch_sizes[-1]:
        return list(steps[:-1])
    return [step[:n] for step, n in zip(steps, batch_sizes[1:], strict=False)]


def prefixes(rows: Tensor, batch_sizes: list[int]) -> list[Tensor]:
    """For every step, of rows that stand for one sequence each, those of its sequences: views of the same memory.

    Args:
        rows: One row for each sequence.
        batch_sizes: How many sequences each step has.
    """
    if batch_sizes[0] == batch_sizes[-1]:
        return [rows] * len(batch_sizes)
    return [rows[:n] for n in batch_sizes]


def one_step_before(rows: Tensor, batch_sizes: list[int]) -> Tensor:
    """For every row the same sequence's state one step earlier.

    Args:
        rows: The states before the first step, followed by those of all steps.
        batch_sizes: How many sequences each step has.

    Example:
        >>> one_step_before(torch.arange(8), [3, 2]).tolist()  # 0, 1, 2 | 3, 4, 5 | 6, 7
        [0, 1, 2, 3, 4]
    """
    first = len(rows) - sum(batch_sizes)
    if first == batch_sizes[-1]:
        return rows[:-first]
    return torch.cat(continuing(rows.split([first, *batch_sizes]), [first, *batch_sizes]))


class Block(NamedTuple):
    """Some consecutive steps.

    Attributes:
        steps: Which steps.
        rows: Which rows.
        earlier: How many sequences the step before has.
        batch_sizes: How many sequences each of these steps has.
    """

    steps: slice
    rows: slice
    earlier: int
    batch_sizes: list[int]

    def of(self, seq: Tensor) -> Tensor:
        """This block of a tensor of shape (time, batch, …) or (rows, …)."""
        return seq[self.steps if seq.dim() == 3 else self.rows]

    def ends(self) -> slice | Tensor:
        """Among the block's rows, the last one of each sequence."""
        first, last = self.batch_sizes[0], self.batch_sizes[-1]
        if first == last:
            return slice(-last, None)
        batch_sizes, sequence = torch.tensor(self.batch_sizes), torch.arange(first)
        last_step = (batch_sizes[:, None] > sequence).sum(0) - 1
        return (batch_sizes.cumsum(0) - batch_sizes)[last_step] + sequence


def blocks_of(batch_sizes: list[int], hidden: int, checkpoint: bool) -> Iterator[Block]:
    """Cut time into blocks: what fits the cache or, if only the blocks' first states are kept, √T steps.

    Args:
        batch_sizes: How many sequences each step has.
        hidden: Units of the hidden state.
        checkpoint: Whether only the blocks' first states are kept.

    Example:
        >>> for block in blocks_of([3, 2, 2, 1], 8, checkpoint=True):
        ...     block.rows, block.batch_sizes
        (slice(0, 5, None), [3, 2])
        (slice(5, 8, None), [2, 1])
    """
    start, row, earlier = 0, 0, batch_sizes[0]
    while start < len(batch_sizes):
        size = max(SHORTEST_BLOCK, BLOCK_ENTRIES // (batch_sizes[start] * hidden))
        inside = batch_sizes[start : start + (math.isqrt(len(batch_sizes) - 1) + 1 if checkpoint else size)]
        end, last_row = start + len(inside), row + sum(inside)
        yield Block(slice(start, end), slice(row, last_row), earlier, inside)
        start, row, earlier = end, last_row, inside[-1]
