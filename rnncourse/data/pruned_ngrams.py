"""The best n-gram table of a size: Kneser and Ney's discounts, entries that hardly help dropped, the rest stored well.

Whoever compares a network with a table by their bytes owes the table as much care as the network.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Int
from torch import Tensor

from rnncourse.data.compact_ngrams import LONGEST, CompactNgram
from rnncourse.data.dataset import Dataset
from rnncourse.data.ngrams import InterpolatedNgram
from rnncourse.signatures import checked

_ROUNDS = 4  # of dropping: what is left explains more, and what looked useless may be needed


class _Order(NamedTuple):
    """All grams of one order in the training text, sorted, and where each of them has its shorter ones."""

    grams: np.ndarray
    counts: np.ndarray
    context: np.ndarray  # the place of its context among the distinct ones
    suffix: np.ndarray  # the place, one order below, of the gram without its oldest character
    prefix: np.ndarray  # and without its newest: the context as a gram
    discounts: np.ndarray  # from how often it was seen, 0 to 3 or more
    opening: int  # the place of the gram that opens the text


class CountedNgrams:
    r"""The n-grams of a text, counted once, to be pruned as far as one likes.

    A table explains each character by the longest context that has an entry for it, and what that leaves is passed on
    to the next shorter one:

    .. math::

        P_k(c \mid s) = \frac{N(s c) - D(N(s c))}{N(s)} + L(s)\, P_{k-1}(c \mid s'), \qquad
        N(s' c) = \sum_{x} \begin{cases} 1 & x s' c \text{ has an entry} \\ N(x s' c) & \text{otherwise}\end{cases}

    where :math:`N` of the longest grams are their counts in the text, :math:`N(s)` adds up those after s, :math:`D` is
    Chen and Goodman's discount for counts of 1, 2, and more, and :math:`L(s)` is what the discounts and the characters
    without an entry leave. The first term is there for entries only. With no entry dropped this is modified Kneser–Ney
    smoothing. The gram that opens the text counts once more, since nothing is before it. D is taken once, with every
    entry there, and kept between 0.1 and the count (a half each where no count is 1, 2 or 3).

    Args:
        codes: Characters as numbers from 0 to ``alphabet_size - 1``, at least ``order`` of them.
        order: Longest n-gram.
        alphabet_size: Number of characters.

    Raises:
        ValueError: If the text is shorter than the order, or a number outside the alphabet, or n-grams of this order do
            not fit in 63 bits.

    References:
        Kneser and Ney, Improved backing-off for m-gram language modeling, 1995; Chen and Goodman, An empirical study of
        smoothing techniques for language modeling, 1999, for the three discounts; Siivola, Hirsimäki and Virpioja, On
        growing and pruning Kneser–Ney smoothed n-gram models, 2007, for passing on what a dropped entry had explained
        (all from secondary sources).

    Example:
        >>> import torch
        >>> counted = CountedNgrams(torch.tensor([0, 0, 1, 0, 1, 1, 0, 1] * 50), order=4, alphabet_size=2)
        >>> [counted.pruned(least).entries for least in (0.0, 60.0, 1e9)]
        [20, 12, 2]
    """

    @checked
    def __init__(self, codes: Int[Tensor, " characters"], order: int, alphabet_size: int) -> None:
        reader = InterpolatedNgram(order, alphabet_size)  # refuses what does not fit
        text = reader._check(codes)
        if len(text) < order:
            raise ValueError(f"codes has {len(text)} characters; it should have at least order = {order}")
        self.order, self.alphabet_size = order, alphabet_size
        self._orders: list[_Order] = []
        below = np.zeros(1, dtype=np.int64)
        for length in range(1, order + 1):
            all_grams = reader._grams(text, length)
            grams, counts = np.unique(all_grams, return_counts=True)
            self._orders.append(
                _Order(
                    grams,
                    counts,
                    context=np.unique(grams // alphabet_size, return_inverse=True)[1],
                    suffix=np.searchsorted(below, grams % alphabet_size ** (length - 1)),
                    prefix=np.searchsorted(below, grams // alphabet_size),
                    discounts=np.zeros(4),
                    opening=int(np.searchsorted(grams, all_grams[0])),
                )
            )
            below = grams
        counts = self._passed_on([np.ones(len(one.grams), dtype=bool) for one in self._orders])
        self._orders = [
            one._replace(discounts=_discounts(count)) for one, count in zip(self._orders, counts, strict=True)
        ]

    @checked
    def pruned(self, least: float) -> CompactNgram:
        r"""The table without the entries that save little, each of the others rounded to whole bits.

        .. math::

            g(s c) = N(s c) \log_2 \frac{E + L(s)\, p}{(L(s) + E)\, p}, \qquad
            b(s c) = \left\lfloor \log_2 \frac{E + L(s)\, p}{L(s)\, p} \right\rceil, \qquad
            E = \frac{N(s c) - D}{N(s)}, \quad p = P_{k-1}(c \mid s')

        The gain g is what an entry saves in bits on its own occurrences, beyond those that longer ones explain; the
        entry is stored as b. In g, p is that of the formula above; in b it is the probability under the shorter
        contexts as already rounded, so that each order makes up for the rounding of those below.

        Args:
            least: The bits that an entry must save to stay; those that a longer entry needs stay as well, and so do all
                single characters.

        Returns:
            The table.
        """
        keep = [np.ones(len(one.grams), dtype=bool) for one in self._orders]
        for part in range(1, _ROUNDS + 1):
            self._drop(keep, least * part / _ROUNDS)
        entries, size = [], self.alphabet_size
        below = np.full(1, 1 / size)
        for one, kept, (_, own, left) in zip(self._orders, keep, self._shares(keep), strict=True):
            lower = below[one.suffix]
            bits = np.where(kept, np.clip(np.rint(np.log2(1 + own / (left * lower))), 0, LONGEST), 0).astype(np.int64)
            raised = lower * np.exp2(bits)
            below = raised / (1 + np.bincount(one.context, raised - lower)[one.context])
            entries.append((one.grams[kept], bits[kept]))
        return CompactNgram(size, entries)

    def _drop(self, keep: list[np.ndarray], least: float) -> None:
        """Drops the entries that save too little, and takes back those that longer ones need."""
        below = np.full(1, 1 / self.alphabet_size)
        for one, kept, (count, own, left) in zip(self._orders, keep, self._shares(keep), strict=True):
            lower = below[one.suffix]
            gain = count * np.log2((own + left * lower) / ((left + own) * lower))
            below = np.where(kept, own, 0) + left * lower
            kept &= gain >= least
        for one, kept, shorter in zip(self._orders[:0:-1], keep[:0:-1], keep[-2::-1], strict=True):
            shorter[one.suffix[kept]] = True
            shorter[one.prefix[kept]] = True
        keep[0][:] = True

    def _shares(self, keep: list[np.ndarray]) -> list[tuple[np.ndarray, np.ndarray, np.ndarray]]:
        """For each order and gram: what it has to explain, what its entry would give, and what its context leaves."""
        shares = []
        for one, kept, count in zip(self._orders, keep, self._passed_on(keep), strict=True):
            total = np.bincount(one.context, count)
            discount = np.minimum(one.discounts[np.minimum(count, 3)], count)
            left = np.bincount(one.context, np.where(kept, discount, count)) / total
            shares.append((count, (count - discount) / total[one.context], left[one.context]))
        return shares

    def _passed_on(self, keep: list[np.ndarray]) -> list[np.ndarray]:
        """What the grams of each order have to explain: at the longest all, below what is passed on to them."""
        counts = [self._orders[-1].counts]
        for longer, kept, one in zip(self._orders[:0:-1], keep[:0:-1], self._orders[-2::-1], strict=True):
            passed = np.where(kept, 1, counts[-1])
            count = np.bincount(longer.suffix, passed, minlength=len(one.grams)).astype(np.int64)
            count[one.opening] += 1  # nothing is before it
            counts.append(count)
        return counts[::-1]


class Fitted(NamedTuple):
    """A table that was made to fit.

    Attributes:
        model: What is left.
        bytes: How many bytes it takes as stored.
        least: The bits that an entry had to save.
    """

    model: CompactNgram
    bytes: int
    least: float


@checked
def pruned_to(counted: CountedNgrams, budget: int, halvings: int = 10) -> Fitted:
    """Prunes a table just so far that it can be stored in a number of bytes.

    Args:
        counted: The n-grams of a text.
        budget: Bytes that it may take.
        halvings: How often the interval in which the threshold lies is halved.

    Returns:
        The table and its bytes.

    Raises:
        ValueError: If not even the single characters fit.
    """

    def fitted(least: float) -> Fitted:
        model = counted.pruned(least)
        return Fitted(model, len(model.to_bytes()), least)

    characters = int(counted._orders[0].counts.sum())
    best = fitted(64.0 * characters)  # no entry saves as much
    if best.bytes > budget:
        raise ValueError(f"budget is {budget}; it should be at least {best.bytes}, what the single characters take")
    low, high = -4.0, np.log2(64.0 * characters)  # of the threshold's logarithm
    for _ in range(halvings):
        middle = (low + high) / 2
        found = fitted(2.0**middle)
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
    counted = [CountedNgrams(text.train.codes, order, len(text.vocabulary)) for order in orders]
    found: dict[str, list[float]] = {"bits": [], "bytes": [], "order": []}
    for budget in budgets:
        tables = [pruned_to(one, budget, halvings=halvings) for one in counted]
        best = min(tables, key=lambda table: table.model.bits_per_character(text.valid.codes))
        found["bits"].append(best.model.bits_per_character(text.test.codes))
        found["bytes"].append(float(best.bytes))
        found["order"].append(float(best.model.order))
    return found


def _discounts(counts: np.ndarray) -> np.ndarray:
    """What is taken from a count of 0, 1, 2, and 3 or more; a half each where too few are as small as that."""
    ones, twos, threes, fours = (int((counts == count).sum()) for count in (1, 2, 3, 4))
    if not (ones and twos and threes):
        return np.array([0.0, 0.5, 0.5, 0.5])
    share = ones / (ones + 2 * twos)
    found = [1 - 2 * share * twos / ones, 2 - 3 * share * threes / twos, 3 - 4 * share * fours / threes]
    return np.array([0.0, *np.clip(found, 0.1, [1.0, 2.0, 3.0])])
