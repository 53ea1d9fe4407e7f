"""An examiner without torch and without a sandbox, for tests of what is around it.

A "notebook" is JSON that says how to behave: ``{"points": 3}`` is graded, ``{"act": "crash"}`` ends the process,
"hang" never answers, "memory" runs out of it, "flood" answers without end, "garbage" answers no JSON. Every job that
is begun is noted in ``$FAKE_EXAMINER_TRACE``.
"""

import base64
import json
import os
import signal
import sys
import time
from pathlib import Path

COMMAND = (sys.executable, str(Path(__file__).resolve()))


def report(job: dict, content: dict) -> dict:
    """A report of the real form: two questions, the second with a reason where points are missing."""
    points = float(content.get("points", 3))
    said = content.get("said", "a reason")
    questions = []
    for number, (earned, worth) in enumerate(((min(points, 1.0), 1.0), (max(points - 1, 0.0), 2.0)), 1):
        full = earned == worth
        questions.append(
            {
                "id": f"2.{number}",
                "title": f"Question {number}",
                "points": earned,
                "out_of": worth,
                "verdict": "right" if full else "wrong",
                "message": "right" if full else said,
                "problems": {} if full else {said: said},
                "earned": [],
                "mistake": "" if full else content.get("mistake", ""),
                "hint": "a hint",
                "note": content.get("note", ""),
                "answered": True,
            }
        )
    return {
        "notebook": job["label"],
        "chapter": content.get("chapter", 2),
        "points": points,
        "out_of": 3.0,
        "questions": questions,
        "cells": {},
        "seed": job["seed"],
        "isolation": "bubblewrap",
        "walls": "bubblewrap sandbox",
        "course": "0",
        "when": "now",
        "seconds": 0.1,
        "platform": {},
        "faults": content.get("faults", {}),
    }


def main() -> None:
    """Answers jobs until the standard input ends."""
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(1, signal.SIGKILL)
    for line in sys.stdin:
        job = json.loads(line)
        content = json.loads(base64.b64decode(job["notebook"]) or b"{}")
        if trace := os.environ.get("FAKE_EXAMINER_TRACE"):
            with open(trace, "a") as file:
                file.write(json.dumps({"label": job["label"], "seed": job["seed"], "asked": job["questions"]}) + "\n")
        time.sleep(content.get("seconds", 0))
        act = content.get("act")
        if act == "crash":
            os.abort()
        while act == "hang":
            time.sleep(60)
        while act == "flood":
            sys.stdout.write("x" * (1 << 20))
        answer = {"result": {"report": report(job, content)}}
        if act == "memory":
            answer = {"result": {"failure": "the grader ran out of memory", "fault": "grader"}}
        if act == "no walls":
            answer = {"result": {"failure": "no sandbox", "fault": "sandbox"}}
        print("{" if act == "garbage" else json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
