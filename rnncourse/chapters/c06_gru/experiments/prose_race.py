"""Cells on prose at equal parameters: equal steps, or equal seconds with schedules that end there."""

from typing import Any

import torch

from rnncourse.chapters.c01_feedforward_to_recurrent.experiments.character_training import learn_prose, prose
from rnncourse.chapters.c01_feedforward_to_recurrent.experiments.tuning import tune
from rnncourse.chapters.c06_gru.experiments.cell_comparison import EMBEDDING_SIZE
from rnncourse.chapters.c06_gru.experiments.entrants import ENTRANTS, entrant
from rnncourse.data.dataset import Dataset
from rnncourse.depth import matched_hidden_size
from rnncourse.layers import Recurrent
from rnncourse.models import LanguageModel
from rnncourse.models.text import text_bits
from rnncourse.results import Published, experiment
from rnncourse.training import History

RATES = [5e-3, 1e-2, 2e-2, 4e-2, 1e-1]

MILLISECONDS = {"tanh, orthogonal": 16.8, "LSTM, forget bias 1": 22.3, "GRU, orthogonal": 20.6, "MGU, orthogonal": 50.7}
"""Who races by seconds, and what ``06.cost`` measured for a step; the minimal gated unit has the readable loop only."""


def prose_model(name: str, vocabulary_size: int, *, budget: int) -> LanguageModel:
    """A character model of one layer whose parameters, embedding and readout included, come closest to a budget.

    Args:
        name: One of :data:`~rnncourse.chapters.c06_gru.experiments.entrants.ENTRANTS`.
        vocabulary_size: How many characters there are.
        budget: Parameters to spend.

    Returns:
        The untrained model.

    Example:
        >>> [prose_model(name, 65, budget=30_000).layer.output_size for name in MILLISECONDS]
        [125, 62, 72, 89]
    """

    def build(hidden_size: int) -> LanguageModel:
        cell = entrant(name, EMBEDDING_SIZE, hidden_size)
        return LanguageModel(Recurrent(cell, implementation="auto"), vocabulary_size)

    return build(matched_hidden_size(build, budget))


def train_racer(
    name: str, text: Dataset, *, budget: int, steps: int, lr: float, seed: int
) -> tuple[LanguageModel, History]:
    """Trains one cell's character model; its schedule ends at its last step, where it is validated.

    Args:
        name: One of :data:`~rnncourse.chapters.c06_gru.experiments.entrants.ENTRANTS`.
        text: The data set ``prose``.
        budget: Parameters.
        steps: Gradient steps of 32 windows of 64 characters each.
        lr: Learning rate of Adam at its highest.
        seed: Of weights and windows.

    Returns:
        The model, and how it went; its one validation value are the bits per character on the validation text.
    """
    torch.manual_seed(seed)
    model = prose_model(name, len(text.vocabulary), budget=budget)
    return model, learn_prose(model, text, steps=steps, lr=lr, seed=seed)


def steps_within(seconds: float, milliseconds: dict[str, float]) -> dict[str, int]:
    """How many steps each cell takes in so many seconds.

    Args:
        seconds: The time that each has.
        milliseconds: What a step of each costs.

    Returns:
        Steps, at least 1.

    Example:
        >>> steps_within(1.0, {"fast": 10.0, "slow": 40.0})
        {'fast': 100, 'slow': 25}
    """
    return {name: max(1, int(1000 * seconds / cost)) for name, cost in milliseconds.items()}


def _sweep(steps: dict[str, int], *, rates: list[float], budget: int, max_chars: int, seed: int) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for name, count in steps.items():

        def score(lr: float, name: str = name, count: int = count) -> float:
            return train_racer(name, prose(max_chars), budget=budget, steps=count, lr=lr, seed=seed)[1].best

        tuned = tune(rates, score)
        values |= tuned.named(name)
    return values


def _final(steps: dict[str, int], rates: dict[str, float], *, budget: int, max_chars: int, seed: int) -> dict[str, Any]:
    text, values = prose(max_chars), {}
    for name, lr in rates.items():
        model, history = train_racer(name, text, budget=budget, steps=steps[name], lr=lr, seed=seed)
        values |= {
            f"{name}: hidden": model.layer.output_size,
            f"{name}: parameters": sum(parameter.numel() for parameter in model.parameters()),
            f"{name}: steps": steps[name],
            f"{name}: valid": history.best,
            f"{name}: test": text_bits(model, text.test.codes),
        }
    return values


@experiment(
    "06.equal_steps_rates",
    smoke={"seeds": 1, "names": ["MGU, orthogonal"], "steps": 2, "rates": [1e-2, 2e-2], "budget": 8_000,
           "max_chars": 30_000},
    page={"seeds": 1, "names": ["tanh, orthogonal"], "steps": 200, "rates": [1e-2, 2e-2], "budget": 30_000,
          "max_chars": 500_000},
    full={"seeds": 1, "names": list(ENTRANTS), "steps": 1000, "rates": RATES, "budget": 30_000, "max_chars": 500_000},
)  # fmt: skip
def equal_steps_rates(
    *, seed: int, names: list[str], steps: int, rates: list[float], budget: int, max_chars: int
) -> dict[str, Any]:
    """The learning rates of ``06.equal_steps``, at its full length, by the bits on the validation text."""
    return _sweep(dict.fromkeys(names, steps), rates=rates, budget=budget, max_chars=max_chars, seed=seed)


@experiment(
    "06.equal_steps",
    smoke={"seeds": 1, "rates": {"MGU, orthogonal": 2e-2}, "steps": 2, "budget": 8_000, "max_chars": 30_000},
    page={"seeds": 1, "rates": {"tanh, orthogonal": 2e-2}, "steps": 200, "budget": 30_000, "max_chars": 500_000},
    full={
        "seeds": 3,
        "rates": dict.fromkeys(ENTRANTS, 2e-2) | dict.fromkeys(["LSTM, forget bias 1", "LSTM, keeps less"], 4e-2),
        "steps": 1000,
        "budget": 30_000,
        "max_chars": 500_000,
    },
    published=[
        Published(
            "GRU, orthogonal: test",
            8.54,
            cite="chung2014empirical",
            read="from a secondary source",
            unit="theirs: nats per frame of music; ours: bits per character",
            size="Bach chorales; the same number of parameters for each cell",
            comparable=False,
            why="another data set and another unit; what can be laid side by side is the order of the three cells",
            what="GRU at the learning rate that validated best",
        ),
    ],
)
def equal_steps(*, seed: int, rates: dict[str, float], steps: int, budget: int, max_chars: int) -> dict[str, Any]:
    """The sentence hoped for: at equal parameters and equal steps, each at the rate that is best at this length, the
    start and the place of the reset decide, and not the number of gates: the GRU of the papers, with gates that keep
    less at first, is ahead of the vanilla cell, which is ahead of PyTorch's GRU and the LSTM from their usual starts.

    It would be refuted by an order of these that changes from seed to seed; by PyTorch's GRU, were it no better for
    keeping less; or by the reset before, were it no better from either start. Cells within two standard errors of their
    paired difference are level.

    Args:
        seed: Of weights and windows.
        rates: From a cell to its learning rate, of ``06.equal_steps_rates``.
        steps: Gradient steps of each.
        budget: Parameters of each.
        max_chars: Characters of training text.

    Returns:
        For each: ``hidden`` units, ``parameters``, ``steps``, and bits per character on ``valid`` and ``test`` text.
    """
    return _final(dict.fromkeys(rates, steps), rates, budget=budget, max_chars=max_chars, seed=seed)


@experiment(
    "06.equal_seconds_rates",
    smoke={"seeds": 1, "seconds": 0.05, "milliseconds": {"MGU, orthogonal": 25.0}, "rates": [1e-2, 2e-2],
           "budget": 8_000, "max_chars": 30_000},
    page={"seeds": 1, "seconds": 4.0, "milliseconds": {"tanh, orthogonal": 12.4}, "rates": [1e-2, 2e-2],
          "budget": 30_000, "max_chars": 500_000},
    full={"seeds": 1, "seconds": 20.0, "milliseconds": MILLISECONDS, "rates": RATES, "budget": 30_000,
          "max_chars": 500_000},
)  # fmt: skip
def equal_seconds_rates(
    *,
    seed: int,
    seconds: float,
    milliseconds: dict[str, float],
    rates: list[float],
    budget: int,
    max_chars: int,
) -> dict[str, Any]:
    """The learning rates of ``06.equal_seconds``, each with the schedule that ends at its last step in time."""
    steps = steps_within(seconds, milliseconds)
    return _sweep(steps, rates=rates, budget=budget, max_chars=max_chars, seed=seed)


@experiment(
    "06.equal_seconds",
    smoke={"seeds": 1, "seconds": 0.05, "milliseconds": {"MGU, orthogonal": 25.0}, "rates": {"MGU, orthogonal": 2e-2},
           "budget": 8_000, "max_chars": 30_000},
    page={"seeds": 1, "seconds": 4.0, "milliseconds": {"tanh, orthogonal": 12.4},
          "rates": {"tanh, orthogonal": 2e-2}, "budget": 30_000, "max_chars": 500_000},
    full={"seeds": 3, "seconds": 20.0, "milliseconds": MILLISECONDS,
          "rates": dict.fromkeys(MILLISECONDS, 2e-2) | {"LSTM, forget bias 1": 4e-2},
          "budget": 30_000, "max_chars": 500_000},
)  # fmt: skip
def equal_seconds(
    *,
    seed: int,
    seconds: float,
    milliseconds: dict[str, float],
    rates: dict[str, float],
    budget: int,
    max_chars: int,
) -> dict[str, Any]:
    """The sentence hoped for: at equal parameters and equal seconds, with schedules that end there, the vanilla cell is
    ahead, since a step of it costs least.

    Fair by seconds of one core, counted in steps of what ``06.cost`` measured; with another machine or a kernel for the
    minimal gated unit it is another race. It would be refuted by a cell that is ahead of it with any seed.

    Args:
        seed: Of weights and windows.
        seconds: The time that each has.
        milliseconds: What a step of each costs.
        rates: From a cell to its learning rate, of ``06.equal_seconds_rates``.
        budget: Parameters of each.
        max_chars: Characters of training text.

    Returns:
        As ``06.equal_steps``.
    """
    return _final(steps_within(seconds, milliseconds), rates, budget=budget, max_chars=max_chars, seed=seed)
