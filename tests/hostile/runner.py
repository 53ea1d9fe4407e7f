"""Runs cases: a few notebooks for all of them, since each worker spends a second on importing torch."""

import contextlib
import dataclasses
import json
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from rnncourse.grading import warm
from rnncourse.grading.grader import GradeReport, grade
from rnncourse.grading.marking import Mark
from rnncourse.grading.spec import Question, Wrong
from rnncourse.grading.walls import watch
from rnncourse.grading.walls.leftovers import name
from rnncourse.grading.walls.sandbox import Limits
from tests.hostile.case import Case
from tests.hostile.cases import families

__all__ = ["LIMITS", "batches", "leftovers", "notebook", "question", "run"]

LIMITS = dataclasses.replace(
    Limits(),
    cell_seconds=20.0,
    total_seconds=400.0,
    resident=1000 * 2**20,
    disk=128 * 2**20,
    files=5000,
    processes=40,
    restarts=40,
)
IMPATIENT = dataclasses.replace(LIMITS, cell_seconds=3.0)
FIRST = "import os, sys, numpy as np, torch"
GOOD = "def {0}(x):\n    return x + x"
ENDING = 12  # cases that end the worker, in one notebook


def question(name: str, number: int = 1, **options) -> Question:
    """Twice a vector: whatever earns this point has computed it."""
    return Question(
        id=f"99.{number}",
        title=name,
        name=name,
        points=1,
        reference=lambda x: 2 * x,
        cases={"four": lambda draw: (draw.normal(4),), "two": lambda draw: (draw.normal(2),)},
        wrong=(Wrong("same", lambda x: x, "Add it once more."), Wrong("square", lambda x: x * x, "x + x, not x * x.")),
        hints=("x + x",),
        **{"seconds": 3.0} | options,
    )


def notebook(path: Path, cells: list[str], **metadata) -> Path:
    """Writes a notebook of these code cells."""
    cells = [{"cell_type": "code", "metadata": {}, "outputs": [], "source": source} for source in cells]
    path.write_text(json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": metadata, "cells": cells}))
    return path


def batches() -> dict[str, list[Case]]:
    """All cases in notebooks: those that end nothing together by family, the others a dozen at a time."""
    found: dict[str, list[Case]] = {}
    for family, cases in families().items():
        if quiet := [case for case in cases if not case.ends]:
            found[family] = quiet
        ending = [case for case in cases if case.ends]
        for start in range(0, len(ending), ENDING):
            found[f"{family} {start // ENDING + 1}"] = ending[start : start + ENDING]
    return found


def run(folder: Path, cases: list[Case], wall: str) -> tuple[dict[str, Mark], GradeReport]:
    """Grades one notebook of these cases, with an honest question before and after; returns marks by name."""
    impatient = any(case.ends for case in cases)
    cells = [FIRST, GOOD.format("before")]
    for case in cases:
        cells += case.source.split("\n# ---\n")
    cells += [GOOD.format("after"), GOOD.format("helper_of_all")]
    names = ["before", *[case.name for case in cases], "after"]
    seconds = 3.0 if impatient else 20.0
    questions = [question(name, number, seconds=seconds) for number, name in enumerate(names, 1)]
    path = notebook(folder / "attack.ipynb", cells)
    report = grade(path, chapter=99, questions=questions, wall=wall, limits=IMPATIENT if impatient else LIMITS)
    return {mark.title: mark for mark in report.marks}, report


def leftovers(patience: float = 5.0) -> list[str]:
    """What this process's workers have left behind: processes, folders, shared memory, control groups.

    The warmed process stays on purpose: first nothing else may be left in it, then it is ended, and nothing at all may.
    Another grader of this machine may be ending just now, and its workers with it: what is gone in a moment was its.
    """
    found = _gone_in_a_moment(_in_the_warmed_process, patience)
    warm.cool_down()
    return found + _gone_in_a_moment(_left, patience)


def _gone_in_a_moment(look: Callable[[], list[str]], patience: float) -> list[str]:
    deadline = time.monotonic() + patience
    found = look()
    while found and time.monotonic() < deadline:
        time.sleep(0.2)
        found = [thing for thing in look() if thing in found]
    return found


def _in_the_warmed_process() -> list[str]:
    """Workers of our warmed processes: whoever has a number in one more list of processes than those."""
    kept = [one for one in warm._kept.values() if one is not None]
    family = {process for one in kept for process in watch._family(one.process.pid)}
    ours = _numbers(os.getpid())
    return [f"worker {process}" for process in family if _numbers(process) > ours + 1]


def _numbers(process: int) -> int:
    """In how many lists of processes this one has a number."""
    with contextlib.suppress(OSError, IndexError):
        status = Path(f"/proc/{process}/status").read_text()
        return len(status.split("NSpid:")[1].splitlines()[0].split())
    return 0


def _left() -> list[str]:
    found = [f"process {process}: {words}" for process, words in _orphans()]
    found += [f"folder {path}" for path in Path(tempfile.gettempdir()).glob(f"{name()}*")]
    with contextlib.suppress(OSError):
        found += [f"segment {line}" for line in Path("/proc/sysvipc/shm").read_text().splitlines()[1:]]
    found += [f"group {path}" for path in Path("/sys/fs/cgroup").glob(f"**/{name()}*")]
    return found


def _orphans() -> list[tuple[int, bytes]]:
    """Living processes of workers whose grader is not there, or is us: nobody else's on this machine."""
    parents, ours = {}, {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            with contextlib.suppress(OSError, IndexError, ValueError):
                status = Path(f"/proc/{entry}/status").read_text()
                parents[int(entry)] = int(status.split("PPid:")[1].split()[0])
                user = int(status.split("Uid:")[1].split()[0])
                words = Path(f"/proc/{entry}/cmdline").read_bytes()[:100]
                marked = b"RNNCOURSE_GRADING=1" in Path(f"/proc/{entry}/environ").read_bytes()
                if "State:\tZ" not in status and (61184 <= user < 65519 or marked or b"worker.py" in words):
                    ours[int(entry)] = words
    found = []
    for process, words in ours.items():
        above = parents.get(process, 0)
        while above in ours:
            above = parents.get(above, 0)
        if above in (0, 1, os.getpid()):
            found.append((process, words))
    return found
