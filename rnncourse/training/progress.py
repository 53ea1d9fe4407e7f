"""A line of text from time to time."""

import math
import time
from collections.abc import Callable

from rnncourse.training.history import History

__all__ = ["ProgressLine"]


class ProgressLine:
    """Prints one short plain line now and then: readable in a notebook, a terminal and a log file alike."""

    def __init__(self, progress: bool | float | Callable[[str], None], steps: int | None):
        self.emit = progress if callable(progress) else print
        self.every = (
            math.inf if progress is False else 5.0 if progress is True or callable(progress) else float(progress)
        )
        self.started = self.last = time.perf_counter()
        self.steps = steps

    def update(self, history: History, final: bool = False) -> None:
        """Prints where the run stands, if it is time for that or the run is over."""
        now = time.perf_counter()
        if self.every == math.inf or not (final or now - self.last >= self.every):
            return
        self.last = now
        recent = history.losses[-50:]
        of = f"/{self.steps}" if self.steps else ""
        text = f"step {history.steps}{of}  loss {sum(recent) / len(recent):.4f}"
        if history.validation:
            text += f"  validation {history.validation[-1][1]:.4f} (best {history.best:.4f})"
        text += f"  {now - self.started:.0f} s"
        self.emit(f"{text}  stopped: {history.stopped}" if final else text)
