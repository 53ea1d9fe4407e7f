"""Who handed in what: learners and their notebooks, found in a folder that holds other people's files.

Two layouts are understood: a folder for each learner, and a file for each learner. The names that Canvas and Moodle
give to what one downloads from them are taken apart, so that grades find their way back. Links are not followed,
hidden files are not looked at, and no file is opened here.
"""

import os
import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from rnncourse.grading.names import visible

__all__ = ["Learner", "course_copy", "find_learners", "notebooks_below"]

MOST_ENTRIES = 5000  # looked at in one learner's folder
MOST_NOTEBOOKS = 20  # graded for one learner
DEEPEST = 6

CANVAS = re.compile(r"(?P<who>[^_]+)_(?:LATE_)?(?P<id>\d+)_\d+_(?P<file>.+)", re.DOTALL)
MOODLE = re.compile(r"(?P<who>.+)_(?P<id>\d+)_assignsubmission_file_(?P<file>.*)", re.DOTALL)


@dataclass
class Learner:
    """One learner and what was handed in.

    Args:
        name: What tells this learner from others: the folder's or the file's name, or the part of it that is a name.
        number: How a learning platform numbers the learner, where the name of the download says so.
        platform: Which one, "canvas" or "moodle".
        notebooks: The files to grade.
        trouble: Why there is nothing to grade, in words.
    """

    name: str
    number: str = ""
    platform: str = ""
    notebooks: tuple[Path, ...] = ()
    trouble: str = ""

    def file_name(self, path: Path) -> str:
        """The name that the learner gave to a notebook, without what a platform put in front."""
        for pattern in (CANVAS, MOODLE):
            if match := pattern.fullmatch(path.name):
                return match["file"]
        return path.name.removeprefix(f"{self.name}_")


def course_copy(path: Path) -> bool:
    """Whether this is a newer version that ``rnncourse start`` brought along, and not a learner's notebook."""
    newer = any(re.fullmatch(r"newer-\d[\w.]*", part) for part in path.parts[-3:-1])
    return newer or re.search(r"_course-\d[\w.]*$", path.stem) is not None  # its older place


def find_learners(folder: Path, chapter: int | None = None) -> list[Learner]:
    """The learners of a class, by name.

    Args:
        folder: What they handed in.
        chapter: Of a learner who handed in several chapters, only this one's notebooks.

    Raises:
        ValueError: If the folder cannot be read, or is no class's.
    """
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError as error:
        raise ValueError(f"{visible(folder)} cannot be read ({error.strerror})") from None
    found: dict[tuple[str, str], Learner] = {}
    for entry in entries:
        if entry.name.startswith(".") or entry.name == "__MACOSX":
            continue
        path = Path(folder, entry.name)
        if entry.is_dir(follow_symlinks=False):
            name, number, platform = _who(entry.name, is_file=False)
            notebooks, trouble = notebooks_below(path, chapter)
        elif entry.name.lower().endswith(".ipynb"):
            name, number, platform = _who(entry.name, is_file=True)
            linked = entry.is_symlink()
            notebooks, trouble = (() if linked else (path,)), ("the notebook is a link to another file" * linked)
        else:
            continue
        learner = found.setdefault((name, number), Learner(name, number, platform))
        learner.notebooks += tuple(notebooks)
        learner.trouble = learner.trouble or trouble
    learners = list(found.values())
    if learners and all(re.match(r"\d\d_", learner.name) for learner in learners):
        raise ValueError(
            f"{visible(folder)} holds notebooks named after chapters, not after learners; name the notebooks "
            f"themselves: rnncourse grade {visible(folder)}/*.ipynb"
        )
    return learners


def _who(name: str, is_file: bool) -> tuple[str, str, str]:
    """The learner's name, a platform's number for the learner and the platform, from a folder's or file's name."""
    stem = name[: -len(".ipynb")] if is_file else name
    exercises = "|".join(_exercises()) if is_file else ""
    if exercises and (own := re.fullmatch(f"(?P<who>.+?)_(?:{exercises})", stem, re.DOTALL)):
        stem = own["who"]
    if match := MOODLE.fullmatch(name):
        return match["who"], match["id"], "moodle"
    if is_file and (match := CANVAS.fullmatch(name)):
        return match["who"], match["id"], "canvas"
    return stem, "", ""


@lru_cache(maxsize=1)
def _exercises() -> tuple[str, ...]:
    """The stems of the course's exercises: ``ada_02_vanilla_rnn`` is Ada's, and any other name is a name as a whole."""
    from rnncourse.folders import course_root

    return tuple(re.escape(path.stem) for path in sorted((course_root() / "exercises").glob("[0-9][0-9]_*.ipynb")))


def notebooks_below(folder: Path, chapter: int | None) -> tuple[tuple[Path, ...], str]:
    """The notebooks below a learner's folder, or why there are none to grade."""
    found: list[Path] = []
    links = looked = 0
    waiting = [(folder, 0)]
    while waiting:
        here, depth = waiting.pop()
        try:
            with os.scandir(here) as entries:
                for entry in entries:
                    looked += 1
                    if looked > MOST_ENTRIES:
                        return (), f"the folder holds more than {MOST_ENTRIES} files"
                    if entry.name.startswith(".") or entry.name == "__MACOSX":
                        continue
                    if entry.is_dir(follow_symlinks=False):
                        if depth < DEEPEST:
                            waiting.append((Path(entry.path), depth + 1))
                    elif entry.name.lower().endswith(".ipynb"):
                        links += entry.is_symlink()
                        found += [] if entry.is_symlink() else [Path(entry.path)]
        except OSError as error:
            return (), f"the folder cannot be read ({error.strerror})"
    found = [path for path in found if not course_copy(path)]
    # Who hands in a whole folder that `rnncourse start` laid out has the chapters in it, too.
    found = [path for path in found if "exercises" in path.relative_to(folder).parts[:-1]] or found
    if chapter is not None:
        found = [path for path in found if path.name.startswith(f"{chapter:02d}_")] or found
    if len(found) > MOST_NOTEBOOKS:
        return (), f"there are {len(found)} notebooks, and {MOST_NOTEBOOKS} are the most that one learner hands in"
    if not found:
        return (), "the notebook is a link to another file" if links else "there is no notebook"
    return tuple(sorted(found)), ""
