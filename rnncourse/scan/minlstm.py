"""The minimal long short-term memory: an LSTM whose gates and candidate look at the input alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import logsigmoid

from rnncourse.scan.candidate import check_candidate, positive
from rnncourse.scan.cell import LinearCell
from rnncourse.signatures import checked

__all__ = ["MinLSTMCell", "MinLSTMTrace"]


class MinLSTMTrace(NamedTuple):
    """One step of the minLSTM, opened. Every field has shape (batch, hidden).

    Attributes:
        i: The input gate's share, in (0, 1).
        f: The forget gate's share, 1 - i.
        g: The candidate.
        h: The new hidden state.
    """

    i: Float[Tensor, "batch hidden"]
    f: Float[Tensor, "batch hidden"]
    g: Float[Tensor, "batch hidden"]
    h: Float[Tensor, "batch hidden"]


torch.serialization.add_safe_globals([MinLSTMTrace])  # for torch.load(…, weights_only=True)


class MinLSTMCell(LinearCell):
    r"""The minimal long short-term memory: an LSTM without output gate and cell state, blind to its own state.

    .. math::

        i_t &= \sigma(W_{ii} x_t + b_i), \qquad f_t = \sigma(W_{if} x_t + b_f) \\
        g_t &= W_{ig} x_t + b_g \quad\text{or}\quad \mathrm{pos}(W_{ig} x_t + b_g) \\
        h_t &= \frac{f_t}{f_t + i_t} \odot h_{t-1} + \frac{i_t}{f_t + i_t} \odot g_t

    where ``weight_ih`` is :math:`(W_{ii}|W_{if}|W_{ig})`, of shape (3*hidden, input), ``bias_ih`` is
    :math:`(b_i|b_f|b_g)`, of shape (3*hidden,), and pos is :func:`~rnncourse.scan.candidate.positive`. The two gates
    are divided by their sum, so that a state is a weighted mean of candidates however long the sequence is. What is
    left of them is one number in (0, 1), made of two.

    Args:
        input_size: Features of one step's input.
        hidden_size: Units of the hidden state.
        bias: Whether there are biases.
        candidate: ``"linear"``, or ``"positive"``, the form that is trained in log space.
        scan: How a layer goes through time: see :func:`~rnncourse.scan.recurrence.linear_scan`. ``"log_space"`` needs
            the positive candidate.
        learn_initial_state: Whether the initial state is a parameter.

    Raises:
        ValueError: If a size is not at least 1, a choice is unknown, or the scan cannot compute the cell.

    Source: Feng et al. (2024), "Were RNNs all we needed?", whose abstract was read; the equations from secondary
    sources.

    Example:
        >>> from rnncourse.layers import Recurrent
        >>> outputs, state = Recurrent(MinLSTMCell(3, 5))(torch.zeros(2, 7, 3))
        >>> outputs.shape, torch.equal(outputs[:, -1], state)
        (torch.Size([2, 7, 5]), True)
    """

    gates = 3

    @checked
    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        *,
        bias: bool = True,
        candidate: str = "linear",
        scan: str = "auto",
        learn_initial_state: bool = False,
    ) -> None:
        check_candidate(candidate, scan)
        self.candidate = candidate
        super().__init__(input_size, hidden_size, bias=bias, scan=scan, learn_initial_state=learn_initial_state)

    def equations(self, x_t: Tensor, state: Tensor) -> MinLSTMTrace:
        """The equations above, the quotient by way of logarithms: both gates may be too small for their sum."""
        self.check_step(x_t, state)
        x_i, x_f, x_g = self.project(x_t).chunk(3, dim=-1)
        i = torch.sigmoid(logsigmoid(x_i) - logsigmoid(x_f))  # i / (i + f)
        f = 1 - i
        g = positive(x_g) if self.candidate == "positive" else x_g
        return MinLSTMTrace(i, f, g, f * state + i * g)

    def coefficients(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """What is kept and what is written, at any number of steps at once.

        Args:
            x: Inputs of shape (…, input).

        Returns:
            The factors and the summands, both of shape (…, hidden).
        """
        x_i, x_f, x_g = self.project(x).chunk(3, dim=-1)
        share = logsigmoid(x_i) - logsigmoid(x_f)
        return torch.sigmoid(-share), torch.sigmoid(share) * (positive(x_g) if self.candidate == "positive" else x_g)

    def kernel(self) -> Callable[..., Any] | None:
        """The scan, :meth:`~rnncourse.scan.cell.LinearCell.over_time`, unless a subclass changes the step."""
        return self._kernel_of(MinLSTMCell)

    def extra_repr(self) -> str:
        """The sizes and the choices, as ``repr`` shows them."""
        return f"{super().extra_repr()}, candidate={self.candidate!r}"
