"""How good a prediction a byte buys, when everybody may grow: windows, recurrent networks, and well-made tables."""

from typing import Any

import torch

from rnncourse.chapters.c01_feedforward_to_recurrent.experiments.character_training import (
    character_network,
    learn_prose,
    prose,
)
from rnncourse.chapters.c01_feedforward_to_recurrent.experiments.storage import stored
from rnncourse.chapters.c01_feedforward_to_recurrent.experiments.tuning import tune
from rnncourse.data.dataset import Dataset
from rnncourse.data.pruned_ngrams import best_tables
from rnncourse.depth import matched_hidden_size
from rnncourse.models import LanguageModel
from rnncourse.models.text import text_bits
from rnncourse.results import experiment
from rnncourse.training import History

KINDS = {"window of 4": 4, "window of 8": 8, "RNN": None}
"""The networks by their window; the recurrent one has none."""

KILOBYTES = [50, 140, 400]
"""Sizes of the networks, at four bytes a parameter, and of the tables as stored."""

RATES = [5e-3, 1e-2, 2e-2, 4e-2, 1e-1]


def network_of(kind: str, vocabulary_size: int, *, kilobytes: int) -> LanguageModel:
    """A character network whose parameters, at four bytes each, come closest to a size.

    Args:
        kind: One of :data:`KINDS`; the recurrent matrix starts orthogonal.
        vocabulary_size: How many characters there are.
        kilobytes: Thousands of bytes.

    Returns:
        The untrained model.

    Example:
        >>> [network_of(kind, 65, kilobytes=50).layer.output_size for kind in KINDS]
        [88, 59, 73]
    """

    def build(hidden_size: int) -> LanguageModel:
        return character_network(vocabulary_size, hidden_size=hidden_size, window=KINDS[kind])

    return build(matched_hidden_size(build, 250 * kilobytes))


def train_network(
    kind: str, text: Dataset, *, kilobytes: int, steps: int, lr: float, seed: int
) -> tuple[LanguageModel, History]:
    """Trains a character network on independent stretches of 64 characters, 32 a step.

    Args:
        kind: One of :data:`KINDS`.
        text: The data set ``prose``.
        kilobytes: Its size.
        steps: Gradient steps.
        lr: Learning rate of Adam at its highest; it falls along a cosine to zero.
        seed: Of weights and stretches.

    Returns:
        The model, and how it went; its one validation value are the bits per character on the validation text.
    """
    torch.manual_seed(seed)
    model = network_of(kind, len(text.vocabulary), kilobytes=kilobytes)
    return model, learn_prose(model, text, steps=steps, lr=lr, seed=seed)


def _sweep(kinds: list[str], *, kilobytes: list[int], rates: list[float], steps: int, max_chars: int, seed: int):
    values: dict[str, Any] = {}
    for kind in kinds:
        for size in kilobytes:

            def score(lr: float, kind: str = kind, size: int = size) -> float:
                return train_network(kind, prose(max_chars), kilobytes=size, steps=steps, lr=lr, seed=seed)[1].best

            tuned = tune(rates, score)
            key = f"{kind}, {size}"
            values |= tuned.named(key)
    return values


@experiment(
    "01.equal_bytes_rates",
    smoke={"seeds": 1, "kinds": ["window of 8"], "kilobytes": [20], "rates": [5e-3, 1e-2], "steps": 2,
           "max_chars": 30_000},
    page={"seeds": 1, "kinds": ["window of 8"], "kilobytes": [50], "rates": [1e-2, 2e-2], "steps": 200,
          "max_chars": 1_000_000},
    full={"seeds": 1, "kinds": ["window of 4", "window of 8"], "kilobytes": KILOBYTES, "rates": RATES, "steps": 700,
          "max_chars": 1_000_000},
)  # fmt: skip
def equal_bytes_rates(
    *, seed: int, kinds: list[str], kilobytes: list[int], rates: list[float], steps: int, max_chars: int
) -> dict[str, Any]:
    """The learning rates of the windows of ``01.equal_bytes``, one for each kind and size, by validation bits."""
    return _sweep(kinds, kilobytes=kilobytes, rates=rates, steps=steps, max_chars=max_chars, seed=seed)


@experiment(
    "01.equal_bytes_rates_rnn",
    smoke={"seeds": 1, "kilobytes": [20], "rates": [5e-3, 1e-2], "steps": 2, "max_chars": 30_000},
    page={"seeds": 1, "kilobytes": [50], "rates": [1e-2, 2e-2], "steps": 200, "max_chars": 1_000_000},
    full={"seeds": 1, "kilobytes": KILOBYTES, "rates": RATES, "steps": 700, "max_chars": 1_000_000},
)
def equal_bytes_rates_rnn(
    *, seed: int, kilobytes: list[int], rates: list[float], steps: int, max_chars: int
) -> dict[str, Any]:
    """The learning rates of the recurrent networks of ``01.equal_bytes``, one for each size, by validation bits."""
    return _sweep(["RNN"], kilobytes=kilobytes, rates=rates, steps=steps, max_chars=max_chars, seed=seed)


@experiment(
    "01.equal_bytes",
    smoke={"seeds": 1, "rates": {"window of 8": [1e-2], "RNN": [1e-2]}, "kilobytes": [20], "steps": 2,
           "max_chars": 30_000},
    page={"seeds": 1, "rates": {"window of 8": [1e-2], "RNN": [1e-2]}, "kilobytes": [50], "steps": 300,
          "max_chars": 1_000_000},
    full={"seeds": 3, "kilobytes": KILOBYTES,
          "rates": {"window of 4": [4e-2, 4e-2, 2e-2], "window of 8": [4e-2, 4e-2, 2e-2], "RNN": [4e-2, 2e-2, 1e-2]},
          "steps": 700, "max_chars": 1_000_000},
)  # fmt: skip
def equal_bytes(
    *, seed: int, rates: dict[str, list[float]], kilobytes: list[int], steps: int, max_chars: int
) -> dict[str, Any]:
    """The sentence hoped for: at equal bytes, windows and recurrent networks that were trained alike lie within a tenth
    of a bit of each other, and neither kind is ahead at every size; the tables of ``01.equal_bytes_tables`` are
    ahead of both at all of them.

    Fair by bytes: 50 to 400 kB, four a parameter (at 16 bits a parameter each network has half as many, and its bits
    are given too), tables as stored. It would be refuted by a kind of network that is ahead with every seed at every
    size, or by one that is ahead of the table.

    Args:
        seed: Of weights and stretches.
        rates: From a kind to its learning rate at each size, of ``01.equal_bytes_rates`` and ``_rnn``.
        kilobytes: Sizes.
        steps: Gradient steps of every network.
        max_chars: Characters of training text.

    Returns:
        For each kind by size: ``bits`` on the test text, ``bytes``, ``hidden`` units, and ``half``, the bits with
        weights of 16 bits.
    """
    text = prose(max_chars)
    values: dict[str, Any] = {}
    for kind, of_sizes in rates.items():
        columns: dict[str, list[float]] = {"bits": [], "bytes": [], "hidden": [], "half": []}
        for size, lr in zip(kilobytes, of_sizes, strict=True):
            model, _ = train_network(kind, text, kilobytes=size, steps=steps, lr=lr, seed=seed)
            columns["bits"].append(text_bits(model, text.test.codes))
            columns["bytes"].append(float(stored(model, 32).bytes))
            columns["hidden"].append(float(model.layer.output_size))
            columns["half"].append(text_bits(stored(model, 16).model, text.test.codes))
        values |= {f"{kind}: {key}": column for key, column in columns.items()}
    return values


@experiment(
    "01.equal_bytes_tables",
    smoke={"seeds": 1, "kilobytes": [20], "orders": [2, 3], "max_chars": 30_000},
    page={"seeds": 1, "kilobytes": [50], "orders": [6], "max_chars": 1_000_000},
    full={"seeds": 1, "kilobytes": KILOBYTES, "orders": [5, 6, 7, 8], "max_chars": 1_000_000},
)
def equal_bytes_tables(*, seed: int, kilobytes: list[int], orders: list[int], max_chars: int) -> dict[str, Any]:
    """The tables beside ``01.equal_bytes``: Kneser and Ney's discounts, pruned, and stored by an arithmetic coder.

    Args:
        seed: Not used: counting has no chance in it.
        kilobytes: Sizes.
        orders: Longest n-grams to try; validation chooses.
        max_chars: Characters of training text.

    Returns:
        For each size the ``bits`` per character on the test text, the ``bytes`` as stored, and the ``order``.
    """
    return dict(best_tables(prose(max_chars), orders, [1000 * size for size in kilobytes]))


@experiment(
    "01.equal_bytes_longer_rates",
    smoke={"seeds": 1, "kinds": ["RNN"], "kilobytes": [20], "rates": [5e-3, 1e-2], "steps": 2, "max_chars": 30_000},
    page={"seeds": 1, "kinds": ["RNN"], "kilobytes": [50], "rates": [1e-2, 2e-2], "steps": 200,
          "max_chars": 1_000_000},
    full={"seeds": 1, "kinds": list(KINDS), "kilobytes": KILOBYTES[1:2], "rates": RATES, "steps": 2800,
          "max_chars": 1_000_000},
)  # fmt: skip
def longer_rates(
    *, seed: int, kinds: list[str], kilobytes: list[int], rates: list[float], steps: int, max_chars: int
) -> dict[str, Any]:
    """The learning rates of ``01.equal_bytes_longer``, one for each kind, by validation bits."""
    return _sweep(kinds, kilobytes=kilobytes, rates=rates, steps=steps, max_chars=max_chars, seed=seed)


@experiment(
    "01.equal_bytes_longer",
    smoke={"seeds": 1, "rates": {"RNN": [1e-2]}, "kilobytes": [20], "steps": 2, "max_chars": 30_000},
    page={"seeds": 1, "rates": {"RNN": [1e-2]}, "kilobytes": [50], "steps": 300, "max_chars": 1_000_000},
    full={"seeds": 3, "rates": {"window of 4": [4e-2], "window of 8": [4e-2], "RNN": [1e-2]},
          "kilobytes": KILOBYTES[1:2], "steps": 2800, "max_chars": 1_000_000},
)  # fmt: skip
def longer(
    *, seed: int, rates: dict[str, list[float]], kilobytes: list[int], steps: int, max_chars: int
) -> dict[str, Any]:
    """The sentence hoped for: of ``01.equal_bytes`` the order of windows and recurrent networks, and not that of the
    tables, comes from the short training; with four times the steps the recurrent network is ahead of both windows.

    It would be refuted by a window that is ahead of it with any seed, or by a network that is ahead of the table.

    Args:
        seed: Of weights and stretches.
        rates: From a kind to its learning rate, of ``01.equal_bytes_longer_rates``.
        kilobytes: Sizes.
        steps: Gradient steps of every network.
        max_chars: Characters of training text.

    Returns:
        As ``01.equal_bytes``.
    """
    return equal_bytes(seed=seed, rates=rates, kilobytes=kilobytes, steps=steps, max_chars=max_chars)
