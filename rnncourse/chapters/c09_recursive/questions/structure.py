"""Questions 9.4 and 9.5: from brackets to a tree, and from trees to levels."""

import torch
from torch import Tensor

from rnncourse.chapters.c09_recursive.questions.drawing import random_parents
from rnncourse.grading.spec import Draw, Question, Wrong


def parents_of(symbols: Tensor) -> Tensor:
    """The parent of every node in reading order, -1 for the root; a closing bracket is no node."""
    parents, opened = [], []
    for symbol in symbols.tolist():
        if symbol == 14:
            opened.pop()
            continue
        parents.append(opened[-1] if opened else -1)
        if symbol >= 10:
            opened.append(len(parents) - 1)
    return torch.tensor(parents)


def bracket_inputs(draw: Draw, least: int, most: int) -> tuple:
    parents = random_parents(draw, draw.integer(least, most))
    inner = set(parents)
    symbols, opened = [], []
    for node, parent in enumerate(parents):
        while opened and opened[-1] != parent:
            opened.pop()
            symbols.append(14)
        if node in inner or node == 0:
            opened.append(node)
            symbols.append(draw.integer(10, 13))
        else:
            symbols.append(draw.integer(0, 9))
    return (torch.tensor(symbols + [14] * len(opened)),)


BRACKETS = Question(
    id="9.4",
    title="From brackets to a tree",
    points=2,
    reference=parents_of,
    cases={
        "a short expression": (bracket_inputs, 8, 10),
        "a longer one": (bracket_inputs, 14, 18),
        "a long one": (bracket_inputs, 22, 30),
    },
    wrong=(
        Wrong("a bracket closes nothing", {"opened.pop()": "pass"}).told(
            "After a closing bracket the next symbol belongs to the list outside."
        ),
        Wrong("a bracket closes everything", {"opened.pop()": "opened.clear()"}).told(
            "One bracket closes one list: the innermost that is open."
        ),
        Wrong("everything hangs on the first operator", {"opened[-1]": "opened[0]"}).told(
            "A symbol belongs to the list that was opened last and is still open."
        ),
        Wrong(
            "every node hangs on the one before it", lambda symbols: torch.arange(int((symbols != 14).sum())) - 1
        ).told("Two digits side by side are siblings. Only an operator has children."),
        Wrong("the root is its own parent", {"else -1": "else 0"}).told("The root has no parent; write -1."),
        Wrong(
            "brackets are counted as nodes",
            lambda symbols: parents_of(symbols) + _brackets_before(symbols)[parents_of(symbols).clamp(min=0)],
        ).told("Number the nodes only: the closing brackets get no number."),
    ),
    hints=(
        "Keep a pile of the operators whose list is still open.",
        "The operator on top of the pile is the parent of whatever comes next; a bracket takes it off.",
    ),
)


def _brackets_before(symbols: Tensor) -> Tensor:
    """For each node, how many brackets stand before it."""
    closed = symbols == 14
    return closed.cumsum(0)[~closed]


def plan_levels(parents: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Every node's depth; all nodes, the deepest first; and how many nodes each level has, the deepest first."""
    depths = []
    for parent in parents.tolist():
        depths.append(0 if parent < 0 else depths[parent] + 1)
    depths = torch.tensor(depths)
    order = torch.argsort(depths, descending=True, stable=True)
    return depths, order, torch.bincount(depths).flip(0)


def forest_inputs(draw: Draw, trees: int, least: int, most: int) -> tuple:
    parents: list[int] = []
    for _ in range(trees):
        start = len(parents)
        one = random_parents(draw, draw.integer(least, most))
        parents += [parent + start if parent >= 0 else -1 for parent in one]
    return (torch.tensor(parents),)


def _heights(parents: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """The levels counted from the leaves."""
    heights = torch.zeros_like(parents)
    for node in reversed(range(len(parents))):
        parent = int(parents[node])
        if parent >= 0:
            heights[parent] = max(int(heights[parent]), int(heights[node]) + 1)
    return heights, torch.argsort(heights, stable=True), torch.bincount(heights)


LEVELS = Question(
    id="9.5",
    title="Plan the levels",
    points=2,
    reference=plan_levels,
    cases={
        "one tree": (forest_inputs, 1, 10, 14),
        "three trees": (forest_inputs, 3, 5, 9),
        "five small trees": (forest_inputs, 5, 2, 6),
    },
    parts=("the depths", "the order", "the sizes of the levels"),
    wrong=(
        Wrong("counted from the leaves", _heights).told(
            "That is the height above the leaves. Here the levels are counted from the root."
        ),
        Wrong("the root's depth is one", {"(0 if": "(1 if"}).told(
            "The root lies at depth 0: no edge leads up from it."
        ),
        Wrong("the roots first", {"descending=True": "descending=False", ".flip(0)": ""}).told(
            "Children have to be ready before their parents: the deepest level comes first."
        ),
        Wrong(
            "in each level the last node first",
            {"torch.argsort(depths, descending=True, stable=True)": "torch.argsort(depths, stable=True).flip(0)"},
        ).told("Within a level the nodes keep their order."),
    ),
    hints=(
        "In reading order a node's parent has come before it, so that its depth is known.",
        "torch.argsort has an argument that keeps the order of equal entries.",
    ),
    flags=(r"\bForest\b",),
)
