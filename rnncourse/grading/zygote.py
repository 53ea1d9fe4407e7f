"""The warmed process behind bubblewrap: it has imported everything, runs nobody's code, and forks a worker when asked.

Importing torch takes a second, and a class has hundreds of notebooks. This process imports once. For each notebook
it forks a child, and the child is confined as a new process would be: namespaces, file systems, a list of processes, a
user id (for root), a control group, limits and pipes of its own, all privileges given up, the same filter of system
calls. What a child could do to this process, and why it cannot:

- see it, signal it, trace it, write into its memory: it is not in the child's list of processes, so it has no number
  there and no entry in ``/proc``; for root the child is another user, too, and ``ptrace`` is refused besides;
- speak to it: the child holds two pipes to the grader and nothing else. The one socket that this process reads is
  closed in the child before anything else happens, and what this process says goes to nobody's parser but ours;
- leave something for the next child: the files it can write lie in file systems that end with it; sockets with a name,
  shared memory and the network's state belong to namespaces that end with it; memory is copied when it is written;
- stay: the first process of the child's list is ours and confined like the rest; when it ends, and it ends with
  the worker, with the grader and with this process, the kernel ends all others of the list.

What a child shares with this process and its siblings, and a new process would not: the layout of its memory and the
seed of Python's hashes. Both protect a process against input that it parses, and nothing parses a child's input but the
grader, which is another program at other addresses.
"""

import contextlib
import ctypes
import gc
import json
import os
import signal
import socket
import sys
from collections.abc import Callable

__all__ = ["BORN", "GO", "READY", "serve"]

READY, BORN, GO = b"ready", b"born", b"go"
LONGEST = 1 << 16  # bytes of a request
IDLE_SECONDS = 60.0  # then it ends by itself: whoever calls the grader from a program of theirs is not left with it
PR_SET_DUMPABLE, PR_SET_CHILD_SUBREAPER = 4, 36


def serve(begin: Callable[[int, int], Callable[[], None]], confine: Callable[[dict], None]) -> None:
    """Forks a worker for every request on the standard input, a socket, until it closes or nobody asks any more.

    Args:
        begin: Makes a worker of the process: takes the handles to read requests from and to write replies to, and
            returns the loop.
        confine: :func:`rnncourse.grading.walls.confine.confine`.
    """
    if len(os.listdir("/proc/self/task")) != 1:
        raise RuntimeError("a process of several threads cannot be forked safely")
    from rnncourse.grading.walls.confine import fresh

    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)  # we stay as long as a child does
    gc.collect()
    gc.freeze()  # a child that collects garbage does not have to copy what is here
    with socket.socket(fileno=os.dup(0)) as control:
        control.settimeout(IDLE_SECONDS)
        signal.signal(signal.SIGCHLD, lambda *nothing: _reap())
        control.send(READY)
        while True:
            try:
                message, handles, _, _ = socket.recv_fds(control, LONGEST, 3)
            except TimeoutError:
                message, handles = b"", []
                if _reap():
                    continue
            if len(handles) != 3:
                return
            if os.fork() == 0:
                try:
                    _be_born(libc, fresh, json.loads(message), handles, begin, confine)
                finally:
                    os._exit(1)
            for handle in handles:
                os.close(handle)


def _reap() -> bool:
    """Waits for children that have ended; whether there are others."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        return False
    return True


def _be_born(libc, fresh, settings: dict, handles: list[int], begin, confine) -> None:
    """A child's life up to the worker's loop; it never returns."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    requests, replies, line = handles
    lifeline = socket.socket(fileno=line)
    try:
        null = os.open(os.devnull, os.O_RDWR)
        for stream in (0, 1, 2):  # the first of them was the socket that we were asked on
            os.dup2(null, stream)
        for handle in map(int, os.listdir("/proc/self/fd")):
            if handle in handles:
                os.set_inheritable(handle, False)  # no process that a notebook starts as a program gets one of them
            elif handle > 2:
                _close(handle)
        fresh.leave(libc)
        if os.fork():
            os._exit(0)  # the warmed process is its parent now
        os.setsid()
        lifeline.send(BORN)  # the kernel adds which process this is
        if lifeline.recv(len(GO)) != GO:  # only now we are in our control group
            os._exit(0)
        fresh.settle(libc, settings["tmpfs"], settings["limits"]["files"])
        confine(settings)
        if settings["probe"]:
            lifeline.send(b"0")
            os._exit(0)
        libc.prctl(
            PR_SET_DUMPABLE, 0, 0, 0, 0
        )  # nobody of the same user looks into the first process, or at its handles
        worker = os.fork()
    except BaseException as error:
        lifeline.send(f"{type(error).__name__}: {error}".encode()[:500])
        os._exit(1)
    if worker:
        _look_after(worker, lifeline, requests, replies)
    try:
        lifeline.close()
        libc.prctl(PR_SET_DUMPABLE, 1, 0, 0, 0)  # else /proc/self would belong to root
        if numpys := sys.modules.get("numpy.random"):  # Python's own does so by itself, torch's begins fixed anyway
            numpys.seed()
        begin(requests, replies)()
    finally:
        os._exit(1)


def _look_after(worker: int, lifeline: socket.socket, requests: int, replies: int) -> None:
    """What the first process does: waits for the others, and says how the worker ended."""
    signal.signal(
        signal.SIGINT, signal.SIG_IGN
    )  # the one that Python handles; those unhandled do not reach a first process
    _close(requests)
    _close(replies)
    while True:
        process, status = os.wait()
        if process == worker:
            break
    code = os.waitstatus_to_exitcode(status)
    lifeline.send(str(code if code >= 0 else 128 - code).encode())
    os._exit(0)


def _close(handle: int) -> None:
    with contextlib.suppress(OSError):  # the one that listed them
        os.close(handle)
