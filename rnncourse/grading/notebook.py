"""Reading a notebook that anybody may have written: as JSON, with a cap, believing nothing.

What is not needed is dropped before it is parsed: outputs and attachments are most of a notebook's bytes, and a
learner who saved twenty plots has done nothing wrong. What remains has to be small.

(:mod:`rnncourse.notebooks` is for the course's own notebooks; this module takes what it is given.)
"""

import json
import os
import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

__all__ = ["Cell", "Submission", "printable", "read_submission", "without_outputs"]

FILE_LIMIT = 100_000_000  # bytes, outputs included
SIZE_LIMIT = 5_000_000  # bytes without them
TOKEN_LIMIT = 1_000_000  # strings and brackets
CELL_LIMIT = 500
LINE_LIMIT = 300  # characters of a line that are searched
SKIP_TAGS = {"skip-grading", "colab-install"}
DROPPED = {b'"outputs"', b'"attachments"', b'"widgets"'}
# Possessive, and a string without an end is one too: each byte is looked at once, whatever a stranger wrote.
TOKEN = re.compile(rb'"(?:[^"\\]++|\\.)*+"?|[{}\[\]]', re.DOTALL)


@dataclass(frozen=True)
class Cell:
    """One code cell: its number among the code cells (from 1), its source, and whether a graded run leaves it out."""

    number: int
    source: str
    skip: bool = False


@dataclass(frozen=True)
class Submission:
    """A notebook to grade: its file, its code cells, and the chapter whose questions it answers."""

    path: Path
    cells: tuple[Cell, ...]
    chapter: int

    @property
    def name(self) -> str:
        """The file's name as text: bytes that are none are written as numbers, so that two names stay two."""
        return os.fsencode(self.path.name).decode("utf-8", "backslashreplace")

    @property
    def source(self) -> str:
        """All code, for searching only: nobody writes longer lines, and a search may take their length squared."""
        return "\n".join(line[:LINE_LIMIT] for cell in self.cells for line in cell.source.splitlines())


def read_submission(path: str | Path, chapter: int | None = None) -> Submission:
    """Reads a notebook.

    The chapter is taken from ``chapter``, else from the notebook's metadata, else from a file name like
    ``02_vanilla_rnn.ipynb``, else from the ``check("2.1", …)`` calls in it: a renamed notebook is found by the last.

    Raises:
        ValueError: In one line, if this is no notebook, or nothing says which chapter it belongs to.
    """
    path = Path(path)
    text = _read(path)
    try:
        content = json.loads(without_outputs(text))
    except TooMuch as error:
        raise ValueError(f"{path} {error}") from None
    except RecursionError:
        raise ValueError(f"{path} is not a notebook (its JSON is nested too deeply)") from None
    except ValueError:  # bad JSON, bad UTF-8, a number of ten thousand digits
        raise ValueError(f"{path} is not a notebook (it is not JSON)") from None
    cells = _code_cells(content, path)
    return Submission(path, cells, chapter or _chapter(content, path, cells))


def _read(path: Path) -> bytes:
    """The bytes of a regular file that is not too large, whatever it does meanwhile."""
    try:
        if path.is_dir():
            raise ValueError(f"{path} is a folder; name a notebook, such as {path / '02_vanilla_rnn.ipynb'}")
        if not path.is_file():
            raise ValueError(f"{path} does not exist")
        size = path.stat().st_size
        if size > FILE_LIMIT:
            raise ValueError(f"{path} has {size / 1e6:.0f} MB, and {FILE_LIMIT / 1e6:.0f} MB is the limit")
        with open(path, "rb") as file:
            return file.read(FILE_LIMIT)
    except OSError as error:
        raise ValueError(f"{path} cannot be read ({error.strerror})") from None


class TooMuch(ValueError):
    """A notebook is larger than any that a person wrote; the message says in what."""


def without_outputs(text: bytes) -> bytes:
    """A notebook's JSON without its outputs, attachments and widgets, by one pass over its strings and brackets.

    What is no JSON stays none.

    Args:
        text: The file's content.

    Raises:
        ValueError: If more than some megabytes remain, or the brackets and strings are too many.

    Example:
        >>> without_outputs(b'{"cells": [{"source": "1", "outputs": [{"data": "]"}]}]}')
        b'{"cells": [{"source": "1", "outputs": null}]}'
    """
    kept: list[bytes] = []
    size = position = depth = 0
    dropping = -1  # the depth that a dropped value began at
    key_end = -1  # where a key that is to be dropped ended
    for number, token in enumerate(TOKEN.finditer(text)):
        if number > TOKEN_LIMIT:
            raise TooMuch(f"holds more than {TOKEN_LIMIT} strings and brackets, which nobody wrote by hand")
        start, end = token.span()
        first = text[start]
        if first in b"{[":
            if dropping < 0 and key_end >= 0 and text[key_end:start].strip() == b":":
                size += start - position
                kept.append(text[position:start] + b"null")
                dropping = depth
            depth += 1
        elif first in b"}]":
            depth -= 1
            if depth == dropping:
                dropping, position = -1, end
        short = end - start < 16 and dropping < 0
        key_end = end if short and first == 0x22 and token.group() in DROPPED else -1
        if size > SIZE_LIMIT:
            break
    kept.append(b"" if dropping >= 0 else text[position:])  # an output that never ends leaves no JSON
    size += len(kept[-1])
    if size > SIZE_LIMIT:
        raise TooMuch(f"has {size / 1e6:.0f} MB without its outputs, and {SIZE_LIMIT / 1e6:.0f} MB is the limit")
    return b"".join(kept)


def printable(text: str) -> str:
    """A stranger's words on one line, without control characters: a terminal would obey them.

    Example:
        >>> printable(f"red: {chr(27)}[31m, next{chr(10)}line")
        'red:  [31m, next line'
    """
    return "".join(c if c.isprintable() else " " for c in text)


def _code_cells(content: Any, path: Path) -> tuple[Cell, ...]:
    if not isinstance(content, dict) or not isinstance(content.get("cells"), list):
        raise ValueError(f"{path} is not a notebook (it has no list of cells)")
    cells: list[Cell] = []
    for cell in content["cells"]:
        if not isinstance(cell, dict) or cell.get("cell_type") != "code":
            continue
        source = cell.get("source", "")
        if isinstance(source, list) and all(isinstance(line, str) for line in source):
            source = "".join(source)
        if not isinstance(source, str):
            raise ValueError(f"{path} is not a notebook (a cell's source is not text)")
        source = source.encode("utf-8", "replace").decode("utf-8")  # JSON can hold half a character; a pipe cannot
        tags = _get(cell, "metadata", "tags")
        skip = isinstance(tags, list) and any(tag in SKIP_TAGS for tag in tags if isinstance(tag, str))
        cells.append(Cell(len(cells) + 1, source, skip or not source.strip()))
    if len(cells) > CELL_LIMIT:
        raise ValueError(f"{path} has {len(cells)} code cells, and {CELL_LIMIT} is the limit")
    return tuple(cells)


def _chapter(content: dict, path: Path, cells: tuple[Cell, ...]) -> int:
    named = _get(content, "metadata", "rnncourse", "chapter")
    if type(named) is int and 0 < named < 100:
        return named
    if match := re.match(r"(\d\d)_", path.name, re.ASCII):
        return int(match[1])
    checks = re.findall(
        r"""check\(\s{0,9}["'](\d{1,2})\.\d{1,3}["']""", "\n".join(cell.source for cell in cells), re.ASCII
    )
    if checks:
        return int(Counter(checks).most_common(1)[0][0])
    raise ValueError(f"{path} does not say which chapter it answers; add --chapter N")


def _get(value: Any, *keys: str) -> Any:
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value
