"""Question 12.6: a linear recurrence that counts modulo two, its factors set by hand."""

import torch
from torch import Tensor

from rnncourse.grading.spec import Question, Wrong


def parity_recurrence(odd: float, even: float) -> Tensor:
    """A table of three rows, (factor, summand): the start (unused factor, h_0), the bit 0, and the bit 1."""
    return torch.tensor([[1.0, even], [1.0, 0.0], [-1.0, odd + even]])


def _unfit(answer) -> str:
    if not isinstance(answer, Tensor) or not answer.is_floating_point() or tuple(answer.shape) != (3, 2):
        return "expected a floating-point tensor of the shape (3, 2)"
    if not bool(torch.isfinite(answer).all()) or answer[1:, 0].abs().max() > 1:
        return "expected finite numbers, and no factor beyond ±1"
    return ""


def _states(answer: Tensor, bits: list[int]) -> list[float]:
    h, states = float(answer[0, 1]), []
    for bit in bits:
        h = float(answer[1 + bit, 0]) * h + float(answer[1 + bit, 1])
        states.append(h)
    return states


def _few_ones(answer: Tensor, odd: float, even: float, close: float) -> str:
    """What is wrong with the states after one, two and three ones; nothing, if they are right."""
    for count, h, wanted in zip(("one", "two", "three"), _states(answer, [1, 1, 1]), (odd, even, odd), strict=True):
        if not abs(h - wanted) <= close:
            other = odd + even - wanted
            where = "the other one" if abs(h - other) <= close else "neither of the two"
            return f"after {count} ones the state is not the value it should be but {where}"
    return ""


def judge_parity(answer, odd: float, even: float) -> tuple[str, ...]:
    if problem := _unfit(answer):
        return (problem,) * 3
    answer = answer.to(torch.float64)
    close = 0.01 * abs(odd - even)

    def wrong(bits: list[int]) -> bool:
        ones = torch.tensor(bits).cumsum(0) % 2
        return any(
            not abs(h - (odd if one else even)) <= close
            for h, one in zip(_states(answer, bits), ones.tolist(), strict=True)
        )

    noughts = ""
    if not abs(float(answer[0, 1]) - even) <= close:
        noughts = "before the first bit the state is not the value for even"
    elif wrong([0] * 300):
        noughts = "a bit 0 should leave the state where it is"
    mixed = torch.randint(2, (2_000,), generator=torch.Generator().manual_seed(12)).tolist()
    lost = wrong(mixed) or wrong([1] * 2_001)
    return (
        noughts,
        _few_ones(answer, odd, even, close),
        "two thousand bits later the state does not tell odd from even" if lost else "",
    )


AUTOMATON = Question(
    id="12.6",
    title="Parity by hand",
    points=3,
    reference=parity_recurrence,
    judge=judge_parity,
    cases={
        "one and nought": lambda draw: (draw.number(0.8, 1.2), draw.number(-0.2, 0.2)),
        "two signs": lambda draw: (draw.number(0.5, 2.0), draw.number(-2.0, -0.5)),
        "far from nought": lambda draw: (draw.number(3.0, 4.0), draw.number(5.0, 7.0)),
    },
    parts=("noughts", "a few ones", "long strings"),
    wrong=(
        Wrong("ones are counted, not their parity", {"[-1.0, odd + even]": "[1.0, odd - even]"}).told(
            "That counts the ones: the second of them should take the state back. Which factor flips?"
        ),
        Wrong("the state is set to odd by every one", {"[-1.0, odd + even]": "[0.0, odd]"}).told(
            "After a one your state is odd whatever it was before. The second one should make it even again."
        ),
        Wrong("the flip is about nought", {"odd + even": "0.0"}).told(
            "A factor of −1 mirrors at nought. Where is the middle of the two values, and what has to be added?"
        ),
        Wrong("a nought forgets", {"[1.0, 0.0]": "[0.9, 0.0]"}).told(
            "A zero changes nothing: which factor keeps all of the state?"
        ),
        Wrong("nearly a flip", {"[-1.0, odd + even]": "[-0.995, 0.995 * even + odd]"}).told(
            "A few steps are right, but a factor of −0.995 loses a two-hundredth of the difference with every one."
        ),
        Wrong("starts odd", {"[[1.0, even]": "[[1.0, odd]"}).told(
            "Before any bit the number of ones is nought, and even."
        ),
    ),
    hints=(
        "Two equations: from even to odd, and from odd to even. They fix the factor and the summand of the bit 1.",
        "Subtract them: factor · (even − odd) = odd − even.",
    ),
)
