"""Every case, behind each wall: no false point, no honest point lost, nothing left, the neighbours unaffected.

What concerns the grader's side of the pipe is the same behind every wall, and runs behind the first. As another user
than the one who runs the tests, and all of it behind both walls: ``python -m tests.hostile``.
"""

import pytest

from rnncourse.grading.sandbox import find_sandbox
from tests.hostile.cases import families
from tests.hostile.runner import batches, leftovers, run
from tests.house import need

pytestmark = [pytest.mark.sandbox, pytest.mark.slow]

BATCHES = batches()
PIPE = ("protocol", "values", "patches")
RUNS = [("bubblewrap", batch) for batch in BATCHES]
RUNS += [("landlock", batch) for batch in BATCHES if not batch.startswith(PIPE)]


@pytest.mark.parametrize(("wall", "batch"), RUNS)
def test_the_wall_holds(wall, batch, tmp_path):
    found, reason = find_sandbox(wall)
    if found is None:
        need(wall, reason)
    cases = BATCHES[batch]
    marks, report = run(tmp_path, cases, wall)
    assert report.isolation == wall
    assert report.faults == {}
    assert {case.name: marks[case.name].message for case in cases if not case.holds(marks[case.name])} == {}
    assert marks["before"].full
    assert marks["after"].full
    assert leftovers() == []


def test_there_are_many_cases_and_honest_ones_among_them():
    cases = [case for family in families().values() for case in family]
    assert sum(case.kind != "honest" for case in cases) >= 150
    assert sum(case.kind == "honest" for case in cases) >= 50


def test_a_case_that_gets_away_would_be_seen(tmp_path):
    """Probes fail where there is no wall: some of them, run without."""
    from rnncourse.grading.grader import grade
    from tests.hostile.runner import LIMITS, notebook, question

    cases = {case.name: case for family in families().values() for case in family}
    chosen = [cases["as_somebody"], cases["from_import"], cases["namespaces"], cases["threads"]]
    cells = ["import os, sys, numpy as np, torch", *[case.source for case in chosen]]
    questions = [question(case.name, number) for number, case in enumerate(chosen, 1)]
    report = grade(notebook(tmp_path / "a.ipynb", cells), chapter=99, questions=questions, limits=LIMITS, unsafe=True)
    assert [case.holds(mark) for case, mark in zip(chosen, report.marks, strict=True)] == [False] * len(chosen)
