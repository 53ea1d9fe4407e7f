"""Where reports go: refused before anything is graded if they could not be written, and written whole or not at all.

An output is never a notebook, whatever the command line says: a learner's file may be called ``--json=alice.ipynb``,
and a shell that expands ``*`` makes an option of it.
"""

import json
import os
import sys
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from rnncourse.grading.names import visible

__all__ = ["disguised", "ensure_folder", "ensure_writable", "print_json", "promises_json", "write"]


def disguised(words: Sequence[str]) -> str | None:
    """The first option of a command line that is also the name of a file here, or None.

    Nobody who means ``--unsafe`` has a file of that name; whoever typed ``*`` in a folder of submissions may.
    """
    for word in words:
        if word == "--":
            return None
        if len(word) > 1 and word.startswith("-") and os.path.lexists(word):
            return word
    return None


def ensure_writable(target: str | Path, notebooks: Iterable[Path] = ()) -> None:
    """Refuses an output file that cannot be written, or that would write over a notebook.

    Args:
        target: The file.
        notebooks: What is about to be graded.

    Raises:
        ValueError: Saying which file, and why not.
    """
    target = Path(target)
    shown = visible(target)
    if target.suffix.lower() == ".ipynb":
        raise ValueError(f"{shown} is the name of a notebook; a report is never written over one")
    if target.is_dir():
        raise ValueError(f"{shown} is a folder; name a file in it")
    if not target.parent.is_dir():
        raise ValueError(f"{visible(target.parent)} is not a folder, so {shown} cannot be written")
    for notebook in notebooks:
        if target.exists() and notebook.exists() and os.path.samefile(target, notebook):
            raise ValueError(f"{shown} is one of the files to grade; a report is never written over one")
    try:
        if _is_device(target):
            with open(target, "ab"):
                return
        if target.exists() and not os.access(target, os.W_OK):
            raise PermissionError(13, "Permission denied")
        handle, probe = tempfile.mkstemp(dir=target.parent, prefix=".rnncourse-")
        os.close(handle)
        os.unlink(probe)
    except OSError as error:
        raise ValueError(f"{shown} cannot be written ({error.strerror}); nothing was graded") from None


def ensure_folder(folder: Path) -> None:
    """Makes a folder for a class's reports, for nobody's eyes but one's own.

    Raises:
        ValueError: If there cannot be such a folder, or nothing can be written into it.
    """
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        handle, probe = tempfile.mkstemp(dir=folder, prefix=".rnncourse-")
        os.close(handle)
        os.unlink(probe)
    except OSError as error:
        raise ValueError(f"{visible(folder)} cannot be written to ({error.strerror}); nothing was graded") from None


def forget_halves(folder: Path) -> None:
    """Removes what :func:`write` had begun when it was killed; for whoever is alone in the folder."""
    for half in folder.glob("**/.rnncourse-????????"):
        if half.is_file() and not half.is_symlink():
            half.unlink()


def write(target: str | Path, text: str) -> None:
    """Replaces a file in one step, so that whoever reads it, or kills this process, never meets half of it."""
    target = Path(target)
    data = text.encode("utf-8", "backslashreplace")
    if _is_device(target):
        with open(target, "wb") as file:
            file.write(data)
        return
    handle, temporary = tempfile.mkstemp(dir=target.parent, prefix=".rnncourse-")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        os.chmod(temporary, 0o600)
        os.replace(temporary, target)
    except BaseException:
        os.unlink(temporary)
        raise


def _is_device(target: Path) -> bool:
    """Such as ``/dev/null`` or a pipe, which are written to and not replaced."""
    return target.exists() and not target.is_file()


def promises_json(words: Sequence[str]) -> bool:
    """Whether a command line asks for JSON on the standard output."""
    return "--json=-" in words or any(pair == ("--json", "-") for pair in zip(words, words[1:], strict=False))


def print_json(content: dict[str, Any]) -> None:
    """JSON on the standard output in ASCII, which every code page holds."""
    text = json.dumps(content, indent=1, ensure_ascii=True) + "\n"
    stream = getattr(sys.stdout, "buffer", None)
    if stream is None:
        sys.stdout.write(text)
    else:
        stream.write(text.encode("ascii"))
    sys.stdout.flush()
