"""Where the course lies on this machine."""

import os
from pathlib import Path

__all__ = ["course_root", "is_wheel", "require_checkout"]


def course_root() -> Path:
    """Returns the folder that holds ``book`` and ``exercises``.

    It is the folder that the environment variable ``RNNCOURSE_ROOT`` names, or the copy inside an installed wheel, or
    the checkout that the package was imported from.

    Returns:
        An existing folder with a folder ``book`` in it.

    Raises:
        ValueError: If there is none; the message says what to do.
    """
    named = os.environ.get("RNNCOURSE_ROOT")
    here = Path(__file__).parent
    candidates = [Path(named)] if named else [here / "_course", here.parent]
    for folder in candidates:
        if (folder / "book").is_dir():
            return folder.resolve()
    if named:
        raise ValueError(f"RNNCOURSE_ROOT is {named!r}; it should be a folder that has a folder 'book' in it")
    raise ValueError("the course's notebooks are not here; clone the repository and install it with: pip install -e .")


def is_wheel(root: Path) -> bool:
    """Returns whether a course's folder is the one inside an installed wheel, which belongs to pip."""
    return root.name == "_course"


def require_checkout(command: str, instead: str = "") -> Path:
    """Returns the course's folder, for a command that writes into it.

    Args:
        command: What was typed, such as "rnncourse ledger".
        instead: What a learner may have meant.

    Raises:
        ValueError: If the course comes from a wheel, where nothing may be written.
    """
    root = course_root()
    if is_wheel(root):
        also = f"; {instead}" if instead else ""
        raise ValueError(
            f"{command} is for maintainers: it writes into the course's own files, and these came with pip. "
            f"Clone the repository for it{also}"
        )
    return root
