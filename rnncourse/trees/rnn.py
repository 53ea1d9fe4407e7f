"""The recursive neural network: the vanilla recurrent step with several children in place of one predecessor."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from rnncourse.checks import check_choice, check_positive
from rnncourse.functional import RNNTrace
from rnncourse.trees.cell import TreeCell, check_node, place_by_parent, project, side_by_side, sum_by_parent
from rnncourse.trees.forest import Level

__all__ = ["TreeRNNCell", "tree_rnn_trace"]


def tree_rnn_trace(
    x: Float[Tensor, "batch input"],
    children: Float[Tensor, "batch children hidden"],
    weight_ih: Float[Tensor, "hidden input"],
    weight_hh: Float[Tensor, "hidden columns"],
    bias_ih: Float[Tensor, "hidden"] | None = None,
    bias_hh: Float[Tensor, "hidden"] | None = None,
    *,
    arity: int | None = None,
    nonlinearity: str = "tanh",
) -> RNNTrace:
    r"""One step of the recursive neural network, with its activation.

    .. math::

        a_j &= U x_j + \sum_{k \in C(j)} W h_k + b
            \quad\text{or}\quad U x_j + \sum_{k=1}^{N} W_k h_{jk} + b \\
        h_j &= \varphi(a_j)

    where :math:`x_j` is the input at node :math:`j`, :math:`h_k` the hidden state of its child :math:`k`, :math:`U` is
    ``weight_ih``, :math:`b` the sum of the two biases and :math:`\varphi` is tanh or ReLU. In the first form all
    children share :math:`W`, which is ``weight_hh``; in the second ``weight_hh`` is :math:`(W_1, \dots, W_N)`, side by
    side, a matrix for each place, and :math:`h_{jk}` is zero where node :math:`j` has fewer children.

    Args:
        x: The nodes' inputs.
        children: The hidden states of their children, left to right; the axis is empty for leaves.
        weight_ih: :math:`U`.
        weight_hh: :math:`W`, of shape (hidden, hidden), or :math:`(W_1, \dots, W_N)`, of shape (hidden, N*hidden).
        bias_ih: A bias, or none.
        bias_hh: A second bias, or none.
        arity: :math:`N`, or ``None`` for the first form.
        nonlinearity: ``"tanh"`` or ``"relu"``.

    Returns:
        The activation and the new hidden state.

    Raises:
        ValueError: If a tensor's shape does not fit the weights, there are more children than places, or the
            nonlinearity is unknown.

    Source: Socher et al. (2011) for the second form, from secondary sources; the first shares its weights as the
    child-sum form of Tai et al. (2015) does.

    Example:
        >>> one, three = torch.ones(1, 1), torch.full((1, 3, 1), 2.0)
        >>> tree_rnn_trace(one, three, weight_ih=one, weight_hh=one, nonlinearity="relu").h
        tensor([[7.]])
    """
    check_choice("nonlinearity", nonlinearity, ("tanh", "relu"))
    if arity is not None:
        check_positive("arity", arity)
    check_node(x, children, (weight_ih, weight_hh, bias_ih, bias_hh), (1, 1), arity)
    h = children.sum(1) if arity is None else side_by_side(children, arity)  # (batch, columns)
    a = project(x, weight_ih, bias_ih, bias_hh) + F.linear(h, weight_hh)
    return RNNTrace(a, _FUNCTIONS[nonlinearity](a))


class TreeRNNCell(TreeCell):
    r"""The recursive neural network's cell.

    .. math:: h_j = \varphi(U x_j + \sum_{k \in C(j)} W h_k + b)
        \quad\text{or}\quad \varphi(U x_j + \sum_{k=1}^{N} W_k h_{jk} + b)

    where the symbols are those of :func:`tree_rnn_trace`: ``weight_ih`` is :math:`U`, of shape (hidden, input),
    ``weight_hh`` is :math:`W`, of shape (hidden, hidden), or :math:`(W_1, \dots, W_N)`, of shape (hidden, N*hidden),
    and the biases have shape (hidden,). On a chain it is :class:`~rnncourse.cells.RNNCell`.

    Args:
        input_size: Features of one node's input.
        hidden_size: Units of the hidden state.
        arity: :math:`N`, a matrix for each place; or ``None``: all children share :math:`W`.
        nonlinearity: ``"tanh"`` or ``"relu"``.
        bias: Whether there are biases.
        init: ``"uniform"`` or ``"orthogonal"``.

    Raises:
        ValueError: If a size or the arity is not at least 1, or a choice is unknown.

    Source: as :func:`tree_rnn_trace`.

    Example:
        >>> cell = TreeRNNCell(3, 5, arity=2)
        >>> output, state = cell(torch.zeros(4, 3), torch.zeros(4, 2, 5))
        >>> output.shape, output is state
        (torch.Size([4, 5]), True)
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        *,
        arity: int | None = None,
        nonlinearity: str = "tanh",
        bias: bool = True,
        init: str = "uniform",
    ) -> None:
        check_choice("nonlinearity", nonlinearity, ("tanh", "relu"))
        self.nonlinearity = nonlinearity
        super().__init__(input_size, hidden_size, arity=arity, bias=bias, init=init)

    def add_parameters(self) -> None:
        """Give ``weight_hh`` a block of columns for each place."""
        if self.arity is not None:
            self.weight_hh = nn.Parameter(torch.empty(self.hidden_size, self.arity * self.hidden_size))

    def equations(self, x_t: Tensor, state: Tensor) -> RNNTrace:
        """The step :func:`tree_rnn_trace` with this cell's parameters."""
        return tree_rnn_trace(x_t, state, *self.weights, arity=self.arity, nonlinearity=self.nonlinearity)

    def level_step(self) -> Callable[[Tensor, Any, Level | None], tuple[Tensor, Any]]:
        """The same equations for many nodes at once."""
        return partial(_level, W=self.weight_hh, arity=self.arity, function=_FUNCTIONS[self.nonlinearity])


_FUNCTIONS = {"tanh": torch.tanh, "relu": torch.relu}


def _level(
    z: Tensor,
    h: Tensor | None,
    level: Level | None,
    *,
    W: Tensor,
    arity: int | None,
    function: Callable[[Tensor], Tensor],
) -> tuple[Tensor, Tensor]:
    if h is not None:
        h = sum_by_parent(h, level, len(z)) if arity is None else place_by_parent(h, level, len(z), arity)
        z = z + F.linear(h, W)
    h = function(z)
    return h, h
