"""The child-sum Tree-LSTM: any number of children, whose order does not count."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from rnncourse.shapes import LSTMState
from rnncourse.trees.cell import TreeLSTMCell, check_node, project, sum_by_parent
from rnncourse.trees.forest import Level

__all__ = ["ChildSumTreeLSTMCell", "TreeLSTMTrace", "child_sum_tree_lstm_trace"]


class TreeLSTMTrace(NamedTuple):
    """One step of a Tree-LSTM, opened. Every field but ``f`` has shape (batch, hidden).

    Attributes:
        i: The input gate, in (0, 1).
        f: The forget gates, one for each child, of shape (batch, children, hidden), in (0, 1).
        g: The candidate, in (-1, 1).
        o: The output gate, in (0, 1).
        c: The new cell state.
        h: The new hidden state.
    """

    i: Float[Tensor, "batch hidden"]
    f: Float[Tensor, "batch children hidden"]
    g: Float[Tensor, "batch hidden"]
    o: Float[Tensor, "batch hidden"]
    c: Float[Tensor, "batch hidden"]
    h: Float[Tensor, "batch hidden"]


torch.serialization.add_safe_globals([TreeLSTMTrace])  # for torch.load(…, weights_only=True)


def child_sum_tree_lstm_trace(
    x: Float[Tensor, "batch input"],
    children: LSTMState,
    weight_ih: Float[Tensor, "gates input"],
    weight_hh: Float[Tensor, "gates hidden"],
    bias_ih: Float[Tensor, "gates"] | None = None,
    bias_hh: Float[Tensor, "gates"] | None = None,
) -> TreeLSTMTrace:
    r"""One step of the child-sum Tree-LSTM, with every gate.

    .. math::

        \tilde h_j &= \sum_{k \in C(j)} h_k \\
        i_j &= \sigma(W_{ii} x_j + W_{hi} \tilde h_j + b_i) \\
        f_{jk} &= \sigma(W_{if} x_j + W_{hf} h_k + b_f), \qquad k \in C(j) \\
        g_j &= \tanh(W_{ig} x_j + W_{hg} \tilde h_j + b_g) \\
        o_j &= \sigma(W_{io} x_j + W_{ho} \tilde h_j + b_o) \\
        c_j &= i_j \odot g_j + \sum_{k \in C(j)} f_{jk} \odot c_k \\
        h_j &= o_j \odot \tanh(c_j)

    where :math:`C(j)` are the children of node :math:`j`, :math:`x_j` is its input, ``weight_ih`` is
    :math:`(W_{ii}|W_{if}|W_{ig}|W_{io})`, of shape (4*hidden, input), ``weight_hh`` is
    :math:`(W_{hi}|W_{hf}|W_{hg}|W_{ho})`, of shape (4*hidden, hidden), and each :math:`b` is a sum of two parts. The
    input, the candidate and the output gate see the sum of the children; the forget gate is one for each child, sees
    that child alone, and decides how much of that child's cell state is kept. Leaves have no children, and both sums
    are zero.

    Args:
        x: The nodes' inputs.
        children: The hidden and cell states of their children, each of shape (batch, children, hidden); the middle
            axis is empty for leaves.
        weight_ih: Input to gates, in the order i, f, g, o.
        weight_hh: Hidden to gates, in the same order.
        bias_ih: The gates' bias, or none.
        bias_hh: The gates' second bias, or none.

    Returns:
        The gates, the candidate, the new cell state and the new hidden state.

    Raises:
        ValueError: If a tensor's shape does not fit the weights, or ``children`` is no
            :class:`~rnncourse.shapes.LSTMState`.

    Source: Tai, Socher and Manning (2015), equations 2 to 8, from secondary sources; their :math:`u` is :math:`g` here.

    Example:
        >>> children = LSTMState(h=torch.zeros(1, 3, 1), c=torch.full((1, 3, 1), 4.0))
        >>> trace = child_sum_tree_lstm_trace(torch.ones(1, 1), children, torch.zeros(4, 1), torch.zeros(4, 1))
        >>> trace.f.flatten(), trace.c  # all-zero weights leave every gate half open
        (tensor([0.5000, 0.5000, 0.5000]), tensor([[6.]]))
    """
    check_node(x, children, (weight_ih, weight_hh, bias_ih, bias_hh), (4, 4), None)
    h, c = children
    h_sum = h.sum(1)
    x_i, x_f, x_g, x_o = project(x, weight_ih, bias_ih, bias_hh).chunk(4, dim=1)  # four times (batch, hidden)
    W_i, W_f, W_g, W_o = weight_hh.chunk(4)
    i = torch.sigmoid(x_i + F.linear(h_sum, W_i))
    f = torch.sigmoid(x_f.unsqueeze(1) + F.linear(h, W_f))  # (batch, children, hidden)
    g = torch.tanh(x_g + F.linear(h_sum, W_g))
    o = torch.sigmoid(x_o + F.linear(h_sum, W_o))
    c_j = i * g + (f * c).sum(1)
    return TreeLSTMTrace(i, f, g, o, c_j, o * torch.tanh(c_j))


class ChildSumTreeLSTMCell(TreeLSTMCell):
    r"""The child-sum Tree-LSTM's cell.

    .. math::

        c_j &= i_j \odot g_j + \sum_{k \in C(j)} f_{jk} \odot c_k \\
        h_j &= o_j \odot \tanh(c_j)

    where the gates are those of :func:`child_sum_tree_lstm_trace`: ``weight_ih`` is
    :math:`(W_{ii}|W_{if}|W_{ig}|W_{io})`, of shape (4*hidden, input), ``weight_hh`` is
    :math:`(W_{hi}|W_{hf}|W_{hg}|W_{ho})`, of shape (4*hidden, hidden), and the biases have shape (4*hidden,). On a
    chain it is :class:`~rnncourse.cells.LSTMCell`, whose ``state_dict`` it loads.

    Args:
        input_size: Features of one node's input.
        hidden_size: Units of the hidden state and of the cell state.
        bias: Whether there are biases.
        forget_bias: The forget gates' bias at the start; left as drawn if not given.
        init: ``"uniform"`` or ``"orthogonal"``.

    Raises:
        ValueError: If a size is not at least 1, the initialisation is unknown, or ``forget_bias`` is no finite number
            or given without biases.

    Source: as :func:`child_sum_tree_lstm_trace`.

    Example:
        >>> cell = ChildSumTreeLSTMCell(3, 5)
        >>> children = LSTMState(torch.zeros(4, 2, 5), torch.zeros(4, 2, 5))
        >>> output, (h, c) = cell(torch.zeros(4, 3), children)
        >>> output.shape, c.shape, output is h
        (torch.Size([4, 5]), torch.Size([4, 5]), True)
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        *,
        bias: bool = True,
        forget_bias: float | None = None,
        init: str = "uniform",
    ) -> None:
        super().__init__(input_size, hidden_size, bias=bias, forget_bias=forget_bias, init=init)

    def equations(self, x_t: Tensor, state: LSTMState) -> TreeLSTMTrace:
        """The step :func:`child_sum_tree_lstm_trace` with this cell's parameters."""
        return child_sum_tree_lstm_trace(x_t, state, *self.weights)

    def level_step(self) -> Callable[[Tensor, Any, Level | None], tuple[Tensor, Any]]:
        """The same equations for many nodes at once."""
        W_i, W_f, W_g, W_o = self.weight_hh.chunk(4)
        return partial(_level, W_f=W_f, W_igo=torch.cat([W_i, W_g, W_o]))


def _level(
    z: Tensor, children: LSTMState | None, level: Level | None, *, W_f: Tensor, W_igo: Tensor
) -> tuple[Tensor, LSTMState]:
    z_i, z_f, z_g, z_o = z.chunk(4, dim=1)  # four times (nodes, hidden)
    kept = 0
    if children is not None:
        h, c = children
        a_i, a_g, a_o = F.linear(sum_by_parent(h, level, len(z)), W_igo).chunk(3, dim=1)
        z_i, z_g, z_o = z_i + a_i, z_g + a_g, z_o + a_o
        f = torch.sigmoid(z_f.index_select(0, level.parents) + F.linear(h, W_f))  # (children, hidden)
        kept = sum_by_parent(f * c, level, len(z))
    c = torch.sigmoid(z_i) * torch.tanh(z_g) + kept
    h = torch.sigmoid(z_o) * torch.tanh(c)
    return h, LSTMState(h, c)
