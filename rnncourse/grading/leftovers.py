"""Removing what a worker leaves in its folder, whatever it made of it: closed folders, deep ones, odd names."""

import contextlib
import os
import shutil
import stat
import subprocess

__all__ = ["remove"]


def remove(folder: str) -> None:
    """Removes a folder with all that is in it. Nobody writes in it any more."""
    with contextlib.suppress(OSError, RecursionError):  # thousands of folders in each other
        shutil.rmtree(folder, onerror=_open_up)
    if os.path.lexists(folder) and shutil.which("rm"):
        with contextlib.suppress(OSError, subprocess.TimeoutExpired):
            subprocess.run(["chmod", "-R", "u+rwx", "--", folder], capture_output=True, timeout=60)
            subprocess.run(["rm", "-rf", "--", folder], capture_output=True, timeout=60)


def _open_up(function, path, exception) -> None:
    """A folder that its owner closed is opened, and the removal tried once more."""
    with contextlib.suppress(OSError):
        os.chmod(os.path.dirname(path), stat.S_IRWXU)
        if os.path.isdir(path) and not os.path.islink(path):
            os.chmod(path, stat.S_IRWXU)
            shutil.rmtree(path, ignore_errors=True)
        else:
            function(path)
