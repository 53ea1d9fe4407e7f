"""How good a prediction a byte of memory buys: count tables, fixed windows and recurrent networks on one text."""

from functools import cache

import torch
from torch import nn

from rnncourse.cells import RNNCell
from rnncourse.data import load
from rnncourse.data.dataset import Dataset
from rnncourse.data.ngrams import curve
from rnncourse.layers import Recurrent
from rnncourse.layers.windowed import FixedWindow
from rnncourse.models import LanguageModel
from rnncourse.models.text import next_character_loss, text_bits
from rnncourse.results import experiment
from rnncourse.training import cosine, fit

ORDERS = range(1, 8)
"""The orders of the count tables that the networks are held against."""

NETWORKS = {
    "window of 2": dict(window=2, hidden_size=128),
    "window of 4": dict(window=4, hidden_size=128),
    "window of 8": dict(window=8, hidden_size=128),
    "window of 16": dict(window=16, hidden_size=128),
    "RNN, 64 units": dict(hidden_size=64),
    "RNN, 128 units": dict(hidden_size=128),
    "RNN, 256 units": dict(hidden_size=256),
}
"""The networks compared: feedforward ones by their window, recurrent ones by their size."""


def character_network(
    vocabulary_size: int, *, hidden_size: int, window: int | None = None, embedding_size: int = 16
) -> LanguageModel:
    """A language model over a fixed window, or over a recurrent layer.

    Args:
        vocabulary_size: How many characters there are.
        hidden_size: Hidden units.
        window: Characters of context for a feedforward network; None for a recurrent one.
        embedding_size: Length of the vector that each character is given.

    Returns:
        The untrained model.

    Example:
        >>> model = character_network(65, hidden_size=64)
        >>> memory_bytes(model)
        42052
    """
    if window is None:
        layer: nn.Module = Recurrent(RNNCell(embedding_size, hidden_size, init="orthogonal"), implementation="kernel")
    else:
        layer = FixedWindow(embedding_size, hidden_size, window=window)
    return LanguageModel(layer, vocabulary_size)


def memory_bytes(model: nn.Module) -> int:
    """The bytes that a model's parameters take."""
    return sum(parameter.numel() * parameter.element_size() for parameter in model.parameters())


def train_on_text(model: LanguageModel, text: Dataset, *, seed: int, steps: int, seq_len: int = 64, progress=False):
    """Trains a character network on independent stretches of a text.

    Args:
        model: The network, trained in place.
        text: The data set ``prose``.
        seed: Of the order of the stretches.
        steps: Gradient steps of 32 stretches each.
        seq_len: Characters per stretch.
        progress: As for :func:`rnncourse.training.fit`.

    Returns:
        The training's history.
    """
    return fit(
        model,
        text.train.batches(32, seq_len=seq_len, seed=seed, drop_last=True),
        loss=next_character_loss,
        steps=steps,
        lr=4e-3,
        schedule=cosine(steps, warmup=min(50, steps // 2)),
        seed=seed,
        progress=progress,
    )


@cache
def _text(max_chars: int) -> Dataset:
    return load("prose", max_chars=max_chars)


@cache
def _tables(max_chars: int) -> list:
    text = _text(max_chars)
    return curve(text.train.codes, text.test.codes, alphabet_size=len(text.vocabulary), orders=ORDERS)


@experiment(
    "01.bits_against_memory",
    smoke=dict(seeds=1, steps=3, max_chars=30_000),
    page=dict(seeds=1, steps=300, max_chars=1_000_000),
    full=dict(seeds=3, steps=1200, max_chars=1_000_000),
)
def bits_against_memory(*, seed: int, steps: int, max_chars: int) -> dict:
    """Bits per character on held-out text and bytes of memory, for tables and networks trained on the same text.

    Args:
        seed: Of weights and batches.
        steps: Gradient steps of every network.
        max_chars: Characters of training text.

    Returns:
        Bits, bytes and final training loss of each network by name; bits and bytes of the tables by order.
    """
    text = _text(max_chars)
    result: dict = {
        "ngram": [point.bits for point in _tables(max_chars)],
        "ngram_bytes": [float(point.bytes) for point in _tables(max_chars)],
    }
    for name, options in NETWORKS.items():
        torch.manual_seed(seed)
        model = character_network(len(text.vocabulary), **options)
        train_on_text(model, text, seed=seed, steps=steps)
        result[name] = text_bits(model, text.test.codes)
        result[f"{name}: bytes"] = float(memory_bytes(model))
    return result
