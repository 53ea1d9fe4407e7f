"""Control groups: which way is taken, what is written, and that a real one, where there is one, ends all in it."""

import dataclasses
import os
import subprocess
import sys
import time

import pytest

from rnncourse.grading.walls import cgroup
from rnncourse.grading.walls.sandbox import Limits

LIMITS = dataclasses.replace(Limits(), resident=300 << 20, processes=20)


@pytest.fixture(autouse=True)
def afresh():
    cgroup._way.cache_clear()
    yield
    cgroup._way.cache_clear()


def test_version_2_is_divided_at_the_nearest_group_that_gives_memory_and_processes(tmp_path, monkeypatch):
    place = tmp_path / "user.slice" / "app.slice" / "term.scope"
    place.mkdir(parents=True)
    for folder, given in (
        (tmp_path, "memory pids cpu"),
        (place.parent, "pids memory"),
        (place, ""),
        (place.parent.parent, "cpu"),
    ):
        (folder / "cgroup.subtree_control").write_text(given)
    (tmp_path / "cgroup.controllers").write_text("cpu memory pids")
    monkeypatch.setattr(cgroup, "MOUNT", tmp_path)
    monkeypatch.setattr(cgroup, "_own", lambda controller: "/user.slice/app.slice/term.scope")
    assert cgroup._divisible() == [place.parent, tmp_path]
    assert cgroup._first_version() == ()


def test_limits_are_written_where_there_are_files_for_them(tmp_path):
    for name in ("memory.max", "memory.swap.max", "memory.oom.group", "pids.max"):
        (tmp_path / name).write_text("max")
    cgroup._bound(tmp_path, LIMITS)
    said = {path.name: path.read_text() for path in tmp_path.iterdir()}
    assert said == {"memory.max": str(300 << 20), "memory.swap.max": "0", "memory.oom.group": "1", "pids.max": "28"}


@pytest.mark.parametrize(
    ("words", "over"), [("oom 3\noom_kill 1\n", True), ("oom 3\noom_kill 0\n", False), ("", False)]
)
def test_an_overrun_is_read_from_the_kernels_counts(words, over, tmp_path):
    (tmp_path / "memory.events").write_text(words)
    assert cgroup.Group(folders=[tmp_path]).overrun() is over


def test_where_nothing_can_be_divided_systemd_is_asked_and_where_it_is_not_there_nobody(tmp_path, monkeypatch):
    monkeypatch.setattr(cgroup, "_divisible", list)
    monkeypatch.setattr(cgroup, "_first_version", lambda: ())
    monkeypatch.setattr(cgroup.shutil, "which", lambda name: None if name == "systemd-run" else f"/bin/{name}")
    assert cgroup.new_group(LIMITS) is None
    cgroup._way.cache_clear()
    fake = tmp_path / "systemd-run"
    fake.write_text('#!/bin/sh\nwhile [ "$1" != true ] && [ $# -gt 0 ]; do shift; done\nexec "$@"\n')
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setattr(cgroup.shutil, "which", lambda name: str(fake) if name == "systemd-run" else f"/bin/{name}")
    group = cgroup.new_group(LIMITS)
    assert group.folders == []
    assert group.prefix[0] == "systemd-run"
    assert {f"MemoryMax={300 << 20}", "MemorySwapMax=0", "TasksMax=28"} <= set(group.prefix)
    assert ("--user" in group.prefix) is (os.geteuid() != 0)


@pytest.mark.skipif(sys.platform != "linux", reason="control groups are Linux's")
def test_a_real_group_bounds_what_no_process_shows_and_ends_what_left_its_parent():
    group = cgroup.new_group(LIMITS)
    if group is None or not group.folders:
        pytest.skip("no control group can be made here")
    folders = list(group.folders)
    script = (
        "import os, time\n"
        "if os.fork() == 0:\n"
        "    os.setsid()\n"
        "    if os.fork() == 0: time.sleep(1000)\n"
        "    os._exit(0)\n"
        "handle = os.memfd_create('x')\n"
        "print(os.write(handle, bytes(1)), flush=True)\n"
        "while True: os.write(handle, bytes(1 << 22))\n"
    )
    process = subprocess.Popen([*group.prefix, sys.executable, "-I", "-S", "-c", script], stdout=subprocess.PIPE)
    try:
        assert process.stdout.readline() == b"1\n"
        assert process.wait(60) == -9
        assert group.overrun()
    finally:
        process.kill()
        process.stdout.close()
        group.end()
    deadline = time.monotonic() + 5
    while any(folder.exists() for folder in folders) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not any(folder.exists() for folder in folders)
