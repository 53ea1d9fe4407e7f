"""One notebook to grade as plain data, and the whole of what is done with it.

A job is made by the process that owns the class, and done by another one: a child on this machine
(:mod:`rnncourse.grading.classes.pool`) or a worker of a cluster (:mod:`rnncourse.grading.classes.cluster`). Both ways
are JSON: the notebook's bytes in, a report of numbers and cleaned strings out. Nothing is pickled.
"""

import base64
import contextlib
import os
import re
import stat
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rnncourse.grading.names import clean
from rnncourse.grading.walls.leftovers import new_folder, remove

__all__ = ["Options", "do", "make_job", "read_bytes", "report_to_dict"]


@dataclass(frozen=True)
class Options:
    """How every notebook of one command is graded.

    Args:
        chapter: Which questions to ask, whatever the notebooks say.
        own: They are one's own: do without a sandbox where there is none.
        unsafe: Do without a sandbox.
        cell_seconds: The limit for one cell.
        total_seconds: The limit for one notebook.
    """

    chapter: int | None = None
    own: bool = False
    unsafe: bool = False
    cell_seconds: float = 60.0
    total_seconds: float = 600.0

    @property
    def deadline(self) -> float:
        """Seconds after which whoever grades one notebook is given up, start and comparison included."""
        return self.total_seconds + 120.0


def make_job(
    label: str, name: str, content: bytes, seed: int, options: Options, questions: Sequence[str] = ()
) -> dict[str, Any]:
    """A job as plain data.

    Args:
        label: What the report calls the notebook.
        name: The file's name, which may say the chapter (``02_…``); nothing else of it is used.
        content: The notebook's bytes.
        seed: What the inputs are drawn from.
        options: Limits and walls.
        questions: Ids of the questions to ask, all of the chapter's by default.
    """
    return {
        "label": label,
        "name": f"{number[1]}_notebook.ipynb" if (number := re.match(r"(\d\d)_", name)) else "notebook.ipynb",
        "notebook": base64.b64encode(content).decode("ascii"),
        "seed": seed,
        "questions": list(questions),
        **asdict(options),
    }


def read_bytes(path: Path, limit: int, *, links: bool = False) -> bytes:
    """A stranger's file: a regular one, no link to another, and not larger than is read of it.

    Args:
        path: The file.
        limit: The most bytes that it may have.
        links: Whether a link is followed, for a path that somebody typed.

    Raises:
        ValueError: In one line, if it is anything else; nothing of it has been read then.
    """
    try:
        unfollowed = 0 if links else getattr(os, "O_NOFOLLOW", 0)
        handle = os.open(path, os.O_RDONLY | unfollowed | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
        with os.fdopen(handle, "rb") as file:
            state = os.fstat(file.fileno())
            if not stat.S_ISREG(state.st_mode):
                raise ValueError("it is not a file")
            if state.st_size > limit:
                raise ValueError(f"it has {state.st_size / 1e6:.0f} MB, and {limit / 1e6:.0f} MB is the limit")
            return file.read(limit + 1)[:limit]
    except OSError as error:
        if path.is_symlink():
            raise ValueError("it is a link to another file") from None
        raise ValueError(f"it cannot be read ({error.strerror})") from None


def do(
    job: dict[str, Any],
    grade: Callable[..., Any],
    find: Callable[[str], Any],
    say: Callable[[str], None] = lambda line: None,
) -> dict[str, Any]:
    """Grades one notebook; whatever happens, there is an answer.

    Args:
        job: What :func:`make_job` made.
        grade: :func:`rnncourse.course.grade`, or what stands for it.
        find: Gives the question of an id.
        say: Called with a line before each cell.

    Returns:
        Either ``{"report": …}`` or ``{"failure": why, "fault": whose}``, where the fault is the "submission"'s, the
        "grader"'s, or that there is no "sandbox".
    """
    from rnncourse.grading import grader
    from rnncourse.grading.walls.sandbox import Limits

    limits = Limits(cell_seconds=job["cell_seconds"], total_seconds=job["total_seconds"])
    asked = {"questions": [find(question_id) for question_id in job["questions"]]} if job["questions"] else {}
    try:
        with _folder() as folder:
            path = Path(folder) / job["name"]
            path.write_bytes(base64.b64decode(job["notebook"]))
            try:
                report = grade(
                    path,
                    seed=job["seed"],
                    chapter=job["chapter"],
                    own=job["own"],
                    unsafe=job["unsafe"],
                    limits=limits,
                    progress=say,
                    **asked,
                )
            except ValueError as error:
                fault = "grader" if isinstance(error, grader.Ungraded) else "submission"
                fault = "sandbox" if isinstance(error, grader.NoSandbox) else fault
                return {"failure": clean(str(error).replace(str(path), job["label"])), "fault": fault}
        return {"report": clean(report_to_dict(report) | {"notebook": job["label"]})}
    except Exception as error:
        what = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
        return {"failure": clean(f"the grader itself failed ({what})"), "fault": "grader"}


@contextlib.contextmanager
def _folder() -> Iterator[str]:
    """A folder for the notebook; where this process is killed, the next grader removes it."""
    folder = new_folder()
    try:
        yield folder
    finally:
        remove(folder)


def report_to_dict(report: Any) -> dict[str, Any]:
    """A :class:`~rnncourse.grading.grader.GradeReport` as plain dictionaries, in the form that ``--json`` writes."""
    from rnncourse.grading.grader import ISOLATION

    return {
        "notebook": report.notebook,
        "chapter": report.chapter,
        "points": report.points,
        "out_of": report.out_of,
        "questions": [_question(mark) for mark in report.marks],
        "cells": {str(number): problem for number, problem in report.cells.items()},
        "seed": report.seed,
        "isolation": report.isolation,
        "walls": ISOLATION[report.isolation],
        "course": report.version,
        "when": report.when,
        "seconds": report.seconds,
        "platform": report.platform,
        "faults": dict(report.faults),
    }


def _question(mark: Any) -> dict[str, Any]:
    return {
        "id": mark.question,
        "title": mark.title,
        "points": mark.points,
        "out_of": mark.out_of,
        "verdict": mark.verdict,
        "message": mark.message,
        "problems": mark.problems,
        "earned": list(mark.earned),
        "mistake": mark.mistake,
        "hint": mark.hint,
        "note": mark.note,
        "answered": mark.answered,
    }
