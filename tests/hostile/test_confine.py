"""The worker's own walls, each by itself: the filter of system calls, read by a machine of our own."""

import errno
import struct

import pytest

from rnncourse.grading.walls.confine.seccomp import (
    ALLOW,
    ARM,
    ERROR,
    GROUPS,
    KILL,
    NEW_NAMESPACE,
    NUMBERS,
    X86,
    assemble,
)

MACHINES = {"x86_64": (X86, 0), "aarch64": (ARM, 1)}
every_machine = pytest.mark.parametrize("machine", MACHINES)


def decide(program: list[bytes], architecture: int, number: int, *arguments: int) -> int:
    """What the kernel's machine answers: loads, jumps and returns of classic BPF, as its documentation has them."""
    data = struct.pack("IIQ6Q", number, architecture, 0, *[*arguments, *[0] * 6][:6])
    accumulator = position = 0
    while True:
        code, if_true, if_false, value = struct.unpack("HBBI", program[position])
        position += 1
        if code == 0x20:
            (accumulator,) = struct.unpack_from("I", data, value)
        elif code == 0x06:
            return value
        else:
            true = {0x15: accumulator == value, 0x35: accumulator >= value, 0x45: bool(accumulator & value)}[code]
            position += if_true if true else if_false


@every_machine
def test_each_group_refuses_its_calls_and_only_them(machine):
    architecture, column = MACHINES[machine]
    for group, names in GROUPS.items():
        program = assemble([group], machine, 77)
        refused = {NUMBERS[name][column] for name in names.split()} - {None}
        special = {"clone", "clone3", "socket", "setsockopt", "fcntl", "tgkill", "prlimit64"} | {
            n for n in NUMBERS if "sched" in n
        }
        special = {NUMBERS[name][column] for name in special}
        for number in range(500):
            answer = decide(program, architecture, number)
            if number in refused:
                assert answer == (ERROR if group == "sessions" else ERROR | errno.EPERM), (group, number)
            elif number not in special:
                assert answer == ALLOW, (group, number)


@every_machine
def test_flags_decide_about_clones_options_about_buffers_and_ids_about_signals(machine):
    architecture, column = MACHINES[machine]
    program = assemble([*GROUPS], machine, 77)

    def ask(name, *arguments):
        return decide(program, architecture, NUMBERS[name][column], *arguments)

    no = ERROR | errno.EPERM
    assert ask("clone3") == ERROR | errno.ENOSYS
    assert ask("clone", 0x01200011) == ALLOW  # fork
    assert ask("clone", 0x003D0F00) == ALLOW  # a thread
    for bit in range(32):
        if NEW_NAMESPACE >> bit & 1:
            assert ask("clone", 1 << bit | 17) == no
    for option in (7, 8, 32, 33):
        assert ask("setsockopt", 3, 1, option) == no
    for option in (2, 9, 15, 20):
        assert ask("setsockopt", 3, 1, option) == ALLOW
    assert ask("fcntl", 3, 1031) == no
    assert ask("fcntl", 3, 3) == ALLOW
    assert ask("tgkill", 77, 78, 6) == ALLOW
    assert ask("tgkill", 76, 76, 9) == no
    families = assemble(["families"], machine, 77)
    for family in range(50):
        answer = decide(families, architecture, NUMBERS["socket"][column], family)
        assert answer == (ALLOW if family in (1, 2, 10) else no)
    for name in ("prlimit64", "sched_setaffinity", "sched_setattr", "sched_setscheduler", "sched_setparam"):
        assert ask(name, 0) == ask(name, 77) == ALLOW
        assert ask(name, 76) == no


@every_machine
def test_another_architectures_numbers_end_the_process(machine):
    architecture, _ = MACHINES[machine]
    program = assemble(["kernel"], machine, 1)
    other = ARM if architecture == X86 else X86
    for number in (0, 39, 101, 0x40000000 | 101):
        assert decide(program, other, number) == KILL
        assert decide(program, 0x40000003, number) == KILL  # 32 bits
    assert decide(program, architecture, 0x40000000 | 101) == ERROR | errno.ENOSYS


def test_a_machine_that_is_not_known_is_refused():
    with pytest.raises(OSError, match="riscv64"):
        assemble(["kernel"], "riscv64", 1)


def test_the_numbers_are_the_systems_own():
    import re
    from pathlib import Path

    header = Path("/usr/include/x86_64-linux-gnu/asm/unistd_64.h")
    if not header.exists():
        pytest.skip("the system's headers are not here")
    real = {m[1]: int(m[2]) for m in re.finditer(r"#define __NR_(\w+) (\d+)", header.read_text())}
    assert {name: number for name, (number, _) in NUMBERS.items()} == {name: real[name] for name in NUMBERS}
