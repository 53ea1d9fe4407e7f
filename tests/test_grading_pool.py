"""The processes that grade: nothing that happens in one of them happens to the command."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from rnncourse.grading.classes.pool import Slot, in_parallel
from tests import fake_examiner
from tests.house import ROOT

linux = pytest.mark.skipif(sys.platform != "linux", reason="what the Linux kernel does for us")


def examiner(work: str) -> tuple[str, ...]:
    """The real examiner with other work: an expression that knows ``job`` and ``say``."""
    program = (
        f"import os, sys, time\nfrom rnncourse.grading.classes.examiner import serve\nserve(lambda job, say: {work})"
    )
    return (sys.executable, "-c", program)


@pytest.fixture
def slot():
    """Makes slots that are closed after the test."""
    made = []

    def make(command):
        made.append(Slot(command))
        return made[-1]

    yield make
    for one in made:
        one.close()


def test_an_examiner_answers_job_after_job_and_says_what_it_does(slot):
    said = []
    one = slot(examiner('(say("cell " + job["n"]), {"report": job["n"] + "!", "pid": os.getpid()})[1]'))
    answers = [one.grade({"n": str(number)}, 60, said.append) for number in range(3)]
    assert [answer["report"] for answer in answers] == ["0!", "1!", "2!"]
    assert said == ["cell 0", "cell 1", "cell 2"]
    assert len({answer["pid"] for answer in answers}) == 1


@linux
def test_an_examiner_has_a_memory_bound_and_goes_on_after_it(slot):
    one = slot(examiner('{"report": len(bytearray(job["bytes"]))}'))
    assert one.grade({"bytes": 7 << 30}, 60) == {"failure": "the grader ran out of memory", "fault": "grader"}
    assert one.grade({"bytes": 5}, 60) == {"report": 5}


def test_what_is_printed_while_grading_never_becomes_an_answer(slot):
    one = slot(examiner('(print({"result": {"report": 99}}), os.write(1, b"{}\\n"), {"report": 1})[2]'))
    assert one.grade({}, 60) == {"report": 1}


def test_an_exception_in_the_work_is_that_jobs_answer(slot):
    one = slot(examiner('{"report": 1 / job["n"]}'))
    assert one.grade({"n": 0}, 60)["fault"] == "grader"
    assert one.grade({"n": 1}, 60) == {"report": 1.0}


def test_an_examiner_that_dies_says_its_last_line_and_is_replaced(slot):
    one = slot(examiner('sys.exit("\\x1b[2Jlast words") if job["n"] else {"report": os.getpid()}'))
    first = one.grade({"n": 0}, 60)["report"]
    said = one.grade({"n": 1}, 60)
    assert said["fault"] == "grader"
    assert "last words" in said["failure"]
    assert "\x1b" not in said["failure"]
    assert one.grade({"n": 0}, 60)["report"] != first


def test_an_examiner_that_cannot_be_started_is_every_jobs_answer_and_no_exception():
    jobs = [(number, dict) for number in range(3)]
    answers = dict(in_parallel(jobs, 2, 60, command=("/no/such/program",)))
    assert set(answers) == {0, 1, 2}
    assert {answer["fault"] for answer in answers.values()} == {"grader"}


@linux
def test_no_examiner_outlives_a_killed_command(tmp_path):
    program = (
        "from rnncourse.grading.classes.pool import Slot\n"
        f"slot = Slot({examiner('time.sleep(600)')!r})\n"
        "print(slot._examiner().pid, flush=True)\n"
        "slot.grade({}, 600)"
    )
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, env=environment) as command:
        pid = int(command.stdout.readline())
        while _state(pid) not in ("S", ""):  # asleep in its work, or reading its job
            time.sleep(0.01)
        time.sleep(1)  # long enough to have asked the kernel for this
        command.send_signal(signal.SIGKILL)
        command.wait()
        for _ in range(500):
            if _state(pid) in ("", "Z"):
                break
            time.sleep(0.01)
        assert _state(pid) in ("", "Z")


def _state(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return ""


def test_nothing_in_the_working_directory_is_imported_by_an_examiner(tmp_path, monkeypatch, slot):
    """A folder of submissions may hold a ``torch.py``, and the command may be typed there."""
    from rnncourse.grading.classes.pool import COMMAND

    for name in ("torch", "json", "base64", "rnncourse"):
        (tmp_path / f"{name}.py").write_text("import os\nopen('imported', 'w')\nos._exit(3)")
    monkeypatch.chdir(tmp_path)
    job = {"name": "x.ipynb", "label": "x", "notebook": "e30=", "questions": [], "seed": 1, "chapter": 2}
    job |= {"own": True, "unsafe": False, "cell_seconds": 1.0, "total_seconds": 1.0}
    answer = slot(COMMAND).grade(job, 100)
    assert "no list of cells" in answer["failure"]
    assert not (tmp_path / "imported").exists()


def test_leaving_early_ends_all_examiners(tmp_path, monkeypatch):
    import base64
    import json

    job = {"label": "x", "seed": 1, "questions": [], "notebook": base64.b64encode(b'{"points": 1}').decode()}
    slow = job | {"notebook": base64.b64encode(json.dumps({"act": "hang"}).encode()).decode()}
    answers = in_parallel(
        [(0, lambda: job), (1, lambda: slow), (2, lambda: slow)], 3, 600, command=fake_examiner.COMMAND
    )
    assert next(answers)[0] == 0
    answers.close()  # would wait for ten minutes if it did not end them


def test_no_slot_runs_ahead_of_whoever_writes_the_answers_down():
    """What is graded and not yet written down is lost when the command is killed: at most one answer a slot."""
    begun = []

    def job(number):
        begun.append(number)
        raise ValueError("an answer without an examiner")

    answers = in_parallel([(number, lambda number=number: job(number)) for number in range(20)], 2, 60)
    for done, _ in enumerate(answers, 1):
        time.sleep(0.01)  # as long as a slow disk takes
        assert len(begun) <= done + 1, "this answer's slot waits, the other may have begun"
    assert sorted(begun) == list(range(20))
