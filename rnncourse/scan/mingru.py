"""The minimal gated recurrent unit: a GRU whose gate and candidate look at the input alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from rnncourse.checks import check_choice
from rnncourse.scan.candidate import check_candidate, positive
from rnncourse.scan.cell import LinearCell
from rnncourse.signatures import checked

__all__ = ["MinGRUCell", "MinGRUTrace"]


class MinGRUTrace(NamedTuple):
    """One step of the minGRU, opened. Every field has shape (batch, hidden).

    Attributes:
        z: The update gate, in (0, 1).
        n: The candidate.
        h: The new hidden state.
    """

    z: Float[Tensor, "batch hidden"]
    n: Float[Tensor, "batch hidden"]
    h: Float[Tensor, "batch hidden"]


torch.serialization.add_safe_globals([MinGRUTrace])  # for torch.load(…, weights_only=True)


class MinGRUCell(LinearCell):
    r"""The minimal gated recurrent unit: a GRU without its reset gate, whose gate and candidate see only the input.

    .. math::

        z_t &= \sigma(W_{iz} x_t + b_z) \\
        n_t &= W_{in} x_t + b_n \quad\text{or}\quad \mathrm{pos}(W_{in} x_t + b_n) \\
        h_t &= (1 - z_t) \odot h_{t-1} + z_t \odot n_t \quad\text{or}\quad
               (1 - 2 z_t) \odot h_{t-1} + z_t \odot n_t

    where ``weight_ih`` is :math:`(W_{iz}|W_{in})`, of shape (2*hidden, input), ``bias_ih`` is :math:`(b_z|b_n)`, of
    shape (2*hidden,), and pos is :func:`~rnncourse.scan.candidate.positive`. An update gate of 1 *replaces*, as
    in the paper; PyTorch's GRU keeps, which is the same cell with the rows of z negated.

    Args:
        input_size: Features of one step's input.
        hidden_size: Units of the hidden state.
        bias: Whether there are biases.
        candidate: Which of the paper's two forms it is: ``"linear"``, or ``"positive"``, the one that is trained in
            log space. They are different networks: in the second no state is ever negative.
        eigenvalues: What the old state is multiplied with: ``"positive"``, :math:`1 - z_t` in (0, 1), or ``"signed"``,
            :math:`1 - 2z_t` in (-1, 1), which can also flip a state's sign.
        scan: How a layer goes through time: see :func:`~rnncourse.scan.recurrence.linear_scan`. ``"log_space"`` needs
            the positive candidate and positive eigenvalues.
        learn_initial_state: Whether the initial state is a parameter.

    Raises:
        ValueError: If a size is not at least 1, a choice is unknown, or the scan cannot compute the cell.

    Source: Feng et al. (2024), "Were RNNs all we needed?", whose abstract was read; the equations and the form in log
    space from secondary sources. There the initial state goes through pos too; here it is taken as it is, and
    zero if not given. The signed eigenvalues carry over to this cell what Grazzi et al. (2025) do to others (abstract
    read).

    Example:
        >>> from rnncourse.layers import Recurrent
        >>> layer = Recurrent(MinGRUCell(3, 5, scan="odd_even"))
        >>> outputs, state = layer(torch.zeros(2, 7, 3), lengths=torch.tensor([7, 4]))
        >>> outputs.shape, state.shape
        (torch.Size([2, 7, 5]), torch.Size([2, 5]))
    """

    gates = 2

    @checked
    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        *,
        bias: bool = True,
        candidate: str = "linear",
        eigenvalues: str = "positive",
        scan: str = "auto",
        learn_initial_state: bool = False,
    ) -> None:
        check_candidate(candidate, scan)
        check_choice("eigenvalues", eigenvalues, ("positive", "signed"))
        if scan == "log_space" and eigenvalues == "signed":
            raise ValueError("scan is 'log_space' and eigenvalues is 'signed'; logarithms need eigenvalues='positive'")
        self.candidate = candidate
        self.eigenvalues = eigenvalues
        super().__init__(input_size, hidden_size, bias=bias, scan=scan, learn_initial_state=learn_initial_state)

    def equations(self, x_t: Tensor, state: Tensor) -> MinGRUTrace:
        """The equations above, line by line."""
        self.check_step(x_t, state)
        x_z, x_n = self.project(x_t).chunk(2, dim=-1)
        z = torch.sigmoid(x_z)
        n = positive(x_n) if self.candidate == "positive" else x_n
        keep = 1 - z if self.eigenvalues == "positive" else 1 - 2 * z
        return MinGRUTrace(z, n, keep * state + z * n)

    def coefficients(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """What is kept and what is written, at any number of steps at once.

        Args:
            x: Inputs of shape (…, input).

        Returns:
            The factors and the summands, both of shape (…, hidden).
        """
        x_z, x_n = self.project(x).chunk(2, dim=-1)
        a = (
            torch.sigmoid(-x_z) if self.eigenvalues == "positive" else torch.tanh(-x_z / 2)
        )  # 1 - z, 1 - 2z: no digit lost
        return a, torch.sigmoid(x_z) * (positive(x_n) if self.candidate == "positive" else x_n)

    def kernel(self) -> Callable[..., Any] | None:
        """The scan, :meth:`~rnncourse.scan.cell.LinearCell.over_time`, unless a subclass changes the step."""
        return self._kernel_of(MinGRUCell)

    def extra_repr(self) -> str:
        """The sizes and the choices, as ``repr`` shows them."""
        return f"{super().extra_repr()}, candidate={self.candidate!r}, eigenvalues={self.eigenvalues!r}"
