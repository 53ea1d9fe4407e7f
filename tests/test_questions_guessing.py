"""No point of the course without the skill: what a question earns who guesses, counts, or leaves something out.

Where a question has parts, a part is earned when it is right in every case, whatever the others are; so a mistake that
has nothing to do with a part earns it, rightly, every time. What there may not be is a part that a wrong formula earns
by luck: it is right always, or on less than a tenth of the seeds. A formula that does not even look at the question
earns less than a tenth of all points, and the reference without one of its arguments less than a tenth of those that
hang on the argument.
"""

from collections import Counter
from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch

from rnncourse.chapters import all_questions
from rnncourse.grading.comparison import difference
from rnncourse.grading.judging import verdicts
from rnncourse.grading.spec import Question
from rnncourse.grading.wire import plain
from tests.guessing import Call, best_rule, easily_seen, readable

MOST = 0.1
SEEDS = 30
QUESTIONS = all_questions()


class Asked(NamedTuple):
    """One call: its arguments, the right answer, and the right answer to the call before."""

    arguments: tuple
    expected: Any
    before: Any


every_question = pytest.mark.parametrize("key", QUESTIONS)
with_one_answer = pytest.mark.parametrize("key", [key for key, question in QUESTIONS.items() if question.judge is None])


def ask(function: Callable, arguments: tuple) -> Any:
    with torch.no_grad():
        return plain(function(*plain(arguments)))


@cache
def asked(key: str, seed: int) -> tuple[Asked, ...]:
    """What a question asks from one seed, in the order of the calls."""
    calls, before = [], None
    for arguments in QUESTIONS[key].inputs(seed).values():
        expected = ask(QUESTIONS[key].reference, arguments)
        calls.append(Asked(arguments, expected, before))
        before = expected
    return tuple(calls)


def parts_of(question: Question, answer: Any) -> tuple:
    return tuple(answer) if question.parts else (answer,)


def right(question: Question, call: Asked, given: Any) -> np.ndarray:
    """Which parts of the answer to one call are right."""
    if question.judge is not None:
        return np.array([not said for said in verdicts(question, call.arguments, given)])
    wanted = parts_of(question, call.expected)
    if question.parts and not (isinstance(given, tuple | list) and len(given) == len(wanted)):
        return np.zeros(len(wanted), dtype=bool)
    pairs = zip(wanted, parts_of(question, given), strict=True)
    return np.array([difference(e, g, question.tolerance) is None for e, g in pairs])


def earned(key: str, formula: Callable[[Asked], Any]) -> np.ndarray:
    """How often a formula earns each part. Judges try answers out, which takes long, and are asked on fewer seeds."""
    question, rows = QUESTIONS[key], []
    for seed in range(SEEDS if question.judge is None else 10):
        row = np.ones(len(question.parts) or 1, dtype=bool)
        for call in asked(key, seed):
            try:
                given = formula(call)
            except Exception:  # a formula that breaks off answers nothing
                given = None
            row &= right(question, call, given)
            if not row.any():
                break
        rows.append(row)
    return np.mean(rows, axis=0)


def filled(value: Any, number: float) -> Any:
    """The same sizes, every entry the same number."""
    if isinstance(value, torch.Tensor):
        return torch.full_like(value, number)
    if isinstance(value, tuple | list):
        return tuple(filled(item, number) for item in value)
    return type(value)(number) if isinstance(value, int | float) else value


def noise(value: Any) -> Any:
    """The same sizes, and the same Gaussian numbers whatever is asked."""
    if isinstance(value, tuple | list):
        return tuple(map(noise, value))
    if not isinstance(value, torch.Tensor):
        return filled(value, 1)
    return torch.randn(value.shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64).to(value.dtype)


def elsewhere(value: Any) -> Any:
    """The same entries in other places; for a single number, another one."""
    if isinstance(value, torch.Tensor):
        return value.flatten().roll(1).view(value.shape) if value.numel() > 1 else value + 1
    if isinstance(value, tuple | list):
        return tuple(map(elsewhere, value))
    return not value if isinstance(value, bool) else value + 1 if isinstance(value, int | float) else value


def swapped(arguments: tuple, i: int, change: Callable[[Any], Any]) -> tuple:
    """The arguments with one of them changed."""
    return (*arguments[:i], change(arguments[i]), *arguments[i + 1 :])


@with_one_answer
def test_no_rule_that_looks_at_one_number_earns_a_tenth(key):
    question = QUESTIONS[key]
    places = [(seed, position, call) for seed in range(100) for position, call in enumerate(asked(key, seed))]
    best = []
    for part in range(len(question.parts) or 1):
        answers = [readable(parts_of(question, call.expected)[part]) for *_, call in places]
        if isinstance(answers[0], tuple) and len(set(answers)) == len(answers):
            best.append((0.0, "no tensor comes twice"))
        else:
            seen = [Call(seed, position, dict(easily_seen(call.arguments))) for seed, position, call in places]
            best.append(best_rule(seen, answers, last_of_training=49))
    assert np.mean([rate for rate, _ in best]) < MOST, best


@every_question
def test_no_named_mistake_earns_a_part_by_luck(key):
    for wrong in QUESTIONS[key].wrong:
        rates = earned(key, lambda call, wrong=wrong: ask(wrong.answer, call.arguments))
        assert not ((rates >= MOST) & (rates < 1)).any(), f"{wrong.name}: {rates}"


@every_question
def test_no_formula_that_ignores_the_question_earns_a_tenth(key):
    question = QUESTIONS[key]
    formulas = {f"all {number}": lambda call, number=number: filled(call.expected, number) for number in (0, 1, -1, 10)}
    formulas["fixed noise"] = lambda call: noise(call.expected)
    formulas["the parts in another order"] = lambda call: (*call.expected[1:], call.expected[0])
    if question.judge is None:
        formulas["the entries in other places"] = lambda call: elsewhere(call.expected)
        formulas["the answer to the call before"] = lambda call: call.before
        for i in range(len(asked(key, 0)[0].arguments)):
            repeats = len(question.parts)
            formulas[f"argument {i}"] = lambda call, i=i, n=repeats: (
                (call.arguments[i],) * n if n else call.arguments[i]
            )
    rates = {name: earned(key, formula) for name, formula in formulas.items()}
    best = np.max(list(rates.values()), axis=0)  # each part may be guessed in its own way
    assert best.mean() < MOST, {name: rate for name, rate in rates.items() if rate.any()}


@with_one_answer
def test_no_argument_can_be_taken_for_granted(key):
    reference, first = QUESTIONS[key].reference, asked(key, 0)[0].arguments

    def replaced(i: int, change: Callable[[Any], Any]) -> np.ndarray:
        return earned(key, lambda call: ask(reference, swapped(call.arguments, i, change)))

    for i, argument in enumerate(first):
        if isinstance(argument, int | float):
            usual = Counter(call.arguments[i] for seed in range(SEEDS) for call in asked(key, seed)).most_common(3)
            rates = [replaced(i, lambda old, value=value: value) for value, _ in usual]
            changed = replaced(i, lambda old: old + 1)
        else:
            rates = [changed := replaced(i, lambda old: filled(old, 0))]
        hangs_on_it = np.min([changed, *rates], axis=0) < 1
        worth = [rate[hangs_on_it].mean() if hangs_on_it.any() else 0.0 for rate in rates]  # of what hangs on it
        assert max(worth) < MOST, f"argument {i}: {rates}"


@pytest.mark.parametrize("key", [key for key, question in QUESTIONS.items() if question.kind == "function"])
def test_no_whole_number_can_be_read_off_its_place_or_the_other_arguments(key):
    """Who takes a count from the number of the call, or from another argument, instead of taking it earns nothing."""
    calls = [(seed, place, call.arguments) for seed in range(100) for place, call in enumerate(asked(key, seed))]
    for i, first in enumerate(calls[0][2]):
        if type(first) is int:
            seen = [Call(seed, place, dict(easily_seen((*a[:i], *a[i + 1 :])))) for seed, place, a in calls]
            rate, rule = best_rule(seen, [arguments[i] for *_, arguments in calls], last_of_training=49)
            assert rate < MOST, f"argument {i}: {rule}"
