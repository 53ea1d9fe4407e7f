"""Random trees for the questions, numbered in reading order: every node before its children, left to right."""

import torch
from torch import Tensor

from rnncourse.grading.spec import Draw

__all__ = ["post_order_counts", "random_parents"]

MOST_CHILDREN = 4


def random_parents(draw: Draw, nodes: int, *, chain: bool = False) -> list[int]:
    """The parent of every node in reading order, −1 for the root.

    Args:
        draw: The source of chance.
        nodes: How many nodes.
        chain: Whether every node has one child at most.

    Returns:
        A number a node.
    """
    parents, path = [-1], [0]
    counts = [0] * nodes
    for node in range(1, nodes):
        open_ = [place for place in path if counts[place] < MOST_CHILDREN]
        parent = path[-1] if chain else open_[draw.integer(0, len(open_) - 1)]
        path = [*path[: path.index(parent) + 1], node]
        counts[parent] += 1
        parents.append(parent)
    return parents


def post_order_counts(parents: list[int]) -> Tensor:
    """How many children each node has, in post-order: every node after its children, left to right."""
    below: list[list[int]] = [[] for _ in parents]
    for node, parent in enumerate(parents):
        if parent >= 0:
            below[parent].append(node)
    walk, todo = [], [0]
    while todo:
        walk.append(node := todo.pop())
        todo.extend(below[node])
    return torch.tensor([len(below[node]) for node in reversed(walk)])
