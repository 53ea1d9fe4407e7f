"""The race at equal steps, entered by the GRU of the papers, and with gates that start out keeping less."""

from typing import Any

import torch

from rnncourse.cells import Cell, GRUCell, MGUCell
from rnncourse.chapters.c01_feedforward_to_recurrent.experiments.character_training import learn_prose, prose
from rnncourse.chapters.c01_feedforward_to_recurrent.experiments.tuning import tune
from rnncourse.chapters.c06_gru.experiments.cell_comparison import EMBEDDING_SIZE
from rnncourse.chapters.c06_gru.experiments.prose_race import RATES
from rnncourse.checks import check_choice
from rnncourse.data.dataset import Dataset
from rnncourse.depth import matched_hidden_size
from rnncourse.layers import Recurrent
from rnncourse.models import LanguageModel
from rnncourse.models.text import text_bits
from rnncourse.results import experiment
from rnncourse.training import History

ENTRANTS = ("GRU before", "GRU before, keeps less", "MGU, keeps less")
"""The reset before the product, as in the papers; and units that keep 27 % of the old state at first, not one half."""

KEEPS = -1.0
"""Where "keeps less" starts the gate's total bias: the sigmoid of it is the share of the old state that is kept."""


@torch.no_grad()
def entrant(name: str, input_size: int, hidden_size: int) -> Cell:
    """A fresh cell by name, its recurrent matrices orthogonal, each gate's by itself.

    Args:
        name: One of :data:`ENTRANTS`.
        input_size: Features of one step's input.
        hidden_size: Units.

    Returns:
        The cell.

    Raises:
        ValueError: If there is no such entrant.

    Example:
        >>> entrant("GRU before", 3, 5)
        GRUCell(3, 5, reset='before', blend='keep')
    """
    check_choice("name", name, ENTRANTS)
    if name.startswith("GRU"):
        cell: Cell = GRUCell(input_size, hidden_size, reset="before", init="orthogonal")
        gate, bias = slice(hidden_size, 2 * hidden_size), KEEPS  # the update gate is the share that is kept
    else:
        cell = MGUCell(input_size, hidden_size, init="orthogonal")
        gate, bias = slice(0, hidden_size), -KEEPS  # its gate is the share that is new
    if name.endswith("keeps less"):
        cell.bias_ih[gate] = bias
        cell.bias_hh[gate] = 0.0
    return cell


def train_entrant(
    name: str, text: Dataset, *, budget: int, steps: int, lr: float, seed: int
) -> tuple[LanguageModel, History]:
    """Trains one entrant's character model as ``06.equal_steps`` trains its cells.

    Args:
        name: One of :data:`ENTRANTS`.
        text: The data set ``prose``.
        budget: Parameters, embedding and readout included.
        steps: Gradient steps of 32 windows of 64 characters each.
        lr: Learning rate of Adam at its highest.
        seed: Of weights and windows.

    Returns:
        The model, and how it went.
    """
    torch.manual_seed(seed)

    def build(hidden_size: int) -> LanguageModel:
        layer = Recurrent(entrant(name, EMBEDDING_SIZE, hidden_size), implementation="auto")
        return LanguageModel(layer, len(text.vocabulary))

    hidden_size = matched_hidden_size(build, budget)
    torch.manual_seed(seed)
    model = build(hidden_size)
    return model, learn_prose(model, text, steps=steps, lr=lr, seed=seed)


@experiment(
    "06.reset_race_rates",
    smoke={"seeds": 1, "names": ["MGU, keeps less"], "steps": 2, "rates": [1e-2, 2e-2], "budget": 8_000,
           "max_chars": 30_000},
    page={"seeds": 1, "names": ["GRU before"], "steps": 200, "rates": [1e-2, 2e-2], "budget": 30_000,
          "max_chars": 500_000},
    full={"seeds": 1, "names": list(ENTRANTS), "steps": 1000, "rates": RATES, "budget": 30_000, "max_chars": 500_000},
)  # fmt: skip
def reset_race_rates(
    *, seed: int, names: list[str], steps: int, rates: list[float], budget: int, max_chars: int
) -> dict[str, Any]:
    """The learning rates of ``06.reset_race``, at its full length, by the bits on the validation text."""
    values: dict[str, Any] = {}
    for name in names:

        def score(lr: float, name: str = name) -> float:
            return train_entrant(name, prose(max_chars), budget=budget, steps=steps, lr=lr, seed=seed)[1].best

        values |= tune(rates, score).named(name)
    return values


@experiment(
    "06.reset_race",
    smoke={"seeds": 1, "rates": {"MGU, keeps less": 2e-2}, "steps": 2, "budget": 8_000, "max_chars": 30_000},
    page={"seeds": 1, "rates": {"GRU before": 2e-2}, "steps": 200, "budget": 30_000, "max_chars": 500_000},
    full={"seeds": 3, "rates": dict.fromkeys(ENTRANTS, 2e-2), "steps": 1000, "budget": 30_000, "max_chars": 500_000},
)  # fmt: skip
def reset_race(*, seed: int, rates: dict[str, float], steps: int, budget: int, max_chars: int) -> dict[str, Any]:
    """The sentence hoped for: at equal parameters and steps the GRU of the papers is level with the vanilla cell of
    ``06.equal_steps``, and ahead of it once its update gate starts out keeping less: the place of the reset and the
    start decide, not the number of gates.

    It would be refuted by a GRU that keeps less and is behind the vanilla cell with any seed, or by a GRU with the
    reset before that is no better than PyTorch's. The minimal gated unit gets the same start.

    Args:
        seed: Of weights and windows.
        rates: From an entrant to its learning rate, of ``06.reset_race_rates``.
        steps: Gradient steps of each.
        budget: Parameters of each.
        max_chars: Characters of training text.

    Returns:
        For each: ``hidden`` units, and bits per character on ``valid`` and ``test`` text.
    """
    text, values = prose(max_chars), {}
    for name, lr in rates.items():
        model, history = train_entrant(name, text, budget=budget, steps=steps, lr=lr, seed=seed)
        values |= {
            f"{name}: hidden": model.layer.output_size,
            f"{name}: valid": history.best,
            f"{name}: test": text_bits(model, text.test.codes),
        }
    return values
