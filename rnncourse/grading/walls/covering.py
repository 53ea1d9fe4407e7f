"""What a learner's process gets to see of the disk, and what of it is covered up.

Shown is what Python needs: the interpreter's libraries, the packages, the system's libraries and commands, and this
package. Covered is the course itself, wherever it lies in what is shown and however often it is installed: a checkout
below the interpreter's prefix, an editable install, a second copy among the packages, a wheel, a repository. Finding
them takes a walk over the names in all that is shown; no file is opened.
"""

import functools
import os
import re
import sys
from dataclasses import dataclass
from pathlib import Path

__all__ = ["PACKAGE", "Shown", "course_below", "hidden_in_package", "shown"]

PACKAGE = Path(__file__).resolve().parents[2]
HIDDEN = {"chapters", "questions", "_course", "solutions", "exercises", "book", "tests"}  # below the package
CHECKOUT = {"solutions", "exercises", "book", "tests", ".git"}  # beside the package
NOTEBOOK = re.compile(r"\d\d_\w+\.ipynb")
ARCHIVE = re.compile(r"rnncourse[-_.].*\.(whl|zip|tar|gz|xz|bz2|tgz)")
REPOSITORY = {"HEAD", "objects", "refs"}
SYSTEM = ("/usr/lib", "/usr/lib64", "/lib", "/lib64", "/usr/bin", "/bin", "/usr/share/zoneinfo", "/etc/alternatives")


@dataclass(frozen=True)
class Shown:
    """The places that are shown.

    Args:
        python: The interpreter.
        system: The system's libraries and commands; some may be links to others.
        trees: The interpreter's and the packages' folders that lie elsewhere.
        standard: The standard library's entries of ``sys.path``, links resolved.
        sites: The packages' entries of ``sys.path``, links resolved.
        covered: Files and folders below any of these that have to be covered.
    """

    python: Path
    system: tuple[Path, ...]
    trees: tuple[Path, ...]
    standard: tuple[str, ...]
    sites: tuple[str, ...]
    covered: tuple[Path, ...]


@functools.lru_cache(maxsize=1)
def shown() -> Shown:
    """The places of this interpreter."""
    base = Path(sys.base_prefix).resolve()
    python = Path(getattr(sys, "_base_executable", sys.executable)).resolve()
    paths = list(dict.fromkeys(str(Path(path).resolve()) for path in sys.path if path))
    sites = tuple(path for path in paths if _is_site(path) and os.path.isdir(path))
    standard = tuple(path for path in paths if Path(path).is_relative_to(base) and not _is_site(path))
    standard = tuple(path for path in standard if not _is_course(Path(path)))
    system = tuple(Path(path) for path in SYSTEM if os.path.lexists(path))
    roots = [path.resolve() for path in system]
    trees: list[Path] = []
    for path in [base / "lib", base / "lib64", python, *map(Path, standard), *map(Path, sites)]:
        real = path.resolve()
        if real.exists() and not any(real.is_relative_to(root) for root in roots):
            roots.append(real)
            trees.append(real)
    covered = {path for root in roots if root.is_dir() for path in course_below(root, frozenset(sites))}
    covered = {path for path in covered if not path.is_symlink()}  # what it leads to was walked over, or is not shown
    for site in base.glob("lib*/python*/site-packages"):
        if str(site.resolve()) not in sites:
            covered.add(site.resolve())  # a Python's own packages, when we run in an environment without them
    outermost = tuple(sorted(path for path in covered if not any(parent in covered for parent in path.parents)))
    return Shown(python, system, tuple(trees), standard, sites, outermost)


def course_below(root: Path, sites: frozenset[str] = frozenset()) -> list[Path]:
    """The files and folders below a folder that are the course, or that a copy of it could hide in.

    Args:
        root: The folder to walk over; links are not followed, for what they lead to is walked over where it lies.
        sites: Folders of packages: the course's folders are covered in them, and never the folder itself.
    """
    found: list[Path] = []
    waiting = [str(root)]
    while waiting:
        folder = waiting.pop()
        folders, files = [], []
        try:
            with os.scandir(folder) as entries:
                for entry in entries:
                    # A link to a folder is a folder here: a development install may be one.
                    (folders if entry.is_dir() else files).append(entry)
        except OSError:
            continue  # nothing that we cannot list ourselves is shown to others
        names = {entry.name for entry in folders} | {entry.name for entry in files}
        if "rnncourse" in names and _is_course(Path(folder)):
            if folder in sites or folder == str(root):
                found += [Path(folder, name) for name in names & ({"rnncourse"} | CHECKOUT)]
            elif names & CHECKOUT:
                found.append(Path(folder))
                continue
            else:
                found.append(Path(folder, "rnncourse"))
        elif names >= REPOSITORY:
            found.append(Path(folder))
            continue
        notebooks = False
        for entry in files:
            if entry.name.endswith(".ipynb"):
                notebooks |= NOTEBOOK.fullmatch(entry.name) is not None
            elif entry.name.startswith("rnncourse") and ARCHIVE.fullmatch(entry.name):
                found.append(Path(entry.path))
        if notebooks and folder != str(root):
            found.append(Path(folder))
            continue
        waiting += [entry.path for entry in folders if entry.name != "__pycache__" and not entry.is_symlink()]
    return found


def hidden_in_package(package: Path = PACKAGE) -> list[Path]:
    """The folders of the package that hold questions, solutions or chapters, at any depth."""
    found = []
    for folder, folders, _ in os.walk(package):
        found += [Path(folder, name) for name in folders if name in HIDDEN]
        folders[:] = [name for name in folders if name not in HIDDEN and name != "__pycache__"]
    return sorted(found)


def _is_course(folder: Path) -> bool:
    package = folder / "rnncourse"
    return any((package / name).exists() for name in ("grading", "chapters", "_course"))


def _is_site(path: str) -> bool:
    return os.path.basename(path.rstrip("/")) in ("site-packages", "dist-packages")
