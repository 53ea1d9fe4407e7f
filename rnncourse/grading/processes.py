"""A worker as a process of the grader's: one that was started anew, or one that a warmed process has forked.

Both are spoken to over two pipes, watched, and ended; what differs is how one learns that it is over, and how.
"""

import contextlib
import json
import os
import select
import signal
import socket
import struct
import subprocess
import threading
from typing import IO, Any

__all__ = ["Forked", "Started"]


class Started:
    """A worker that was started as a program.

    Args:
        command: Its command line.
        **options: For :class:`subprocess.Popen`.
    """

    keeper = False  # whether the process that we know is not the worker, but one of ours that looks after it

    def __init__(self, command: list[str], **options: Any):
        self.popen = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True, **options
        )
        self.pid = self.popen.pid
        self.requests, self.replies = self.popen.stdin, self.popen.stdout

    def is_over(self) -> bool:
        """Whether it has ended; it is not waited for, so that its number stays its own until :meth:`end`."""
        if not hasattr(os, "waitid"):
            return self.popen.poll() is not None
        try:
            return os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
        except ChildProcessError:
            return True

    def end(self) -> None:
        """Ends it. Behind bubblewrap the kernel takes the namespace along; elsewhere nobody leaves the group."""
        # The group of a leader that has ended may have members still; until we wait for it, its number is not reused.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            if not hasattr(os, "killpg"):
                self.popen.kill()
            elif self.popen.returncode is None:
                os.killpg(self.pid, signal.SIGKILL)

    def wait(self, seconds: float) -> int | None:
        """Its exit code, as a shell counts (128 + n for signal n), or None if it has not ended by then."""
        try:
            code = self.popen.wait(seconds)
        except subprocess.TimeoutExpired:
            return None
        return code if code >= 0 else 128 - code

    def close(self) -> None:
        """Nothing to let go of: the pipes belong to those who read and write them."""


class Forked:
    """A worker that a warmed process has forked; what we know of it is the first process of its list, which is ours.

    Args:
        control: The socket that the warmed process reads.
        confinement: What the child is told.
        enter: Called with the child's process id before it does anything: puts it into its control group.
        seconds: How long to wait for it.

    Raises:
        OSError: If the warmed process does not answer, or is gone.
    """

    keeper = True

    def __init__(self, control: socket.socket, confinement: dict, enter, seconds: float):
        from rnncourse.grading.zygote import BORN, GO

        self.code: int | None = None
        self.last_words = ""  # a number, or why it could not be confined
        self.handle = -1
        self.lock = threading.Lock()  # a handle's number is soon another's
        theirs_in, ours_out = os.pipe()
        ours_in, theirs_out = os.pipe()
        self.line, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.requests: IO[bytes] = os.fdopen(ours_out, "wb")
        self.replies: IO[bytes] = os.fdopen(ours_in, "rb")
        try:
            try:
                self.line.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
                self.line.settimeout(seconds)
                told = json.dumps(confinement).encode()
                socket.send_fds(control, [told], [theirs_in, theirs_out, theirs.fileno()])
            finally:
                os.close(theirs_in)
                os.close(theirs_out)
                theirs.close()
            # The kernel says who speaks, in the numbers of our own list of processes.
            message, extra, _, _ = self.line.recvmsg(len(BORN), socket.CMSG_SPACE(struct.calcsize("iII")))
            if message != BORN or not extra:
                raise ConnectionError("the warmed process has ended")
            self.pid = struct.unpack("iII", extra[0][2])[0]
            self.handle = os.pidfd_open(self.pid)  # it waits for our word, so the number is still its own
            enter(self.pid)
            self.line.send(GO)
        except BaseException:
            self.give_up()
            raise

    def is_over(self) -> bool:
        """Whether it has ended."""
        with self.lock:
            return self.handle < 0 or self._ended(0)

    def end(self) -> None:
        """Ends the first process of the list; the kernel ends the others, wherever they are."""
        with self.lock, contextlib.suppress(ProcessLookupError):
            if self.handle >= 0:
                signal.pidfd_send_signal(self.handle, signal.SIGKILL)

    def wait(self, seconds: float) -> int | None:
        """Its exit code, as a shell counts (128 + n for signal n), or None if it has not ended by then."""
        if self.code is None and self.handle >= 0:
            if not self._ended(seconds):
                return None
            self.code = 128 + signal.SIGKILL
            with contextlib.suppress(OSError):
                self.line.setblocking(False)
                self.last_words = self.line.recv(500).decode("utf-8", "replace")
                self.code = int(self.last_words) if self.last_words.isdecimal() else 1
        return self.code

    def _ended(self, seconds: float) -> bool:
        poll = select.poll()  # select() itself knows no handles beyond a thousand
        poll.register(self.handle, select.POLLIN)
        return bool(poll.poll(max(seconds, 0) * 1000))

    def give_up(self) -> None:
        """Ends it where nobody has begun to read and write its pipes."""
        self.end()
        self.close()
        self.requests.close()
        self.replies.close()

    def close(self) -> None:
        """Lets go of what is still open."""
        with self.lock:
            if self.handle >= 0:
                os.close(self.handle)
                self.handle = -1
        self.line.close()
