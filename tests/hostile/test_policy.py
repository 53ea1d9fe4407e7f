"""Hostile notebooks: every attack that we could think of costs its own question and nothing else.

All attacks share a few graded runs, since each worker spends two seconds on importing torch. The questions are toys:
each asks for twice a vector, so that whatever earns a point here has computed it.
"""

import dataclasses
import json
import subprocess
import sys

import pytest

from rnncourse.course import grade
from rnncourse.grading.grader import NoSandbox
from rnncourse.grading.sandbox import Limits, find_sandbox
from rnncourse.grading.spec import Question, Wrong
from tests.house import need

pytestmark = pytest.mark.sandbox

LIMITS = dataclasses.replace(
    Limits(), cell_seconds=3.0, total_seconds=120.0, resident=1000 * 2**20, processes=40, restarts=20
)


@pytest.fixture(autouse=True, scope="module")
def sandbox():
    bwrap, reason = find_sandbox()
    if bwrap is None:
        need("a sandbox", reason)


def question(name: str, number: int = 1, **options) -> Question:
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


def notebook(path, cells: list[str], **metadata):
    """Writes a notebook of these code cells."""
    cells = [{"cell_type": "code", "metadata": {}, "outputs": [], "source": source} for source in cells]
    path.write_text(json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": metadata, "cells": cells}))
    return path


def run(
    path, attacks: dict[str, str], *, first: str = "import os, sys, torch", honest: bool = True, seconds=3.0, **options
):
    """Grades one cell per attack, with an honest question before and after; returns marks by name, and the report."""
    attacks = {name: source.replace("ANSWER", f"def {name}(x):\n    ") for name, source in attacks.items()}
    names = ["before", *attacks, "after"] if honest else [*attacks]
    good = "def {0}(x):\n    return x + x"
    cells = [first, *[attacks.get(name, good.format(name)) for name in names]]
    questions = [question(name, number, seconds=seconds) for number, name in enumerate(names, 1)]
    options = {"chapter": 99, "questions": questions, "limits": LIMITS} | options
    report = grade(notebook(path / "attack.ipynb", cells), **options)
    marks = {mark.title: mark for mark in report.marks}
    if honest:
        assert marks["before"].full
        assert marks["after"].full
    return marks, report


def test_an_answer_that_is_no_value_earns_nothing(tmp_path):
    marks, _ = run(
        tmp_path,
        {
            "always_equal": (
                "class Yes:\n"
                "    def __eq__(self, other): return True\n"
                "    def __getattr__(self, name): return lambda *a, **k: self\n"
                "ANSWER return Yes()"
            ),
            "equal_tensor": (
                "class YesTensor(torch.Tensor):\n"
                "    @classmethod\n"
                "    def __torch_function__(cls, function, types, args=(), kwargs=None): return True\n"
                "ANSWER return torch.zeros(x.shape).as_subclass(YesTensor)"
            ),
            "equal_float": (
                "class YesFloat(float):\n    def __eq__(self, other): return True\nANSWER return [YesFloat(0)] * 4"
            ),
            "none": "ANSWER pass",
            "nan": "ANSWER return x * float('nan')",
            "infinite": "ANSWER return x * float('inf')",
            "huge_integer": "ANSWER return 10 ** 4000",
            "nested": "ANSWER\n    for _ in range(5000): x = [x]\n    return x",
            "too_many": "ANSWER return [0] * 1_000_000",
            "too_large": "ANSWER return torch.zeros(60_000_000)",
            "wrong_shape": "ANSWER return (2 * x)[:, None]",
            "broadcasts": "ANSWER return torch.zeros(())",
            "complex_numbers": "ANSWER return 2 * x + 0j",
            "sparse": "ANSWER return (2 * x).to_sparse()",
            "a_string": "ANSWER return 'right'",
            "shouts": "ANSWER raise ValueError('\\x1b[2J [bold]<script>alert(1)</script>')",
            "exit_exception": "ANSWER raise SystemExit(0)",
            "asks": "ANSWER return input('what is the answer? ')",
            "bad_message": ("class Bad(Exception):\n    def __str__(self): raise Bad\nANSWER raise Bad"),
            "deep": "ANSWER return deep(x)",
        },
    )
    for name, mark in marks.items():
        if name not in ("before", "after"):
            assert mark.points == 0, name
            assert mark.message, name
    assert "Yes" in marks["always_equal"].message
    assert "None" in marks["none"].message
    assert "NaN" in marks["nan"].message
    assert "(4, 1)" in marks["wrong_shape"].message
    assert "\x1b" not in marks["shouts"].message
    assert "input()" in marks["asks"].message


def test_what_a_notebook_patches_changes_nothing_outside_it(tmp_path):
    marks, report = run(
        tmp_path,
        {
            "patched_torch": (
                "yes = lambda *a, **k: True\n"
                "torch.allclose = torch.equal = torch.isclose = yes\n"
                "torch.testing.assert_close = lambda *a, **k: None\n"
                "ANSWER return torch.zeros_like(x)"
            ),
            "patched_grader": (
                "import rnncourse.grading.marking as marking, rnncourse.grading.comparison as comparison\n"
                "marking.difference = comparison.difference = lambda *a, **k: None\n"
                "ANSWER return torch.zeros_like(x)"
            ),
            "patched_builtins": (
                "import builtins\n"
                "builtins.abs = lambda x: 0\n"
                "builtins.max = builtins.all = lambda *a, **k: True\n"
                "builtins.isinstance_ = lambda *a: True\n"
                "ANSWER return torch.zeros_like(x)"
            ),
            "patched_shell": (
                "get_ipython().run_cell = lambda *a, **k: None\n"
                "get_ipython().user_ns['marks'] = {'99.5': 1.0}\n"
                "ANSWER return torch.zeros_like(x)"
            ),
            "prints": "print('x' * 5_000_000)\nos.write(1, b'full marks' * 1000)\nANSWER return x",
        },
    )
    assert marks["prints"].mistake == "same"  # still recognised for what it is
    assert report.points == 2


def test_the_references_are_not_there_to_be_read(tmp_path):
    marks, _ = run(
        tmp_path,
        {
            "from_disk": (
                "import pathlib, rnncourse\n"
                "home = pathlib.Path(rnncourse.__file__).parent\n"
                "ANSWER\n"
                "    found = list((home / 'chapters').iterdir())\n"
                "    for folder, folders, files in os.walk('/'):\n"
                "        folders[:] = [f for f in folders if f not in ('proc', 'sys', 'torch', 'include')]\n"
                "        if folder.endswith(('rnncourse/chapters', '/questions')) or 'c02_vanilla_rnn' in folders:\n"
                "            found += files\n"
                "        found += [f for f in files if f[:2].isdigit() and f.endswith('.ipynb')]\n"
                "    assert not found, found\n"
                "    return 2 * x"
            ),
            "from_import": (
                "ANSWER\n"
                "    try:\n"
                "        from rnncourse.chapters import all_questions\n"
                "    except ImportError:\n"
                "        return 2 * x"
            ),
            "from_the_stack": (
                "ANSWER\n"
                "    frame, names = sys._getframe(), set()\n"
                "    while frame:\n"
                "        names |= set(frame.f_locals) | set(frame.f_globals)\n"
                "        frame = frame.f_back\n"
                "    assert not names & {'reference', 'expected', 'question', 'seed'}, names\n"
                "    return 2 * x"
            ),
            "from_modules": (
                "ANSWER\n"
                "    ours = [m for m in sys.modules if m.startswith('rnncourse.')]\n"
                "    assert not [m for m in ours if '.chapters.' in m or m.endswith(('grader', 'marking'))], ours\n"
                "    import gc\n"
                "    kinds = {type(thing).__name__ for thing in gc.get_objects()}\n"
                "    assert not kinds & {'Question', 'Wrong'}\n"
                "    return 2 * x"
            ),
            "from_other_processes": (
                "ANSWER\n"
                "    others = [p for p in os.listdir('/proc') if p.isdigit() and int(p) != os.getpid()]\n"
                "    texts = [open(f'/proc/{p}/cmdline').read() for p in others]\n"
                "    assert not any('pytest' in t or 'rnncourse grade' in t for t in texts), texts\n"
                "    return 2 * x"
            ),
            "from_the_environment": (
                "ANSWER\n"
                "    assert os.environ['HOME'] == '/tmp' and 'PYTEST_CURRENT_TEST' not in os.environ\n"
                "    return 2 * x"
            ),
            "over_the_network": (
                "import socket\n"
                "ANSWER\n"
                "    assert [name for _, name in socket.if_nameindex()] == ['lo']\n"
                "    try:\n"
                "        socket.create_connection(('192.0.2.1', 80), timeout=1)\n"
                "    except OSError:\n"
                "        return 2 * x"
            ),
            "as_somebody": (
                "ANSWER\n"
                "    assert os.getuid() != 0 and os.geteuid() != 0\n"
                "    status = dict(line.split(':', 1) for line in open('/proc/self/status'))\n"
                "    assert int(status['CapEff'], 16) == int(status['CapPrm'], 16) == 0, status\n"
                "    assert status['NoNewPrivs'].strip() == '1'\n"
                "    return 2 * x"
            ),
            "by_writing": (
                "ANSWER\n"
                "    for place in ('/x', '/dev/x', '/usr/lib/x', '/course/rnncourse/x', '/proc/sys/kernel/x'):\n"
                "        try:\n"
                "            open(place, 'w').close()\n"
                "        except OSError:\n"
                "            continue\n"
                "        raise AssertionError(place)\n"
                "    return 2 * x"
            ),
            "by_becoming_root": (
                "ANSWER\n"
                "    for change in (lambda: os.setuid(0), lambda: os.setresuid(0, 0, 0), lambda: os.setgid(0)):\n"
                "        try:\n"
                "            change()\n"
                "        except OSError:\n"
                "            continue\n"
                "        assert os.getuid() != 0, 'root again'\n"
                "    return 2 * x"
            ),
        },
        seconds=20.0,
    )
    for name, mark in marks.items():
        assert mark.full, (name, mark.problems)  # each returns the right answer if, and only if, its attack failed


def test_what_is_written_into_the_pipe_is_only_an_answer(tmp_path):
    find = (
        "import json, struct\n"
        "pipes = [int(f) for f in os.listdir('/proc/self/fd') if os.path.exists(f'/proc/self/fd/{f}')\n"
        "         and os.readlink(f'/proc/self/fd/{f}').startswith('pipe')]\n"
        "def frame(header):\n"
        "    head = json.dumps(header).encode()\n"
        "    return struct.pack('>16sII', b'guess' * 3 + b'!', len(head), 0) + head\n"
        "def shout(data):\n"
        "    for f in pipes:\n"
        "        try: os.write(f, data)\n"
        "        except OSError: pass\n"
    )
    marks, report = run(
        tmp_path,
        {
            "forged_marks": (
                "shout(frame({'ok': True, 'points': 1, 'question': '99.2', 'full': True}))\nANSWER return x"
            ),
            "forged_answer": (
                "ANSWER\n    shout(frame({'ok': True, 'answer': {'tensor': '0'}}))\n    return x"
            ),
            "garbage": "ANSWER\n    shout(b'full marks please, dear grader')\n    return 2 * x",
            "announced": "ANSWER\n    shout(struct.pack('>16sII', bytes(16), 2**31, 2**31))\n    return 2 * x",
            "flood": "ANSWER\n    while True: shout(frame({'ok': True}))",
        },
        first="import os, sys, torch\n" + find,
    )
    assert marks["forged_marks"].points == 0
    assert marks["forged_marks"].mistake == "same"
    assert marks["forged_answer"].mistake == "same"
    for name in ("garbage", "announced", "flood"):
        assert marks[name].points == 0
        assert "pipe" in marks[name].message
    assert report.points == 2


def test_a_crash_a_hang_and_an_allocation_cost_only_their_own_question(tmp_path):
    marks, report = run(
        tmp_path,
        {
            "exits": "ANSWER os._exit(0)",
            "hangs": "ANSWER\n    while True: pass",
            "sleeps_in_the_cell": "import time; time.sleep(1000)\nANSWER return 2 * x",
            "fifty_gigabytes": "ANSWER return torch.ones(50 * 2**30 // 4)",
            "grows": "ANSWER\n    keep = []\n    while True: keep.append(torch.ones(2**24))",
            "leaves_a_child": (
                "ANSWER\n    if os.fork() == 0:\n        import time\n        time.sleep(1000)\n    os._exit(0)"
            ),
            "segfaults": "import ctypes\nANSWER return ctypes.string_at(0)",
            "fills_the_disk": (
                "ANSWER\n"
                "    try:\n"
                "        for i in range(20):\n"
                "            with open(f'/tmp/{i}', 'wb') as file: file.write(bytes(2**26))\n"
                "    except OSError:\n"
                "        for i in range(20):\n"
                "            if os.path.exists(f'/tmp/{i}'): os.remove(f'/tmp/{i}')\n"
                "        return 2 * x\n"
            ),
            "forks": (
                "ANSWER\n"
                "    children = 0\n"
                "    try:\n"
                "        for _ in range(500):\n"
                "            if os.fork() == 0:\n"
                "                import time\n"
                "                time.sleep(1000)\n"
                "            children += 1\n"
                "    except OSError:\n"
                "        assert children < 60, children\n"
                "        return 2 * x\n"
            ),
            "syntax": "def syntax(x:\n    return 2 * x",
        },
    )
    assert marks["forks"].full, marks["forks"].problems
    assert marks["fills_the_disk"].full, marks["fills_the_disk"].problems
    expected = {
        "exits": "ended the process",
        "hangs": "took longer than",
        "sleeps_in_the_cell": "took longer than",
        "fifty_gigabytes": "raised",
        "grows": "memory",
        "leaves_a_child": "ended the process",
        "segfaults": "ended the process",
        "syntax": "SyntaxError",
    }
    for name, words in expected.items():
        assert marks[name].points == 0, name
        assert words in marks[name].message, (name, marks[name].message)
    assert report.points == 4


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
    cells = ["def double(x):\n    return x + x", *["import time; time.sleep(2)"] * 20]
    limits = dataclasses.replace(LIMITS, total_seconds=7.0)
    report = grade(notebook(tmp_path / "a.ipynb", cells), chapter=99, questions=[question("double")], limits=limits)
    assert report.points == 1
    assert report.seconds < 20


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
    monkeypatch.setattr("rnncourse.grading.sandbox.plain_command", lambda limits: broken)
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
