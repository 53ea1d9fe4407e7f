"""A tree cell over trees, node by node or depth by depth."""

from __future__ import annotations

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from rnncourse.checks import check_choice, check_shape
from rnncourse.shapes import LSTMState, map_state
from rnncourse.trees.cell import TreeCell, check_states
from rnncourse.trees.fold import check_nodes, fold
from rnncourse.trees.forest import Forest, Level

__all__ = ["TreeLayer", "by_levels"]


class TreeLayer(nn.Module):
    r"""A tree cell, applied at every node of a tree.

    .. math:: y_j, s_j = \mathrm{cell}(x_j, (s_k)_{k \in C(j)})

    where :math:`x_j` is the input, :math:`s_j` the state and :math:`y_j` the output at node :math:`j`, and :math:`C(j)`
    are its children. It is the layer over sequences with trees in the place of lengths: inputs and outputs stand in
    post-order, in which a chain is a sequence, and a leaf finds the initial state in the place of a child.

    Args:
        cell: The cell; its parameters are shared by all nodes.
        implementation: How outputs are computed; the numbers and gradients are the same.

            - ``"levels"``: all nodes of one depth at once, over the whole batch; the inputs of all nodes are projected
              in one product before. The fast way.
            - ``"fold"``: node by node, with the cell's own step in :func:`~rnncourse.trees.fold.fold`.

    Raises:
        ValueError: If ``cell`` is no :class:`~rnncourse.trees.cell.TreeCell`, or the implementation is unknown.

    Example:
        >>> from rnncourse.data.trees import tree_from_nested
        >>> from rnncourse.trees import ChildSumTreeLSTMCell, Forest
        >>> forest = Forest.of([tree_from_nested(("max", 2, ("min", 9, 4))), tree_from_nested(("min", 1, 7))])
        >>> layer = TreeLayer(ChildSumTreeLSTMCell(3, 5))
        >>> outputs, state = layer(torch.zeros(2, 5, 3), trees=forest)
        >>> outputs.shape, state.c.shape
        (torch.Size([2, 5, 5]), torch.Size([2, 5]))
    """

    def __init__(self, cell: TreeCell, *, implementation: str = "levels") -> None:
        super().__init__()
        if not isinstance(cell, TreeCell):
            what = f"the class {cell.__name__}" if isinstance(cell, type) else f"a {type(cell).__name__}"
            raise ValueError(f"cell is {what}; it should be a tree cell such as ChildSumTreeLSTMCell(3, 5)")
        check_choice("implementation", implementation, ("levels", "fold"))
        self.cell = cell
        self.implementation = implementation

    @property
    def input_size(self) -> int:
        """Features of one node's input."""
        return self.cell.input_size

    @property
    def output_size(self) -> int:
        """Features of one node's output."""
        return self.cell.hidden_size

    def initial_state(self, batch_size: int) -> Any:
        """What leaves find in the place of a child: the cell's initial state."""
        return self.cell.initial_state(batch_size)

    def forward(
        self, inputs: Float[Tensor, "batch nodes input"], state: Any = None, trees: Any = None
    ) -> tuple[Float[Tensor, "batch nodes output"], Any]:
        """Read trees from the leaves to the root.

        Args:
            inputs: Each tree's inputs in post-order, padded to one number of nodes.
            state: The state that the leaves of each tree start from; the cell's initial state if not given.
            trees: The trees, or their :class:`~rnncourse.trees.forest.Forest`, which saves planning them anew.

        Returns:
            The outputs in the same order, zero at padding; and the state at each root.

        Raises:
            ValueError: If the trees are malformed or missing, a node has more children than the cell has places, or
                the inputs or the state do not fit the layer or the trees.
        """
        forest = Forest.of(trees)
        weight = self.cell.weight_hh
        check_shape("inputs", inputs, like=weight, batch=None, nodes=None, input=self.input_size)
        check_nodes(inputs, forest)
        self._check_arity(forest)
        if state is not None:
            lstm = isinstance(self.initial_state(1), LSTMState)
            check_states("state", state, lstm=lstm, like=weight, batch=len(inputs), hidden=self.output_size)
        if self.implementation == "fold":
            return fold(self.cell, inputs, self.initial_state(len(inputs)) if state is None else state, forest)
        return by_levels(self.cell, inputs, state, forest)

    def _check_arity(self, forest: Forest) -> None:
        """Refuse nodes with more children than there are weights for."""
        arity = self.cell.arity
        if arity is not None and (wide := forest.counts > arity).any():
            tree = int(wide.any(1).nonzero()[0])
            raise ValueError(
                f"trees[{tree}] has a node with {int(forest.counts[tree].max())} children; the cell has places for at "
                f"most {arity}"
            )


def by_levels(cell: TreeCell, inputs: Tensor, state: Any, forest: Forest) -> tuple[Tensor, Any]:
    """Apply a cell to all nodes of one depth at once, from the deepest to the roots.

    The children of a level are the level before it, so that the loop is a recurrence over depth: it carries the states
    of one level, and each level's rows are those of its predecessor, summed or placed by parent.

    Args:
        cell: A tree cell.
        inputs: Each tree's inputs in post-order, of shape (batch, nodes, input).
        state: The state that the leaves of each tree start from; ``None`` for zero.
        forest: The trees' shape.

    Returns:
        The outputs, of shape (batch, nodes, hidden), zero at padding; and the state at each root.
    """
    forest = forest.to(inputs.device)
    batch, nodes = forest.counts.shape
    step = cell.level_step()
    z = cell.project(inputs.flatten(0, 1).index_select(0, forest.order))
    children = map_state(lambda part: part[:0], cell.initial_state(1))  # the deepest nodes have none
    tree = (forest.order // nodes).split(forest.sizes)
    outputs = []
    for z_level, level, tree_level in zip(z.split(forest.sizes), forest.levels(), tree, strict=True):
        if state is not None:
            children, level = _with_start(children, level, state, tree_level)
        output, children = step(z_level, children, level)
        outputs.append(output)

    said = torch.cat(outputs)
    padded = said.new_zeros(batch * nodes, said.shape[1]).index_copy(0, forest.order, said)
    return padded.unflatten(0, (batch, nodes)), map_state(lambda part: part.index_select(0, forest.roots), children)


def _with_start(children: Any, level: Level, state: Any, tree: Tensor) -> tuple[Any, Level]:
    """Give each leaf its tree's initial state for a child, so that every node has children."""
    leaves = torch.arange(level.inner, len(tree), device=tree.device)
    children = map_state(lambda old, new: torch.cat([old, new.index_select(0, tree[leaves])]), children, state)
    parents = torch.cat([level.parents, leaves])
    return children, Level(len(tree), parents, torch.cat([level.positions, torch.zeros_like(leaves)]))
