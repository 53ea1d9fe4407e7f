"""The experiment: train, open, look for the units that track something, remove every unit in turn."""

from functools import cache
from typing import Any

import torch
from torch import Tensor

from rnncourse.chapters.c02_vanilla_rnn.experiments.character_model import character_model
from rnncourse.chapters.c05_lstm.experiments.gates_on_text.model import (
    LEARNING_RATE,
    read_on,
    text_lstm,
    train_text_lstm,
)
from rnncourse.chapters.c05_lstm.experiments.gates_on_text.opening import Opened, cut, gates_of, open_gates
from rnncourse.chapters.c05_lstm.experiments.gates_on_text.removal import removal_test, rises
from rnncourse.chapters.c05_lstm.experiments.gates_on_text.tracking import (
    MATTERS,
    correlations,
    find_tracking_unit,
    tracked,
)
from rnncourse.data import load
from rnncourse.data.dataset import Dataset
from rnncourse.diagnostics.gates import gate_statistics
from rnncourse.models.text import text_bits
from rnncourse.results import experiment

WARM_UP = 30
"""So many characters at the start of each stretch are read but not counted: the state starts there in the dark."""

PARTS = ("valid", "test")
"""A unit is looked for in the one and judged on the other."""


@cache
def _text(max_chars: int) -> Dataset:
    return load("prose", max_chars=max_chars)


@experiment(
    "05.text",
    smoke={
        "seeds": 1,
        "steps": 3,
        "hidden_size": 8,
        "vanilla_size": 12,
        "lr": LEARNING_RATE,
        "vanilla_lr": 5e-3,
        "max_chars": 30_000,
        "streams": 4,
        "length": 80,
    },
    page={
        "seeds": 1,
        "steps": 700,
        "hidden_size": 128,
        "vanilla_size": 256,
        "lr": LEARNING_RATE,
        "vanilla_lr": 5e-3,
        "max_chars": 1_000_000,
        "streams": 32,
        "length": 300,
    },
    full={
        "seeds": 3,
        "steps": 1200,
        "hidden_size": 128,
        "vanilla_size": 256,
        "lr": LEARNING_RATE,
        "vanilla_lr": 5e-3,
        "max_chars": 1_000_000,
        "streams": 32,
        "length": 400,
    },
)
def gates_on_text(
    *,
    seed: int,
    steps: int,
    hidden_size: int,
    vanilla_size: int,
    lr: float,
    vanilla_lr: float,
    max_chars: int,
    streams: int,
    length: int,
) -> dict[str, Any]:
    """An LSTM on prose beside a vanilla network of as many parameters; its gates; the units that track something."""
    text = _text(max_chars)
    model, _ = train_text_lstm(text, seed=seed, steps=steps, hidden_size=hidden_size, lr=lr)
    torch.manual_seed(seed)
    vanilla = character_model(len(text.vocabulary), hidden_size=vanilla_size)
    read_on(vanilla, text, seed=seed, steps=steps, lr=vanilla_lr)
    values: dict[str, Any] = {
        "lstm_bits": text_bits(model, text.test.codes),
        "rnn_bits": text_bits(vanilla, text.test.codes),
        "lstm_parameters": sum(parameter.numel() for parameter in model.parameters()),
        "rnn_parameters": sum(parameter.numel() for parameter in vanilla.parameters()),
    }
    read = {part: open_gates(model, getattr(text, part).codes, streams=streams, length=length) for part in PARTS}
    values |= gates_of(read["test"].trace)

    torch.manual_seed(seed)
    untrained = text_lstm(len(text.vocabulary), hidden_size=hidden_size)
    blank = {part: open_gates(untrained, getattr(text, part).codes, streams=streams, length=length) for part in PARTS}
    values |= {
        f"{gate}_histogram_untrained": found.histogram for gate, found in gate_statistics(blank["test"].trace).items()
    }
    things = {part: tracked(getattr(text, part).text[: streams * length]) for part in PARTS}

    means = read["valid"].trace.c[:, WARM_UP:].mean((0, 1))
    rise = rises(model, read["test"], means, list(range(hidden_size)))[:, :, WARM_UP:]
    values["rises"] = rise.mean((1, 2))
    for name, matters in MATTERS.items():
        seen = {part: cut(things[part][name], streams, length)[:, WARM_UP:] for part in PARTS}
        unit, on_test = _search(read, seen)
        values |= {f"{name}_unit": unit, f"{name}_r": on_test[unit], f"{name}_r_median": on_test.median()}
        blank_unit, on_test = _search(blank, seen)
        values[f"{name}_r_untrained"] = on_test[blank_unit]
        test = removal_test(rise, unit, torch.from_numpy(matters(seen["test"].numpy())))
        values |= {f"{name}_{key}": value for key, value in test.items()}
    return values


def _search(read: dict[str, Opened], seen: dict[str, Tensor]) -> tuple[int, Tensor]:
    """The unit that tracks best on validation text, and every unit's correlation on test text."""
    unit, _ = find_tracking_unit(read["valid"].trace.c[:, WARM_UP:], seen["valid"])
    return unit, correlations(read["test"].trace.c[:, WARM_UP:], seen["test"])
