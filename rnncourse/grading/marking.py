"""From a learner's answers to points and words: the same code for the self-check and for the graded run.

Marking sees values only. Each case's answer is compared with the reference on the same inputs; if it is wrong, every
named wrong answer is computed on these inputs too, and the one that the learner's answers coincide with is the
mistake that was made. A question with many right answers is marked by what its judge says about the values
(:mod:`rnncourse.grading.judging`): its sentences are compared instead of the values.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch

from rnncourse.grading.comparison import difference
from rnncourse.grading.judging import verdicts
from rnncourse.grading.spec import Question, Wrong
from rnncourse.grading.wire import plain

__all__ = ["Failure", "Mark", "answer_all", "mark", "recognise"]


@dataclass(frozen=True)
class Failure:
    """There is no answer to a case, and why: an exception, a time limit, a missing function."""

    message: str


@dataclass
class Mark:
    """What one question earned.

    Args:
        question: The question's id.
        title: The question's title.
        points: What was earned, from 0 to ``out_of``.
        out_of: What the question is worth.
        problems: Case label → what was wrong there, in words. Empty when all is right.
        mistake: Name of the recognised wrong answer, if any.
        hint: The hint that belongs to the mistake, else the first that fits; empty when all is right.
        earned: Names of the parts (or cases) that were right when there is partial credit.
        message: One line that sums it up.
        answered: Whether there was an answer to any case.
        note: For a human: something to look at that did not change the points.
    """

    question: str
    title: str
    points: float
    out_of: float
    problems: dict[str, str] = field(default_factory=dict)
    mistake: str = ""
    hint: str = ""
    earned: tuple[str, ...] = ()
    message: str = ""
    answered: bool = True
    note: str = ""

    @property
    def full(self) -> bool:
        """Whether every point was earned."""
        return self.points == self.out_of

    @property
    def verdict(self) -> str:
        """One or two words: right, known mistake, partly right, wrong, no answer."""
        if self.full:
            return "right"
        if self.mistake:
            return "known mistake"
        return "partly right" if self.points else "wrong" if self.answered else "no answer"


def mark(question: Question, answers: Mapping[str, Any], seed: int) -> Mark:
    """Marks the answers to one question.

    Args:
        question: The specification.
        answers: Case label → the answer to that case, or a :class:`Failure`. A missing case counts as failed.
        seed: The seed that the inputs were drawn from.

    Returns:
        Points, problems in words, and the recognised mistake with its hint.
    """
    inputs = question.inputs(seed)
    # Reports name the cases in the order they are written in, not in the one that they were asked in.
    answers = {label: answers.get(label, Failure("there was no answer")) for label in question.cases}
    answers = {label: _judged(question, inputs[label], answer) for label, answer in answers.items()}
    expected = {label: _expected(question, inputs[label]) for label in inputs}
    problems = {}
    for label, answer in answers.items():
        if isinstance(answer, Failure):
            problems[label] = answer.message
        elif problem := _problem(question, expected[label], answer):
            problems[label] = problem
    result = Mark(question.id, question.title, 0.0, question.points, problems)
    result.answered = any(not isinstance(answer, Failure) for answer in answers.values())
    if not problems:
        result.points = question.points
        result.message = "right"
        return result
    result.earned, share = _credit(question, expected, answers, problems)
    result.points = round(question.points * share, 2)
    wrong = recognise(question, inputs, expected, answers)
    if wrong is not None:
        result.mistake, result.hint = wrong.name, wrong.hint
        result.message = f"known mistake: {wrong.name}"
    else:
        result.hint = question.hints_for(result.earned)[0]
        label, problem = next(iter(problems.items()))
        result.message = f"{label}: {problem}" if len(inputs) > 1 and len(set(problems.values())) > 1 else problem
    return result


def _expected(question: Question, arguments: tuple) -> Any:
    """The right answer to a case; from a judge, that there is nothing to say: whatever else it says is no full mark."""
    if question.judge is not None:
        return ("",) * len(question.parts)
    return _ask(question, question.reference, arguments)


def answer_all(question: Question, inputs: Mapping[str, tuple]) -> None:
    """Answers every case with the reference, which raises what the reference raises: is there an answer at all?"""
    for arguments in inputs.values():
        with torch.no_grad():
            question.reference(*plain(arguments))


def _ask(question: Question, function: Callable[..., Any], arguments: tuple) -> Any:
    """The answer of one of our own functions, on a copy of the inputs, so that no case can spoil another."""
    with torch.no_grad():
        return _judged(question, arguments, plain(function(*plain(arguments))))


def _judged(question: Question, arguments: tuple, answer: Any) -> Any:
    """What is compared: the answer itself, or what the question's judge says about each part of it."""
    if question.judge is None or isinstance(answer, Failure):
        return answer
    return verdicts(question, arguments, answer)


def _problem(question: Question, expected: Any, answer: Any) -> str | None:
    """What is wrong with an answer to one case, in words, or None."""
    problem = difference(expected, answer, question.tolerance, parts=question.parts)
    if problem is None or question.judge is None:
        return problem
    if len(set(answer)) == 1:
        return answer[0]
    return "; ".join(f"{part}: {said}" for part, said in zip(question.parts, answer, strict=True) if said)


def _credit(
    question: Question, expected: Mapping[str, Any], answers: Mapping[str, Any], problems: Mapping[str, str]
) -> tuple[tuple[str, ...], float]:
    """The names of what was right, and the share of the points that it is worth."""
    if question.credit_cases:
        right = tuple(label for label in expected if label not in problems)
        return right, len(right) / len(expected)
    if not question.parts:
        return (), 0.0

    def part_is_right(index: int) -> bool:
        for label, answer in answers.items():
            if not isinstance(answer, tuple | list) or len(answer) != len(question.parts):
                return False
            if difference(expected[label][index], answer[index], question.tolerance):
                return False
        return True

    right = tuple(part for index, part in enumerate(question.parts) if part_is_right(index))
    return right, len(right) / len(question.parts)


def recognise(question: Question, inputs: Mapping[str, tuple], expected: Mapping[str, Any], answers: Mapping[str, Any]):
    """The named wrong answer that these answers coincide with, or None.

    It has to coincide in every case that has an answer, and to differ from the reference in at least one of them:
    otherwise nothing tells the mistake from the right answer.
    """
    answered = [label for label, answer in answers.items() if not isinstance(answer, Failure)]
    for wrong in question.wrong:
        try:
            if _coincides(question, wrong, inputs, expected, {label: answers[label] for label in answered}):
                return wrong
        except Exception:  # a mistake that cannot be made with these inputs (a singular matrix) was not made
            continue
    return None


def _coincides(question: Question, wrong: Wrong, inputs: Mapping, expected: Mapping, answers: Mapping) -> bool:
    separates = False
    for label, answer in answers.items():
        value = _ask(question, wrong.answer, inputs[label])
        if difference(value, answer, question.tolerance):
            return False
        separates |= difference(expected[label], value, question.tolerance) is not None
    return separates
