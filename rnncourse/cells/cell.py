"""What all cells share: parameters around one step, their initialisation, and the state before the first step."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from rnncourse.checks import check_choice, check_positive

__all__ = ["Cell"]

_STEP = ("__call__", "_call_impl", "forward", "trace", "equations", "weights")


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
        >>> from rnncourse.cells import GRUCell
        >>> cell = GRUCell(3, 5)
        >>> output, state = cell(torch.zeros(2, 3), cell.initial_state(2))
        >>> output.shape
        torch.Size([2, 5])
    """

    gates = 1
    kernel_is_transparent = False
    """Whether derivatives and transformations of every kind see through :meth:`kernel`."""
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
        """Draw all parameters anew; a learned initial state is zero again."""
        bound = 1 / math.sqrt(self.hidden_size)
        for name, parameter in self.named_parameters():
            if name.startswith("initial_"):
                parameter.zero_()
            else:
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
            >>> from rnncourse.cells import RNNCell
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
            >>> from rnncourse.cells import RNNCell
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

    def fused(self) -> Callable[..., Any] | None:
        """The function of PyTorch that is this cell over all of time, ``torch.lstm`` and its like, if there is one.

        Returns:
            The function; or ``None`` where the cell's options, or a subclass with a step of its own, ask for something
            that it does not compute.
        """
        return None

    def _is_plain(self, kind: type[Cell]) -> bool:
        """Whether the step is still the one that ``kind`` was defined with, so that a kernel may stand in for it."""
        own = vars(self)
        return all(name not in own and getattr(type(self), name) is kind._defined[name] for name in _STEP)

    def __init_subclass__(cls, **options: Any) -> None:
        """Remember what makes the step, as it stood when the class was defined."""
        super().__init_subclass__(**options)
        cls._defined = {name: getattr(cls, name) for name in _STEP}

    def extra_repr(self) -> str:
        """The sizes, as ``repr`` shows them."""
        return f"{self.input_size}, {self.hidden_size}"
