"""File names that anybody may have chosen: shown without harm, and told apart.

A name can look like an option, hold an escape sequence or a character that turns the writing direction round, be no
valid UTF-8, or look just like somebody else's. What is shown of it here is one line of printable characters that no
other name is shown as; what is written to disk for it is plain ASCII of ours.
"""

import hashlib
import os
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable

__all__ = ["clean", "digest", "file_stem", "look", "tell_apart", "visible"]


def visible(name: str | os.PathLike) -> str:
    r"""A name on one line, every character that cannot be seen written out; different names stay different.

    A byte that is no UTF-8 becomes ``\x…``, a control or formatting character ``\u…``, a backslash two of them.

    Example:
        >>> visible("a" + chr(27) + "[2J" + chr(0x202E) + chr(0xDC80) + "b")
        'a\\u001b[2J\\u202e\\x80b'
    """
    return "".join(_written_out(c) for c in os.fspath(name))


def _written_out(c: str) -> str:
    code = ord(c)
    if c == "\\":
        return "\\\\"
    if c.isprintable():
        return c
    if 0xDC80 <= code <= 0xDCFF:  # how Python carries a byte that it cannot decode
        return f"\\x{code - 0xDC00:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def digest(name: str | os.PathLike) -> str:
    """Eight characters that stand for a name, whatever its bytes."""
    return hashlib.sha256(os.fspath(name).encode("utf-8", "surrogatepass")).hexdigest()[:8]


def look(name: str) -> str:
    """What two names share that a reader could take for each other: case, width, accents and spaces do not count.

    Example:
        >>> look("Ａnn\u00e9  Lee") == look("anne\u0301 lee")
        True
    """
    decomposed = unicodedata.normalize("NFKD", name).casefold()
    return " ".join("".join(c for c in decomposed if not unicodedata.combining(c)).split())


def tell_apart(names: Iterable[str]) -> dict[str, str]:
    """What to show for each of these different names: those that look alike carry a few characters of their digest.

    Args:
        names: The names as they are on disk; a name that comes twice is one name.

    Returns:
        Name → what to show. No two values are the same.
    """
    names = list(dict.fromkeys(names))
    seen = Counter(look(name) for name in names)
    return {name: visible(name) if seen[look(name)] == 1 else f"{visible(name)} [{digest(name)}]" for name in names}


def file_stem(name: str) -> str:
    """A stem for a file of ours about this name: ASCII, no option, no hidden file, different for different names.

    Example:
        >>> file_stem("../--json=Zoë.ipynb")
        'json-Zo-ipynb-dc2aebd7'
    """
    words = re.sub(r"[^A-Za-z0-9]+", "-", name).strip("-")[:48].strip("-")
    return f"{words or 'learner'}-{digest(name)}"


def clean(value):
    """Plain data with every string on one line, without control or formatting characters, and not endless.

    Example:
        >>> clean({"said": ["red: " + chr(27) + "[31m", 3]})
        {'said': ['red:  [31m', 3]}
    """
    if isinstance(value, str):
        return "".join(c if c.isprintable() else " " for c in value[:4000])
    if isinstance(value, dict):
        return {clean(key): clean(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [clean(entry) for entry in value]
    return value
