"""Count tables made small: entries that hardly help are dropped, and what is left is stored in as few bytes as we can.

:class:`~rnncourse.data.ngrams.InterpolatedNgram` keeps eight bytes a key and arrays that can be derived from others.
Whoever compares a table with a network by their bytes owes the table better than that.
"""

import lzma
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from rnncourse.data.dataset import Dataset
from rnncourse.data.ngrams import InterpolatedNgram, _Table
from rnncourse.signatures import checked

_FILTERS = [{"id": lzma.FILTER_LZMA2, "preset": 9}]


@checked
def pruned(model: InterpolatedNgram, least: float) -> InterpolatedNgram:
    r"""A model without the entries whose use is small.

    .. math:: g(s c) = N(s c) \log_2 \frac{N(s c) + D(s)\, p}{(N(s c) + D(s))\, p}, \qquad p = P_{k-1}(c \mid s')

    where :math:`N(s c)` is how often character c followed the context s in the training text, :math:`D(s)` the weight
    that s leaves to the context one character shorter, :math:`s'`, and p what that one says. These are the bits that
    the entry saves on its own occurrences in the training text: without it, its count is added to the weight,

    .. math:: P_k(c \mid s) = \frac{N(s c) + D'(s)\, p}{N'(s) + D'(s)}, \quad D'(s) = D(s) + N(s) - N'(s)

    where :math:`N'(s)` adds up the counts that are left, so that the probabilities still add up to 1. What is left is a
    model of the same form. All single characters stay.

    Args:
        model: A fitted model; it stays as it is.
        least: The bits that an entry must save to stay.

    Returns:
        The smaller model.

    Raises:
        ValueError: If the model has counted nothing yet.

    References:
        Seymore and Rosenfeld, Scalable backoff language models, 1996, drop entries by such a weighted difference (from
        secondary sources).

    Example:
        >>> import torch
        >>> model = InterpolatedNgram(3, 2).fit(torch.tensor([0, 0, 1, 0, 1, 1, 0, 1] * 9))
        >>> [len(table.pairs) for table in pruned(model, 10.0)._tables]
        [2, 2, 2]
    """
    if not model._tables:
        raise ValueError("model has counted nothing yet; it should be fitted first")
    size = model.alphabet_size
    smaller = InterpolatedNgram(model.order, size)
    below = np.zeros(0)
    for order, table in enumerate(model._tables, start=1):
        lower = np.full(len(table.pairs), 1.0 / size)
        if order > 1:
            lower = below[np.searchsorted(model._tables[order - 2].pairs, table.pairs % size ** (order - 1))]
        place = np.searchsorted(table.contexts, table.pairs // size)
        varied = table.continuations[place].astype(float)
        current = (table.pair_counts + varied * lower) / (table.context_counts[place] + varied)
        without = (table.pair_counts + varied) * lower / (table.context_counts[place] + varied)
        useful = table.pair_counts * np.log2(current / without) >= least
        if order == 1:
            useful[:] = True
        dropped = np.bincount(place[~useful], table.pair_counts[~useful], minlength=len(table.contexts))
        weights = table.continuations + dropped.astype(np.uint32)
        smaller._tables.append(
            _table(table.pairs[useful], table.pair_counts[useful], size, weights[np.unique(place[useful])])
        )
        below = current
    return smaller


@checked
def to_bytes(model: InterpolatedNgram) -> bytes:
    """Stores a model in few bytes: keys as differences, numbers in as many bytes as they need, all of it compressed.

    Each order has its number of entries, the differences between its sorted keys, their counts, and for each context
    by how much the weight of the shorter one exceeds the number of entries; all in groups of seven bits, and the whole
    through LZMA. Contexts and their totals are not stored, since they follow from the entries.

    Args:
        model: A fitted model.

    Returns:
        All that :func:`from_bytes` needs besides the order and the size of the alphabet.

    Raises:
        ValueError: If the model has counted nothing yet.
    """
    if not model._tables:
        raise ValueError("model has counted nothing yet; it should be fitted first")
    parts = []
    for table in model._tables:
        if table.pair_counts.any():
            _, entries = np.unique(table.pairs // model.alphabet_size, return_counts=True)
            more = table.continuations - entries
            parts += [np.array([len(table.pairs)]), np.diff(table.pairs, prepend=0), table.pair_counts, more]
        else:
            parts.append(np.array([0]))
    return lzma.compress(_packed(np.concatenate(parts)), lzma.FORMAT_RAW, filters=_FILTERS)


@checked
def from_bytes(stored: bytes, order: int, alphabet_size: int) -> InterpolatedNgram:
    """Restores a model that :func:`to_bytes` stored.

    Args:
        stored: Its bytes.
        order: Its longest n-gram.
        alphabet_size: Number of characters.

    Returns:
        The model.

    Example:
        >>> import torch
        >>> model = InterpolatedNgram(2, 3).fit(torch.tensor([0, 1, 0, 1, 0, 2]))
        >>> again = from_bytes(to_bytes(model), 2, 3)
        >>> bool((again.probabilities(torch.tensor([0, 1])) == model.probabilities(torch.tensor([0, 1]))).all())
        True
    """
    numbers = _unpacked(lzma.decompress(stored, lzma.FORMAT_RAW, filters=_FILTERS))
    model = InterpolatedNgram(order, alphabet_size)
    for _ in range(order):
        entries, numbers = int(numbers[0]), numbers[1:]
        pairs, counts, numbers = np.cumsum(numbers[:entries]), numbers[entries : 2 * entries], numbers[2 * entries :]
        _, varied = np.unique(pairs // alphabet_size, return_counts=True)
        model._tables.append(_table(pairs, counts, alphabet_size, varied + numbers[: len(varied)]))
        numbers = numbers[len(varied) :]
    return model


class Fitted(NamedTuple):
    """A table that was made to fit.

    Attributes:
        model: What is left.
        bytes: How many bytes it takes as stored.
        least: The bits that an entry had to save.
    """

    model: InterpolatedNgram
    bytes: int
    least: float


@checked
def pruned_to(model: InterpolatedNgram, budget: int, halvings: int = 10) -> Fitted:
    """Prunes a model just so far that it can be stored in a number of bytes.

    Args:
        model: A fitted model.
        budget: Bytes that it may take.
        halvings: How often the interval in which the threshold lies is halved.

    Returns:
        The model and its bytes.

    Raises:
        ValueError: If not even the single characters fit.
    """
    whole = Fitted(model, len(to_bytes(model)), -np.inf)
    if whole.bytes <= budget:
        return whole
    most = 64.0 * float(sum(table.pair_counts.sum() for table in model._tables))  # no entry saves as much
    best = _fitted(model, most)
    if best.bytes > budget:
        raise ValueError(f"budget is {budget}; it should be at least {best.bytes}, what the single characters take")
    low, high = -10.0, float(np.log2(most))  # of the threshold's logarithm
    for _ in range(halvings):
        middle = (low + high) / 2
        found = _fitted(model, 2.0**middle)
        if found.bytes <= budget:
            best, high = found, middle
        else:
            low = middle
    return best


def best_tables(
    text: Dataset, orders: Sequence[int], budgets: Sequence[int], *, halvings: int = 10
) -> dict[str, list[float]]:
    """The best table of each size: every order is pruned to it, and the validation text chooses.

    Args:
        text: A data set of prose.
        orders: Longest n-grams to try.
        budgets: Bytes.
        halvings: As for :func:`pruned_to`.

    Returns:
        For each size the ``bits`` per character on the test text, the ``bytes`` as stored, and the ``order``.

    Raises:
        ValueError: If a size does not even hold the single characters.
    """
    models = [InterpolatedNgram(order, len(text.vocabulary)).fit(text.train.codes) for order in orders]
    found: dict[str, list[float]] = {"bits": [], "bytes": [], "order": []}
    for budget in budgets:
        tables = [pruned_to(model, budget, halvings=halvings) for model in models]
        best = min(tables, key=lambda table: table.model.bits_per_character(text.valid.codes))
        found["bits"].append(best.model.bits_per_character(text.test.codes))
        found["bytes"].append(float(best.bytes))
        found["order"].append(float(best.model.order))
    return found


def _fitted(model: InterpolatedNgram, least: float) -> Fitted:
    left = pruned(model, least)
    return Fitted(left, len(to_bytes(left)), least)


def _table(pairs: np.ndarray, counts: np.ndarray, size: int, weights: np.ndarray) -> _Table:
    """A table of these entries, with the weight that each context leaves to the shorter one; the totals are derived.

    A table without entries has one context that never occurs.
    """
    if not len(pairs):
        never, zero = np.array([-1], dtype=np.int64), np.zeros(1, dtype=np.uint32)
        return _Table(never, zero, never, zero, np.ones(1, dtype=np.uint32))
    contexts, starts = np.unique(pairs // size, return_index=True)
    totals = np.add.reduceat(counts.astype(np.int64), starts)
    return _Table(
        pairs.astype(np.int64),
        counts.astype(np.uint32),
        contexts.astype(np.int64),
        totals.astype(np.uint32),
        weights.astype(np.uint32),
    )


def _packed(numbers: np.ndarray) -> bytes:
    """Whole numbers ≥ 0 in groups of seven bits, the lowest first; a set eighth bit says that another group follows."""
    groups = (numbers.astype(np.uint64)[:, None] >> np.arange(0, 63, 7, dtype=np.uint64)) & np.uint64(127)
    used = np.maximum(9 - (groups[:, ::-1] != 0).argmax(1), 1)
    used[~(groups != 0).any(1)] = 1
    place = np.arange(9)
    groups |= np.where(place < used[:, None] - 1, np.uint64(128), np.uint64(0))
    return groups[place < used[:, None]].astype(np.uint8).tobytes()


def _unpacked(stored: bytes) -> np.ndarray:
    content = np.frombuffer(stored, dtype=np.uint8)
    last = np.flatnonzero(content < 128)
    first = np.append(0, last[:-1] + 1)
    place = np.arange(len(content)) - np.repeat(first, last - first + 1)
    groups = (content & 127).astype(np.int64) << (7 * place)
    return np.add.reduceat(groups, first)
