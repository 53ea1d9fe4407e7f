"""The network of chapter 2 beside compressors and tables of as many bytes, and what it makes of its context."""

from functools import cache
from typing import Any

import torch

from rnncourse.chapters.c01_feedforward_to_recurrent.experiments.character_training import learn_prose, prose
from rnncourse.chapters.c01_feedforward_to_recurrent.experiments.storage import BITS, stored
from rnncourse.chapters.c01_feedforward_to_recurrent.experiments.tuning import tune
from rnncourse.chapters.c02_vanilla_rnn.experiments.character_model import character_model
from rnncourse.chapters.c02_vanilla_rnn.experiments.context import cut_context, shuffled_context
from rnncourse.data.compressors import primed_bits
from rnncourse.data.dataset import Dataset
from rnncourse.data.ngrams import curve
from rnncourse.data.pruned_ngrams import best_tables
from rnncourse.models import LanguageModel
from rnncourse.models.text import text_bits
from rnncourse.results import Published, experiment
from rnncourse.training import History

RATES = [1e-3, 2e-3, 5e-3, 1e-2, 2e-2]


def train_tuned(text: Dataset, *, hidden_size: int, steps: int, lr: float, seed: int) -> tuple[LanguageModel, History]:
    """Trains chapter 2's model, validated at the end.

    Args:
        text: The data set ``prose``.
        hidden_size: Hidden units.
        steps: Gradient steps of 32 windows of 64 characters each.
        lr: Learning rate of Adam at its highest.
        seed: Of weights and windows.

    Returns:
        The model, and how it went; its one validation value are the bits per character on the validation text.
    """
    torch.manual_seed(seed)
    model = character_model(len(text.vocabulary), hidden_size=hidden_size)
    return model, learn_prose(model, text, steps=steps, lr=lr, seed=seed)


@cache
def _compressors(max_chars: int | None) -> dict[str, float]:
    text = prose(max_chars)
    return primed_bits(text.train.text, text.test.text)


@experiment(
    "02.compact_rates",
    smoke={"seeds": 1, "rates": [5e-3, 1e-2], "steps": 2, "hidden_size": 16, "max_chars": 30_000},
    page={"seeds": 1, "rates": [1e-2, 2e-2], "steps": 200, "hidden_size": 192, "max_chars": 1_000_000},
    full={"seeds": 1, "rates": RATES, "steps": 8000, "hidden_size": 256, "max_chars": None},
)
def compact_rates(
    *, seed: int, rates: list[float], steps: int, hidden_size: int, max_chars: int | None
) -> dict[str, Any]:
    """The learning rate of ``02.compact``, at its full length, by the bits on the validation text."""
    text = prose(max_chars)
    tuned = tune(rates, lambda lr: train_tuned(text, hidden_size=hidden_size, steps=steps, lr=lr, seed=seed)[1].best)
    return {"valid": tuned.scores, "rate": tuned.rate, "inside": tuned.inside}


@experiment(
    "02.compact",
    smoke={"seeds": 1, "steps": 3, "hidden_size": 16, "lr": 1e-2, "max_chars": 30_000, "count": 50},
    page={"seeds": 1, "steps": 300, "hidden_size": 192, "lr": 1e-2, "max_chars": 1_000_000, "count": 2_000},
    full={"seeds": 3, "steps": 8000, "hidden_size": 256, "lr": 5e-3, "max_chars": None, "count": 20_000},
)
def compact(*, seed: int, steps: int, hidden_size: int, lr: float, max_chars: int | None, count: int) -> dict[str, Any]:
    """The sentence hoped for: trained on the whole text, the network predicts better than the compressors, but a table
    of as many bytes (``02.compact_tables``) is ahead of it, whether its weights take 32, 16 or 8 bits each; and beyond
    some ten characters it still depends on its context at many places, but hardly profits from it.

    Fair by bytes as stored. The first half would be refuted, at each width, by a seed of the network with fewer bits
    than the table, or by a compressor with fewer than any seed; the second by an excess at ten characters of more than
    a hundredth of a bit and two standard errors, or by fewer than one place in twenty at which the surprise moves.

    Args:
        seed: Of weights and windows.
        steps: Gradient steps.
        hidden_size: Hidden units.
        lr: Learning rate, of ``02.compact_rates``.
        max_chars: Characters of training text, None for all.
        count: Places at which the context is cut.

    Returns:
        For 32, 16 and 8 bits a weight, each a list of three: ``rnn`` (bits per character on the test text) and
        ``rnn_bytes``; and for each of :data:`CONTEXTS` the ``excess``, its standard ``error``, and the share of places
        that ``depends``.
    """
    text = prose(max_chars)
    model, _ = train_tuned(text, hidden_size=hidden_size, steps=steps, lr=lr, seed=seed)
    forms = [stored(model, bits) for bits in BITS]
    cut = cut_context(model, text.test.codes, count=count)
    return {
        "rnn": [text_bits(form.model, text.test.codes) for form in forms],
        "rnn_bytes": [float(form.bytes) for form in forms],
        **cut._asdict(),
        "shuffled": shuffled_context(model, text.test.codes, count=max(2, count // 4), seed=seed),
        **_compressors(max_chars),
    }


@experiment(
    "02.compact_tables",
    smoke={"seeds": 1, "hidden_size": 64, "max_chars": 30_000, "orders": [2, 3]},
    page={"seeds": 1, "hidden_size": 192, "max_chars": 1_000_000, "orders": [6]},
    full={"seeds": 1, "hidden_size": 256, "max_chars": None, "orders": [6, 7, 8, 9]},
)
def compact_tables(*, seed: int, hidden_size: int, max_chars: int | None, orders: list[int]) -> dict[str, Any]:
    """Tables of as many bytes as the network of ``02.compact``: Kneser and Ney's discounts, pruned, and stored by an
    arithmetic coder.

    Args:
        seed: Not used: counting has no chance in it.
        hidden_size: Hidden units of the network, which say how many bytes a table may take.
        max_chars: Characters of training text, None for all.
        orders: Longest n-grams to try; validation chooses.

    Returns:
        As many bytes as the network with 32, 16 and 8 bits a weight: ``bits`` per character on the test text, ``bytes``
        as stored, and ``order``.
    """
    text = prose(max_chars)
    network = character_model(len(text.vocabulary), hidden_size=hidden_size)
    return dict(best_tables(text, orders, [stored(network, bits).bytes for bits in BITS]))


@experiment(
    "02.tables",
    smoke={"seeds": 1, "orders": 3, "max_chars": 30_000},
    page={"seeds": 1, "orders": 7, "max_chars": 1_000_000},
    full={"seeds": 1, "orders": 8, "max_chars": None},
    published=[
        Published(
            "bits[7]",
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
def counted_tables(*, seed: int, orders: int, max_chars: int | None) -> dict[str, Any]:
    """What tables reach when bytes are free: neither pruned nor packed, as sorted arrays.

    Args:
        seed: Not used: counting has no chance in it.
        orders: The longest n-grams, from 1 on.
        max_chars: Characters of training text, None for all.

    Returns:
        For each order the ``bits`` per character on the test text, and the ``bytes``.
    """
    text = prose(max_chars)
    points = curve(text.train.codes, text.test.codes, alphabet_size=len(text.vocabulary), orders=range(1, orders + 1))
    return {"bits": [point.bits for point in points], "bytes": [float(point.bytes) for point in points]}
