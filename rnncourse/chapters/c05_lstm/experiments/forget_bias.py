"""Which forget bias to start from, when something must be kept for so many steps?"""

import math
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from rnncourse.cells import LSTMCell
from rnncourse.chapters.c04_tanh_and_gradients.experiments.denormals import denormals_as_zero
from rnncourse.data.batches import Batch, labelled
from rnncourse.data.synthetic import as_generator, check_at_least
from rnncourse.layers import Recurrent
from rnncourse.models import SequenceClassifier
from rnncourse.results import experiment
from rnncourse.training import fit
from rnncourse.training.drawing import FreshBatches
from rnncourse.training.losses import accuracy, cross_entropy

CUES = 4
"""How many symbols there are to recall, and how many others to be distracted by."""

CHANCE = 1 - 1 / CUES
"""Share of wrong answers of a guess."""

SOLVED = 0.01
"""The task counts as solved when a smaller share of held-out sequences is answered wrongly."""

BATCH_SIZE = 32


def recall(batch_size: int, *, lag: int, seed: int | np.random.Generator = 0) -> Batch:
    """Sequences whose first symbol is to be named after the last; in between stand symbols that mean nothing.

    Args:
        batch_size: Sequences, at least 1.
        lag: How many distractors follow the first symbol, at least 1.
        seed: Seed or generator.

    Returns:
        Inputs (batch, lag + 1, 8), one entry of each step being 1: of the first four at the first step, of the last
        four later. Targets (batch,), the number of the first symbol.

    Raises:
        ValueError: A size is too small.

    Example:
        >>> batch = recall(2, lag=5, seed=0)
        >>> batch.inputs.shape, bool((batch.inputs[:, 0].argmax(1) == batch.targets).all())
        (torch.Size([2, 6, 8]), True)
    """
    check_at_least("batch_size", batch_size, 1)
    check_at_least("lag", lag, 1)
    rng = as_generator(seed)
    symbols = rng.integers(CUES, 2 * CUES, size=(batch_size, lag + 1))
    symbols[:, 0] = rng.integers(CUES, size=batch_size)
    inputs = F.one_hot(torch.from_numpy(symbols), 2 * CUES).float()
    return labelled(inputs, torch.from_numpy(symbols[:, 0]))


@torch.no_grad()
def biased(setting: str, *, hidden_size: int, lag: int) -> LSTMCell:
    r"""An LSTM cell whose gates start from a given bias.

    PyTorch's cell has two biases for every gate, which are added; a setting here is their sum. ``"chrono"`` is the
    initialisation of Tallec and Ollivier (2018; from secondary sources), which spreads the units over time scales up
    to the lag,

    .. math:: b_f = \log u, \quad u \sim U(1, \max(\text{lag}, 2)), \qquad b_i = -b_f

    where :math:`b_f` is the forget gate's bias and :math:`b_i` the input gate's.

    Args:
        setting: ``"default"``, both biases as PyTorch draws them; ``"chrono"``; or the forget gate's bias as a number
            in words, like ``"-2"``.
        hidden_size: Units.
        lag: For ``"chrono"``, how long something is to be kept.

    Returns:
        The cell.

    Raises:
        ValueError: If the setting is neither a name nor a number.

    Example:
        >>> cell = biased("2", hidden_size=3, lag=10)
        >>> (cell.bias_ih + cell.bias_hh)[3:6].detach()
        tensor([2., 2., 2.])
    """
    if setting == "default":
        return LSTMCell(2 * CUES, hidden_size)
    if setting == "chrono":
        cell = LSTMCell(2 * CUES, hidden_size, forget_bias=0.0)
        span = torch.empty(hidden_size).uniform_(1.0, float(max(lag, 2)))
        cell.bias_ih[hidden_size : 2 * hidden_size] = span.log()
        cell.bias_ih[:hidden_size] = -span.log()
        cell.bias_hh[:hidden_size] = 0.0
        return cell
    try:
        bias = float(setting)
    except ValueError:
        raise ValueError(f"setting is {setting!r}; it should be 'default', 'chrono' or a number in words") from None
    return LSTMCell(2 * CUES, hidden_size, forget_bias=bias)


class Recalled(NamedTuple):
    """How learning to recall went.

    Attributes:
        error: Share of wrong answers on fresh test sequences; :data:`CHANCE` is that of a guess.
        solved: Whether the share fell below :data:`SOLVED` on the held-out sequences within the budget.
        sequences: How many training sequences were seen until then, or in all.
        model: The network.
    """

    error: float
    solved: bool
    sequences: int
    model: nn.Module


def surprise(model: nn.Module, batch: Batch) -> Tensor:
    """The mean surprise, in nats, at the symbols to be recalled.

    Args:
        model: A :class:`~rnncourse.models.SequenceClassifier` with :data:`CUES` outputs.
        batch: Sequences of :func:`recall`.

    Returns:
        A scalar.
    """
    return cross_entropy(model(batch.inputs)[0], batch.targets)


@torch.no_grad()
def share_wrong(model: nn.Module, batch: Batch) -> float:
    """The share of sequences whose first symbol is named wrongly.

    Args:
        model: A :class:`~rnncourse.models.SequenceClassifier` with :data:`CUES` outputs.
        batch: Sequences of :func:`recall`.

    Returns:
        A share between 0 and 1.
    """
    return 1 - float(accuracy(model(batch.inputs)[0], batch.targets))


def learn_to_recall(cell: nn.Module, *, lag: int, steps: int, lr: float, seed: int, check_every: int = 25) -> Recalled:
    """Trains one cell to recall the first symbol, until that is learnt or the budget is spent.

    Args:
        cell: Any cell of the grammar with eight inputs; trained in place.
        lag: Distractors between the first symbol and the answer.
        steps: The budget, in gradient steps of :data:`BATCH_SIZE` fresh sequences each.
        lr: Learning rate of Adam.
        seed: Draws the training sequences.
        check_every: How often to look whether it is learnt.

    Returns:
        What came of it.

    Example:
        >>> learn_to_recall(LSTMCell(8, 4), lag=3, steps=2, lr=1e-3, seed=0).sequences
        64
    """
    model = SequenceClassifier(Recurrent(cell, implementation="kernel"), CUES)
    held_out = recall(500, lag=lag, seed=1_000_001)
    solved = False

    def validate(model: nn.Module) -> float:
        nonlocal solved
        wrong = share_wrong(model, held_out)
        solved = solved or wrong < SOLVED
        return wrong

    def draw(step: int) -> Batch:
        return recall(BATCH_SIZE, lag=lag, seed=seed * 1_000_000 + step)

    history = fit(
        model,
        FreshBatches(draw, enough=lambda: solved),
        loss=surprise,
        epochs=1,
        steps=steps,
        lr=lr,
        validate=validate,
        validate_every=check_every,
        seed=seed,
        progress=False,
    )
    error = share_wrong(model, recall(1000, lag=lag, seed=1_000_002))
    return Recalled(error, solved, history.steps * BATCH_SIZE, model)


@experiment(
    "05.forget_bias",
    smoke={"seeds": 1, "settings": ["1", "chrono"], "lags": [2, 3], "steps": 3, "hidden_size": 4, "lr": 5e-3},
    page={"seeds": 1, "settings": ["0", "4"], "lags": [10, 40], "steps": 300, "hidden_size": 16, "lr": 5e-3},
    full={
        "seeds": 3,
        "settings": ["default", "-2", "0", "1", "2", "4", "6", "chrono"],
        "lags": [10, 20, 40, 80, 160],
        "steps": 400,
        "hidden_size": 16,
        "lr": 5e-3,
    },
)
def forget_bias(
    *, seed: int, settings: list[str], lags: list[int], steps: int, hidden_size: int, lr: float
) -> dict[str, Any]:
    """Every setting of the forget bias at rising lags, one budget for all; after two failures in a row it is enough.

    For the lags that are not tried any more the error is :data:`CHANCE`, and ``tried`` is 0.
    """
    table: list[list[Recalled]] = []
    for setting in settings:
        row: list[Recalled] = []
        for lag in lags:
            if len(row) > 1 and not row[-1].solved and not row[-2].solved:
                break
            torch.manual_seed(seed)
            cell = biased(setting, hidden_size=hidden_size, lag=lag)
            with denormals_as_zero():
                row.append(learn_to_recall(cell, lag=lag, steps=steps, lr=lr, seed=seed))
        table.append(row + [Recalled(CHANCE, False, 0, nn.Identity())] * (len(lags) - len(row)))
    return {
        "errors": [[run.error for run in row] for row in table],
        "solved": [[int(run.solved) for run in row] for row in table],
        "tried": [[int(run.sequences > 0) for run in row] for row in table],
        "sequences": [[run.sequences for run in row] for row in table],
        "longest": [_longest(row, lags) for row in table],
        "best": [_best([row[n] for row in table], settings) for n in range(len(lags))],
    }


def _longest(row: list[Recalled], lags: list[int]) -> int:
    """The longest lag that was solved with all shorter ones solved too; 0 if none."""
    unsolved = [n for n, run in enumerate(row) if not run.solved]
    solved = min(unsolved, default=len(row))
    return lags[solved - 1] if solved else 0


def _best(column: list[Recalled], settings: list[str]) -> float:
    """The fixed bias that solved one lag from the fewest sequences; not a number if none did."""
    named = ("default", "chrono")
    solved = [
        (run.sequences, float(setting))
        for run, setting in zip(column, settings, strict=True)
        if run.solved and setting not in named
    ]
    return min(solved)[1] if solved else math.nan
