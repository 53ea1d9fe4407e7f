"""The whole plain edition, written where it is handed out from."""

import shutil
from pathlib import Path

from rnncourse.folders import is_wheel
from rnncourse.notebooks.colab import pages_address, repository_address
from rnncourse.notebooks.files import DEEPER, notebook_files, read, to_text
from rnncourse.notebooks.plain.book import read_book
from rnncourse.notebooks.plain.notebook import plain_notebook

__all__ = ["learners_course", "write_edition"]

# In the course → in the learner's folder.
FOLDERS = {"book": "chapters", DEEPER: "chapters/deeper", "exercises": "exercises"}


def write_edition(root: Path, target: Path, *, online: bool = False) -> list[Path]:
    """Writes chapters and exercises in the plain edition, in folders of the same names as their sources'.

    Args:
        root: The course's folder, with sources.
        target: Where ``book`` and ``exercises`` are written.
        online: Whether each will be read alone.

    Returns:
        The files.

    Raises:
        NoPlainForm: If a notebook's text cannot be said plainly.
    """
    address = repository_address(root)
    book = read_book(root, pages_address(address), address)
    written = []
    for name, folder in FOLDERS.items():
        sources = notebook_files(root, (name,))
        if sources:
            (target / name).mkdir(parents=True, exist_ok=True)
        for source in sources:
            plain = plain_notebook(read(source), source.stem, book, folder=folder, online=online, root=root)
            path = target / name / source.name
            path.write_text(to_text(plain), encoding="utf-8", newline="\n")
            written.append(path)
    return written


def learners_course(root: Path) -> Path:
    """Returns the folder whose ``book`` and ``exercises`` are handed to a learner.

    A wheel carries the plain edition and nothing else. In a checkout it is generated anew.

    Args:
        root: The course's folder.
    """
    if is_wheel(root):
        return root
    target = root / "_build" / "plain"
    shutil.rmtree(target, ignore_errors=True)
    write_edition(root, target)
    return target
