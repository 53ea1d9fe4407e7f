"""What tree cells share: the states of several children come in, one goes out."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from rnncourse.cells import Cell
from rnncourse.checks import check_flag, check_positive, check_shape
from rnncourse.shapes import LSTMState
from rnncourse.trees.forest import Level

__all__ = [
    "TreeCell",
    "TreeLSTMCell",
    "check_node",
    "check_states",
    "place_by_parent",
    "project",
    "side_by_side",
    "sum_by_parent",
]


class TreeCell(Cell):
    """What all tree cells share: a cell whose state before a step is that of several children.

    ``output, state = cell(x, children)`` treats a batch of nodes: ``x`` has shape (batch, input), each tensor of
    ``children`` has shape (batch, children, hidden), the output and the tensors of ``state`` (batch, hidden). A leaf
    has no children, so that their axis is empty. Parameters are named, ordered and drawn as those of the cell over
    sequences that this one is on a chain.

    Args:
        input_size: Features of one node's input.
        hidden_size: Units of the hidden state.
        arity: The most children that a node may have, each place with weights of its own; or ``None`` for any number,
            which share their weights and whose order does not count.
        bias: Whether there are biases.
        init: ``"uniform"`` or ``"orthogonal"``; the latter makes every square block of ``weight_hh`` orthogonal.

    Raises:
        ValueError: If a size or the arity is not at least 1, or the initialisation is unknown.
    """

    def __init__(
        self, input_size: int, hidden_size: int, *, arity: int | None = None, bias: bool = True, init: str = "uniform"
    ) -> None:
        if arity is not None:
            check_positive("arity", arity)
        check_flag("bias", bias)
        self.arity = arity
        super().__init__(input_size, hidden_size, bias=bias, init=init)

    @torch.no_grad()
    def reset_parameters(self) -> None:
        """Draw all parameters anew."""
        super().reset_parameters()
        if self.init == "orthogonal" and self.weight_hh.shape[1] != self.hidden_size:
            for rows in self.weight_hh.split(self.hidden_size):
                for block in rows.split(self.hidden_size, dim=1):
                    nn.init.orthogonal_(block)

    def level_step(self) -> Callable[[Tensor, Any, Level | None], tuple[Tensor, Any]]:
        """The same equations for many nodes at once that differ in their number of children.

        Returns:
            A function of the nodes' projected inputs (:meth:`project`), the states of all their children in rows, and
            the :class:`~rnncourse.trees.forest.Level` that says whose they are; or of ``None`` and ``None`` where no
            node has children. It returns outputs and states.
        """
        raise NotImplementedError(f"{type(self).__name__}: a tree cell should say its level_step")

    def project(self, x: Tensor) -> Tensor:
        """The inputs' and the biases' share of every gate."""
        return project(x, self.weight_ih, self.bias_ih, self.bias_hh)

    def extra_repr(self) -> str:
        """The sizes, as ``repr`` shows them."""
        return super().extra_repr() + ("" if self.arity is None else f", arity={self.arity}")


class TreeLSTMCell(TreeCell):
    """What the two Tree-LSTMs share: four gates, a cell state, and the forget gates' bias at the start.

    Args:
        input_size: Features of one node's input.
        hidden_size: Units of the hidden state and of the cell state.
        arity: As in :class:`TreeCell`.
        bias: Whether there are biases.
        forget_bias: The forget gates' bias at the start, as in :class:`~rnncourse.cells.LSTMCell`.
        init: ``"uniform"`` or ``"orthogonal"``.

    Raises:
        ValueError: If a size or the arity is not at least 1, the initialisation is unknown, or ``forget_bias`` is no
            finite number or given without biases.
    """

    gates = 4

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        *,
        arity: int | None = None,
        bias: bool = True,
        forget_bias: float | None = None,
        init: str = "uniform",
    ) -> None:
        if forget_bias is not None and not bias:
            raise ValueError(f"forget_bias is {forget_bias!r} and bias is False; a forget bias needs biases")
        if forget_bias is not None and not (isinstance(forget_bias, int | float) and math.isfinite(forget_bias)):
            raise ValueError(f"forget_bias is {forget_bias!r}; it should be a finite number, or None")
        self.forget_bias = forget_bias
        super().__init__(input_size, hidden_size, arity=arity, bias=bias, init=init)

    @torch.no_grad()
    def reset_parameters(self) -> None:
        """Draw all parameters anew."""
        super().reset_parameters()
        if self.forget_bias is not None:
            forget = slice(self.hidden_size, 2 * self.hidden_size)
            self.bias_ih[forget] = self.forget_bias
            self.bias_hh[forget] = 0.0

    def initial_state(self, batch_size: int) -> LSTMState:
        """What a leaf may find in the place of a child: zeros, of shape (batch, hidden)."""
        h = super().initial_state(batch_size)
        return LSTMState(h, torch.zeros_like(h))

    def trace(self, x_t: Tensor, state: LSTMState) -> tuple[Any, LSTMState]:
        """One step, opened: its gates, candidate, cell state and hidden state; and the new state."""
        trace = self.equations(x_t, state)
        return trace, LSTMState(trace.h, trace.c)


def check_node(
    x: Any, children: Any, weights: tuple[Tensor | None, ...], gates: tuple[int, int], arity: int | None
) -> None:
    """Refuse a step over nodes whose input or children do not fit the weights, or weights that do not fit each other.

    Args:
        x: The nodes' inputs.
        children: The states of their children.
        weights: ``weight_ih, weight_hh, bias_ih, bias_hh``; a bias may be none.
        gates: How many blocks of hidden rows ``weight_ih`` and ``weight_hh`` hold; four or more make an LSTM.
        arity: The most children, each with a block of hidden columns; none where all share one.

    Raises:
        ValueError: If a tensor's shape, dtype or device does not fit, or there are more children than places.
    """
    weight_ih, weight_hh, *biases = weights
    for name, weight in (("weight_ih", weight_ih), ("weight_hh", weight_hh)):
        if not isinstance(weight, Tensor) or weight.dim() != 2 or not weight.numel():
            check_shape(name, weight, gates=None, features=None)
    check_shape("x", x, like=weight_ih, batch=None, input=weight_ih.shape[1])
    hidden = weight_hh.shape[1] // (arity or 1)
    if arity is not None and weight_hh.shape[1] != arity * hidden:
        raise ValueError(f"weight_hh has {weight_hh.shape[1]} columns; it should have hidden ones for each of {arity}")
    check_states("children", children, lstm=gates[0] == 4, like=weight_hh, batch=len(x), children=None, hidden=hidden)
    count = (children.h if gates[0] == 4 else children).shape[1]
    if arity is not None and count > arity:
        raise ValueError(f"children holds {count} children a node; there are weights for at most {arity}")
    for name, weight, blocks in (("weight_ih", weight_ih, gates[0]), ("weight_hh", weight_hh, gates[1])):
        if weight.shape[0] != blocks * hidden:
            check_shape(name, weight, gates=blocks * hidden, features=None)
    for name, bias in zip(("bias_ih", "bias_hh"), biases, strict=True):
        fits = isinstance(bias, Tensor) and bias.shape == (gates[0] * hidden,) and bias.dtype == weight_ih.dtype
        if bias is not None and not fits:
            check_shape(name, bias, like=weight_ih, gates=gates[0] * hidden)


def check_states(name: str, state: Any, *, lstm: bool, like: Tensor, **axes: int | None) -> None:
    """Refuse a state of another kind or shape; the axis ``children`` may be empty, as a leaf's is.

    Args:
        name: The argument's name, for the message.
        state: What was given.
        lstm: Whether it should be an :class:`~rnncourse.shapes.LSTMState` rather than a tensor.
        like: A parameter, whose dtype and device the state should share.
        **axes: The axes in order, each with its size, or ``None`` for any.

    Raises:
        ValueError: If the state does not fit, or its two tensors do not fit each other.
    """
    if not lstm:
        parts = {name: state}
    elif isinstance(state, LSTMState):
        parts = {f"{name}.h": state.h, f"{name}.c": state.c}
    else:
        raise ValueError(f"{name} is a {type(state).__name__}; it should be an LSTMState(h, c)")
    for part_name, part in parts.items():
        if isinstance(part, Tensor) and part.dim() == len(axes) == 3 and not part.shape[1]:
            part = part.new_empty(part.shape[0], 1, part.shape[2])  # only its other axes are looked at
        check_shape(part_name, part, like=like, **axes)
    if lstm and state.h.shape != state.c.shape:
        raise ValueError(
            f"{name}.c has shape {tuple(state.c.shape)}; it should be {tuple(state.h.shape)}, as {name}.h has"
        )


def project(x: Tensor, weight_ih: Tensor, bias_ih: Tensor | None, bias_hh: Tensor | None) -> Tensor:
    """The share of the inputs and of both biases in every gate, of shape (nodes, gates)."""
    z = F.linear(x, weight_ih, bias_ih)
    return z if bias_hh is None else z + bias_hh


def side_by_side(h: Tensor, arity: int) -> Tensor:
    """Children's vectors in one row, zeros in the places that are free: (batch, children, n) to (batch, arity·n)."""
    return F.pad(h, (0, 0, 0, arity - h.shape[1])).flatten(1)


def sum_by_parent(values: Tensor, level: Level, nodes: int) -> Tensor:
    """The sum of the children's rows for each of their parents: (children, n) to (nodes, n)."""
    return values.new_zeros(nodes, values.shape[1]).index_add(0, level.parents, values)


def place_by_parent(values: Tensor, level: Level, nodes: int, arity: int) -> Tensor:
    """The children's rows side by side, zeros in the places that are free: (children, n) to (nodes, arity·n)."""
    rows = values.new_zeros(nodes * arity, values.shape[1])
    return rows.index_add(0, arity * level.parents + level.positions, values).view(nodes, arity * values.shape[1])
