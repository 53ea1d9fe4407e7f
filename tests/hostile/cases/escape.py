"""Out of the process: other files, other processes, privileges, the network, the kernel."""

from tests.hostile.case import probe

SYSCALL = """
import ctypes, platform
from rnncourse.grading.walls.confine.seccomp import NUMBERS
libc = ctypes.CDLL(None, use_errno=True)
def refused(name, *arguments):
    number = NUMBERS[name][platform.machine() != "x86_64"] if isinstance(name, str) else name
    if number is not None:
        arguments = [ctypes.c_long(a) if isinstance(a, int) else a for a in arguments]
        result = libc.syscall(ctypes.c_long(number), *arguments)
        assert result < 0, (name, result)
"""


def calls(name: str, *lines: str):
    """A probe that makes system calls, each of which has to be refused."""
    body = "\n".join(f"    {line}" for line in lines)
    return probe(name, SYSCALL.strip() + f"\nANSWER\n{body}\n    return 2 * x")


def closed(name: str, *paths: str, how: str = "rb"):
    """A probe that opens files, none of which may open."""
    return probe(
        name,
        f"""
        ANSWER
            for place in {paths!r}:
                try:
                    with open(place, {how!r}) as file:
                        {"file.write(b'1')" if "w" in how else "file.read(1)"}
                except OSError:
                    continue
                raise AssertionError(place)
            return 2 * x
        """,
    )


CASES = [
    probe(
        "from_disk",
        """
        import pathlib, rnncourse
        home = pathlib.Path(rnncourse.__file__).parent
        ANSWER
            found = []
            starts = ["/", "/usr/lib", *sys.path]  # a folder that cannot be listed may have some below that can
            for folder, folders, files in (step for start in starts for step in os.walk(start or ".")):
                folders[:] = [f for f in folders if f not in ("proc", "sys", "torch", "include")]
                for name in files:
                    if name in ("vanilla_rnn.py", "test_exercises.py") or (name[:2].isdigit() and name.endswith(".ipynb")):
                        try:
                            open(os.path.join(folder, name)).read(1)
                            found.append(name)
                        except OSError:
                            pass
            assert not found, found
            return 2 * x
        """,
    ),
    probe(
        "from_import",
        """
        ANSWER
            try:
                from rnncourse.chapters import all_questions
                all_questions()
            except (ImportError, OSError):
                return 2 * x
        """,
    ),
    probe(
        "from_the_stack",
        """
        ANSWER
            frame, names = sys._getframe(), set()
            while frame:
                names |= set(frame.f_locals) | set(frame.f_globals)
                frame = frame.f_back
            assert not names & {"reference", "expected", "question", "seed"}, names
            return 2 * x
        """,
    ),
    probe(
        "from_modules",
        """
        ANSWER
            assert not [m for m in sys.modules if "grading.questions." in m or ".chapters." in m]
            import gc
            kinds = {type(thing).__name__ for thing in gc.get_objects()}
            assert not kinds & {"Question", "Wrong"}
            return 2 * x
        """,
    ),
    probe(
        "from_memory",
        """
        ANSWER
            for line in open("/proc/self/maps"):
                first, last = (int(n, 16) for n in line.split()[0].split("-"))
                if "[heap]" in line and "r" in line.split()[1]:
                    import ctypes
                    text = ctypes.string_at(first, min(last - first, 2 ** 26))
                    assert b"Add it once " + b"more." not in text
            return 2 * x
        """,
    ),
    probe(
        "from_other_processes",
        """
        ANSWER
            for process in range(1, 100_000):
                try:
                    text = open(f"/proc/{process}/cmdline").read()
                except OSError:
                    continue
                assert "pytest" not in text and "hostile" not in text and "rnncourse grade" not in text, text
            return 2 * x
        """,
    ),
    probe(
        "from_the_parent",
        """
        ANSWER
            parent = os.getppid()
            for name in ("cmdline", "environ", "maps", "mem", "stat", "fd/0", "root/./etc/passwd", "cwd"):
                try:
                    data = open(f"/proc/{parent}/{name}", "rb").read(100)
                except OSError:
                    continue
                assert name in ("cmdline", "stat") and (parent in (0, 1) or b"bwrap" in data), (name, data)
            return 2 * x
        """,
    ),
    probe(
        "from_the_environment",
        """
        ANSWER
            assert "PYTEST_CURRENT_TEST" not in os.environ and "PYTHONPATH" not in os.environ
            assert os.environ["HOME"].startswith("/tmp") and os.environ["USER"] == "learner"
            return 2 * x
        """,
    ),
    probe(
        "open_handles",
        """
        ANSWER
            import stat
            for handle in range(3, 256):
                try:
                    status = os.fstat(handle)
                    flags = int([l for l in open(f"/proc/self/fdinfo/{handle}") if "flags" in l][0].split()[1], 8)
                except OSError:
                    continue
                path_only = flags & os.O_PATH
                place = os.readlink(f"/proc/self/fd/{handle}")
                assert path_only or not stat.S_ISDIR(status.st_mode), place
                assert not stat.S_ISREG(status.st_mode) or place.startswith(("/proc", "/tmp")), place
            return 2 * x
        """,
    ),
    probe(
        "over_the_network",
        """
        import socket
        ANSWER
            for family, address in ((socket.AF_INET, ("192.0.2.1", 80)), (socket.AF_INET6, ("2001:db8::1", 80))):
                try:
                    with socket.socket(family) as s:
                        s.settimeout(1)
                        s.connect(address)
                except OSError:
                    continue
                raise AssertionError(address)
            return 2 * x
        """,
    ),
    probe(
        "to_a_neighbour",
        """
        import socket
        ANSWER
            for place in ("/run/docker.sock", "/var/run/docker.sock", "/run/dbus/system_bus_socket", "\\0/tmp/dbus"):
                try:
                    with socket.socket(socket.AF_UNIX) as s:
                        s.connect(place)
                except OSError:
                    continue
                raise AssertionError(place)
            return 2 * x
        """,
    ),
    probe(
        "by_packets",
        """
        import socket
        ANSWER
            for kind in (socket.SOCK_RAW, socket.SOCK_DGRAM):
                try:
                    with socket.socket(socket.AF_INET, kind, 1 if kind == socket.SOCK_RAW else 0) as s:
                        s.sendto(b"x", ("192.0.2.1", 53))
                except OSError:
                    continue
                raise AssertionError(kind)
            return 2 * x
        """,
    ),
    probe(
        "other_families",
        """
        import socket
        ANSWER
            for family in (16, 17, 29, 30, 31, 38, 40, 44):  # netlink, packets, buses, TIPC, Bluetooth, crypto, VSOCK, XDP
                for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM, socket.SOCK_RAW, socket.SOCK_SEQPACKET):
                    try:
                        socket.socket(family, kind).close()
                    except OSError:
                        continue
                    raise AssertionError(family)
            return 2 * x
        """,
    ),
    probe(
        "into_the_first_process",
        """
        ANSWER
            for process in {1, os.getppid()} - {0, os.getpid()}:
                for name, how in (("mem", "r+b"), ("mem", "rb"), ("environ", "rb"), ("fd/0", "rb"), ("fd/1", "r+b"), ("map_files", None)):
                    try:
                        os.listdir(f"/proc/{process}/{name}") if how is None else open(f"/proc/{process}/{name}", how).read(1)
                    except OSError:
                        continue
                    raise AssertionError((process, name))
            return 2 * x
        """,
    ),
    probe(
        "as_somebody",
        """
        ANSWER
            status = dict(line.split(":", 1) for line in open("/proc/self/status"))
            for kind in ("CapEff", "CapPrm", "CapInh", "CapAmb"):
                assert int(status[kind], 16) == 0, status
            assert status["NoNewPrivs"].strip() == "1"
            assert status["Seccomp"].strip() == "2"
            assert os.getuid() != 0 and os.geteuid() != 0 and os.getgroups() in ([], [os.getgid()], [65534], [os.getgid(), 65534])
            return 2 * x
        """,
    ),
    probe(
        "by_becoming_root",
        """
        ANSWER
            for change in (lambda: os.setuid(0), lambda: os.setresuid(0, 0, 0), lambda: os.setgid(0), lambda: os.setgroups([0])):
                try:
                    change()
                except OSError:
                    continue
                raise AssertionError("root again")
            return 2 * x
        """,
    ),
    probe(
        "by_a_program_of_roots",
        """
        import subprocess
        ANSWER
            for program in (["su", "-c", "id -u"], ["sudo", "-n", "id", "-u"], ["newgrp"], ["mount"], ["passwd", "-S"]):
                try:
                    done = subprocess.run(program, stdin=subprocess.DEVNULL, capture_output=True, timeout=5)
                except (OSError, subprocess.TimeoutExpired):
                    continue
                assert done.stdout.strip() != b"0", program
            return 2 * x
        """,
    ),
    probe(
        "by_raising_limits",
        """
        import resource
        ANSWER
            for name in ("RLIMIT_NPROC", "RLIMIT_AS", "RLIMIT_FSIZE", "RLIMIT_NOFILE", "RLIMIT_CPU", "RLIMIT_MEMLOCK"):
                soft, hard = resource.getrlimit(getattr(resource, name))
                assert hard != resource.RLIM_INFINITY, name
                try:
                    resource.setrlimit(getattr(resource, name), (hard + 1, hard + 1))
                except (OSError, ValueError):
                    continue
                raise AssertionError(name)
            return 2 * x
        """,
    ),
    probe(
        "by_writing",
        """
        ANSWER
            places = ["/x", "/dev/x", "/usr/lib/x", "/course/rnncourse/x", "/etc/x", "/var/x", "/root/.x", "/home/.x", "/run/x"]
            places += ["/proc/sys/kernel/x", "/sys/x", os.path.dirname(torch.__file__) + "/x", "/sys/fs/cgroup/x"]
            for place in places:
                try:
                    open(place, "w").close()
                except OSError:
                    continue
                raise AssertionError(place)
            return 2 * x
        """,
    ),
    probe(
        "by_changing_what_is_there",
        """
        import rnncourse
        ANSWER
            changes = (os.remove, lambda p: os.chmod(p, 0o777), lambda p: os.rename(p, "/tmp/x"), lambda p: os.truncate(p, 0))
            for place in (rnncourse.__file__, torch.__file__, os.__file__, "/usr/bin/env"):
                for change in changes:
                    try:
                        change(place)
                    except OSError:
                        continue
                    raise AssertionError(place)
            return 2 * x
        """,
    ),
    closed(
        "secrets", "/etc/shadow", "/etc/gshadow", "/root/.bashrc", "/root/.ssh/id_rsa", "/proc/1/environ", "/proc/kcore"
    ),
    closed(
        "devices", "/dev/mem", "/dev/kmsg", "/dev/port", "/dev/sda", "/dev/vda", "/dev/kvm", "/dev/fuse", "/dev/loop0"
    ),
    closed("console", "/dev/tty", "/dev/console", "/dev/tty1", "/dev/ptmx", "/dev/pts/0", how="wb"),
    closed("knobs", "/proc/sys/kernel/core_pattern", "/proc/sysrq-trigger", "/proc/sys/vm/drop_caches", how="wb"),
    closed("own_knobs", "/proc/self/uid_map", "/proc/self/setgroups", how="wb"),
    closed("groups", "/sys/fs/cgroup/cgroup.procs", "/sys/fs/cgroup/memory/cgroup.procs", how="wb"),
    closed("kernel_files", "/sys/kernel/debug/x", "/sys/kernel/security/x", "/proc/kallsyms2", "/boot/vmlinuz"),
    calls(
        "mounts",
        "refused('mount', b'none', b'/tmp', b'tmpfs', 0, None)",
        "refused('umount2', b'/tmp', 2)",
        "refused('fsopen', b'tmpfs', 0)",
    ),
    calls(
        "moves_mounts",
        "refused('open_tree', -100, b'/', 1)",
        "refused('move_mount', -100, b'/', -100, b'/tmp', 0)",
        "refused('pivot_root', b'/', b'/')",
    ),
    calls(
        "namespaces",
        *[f"refused('unshare', {flag:#x})" for flag in (0x10000000, 0x20000, 0x40000000, 0x20000000, 0x8000000)],
    ),
    calls(
        "clones",
        "refused('clone', 0x10000011, 0, 0, 0, 0)",
        "refused('clone', 0x20011, 0, 0, 0, 0)",
        "refused('clone3', None, 0)",
    ),
    calls("joins", "for process in (1, os.getppid(), os.getpid()): refused('setns', process, 0)"),
    calls("new_root", "refused('chroot', b'/tmp')"),
    calls(
        "traces",
        "refused('ptrace', 16, os.getppid(), 0, 0)",
        "refused('ptrace', 16, 1, 0, 0)",
        "refused('ptrace', 0, 0, 0, 0)",
    ),
    calls(
        "reads_memory",
        "refused('process_vm_readv', os.getppid(), None, 0, None, 0, 0)",
        "refused('process_vm_writev', os.getppid(), None, 0, None, 0, 0)",
    ),
    calls("steals_handles", "refused('pidfd_getfd', 3, 0, 0)"),
    calls("watches_all", "refused('fanotify_init', 0, 0)"),
    calls("filters", "refused('bpf', 0, None, 0)"),
    calls("counts", "refused('perf_event_open', None, 0, -1, -1, 0)"),
    calls(
        "keys",
        "refused('keyctl', 0, -3, 1)",
        "refused('add_key', b'user', b'k', b'v', 1, -3)",
        "refused('request_key', b'user', b'k', None, 0)",
    ),
    calls(
        "modules",
        "refused('init_module', None, 0, b'')",
        "refused('finit_module', 3, b'', 0)",
        "refused('kexec_load', 0, 0, None, 0)",
        "refused('kexec_file_load', 3, 3, 0, b'', 0)",
    ),
    calls("restarts", "refused('reboot', 0xfee1dead, 672274793, 0x1234567, 0)"),
    calls(
        "by_handle",
        "refused('open_by_handle_at', -100, None, 0)",
        "refused('name_to_handle_at', -100, b'/', None, None, 0)",
    ),
    calls(
        "other_numbers", "refused(0x40000000 + 39)", "refused(0x40000000 + 165, b'none', b'/tmp', b'tmpfs', 0, None)"
    ),
    calls(
        "the_clock",
        "refused('clock_settime', 0, None)",
        "refused('settimeofday', None, None)",
        "refused('adjtimex', None)",
    ),
    calls("the_name", "refused('sethostname', b'mine', 4)", "refused('setdomainname', b'mine', 4)"),
    calls("ports", "refused('iopl', 3)", "refused('ioperm', 0, 8, 1)"),
    probe(
        "new_device",
        """
        ANSWER
            try:
                os.mknod("device", 0o20666, 0x101)
                open("device").read(1)
            except OSError:
                return 2 * x
        """,
    ),
    calls(
        "kills", "if os.getppid() > 1: refused('kill', os.getppid(), 0)", "refused('pidfd_send_signal', 3, 9, None, 0)"
    ),
    calls(
        "lowers_others", "if os.getppid() > 1: refused('prlimit64', os.getppid(), 0, (ctypes.c_ulong * 2)(1, 1), None)"
    ),
    calls("pins_others", "if os.getppid() > 1: refused('sched_setaffinity', os.getppid(), 8, (ctypes.c_ulong * 1)(1))"),
    probe(
        "by_a_link",
        """
        ANSWER
            for place in ("/etc/shadow", "/root", "/proc/1/root/./etc/shadow"):
                link = "link" + str(abs(hash(place)))
                try:
                    os.symlink(place, link)
                    os.listdir(link) if place == "/root" else open(link).read()
                except OSError:
                    continue
                raise AssertionError(place)
            return 2 * x
        """,
    ),
    probe(
        "by_a_hard_link",
        """
        ANSWER
            for place in ("/etc/passwd", "/usr/bin/env", torch.__file__):
                try:
                    os.link(place, "hard")
                except OSError:
                    continue
                raise AssertionError(place)
            return 2 * x
        """,
    ),
    probe(
        "by_climbing",
        """
        ANSWER
            for handle in range(3, 64):
                try:
                    inner = os.open("../../../../../../etc/shadow", os.O_RDONLY, dir_fd=handle)
                except OSError:
                    continue
                raise AssertionError(handle)
            return 2 * x
        """,
    ),
    probe(
        "the_course_again",
        """
        import importlib.util, glob
        ANSWER
            for folder in {*sys.path, "/course", os.path.dirname(os.path.dirname(importlib.util.find_spec("rnncourse").origin))}:
                for pattern in ("**/questions/*.py", "**/chapters/c*/*.py", "solutions/*", "exercises/*", "_course/**/*"):
                    for place in glob.glob(os.path.join(folder or ".", "rnncourse", pattern), recursive=True):
                        try:
                            open(place).read()
                        except OSError:
                            continue
                        raise AssertionError(place)
            return 2 * x
        """,
    ),
]
