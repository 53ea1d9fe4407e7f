"""Early stopping: validate now and then, remember the best weights, lose patience."""

import math
from collections.abc import Callable

from torch import Tensor, nn

from rnncourse.training.history import Diverged, History
from rnncourse.training.measuring import measured

__all__ = ["Watch"]


class Watch:
    """Validates now and then, remembers the best weights, and says when patience has run out."""

    def __init__(
        self,
        model: nn.Module,
        validate: Callable[[nn.Module], float] | None,
        patience: int | None,
        history: History,
    ):
        self.model, self.validate, self.patience, self.history = model, validate, patience, history
        self.best_weights: dict[str, Tensor] | None = None
        self.since_best = 0

    def validate_and_check(self) -> bool:
        """Validates, if there is something to validate with, and returns whether to stop."""
        if self.validate is None:
            return False
        history = self.history
        value = measured(self.model, self.validate, "validate")
        history.validation.append((history.steps, value))
        if math.isnan(value):  # it would be neither better nor worse than anything
            self.restore_best()
            history.stopped = f"diverged at step {history.steps}: the validation value is nan"
            raise Diverged(history.stopped, history)
        if history.best is None or value < history.best:
            history.best, history.best_step, self.since_best = value, history.steps, 0
            self.best_weights = {name: tensor.detach().clone() for name, tensor in self.model.state_dict().items()}
        else:
            self.since_best += 1
        return self.impatient()

    def impatient(self) -> bool:
        """Whether patience has run out; the history is then told."""
        history = self.history
        if self.patience is None or self.since_best < self.patience:
            return False
        history.stopped = f"no improvement in {self.patience} validations (best {history.best:.4g})"
        return True

    def restore_best(self) -> None:
        """Gives the model the weights of its best validation, if there was one."""
        if self.best_weights is not None:
            self.model.load_state_dict(self.best_weights)
