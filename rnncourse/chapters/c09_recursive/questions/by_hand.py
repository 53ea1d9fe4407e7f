"""Question 9.6: the weights of a recursive network that evaluates every Boolean expression, set by hand."""

import numpy as np
import torch
from torch import Tensor

from rnncourse.data.boolean_expressions import AND, FALSE, NOT, OR, TRUE, boolean_expressions
from rnncourse.data.trees import Tree, tree_nodes
from rnncourse.grading.spec import Question, Wrong

SYMBOLS = (FALSE, TRUE, AND, OR, NOT)


def logic_weights(hidden_size: int) -> tuple[Tensor, ...]:
    """U (hidden, 5), W_1 and W_2 (hidden, hidden), b (hidden,) and the readout v (hidden,)."""
    U, b = torch.zeros(hidden_size, 5), torch.zeros(hidden_size)
    left, right = torch.zeros(hidden_size), torch.zeros(hidden_size)
    v = torch.zeros(hidden_size)
    # unit: its symbol, what it is before the ReLU: start + left * (value of child 1) + right * (value of child 2)
    plan = ((1, 1, 0, 0, 1), (2, -1, 1, 1, 1), (3, 0, 1, 1, 1), (3, -1, 1, 1, -1), (4, 1, -1, 0, 1))
    for unit, (symbol, start, first, second, counted) in enumerate(plan):
        U[unit] = -4.0  # any other symbol shuts the unit
        U[unit, symbol] = 0.0
        b[unit], left[unit], right[unit], v[unit] = start, first, second, counted
    return U, left[:, None] * v, right[:, None] * v, b, v


def _unfit(answer, hidden: int) -> str:
    shapes = {"U": (hidden, 5), "W_1": (hidden, hidden), "W_2": (hidden, hidden), "b": (hidden,), "v": (hidden,)}
    if not isinstance(answer, tuple | list) or len(answer) != 5:
        return "expected five tensors: U, W_1, W_2, b and v"
    for (name, shape), weight in zip(shapes.items(), answer, strict=True):
        if not isinstance(weight, Tensor) or not weight.is_floating_point() or tuple(weight.shape) != shape:
            return f"{name}: expected real numbers of the shape {shape}"
        if not bool(torch.isfinite(weight).all()) or weight.abs().max() > 100:
            return f"{name}: expected finite numbers, none beyond ±100"
    return ""


def _said(tree: Tree, U: Tensor, W_1: Tensor, W_2: Tensor, b: Tensor, v: Tensor) -> float:
    """What a ReLU network along the tree reads off at the root."""
    waiting: list[Tensor] = []
    for node in tree_nodes(tree):
        count = len(node.children)
        children = [waiting.pop() for _ in range(count)][::-1]
        a = U[:, SYMBOLS.index(node.token)] + b
        for W, h in zip((W_1, W_2), children, strict=False):
            a = a + W @ h
        waiting.append(torch.relu(a))
    return float(v @ waiting.pop())


def _wrong_on(trees: list[Tree], weights: tuple[Tensor, ...]) -> bool:
    return any(not abs(_said(tree, *weights) - tree.value) <= 0.01 for tree in trees)


_LEAVES = [Tree(FALSE, value=0), Tree(TRUE, value=1)]
_NOTS = [Tree(NOT, (leaf,), 1 - leaf.value) for leaf in _LEAVES]
_PAIRS = [(first, second) for first in _LEAVES for second in _LEAVES]
_ANDS = [Tree(AND, pair, min(pair[0].value, pair[1].value)) for pair in _PAIRS]
_ORS = [Tree(OR, pair, max(pair[0].value, pair[1].value)) for pair in _PAIRS]


def judge_logic(answer, hidden_size: int) -> tuple[str, ...]:
    if problem := _unfit(answer, hidden_size):
        return (problem,) * 4
    weights = tuple(weight.to(torch.float64) for weight in answer)
    deep = [item.tree for item in boolean_expressions(30, depth=(6, 8), seed=np.random.default_rng(6))]
    leaves = _wrong_on(_LEAVES, weights)
    verdicts = [
        "a leaf alone is not read as 0 for F and 1 for T"
        if leaves
        else "not F or not T comes out wrong"
        if _wrong_on(_NOTS, weights)
        else ""
    ]
    for name, trees in (("and", _ANDS), ("or", _ORS)):
        verdicts.append(f"{name} of two leaves comes out wrong" if leaves or _wrong_on(trees, weights) else "")
    verdicts.append("an expression of depth 6 to 8 comes out wrong" if _wrong_on(deep, weights) else "")
    return tuple(verdicts)


LOGIC = Question(
    id="9.6",
    title="Logic by hand",
    points=3,
    reference=logic_weights,
    judge=judge_logic,
    cases={
        "five units": lambda draw: (5,),
        "six or seven units": lambda draw: (draw.integer(6, 7),),
        "more units": lambda draw: (draw.integer(8, 10),),
    },
    parts=("leaves and not", "and", "or", "deep expressions"),
    wrong=(
        Wrong("or counts true and true twice", {"(3, -1, 1, 1, -1)": "(3, -1, 1, 1, 0)"}).told(
            "T or T should be 1, and 1 + 1 is 2. What has to be taken away, and when?"
        ),
        Wrong("and has no threshold", {"(2, -1, 1, 1, 1)": "(2, 0, 1, 1, 1)"}).told(
            "The unit of `and` should be silent unless both children are true."
        ),
        Wrong("not hands its child on", {"(4, 1, -1, 0, 1)": "(4, 0, 1, 0, 1)"}).told(
            "For `not` the unit starts at 1, and a true child takes it to 0."
        ),
        Wrong("the other units are not shut", {"U[unit] = -4.0": "U[unit] = 0.0"}).told(
            "A unit made for one symbol has to stay at zero when another stands at the node, whatever the children say."
        ),
        Wrong("the second child is not read", {"right[:, None] * v": "0 * right[:, None] * v"}).told(
            "`not` is right, for it has one child. The two others look at W_2 as well."
        ),
        Wrong(
            "the children's units are added without the readout's signs",
            {"left[:, None] * v": "left[:, None] * v.abs()"},
        ).told("Leaves come out right, and so do single operators. What is the *value* of a child that is an `or`?"),
    ),
    hints=(
        "Give every symbol units of its own, and shut them by U when another symbol stands at the node.",
        "A child's value is v · h. A unit that wants to see it needs a multiple of v as its row of W.",
        "With values 0 and 1: relu(p + q - 1) is `and`. What is p + q minus that?",
    ),
)
