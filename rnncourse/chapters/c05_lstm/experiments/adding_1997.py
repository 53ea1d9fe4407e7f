"""The adding problem as 1997 posed it, and the rule by which it was called solved."""

from typing import NamedTuple

import torch
from torch import Tensor, nn

from rnncourse.chapters.c04_tanh_and_gradients.experiments.adding import BATCH_SIZE
from rnncourse.data.adding import adding
from rnncourse.data.batches import Batch
from rnncourse.layers import Recurrent
from rnncourse.models import SequenceClassifier
from rnncourse.training import fit
from rnncourse.training.drawing import FreshBatches
from rnncourse.training.losses import mean_squared_error

WRONG = 0.04
"""In the task of 1997 a sequence is processed wrongly when its answer is off by this much or more."""

IN_A_ROW = 2000
"""In the task of 1997 training stops when so many training sequences in a row were answered rightly."""


class Original(NamedTuple):
    """How learning the task of 1997 went.

    Attributes:
        solved: Whether :data:`IN_A_ROW` training sequences in a row were answered rightly within the budget.
        sequences: How many training sequences were seen until then, or in all.
        wrong: How many of 2,560 test sequences were answered wrongly.
        error: Mean squared error on the test sequences.
        model: The network.
    """

    solved: bool
    sequences: int
    wrong: int
    error: float
    model: nn.Module


class InARow:
    """The squared error of a batch, counting on the side how many sequences in a row were answered rightly.

    Each answer is judged before the weights learn from it.

    Example:
        >>> InARow().count
        0
    """

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, model: nn.Module, batch: Batch) -> Tensor:
        """The mean squared error of the batch."""
        answers, _ = model(batch.inputs, lengths=batch.lengths)
        wrong = ((answers - batch.targets).abs() >= WRONG).flatten().nonzero().flatten()
        self.count = len(answers) - 1 - int(wrong[-1]) if len(wrong) else self.count + len(answers)
        return mean_squared_error(answers, batch.targets)


def learn_the_original(cell: nn.Module, *, length: int, steps: int, lr: float, seed: int) -> Original:
    """Trains one cell on the adding problem of 1997, until it meets the paper's criterion or the budget is spent.

    Args:
        cell: Any cell of the grammar with two inputs; trained in place.
        length: The paper's T, the least number of steps of a sequence; at least 22.
        steps: The budget, in gradient steps of chapter 4's ``BATCH_SIZE`` fresh sequences each.
        lr: Learning rate of Adam.
        seed: Draws the training sequences.

    Returns:
        What came of it.

    Example:
        >>> from rnncourse.cells import LSTMCell
        >>> learn_the_original(LSTMCell(2, 4), length=22, steps=2, lr=1e-3, seed=0).sequences
        128
    """
    model = SequenceClassifier(Recurrent(cell, implementation="kernel"), 1)
    loss = InARow()

    def draw(step: int) -> Batch:
        return adding(BATCH_SIZE, length=length, variant="hochreiter1997", seed=seed * 1_000_000 + step)

    batches = FreshBatches(draw, enough=lambda: loss.count >= IN_A_ROW)
    history = fit(model, batches, loss=loss, epochs=1, steps=steps, lr=lr, seed=seed, progress=False)
    test = adding(2560, length=length, variant="hochreiter1997", seed=1_000_002)
    with torch.no_grad():
        off = model(test.inputs, lengths=test.lengths)[0] - test.targets
    return Original(
        solved=loss.count >= IN_A_ROW,
        sequences=history.steps * BATCH_SIZE,
        wrong=int((off.abs() >= WRONG).sum()),
        error=float(off.square().mean()),
        model=model,
    )
