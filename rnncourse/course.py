"""The course as a learner meets it: the grading engine, handed the questions of the chapters.

The engine (:mod:`rnncourse.grading`) knows no chapter, and the chapters know no sandbox; here they meet. In a graded
run the chapters are hidden from the process of the notebook, so they are imported only when a question is asked for.
"""

from pathlib import Path
from typing import Any

__all__ = ["check", "grade"]


def check(question_id: str, answer: Any) -> None:
    """Checks an answer and prints what was found; never the right answer.

    Args:
        question_id: Such as "2.1".
        answer: The function (or the value) that the question asks for.

    Raises:
        ValueError: If there is no such question.
    """
    from rnncourse.grading import selfcheck

    def find(question_id: str):
        from rnncourse.chapters import find_question

        return find_question(question_id)

    selfcheck.check(question_id, answer, find=find)


def grade(path: str | Path, **options: Any):
    """Grades one notebook on its chapter's questions.

    Args:
        path: The notebook.
        **options: Those of :func:`rnncourse.grading.grader.grade`; ``questions`` asks others than the chapter's.

    Returns:
        The :class:`~rnncourse.grading.grader.GradeReport`.

    Raises:
        ValueError: As :func:`rnncourse.grading.grader.grade` does.
    """
    from rnncourse.chapters import chapter_questions
    from rnncourse.grading import grader

    return grader.grade(path, **{"questions": chapter_questions, **options})
