"""The minimal gated unit."""

from __future__ import annotations

from torch import Tensor

from rnncourse.cells.cell import Cell
from rnncourse.functional import MGUTrace, mgu_trace

__all__ = ["MGUCell"]


class MGUCell(Cell):
    r"""The minimal gated unit: a GRU whose one gate both resets and updates.

    .. math:: h_t = (1 - f_t) \odot h_{t-1} + f_t \odot n_t

    where the gate :math:`f_t` and the candidate :math:`n_t` are those of :func:`~rnncourse.functional.mgu_trace`:
    ``weight_ih`` is :math:`(W_{if}|W_{in})`, of shape (2*hidden, input), ``weight_hh`` is :math:`(W_{hf}|W_{hn})`, of
    shape (2*hidden, hidden), and the biases have shape (2*hidden,).

    The arguments are those of :class:`~rnncourse.cells.cell.Cell`.

    Source: Zhou et al. (2016), whose abstract was read; the equations from a secondary source, see
    :func:`~rnncourse.functional.mgu_trace`.

    Example:
        >>> cell = MGUCell(3, 5)
        >>> sum(parameter.numel() for parameter in cell.parameters())  # half of an LSTM's
        100
    """

    gates = 2

    def equations(self, x_t: Tensor, state: Tensor) -> MGUTrace:
        """The step :func:`~rnncourse.functional.mgu_trace` with this cell's parameters."""
        return mgu_trace(x_t, state, *self.weights)
