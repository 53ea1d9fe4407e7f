"""Data: the first load with an empty cache, the next with a full one, and batches a second.

Each load is timed in a process of its own, since what a process has already imported or read is no longer a first load.
The children are asked for on the command line: ``python -m rnncourse.bench.loading prose``.
"""

import inspect
import itertools
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from typing import Any

BATCH, ENOUGH = 64, 1.0


def load_here(name: str) -> dict[str, float]:
    """Load a set in this process and draw batches for at most a second: wall-clock seconds."""
    begin = time.perf_counter()
    from rnncourse import data

    imported = time.perf_counter()
    train = data.load(name).train
    loaded = time.perf_counter()
    options = {"steps": 1000} if "steps" in inspect.signature(train.batches).parameters else {}
    drawn = 0
    start = time.perf_counter()
    for _ in itertools.islice(train.batches(BATCH, seed=0, **options), 1000):
        drawn += 1
        if time.perf_counter() - start > ENOUGH:
            break
    spent = time.perf_counter() - start
    return {"import": imported - begin, "load": loaded - imported, "batches_per_second": drawn / spent}


def load_apart(name: str, cache: str) -> dict[str, Any]:
    """The same in a fresh process with this cache folder; ``{"error": …}`` when it fails."""
    environment = {**os.environ, "RNNCOURSE_CACHE": cache}
    done = subprocess.run(
        [sys.executable, "-m", "rnncourse.bench.loading", name],
        capture_output=True,
        text=True,
        env=environment,
        check=False,
    )
    if done.returncode:
        return {"error": (done.stderr.strip().splitlines() or ["it ended without a word"])[-1]}
    return json.loads(done.stdout.splitlines()[-1])


def measure(names: Sequence[str] | None = None, *, say: Callable[[str], None] = print) -> list[dict[str, Any]]:
    """First load, second load and batches a second of every data set of the course.

    Args:
        names: Which sets; all when None.
        say: Where progress goes.

    Returns:
        One row for each set: seconds of both loads and batches of 64 a second, or an error.
    """
    from rnncourse import data

    rows = []
    for name in data.names() if names is None else names:
        with tempfile.TemporaryDirectory() as cache:
            first = load_apart(name, cache)
            second = first if "error" in first else load_apart(name, cache)
            stored = sum(len(files) for _, _, files in os.walk(cache))
        row = {"name": name, "batch": BATCH, "cached": stored > 0}
        if "error" in second:
            row["error"] = second["error"]
        else:
            row |= {
                "first_load": first["load"],
                "second_load": second["load"],
                "batches_per_second": second["batches_per_second"],
            }
        rows.append(row)
        say(line(row))
    return rows


def line(row: dict[str, Any]) -> str:
    """One row as a line of the table."""
    if "error" in row:
        return f"{row['name']:22} {row['error']}"
    return (
        f"{row['name']:22} first load {row['first_load']:6.2f} s, next {row['second_load']:6.2f} s"
        f"{' (cached)' if row['cached'] else '':9}  {row['batches_per_second']:8.0f} batches of {row['batch']} a second"
    )


if __name__ == "__main__":
    print(json.dumps(load_here(sys.argv[1])))
