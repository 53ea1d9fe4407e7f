"""What happened during a training run, and a run that went to infinity."""

from dataclasses import asdict, dataclass, field
from typing import Any

__all__ = ["Diverged", "History"]


@dataclass
class History:
    """What happened during a training run.

    Attributes:
        losses: the loss at each step, before the step was taken.
        gradient_norms: the global gradient norm at each step, before clipping.
        lrs: the learning rate of each step.
        validation: pairs (step, value) of the validation measure.
        best: the lowest validation value, or None when nothing was validated.
        best_step: the step after which it was measured.
        seconds: wall-clock time of the whole run.
        steps: how many steps were taken.
        epochs: how many times the batches were read to their end.
        sequences: how many sequences were seen (the first axis of each batch).
        stopped: why it ended, as a sentence.
    """

    losses: list[float] = field(default_factory=list)
    gradient_norms: list[float] = field(default_factory=list)
    lrs: list[float] = field(default_factory=list)
    validation: list[tuple[int, float]] = field(default_factory=list)
    best: float | None = None
    best_step: int | None = None
    seconds: float = 0.0
    steps: int = 0
    epochs: int = 0
    sequences: int = 0
    stopped: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Returns the same as plain lists and numbers, ready for JSON."""
        return asdict(self)


class Diverged(RuntimeError):
    """The loss or its gradient became infinite or not a number; ``history`` holds the run so far."""

    def __init__(self, message: str, history: History):
        super().__init__(message)
        self.history = history
