"""The learner's commands: ``rnncourse start``, ``rnncourse grade`` and ``rnncourse progress``.

Nothing heavy is imported before a command runs. Exit codes of ``grade``, for scripts:

- 0: every notebook was graded and has full marks;
- 1: every notebook was graded, and points are missing;
- 2: a notebook could not be graded at all (a wrong path, no notebook, no sandbox), or the command was mistyped.
"""

import argparse
import sys
from pathlib import Path
from typing import Any

__all__ = ["add_parsers"]


def add_parsers(commands: Any) -> None:
    """Adds the three commands to the parser of ``rnncourse``; each sets ``run``, which returns the exit code."""
    start = commands.add_parser(
        "start",
        help="lay out chapters and exercises in a folder, and check the installation",
        description="Lay out chapters and exercises in a folder and check the installation. Notebooks that you worked "
        "in are never written over; run it again when the course was updated.",
    )
    start.add_argument("folder", type=Path, metavar="FOLDER", help="made when it does not exist")
    start.set_defaults(run=run_start)

    grade = commands.add_parser(
        "grade",
        help="grade exercise notebooks",
        description="Grade exercise notebooks: each runs in a sandbox, and its functions are asked with fresh "
        "inputs. Without a notebook: all of exercises/ below the working directory.",
        epilog="Exit codes: 0 full marks everywhere; 1 graded, points are missing; 2 something could not be graded.",
    )
    grade.add_argument("notebooks", nargs="*", type=Path, metavar="NOTEBOOK")
    grade.add_argument("--json", metavar="FILE", help="write the reports as JSON ('-': to the standard output)")
    grade.add_argument("--html", type=Path, metavar="FILE", help="write the reports as one HTML page")
    grade.add_argument("--seed", type=int, metavar="N", help="draw the inputs from N instead of a fresh seed")
    grade.add_argument("--chapter", type=int, metavar="N", help="ask chapter N's questions, whatever the notebook says")
    grade.add_argument("--cell-seconds", type=float, default=60.0, metavar="S", help="limit for one cell (default 60)")
    grade.add_argument("--seconds", type=float, default=600.0, metavar="S", help="limit for one notebook (default 600)")
    walls = grade.add_mutually_exclusive_group()
    walls.add_argument(
        "--own", action="store_true", help="it is my own notebook: where there is no sandbox, do without"
    )
    walls.add_argument("--unsafe", action="store_true", help="run it without a sandbox; the report says so")
    grade.set_defaults(run=run_grade)

    progress = commands.add_parser(
        "progress",
        help="what you have attempted, checked and graded, and what to do next",
        description="Per chapter: what was attempted, self-checked and graded, with points, and what to do next.",
    )
    progress.add_argument("folder", nargs="?", type=Path, default=Path(), metavar="FOLDER", help="default: here")
    progress.set_defaults(run=run_progress)


def run_start(args: argparse.Namespace) -> int:
    """``rnncourse start``: 0 when everything that is needed is here."""
    from rnncourse.grading.start import check_installation, lay_out
    from rnncourse.notebooks.files import course_root

    for line in lay_out(args.folder, course_root()):
        print(line)
    print("\nYour installation:")
    lines = check_installation()
    for line in lines:
        print(line)
    print(f'\nTo begin:\n  jupyter lab "{args.folder}"\nand open chapters/, then exercises/ of the same number.')
    print(f'Later:\n  cd "{args.folder}"\n  rnncourse grade exercises/NOTEBOOK.ipynb\n  rnncourse progress')
    return 0 if all(line.ok or not line.needed for line in lines) else 1


def run_grade(args: argparse.Namespace) -> int:
    """``rnncourse grade``: grades each notebook, whatever the others did, and writes the reports."""
    import dataclasses

    notebooks = args.notebooks or sorted(Path("exercises").glob("[0-9][0-9]_*.ipynb"))
    if not notebooks:
        return _complain("name a notebook, such as: rnncourse grade exercises/02_vanilla_rnn.ipynb")
    if args.cell_seconds <= 0 or args.seconds <= 0:
        return _complain("--cell-seconds and --seconds should be positive")
    for target in (args.json if args.json != "-" else None, args.html):
        if target is not None and not Path(target).parent.is_dir():
            return _complain(f"{Path(target).parent} is not a folder, so {target} cannot be written")

    from rnncourse.course import grade
    from rnncourse.grading import progress
    from rnncourse.grading.page import as_html
    from rnncourse.grading.report import as_json, as_table, console
    from rnncourse.grading.sandbox import Limits

    limits = dataclasses.replace(Limits(), cell_seconds=args.cell_seconds, total_seconds=args.seconds)
    screen = console()
    reports, failures = [], {}
    for path in notebooks:
        try:
            with _Status() as say:
                report = grade(
                    path,
                    seed=args.seed,
                    chapter=args.chapter,
                    own=args.own,
                    unsafe=args.unsafe,
                    limits=limits,
                    progress=lambda line, path=path, say=say: say(f"{path.name}: {line}"),
                )
        except ValueError as error:
            failures[str(path)] = str(error)
            _complain(str(error))
            continue
        reports.append(report)
        for mark in report.marks:
            progress.record_grade(mark, path.parent)
        if args.json != "-":
            screen.print(as_table(report))
    if args.json == "-":
        sys.stdout.write(as_json(reports, failures))
    elif args.json:
        Path(args.json).write_text(as_json(reports, failures), encoding="utf-8")
    if args.html and reports:
        args.html.write_text(as_html(reports), encoding="utf-8")
    if failures:
        return 2
    return 0 if all(report.points == report.out_of for report in reports) else 1


def run_progress(args: argparse.Namespace) -> int:
    """``rnncourse progress``: a line per chapter."""
    from rich.table import Table

    from rnncourse.chapters import all_questions
    from rnncourse.grading import progress
    from rnncourse.grading.report import console

    path = progress.find_file(args.folder)
    if path is None:
        return _complain(f"no progress is kept in {args.folder.resolve()}; rnncourse start FOLDER makes a place for it")
    summary = progress.summarise(progress.read(path), all_questions().values())
    table = Table("chapter", "attempted", "self-checked", "graded", "points", "next", box=None, pad_edge=False)
    for row in summary:
        table.add_row(*row)
    console().print(table)
    return 0


def _complain(text: str) -> int:
    from rnncourse.grading.notebook import printable

    print(f"rnncourse: {printable(text)}", file=sys.stderr)
    return 2


class _Status:
    """One line on a terminal that says which cell runs, and goes away afterwards; silent elsewhere."""

    def __enter__(self):
        return self

    def __call__(self, line: str) -> None:
        if sys.stderr.isatty():
            from rnncourse.grading.notebook import printable

            print(f"\r\033[K{printable(line)[:100]}", end="", file=sys.stderr, flush=True)

    def __exit__(self, *exception) -> None:
        if sys.stderr.isatty():
            print("\r\033[K", end="", file=sys.stderr, flush=True)
