"""The gates of an LSTM on real prose: how often they are shut or open, and whether what a unit tracks is used.

That a unit's cell state goes along with something in the text says only that the network *could* use it. The test is to
hold the unit still and to see which predictions suffer, against doing the same to every other unit.
"""

from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from rnncourse.cells import LSTMCell
from rnncourse.data import load
from rnncourse.data.dataset import Dataset
from rnncourse.diagnostics.gates import gate_statistics
from rnncourse.experiments import experiment
from rnncourse.experiments.carried_state import CarriedLoss
from rnncourse.experiments.language_modelling import character_model, text_bits
from rnncourse.functional import LSTMTrace
from rnncourse.layers import Recurrent
from rnncourse.losses import nats_to_bits
from rnncourse.models import LanguageModel
from rnncourse.shapes import LSTMState
from rnncourse.training import History, cosine, fit
from rnncourse.unroll import unroll

EMBEDDING_SIZE = 32

LEARNING_RATE = 1.2e-2
"""Adam's for the LSTM: the better of two tried for 150 steps, the other being chapter 2's 5e-3."""

WARM_UP = 30
"""So many characters at the start of each stretch are read but not counted: the state starts there in the dark."""

PARTS = ("valid", "test")
"""A unit is looked for in the one and judged on the other."""


def text_lstm(vocabulary_size: int, *, hidden_size: int) -> LanguageModel:
    """A character model with one LSTM layer, its four recurrent matrices orthogonal at the start.

    The biases are as PyTorch draws them: in a short trial a forget bias of 1 let the cell states grow until the tanh
    that reads them was flat, and learning was slower for it.

    Args:
        vocabulary_size: How many characters there are.
        hidden_size: Hidden units.

    Returns:
        The untrained model.

    Example:
        >>> sum(parameter.numel() for parameter in text_lstm(65, hidden_size=128).parameters())
        93409
    """
    return LanguageModel(Recurrent(LSTMCell(EMBEDDING_SIZE, hidden_size, init="orthogonal")), vocabulary_size)


def train_text_lstm(
    text: Dataset,
    *,
    seed: int,
    steps: int,
    hidden_size: int = 128,
    lr: float = LEARNING_RATE,
    batch_size: int = 32,
    seq_len: int = 64,
    progress: bool = False,
) -> tuple[LanguageModel, History]:
    """A character model with one LSTM layer, trained with its state carried from window to window.

    Args:
        text: The data set ``prose``.
        seed: Draws the initial weights.
        steps: Gradient steps.
        hidden_size: Hidden units.
        lr: Learning rate of Adam at its highest.
        batch_size: Stretches of the text that are read side by side.
        seq_len: Characters per window.
        progress: As for :func:`rnncourse.training.fit`.

    Returns:
        The model, and how its training went.
    """
    torch.manual_seed(seed)
    model = text_lstm(len(text.vocabulary), hidden_size=hidden_size)
    sizes = {"batch_size": batch_size, "seq_len": seq_len}
    return model, read_on(model, text, seed=seed, steps=steps, lr=lr, progress=progress, **sizes)


def read_on(
    model: LanguageModel,
    text: Dataset,
    *,
    seed: int,
    steps: int,
    lr: float,
    batch_size: int = 32,
    seq_len: int = 64,
    progress: bool = False,
) -> History:
    """Trains a language model on windows that follow one another, each starting from the state the last one left.

    So the network meets in training what it is to be opened on: states that are hundreds of characters old.

    Args:
        model: What is trained, in place.
        text: The data set ``prose``.
        seed: For :func:`rnncourse.training.fit`.
        steps: Gradient steps.
        lr: Learning rate of Adam at its highest; it falls to zero along a cosine.
        batch_size: Stretches of the text that are read side by side.
        seq_len: Characters per window.
        progress: As for :func:`rnncourse.training.fit`.

    Returns:
        How the training went.
    """
    batches = text.train.stream(batch_size, seq_len=seq_len)
    return fit(
        model,
        batches,
        loss=CarriedLoss(len(batches)),
        steps=steps,
        lr=lr,
        schedule=cosine(steps, warmup=min(50, steps // 2)),
        seed=seed,
        progress=progress,
    )


class Opened(NamedTuple):
    """A language model at work, opened.

    Attributes:
        inputs: the characters that were read, as numbers, (streams, time).
        targets: the characters that followed, (streams, time).
        trace: gates, candidate, cell state and hidden state, each (streams, time, hidden).
        surprise: bits at each target, (streams, time).
    """

    inputs: Tensor
    targets: Tensor
    trace: LSTMTrace
    surprise: Tensor


def stretches(codes: Tensor, streams: int, length: int | None = None) -> tuple[Tensor, Tensor]:
    """A text cut into stretches that are read side by side.

    Args:
        codes: The text as numbers, (characters,).
        streams: How many stretches.
        length: Characters of each; by default as many as there are.

    Returns:
        Inputs and targets, each (streams, length).

    Raises:
        ValueError: The text is too short.

    Example:
        >>> stretches(torch.arange(7), 2)[1].tolist()
        [[1, 2, 3], [4, 5, 6]]
    """
    length = (len(codes) - 1) // streams if length is None else length
    if length < 1 or streams * length >= len(codes):
        raise ValueError(
            f"streams is {streams} and length {length}; together they should be at least 1 and fewer than the "
            f"{len(codes)} characters there are"
        )
    cut = slice(0, streams * length)
    return codes[cut].view(streams, length), codes[1:][cut].view(streams, length)


@torch.no_grad()
def open_gates(model: LanguageModel, codes: Tensor, *, streams: int = 32, length: int | None = None) -> Opened:
    """Reads a text with every gate of the LSTM on record.

    Args:
        model: A language model over one LSTM layer.
        codes: The text as numbers, (characters,).
        streams: Stretches side by side; each starts from an empty state.
        length: Characters of each stretch; by default as many as there are.

    Returns:
        What was read, and what happened.
    """
    inputs, targets = stretches(codes, streams, length)
    trace, _ = model.layer.trace(model.embedding(inputs))
    return Opened(inputs, targets, trace, bits_at(model.readout(trace.h), targets))


def bits_at(logits: Tensor, targets: Tensor) -> Tensor:
    """The surprise at each character.

    Args:
        logits: Scores, (streams, time, characters).
        targets: The characters that came, (streams, time).

    Returns:
        Bits, (streams, time).
    """
    return nats_to_bits(F.cross_entropy(logits.transpose(1, 2), targets, reduction="none"))


def saturation_by_unit(gate: Tensor, *, closed: float = 0.1, open: float = 0.9) -> tuple[Tensor, Tensor]:
    """How often each unit's gate is nearly shut and nearly open, after Karpathy, Johnson and Li (2015).

    Args:
        gate: Values in (0, 1), of shape (streams, time, hidden).
        closed: Below this a gate counts as shut ("left-saturated").
        open: Above this a gate counts as open ("right-saturated").

    Returns:
        Two shares of the time for each unit, (hidden,) each.

    Example:
        >>> shut, open = saturation_by_unit(torch.tensor([[[0.05, 0.5], [0.95, 0.5]]]))
        >>> shut.tolist(), open.tolist()
        ([0.5, 0.0], [0.5, 0.0])
    """
    return (gate < closed).double().mean((0, 1)), (gate > open).double().mean((0, 1))


def _since(marks: np.ndarray) -> np.ndarray:
    """How many characters ago the last mark was, 0 at the mark itself; as if there were one just before the text."""
    places = np.arange(len(marks))
    return places - np.maximum.accumulate(np.where(marks, places, -1))


def tracked(characters: str) -> dict[str, np.ndarray]:
    """Things that a unit might keep track of, known at each character from what was read until then.

    Args:
        characters: A text.

    Returns:
        A number for each character: ``"word"``, letters since the word began (0 between words); ``"capital"``, 1
        inside a word that began with a capital letter; ``"clause"``, characters since the last punctuation mark;
        ``"sentence"``, characters since the last full stop, question or exclamation mark; ``"half"``, 1 where a colon
        or semicolon has come since then.

    Example:
        >>> things = tracked("So be: Amen. I")
        >>> things["word"].tolist()
        [1, 2, 0, 1, 2, 0, 0, 1, 2, 3, 4, 0, 0, 1]
        >>> things["half"].tolist()
        [0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 0, 0, 0]
    """
    letters = np.array([character.isalpha() or character == "'" for character in characters])
    capitals = np.array([character.isupper() for character in characters])
    ends = np.array([character in ".?!" for character in characters])
    middles = np.array([character in ":;" for character in characters])
    word = _since(~letters)
    first = np.arange(len(characters)) - np.maximum(word - 1, 0)
    sentence = _since(ends)
    return {
        "word": word * letters,
        "capital": (capitals[first] & letters).astype(int),
        "clause": _since(np.array([character in ".?!,:;" for character in characters])),
        "sentence": sentence,
        "half": (_since(middles) < sentence).astype(int),
    }


MATTERS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "word": lambda value: value >= 5,
    "capital": lambda value: value == 1,
    "clause": lambda value: value >= 40,
    "sentence": lambda value: value >= 120,
    "half": lambda value: value == 1,
}
"""Where each thing of :func:`tracked` is taken to matter for what comes next, fixed before anything was measured."""


def find_tracking_unit(c: Tensor, values: Tensor) -> tuple[int, float]:
    """The unit whose cell state goes along best with something in the text.

    Args:
        c: Cell states, (streams, time, hidden).
        values: What might be tracked, (streams, time).

    Returns:
        The unit, and the absolute value of its correlation.

    Example:
        >>> values = torch.tensor([[0.0, 1.0, 2.0, 0.0]])
        >>> unit, r = find_tracking_unit(torch.stack([torch.tensor([[3.0, 1, 4, 1]]), -values], -1), values)
        >>> unit, round(r, 6)
        (1, 1.0)
    """
    found = correlations(c, values)
    unit = int(found.argmax())
    return unit, float(found[unit])


def correlations(c: Tensor, values: Tensor) -> Tensor:
    """The absolute correlation of every unit's cell state with something in the text.

    Args:
        c: Cell states, (streams, time, hidden).
        values: What might be tracked, (streams, time).

    Returns:
        Between 0 and 1, (hidden,); 0 where a unit or the thing never changes.
    """
    c, values = c.flatten(0, 1).double(), values.flatten().double()
    c, values = c - c.mean(0), values - values.mean()
    scale = c.norm(dim=0) * values.norm()
    return ((values @ c) / scale.clamp(min=1e-12)).abs()


@torch.no_grad()
def remove_unit(model: LanguageModel, inputs: Tensor, targets: Tensor, *, unit: int, value: float) -> Tensor:
    """What the model would have predicted with one unit's cell held still.

    At every step the unit's cell state is overwritten by the given value before the hidden state is read from it, so
    that the unit carries nothing any more; its gates go on.

    Args:
        model: A language model over one LSTM layer.
        inputs: Characters, (streams, time).
        targets: The characters that followed, (streams, time).
        unit: Which.
        value: Where its cell state is held; its mean is the fairest choice, since the others are used to that.

    Returns:
        Bits at each target, (streams, time).
    """
    cell = model.layer.cell

    def step(x_t: Tensor, state: LSTMState) -> tuple[Tensor, LSTMState]:
        trace = cell.equations(x_t, state)
        c = trace.c.clone()
        c[:, unit] = value
        h = trace.o * torch.tanh(c)
        return h, LSTMState(h, c)

    hidden, _ = unroll(step, model.embedding(inputs), cell.initial_state(len(inputs)))
    return bits_at(model.readout(hidden), targets)


def rises(model: LanguageModel, opened: Opened, means: Tensor, units: list[int]) -> Tensor:
    """How much worse every character is predicted with each unit removed in turn.

    Args:
        model: A language model over one LSTM layer.
        opened: What it did with all units in place.
        means: Where each unit's cell state is held, (hidden,).
        units: Which units to remove, one at a time.

    Returns:
        Bits, (units, streams, time); negative where the prediction got better.
    """
    without = [remove_unit(model, opened.inputs, opened.targets, unit=unit, value=float(means[unit])) for unit in units]
    return torch.stack(without) - opened.surprise


def cut(values: np.ndarray, streams: int, length: int) -> Tensor:
    """Numbers for each character of a text, cut as :func:`stretches` cuts its inputs.

    Args:
        values: A number for each character.
        streams: How many stretches.
        length: Characters of each.

    Returns:
        Shape (streams, length).
    """
    return torch.from_numpy(np.asarray(values)[: streams * length]).view(streams, length)


def removal_test(rise: Tensor, unit: int, matters: Tensor) -> dict[str, float]:
    """Whether the characters that should suffer from one unit's removal do, against the removal of every other unit.

    Args:
        rise: Bits by which each character is predicted worse, (hidden, streams, time), every unit removed in turn.
        unit: The unit in question.
        matters: Where what it tracks matters, (streams, time).

    Returns:
        The mean rise ``where`` it matters and ``elsewhere``; the means over all other units, ``others_where`` and
        ``others_elsewhere``, and the standard deviation of the former among those units, ``others_spread``; ``rank``,
        1 where no other unit's removal costs more where it matters; and ``selective_rank``, the same for the difference
        between there and elsewhere.

    Example:
        >>> rise = torch.tensor([[[0.4, 0.0]], [[0.1, 0.1]], [[0.1, 0.0]]])
        >>> test = removal_test(rise, 0, torch.tensor([[True, False]]))
        >>> round(test["where"], 6), round(test["others_where"], 6), test["rank"]
        (0.4, 0.1, 1)
    """
    there = rise[:, matters].double().mean(1)
    elsewhere = rise[:, ~matters].double().mean(1)
    others = [other for other in range(len(rise)) if other != unit]
    return {
        "where": float(there[unit]),
        "elsewhere": float(elsewhere[unit]),
        "others_where": float(there[others].mean()),
        "others_elsewhere": float(elsewhere[others].mean()),
        "others_spread": float(there[others].std()),
        "rank": 1 + int((there > there[unit]).sum()),
        "selective_rank": 1 + int((there - elsewhere > there[unit] - elsewhere[unit]).sum()),
    }


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


def gates_of(trace: LSTMTrace) -> dict[str, Any]:
    """How open the gates are, all together and unit by unit.

    Args:
        trace: What :func:`open_gates` recorded.

    Returns:
        For each gate, i, f and o: the share of values below 0.1 (``"f_closed"``) and above 0.9 (``"f_open"``), the
        share in each of 20 bins (``"f_histogram"``), and the first two for each unit (``"f_unit_closed"``,
        ``"f_unit_open"``).
    """
    values: dict[str, Any] = {}
    for name, found in gate_statistics(trace).items():
        closed, open = saturation_by_unit(getattr(trace, name))
        values |= {
            f"{name}_closed": found.share_closed,
            f"{name}_open": found.share_open,
            f"{name}_histogram": found.histogram,
            f"{name}_unit_closed": closed,
            f"{name}_unit_open": open,
        }
    return values


def _search(read: dict[str, Opened], seen: dict[str, Tensor]) -> tuple[int, Tensor]:
    """The unit that tracks best on validation text, and every unit's correlation on test text."""
    unit, _ = find_tracking_unit(read["valid"].trace.c[:, WARM_UP:], seen["valid"])
    return unit, correlations(read["test"].trace.c[:, WARM_UP:], seen["test"])
