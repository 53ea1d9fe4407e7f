"""``python -m tests.hostile``: every case behind a wall, as root and as a user, and the table of what came of it.

Options:
    --wall NAME      this wall, "bubblewrap" (if not said) or "landlock", as whoever runs this
    --as-user        as an ordinary user of this machine (needs root to begin with)
    --batches NAME…  only these notebooks of cases
    --seconds N      begin no other batch after this time
    --out FILE       write what came of each batch as JSON; batches that stand there already are not run
    --again          run those again that did not hold
    --page FILE…     join such files into the table, in book/grading.md between its two marks
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

from rnncourse.grading.walls.sandbox import find_sandbox
from tests.hostile.cases import families
from tests.hostile.runner import batches, leftovers, run
from tests.house import ROOT

USER = 12345
FAMILIES = {
    "values": "answers that are none",
    "patches": "patching what can be reached",
    "protocol": "writing into the pipe",
    "endings": "not ending, crashing, staying",
    "hoarding": "taking memory, files, handles",
    "escape": "files, processes, privileges, network, kernel",
    "litter": "what is left behind",
    "honest": "*honest work that looks odd*",
}
BEGIN, END = "<!-- walls: begin -->", "<!-- walls: end -->"


def as_user(command: list[str]) -> list[str]:
    """The same command as a user of no rights; an interpreter in root's home is shown where others can reach it."""
    bwrap = find_sandbox("bubblewrap")[0].bwrap
    argv = [bwrap, "--dev-bind", "/", "/", "--cap-add", "ALL"]
    for place in {Path(sys.base_prefix).resolve(), Path(sys.prefix).resolve(), ROOT}:
        closed = [folder for folder in place.parents if not os.stat(folder).st_mode & 1]
        if closed:
            between = [folder for folder in reversed(place.parents) if folder.is_relative_to(closed[-1])][1:]
            argv += ["--perms", "0755", "--tmpfs", str(closed[-1])]
            argv += [word for folder in between for word in ("--perms", "0755", "--dir", str(folder))]
            argv += ["--ro-bind", str(place), str(place)]
    home = tempfile.mkdtemp(prefix="hostile-", dir="/tmp")
    os.chown(home, USER, USER)
    argv += ["setpriv", f"--reuid={USER}", f"--regid={USER}", "--clear-groups"]
    return [*argv, "env", f"HOME={home}", f"TMPDIR={home}", f"PYTHONPATH={ROOT}", *command]


def measure(wall: str, names: Iterable[str], seconds: float) -> Iterator[tuple[str, dict]]:
    """What came of each batch behind one wall: family → held and all, what was not held, what was left."""
    kinds = {case.name: family for family, cases in families().items() for case in cases}
    deadline = time.monotonic() + seconds
    for name in names:
        if (began := time.monotonic()) > deadline:
            return
        result = {"families": {}, "not held": {}}
        cases = batches()[name]
        with tempfile.TemporaryDirectory(prefix="hostile-") as folder:
            marks, _ = run(Path(folder), cases, wall)
        for case in cases:
            row = result["families"].setdefault(kinds[case.name], [0, 0])
            row[0] += case.holds(marks[case.name])
            row[1] += 1
            if not case.as_said(marks[case.name], wall):
                result["not held"][case.name] = marks[case.name].message[:300]
        result["neighbours lost"] = (not marks["before"].full) + (not marks["after"].full)
        result["left"] = leftovers()
        result["seconds"] = round(time.monotonic() - began, 1)
        yield name, result


def measure_as_user(wall: str, names: Iterable[str], seconds: float) -> Iterator[tuple[str, dict]]:
    """The same, run by a user of no rights, who writes nothing here: one line for each batch comes back."""
    inner = [sys.executable, "-m", "tests.hostile", "--wall", wall, "--seconds", str(seconds), "--batches", *names]
    with subprocess.Popen(as_user(inner), stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        for line in process.stdout:
            yield tuple(json.loads(line))
    if process.returncode:
        raise SystemExit(process.returncode)


def faults(result: dict) -> bool:
    """Whether anything of a batch was not as it should be."""
    return bool(result["not held"] or result["left"] or result["neighbours lost"])


def table(results: list[dict]) -> str:
    """The runs as a table in Markdown."""
    head = ["what is tried", *[f"{result['wall']}, as {result['as']}" for result in results]]
    lines = ["| " + " | ".join(head) + " |", "|---" * len(head) + "|"]
    of_all = [list(result["batches"].values()) for result in results]
    for family, words in FAMILIES.items():
        counts = [[one["families"][family] for one in of_one if family in one["families"]] for of_one in of_all]
        cells = [f"{sum(held for held, _ in rows)} of {sum(tried for _, tried in rows)}" for rows in counts]
        lines.append(f"| {words} | " + " | ".join(cells) + " |")
    rows = {
        "processes, files, memory left": [sum(len(one["left"]) for one in of_one) for of_one in of_all],
        "neighbours that lost a point": [sum(one["neighbours lost"] for one in of_one) for of_one in of_all],
    }
    lines += [f"| {words} | " + " | ".join(map(str, cells)) + " |" for words, cells in rows.items()]
    limits = {why: [] for cases in families().values() for case in cases for _, why in case.but}
    for cases in families().values():
        for case in cases:
            for wall, why in case.but:
                limits[why].append(f"`{case.name}` ({wall})")
    lines += ["", *[f"- {', '.join(names)}: {why}." for why, names in limits.items()]] if limits else []
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.hostile", description=__doc__.splitlines()[0])
    parser.add_argument("--wall", choices=("bubblewrap", "landlock"), default="bubblewrap")
    parser.add_argument("--batches", nargs="+", choices=list(batches()), default=list(batches()), metavar="NAME")
    parser.add_argument("--as-user", action="store_true")
    parser.add_argument("--seconds", type=float, default=float("inf"))
    parser.add_argument("--again", action="store_true")
    parser.add_argument("--out", type=Path)
    parser.add_argument("--page", type=Path, nargs="+")
    args = parser.parse_args()
    if args.page:
        page = ROOT / "book" / "grading.md"
        text = page.read_text(encoding="utf-8")
        before, rest = text.split(BEGIN)
        _, after = rest.split(END)
        results = [json.loads(path.read_text()) for path in args.page]
        complete = [one["batches"].keys() == batches().keys() for one in results]
        if not all(complete):
            raise SystemExit("not every batch of today stands in these files: run with --out again")
        page.write_text(f"{before}{BEGIN}\n{table(results)}\n{END}{after}", encoding="utf-8")
        return 0
    found, reason = find_sandbox(args.wall)
    if found is None:
        raise SystemExit(f"{args.wall}: {reason}")
    user = "a user" if args.as_user or os.geteuid() else "root"
    record = {"wall": args.wall, "as": user, "batches": {}}
    if args.out and args.out.exists():
        record = json.loads(args.out.read_text())
    done = {name for name, one in record["batches"].items() if not (args.again and faults(one))}
    look = measure_as_user if args.as_user else measure
    for name, result in look(args.wall, [name for name in args.batches if name not in done], args.seconds):
        record["batches"][name] = result
        if args.out:
            args.out.write_text(json.dumps(record, indent=1) + "\n")
            print(f"{args.wall} as {user}: {name}, {result['seconds']:.0f} s", result["not held"], flush=True)
        else:
            print(json.dumps([name, result]), flush=True)
    return int(any(map(faults, record["batches"].values()))) if args.out else 0


if __name__ == "__main__":
    raise SystemExit(main())
