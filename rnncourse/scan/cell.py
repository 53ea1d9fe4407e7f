"""What the linear cells share: parameters around a step whose new state is a straight line in the old one."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint as forget_and_recompute

from rnncourse.cells import Cell
from rnncourse.checks import check_choice, check_positive, check_shape
from rnncourse.scan.recurrence import SCANS, linear_scan
from rnncourse.transforms import in_functional_gradient
from rnncourse.unroll import padding_mask

__all__ = ["LinearCell"]


class LinearCell(Cell):
    r"""What the linear cells share: factors and summands that come from the input alone, and all of time at once.

    .. math:: h_t = a(x_t) \odot h_{t-1} + b(x_t)

    A kind of linear cell says its step twice: readably in ``equations``, which :func:`~rnncourse.unroll.unroll` walks,
    and in :meth:`coefficients`, the :math:`a` and :math:`b` of any number of steps at once, which
    :func:`~rnncourse.scan.recurrence.linear_scan` scans. There is nothing hidden-to-hidden to learn but what
    :math:`a` is made of: ``weight_hh`` is empty and there is no second bias.

    Every parameter is drawn from :math:`U(-1/\sqrt{D}, 1/\sqrt{D})`, where :math:`D` is ``input_size``, as those of a
    ``torch.nn.Linear``, which is what the input side of such a cell is.

    Args:
        input_size: Features of one step's input.
        hidden_size: Units of the hidden state.
        bias: Whether there is a ``bias_ih``.
        scan: How a layer goes through time, one of the names of :func:`~rnncourse.scan.recurrence.linear_scan`. The
            step itself, and with it ``Recurrent(cell, implementation="loop")``, is the same whatever it is.
        learn_initial_state: Whether the initial state is a parameter (zero at first) rather than zero.

    Raises:
        ValueError: If a size is not at least 1, or the scan is unknown.
    """

    gates = 2
    kernel_is_transparent = True

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        *,
        bias: bool = True,
        scan: str = "auto",
        learn_initial_state: bool = False,
    ) -> None:
        nn.Module.__init__(self)  # not the other cells': they draw weights from hidden state to hidden state
        check_positive("input_size", input_size)
        check_positive("hidden_size", hidden_size)
        check_choice("scan", scan, ("auto", *SCANS))
        self.input_size = input_size
        self.hidden_size = hidden_size
        self.scan = scan
        self.weight_ih = nn.Parameter(torch.empty(self.rows, input_size))
        self.bias_ih = nn.Parameter(torch.empty(self.rows)) if bias else None
        self.add_parameters()
        self.reset_parameters()
        self.initial_h = nn.Parameter(torch.zeros(self.state_size)) if learn_initial_state else None

    @property
    def rows(self) -> int:
        """Rows of ``weight_ih``."""
        return self.gates * self.hidden_size

    @property
    def state_size(self) -> int:
        """Numbers in one sequence's state."""
        return self.hidden_size

    @property
    def weight_hh(self) -> Tensor:
        """No rows, and as many columns as the state has numbers: nothing leads from hidden state to hidden state."""
        return self.weight_ih.new_empty(0, self.state_size)

    @property
    def weights(self) -> tuple[()]:
        """What a kernel is handed beside inputs and state: nothing, since this one asks for :meth:`coefficients`."""
        return ()

    @torch.no_grad()
    def reset_parameters(self) -> None:
        """Draw all parameters anew; a learned initial state is zero again."""
        bound = 1 / math.sqrt(self.input_size)
        for name, parameter in self.named_parameters():
            if name.startswith("initial_"):
                parameter.zero_()
            else:
                parameter.uniform_(-bound, bound)

    def initial_state(self, batch_size: int) -> Any:
        """The state before the first step: zero, or learned.

        Args:
            batch_size: How many sequences are treated side by side.

        Returns:
            A hidden state of shape (batch, hidden), of the parameters' dtype and device.

        Raises:
            ValueError: If ``batch_size`` is not at least 1.
        """
        check_positive("batch_size", batch_size)
        if self.initial_h is not None:
            return self.initial_h.expand(batch_size, -1)
        return self.weight_ih.new_zeros(batch_size, self.state_size)

    def coefficients(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """What the recurrence multiplies with and what it adds, at any number of steps at once.

        Args:
            x: Inputs of shape (…, input).

        Returns:
            The factors a and the summands b, both of shape (…, hidden).
        """
        raise NotImplementedError

    def read(self, h: Tensor, x: Tensor) -> Tensor:
        """What the cell puts out at states h and inputs x: the states."""
        return h

    def to_tensor(self, state: Any) -> Tensor:
        """The state as the one tensor that is scanned: itself."""
        return state

    def from_tensor(self, h: Tensor) -> Any:
        """The state that the one tensor stands for: itself."""
        return h

    def over_time(
        self, inputs: Tensor, state: Any, lengths: Tensor | None = None, *, checkpoint: bool = False
    ) -> tuple[Tensor, Any]:
        """All steps of a batch of sequences, by a scan.

        Args:
            inputs: Sequences of shape (batch, time, input).
            state: The state before the first step.
            lengths: How many steps of each sequence are real; all if not given.
            checkpoint: Whether to keep only every √T-th step's state for the backward pass, and to compute the
                coefficients and states between them again.

        Returns:
            The outputs of all steps, of shape (batch, time, hidden), zero at padding; and the state at each sequence's
            own end.

        Raises:
            RuntimeError: If ``checkpoint`` is asked for under a gradient of ``torch.func``.
        """
        x, h = inputs.transpose(0, 1), self.to_tensor(state)  # time first: a step's numbers are neighbours in memory
        time = len(x)
        real = None
        if lengths is not None:
            real = padding_mask(lengths.to(inputs.device), time).t().unsqueeze(-1)  # (time, batch, 1)
            x = torch.where(real, x, torch.zeros_like(x))  # a product would let NaN through
        if not checkpoint:
            outputs, h = self._piece(x, h, real)
            return outputs.transpose(0, 1), self.from_tensor(h)

        if in_functional_gradient():
            raise RuntimeError(
                "implementation='checkpoint' cannot compute again under torch.func; use 'kernel' or 'loop' there"
            )
        size = math.isqrt(time - 1) + 1
        reals = [None] * len(x.split(size)) if real is None else real.split(size)
        pieces = []
        for x_piece, real_piece in zip(x.split(size), reals, strict=True):
            outputs, h = forget_and_recompute(
                self._piece, x_piece, h, real_piece, use_reentrant=False, preserve_rng_state=False
            )
            pieces.append(outputs)
        return torch.cat(pieces).transpose(0, 1), self.from_tensor(h)

    def _piece(self, x: Tensor, h: Tensor, real: Tensor | None) -> tuple[Tensor, Tensor]:
        """Some steps, time first: their outputs, and the state after them."""
        a, b = self.coefficients(x)
        if real is not None:  # at padding the state stays what it was
            a = torch.where(real, a, torch.ones_like(a))
            b = torch.where(real, b, torch.zeros_like(b))
        states = linear_scan(a.transpose(0, 1), b.transpose(0, 1), h, scan=self.scan).transpose(0, 1)
        outputs = self.read(states, x)
        if real is not None:
            outputs = torch.where(real, outputs, torch.zeros_like(outputs))
        return outputs, states[-1].clone()  # not a window onto all of them

    def project(self, x: Tensor) -> Tensor:
        """The input side of all gates, in the parameters' own precision: a long product of factors needs it."""
        return nn.functional.linear(x, self.weight_ih, self.bias_ih).to(self.weight_ih.dtype)

    def check_step(self, x_t: Tensor, h: Tensor) -> None:
        """Refuse a step whose input or state does not fit the parameters."""
        check_shape("x_t", x_t, like=self.weight_ih, batch=None, input=self.input_size)
        check_shape("h", h, like=self.weight_ih, batch=x_t.shape[0], hidden=self.state_size)

    def _kernel_of(self, kind: type[LinearCell]) -> Callable[..., Any] | None:
        """The scan, unless a subclass of ``kind`` has a step or coefficients of its own."""
        said_twice = type(self).coefficients is kind.coefficients and type(self).read is kind.read
        return self.over_time if said_twice and self._is_plain(kind) else None

    def extra_repr(self) -> str:
        """The sizes and the scan, as ``repr`` shows them."""
        return f"{self.input_size}, {self.hidden_size}, scan={self.scan!r}"
