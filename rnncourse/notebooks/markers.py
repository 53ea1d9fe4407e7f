"""The two lines that a worked solution stands between, and the lines that only look like them.

``### BEGIN SOLUTION`` and ``### END SOLUTION`` are read to the letter. A line that somebody typed a little differently
would mark nothing, and the exercise would hand out what it was meant to hide: it is refused, wherever it stands.
"""

import re
from collections.abc import Iterator

from rnncourse.notebooks.files import Notebook

__all__ = ["BEGIN", "END", "exercise_number", "near_misses"]

BEGIN = re.compile(r"(?P<indent>\s*)### BEGIN SOLUTION(?:\s+(?P<id>\d+\.\d+))?\s*")
END = re.compile(r"\s*### END SOLUTION\s*")
HEADING = re.compile(r"^#+ .*\bExercise (\d+\.\d+)", re.MULTILINE)

BETWEEN = r"[\s_:.-]*"
WORDS = rf"(?:begins?|starts?|ends?|stops?){BETWEEN}(?:of{BETWEEN})?(?:the{BETWEEN})?solutions?"
TURNED = rf"solution{BETWEEN}(?:begin|end)"
NEARLY = re.compile(rf"(?:#|<!--|%)\s*(?:{WORDS}|{TURNED})\b", re.IGNORECASE)
SHOUTED = re.compile(rf"\b(?:BEGIN|END){BETWEEN}SOLUTION")


def exercise_number(number: str | None, cell: Notebook) -> str | None:
    """The number of the exercise that a cell belongs to: its own last heading's, else the number before it."""
    headings = HEADING.findall(cell.source) if cell.cell_type == "markdown" else []
    return headings[-1] if headings else number


def near_misses(notebook: Notebook) -> Iterator[tuple[int, str]]:
    """The lines that look like a marker and are none.

    Args:
        notebook: Any notebook.

    Yields:
        The cell, counted from 1 over all cells, and what is wrong with a line of it.
    """
    for position, cell in enumerate(notebook.cells, start=1):
        code = cell.cell_type == "code"
        for line in cell.source.splitlines():
            if code and (BEGIN.fullmatch(line) or END.fullmatch(line)):
                continue
            if NEARLY.search(line) or SHOUTED.search(line):
                where = "" if code else f" in a {cell.cell_type} cell"
                yield (
                    position,
                    f"{line.strip()!r}{where} marks nothing; the markers are lines of a code cell, "
                    "'### BEGIN SOLUTION' (a number like 5.2 may follow) and '### END SOLUTION'",
                )
