"""The network of chapter 2 against tables that are pruned and stored compactly, and what it makes of its context."""

from functools import cache
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from rnncourse.chapters.c01_feedforward_to_recurrent.experiments.character_training import learn_prose, prose
from rnncourse.chapters.c01_feedforward_to_recurrent.experiments.storage import BITS, stored
from rnncourse.chapters.c01_feedforward_to_recurrent.experiments.tuning import tune
from rnncourse.chapters.c02_vanilla_rnn.experiments.language_modelling import bits_with_context, character_model
from rnncourse.data.compact_ngrams import best_tables
from rnncourse.data.compressors import primed_bits
from rnncourse.data.dataset import Dataset
from rnncourse.models import LanguageModel
from rnncourse.models.text import text_bits
from rnncourse.results import experiment
from rnncourse.training import History

CONTEXTS = (1, 2, 4, 6, 8, 10, 12, 16, 24, 32, 48)
"""Characters of context that are compared with all :data:`REACH`."""

REACH = 64

DEPENDS = 0.1
"""A prediction depends on what is cut when its surprise changes by more than so many bits."""

RATES = [2e-3, 5e-3, 1e-2, 2e-2, 4e-2]


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


class Cut(NamedTuple):
    """What cutting the context does to the surprise at the next character.

    Attributes:
        excess: Its mean, in bits, over that with the whole context: what the network would profit from the rest.
        error: The standard error of that mean over places.
        depends: The share of places at which it changes by more than :data:`DEPENDS` bits, up or down.
    """

    excess: list[float]
    error: list[float]
    depends: list[float]


@torch.no_grad()
def cut_context(
    model: nn.Module, codes: Tensor, *, count: int, contexts: tuple[int, ...] = CONTEXTS, reach: int = REACH
) -> Cut:
    """Compares place by place the surprise with little context and with much.

    Args:
        model: A language model.
        codes: The text as numbers, of shape (characters,).
        count: Places, spread evenly over the text; at least 2.
        contexts: Numbers of characters of context, each below the reach.
        reach: Characters of the whole context.

    Returns:
        A number for each context.

    Raises:
        ValueError: If the text is too short, or there are fewer than two places.
    """
    if count < 2 or len(codes) <= reach or not all(1 <= size < reach for size in contexts):
        raise ValueError(
            f"count is {count}, the text has {len(codes)} characters and contexts is {contexts}; there should be 2 "
            f"places and {reach + 1} characters at least, and every context should be from 1 to {reach - 1}"
        )
    places = torch.linspace(reach, len(codes) - 1, count).long()
    whole = _surprise(model, codes, places, reach)
    excess, error, depends = [], [], []
    for size in contexts:
        more = _surprise(model, codes, places, size) - whole
        excess.append(float(more.mean()))
        error.append(float(more.std() / count**0.5))
        depends.append(float((more.abs() > DEPENDS).double().mean()))
    return Cut(excess, error, depends)


def _surprise(model: nn.Module, codes: Tensor, places: Tensor, size: int) -> Tensor:
    """Bits at each place after so many characters."""
    windows = codes[places[:, None] - size + torch.arange(size)]  # (places, size)
    nats = [
        F.cross_entropy(model(part)[0][:, -1], target, reduction="none")
        for part, target in zip(windows.split(500), codes[places].split(500), strict=True)
    ]
    return torch.cat(nats).double() / torch.log(torch.tensor(2.0, dtype=torch.float64))


@cache
def _tables(max_chars: int | None, orders: tuple[int, ...], budgets: tuple[int, ...]) -> dict[str, list[float]]:
    """The table that validates best within each number of bytes."""
    return best_tables(prose(max_chars), orders, budgets, halvings=8)


@cache
def _compressors(max_chars: int | None) -> dict[str, float]:
    text = prose(max_chars)
    return primed_bits(text.train.text, text.test.text)


def shuffled_context(model: nn.Module, codes: Tensor, *, count: int, seed: int) -> list[float]:
    """Bits with all :data:`REACH` characters, those older than each of :data:`CONTEXTS` shuffled.

    Args:
        model: A language model.
        codes: The text as numbers, of shape (characters,).
        count: Places, spread evenly over the text.
        seed: Of the shuffling.

    Returns:
        Bits per character for each context.
    """
    places = torch.linspace(REACH, len(codes) - 1, count).long()
    generator = torch.Generator().manual_seed(seed)
    return [bits_with_context(model, codes, places, size, reach=REACH, generator=generator) for size in CONTEXTS]


@experiment(
    "02.compact_rates",
    smoke={"seeds": 1, "rates": [5e-3, 1e-2], "steps": 2, "hidden_size": 16, "max_chars": 30_000},
    page={"seeds": 1, "rates": [1e-2, 2e-2], "steps": 200, "hidden_size": 192, "max_chars": 1_000_000},
    full={"seeds": 1, "rates": RATES, "steps": 2500, "hidden_size": 256, "max_chars": None},
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
    smoke={"seeds": 1, "steps": 3, "hidden_size": 16, "lr": 1e-2, "max_chars": 30_000, "orders": [2, 3], "count": 50},
    page={"seeds": 1, "steps": 300, "hidden_size": 192, "lr": 1e-2, "max_chars": 1_000_000, "orders": [5],
          "count": 2_000},
    full={"seeds": 3, "steps": 2500, "hidden_size": 256, "lr": 5e-3, "max_chars": None, "orders": [5, 7],
          "count": 20_000},
)  # fmt: skip
def compact(
    *, seed: int, steps: int, hidden_size: int, lr: float, max_chars: int | None, orders: list[int], count: int
) -> dict[str, Any]:
    """The sentence hoped for: trained on the whole text, the network predicts better than any table that is pruned and
    stored in as many bytes, whether its weights take 32, 16 or 8 bits each; and beyond some ten characters it still
    depends on its context at many places, but hardly profits from it.

    Fair by bytes as stored. The first half would be refuted, at each width, by a table of as many bytes with fewer bits
    than every seed of the network; the second by an excess at ten characters of more than a hundredth of a bit and
    two standard errors, or by fewer than one place in twenty at which the surprise moves.

    Args:
        seed: Of weights and windows.
        steps: Gradient steps.
        hidden_size: Hidden units.
        lr: Learning rate, of ``02.compact_rates``.
        max_chars: Characters of training text, None for all.
        orders: Longest n-grams of the tables to try; validation chooses.
        count: Places at which the context is cut.

    Returns:
        For 32, 16 and 8 bits a weight, each a list of three: ``rnn`` (bits per character on the test text) and
        ``rnn_bytes``; ``table``, ``table_bytes`` and ``table_order`` of the best table within as many bytes; and for
        each of :data:`CONTEXTS` the ``excess``, its standard ``error``, and the share of places that ``depends``.
    """
    text = prose(max_chars)
    model, _ = train_tuned(text, hidden_size=hidden_size, steps=steps, lr=lr, seed=seed)
    forms = [stored(model, bits) for bits in BITS]
    tables = _tables(max_chars, tuple(orders), tuple(form.bytes for form in forms))
    cut = cut_context(model, text.test.codes, count=count)
    return {
        "rnn": [text_bits(form.model, text.test.codes) for form in forms],
        "rnn_bytes": [float(form.bytes) for form in forms],
        "table": tables["bits"],
        "table_bytes": tables["bytes"],
        "table_order": tables["order"],
        **cut._asdict(),
        "shuffled": shuffled_context(model, text.test.codes, count=max(2, count // 4), seed=seed),
        **_compressors(max_chars),
    }
