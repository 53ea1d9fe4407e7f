"""Fresh batches for as long as they are wanted."""

from collections.abc import Callable, Iterator
from typing import Any

from rnncourse.signatures import checked

__all__ = ["FreshBatches"]


class FreshBatches:
    """Batches drawn one by one, each seen once, until something says that it is enough.

    Args:
        draw: From the number of the step, 0, 1, …, to a batch.
        enough: Asked before each batch.

    Example:
        >>> list(FreshBatches(lambda step: step, enough=iter([False, False, True]).__next__))
        [0, 1]
    """

    @checked
    def __init__(self, draw: Callable[[int], Any], *, enough: Callable[[], bool]) -> None:
        self.draw, self.enough = draw, enough

    def __iter__(self) -> Iterator[Any]:
        step = 0
        while not self.enough():
            yield self.draw(step)
            step += 1
