"""Worked solutions become the exercises that a learner opens, the same bytes each time.

The package's own functions are written into ``solutions/`` first (:mod:`rnncourse.notebooks.splicing`), and the
exercises are made from there.

What stands between ``### BEGIN SOLUTION`` and ``### END SOLUTION`` becomes one line that raises
``NotImplementedError("Exercise 5.2")``. The number stands behind ``### BEGIN SOLUTION``, or in the nearest heading
above. Cells tagged ``solution`` (worked discussion) vanish, and so do all outputs.
"""

import hashlib
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import nbformat

from rnncourse.notebooks.files import Notebook, course_root, has_tag, normalise, notebook_files, read, write
from rnncourse.notebooks.markers import BEGIN, END, exercise_number, near_misses
from rnncourse.notebooks.splicing import spliced


class EditedByHand(ValueError):
    """An exercise file that somebody worked in; writing it anew would lose that."""


def exercise_from_solution(notebook: Notebook, stem: str) -> Notebook:
    """Returns what a learner opens, made from a worked solution.

    Args:
        notebook: The worked solution.
        stem: Its file's stem, for messages and the record of where it came from.

    Returns:
        A notebook without solutions and outputs, in normal form.

    Raises:
        ValueError: If a solution's begin and end do not match, its exercise has no number, or a line nearly marks.
    """
    for position, reason in near_misses(notebook):
        raise ValueError(f"solutions/{stem}.ipynb, cell {position}: {reason}")
    exercise = nbformat.from_dict(normalise(notebook))
    number: str | None = None
    cells = []
    for position, cell in enumerate(exercise.cells, start=1):
        number = exercise_number(number, cell)
        if has_tag(cell, "solution"):
            continue
        if cell.cell_type == "code":
            cell.source = _without_solution(cell.source, number, f"solutions/{stem}.ipynb, cell {position}")
            cell.outputs, cell.execution_count = [], None
        cells.append(cell)
    exercise.cells = cells
    kept = {key: value for key, value in exercise.metadata.get("rnncourse", {}).items() if key == "chapter"}
    exercise.metadata["rnncourse"] = {**kept, "generated": _digest(exercise)}
    return normalise(exercise)


def write_exercises(
    root: Path | None = None, *, solutions: Mapping[str, Callable[..., Any]], force: bool = False
) -> list[Path]:
    """Writes the package's functions into every solution, and the exercise of every solution.

    Args:
        root: The course's folder; by default the course's own.
        solutions: Number of an exercise → the function that solves it.
        force: Write also over exercises that were edited.

    Returns:
        The files that changed.

    Raises:
        EditedByHand: If an exercise was edited since it was generated; nothing at all is written then.
        ValueError: If a solution cannot be turned into an exercise; nothing at all is written then.
    """
    root = root or course_root()
    if not (root / "solutions").is_dir():
        raise ValueError(f"{root} has no folder 'solutions'; exercises are generated in a clone of the repository")
    folder = root / "exercises"
    there = {path: read(path) for path in notebook_files(root, ("solutions",))}
    solved = {path: spliced(notebook, solutions, path.stem) for path, notebook in there.items()}
    generated = {folder / path.name: exercise_from_solution(notebook, path.stem) for path, notebook in solved.items()}
    edited = [path for path in generated if path.is_file() and _was_edited(read(path))]
    if edited and not force:
        raise EditedByHand(
            f"{', '.join(str(path.relative_to(root)) for path in edited)} was edited since it was generated; "
            "copy it elsewhere first, or write over it with: rnncourse exercises --force"
        )
    folder.mkdir(exist_ok=True)
    rewritten = {path: notebook for path, notebook in solved.items() if _digest(notebook) != _digest(there[path])}
    return [path for path, notebook in (rewritten | generated).items() if write(path, notebook)]


def _without_solution(source: str, number: str | None, where: str) -> str:
    kept: list[str] = []
    inside = False
    for line in source.splitlines():
        if begin := BEGIN.fullmatch(line):
            if inside:
                raise ValueError(f"{where}: a second '### BEGIN SOLUTION' before '### END SOLUTION'")
            inside = True
            number = begin["id"] or number
            if number is None:
                raise ValueError(
                    f"{where}: no exercise number; write '### BEGIN SOLUTION 5.2' or a heading 'Exercise 5.2'"
                )
            kept.append(f'{begin["indent"]}raise NotImplementedError("Exercise {number}")')
        elif END.fullmatch(line):
            if not inside:
                raise ValueError(f"{where}: '### END SOLUTION' without '### BEGIN SOLUTION'")
            inside = False
        elif not inside:
            kept.append(line)
    if inside:
        raise ValueError(f"{where}: '### BEGIN SOLUTION' without '### END SOLUTION'")
    return "\n".join(kept)


def _digest(notebook: Notebook) -> str:
    sources = [(cell.cell_type, cell.source) for cell in normalise(notebook).cells]
    return hashlib.sha256(json.dumps(sources).encode()).hexdigest()[:16]


def _was_edited(notebook: Notebook) -> bool:
    generated = notebook.metadata.get("rnncourse", {}).get("generated")
    return generated is not None and generated != _digest(notebook)
