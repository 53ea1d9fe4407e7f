"""The second wall, where no namespace may be made: Landlock, refused system calls, limits, and a user id of its own.

It stands in ordinary containers. What it cannot do as the first does: the worker shares the machine's process list
and network namespace (it may open neither), names of files can be probed, and as an ordinary user it stays the same
user (signals are refused then). What it writes lies in a folder on the machine's disk, which the grader watches.
"""

import os
import stat
from pathlib import Path

from rnncourse.grading.walls.covering import PACKAGE, hidden_in_package, shown
from rnncourse.grading.walls.sandbox import Limits, new_user_id, settings, worker_program

__all__ = ["landlocked_command", "reachable"]

SECCOMP = ["uncounted", "namespaces", "kernel", "network", "sessions", "others"]
SCOPED_SIGNALS = 6  # the version of Landlock from which signals to others are refused by it
READ = ("/etc/ld.so.cache", "/etc/localtime", "/proc/cpuinfo", "/proc/meminfo", "/proc/self", "/sys/devices/system/cpu")
DEVICES = ("/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom")


def landlocked_command(limits: Limits, folder: str | None, *, probe: bool = False) -> list[str]:
    """The command line of a worker behind the second wall.

    Args:
        limits: What the worker may use.
        folder: The one folder that it may write in; it is given to the worker's user.
        probe: Confine yourself, say "ready" and end.
    """
    places = shown()
    user_id = new_user_id() if os.geteuid() == 0 else None
    if user_id is not None and folder:
        os.chown(folder, user_id, user_id)
    read, names = [], []
    for tree in [*map(str, places.system), *map(str, places.trees)]:
        files, folders = _around(Path(tree).resolve(), set(places.covered))
        read, names = read + files, names + folders
    files, folders = _around(PACKAGE, set(hidden_in_package()))
    allowed = {
        "read": [*read, *files, *READ],
        "list": [*names, *folders],
        "write": [folder] if folder else [],
        "device": list(DEVICES),
    }
    refused = SECCOMP if user_id is not None or landlock_version() >= SCOPED_SIGNALS else [*SECCOMP, "signals"]
    told = settings(
        [*places.standard, *places.sites],
        limits,
        wall="landlock",
        package=str(PACKAGE),
        user_id=user_id,
        landlock=allowed,
        seccomp=refused,
        parent=os.getpid(),
        keeper=not probe,
        probe=probe,
    )
    return [str(places.python), *worker_program(), *told]


def landlock_version() -> int:
    """The version of Landlock here; 0 for none."""
    import ctypes

    from rnncourse.grading.walls.confine import landlock

    return landlock.version(ctypes.CDLL(None, use_errno=True))


def reachable(path: str) -> bool:
    """Whether a user of no rights can get to this folder."""
    real = Path(path).resolve()
    return all(os.stat(folder).st_mode & stat.S_IXOTH for folder in [real, *real.parents] if folder.is_dir())


def _around(root: Path, covered: set[Path]) -> tuple[list[str], list[str]]:
    """What to open so that everything below ``root`` can be read but what is covered: paths, and folders to list.

    Landlock knows no exceptions: beside a covered folder, each of its neighbours is named.
    """
    below = {path for path in covered if path.is_relative_to(root)}
    if root in below:
        return [], []
    if not below:
        return [str(root)], []
    read: list[str] = []
    names = [str(root)]
    for child in sorted(root.iterdir()):
        if not child.is_symlink():
            files, folders = _around(child, below)
            read, names = read + files, names + folders
    return read, names
