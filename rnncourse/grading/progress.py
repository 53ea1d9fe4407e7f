"""A learner's progress: one small JSON file beside the notebooks, written by the course and by nobody else.

Nothing is sent anywhere. Without the file (``rnncourse start`` makes it) nothing is recorded.
"""

import json
import os
import tempfile
from collections.abc import Collection
from datetime import date
from pathlib import Path
from typing import Any

from rnncourse.grading.marking import Mark
from rnncourse.grading.spec import Question

__all__ = ["FILE_NAME", "create", "find_file", "read", "record_check", "record_grade", "summarise", "write"]

FILE_NAME = "rnncourse-progress.json"


def find_file(folder: Path | None = None) -> Path | None:
    """The progress file of this folder or of one up to three levels above, or None.

    Args:
        folder: Where to begin; the working directory by default.
    """
    folder = (folder or Path.cwd()).resolve()
    for candidate in [folder, *folder.parents][:4]:
        if (candidate / FILE_NAME).is_file():
            return candidate / FILE_NAME
    return None


def create(folder: Path, version: str) -> Path:
    """Writes an empty progress file, unless there is one already."""
    path = folder / FILE_NAME
    if not path.exists():
        write(path, {"course": version, "questions": {}})
    return path


def read(path: Path) -> dict[str, Any]:
    """The content of a progress file.

    Raises:
        ValueError: If it cannot be read as one, saying what to do.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        questions = content["questions"]
        if not isinstance(questions, dict) or not all(isinstance(entry, dict) for entry in questions.values()):
            raise TypeError
        return content
    except (OSError, ValueError, KeyError, TypeError):
        raise ValueError(f"{path} is not a progress file any more; move it away and a new one is begun") from None


def record_check(result: Mark, chapter: int) -> int:
    """Notes a self-check; returns how many times this question has failed so far (0 when nothing is recorded)."""
    entry = _update(result.question, lambda entry: _after_check(entry, result))
    return entry.get("failed", 0) if entry else 0


def record_grade(result: Mark, folder: Path) -> None:
    """Notes the points of a graded run of a notebook in this folder."""

    def after(entry: dict[str, Any]) -> None:
        entry["graded"] = {"points": result.points, "out_of": result.out_of, "on": date.today().isoformat()}
        entry["best"] = max(result.points, entry.get("best", 0))

    _update(result.question, after, folder)


def _after_check(entry: dict[str, Any], result: Mark) -> None:
    entry["checks"] = entry.get("checks", 0) + 1
    if result.full:
        entry["passed"] = True
        entry["failed"] = 0
    else:
        entry["failed"] = entry.get("failed", 0) + 1


def _update(question_id: str, change, folder: Path | None = None) -> dict[str, Any] | None:
    """Applies a change to one question's entry. A file that cannot be read or written never disturbs the learner."""
    path = find_file(folder)
    if path is None:
        return None
    try:
        content = read(path)
        entry = content["questions"].setdefault(question_id, {})
        change(entry)
        write(path, content)
        return entry
    except (OSError, ValueError, TypeError) as error:
        print(f"(progress was not recorded: {error})")
        return None


def summarise(content: dict[str, Any], questions: Collection[Question]) -> list[tuple[str, str, str, str, str, str]]:
    """Per chapter: its number, how many questions were attempted, self-checked, graded, the points, what is next."""
    noted = content["questions"]
    rows = []
    for chapter in sorted({question.chapter for question in questions}):
        asked = [question for question in questions if question.chapter == chapter]
        entries = [noted.get(question.id, {}) for question in asked]

        def count(key: str, entries=entries, asked=asked) -> str:
            return f"{sum(1 for entry in entries if entry.get(key))} of {len(asked)}"

        attempted = f"{sum(1 for entry in entries if entry)} of {len(asked)}"
        points = f"{sum(entry.get('best', 0) for entry in entries):g} of {sum(q.points for q in asked):g}"
        rows.append((str(chapter), attempted, count("passed"), count("graded"), points, _next(chapter, asked, entries)))
    return rows


def _next(chapter: int, questions: list, entries: list[dict[str, Any]]) -> str:
    pairs = list(zip(questions, entries, strict=True))
    open_questions = [question for question, entry in pairs if not entry.get("passed") and not _full(question, entry)]
    if len(open_questions) == len(questions):
        return f"begin with question {questions[0].id}"
    if open_questions:
        return f"question {open_questions[0].id}: {open_questions[0].title}"
    if all(_full(question, entry) for question, entry in pairs):
        return "done"
    return f"rnncourse grade exercises/{chapter:02d}_….ipynb"


def _full(question: Any, entry: dict[str, Any]) -> bool:
    return entry.get("best", 0) >= question.points


def write(path: Path, content: dict[str, Any]) -> None:
    """Replaces the file in one step, so that an interrupted kernel never leaves half of it."""
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".rnncourse-")
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        json.dump(content, file, indent=1, sort_keys=True)
        file.write("\n")
    os.replace(temporary, path)
