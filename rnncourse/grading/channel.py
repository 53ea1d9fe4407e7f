"""The grader's end of the pipe: start a worker, ask it things, and give up on it in time.

Every wait has a deadline, looked at when a frame arrives as well as while none does; every read has a cap; a frame
that answers no request is thrown away unread, and few of them are. What the worker uses up is watched all the time,
not only while it is waited for. Whatever goes wrong is one exception, :class:`Lost`: the worker is gone by then, and
the grader may start another.
"""

import contextlib
import functools
import os
import queue
import secrets
import signal
import sys
import tempfile
import threading
import time
from typing import Any

from rnncourse.grading.processes import Forked, Started
from rnncourse.grading.walls import cgroup, leftovers
from rnncourse.grading.walls.sandbox import Limits, Wall, worker_environment
from rnncourse.grading.walls.watch import kill_marked, look
from rnncourse.grading.warm import warm_process
from rnncourse.grading.wire import NO_NONCE, PREFIX, WireError, pack, sizes, unpack

__all__ = ["Lost", "Worker"]

TICK = 0.1  # seconds between looks at the clock and at what is used
STALE_LIMIT = 100  # frames that answer no request, until we stop listening
STALE_BYTES = 64 << 20
MARK = "RNNCOURSE_WORKER"  # in the environment of a worker without walls: what it leaves behind is known by it


class Lost(Exception):
    """The worker is gone: the message says why, in words for the learner."""


class Worker:
    """One learner's process.

    Args:
        wall: What keeps it in.
        limits: What it may use.
        deadline: When the start has to be over at the latest, on the monotonic clock.

    Raises:
        Lost: If it does not get as far as saying that it is ready.
    """

    def __init__(self, wall: Wall, limits: Limits, deadline: float = float("inf")):
        _sweep()
        self.limits = limits
        self.wall = wall
        self.expected: bytes | None = NO_NONCE
        self.overrun = ""  # what it used too much of
        self.said = ""  # on its standard error
        self.ended = threading.Event()
        self.mark = secrets.token_hex(16)
        self.folder = wall.folder()
        self.errors = tempfile.TemporaryFile()  # noqa: SIM115 (closed by kill); what is said before it is ready
        self.group = cgroup.new_group(limits) if wall.name != "none" else None
        self.held = contextlib.ExitStack()  # the warmed process that it comes from, for as long as it lives
        try:
            self.process = self._forked(deadline) or self._started()
        except OSError as error:
            self._clean_up()
            raise Lost(f"the worker could not be started ({error})") from None
        # Blocking reads and writes live in threads of their own: a worker that neither reads nor writes blocks these,
        # never the grader. They end when the pipes break.
        self.incoming: queue.Queue[Any] = queue.Queue(maxsize=4)
        self.outgoing: queue.Queue[bytes | None] = queue.Queue(maxsize=4)
        for loop in (self._read_loop, self._write_loop, self._watch_loop):
            threading.Thread(target=loop, daemon=True).start()
        try:
            header, _ = self._receive(min(time.monotonic() + limits.start_seconds, deadline), "starting up")
            if header.get("ready") is not True:
                raise Lost("the worker did not start")
        except Lost as lost:
            self.kill()
            tail = self.said.strip().splitlines()
            raise Lost(f"{lost} ({tail[-1]})" if tail else str(lost)) from None
        except BaseException:
            self.kill()
            raise

    def ask(self, header: dict, tensors: dict | None = None, *, deadline: float, doing: str) -> tuple[dict, dict]:
        """Sends a request and returns the reply to *this* request.

        Args:
            header: The request.
            tensors: The tensors that go with it.
            deadline: When to give up, on the monotonic clock.
            doing: "cell 3", for messages.

        Raises:
            Lost: If there is no such reply in time. The worker has been killed.
            WireError: If the request is too large to be sent. The worker goes on.
        """
        nonce = secrets.token_bytes(16)  # a frame that was written before we asked cannot know it
        frame = pack(header, tensors, nonce)
        self.expected = nonce
        self.outgoing.put(frame)
        try:
            return self._receive(deadline, doing)
        except BaseException:
            self.kill()
            raise

    def kill(self) -> None:
        """Ends the worker and everything that it started. Safe to call twice."""
        self.ended.set()
        self.process.end()
        self.process.wait(30)
        with contextlib.suppress(queue.Full):
            self.outgoing.put_nowait(None)
        self._clean_up()

    def __enter__(self) -> "Worker":
        return self

    def __exit__(self, *exception) -> None:
        self.kill()

    def _forked(self, deadline: float) -> Forked | None:
        """A worker from the warmed process, where there is one."""
        warm = self.held.enter_context(warm_process(self.wall))
        if warm is None:
            return None
        seconds = min(self.limits.start_seconds, max(deadline - time.monotonic(), 0.0))
        try:
            return warm.fork(self.wall.child_confinement(self.limits), self.group, seconds)
        except OSError:
            self.held.close()
            warm.left = 0  # whatever it is, the next one is new
            return None

    def _started(self) -> Started:
        """A worker that is started as a program."""
        environment = worker_environment(self.folder)
        if self.wall.name == "none":
            environment |= {key: os.environ[key] for key in ("SYSTEMROOT", "TEMP") if key in os.environ}  # Windows
            environment[MARK] = self.mark
        prefix = self.group.prefix if self.group else []
        command = [*prefix, *self.wall.command(self.limits, self.folder)]
        return Started(command, stderr=self.errors, env=environment, cwd=self.folder)

    def _clean_up(self) -> None:
        if not self.errors.closed:
            self.errors.seek(0)
            self.said = self.errors.read(100_000).decode(errors="replace")
            self.errors.close()
        if hasattr(self, "process"):
            self.process.close()
        self.held.close()
        if self.group:
            self.group.end()
        if self.wall.name == "none":
            kill_marked(f"{MARK}={self.mark}".encode())
        if self.folder:
            leftovers.remove(self.folder)

    def _receive(self, deadline: float, doing: str) -> tuple[dict, dict]:
        """The reply to the request under way."""
        began = time.monotonic()
        while True:
            try:
                frame = self.incoming.get(timeout=TICK)
            except queue.Empty:
                frame = None
            if self.overrun:
                raise Lost(f"{doing} used {self.overrun}")
            if time.monotonic() > deadline:
                raise Lost(f"{doing} took longer than {max(deadline - began, 0):.0f} s")
            if isinstance(frame, WireError):
                raise Lost(f"{doing} wrote into the pipe: {frame}")
            if frame is not None:
                try:
                    return unpack(*frame)
                except WireError as error:
                    raise Lost(f"{doing} wrote into the pipe: {error}") from None
            if self.process.is_over() and self.incoming.empty():
                if self.group and self.group.overrun():
                    raise Lost(f"{doing} used more than {self.limits.resident / 2**30:.1f} GiB of memory")
                raise Lost(f"{doing} ended the process ({self._exit_in_words()})")

    def _exit_in_words(self) -> str:
        self.process.end()  # before its number is given up by waiting
        code = self.process.wait(30) or 0
        number = max(code - 128, 0)
        try:
            return f"signal {signal.Signals(number).name}" if number else f"exit code {code}"
        except ValueError:
            return f"exit code {code}"

    def _watch_loop(self) -> None:
        """Looks at what is used until the worker ends, and ends it when that is too much."""
        while not self.ended.wait(TICK):
            if self.group and self.group.overrun():  # the kernel may have ended a child, and left the worker alone
                self.overrun = f"more than {self.limits.resident / 2**30:.1f} GiB of memory"
                return self.process.end()
            if self.group and not self.folder:  # the kernel counts, and no disk is written to
                continue
            limits = self.limits
            used = look(self.process.pid, self.folder, limits.resident, keeper=self.process.keeper)
            if used.memory > limits.resident and not self.group:
                self.overrun = f"{used.memory / 2**30:.1f} GiB of memory"
            elif used.disk > limits.disk:
                self.overrun = f"{used.disk / 2**20:.0f} MiB of disk"
            elif used.files > limits.files:
                self.overrun = f"more than {limits.files} files"
            if self.overrun:
                return self.process.end()

    def _read_loop(self) -> None:
        stream = self.process.replies
        stale = stale_bytes = 0
        try:
            while len(prefix := stream.read(PREFIX.size)) == PREFIX.size:
                head, blob = sizes(prefix)  # refuses before anything of that size is read
                if self.expected is None or prefix[: len(NO_NONCE)] != self.expected:
                    stale, stale_bytes = stale + 1, stale_bytes + head + blob
                    if stale > STALE_LIMIT or stale_bytes > STALE_BYTES:
                        raise WireError("it was filled with something that is no answer")
                    _skip(stream, head + blob)
                    continue
                self.expected = None  # there is one answer to a request
                frame = (stream.read(head), stream.read(blob))
                if len(frame[0]) != head or len(frame[1]) != blob:
                    break
                self._deliver(frame)
        except WireError as error:
            self._deliver(error)
        except (OSError, ValueError):
            pass
        finally:
            stream.close()

    def _deliver(self, item: Any) -> None:
        while not self.ended.is_set():
            with contextlib.suppress(queue.Full):
                return self.incoming.put(item, timeout=TICK)

    def _write_loop(self) -> None:
        stream = self.process.requests
        try:
            while (frame := self.outgoing.get()) is not None:
                stream.write(frame)
                stream.flush()
        except OSError:  # the worker is gone; whoever waits for its reply finds out
            pass
        finally:
            with contextlib.suppress(OSError):
                stream.close()


@functools.lru_cache(maxsize=1)
def _sweep() -> None:
    """Once for each grader: what others have left that were killed."""
    if sys.platform == "linux":
        leftovers.sweep()
        cgroup.sweep()


def _skip(stream: Any, count: int) -> None:
    while count and (read := len(stream.read(min(count, 1 << 16)))):
        count -= read
