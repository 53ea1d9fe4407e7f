"""Where the course lies on this machine."""

import os
from pathlib import Path

__all__ = ["course_root"]


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
