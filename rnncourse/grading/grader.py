"""A notebook to a report: run the cells, ask each question as soon as its function exists, survive everything.

The loop below is the whole policy:

- a cell that fails is noted, and the next one runs;
- after each cell, every question whose function has just appeared (or changed) is asked, so that whatever happens
  later cannot take its points away;
- when the worker is lost (a crash, a hang, too much memory), the cell or the question that lost it pays, a new worker
  runs the other cells again, and nothing is asked twice;
- when the grader itself fails on an answer, that question is a human's to look at, and the others are graded;
- at the end, what was not right the first time is asked once more: a helper may have been defined in between.
"""

import platform
import re
import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import torch

from rnncourse.grading.channel import Lost, Worker
from rnncourse.grading.marking import Failure, Mark, answer_all, mark
from rnncourse.grading.notebook import Submission, printable, read_submission
from rnncourse.grading.spec import Draw, Question
from rnncourse.grading.walls.sandbox import Limits, Wall, find_sandbox
from rnncourse.grading.wire import WireError, decode, encode, plain
from rnncourse.version import __version__

__all__ = ["GradeReport", "NoSandbox", "Ungraded", "grade"]

SEEDS = 20  # tries at a seed that every question has an answer for
ISOLATION = {
    "bubblewrap": "bubblewrap sandbox",
    "landlock": "Landlock sandbox (no namespaces here)",
    "own": "none: graded as one's own notebook (--own)",
    "unsafe": "none: run without a sandbox on request (--unsafe)",
}


class NoSandbox(ValueError):
    """There is no sandbox here, and nobody said that the notebook may run without one."""


class Ungraded(ValueError):
    """A notebook could not be graded, through no fault of its own: the message says what failed."""


@dataclass
class GradeReport:
    """What a graded run found.

    Args:
        notebook: The file's name.
        chapter: The chapter whose questions were asked.
        marks: One :class:`~rnncourse.grading.marking.Mark` per question.
        cells: Number of a code cell → what went wrong in it.
        seed: What the inputs were drawn from; the same seed asks the same again.
        isolation: "bubblewrap", "landlock", "own" or "unsafe".
        seconds: How long it took.
        version: Of the course.
        when: UTC, ISO 8601.
        platform: Python's, torch's and the system's versions.
        faults: Question → what failed in the grader itself; its points are for a human to decide.
    """

    notebook: str
    chapter: int
    marks: list[Mark]
    cells: dict[int, str]
    seed: int
    isolation: str
    seconds: float
    version: str = __version__
    when: str = ""
    platform: dict[str, str] = field(default_factory=dict)
    faults: dict[str, str] = field(default_factory=dict)

    @property
    def points(self) -> float:
        """All points that were earned."""
        return round(sum(mark.points for mark in self.marks), 2)

    @property
    def out_of(self) -> float:
        """All points that there are."""
        return sum(mark.out_of for mark in self.marks)


def grade(
    path: str | Path,
    *,
    seed: int | None = None,
    chapter: int | None = None,
    own: bool = False,
    unsafe: bool = False,
    wall: str = "",
    limits: Limits | None = None,
    questions: Sequence[Question] | Callable[[int], Sequence[Question]],
    progress: Callable[[str], None] = lambda line: None,
) -> GradeReport:
    """Grades one notebook.

    Args:
        path: The notebook.
        seed: For the inputs; a fresh, unpredictable one by default.
        chapter: Which questions to ask, where the notebook does not say.
        own: The notebook is one's own: run it without a sandbox where there is none.
        unsafe: Run it without a sandbox, whoever wrote it.
        wall: Which sandbox to use, "bubblewrap" or "landlock"; by default the first that works here.
        limits: Time and memory.
        questions: What to ask, or a function that gives a chapter's questions.
        progress: Called with a line before each cell.

    Returns:
        The report. Whatever the notebook does, there is one.

    Raises:
        NoSandbox: If there is no sandbox and neither ``own`` nor ``unsafe`` was given.
        Ungraded: If no worker can be started, or the grader itself fails; nothing else that goes wrong is raised.
        ValueError: If the file is no notebook, or its chapter has no questions. All of these are ValueErrors.
    """
    try:
        return _grade(path, seed, chapter, own, unsafe, wall, limits or Limits(), questions, progress)
    except ValueError:
        raise
    except Exception as error:  # whatever it was, the next notebook is graded
        raise Ungraded(f"{path} could not be graded: the grader failed ({type(error).__name__}: {error})") from error


def _grade(path, seed, chapter, own, unsafe, wall, limits, questions, progress) -> GradeReport:
    began = time.monotonic()
    submission = read_submission(path, chapter)
    questions = list(questions(submission.chapter) if callable(questions) else questions)
    if not questions:
        raise ValueError(f"{path}: chapter {submission.chapter} has no graded questions")
    found, reason = (None, "") if unsafe else find_sandbox(wall)
    if found is None and not (own or unsafe):
        raise NoSandbox(
            f"no sandbox for a stranger's notebook: {reason}. For your own notebook add --own; "
            "--unsafe runs anybody's, and says so in the report"
        )
    run = _Run(submission, questions, found or Wall("none"), seed, limits)
    run.progress = progress
    run.everything()
    return GradeReport(
        notebook=submission.name,
        chapter=submission.chapter,
        marks=[run.final_mark(question) for question in questions],
        cells=dict(sorted(run.broken.items())),
        seed=run.seed,
        isolation=found.name if found else "unsafe" if unsafe else "own",
        seconds=round(time.monotonic() - began, 1),
        when=datetime.now(UTC).isoformat(timespec="seconds"),
        platform={"python": platform.python_version(), "torch": torch.__version__, "system": platform.platform()},
        faults=run.faults,
    )


class _Run:
    """The state of one graded run; ``everything`` is the loop that the module describes."""

    def __init__(self, submission: Submission, questions: list[Question], wall: Wall, seed: int | None, limits: Limits):
        self.submission, self.questions, self.wall, self.limits = submission, questions, wall, limits
        self.seed = seed if seed is not None else secrets.randbelow(2**31)
        self.drawn, self.inputs = _draw(questions, self.seed)
        self.marks: dict[str, Mark] = {}
        self.asked: set[tuple[str, int]] = set()  # (question, cell after which it was asked)
        self.lost: set[int] = set()  # cells that a worker was lost in: they do not run again
        self.fatal: set[str] = set()  # questions that a worker was lost in
        self.broken: dict[int, str] = {}
        self.faults: dict[str, str] = {}
        self.deadline = float("inf")  # until the first worker stands: its start is ours to wait for
        self.progress: Callable[[str], None] = lambda line: None
        self.stopped = ""

    def everything(self) -> None:
        """Runs all cells and asks all questions, with as many workers as it takes."""
        for attempt in range(self.limits.restarts + 1):
            try:
                with Worker(self.wall, self.limits, self.deadline) as worker:
                    if not attempt:  # later starts, which the notebook made necessary, are on its own time
                        self.deadline = time.monotonic() + self.limits.total_seconds
                    self._cells(worker)
                    self._once_more(worker)
                return
            except _StartAgain:
                pass
            except _OutOfTime:
                self.stopped = f"the time for the whole notebook ({self.limits.total_seconds:g} s) was used up"
                return
            except Lost as lost:  # it did not even start
                if attempt == 0:  # nobody's code has run yet: this is our trouble, and no reason for a zero
                    raise Ungraded(f"{self.submission.path} could not be graded: {lost}") from None
                self.stopped = str(lost)
                return
        self.stopped = f"the process was lost {self.limits.restarts + 1} times"

    def final_mark(self, question: Question) -> Mark:
        """The mark of a question, or a zero that says why it was never asked, with a note for a human."""
        result = self.marks.get(question.id) or self._mark(question, self._nothing(question))
        for pattern in question.flags:
            if found := re.search(pattern, self.submission.source):
                result.note = f"the notebook mentions {found.group()[:40]}: have a look"
        return result

    def _nothing(self, question: Question) -> dict[str, Failure]:
        missing = f"the notebook does not define `{question.name}`"
        defines = re.compile(rf"^[ \t]*(def\b.*\b{question.name}\b|{question.name}\s*=)", re.MULTILINE)
        for cell in self.submission.cells:
            if cell.number in self.broken and defines.search(cell.source):
                missing = (
                    f"cell {cell.number}, which should define `{question.name}`, failed: {self.broken[cell.number]}"
                )
        if self.stopped:
            missing += f" ({self.stopped})"
        return {label: Failure(missing) for label in question.cases}

    def _cells(self, worker: Worker) -> None:
        known: dict[str, int] = {}
        names = [question.name for question in self.questions]
        for cell in self.submission.cells:
            if cell.skip or cell.number in self.lost:
                continue
            self.progress(f"cell {cell.number} of {len(self.submission.cells)}")
            request = {"op": "run", "source": cell.source, "names": names}
            try:
                reply, _ = worker.ask(request, deadline=self._by(self.limits.cell_seconds), doing="it")
            except WireError:
                self.broken[cell.number] = "it is too long to be run"
                continue
            except Lost as problem:
                self.broken[cell.number] = str(problem)
                self.lost.add(cell.number)
                raise _StartAgain from None
            # A cell that meets an unwritten function is no news: the question itself says so.
            if reply.get("ok") is not True and not _unwritten(reply):
                self.broken[cell.number] = _error(reply)
            defined = reply.get("defined")
            defined = defined if isinstance(defined, dict) else {}
            for question in self.questions:
                now = defined.get(question.name)
                if now is not None and now != known.get(question.name) and (question.id, cell.number) not in self.asked:
                    self.asked.add((question.id, cell.number))
                    self._ask(worker, question)
            known = defined

    def _once_more(self, worker: Worker) -> None:
        for question in self.questions:
            before = self.marks.get(question.id)
            if before is not None and not before.full and question.id not in self.fatal:
                self.fatal.add(question.id)  # whatever happens now, there is no third time
                self._ask(worker, question, keep=before)

    def _ask(self, worker: Worker, question: Question, keep: Mark | None = None) -> None:
        """Asks every case of a question; a new answer replaces the mark of an older one (unless ``keep`` is better)."""
        answers: dict[str, Any] = {}
        lost: Failure | None = None
        for label, arguments in self.inputs[question.id].items():
            if lost is not None:
                answers[label] = lost
                continue
            tree, tensors = encode(plain(arguments))
            request = {"op": "call", "name": question.name, "kind": question.kind, "arguments": tree}
            try:
                deadline = self._by(question.seconds)
                reply, given = worker.ask(request, tensors, deadline=deadline, doing=f"`{question.name}`")
                answers[label] = _answer(reply, given)
            except Lost as problem:
                answers[label] = lost = Failure(str(problem))
        result = self._mark(question, answers)
        self.marks[question.id] = keep if keep is not None and keep.points >= result.points else result
        if lost is not None:
            self.fatal.add(question.id)
            raise _StartAgain

    def _mark(self, question: Question, answers: dict[str, Any]) -> Mark:
        """The mark; where the grader itself fails on an answer, no points, and a note that a human has to decide."""
        try:
            return mark(question, answers, self.drawn)
        except Exception as error:
            self.faults[question.id] = f"{type(error).__name__}: {printable(str(error)[:300])}"
            said = f"the grader failed on this answer ({type(error).__name__})"
            result = Mark(question.id, question.title, 0.0, question.points, {"every case": said})
            result.message, result.hint, result.note = said, question.hints[0], f"{said}: decide its points"
            return result

    def _by(self, seconds: float) -> float:
        now = time.monotonic()
        if now >= self.deadline:
            raise _OutOfTime
        return min(now + seconds, self.deadline)


class _StartAgain(Exception):
    """The worker was lost; what lost it has been written down."""


class _OutOfTime(Exception):
    """The notebook's time is over, and nothing more is run or asked."""


def _draw(questions: list[Question], seed: int) -> tuple[int, dict[str, dict[str, tuple]]]:
    """The inputs of all cases, from a seed or, where a question has no answer for it, from the next that follows it.

    Args:
        questions: What will be asked.
        seed: The seed to begin with; the same one leads to the same inputs again.

    Returns:
        (the seed that was taken, question → case → arguments).

    Raises:
        Ungraded: If none of many seeds will do.
    """
    trouble = ""
    for candidate in [seed, *(int(torch.randint(2**31, (), generator=Draw(seed, n).generator)) for n in range(SEEDS))]:
        asked = ""
        try:
            inputs = {}
            for question in questions:
                asked = question.id
                inputs[question.id] = question.inputs(candidate)
                answer_all(question, inputs[question.id])
            return candidate, inputs
        except Exception as error:
            trouble = trouble or f"question {asked} has no answer for it ({type(error).__name__}: {error})"
    raise Ungraded(f"seed {seed}: {trouble}, nor for {SEEDS} others")


def _answer(reply: dict, tensors: dict) -> Any:
    """A reply to a call as an answer, or as the reason why there is none."""
    if reply.get("ok") is not True:
        if _unwritten(reply):
            return Failure("not written yet")
        if reply.get("error") == "WireError":
            return Failure(f"it returned {_text(reply.get('message'))}")
        return Failure(f"it raised {_error(reply)}")
    try:
        return decode(reply.get("answer"), tensors)
    except WireError as error:
        return Failure(f"it returned {error}")


def _unwritten(reply: dict) -> bool:
    """Whether an exercise's own stub answered; PyTorch raises the same exception for what it cannot do."""
    message = reply.get("message")
    return reply.get("error") == "NotImplementedError" and (message == "" or str(message).startswith("Exercise"))


def _error(reply: dict) -> str:
    line = reply.get("line")
    where = f" (line {line})" if type(line) is int else ""
    return f"{_text(reply.get('error')) or 'an error'}: {_text(reply.get('message'))}{where}"


def _text(value: Any) -> str:
    return printable(value[:500]).strip() if isinstance(value, str) else ""
