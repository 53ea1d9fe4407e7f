"""Taking all there is: memory that shows and memory that does not, files, handles. The limit is 1000 MiB in all.

Each stops at half as much again, so that a wall that does not hold costs the machine no more.
"""

from tests.hostile.case import GOT_AWAY, attack, hog, probe

BOUND = 1600  # MiB
ENDED = (
    "took longer than|memory|ended the process|disk|files|MemoryError|OSError|Cannot allocate|No space|Errno|allocate"
)


def takes(name: str, setup: str, step: str, mib: float, words: str = ENDED, after: str = ""):
    """A hog that repeats a step of so many MiB until it is refused, is ended, or has taken more than anybody may."""
    lines = "\n            ".join(step.splitlines())
    return hog(
        name,
        f"""{setup}
ANSWER
    import time
    keep = []
    try:
        for turn in range({int(BOUND / mib)}):
            {lines}
        time.sleep(1)
    except (OSError, MemoryError, RuntimeError, ValueError):
        keep.clear()
        {after or "pass"}
        return 2 * x
    raise ValueError({GOT_AWAY!r})
""",
        words,
        ends=True,
    )


CALL = """import ctypes, mmap, platform, socket, struct
from rnncourse.grading.walls.confine.seccomp import NUMBERS
libc = ctypes.CDLL(None, use_errno=True)
def call(name, *arguments):
    number = NUMBERS[name][platform.machine() != "x86_64"]
    result = libc.syscall(ctypes.c_long(number), *[ctypes.c_long(a) if isinstance(a, int) else a for a in arguments])
    if result < 0: raise OSError(ctypes.get_errno(), name)
    return result"""

CASES = [
    takes("grows", "", "keep.append(torch.ones(2 ** 23))", 32),
    takes("grows_in_bytes", "", "keep.append(bytearray(os.urandom(2 ** 20) * 32))", 32),
    takes("maps", CALL, "keep.append(mmap.mmap(-1, 2 ** 25))\nkeep[-1].write(bytes(2 ** 25))", 32),
    takes(
        "maps_shared", CALL, "keep.append(mmap.mmap(-1, 2 ** 25, mmap.MAP_SHARED))\nkeep[-1].write(bytes(2 ** 25))", 32
    ),
    takes("unseen_files", CALL, "keep.append(call('memfd_create', b'x', 0))\nos.write(keep[-1], bytes(2 ** 25))", 32),
    takes("segments", CALL, "keep.append(call('shmget', 0, 2 ** 25, 0o1600))", 32),
    takes("queues", CALL, "keep.append(call('msgget', 0, 0o1600))", 16),
    takes("rings", CALL, "keep.append(call('io_uring_setup', 4096, ctypes.create_string_buffer(120)))", 16),
    takes(
        "sockets",
        CALL,
        """
a, b = socket.socketpair()
keep += [a, b]
for end in (a, b):
    end.setblocking(False)
    try:
        while True: end.send(bytes(65536))
    except BlockingIOError: pass
""".strip(),
        0.4,
    ),
    takes(
        "larger_sockets",
        CALL,
        "a, b = socket.socketpair()\nkeep += [a, b]\na.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 2 ** 22)\na.setblocking(False)\na.send(bytes(2 ** 22))",
        4,
    ),
    takes(
        "sockets_in_children",
        CALL,
        """
if os.fork() == 0:
    kept = []
    try:
        while True:
            kept += socket.socketpair()
            for end in kept[-2:]:
                end.setblocking(False)
                try:
                    while True: end.send(bytes(65536))
                except BlockingIOError: pass
    except OSError: time.sleep(1000)
time.sleep(0.1)
""".strip(),
        40,
    ),
    takes(
        "in_flight",
        CALL,
        """
a, b = socket.socketpair()
c, d = socket.socketpair()
for end in (c, d):
    end.setblocking(False)
    try:
        while True: end.send(bytes(65536))
    except BlockingIOError: pass
socket.send_fds(a, [b'x'], [c.fileno(), d.fileno()])
c.close(), d.close()
keep += [a, b]
""".strip(),
        0.4,
    ),
    takes(
        "pipes",
        CALL,
        "r, w = os.pipe()\nkeep += [r, w]\nos.set_blocking(w, False)\nimport fcntl\nfcntl.fcntl(w, 1031, 2 ** 20)\nos.write(w, bytes(2 ** 20))",
        1,
    ),
    takes(
        "in_children",
        "",
        "if os.fork() == 0:\n    keep.append(torch.ones(2 ** 26))\n    time.sleep(1000)\ntime.sleep(0.3)",
        256,
    ),
    takes("shared_memory", "", "open(f'/dev/shm/{turn}', 'wb').write(bytes(2 ** 24))", 16),
    takes(
        "the_disk",
        "",
        "open(f'file{turn}', 'wb').write(bytes(2 ** 24))",
        16,
        after="[os.remove(n) for n in os.listdir() if n[:4] == 'file']",
    ),
    takes("one_file", "", "open('large', 'ab').write(bytes(2 ** 24))", 16, after="os.remove('large')"),
    takes(
        "nameless_files",
        "",
        "keep.append(open(f'file{turn}', 'wb'))\nkeep[-1].write(bytes(2 ** 24))\nos.remove(f'file{turn}')",
        16,
    ),
    takes(
        "inodes",
        "",
        "for i in range(500): open(f'inode-{turn}-{i}', 'wb').close()",
        1,
        after="[os.remove(n) for n in os.listdir() if n[:5] == 'inode']",
    ),
    takes(
        "folders",
        "",
        "for i in range(500): os.mkdir(f'folder-{turn}-{i}')",
        1,
        after="[os.rmdir(n) for n in os.listdir() if n[:7] == 'folder-']",
    ),
    takes(
        "links",
        "",
        "for i in range(500): os.symlink('x' * 200, f'link-{turn}-{i}')",
        1,
        after="[os.remove(n) for n in os.listdir() if n[:5] == 'link-']",
    ),
    takes(
        "threads_stacks",
        "import threading",
        "threading.stack_size(2 ** 25)\nt = threading.Thread(target=time.sleep, args=(3,), daemon=True)\nt.start()\nkeep.append(t)",
        16,
    ),
    attack("fifty_gigabytes", "ANSWER\n    return torch.ones(50 * 2 ** 30 // 4)", "raised"),
    attack("a_large_exception", "ANSWER\n    raise ValueError('x' * 2 ** 27)", "x{300}"),
    attack("endless_output", "for _ in range(200): print('x' * 10 ** 6)\nANSWER\n    return x", "same"),
    attack(
        "many_figures",
        "import matplotlib.pyplot as plt\nfor _ in range(15): plt.figure()\nANSWER\n    return x",
        "same",
    ),
    probe(
        "handles",
        """
        ANSWER
            keep = []
            try:
                for _ in range(2000): keep.append(open("/dev/null"))
            except OSError:
                return 2 * x
        """,
    ),
    probe(
        "a_namespace_of_ones_own",
        """
        ANSWER
            import subprocess
            script = "mount -t tmpfs none /tmp && head -c 1500000000 /dev/zero > /tmp/x"
            done = subprocess.run(["unshare", "-Urm", "sh", "-c", script], capture_output=True)
            assert done.returncode != 0
            return 2 * x
        """,
    ),
]
