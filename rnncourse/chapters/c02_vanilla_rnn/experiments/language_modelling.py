"""A vanilla RNN as a character language model of English prose: how good, against what, and from how much context."""

from collections.abc import Sequence
from functools import cache

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from rnncourse.cells import RNNCell
from rnncourse.data import load
from rnncourse.data.compressors import primed_bits
from rnncourse.data.dataset import Dataset
from rnncourse.data.ngrams import curve
from rnncourse.layers import Recurrent
from rnncourse.models import LanguageModel
from rnncourse.models.text import next_character_loss, text_bits
from rnncourse.results import Published, experiment
from rnncourse.training import History, cosine, fit
from rnncourse.training.losses import nats_to_bits

CONTEXTS = (1, 2, 3, 4, 5, 6, 8, 10, 12, 16, 24, 32, 48, 64)
"""The numbers of characters of context that are compared."""

ORDERS = range(1, 9)
"""The orders of the n-gram tables that the network is held against."""


def character_model(vocabulary_size: int, *, hidden_size: int, embedding_size: int = 32) -> LanguageModel:
    """A language model with one vanilla recurrent layer, its recurrent matrix orthogonal at the start.

    Args:
        vocabulary_size: How many characters there are.
        hidden_size: Hidden units.
        embedding_size: Length of the vector that each character is given.

    Returns:
        The untrained model.

    Example:
        >>> model = character_model(65, hidden_size=256)
        >>> sum(parameter.numel() for parameter in model.parameters())
        93025
    """
    return LanguageModel(
        Recurrent(RNNCell(embedding_size, hidden_size, init="orthogonal"), implementation="kernel"), vocabulary_size
    )


def train(
    text: Dataset,
    *,
    seed: int,
    steps: int,
    hidden_size: int,
    lr: float,
    batch_size: int = 32,
    seq_len: int = 64,
    progress: bool = False,
) -> tuple[LanguageModel, History]:
    """A character model trained on independent windows of a text.

    Args:
        text: The data set ``prose``.
        seed: Draws the initial weights and the order of the windows.
        steps: Gradient steps.
        hidden_size: Hidden units.
        lr: Learning rate of Adam at its highest.
        batch_size: Windows per step.
        seq_len: Characters per window.
        progress: As for :func:`rnncourse.training.fit`.

    Returns:
        The model, and how its training went.
    """
    torch.manual_seed(seed)
    model = character_model(len(text.vocabulary), hidden_size=hidden_size)
    history = fit(
        model,
        text.train.batches(batch_size, seq_len=seq_len, seed=seed, drop_last=True),
        loss=next_character_loss,
        steps=steps,
        lr=lr,
        schedule=cosine(steps, warmup=min(50, steps // 2)),
        seed=seed,
        progress=progress,
    )
    return model, history


@torch.no_grad()
def bits_with_context(
    model: nn.Module,
    codes: Tensor,
    positions: Tensor,
    size: int,
    *,
    reach: int | None = None,
    generator: torch.Generator | None = None,
) -> float:
    """Bits per character when only the last few characters are left in order, the older ones cut or shuffled.

    Args:
        model: A language model.
        codes: The text as numbers, of shape (characters,).
        positions: The characters to predict, as indices into the text.
        size: Characters of context that the model sees in order, at least 1.
        reach: None cuts everything older than ``size``; a larger number keeps that many characters in all, and shuffles
            those older than ``size``.
        generator: Shuffles.

    Returns:
        The mean of −log₂ p over the positions.

    Raises:
        ValueError: A position has too little text before it.
    """
    length = size if reach is None else max(reach, size)
    if size < 1 or int(positions.min()) < length:
        raise ValueError(
            f"size is {size} and the first position {int(positions.min())}; they should be ≥ 1, ≥ {length}"
        )
    windows = codes[positions[:, None] - length + torch.arange(length)]  # (positions, length)
    if length > size:
        older = windows[:, : length - size]
        order = torch.rand(older.shape, generator=generator).argsort(dim=1)
        windows = torch.cat([older.gather(1, order), windows[:, length - size :]], dim=1)
    nats = [
        F.cross_entropy(model(part)[0][:, -1], target, reduction="sum")
        for part, target in zip(windows.split(500), codes[positions].split(500), strict=True)
    ]
    return nats_to_bits(float(sum(nats)) / len(positions))


def context_curves(
    model: nn.Module, codes: Tensor, *, count: int, contexts: Sequence[int] = CONTEXTS, seed: int = 0
) -> dict[str, list[float]]:
    """Bits per character against the context left to the model.

    Args:
        model: A language model.
        codes: The text as numbers, of shape (characters,).
        count: Positions to measure, spread evenly over the text.
        contexts: Numbers of characters left in order; the last is the reach of the shuffled variant.
        seed: Of the shuffling.

    Returns:
        A number for each context under ``"cut"`` and ``"shuffled"``.
    """
    reach = contexts[-1]
    positions = torch.linspace(reach, len(codes) - 1, count).long()
    generator = torch.Generator().manual_seed(seed)
    return {
        "cut": [bits_with_context(model, codes, positions, size) for size in contexts],
        "shuffled": [
            bits_with_context(model, codes, positions, size, reach=reach, generator=generator) for size in contexts
        ],
    }


@cache
def _text(max_chars: int | None) -> Dataset:
    return load("prose", max_chars=max_chars)


@cache
def _tables(max_chars: int | None) -> dict:
    """What does not depend on a seed: the n-gram tables and the compressors."""
    text = _text(max_chars)
    points = curve(text.train.codes, text.test.codes, alphabet_size=len(text.vocabulary), orders=ORDERS)
    return {
        "ngram": [point.bits for point in points],
        "ngram_bytes": [point.bytes for point in points],
        **primed_bits(text.train.text, text.test.text),
    }


@experiment(
    "02.language_model",
    smoke={"seeds": 1, "steps": 4, "hidden_size": 16, "lr": 5e-3, "max_chars": 30_000, "count": 20},
    page={"seeds": 1, "steps": 1200, "hidden_size": 192, "lr": 5e-3, "max_chars": 1_000_000, "count": 1000},
    full={"seeds": 3, "steps": 8000, "hidden_size": 256, "lr": 5e-3, "max_chars": None, "count": 5000},
    published=[
        Published(
            "ngram[7]",
            2.3,
            cite="shannon1951prediction",
            read="read in the paper",
            unit="bits/letter",
            size="an estimate for English of 27 symbols, statistics over at most eight letters",
            comparable=False,
            why="an alphabet of 27 without capitals or punctuation, another text, and an estimate from letter tables, "
            "not a measurement on held-out text",
            what="English, guessed from the seven letters before",
        )
    ],
)
def language_model(
    *, seed: int, steps: int, hidden_size: int, lr: float, max_chars: int | None, count: int
) -> dict[str, float | list[float]]:
    """Trains one model and measures it on held-out text: bits, the tables' and compressors' bits, effective context.

    Args:
        seed: Of weights and windows.
        steps: Gradient steps.
        hidden_size: Hidden units.
        lr: Learning rate of Adam at its highest.
        max_chars: Characters of training text, None for all.
        count: Positions at which the context is cut and shuffled.

    Returns:
        Bits per character, sizes in bytes, and the curves.
    """
    text = _text(max_chars)
    model, history = train(text, seed=seed, steps=steps, hidden_size=hidden_size, lr=lr)
    curves = context_curves(model, text.test.codes, count=count)
    return {
        "rnn": text_bits(model, text.test.codes),
        "rnn_bytes": 4.0 * sum(parameter.numel() for parameter in model.parameters()),
        "train_loss": nats_to_bits(float(np.mean(history.losses[-100:]))),
        **curves,
        **_tables(max_chars),
    }
