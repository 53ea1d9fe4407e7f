"""Batches, read epoch after epoch until a limit is reached."""

from collections.abc import Iterator
from typing import Any

from torch import Tensor

from rnncourse.training.history import History
from rnncourse.training.place import Place

__all__ = ["END_OF_EPOCH", "batch_size", "read_batches"]

END_OF_EPOCH = object()
"""What :func:`read_batches` yields after each epoch."""


def read_batches(place: Place, epochs: int | None, steps: int | None, history: History) -> Iterator[Any]:
    """Yields batches, and :data:`END_OF_EPOCH` after each epoch, until a limit is reached.

    Args:
        place: The batches, read again for each epoch, and where in them to begin.
        epochs: How many times to read them at most.
        steps: How many steps to take at most.
        history: Knows how many steps were taken, and is told of each epoch.

    Raises:
        ValueError: If the batches cannot be read a second time.
    """
    while (epochs is None or history.epochs < epochs) and (steps is None or history.steps < steps):
        empty = not place.taken
        for batch in place.epoch():
            empty = False
            yield batch
            if steps is not None and history.steps >= steps:
                return
        if empty and history.epochs:
            raise ValueError(
                f"batches was used up after {history.epochs} epoch and {history.steps} steps; it should be something "
                "that can be read again (a list, or an object with __iter__), or yield enough batches"
            )
        if empty:
            return
        history.epochs += 1
        yield END_OF_EPOCH


def batch_size(batch: Any) -> int:
    """Returns the first axis of the first tensor in a batch, however it is nested.

    Args:
        batch: A tensor, or a tuple, list or dict of batches.

    Returns:
        How many sequences it holds, 0 if there is no tensor in it.
    """
    if isinstance(batch, Tensor):
        return batch.shape[0] if batch.dim() else 1
    parts = batch.values() if isinstance(batch, dict) else batch if isinstance(batch, (tuple, list)) else ()
    return next((size for size in map(batch_size, parts) if size), 0)
