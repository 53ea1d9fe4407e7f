"""The N-ary Tree-LSTM: at most N children, each place with weights of its own."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from rnncourse.checks import check_positive
from rnncourse.shapes import LSTMState
from rnncourse.trees.cell import (
    TreeLSTMCell,
    check_node,
    place_by_parent,
    project,
    side_by_side,
    sum_by_parent,
)
from rnncourse.trees.child_sum import TreeLSTMTrace
from rnncourse.trees.forest import Level

__all__ = ["NaryTreeLSTMCell", "nary_tree_lstm_trace"]


def nary_tree_lstm_trace(
    x: Float[Tensor, "batch input"],
    children: LSTMState,
    weight_ih: Float[Tensor, "gates input"],
    weight_hh: Float[Tensor, "rows columns"],
    bias_ih: Float[Tensor, "gates"] | None = None,
    bias_hh: Float[Tensor, "gates"] | None = None,
    *,
    arity: int,
) -> TreeLSTMTrace:
    r"""One step of the N-ary Tree-LSTM, with every gate.

    .. math::

        i_j &= \sigma(W_{ii} x_j + \sum_{l=1}^{N} W_{hi}^{(l)} h_{jl} + b_i) \\
        f_{jk} &= \sigma(W_{if} x_j + \sum_{l=1}^{N} W_{hf_k}^{(l)} h_{jl} + b_f), \qquad k = 1, \dots, N \\
        g_j &= \tanh(W_{ig} x_j + \sum_{l=1}^{N} W_{hg}^{(l)} h_{jl} + b_g) \\
        o_j &= \sigma(W_{io} x_j + \sum_{l=1}^{N} W_{ho}^{(l)} h_{jl} + b_o) \\
        c_j &= i_j \odot g_j + \sum_{k=1}^{N} f_{jk} \odot c_{jk} \\
        h_j &= o_j \odot \tanh(c_j)

    where :math:`h_{jl}` and :math:`c_{jl}` are the states of the child in place :math:`l`, zero where there is none,
    ``weight_ih`` is :math:`(W_{ii}|W_{if}|W_{ig}|W_{io})`, of shape (4*hidden, input), each :math:`b` is a sum of two
    parts, and ``weight_hh`` is :math:`(W_{hi}|W_{hf_1}|\dots|W_{hf_N}|W_{hg}|W_{ho})`, of shape
    ((3 + N)*hidden, N*hidden): each of its blocks of rows holds the matrices of the places :math:`l`, side by side.
    There is a forget gate for each child, and it sees all of them; its input weights and bias are the same for all.

    Args:
        x: The nodes' inputs.
        children: The hidden and cell states of their children, left to right, each of shape (batch, children, hidden),
            at most N of them; the middle axis is empty for leaves.
        weight_ih: Input to gates, in the order i, f, g, o.
        weight_hh: Hidden to gates, in the order i, f of every child, g, o.
        bias_ih: The gates' bias, or none.
        bias_hh: The gates' second bias, or none.
        arity: :math:`N`.

    Returns:
        The gates, the candidate, the new cell state and the new hidden state; forget gates for the children that
        there are.

    Raises:
        ValueError: If a tensor's shape does not fit the weights, there are more than N children, or ``children`` is no
            :class:`~rnncourse.shapes.LSTMState`.

    Source: Tai, Socher and Manning (2015), equations 9 to 14, from secondary sources; their :math:`u` is :math:`g`
    here, and :math:`U^{(f)}_{kl}` is :math:`W_{hf_k}^{(l)}`.

    Example:
        >>> children = LSTMState(h=torch.zeros(1, 2, 1), c=torch.tensor([[[4.0], [8.0]]]))
        >>> trace = nary_tree_lstm_trace(torch.ones(1, 1), children, torch.zeros(4, 1), torch.zeros(5, 2), arity=2)
        >>> trace.c  # all-zero weights leave every gate half open
        tensor([[6.]])
    """
    check_positive("arity", arity)
    check_node(x, children, (weight_ih, weight_hh, bias_ih, bias_hh), (4, 3 + arity), arity)
    h, c = children
    batch, count, hidden = h.shape
    x_i, x_f, x_g, x_o = project(x, weight_ih, bias_ih, bias_hh).chunk(4, dim=1)  # four times (batch, hidden)
    gates = F.linear(side_by_side(h, arity), weight_hh)  # (batch, (3 + arity)*hidden)
    h_i, h_f, h_g, h_o = gates.split([hidden, arity * hidden, hidden, hidden], dim=1)
    i = torch.sigmoid(x_i + h_i)
    f = torch.sigmoid(x_f.unsqueeze(1) + h_f.view(batch, arity, hidden)[:, :count])  # (batch, children, hidden)
    g = torch.tanh(x_g + h_g)
    o = torch.sigmoid(x_o + h_o)
    c_j = i * g + (f * c).sum(1)
    return TreeLSTMTrace(i, f, g, o, c_j, o * torch.tanh(c_j))


class NaryTreeLSTMCell(TreeLSTMCell):
    r"""The N-ary Tree-LSTM's cell.

    .. math::

        c_j &= i_j \odot g_j + \sum_{k=1}^{N} f_{jk} \odot c_{jk} \\
        h_j &= o_j \odot \tanh(c_j)

    where the gates are those of :func:`nary_tree_lstm_trace`: ``weight_ih`` is
    :math:`(W_{ii}|W_{if}|W_{ig}|W_{io})`, of shape (4*hidden, input), ``weight_hh`` is
    :math:`(W_{hi}|W_{hf_1}|\dots|W_{hf_N}|W_{hg}|W_{ho})`, of shape ((3 + N)*hidden, N*hidden), and the biases have
    shape (4*hidden,). With N = 1 it is :class:`~rnncourse.cells.LSTMCell`, whose ``state_dict`` it then loads.

    Args:
        input_size: Features of one node's input.
        hidden_size: Units of the hidden state and of the cell state.
        arity: :math:`N`, the most children that a node may have.
        bias: Whether there are biases.
        forget_bias: The forget gates' bias at the start; left as drawn if not given.
        init: ``"uniform"`` or ``"orthogonal"``.

    Raises:
        ValueError: If a size or the arity is not at least 1, the initialisation is unknown, or ``forget_bias`` is no
            finite number or given without biases.

    Source: as :func:`nary_tree_lstm_trace`.

    Example:
        >>> cell = NaryTreeLSTMCell(3, 5, arity=2)
        >>> children = LSTMState(torch.zeros(4, 2, 5), torch.zeros(4, 2, 5))
        >>> output, (h, c) = cell(torch.zeros(4, 3), children)
        >>> output.shape, cell.weight_hh.shape
        (torch.Size([4, 5]), torch.Size([25, 10]))
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        *,
        arity: int = 2,
        bias: bool = True,
        forget_bias: float | None = None,
        init: str = "uniform",
    ) -> None:
        check_positive("arity", arity)
        super().__init__(input_size, hidden_size, arity=arity, bias=bias, forget_bias=forget_bias, init=init)

    def add_parameters(self) -> None:
        """Give ``weight_hh`` a block of columns for each place and a forget gate's rows for each child."""
        hidden, arity = self.hidden_size, self.arity
        self.weight_hh = nn.Parameter(torch.empty((3 + arity) * hidden, arity * hidden))

    def equations(self, x_t: Tensor, state: LSTMState) -> TreeLSTMTrace:
        """The step :func:`nary_tree_lstm_trace` with this cell's parameters."""
        return nary_tree_lstm_trace(x_t, state, *self.weights, arity=self.arity)

    def level_step(self) -> Callable[[Tensor, Any, Level | None], tuple[Tensor, Any]]:
        """The same equations for many nodes at once."""
        return partial(_level, W=self.weight_hh, arity=self.arity)


def _level(
    z: Tensor, children: LSTMState | None, level: Level | None, *, W: Tensor, arity: int
) -> tuple[Tensor, LSTMState]:
    z_i, z_f, z_g, z_o = z.chunk(4, dim=1)  # four times (nodes, hidden)
    kept = 0
    if children is not None:
        h, c = children
        hidden = h.shape[1]
        gates = F.linear(place_by_parent(h, level, len(z), arity), W)  # (nodes, (3 + arity)*hidden)
        a_i, a_f, a_g, a_o = gates.split([hidden, arity * hidden, hidden, hidden], dim=1)
        z_i, z_g, z_o = z_i + a_i, z_g + a_g, z_o + a_o
        a_f = a_f.reshape(-1, hidden).index_select(0, arity * level.parents + level.positions)
        f = torch.sigmoid(z_f.index_select(0, level.parents) + a_f)  # (children, hidden)
        kept = sum_by_parent(f * c, level, len(z))
    c = torch.sigmoid(z_i) * torch.tanh(z_g) + kept
    h = torch.sigmoid(z_o) * torch.tanh(c)
    return h, LSTMState(h, c)
