"""``rnncourse start``: a folder to learn in, laid out without ever writing over what somebody made there."""

import hashlib
import platform
import shutil
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Protocol

from rnncourse.grading import progress
from rnncourse.version import __version__

__all__ = ["Line", "check_installation", "lay_out"]

# In the course → in the learner's folder.
LAYOUT = {"book": "chapters", "book/deeper": "chapters/deeper", "exercises": "exercises"}


@dataclass(frozen=True)
class Line:
    """One line of the installation check: is it there, what is it, and (where it is not) what to do."""

    ok: bool
    what: str
    needed: bool = True

    def __str__(self) -> str:
        return f"  {'ok' if self.ok else 'no' if self.needed else '--'}  {self.what}"


def lay_out(folder: Path, root: Path) -> list[str]:
    """Copies the notebooks that are not there yet, and replaces those that nobody touched since they were copied.

    A notebook that differs from what was laid out is the learner's; when the course has a newer version of it, the new
    one is put into a folder of its own, so that whatever reads ``exercises`` reads what the learner wrote.

    Args:
        folder: The learner's folder; made when missing.
        root: The course's folder, which holds ``book`` and ``exercises``.

    Returns:
        What was done, a line each.

    Raises:
        ValueError: If the folder cannot be used, saying why.
    """
    if folder.exists() and not folder.is_dir():
        raise ValueError(f"{folder} is a file; name a folder")
    if folder.resolve() in (root.resolve(), *root.resolve().parents):
        raise ValueError(f"{folder} holds the course itself; name a folder of its own, such as my-course")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        path = progress.create(folder, __version__)
        content = progress.read(path)
        laid = content.setdefault("files", {})
        counts = {"new": 0, "updated": 0, "kept": 0}
        beside = []
        for source_name, target_name in LAYOUT.items():
            sources = sorted((root / source_name).glob("[0-9][0-9]_*.ipynb"))
            if sources or "/" not in target_name:
                (folder / target_name).mkdir(exist_ok=True)
            for source in sources:
                target = folder / target_name / source.name
                key, now = f"{target_name}/{source.name}", _digest(source)
                if not target.exists():
                    counts["new"] += 1
                elif _digest(target) == now or laid.get(key) == now:
                    counts["kept"] += 1
                    continue
                elif _digest(target) == laid.get(key):
                    counts["updated"] += 1
                else:  # the learner's work, and the course has moved on
                    counts["kept"] += 1
                    target = folder / f"newer-{__version__}" / target_name / source.name
                    if target.exists():
                        continue
                    target.parent.mkdir(parents=True, exist_ok=True)
                    beside.append(str(target.relative_to(folder)))
                    shutil.copyfile(source, target)
                    continue
                shutil.copyfile(source, target)
                laid[key] = now
        content["course"] = __version__
        progress.write(path, content)
    except OSError as error:
        raise ValueError(f"{folder} cannot be written to ({error.strerror})") from None
    said = [
        f"{counts['new']} notebooks laid out, {counts['updated']} brought up to date, {counts['kept']} left as they are"
    ]
    return said + [f"yours was kept; the newer version is {name}" for name in beside]


class Verified(Protocol):
    """What came of looking at a data set: its name, whether its bytes are its card's, and what is wrong."""

    name: str
    ok: bool
    detail: str


def check_installation(verify: Callable[[], Iterable[Verified]]) -> list[Line]:
    """Python, torch, the data sets, JupyterLab and the sandbox: one line each.

    Args:
        verify: Reads every data set and holds it against its hash.
    """
    from rnncourse.grading.walls.sandbox import find_sandbox

    lines = [Line(sys.version_info >= (3, 11), f"Python {platform.python_version()} (3.11 or newer is needed)")]
    lines.append(_torch())
    lines.append(_data(verify))
    lab = _version("jupyterlab")
    lines.append(
        Line(bool(lab), f"JupyterLab {lab}" if lab else 'JupyterLab is missing: pip install "rnncourse[learn]"')
    )
    bwrap, reason = find_sandbox()
    without = "" if bwrap else "; your own notebooks can be graded with --own"
    lines.append(Line(bwrap is not None, f"sandbox: {reason}{without}", needed=False))
    return lines


def _torch() -> Line:
    try:
        import torch

        total = float(torch.arange(4.0).sum())
        return Line(total == 6.0, f"torch {torch.__version__}")
    except Exception as error:  # a broken installation raises all sorts of things
        return Line(False, f"torch cannot be used ({type(error).__name__}: {str(error).splitlines()[0][:100]})")


def _data(verify: Callable[[], Iterable[Verified]]) -> Line:
    checks = list(verify())
    wrong = [check for check in checks if not check.ok]
    if not wrong:
        return Line(True, f"data: all {len(checks)} sets are what their cards say")
    names = ", ".join(check.name for check in wrong)
    return Line(False, f'data: {names}: {wrong[0].detail} (all of it: pip install "rnncourse[data]")')


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return ""


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:16]
