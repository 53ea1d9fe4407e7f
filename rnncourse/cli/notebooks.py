"""What authors do with notebooks: ``rnncourse execute``, ``rnncourse exercises`` and ``rnncourse lint``."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

__all__ = ["add_execute", "add_exercises", "add_lint", "execute", "exercises", "lint"]


def add_execute(commands: Any) -> None:
    """Adds ``rnncourse execute`` to the parser; it sets ``run``, which returns the exit code."""
    parser = commands.add_parser(
        "execute",
        help="for maintainers: execute notebooks in place, for committing",
        description="For maintainers: execute notebooks from top to bottom in a fresh kernel and write them back in "
        "normal form. A notebook whose run fails is left as it was. To run a notebook of your own: rnncourse run FILE.",
        epilog="example: rnncourse execute book/02_vanilla_rnn.ipynb",
    )
    parser.add_argument("notebooks", nargs="*", metavar="CHAPTER|FILE", help="by default all of book/ and solutions/")
    parser.add_argument("--fresh", action="store_true", help="also replace figures that can differ only by chance")
    parser.set_defaults(run=execute)


def execute(args: argparse.Namespace) -> int:
    """``rnncourse execute``: in place, each in a fresh kernel; one that fails does not stop the others."""
    from rnncourse.folders import require_checkout
    from rnncourse.notebooks import NotebookFailed, execute_file, notebook_files

    root = require_checkout("rnncourse execute", "to run a notebook of your own: rnncourse run FILE")
    files = _notebooks(args.notebooks) or notebook_files(root)
    failures = 0
    for path in files:
        try:
            changed = execute_file(path, fresh=args.fresh, on_cell=_cell_counter(path))
        except (NotebookFailed, ValueError) as error:
            _clear_counter()
            print(f"rnncourse: {error}\nrnncourse: {path} was left as it was", file=sys.stderr)
            failures += 1
            continue
        _clear_counter()
        print(f"{path}: {'written' if changed else 'unchanged'}")
    return 1 if failures else 0


def add_exercises(commands: Any) -> None:
    """Adds ``rnncourse exercises`` to the parser; it sets ``run``, which returns the exit code."""
    parser = commands.add_parser(
        "exercises",
        help="for maintainers: write exercises/ from solutions/, and the solutions' code from the package",
        description="For maintainers: write the package's functions into solutions/, and exercises/ from there.",
        epilog="example: rnncourse exercises",
    )
    parser.add_argument("--force", action="store_true", help="write also over exercises that were edited")
    parser.set_defaults(run=exercises)


def exercises(args: argparse.Namespace) -> int:
    """``rnncourse exercises``: every exercise from its solution, the same bytes each time."""
    from rnncourse.chapters import worked_solutions
    from rnncourse.folders import require_checkout
    from rnncourse.notebooks import write_exercises

    root = require_checkout("rnncourse exercises", "your own exercises are laid out by: rnncourse start FOLDER")
    changed = write_exercises(root, solutions=worked_solutions(), force=args.force)
    for path in changed:
        then = f"; now run: rnncourse execute {path}" if path.parent.name == "solutions" else ""
        print(f"{path}: written{then}")
    if not changed:
        print("all exercises are up to date")
    return 0


def add_lint(commands: Any) -> None:
    """Adds ``rnncourse lint`` to the parser; it sets ``run``, which returns the exit code."""
    parser = commands.add_parser(
        "lint",
        help="for maintainers: hold notebooks to the house rules",
        description="For maintainers: hold notebooks to the house rules; nothing is written.",
        epilog="example: rnncourse lint book/02_vanilla_rnn.ipynb",
    )
    parser.add_argument("notebooks", nargs="*", metavar="CHAPTER|FILE", help="by default all of book/ and solutions/")
    parser.set_defaults(run=lint)


def lint(args: argparse.Namespace) -> int:
    """``rnncourse lint``: prints complaints; exit code 1 when there are any."""
    from rnncourse.notebooks import complaints, course_root, notebook_files, read

    files = _notebooks(args.notebooks) or notebook_files(course_root())
    found = [(path, complaint) for path in files for complaint in complaints(path, read(path))]
    for path, complaint in found:
        print(f"{path}: {complaint}")
    print(f"{len(files)} notebooks, {len(found)} complaints")
    return 1 if found else 0


def _notebooks(names: Sequence[str]) -> list[Path]:
    """Files stay files; a chapter's name means its chapter, and its solutions where there are any."""
    from rnncourse.notebooks import course_root, resolve_chapter

    found: list[Path] = []
    for name in names:
        if name.endswith(".ipynb"):
            found.append(Path(name))
            continue
        stem = resolve_chapter(name)
        found.append(course_root() / "book" / f"{stem}.ipynb")
        solution = course_root() / "solutions" / f"{stem}.ipynb"
        found.extend([solution] if solution.is_file() else [])
    return found


def _cell_counter(path: Path) -> Any:
    if not sys.stderr.isatty():
        return None
    return lambda number, of: print(f"\r{path.name}: cell {number}/{of} ", end="", file=sys.stderr, flush=True)


def _clear_counter() -> None:
    if sys.stderr.isatty():
        print("\r\033[K", end="", file=sys.stderr)
