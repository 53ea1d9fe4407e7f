"""``python -m tests.hostile.throughput``: how fast a class is graded, and what a notebook costs beyond its own run.

    python -m tests.hostile.throughput --starts 10           # a worker that is started, and one that is forked, in turn
    python -m tests.hostile.throughput --class 20 --workers 2 --hostile 0.1
    python -m tests.hostile.throughput --table               # all classes: 200 one and two at a time, 50 to 400

A notebook of the class is the second chapter's solved exercise; a hostile one has a case of this folder in front of
it, which is asked. A run prints one line of JSON, with the load of the machine before it; ``--table`` writes
``book/results/grading/throughput.json`` after each class, leaves out what stands there from the same machine and
version, and puts the table into ``book/instructor.md`` between its two marks.
"""

import argparse
import contextlib
import io
import json
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

from rnncourse.bench.machine import processor
from rnncourse.grading import warm
from rnncourse.grading.channel import Worker
from rnncourse.grading.classes.batch import Class
from rnncourse.grading.classes.jobs import Options
from rnncourse.grading.walls.sandbox import Limits, find_sandbox
from rnncourse.version import __version__
from tests.hostile.cases import families
from tests.hostile.runner import FIRST, leftovers, notebook
from tests.house import ROOT

FILE = ROOT / "book" / "results" / "grading" / "throughput.json"
PAGE = ROOT / "book" / "instructor.md"
BEGIN, END = "<!-- throughput: begin -->", "<!-- throughput: end -->"
HOSTILE = 0.1
# What says most first: a run may be stopped.
CLASSES = ((200, 2), (200, 1), (100, 2), (50, 2), (400, 2))
# An endless loop, the end of the process, all of the memory, a cell that sleeps, processes without end.
ATTACKS = ("hangs", "exits", "fifty_gigabytes", "sleeps_in_the_cell", "forks")


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
    """Writes a class: so many notebooks, every so manieth of them hostile; fifty hold what any other fifty hold."""
    cases = {case.name: case for found in families().values() for case in found}
    solved = _solved()
    every = round(1 / hostile) if hostile else count + 1
    for number in range(count):
        cells = solved
        if number % every == every - 1:
            attack = cases[ATTACKS[number // every % len(ATTACKS)]]
            # It is asked, as the first question's function; those who write it again later are asked again.
            source = attack.source.replace(f"def {attack.name}(x)", "def rnn_step(x, *rest)")
            cells = [FIRST, *source.split("\n# ---\n"), *solved]
        (folder / f"learner{number:04d}").mkdir()
        notebook(folder / f"learner{number:04d}" / "02_vanilla_rnn.ipynb", cells)


def _solved() -> list[str]:
    cells = json.loads((ROOT / "solutions" / "02_vanilla_rnn.ipynb").read_text(encoding="utf-8"))["cells"]
    return ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]


def own_run(times: int = 5) -> float:
    """Median seconds that the solved notebook's cells take by themselves, where everything is imported."""
    from IPython.core.interactiveshell import InteractiveShell

    seconds = []
    with contextlib.redirect_stdout(io.StringIO()):
        for _ in range(times):
            shell, began = InteractiveShell(), time.perf_counter()
            for source in _solved():
                shell.run_cell(source).raise_error()
            seconds.append(time.perf_counter() - began)
    return round(statistics.median(seconds), 3)


def a_class(count: int, workers: int, hostile: float) -> dict:
    """Grades a class: how long it took, whether every notebook has its answer, and whether anything was left."""
    with tempfile.TemporaryDirectory(prefix="class-") as place:
        folder = Path(place, "in")
        folder.mkdir()
        lay_out(folder, count, hostile)
        options = Options(chapter=2, cell_seconds=3.0, total_seconds=60.0)
        began = time.perf_counter()
        rows = Class(folder, Path(place, "out"), options, seed=1, workers=workers).grade()
        seconds = time.perf_counter() - began
    every = round(1 / hostile) if hostile else count + 1
    honest = [row for number, row in enumerate(rows) if number % every != every - 1]
    return {
        "notebooks": count,
        "workers": workers,
        "hostile": len(rows) - len(honest),
        "seconds": round(seconds, 1),
        "answers": sum(bool(row.reports) for row in rows),
        "honest with full marks": sum(row.full for row in honest),
        "median of the honest": statistics.median(
            report["seconds"] for row in honest for report in row.reports.values()
        ),
        "left": leftovers(),
    }


def fill(file: Path) -> dict:
    """All classes of the table, those left out that stand in the file already; it is written after each."""
    table = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    here = {"processor": processor(), "cores": os.cpu_count(), "course": __version__}
    if table.get("machine") != here:
        table = {"machine": here, "own run": own_run(), "classes": []}
    done = {(row["notebooks"], row["workers"]) for row in table["classes"]}
    for count, workers in CLASSES:
        if (count, workers) not in done:
            print(f"{count} notebooks, {workers} at a time", file=sys.stderr, flush=True)
            load = round(os.getloadavg()[0], 1)
            table["classes"].append(a_class(count, workers, HOSTILE) | {"load before": load})
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(json.dumps(table, indent=1) + "\n", encoding="utf-8")
    return table


def as_markdown(table: dict) -> str:
    """The table as the instructor's page shows it."""
    machine, classes = table["machine"], table["classes"]
    lines = [
        "| notebooks | of them hostile | at a time | minutes | seconds each | honest with full marks |",
        "|" + "---|" * 6,
    ]
    for row in sorted(classes, key=lambda row: (row["workers"], row["notebooks"])):
        honest = row["notebooks"] - row["hostile"]
        lines.append(
            f"| {row['notebooks']} | {row['hostile']} | {row['workers']} | {row['seconds'] / 60:.1f} | "
            f"{row['seconds'] / row['notebooks']:.2f} | {row['honest with full marks']} of {honest} |"
        )
    answers, left = sum(row["answers"] for row in classes), sum(len(row["left"]) for row in classes)
    load = max(row["load before"] for row in classes)
    alone = [row["median of the honest"] for row in classes if row["workers"] == 1]
    lines += [
        "",
        f"Measured on {machine['cores']} cores ({machine['processor']}; load before a class up to {load:g}), course "
        f"{machine['course']}. {answers} of {sum(row['notebooks'] for row in classes)} notebooks have an answer; "
        f"processes, files and memory left: {left}.",
    ]
    if alone:
        lines[-1] += (
            f" The cells of the honest notebook alone take {table['own run']:g} s here; graded one at a time "
            f"{statistics.median(alone):g} s (median), with a sandbox, its questions and their comparison."
        )
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.hostile.throughput", description=__doc__.splitlines()[0])
    parser.add_argument("--starts", type=int, default=0)
    parser.add_argument("--class", dest="count", type=int, default=0)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--hostile", type=float, default=0.0)
    parser.add_argument("--table", action="store_true", help="all classes, into the file and onto the page")
    args = parser.parse_args()
    if args.table:
        table = as_markdown(fill(FILE))
        before, rest = PAGE.read_text(encoding="utf-8").split(BEGIN)
        PAGE.write_text(f"{before}{BEGIN}\n{table}\n{END}{rest.split(END)[1]}", encoding="utf-8")
        print(table)
        return 0
    load = round(os.getloadavg()[0], 1)
    result = starts(args.starts) if args.starts else a_class(args.count, args.workers, args.hostile)
    print(json.dumps(result | {"load before": load, "cores": os.cpu_count()}), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
