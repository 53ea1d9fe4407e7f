"""The long short-term memory cell whose hidden state is a projection of what its output gate lets out."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from rnncourse.cells.cell import Cell
from rnncourse.checks import check_positive, check_shape
from rnncourse.functional import LSTMTrace
from rnncourse.shapes import LSTMState, check_state

__all__ = ["ProjectedLSTMCell"]


class ProjectedLSTMCell(Cell):
    r"""The long short-term memory cell with a projection: many memory cells, few outputs.

    .. math::

        c_t &= f_t \odot c_{t-1} + i_t \odot g_t \\
        h_t &= W_{hr} (o_t \odot \tanh(c_t))

    where the gates and the candidate are those of :func:`~rnncourse.functional.lstm_trace`, read from the projected
    :math:`h_{t-1}`: ``weight_ih`` has shape (4*hidden, input), ``weight_hh`` (4*hidden, proj), the biases (4*hidden,),
    and :math:`W_{hr}` is ``weight_hr``, of shape (proj, hidden). The cell states have ``hidden_size`` entries, the
    hidden states and outputs ``proj_size``.

    Args:
        input_size: Features of one step's input.
        hidden_size: Entries of the cell state.
        proj_size: Entries of the hidden state, at least 1 and fewer than ``hidden_size``.
        bias: Whether there are biases.
        init: ``"uniform"``, as PyTorch.
        learn_initial_state: Whether the initial hidden and cell state are parameters.

    Raises:
        ValueError: If a size is not at least 1, or ``proj_size`` is not smaller than ``hidden_size``.

    Source: Sak, Senior and Beaufays (2014), from a secondary source: the documentation of ``torch.nn.LSTM``, whose
    ``proj_size`` this is.

    Example:
        >>> cell = ProjectedLSTMCell(3, 8, proj_size=2)
        >>> output, (h, c) = cell(torch.zeros(1, 3), cell.initial_state(1))
        >>> output.shape, c.shape
        (torch.Size([1, 2]), torch.Size([1, 8]))
    """

    gates = 4
    inits = ("uniform",)

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        *,
        proj_size: int,
        bias: bool = True,
        init: str = "uniform",
        learn_initial_state: bool = False,
    ) -> None:
        check_positive("hidden_size", hidden_size)
        check_positive("proj_size", proj_size)
        if proj_size >= hidden_size:
            raise ValueError(f"proj_size is {proj_size}; it should be smaller than hidden_size, {hidden_size}")
        self.proj_size = proj_size
        super().__init__(input_size, hidden_size, bias=bias, init=init, learn_initial_state=learn_initial_state)
        self.initial_h = nn.Parameter(torch.zeros(proj_size)) if learn_initial_state else None
        self.initial_c = nn.Parameter(torch.zeros(hidden_size)) if learn_initial_state else None

    def add_parameters(self) -> None:
        """Create the projection, and the hidden weights that read what it made."""
        self.weight_hh = nn.Parameter(torch.empty(self.gates * self.hidden_size, self.proj_size))
        self.weight_hr = nn.Parameter(torch.empty(self.proj_size, self.hidden_size))

    @property
    def output_size(self) -> int:
        """Entries of one step's output."""
        return self.proj_size

    @property
    def weights(self) -> tuple[Tensor, Tensor, Tensor | None, Tensor | None, Tensor]:
        """The parameters of every step, in PyTorch's order, the projection last."""
        return self.weight_ih, self.weight_hh, self.bias_ih, self.bias_hh, self.weight_hr

    def initial_state(self, batch_size: int) -> LSTMState:
        """The state before the first step: zero, or learned.

        Args:
            batch_size: How many sequences are treated side by side.

        Returns:
            A hidden state of shape (batch, proj) and a cell state of shape (batch, hidden).

        Raises:
            ValueError: If ``batch_size`` is not at least 1.
        """
        check_positive("batch_size", batch_size)
        if self.initial_h is not None:
            return LSTMState(self.initial_h.expand(batch_size, -1), self.initial_c.expand(batch_size, -1))
        new = self.weight_hh.new_zeros
        return LSTMState(new(batch_size, self.proj_size), new(batch_size, self.hidden_size))

    def trace(self, x_t: Tensor, state: LSTMState) -> tuple[LSTMTrace, LSTMState]:
        """One step, opened: its gates, candidate, cell state and projected hidden state; and the new state."""
        trace = self.equations(x_t, state)
        return trace, LSTMState(trace.h, trace.c)

    def equations(self, x_t: Tensor, state: LSTMState) -> LSTMTrace:
        """The equations above, with the gates and the candidate that they are made of."""
        check_shape("x_t", x_t, like=self.weight_ih, batch=None, input=self.input_size)
        check_state("state", state, self.initial_state(len(x_t)))
        h, c = state
        gates = F.linear(x_t, self.weight_ih, self.bias_ih) + F.linear(h, self.weight_hh, self.bias_hh)
        i, f, g, o = gates.chunk(4, dim=1)  # four times (batch, hidden)
        i, f, g, o = torch.sigmoid(i), torch.sigmoid(f), torch.tanh(g), torch.sigmoid(o)
        c_t = f * c + i * g
        return LSTMTrace(i, f, g, o, c_t, F.linear(o * torch.tanh(c_t), self.weight_hr))

    def fused(self) -> Callable[..., Any] | None:
        """The function ``torch.lstm``, which projects where the two states differ in size."""
        return _projected_lstm if self._is_plain(ProjectedLSTMCell) else None

    def extra_repr(self) -> str:
        """The sizes, as ``repr`` shows them."""
        return f"{super().extra_repr()}, proj_size={self.proj_size}"


def _projected_lstm(*given: Any) -> tuple[Tensor, Tensor, Tensor]:
    """``torch.lstm``, without its remark that oneDNN has no projections: nobody asked for oneDNN."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "LSTM with projections is not supported with oneDNN")
        return torch.lstm(*given)
