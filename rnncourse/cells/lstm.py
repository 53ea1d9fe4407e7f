"""The long short-term memory cell, and the ablations that were made of it."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection
from typing import Any

import torch
from torch import Tensor, nn

from rnncourse.cells.cell import Cell
from rnncourse.functional import LSTMTrace, Peepholes, check_parts, lstm_trace
from rnncourse.kernels.lstm import lstm_over_time
from rnncourse.shapes import LSTMState

__all__ = ["ABLATIONS", "LSTMCell"]

ABLATIONS: dict[str, dict[str, Any]] = {
    "NIG": {"without": ("input",)},
    "NFG": {"without": ("forget",)},
    "NOG": {"without": ("output",)},
    "NIAF": {"without": ("input_activation",)},
    "NOAF": {"without": ("output_activation",)},
    "CIFG": {"coupled": True},
    "NP": {"peepholes": False},
}
"""The ablations of Greff et al. (2017) by the paper's names, as keyword arguments of :class:`LSTMCell`.

No input gate, no forget gate, no output gate, no input activation function, no output activation function, coupled
input and forget gate, no peepholes. The paper takes one thing at a time away from an LSTM *with* peepholes, so its NIG
is ``LSTMCell(3, 5, **{"peepholes": True} | ABLATIONS["NIG"])``. Its eighth variant, full gate recurrence, adds
connections instead of taking anything away; it is not among them. (From secondary sources; the paper's abstract was
read.)
"""


class LSTMCell(Cell):
    r"""The long short-term memory cell.

    .. math::

        c_t &= f_t \odot c_{t-1} + i_t \odot g_t \\
        h_t &= o_t \odot \tanh(c_t)

    where the gates :math:`i_t, f_t, o_t` and the candidate :math:`g_t` are those of
    :func:`~rnncourse.functional.lstm_trace`: ``weight_ih`` is :math:`(W_{ii}|W_{if}|W_{ig}|W_{io})`, of shape
    (4*hidden, input), ``weight_hh`` is :math:`(W_{hi}|W_{hf}|W_{hg}|W_{ho})`, of shape (4*hidden, hidden), the biases
    have shape (4*hidden,), and the peephole weights ``weight_ci``, ``weight_cf``, ``weight_co`` have shape (hidden,).

    Args:
        input_size: Features of one step's input.
        hidden_size: Units of the hidden state and of the cell state.
        bias: Whether there are biases.
        peepholes: Whether the gates look at the cell state.
        forget_bias: The forget gate's bias at the start. PyTorch adds two biases; this is their sum. Left as drawn if
            not given.
        without: The parts to do without, of :data:`~rnncourse.functional.lstm.LSTM_PARTS`; the parameters of a gate
            that is gone remain, unused.
        coupled: Whether the forget gate is 1 minus the input gate.
        init: ``"uniform"`` or ``"orthogonal"``.
        learn_initial_state: Whether the initial hidden and cell state are parameters.

    Raises:
        ValueError: If a size is not at least 1, a part or choice is unknown, ``forget_bias`` is given without biases,
            or ``coupled`` is asked for together with taking the input or the forget gate away.

    Source: Hochreiter and Schmidhuber (1997) and, for the forget gate, Gers et al. (2000), from secondary sources.
    Jozefowicz et al. (2015) for its bias: read in the abstract, which says that a bias of 1 closes the gap between the
    LSTM and the GRU. Greff et al. (2017) for the ablations, from secondary sources; its abstract was read, which counts
    eight variants.

    Example:
        >>> cell = LSTMCell(3, 5, forget_bias=1.0)
        >>> output, (h, c) = cell(torch.zeros(2, 3), cell.initial_state(2))
        >>> output.shape, c.shape, output is h
        (torch.Size([2, 5]), torch.Size([2, 5]), True)
    """

    gates = 4

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        *,
        bias: bool = True,
        peepholes: bool = False,
        forget_bias: float | None = None,
        without: Collection[str] = (),
        coupled: bool = False,
        init: str = "uniform",
        learn_initial_state: bool = False,
    ) -> None:
        check_parts(without, coupled)
        if forget_bias is not None and not bias:
            raise ValueError(f"forget_bias is {forget_bias!r} and bias is False; a forget bias needs biases")
        if forget_bias is not None and not (isinstance(forget_bias, int | float) and math.isfinite(forget_bias)):
            raise ValueError(f"forget_bias is {forget_bias!r}; it should be a finite number, or None")
        self.has_peepholes = peepholes
        self.forget_bias = forget_bias
        self.without = frozenset(without)
        self.coupled = coupled
        super().__init__(input_size, hidden_size, bias=bias, init=init, learn_initial_state=learn_initial_state)
        self.initial_c = nn.Parameter(torch.zeros(hidden_size)) if learn_initial_state else None

    def add_parameters(self) -> None:
        """Create the peephole weights, if there are to be any."""
        for name in ("weight_ci", "weight_cf", "weight_co"):
            self.register_parameter(name, nn.Parameter(torch.empty(self.hidden_size)) if self.has_peepholes else None)

    @torch.no_grad()
    def reset_parameters(self) -> None:
        """Draw all parameters anew."""
        super().reset_parameters()
        if self.forget_bias is not None:
            forget = slice(self.hidden_size, 2 * self.hidden_size)
            self.bias_ih[forget] = self.forget_bias
            self.bias_hh[forget] = 0.0

    def initial_state(self, batch_size: int) -> LSTMState:
        """The state before the first step: zero, or learned.

        Args:
            batch_size: How many sequences are treated side by side.

        Returns:
            A hidden state and a cell state, both of shape (batch, hidden).

        Raises:
            ValueError: If ``batch_size`` is not at least 1.
        """
        h = super().initial_state(batch_size)
        c = torch.zeros_like(h) if self.initial_c is None else self.initial_c.expand(batch_size, -1)
        return LSTMState(h, c)

    def trace(self, x_t: Tensor, state: LSTMState) -> tuple[LSTMTrace, LSTMState]:
        """One step, opened: its gates, candidate, cell state and hidden state; and the new state."""
        trace = self.equations(x_t, state)
        return trace, LSTMState(trace.h, trace.c)

    def equations(self, x_t: Tensor, state: LSTMState) -> LSTMTrace:
        """The step :func:`~rnncourse.functional.lstm_trace` with this cell's parameters."""
        peepholes = Peepholes(self.weight_ci, self.weight_cf, self.weight_co) if self.has_peepholes else None
        options = {"peepholes": peepholes, "without": self.without, "coupled": self.coupled}
        return lstm_trace(x_t, state, *self.weights, **options)

    def kernel(self) -> Callable[..., Any] | None:
        """The kernel :func:`~rnncourse.kernels.lstm.lstm_sequence`, unless something is added or ablated."""
        extras = self.has_peepholes or self.without or self.coupled
        return lstm_over_time if self._is_plain(LSTMCell) and not extras else None

    def fused(self) -> Callable[..., Any] | None:
        """The function ``torch.lstm``, unless something is added or ablated."""
        return None if self.kernel() is None else torch.lstm
