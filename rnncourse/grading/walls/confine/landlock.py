"""Landlock: the kernel opens only the files that were named, for this process and all that it starts.

Unlike a mount namespace it needs no privileges, and it works inside ordinary containers; unlike one it cannot cover a
folder up, only allow folders, and it hides no names (``stat`` still answers). The interface is three system calls,
whose numbers are the same on all architectures; Linux 5.13 brought it, later versions what is marked below.
Source: the kernel's documentation, userspace-api/landlock, and linux/landlock.h.
"""

import contextlib
import ctypes
import os
import stat
import struct

__all__ = ["enter", "prepare", "version"]

CREATE, ADD, RESTRICT = 444, 445, 446
BENEATH = 1  # LANDLOCK_RULE_PATH_BENEATH
EXECUTE, WRITE_FILE, READ_FILE, READ_DIR = 1, 2, 4, 8
# The thirteen rights of version 1, then REFER (2), TRUNCATE (3), IOCTL_DEV (5)
HANDLED = {1: (1 << 13) - 1, 2: (1 << 14) - 1, 3: (1 << 15) - 1, 4: (1 << 15) - 1, 5: (1 << 16) - 1}
DEVICES = (1 << 9) | (1 << 11)  # making character and block devices
OF_FILES = EXECUTE | WRITE_FILE | READ_FILE | 1 << 14 | 1 << 15
TCP = 3  # bind and connect, version 4
SCOPES = 3  # abstract sockets and signals to processes outside, version 6


def version(libc) -> int:
    """The version of Landlock that this kernel offers; 0 for none."""
    return max(0, libc.syscall(CREATE, None, ctypes.c_size_t(0), ctypes.c_uint32(1)))


def prepare(libc, allowed: dict[str, list[str]]) -> int:
    """The rules that close all files but those below the allowed paths: a handle for :func:`enter`.

    Whoever is to become somebody else prepares them before: what root can reach, others may not even name.

    Args:
        libc: The C library.
        allowed: ``"read"``: files and folders to read and to execute; ``"list"``: folders whose names may be listed,
            which opens nothing in them; ``"write"``: folders to do everything in; ``"device"``: files to read and
            write. Paths that do not exist are left out. Nothing at all: only the making of devices is refused, and
            whoever is outside can be neither traced nor written into.

    Raises:
        OSError: If the kernel has no Landlock, or does not take it.
    """
    newest = version(libc)
    if not newest:
        raise OSError("this kernel has no Landlock")
    handled = HANDLED[min(newest, max(HANDLED))] if allowed else DEVICES
    ports = TCP if newest >= 4 and allowed else 0
    attributes = struct.pack("QQQ", handled, ports, SCOPES if newest >= 6 and allowed else 0)
    size = 8 if newest < 4 else 16 if newest < 6 else 24
    ruleset = libc.syscall(CREATE, ctypes.c_char_p(attributes), ctypes.c_size_t(size), ctypes.c_uint32(0))
    if ruleset < 0:
        raise OSError(ctypes.get_errno(), "Landlock refused its rules")
    rights = {
        "read": EXECUTE | READ_FILE | READ_DIR,
        "list": READ_DIR,
        "write": handled & ~DEVICES & ~EXECUTE,
        "device": WRITE_FILE | READ_FILE,
    }
    try:
        for kind, paths in allowed.items():
            for path in paths:
                with contextlib.suppress(FileNotFoundError, NotADirectoryError, PermissionError):
                    _add(libc, ruleset, path, rights[kind] & handled)
    except BaseException:
        os.close(ruleset)
        raise
    return ruleset


def enter(libc, ruleset: int) -> None:
    """Puts the rules up for this process and all that it will start, and closes the handle.

    Raises:
        OSError: If the kernel does not take them; it does only after no-new-privileges.
    """
    try:
        if libc.syscall(RESTRICT, ctypes.c_int(ruleset), ctypes.c_uint32(0)):
            raise OSError(ctypes.get_errno(), "Landlock could not be put up")
    finally:
        os.close(ruleset)


def _add(libc, ruleset: int, path: str, rights: int) -> None:
    handle = os.open(path, os.O_PATH | os.O_CLOEXEC)
    try:
        if not stat.S_ISDIR(os.fstat(handle).st_mode):
            rights &= OF_FILES
        if rights:
            rule = struct.pack("=Qi", rights, handle)
            arguments = (ctypes.c_int(ruleset), ctypes.c_int(BENEATH), ctypes.c_char_p(rule), ctypes.c_uint32(0))
            if libc.syscall(ADD, *arguments):
                raise OSError(ctypes.get_errno(), f"Landlock refused the rule for {path}")
    finally:
        os.close(handle)
