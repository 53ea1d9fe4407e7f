"""``python -m tests.hostile``: every case behind every wall, as root and as a user, and the table of what came of it.

Options:
    --wall NAME     only this wall ("bubblewrap" or "landlock"), as whoever runs this; writes no page
    --only FAMILY   only this family of cases
    --as-user       as an ordinary user of this machine (needs root to begin with)
    --out FILE      write what came of it as JSON (one file for each run)
    --page FILE…    join such files into the table, in book/grading.md between its two marks
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
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


def measure(wall: str, only: str = "") -> dict:
    """What came of every case behind one wall: who runs it, family → held and all, what was not held, what was left."""
    found, reason = find_sandbox(wall)
    if found is None:
        raise SystemExit(f"{wall}: {reason}")
    kinds = {case.name: family for family, cases in families().items() for case in cases}
    result = {"wall": wall, "as": "root" if os.geteuid() == 0 else "a user", "families": {}, "not held": {}}
    result |= {"left": [], "neighbours lost": 0, "seconds": 0.0}
    for name, cases in batches().items():
        if not name.startswith(only):
            continue
        began = time.monotonic()
        with tempfile.TemporaryDirectory(prefix="hostile-") as folder:
            marks, _ = run(Path(folder), cases, wall)
        result["seconds"] += time.monotonic() - began
        for case in cases:
            row = result["families"].setdefault(kinds[case.name], [0, 0])
            row[0] += case.holds(marks[case.name])
            row[1] += 1
            if not case.as_said(marks[case.name], wall):
                result["not held"][case.name] = marks[case.name].message[:300]
        result["neighbours lost"] += (not marks["before"].full) + (not marks["after"].full)
        result["left"] += leftovers()
        print(f"{wall} as {result['as']}: {name}, {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
    return result


def table(results: list[dict]) -> str:
    """The runs as a table in Markdown."""
    head = ["what is tried", *[f"{result['wall']}, as {result['as']}" for result in results]]
    lines = ["| " + " | ".join(head) + " |", "|---" * len(head) + "|"]
    for family, words in FAMILIES.items():
        cells = ["{} of {}".format(*result["families"][family]) for result in results]
        lines.append(f"| {words} | " + " | ".join(cells) + " |")
    rows = {
        "processes, files, memory left": [len(result["left"]) for result in results],
        "neighbours that lost a point": [result["neighbours lost"] for result in results],
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
    parser.add_argument("--wall", choices=("bubblewrap", "landlock"))
    parser.add_argument("--only", default="", choices=("", *FAMILIES))
    parser.add_argument("--as-user", action="store_true")
    parser.add_argument("--out", type=Path)
    parser.add_argument("--page", type=Path, nargs="+")
    args = parser.parse_args()
    if args.page:
        page = ROOT / "book" / "grading.md"
        text = page.read_text(encoding="utf-8")
        before, rest = text.split(BEGIN)
        _, after = rest.split(END)
        results = [json.loads(path.read_text()) for path in args.page]
        page.write_text(f"{before}{BEGIN}\n{table(results)}\n{END}{after}", encoding="utf-8")
        return 0
    if args.as_user:
        inner = [sys.executable, "-m", "tests.hostile", "--only", args.only]
        inner += ["--wall", args.wall] if args.wall else []
        done = subprocess.run(as_user(inner), stdout=subprocess.PIPE, text=True, cwd=ROOT)
        results = json.loads(done.stdout) if done.returncode in (0, 1) and done.stdout else None
        if results is None:
            return 2
    else:
        results = [measure(wall, args.only) for wall in ([args.wall] if args.wall else ["bubblewrap", "landlock"])]
    if args.out:
        for result in results:
            args.out.write_text(json.dumps(result, indent=1) + "\n")
    else:
        print(json.dumps(results, indent=1))
    return 0 if not any(result["not held"] or result["left"] or result["neighbours lost"] for result in results) else 1


if __name__ == "__main__":
    raise SystemExit(main())
