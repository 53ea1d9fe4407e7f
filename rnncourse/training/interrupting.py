"""Ctrl-C waits for the end of a step, so that what it leaves behind is whole."""

import signal
import threading
from types import FrameType, TracebackType

from rnncourse.training.history import History

__all__ = ["Interrupted", "Interruption"]


class Interrupted(KeyboardInterrupt):
    """A training run was interrupted (Ctrl-C, a notebook's stop button); ``history`` holds the run so far.

    The model then holds the best weights of the run where it was validated, and otherwise the last ones. It is a
    :class:`KeyboardInterrupt`, so that a loop over several runs ends with the first that is interrupted.
    """

    def __init__(self, message: str, history: History):
        super().__init__(message)
        self.history = history


class Interruption:
    """While it is entered, a first Ctrl-C is only noted; a second one interrupts at once.

    Attributes:
        asked: Whether there was one.
    """

    def __init__(self) -> None:
        self.asked = False
        self._before = None

    def __enter__(self) -> "Interruption":
        here = threading.current_thread() is threading.main_thread()  # signals are the main thread's
        if here and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
            self._before = signal.signal(signal.SIGINT, self._note)
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._before is not None:
            signal.signal(signal.SIGINT, self._before)

    def _note(self, number: int, frame: FrameType | None) -> None:
        if self.asked:
            signal.default_int_handler(number, frame)
        self.asked = True
