"""``python -m tests.hostile.throughput``: how fast a class is graded, and what a notebook costs beyond its own run.

    python -m tests.hostile.throughput --starts 10           # a worker that is started, and one that is forked, in turn
    python -m tests.hostile.throughput --class 200 --workers 2 --hostile 0.1
    python -m tests.hostile.throughput --class 400           # against --class 50: is it linear?

A notebook of the class is the second chapter's solved exercise; a hostile one has a case of this folder in front of
it. Each run prints one line of JSON, with the load of the machine before it.
"""

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

from rnncourse.grading import warm
from rnncourse.grading.channel import Worker
from rnncourse.grading.classes.batch import Class
from rnncourse.grading.classes.jobs import Options
from rnncourse.grading.walls.sandbox import Limits, find_sandbox
from tests.hostile.cases import families
from tests.hostile.runner import FIRST, notebook
from tests.house import ROOT


def starts(count: int) -> dict:
    """Median seconds until a worker is ready and until it is gone again: started as a program, and forked, in turn."""
    wall, reason = find_sandbox("bubblewrap")
    if wall is None:
        raise SystemExit(reason)
    take = warm._take
    seconds: dict[str, list[tuple[float, float]]] = {"Started": [], "Forked": []}
    with Worker(wall, Limits()):  # the warmed process stands, the disk has been read
        pass
    for number in range(2 * count):
        warm._take = take if number % 2 else lambda wall: None
        began = time.perf_counter()
        with Worker(wall, Limits()) as worker:
            ready = time.perf_counter()
        seconds[type(worker.process).__name__].append((ready - began, time.perf_counter() - began))
    warm._take = take
    warm.cool_down()
    return {
        name: {
            "ready": round(statistics.median(a for a, _ in rows), 3),
            "gone": round(statistics.median(b for _, b in rows), 3),
        }
        for name, rows in seconds.items()
    }


def lay_out(folder: Path, count: int, hostile: float) -> None:
    """Writes a class: so many notebooks, every so manieth of them hostile."""
    attacks = [case for cases in families().values() for case in cases if case.kind != "honest"]
    every = round(1 / hostile) if hostile else 0
    cells_of = json.loads((ROOT / "solutions" / "02_vanilla_rnn.ipynb").read_text(encoding="utf-8"))["cells"]
    solved = ["".join(cell["source"]) for cell in cells_of if cell["cell_type"] == "code"]
    for number in range(count):
        cells = solved
        if every and number % every == 0:
            attack = attacks[number // every * 17 % len(attacks)]
            cells = [FIRST, *attack.source.split("\n# ---\n"), *solved]
        (folder / f"learner{number:04d}").mkdir()
        notebook(folder / f"learner{number:04d}" / "02_vanilla_rnn.ipynb", cells)


def a_class(count: int, workers: int, hostile: float) -> dict:
    """Grades a class; how long it took, and whether every notebook has its answer."""
    with tempfile.TemporaryDirectory(prefix="class-") as place:
        folder = Path(place, "in")
        folder.mkdir()
        lay_out(folder, count, hostile)
        options = Options(chapter=2, cell_seconds=3.0, total_seconds=60.0)
        began = time.perf_counter()
        rows = Class(folder, Path(place, "out"), options, seed=1, workers=workers).grade()
        seconds = time.perf_counter() - began
    every = round(1 / hostile) if hostile else 10**9
    honest = [row for number, row in enumerate(rows) if not hostile or number % every]
    return {
        "notebooks": count,
        "hostile": len(rows) - len(honest),
        "workers": workers,
        "seconds": round(seconds, 1),
        "each": round(seconds / count, 3),
        "answers": sum(bool(row.reports) for row in rows),
        "honest with full marks": sum(row.full for row in honest),
        "honest": len(honest),
    }


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.hostile.throughput", description=__doc__.splitlines()[0])
    parser.add_argument("--starts", type=int, default=0)
    parser.add_argument("--class", dest="count", type=int, default=0)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--hostile", type=float, default=0.0)
    args = parser.parse_args()
    load = round(os.getloadavg()[0], 1)
    result = starts(args.starts) if args.starts else a_class(args.count, args.workers, args.hostile)
    print(json.dumps(result | {"load before": load, "cores": os.cpu_count()}), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
