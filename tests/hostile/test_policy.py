"""What a graded run does with a notebook: what counts, what is asked when, what ends it, and what is no zero."""

import dataclasses
import json
import os
import subprocess
import sys

import pytest
import torch

from rnncourse.course import grade
from rnncourse.grading.grader import NoSandbox, Ungraded, _draw
from rnncourse.grading.walls.sandbox import find_sandbox
from tests.hostile.runner import LIMITS, notebook, question
from tests.house import need

pytestmark = pytest.mark.sandbox


@pytest.fixture(autouse=True, scope="module")
def sandbox():
    bwrap, reason = find_sandbox()
    if bwrap is None:
        need("a sandbox", reason)


def test_a_helper_defined_later_still_counts(tmp_path):
    cells = ["def double(x):\n    return helper(x)", "def helper(x):\n    return x + x"]
    report = grade(notebook(tmp_path / "a.ipynb", cells), chapter=99, questions=[question("double")], limits=LIMITS)
    assert report.points == 1


def test_the_last_definition_counts_and_skipped_cells_do_not_run(tmp_path):
    path = notebook(tmp_path / "a.ipynb", ["def double(x):\n    return x", "1 / 0", "def double(x):\n    return x + x"])
    content = json.loads(path.read_text())
    content["cells"][1]["metadata"]["tags"] = ["skip-grading"]
    path.write_text(json.dumps(content))
    report = grade(path, chapter=99, questions=[question("double")], limits=LIMITS)
    assert report.points == 1
    assert report.cells == {}


def test_the_time_for_the_whole_notebook_ends_it_with_what_was_earned(tmp_path):
    cells = ["def double(x):\n    return x + x", *["import time; time.sleep(15)"] * 20]
    limits = dataclasses.replace(LIMITS, total_seconds=7.0)
    report = grade(notebook(tmp_path / "a.ipynb", cells), chapter=99, questions=[question("double")], limits=limits)
    assert report.points == 1
    assert report.seconds < 150  # of 300


def test_the_same_seed_asks_the_same_and_a_fresh_one_does_not():
    double = question("double")
    first, again, other = (double.inputs(seed)["four"][0].tolist() for seed in (5, 5, 6))
    assert first == again != other


def test_an_ordinary_user_gets_the_same_walls_as_root(tmp_path):
    # As root, an outer bubblewrap makes us somebody else first; the grader then has to build a user namespace.
    path = notebook(
        tmp_path / "02_x.ipynb", ["def one_matrix(*a):\n    import os\n    raise ValueError(f'uid {os.getuid()}')"]
    )
    command = [sys.executable, "-m", "rnncourse", "grade", str(path), "--json", "-"]
    wall, _ = find_sandbox("bubblewrap")
    outer = [wall.bwrap, "--dev-bind", "/", "/", "--unshare-user", "--uid", "1234", "--gid", "1234"]
    done = subprocess.run([*outer, *command], capture_output=True, text=True, timeout=100)
    assert done.returncode == 1, done.stderr
    report = json.loads(done.stdout)["reports"][0]
    assert report["isolation"] == "bubblewrap"
    assert "uid 1234" in report["questions"][1]["message"]


def test_a_worker_that_cannot_start_is_no_zero(tmp_path, monkeypatch):
    broken = [sys.executable, "-c", "raise SystemExit('torch is broken here')"]
    monkeypatch.setattr("rnncourse.grading.walls.sandbox.plain_command", lambda limits: broken)
    path = notebook(tmp_path / "a.ipynb", ["def double(x):\n    return x + x"])
    with pytest.raises(ValueError, match="could not be graded.*torch is broken here"):
        grade(path, chapter=99, questions=[question("double")], limits=LIMITS, unsafe=True)


def test_without_a_sandbox_a_strangers_notebook_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("rnncourse.grading.grader.find_sandbox", lambda wall: (None, "there is none here"))
    path = notebook(tmp_path / "a.ipynb", ["def double(x):\n    return x + x"])
    options = {"chapter": 99, "questions": [question("double")], "limits": LIMITS}
    with pytest.raises(NoSandbox, match="--own"):
        grade(path, **options)
    own, unsafe = grade(path, own=True, **options), grade(path, unsafe=True, **options)
    assert (own.points, own.isolation) == (1, "own")
    assert (unsafe.points, unsafe.isolation) == (1, "unsafe")


# --- the grader's own troubles -------------------------------------------------------------------------------------


def fails(*arguments):
    raise RuntimeError("this seed is unlucky")


def test_a_named_mistake_that_cannot_be_computed_was_not_made(tmp_path):
    double = question("double")
    double = dataclasses.replace(double, wrong=(dataclasses.replace(double.wrong[0], answer=fails), *double.wrong[1:]))
    path = notebook(tmp_path / "a.ipynb", ["def double(x):\n    return x * x"])
    report = grade(path, chapter=99, questions=[double], limits=LIMITS)
    assert (report.points, report.marks[0].mistake, report.faults) == (0, "square", {})


def test_a_grader_that_fails_on_one_answer_grades_the_others_and_says_so(tmp_path, monkeypatch):
    def breaks(question, answers, seed):
        if question.name == "double":
            raise ZeroDivisionError("in the comparison")
        return mark(question, answers, seed)

    from rnncourse.grading.marking import mark

    monkeypatch.setattr("rnncourse.grading.grader.mark", breaks)
    cells = ["def double(x):\n    return x + x", "def twice(x):\n    return x + x"]
    questions = [question("double", 1), question("twice", 2)]
    report = grade(notebook(tmp_path / "a.ipynb", cells), chapter=99, questions=questions, limits=LIMITS)
    assert [found.points for found in report.marks] == [0, 1]
    assert report.faults == {"99.1": "ZeroDivisionError: in the comparison"}
    assert "decide its points" in report.marks[0].note


def test_whatever_fails_in_the_grader_is_no_zero_but_ungraded(tmp_path, monkeypatch):
    monkeypatch.setattr("rnncourse.grading.grader._Run.everything", fails)
    path = notebook(tmp_path / "a.ipynb", ["def double(x):\n    return x + x"])
    with pytest.raises(Ungraded, match="RuntimeError: this seed is unlucky"):
        grade(path, chapter=99, questions=[question("double")], limits=LIMITS)


def test_a_seed_without_an_answer_costs_nobody_a_point_and_leads_to_the_same_inputs_again(tmp_path):
    double = question("double")
    first = double.inputs(7)["four"][0]

    def reference(x):
        if torch.equal(x, first):
            raise RuntimeError("singular")
        return 2 * x

    double = dataclasses.replace(double, reference=reference)
    path = notebook(tmp_path / "a.ipynb", ["def double(x):\n    return x + x"])
    report = grade(path, chapter=99, questions=[double], limits=LIMITS, seed=7)
    assert (report.points, report.seed) == (1, 7)
    assert _draw([double], 7)[0] == _draw([double], 7)[0] != 7
    with pytest.raises(Ungraded, match="nor for"):
        _draw([dataclasses.replace(double, reference=fails)], 7)


def test_frames_that_answer_nothing_and_short_cells_stretch_no_time(tmp_path):
    shout = (
        "import os, stat, struct, threading, time\n"
        "def shout():\n"
        "    while True:\n"
        "        for f in range(3, 30):\n"
        "            try:\n"
        "                if stat.S_ISFIFO(os.fstat(f).st_mode):\n"
        "                    os.write(f, struct.pack('>16sII', bytes(16), 2, 0) + b'{}')\n"
        "            except OSError: pass\n"
        "        time.sleep(0.2)\n"
        "threading.Thread(target=shout, daemon=True).start()\n"
    )
    cells = [shout, *["import time; time.sleep(2)"] * 200, "def double(x):\n    return x + x"]
    limits = dataclasses.replace(LIMITS, total_seconds=6.0)
    report = grade(notebook(tmp_path / "a.ipynb", cells), chapter=99, questions=[question("double")], limits=limits)
    assert report.points == 0
    assert report.seconds < 150  # of 400


@pytest.mark.skipif(sys.platform != "linux", reason="daemons are found in /proc")
def test_daemons_of_a_run_without_walls_are_ended(tmp_path):
    mark = f"left-by-{tmp_path.name}-{os.getpid()}"
    cell = (
        "import os, time\n"
        "if os.fork() == 0:\n"
        "    os.setsid()\n"
        "    if os.fork() == 0:\n"
        f"        os.execv('/bin/sh', ['sh', '-c', 'sleep 1000; : {mark}'])\n"
        "    os._exit(0)\n"
        "def double(x):\n    return x + x"
    )
    report = grade(
        notebook(tmp_path / "a.ipynb", [cell]), chapter=99, questions=[question("double")], limits=LIMITS, unsafe=True
    )
    assert report.points == 1
    said = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True).stdout
    assert mark not in said
