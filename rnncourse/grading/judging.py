"""Questions with many right answers: what a judge sees of an answer, and for how long.

A judge is ours, an answer is a stranger's. It arrives here as plain values (:mod:`rnncourse.grading.wire`); before the
judge sees it, it is refused if it holds numbers that are not finite or more of them than any such question asks for,
and the judge has a time limit besides, in a thread that is left behind if it is over.
"""

import math
import threading
from typing import Any

import torch
from torch import Tensor

from rnncourse.grading.spec import Question
from rnncourse.grading.wire import WireError, plain

__all__ = ["JUDGE_SECONDS", "verdicts"]

MOST_NUMBERS = 100_000
JUDGE_SECONDS = 5.0


def verdicts(question: Question, arguments: tuple, answer: Any, *, seconds: float = JUDGE_SECONDS) -> tuple[str, ...]:
    """What a question's judge says about each part of an answer.

    Args:
        question: A question with a judge.
        arguments: The case's inputs.
        answer: What the learner's function returned for them.
        seconds: How long the judge may take.

    Returns:
        One sentence for each of the question's parts, empty where it is right. What the judge cannot read, in whatever
        way, is not a right answer.
    """
    said: list[tuple[str, ...]] = []

    def judge() -> None:
        try:
            with torch.no_grad():
                said.append(question.judge(value, *plain(arguments)))
        except Exception:  # a stranger's answer can be anything
            said.append(("an answer of another form than was asked for",) * len(question.parts))

    try:
        value = plain(answer)
        refused = "it returned None: is there a `return`?" if value is None else _refusal(value)
    except WireError as error:
        refused = f"it returned {error}"
    if refused:
        return (refused,) * len(question.parts)
    thread = threading.Thread(target=judge, daemon=True)
    thread.start()
    thread.join(seconds)
    return said[0] if said else (f"trying the answer out took longer than {seconds:g} s",) * len(question.parts)


def _refusal(value: Any) -> str:
    """Why no judge should see this value, or nothing."""
    numbers = list(_numbers(value))
    if sum(number.numel() if isinstance(number, Tensor) else 1 for number in numbers) > MOST_NUMBERS:
        return f"more than {MOST_NUMBERS} numbers; fewer will do"
    for number in numbers:
        if isinstance(number, Tensor):
            if number.is_floating_point() and not bool(torch.isfinite(number.to(torch.float64)).all()):
                return "a tensor with entries that are not finite numbers"
        elif isinstance(number, float) and not math.isfinite(number):
            return "a number that is not finite"
    return ""


def _numbers(value: Any):
    """All tensors and numbers in a plain value."""
    if isinstance(value, tuple | list):
        for item in value:
            yield from _numbers(item)
    elif isinstance(value, dict):
        yield from _numbers(list(value.values()))
    elif isinstance(value, Tensor | bool | int | float):
        yield value
