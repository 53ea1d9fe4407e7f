"""A batch of sequences, what is scored in it, and how batches are drawn: padded, seeded, bucketed by length."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from rnncourse.checks import check_lengths, check_positive
from rnncourse.signatures import checked


class Batch(NamedTuple):
    """Some sequences, padded to the longest of them, batch first.

    Padding is written as 0; the masks, not the zeros, say what is padding.

    Attributes:
        inputs: Tokens of shape (batch, time), int64, or values of shape (batch, time, feature), float32.
        targets: One label or value a sequence (batch, …), one a step (batch, time), or another sequence (batch, target
            time).
        lengths: Length of each input, shape (batch,), int64, at least 1.
        mask: True inside each input, shape (batch, time).
        target_lengths: Length of each target, shape (batch,); 1 for a label.
        target_mask: True where a target is scored; shape (batch,) for labels, else the first two axes of ``targets``.
    """

    inputs: Tensor
    targets: Tensor
    lengths: Tensor
    mask: Tensor
    target_lengths: Tensor
    target_mask: Tensor

    def to(self, device: torch.device | str) -> "Batch":
        """The same batch on another device.

        Args:
            device: Where to.

        Returns:
            A batch of tensors on ``device``.
        """
        return Batch(*(part.to(device) for part in self))


class TreeBatch(NamedTuple):
    """Some trees, and beside them the same expressions as padded token sequences.

    The fields of :class:`Batch` keep their names and meanings, so a sequence model reads a tree batch unchanged.

    Attributes:
        trees: One :class:`rnncourse.data.trees.Tree` an expression.
        inputs: Its tokens in reading order, shape (batch, time), int64.
        targets: The label of the whole expression, shape (batch,).
        lengths: Number of tokens, shape (batch,).
        mask: True inside each sequence, shape (batch, time).
        target_lengths: All ones, shape (batch,).
        target_mask: All true, shape (batch,).
    """

    trees: tuple
    inputs: Tensor
    targets: Tensor
    lengths: Tensor
    mask: Tensor
    target_lengths: Tensor
    target_mask: Tensor

    def to(self, device: torch.device | str) -> "TreeBatch":
        """The same batch with its tensors on another device.

        Args:
            device: Where to.

        Returns:
            A tree batch; trees are plain tuples and stay as they are.
        """
        return TreeBatch(self.trees, *(part.to(device) for part in self[1:]))


@checked
def pad(sequences: Sequence[Tensor]) -> tuple[Tensor, Tensor, Tensor]:
    """Stack sequences of different lengths, zeros after the end of each.

    Args:
        sequences: Tensors of shape (time, …), each with time at least 1.

    Returns:
        The stack (batch, longest, …), the lengths (batch,) and the mask (batch, longest).

    Raises:
        ValueError: There is no sequence, or one of them is empty.

    Example:
        >>> padded, lengths, mask = pad([torch.tensor([5, 6, 7]), torch.tensor([8])])
        >>> padded.tolist(), lengths.tolist(), mask.tolist()
        ([[5, 6, 7], [8, 0, 0]], [3, 1], [[True, True, True], [True, False, False]])
    """
    if not len(sequences):
        raise ValueError("sequences is empty; it should hold at least one sequence")
    lengths = torch.tensor([len(sequence) for sequence in sequences])
    if int(lengths.min()) < 1:
        raise ValueError(
            f"sequences[{int(lengths.argmin())}] has length 0; every sequence should have at least one step"
        )
    padded = torch.nn.utils.rnn.pad_sequence(list(sequences), batch_first=True)
    return padded, lengths, mask_of(lengths)


@checked
def mask_of(lengths: Tensor, time: int | None = None) -> Tensor:
    """True at the steps that lie inside each sequence.

    Args:
        lengths: Shape (batch,), int64.
        time: Number of steps of the mask; the longest length where not given.

    Returns:
        Shape (batch, time), bool.

    Example:
        >>> mask_of(torch.tensor([1, 2])).tolist()
        [[True, False], [True, True]]
    """
    if lengths.dim() != 1 or not lengths.numel() or lengths.dtype not in (torch.int64, torch.int32):
        raise ValueError(
            f"lengths has dtype {lengths.dtype} and shape {tuple(lengths.shape)}; it should hold whole numbers (batch,)"
        )
    if time is not None:
        check_positive("time", time)
    time = int(lengths.max()) if time is None else time
    return torch.arange(time) < lengths.unsqueeze(1)


@checked
def labelled(inputs: Tensor, targets: Tensor, lengths: Tensor | None = None) -> Batch:
    """A batch with one target for a whole sequence.

    Args:
        inputs: Shape (batch, time) or (batch, time, feature).
        targets: Shape (batch, …).
        lengths: Shape (batch,); full length where not given.

    Returns:
        The batch; every target is scored.

    Raises:
        ValueError: The inputs have no steps, there is not one target for each, or the lengths do not fit.
    """
    _check_parts(inputs, targets, lengths)
    count, time = inputs.shape[:2]
    lengths = torch.full((count,), time) if lengths is None else lengths
    ones = torch.ones(count, dtype=torch.int64)
    return Batch(inputs, targets, lengths, mask_of(lengths, time), ones, ones.bool())


@checked
def tagged(inputs: Tensor, targets: Tensor, lengths: Tensor | None = None, scored: Tensor | None = None) -> Batch:
    """A batch with one target for each step.

    Args:
        inputs: Shape (batch, time) or (batch, time, feature).
        targets: Shape (batch, time) or (batch, time, feature).
        lengths: Shape (batch,); full length where not given.
        scored: Which targets count, shape (batch, time); all steps inside the sequences where not given.

    Returns:
        The batch.

    Raises:
        ValueError: The inputs have no steps, there is not one target for each, or lengths or scored do not fit.
    """
    _check_parts(inputs, targets, lengths)
    if tuple(targets.shape[:2]) != tuple(inputs.shape[:2]):
        raise ValueError(f"targets has shape {tuple(targets.shape)}; it should begin with {tuple(inputs.shape[:2])}")
    if scored is not None and (scored.dtype != torch.bool or tuple(scored.shape) != tuple(inputs.shape[:2])):
        raise ValueError(
            f"scored has dtype {scored.dtype} and shape {tuple(scored.shape)}; it should be torch.bool of shape "
            f"{tuple(inputs.shape[:2])}"
        )
    count, time = inputs.shape[:2]
    lengths = torch.full((count,), time) if lengths is None else lengths
    mask = mask_of(lengths, time)
    return Batch(inputs, targets, lengths, mask, lengths, mask if scored is None else scored & mask)


def _check_parts(inputs: Tensor, targets: Tensor, lengths: Tensor | None) -> None:
    """Refuse inputs, targets and lengths that do not fit each other."""
    if inputs.dim() < 2 or not inputs.numel():
        raise ValueError(
            f"inputs has shape {tuple(inputs.shape)}; it should be (batch, time, …), no axis of them empty"
        )
    if targets.dim() < 1 or len(targets) != len(inputs):
        raise ValueError(f"targets has shape {tuple(targets.shape)}; it should have {len(inputs)} rows, as inputs has")
    if lengths is not None:
        check_lengths(lengths, inputs.shape[0], inputs.shape[1])


@checked
def transduced(sources: Sequence[Tensor], targets: Sequence[Tensor]) -> Batch:
    """A batch that maps sequences to sequences of other lengths.

    Args:
        sources: Token sequences, each of shape (time,).
        targets: Token sequences, as many, each of shape (target time,).

    Returns:
        The batch, with both sides padded on their own.

    Raises:
        ValueError: There are not as many targets as sources, there is none, or one of them is empty.
    """
    if len(sources) != len(targets) or not len(sources):
        raise ValueError(
            f"sources has {len(sources)} sequences and targets {len(targets)}; it should be as many, not none"
        )
    inputs, lengths, mask = pad(sources)
    outputs, target_lengths, target_mask = pad(targets)
    return Batch(inputs, outputs, lengths, mask, target_lengths, target_mask)


@checked
def select(whole: Batch | TreeBatch, rows: Tensor) -> Any:
    """Some rows of a batch, cut to the longest among them.

    Args:
        whole: A batch or tree batch.
        rows: Indices of shape (rows,), int64, in the order wanted.

    Returns:
        A batch of the same kind.
    """
    if rows.dim() != 1 or not rows.numel() or rows.dtype not in (torch.int64, torch.int32):
        raise ValueError(
            f"rows has dtype {rows.dtype} and shape {tuple(rows.shape)}; it should hold whole numbers (rows,)"
        )
    low, high = int(rows.min()), int(rows.max())
    if low < 0 or high >= len(whole.lengths):
        raise ValueError(f"rows runs from {low} to {high}; each should be from 0 to {len(whole.lengths) - 1}")
    lengths, target_lengths = whole.lengths[rows], whole.target_lengths[rows]
    time = int(lengths.max())
    targets, target_mask = whole.targets[rows], whole.target_mask[rows]
    if target_mask.dim() > 1:
        target_time = int(target_lengths.max())
        targets, target_mask = targets[:, :target_time], target_mask[:, :target_time]
    parts = (whole.inputs[rows, :time], targets, lengths, whole.mask[rows, :time], target_lengths, target_mask)
    if isinstance(whole, TreeBatch):
        return TreeBatch(tuple(whole.trees[row] for row in rows.tolist()), *parts)
    return Batch(*parts)


class Batches:
    """Batches that can be walked again and again; every walk is one epoch with an order of its own.

    The order of epoch ``e`` depends on the seed and on ``e`` alone, so a run is repeatable from a fresh object. The
    batches of the epoch that the next walk begins can also be had by their number, each for itself, as a
    ``torch.utils.data.DataLoader(batches, batch_size=None)`` and its workers do.

    Args:
        plan: Epoch number → what to make each of its batches from.
        make: One entry of the plan → a batch.
        steps: Number of batches in an epoch.
    """

    @checked
    def __init__(self, plan: Callable[[int], Iterable[Any]], make: Callable[[Any], Any], steps: int) -> None:
        self._plan, self._make, self._steps = plan, make, steps
        self._epoch = 0
        self._planned: tuple[int, list[Any]] | None = None

    def __len__(self) -> int:
        return self._steps

    def __iter__(self) -> Iterator[Any]:
        epoch, self._epoch = self._epoch, self._epoch + 1
        return self.epoch(epoch)

    @checked
    def __getitem__(self, index: int) -> Any:
        if not -self._steps <= index < self._steps:
            raise IndexError(f"index is {index}; there are {self._steps} batches")
        if self._planned is None or self._planned[0] != self._epoch:
            self._planned = self._epoch, list(self._plan(self._epoch))
        return self._make(self._planned[1][index])

    @checked
    def epoch(self, number: int) -> Iterator[Any]:
        """The batches of one epoch.

        Args:
            number: Which epoch, from 0.

        Yields:
            Batches.
        """
        for entry in self._plan(number):
            yield self._make(entry)

    def state_dict(self) -> dict[str, int]:
        """Which epoch the next walk begins: all that a run needs to go on with these batches."""
        return {"epoch": self._epoch}

    def load_state_dict(self, state: Mapping[str, int]) -> None:
        """Goes to an epoch.

        Args:
            state: What :meth:`state_dict` returned.
        """
        self._epoch = state["epoch"]


@checked
def order_rows(
    lengths: np.ndarray, batch_size: int, rng: np.random.Generator | None, *, bucket: bool, drop_last: bool
) -> list[Tensor]:
    """Which rows go together in each batch of an epoch.

    With ``bucket`` the rows are sorted by length, ties in random order, cut into batches, and the batches shuffled:
    little padding, at the price that a batch is no longer a fair sample of the lengths.

    Args:
        lengths: Length of each row.
        batch_size: Rows a batch; the last batch may be smaller.
        rng: Source of the shuffle; None keeps the stored order.
        bucket: Whether to put rows of similar length together.
        drop_last: Whether to leave out the rows that would make a smaller batch: with ``rng`` other ones each time,
            otherwise the last that are stored.

    Returns:
        Row indices of each batch.
    """
    check_positive("batch_size", batch_size)
    rows = np.arange(len(lengths)) if rng is None else rng.permutation(len(lengths))
    if drop_last:  # before they are sorted: who is left out has nothing to do with the length
        rows = rows[: len(rows) - len(rows) % batch_size]
    if bucket:
        rows = rows[np.argsort(lengths[rows], kind="stable")]
    parts = [torch.from_numpy(rows[start : start + batch_size].copy()) for start in range(0, len(rows), batch_size)]
    if bucket and rng is not None:
        parts = [parts[index] for index in rng.permutation(len(parts))]
    return parts
