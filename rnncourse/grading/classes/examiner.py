"""A process that grades one notebook after another (``python -P -m rnncourse.cli.examiner``).

It reads a job a line and writes an answer a line. It exists so that nothing that happens while a notebook is graded
happens to the process that keeps the class's grades: it can run out of memory, hang or crash, and costs one notebook.
"""

import json
import os
import signal
import sys
from collections.abc import Callable
from typing import Any

__all__ = ["PARENT", "serve"]

PARENT = "RNNCOURSE_EXAMINER_OF"  # the environment's word for who is asking
MEMORY = 6 << 30  # bytes of private memory of this process; the learner's has limits of its own


def serve(work: Callable[[dict, Callable[[str], None]], dict[str, Any]]) -> None:
    """Does jobs from the standard input until it ends.

    Args:
        work: What to do with a job: takes it and a function to call with lines of progress, returns the answer.
    """
    _die_with_parent()
    _bound_memory()
    answers = os.fdopen(os.dup(1), "w", encoding="ascii")
    os.dup2(2, 1)  # whatever prints here prints beside the answers

    def send(content: dict[str, Any]) -> None:
        answers.write(json.dumps(content, ensure_ascii=True) + "\n")
        answers.flush()

    for line in sys.stdin.buffer:
        try:
            result = work(json.loads(line), lambda said: send({"say": said}))
        except MemoryError:
            result = {"failure": "the grader ran out of memory", "fault": "grader"}
        except Exception as error:
            result = {"failure": f"the grader itself failed ({type(error).__name__})", "fault": "grader"}
        send({"result": result})


def _die_with_parent() -> None:
    """Where the kernel can do it: no examiner, and so no sandbox, outlives a killed command."""
    if sys.platform != "linux":
        return
    import ctypes

    ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG
    if (parent := os.environ.pop(PARENT, "")) and int(parent) != os.getppid():
        os._exit(1)  # it went before we asked


def _bound_memory() -> None:
    try:
        import resource

        hard = resource.getrlimit(resource.RLIMIT_DATA)[1]
        limit = MEMORY if hard == resource.RLIM_INFINITY else min(MEMORY, hard)
        resource.setrlimit(resource.RLIMIT_DATA, (limit, hard))
    except (ImportError, OSError, ValueError):  # Windows; a kernel without it
        pass
