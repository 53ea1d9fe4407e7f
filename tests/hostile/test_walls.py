"""Every case, behind each wall: no false point, no honest point lost, nothing left, the neighbours unaffected.

As another user than the one who runs the tests, and all of it behind both walls: ``python -m tests.hostile``.
"""

import json

import pytest

from rnncourse.grading.grader import grade
from rnncourse.grading.walls.sandbox import find_sandbox
from tests.hostile import throughput
from tests.hostile.__main__ import table
from tests.hostile.cases import families
from tests.hostile.runner import FIRST, LIMITS, batches, leftovers, notebook, question, run
from tests.house import ROOT, need

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


def test_the_pages_say_what_the_records_say():
    records = ROOT / "book" / "results" / "grading"
    walls = [f"{wall}-as-{who}.json" for wall in ("bubblewrap", "landlock") for who in ("root", "user")]
    results = [json.loads((records / name).read_text(encoding="utf-8")) for name in walls]
    assert table(results) in (ROOT / "book" / "grading.md").read_text(encoding="utf-8")
    if throughput.FILE.exists():
        measured = json.loads(throughput.FILE.read_text(encoding="utf-8"))
        assert throughput.as_markdown(measured) in throughput.PAGE.read_text(encoding="utf-8")


def test_a_case_that_gets_away_would_be_seen(tmp_path):
    """Probes fail where there is no wall: some of them, run without."""
    cases = {case.name: case for family in families().values() for case in family}
    chosen = [cases[name] for name in ("as_somebody", "from_import", "namespaces")]
    questions = [question(case.name, number) for number, case in enumerate(chosen, 1)]
    path = notebook(tmp_path / "a.ipynb", [FIRST, *[case.source for case in chosen]])
    report = grade(path, chapter=99, questions=questions, limits=LIMITS, unsafe=True)
    assert [case.holds(mark) for case, mark in zip(chosen, report.marks, strict=True)] == [False] * len(chosen)
