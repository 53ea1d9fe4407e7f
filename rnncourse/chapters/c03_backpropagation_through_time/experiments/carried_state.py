"""The loss on windows that follow one another in a text, each starting from the state of the one before."""

from torch import Tensor, nn

from rnncourse.shapes import detach_state
from rnncourse.training.losses import cross_entropy


class CarriedLoss:
    """The loss on windows that follow one another: each starts from the state that the one before left, detached.

    Args:
        windows: How many windows make one pass through the text; then the state is put down.

    Example:
        >>> loss = CarriedLoss(windows=3)
        >>> loss.state is None
        True
    """

    def __init__(self, windows: int) -> None:
        self.windows = windows
        self.seen = 0
        self.state: Tensor | None = None

    def __call__(self, model: nn.Module, batch) -> Tensor:
        """The mean surprise, in nats, at the next characters of this window."""
        if self.seen % self.windows == 0:
            self.state = None  # the text begins again, and what came last has nothing to do with it
        self.seen += 1
        logits, state = model(batch.inputs, self.state)
        self.state = detach_state(state)  # the value goes on, the credit ends here
        return cross_entropy(logits, batch.targets)
