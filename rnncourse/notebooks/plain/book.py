"""What one notebook has to know of the others: titles, labels, numbers of equations, works and words."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from rnncourse.notebooks.files import DEEPER, Notebook, chapters, deeper_pages, page_number, read
from rnncourse.notebooks.length import length
from rnncourse.notebooks.plain.citations import Work, read_works
from rnncourse.notebooks.plain.parsing import tokens
from rnncourse.notebooks.plain.words import Word, read_words

__all__ = ["Book", "Place", "read_book"]

TITLE = re.compile(r"^# +(.+?)\s*$", re.MULTILINE)


@dataclass(frozen=True)
class Place:
    """Something with a label: the chapter it stands in, and the title or the number it is called by."""

    stem: str
    called: str


@dataclass(frozen=True)
class Book:
    """All chapters together, with their deeper pages.

    Attributes:
        titles: Title of each chapter by stem, and of each other page by name.
        chapters: Where each chapter and each deeper page lies in the plain edition, by stem.
        numbers: What each of them is numbered by, like "5" and "5A".
        minutes: What reading each of them takes.
        equations: Labelled equations, called by the number that the website prints.
        sections: Labelled headings, called by their title.
        works: The bibliography.
        words: The glossary.
        site: The website's address, or nothing.
        repository: The repository's address, or nothing.
    """

    titles: dict[str, str]
    chapters: Mapping[str, str]
    numbers: dict[str, str]
    minutes: dict[str, int]
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
    deeper = deeper_pages(root)
    pages = {stem: read(book / f"{stem}.ipynb") for stem in chapters(root).values()}
    pages |= {stem: read(root / DEEPER / f"{stem}.ipynb") for stem in deeper}
    texts = {stem: _texts(page) for stem, page in pages.items()}
    numbers = {stem: page_number(stem, deeper) for stem in pages}
    titles = {page.stem: _title(page.read_text(encoding="utf-8")) for page in sorted(book.glob("*.md"))}
    titles |= {stem: _title("\n".join(cells)) for stem, cells in texts.items()}
    equations: dict[str, Place] = {}
    sections: dict[str, Place] = {}
    for stem, cells in texts.items():
        for cell in cells:
            _note_labels(stem, numbers[stem], cell, equations, sections)
    return Book(
        titles,
        {stem: "chapters/deeper" if stem in deeper else "chapters" for stem in pages},
        numbers,
        {stem: length(page).minutes for stem, page in pages.items()},
        equations,
        sections,
        read_works(book / "references.bib"),
        read_words(book / "glossary.md"),
        site,
        repository,
    )


def _texts(notebook: Notebook) -> list[str]:
    return [cell.source for cell in notebook.cells if cell.cell_type == "markdown"]


def _title(text: str) -> str:
    found = TITLE.search(text)
    return found[1] if found else ""


def _note_labels(stem: str, page: str, text: str, equations: dict[str, Place], sections: dict[str, Place]) -> None:
    """Equations are counted within their page, in order, as the website counts them."""
    waiting: list[str] = []
    for token in tokens(text):
        label = token.info if token.type == "math_block_label" else ""
        if token.type in {"fence", "colon_fence"} and token.info.startswith("{math}"):
            label = next(iter(re.findall(r"^:label:\s*(\S+)", token.content, re.MULTILINE)), "")
        if label:
            number = 1 + sum(place.stem == stem for place in equations.values())
            equations[label] = Place(stem, f"{page}.{number}")
        elif token.type == "myst_target":
            waiting.append(token.content)
        elif token.type == "inline" and waiting:
            sections |= {name: Place(stem, token.content) for name in waiting}
            waiting = []
