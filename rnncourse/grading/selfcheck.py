"""``rnncourse.check("2.1", rnn_step)``: a friendly look at an answer, inside the learner's own process.

It is advice, not a verdict: it runs wherever the learner's code runs, on inputs whose seed is public. The graded run
uses the same specifications on inputs of its own, in another process (see :mod:`rnncourse.grading`).
"""

import os
from collections import Counter
from collections.abc import Callable
from typing import Any

from rnncourse.grading.marking import Failure, Mark, mark
from rnncourse.grading.spec import Question
from rnncourse.grading.wire import WireError, plain

__all__ = ["PUBLIC_SEED", "check", "examine"]

PUBLIC_SEED = 20260

_failures: Counter[str] = Counter()  # of this session, for notebooks and scripts that have no progress file


def check(question_id: str, answer: Any, *, find: Callable[[str], Question]) -> None:
    """Checks an answer and prints what was found; never the right answer.

    Args:
        question_id: Such as "2.1".
        answer: The function (or the value) that the question asks for.
        find: Gives the question of an id; it is not called in a graded run.

    Raises:
        ValueError: If there is no such question.
    """
    if os.environ.get("RNNCOURSE_GRADING"):  # the questions are not in the sandbox; the graded run asks them itself
        print(f"{question_id}: the self-check is off during a graded run.")
        return
    from rnncourse.grading import progress

    question = find(question_id)
    result = examine(question, answer)
    _failures[question_id] = 0 if result.full else _failures[question_id] + 1
    failed = progress.record_check(result, question.chapter) or _failures[question_id]
    print(describe(result, question, hints=question.hints_for(result.earned)[: max(1, failed)]))


def examine(question: Question, answer: Any) -> Mark:
    """The mark behind :func:`check`, for those who want to look at it themselves."""
    answers: dict[str, Any] = {}
    for label, arguments in question.inputs(PUBLIC_SEED).items():
        if question.kind == "value":
            answers[label] = answer
        elif not callable(answer):
            answers[label] = Failure(
                f"check expects the function itself, `{question.name}` without brackets, got {type(answer).__name__}"
            )
        else:
            answers[label] = _call(answer, arguments)
    return mark(question, answers, PUBLIC_SEED)


def _call(function: Any, arguments: tuple) -> Any:
    try:
        return plain(function(*plain(arguments)))
    except NotImplementedError as error:
        if not error.args or str(error).startswith("Exercise"):
            return Failure("not written yet")
        return Failure(f"it raised NotImplementedError: {str(error)[:300]}")
    except WireError as error:
        return Failure(f"it returned {error}")
    except Exception as error:
        return Failure(f"it raised {type(error).__name__}: {str(error)[:300]}")


def describe(result: Mark, question: Question, hints: tuple[str, ...]) -> str:
    """The mark as lines of plain text; the hints are for a mistake that has no name."""
    cases = len(question.cases)
    head = f"{question.id} {question.title}:"
    if result.full:
        where = "" if cases == 1 else f" in all {cases} cases"
        return f"{head} right{where}. ({result.out_of:g} points in a graded run)"
    lines = [f"{head} not yet."]
    by_problem: dict[str, list[str]] = {}
    for label, problem in result.problems.items():
        by_problem.setdefault(problem, []).append(label)
    for problem, labels in by_problem.items():
        where = "" if cases == 1 else ("in every case: " if len(labels) == cases else f"{', '.join(labels)}: ")
        lines.append(f"  - {where}{problem}")
    if result.earned:
        lines.append(f"  - right already: {', '.join(result.earned)}")
    if result.mistake:
        lines.append(f"  Known mistake: {result.mistake}. {result.hint}")
    else:
        lines += [f"  Hint: {hint}" for hint in hints]
    return "\n".join(lines)
