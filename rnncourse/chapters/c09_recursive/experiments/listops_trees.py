"""ListOps as binary trees, as its authors parse it, and split by depth."""

from collections.abc import Sequence

import numpy as np

from rnncourse.data.listops import END, listops
from rnncourse.data.splits import split_by_hash
from rnncourse.data.trees import Tree, TreeItem, tree_nodes

__all__ = ["JOIN", "binary", "drawn", "of_depth", "split"]

JOIN = 0
"""The symbol of a node that only joins two others."""


def binary(tree: Tree) -> Tree:
    """The same expression as a binary tree whose leaves are its symbols, brackets among them.

    A list is read from the left: its operator is joined with the first argument, that pair with the second, and so on,
    and last with the closing bracket. This is the parse with which the data set was published.

    Args:
        tree: An expression.

    Returns:
        The tree; a digit alone stays a leaf.

    Example:
        >>> from rnncourse.data.trees import tree_from_nested
        >>> two = binary(tree_from_nested((11, 3, 4)))
        >>> [node.token for node in tree_nodes(two)]
        [11, 3, 0, 4, 0, 15, 0]
    """
    made: list[Tree] = []
    for node in tree_nodes(tree):
        if not node.children:
            made.append(Tree(node.token, value=node.value))
            continue
        count = len(node.children)
        children, joined = made[-count:], Tree(node.token)
        del made[-count:]
        for child in (*children, Tree(END)):
            joined = Tree(JOIN, (joined, child))
        made.append(joined._replace(value=node.value))
    return made.pop()


def drawn(count: int, *, seed: int, depths: tuple[int, int] = (1, 20)) -> list[TreeItem]:
    """Distinct expressions of the published generator, of the depths wanted.

    Args:
        count: How many there should be; fewer where the generator does not come by as many.
        seed: Of the generator.
        depths: The least and the greatest depth.

    Returns:
        The first so many of what was drawn.
    """
    found: dict[str, TreeItem] = {}
    rng = np.random.default_rng([90, seed])
    for _ in range(100):
        for item in listops(max(count, 100), max_depth=depths[1], seed=rng):
            if depths[0] <= item.depth:
                found.setdefault(item.text, item)
        if len(found) >= count:
            break
    return list(found.values())[:count]


def of_depth(depth: int, count: int) -> list[TreeItem]:
    """Expressions of exactly one depth, of at most 100 symbols.

    Args:
        depth: Nested lists.
        count: How many.

    Returns:
        Expressions, no longer than 100 symbols as all of them are.
    """
    return [item for item in drawn(count, seed=depth, depths=(depth, depth)) if item.depth == depth]


def split(items: Sequence[TreeItem]) -> dict[str, list[TreeItem]]:
    """Train, valid and test by the hash of the text, as everywhere in this course."""
    return split_by_hash(items, key=lambda item: item.text)
