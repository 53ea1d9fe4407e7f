"""The vanilla recurrent cell."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from rnncourse.cells.cell import Cell
from rnncourse.checks import check_choice
from rnncourse.functional import RNNTrace, rnn_trace
from rnncourse.kernels.rnn import rnn_over_time

__all__ = ["RNNCell"]


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

    def equations(self, x_t: Tensor, state: Tensor) -> RNNTrace:
        """The step :func:`~rnncourse.functional.rnn_trace` with this cell's parameters."""
        return rnn_trace(x_t, state, *self.weights, nonlinearity=self.nonlinearity)

    def kernel(self) -> Callable[..., Any] | None:
        """The kernel :func:`~rnncourse.kernels.rnn.rnn_sequence`."""
        return partial(rnn_over_time, nonlinearity=self.nonlinearity) if self._is_plain(RNNCell) else None

    def fused(self) -> Callable[..., Any] | None:
        """The function ``torch.rnn_tanh`` or ``torch.rnn_relu``."""
        if not self._is_plain(RNNCell):
            return None
        return torch.rnn_tanh if self.nonlinearity == "tanh" else torch.rnn_relu

    def extra_repr(self) -> str:
        """The sizes and the nonlinearity, as ``repr`` shows them."""
        return f"{super().extra_repr()}, nonlinearity={self.nonlinearity!r}"
