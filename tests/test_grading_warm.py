"""A warmed process: its children are as fresh and as confined as a process that was started for each would be."""

import dataclasses
import os
import signal
import threading
import time
from pathlib import Path

import pytest

from rnncourse.grading import warm
from rnncourse.grading.channel import Lost, Worker
from rnncourse.grading.processes import Forked, Started
from rnncourse.grading.walls import covering
from rnncourse.grading.walls.sandbox import Limits, Wall, find_sandbox
from rnncourse.grading.warm import Warm, cool_down, warm_process
from rnncourse.grading.wire import decode
from tests.house import need

pytestmark = pytest.mark.sandbox


@pytest.fixture(scope="module")
def wall():
    found, reason = find_sandbox("bubblewrap")
    if found is None:
        need("bubblewrap", reason)
    cool_down()
    with Worker(found, Limits()) as one:
        if not isinstance(one.process, Forked):
            need("a process that makes namespaces behind bubblewrap", "it is refused here")
    yield found
    cool_down()


def tell(worker: Worker, source: str, seconds: float = 20.0):
    """Runs a cell that defines ``f`` and returns what ``f()`` returned."""
    until = time.monotonic() + seconds
    ran, _ = worker.ask({"op": "run", "source": source, "names": ["f"]}, deadline=until, doing="the cell")
    assert ran["ok"], ran
    asked = {"op": "call", "name": "f", "kind": "function", "arguments": {"tuple": []}}
    reply, tensors = worker.ask(asked, deadline=until, doing="f")
    assert reply["ok"], reply
    return decode(reply["answer"], tensors)


def process_of(wall: Wall) -> int:
    """The warmed process's command."""
    return warm._kept[wall].process.pid


LITTER = """
import builtins, os, socket, sys, numpy, torch
def f():
    builtins.seen = numpy.seen = torch.seen = sys.modules["rnncourse"].seen = True
    os.environ["SEEN"] = "1"
    sys.path.append("/tmp/seen")
    for place in ("/tmp/seen", "/dev/shm/seen", os.path.expanduser("~/.ipython/seen")):
        os.makedirs(os.path.dirname(place), exist_ok=True)
        open(place, "w").write("x")
    there = socket.socket(socket.AF_UNIX)
    there.bind("\\0seen")
    there.listen()
    globals()["kept"] = there
    torch.manual_seed(7)
    torch.set_default_dtype(torch.float64)
    os.umask(0)
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            import time
            time.sleep(1000)
        os._exit(0)
    return os.getpid()
"""
LOOK = """
import builtins, os, socket, sys, numpy, torch
def f():
    def takes():
        try:
            socket.socket(socket.AF_UNIX).connect("\\0seen")
        except OSError:
            return False
        return True
    marks = [hasattr(x, "seen") for x in (builtins, numpy, torch, sys.modules["rnncourse"])]
    files = [os.path.lexists(x) for x in ("/tmp/seen", "/dev/shm/seen", os.path.expanduser("~/.ipython/seen"))]
    mask = os.umask(0o22)
    state = ["SEEN" in os.environ, "/tmp/seen" in sys.path, takes(), torch.get_default_dtype() == torch.float64]
    return any([*marks, *files, *state]), mask, torch.initial_seed()
"""


def test_a_child_finds_nothing_that_another_one_left(wall):
    with Worker(wall, Limits()) as one:
        mask, seed = tell(one, LOOK)[1:]
        tell(one, LITTER)
        assert tell(one, LOOK)[0] is True  # it would be seen
    with Worker(wall, Limits()) as two:
        assert isinstance(two.process, Forked)
        assert tell(two, LOOK) == (False, mask, seed)


def test_children_draw_different_numbers_where_new_processes_would(wall):
    source = (
        "import os, random, tempfile, uuid, numpy\n"
        "def f(): return random.random(), float(numpy.random.rand()), float(numpy.random.default_rng().random()), "
        "uuid.uuid4().hex, os.path.basename(tempfile.mktemp())"
    )
    drawn = []
    for _ in range(3):
        with Worker(wall, Limits()) as one:
            drawn.append(tell(one, source))
    assert all(len(set(column)) == len(drawn) for column in zip(*drawn, strict=True))


def test_a_child_holds_two_pipes_and_sees_nobody_but_its_own(wall):
    source = """
import os
def f():
    handles = []
    for name in os.listdir("/proc/self/fd"):
        try:
            handles.append(os.readlink(f"/proc/self/fd/{name}").split(":")[0])
        except OSError:
            pass  # the one that lists
    processes = sorted(int(name) for name in os.listdir("/proc") if name.isdigit())
    reached = []
    for what, how in (("mem", open), ("environ", open), ("fd", os.listdir), ("root", os.listdir), ("cwd", os.stat)):
        try:
            reached.append(how(f"/proc/1/{what}"))
        except OSError:
            pass
    status = dict(line.split(":", 1) for line in open("/proc/self/status").read().splitlines())
    rights = [int(status[name], 16) for name in ("CapInh", "CapPrm", "CapEff", "CapAmb")]
    return sorted(handles), processes, len(reached), rights, status["NoNewPrivs"].strip(), status["Seccomp"].strip()
"""
    with Worker(wall, Limits()) as one:
        handles, processes, reached, rights, no_new, filtered = tell(one, source)
    assert sorted(handles) == ["/dev/null"] * (len(handles) - 2) + ["pipe", "pipe"]
    assert processes == [1, 2]  # the one that looks after it, and itself
    assert reached == 0
    assert (rights, no_new, filtered) == ([0, 0, 0, 0], "1", "2")


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can be somebody else")
def test_each_child_of_root_is_another_user(wall):
    users = []
    for _ in range(3):
        with Worker(wall, Limits()) as one:
            users.append(tell(one, "import os\ndef f(): return tuple(os.getresuid() + os.getresgid())"))
    assert all(len(set(ids)) == 1 and ids[0] >= 61184 for ids in users)
    assert len(set(users)) > 1


def test_a_child_that_signals_all_it_can_reaches_neither_the_warmed_process_nor_the_next_child(wall):
    with Worker(wall, Limits()) as one:
        before = process_of(wall)
        source = """
import contextlib, os, signal
def f():
    for process, number in ((-1, 9), (os.getppid(), signal.SIGINT), (os.getppid(), 9), (os.getppid(), signal.SIGSTOP)):
        with contextlib.suppress(OSError):
            os.kill(process, number)
    return 1
"""
        assert tell(one, source) == 1
        with pytest.raises(Lost, match="SIGKILL"):
            tell(one, "import os\nos.kill(os.getpid(), 9)")
    with Worker(wall, Limits()) as two:
        assert isinstance(two.process, Forked)
        assert tell(two, "def f(): return 2") == 2
    assert process_of(wall) == before


@pytest.mark.parametrize(("ending", "words"), [("os._exit(7)", "exit code 7"), ("os.abort()", "SIGABRT")])
def test_how_a_child_ended_is_told(ending, words, wall):
    with Worker(wall, Limits()) as one, pytest.raises(Lost, match=words):
        tell(one, f"import os\n{ending}")


def test_a_warmed_process_that_was_lost_is_replaced(wall):
    with Worker(wall, Limits()):
        before = process_of(wall)
    os.killpg(before, signal.SIGKILL)
    warm._kept[wall].process.wait(10)
    with Worker(wall, Limits()) as one:
        assert tell(one, "def f(): return 1") == 1
        assert process_of(wall) != before


def test_after_many_children_a_new_process_takes_over(wall):
    with Worker(wall, Limits()):
        before = process_of(wall)
    warm._kept[wall].left = 0
    with Worker(wall, Limits()) as one:
        assert isinstance(one.process, Forked)
        assert process_of(wall) != before


def test_while_it_is_busy_and_where_it_does_not_work_a_worker_is_started_as_a_program(wall, monkeypatch):
    with Worker(wall, Limits()) as one, Worker(wall, Limits()) as other:
        assert (type(one.process), type(other.process)) == (Forked, Started)
        assert tell(other, "def f(): return 1") == 1
    cool_down()
    monkeypatch.setattr(Wall, "child_confinement", lambda self, limits, probe=False: {"nothing": "of use"})
    with pytest.raises(OSError, match="cannot be confined .*KeyError"):
        Warm(wall)
    with Worker(wall, Limits()) as one:
        assert isinstance(one.process, Started)
        assert tell(one, "def f(): return 1") == 1
    cool_down()


def test_a_wall_that_cannot_be_made_again_has_no_warmed_process():
    for name in ("landlock", "none"):
        with warm_process(Wall(name)) as found:
            assert found is None


@pytest.mark.parametrize("place", ["/tmp/env/lib", "/dev/shm/env"])
def test_an_environment_that_a_childs_own_file_system_would_bury_has_no_warmed_process(place, monkeypatch):
    there = dataclasses.replace(covering.shown(), trees=(Path("/opt/python"),))
    monkeypatch.setattr(covering, "shown", lambda: there)
    assert Wall("bubblewrap").can_be_warm
    below = dataclasses.replace(there, trees=(*there.trees, Path(place)))
    monkeypatch.setattr(covering, "shown", lambda: below)
    assert not Wall("bubblewrap").can_be_warm


def test_threads_take_turns_or_start_their_own(wall):
    kinds = []

    def work():
        with Worker(wall, Limits()) as one:
            kinds.append(type(one.process))
            assert tell(one, "def f(): return 1") == 1

    with Worker(wall, Limits()):  # here: the warmed process ends with the thread that started it
        pass
    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(kinds) == 2
    assert Forked in kinds
