"""Dates as fourteen locales write them, to be written as ISO 8601: den 7 mars 1984 becomes 1984-03-07."""

import datetime

import numpy as np

from rnncourse.data.cache import cached
from rnncourse.data.card import Card
from rnncourse.data.dataset import Baseline, Dataset
from rnncourse.data.padding import transduction
from rnncourse.data.sources import read_files
from rnncourse.data.splits import Split, fraction, split_by_hash
from rnncourse.data.synthetic import check_at_least
from rnncourse.data.vocabulary import BOS, EOS, PAD, Vocabulary
from rnncourse.signatures import checked

LOCALES = ("cs", "da", "de", "en", "en_GB", "es", "fi", "fr", "it", "nl", "pl", "pt", "sv", "tr")
FORMATS = ("full", "long", "medium")
DRAWN = 36_000
CARD = Card(
    name="dates",
    title="Dates in many locales",
    kind="real",
    task="A date as one of fourteen locales writes it, in full, long or medium form; the same date in ISO 8601.",
    citation="Unicode Common Locale Data Repository, as carried by Babel. The task is a classic of teaching attention.",
    source="Strings made by `babel.dates.format_date` from random days of 1950 to 2049; the hash is that of the "
    "locale files.",
    size="35,518 distinct strings: 28,560 train, 3,418 valid, 3,540 test",
    split="80/10/10 % of the distinct strings, by SHA-256 of the string.",
    data_license="Unicode-3.0 (CLDR)",
    code_license="BSD-3-Clause",
    sha256="48f8ec9509c9f00c0f39e9ef147961d5edabeb67785d4623ad68d2da1cf17271",
    package="babel",
    version="2.18.0",
    notes="Forms in which day and month are both plain numbers follow the locale's order, day first here without "
    "exception; the short form, which is ambiguous, is left out. A day can occur in several splits in different words.",
)


def _files() -> list[str]:
    parents = {locale.split("_")[0] for locale in LOCALES} | set(LOCALES) | {"en_001"}
    return [f"babel/locale-data/{locale}.dat" for locale in sorted(parents)]


def _generate() -> bytes:
    """Pairs of written date and ISO date, one a line, without repetitions."""
    from babel.dates import format_date

    rng = np.random.default_rng(0)
    start = datetime.date(1950, 1, 1).toordinal()
    days = rng.integers(start, datetime.date(2050, 1, 1).toordinal(), size=DRAWN).tolist()
    places = rng.integers(len(LOCALES), size=DRAWN).tolist()
    forms = rng.integers(len(FORMATS), size=DRAWN).tolist()
    pairs: dict[str, str] = {}
    for day, place, form in zip(days, places, forms, strict=True):
        date = datetime.date.fromordinal(day)
        written = format_date(date, format=FORMATS[form], locale=LOCALES[place])
        pairs.setdefault(" ".join(written.split()), date.isoformat())
    return "\n".join(f"{written}\t{iso}" for written, iso in pairs.items()).encode()


def pairs() -> list[tuple[str, str]]:
    """All dates as (written, ISO).

    Returns:
        Distinct pairs, in the order in which they were drawn.

    Raises:
        MissingDataPackage: Babel is not installed.
        HashMismatch: It carries other locale data.
    """
    read_files(CARD, _files())
    content = cached("dates", f"{CARD.sha256} v1", _generate, about="writing dates in fourteen locales (about 5 s)")
    return [(written, iso) for written, iso in (line.split("\t") for line in content.decode().splitlines())]


@checked
def load(*, count: int | None = None) -> Dataset:
    """Dates as a transduction from characters to characters.

    Args:
        count: Most dates to use, in hash order; all there are where not given.

    Returns:
        The data set; ``items`` of a split are (written, ISO) pairs, its baselines the commonest character at each
        place of the ISO date.

    Raises:
        ValueError: The count is below 100.
        MissingDataPackage: Babel is not installed.
        HashMismatch: It carries other locale data.
    """
    if count is not None:
        check_at_least("count", count, 100)
    everything = pairs()
    vocabulary = Vocabulary.of("".join({c for written, _ in everything for c in written}), special=[PAD])
    target_vocabulary = Vocabulary([PAD, BOS, EOS, "-", *"0123456789"])
    chosen = everything
    if count is not None:
        kept = set(
            sorted((written for written, _ in everything), key=lambda written: fraction(written, "take"))[:count]
        )
        chosen = [pair for pair in everything if pair[0] in kept]
    items = split_by_hash(chosen, key=lambda pair: pair[0])
    splits = {
        name: Split(
            transduction(
                [[vocabulary.number[c] for c in written] for written, _ in part],
                [[target_vocabulary.number[c] for c in iso] for _, iso in part],
                bos=1,
                eos=2,
            ),
            part,
        )
        for name, part in items.items()
    }
    train, test = (np.array([list(iso) for _, iso in items[name]]) for name in ("train", "test"))
    common = np.array([max(set(column), key=column.tolist().count) for column in train.T])
    right = test == common
    how = "the commonest character of train at each place"
    baselines = {
        "majority": Baseline("majority", float(right.mean()), "accuracy per character", "higher", how),
        "majority exact": Baseline("majority exact", float(right.all(1).mean()), "exact matches", "higher", how),
    }
    return Dataset("dates", CARD, splits, vocabulary, target_vocabulary, baselines)


def fingerprint() -> str:
    """SHA-256 of the locale data as installed.

    Returns:
        64 hexadecimal digits.
    """
    read_files(CARD, _files())
    return CARD.sha256
