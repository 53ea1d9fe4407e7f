"""What one notebook has to know of the others: titles, labels, numbers of equations, works and words."""

import re
from dataclasses import dataclass
from pathlib import Path

from rnncourse.notebooks.files import chapters, read
from rnncourse.notebooks.plain.citations import Work, read_works
from rnncourse.notebooks.plain.parsing import tokens
from rnncourse.notebooks.plain.words import Word, read_words

__all__ = ["Book", "Place", "read_book", "read_texts"]

TITLE = re.compile(r"^# +(.+?)\s*$", re.MULTILINE)


@dataclass(frozen=True)
class Place:
    """Something with a label: the chapter it stands in, and the title or the number it is called by."""

    stem: str
    called: str


@dataclass(frozen=True)
class Book:
    """All chapters together.

    Attributes:
        titles: Title of each chapter by stem, and of each other page by name.
        chapters: The stems of the chapters.
        equations: Labelled equations, called by the number that the website prints.
        sections: Labelled headings, called by their title.
        works: The bibliography.
        words: The glossary.
        site: The website's address, or nothing.
        repository: The repository's address, or nothing.
    """

    titles: dict[str, str]
    chapters: frozenset[str]
    equations: dict[str, Place]
    sections: dict[str, Place]
    works: dict[str, Work]
    words: dict[str, Word]
    site: str = ""
    repository: str = ""


def read_book(root: Path, site: str = "", repository: str = "") -> Book:
    """Returns what the notebooks of a course have to know of each other.

    Args:
        root: The course's folder.
        site: The website's address, where it has one.
        repository: The repository's address, where it has one.
    """
    book = root / "book"
    texts = {stem: read_texts(book / f"{stem}.ipynb") for stem in chapters(root).values()}
    titles = {page.stem: _title(page.read_text(encoding="utf-8")) for page in sorted(book.glob("*.md"))}
    titles |= {stem: _title("\n".join(cells)) for stem, cells in texts.items()}
    equations: dict[str, Place] = {}
    sections: dict[str, Place] = {}
    for stem, cells in texts.items():
        for cell in cells:
            _note_labels(stem, cell, equations, sections)
    return Book(
        titles,
        frozenset(texts),
        equations,
        sections,
        read_works(book / "references.bib"),
        read_words(book / "glossary.md"),
        site,
        repository,
    )


def read_texts(path: Path) -> list[str]:
    """Returns the text cells of a notebook."""
    return [cell.source for cell in read(path).cells if cell.cell_type == "markdown"]


def _title(text: str) -> str:
    found = TITLE.search(text)
    return found[1] if found else ""


def _note_labels(stem: str, text: str, equations: dict[str, Place], sections: dict[str, Place]) -> None:
    """Equations are counted within their chapter, in order, as the website counts them."""
    waiting: list[str] = []
    for token in tokens(text):
        label = token.info if token.type == "math_block_label" else ""
        if token.type in {"fence", "colon_fence"} and token.info.startswith("{math}"):
            label = next(iter(re.findall(r"^:label:\s*(\S+)", token.content, re.MULTILINE)), "")
        if label:
            number = 1 + sum(place.stem == stem for place in equations.values())
            equations[label] = Place(stem, f"{int(stem[:2])}.{number}")
        elif token.type == "myst_target":
            waiting.append(token.content)
        elif token.type == "inline" and waiting:
            sections |= {name: Place(stem, token.content) for name in waiting}
            waiting = []
