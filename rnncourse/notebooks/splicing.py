"""The worked solution exists once, as a function of the package; here it is written into ``solutions/``.

The whole function goes in: its first lines and its docstring are what the learner reads, and its body stands between
the markers. Everything else of a solution's notebook (prose, small examples, experiments) is written by hand.
"""

import ast
import inspect
import re
import textwrap
from collections.abc import Callable, Mapping
from typing import Any

import nbformat

from rnncourse.notebooks.files import Notebook, normalise
from rnncourse.notebooks.markers import BEGIN, END, exercise_number

__all__ = ["spliced"]


def spliced(notebook: Notebook, solutions: Mapping[str, Callable[..., Any]], stem: str) -> Notebook:
    """Returns a solution's notebook with the package's functions in the place of its own.

    Args:
        notebook: The solution's notebook; cells without markers, and exercises without a function, stay as they are.
        solutions: Number of an exercise → the function that solves it.
        stem: The file's stem, for messages.

    Returns:
        A notebook in normal form. Outputs stay; whether they still belong to the code is for ``rnncourse lint``.

    Raises:
        ValueError: If a cell with markers is not one function of the right name whose body stands between them, or a
            function has no docstring.
    """
    notebook = nbformat.from_dict(normalise(notebook))
    number: str | None = None
    for position, cell in enumerate(notebook.cells, start=1):
        number = exercise_number(number, cell)
        lines = cell.source.splitlines()
        begins = [index for index, line in enumerate(lines) if BEGIN.fullmatch(line)]
        if cell.cell_type != "code" or not begins:
            continue
        number = BEGIN.fullmatch(lines[begins[0]])["id"] or number
        if number in solutions:
            where = f"solutions/{stem}.ipynb, cell {position}"
            cell.source = "\n".join(_with_function(lines, begins, solutions[number], where))
    return normalise(notebook)


def _with_function(lines: list[str], begins: list[int], function: Callable[..., Any], where: str) -> list[str]:
    ends = [index for index, line in enumerate(lines) if END.fullmatch(line)]
    if len(begins) != 1 or len(ends) != 1 or ends[0] < begins[0]:
        raise ValueError(f"{where}: should hold '### BEGIN SOLUTION' and then '### END SOLUTION', each once")
    begin, end = begins[0], ends[0]
    starts = [index for index, line in enumerate(lines[:begin]) if re.match(r"def |class |@", line)]
    if not starts or not re.match(rf"def {function.__name__}\(", lines[starts[-1]]):
        raise ValueError(f"{where}: '### BEGIN SOLUTION' should stand in the function {function.__name__!r}")
    after = next((line for line in lines[end + 1 :] if line.strip()), "")
    if after[:1].isspace():
        raise ValueError(
            f"{where}: {function.__name__!r} should end with '### END SOLUTION'; {after.strip()!r} follows"
        )
    head, body = _head_and_body(function)
    return [*lines[: starts[-1]], *head, lines[begin], *body, lines[end], *lines[end + 1 :]]


def _head_and_body(function: Callable[..., Any]) -> tuple[list[str], list[str]]:
    """A function's lines up to the end of its docstring, and the lines after it."""
    source = textwrap.dedent(inspect.getsource(function)).rstrip()
    (definition,) = ast.parse(source).body
    if ast.get_docstring(definition) is None:
        raise ValueError(
            f"the solution {function.__module__}.{function.__qualname__} needs a docstring: the learner reads it"
        )
    lines, end = source.splitlines(), definition.body[0].end_lineno
    return lines[:end], lines[end:]
