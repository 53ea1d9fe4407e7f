"""The gated recurrent unit."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import Tensor

from rnncourse.cells.cell import Cell
from rnncourse.checks import check_choice
from rnncourse.functional import GRUTrace, gru_trace
from rnncourse.kernels.gru import gru_over_time

__all__ = ["GRUCell"]


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
        >>> import torch
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

    def equations(self, x_t: Tensor, state: Tensor) -> GRUTrace:
        """The step :func:`~rnncourse.functional.gru_trace` with this cell's parameters."""
        return gru_trace(x_t, state, *self.weights, reset=self.reset, blend=self.blend)

    def kernel(self) -> Callable[..., Any] | None:
        """The kernel :func:`~rnncourse.kernels.gru.gru_sequence`, if the reset is after the product."""
        plain = self._is_plain(GRUCell) and self.reset == "after"
        return partial(gru_over_time, blend=self.blend) if plain else None

    def fused(self) -> Callable[..., Any] | None:
        """The function ``torch.gru``, if the reset is after the product and the update gate keeps."""
        return torch.gru if self._is_plain(GRUCell) and (self.reset, self.blend) == ("after", "keep") else None

    def extra_repr(self) -> str:
        """The sizes and the two choices, as ``repr`` shows them."""
        return f"{super().extra_repr()}, reset={self.reset!r}, blend={self.blend!r}"
