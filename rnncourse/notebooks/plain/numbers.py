"""The numbers that a notebook's cells computed and its sentences name (``glue``)."""

import ast
from typing import Any

from rnncourse.notebooks.plain.refusals import NoPlainForm

__all__ = ["formatted", "glued"]

RECORD = "application/papermill.record/text/plain"  # where a value lies that is not displayed
KINDS = {"s": str, **dict.fromkeys("bcdoxXn", int), **dict.fromkeys("eEfFgG%", float)}  # by a format's last letter


def glued(notebook: Any) -> dict[str, str]:
    """Returns every number of an executed notebook by its name, as the cell's output stores it."""
    found: dict[str, str] = {}
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            name = output.get("metadata", {}).get("scrapbook", {}).get("name")
            data = output.get("data", {})
            stored = data.get(RECORD, data.get("text/plain"))
            if name and stored is not None:
                found[name] = stored
    return found


def formatted(named: str, values: dict[str, str]) -> str:
    """Returns what stands on the page for ``name`` or ``name:format``.

    >>> formatted("gain:.1f", {"gain": "2.4499"}), formatted("unit", {"unit": "'bits'"})
    ('2.4', 'bits')

    Args:
        named: A name, and after a colon one of Python's formats where the source asks for one.
        values: Stored values by name.

    Raises:
        NoPlainForm: If there is no such number, or the format does not fit it.
    """
    name, _, form = named.rpartition(":") if ":" in named else (named, "", "s")
    if name not in values:
        raise NoPlainForm(f"no cell stored the number {name!r}; execute the notebook, or mend the name")
    try:
        value = ast.literal_eval(values[name])
    except (ValueError, SyntaxError):
        value = values[name]
    try:
        kind = KINDS.get(form[-1:])
        return format(kind(value) if kind else value, form)
    except (ValueError, TypeError):
        raise NoPlainForm(f"the number {name!r} is {values[name]!r}, which the format {form!r} does not fit") from None
