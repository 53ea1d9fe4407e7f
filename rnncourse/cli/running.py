"""``rnncourse run`` and ``rnncourse refresh``: a chapter at another size, and the experiments behind it."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rnncourse.scales import SCALES

__all__ = ["add_refresh", "add_run", "refresh", "run"]


def add_run(commands: Any) -> None:
    """Adds ``rnncourse run`` to the parser; it sets ``run``, which returns the exit code."""
    parser = commands.add_parser(
        "run",
        help="run a chapter, or a notebook of your own, at another size",
        description="Run a chapter or a notebook into _build/runs/ (its own file stays as it is). At scale 'full' a "
        "chapter's experiments run first; a checkout keeps their results in book/results/.",
        epilog="example: rnncourse run 02 --scale smoke   or: rnncourse run my-course/chapters/02_vanilla_rnn.ipynb",
    )
    parser.add_argument(
        "chapter",
        metavar="CHAPTER|FILE|all",
        help="a number (02), a name (vanilla_rnn), a notebook's file, or all chapters",
    )
    parser.add_argument("--scale", choices=SCALES, default="page", help="smoke: seconds; page: as printed; full: long")
    parser.add_argument(
        "-p", "--parameter", action="append", default=[], metavar="NAME=VALUE", help="set a parameter of the chapter"
    )
    parser.add_argument(
        "--experiment", action="append", default=[], metavar="NAME", help="run only this experiment, not the chapter"
    )
    parser.add_argument("--confirm", action="store_true", help=argparse.SUPPRESS)  # the old name of `refresh`
    parser.add_argument("--no-experiments", action="store_true", help="run only the chapter, also at scale 'full'")
    parser.add_argument("--output", type=Path, metavar="FOLDER", help="write here instead of _build/runs/")
    parser.add_argument("--quiet", action="store_true", help="no progress")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """``rnncourse run``: the chapter's experiments where asked for, then the chapter through papermill."""
    from rnncourse.notebooks import NotebookFailed, course_root
    from rnncourse.notebooks.runs import ensure_writable, known_parameters, run_notebook, runs_folder

    root = course_root()
    paths = _notebooks(args.chapter, root)
    of_the_course = paths[0].resolve().parent == root / "book"
    if args.experiment and (not of_the_course or args.chapter == "all"):
        raise ValueError("experiments belong to a chapter of the course; name it by its number, like 02")
    parameters = _parameters(args.parameter)
    folder = args.output or runs_folder(root)
    ensure_writable(folder)
    if parameters and args.experiment:
        raise ValueError("-p sets a chapter's parameters, and --experiment runs no chapter; leave one of them out")
    if parameters and args.chapter == "all":
        raise ValueError("-p sets a chapter's parameters, and all runs every chapter; name one, like 02")
    if args.confirm and not args.experiment:
        raise ValueError("--confirm needs --experiment NAME: which result to confirm")
    if args.experiment:
        _run_experiments(args, paths, root, folder)
        return 0
    known = known_parameters(paths[0])
    for name in parameters:
        if name not in known:
            raise ValueError(
                f"{paths[0].name} has no parameter {name!r}; its parameters are: {', '.join(known) or 'none'}"
            )
    if args.scale == "full" and of_the_course and not args.no_experiments:
        _run_experiments(args, paths, root, folder)
    failed = 0
    for path in paths:
        try:
            output = run_notebook(path, args.scale, parameters, folder, progress_bar=not args.quiet)
        except NotebookFailed as error:
            print(f"rnncourse: {error}", file=sys.stderr)  # with the cell's first lines below
            failed = 1
        else:
            print(f"{path.stem} ran at scale {args.scale}: {output}")
    return failed


def add_refresh(commands: Any) -> None:
    """Adds ``rnncourse refresh`` to the parser; it sets ``run``, which returns the exit code."""
    parser = commands.add_parser(
        "refresh",
        help="for maintainers: renew stale results without running them whole",
        description="For maintainers: renew committed results whose code changed though it says the same. By default "
        "the first seed runs again at full size, which takes minutes and the kind of processor that made it; with "
        "--against, the version that made the result and this one run side by side at smoke size. Only values equal "
        "to the last bit renew.",
        epilog="example: git worktree add ../before HEAD~1 && rnncourse refresh --against ../before",
    )
    parser.add_argument("experiment", nargs="*", metavar="NAME", help="like 05.text; by default all that are stale")
    parser.add_argument(
        "--against", type=Path, metavar="FOLDER", help="a checkout of the version that made the results"
    )
    parser.add_argument(
        "--within",
        type=float,
        default=0.0,
        metavar="BOUND",
        help="with --against: the relative difference up to which numbers count as equal, for code that rounds "
        "otherwise; the largest one found goes into the record (default: none)",
    )
    parser.set_defaults(run=refresh)


def refresh(args: argparse.Namespace) -> int:
    """``rnncourse refresh``: results that are stale by their code, and not by what they say."""
    from rnncourse.folders import require_checkout
    from rnncourse.notebooks.runs import ensure_writable
    from rnncourse.results import compare_versions, confirm_result, find_experiment
    from rnncourse.results.records import results_file, stale_results

    root = require_checkout("rnncourse refresh")
    ensure_writable(root / "book" / "results")
    names = args.experiment or stale_results(root)
    for name in names:
        experiment = find_experiment(name)
        file = results_file(root, experiment.chapter)
        if args.against is None:
            confirm_result(experiment, file)
        else:
            compare_versions(experiment, file, args.against, within=args.within)
    if not names:
        print("no result is stale")
    return 0


def _notebooks(named: str, root: Path) -> list[Path]:
    """The files that are meant: a file's path is that file and no other, everything else chapters of the course."""
    from rnncourse.notebooks import chapters, resolve_chapter

    if named == "all":
        if not chapters(root):
            raise ValueError(f"there is no chapter in {root / 'book'}")
        return [root / "book" / f"{stem}.ipynb" for stem in chapters(root).values()]
    if not named.endswith(".ipynb"):
        return [root / "book" / f"{resolve_chapter(named, root)}.ipynb"]
    if not Path(named).is_file():
        raise ValueError(f"there is no notebook {named}")
    return [Path(named)]


def _run_experiments(args: argparse.Namespace, paths: list[Path], root: Path, folder: Path) -> None:
    """Only full results of a checkout go where they are committed; all others stay among the runs."""
    from rnncourse.folders import is_wheel
    from rnncourse.notebooks.runs import ensure_writable
    from rnncourse.results import (
        Pace,
        confirm_result,
        expected_seconds,
        experiment_names,
        find_experiment,
        run_chapter_experiments,
    )
    from rnncourse.results.records import results_file

    committed = args.scale == "full" and args.output is None and not is_wheel(root)
    results = root / "book" / "results" if committed else folder / "results"
    ensure_writable(results)
    if args.confirm:
        for name in args.experiment:
            experiment = find_experiment(name)
            confirm_result(experiment, results_file(root, experiment.chapter))
        return

    def say(line: str) -> None:
        if not args.quiet:
            print(line, flush=True)

    known = [name for path in paths for name in experiment_names(path.name[:2])]
    for name in args.experiment:
        if name not in known:
            number = paths[0].name[:2]
            raise ValueError(f"chapter {number} has no experiment {name!r}; it has: {', '.join(known) or 'none'}")
    names = args.experiment or known
    pace = Pace(expected_seconds(root, names, args.scale))
    say(pace.announcement())
    for name in names:
        say(pace.begins(name))
        run_chapter_experiments(
            name[:2], args.scale, names=[name], results=results, unfinished=folder / "unfinished", say=say
        )


def _parameters(pairs: Sequence[str]) -> dict[str, Any]:
    """``["steps=200"]`` becomes ``{"steps": 200}``: values are read as YAML, as papermill does."""
    import yaml

    values: dict[str, Any] = {}
    for pair in pairs:
        name, equals, text = pair.partition("=")
        if not equals or not name.isidentifier():
            raise ValueError(f"-p {pair!r} should be NAME=VALUE, like -p steps=200")
        try:
            values[name] = yaml.safe_load(text)
        except yaml.YAMLError as error:
            raise ValueError(f"-p {pair!r}: the value cannot be read: {str(error).splitlines()[0]}") from error
    if "scale" in values:
        raise ValueError("-p scale=… should be --scale")
    return values
