"""Recurrent dropout: one mask on the hidden state, the same at every step of a sequence."""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn

from rnncourse.cells.cell import Cell
from rnncourse.checks import check_kind, check_probability
from rnncourse.shapes import LSTMState

__all__ = ["DroppedState", "RecurrentDropoutCell"]


class DroppedState(NamedTuple):
    """What a cell with recurrent dropout carries.

    Attributes:
        state: The state of the cell inside.
        mask: What its hidden state is multiplied by before every step, of shape (batch, hidden).
    """

    state: Any
    mask: Float[Tensor, "batch hidden"]


torch.serialization.add_safe_globals([DroppedState])


class RecurrentDropoutCell(Cell):
    r"""Another cell, whose hidden state goes through dropout on its way to the next step.

    .. math:: y_t, s_t = \mathrm{cell}(x_t, m \odot s_{t-1}), \qquad m_j \sim \mathrm{Bernoulli}(1 - p) / (1 - p)

    where :math:`x_t` is the input, :math:`y_t` the output, :math:`s_t` the state, of which the mask :math:`m` meets the
    hidden state (an LSTM's cell state goes on untouched), and :math:`p` is ``dropout``. One mask is drawn for each
    sequence and holds for all of its steps: it is part of the state, and whoever carries the state on carries the mask
    on. A mask drawn anew at every step would wear the memory down, as noise added at every step does. In evaluation
    nothing is dropped.

    Args:
        cell: The cell inside.
        dropout: The probability with which an entry of the hidden state is dropped, less than 1.

    Raises:
        ValueError: If ``cell`` is no cell with a hidden state of one tensor, or ``dropout`` is no such probability.

    Source: Gal and Ghahramani (2016), who call it variational and drop inputs likewise; from secondary sources.

    Example:
        >>> from rnncourse.cells import LSTMCell
        >>> cell = RecurrentDropoutCell(LSTMCell(3, 5), dropout=0.5)
        >>> output, (state, mask) = cell(torch.zeros(2, 3), cell.initial_state(2))
        >>> output.shape, state.c.shape, mask.unique()
        (torch.Size([2, 5]), torch.Size([2, 5]), tensor([0., 2.]))
    """

    def __init__(self, cell: Cell, *, dropout: float) -> None:
        nn.Module.__init__(self)  # the parameters are those of the cell inside
        check_kind("cell", cell, Cell)
        check_probability("dropout", dropout)
        if dropout == 1:
            raise ValueError("dropout is 1; it should be less, or nothing is remembered")
        if not isinstance(cell.initial_state(1), Tensor | LSTMState):
            raise ValueError(f"cell is {cell}; its hidden state should be one tensor")
        self.cell = cell
        self.dropout = dropout
        self.input_size = cell.input_size
        self.hidden_size = cell.hidden_size

    @property
    def output_size(self) -> int:
        """Features of one step's output: those of the cell inside."""
        return self.cell.output_size

    @property
    def weight_hh(self) -> Tensor:
        """The hidden weights of the cell inside."""
        return self.cell.weight_hh

    @property
    def initial_h(self) -> Tensor | None:
        """The learned initial hidden state of the cell inside, if it has one."""
        return self.cell.initial_h

    def reset_parameters(self) -> None:
        """Draw all parameters of the cell inside anew."""
        self.cell.reset_parameters()

    def initial_state(self, batch_size: int) -> DroppedState:
        """The state of the cell inside before the first step, and a mask: a new one in training, ones in evaluation.

        Args:
            batch_size: How many sequences are treated side by side.

        Returns:
            The state and the mask.

        Raises:
            ValueError: If ``batch_size`` is not at least 1.
        """
        state = self.cell.initial_state(batch_size)
        ones = torch.ones_like(_hidden(state))
        return DroppedState(state, nn.functional.dropout(ones, self.dropout, self.training))

    def trace(self, x_t: Tensor, state: DroppedState) -> tuple[Any, DroppedState]:
        """One step of the cell inside, opened, and the new state with the same mask."""
        trace, after = self.cell.trace(x_t, _masked(*state))
        return trace, DroppedState(after, state.mask)

    def forward(self, x_t: Tensor, state: DroppedState) -> tuple[Tensor, DroppedState]:
        """One step.

        Args:
            x_t: The input of this step, of shape (batch, input).
            state: The state that the step before left.

        Returns:
            The output of the cell inside, and the new state with the same mask.
        """
        output, after = self.cell(x_t, _masked(*state))
        return output, DroppedState(after, state.mask)

    def extra_repr(self) -> str:
        """The probability, as ``repr`` shows it."""
        return f"dropout={self.dropout}"


def _hidden(state: Tensor | LSTMState) -> Tensor:
    return state.h if isinstance(state, LSTMState) else state


def _masked(state: Tensor | LSTMState, mask: Tensor) -> Tensor | LSTMState:
    """The state with its hidden part through the mask."""
    h = _hidden(state) * mask
    return state._replace(h=h) if isinstance(state, LSTMState) else h
