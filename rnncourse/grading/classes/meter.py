"""How far a class is: so many of so many, at what rate, and how long it will take."""

import sys
import threading
import time
from collections.abc import Callable
from typing import Any

__all__ = ["Meter", "duration"]


class Meter:
    """A line on a terminal that renews itself; elsewhere a line for every tenth of the class.

    Args:
        total: How many notebooks there are to grade.
        before: How many more an earlier run has graded.
        stream: Where to write.
        clock: Seconds that only grow.
    """

    def __init__(self, total: int, before: int = 0, stream: Any = None, clock: Callable[[], float] = time.monotonic):
        self.total, self.before, self.clock = total, before, clock
        self.stream = sys.stderr if stream is None else stream
        self.live = self.stream is not None and self.stream.isatty()
        self.done, self.began, self.said = 0, clock(), 0
        self.lock = threading.Lock()

    def line(self) -> str:
        """Such as ``12 of 200 graded · 0.8 a second · 3 min 55 s left``."""
        parts = [f"{self.done} of {self.total} graded"]
        if self.before:
            parts.append(f"{self.before} before")
        seconds = self.clock() - self.began
        if self.done and seconds > 0:
            rate = self.done / seconds
            parts.append(f"{rate:.1f} a second" if rate >= 1 else f"{1 / rate:.1f} s each")
            if left := self.total - self.done:
                parts.append(f"{duration(left / rate)} left")
        return " · ".join(parts)

    def step(self) -> None:
        """One more is graded."""
        self.done += 1
        tenths = 10 * self.done // max(self.total, 1)
        if not self.live and tenths > self.said and self.stream is not None:
            print(f"rnncourse: {self.line()}", file=self.stream, flush=True)
        self.said = max(self.said, tenths)
        self.say("")

    def say(self, what: str) -> None:
        """On a terminal: the line, and what is being done right now."""
        if self.live:
            with self.lock:
                line = f"{self.line()} · {what}" if what else self.line()
                self.stream.write(f"\r\033[K{line[:100]}")
                self.stream.flush()

    def clear(self) -> None:
        """Takes the line away."""
        if self.live:
            with self.lock:
                self.stream.write("\r\033[K")
                self.stream.flush()


def duration(seconds: float) -> str:
    """Seconds in the words that one would use.

    Example:
        >>> duration(42), duration(235), duration(7320)
        ('42 s', '3 min 55 s', '2 h 2 min')
    """
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"
