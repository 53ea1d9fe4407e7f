"""The house rules for notebooks: each is a small function that returns what it complains about.

A rule is here because a notebook that breaks it looks verified and is not, or cannot be read by somebody. Rules look
at the file as it is committed; whether the outputs are *true* is for a strict run of nbval.
"""

from pathlib import Path

from rnncourse.notebooks.files import Notebook
from rnncourse.notebooks.rules import code, outputs, prose  # noqa: F401 - each adds its rules to the table
from rnncourse.notebooks.rules.table import CHAPTER_RULES, RULES, Complaint

__all__ = ["CHAPTER_RULES", "RULES", "Complaint", "complaints"]


def complaints(path: Path | str, notebook: Notebook) -> list[Complaint]:
    """Returns everything that the house rules have against a notebook.

    Args:
        path: Where it lives: chapters (in a folder ``book``) are held to the chapter's template too.
        notebook: Its content.

    Returns:
        Complaints, in the order of the rules; none for a good notebook.
    """
    rules = RULES | (CHAPTER_RULES if Path(path).resolve().parent.name == "book" else {})
    return [Complaint(name, cell, reason) for name, rule in rules.items() for cell, reason in rule(notebook)]
