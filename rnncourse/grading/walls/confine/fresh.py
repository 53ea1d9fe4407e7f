"""A machine of its own for a process that a warmed one has forked: namespaces, file systems, a list of processes.

The warmed process (:mod:`rnncourse.grading.zygote`) lives behind bubblewrap already. What bubblewrap gave to it is
given once more, new, to each child: nothing that a child can reach was reachable for another one.
Source: the manual pages unshare(2), mount(2), pid_namespaces(7) and netdevice(7).
"""

import ctypes
import fcntl
import os
import socket
import struct

__all__ = ["leave", "settle"]

NEW_MOUNTS, NEW_CGROUPS, NEW_NAME, NEW_IPC = 0x20000, 0x2000000, 0x4000000, 0x8000000
NEW_PROCESSES, NEW_NETWORK = 0x20000000, 0x40000000
READ_ONLY, NOSUID, NODEV, NOEXEC, REMOUNT, BIND, RECURSIVE, PRIVATE = 1, 2, 4, 8, 32, 4096, 16384, 1 << 18
SET_FLAGS, UP_AND_RUNNING = 0x8914, 0x41  # SIOCSIFFLAGS, IFF_UP | IFF_RUNNING
OF_THE_KERNEL = ("sys", "sysrq-trigger", "irq", "bus")  # below /proc: read-only, as bubblewrap leaves them


def leave(libc) -> None:
    """Leaves the warmed process's namespaces; the next fork is the first process of a new list.

    Raises:
        OSError: If the kernel does not let us.
    """
    if libc.unshare(NEW_MOUNTS | NEW_NAME | NEW_IPC | NEW_PROCESSES | NEW_NETWORK):
        raise OSError(ctypes.get_errno(), "new namespaces could not be made")


def settle(libc, tmpfs: dict[str, int], files: int) -> None:
    """Puts new file systems over those that were inherited. For the first process of the new list.

    Args:
        libc: The C library.
        tmpfs: Folder → size in bytes of the file systems that can be written.
        files: How many files each of them may hold.

    Raises:
        OSError: If one of them cannot be mounted.
    """
    if libc.unshare(NEW_CGROUPS):
        raise OSError(ctypes.get_errno(), "a new view of control groups could not be made")
    _mount(libc, None, "/", None, RECURSIVE | PRIVATE)  # nothing that is mounted here shows anywhere else
    for folder, size in tmpfs.items():
        _mount(libc, "tmpfs", folder, "tmpfs", NOSUID | NODEV, f"mode=1777,size={size},nr_inodes={files}")
    _mount(libc, "proc", "/proc", "proc", NOSUID | NODEV | NOEXEC)
    for name in OF_THE_KERNEL:
        if os.path.exists(place := f"/proc/{name}"):
            _mount(libc, place, place, None, BIND)
            _mount(libc, None, place, None, REMOUNT | BIND | READ_ONLY | NOSUID | NODEV | NOEXEC)
    os.chdir("/tmp")  # the new one; a working directory in the old one would be a way back to it
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        fcntl.ioctl(any_socket, SET_FLAGS, struct.pack("16sH22x", b"lo", UP_AND_RUNNING))


def _mount(libc, what: str | None, where: str, kind: str | None, flags: int, options: str | None = None) -> None:
    words = [None if word is None else word.encode() for word in (what, where, kind, options)]
    if libc.mount(*words[:3], ctypes.c_ulong(flags), words[3]):
        raise OSError(ctypes.get_errno(), f"{where} could not be made anew")
