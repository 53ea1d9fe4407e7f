"""Scores of predicted sequences: edit distance, phoneme and word error rate, and the F1 of word boundaries."""

from collections.abc import Hashable, Sequence
from typing import Any, NamedTuple

import numpy as np
from torch import Tensor

from rnncourse.signatures import checked


class ErrorRates(NamedTuple):
    """Errors of transduced words.

    Attributes:
        per: Edits needed, over the symbols of the references: the phoneme (or character) error rate; 0 is perfect, and
            it can exceed 1.
        wer: Share of words that are not exactly right.
    """

    per: float
    wer: float


@checked
def edit_distances(predicted: Sequence[Sequence[Any]], references: Sequence[Sequence[Any]]) -> np.ndarray:
    r"""Levenshtein distance of each pair, all pairs side by side.

    .. math::

        d_{i,j} = \min(d_{i-1,j} + 1,\; d_{i,j-1} + 1,\; d_{i-1,j-1} + [a_i \ne b_j]), \qquad d_{i,0} = i, \; d_{0,j} =
        j

    where :math:`a` is the predicted sequence, :math:`b` the reference, and :math:`d_{i,j}` the distance of their first
    :math:`i` and :math:`j` symbols. The minimum over insertions within a row is a running minimum of :math:`d_{i,j} -
    j`.

    Args:
        predicted: Sequences of hashable symbols, possibly empty; lists, strings, arrays or tensors alike.
        references: As many sequences.

    Returns:
        Distances, shape (pairs,), int64.

    Raises:
        ValueError: There are not as many references as predictions, or none.

    References:
        Levenshtein 1966; the recursion is Wagner and Fischer's, 1974.

    Example:
        >>> edit_distances(["kitten", "abc"], ["sitting", ""]).tolist()
        [3, 3]
    """
    predicted = [_symbols("predicted", one) for one in predicted]
    references = [_symbols("references", one) for one in references]
    if len(predicted) != len(references) or not predicted:
        raise ValueError(f"predicted has {len(predicted)} sequences and references {len(references)}; "
                         "both should have the same number, at least 1")  # fmt: skip
    numbers: dict[Any, int] = {}
    left, left_lengths = _numbered(predicted, numbers)
    right, right_lengths = _numbered(references, numbers)
    columns = np.arange(right.shape[1] + 1)
    row = np.broadcast_to(columns, (len(left), len(columns))).copy()
    answer = np.where(left_lengths == 0, right_lengths, 0)
    for step in range(left.shape[1]):
        fresh = row + 1
        changed = left[:, step : step + 1] != right
        fresh[:, 1:] = np.minimum(fresh[:, 1:], row[:, :-1] + changed)
        row = np.minimum.accumulate(fresh - columns, axis=1) + columns
        ended = left_lengths == step + 1
        answer[ended] = row[ended, right_lengths[ended]]
    return answer


def _listed(sequence: Any) -> Any:
    """Arrays and tensors as lists: two tensors' elements are never the same object, whatever they hold."""
    return sequence.tolist() if isinstance(sequence, (np.ndarray, Tensor)) else sequence


def _symbols(name: str, sequence: Any) -> list[Any]:
    """A sequence's symbols, numbers that are tensors or NumPy's as Python's."""
    symbols = [_listed(one) if getattr(one, "ndim", None) == 0 else one for one in _listed(sequence)]
    for symbol in symbols:
        if not isinstance(symbol, Hashable):
            raise ValueError(
                f"{name} holds a {type(symbol).__name__}; a symbol should be hashable, a string or a number"
            )
    return symbols


def _numbered(sequences: Sequence[Sequence[Any]], numbers: dict[Any, int]) -> tuple[np.ndarray, np.ndarray]:
    lengths = np.array([len(sequence) for sequence in sequences])
    table = np.full((len(sequences), max(1, lengths.max())), -1)
    for place, sequence in enumerate(sequences):
        table[place, : len(sequence)] = [numbers.setdefault(symbol, len(numbers)) for symbol in sequence]
    return table, lengths


@checked
def edit_distance(predicted: Sequence[Any], reference: Sequence[Any]) -> int:
    """Fewest insertions, deletions and substitutions that turn one sequence into another.

    Args:
        predicted: A sequence of hashable symbols.
        reference: Another.

    Returns:
        The distance.

    Example:
        >>> edit_distance("intention", "execution")
        5
    """
    _symbols("reference", reference)
    return int(edit_distances([predicted], [reference])[0])


@checked
def error_rates(predicted: Sequence[Sequence[Any]], references: Sequence[Sequence[Sequence[Any]]]) -> ErrorRates:
    """Symbol and word error rate, each word judged by the acceptable reference that it comes closest to.

    Args:
        predicted: One sequence a word.
        references: For each word its acceptable sequences, at least one, the first of them not empty.

    Returns:
        The two rates.

    Raises:
        ValueError: The numbers of words differ, there is none, or a word has no reference.

    References:
        Yao and Zweig 2015 score CMUdict words with several pronunciations this way (from secondary sources).

    Example:
        >>> error_rates(["abc", "d"], [["abd"], ["e", "d"]])
        ErrorRates(per=0.25, wer=0.5)
    """
    predicted, references = _listed(predicted), [_listed(choices) for choices in _listed(references)]
    if len(predicted) != len(references) or not predicted or not all(references):
        raise ValueError(
            f"predicted has {len(predicted)} words and references {len(references)}; both should have the same number, "
            "at least 1, and every word at least one reference"
        )
    pairs = [(word, choice) for word, choices in enumerate(references) for choice in choices]
    distances = edit_distances([predicted[word] for word, _ in pairs], [choice for _, choice in pairs])
    words = np.array([word for word, _ in pairs])
    lengths = np.array([len(choice) for _, choice in pairs])
    order = np.lexsort((lengths, distances, words))
    best = order[np.unique(words[order], return_index=True)[1]]
    return ErrorRates(float(distances[best].sum() / max(1, lengths[best].sum())), float((distances[best] > 0).mean()))


@checked
def word_f1(predicted: Sequence[Sequence[Any]], truth: Sequence[Sequence[Any]]) -> float:
    r"""F1 of words found in texts without spaces: a word counts only if both its ends are right and nothing cuts it.

    .. math::

        F_1 = \frac{2\,|W \cap \hat W|}{|W| + |\hat W|}

    where :math:`W` are the true words as (text, start, end) and :math:`\hat W` the predicted ones.

    Args:
        predicted: For each text, a 0 or 1 for each letter: whether a word ends after it; a list, array or tensor.
        truth: The same, as it should be. The last letter ends a word in either.

    Returns:
        F1 from 0 to 1.

    Raises:
        ValueError: The numbers of texts or letters differ.

    Example:
        >>> word_f1([np.array([0, 1, 0, 0, 1])], [np.array([0, 1, 0, 1, 1])])
        0.4
    """
    if len(predicted) != len(truth):
        raise ValueError(
            f"predicted has {len(predicted)} texts and truth {len(truth)}; both should have the same number"
        )
    right = total = 0
    for guess, real in zip(predicted, truth, strict=True):
        if len(guess) != len(real):
            raise ValueError(f"predicted has a text of {len(guess)} letters where truth has {len(real)}")
        found, words = _spans(guess), _spans(real)
        right += len(found & words)
        total += len(found) + len(words)
    return 2 * right / total if total else 0.0


def _spans(ends: np.ndarray) -> set[tuple[int, int]]:
    stops = np.flatnonzero(np.append(np.asarray(ends)[:-1], 1)) + 1
    return set(zip([0, *stops[:-1].tolist()], stops.tolist(), strict=True))
