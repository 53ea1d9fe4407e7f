"""Train, valid and test: fixed by a hash of each item, so that no shuffle, sort or update moves an item across."""

import hashlib
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any, TypeVar

import numpy as np
import torch
from jaxtyping import Int
from torch import Tensor

from rnncourse.checks import check_count, check_positive
from rnncourse.data.batches import Batch, Batches, TreeBatch, order_rows, select
from rnncourse.signatures import checked

NAMES = ("train", "valid", "test")
T = TypeVar("T")


@checked
def fraction(key: str, salt: str = "") -> float:
    """A number in [0, 1) that depends on the key alone, spread evenly over keys.

    Args:
        key: What identifies the item: a word, a chapter's name, an expression.
        salt: Distinguishes independent uses of the same keys.

    Returns:
        The first eight bytes of SHA-256 of salt and key, over 2⁶⁴.

    Example:
        >>> fraction("silence") == fraction("silence"), fraction("silence") == fraction("silences")
        (True, False)
    """
    digest = hashlib.sha256(f"{salt}\x00{key}".encode()).digest()
    return int.from_bytes(digest[:8], "big") / 2.0**64


@checked
def split_of(key: str) -> str:
    """Which split an item belongs to: 80 % train, 10 % valid, 10 % test.

    Args:
        key: What identifies the item.

    Returns:
        ``"train"``, ``"valid"`` or ``"test"``.

    Example:
        >>> [split_of(word) for word in ("abbey", "abbot", "abide")]
        ['train', 'train', 'train']
    """
    place = fraction(key)
    return "train" if place < 0.8 else "valid" if place < 0.9 else "test"


@checked
def split_by_hash(items: Iterable[T], key: Callable[[T], str]) -> dict[str, list[T]]:
    """Items sorted into the three splits, each keeping the given order.

    Args:
        items: Anything.
        key: Item → the string that identifies it; items with one key stay together.

    Returns:
        Lists under ``"train"``, ``"valid"`` and ``"test"``.
    """
    parts: dict[str, list[T]] = {name: [] for name in NAMES}
    for item in items:
        parts[split_of(key(item))].append(item)
    return parts


def check_batch_size(batch_size: int) -> None:
    """Refuse a batch size that is not a positive whole number.

    Args:
        batch_size: Sequences a batch.

    Raises:
        ValueError: It is below 1, or no integer.
    """
    if not isinstance(batch_size, int) or batch_size < 1:
        raise ValueError(f"batch_size is {batch_size!r}; it should be an integer of at least 1")


class Split:
    """A fixed part of a data set.

    Args:
        whole: All of it as one padded batch.
        items: What the rows are, readable: words, trees, chapters; empty for generated numbers.

    Raises:
        ValueError: There are items, but not one for each row.
    """

    @checked
    def __init__(self, whole: Batch | TreeBatch, items: Sequence[Any] = ()) -> None:
        if len(items) and len(items) != len(whole.lengths):
            raise ValueError(
                f"items has {len(items)} entries; it should have one for each of the {len(whole.lengths)} rows"
            )
        self._whole = whole
        self.items = items

    def __len__(self) -> int:
        return len(self._whole.lengths)

    @checked
    def __getitem__(self, row: int | slice | Int[Tensor, "rows"] | Sequence[int]) -> Any:
        """Some rows as a batch; a single one too, as a batch of one."""
        if isinstance(row, (int, np.integer)):
            if not -len(self) <= row < len(self):
                raise IndexError(f"row is {row}; there are {len(self)} rows")
            return self.batch([int(row) % len(self)])
        if isinstance(row, slice):
            return self.batch(list(range(len(self))[row]))
        return self.batch(_as_rows("row", row))

    @checked
    def batch(self, rows: Tensor | Sequence[int] | None = None) -> Any:
        """Some rows as one batch.

        Args:
            rows: Which, in order; all of them where not given.

        Returns:
            A :class:`~rnncourse.data.batches.Batch` or :class:`~rnncourse.data.batches.TreeBatch`.

        Raises:
            ValueError: No row is asked for.
        """
        if rows is None:
            return self._whole
        rows = _as_rows("rows", rows)
        if rows.numel() == 0:
            raise ValueError("rows is empty; it should name at least one row")
        return select(self._whole, rows)

    @checked
    def batches(
        self, batch_size: int, *, seed: int = 0, shuffle: bool = True, bucket: bool = False, drop_last: bool = False
    ) -> Batches:
        """All rows, a batch at a time; walk it again for the next epoch.

        Args:
            batch_size: Rows a batch, at least 1; the last batch may be smaller.
            seed: Seeds the order.
            shuffle: Whether each epoch has an order of its own; otherwise the stored order.
            bucket: Whether rows of similar length share a batch (less padding).
            drop_last: Whether to leave out the rows that would make a smaller last batch: whatever their length, and
                others in each epoch where it shuffles.

        Returns:
            Re-iterable batches, ``len`` of them.

        Raises:
            ValueError: The batch size is below 1.
        """
        check_batch_size(batch_size)
        check_count("seed", seed)
        plan = partial(
            self._plan, batch_size=batch_size, seed=seed, shuffle=shuffle, bucket=bucket, drop_last=drop_last
        )
        steps = len(self) // batch_size if drop_last else -(-len(self) // batch_size)
        return Batches(plan, self.batch, steps)

    def _plan(
        self, epoch: int, *, batch_size: int, seed: int, shuffle: bool, bucket: bool, drop_last: bool
    ) -> list[Tensor]:
        """The rows of each batch of an epoch."""
        rng = np.random.default_rng([seed, epoch]) if shuffle else None
        return order_rows(self._whole.lengths.numpy(), batch_size, rng, bucket=bucket, drop_last=drop_last)


def _as_rows(name: str, rows: Any) -> Tensor:
    """Numbers of rows as a tensor."""
    try:
        return torch.as_tensor(rows)
    except (TypeError, ValueError, RuntimeError) as error:
        raise ValueError(f"{name} is a {type(rows).__name__}; it should hold whole numbers, the rows wanted") from error


class Fresh:
    """A training set without end: every batch is drawn anew, repeatably, from the seed and its place in the stream.

    Args:
        draw: (number of sequences, random generator) → a batch.
        stream: Which stream of random numbers; train, valid and test have different ones.
    """

    @checked
    def __init__(self, draw: Callable[[int, np.random.Generator], Any], stream: int = 0) -> None:
        self._draw, self._stream = draw, stream

    @checked
    def sample(self, count: int, *, seed: int = 0, index: int = 0) -> Any:
        """Some sequences.

        Args:
            count: How many, at least 1.
            seed: Seeds the stream.
            index: Which batch of the stream.

        Returns:
            A batch.

        Raises:
            ValueError: The count is below 1.
        """
        check_positive("count", count)
        check_count("seed", seed)
        check_count("index", index)
        return self._draw(count, np.random.default_rng([self._stream, seed, index]))

    @checked
    def batches(self, batch_size: int, *, steps: int, seed: int = 0) -> Batches:
        """So many new batches; walking again goes on down the stream.

        Args:
            batch_size: Sequences a batch, at least 1.
            steps: Batches an epoch, at least 1.
            seed: Seeds the stream.

        Returns:
            Re-iterable batches, ``steps`` of them each time.

        Raises:
            ValueError: The batch size or the number of steps is below 1.
        """
        check_batch_size(batch_size)
        if steps < 1:
            raise ValueError(f"steps is {steps}; it should be at least 1")
        check_count("seed", seed)
        return Batches(partial(self._plan, steps=steps), partial(self._sample, batch_size, seed), steps)

    def _plan(self, epoch: int, *, steps: int) -> range:
        """The numbers of an epoch's batches in the stream."""
        return range(epoch * steps, (epoch + 1) * steps)

    def _sample(self, batch_size: int, seed: int, index: int) -> Any:
        """One batch of the stream."""
        return self.sample(batch_size, seed=seed, index=index)


class Drawing:
    """A generator with its options set: what draws so many sequences from a source of random numbers.

    Unlike a function defined inside another it can be sent to another process.

    Args:
        make: A generator such as :func:`~rnncourse.data.parity.parity`, which takes a number of sequences and a seed.
        **options: Its other arguments.

    Example:
        >>> from rnncourse.data.parity import parity
        >>> Drawing(parity, length=3)(2, np.random.default_rng(0)).inputs.shape
        torch.Size([2, 3])
    """

    def __init__(self, make: Callable[..., Any], **options: Any) -> None:
        self._make, self._options = make, options

    def __call__(self, count: int, rng: np.random.Generator) -> Any:
        return self._make(count, seed=rng, **self._options)


@checked
def fresh_splits(draw: Callable[[int, np.random.Generator], Any], held_out: int) -> dict[str, Split | Fresh]:
    """The splits of a generated task: an endless train, and fixed valid and test drawn from other streams.

    Args:
        draw: (number of sequences, random generator) → a batch.
        held_out: Sequences in each of valid and test, at least 1.

    Returns:
        The three splits.
    """
    check_positive("held_out", held_out)
    valid = Fresh(draw, stream=1).sample(held_out)
    test = Fresh(draw, stream=2).sample(held_out)
    return {"train": Fresh(draw, stream=0), "valid": Split(valid), "test": Split(test)}
