"""The shape of a batch of trees, as numbers: planned once, then read by every layer and in every epoch."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import torch
from jaxtyping import Int
from torch import Tensor

__all__ = ["Forest", "Level", "node_numbers"]


class Level(NamedTuple):
    """How nodes hang together with their children.

    Attributes:
        parents: For each child the row of its parent, of shape (children,).
        positions: For each child its place among its siblings, from 0, of shape (children,).
    """

    parents: Int[Tensor, "children"]
    positions: Int[Tensor, "children"]


class Forest(NamedTuple):
    """The shape of a batch of trees.

    The nodes of a tree are numbered in post-order, children before their parents and left to right, so that the root
    comes last: the order in which a chain is read as a sequence. The levels gather the nodes of all trees that have
    the same *depth*, the number of edges up to the root. Counted so, and not by the height above the leaves, all
    children of a level are exactly the level before it, and the last level holds all the roots. In each level the
    nodes that have children stand first, the leaves after them.

    Attributes:
        counts: Each node's number of children, of shape (batch, nodes), zero at padding.
        lengths: Each tree's number of nodes, of shape (batch,).
        leaves: How many leaves there are at each depth, deepest first.
        inner: How many nodes with children there are at each depth; at the deepest, none.
        order: Where each node stands in a flattened (batch, nodes): first all leaves, level by level, then all nodes
            with children, level by level; of shape (all nodes,).
        parents: For each node but the roots, level by level, the row of its parent in the next level.
        positions: For each node but the roots, level by level, its place among its siblings.
        roots: For each tree the row of its root in the last level, of shape (batch,).

    Example:
        >>> from rnncourse.data.trees import Tree
        >>> forest = Forest.of([Tree(1, (Tree(2), Tree(3, (Tree(4),)))), Tree(5)])
        >>> forest.counts
        tensor([[0, 0, 1, 2],
                [0, 0, 0, 0]])
        >>> forest.lengths, forest.leaves, forest.inner
        (tensor([4, 1]), (1, 1, 1), (0, 1, 1))
    """

    counts: Int[Tensor, "batch nodes"]
    lengths: Int[Tensor, "batch"]
    leaves: tuple[int, ...]
    inner: tuple[int, ...]
    order: Int[Tensor, "all"]
    parents: Int[Tensor, "below"]
    positions: Int[Tensor, "below"]
    roots: Int[Tensor, "batch"]

    @classmethod
    def of(cls, trees: Any) -> Forest:
        """Plan a batch of trees.

        Args:
            trees: A sequence of at least one tree. A tree is any object whose ``children`` are a tuple or list of such
                objects, such as :class:`rnncourse.data.trees.Tree`. A forest is returned as it is.

        Returns:
            Their shape.

        Raises:
            ValueError: If there is no tree, or one of them is none: something in it has no children, a node holds
                itself, or a node hangs in two places.
        """
        if isinstance(trees, Forest):
            return trees
        if hasattr(trees, "children"):
            raise ValueError(f"trees is one {type(trees).__name__}; it should be a sequence of trees, such as [tree]")
        if not isinstance(trees, Sequence) or isinstance(trees, str) or not trees:
            raise ValueError(f"trees is {_shown(trees)}; it should be a sequence of at least one tree")
        walk, lengths = _Walk([], [], [], [], []), []
        for index, tree in enumerate(trees):
            before = len(walk.nodes)
            _walk(f"trees[{index}]", tree, walk)
            lengths.append(len(walk.nodes) - before)
        return cls._from_walk(*map(torch.tensor, (*walk[1:], lengths)))

    @classmethod
    def _from_walk(cls, parents: Tensor, depths: Tensor, positions: Tensor, counts: Tensor, lengths: Tensor) -> Forest:
        """Sort what a walk found, root first, into levels."""
        width = int(lengths.max())
        ends = lengths.cumsum(0)
        tree = torch.arange(len(lengths)).repeat_interleave(lengths)
        places = tree * width + ends[tree] - 1 - torch.arange(len(tree))  # in post-order, the walk backwards
        padded = torch.zeros(len(lengths) * width, dtype=torch.int64).index_copy(0, places, counts)

        levels = int(depths.max()) - depths
        leaf = counts == 0
        rows = torch.argsort(2 * levels + leaf, stable=True)  # level by level, leaves last in each
        inner = torch.bincount(levels[~leaf], minlength=int(levels.max()) + 1)
        leaves = torch.bincount(levels[leaf], minlength=len(inner))
        starts = (leaves + inner).cumsum(0) - (leaves + inner)
        ranks = torch.empty_like(rows).index_copy(0, rows, torch.arange(len(rows))) - starts[levels]
        below = rows[: len(rows) - len(lengths)]
        return cls(
            counts=padded.view(len(lengths), width),
            lengths=lengths,
            leaves=tuple(leaves.tolist()),
            inner=tuple(inner.tolist()),
            order=places[torch.cat([rows[leaf[rows]], rows[~leaf[rows]]])],
            parents=ranks[parents[below]],
            positions=positions[below],
            roots=ranks[ends - lengths],
        )

    def levels(self) -> Iterator[Level]:
        """The levels whose nodes have children, from the deepest to the roots.

        Yields:
            Where the nodes of the level before hang in this one.
        """
        sizes = [leaves + inner for leaves, inner in zip(self.leaves, self.inner, strict=True)][:-1]
        return map(Level, self.parents.split(sizes), self.positions.split(sizes))

    def to(self, device: torch.device | str) -> Forest:
        """The same forest with its tensors on another device.

        Args:
            device: Where to.

        Returns:
            A forest.
        """
        return Forest(*(part.to(device) if isinstance(part, Tensor) else part for part in self))


torch.serialization.add_safe_globals([Level, Forest])  # for torch.load(…, weights_only=True)


def node_numbers(trees: Sequence[Any], name: str = "token") -> Int[Tensor, "batch nodes"]:
    """A number that every node carries, in post-order: the inputs of a layer, or targets at every node.

    Args:
        trees: At least one tree.
        name: The nodes' attribute, such as ``"token"`` or ``"value"``.

    Returns:
        The numbers, zero at padding.

    Raises:
        ValueError: If there is no tree, one of them is none, or a node carries no whole number of that name.

    Example:
        >>> from rnncourse.data.trees import Tree
        >>> node_numbers([Tree(1, (Tree(2), Tree(3))), Tree(4)])
        tensor([[2, 3, 1],
                [4, 0, 0]])
    """
    if not isinstance(trees, (tuple, list)) or hasattr(trees, "children") or isinstance(trees, Forest) or not trees:
        raise ValueError(f"trees is {_shown(trees)}; it should be a sequence of at least one tree")
    if not isinstance(name, str):
        raise ValueError(f"name is {name!r}; it should be the name of a nodes' attribute")
    rows = []
    for index, tree in enumerate(trees):
        walk = _Walk([], [], [], [], [])
        _walk(f"trees[{index}]", tree, walk)
        row = [getattr(node, name, None) for node in reversed(walk.nodes)]
        for number in row:
            if not isinstance(number, int):
                raise ValueError(f"trees[{index}] has a node whose {name} is {number!r}; it should be a whole number")
        rows.append(torch.tensor(row))
    return torch.nn.utils.rnn.pad_sequence(rows, batch_first=True)


class _Walk(NamedTuple):
    """The nodes of trees in the order of a walk, root first and right to left, which is post-order backwards."""

    nodes: list[Any]
    parents: list[int]
    depths: list[int]
    positions: list[int]
    counts: list[int]


def _walk(name: str, tree: Any, walk: _Walk) -> None:
    """Add the nodes of one tree to a walk, or say what is wrong with it."""
    nodes, parents, depths, positions, counts = walk
    seen: dict[int, int] = {}  # the nodes stay in the walk, so no identity passes to another meanwhile
    start = number = len(nodes)
    todo = [(tree, start, 0, 0)]
    while todo:
        node, parent, depth, position = todo.pop()
        children = getattr(node, "children", None)
        if not isinstance(children, (tuple, list)):
            what = "which has no children" if children is None else f"whose children are a {type(children).__name__}"
            raise ValueError(
                f"{name} holds a {type(node).__name__} at depth {depth}, {what}; a node's children should be a tuple "
                f"or list of nodes, empty for a leaf"
            )
        if id(node) in seen:
            first = seen[id(node)]
            while parent not in (first, start):
                parent = parents[parent]
            raise ValueError(
                f"{name} holds one and the same {type(node).__name__} "
                f"{'below itself' if parent == first else 'in two places'}; every node of a tree should be an object "
                f"of its own, with one parent"
            )
        seen[id(node)] = number
        nodes.append(node)
        parents.append(parent)
        depths.append(depth)
        positions.append(position)
        counts.append(len(children))
        for place, child in enumerate(children):
            todo.append((child, number, depth + 1, place))
        number += 1


def _shown(value: Any) -> str:
    return "empty" if isinstance(value, Sequence) and not len(value) else f"a {type(value).__name__}"
