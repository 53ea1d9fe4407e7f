"""Question 11.6: queries and keys of two numbers, set by hand, that read any place of a sequence."""

import torch
from torch import Tensor

from rnncourse.grading.spec import Question, Wrong


def addresses(length: int, shift: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Keys, and the queries that reverse, shift and read halfway between two places; each (length, 2)."""
    step = 2 * torch.pi / length
    places = torch.arange(length)

    def circle(where: Tensor, radius: float) -> Tensor:
        return radius * torch.stack([torch.cos(step * where), torch.sin(step * where)], dim=1)

    keys = circle(places, 30.0)
    return keys, circle(length - 1 - places, 30.0), circle((places + shift) % length, 30.0), circle(places + 0.5, 30.0)


def wanted(length: int, shift: int) -> tuple[Tensor, Tensor, Tensor]:
    """The weights that the three sets of queries should have."""
    one = torch.eye(length, dtype=torch.float64)
    return one.flip(0), one.roll(shift, 1), (one + one.roll(1, 1)) / 2


NAMES = ("keys", "the queries that reverse", "the queries that shift", "the queries halfway")


def judge_addresses(answer, length: int, shift: int) -> tuple[str, ...]:
    if not isinstance(answer, tuple | list) or len(answer) != 4:
        return ("expected four tensors: the keys, and three sets of queries",) * 3
    for name, rows in zip(NAMES, answer, strict=True):
        if not isinstance(rows, Tensor) or not rows.is_floating_point() or tuple(rows.shape) != (length, 2):
            return (f"{name}: expected real numbers of the shape {(length, 2)}",) * 3
        if not bool(torch.isfinite(rows).all()) or rows.abs().max() > 50:
            return (f"{name}: expected finite numbers, none beyond ±50",) * 3
    keys, *queries = (rows.to(torch.float64) for rows in answer)
    verdicts = []
    for name, rows, weights in zip(NAMES[1:], queries, wanted(length, shift), strict=True):
        off = float((torch.softmax(rows @ keys.T, dim=1) - weights).abs().max())
        verdicts.append("" if off <= 0.01 else f"{name}: a weight is off by {off:.2f}")
    return tuple(verdicts)


ADDRESSES = Question(
    id="11.6",
    title="Addresses by hand",
    points=3,
    reference=addresses,
    judge=judge_addresses,
    cases={
        "a short sequence": lambda draw: (length := draw.integer(5, 7), draw.integer(1, length - 2)),
        "a longer one": lambda draw: (length := draw.integer(8, 10), draw.integer(1, length - 2)),
        "a long one": lambda draw: (length := draw.integer(11, 13), draw.integer(1, length - 2)),
    },
    parts=("reversing", "shifting", "halfway"),
    wrong=(
        Wrong(
            "places on a line",
            {"[torch.cos(step * where), torch.sin(step * where)]": "[where / length, where * 0 + 1]"},
        ).told(
            "On a line a larger key wins for every query that points its way: only the ends can be read. On what "
            "curve does every point stick out in some direction?"
        ),
        Wrong(
            "vectors of length one",
            {
                "circle(places, 30.0)": "circle(places, 1.0)",
                "- places, 30.0": "- places, 1.0",
                "% length, 30.0": "% length, 1.0",
                "+ 0.5, 30.0": "+ 0.5, 1.0",
            },
        ).told("You look in the right directions, but the softmax is nearly flat. What makes it sharp?"),
        Wrong("shifted the other way", {"(places + shift)": "(places - shift)"}).told(
            "Output t should read place t + shift."
        ),
        Wrong("reversed one place off", {"length - 1 - places": "length - places"}).told(
            "Output 0 should read the last place, whose number is one less than the length."
        ),
        Wrong("halfway back", {"places + 0.5": "places - 0.5"}).told(
            "Output t should read places t and t + 1, half and half."
        ),
    ),
    hints=(
        "Think of directions: which two-dimensional vectors can each be the *most* like itself among all of them?",
        "On a circle, a query that points at a key has a larger product with it than with any other; the radius makes "
        "it larger by how much you like.",
    ),
)
