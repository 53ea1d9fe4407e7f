"""The grader's end of a warmed process (:mod:`rnncourse.grading.zygote`): one for each grading process, started when
the first worker is needed, renewed now and then, and gone with the grader.

Where it does not work (no such wall, a kernel that will not have it, another thread uses it), a worker is started
as a program, as before.
"""

import atexit
import contextlib
import os
import signal
import socket
import subprocess
import tempfile
import threading

from rnncourse.grading.processes import Forked
from rnncourse.grading.walls.cgroup import Group, new_group
from rnncourse.grading.walls.sandbox import Limits, Wall, worker_environment
from rnncourse.grading.zygote import READY

__all__ = ["Warm", "cool_down", "warm_process"]

FORKS_EACH = 200  # workers of one warmed process: then a new one, so that nothing adds up


class Warm:
    """A warmed process.

    Args:
        wall: What it lives behind.

    Raises:
        OSError: If it cannot be started, or does not say that it is ready.
    """

    def __init__(self, wall: Wall):
        limits = Limits()
        self.wall = wall
        self.owner = os.getpid()
        self.left = FORKS_EACH
        self.busy = threading.Lock()  # one child at a time
        self.group = new_group(limits)
        self.errors = tempfile.TemporaryFile()  # noqa: SIM115 (closed by close)
        self.control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        try:
            try:
                if self.group and not self.group.folders:
                    raise OSError("a group that a command is started in cannot be left by its children")
                self.process = subprocess.Popen(
                    [*(self.group.prefix if self.group else []), *wall.command(limits, None, warm=True)],
                    stdin=theirs,
                    stdout=subprocess.DEVNULL,
                    stderr=self.errors,
                    env=worker_environment(),
                    start_new_session=True,
                )
            finally:
                theirs.close()
            self.control.settimeout(limits.start_seconds)
            if self.control.recv(len(READY)) != READY:
                raise OSError("the warmed process did not start")
            probe = self.fork(wall.child_confinement(limits, probe=True), None, limits.start_seconds)
            try:
                if probe.wait(limits.start_seconds) != 0:
                    raise OSError(f"its children cannot be confined ({probe.last_words})")
            finally:
                probe.give_up()
        except BaseException:
            self.close()
            raise

    def fork(self, confinement: dict, group: Group | None, seconds: float) -> Forked:
        """A worker; for whoever holds :attr:`busy`.

        Args:
            confinement: What it is told.
            group: Its control group.
            seconds: How long to wait for it.

        Raises:
            OSError: If there is none.
        """
        self.left -= 1
        return Forked(self.control, confinement, group.enter if group else lambda process: None, seconds)

    def is_usable(self) -> bool:
        """Whether it can be asked for another worker."""
        return self.left > 0 and self.process.poll() is None

    def close(self) -> None:
        """Ends it, and with it every worker that it has forked."""
        self.control.close()
        if hasattr(self, "process"):
            if self.process.returncode is None:
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        if self.group:
            self.group.end()
        self.errors.close()


_kept: dict[Wall, Warm | None] = {}  # None: it was tried, and does not work here
_lock = threading.Lock()


@contextlib.contextmanager
def warm_process(wall: Wall):
    """The warmed process behind this wall, for the time of one worker; None where there is none to be had now."""
    found = _take(wall)
    try:
        yield found
    finally:
        if found:
            found.busy.release()


def _take(wall: Wall) -> Warm | None:
    if not wall.can_be_warm:
        return None
    with _lock:
        found = _kept.get(wall)
        if found is not None and found.owner != os.getpid():  # somebody forked us; it is our parent's
            return None
        if found is not None and found.busy.locked():
            return None
        if found is not None and not found.is_usable():
            found.close()
            del _kept[wall]
        if wall not in _kept:
            try:
                _kept[wall] = Warm(wall)
            except OSError:
                _kept[wall] = None
        found = _kept[wall]
        return found if found is not None and found.busy.acquire(blocking=False) else None


def cool_down() -> None:
    """Ends the warmed processes of this process; the next worker starts a new one."""
    with _lock:
        for found in _kept.values():
            if found is not None and found.owner == os.getpid():
                found.close()
        _kept.clear()


atexit.register(cool_down)
