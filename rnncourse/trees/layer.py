"""A tree cell over trees, node by node or depth by depth."""

from __future__ import annotations

from collections.abc import Sequence
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
    of one level. Leaves depend on no other node, wherever they stand: they come first, all at once.

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
    step, count = cell.level_step(), sum(forest.leaves)
    z = cell.project(inputs.flatten(0, 1).index_select(0, forest.order))
    z_leaves, *z_inner = z.split([count, *forest.inner[1:]])  # not z[…], whose backward is quadratic in the levels

    start = own = None
    if state is not None:
        tree = forest.order[:count] // nodes
        start = map_state(lambda part: part.index_select(0, tree), state)
        own = Level(torch.arange(count, device=z.device), torch.zeros_like(tree))
    output, leaves = step(z_leaves, start, own)
    outputs = [output]
    here, *leaves = _split(leaves, forest.leaves)
    for z_level, level, beside in zip(z_inner, forest.levels(), leaves, strict=True):
        output, here = step(z_level, here, level)
        outputs.append(output)
        here = map_state(lambda *parts: torch.cat(parts), here, beside)

    said = torch.cat(outputs)
    padded = said.new_zeros(batch * nodes, said.shape[1]).index_copy(0, forest.order, said)
    return padded.unflatten(0, (batch, nodes)), map_state(lambda part: part.index_select(0, forest.roots), here)


def _split(state: Any, sizes: Sequence[int]) -> list[Any]:
    """A state's rows in consecutive parts, each a state."""
    if not isinstance(state, tuple):
        return list(state.split(sizes))
    return [type(state)(*parts) for parts in zip(*(part.split(sizes) for part in state), strict=True)]
