"""Random strings to be said again: read forwards or backwards, and through necks of several widths."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

import numpy as np
import torch

from rnncourse.chapters.c07_bidirectional.experiments.rates import swept
from rnncourse.chapters.c10_encoder_decoder.experiments.networks import (
    decode,
    make_model,
    symbol_errors,
    symbols,
    train,
    truths,
)
from rnncourse.data.batches import Batch
from rnncourse.data.reverse import reverse
from rnncourse.results import experiment
from rnncourse.seq2seq import SequenceToSequence
from rnncourse.training import History
from rnncourse.unroll import flip_by_length

LETTERS, EMBEDDING, BATCH_SIZE = 10, 16, 64
MARKS = 3  # padding, begin and end


def strings(count: int, *, length: int | tuple[int, int], seed: int | np.random.Generator) -> Batch:
    """Random strings, each to be said again in its own order.

    Args:
        count: How many.
        length: Letters, or (fewest, most).
        seed: Seed or generator.

    Returns:
        A batch whose targets are its inputs, between a begin and an end mark.

    Example:
        >>> batch = strings(1, length=3, seed=0)
        >>> batch.inputs.tolist(), batch.targets.tolist()
        ([[8, 9, 11]], [[1, 8, 9, 11, 2]])
    """
    batch = reverse(count, length=length, symbols=LETTERS, seed=seed)
    return batch._replace(inputs=flip_by_length(batch.inputs, batch.lengths))


def endless(longest: int, seed: int) -> Iterator[Batch]:
    """Batches of fresh strings, without end.

    Args:
        longest: Most letters.
        seed: Of the strings.

    Yields:
        Batches.
    """
    step = 0
    while True:
        yield strings(BATCH_SIZE, length=(1, longest), seed=np.random.default_rng([10, seed, step]))
        step += 1


@cache
def held_out(count: int, longest: int) -> Batch:
    """Strings to choose by.

    Args:
        count: How many.
        longest: Most letters.

    Returns:
        A batch.
    """
    return strings(count, length=(1, longest), seed=np.random.default_rng([11, longest]))


@cache
def of_length(count: int, length: int) -> Batch:
    """Strings of exactly one length, to be tested on.

    Args:
        count: How many.
        length: Letters.

    Returns:
        A batch.
    """
    return strings(count, length=length, seed=np.random.default_rng([12, length]))


def copier(competitor: str, hidden_size: int) -> SequenceToSequence:
    """An untrained network for the task.

    Args:
        competitor: ``"forward"`` or ``"reversed"``, or ``"neck 6"`` for one that reads reversed, and hands six numbers
            on.
        hidden_size: Units of both networks.

    Returns:
        The model.
    """
    kind, _, width = competitor.partition(" ")
    kind, neck = ("reversed", int(width)) if kind == "neck" else (kind, None)
    size = MARKS + LETTERS
    return make_model(kind, sources=size, targets=size, embedding=EMBEDDING, hidden_size=hidden_size, neck=neck)


def train_copier(
    competitor: str, *, seed: int, steps: int, lr: float, longest: int, hidden_size: int, valid: int = 500
) -> tuple[SequenceToSequence, History]:
    """One network, drawn and trained.

    Args:
        competitor: As for :func:`copier`.
        seed: Of weights and strings.
        steps: Gradient steps of 64 strings each.
        lr: Learning rate.
        longest: Most letters of a string.
        hidden_size: Units.
        valid: Strings to choose by.

    Returns:
        The model, and how its training went; validation values are edits a letter.
    """
    torch.manual_seed(seed)
    model = copier(competitor, hidden_size)
    batch = held_out(valid, longest)
    history = train(
        model, endless(longest, seed), valid=lambda model: symbol_errors(model, batch), steps=steps, lr=lr, seed=seed
    )
    return model, history


def exact_by_length(model: SequenceToSequence, lengths: list[int], each: int) -> list[float]:
    """The share of strings said again without a mistake, for each length.

    Args:
        model: A network of this task.
        lengths: Letters.
        each: Strings of each length.

    Returns:
        A share a length.
    """
    shares = []
    for length in lengths:
        batch = of_length(each, length)
        said = symbols(decode(model, batch, max_length=length + 5))
        shares.append(sum(a == b for a, b in zip(said, truths(batch), strict=True)) / each)
    return shares


COMPETITORS = ["forward", "reversed", "neck 24", "neck 12", "neck 6", "neck 3"]


@experiment(
    "10.copying_rates",
    smoke={"seeds": 1, "competitors": ["forward", "neck 3"], "rates": [1e-2], "steps": 2, "longest": 4,
           "hidden_size": 8},
    page={"seeds": 1, "competitors": ["forward", "reversed"], "rates": [3e-3, 1e-2], "steps": 300, "longest": 10,
          "hidden_size": 64},
    full={"seeds": 1, "competitors": COMPETITORS, "rates": [5e-3, 1e-2, 2e-2, 4e-2, 8e-2], "steps": 600, "longest": 10,
          "hidden_size": 64},
)  # fmt: skip
def copying_rates(
    *, seed: int, competitors: list[str], rates: list[float], steps: int, longest: int, hidden_size: int
) -> dict:
    """The learning rate of each network of ``10.copying``, at the length and schedule of its run, by validation.

    Args:
        seed: Of weights and strings.
        competitors: As for :func:`copier`.
        rates: Learning rates to try, the same for all.
        steps: Gradient steps of each run.
        longest: Most letters of a string.
        hidden_size: Units.

    Returns:
        For each network the fewest edits a letter on validation strings, at every rate.
    """
    sizes = {"seed": seed, "steps": steps, "longest": longest, "hidden_size": hidden_size}
    return {name: swept(rates, lambda lr, name=name: train_copier(name, lr=lr, **sizes)[1]) for name in competitors}


@experiment(
    "10.copying",
    smoke={"seeds": 1, "rates": {"forward": 1e-2, "neck 3": 1e-2}, "steps": 2, "longest": 4, "hidden_size": 8,
           "each": 10},
    page={"seeds": 1, "rates": {"forward": 1e-2, "reversed": 1e-2}, "steps": 600, "longest": 10, "hidden_size": 64,
          "each": 300},
    full={"seeds": 5, "rates": dict(zip(COMPETITORS, [0.02, 0.02, 0.02, 0.04, 0.02, 0.08], strict=True)), "steps": 600,
          "longest": 10, "hidden_size": 64, "each": 1_000},
)  # fmt: skip
def copying(*, seed: int, rates: dict[str, float], steps: int, longest: int, hidden_size: int, each: int) -> dict:
    """Strings of up to ten letters said again, by length: how the source is read, and how much of the state passes.

    Two sentences are hoped for, both at equal units and equal steps. First: the network that reads the source reversed
    says more strings of the greatest length exactly than the one that reads it forwards; refuted if any of five seeds
    is behind at its own best rate. Second: the fewer numbers pass from encoder to decoder, the fewer long strings come
    out exactly; refuted if a narrower neck is ahead of a wider one on the mean over seeds. Whether a narrow neck holds
    less, or is only learned more slowly, this cannot tell.

    Args:
        seed: Of weights and strings.
        rates: From a network to its learning rate, as ``10.copying_rates`` chose it.
        steps: Gradient steps.
        longest: Most letters of a string.
        hidden_size: Units.
        each: Test strings of each length.

    Returns:
        For each network the share of strings said exactly, for each length from 1 (``_exact``), and its edits a letter
        on validation strings (``_valid``).
    """
    values: dict = {}
    for name, lr in rates.items():
        model, history = train_copier(name, seed=seed, steps=steps, lr=lr, longest=longest, hidden_size=hidden_size)
        values[f"{name}_exact"] = exact_by_length(model, list(range(1, longest + 1)), each)
        values[f"{name}_valid"] = history.best
    return values
