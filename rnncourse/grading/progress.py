"""A learner's progress: one small JSON file beside the notebooks, written by the course and by nobody else.

Nothing is sent anywhere. Without the file (``rnncourse start`` makes it) nothing is recorded.

A lecturer grades other people's folders, which may hold such files, too. A graded run is noted only where both are
true: this user laid the folder out (a list of one's own, outside of all such folders, says so), and the notebook is
one of those laid out. A stranger's file is not even opened.
"""

import json
import os
import stat
import sys
import tempfile
from collections.abc import Collection, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rnncourse.grading.marking import Mark
    from rnncourse.grading.spec import Question

__all__ = [
    "FILE_NAME",
    "create",
    "find_file",
    "folders_laid_out",
    "own_file",
    "read",
    "record_check",
    "record_grades",
    "summarise",
    "write",
]

FILE_NAME = "rnncourse-progress.json"
SIZE_LIMIT = 1_000_000  # bytes; the course has some hundred questions


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


def own_file(notebook: Path) -> Path | None:
    """The progress file that a graded run of this notebook is noted in, or None: see the top of this module."""
    notebook = notebook.resolve()
    folder = notebook.parent.parent
    if notebook.parent.name != "exercises" or str(folder) not in folders_laid_out():
        return None
    path = folder / FILE_NAME
    try:
        return path if f"exercises/{notebook.name}" in read(path).get("files", {}) else None
    except (ValueError, TypeError):
        return None


def folders_laid_out() -> list[str]:
    """The folders that ``rnncourse start`` laid out for this user."""
    try:
        content = json.loads(_bounded(_list_of_folders()))
        return [folder for folder in content if isinstance(folder, str)]
    except (OSError, ValueError, TypeError, RecursionError):
        return []


def _list_of_folders() -> Path:
    if named := os.environ.get("RNNCOURSE_STATE"):
        return Path(named) / "folders.json"
    import platformdirs

    return Path(platformdirs.user_state_dir("rnncourse", appauthor=False)) / "folders.json"


def create(folder: Path, version: str) -> Path:
    """Writes an empty progress file, unless there is one already, and notes that the folder is this user's own."""
    path = folder / FILE_NAME
    if not path.exists():
        write(path, {"course": version, "questions": {}})
    own, known = str(folder.resolve()), folders_laid_out()
    if own not in known:
        target = _list_of_folders()
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            write(target, [*known, own])
        except OSError as error:
            print(f"(graded runs will not be noted in {folder}: {error})", file=sys.stderr)
    return path


def _bounded(path: Path) -> bytes:
    """The bytes of a regular file that is not larger than anything we write."""
    handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
    with os.fdopen(handle, "rb") as file:
        state = os.fstat(file.fileno())
        if not stat.S_ISREG(state.st_mode) or state.st_size > SIZE_LIMIT:
            raise ValueError(f"{path} is no file of ours")
        return file.read(SIZE_LIMIT)


def read(path: Path) -> dict[str, Any]:
    """The content of a progress file.

    Raises:
        ValueError: If it cannot be read as one, saying what to do.
    """
    try:
        content = json.loads(_bounded(path))
        questions = content["questions"]
        if not isinstance(questions, dict) or not all(isinstance(entry, dict) for entry in questions.values()):
            raise TypeError
        return content
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        raise ValueError(f"{path} is not a progress file any more; move it away and a new one is begun") from None


def record_check(result: "Mark", chapter: int) -> int:
    """Notes a self-check; returns how many times this question has failed so far (0 when nothing is recorded)."""
    entry = _update(result.question, lambda entry: _after_check(entry, result))
    return entry.get("failed", 0) if entry else 0


def record_grades(questions: Sequence[Mapping[str, Any]], notebook: Path) -> None:
    """Notes the points of a graded run of one's own notebook; of anybody else's, nothing is noted.

    Args:
        questions: Plain dictionaries with id, points, out_of, and whether there was an answer.
        notebook: The file that was graded.
    """
    path = own_file(notebook)
    for question in questions if path else ():

        def after(entry: dict[str, Any], question: Mapping[str, Any] = question) -> None:
            entry["graded"] = {
                "points": question["points"],
                "out_of": question["out_of"],
                "on": date.today().isoformat(),
            }
            if question["answered"]:
                entry["answered"] = True
            entry["best"] = max(question["points"], entry.get("best", 0))

        _update(question["id"], after, path)


def _after_check(entry: dict[str, Any], result: "Mark") -> None:
    entry["checks"] = entry.get("checks", 0) + 1
    if result.answered:
        entry["answered"] = True
    if result.full:
        entry["passed"] = True
        entry["failed"] = 0
    else:
        entry["failed"] = entry.get("failed", 0) + 1


def _update(question_id: str, change, path: Path | None = None) -> dict[str, Any] | None:
    """Applies a change to one question's entry. A file that cannot be read or written never disturbs the learner."""
    path = path or find_file()
    if path is None:
        return None
    try:
        content = read(path)
        entry = content["questions"].setdefault(question_id, {})
        change(entry)
        write(path, content)
        return entry
    except (OSError, ValueError, TypeError) as error:
        print(f"(progress was not recorded: {error})", file=sys.stderr)
        return None


def summarise(content: dict[str, Any], questions: Collection["Question"]) -> list[tuple[str, str, str, str, str, str]]:
    """Per chapter: its number, how many questions were attempted, self-checked, graded, the points, what is next."""
    noted = content["questions"]
    rows = []
    for chapter in sorted({question.chapter for question in questions}):
        asked = [question for question in questions if question.chapter == chapter]
        entries = [noted.get(question.id, {}) for question in asked]

        def count(key: str, entries=entries, asked=asked) -> str:
            return f"{sum(1 for entry in entries if entry.get(key))} of {len(asked)}"

        attempted = f"{sum(1 for entry in entries if _attempted(entry))} of {len(asked)}"
        points = f"{sum(entry.get('best', 0) for entry in entries):g} of {sum(q.points for q in asked):g}"
        rows.append((str(chapter), attempted, count("passed"), count("graded"), points, _next(chapter, asked, entries)))
    return rows


def _next(chapter: int, questions: list, entries: list[dict[str, Any]]) -> str:
    pairs = list(zip(questions, entries, strict=True))
    open_questions = [question for question, entry in pairs if not entry.get("passed") and not _full(question, entry)]
    if len(open_questions) == len(questions):
        begin = f"begin with question {questions[0].id}"
        return begin if any(map(_attempted, entries)) else f"not started; {begin}"
    if open_questions:
        return f"question {open_questions[0].id}: {open_questions[0].title}"
    if all(_full(question, entry) for question, entry in pairs):
        return "done"
    return f"rnncourse grade exercises/{chapter:02d}_….ipynb"


def _attempted(entry: dict[str, Any]) -> bool:
    """Whether there ever was an answer: to grade or to run an untouched notebook is no attempt."""
    return bool(entry.get("answered") or entry.get("passed") or entry.get("best"))


def _full(question: Any, entry: dict[str, Any]) -> bool:
    return entry.get("best", 0) >= question.points


def write(path: Path, content: Any) -> None:
    """Replaces the file in one step, so that an interrupted kernel never leaves half of it."""
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".rnncourse-")
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        json.dump(content, file, indent=1, sort_keys=True)
        file.write("\n")
    os.replace(temporary, path)
