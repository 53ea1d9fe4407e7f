"""Prose without its spaces: find the words again. The labels come for free."""

import re
from typing import NamedTuple

import numpy as np
import torch

from rnncourse.data.batches import Batch, mask_of, tagged
from rnncourse.data.card import Card
from rnncourse.data.dataset import Baseline, Dataset
from rnncourse.data.metrics import word_f1
from rnncourse.data.prose import CARD as PROSE_CARD
from rnncourse.data.prose import Passage, read_passages, take
from rnncourse.data.splits import Split, split_by_hash
from rnncourse.data.synthetic import check_at_least
from rnncourse.data.vocabulary import PAD, Vocabulary
from rnncourse.signatures import checked

CARD = Card(
    name="segmentation",
    title="Prose without spaces",
    kind="real",
    task="Letters of English prose in lower case, nothing between the words; say after each letter whether a word "
    "ends there.",
    citation=PROSE_CARD.citation,
    source=PROSE_CARD.source,
    size="790,480 words in 33,458 pieces of at most 100 letters",
    split=PROSE_CARD.split,
    data_license=PROSE_CARD.data_license,
    code_license=PROSE_CARD.code_license,
    sha256=PROSE_CARD.sha256,
    package=PROSE_CARD.package,
    version=PROSE_CARD.version,
    notes="Only letters are kept. Pieces are cut between words, so the last letter of a piece always ends one. "
    "Know the strong baseline: a dictionary of the train split's words and their frequencies, without any context, "
    "finds 99 % of the words (F1; `segmentation.dictionary_words`), because the text's vocabulary is small.",
)
LETTERS = "abcdefghijklmnopqrstuvwxyz"


class Piece(NamedTuple):
    """A run of words that is shown without its spaces.

    Attributes:
        words: The words in lower case, letters only.
    """

    words: tuple[str, ...]

    @property
    def letters(self) -> str:
        """What the network sees."""
        return "".join(self.words)

    @property
    def ends(self) -> np.ndarray:
        """1 for each letter that ends a word, else 0."""
        ends = np.zeros(len(self.letters), dtype=np.int64)
        ends[np.cumsum([len(word) for word in self.words]) - 1] = 1
        return ends


@checked
def pieces(text: str, max_letters: int) -> list[Piece]:
    """Cut a text into runs of whole words.

    Args:
        text: Any prose; everything but its letters separates words, save apostrophes, which vanish. The ligature æ
            becomes ae.
        max_letters: Most letters a piece, at least 1; a longer word is a piece of its own.

    Returns:
        The pieces, in order.

    Example:
        >>> [piece.words for piece in pieces("Let there be light: and there was light.", 12)]
        [('let', 'there', 'be'), ('light', 'and'), ('there', 'was'), ('light',)]
    """
    plain = text.lower().replace("'", "").replace("æ", "ae")
    cut: list[list[str]] = []
    room = 0
    for word in re.findall("[a-z]+", plain):
        if not cut or len(word) > room:
            cut.append([])
            room = max_letters
        cut[-1].append(word)
        room -= len(word)
    return [Piece(tuple(words)) for words in cut]


def _batch(items: list[Piece]) -> Batch:
    letters = "".join(piece.letters for piece in items)
    lengths = torch.tensor([len(piece.letters) for piece in items])
    mask = mask_of(lengths)
    inputs, targets = torch.zeros(mask.shape, dtype=torch.int64), torch.zeros(mask.shape, dtype=torch.int64)
    inputs[mask] = torch.from_numpy(np.frombuffer(letters.encode(), dtype=np.uint8).astype(np.int64)) - ord("a") + 1
    targets[mask] = torch.from_numpy(np.concatenate([piece.ends for piece in items]))
    return tagged(inputs, targets, lengths)


@checked
def letter_pair_ends(train: Batch, test: Batch) -> list[np.ndarray]:
    """Where a table of letter pairs puts the ends of words: wherever the pair was cut more often than not in training.

    Args:
        train: Pieces to count.
        test: Pieces to cut.

    Returns:
        For each test piece, 0 or 1 for each letter; its last letter is 1.
    """

    def pairs(batch: Batch) -> torch.Tensor:
        following = torch.cat([batch.inputs[:, 1:], torch.zeros(len(batch.inputs), 1, dtype=torch.int64)], dim=1)
        return batch.inputs * 27 + following

    seen = pairs(train)[train.mask]
    cuts = torch.bincount(seen, weights=train.targets[train.mask].double(), minlength=27 * 27)
    often = cuts / torch.bincount(seen, minlength=27 * 27).clamp(min=1) > 0.5
    guesses = often[pairs(test)].long()
    return [row[:length].numpy() for row, length in zip(guesses, test.lengths.tolist(), strict=True)]


@checked
def dictionary_words(train: list[Piece], test: list[Piece]) -> list[np.ndarray]:
    r"""Where the likeliest sequence of known words puts the ends: a dictionary without context.

    .. math::

        \hat w = \arg\max_{w_1 \dots w_n} \sum_i \log P(w_i)

    over all ways :math:`w_1 \dots w_n` of cutting the letters, with :math:`P` the words' frequency in training; an
    unknown word of :math:`\ell` letters counts as :math:`10 \cdot 27^{-\ell} / N`, with :math:`N` the number of
    training words.

    Args:
        train: Pieces whose words are counted.
        test: Pieces to cut.

    Returns:
        For each test piece, 0 or 1 for each letter.
    """
    counts: dict[str, int] = {}
    for piece in train:
        for word in piece.words:
            counts[word] = counts.get(word, 0) + 1
    total = sum(counts.values())
    logs = {word: float(np.log(count / total)) for word, count in counts.items()}
    longest = max(map(len, counts))
    unknown = [float(np.log(10 / total) - length * np.log(27)) for length in range(longest + 1)]
    answers = []
    for piece in test:
        letters = piece.letters
        best, back = [0.0], [0]
        for end in range(1, len(letters) + 1):
            choices = [
                (best[start] + logs.get(letters[start:end], unknown[end - start]), start)
                for start in range(max(0, end - longest), end)
            ]
            value, start = max(choices)
            best.append(value)
            back.append(start)
        ends = np.zeros(len(letters), dtype=np.int64)
        end = len(letters)
        while end:
            ends[end - 1] = 1
            end = back[end]
        answers.append(ends)
    return answers


@checked
def load(*, source: str = "king-james", max_chars: int | None = None, max_letters: int = 100) -> Dataset:
    """Prose without spaces, one tag a letter: does a word end here?

    Args:
        source: As for the data set ``"prose"``.
        max_chars: Train on whole chapters until they hold so many characters (spaces included); valid and test a tenth
            of it each.
        max_letters: Most letters a piece.

    Returns:
        The data set; its cheap baselines are majority and a table of letter pairs. :func:`dictionary_words` is the
        strong one.

    Raises:
        ValueError: The source is unknown or a size below 1.
    """
    check_at_least("max_letters", max_letters, 1)
    if max_chars is not None:
        check_at_least("max_chars", max_chars, 1)
    card, passages = read_passages(source, "segmentation")
    limits = {"train": max_chars, "valid": None, "test": None}
    if max_chars is not None:
        limits["valid"] = limits["test"] = max(1, max_chars // 10)
    chapters: dict[str, list[Passage]] = split_by_hash(passages, key=lambda passage: passage.key)
    items = {
        name: [piece for passage in take(part, limits[name]) for piece in pieces(passage.text, max_letters)]
        for name, part in chapters.items()
    }
    splits = {name: Split(_batch(part), part) for name, part in items.items()}
    train, test = splits["train"].batch(), splits["test"].batch()
    truth = [piece.ends for piece in items["test"]]
    share = float((test.targets[test.mask] == 0).double().mean())
    baselines = {
        "majority": Baseline("majority", share, "accuracy per letter", "higher", "no letter ends a word"),
        "letter pairs": Baseline(
            "letter pairs", word_f1(letter_pair_ends(train, test), truth), "F1 of words", "higher",
            "cut where the train split cuts this pair of letters more often than not",
        ),
    }  # fmt: skip
    chosen = CARD if source == "king-james" else card
    return Dataset(
        "segmentation", chosen, splits, Vocabulary([PAD, *LETTERS]), Vocabulary(["inside", "end"]), baselines
    )


def fingerprint() -> str:
    """SHA-256 of the default source as installed.

    Returns:
        64 hexadecimal digits.
    """
    read_passages("king-james", "segmentation")
    return CARD.sha256
