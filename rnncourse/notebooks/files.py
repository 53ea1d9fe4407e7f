"""Where the course's notebooks are, and one way of writing them down.

The same notebook always becomes the same bytes: no time stamps, no version of the editor, no kernel of one machine.
"""

import hashlib
import re
from collections.abc import Iterable
from pathlib import Path
from string import ascii_uppercase
from typing import Any

import nbformat

from rnncourse.folders import course_root

Notebook = nbformat.NotebookNode
CHAPTER_STEM = re.compile(r"(\d\d)_(\w+)")
DEEPER = "book/deeper"
KEPT_CELL_METADATA = ("deletable", "editable", "mystnb", "tags")
KEPT_OUTPUT_METADATA = ("scrapbook",)  # glue keeps its names there
KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}


def chapters(root: Path | None = None) -> dict[str, str]:
    """Returns the chapters that exist, by number.

    Args:
        root: The course's folder; by default :func:`course_root`.

    Returns:
        A dictionary like ``{"02": "02_vanilla_rnn"}``, in order.
    """
    stems = sorted(path.stem for path in ((root or course_root()) / "book").glob("[0-9][0-9]_*.ipynb"))
    return {stem[:2]: stem for stem in stems}


def deeper_pages(root: Path | None = None) -> list[str]:
    """Returns the stems of the deeper pages, those of a chapter one after another.

    Args:
        root: The course's folder; by default :func:`course_root`.
    """
    return sorted(path.stem for path in ((root or course_root()) / DEEPER).glob("[0-9][0-9]_*.ipynb"))


def page_number(stem: str, deeper: Iterable[str] = ()) -> str:
    """Returns what a page is numbered by: its chapter, and a letter for each of the deeper pages after it.

    >>> page_number("05_lstm"), page_number("05_peepholes", ["05_denormals", "05_peepholes", "06_blend"])
    ('5', '5B')

    Args:
        stem: A chapter's, or a deeper page's.
        deeper: The stems of all deeper pages.
    """
    same = sorted(other for other in deeper if other[:2] == stem[:2])
    return str(int(stem[:2])) + (ascii_uppercase[same.index(stem)] if stem in same else "")


def resolve_chapter(name: str, root: Path | None = None) -> str:
    """Returns the stem of the chapter that a reader means.

    Args:
        name: A number ("2", "02"), a stem ("02_vanilla_rnn") or its words ("vanilla_rnn"). A file's path is no name of
            a chapter: the file may be somebody's own.
        root: The course's folder; by default :func:`course_root`.

    Returns:
        A stem like "02_vanilla_rnn".

    Raises:
        ValueError: If there is no such chapter; the message lists those there are.
    """
    known = chapters(root)
    for number, full in known.items():
        if name in (full, full[3:]) or (name.isdigit() and int(name) == int(number)):
            return full
    listed = ", ".join(known.values()) or "none yet"
    raise ValueError(f"there is no chapter {name!r}; the chapters are: {listed}")


def notebook_files(root: Path | None = None, folders: tuple[str, ...] = ("book", DEEPER, "solutions")) -> list[Path]:
    """Returns the notebooks of some of the course's folders.

    Args:
        root: The course's folder; by default :func:`course_root`.
        folders: Which folders to look into, not below them.

    Returns:
        Paths, sorted.
    """
    root = root or course_root()
    return sorted(path for folder in folders for path in (root / folder).glob("*.ipynb"))


def read(path: Path | str) -> Notebook:
    """Reads a notebook.

    Args:
        path: A file.

    Returns:
        Its content, in format 4.

    Raises:
        ValueError: If the file is missing or not a notebook.
    """
    path = Path(path)
    if not path.is_file():
        raise ValueError(f"there is no notebook {path}")
    try:
        notebook = nbformat.reads(path.read_text(encoding="utf-8"), as_version=4)
        normalise(notebook)
        return notebook
    except (nbformat.ValidationError, ValueError, KeyError, AttributeError, TypeError) as error:  # for other JSON
        raise ValueError(f"{path} is not a notebook: {str(error).splitlines()[0]}") from error


def write(path: Path | str, notebook: Notebook) -> bool:
    """Writes a notebook in its normal form, and only if that changes the file.

    Args:
        path: A file; it is replaced as a whole, so that a crash leaves the old one.
        notebook: Its new content.

    Returns:
        Whether the file changed.
    """
    path = Path(path)
    text = to_text(normalise(notebook))
    if path.is_file() and path.read_text(encoding="utf-8") == text:
        return False
    temporary = path.with_name(path.name + ".writing")
    try:
        temporary.write_text(text, encoding="utf-8", newline="\n")
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    return True


def to_text(notebook: Notebook) -> str:
    """Returns a notebook's file content."""
    return nbformat.writes(notebook, version=nbformat.NO_CONVERT).rstrip("\n") + "\n"


def normalise(notebook: Notebook) -> Notebook:
    """Returns a copy without what differs between editors and machines.

    Empty code cells go, so does metadata that no reader needs; neighbouring streams become one; a cell's id
    is made from its source.

    Args:
        notebook: Any notebook in format 4.

    Returns:
        Its normal form; the normal form of a normal form is itself.
    """
    kept = {"rnncourse": notebook.metadata["rnncourse"]} if "rnncourse" in notebook.metadata else {}
    metadata = {"kernelspec": dict(KERNEL), "language_info": {"name": "python"}} | kept
    cells: list[Any] = []
    ids: set[str] = set()
    for cell in notebook.cells:
        source = cell.source.strip("\n") if cell.cell_type == "markdown" else cell.source.rstrip()
        if cell.cell_type == "code" and not source.strip():
            continue
        new = {
            "cell_type": cell.cell_type,
            "id": _id_of(source, ids),
            "metadata": {key: cell.metadata[key] for key in KEPT_CELL_METADATA if cell.metadata.get(key)},
            "source": source,
        }
        if cell.cell_type == "code":
            new["execution_count"] = cell.get("execution_count")
            new["outputs"] = _normal_outputs(cell.get("outputs", []))
        cells.append(new)
    return nbformat.from_dict({"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5})


def has_tag(cell: Any, tag: str) -> bool:
    """Returns whether a cell carries a tag."""
    return tag in cell.metadata.get("tags", [])


def output_text(output: Any) -> str:
    """Returns what an output shows as text: a stream's, an error's or the plain representation of a value."""
    if output.output_type == "stream":
        return output.text
    if output.output_type == "error":
        return f"{output.ename}: {output.evalue}"
    return output.get("data", {}).get("text/plain", "")


def _id_of(source: str, taken: set[str]) -> str:
    """A name made from what the cell says, so that converting a notebook to text and back changes none."""
    repeat = 0
    while (name := hashlib.sha256(f"{source}{repeat or ''}".encode()).hexdigest()[:8]) in taken:
        repeat += 1
    taken.add(name)
    return name


def _normal_outputs(outputs: list[Any]) -> list[dict[str, Any]]:
    normal: list[dict[str, Any]] = []
    for output in outputs:
        new = {key: value for key, value in output.items() if key != "transient"}
        if "metadata" in new:
            new["metadata"] = {key: new["metadata"][key] for key in KEPT_OUTPUT_METADATA if key in new["metadata"]}
        last = normal[-1] if normal else {}
        if new["output_type"] == "stream" and (last.get("output_type"), last.get("name")) == ("stream", new["name"]):
            last["text"] += new["text"]
        else:
            normal.append(new)
    return normal
