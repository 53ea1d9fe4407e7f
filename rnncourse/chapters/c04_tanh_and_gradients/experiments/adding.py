"""The adding problem: which cell learns it, from how many sequences, and how far apart the two marks may lie.

:func:`learn_to_add` takes any cell, so that later chapters put their own cells into the same table and figure.
"""

import math
from typing import NamedTuple

import torch
from torch import Tensor, nn

from rnncourse.data.adding import adding
from rnncourse.data.batches import Batch
from rnncourse.layers import Recurrent
from rnncourse.models import SequenceClassifier
from rnncourse.results import Published, experiment
from rnncourse.training import Diverged, History, fit
from rnncourse.training.drawing import FreshBatches
from rnncourse.training.losses import mean_squared_error

BASELINE = 1 / 6
"""Mean squared error of always answering 1, the mean of the sum of two numbers from [0, 1)."""

SOLVED = BASELINE / 10
"""The adding problem counts as solved when the error on held-out sequences is below this."""

HIDDEN_SIZE = 32
BATCH_SIZE = 64

LEARNING_RATE = 0.005
"""Adam's learning rate where a page trains live, and what most of the sweeps chose."""


class Learnt(NamedTuple):
    """How learning to add went.

    Attributes:
        error: Mean squared error on fresh test sequences, with the weights that did best on the validation sequences.
        solved: Whether the validation error fell below :data:`SOLVED` within the budget.
        sequences: How many training sequences were seen until then, or in all.
        diverged: Whether the loss or its gradient stopped being a number.
        history: Losses, gradient norms and validation errors along the way.
        model: The network itself.
    """

    error: float
    solved: bool
    sequences: int
    diverged: bool
    history: History
    model: nn.Module


def squared_error(model: nn.Module, batch: Batch) -> Tensor:
    """The mean squared error of a model's answers to a batch.

    Args:
        model: A :class:`~rnncourse.models.SequenceClassifier` with one output.
        batch: Sequences of the adding problem.

    Returns:
        A scalar.
    """
    answers, _ = model(batch.inputs)
    return mean_squared_error(answers, batch.targets)


def learn_to_add(
    cell: nn.Module, *, length: int, steps: int, lr: float, clip: float | None = 1.0, seed: int, check_every: int = 50
) -> Learnt:
    """Trains one cell on the adding problem until it is solved or the budget is spent.

    Args:
        cell: Any cell of the grammar with two inputs; trained in place.
        length: Steps of each sequence, at least 2.
        steps: The budget, in gradient steps of :data:`BATCH_SIZE` fresh sequences each.
        lr: Learning rate of Adam.
        clip: Largest norm of the gradient, or ``None`` to leave it alone.
        seed: Draws the training sequences (the validation and test sequences are always the same).
        check_every: How often to look whether it is solved.

    Returns:
        What came of it.

    Example:
        >>> from rnncourse.cells import RNNCell
        >>> learnt = learn_to_add(RNNCell(2, 4), length=5, steps=2, lr=1e-3, seed=0)
        >>> learnt.solved, learnt.sequences
        (False, 128)
    """
    model = SequenceClassifier(Recurrent(cell, implementation="kernel"), 1)
    held_out = adding(500, length=length, seed=1_000_001)
    solved = False

    def validate(model: nn.Module) -> float:
        nonlocal solved
        error = float(squared_error(model, held_out))
        solved = solved or error < SOLVED
        return error if math.isfinite(error) else math.inf

    def draw(step: int) -> Batch:
        return adding(BATCH_SIZE, length=length, seed=seed * 1_000_000 + step)

    try:
        history = fit(
            model,
            FreshBatches(draw, enough=lambda: solved),
            loss=squared_error,
            epochs=1,
            steps=steps,
            lr=lr,
            clip=clip,
            validate=validate,
            validate_every=check_every,
            seed=seed,
            progress=False,
        )
        diverged = False
    except Diverged as error:
        history, diverged = error.history, True
    with torch.no_grad():
        test_error = float(squared_error(model, adding(1000, length=length, seed=1_000_002)))
    return Learnt(test_error, solved, history.steps * BATCH_SIZE, diverged, history, model)


@experiment(
    "04.constant_answer",
    smoke={"seeds": 1, "count": 1_000},
    page={"seeds": 1, "count": 100_000},
    full={"seeds": 3, "count": 100_000},
    published=[
        Published(
            "constant",
            0.1767,
            cite="le2015simple",
            read="from a secondary source",
            unit="mean squared error",
            size="the same task",
            comparable=False,
            why="the variance of the sum of two numbers drawn evenly from [0, 1] is 1/6, or 0.1667, and Arjovsky et "
            "al. (2016) print 0.167 (read in a quotation); 0.1767 looks like a slip of one digit, and later papers "
            "repeat it",
            what="always answering 1",
        ),
    ],
)
def constant_answer(*, seed: int, count: int) -> dict[str, float]:
    """What somebody loses who always answers 1, the mean of the sum.

    Args:
        seed: Of the sequences.
        count: How many.

    Returns:
        The mean squared error, ``constant``.
    """
    test = adding(count, length=10, seed=1_000_003 + seed)
    return {"constant": float((test.targets - 1).square().mean())}
