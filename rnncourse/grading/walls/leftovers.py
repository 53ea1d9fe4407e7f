"""Folders of workers: made, claimed, and removed with whatever was made of them, also after a grader that was killed.

A grader that is killed cannot tidy up. So each folder (and each control group, which is a folder too) is claimed by
a lock that the kernel takes away when its owner ends, however it ends; what is nobody's any more is removed by the next
grader that starts. The lock says more than a process id, which may be another's by then, or of another container.
"""

import contextlib
import os
import re
import shutil
import stat
import subprocess
import tempfile
import time
from collections.abc import Iterator

__all__ = ["abandoned", "claim", "let_go", "name", "new_folder", "remove", "sweep"]

OURS = re.compile(r"rnncourse-sandbox-\d+-\w{8}")
YOUNG = 30.0  # seconds in which whoever made it may not have claimed it yet
_claims: dict[str, int] = {}


def name() -> str:
    """How names of this process's folders and groups begin."""
    return f"rnncourse-sandbox-{os.getpid()}-"


def new_folder(place: str | None = None) -> str:
    """A new folder that is claimed.

    Args:
        place: The folder to make it in; the system's for temporary files by default.
    """
    folder = tempfile.mkdtemp(prefix=name(), dir=place)
    claim(folder)
    return folder


def claim(folder: str) -> bool:
    """Says that this folder is ours until this process ends or lets go of it; whether it was nobody else's."""
    try:
        import fcntl
    except ImportError:  # Windows: nothing is swept there
        return False
    handle = -1
    try:
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        if handle >= 0:
            os.close(handle)
        return False
    _claims[folder] = handle
    return True


def let_go(folder: str) -> None:
    """Takes the claim back."""
    if (handle := _claims.pop(folder, None)) is not None:
        os.close(handle)


def abandoned(place: str) -> Iterator[str]:
    """The folders below a place that graders of ours have made and nobody has a claim on; claimed now by us."""
    with contextlib.suppress(OSError), os.scandir(place) as entries:
        for entry in entries:
            if OURS.fullmatch(entry.name) and entry.is_dir(follow_symlinks=False):
                with contextlib.suppress(OSError):
                    made = entry.stat(follow_symlinks=False)
                    mine = os.geteuid() in (0, made.st_uid)
                    if mine and time.time() - made.st_ctime > YOUNG and claim(entry.path):
                        yield entry.path


def sweep(place: str | None = None) -> None:
    """Removes the folders that graders have left which were killed."""
    for where in {place} if place else {tempfile.gettempdir(), "/tmp"}:
        for folder in abandoned(where):
            remove(folder)


def remove(folder: str) -> None:
    """Removes a folder with all that is in it, and touches nothing outside it. Nobody writes in it any more."""

    def open_up(function, path, exception) -> None:
        # The folder that its owner closed is the path itself, or the one that it lies in; never one above ours.
        for closed in {path, os.path.dirname(path)}:
            if closed == folder or closed.startswith(folder + os.sep):
                with contextlib.suppress(OSError):
                    if stat.S_ISDIR(os.lstat(closed).st_mode):
                        os.chmod(closed, stat.S_IRWXU)

    for _ in range(2):  # once to open up, once to remove
        with contextlib.suppress(OSError, RecursionError):  # thousands of folders in each other
            shutil.rmtree(folder, onerror=open_up)
    if os.path.lexists(folder) and shutil.which("rm"):
        with contextlib.suppress(OSError, subprocess.TimeoutExpired):
            subprocess.run(["chmod", "-R", "u+rwx", "--", folder], capture_output=True, timeout=60)
            subprocess.run(["rm", "-rf", "--", folder], capture_output=True, timeout=60)
    let_go(folder)
