"""Every case, behind each wall: no false point, no honest point lost, nothing left, the neighbours unaffected.

As another user than the one who runs the tests, and all of it behind both walls: ``python -m tests.hostile``.
"""

import pytest

from rnncourse.grading.grader import grade
from rnncourse.grading.walls.sandbox import find_sandbox
from tests.hostile.cases import families
from tests.hostile.runner import FIRST, LIMITS, batches, leftovers, notebook, question, run
from tests.house import need

pytestmark = [pytest.mark.sandbox, pytest.mark.slow]
BATCHES = batches()


def hold(wall, batch, folder):
    """One batch behind one wall: everything that has to come of it does."""
    found, reason = find_sandbox(wall)
    if found is None:
        need(wall, reason)
    cases = BATCHES[batch]
    marks, report = run(folder, cases, wall)
    assert report.isolation == wall
    assert report.faults == {}
    assert {case.name: marks[case.name].message for case in cases if not case.as_said(marks[case.name], wall)} == {}
    assert marks["before"].full
    assert marks["after"].full
    assert leftovers() == []


@pytest.mark.parametrize("batch", BATCHES)
def test_bubblewrap_holds(batch, tmp_path):
    hold("bubblewrap", batch, tmp_path)


def test_there_are_many_cases_and_honest_ones_among_them():
    cases = [case for family in families().values() for case in family]
    assert sum(case.kind != "honest" for case in cases) >= 150
    assert sum(case.kind == "honest" for case in cases) >= 50


def test_a_case_that_gets_away_would_be_seen(tmp_path):
    """Probes fail where there is no wall: some of them, run without."""
    cases = {case.name: case for family in families().values() for case in family}
    chosen = [cases[name] for name in ("as_somebody", "from_import", "namespaces")]
    questions = [question(case.name, number) for number, case in enumerate(chosen, 1)]
    path = notebook(tmp_path / "a.ipynb", [FIRST, *[case.source for case in chosen]])
    report = grade(path, chapter=99, questions=questions, limits=LIMITS, unsafe=True)
    assert [case.holds(mark) for case, mark in zip(chosen, report.marks, strict=True)] == [False] * len(chosen)
