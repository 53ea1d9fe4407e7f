"""A tree with what stands and what flows at its nodes, and accuracy against depth."""

from collections.abc import Mapping, Sequence

from matplotlib.figure import Figure

from rnncourse.data.trees import Tree, tree_depth
from rnncourse.viz.style import COLOURS, CYCLE, FILLS, figure

MARKS = ("o-", "s-", "^-", "o--", "s--", "^--")


def draw_tree(tree: Tree, labels: Mapping[int, str], values: Mapping[int, str] | None = None) -> Figure:
    """Draws a tree, root on top, leaves side by side; along every edge an arrow from child to parent.

    Args:
        tree: Its tokens are numbers.
        labels: From a token to what is written in its node.
        values: From a node's place in post-order to what is written beside it.

    Returns:
        A figure.

    Raises:
        ValueError: If a token has no label.

    Example:
        >>> fig = draw_tree(Tree(3, (Tree(1), Tree(2))), {1: "F", 2: "T", 3: "or"}, {2: "1"})
    """
    places: list[tuple[float, float]] = []
    edges: list[tuple[int, int]] = []
    written: list[str] = []
    leaves = 0

    def place(node: Tree, depth: int) -> int:
        nonlocal leaves
        if node.token not in labels:
            raise ValueError(f"labels has nothing for the token {node.token}; it should name every token of the tree")
        children = [place(child, depth + 1) for child in node.children]
        x = sum(places[child][0] for child in children) / len(children) if children else float(leaves)
        leaves += not children
        places.append((x, -float(depth)))
        written.append(labels[node.token])
        edges.extend((child, len(places) - 1) for child in children)
        return len(places) - 1

    place(tree, 0)
    depth = tree_depth(tree)
    fig, axes = figure(min(7.2, 1.6 + 0.95 * leaves), 0.9 + 0.8 * depth)
    for child, parent in edges:
        arrow = {"arrowstyle": "->", "color": COLOURS["muted"], "shrinkA": 13, "shrinkB": 13, "lw": 1.2}
        axes.annotate("", xy=places[parent], xytext=places[child], arrowprops=arrow)
    inner = {parent for _, parent in edges}
    for number, ((x, y), text) in enumerate(zip(places, written, strict=True)):
        box = {
            "boxstyle": "round,pad=0.3",
            "fc": FILLS["orange" if number in inner else "green"],
            "ec": COLOURS["orange" if number in inner else "green"],
        }
        axes.text(x, y, text, ha="center", va="center", fontsize=10, bbox=box)
        if values and number in values:
            axes.text(x + 0.32, y + 0.02, values[number], ha="left", va="center", fontsize=9, color=COLOURS["blue"])
    axes.set(xlim=(-0.6, leaves - 0.1), ylim=(-depth - 0.45, 0.45))
    axes.axis("off")
    return fig


def by_depth(
    depths: Sequence[int], curves: Mapping[str, Sequence[float]], *, trained: float, chance: Sequence[float]
) -> Figure:
    """Draws shares of right answers against depth.

    Args:
        depths: Along the axis.
        curves: From a reader's name to one share a depth.
        trained: The greatest depth trained.
        chance: What a rule that does not read reaches at each depth.

    Returns:
        A figure.

    Raises:
        ValueError: If a curve does not fit the depths.

    Example:
        >>> fig = by_depth([5, 6], {"LSTM": [0.9, 0.7]}, trained=5, chance=[0.6, 0.6])
    """
    fig, axes = figure(6.4, 3.6)
    for (name, shares), colour, mark in zip(curves.items(), CYCLE, MARKS, strict=False):
        if len(shares) != len(depths):
            raise ValueError(f"curves has {len(shares)} shares under {name!r}; it should have {len(depths)}")
        axes.plot(depths, shares, mark, color=colour, ms=4, label=name)
    axes.plot(depths, chance, ":", color=COLOURS["muted"], label="the root's symbol alone")
    axes.axvline(trained + 0.5, color=COLOURS["muted"], lw=0.8)
    axes.text(trained + 0.55, 0.32, "never trained on →", fontsize=8, color=COLOURS["muted"])
    axes.set(xlabel="depth of the expression", ylabel="share right", ylim=(0.3, 1.03), xticks=list(depths))
    axes.set_xticklabels([f"up to {depth}" if depth <= trained else str(depth) for depth in depths])
    fig.legend(fontsize=8, ncols=3, loc="outside lower center")
    return fig
