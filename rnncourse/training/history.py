"""What happened during a training run, and a run that went to infinity."""

from dataclasses import asdict, dataclass, field
from typing import Any

__all__ = ["Diverged", "History"]


@dataclass
class History:
    """What happened during a training run.

    Attributes:
        losses: The loss at each step, before the step was taken.
        gradient_norms: The global gradient norm at each step, before clipping.
        lrs: The learning rate of each step.
        validation: Pairs (step, value) of the validation measure.
        best: The lowest validation value, or None when nothing was validated.
        best_step: The step after which it was measured.
        seconds: Wall-clock time of the whole run.
        steps: How many steps were taken.
        epochs: How many times the batches were read to their end.
        sequences: How many sequences were seen (the first axis of each batch).
        stopped: Why it ended, as a sentence.
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
