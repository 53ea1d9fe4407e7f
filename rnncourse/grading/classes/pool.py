"""Several notebooks at a time, each behind an exception boundary, a deadline and a memory bound of its own.

A :class:`Slot` is one examiner (:mod:`rnncourse.grading.classes.examiner`) and whoever watches it. An examiner that
hangs past the deadline is killed, one that dies is replaced, and in both cases one notebook has an answer that says so.
"""

import contextlib
import json
import os
import queue
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from rnncourse.grading.classes.examiner import PARENT
from rnncourse.grading.names import clean

__all__ = ["COMMAND", "Slot", "in_parallel", "prepared"]

COMMAND = (sys.executable, "-P", "-m", "rnncourse.cli.examiner")
LONGEST_ANSWER = 8 << 20  # bytes
JOBS_EACH = 100  # then a fresh examiner, so that nothing adds up


class Slot:
    """A place where one notebook after another is graded.

    Args:
        command: What starts an examiner.
    """

    def __init__(self, command: Sequence[str] = COMMAND):
        self.command = list(command)
        self.process: subprocess.Popen | None = None
        self.jobs = 0

    def grade(self, job: dict[str, Any], deadline: float, say: Callable[[str], None] = lambda line: None) -> dict:
        """The answer to a job, in :func:`rnncourse.grading.classes.jobs.do`'s form; it never raises for a job's sake.

        Args:
            job: Plain data.
            deadline: Seconds until the examiner is given up.
            say: Called with a line of progress.
        """
        overdue = threading.Event()
        process = self._examiner()

        def give_up() -> None:
            overdue.set()
            process.kill()

        timer = threading.Timer(deadline, give_up)
        timer.daemon = True
        timer.start()
        try:
            answer = self._converse(process, job, say)
        finally:
            timer.cancel()
        if answer is not None:
            return answer
        code = self._end()
        if overdue.is_set():
            return {"failure": f"the grader was not done with it after {deadline:g} s", "fault": "grader"}
        return {"failure": clean(f"the grader's process ended ({code})"), "fault": "grader"}

    def close(self) -> None:
        """Ends the examiner, and with it whatever it runs."""
        self._end()

    def _converse(self, process: subprocess.Popen, job: dict, say: Callable[[str], None]) -> dict | None:
        try:
            process.stdin.write(json.dumps(job, ensure_ascii=True).encode("ascii") + b"\n")
            process.stdin.flush()
            while (line := process.stdout.readline(LONGEST_ANSWER)).endswith(b"\n"):
                said = json.loads(line)
                if "result" in said:
                    return said["result"]
                say(clean(str(said.get("say", ""))))
        except (OSError, ValueError):
            pass
        return None

    def _examiner(self) -> subprocess.Popen:
        if self.process is not None and (self.jobs >= JOBS_EACH or self.process.poll() is not None):
            self._end()
        if self.process is None:
            home = str(Path(__file__).resolve().parents[3])
            path = [home, *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))]
            errors = tempfile.TemporaryFile()  # noqa: SIM115 (closed by _end); its last line says why it died
            environment = {"PYTHONPATH": os.pathsep.join(path), "PYTHONIOENCODING": "utf-8", PARENT: str(os.getpid())}
            try:
                self.process = subprocess.Popen(
                    self.command,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=errors,
                    env=os.environ | environment,
                    start_new_session=True,  # Ctrl-C is for the command, which then ends its examiners
                )
            except BaseException:
                errors.close()
                raise
            self.errors = errors
            self.jobs = 0
        self.jobs += 1
        return self.process

    def _end(self) -> str:
        """Kills the examiner; returns how it ended, in words."""
        process, self.process = self.process, None
        if process is None:
            return "it was not running"
        ended = process.poll()
        process.kill()
        process.wait()
        for stream in (process.stdin, process.stdout):
            with contextlib.suppress(OSError):
                stream.close()
        self.errors.seek(max(0, self.errors.seek(0, os.SEEK_END) - 2000))
        tail = self.errors.read().decode("utf-8", "replace").strip().splitlines()
        self.errors.close()
        code = f"exit code {process.returncode if ended is None else ended}"
        return f"{code}: {tail[-1][:300]}" if tail else code


def in_parallel(
    jobs: Iterable[tuple[Any, Callable[[], dict]]],
    workers: int,
    deadline: float,
    *,
    command: Sequence[str] = COMMAND,
    say: Callable[[str], None] = lambda line: None,
) -> Iterator[tuple[Any, dict]]:
    """Grades jobs in several slots and yields (key, answer) as they come; leaving the loop ends everything.

    Args:
        jobs: Pairs of a key and a function that makes the job, or raises a ValueError that is the answer: a file is
            read only when its turn has come.
        workers: How many slots.
        deadline: Seconds for one job.
        command: What starts an examiner.
        say: Called with a line of progress.
    """
    waiting, lock = iter(jobs), threading.Lock()
    answers: queue.Queue = queue.Queue()
    slots = [Slot(command) for _ in range(workers)]
    taken = [threading.Semaphore(0) for _ in slots]
    stop = threading.Event()

    def keep_busy(slot: Slot, taken: threading.Semaphore) -> None:
        try:
            while not stop.is_set():
                with lock:
                    key, make = next(waiting, (None, None))
                if make is None:
                    return
                answers.put((taken, key, _answer(slot, make, deadline, say)))
                taken.acquire()  # what nobody has written down yet is lost if we are killed: one answer a slot, no more
        finally:
            slot.close()  # here: an examiner is tied to the life of the thread that started it
            answers.put(None)

    threads = [threading.Thread(target=keep_busy, args=pair, daemon=True) for pair in zip(slots, taken, strict=True)]
    for thread in threads:
        thread.start()
    running = len(threads)
    try:
        while running:
            item = answers.get()
            if item is None:
                running -= 1
                continue
            done, key, answer = item
            yield key, answer
            done.release()
    finally:
        stop.set()
        for one in taken:
            one.release()
        for slot in slots:
            if (process := slot.process) is not None:
                process.kill()
        for thread in threads:
            thread.join(10)


def prepared(make: Callable[[], dict]) -> tuple[dict, bool]:
    """A job and True, or, where none can be made, the answer to it and False."""
    try:
        return make(), True
    except ValueError as error:
        return {"failure": clean(str(error)), "fault": "submission"}, False
    except Exception as error:
        return {
            "failure": clean(f"the grader itself failed ({type(error).__name__}: {error})"),
            "fault": "grader",
        }, False


def _answer(slot: Slot, make: Callable[[], dict], deadline: float, say: Callable[[str], None]) -> dict:
    job, is_job = prepared(make)
    if not is_job:
        return job
    try:
        return slot.grade(job, deadline, say)
    except Exception as error:  # such as: no more processes on this machine
        return {"failure": clean(f"no grader could be started ({error})"), "fault": "grader"}
