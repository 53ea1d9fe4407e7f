"""One hash over code by what it says, not by where it stands or what it is called.

Each definition becomes its bare syntax with a gap at every name that leads to another definition. The gaps are filled
with the hashes of what they lead to, over and over, until no more definitions can be told apart (colour refinement on
the graph of who names whom). The names that the package itself gives to arguments, methods, fields and local values are
treated alike: what counts is where the same name occurs. A module that moves or is renamed, a function, method or
variable that is renamed, two equal functions that become one: none of that changes a hash. A changed operation,
constant, default or name that leads elsewhere does.
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterable

from rnncourse.provenance.counting import GAP, Counting
from rnncourse.provenance.following import Reached
from rnncourse.provenance.syntax import MARK

__all__ = ["digest", "hashes"]


def digest(reached: dict[str, Reached], start: Iterable[str], extra: dict[str, str] | None = None) -> str:
    """Returns one hash over all that takes part.

    Args:
        reached: Everything that may take part, by address.
        start: The addresses to begin from.
        extra: More that the hash should hang on.

    Returns:
        16 hexadecimal digits.
    """
    start = {*start}
    by_name = {key for key, one in reached.items() if one.by_name}
    found = hashes(reached, start | by_name)
    parts = sorted({*found.values()}) + ["start"] + sorted(found[key] for key in start)
    parts += ["by name"] + sorted(f"{reached[key].name}={found[key]}" for key in by_name)
    return _hash("\n".join(parts + [f"{key}={value}" for key, value in sorted((extra or {}).items())]))[:16]


def hashes(reached: dict[str, Reached], start: Iterable[str]) -> dict[str, str]:
    """Returns a hash for each definition that counts.

    Args:
        reached: Everything that may take part, by address.
        start: The addresses to begin from.

    Returns:
        From the addresses of what counts to hashes: equal for equal code, wherever it stands and whatever its name.
    """
    counting = Counting(reached)
    start = list(start)
    while True:  # a method counts if something that counts says its name, which may make further names count
        counted: dict[str, str] = {}
        known = len(counting.said)
        waiting = list(start)
        while waiting:
            key = waiting.pop()
            if key not in counted:
                counted[key] = counting.text(key)
                waiting.extend(counted[key].split(GAP)[1::2])
        if len(counting.said) == known:
            break
    return _colours(counted, counting.own_names())


def _colours(texts: dict[str, str], own: set[str]) -> dict[str, str]:
    """Colour refinement: what names lead to, and the package's own names, are told apart by where they occur."""
    pieces = {key: _pieces(text, own) for key, text in texts.items()}
    places: dict[str, list[tuple[str, int]]] = defaultdict(list)  # each own name: where it occurs
    for key, found in pieces.items():
        for place, (kind, piece) in enumerate(found):
            if kind == MARK:
                places[piece].append((key, place))
    colours, names = dict.fromkeys(texts, ""), dict.fromkeys(places, "")
    kinds = 0
    while len({*colours.values(), *names.values()}) > kinds:
        kinds = len({*colours.values(), *names.values()})
        filled = {"": lambda piece: piece, GAP: colours.__getitem__, MARK: names.__getitem__}
        colours = {key: _hash("".join(filled[kind](piece) for kind, piece in found)) for key, found in pieces.items()}
        names = {name: _hash(str(sorted({(colours[key], place) for key, place in at}))) for name, at in places.items()}
    return colours


def _pieces(text: str, own: set[str]) -> list[tuple[str, str]]:
    """A text cut at its gaps and at the package's own names: (what stands there, the text, the key or the name)."""
    found = []
    for n, piece in enumerate(text.split(GAP)):
        if n % 2:
            found.append((GAP, piece))
            continue
        for m, part in enumerate(piece.split(MARK)):
            found.append((MARK if m % 2 and part in own else "", part))
    return found


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
