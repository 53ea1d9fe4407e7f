"""Questions with many right answers: what a judge sees of an answer, and for how long.

A judge is ours, an answer is a stranger's. It arrives here as plain values (:mod:`rnncourse.grading.wire`); before the
judge sees it, it is refused if it holds numbers that are not finite, or more of anything than such a question asks for,
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
MOST_CHARACTERS = 10_000
MOST_AXES = 8
LARGEST_INTEGER = 2**63
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
    except Exception as error:  # the value came through the pipe; that it cannot even be looked at is its own fault
        refused = f"an answer that cannot be read ({type(error).__name__})"
    if refused:
        return (refused,) * len(question.parts)
    thread = threading.Thread(target=judge, daemon=True)
    thread.start()
    thread.join(seconds)
    return said[0] if said else (f"trying the answer out took longer than {seconds:g} s",) * len(question.parts)


def _refusal(value: Any) -> str:
    """Why no judge should see this value, or nothing."""
    leaves = list(_leaves(value))
    if sum(leaf.numel() if isinstance(leaf, Tensor) else 1 for leaf in leaves) > MOST_NUMBERS:
        return f"more than {MOST_NUMBERS} numbers; fewer will do"
    if sum(len(leaf) for leaf in leaves if isinstance(leaf, str)) > MOST_CHARACTERS:
        return f"more than {MOST_CHARACTERS} characters; fewer will do"
    for leaf in leaves:
        if isinstance(leaf, Tensor):
            if leaf.dim() > MOST_AXES or max(leaf.shape, default=0) > MOST_NUMBERS:
                return f"a tensor of {leaf.dim()} axes or of more than {MOST_NUMBERS} rows; fewer will do"
            if leaf.is_floating_point() and not bool(torch.isfinite(leaf.to(torch.float64)).all()):
                return "a tensor with entries that are not finite numbers"
        elif isinstance(leaf, float) and not math.isfinite(leaf):
            return "a number that is not finite"
        elif type(leaf) is int and abs(leaf) >= LARGEST_INTEGER:
            return "an integer that no tensor can hold"
    return ""


def _leaves(value: Any):
    """All tensors, numbers and strings in a plain value."""
    if isinstance(value, tuple | list):
        for item in value:
            yield from _leaves(item)
    elif isinstance(value, dict):
        yield from _leaves([*value, *value.values()])
    elif isinstance(value, Tensor | bool | int | float | str):
        yield value
