"""Many short rows of numbers to one padded tensor, without a tensor a row."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from rnncourse.data.batches import Batch, mask_of
from rnncourse.signatures import checked


@checked
def pad_numbers(rows: Sequence[Sequence[int]]) -> tuple[Tensor, Tensor]:
    """Rows of whole numbers, padded with 0 at their ends.

    Args:
        rows: Sequences of integers, each with at least one.

    Returns:
        The table (rows, longest) and the lengths (rows,), int64.

    Raises:
        ValueError: There is no row, or an empty one.

    Example:
        >>> table, lengths = pad_numbers([[4, 5], [6]])
        >>> table.tolist(), lengths.tolist()
        ([[4, 5], [6, 0]], [2, 1])
    """
    lengths = np.array([len(row) for row in rows], dtype=np.int64)
    if len(rows) == 0 or lengths.min() < 1:
        raise ValueError(
            f"rows holds {len(rows)} rows with lengths {lengths.tolist()[:5]}…; every row should have a number"
        )
    table = np.zeros((len(rows), lengths.max()), dtype=np.int64)
    flat = np.fromiter((number for row in rows for number in row), dtype=np.int64, count=int(lengths.sum()))
    table[np.arange(table.shape[1]) < lengths[:, None]] = flat
    return torch.from_numpy(table), torch.from_numpy(lengths)


@checked
def transduction(sources: Sequence[Sequence[int]], targets: Sequence[Sequence[int]], *, bos: int, eos: int) -> Batch:
    """A batch that maps rows to rows, the targets framed by begin and end marks.

    Args:
        sources: Rows of numbers, each with at least one.
        targets: As many rows, without marks; they may be empty.
        bos: Number of the begin mark.
        eos: Number of the end mark.

    Returns:
        The batch.

    Raises:
        ValueError: There is no row, or an empty source.

    Example:
        >>> transduction([[5, 6]], [[7]], bos=1, eos=2).targets.tolist()
        [[1, 7, 2]]
    """
    if not len(sources) or len(sources) != len(targets):
        raise ValueError(f"sources has {len(sources)} rows and targets {len(targets)}; it should be as many, not none")
    inputs, lengths = pad_numbers(sources)
    outputs, target_lengths = pad_numbers([[bos, *row, eos] for row in targets])
    return Batch(inputs, outputs, lengths, mask_of(lengths), target_lengths, mask_of(target_lengths))
