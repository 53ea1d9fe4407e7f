"""Not ending, or ending everything: time, crashes, children that stay."""

from tests.hostile.case import attack, probe

LATE, GONE = "took longer than", "ended the process"
CASES = [
    attack("exits", "ANSWER\n    os._exit(0)", GONE, ends=True),
    attack("kills_itself", "ANSWER\n    os.kill(os.getpid(), 9)", f"{GONE}|PermissionError", ends=True),
    attack("kills_its_group", "ANSWER\n    os.killpg(0, 9)", f"{GONE}|PermissionError", ends=True),
    attack("segfaults", "import ctypes\nANSWER\n    return ctypes.string_at(0)", GONE, ends=True),
    attack("aborts", "ANSWER\n    os.abort()", GONE, ends=True),
    attack(
        "overflows_the_stack",
        "import ctypes\nANSWER\n    sys.setrecursionlimit(10**9)\n    return overflows_the_stack(x)",
        f"{GONE}|raised|memory|{LATE}",
        ends=True,
    ),
    attack("hangs", "ANSWER\n    while True: pass", LATE, ends=True),
    attack("hangs_in_c", "import re\nANSWER\n    return re.match('(a|aa)+$', 'a' * 60 + 'b')", LATE, ends=True),
    attack(
        "ignores_signals",
        "import signal\nANSWER\n    for n in (1, 2, 3, 15): signal.signal(n, signal.SIG_IGN)\n    while True: pass",
        LATE,
        ends=True,
    ),
    attack(
        "stops_itself",
        "import signal\nANSWER\n    os.kill(os.getpid(), signal.SIGSTOP)\n    return x",
        f"{LATE}|PermissionError",
        ends=True,
    ),
    attack("sleeps_in_the_cell", "import time; time.sleep(1000)\nANSWER\n    return 2 * x", LATE, ends=True),
    attack("exits_in_the_cell", "os._exit(3)\nANSWER\n    return 2 * x", GONE, ends=True),
    attack(
        "hangs_in_its_message",
        "class Slow(Exception):\n    def __str__(self):\n        while True: pass\nANSWER\n    raise Slow",
        LATE,
        ends=True,
    ),
    attack("hangs_in_its_generator", "ANSWER\n    while True:\n        pass\n    yield x", LATE, ends=True),
    attack(
        "hangs_when_deleted",
        """
        class Slow:
            def __del__(self):
                while True: pass
        ANSWER
            slow = Slow()
            del slow
            return 2 * x
        """,
        LATE,
        ends=True,
    ),
    attack(
        "leaves_a_child",
        "ANSWER\n    if os.fork() == 0:\n        import time\n        time.sleep(1000)\n    os._exit(0)",
        GONE,
        ends=True,
    ),
    attack(
        "leaves_a_daemon",
        """
        ANSWER
            if os.fork() == 0:
                os.setsid()
                if os.fork() == 0:
                    import time
                    os.closerange(0, 256)
                    time.sleep(1000)
                os._exit(0)
            os._exit(0)
        """,
        GONE,
        ends=True,
    ),
    attack(
        "leaves_a_program",
        """
        import subprocess
        ANSWER
            subprocess.Popen(["sleep", "1000"], start_new_session=True, env={})
            subprocess.Popen("sleep 1000 & sleep 1000 &", shell=True)
            os._exit(0)
        """,
        GONE,
        ends=True,
    ),
    attack(
        "leaves_a_busy_thread",
        "import threading\ndef busy():\n    while True: pass\nthreading.Thread(target=busy, daemon=True).start()\nANSWER\n    return x",
        "same",
    ),
    attack(
        "leaves_a_stopped_child", "import signal\nANSWER\n    if os.fork() == 0: signal.pause()\n    return x", "same"
    ),
    attack("syntax", "def syntax(x:\n    return 2 * x", "SyntaxError"),
    attack("at_exit", "import atexit\natexit.register(lambda: os.system('sleep 1000'))\nANSWER\n    return x", "same"),
    probe(
        "forks",
        """
        ANSWER
            import time
            children = []
            try:
                for _ in range(500):
                    child = os.fork()
                    if child == 0:
                        time.sleep(1000)
                    children.append(child)
            except OSError:
                assert len(children) < 60, len(children)
                return 2 * x
        """,
    ),
    probe(
        "threads",
        """
        import threading
        ANSWER
            wait = threading.Event()
            started = 0
            try:
                for _ in range(500):
                    threading.Thread(target=wait.wait, daemon=True).start()
                    started += 1
            except RuntimeError:
                wait.set()
                return 2 * x
        """,
    ),
]
