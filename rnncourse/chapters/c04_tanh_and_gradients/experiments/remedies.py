"""What each remedy is worth by itself: activation and recurrent matrix as a factorial, and the skip with its parts.

A cell is named by its parts: an activation, ``"tanh"`` or ``"relu"``, and where its recurrent matrix starts,
``"drawn"`` (as PyTorch draws it), ``"orthogonal"`` or ``"identity"``. Everything else is the same for all: input
weights as PyTorch draws them, biases zero (a bias of any size would drift through an identity), parameters.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from rnncourse.cells import Cell, RNNCell
from rnncourse.cells.skip import SkipRNNCell
from rnncourse.chapters.c01_feedforward_to_recurrent.experiments.tuning import effort, tune
from rnncourse.chapters.c04_tanh_and_gradients.experiments.adding import BASELINE, Learnt, learn_to_add
from rnncourse.chapters.c04_tanh_and_gradients.experiments.denormals import denormals_as_zero
from rnncourse.checks import check_choice
from rnncourse.depth import matched_hidden_size
from rnncourse.results import experiment

FACTORIAL = ("tanh drawn", "tanh orthogonal", "tanh identity", "relu drawn", "relu orthogonal", "relu identity")
"""Every activation with every recurrent matrix; "relu identity" is the IRNN."""

SKIPS = ("tanh a third", "skip drawn", "skip orthogonal", "skip orthogonal, a third")
"""The skip and its parts: the smaller short way without a skip, the skip alone, the skip with an orthogonal matrix, and
with both, which is how :class:`~rnncourse.cells.skip.SkipRNNCell` starts with ``init="orthogonal"``."""

SKIP = 10
BUDGET = 1_152
"""Parameters of a cell: those of 32 vanilla units with two inputs."""

LENGTHS = [14, 20, 28, 40, 56, 80, 112, 160, 224]
"""Two steps of the grid are a factor of two, so that two can be told from three; known to within a step, 1.4."""

RATES = [1e-3, 2e-3, 5e-3, 1e-2, 2e-2]


@torch.no_grad()
def remedy(name: str, *, budget: int = BUDGET) -> Cell:
    """A fresh cell with two inputs and about so many parameters.

    Args:
        name: One of :data:`FACTORIAL` or :data:`SKIPS`.
        budget: Parameters to spend; the number of units is the one that comes closest.

    Returns:
        The cell.

    Raises:
        ValueError: If there is no such cell.

    Example:
        >>> [remedy(name).hidden_size for name in ("tanh drawn", "relu identity", "skip drawn")]
        [32, 32, 23]
    """
    check_choice("name", name, (*FACTORIAL, *SKIPS))

    def build(hidden_size: int) -> Cell:
        if name.startswith("skip"):
            return SkipRNNCell(2, hidden_size, skip=SKIP)
        return RNNCell(2, hidden_size, nonlinearity="relu" if name.startswith("relu") else "tanh")

    cell = build(matched_hidden_size(build, budget))
    cell.bias_ih.zero_()
    cell.bias_hh.zero_()
    if name.endswith("a third"):
        cell.weight_hh /= 3
    if "orthogonal" in name:
        nn.init.orthogonal_(cell.weight_skip if isinstance(cell, SkipRNNCell) else cell.weight_hh)
    if name.endswith("identity"):
        nn.init.eye_(cell.weight_hh)
    return cell


def until_failure(lengths: list[int], learn: Callable[[int], Learnt]) -> dict[str, Any]:
    """How long a sequence can be before learning fails.

    Args:
        lengths: Rising; those after the first that is not solved are not tried.
        learn: From a length to what came of it.

    Returns:
        ``horizon``, the longest length solved before the first failure (0 if none), and for each length ``solved`` and
        ``tried`` (1 or 0), ``errors`` (:data:`~rnncourse.chapters.c04_tanh_and_gradients.experiments.adding.BASELINE`
        where not tried) and ``sequences`` seen.
    """
    runs: list[Learnt] = []
    for length in lengths:
        runs.append(learn(length))
        if not runs[-1].solved:
            break
    untried = len(lengths) - len(runs)
    return {
        "horizon": max((length for length, run in zip(lengths, runs, strict=False) if run.solved), default=0),
        "solved": [int(run.solved) for run in runs] + [0] * untried,
        "tried": [1] * len(runs) + [0] * untried,
        "errors": [run.error for run in runs] + [BASELINE] * untried,
        "sequences": [run.sequences for run in runs] + [0] * untried,
    }


def learn(name: str, *, length: int, steps: int, lr: float, seed: int) -> Learnt:
    """Trains one remedy on the adding problem until it is solved or the budget is spent.

    Args:
        name: As for :func:`remedy`.
        length: Steps of each sequence.
        steps: The budget in gradient steps.
        lr: Learning rate of Adam.
        seed: Of weights and sequences.

    Returns:
        What came of it.
    """
    torch.manual_seed(seed)
    with denormals_as_zero():
        return learn_to_add(remedy(name), length=length, steps=steps, lr=lr, seed=seed)


def swept_remedies(names: list[str], *, length: int, steps: int, rates: list[float], seed: int) -> dict[str, Any]:
    """Every remedy at every learning rate, at one length and its full budget.

    Args:
        names: As for :func:`remedy`.
        length: Steps of each sequence.
        steps: The budget in gradient steps.
        rates: Learning rates to try.
        seed: Of weights and sequences.

    Returns:
        For each remedy the effort at each rate, the best rate, and whether it lies inside the grid.
    """
    values: dict[str, Any] = {}
    for name in names:

        def score(lr: float, name: str = name) -> float:
            run = learn(name, length=length, steps=steps, lr=lr, seed=seed)
            return effort(solved=run.solved, sequences=run.sequences, error=run.error, baseline=BASELINE)

        tuned = tune(rates, score)
        values |= tuned.named(name, "effort")
    return values


def horizons(rates: dict[str, float], *, lengths: list[int], steps: int, seed: int) -> dict[str, Any]:
    """How far each remedy learns, at its own rate.

    Args:
        rates: From a remedy to its learning rate.
        lengths: As for :func:`until_failure`.
        steps: The budget of each length in gradient steps.
        seed: Of weights and sequences.

    Returns:
        For each remedy its ``parameters`` and what :func:`until_failure` says.
    """
    values: dict[str, Any] = {}
    for name, lr in rates.items():
        found = until_failure(
            lengths, lambda length, name=name, lr=lr: learn(name, length=length, steps=steps, lr=lr, seed=seed)
        )
        values[f"{name}: parameters"] = sum(parameter.numel() for parameter in remedy(name).parameters())
        values |= {f"{name}: {key}": value for key, value in found.items()}
    return values


@experiment(
    "04.factorial_rates",
    smoke={"seeds": 1, "names": ["tanh orthogonal", "relu identity"], "length": 5, "steps": 2, "rates": [1e-3, 5e-3]},
    page={"seeds": 1, "names": ["relu identity"], "length": 14, "steps": 200, "rates": [2e-3, 5e-3]},
    full={"seeds": 1, "names": list(FACTORIAL), "length": 28, "steps": 1500, "rates": [5e-4, *RATES]},
)
def factorial_rates(*, seed: int, names: list[str], length: int, steps: int, rates: list[float]) -> dict[str, Any]:
    """The learning rates for ``04.factorial``, judged by the effort at a length that most can just about learn."""
    return swept_remedies(names, length=length, steps=steps, rates=rates, seed=seed)


@experiment(
    "04.factorial",
    smoke={"seeds": 1, "rates": {"tanh drawn": 5e-3, "relu identity": 5e-3}, "lengths": [4, 5], "steps": 2},
    page={"seeds": 1, "rates": {"tanh orthogonal": 5e-3, "relu orthogonal": 5e-3}, "lengths": [5, 7], "steps": 400},
    full={
        "seeds": 5,
        "rates": dict.fromkeys(FACTORIAL, 5e-3) | {"tanh orthogonal": 2e-3, "tanh identity": 1e-3},
        "lengths": LENGTHS,
        "steps": 1500,
    },
)
def factorial(*, seed: int, rates: dict[str, float], lengths: list[int], steps: int) -> dict[str, Any]:
    """The sentence hoped for: at equal parameters and sequences, ReLU is worth more than where the recurrent matrix
    starts, up to a length; beyond it only ReLU with the identity goes on, and the identity under tanh is worth nothing.

    Fair by parameters and by sequences (96,000 a length). It would be refuted by a tanh cell that reaches as far as
    ReLU as drawn, by ReLU with an orthogonal matrix that reaches as far as the IRNN, or by medians over seeds that lie
    within a step of the grid of each other.

    Args:
        seed: Of weights and sequences.
        rates: From a cell of :data:`FACTORIAL` to its learning rate, of ``04.factorial_rates``.
        lengths: Steps of a sequence, rising; those after the first failure are not tried.
        steps: The budget of each length in gradient steps of 64 sequences.

    Returns:
        What :func:`horizons` says.
    """
    return horizons(rates, lengths=lengths, steps=steps, seed=seed)


@experiment(
    "04.skip_rates",
    smoke={"seeds": 1, "names": ["tanh a third", "skip orthogonal"], "length": 5, "steps": 2, "rates": [1e-3, 5e-3]},
    page={"seeds": 1, "names": ["skip drawn"], "length": 14, "steps": 50, "rates": [2e-3, 5e-3]},
    full={"seeds": 1, "names": list(SKIPS), "length": 28, "steps": 1500, "rates": RATES},
)
def skip_rates(*, seed: int, names: list[str], length: int, steps: int, rates: list[float]) -> dict[str, Any]:
    """The learning rates for ``04.skip``, judged by the effort at the length of ``04.factorial_rates``."""
    return swept_remedies(names, length=length, steps=steps, rates=rates, seed=seed)


@experiment(
    "04.skip",
    smoke={"seeds": 1, "rates": {"tanh a third": 5e-3, "skip drawn": 5e-3}, "lengths": [4, 5], "steps": 2},
    page={"seeds": 1, "rates": {"skip orthogonal": 5e-3}, "lengths": [5, 7], "steps": 60},
    full={
        "seeds": 5,
        "rates": dict.fromkeys(SKIPS, 5e-3) | {"tanh a third": 1e-2},
        "lengths": LENGTHS[:6],
        "steps": 1500,
    },
)
def skip(*, seed: int, rates: dict[str, float], lengths: list[int], steps: int) -> dict[str, Any]:
    """The sentence hoped for: at equal parameters a connection ten steps back lengthens the reach of a tanh network by
    about a factor of two, and most of it comes from the connection and not from how its matrices start.

    Fair by parameters (23 units with a skip, 32 without) and by sequences; "tanh drawn" and "tanh orthogonal" of
    ``04.factorial`` are its rows without a skip. It would be refuted if "skip drawn" stayed within a step of the grid
    of "tanh drawn", or "tanh a third" reached as far as the skips.

    Args:
        seed: Of weights and sequences.
        rates: From a cell of :data:`SKIPS` to its learning rate, of ``04.skip_rates``.
        lengths: As in ``04.factorial``.
        steps: The budget of each length in gradient steps of 64 sequences.

    Returns:
        What :func:`horizons` says.
    """
    return horizons(rates, lengths=lengths, steps=steps, seed=seed)
