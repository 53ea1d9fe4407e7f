"""How the worker confines itself, for good, before it imports anything: limits, user id, privileges, Landlock, seccomp.

The order matters: what takes privileges comes first (a bound on the number of files, another user id), then they are
given up, then the kernel is told never to give any again, and only then are files and system calls closed.

This package is read inside the walls on its own, before the course can be imported: it needs the standard library only.
"""

import contextlib
import ctypes
import os

from . import landlock, seccomp

__all__ = ["confine"]

PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_CAPBSET_DROP, PR_SET_NO_NEW_PRIVS, PR_CAP_AMBIENT = 1, 4, 24, 38, 47
PR_CAP_AMBIENT_CLEAR_ALL = 4
CAPABILITY_VERSION = 0x20080522
LAST_CAPABILITY = 63
MS_NOSUID, MS_NODEV, MS_REMOUNT = 2, 4, 32
KILL = 9


def confine(settings: dict) -> None:
    """Confines this process and all that it will ever start.

    Args:
        settings: ``wall``: "none" for limits only; ``limits``: numbers by name; ``user_id`` to become, or None;
            ``tmpfs``: folder → size in bytes of the writable file systems that are this process's own; ``landlock``:
            what may be opened, or None; ``seccomp``: the names of the groups of system calls to refuse; ``parent``:
            the grader's process id where our end has to follow its end, or None.

    Raises:
        OSError: If one of the walls that were asked for cannot be put up.
    """
    _limit(settings["limits"])
    if settings["wall"] == "none":
        return
    libc = ctypes.CDLL(None, use_errno=True)
    for folder, size in settings["tmpfs"].items():
        _bound_the_files(libc, folder, size, settings["limits"]["files"])
    rules = landlock.prepare(libc, settings["landlock"]) if settings["landlock"] is not None else None
    if settings["user_id"] is not None:
        _become(libc, settings["user_id"])
    _give_up_capabilities(libc)
    if settings["parent"]:
        libc.prctl(PR_SET_PDEATHSIG, KILL, 0, 0, 0)  # after the change of user, which clears it
        if os.getppid() != settings["parent"]:
            raise OSError("the grader is gone")
    if libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0):
        raise OSError(ctypes.get_errno(), "no-new-privileges could not be set")
    if rules is not None:
        landlock.enter(libc, rules)
    seccomp.refuse(libc, settings["seccomp"])


def _limit(limits: dict) -> None:
    """Hard limits, which a process without privileges cannot raise again."""
    try:
        import resource
    except ImportError:  # Windows has none
        return
    wanted = {
        "RLIMIT_AS": limits["address_space"],
        "RLIMIT_FSIZE": limits["disk"],
        "RLIMIT_CPU": limits["cpu_seconds"],
        "RLIMIT_NPROC": limits["processes"] + _threads_of_this_user(),
        "RLIMIT_NOFILE": limits["open_files"],
        "RLIMIT_MEMLOCK": 1 << 16,
        "RLIMIT_MSGQUEUE": 0,
        "RLIMIT_SIGPENDING": 1024,
        "RLIMIT_CORE": 0,
    }
    for name, value in wanted.items():
        # A system may lack one of them (macOS has no RLIMIT_AS); the walls do not rest on one limit alone.
        with contextlib.suppress(AttributeError, OSError, ValueError):
            resource.setrlimit(getattr(resource, name), (value, value))


def _threads_of_this_user() -> int:
    """RLIMIT_NPROC counts all threads of a user id: those that exist already should not count against us."""
    count = 0
    try:
        for entry in os.scandir("/proc"):
            if entry.name.isdigit() and entry.stat().st_uid == os.getuid():
                count += len(os.listdir(f"/proc/{entry.name}/task"))
    except OSError:
        pass
    return count if os.geteuid() else 0


def _bound_the_files(libc, folder: str, size: int, files: int) -> None:
    """Says how many files a tmpfs may hold: an empty one takes a KiB of memory that no size counts."""
    flags = MS_REMOUNT | MS_NOSUID | MS_NODEV
    if libc.mount(None, folder.encode(), None, flags, f"size={size},nr_inodes={files}".encode()):
        raise OSError(ctypes.get_errno(), f"the number of files in {folder} could not be bounded")


def _become(libc, user_id: int) -> None:
    """Gives up root for good: all ids change at once, so that there is no saved one to return to."""
    os.setgroups([])
    os.setresgid(user_id, user_id, user_id)
    os.setresuid(user_id, user_id, user_id)
    libc.prctl(PR_SET_DUMPABLE, 1, 0, 0, 0)  # else /proc/self would belong to root, with the way to our own modules


def _give_up_capabilities(libc) -> None:
    libc.prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0)
    for capability in range(LAST_CAPABILITY + 1):  # refused where we have no right to
        libc.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0)
    header = (ctypes.c_uint32 * 2)(CAPABILITY_VERSION, 0)
    nothing = (ctypes.c_uint32 * 6)()
    if libc.capset(ctypes.byref(header), ctypes.byref(nothing)):
        raise OSError(ctypes.get_errno(), "capabilities could not be given up")
