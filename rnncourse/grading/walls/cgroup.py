"""One bound for all that a worker uses: a control group of its own, where this machine lets us make one.

What a process holds is more than its resident memory: buffers of sockets, pages and inodes of file systems in memory,
page tables. The kernel counts them all for a control group, and ends the group when the sum passes its limit. There
are three ways to one, tried in this order and tried out before they are trusted:

- below a group that is ours to divide (version 2: root's, or one that systemd delegated to us);
- version 1's ``memory`` and ``pids`` hierarchies, for root;
- systemd's user manager, asked by ``systemd-run`` to make one for the worker's command.
"""

import contextlib
import functools
import os
import secrets
import shutil
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path

from rnncourse.grading.walls import leftovers
from rnncourse.grading.walls.sandbox import Limits

__all__ = ["Group", "new_group", "sweep"]

MOUNT = Path("/sys/fs/cgroup")
PROBE_SECONDS = 10
# The shell enters the groups that it is given, then becomes the command: whatever the worker uses is counted.
ENTER = 'IFS=:; for group in $1; do echo $$ > "$group/cgroup.procs" || exit 97; done; shift; exec "$@"'


@dataclass
class Group:
    """A worker's control group.

    Args:
        prefix: What to put before the worker's command line.
        folders: Its folders in the hierarchy: one, or one for each hierarchy of version 1; none with systemd's.
    """

    prefix: list[str] = field(default_factory=list)
    folders: list[Path] = field(default_factory=list)

    def enter(self, process: int) -> None:
        """Puts a process into it that runs already: what it uses from now on is counted.

        Raises:
            OSError: If the kernel does not let us.
        """
        for folder in self.folders:
            (folder / "cgroup.procs").write_text(str(process))

    def overrun(self) -> bool:
        """Whether the kernel had to end something in it because memory was used up."""
        for folder in self.folders:
            for name in ("memory.events", "memory.oom_control"):
                with contextlib.suppress(OSError):
                    counts = dict(line.split() for line in (folder / name).read_text().splitlines())
                    if int(counts.get("oom_kill", 0)):
                        return True
        return False

    def end(self) -> None:
        """Ends everything in it, and removes it."""
        deadline = time.monotonic() + 5
        while self.folders and time.monotonic() < deadline:
            for folder in self.folders:
                with contextlib.suppress(OSError):
                    (folder / "cgroup.kill").write_text("1")
                with contextlib.suppress(OSError):
                    for process in (folder / "cgroup.procs").read_text().split():
                        with contextlib.suppress(OSError):
                            os.kill(int(process), 9)
                with contextlib.suppress(OSError):
                    folder.rmdir()
            for folder in self.folders:
                if not folder.exists():
                    leftovers.let_go(str(folder))
            self.folders = [folder for folder in self.folders if folder.exists()]
            if self.folders:
                time.sleep(0.01)


def new_group(limits: Limits) -> Group | None:
    """A new group with these limits, or None where there is no way to one."""
    way = _way()
    if way is None:
        return None
    return _make(way, limits)


def sweep() -> None:
    """Ends what lives in groups of graders that were killed, and removes the groups."""
    way = _way()
    for parent in way[1] if way else ():
        for folder in leftovers.abandoned(str(parent)):
            Group(folders=[Path(folder)]).end()


@functools.lru_cache(maxsize=1)
def _way() -> tuple[str, tuple[Path, ...]] | None:
    """The first of the three ways that works: its name and the folders to make groups in."""
    if not shutil.which("sh"):
        return None
    ways = [("v2", (folder,)) for folder in _divisible()]
    if folders := _first_version():
        ways.append(("v1", folders))
    if shutil.which("systemd-run"):
        ways += [("systemd", ())]
    for way in ways:
        group = _make(way, Limits())
        if group is None:
            continue
        try:
            done = subprocess.run([*group.prefix, "true"], capture_output=True, timeout=PROBE_SECONDS)
            if done.returncode == 0:
                return way
        except (OSError, subprocess.TimeoutExpired):
            pass
        finally:
            group.end()
    return None


def _make(way: tuple[str, tuple[Path, ...]], limits: Limits) -> Group | None:
    kind, parents = way
    if kind == "systemd":
        bounds = [f"MemoryMax={limits.resident}", "MemorySwapMax=0", f"TasksMax={limits.processes + 8}"]
        user = [] if os.geteuid() == 0 else ["--user"]
        properties = [word for bound in bounds for word in ("-p", bound)]
        return Group(["systemd-run", *user, "--scope", "--quiet", "--collect", *properties])
    name = f"{leftovers.name()}{secrets.token_hex(4)}"
    group = Group()
    try:
        for parent in parents:
            folder = parent / name
            folder.mkdir()
            leftovers.claim(str(folder))
            group.folders.append(folder)
            _bound(folder, limits)
    except OSError:
        group.end()
        return None
    group.prefix = ["sh", "-c", ENTER, "sh", ":".join(map(str, group.folders))]
    return group


def _bound(folder: Path, limits: Limits) -> None:
    """Writes the limits; the one on memory is required where there is a file for it, the rest is welcome."""
    for name, value in (("memory.max", limits.resident), ("memory.limit_in_bytes", limits.resident)):
        if (folder / name).exists():
            (folder / name).write_text(str(value))
    wishes = {
        "memory.swap.max": 0,
        "memory.memsw.limit_in_bytes": limits.resident,
        "memory.oom.group": 1,
        "pids.max": limits.processes + 8,  # the shell, bubblewrap and its child count too
    }
    for name, value in wishes.items():
        with contextlib.suppress(OSError):
            if (folder / name).exists():
                (folder / name).write_text(str(value))


def _divisible() -> list[Path]:
    """Groups above us whose children get memory and process counts of their own, and that we may write in."""
    for root in (MOUNT, MOUNT / "unified"):
        if (root / "cgroup.controllers").exists():
            place = root / _own("").lstrip("/")
            candidates = [place, *place.parents]
            return [folder for folder in candidates if folder.is_relative_to(root) and _divides(folder)]
    return []


def _divides(folder: Path) -> bool:
    try:
        given = (folder / "cgroup.subtree_control").read_text().split()
    except OSError:
        return False
    return {"memory", "pids"} <= set(given) and os.access(folder, os.W_OK)


def _first_version() -> tuple[Path, ...]:
    """Our places in version 1's hierarchies of memory and, where there is one, of process counts."""
    memory = MOUNT / "memory" / _own("memory").lstrip("/")
    if not (memory / "memory.limit_in_bytes").exists() or not os.access(memory, os.W_OK):
        return ()
    pids = MOUNT / "pids" / _own("pids").lstrip("/")
    return (memory, pids) if (pids / "cgroup.procs").exists() and os.access(pids, os.W_OK) else (memory,)


def _own(controller: str) -> str:
    """The group that this process is in, in the hierarchy of a controller ("" for version 2)."""
    with contextlib.suppress(OSError):
        for line in Path("/proc/self/cgroup").read_text().splitlines():
            _, controllers, place = line.split(":", 2)
            if controller in controllers.split(",") and (controller or not controllers):
                return place
    return "/"
