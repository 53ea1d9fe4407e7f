"""An n-gram table in few bytes: an entry is a whole number, by how many bits it raises what a shorter context says."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int
from torch import Tensor

from rnncourse.data.arithmetic_coding import DecisionReader, DecisionWriter
from rnncourse.data.ngrams import InterpolatedNgram, _find
from rnncourse.signatures import checked

LONGEST = 63
"""The most bits that an entry may add; no text needs as many."""


class _Level(NamedTuple):
    """The entries of one order, sorted: each gram (context and character as one number) with the bits that it adds."""

    grams: np.ndarray
    bits: np.ndarray


class CompactNgram:
    r"""Character n-grams that are stored as corrections of the next shorter context, in whole bits.

    .. math::

        P_k(c \mid s) = \frac{2^{b(s c)}\, P_{k-1}(c \mid s')}{Z(s)}, \qquad
        Z(s) = \sum_{c} 2^{b(s c)}\, P_{k-1}(c \mid s'), \qquad P_0(c) = \frac{1}{V}

    where :math:`s` is the context of the last :math:`k-1` characters, :math:`s'` the same without its oldest character,
    :math:`b(s c)` the entry of c after s, 0 if there is none, and :math:`V` the size of the alphabet. A context
    without entries leaves :math:`P_{k-1}` as it is. Where there is an entry for :math:`s c`, there are entries for
    :math:`s' c` and for s itself, which is what makes it cheap to say which entries there are.

    :func:`~rnncourse.data.pruned_ngrams.best_tables` makes such tables from a text.

    Args:
        alphabet_size: Number of characters :math:`V`.
        entries: For each order from 1 on, the grams as numbers below ``alphabet_size ** order``, sorted, and the bits
            of each, 0 to 63.

    Raises:
        ValueError: If an entry lacks its shorter ones or is out of order, or its bits are out of range.

    Example:
        >>> import torch
        >>> model = CompactNgram(2, [(np.array([0, 1]), np.array([1, 0])), (np.array([1]), np.array([2]))])
        >>> [round(float(p), 4) for p in model.probabilities(torch.tensor([0, 0, 1]))]  # 2:1; then 2:4 after a zero
        [0.6667, 0.3333, 0.6667]
    """

    @checked
    def __init__(self, alphabet_size: int, entries: list[tuple[np.ndarray, np.ndarray]]) -> None:
        self._reader = InterpolatedNgram(len(entries), alphabet_size)  # refuses what does not fit
        self.alphabet_size, self.order = alphabet_size, len(entries)
        self._levels = [_Level(grams, bits) for grams, bits in entries]
        self._contexts: list[np.ndarray] = []
        self._normalisers: list[np.ndarray] = []
        below = np.ones(1)
        for order, (grams, bits) in enumerate(self._levels, start=1):
            shorter = _shorter(self._levels, order)
            if len(grams) != len(bits) or (np.diff(grams) <= 0).any() or not ((bits >= 0) & (bits <= LONGEST)).all():
                raise ValueError(f"entries of order {order} are not sorted, or not each with 0 to {LONGEST} bits")
            if order == 1:
                if len(grams) and not 0 <= grams[0] <= grams[-1] < alphabet_size:
                    raise ValueError(f"entries of order 1 are {grams[0]}..{grams[-1]}; they should be characters")
                lower = np.full(len(grams), 1 / alphabet_size)
            else:
                suffix, prefix = grams % alphabet_size ** (order - 1), grams // alphabet_size
                if not (np.isin(suffix, shorter) & np.isin(prefix, shorter)).all():
                    raise ValueError(f"entries of order {order} should have their shorter ones among order {order - 1}")
                lower = below[np.searchsorted(shorter, suffix)]
            raised = lower * np.exp2(bits)
            contexts, which = np.unique(grams // alphabet_size, return_inverse=True)
            normalisers = 1 + np.bincount(which, raised - lower, minlength=len(contexts))
            below = raised / normalisers[which]
            self._contexts.append(contexts)
            self._normalisers.append(normalisers)

    def __repr__(self) -> str:
        return f"CompactNgram({self.alphabet_size}, order={self.order}, entries={self.entries})"

    @property
    def entries(self) -> int:
        """How many entries there are, of all orders."""
        return sum(len(level.grams) for level in self._levels)

    @checked
    def probabilities(self, codes: Int[Tensor, " characters"]) -> Float[np.ndarray, " characters"]:
        """Probability that the model gives to each character of a text, having seen those before it.

        Args:
            codes: Shape (characters,).

        Returns:
            Shape (characters,), each in (0, 1].

        Raises:
            ValueError: If a number is outside the alphabet.
        """
        text = self._reader._check(codes)
        current = np.full(len(text), 1 / self.alphabet_size)
        tables = zip(self._levels, self._contexts, self._normalisers, strict=True)
        for order, (level, contexts, normalisers) in enumerate(tables, start=1):
            if len(text) < order or not len(level.grams):
                break
            grams = self._reader._grams(text, order)
            place, known = _find(level.grams, grams)
            added = np.where(known, level.bits[place], 0)
            place, known = _find(contexts, grams // self.alphabet_size)
            current[order - 1 :] *= np.exp2(added) / np.where(known, normalisers[place], 1.0)
        return current

    @checked
    def bits_per_character(self, codes: Int[Tensor, " characters"]) -> float:
        """Mean of −log2 of the probabilities: the length of the text in bits under this model, per character.

        Args:
            codes: Shape (characters,).

        Returns:
            Bits per character, at least 0.
        """
        return float(-np.log2(self.probabilities(codes)).mean())

    def to_bytes(self) -> bytes:
        """Stores the model, order by order: which of the possible entries there are, then the bits of each.

        Possible is what has its shorter entries. Whether it is there is a decision, coded by how many bits the shorter
        entry adds and how many possible ones the context has. Its bits b are b times yes and then a no, each coded by
        the order, the shorter entry's bits, and how many yes came before.

        Returns:
            All that :meth:`from_bytes` needs besides the order and the size of the alphabet.
        """
        writer = DecisionWriter()
        for order, level in enumerate(self._levels, start=1):
            possible, keys, below = _possible(self._levels, order, self.alphabet_size)
            there = np.isin(possible, level.grams)
            writer.write(there, keys)
            times = level.bits + 1
            step = np.arange(times.sum()) - np.repeat(np.cumsum(times) - times, times)
            writer.write(step < np.repeat(level.bits, times), np.repeat(_bit_keys(order, below[there]), times) + step)
        return writer.finish()

    @classmethod
    def from_bytes(cls, stored: bytes, order: int, alphabet_size: int) -> "CompactNgram":
        """Restores a model that :meth:`to_bytes` stored.

        Args:
            stored: Its bytes.
            order: Its longest n-gram.
            alphabet_size: Number of characters.

        Returns:
            The model.

        Example:
            >>> entries = [(np.array([0, 1]), np.array([1, 0])), (np.array([1]), np.array([2]))]
            >>> stored = CompactNgram(2, entries).to_bytes()
            >>> len(stored), CompactNgram.from_bytes(stored, 2, 2)
            (2, CompactNgram(2, order=2, entries=3))
        """
        reader, levels = DecisionReader(stored), []
        for number in range(1, order + 1):
            possible, keys, below = _possible(levels, number, alphabet_size)
            there = reader.read(keys)
            bits = []
            for key in _bit_keys(number, below[there]).tolist():
                count = 0
                while reader.next(key + count):
                    count += 1
                bits.append(count)
            levels.append(_Level(possible[there], np.array(bits, dtype=np.int64)))
        return cls(alphabet_size, [tuple(level) for level in levels])


def _shorter(levels: list[_Level], order: int) -> np.ndarray:
    """The grams of the order below; that of order 0 is empty."""
    return levels[order - 2].grams if order > 1 else np.zeros(1, dtype=np.int64)


def _possible(levels: list[_Level], order: int, size: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The grams that may have an entry, the key of each one's decision, and the bits of its shorter entry."""
    contexts = _shorter(levels, order)
    if order == 1:
        return np.arange(size), np.zeros(size, dtype=np.int64), np.zeros(size, dtype=np.int64)
    grams, bits = levels[order - 2]
    first, last = (
        np.searchsorted(grams // size, contexts % size ** (order - 2), side=side) for side in ("left", "right")
    )
    count = last - first
    place = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count) + np.repeat(first, count)
    possible = np.repeat(contexts, count) * size + grams[place] % size
    many = np.repeat(np.searchsorted([2, 4, 8, 16, 32], count, side="right"), count)
    return possible, -(1000 * order + 10 * np.minimum(bits[place], 12) + many), bits[place]


def _bit_keys(order: int, below: np.ndarray) -> np.ndarray:
    """The key of the first decision on an entry's bits; the others follow. (Those on entries are negative.)"""
    return (20 * order + np.minimum(below, 12)) * (LONGEST + 1)
