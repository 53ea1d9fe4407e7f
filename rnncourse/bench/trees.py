"""Trees depth by depth against node by node: by the plain recursion, and by the readable fold; and how both grow."""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from rnncourse.data.listops import listops
from rnncourse.data.trees import Tree
from rnncourse.trees import ChildSumTreeLSTMCell, Forest, NaryTreeLSTMCell, TreeCell, TreeLayer, TreeRNNCell

from . import recursion
from .pairs import largest_difference
from .timing import fitted_exponent, interleave, ratios, summarise

CELLS: dict[str, Callable[[int, int], TreeCell]] = {
    "TreeRNN": lambda hidden, arity: TreeRNNCell(hidden, hidden),
    "child-sum": lambda hidden, arity: ChildSumTreeLSTMCell(hidden, hidden),
    "N-ary": lambda hidden, arity: NaryTreeLSTMCell(hidden, hidden, arity=arity),
}


def balanced(leaves: int) -> Tree:
    """A binary tree that is as flat as its number of leaves allows."""
    return Tree(1) if leaves == 1 else Tree(1, (balanced(leaves // 2), balanced(leaves - leaves // 2)))


def chain(nodes: int) -> Tree:
    """A tree with a single leaf."""
    tree = Tree(1)
    for _ in range(nodes - 1):
        tree = Tree(1, (tree,))
    return tree


def expressions(count: int) -> list[Tree]:
    """ListOps expressions, of two to five children a node."""
    return [item.tree for item in listops(2 * count, seed=0)[:count]]


Candidate = tuple[Callable[[Tensor], Tensor], Tensor]


def _candidates(cell: TreeCell, forest: Forest, trees: list[Tree]) -> tuple[Tensor, Tensor, dict[str, Candidate]]:
    """Inputs, which nodes are real, and for each candidate a function of the inputs with its outputs' gradient.

    The recursion puts out the real nodes one after the other, the layers a padded batch.
    """
    x = torch.randn(*forest.counts.shape, cell.input_size, requires_grad=True)
    dy = torch.randn(*forest.counts.shape, cell.hidden_size)
    lengths = forest.lengths.tolist()
    real = torch.arange(dy.shape[1]) < forest.lengths.unsqueeze(1)
    levels, fold = TreeLayer(cell), TreeLayer(cell, implementation="fold")
    return (
        x,
        real,
        {
            "levels": (lambda x: levels(x, trees=forest)[0], dy),
            "fold": (lambda x: fold(x, trees=forest)[0], dy),
            "recursion": (lambda x: recursion.outputs(cell, x, lengths, trees), dy[real]),
        },
    )


def _results(candidate: Candidate, cell: TreeCell, x: Tensor, real: Tensor) -> list[Tensor]:
    function, dy = candidate
    y = function(x)
    gradients = torch.autograd.grad(y, [x, *cell.parameters()], dy)
    return [y.detach()[real] if y.dim() == 3 else y.detach(), *gradients]


def _work(candidate: Candidate, cell: TreeCell, x: Tensor) -> Callable[[], None]:
    leaves, (function, dy) = [x, *cell.parameters()], candidate

    def work() -> None:
        function(x).backward(dy)
        for leaf in leaves:
            leaf.grad = None

    return work


def _forward(candidate: Candidate, cell: TreeCell, x: Tensor) -> Callable[[], None]:
    def work() -> None:
        with torch.no_grad():
            candidate[0](x)

    return work


def measure(
    *,
    rounds: int,
    batch: int = 64,
    leaves: int = 32,
    hiddens: Sequence[int] = (64, 128),
    depths: Sequence[int] = (64, 128, 256, 512, 1024),
    widths: Sequence[int] = (4, 8, 16, 32, 64),
    cells: Sequence[str] = tuple(CELLS),
    say: Callable[[str], None] = print,
) -> list[dict[str, Any]]:
    """Forward, and forward plus backward, of a batch of trees; and forward plus backward as trees grow.

    Args:
        rounds: Timed rounds a case.
        batch: Trees in a batch.
        leaves: Leaves of the balanced binary trees.
        hiddens: Hidden units, and input features, of each case.
        depths: Nodes of the chains by which growth with depth is measured, eight a batch.
        widths: Leaves of the balanced binary trees by which growth with size is measured, ``batch`` a batch.
        cells: Which of "TreeRNN", "child-sum" and "N-ary".
        say: Where progress goes.

    Returns:
        One row for each cell, kind of tree, hidden size and kind of work: milliseconds of each candidate, and ratios to
        the levels; the plan's milliseconds stand beside them. Then one for each cell and way to grow, with exponents.
    """
    rows = []
    for cell_name in cells:
        for name, trees in (("ListOps", expressions(batch)), ("binary", [balanced(leaves) for _ in range(batch)])):
            for hidden in hiddens:
                rows += _compare(cell_name, name, trees, hidden, rounds, say)
    for cell_name in cells:
        for name, grow, sizes, count in (("chain", chain, depths, 8), ("binary", balanced, widths, batch)):
            rows += _grow(cell_name, name, [[grow(size) for _ in range(count)] for size in sizes], rounds, say)
    return rows


def _compare(
    cell_name: str, kind: str, trees: list[Tree], hidden: int, rounds: int, say: Callable[[str], None]
) -> list[dict[str, Any]]:
    rows, forest = [], Forest.of(trees)
    cell = CELLS[cell_name](hidden, max(2, int(forest.counts.max())))
    x, real, candidates = _candidates(cell, forest, trees)
    expected = _results(candidates["recursion"], cell, x, real)
    difference = {}
    for name in ("levels", "fold"):
        difference[name] = largest_difference(_results(candidates[name], cell, x, real), expected)
        if not difference[name] <= 1e-4:
            raise AssertionError(f"{cell_name} by {name} differs from the recursion by {difference[name]:.1e}")
    for work, prepare in (("forward", _forward), ("forward+backward", _work)):
        timed = {name: prepare(candidate, cell, x) for name, candidate in candidates.items()}
        seconds = interleave(timed | {"plan": lambda: Forest.of(trees)}, rounds=rounds)
        row = {
            "kind": "speed",
            "cell": cell_name,
            "trees": kind,
            "size": {"batch": len(trees), "nodes": int(forest.lengths.sum()), "hidden": hidden},
            "work": work,
            "milliseconds": {name: summarise([1000 * s for s in v])._asdict() for name, v in seconds.items()},
            "ratio": {name: ratio._asdict() for name, ratio in ratios(seconds, "levels").items()},
            "difference": difference,
        }
        rows.append(row)
        say(line(row))
    return rows


def _grow(
    cell_name: str, name: str, batches: list[list[Tree]], rounds: int, say: Callable[[str], None], hidden: int = 64
) -> list[dict[str, Any]]:
    nodes, curves = [], {"levels": [], "fold": []}
    cell = CELLS[cell_name](hidden, 2)
    for trees in batches:
        forest = Forest.of(trees)
        x, _, candidates = _candidates(cell, forest, trees)
        nodes.append(int(forest.lengths.sum()))
        timed = {candidate: _work(candidates[candidate], cell, x) for candidate in curves}
        for candidate, seconds in interleave(timed, rounds=rounds).items():
            curves[candidate].append(summarise([1000 * s for s in seconds]))
    rows = []
    for candidate, points in curves.items():
        row = {
            "kind": "growth",
            "cell": cell_name,
            "trees": name,
            "candidate": candidate,
            "hidden": hidden,
            "nodes": nodes,
            "milliseconds": [point._asdict() for point in points],
            "exponent": fitted_exponent(nodes, [point.median for point in points]),
        }
        rows.append(row)
        say(line(row))
    return rows


def line(row: dict[str, Any]) -> str:
    """One row as a line of the table."""
    if row["kind"] == "growth":
        first, last = (row["milliseconds"][at]["median"] for at in (0, -1))
        return (
            f"{row['cell']:10}{row['trees']:8} {row['candidate']:7} {row['nodes'][0]} … {row['nodes'][-1]} nodes:  "
            f"{first:.1f} … {last:.1f} ms,  exponent {row['exponent']:.2f}"
        )
    size, ms = row["size"], row["milliseconds"]
    shown = "  ".join(
        f"{name} {row['ratio'][name]['median']:5.1f} ({row['ratio'][name]['low']:.1f}–{row['ratio'][name]['high']:.1f})"
        for name in ("recursion", "fold")
    )
    return (
        f"{row['cell']:10}{row['trees']:8} {size['batch']} trees, {size['nodes']:5} nodes, {size['hidden']:3} units  "
        f"{row['work']:16}  levels {ms['levels']['median']:6.1f} ms  plan {ms['plan']['median']:4.1f} ms   {shown}"
    )
