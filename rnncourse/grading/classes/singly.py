"""Notebooks that somebody named one by one: graded like a class, and kept nowhere."""

import os
import secrets
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from rnncourse.grading.classes.jobs import Options, make_job, read_bytes
from rnncourse.grading.classes.pool import COMMAND, in_parallel
from rnncourse.grading.names import tell_apart, visible

__all__ = ["grade_notebooks"]


def grade_notebooks(
    paths: Sequence[Path],
    options: Options,
    seed: int | None,
    workers: int,
    say: Callable[[str], None],
    command: Sequence[str] = COMMAND,
) -> Iterator[tuple[Path, str, dict[str, Any]]]:
    """Grades notebooks that somebody named one by one; yields path, what to call it, and the answer, as they come.

    Args:
        paths: The notebooks; one that is named twice is graded once.
        options: Limits and walls.
        seed: For the inputs of each; fresh ones by default.
        workers: How many at a time.
        say: Called with lines of progress.
        command: What starts an examiner.
    """
    from rnncourse.grading.notebook import FILE_LIMIT

    paths = list(dict.fromkeys(paths))
    count = Counter(path.name for path in paths)
    labels = tell_apart(path.name if count[path.name] == 1 else str(path) for path in paths)

    def job(path: Path, label: str) -> dict[str, Any]:
        if path.is_dir():
            raise ValueError(f"{visible(path)} is a folder; name one folder alone to grade a class, or notebooks")
        if not os.path.lexists(path):
            raise ValueError(f"{visible(path)} does not exist")
        try:
            content = read_bytes(path, FILE_LIMIT, links=True)
        except ValueError as error:
            raise ValueError(f"{visible(path)}: {error}") from None
        say(label)
        return make_job(label, path.name, content, secrets.randbelow(2**31) if seed is None else seed, options)

    named = [(path, labels[path.name if count[path.name] == 1 else str(path)]) for path in paths]
    jobs = [((path, label), lambda path=path, label=label: job(path, label)) for path, label in named]
    for (path, label), answer in in_parallel(jobs, min(workers, len(jobs)), options.deadline, command=command, say=say):
        yield path, label, answer
