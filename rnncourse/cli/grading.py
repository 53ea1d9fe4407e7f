"""Exercises: ``rnncourse start``, ``rnncourse grade``, ``rnncourse handout`` and ``rnncourse progress``.

Nothing heavy is imported before a command runs. Exit codes of ``grade``, for scripts:

- 0: every notebook was graded and has full marks;
- 1: every notebook was graded, and points are missing;
- 2: a notebook could not be graded at all (a wrong path, no notebook, no sandbox), or the command was mistyped.
"""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

__all__ = ["add_parsers", "promised_json"]


def add_parsers(commands: Any) -> None:
    """Adds the four commands to the parser of ``rnncourse``; each sets ``run``, which returns the exit code."""
    start = commands.add_parser(
        "start",
        help="lay out chapters and exercises in a folder, and check the installation",
        description="Lay out chapters and exercises in a folder and check the installation. Notebooks that you worked "
        "in are never written over; run it again when the course was updated.",
        epilog="example: rnncourse start my-course",
    )
    start.add_argument("folder", type=Path, metavar="FOLDER", help="made when it does not exist")
    start.set_defaults(run=run_start)

    grade = commands.add_parser(
        "grade",
        help="grade exercise notebooks, or a whole class",
        description="Grade exercise notebooks: each runs in a sandbox, and its functions are asked with fresh "
        "inputs. Without a notebook: all of exercises/ below the working directory. A folder is a class: a folder or a "
        "file for each learner; the same line again goes on where a killed run stopped.",
        epilog="Exit codes: 0 full marks everywhere; 1 graded, points are missing; 2 something could not be graded. "
        "Example: rnncourse grade exercises/02_vanilla_rnn.ipynb",
    )
    grade.add_argument("notebooks", nargs="*", type=Path, metavar="NOTEBOOK|FOLDER")
    grade.add_argument("--json", metavar="FILE", help="write the reports as JSON ('-': to the standard output)")
    grade.add_argument("--html", type=Path, metavar="FILE", help="write the reports as one HTML page")
    grade.add_argument("--seed", type=int, metavar="N", help="draw the inputs from N instead of a fresh seed")
    grade.add_argument("--chapter", type=int, metavar="N", help="ask chapter N's questions, whatever the notebook says")
    grade.add_argument("--cell-seconds", type=float, default=60.0, metavar="S", help="limit for one cell (default 60)")
    grade.add_argument("--seconds", type=float, default=600.0, metavar="S", help="limit for one notebook (default 600)")
    grade.add_argument("--workers", type=int, metavar="N", help="notebooks at a time (default: 1; a class: one a core)")
    walls = grade.add_mutually_exclusive_group()
    walls.add_argument(
        "--own", action="store_true", help="it is my own notebook: where there is no sandbox, do without"
    )
    walls.add_argument("--unsafe", action="store_true", help="run it without a sandbox; the report says so")
    of_class = grade.add_argument_group("for a class")
    of_class.add_argument("--out", type=Path, metavar="FOLDER", help="log and reports (default: FOLDER-graded)")
    of_class.add_argument(
        "--roster", type=Path, metavar="CSV", help="Canvas's gradebook, Moodle's worksheet, or a column 'learner'"
    )
    of_class.add_argument("--variants", type=Path, metavar="FILE", help="who was given which questions (see handout)")
    of_class.add_argument("--scheduler", default="", metavar="ADDRESS", help="send the work to a Dask cluster")
    of_class.add_argument(
        "--again", action="append", default=[], metavar="LEARNER", help="grade this learner again, with the same seed"
    )
    grade.set_defaults(run=run_grade, trouble=2)

    handout = commands.add_parser(
        "handout",
        help="lay out an exercise for each learner of a class, with questions drawn for each",
        description="Write an exercise notebook for each learner of a list, each with its own choice of the chapter's "
        "questions, all worth the same, and variants.json, which rnncourse grade --variants reads.",
        epilog="example: rnncourse handout 2 week-2 --roster class.csv --questions 3 --seed 7",
    )
    handout.add_argument("chapter", type=int, metavar="CHAPTER")
    handout.add_argument("folder", type=Path, metavar="FOLDER", help="made when it does not exist")
    handout.add_argument("--roster", type=Path, required=True, metavar="CSV", help="who the learners are")
    handout.add_argument("--questions", type=int, required=True, metavar="N", help="how many for each learner")
    handout.add_argument("--seed", type=int, required=True, metavar="N", help="the same seed hands out the same")
    handout.set_defaults(run=run_handout)

    progress = commands.add_parser(
        "progress",
        help="what you have attempted, checked and graded, and what to do next",
        description="Per chapter: what was attempted, self-checked and graded, with points, and what to do next.",
        epilog="example: rnncourse progress my-course",
    )
    progress.add_argument("folder", nargs="?", type=Path, default=Path(), metavar="FOLDER", help="default: here")
    progress.set_defaults(run=run_progress)


def run_start(args: argparse.Namespace) -> int:
    """``rnncourse start``: 0 when everything that is needed is here."""
    from rnncourse.data import verify
    from rnncourse.folders import course_root
    from rnncourse.grading.start import check_installation, lay_out
    from rnncourse.notebooks.plain import learners_course

    for line in lay_out(args.folder, learners_course(course_root())):
        print(line)
    print("\nYour installation (some seconds, for every data set is held against its hash):", flush=True)
    lines = check_installation(verify)
    for line in lines:
        print(line)
    print(f'\nTo begin:\n  jupyter lab "{args.folder}"\nand open chapters/, then exercises/ of the same number.')
    print(f'Later:\n  cd "{args.folder}"\n  rnncourse grade exercises/NOTEBOOK.ipynb\n  rnncourse progress')
    return 0 if all(line.ok or not line.needed for line in lines) else 1


def run_grade(args: argparse.Namespace) -> int:
    """``rnncourse grade``: a class, or notebooks one by one; where JSON was asked for, there is JSON at any rate."""
    said: dict[str, Any] = {"reports": [], "failures": {}}
    try:
        a_class = len(args.notebooks) == 1 and args.notebooks[0].is_dir()
        return _grade_class(args, said) if a_class else _grade_notebooks(args, said)
    except BaseException as error:
        said["error"] = "interrupted" if isinstance(error, KeyboardInterrupt) else str(error) or type(error).__name__
        raise
    finally:
        if args.json == "-":
            from rnncourse.grading.outputs import print_json
            from rnncourse.grading.report import as_dict

            print_json(as_dict(**said))


def promised_json(words: Sequence[str], error: str) -> None:
    """Where a command line asks for JSON and is mistyped otherwise: JSON that says so."""
    from rnncourse.grading.outputs import print_json, promises_json

    if "grade" in words and promises_json(words):
        from rnncourse.grading.report import as_dict

        print_json(as_dict([], {}, error=error))


def _grade_notebooks(args: argparse.Namespace, said: dict[str, Any]) -> int:
    from rnncourse.grading import outputs, progress
    from rnncourse.grading.classes.singly import grade_notebooks
    from rnncourse.grading.classes.submissions import course_copy
    from rnncourse.grading.page import as_html
    from rnncourse.grading.report import as_dict, as_json, as_table, console

    notebooks = list(args.notebooks) or [
        path for path in sorted(Path("exercises").glob("[0-9][0-9]_*.ipynb")) if not course_copy(path)
    ]
    if not notebooks:
        raise ValueError("name a notebook, such as: rnncourse grade exercises/02_vanilla_rnn.ipynb")
    for name in ("out", "roster", "variants", "scheduler", "again"):
        if getattr(args, name):
            raise ValueError(f"--{name} is for a class; name the folder of its submissions")
    for target in (args.json if args.json != "-" else None, args.html):
        if target is not None:
            outputs.ensure_writable(target, notebooks)

    screen = None if args.json == "-" else console()
    reports, failures = said["reports"], said["failures"]
    status = _Status()
    for path, label, answer in grade_notebooks(notebooks, _options(args), args.seed, args.workers or 1, status):
        status("")
        if "report" in answer:
            reports.append(answer["report"])
            progress.record_grades(answer["report"]["questions"], path)
        else:
            failures[label] = answer["failure"]
            _complain(answer["failure"] if label in answer["failure"] else f"{label}: {answer['failure']}")
        # At once: whatever happens to the next notebook, this one's report is there.
        if args.json and args.json != "-":
            outputs.write(args.json, as_json(as_dict(reports, failures)))
        if args.html and reports:
            outputs.write(args.html, as_html(reports))
        if screen and "report" in answer:
            screen.print(as_table(answer["report"]))
    if failures or any(report["faults"] for report in reports):
        return 2
    return 0 if all(report["points"] == report["out_of"] for report in reports) else 1


def _grade_class(args: argparse.Namespace, said: dict[str, Any]) -> int:
    from rnncourse.grading import outputs
    from rnncourse.grading.classes.batch import Class
    from rnncourse.grading.classes.roster import read_roster
    from rnncourse.grading.classes.variants import read_variants
    from rnncourse.grading.names import clean
    from rnncourse.grading.report import as_dict, as_json, class_table, console

    folder = args.notebooks[0]
    if args.own:
        raise ValueError("--own is for your own notebook, and a class is other people's")
    out = args.out or folder.resolve().with_name(f"{folder.resolve().name}-graded")
    if out.resolve().is_relative_to(folder.resolve()):
        raise ValueError("--out lies in the folder of the submissions; log and reports belong where no learner writes")
    if args.json and args.json != "-":
        outputs.ensure_writable(args.json)
    if args.html is not None:
        raise ValueError("--html is for single notebooks; a class has a page for each learner below --out")
    batch = Class(
        folder,
        out,
        _options(args),
        seed=args.seed,
        roster=read_roster(args.roster) if args.roster else None,
        variants=read_variants(args.variants) if args.variants else {},
        workers=args.workers or max(1, min(os.cpu_count() or 1, 8)),
        scheduler=args.scheduler,
        again=args.again,
    )
    rows = batch.grade()
    said["failures"] |= {label: reason for row in rows for label, reason in row.failures.items()}
    said["reports"] += [report for row in rows for report in row.reports.values()]
    said["learners"] = [row.as_dict() for row in rows]
    if args.json and args.json != "-":
        outputs.write(args.json, as_json(as_dict(**said)))
    if args.json != "-":
        screen = console()
        screen.print(class_table(rows))
        for name in ("instructor.html", "grades.csv", "feedback"):
            print(clean(str(out / name)))
    if any(row.status == "not graded" for row in rows):
        return 2
    return 0 if all(row.full for row in rows) else 1


def _options(args: argparse.Namespace) -> Any:
    from rnncourse.grading.classes.jobs import Options

    if not (0 < args.cell_seconds < 86400 and 0 < args.seconds < 86400):
        raise ValueError("--cell-seconds and --seconds should be positive, and less than a day")
    if args.seed is not None and not 0 <= args.seed < 2**62:
        raise ValueError("--seed should be from 0 to 2**62 - 1")
    if args.workers is not None and args.workers < 1:
        raise ValueError("--workers should be at least 1")
    return Options(args.chapter, args.own, args.unsafe, args.cell_seconds, args.seconds)


def run_handout(args: argparse.Namespace) -> int:
    """``rnncourse handout``: an exercise for each learner of a list."""
    from rnncourse.chapters import chapter_questions
    from rnncourse.folders import course_root
    from rnncourse.grading.classes.handout import hand_out
    from rnncourse.grading.classes.roster import read_roster
    from rnncourse.notebooks.plain import learners_course

    for line in hand_out(
        args.folder,
        args.chapter,
        read_roster(args.roster),
        chapter_questions(args.chapter),
        args.questions,
        args.seed,
        learners_course(course_root()),
    ):
        print(line)
    return 0


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
    from rnncourse.grading.names import clean

    print(f"rnncourse: {clean(text)}", file=sys.stderr)
    return 2


class _Status:
    """One line on a terminal that says which cell runs, and goes away with an empty one; silent elsewhere."""

    def __call__(self, line: str) -> None:
        if sys.stderr is not None and sys.stderr.isatty():
            from rnncourse.grading.names import clean

            print(f"\r\033[K{clean(line)[:100]}", end="", file=sys.stderr, flush=True)
