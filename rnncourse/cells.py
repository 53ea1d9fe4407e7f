"""Cells: parameters around one step.

The job of a cell is to hold the parameters of one step and to apply it: ``output, state = cell(x_t, state)``. Its
parameters are named, shaped, ordered and drawn as those of PyTorch's cells, so that one seed gives both the same
weights and each loads the other's ``state_dict``.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection
from functools import partial
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from rnncourse import functional, kernels
from rnncourse.checks import check_choice, check_positive
from rnncourse.shapes import LSTMState

__all__ = ["ABLATIONS", "Cell", "GRUCell", "LSTMCell", "MGUCell", "RNNCell"]


class Cell(nn.Module):
    r"""What all cells share: parameters, their initialisation, and the initial state.

    Every parameter is drawn from :math:`U(-1/\sqrt{H}, 1/\sqrt{H})`, where :math:`H` is ``hidden_size``, as PyTorch
    does. With ``init="orthogonal"`` each gate's square block of ``weight_hh`` is then made orthogonal, so that it
    turns the hidden state without stretching it.

    Args:
        input_size: Features of one step's input.
        hidden_size: Units of the hidden state.
        bias: Whether there are ``bias_ih`` and ``bias_hh``.
        init: ``"uniform"`` or ``"orthogonal"``.
        learn_initial_state: Whether the initial state is a parameter (zero at first) rather than zero.

    Raises:
        ValueError: If a size is not at least 1 or the initialisation is unknown.

    Example:
        >>> cell = GRUCell(3, 5)
        >>> output, state = cell(torch.zeros(2, 3), cell.initial_state(2))
        >>> output.shape
        torch.Size([2, 5])
    """

    gates = 1
    inits: tuple[str, ...] = ("uniform", "orthogonal")

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        *,
        bias: bool = True,
        init: str = "uniform",
        learn_initial_state: bool = False,
    ) -> None:
        super().__init__()
        check_positive("input_size", input_size)
        check_positive("hidden_size", hidden_size)
        check_choice("init", init, self.inits)
        self.input_size = input_size
        self.hidden_size = hidden_size
        self.init = init
        rows = self.gates * hidden_size
        self.weight_ih = nn.Parameter(torch.empty(rows, input_size))
        self.weight_hh = nn.Parameter(torch.empty(rows, hidden_size))
        self.bias_ih = nn.Parameter(torch.empty(rows)) if bias else None
        self.bias_hh = nn.Parameter(torch.empty(rows)) if bias else None
        self.add_parameters()
        self.reset_parameters()
        self.initial_h = nn.Parameter(torch.zeros(hidden_size)) if learn_initial_state else None

    def add_parameters(self) -> None:
        """Create what a kind of cell has beyond the four parameters that all share."""

    @torch.no_grad()
    def reset_parameters(self) -> None:
        """Draw all parameters anew."""
        bound = 1 / math.sqrt(self.hidden_size)
        for parameter in self.parameters():
            parameter.uniform_(-bound, bound)
        if self.init == "orthogonal":
            for block in self.weight_hh.chunk(self.gates):
                nn.init.orthogonal_(block)

    @property
    def weights(self) -> tuple[Tensor, Tensor, Tensor | None, Tensor | None]:
        """The four parameters of every step, in PyTorch's order: ``weight_ih, weight_hh, bias_ih, bias_hh``."""
        return self.weight_ih, self.weight_hh, self.bias_ih, self.bias_hh

    def initial_state(self, batch_size: int) -> Any:
        """The state before the first step: zero, or learned.

        Args:
            batch_size: How many sequences are treated side by side.

        Returns:
            A hidden state of shape (batch, hidden), of the parameters' dtype and device.

        Raises:
            ValueError: If ``batch_size`` is not at least 1.

        Example:
            >>> RNNCell(3, 2).initial_state(1)
            tensor([[0., 0.]])
        """
        check_positive("batch_size", batch_size)
        if self.initial_h is not None:
            return self.initial_h.expand(batch_size, -1)
        return self.weight_hh.new_zeros(batch_size, self.hidden_size)

    def trace(self, x_t: Tensor, state: Any) -> tuple[Any, Any]:
        """One step, opened: every gate and intermediate in place of the output.

        Args:
            x_t: The input of this step, of shape (batch, input).
            state: The state that the step before left.

        Returns:
            The cell's trace, a named tuple of :mod:`rnncourse.functional`, and the new state.

        Example:
            >>> cell = RNNCell(3, 2)
            >>> trace, state = cell.trace(torch.zeros(1, 3), cell.initial_state(1))
            >>> trace._fields
            ('a', 'h')
        """
        trace = self.equations(x_t, state)
        return trace, trace.h

    def forward(self, x_t: Float[Tensor, "batch input"], state: Any) -> tuple[Float[Tensor, "batch hidden"], Any]:
        """One step.

        Args:
            x_t: The input of this step.
            state: The state that the step before left.

        Returns:
            The output, which is the new hidden state, and the new state.

        Raises:
            ValueError: If a shape, dtype or device does not fit the parameters.
        """
        trace, state = self.trace(x_t, state)
        return trace.h, state

    def equations(self, x_t: Tensor, state: Any) -> Any:
        """The step of :mod:`rnncourse.functional` that is this cell's, with this cell's parameters and options."""
        raise NotImplementedError

    def kernel(self) -> Callable[..., Any] | None:
        """The function of :mod:`rnncourse.kernels` that is this cell over all of time, if there is one.

        Returns:
            A function of (inputs, state, four weights, lengths, checkpoint=…); or ``None`` where the cell's options,
            or a subclass with a step of its own, ask for something that no kernel computes.
        """
        return None

    def _is_plain(self, kind: type[Cell]) -> bool:
        """Whether the step is still the one that ``kind`` defines, so that its kernel may stand in for it."""
        steps = ("forward", "trace", "equations")
        return all(getattr(type(self), step) is getattr(kind, step) for step in steps)

    def extra_repr(self) -> str:
        """The sizes, as ``repr`` shows them."""
        return f"{self.input_size}, {self.hidden_size}"


class RNNCell(Cell):
    r"""The vanilla recurrent cell.

    .. math:: h_t = \varphi(U x_t + W h_{t-1} + b)

    where :math:`U` is ``weight_ih``, of shape (hidden, input), :math:`W` is ``weight_hh``, of shape (hidden, hidden),
    :math:`b` is ``bias_ih`` + ``bias_hh``, both of shape (hidden,), and :math:`\varphi` is tanh or ReLU.

    Args:
        input_size: Features of one step's input.
        hidden_size: Units of the hidden state.
        nonlinearity: ``"tanh"`` or ``"relu"``.
        bias: Whether there are biases.
        init: ``"uniform"`` as PyTorch; ``"orthogonal"``: the same with an orthogonal :math:`W`; ``"identity"``:
            :math:`W = 1`, biases zero, :math:`U` drawn from a Gaussian of standard deviation 0.001, which together
            with ReLU is the IRNN of Le et al. (2015).
        learn_initial_state: Whether the initial state is a parameter.

    Raises:
        ValueError: If a size is not at least 1, or a choice is unknown.

    Source: Elman (1990), from secondary sources. Le et al. (2015) for the identity initialisation: its abstract was
    read; the 0.001 from a secondary source, the reproduction among the examples of Keras.

    Example:
        >>> cell = RNNCell(3, 2, nonlinearity="relu", init="identity")
        >>> cell.weight_hh.detach()
        tensor([[1., 0.],
                [0., 1.]])
        >>> cell(torch.zeros(1, 3), torch.tensor([[7.0, 0.5]]))[0].detach()
        tensor([[7.0000, 0.5000]])
    """

    inits = ("uniform", "orthogonal", "identity")

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        *,
        nonlinearity: str = "tanh",
        bias: bool = True,
        init: str = "uniform",
        learn_initial_state: bool = False,
    ) -> None:
        check_choice("nonlinearity", nonlinearity, ("tanh", "relu"))
        super().__init__(input_size, hidden_size, bias=bias, init=init, learn_initial_state=learn_initial_state)
        self.nonlinearity = nonlinearity

    @torch.no_grad()
    def reset_parameters(self) -> None:
        """Draw all parameters anew."""
        super().reset_parameters()
        if self.init == "identity":
            nn.init.eye_(self.weight_hh)
            nn.init.normal_(self.weight_ih, std=0.001)
            for bias in (self.bias_ih, self.bias_hh):
                if bias is not None:
                    bias.zero_()

    def equations(self, x_t: Tensor, state: Tensor) -> functional.RNNTrace:
        """The step :func:`~rnncourse.functional.rnn_trace` with this cell's parameters."""
        return functional.rnn_trace(x_t, state, *self.weights, nonlinearity=self.nonlinearity)

    def kernel(self) -> Callable[..., Any] | None:
        """The kernel :func:`~rnncourse.kernels.rnn.rnn_sequence`."""
        return partial(kernels.rnn_sequence, nonlinearity=self.nonlinearity) if self._is_plain(RNNCell) else None

    def extra_repr(self) -> str:
        """The sizes and the nonlinearity, as ``repr`` shows them."""
        return f"{super().extra_repr()}, nonlinearity={self.nonlinearity!r}"


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
        without: The parts to do without, of :data:`~rnncourse.functional.LSTM_PARTS`; the parameters of a gate that
            is gone remain, unused.
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
        functional.check_parts(without, coupled)
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

    def trace(self, x_t: Tensor, state: LSTMState) -> tuple[functional.LSTMTrace, LSTMState]:
        """One step, opened: its gates, candidate, cell state and hidden state; and the new state."""
        trace = self.equations(x_t, state)
        return trace, LSTMState(trace.h, trace.c)

    def equations(self, x_t: Tensor, state: LSTMState) -> functional.LSTMTrace:
        """The step :func:`~rnncourse.functional.lstm_trace` with this cell's parameters."""
        peepholes = functional.Peepholes(self.weight_ci, self.weight_cf, self.weight_co) if self.has_peepholes else None
        options = {"peepholes": peepholes, "without": self.without, "coupled": self.coupled}
        return functional.lstm_trace(x_t, state, *self.weights, **options)

    def kernel(self) -> Callable[..., Any] | None:
        """The kernel :func:`~rnncourse.kernels.lstm.lstm_sequence`, unless something is added or ablated."""
        extras = self.has_peepholes or self.without or self.coupled
        return kernels.lstm_sequence if self._is_plain(LSTMCell) and not extras else None


class GRUCell(Cell):
    r"""The gated recurrent unit.

    .. math:: h_t = (1 - z_t) \odot n_t + z_t \odot h_{t-1}

    where the update gate :math:`z_t`, the reset gate :math:`r_t` and the candidate :math:`n_t` are those of
    :func:`~rnncourse.functional.gru_trace`: ``weight_ih`` is :math:`(W_{ir}|W_{iz}|W_{in})`, of shape
    (3*hidden, input), ``weight_hh`` is :math:`(W_{hr}|W_{hz}|W_{hn})`, of shape (3*hidden, hidden), and the biases have
    shape (3*hidden,).

    Args:
        input_size: Features of one step's input.
        hidden_size: Units of the hidden state.
        bias: Whether there are biases.
        reset: Whether the reset gate acts ``"after"`` the matrix product (PyTorch) or ``"before"`` it (Cho et al.).
            The two have the same parameters but no mapping of weights between them in general.
        blend: Whether an update gate of 1 means ``"keep"`` (PyTorch, Cho et al.) or ``"replace"`` (Chung et al.).
        init: ``"uniform"`` or ``"orthogonal"``.
        learn_initial_state: Whether the initial state is a parameter.

    Raises:
        ValueError: If a size is not at least 1, or a choice is unknown.

    Source: Cho et al. (2014); Chung et al. (2014); both from secondary sources, see
    :func:`~rnncourse.functional.gru_trace`.

    Example:
        >>> cell = GRUCell(3, 5, reset="before", blend="replace")
        >>> cell(torch.zeros(2, 3), cell.initial_state(2))[0].shape
        torch.Size([2, 5])
    """

    gates = 3

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        *,
        bias: bool = True,
        reset: str = "after",
        blend: str = "keep",
        init: str = "uniform",
        learn_initial_state: bool = False,
    ) -> None:
        check_choice("reset", reset, ("after", "before"))
        check_choice("blend", blend, ("keep", "replace"))
        super().__init__(input_size, hidden_size, bias=bias, init=init, learn_initial_state=learn_initial_state)
        self.reset = reset
        self.blend = blend

    def equations(self, x_t: Tensor, state: Tensor) -> functional.GRUTrace:
        """The step :func:`~rnncourse.functional.gru_trace` with this cell's parameters."""
        return functional.gru_trace(x_t, state, *self.weights, reset=self.reset, blend=self.blend)

    def kernel(self) -> Callable[..., Any] | None:
        """The kernel :func:`~rnncourse.kernels.gru.gru_sequence`, if the reset is after the product."""
        plain = self._is_plain(GRUCell) and self.reset == "after"
        return partial(kernels.gru_sequence, blend=self.blend) if plain else None

    def extra_repr(self) -> str:
        """The sizes and the two choices, as ``repr`` shows them."""
        return f"{super().extra_repr()}, reset={self.reset!r}, blend={self.blend!r}"


class MGUCell(Cell):
    r"""The minimal gated unit: a GRU whose one gate both resets and updates.

    .. math:: h_t = (1 - f_t) \odot h_{t-1} + f_t \odot n_t

    where the gate :math:`f_t` and the candidate :math:`n_t` are those of :func:`~rnncourse.functional.mgu_trace`:
    ``weight_ih`` is :math:`(W_{if}|W_{in})`, of shape (2*hidden, input), ``weight_hh`` is :math:`(W_{hf}|W_{hn})`, of
    shape (2*hidden, hidden), and the biases have shape (2*hidden,).

    The arguments are those of :class:`Cell`.

    Source: Zhou et al. (2016), whose abstract was read; the equations from a secondary source, see
    :func:`~rnncourse.functional.mgu_trace`.

    Example:
        >>> cell = MGUCell(3, 5)
        >>> sum(parameter.numel() for parameter in cell.parameters())  # half of an LSTM's
        100
    """

    gates = 2

    def equations(self, x_t: Tensor, state: Tensor) -> functional.MGUTrace:
        """The step :func:`~rnncourse.functional.mgu_trace` with this cell's parameters."""
        return functional.mgu_trace(x_t, state, *self.weights)
