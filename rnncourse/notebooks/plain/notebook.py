"""One notebook in the plain edition: its text rewritten, its code and outputs as they are."""

import base64
import hashlib
import mimetypes
import re
from pathlib import Path
from typing import Any

import nbformat

from rnncourse.notebooks.colab import with_colab_cell
from rnncourse.notebooks.files import Notebook, has_tag
from rnncourse.notebooks.plain.book import Book
from rnncourse.notebooks.plain.closing import closing_texts
from rnncourse.notebooks.plain.links import Links
from rnncourse.notebooks.plain.numbers import glued
from rnncourse.notebooks.plain.page import Page
from rnncourse.notebooks.plain.refusals import NoPlainForm
from rnncourse.notebooks.plain.text import plain_text

__all__ = ["plain_notebook"]

FOLDED = ("remove-cell", "remove-input", "hide-cell", "hide-input")
PICTURE = re.compile(r"!\[(?P<says>[^\]]*)\]\((?P<path>(?![a-z]+:)[^)\s]+)\)")


def plain_notebook(
    notebook: Notebook,
    stem: str,
    book: Book,
    *,
    folder: str = "chapters",
    online: bool = False,
    root: Path | None = None,
) -> Notebook:
    """Returns a notebook that reads well without any extension.

    Args:
        notebook: A chapter, an exercise or a solution, executed where it has numbers in its text.
        stem: Its file's stem.
        book: What it has to know of the others.
        folder: Where it will lie, "chapters", "chapters/deeper" or "exercises".
        online: Whether it will be read alone, so that links lead to the website where there is one.
        root: The course's folder, for pictures in its text.

    Returns:
        A copy: code cells and their outputs are the same ones in the same order.

    Raises:
        NoPlainForm: If its text holds something that cannot be said plainly; the message says in which cell.
    """
    links = Links(stem, folder, book.chapters, book.site, online)
    page = Page(book, links, glued(notebook))
    home = (root or Path()) / folder.replace("chapters", "book")  # what its pictures are named from
    number = book.numbers.get(stem) or str(int(stem[:2]))
    cells: list[Any] = []
    figures = 0
    for position, cell in enumerate(with_colab_cell(notebook, book.repository).cells, start=1):
        if cell.cell_type == "markdown":
            try:
                text = plain_text(cell.source, page)
            except NoPlainForm as error:
                raise NoPlainForm(f"{stem}.ipynb, cell {position}: {error}") from None
            cells += [_text_cell(text, cell.id, home)] if text.strip() else []
            continue
        cells.append(_code_cell(cell))
        if caption := _caption(cell):
            figures += 1
            said = plain_text(caption, page)
            cells.append(_text_cell(f"*Figure {number}.{figures}.* {said}", f"{cell.id}-figure", home))
    for text in closing_texts(page):
        cells.append(_text_cell(text, hashlib.sha256(text.encode()).hexdigest()[:8], home))
    metadata = {name: notebook.metadata[name] for name in ("kernelspec", "language_info") if name in notebook.metadata}
    about = notebook.metadata.get("rnncourse", {})
    metadata["rnncourse"] = {"edition": "plain"} | ({"chapter": about["chapter"]} if "chapter" in about else {})
    return nbformat.from_dict({"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5})


def _code_cell(cell: Notebook) -> Notebook:
    """The same cell; where the website hides its source, it is folded, and opens with a click."""
    metadata = dict(cell.metadata)
    if any(has_tag(cell, tag) for tag in FOLDED):
        metadata["jupyter"] = {"source_hidden": True}
    return nbformat.from_dict({**cell, "metadata": metadata})


def _caption(cell: Notebook) -> str:
    """What stands below a picture: its caption, or else what a reader who cannot see it is told."""
    if not any(kind.startswith("image/") for output in cell.outputs for kind in output.get("data", {})):
        return ""
    about = cell.metadata.get("mystnb", {})
    return " ".join((about.get("figure", {}).get("caption") or about.get("image", {}).get("alt") or "").split())


def _text_cell(text: str, identity: str, home: Path) -> Notebook:
    """A text cell that carries the pictures it shows."""
    cell = {"cell_type": "markdown", "id": identity, "metadata": {}, "source": text}
    attachments = {}
    for found in PICTURE.finditer(text):
        path = home / found["path"]
        kind = mimetypes.guess_type(path.name)[0]
        if not path.is_file() or kind is None:
            raise NoPlainForm(f"there is no picture {found['path']!r} in the course")
        attachments[path.name] = {kind: base64.b64encode(path.read_bytes()).decode()}
        cell["source"] = cell["source"].replace(f"({found['path']})", f"(attachment:{path.name})")
    return nbformat.from_dict(cell | ({"attachments": attachments} if attachments else {}))
