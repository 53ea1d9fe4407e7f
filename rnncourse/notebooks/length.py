"""How long a page is: its words, the lines of code that it shows, and the minutes that reading both takes."""

import math
import re
from dataclasses import dataclass

from rnncourse.notebooks.files import Notebook, has_tag

__all__ = ["MOST_LINES", "MOST_WORDS", "Length", "length"]

MOST_WORDS, MOST_LINES = 4500, 320
WORDS_A_MINUTE, LINES_A_MINUTE = 150, 15  # a text with formulas in it, read once and followed
COLUMNS = 80
UNSEEN = {"hide-cell", "hide-input", "remove-cell", "remove-input"}

AS_READ = (  # what a reader sees in the place of what was typed
    (re.compile(r"^%.*$|^\([\w-]+\)=$|^[ ]*:[\w-]+:.*$", re.MULTILINE), " "),  # remarks, labels, options
    (re.compile(r"^[ ]*(?::{3,}|`{3,})(?:\{[\w:-]+\})?", re.MULTILINE), " "),  # fences; a directive's title stays
    (re.compile(r"\\begin\{(align|equation)\*?\}[\s\S]*?\\end\{\1\*?\}|\$\$[\s\S]*?\$\$|\$[^$\n]+\$"), " formula "),
    (re.compile(r"\{[\w:-]+\}`([^`<]*?)\s*(?:<[^`>]*>)?`"), r" \1 "),  # roles
    (re.compile(r"\]\([^)\s]*\)|<[^<>\s][^<>]*>"), " "),  # addresses, HTML
)
WORD = re.compile(r"\S*\w\S*")


@dataclass(frozen=True)
class Length:
    """A page's length.

    Attributes:
        words: In its text and under its figures; a formula counts as one.
        lines: Of visible code; a line over 80 columns counts as often as it would be broken.
    """

    words: int
    lines: int

    @property
    def minutes(self) -> int:
        """What reading takes, rounded up to five minutes: 150 words or 15 lines of code in one.

        >>> Length(words=4500, lines=300).minutes, Length(words=10, lines=0).minutes
        (50, 5)
        """
        return 5 * math.ceil((self.words / WORDS_A_MINUTE + self.lines / LINES_A_MINUTE) / 5)


def length(notebook: Notebook) -> Length:
    """Returns how long a notebook is for its reader.

    What is hidden or folded away is no code that is read; imports that are shown are.

    Args:
        notebook: A chapter or a deeper page.
    """
    words = lines = 0
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            words += _words(cell.source)
        elif cell.cell_type == "code":
            words += _words(cell.metadata.get("mystnb", {}).get("figure", {}).get("caption", ""))
            if not any(has_tag(cell, tag) for tag in UNSEEN):
                shown = (line.rstrip() for line in cell.source.splitlines())
                lines += sum(math.ceil(len(line) / COLUMNS) for line in shown)
    return Length(words, lines)


def _words(text: str) -> int:
    for pattern, seen in AS_READ:
        text = pattern.sub(seen, text)
    return len(WORD.findall(text))
