"""Skip connections through time: a cell that also hears from itself many steps ago."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from rnncourse.cells.cell import Cell
from rnncourse.checks import check_positive, check_shape
from rnncourse.functional import RNNTrace
from rnncourse.shapes import check_state

__all__ = ["SkipRNNCell"]


class SkipRNNCell(Cell):
    r"""A vanilla recurrent cell with a second connection that reaches s steps back.

    .. math:: h_t = \tanh(U x_t + W h_{t-1} + W_s h_{t-s} + b)

    where :math:`U` is ``weight_ih``, of shape (hidden, input), :math:`W` is ``weight_hh`` and :math:`W_s` is
    ``weight_skip``, both of shape (hidden, hidden), :math:`b` is ``bias_ih`` + ``bias_hh``, both of shape (hidden,),
    and :math:`s` is ``skip``. A gradient that has to travel back n steps needs only about n / s products when it
    takes the long connection.

    The state is a tuple of the last s hidden states, the newest first: all that the cell has to remember.

    Args:
        input_size: Features of one step's input.
        hidden_size: Units of the hidden state.
        skip: How many steps the second connection reaches back, at least 1.
        bias: Whether there are biases.
        init: ``"uniform"``: every weight from :math:`U(-1/\sqrt{H}, 1/\sqrt{H})`, with H hidden units;
            ``"orthogonal"``: the same, but :math:`W_s` orthogonal and :math:`W` a third as large, so that at first the
            long way back carries more than the short one.
        learn_initial_state: Whether the initial hidden state, the same at all s steps, is a parameter.

    Raises:
        ValueError: If a size is not at least 1, or the initialisation is unknown.

    Source: Lin, Horne, Tino and Giles (1996) for such connections in NARX networks; Zhang et al. (2016) for their
    measure, the recurrent skip coefficient (abstracts read).

    Example:
        >>> cell = SkipRNNCell(3, 5, skip=4)
        >>> output, state = cell(torch.zeros(2, 3), cell.initial_state(2))
        >>> output.shape, len(state), state[0] is output
        (torch.Size([2, 5]), 4, True)
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        *,
        skip: int = 10,
        bias: bool = True,
        init: str = "uniform",
        learn_initial_state: bool = False,
    ) -> None:
        check_positive("skip", skip)
        super().__init__(input_size, hidden_size, bias=bias, init=init, learn_initial_state=learn_initial_state)
        self.skip = skip

    def add_parameters(self) -> None:
        """Create the weights of the long connection."""
        self.weight_skip = nn.Parameter(torch.empty_like(self.weight_hh))

    @torch.no_grad()
    def reset_parameters(self) -> None:
        """Draw all parameters anew."""
        super().reset_parameters()
        if self.init == "orthogonal":
            bound = self.hidden_size**-0.5
            self.weight_hh.uniform_(-bound / 3, bound / 3)
            nn.init.orthogonal_(self.weight_skip)

    def initial_state(self, batch_size: int) -> tuple[Tensor, ...]:
        """The hidden states before the first step, all alike: zero, or learned.

        Args:
            batch_size: How many sequences are treated side by side.

        Returns:
            A tuple of ``skip`` hidden states, each of shape (batch, hidden).

        Raises:
            ValueError: If ``batch_size`` is not at least 1.

        Example:
            >>> len(SkipRNNCell(3, 2, skip=7).initial_state(1))
            7
        """
        return (super().initial_state(batch_size),) * self.skip

    def trace(self, x_t: Tensor, state: tuple[Tensor, ...]) -> tuple[RNNTrace, tuple[Tensor, ...]]:
        """One step, opened: its activation and the new hidden state; and the new state, with that in front."""
        trace = self.equations(x_t, state)
        return trace, (trace.h, *state[:-1])

    def equations(self, x_t: Tensor, state: tuple[Tensor, ...]) -> RNNTrace:
        """The equation above, with the activation that the hyperbolic tangent is taken of."""
        check_shape("x_t", x_t, like=self.weight_ih, batch=None, input=self.input_size)
        check_state("state", state, self.initial_state(len(x_t)))
        newest, oldest = state[0], state[-1]
        a = F.linear(x_t, self.weight_ih, self.bias_ih) + F.linear(newest, self.weight_hh, self.bias_hh)
        a = a + F.linear(oldest, self.weight_skip)  # (batch, hidden)
        return RNNTrace(a, torch.tanh(a))

    def extra_repr(self) -> str:
        """The sizes and the skip, as ``repr`` shows them."""
        return f"{super().extra_repr()}, skip={self.skip}"
