"""The chapters of the course, a room for each, and the questions that they ask.

A room is a package ``cNN_name``. Its module (or package) ``questions`` holds ``QUESTIONS``, a list of
:class:`~rnncourse.grading.spec.Question`; being here is all it takes to be found, and nothing here knows a chapter by
name. The graded run hides this folder from the learner's process.
"""

import importlib
import pkgutil
from collections.abc import Callable, Iterator
from functools import lru_cache
from importlib.util import find_spec
from types import ModuleType
from typing import Any

from rnncourse.grading import questions as not_moved_yet
from rnncourse.grading.spec import Question

__all__ = ["all_questions", "chapter_questions", "find_question", "worked_solutions"]


def _modules() -> Iterator[ModuleType]:
    """The modules of all rooms that hold questions."""
    for room in pkgutil.iter_modules(__path__, f"{__name__}."):
        if find_spec(f"{room.name}.questions"):
            yield importlib.import_module(f"{room.name}.questions")
    for module in pkgutil.iter_modules(not_moved_yet.__path__, f"{not_moved_yet.__name__}."):
        yield importlib.import_module(module.name)


@lru_cache(maxsize=1)
def all_questions() -> dict[str, Question]:
    """Every question by its id, in the order of the course.

    Raises:
        ValueError: If two questions share an id.
    """
    found: dict[str, Question] = {}
    for module in _modules():
        for question in module.QUESTIONS:
            if question.id in found:
                raise ValueError(f"question id {question.id!r} is used twice, the second time in {module.__name__}")
            found[question.id] = question
    return dict(sorted(found.items(), key=lambda item: tuple(map(int, item[0].split(".")))))


def chapter_questions(chapter: int) -> list[Question]:
    """The questions of one chapter, in order; an empty list for a chapter without any."""
    return [question for question in all_questions().values() if question.chapter == chapter]


def find_question(question_id: str) -> Question:
    """The question of this id.

    Raises:
        ValueError: If there is none, naming those that exist.
    """
    questions = all_questions()
    if question_id not in questions:
        raise ValueError(f"there is no question {question_id!r}; the course has {', '.join(questions)}")
    return questions[question_id]


def worked_solutions() -> dict[str, Callable[..., Any]]:
    """The function that solves each exercise, by its number: ``rnncourse exercises`` writes it into ``solutions/``."""
    return {
        question.id: question.reference
        for question in all_questions().values()
        if question.reference.__module__.startswith(f"{__name__}.")
    }
