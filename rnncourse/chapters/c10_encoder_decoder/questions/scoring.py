"""Question 10.5: how far what was said lies from what was wanted."""

import torch
from torch import Tensor

from rnncourse.grading.spec import Draw, Question, Wrong


def error_rates(said: Tensor, wanted: Tensor, end: int) -> tuple[Tensor, float, float]:
    """The edits of each word, (words,), the edits a symbol wanted, and the share of words with an edit."""
    edits, symbols = [], 0
    for row_a, row_b in zip(said.tolist(), wanted.tolist(), strict=True):
        a, b = (row[: row.index(end)] if end in row else row for row in (row_a, row_b))
        row = list(range(len(b) + 1))  # from nothing to the first symbols of b
        for i, x in enumerate(a, start=1):
            above, row = row, [i]
            for j, y in enumerate(b, start=1):
                row.append(min(above[j] + 1, row[j - 1] + 1, above[j - 1] + (x != y)))
        edits.append(row[-1])
        symbols += len(b)
    edits = torch.tensor(edits)
    return edits, edits.sum().item() / symbols, (edits > 0).double().mean().item()


def _edited(draw: Draw, word: list[int], what: str) -> list[int]:
    place, symbol = draw.integer(0, len(word) - 1), draw.integer(10, 11)  # a symbol that no word has
    if what == "drop the first":
        return word[1:]
    if what == "drop":
        return word[:place] + word[place + 1 :]
    if what == "insert":
        return [*word[:place], symbol, *word[place:]]
    return [*word[:place], symbol, *word[place + 1 :]] if what == "exchange" else word


def rates_inputs(draw: Draw, more: int) -> tuple:
    steps = draw.integer(6, 7)
    # What stands behind the end comes oftener than the end, and may be larger: nothing but `end` says which is which.
    end, behind = (torch.randperm(8, generator=draw.generator)[:2] + 12).tolist()
    changes = ["cut", "drop the first", "drop", "drop", "exchange", "exchange", "insert"]
    changes += [""] * draw.integer(0, 4)  # fewer right than wrong
    changes += [("drop", "exchange")[draw.integer(0, 1)] for _ in range(more + draw.integer(0, 3))]
    said, wanted = [], []
    for change in changes:
        length = steps if change == "cut" else draw.integer(4, 5)
        word = (torch.randperm(9, generator=draw.generator)[:length] + 1).tolist()  # each symbol once
        heard = _edited(draw, word, change)
        said.append([*heard, end, *draw.integers(1, 9, 1).tolist(), *[behind] * steps][:steps])
        wanted.append([*word, end, *[behind] * steps][: steps + 1])
    order = torch.randperm(len(changes), generator=draw.generator)
    return torch.tensor(said)[order], torch.tensor(wanted)[order], end


def _by_place(said: Tensor, wanted: Tensor, end: int) -> tuple[Tensor, float, float]:
    """Symbols compared place by place."""
    edits, symbols = [], 0
    for rows in zip(said.tolist(), wanted.tolist(), strict=True):
        a, b = (row[: row.index(end)] if end in row else row for row in rows)
        edits.append(sum(x != y for x, y in zip(a, b, strict=False)) + abs(len(a) - len(b)))
        symbols += len(b)
    edits = torch.tensor(edits)
    return edits, edits.sum().item() / symbols, (edits > 0).double().mean().item()


RATES = Question(
    id="10.5",
    title="Phoneme and word error rate",
    points=2,
    reference=error_rates,
    cases={"a few words": (rates_inputs, 0), "more words": (rates_inputs, 2), "many words": (rates_inputs, 4)},
    parts=("the edits", "the rate of symbols", "the rate of words"),
    wrong=(
        Wrong("compared place by place", _by_place).told(
            "One symbol dropped at the beginning is one edit, though every later symbol stands in another place."
        ),
        Wrong("what comes after the end counts", {"row[: row.index(end)] if end in row else row": "row"}).told(
            "What a decoder leaves behind its end mark was never said."
        ),
        Wrong("the end mark is a symbol", {"row[: row.index(end)]": "row[: row.index(end) + 1]"}).told(
            "The end mark says where the word ends; it is no symbol of it. A word that was cut off has none."
        ),
        Wrong("an exchange costs two", {"+ (x != y)": "+ 2 * (x != y)"}).told(
            "Exchanging one symbol for another is one edit."
        ),
        Wrong("divided by what was said", {"symbols += len(b)": "symbols += len(a)"}).told(
            "The edits are right. The rate is per symbol of what was *wanted*."
        ),
        Wrong("the words that are right", {"(edits > 0)": "(edits == 0)"}).told(
            "The edits are right. An error rate counts the words that are wrong."
        ),
        Wrong("the end of the row only", {"row[j - 1] + 1, ": ""}).told(
            "Three things can happen: a symbol too many, a symbol too few, another symbol. One of them is missing."
        ),
    ),
    hints=(
        "Cut each row at its first end mark, if it has one.",
        "A table of distances between the first i symbols of one and the first j of the other: each from three others.",
    ),
    flags=(r"edit_distance", r"\bmetrics\b"),
)
