"""The linear recurrent unit: a diagonal linear recurrence between two matrices, its eigenvalues learned."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import linear

from rnncourse.checks import check_choice, check_kind, check_positive
from rnncourse.scan.cell import LinearCell
from rnncourse.scan.eigenvalues import EIGENVALUES, Eigenvalues
from rnncourse.signatures import checked

__all__ = ["ComplexState", "LRUCell", "LRUTrace"]


class ComplexState(NamedTuple):
    """A complex state as two real ones, which is what everything that handles states can carry.

    Attributes:
        real: Its real part, of shape (batch, state).
        imag: Its imaginary part, of shape (batch, state).
    """

    real: Float[Tensor, "batch state"]
    imag: Float[Tensor, "batch state"]


class LRUTrace(NamedTuple):
    """One step of the LRU, opened.

    Attributes:
        h: The new state, of shape (batch, state), complex where the eigenvalues are.
        y: The output, of shape (batch, hidden), real.
    """

    h: Tensor
    y: Float[Tensor, "batch hidden"]


torch.serialization.add_safe_globals([ComplexState, LRUTrace])  # for torch.load(…, weights_only=True)


class LRUCell(LinearCell):
    r"""The linear recurrent unit: every unit of the state turns and shrinks by an eigenvalue of its own.

    .. math::

        h_t &= \lambda \odot h_{t-1} + \gamma \odot (B x_t) \\
        y_t &= \mathrm{Re}(C h_t) + D x_t

    where the eigenvalues :math:`\lambda` are those of :class:`~rnncourse.scan.eigenvalues.Eigenvalues`, the norms
    :math:`\gamma`, of shape (state,), are the exponentials of ``log_gamma``, :math:`B` is ``weight_ih``, of shape
    (state, input), :math:`C` is ``weight_ho``, of shape (hidden, state), and :math:`D` is ``weight_io``, of shape
    (hidden, input). With complex eigenvalues the state, :math:`B` and :math:`C` are complex too, stored as
    (real|imaginary): the halves of the state, of the rows of ``weight_ih`` and of the columns of ``weight_ho``.

    At the start :math:`\gamma^2 = 1 - |\lambda|^2`, and the entries of the matrices are normal, of variance one over
    the number of their columns, which in a complex :math:`B` and :math:`C` is shared by the two parts.

    Args:
        input_size: Features of one step's input.
        hidden_size: Features of one step's output.
        state_size: Units of the state; ``hidden_size`` if not given.
        eigenvalues: ``"complex"``, ``"signed"`` or ``"positive"``.
        min_modulus: The eigenvalues' least modulus at the start.
        max_modulus: Their largest.
        max_phase: Their largest phase, in radians.
        scan: How a layer goes through time: see :func:`~rnncourse.scan.recurrence.linear_scan`; not ``"log_space"``,
            since states have both signs.
        learn_initial_state: Whether the initial state is a parameter.

    Raises:
        ValueError: If a size is not at least 1, a bound makes no sense, a choice is unknown, or the scan cannot compute
            the cell.

    Source: Orvieto et al. (2023), "Resurrecting recurrent neural networks for long sequences", whose abstract was read;
    the equations and the initialisation from secondary sources, which differ over the variance of :math:`C`.

    Example:
        >>> from rnncourse.layers import Recurrent
        >>> outputs, state = Recurrent(LRUCell(3, 5, state_size=8))(torch.zeros(2, 7, 3))
        >>> outputs.shape, state.imag.shape
        (torch.Size([2, 7, 5]), torch.Size([2, 8]))
    """

    @checked
    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        *,
        state_size: int | None = None,
        eigenvalues: str = "complex",
        min_modulus: float | int = 0.0,
        max_modulus: float | int = 1.0,
        max_phase: float | int = 2 * math.pi,
        scan: str = "auto",
        learn_initial_state: bool = False,
    ) -> None:
        if state_size is not None:
            check_positive("state_size", state_size)
        check_choice("eigenvalues", eigenvalues, EIGENVALUES)
        if scan == "log_space":
            raise ValueError("scan is 'log_space'; it should be another one: the states of an LRU have both signs")
        self._state_size = state_size or hidden_size
        self._draw = {"min_modulus": min_modulus, "max_modulus": max_modulus, "max_phase": max_phase}
        self.eigenvalues = eigenvalues
        super().__init__(input_size, hidden_size, bias=False, scan=scan, learn_initial_state=learn_initial_state)
        both = learn_initial_state and self.is_complex
        self.initial_imag = nn.Parameter(torch.zeros(self.state_size)) if both else None

    def add_parameters(self) -> None:
        """Create the eigenvalues, the norms, the readout and the way around the recurrence."""
        self.eigenvalue = Eigenvalues(self.state_size, self.eigenvalues, **self._draw)
        self.log_gamma = nn.Parameter(torch.empty(self.state_size))
        self.weight_ho = nn.Parameter(torch.empty(self.hidden_size, self.rows))
        self.weight_io = nn.Parameter(torch.empty(self.hidden_size, self.input_size))

    @torch.no_grad()
    def reset_parameters(self) -> None:
        """Draw all parameters anew; a learned initial state is zero again."""
        super().reset_parameters()
        self.eigenvalue.reset_parameters()
        self.log_gamma.copy_(self.eigenvalue.log_gamma())
        parts = 2 if self.is_complex else 1
        self.weight_ih.normal_(std=(self.input_size * parts) ** -0.5)
        self.weight_ho.normal_(std=(self.state_size * parts) ** -0.5)
        self.weight_io.normal_(std=self.input_size**-0.5)

    @property
    def is_complex(self) -> bool:
        """Whether eigenvalues and states are complex."""
        return self.eigenvalues == "complex"

    @property
    def rows(self) -> int:
        """Rows of ``weight_ih``: one for each unit of the state, two for a complex one."""
        return (2 if self.is_complex else 1) * self.state_size

    @property
    def state_size(self) -> int:
        """Units of the state, complex ones counted once."""
        return self._state_size

    def equations(self, x_t: Tensor, state: Any) -> LRUTrace:
        """The equations above."""
        h = self.to_tensor(state)
        self.check_step(x_t, h.real if self.is_complex else h)
        h = self.eigenvalue() * h + self.drive(x_t)
        return LRUTrace(h, self.read(h, x_t))

    def trace(self, x_t: Tensor, state: Any) -> tuple[LRUTrace, Any]:
        """One step, opened: the state as one tensor, and the output; and the new state."""
        trace = self.equations(x_t, state)
        return trace, self.from_tensor(trace.h)

    def forward(self, x_t: Float[Tensor, "batch input"], state: Any) -> tuple[Float[Tensor, "batch hidden"], Any]:
        """One step.

        Args:
            x_t: The input of this step.
            state: The state that the step before left: a :class:`ComplexState`, or a tensor where all is real.

        Returns:
            The output, which is not the state, and the new state.

        Raises:
            ValueError: If a shape, dtype or device does not fit the parameters.
        """
        trace, state = self.trace(x_t, state)
        return trace.y, state

    def drive(self, x: Tensor) -> Tensor:
        """What inputs of shape (…, input) add to the state: γ ⊙ (B x), of shape (…, state)."""
        driven = self.project(x)
        if self.is_complex:
            driven = torch.complex(*driven.chunk(2, dim=-1))
        return torch.exp(self.log_gamma) * driven

    def coefficients(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """The eigenvalues, the same at all steps, and what the inputs add.

        Args:
            x: Inputs of shape (…, input).

        Returns:
            The factors and the summands, both of shape (…, state).
        """
        b = self.drive(x)
        return self.eigenvalue().expand_as(b), b

    def read(self, h: Tensor, x: Tensor) -> Tensor:
        """The outputs at states h, of shape (…, state), and inputs x, of shape (…, input)."""
        around = linear(x, self.weight_io)
        if not self.is_complex:
            return linear(h, self.weight_ho) + around
        C_real, C_imag = self.weight_ho.chunk(2, dim=1)
        return linear(h.real, C_real) - linear(h.imag, C_imag) + around

    def initial_state(self, batch_size: int) -> Any:
        """The state before the first step: zero, or learned.

        Args:
            batch_size: How many sequences are treated side by side.

        Returns:
            A :class:`ComplexState`, or where all is real a tensor, of shape (batch, state).

        Raises:
            ValueError: If ``batch_size`` is not at least 1.
        """
        real = super().initial_state(batch_size)
        if not self.is_complex:
            return real
        imag = torch.zeros_like(real) if self.initial_imag is None else self.initial_imag.expand(batch_size, -1)
        return ComplexState(real, imag)

    def to_tensor(self, state: Any) -> Tensor:
        """The state as one tensor, complex where the eigenvalues are."""
        if not self.is_complex:
            return state
        check_kind("state", state, ComplexState)
        if self.weight_ih.dtype not in (torch.float32, torch.float64):
            raise ValueError(f"weight_ih has dtype {self.weight_ih.dtype}; complex numbers need float32 or float64")
        return torch.complex(*state)

    def from_tensor(self, h: Tensor) -> Any:
        """The state that one tensor stands for."""
        return ComplexState(h.real, h.imag) if self.is_complex else h

    def kernel(self) -> Callable[..., Any] | None:
        """The scan, :meth:`~rnncourse.scan.cell.LinearCell.over_time`, unless a subclass changes the step."""
        return self._kernel_of(LRUCell)

    def extra_repr(self) -> str:
        """The sizes and the choices, as ``repr`` shows them."""
        return f"{super().extra_repr()}, state_size={self.state_size}, eigenvalues={self.eigenvalues!r}"
