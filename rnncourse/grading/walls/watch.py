"""What a worker and everything that it started use up, as /proc tells it: memory, sockets, files.

A control group counts better (:mod:`rnncourse.grading.walls.cgroup`); this is for where there is none. It is a look, a
few times a second, so what grows fast passes the limit by what it can take between two looks.
"""

import contextlib
import functools
import os
import stat
import sys
import time
from dataclasses import dataclass

__all__ = ["Used", "kill_marked", "look"]

SOCKET = 212_992  # bytes that the kernel may hold for one socket that nobody reads, unless the machine says otherwise
MANY = 100_000  # files after which nobody needs the exact number


@dataclass
class Used:
    """What is in use: bytes of memory (an estimate from above), bytes and number of files."""

    memory: int = 0
    disk: int = 0
    files: int = 0


def look(root: int, folder: str | None, limit: int, *, keeper: bool = False) -> Used:
    """Looks at a process, its descendants and all of its session.

    Args:
        root: The process that was started.
        folder: The folder that it writes in, where it lies on the machine's disk.
        limit: Bytes of memory from which an exact answer is wanted: what a process shares with its children would
            count many times over, and the exact sum is slow to get.
        keeper: The process itself is one of ours, and holds nothing of its own; its descendants count.
    """
    if sys.platform != "linux":
        return Used()
    used = Used()
    pages = _family(root)
    size = os.sysconf("SC_PAGE_SIZE")
    if keeper:
        pages.pop(root, None)
    sockets, deleted, number = _open_things(pages)
    buffers = sockets * _buffer()
    used.memory = sum(pages.values()) * size + buffers
    if used.memory > limit:
        used.memory = sum(_exact(process, otherwise=count * size) for process, count in pages.items()) + buffers
    if folder:
        used.disk, used.files = _below(folder)
        used.disk, used.files = used.disk + deleted, used.files + number
    return used


def kill_marked(mark: bytes) -> None:
    """Ends every process whose environment holds these bytes: what left its group and its parent still has them."""
    if sys.platform != "linux":
        return
    quiet = 0
    for _ in range(40):
        found = False
        for entry in os.listdir("/proc"):
            if entry.isdigit() and int(entry) != os.getpid():
                with contextlib.suppress(OSError):
                    with open(f"/proc/{entry}/environ", "rb") as file:
                        there = mark in file.read(1 << 20)
                    if there:
                        os.kill(int(entry), 9)
                        found = True
        quiet = 0 if found else quiet + 1
        if quiet == 3:  # a process that is just becoming another program shows no environment for a moment
            return
        time.sleep(0.02)


def _family(root: int) -> dict[int, int]:
    """The process, its descendants, and whoever is in its session: process id → resident pages."""
    parents: dict[int, int] = {}
    sessions: dict[int, int] = {}
    pages: dict[int, int] = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                with open(f"/proc/{entry}/stat", "rb") as file:
                    fields = file.read().rpartition(b")")[2].split()  # the name before may hold anything
                process = int(entry)
                parents[process], sessions[process], pages[process] = int(fields[1]), int(fields[3]), int(fields[21])
            except (OSError, IndexError, ValueError):
                continue  # it ended meanwhile
    family = {process for process, session in sessions.items() if session == root}
    new = {root} | family
    while new:
        family |= new
        new = {process for process, parent in parents.items() if parent in family} - family
    return {process: pages.get(process, 0) for process in family}


def _open_things(processes: dict[int, int]) -> tuple[int, int, int]:
    """Open sockets, and the bytes and number of open files that have no name any more, of these processes."""
    sockets, files = set(), {}
    for process in processes:
        with contextlib.suppress(OSError):
            for handle in os.listdir(f"/proc/{process}/fd"):
                with contextlib.suppress(OSError):
                    status = os.stat(f"/proc/{process}/fd/{handle}")
                    if stat.S_ISSOCK(status.st_mode):
                        sockets.add(status.st_ino)
                    elif stat.S_ISREG(status.st_mode) and status.st_nlink == 0:
                        files[status.st_dev, status.st_ino] = status.st_blocks * 512
    return len(sockets), sum(files.values()), len(files)


@functools.lru_cache(maxsize=1)
def _buffer() -> int:
    """Bytes that one socket may hold, in both directions; a larger buffer cannot be asked for behind the walls."""
    with contextlib.suppress(OSError, ValueError), open("/proc/sys/net/core/wmem_default") as file:
        return 2 * int(file.read())
    return 2 * SOCKET


def _below(folder: str) -> tuple[int, int]:
    """Bytes and number of all files below a folder, counted up to many."""
    size = number = 0
    waiting = [folder]
    while waiting and number < MANY:
        with contextlib.suppress(OSError), os.scandir(waiting.pop()) as entries:
            for entry in entries:
                number += 1
                with contextlib.suppress(OSError):
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append(entry.path)
                    size += entry.stat(follow_symlinks=False).st_blocks * 512
                if number >= MANY:
                    break
    return size, number


def _exact(process: int, otherwise: int) -> int:
    """A process's memory, with shared pages divided among those who share them."""
    try:
        with open(f"/proc/{process}/smaps_rollup", "rb") as file:
            for line in file:
                if line.startswith(b"Pss:"):
                    return int(line.split()[1]) * 1024
    except (OSError, ValueError, IndexError):
        pass
    return otherwise
