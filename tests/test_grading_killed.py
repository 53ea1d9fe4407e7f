"""A grader that is itself killed: nothing of it goes on, and what it could not remove is removed by the next one."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from rnncourse.grading import channel
from rnncourse.grading.classes import jobs
from rnncourse.grading.outputs import forget_halves
from rnncourse.grading.walls import leftovers
from rnncourse.grading.walls.sandbox import Limits, find_sandbox
from tests.house import ROOT, need

linux = pytest.mark.skipif(sys.platform != "linux", reason="locks of folders and groups of processes are Linux's here")
SECONDS = "31536000"
LEARNER = f"""
import os, subprocess, sys, time
subprocess.Popen(["sleep", "{SECONDS}"], start_new_session=True)
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        os.execvp("sleep", ["sleep", "{SECONDS}"])
    os._exit(0)
subprocess.Popen(["nohup", "sleep", "{SECONDS}"], env={{}})
while True: time.sleep(1)
"""
GRADER = """
import json, sys
from rnncourse.grading.classes.jobs import do
from rnncourse.grading.grader import grade
from tests.hostile.runner import question
wall = sys.argv[1]
def graded(path, **options):
    return grade(path, wall=wall, questions=[question("f")], **options)
do(json.loads(sys.stdin.readline()), graded, None)
"""


def job() -> dict:
    cells = [{"cell_type": "code", "metadata": {}, "outputs": [], "source": LEARNER}]
    content = json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": cells}).encode()
    return jobs.make_job("x.ipynb", "x.ipynb", content, 1, jobs.Options(chapter=99))


def sleepers() -> list[int]:
    """Living processes that the notebook started."""
    found = []
    for place in Path("/proc").glob("[0-9]*"):
        try:
            words = (place / "cmdline").read_bytes().split(b"\0")
            zombie = (place / "stat").read_text().rpartition(")")[2].split()[0] == "Z"
        except OSError:
            continue
        if SECONDS.encode() in words and not zombie:
            found.append(int(place.name))
    return found


def until(condition, seconds: float):
    """Waits until it holds; whether it did."""
    deadline = time.monotonic() + seconds
    while not (held := condition()) and time.monotonic() < deadline:
        time.sleep(0.1)
    return held


def remains(process: int) -> list[Path]:
    """Folders and control groups of a grader."""
    name = f"rnncourse-sandbox-{process}-*"
    places = {Path(tempfile.gettempdir()), Path("/tmp")}
    return [*(path for place in places for path in place.glob(name)), *Path("/sys/fs/cgroup").glob(f"**/{name}")]


@linux
@pytest.mark.sandbox
@pytest.mark.parametrize("name", ["bubblewrap", "landlock"])
def test_a_grader_that_is_killed_leaves_no_process_and_the_next_one_removes_its_folders_and_groups(name, monkeypatch):
    wall, reason = find_sandbox(name)
    if wall is None:
        need(name, reason)
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    grader = subprocess.Popen(
        [sys.executable, "-c", GRADER, name],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        env=environment,
        start_new_session=True,
    )
    try:
        grader.stdin.write(json.dumps(job()).encode() + b"\n")
        grader.stdin.flush()
        assert until(lambda: len(sleepers()) == 3, 120)
        assert remains(grader.pid)  # there is something to remove, and while its owner lives nobody does
        monkeypatch.setattr(leftovers, "YOUNG", 0.0)
        leftovers.sweep()
        assert remains(grader.pid)
        assert len(sleepers()) == 3
    finally:
        grader.kill()
        grader.wait()
        grader.stdin.close()
    assert until(lambda: not sleepers(), 20)
    assert remains(grader.pid)
    channel._sweep.cache_clear()
    with channel.Worker(wall, Limits()):
        pass
    assert remains(grader.pid) == []


@linux
def test_only_what_graders_made_and_nobody_claims_is_swept(tmp_path, monkeypatch):
    monkeypatch.setattr(leftovers, "YOUNG", 0.0)
    name = "rnncourse-sandbox-1-abcdefgh"
    (tmp_path / name / "closed").mkdir(parents=True)
    (tmp_path / name / "closed").chmod(0)
    others = ["rnncourse-sandbox-1", "rnncourse-venv", "my-rnncourse-sandbox-1-abcdefgh", "rnncourse-sandbox-1-abcdefg"]
    for other in others:
        (tmp_path / other).mkdir()
    (tmp_path / "rnncourse-sandbox-2-abcdefgh").write_text("a file")
    (tmp_path / "rnncourse-sandbox-3-abcdefgh").symlink_to(tmp_path / "rnncourse-venv")
    ours = leftovers.new_folder(str(tmp_path))
    leftovers.sweep(str(tmp_path))
    left = {path.name for path in tmp_path.iterdir()}
    assert left == {
        *others,
        "rnncourse-sandbox-2-abcdefgh",
        "rnncourse-sandbox-3-abcdefgh",
        Path(ours).name,
    }
    leftovers.remove(ours)
    assert not os.path.exists(ours)
    assert ours not in leftovers._claims


@linux
def test_a_folder_that_was_made_just_now_may_not_be_claimed_yet(tmp_path):
    (tmp_path / "rnncourse-sandbox-1-abcdefgh").mkdir()
    leftovers.sweep(str(tmp_path))
    assert list(tmp_path.iterdir())


@linux
def test_the_claim_of_a_process_ends_with_it(tmp_path, monkeypatch):
    monkeypatch.setattr(leftovers, "YOUNG", 0.0)
    program = (
        "import sys; from rnncourse.grading.walls import leftovers\n"
        "print(leftovers.new_folder(sys.argv[1]), flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    ) as other:
        folder = other.stdout.readline().strip()
        leftovers.sweep(str(tmp_path))
        assert os.path.isdir(folder)
        other.send_signal(signal.SIGKILL)
        other.wait()
    leftovers.sweep(str(tmp_path))
    assert not os.path.exists(folder)


def test_half_of_an_output_is_removed_and_nothing_else(tmp_path):
    (tmp_path / "feedback").mkdir()
    for name in (".rnncourse-abcd1234", "feedback/.rnncourse-abcd1234", "grades.csv", ".rnncourse-abcd1234.ipynb"):
        (tmp_path / name).write_text("x")
    forget_halves(tmp_path)
    assert {path.name for path in tmp_path.rglob("*")} == {"feedback", "grades.csv", ".rnncourse-abcd1234.ipynb"}
