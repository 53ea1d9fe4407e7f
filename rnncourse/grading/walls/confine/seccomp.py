"""System calls that no notebook needs are refused by the kernel: a small filter, assembled by hand.

The filter is a list of instructions that the kernel runs at every system call (seccomp, mode 2; the format is that of
``linux/filter.h`` and ``linux/seccomp.h``). It allows what it does not name. What it names falls into groups:

- **uncounted**: memory that belongs to no process's resident set and that no other limit counts: memfd, SysV shared
  memory and queues, POSIX queues, io_uring, userfaultfd, larger socket buffers;
- **namespaces**: a namespace of one's own, in which one would be root, with file systems to mount;
- **kernel**: what only an attack on the kernel or on other processes has a use for: BPF, keys, perf, ptrace, modules;
- **families**: sockets that no network namespace holds (a virtual machine's, the kernel's own): all but Unix's and the
  internet's;
- **network**: sockets of any kind; a pair of connected ones, as asyncio needs, stays allowed;
- **signals**: signals to other processes, where neither a user id nor Landlock stands between;
- **others**: priorities and limits of other processes;
- **sessions**: leaving the process group; refused by pretending, since a shell goes on without.

``clone3`` hides its flags from a filter, so it "does not exist", and the C library falls back to ``clone``.
"""

import ctypes
import errno
import os
import platform
import struct

__all__ = ["GROUPS", "assemble", "refuse"]

X86, ARM = 0xC000003E, 0xC00000B7  # AUDIT_ARCH_X86_64, AUDIT_ARCH_AARCH64
X32_BIT = 0x40000000
LOAD, JUMP_EQUAL, JUMP_SET, JUMP_GREATER_EQUAL, RETURN = 0x20, 0x15, 0x45, 0x35, 0x06
ALLOW, ERROR, KILL = 0x7FFF0000, 0x00050000, 0x80000000
NUMBER, ARCHITECTURE, ARGUMENTS = 0, 4, 16  # offsets in struct seccomp_data
NEW_NAMESPACE = 0x7E020080  # CLONE_NEW{NS,CGROUP,UTS,IPC,USER,PID,NET,TIME}
SET_MODE_FILTER, PR_SET_SECCOMP = 2, 22
BUFFERS = (7, 8, 32, 33)  # SO_SNDBUF, SO_RCVBUF, SO_SNDBUFFORCE, SO_RCVBUFFORCE
PIPE_SIZE = 1031  # F_SETPIPE_SZ
FAMILIES = (1, 2, 10)  # AF_UNIX, AF_INET, AF_INET6

# name: (x86-64, arm64); None where an architecture lacks it
NUMBERS = {
    "acct": (163, 89),
    "add_key": (248, 217),
    "adjtimex": (159, 171),
    "bpf": (321, 280),
    "chroot": (161, 51),
    "clock_adjtime": (305, 266),
    "clock_settime": (227, 112),
    "clone": (56, 220),
    "clone3": (435, 435),
    "delete_module": (176, 106),
    "fanotify_init": (300, 262),
    "fcntl": (72, 25),
    "finit_module": (313, 273),
    "fsconfig": (431, 431),
    "fsmount": (432, 432),
    "fsopen": (430, 430),
    "fspick": (433, 433),
    "init_module": (175, 105),
    "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427),
    "io_uring_setup": (425, 425),
    "ioperm": (173, None),
    "iopl": (172, None),
    "ioprio_set": (251, 30),
    "kcmp": (312, 272),
    "kexec_file_load": (320, 294),
    "kexec_load": (246, 104),
    "keyctl": (250, 219),
    "kill": (62, 129),
    "memfd_create": (319, 279),
    "memfd_secret": (447, 447),
    "migrate_pages": (256, 238),
    "modify_ldt": (154, None),
    "mount": (165, 40),
    "mount_setattr": (442, 442),
    "move_mount": (429, 429),
    "move_pages": (279, 239),
    "mq_open": (240, 180),
    "msgget": (68, 186),
    "name_to_handle_at": (303, 264),
    "open_by_handle_at": (304, 265),
    "open_tree": (428, 428),
    "perf_event_open": (298, 241),
    "pidfd_getfd": (438, 438),
    "pidfd_send_signal": (424, 424),
    "pivot_root": (155, 41),
    "prlimit64": (302, 261),
    "process_madvise": (440, 440),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "ptrace": (101, 117),
    "quotactl": (179, 60),
    "reboot": (169, 142),
    "request_key": (249, 218),
    "rt_sigqueueinfo": (129, 138),
    "rt_tgsigqueueinfo": (297, 240),
    "sched_setaffinity": (203, 122),
    "sched_setattr": (314, 274),
    "sched_setparam": (142, 118),
    "sched_setscheduler": (144, 119),
    "semget": (64, 190),
    "setdomainname": (171, 162),
    "sethostname": (170, 161),
    "setns": (308, 268),
    "setpgid": (109, 154),
    "setpriority": (141, 140),
    "setsid": (112, 157),
    "setsockopt": (54, 208),
    "settimeofday": (164, 170),
    "shmget": (29, 194),
    "socket": (41, 198),
    "swapoff": (168, 225),
    "swapon": (167, 224),
    "syslog": (103, 116),
    "tgkill": (234, 131),
    "tkill": (200, 130),
    "umount2": (166, 39),
    "unshare": (272, 97),
    "userfaultfd": (323, 282),
    "vmsplice": (278, 75),
}

GROUPS = {
    "uncounted": (
        "memfd_create memfd_secret shmget msgget semget mq_open io_uring_setup io_uring_enter io_uring_register "
        "userfaultfd vmsplice"
    ),
    "namespaces": (
        "unshare setns mount umount2 pivot_root chroot open_tree move_mount fsopen fsconfig fsmount fspick "
        "mount_setattr"
    ),
    "kernel": (
        "bpf keyctl add_key request_key perf_event_open ptrace process_vm_readv process_vm_writev process_madvise kcmp "
        "pidfd_getfd fanotify_init name_to_handle_at open_by_handle_at init_module finit_module delete_module "
        "kexec_load kexec_file_load reboot swapon swapoff syslog acct quotactl iopl ioperm modify_ldt clock_settime "
        "clock_adjtime adjtimex settimeofday sethostname setdomainname migrate_pages move_pages"
    ),
    "families": "",
    "network": "socket",
    "signals": "kill tkill pidfd_send_signal rt_sigqueueinfo rt_tgsigqueueinfo",
    "others": "setpriority ioprio_set",
    "sessions": "setsid setpgid",
}
PRETENDED = ("sessions",)
ONLY_ONESELF = ["prlimit64", "sched_setaffinity", "sched_setattr", "sched_setparam", "sched_setscheduler"]


def refuse(libc, groups: list[str]) -> None:
    """Installs the filter in this process; whatever it starts inherits it, and it can never be taken off.

    Raises:
        OSError: If the kernel does not take it, or the machine is neither x86-64 nor arm64.
    """
    program = assemble(groups, platform.machine(), os.getpid())
    code = ctypes.create_string_buffer(b"".join(program), 8 * len(program))
    filter_ = struct.pack("HxxxxxxQ", len(program), ctypes.addressof(code))
    if libc.prctl(PR_SET_SECCOMP, SET_MODE_FILTER, ctypes.c_char_p(filter_), 0, 0):
        raise OSError(ctypes.get_errno(), "the system calls could not be restricted")


def assemble(groups: list[str], machine: str, process: int) -> list[bytes]:
    """The instructions of the filter.

    Args:
        groups: Which groups of system calls to refuse, of :data:`GROUPS`.
        machine: As :func:`platform.machine` says it.
        process: The process whose own signals stay allowed.

    Raises:
        OSError: If the machine is neither x86-64 nor arm64.

    Example:
        >>> len({len(instruction) for instruction in assemble(["namespaces"], "x86_64", 1)})
        1
    """
    column = {"x86_64": 0, "aarch64": 1, "arm64": 1}.get(machine)
    if column is None:
        raise OSError(errno.ENOSYS, f"no filter of system calls is known for {machine}")

    def number(name: str) -> int | None:
        return NUMBERS[name][column]

    program = [
        _word(LOAD, ARCHITECTURE),
        _word(JUMP_EQUAL, (X86, ARM)[column], 1, 0),
        _word(RETURN, KILL),  # a system call by another architecture's numbers
        _word(LOAD, NUMBER),
        _word(JUMP_GREATER_EQUAL, X32_BIT, 0, 1),
        _word(RETURN, ERROR | errno.ENOSYS),
    ]
    for group in groups:
        answer = ERROR if group in PRETENDED else ERROR | errno.EPERM
        for name in GROUPS[group].split():
            if number(name) is not None:
                program += _when(number(name), [_word(RETURN, answer)])
    no = [_word(RETURN, ERROR | errno.EPERM)]
    if "uncounted" in groups:
        # setsockopt(socket, SOL_SOCKET, SO_SNDBUF, …), fcntl(pipe, F_SETPIPE_SZ, …)
        program += _when(number("setsockopt"), _argument_in(2, BUFFERS, no))
        program += _when(number("fcntl"), _argument_in(1, (PIPE_SIZE,), no))
    if "namespaces" in groups:
        program += _when(number("clone3"), [_word(RETURN, ERROR | errno.ENOSYS)])
        program += _when(
            number("clone"),
            [_word(LOAD, ARGUMENTS), _word(JUMP_SET, NEW_NAMESPACE, 0, 1), *no, _word(RETURN, ALLOW)],
        )
    if "families" in groups and "network" not in groups:
        program += _when(number("socket"), _argument_not_in(0, FAMILIES, no))
    if "signals" in groups:  # one's own threads may be signalled (abort() does), other processes may not
        program += _when(number("tgkill"), _argument_not_in(0, (process,), no))
    if "others" in groups:
        for name in ONLY_ONESELF:
            program += _when(number(name), _argument_not_in(0, (0, process), no))
    return [*program, _word(RETURN, ALLOW)]


def _word(code: int, value: int, if_true: int = 0, if_false: int = 0) -> bytes:
    """One instruction, a ``struct sock_filter``: code, two relative jumps, a value."""
    return struct.pack("HBBI", code, if_true, if_false, value)


def _when(number: int, block: list[bytes]) -> list[bytes]:
    """Runs the block for this system call; the number stays loaded for the next comparison."""
    return [_word(JUMP_EQUAL, number, 0, len(block)), *block]


def _argument_in(position: int, values: tuple[int, ...], then: list[bytes]) -> list[bytes]:
    """Does ``then`` when the argument is one of these, else allows; the block ends the program either way."""
    tests = [
        _word(JUMP_EQUAL, value, len(values) - index, 0) for index, value in enumerate(values)
    ]  # over the other tests and the return
    return [_word(LOAD, ARGUMENTS + 8 * position), *tests, _word(RETURN, ALLOW), *then]


def _argument_not_in(position: int, values: tuple[int, ...], then: list[bytes]) -> list[bytes]:
    return [
        _word(LOAD, ARGUMENTS + 8 * position),
        *[_word(JUMP_EQUAL, value, len(values) - 1 - index + len(then), 0) for index, value in enumerate(values)],
        *then,
        _word(RETURN, ALLOW),
    ]
