"""One door to every data set: load it, list the cards, verify the hashes."""

import inspect
from importlib import import_module
from types import ModuleType
from typing import Any, NamedTuple

from rnncourse.data.card import Card
from rnncourse.data.dataset import Dataset
from rnncourse.data.errors import DataError
from rnncourse.signatures import checked

# In the order in which the cards are shown. The module of the same name in this package holds CARD and load().
_NAMES = (
    "prose",
    "segmentation",
    "letter_to_sound",
    "grapheme_to_phoneme",
    "dates",
    "translation",
    "mnist1d",
    "santa_fe_laser",
    "python_syntax",
    "adding",
    "copying",
    "temporal_order",
    "reber",
    "continual_reber",
    "parity",
    "anbn",
    "selective_copying",
    "boolean_expressions",
    "listops",
    "reverse",
)


class Check(NamedTuple):
    """What came of verifying a data set.

    Attributes:
        name: Which data set.
        ok: Whether its bytes are those of its card.
        detail: The hash, or what is wrong and what to do, in one line.
    """

    name: str
    ok: bool
    detail: str


def names() -> tuple[str, ...]:
    """The names that :func:`load` takes.

    Returns:
        Real sets first, then synthetic tasks.
    """
    return _NAMES


def _module(name: str) -> ModuleType:
    if name not in _NAMES:
        raise ValueError(f"name is {name!r}; it should be one of {', '.join(_NAMES)}")
    return import_module(f"rnncourse.data.{name}")


def cards() -> dict[str, Card]:
    """The card of every data set; nothing is read or generated for it.

    Returns:
        Cards by name, in the order of :func:`names`.
    """
    return {name: _module(name).CARD for name in _NAMES}


@checked
def load(name: str, **options: Any) -> Dataset:
    """A data set with its splits, vocabulary, card and baselines.

    Args:
        name: One of :func:`names`.
        options: Options of that set, such as ``length=50``; its module's ``load`` documents them.

    Returns:
        The data set.

    Raises:
        ValueError: The name or an option is unknown, or an option has a value outside its range.
        MissingDataPackage: The package that carries it is not installed.
        HashMismatch: The package carries other data than the card describes.

    Example:
        >>> load("parity", length=(1, 10)).baselines["majority"].value
        0.5
    """
    loader = _module(name).load
    accepted = list(inspect.signature(loader).parameters)
    for option in options:
        if option not in accepted:
            raise ValueError(f"{option} is no option of {name!r}; it should be one of {', '.join(accepted) or 'none'}")
    return loader(**options)


@checked
def verify(name: str | None = None) -> list[Check]:
    """Whether the data on this machine is the data that the cards describe.

    Args:
        name: Which data set; all of them where not given.

    Returns:
        One check a data set, in the order of :func:`names`.

    Raises:
        ValueError: The name is unknown.
    """
    checks = []
    for each in _NAMES if name is None else (name,):
        module = _module(each)
        try:
            found = module.fingerprint()
        except DataError as error:
            checks.append(Check(each, False, str(error)))
            continue
        expected = module.CARD.sha256
        same = found == expected
        checks.append(Check(each, same, f"sha256 {found}" if same else f"sha256 {found}, but the card says {expected}"))
    return checks


check_hashes = verify  # `report` has an argument of the same name


@checked
def report(name: str | None = None, *, verify: bool = True) -> str:
    """The data sets with their cards, as text for a terminal.

    Args:
        name: Which data set; all of them where not given.
        verify: Whether to check the hashes too (a few seconds for all).

    Returns:
        Several lines of text.

    Raises:
        ValueError: The name is unknown.
    """
    chosen = {name: _module(name).CARD} if name is not None else cards()
    results = {result.name: result for result in check_hashes(name)} if verify else {}
    lines = []
    for each, card in chosen.items():
        mark = "" if not verify else "  [verified]" if results[each].ok else "  [NOT VERIFIED]"
        lines.append(f"{each}: {card.title}{mark}")
        lines += [f"    {field}: {text.replace('`', '')}" for field, text in card.lines()]
        if verify and not results[each].ok:
            lines.append(f"    Problem: {results[each].detail}")
        lines.append("")
    if verify:
        good = sum(result.ok for result in results.values())
        lines.append(f"{good} of {len(results)} data sets verified")
    return "\n".join(lines)
