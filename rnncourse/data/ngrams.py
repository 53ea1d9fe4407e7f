"""Interpolated character n-grams: the count tables that networks have to beat, and how many bytes they take."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int
from torch import Tensor

from rnncourse.signatures import checked


class _Table(NamedTuple):
    """Counts of one order, as sorted arrays that are searched by bisection."""

    pairs: np.ndarray  # context and character as one number, sorted
    pair_counts: np.ndarray
    contexts: np.ndarray  # sorted
    context_counts: np.ndarray
    continuations: np.ndarray  # distinct characters seen after each context

    @property
    def bytes(self) -> int:
        return sum(array.nbytes for array in self)


class NgramPoint(NamedTuple):
    """One point of bits against memory.

    Attributes:
        order: Longest n-gram; its context is ``order - 1`` characters.
        bits: Bits per character on the test text.
        bytes: Bytes of the count tables up to this order.
        contexts: Number of distinct contexts of this order.
    """

    order: int
    bits: float
    bytes: int
    contexts: int


class InterpolatedNgram:
    r"""Character n-grams of every order up to a limit, mixed by how varied each context is (Witten–Bell).

    .. math::

        P_k(c \mid s) = \frac{N(s c) + D(s)\, P_{k-1}(c \mid s')}{N(s) + D(s)}, \qquad P_0(c) = \frac{1}{V}

    where :math:`s` is the context of the last :math:`k-1` characters, :math:`s'` the same without its oldest character,
    :math:`N` counts occurrences in the training text, :math:`D(s)` is the number of distinct characters seen after
    :math:`s`, and :math:`V` is the size of the alphabet. A context never seen leaves :math:`P_{k-1}` as it is.

    Args:
        order: Longest n-gram, at least 1; the context is ``order - 1`` characters.
        alphabet_size: Number of characters :math:`V`.

    Raises:
        ValueError: The order is below 1, or so large that an n-gram does not fit in 63 bits.

    References:
        Witten and Bell, The zero-frequency problem, IEEE Transactions on Information Theory 37, 1991 (their method C);
        the recursive form is that of Chen and Goodman, An empirical study of smoothing techniques for language
        modeling, 1999 (both from secondary sources).

    Example:
        >>> import torch
        >>> model = InterpolatedNgram(2, 3).fit(torch.tensor([0, 1, 0, 1, 0, 2]))
        >>> [round(float(p), 4) for p in model.probabilities(torch.tensor([0, 1]))]
        [0.4444, 0.5333]
    """

    @checked
    def __init__(self, order: int, alphabet_size: int) -> None:
        if order < 1 or alphabet_size < 1 or alphabet_size**order >= 2**63:
            raise ValueError(
                f"order is {order} with alphabet_size {alphabet_size}; both should be at least 1, "
                "and alphabet_size ** order below 2 ** 63"
            )
        self.order, self.alphabet_size = order, alphabet_size
        self._tables: list[_Table] = []

    def _grams(self, codes: np.ndarray, order: int) -> np.ndarray:
        """Every window of ``order`` characters as one number, oldest character first."""
        grams = np.zeros(len(codes) - order + 1, dtype=np.int64)
        for shift in range(order):
            grams = grams * self.alphabet_size + codes[shift : shift + len(grams)]
        return grams

    @checked
    def fit(self, codes: Int[Tensor, " characters"]) -> "InterpolatedNgram":
        """Count the n-grams of a text.

        Args:
            codes: Characters as numbers from 0 to ``alphabet_size - 1``, at least ``order`` of them.

        Returns:
            This object.

        Raises:
            ValueError: The text is shorter than the order, or a number is outside the alphabet.
        """
        text = self._check(codes)
        if len(text) < self.order:
            raise ValueError(f"codes has {len(text)} characters; it should have at least order = {self.order}")
        self._tables = []
        for order in range(1, self.order + 1):
            pairs, pair_counts = np.unique(self._grams(text, order), return_counts=True)
            contexts, starts = np.unique(pairs // self.alphabet_size, return_index=True)
            context_counts = np.add.reduceat(pair_counts, starts)
            continuations = np.diff(np.append(starts, len(pairs)))
            self._tables.append(
                _Table(
                    pairs,
                    pair_counts.astype(np.uint32),
                    contexts,
                    context_counts.astype(np.uint32),
                    continuations.astype(np.uint16 if self.alphabet_size < 2**16 else np.uint32),
                )
            )
        return self

    def _check(self, codes: Tensor) -> np.ndarray:
        text = np.asarray(codes, dtype=np.int64)
        if text.ndim != 1 or len(text) == 0:
            raise ValueError(
                f"codes has shape {tuple(text.shape)}; it should be (characters,) with at least one character"
            )
        if text.min() < 0 or text.max() >= self.alphabet_size:
            raise ValueError(
                f"codes holds {text.min()}..{text.max()}; it should stay within 0..{self.alphabet_size - 1}"
            )
        return text

    def _by_order(self, codes: Tensor) -> list[np.ndarray]:
        """Probability of each character under the model cut at order 1, 2, …, ``order``."""
        if not self._tables:
            raise ValueError("this model has counted nothing yet; call fit first")
        text = self._check(codes)
        current = np.full(len(text), 1.0 / self.alphabet_size)
        levels = []
        for order, table in enumerate(self._tables, start=1):
            current = current.copy()
            if len(text) >= order:  # the first characters have shorter contexts, and keep the shorter model's answer
                grams = self._grams(text, order)
                count = _look_up(table.pairs, table.pair_counts, grams)
                place, known = _find(table.contexts, grams // self.alphabet_size)
                total = np.where(known, table.context_counts[place], 0).astype(float)
                varied = np.where(known, table.continuations[place], 1).astype(float)
                tail = current[order - 1 :]
                current[order - 1 :] = (count + varied * tail) / (total + varied)
            levels.append(current)
        return levels

    @checked
    def probabilities(self, codes: Int[Tensor, " characters"]) -> Float[np.ndarray, " characters"]:
        """Probability that the model gives to each character of a text, having seen those before it.

        Args:
            codes: Shape (characters,).

        Returns:
            Shape (characters,), each in (0, 1].

        Raises:
            ValueError: The model is not fitted, or a number is outside the alphabet.
        """
        return self._by_order(codes)[-1]

    @checked
    def bits_per_character(self, codes: Int[Tensor, " characters"]) -> float:
        """Mean of −log2 of the probabilities: the length of the text in bits under this model, per character.

        Args:
            codes: Shape (characters,).

        Returns:
            Bits per character, at least 0.
        """
        return float(-np.log2(self.probabilities(codes)).mean())

    def memory(self) -> dict[int, int]:
        """Bytes of the count table of each order.

        Returns:
            Order → bytes of its five arrays.
        """
        return {order: table.bytes for order, table in enumerate(self._tables, start=1)}

    @property
    def memory_bytes(self) -> int:
        """Bytes of all count tables together, as they lie in memory."""
        return sum(self.memory().values())


def _find(sorted_keys: np.ndarray, wanted: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Place of each wanted key, and whether it is there at all (the place of a missing one means nothing)."""
    place = np.minimum(np.searchsorted(sorted_keys, wanted), len(sorted_keys) - 1)
    return place, sorted_keys[place] == wanted


def _look_up(sorted_keys: np.ndarray, values: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    place, known = _find(sorted_keys, wanted)
    return np.where(known, values[place], 0)


@checked
def curve(
    train_codes: Int[Tensor, " train"],
    test_codes: Int[Tensor, " test"],
    *,
    alphabet_size: int,
    orders: Sequence[int] = range(1, 8),
) -> list[NgramPoint]:
    """Bits per character against bytes of memory, order by order, from one pass of counting.

    Args:
        train_codes: Text to count.
        test_codes: Text to score.
        alphabet_size: Number of characters.
        orders: Which orders to report, each at least 1.

    Returns:
        One point an order.

    Raises:
        ValueError: There is no order, or one is too large for the alphabet.

    Example:
        >>> import torch
        >>> text = torch.arange(400) % 4
        >>> [round(point.bits, 2) for point in curve(text, text, alphabet_size=4, orders=range(1, 3))]
        [2.0, 0.02]
    """
    if len(orders) == 0 or min(orders) < 1:
        raise ValueError(f"orders is {orders}; it should hold at least one order, each at least 1")
    for name, codes in (("train_codes", train_codes), ("test_codes", test_codes)):
        if not codes.numel() or int(codes.min()) < 0 or int(codes.max()) >= alphabet_size:
            raise ValueError(f"{name} is empty or holds numbers outside of 0..{alphabet_size - 1}")
    model = InterpolatedNgram(max(orders), alphabet_size).fit(train_codes)
    levels = model._by_order(test_codes)
    memory = model.memory()
    return [
        NgramPoint(
            order,
            float(-np.log2(levels[order - 1]).mean()),
            sum(memory[lower] for lower in range(1, order + 1)),
            len(model._tables[order - 1].contexts),
        )
        for order in orders
    ]
