"""Cells at equal parameters as character models of English prose: the place of the reset, and what a step costs."""

import time
from functools import cache

import torch
from torch import nn

from rnncourse.cells import Cell, GRUCell, LSTMCell, MGUCell, RNNCell
from rnncourse.checks import check_choice
from rnncourse.data import load
from rnncourse.data.dataset import Dataset
from rnncourse.depth import matched_hidden_size
from rnncourse.layers import Recurrent
from rnncourse.models import LanguageModel
from rnncourse.models.text import next_character_loss, text_bits
from rnncourse.results import experiment
from rnncourse.training import History, cosine, fit

CELLS = ("tanh", "GRU", "LSTM", "MGU")
"""The cells that are compared."""

RESET_BEFORE = "GRU, reset before"
"""The GRU of the papers; "GRU" alone is that of PyTorch, with the reset after the product."""

EMBEDDING_SIZE = 32
BATCH_SIZE = 32
SEQ_LEN = 64


def make_cell(name: str, input_size: int, hidden_size: int) -> Cell:
    """A fresh cell by name, its recurrent matrices orthogonal at the start, each gate's by itself.

    Args:
        name: One of :data:`CELLS`, or :data:`RESET_BEFORE`.
        input_size: Features of one step's input.
        hidden_size: Units.

    Returns:
        The cell.

    Raises:
        ValueError: If there is no such cell.

    Example:
        >>> make_cell("GRU", 3, 5)
        GRUCell(3, 5, reset='after', blend='keep')
    """
    check_choice("name", name, (*CELLS, RESET_BEFORE))
    if name == "tanh":
        return RNNCell(input_size, hidden_size, init="orthogonal")
    if name in ("GRU", RESET_BEFORE):
        reset = "after" if name == "GRU" else "before"
        return GRUCell(input_size, hidden_size, reset=reset, init="orthogonal")
    if name == "LSTM":
        return LSTMCell(input_size, hidden_size, init="orthogonal")
    return MGUCell(input_size, hidden_size, init="orthogonal")


def compared_model(name: str, vocabulary_size: int, *, budget: int, implementation: str = "kernel") -> LanguageModel:
    """A character model of one layer whose parameters, embedding and readout included, come closest to a budget.

    Args:
        name: One of :data:`CELLS`.
        vocabulary_size: How many characters there are.
        budget: Parameters to spend in all.
        implementation: As for :class:`~rnncourse.layers.Recurrent`.

    Returns:
        The untrained model.

    Raises:
        ValueError: If there is no such cell, or one unit costs more than the budget.

    Example:
        >>> [compared_model(name, 65, budget=30_000).layer.output_size for name in CELLS]
        [125, 72, 62, 89]
    """

    def build(hidden_size: int) -> LanguageModel:
        cell = make_cell(name, EMBEDDING_SIZE, hidden_size)
        return LanguageModel(Recurrent(cell, implementation=implementation), vocabulary_size)

    return build(matched_hidden_size(build, budget))


def train_compared(
    name: str,
    text: Dataset,
    *,
    seed: int,
    steps: int,
    lr: float,
    budget: int,
    validate_every: int,
    progress: bool = False,
) -> tuple[LanguageModel, History]:
    """Trains one cell's character model on independent windows; the weights that validate best are kept.

    Args:
        name: One of :data:`CELLS`.
        text: The data set ``prose``.
        seed: Draws the weights and the order of the windows, the same windows for every cell.
        steps: Gradient steps of 32 windows of 64 characters each.
        lr: Learning rate of Adam at its highest; it rises for the first steps and falls along a cosine to zero.
        budget: Parameters.
        validate_every: Steps between looks at the validation text.
        progress: As for :func:`rnncourse.training.fit`.

    Returns:
        The model, and how its training went; its validation values are bits per character.

    Raises:
        rnncourse.training.Diverged: If the loss is no longer a number.
    """
    torch.manual_seed(seed)
    model = compared_model(name, len(text.vocabulary), budget=budget)
    history = fit(
        model,
        text.train.batches(BATCH_SIZE, seq_len=SEQ_LEN, seed=seed, drop_last=True),
        loss=next_character_loss,
        steps=steps,
        lr=lr,
        schedule=cosine(steps, warmup=min(50, steps // 2)),
        validate=lambda model: text_bits(model, text.valid.codes),
        validate_every=validate_every,
        seed=seed,
        progress=progress,
    )
    return model, history


@cache
def _text(max_chars: int) -> Dataset:
    return load("prose", max_chars=max_chars)


@experiment(
    "06.reset",
    smoke={"seeds": 1, "steps": 4, "lr": 1e-2, "budget": 8_000, "max_chars": 30_000},
    page={"seeds": 1, "steps": 200, "lr": 2e-2, "budget": 30_000, "max_chars": 500_000},
    full={"seeds": 3, "steps": 400, "lr": 2e-2, "budget": 30_000, "max_chars": 500_000},
)
def reset(*, seed: int, steps: int, lr: float, budget: int, max_chars: int) -> dict[str, float]:
    """The reset gate before the matrix product or after it: two networks that no weights translate, both trained.

    Args:
        seed: Of weights and windows: both start from the same numbers.
        steps: Gradient steps.
        lr: Learning rate of both.
        budget: Parameters of both.
        max_chars: Characters of training text.

    Returns:
        Bits per character on the test text.
    """
    text = _text(max_chars)
    values = {}
    for key, name in (("after", "GRU"), ("before", RESET_BEFORE)):
        options = {"steps": steps, "lr": lr, "budget": budget, "validate_every": max(1, steps // 4)}
        model, _ = train_compared(name, text, seed=seed, **options)
        values[key] = text_bits(model, text.test.codes)
    return values


def step_milliseconds(models: dict[str, nn.Module], batch, *, repeats: int) -> dict[str, float]:
    """CPU milliseconds of one training step of each model: loss, gradient and Adam's step.

    The models take turns, so that a machine that is busy for a while is busy for all of them; the median counts.

    Args:
        models: From a name to a language model.
        batch: Windows and the same windows one character on.
        repeats: How many turns are timed; one more is thrown away before.

    Returns:
        The median of each model in milliseconds of CPU time.
    """
    optimizers = {name: torch.optim.Adam(model.parameters(), lr=1e-4) for name, model in models.items()}
    spent: dict[str, list[float]] = {name: [] for name in models}
    for _ in range(repeats + 1):
        for name, model in models.items():
            started = time.process_time()
            optimizers[name].zero_grad(set_to_none=True)
            next_character_loss(model, batch).backward()
            optimizers[name].step()
            spent[name].append(1000 * (time.process_time() - started))
    return {name: sorted(times[1:])[len(times[1:]) // 2] for name, times in spent.items()}


@experiment(
    "06.cost",
    smoke={"seeds": 1, "repeats": 1, "budget": 8_000, "max_chars": 30_000},
    page={"seeds": 1, "repeats": 5, "budget": 30_000, "max_chars": 30_000},
    full={"seeds": 3, "repeats": 15, "budget": 30_000, "max_chars": 500_000},
)
def cost(*, seed: int, repeats: int, budget: int, max_chars: int) -> dict[str, float]:
    """What one training step of each model of ``06.equal_steps`` costs: measured, so a little different each time.

    Args:
        seed: Of weights and windows.
        repeats: How many steps are timed for each model.
        budget: Parameters of each model.
        max_chars: Characters of training text.

    Returns:
        CPU milliseconds a step: ``_ms`` with the kernel, ``_loop_ms`` with the readable loop under autograd, the only
        form that the minimal gated unit and the GRU with the reset before the product have here.
    """
    text = _text(max_chars)
    batch = next(iter(text.train.batches(BATCH_SIZE, seq_len=SEQ_LEN, seed=seed)))
    models: dict[str, nn.Module] = {}
    for name in (*CELLS, RESET_BEFORE):
        for key, implementation in ((f"{name}_ms", "kernel"), (f"{name}_loop_ms", "loop")):
            models[key] = compared_model(name, len(text.vocabulary), budget=budget, implementation=implementation)
    return step_milliseconds(models, batch, repeats=repeats)
