"""Notebooks as data: find, read, tidy, execute, strip of solutions, and hold to the house rules."""

from rnncourse.notebooks.execution import CellFailure, NotebookFailed, execute_file, execute_notebook
from rnncourse.notebooks.exercises import exercise_from_solution, write_exercises
from rnncourse.notebooks.files import (
    chapters,
    course_root,
    deeper_pages,
    has_tag,
    normalise,
    notebook_files,
    output_text,
    page_number,
    read,
    resolve_chapter,
    write,
)
from rnncourse.notebooks.length import Length, length
from rnncourse.notebooks.rules import RULES, Complaint, complaints

__all__ = [
    "RULES",
    "CellFailure",
    "Complaint",
    "Length",
    "NotebookFailed",
    "chapters",
    "complaints",
    "course_root",
    "deeper_pages",
    "execute_file",
    "execute_notebook",
    "exercise_from_solution",
    "has_tag",
    "length",
    "normalise",
    "notebook_files",
    "output_text",
    "page_number",
    "read",
    "resolve_chapter",
    "write",
    "write_exercises",
]
