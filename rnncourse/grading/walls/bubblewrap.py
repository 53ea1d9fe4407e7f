"""The first wall: a worker behind bubblewrap, in namespaces of its own.

Inside there is:

- a read-only Python with its installed packages, the system's shared libraries and commands, and nothing else of the
  disk;
- this package, and everything that is the course covered up, wherever it lies
  (:mod:`rnncourse.grading.walls.covering`);
- a small writable ``/tmp``; no network; no other process; no environment but what stands in the command.

Two ways lead in. As an ordinary user, bubblewrap makes a user namespace. As root (containers, graders) it needs none,
and the worker gives up root for a user id of its own.
"""

import os
from pathlib import Path

from rnncourse.grading.walls.covering import PACKAGE, hidden_in_package, shown
from rnncourse.grading.walls.landlocked import landlock_version
from rnncourse.grading.walls.sandbox import (
    MIB,
    Limits,
    new_user_id,
    numbers,
    settings,
    worker_environment,
    worker_program,
)

__all__ = ["bubblewrap_command", "child_confinement"]

COURSE = "/course"  # where the package appears inside
SHARED_MEMORY = 64 * MIB  # of /dev/shm, which would be half of the RAM otherwise
WRITABLE = ("/tmp", "/dev/shm")
DEVICES = ("null", "zero", "full", "random", "urandom")
SECCOMP = ["uncounted", "namespaces", "kernel", "families"]


def bubblewrap_command(bwrap: str, limits: Limits, *, probe: bool = False, warm: bool = False) -> list[str]:
    """The command line of a worker behind bubblewrap.

    Args:
        bwrap: Path of the executable.
        limits: What the worker may use.
        probe: Confine yourself, say "ready" and end.
        warm: Import everything and fork workers (:mod:`rnncourse.grading.zygote`), each confined as a worker is.
    """
    root = os.geteuid() == 0
    places = shown()
    argv = [bwrap, "--unshare-ipc", "--unshare-pid", "--unshare-net", "--unshare-uts", "--unshare-cgroup-try"]
    argv += [] if root else ["--unshare-user"]
    # What it takes to bound the number of files and, for root, to become somebody else; given up before anything else.
    argv += ["--cap-drop", "ALL", "--cap-add", "CAP_SYS_ADMIN"]
    argv += ["--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID", "--cap-add", "CAP_SETPCAP"] if root else []
    argv += ["--cap-add", "CAP_NET_ADMIN"] if warm else []  # each child's own network needs its loopback switched on
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
        if os.path.isdir(path):
            argv.extend(["--perms", "0755", "--size", "4096", "--tmpfs", str(path), "--remount-ro", str(path)])
        else:
            argv.extend(["--ro-bind", "/dev/null", str(path)])

    for place in places.system:
        if place.is_symlink():
            argv += ["--symlink", os.readlink(place), str(place)]
        else:
            show(place)
    if os.path.exists("/etc/ld.so.cache"):
        show("/etc/ld.so.cache")
    for place in places.trees:
        show(place)
    for place in places.covered:
        cover(place)
    show(PACKAGE, f"{COURSE}/rnncourse")
    for place in hidden_in_package():
        target = f"{COURSE}/rnncourse/{place.relative_to(PACKAGE)}"
        argv += ["--perms", "0755", "--size", "4096", "--tmpfs", target, "--remount-ro", target]
    argv += ["--proc", "/proc"]
    # Not --dev: it brings terminals, which nobody needs here, and for a user a second namespace, in which the first
    # one's file systems cannot be bounded any more.
    argv += ["--perms", "0755", "--size", str(MIB), "--tmpfs", "/dev"]
    for device in DEVICES:
        argv += ["--dev-bind", f"/dev/{device}", f"/dev/{device}"]
    for name, place in {"fd": "fd", "stdin": "fd/0", "stdout": "fd/1", "stderr": "fd/2"}.items():
        argv += ["--symlink", f"/proc/self/{place}", f"/dev/{name}"]
    argv += ["--perms", "1777", "--size", str(SHARED_MEMORY), "--tmpfs", "/dev/shm"]
    argv += ["--remount-ro", "/dev", "--remount-ro", "/", "--chdir", "/tmp", "--"]
    own = _confinement(limits) | {
        # As an ordinary user bubblewrap's own process inside is that user's too, and without our filter. Where the
        # machine does not keep one from tracing the other (Yama), Landlock does; a DataLoader's processes then hang.
        "landlock": {} if not root and not _yama() and landlock_version() else None,
    }
    told = settings([*places.standard, *places.sites, COURSE], limits, **own, probe=probe, warm=warm)
    return [*argv, str(places.python), *worker_program(f"{COURSE}/rnncourse"), *told]


def child_confinement(limits: Limits, *, probe: bool = False) -> dict:
    """What a child of the warmed process is told. Its list of processes holds none that is not confined like it."""
    return _confinement(limits) | {"limits": numbers(limits), "landlock": None, "parent": None, "probe": probe}


def _confinement(limits: Limits) -> dict:
    return {
        "wall": "bubblewrap",
        "user_id": new_user_id() if os.geteuid() == 0 else None,
        "tmpfs": dict(zip(WRITABLE, (limits.disk, SHARED_MEMORY), strict=True)),
        "seccomp": SECCOMP,
    }


def _yama() -> bool:
    """Whether only a parent may trace a process on this machine."""
    try:
        return int(Path("/proc/sys/kernel/yama/ptrace_scope").read_text()) > 0
    except (OSError, ValueError):
        return False
