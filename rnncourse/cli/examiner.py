"""The process that grades one notebook after another for ``rnncourse grade``: ``python -P -m rnncourse.cli.examiner``.

The engine's examiner (:mod:`rnncourse.grading.classes.examiner`) is handed the course's questions here.
"""

from collections.abc import Callable
from typing import Any

from rnncourse.grading.classes.examiner import serve
from rnncourse.grading.classes.jobs import do

__all__ = ["work"]


def work(job: dict[str, Any], say: Callable[[str], None] = lambda line: None) -> dict[str, Any]:
    """Grades a notebook on its chapter's questions, or on those that the job names.

    Args:
        job: What :func:`rnncourse.grading.classes.jobs.make_job` made.
        say: Called with a line before each cell.
    """
    from rnncourse.chapters import find_question
    from rnncourse.course import grade

    return do(job, grade, find_question, say)


if __name__ == "__main__":
    serve(work)
