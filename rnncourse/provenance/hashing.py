"""One hash over code by what it says, not by where it stands or what it is called.

Each definition becomes its bare syntax with a gap at every name that leads to another definition. The gaps are filled
with the hashes of what they lead to, over and over, until no more definitions can be told apart (colour refinement on
the graph of who names whom). A module that moves or is renamed, a function that is renamed, two equal functions that
become one: none of that changes a hash. A changed operation, constant, default or name that leads elsewhere does.
"""

import hashlib
from collections.abc import Iterable

from rnncourse.provenance.counting import GAP, Counting
from rnncourse.provenance.following import Reached

__all__ = ["digest", "hashes"]


def digest(reached: dict[str, Reached], start: Iterable[str], extra: dict[str, str] | None = None) -> str:
    """Returns one hash over all that takes part.

    Args:
        reached: everything that may take part, by address.
        start: the addresses to begin from.
        extra: more that the hash should hang on.

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
        reached: everything that may take part, by address.
        start: the addresses to begin from.

    Returns:
        From the addresses of what counts to hashes: equal for equal code, wherever it stands and whatever its name.
    """
    counting = Counting(reached)
    start = list(start)
    while True:  # a method counts if something that counts says its name, which may make further names count
        counted: dict[str, list[str]] = {}  # each definition's text, cut at its gaps: text, key, text, key, …, text
        known = len(counting.said)
        waiting = list(start)
        while waiting:
            key = waiting.pop()
            if key not in counted:
                counted[key] = counting.text(key).split(GAP)
                waiting.extend(counted[key][1::2])
        if len(counting.said) == known:
            break
    colours = dict.fromkeys(counted, "")
    kinds = 0
    while len(set(colours.values())) > kinds:
        kinds = len(set(colours.values()))
        colours = {
            key: _hash("".join(colours[piece] if n % 2 else piece for n, piece in enumerate(pieces)))
            for key, pieces in counted.items()
        }
    return colours


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
