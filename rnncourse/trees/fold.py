"""Folding a tree: one loop over its nodes, which knows no cell, as unrolling is one over time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from rnncourse.checks import check_callable, check_kind
from rnncourse.shapes import map_state
from rnncourse.trees.forest import Forest

__all__ = ["check_nodes", "fold", "join_states"]


def fold(step: Callable[[Any, Any], tuple[Any, Any]], inputs: Tensor, state: Any, trees: Any) -> tuple[Tensor, Any]:
    r"""Apply a step to each node of a tree, handing the states of the children up to their parent.

    .. math:: y_j, s_j = \mathrm{step}(x_j, (s_k)_{k \in C(j)}), \qquad
        C(j) = \text{the children of node } j

    where :math:`x_j` is the input at node :math:`j`, :math:`s_j` the state and :math:`y_j` the output; a leaf finds
    the initial state :math:`s_0` in the place of one child. The equation calls itself; the loop does not, so that no
    tree is too deep. It reads the nodes in post-order and keeps the states that no parent has taken yet on a stack: a
    node with n children takes the last n.

    Args:
        step: Any function from (input, states of the children) to (output, state); a tree cell is one. It sees one
            node: an input of shape (1, …) and states of shape (1, children, …).
        inputs: Each tree's inputs in post-order, of shape (batch, nodes, …). What the padding holds has no influence.
        state: The state that leaves start from, one a tree: a tensor of shape (batch, …), or a (named) tuple of them.
        trees: The trees, or their :class:`~rnncourse.trees.forest.Forest`.

    Returns:
        The outputs, of shape (batch, nodes, …), zero at padding; and the state at each root.

    Raises:
        ValueError: If the trees are malformed, or the inputs are not theirs.

    Example:
        >>> from rnncourse.data.trees import Tree
        >>> tree = Tree(1, (Tree(2), Tree(3, (Tree(4),))))
        >>> def depth(x, below):
        ...     return x, below.amax(1) + 1
        >>> fold(depth, torch.zeros(1, 4, 2), torch.tensor([-1]), [tree])[1]
        tensor([2])
    """
    check_callable("step", step, "a function from (input, children) to (output, state), such as a cell")
    forest = Forest.of(trees)
    check_nodes(inputs, forest)
    if not _holds(state, len(inputs)):
        raise ValueError(f"state is a {type(state).__name__}; it should hold tensors of shape (batch={len(inputs)}, …)")
    rows = inputs.unbind()  # not inputs[tree], whose backward is quadratic in the batch
    outputs, roots = [], []
    for tree, length in enumerate(forest.lengths.tolist()):
        start = map_state(lambda part, tree=tree: part[tree : tree + 1].unsqueeze(1), state)
        said, waiting = [], []
        for x, count in zip(rows[tree][:length].split(1), forest.counts[tree].tolist(), strict=False):
            children = waiting[len(waiting) - count :]
            del waiting[len(waiting) - count :]
            output, after = step(x, join_states(*children) if children else start)
            said.append(output)
            waiting.append(after)
        outputs.append(F.pad(torch.cat(said), (0, 0) * (said[0].dim() - 1) + (0, inputs.shape[1] - length)))
        roots += waiting
    return torch.stack(outputs), map_state(lambda *parts: torch.cat(parts), *roots)


def join_states(*states: Any) -> Any:
    """The states of several children side by side, as a step takes them.

    Args:
        *states: At least one state of a tensor or a (named) tuple of tensors of shape (batch, …), left to right.

    Returns:
        A state of the same kind, each tensor of shape (batch, children, …).

    Example:
        >>> join_states(torch.zeros(1, 2), torch.ones(1, 2))
        tensor([[[0., 0.],
                 [1., 1.]]])
    """
    for state in states:
        if not isinstance(state, (Tensor, tuple)) or isinstance(state, tuple) != isinstance(states[0], tuple):
            raise ValueError(f"states holds a {type(state).__name__}; all should be states of one kind, of tensors")
    return map_state(lambda *parts: torch.stack(parts, 1), *states)


def _holds(state: Any, batch: int) -> bool:
    """Whether it is a state of this many rows."""
    if isinstance(state, tuple):
        return len(state) > 0 and all(_holds(part, batch) for part in state)
    return isinstance(state, Tensor) and state.dim() > 0 and len(state) == batch


def check_nodes(inputs: Any, forest: Forest) -> None:
    """Refuse inputs that are not those of these trees.

    Args:
        inputs: What was given.
        forest: The trees' shape.

    Raises:
        ValueError: If ``inputs`` is no tensor, or its first axes are not (batch, nodes).

    Example:
        >>> from rnncourse.data.trees import Tree
        >>> check_nodes(torch.zeros(1, 3, 2), Forest.of([Tree(1)]))
        Traceback (most recent call last):
        ...
        ValueError: inputs has shape (1, 3, 2); it should be (batch=1, nodes=1, …), as many as the trees have
    """
    check_kind("inputs", inputs, Tensor)
    batch, nodes = forest.counts.shape
    if inputs.shape[:2] != (batch, nodes):
        raise ValueError(
            f"inputs has shape {tuple(inputs.shape)}; it should be (batch={batch}, nodes={nodes}, …), as many as the "
            f"trees have"
        )
