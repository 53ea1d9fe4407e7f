"""How gates may start: as PyTorch draws them, with a forget bias of 1, or spread over time scales (chrono)."""

import torch
from torch import Tensor

from rnncourse.cells import Cell, GRUCell, LSTMCell
from rnncourse.checks import check_choice

STARTS = ("LSTM, as drawn", "LSTM, bias 1", "LSTM, chrono", "GRU, as drawn", "GRU, chrono")
"""The gated cells of chapter 5's comparisons, by how they start."""


@torch.no_grad()
def chrono(cell: Cell, lag: int) -> Cell:
    r"""Spreads the units of a gated cell over time scales up to a lag, as Tallec and Ollivier (2018) do.

    .. math:: b = \log u, \quad u \sim U(1, \max(\text{lag}, 2))

    where :math:`b` is the bias of the gate that keeps: the LSTM's forget gate, whose input gate then gets
    :math:`-b`, or the GRU's update gate (``blend="keep"``). A gate with bias b keeps :math:`u / (1 + u)` of what it
    holds at every step, which is a memory of about u steps. The other biases stay as drawn. From secondary sources.

    Args:
        cell: An LSTM or a GRU with biases, changed in place.
        lag: For how long something is to be kept.

    Returns:
        The cell.

    Raises:
        ValueError: If the cell is neither, or has no biases.

    Example:
        >>> cell = chrono(LSTMCell(2, 3), lag=100)
        >>> bool((total_bias(cell, 1) >= 0).all()), bool((total_bias(cell, 0) == -total_bias(cell, 1)).all())
        (True, True)
    """
    keeps = isinstance(cell, LSTMCell) or (isinstance(cell, GRUCell) and cell.blend == "keep")
    if not keeps or cell.bias_ih is None:
        raise ValueError(f"cell is {cell}; it should be an LSTMCell, or a GRUCell with blend='keep', with biases")
    scales = torch.empty(cell.hidden_size).uniform_(1.0, float(max(lag, 2)))
    _set(cell, 1, scales.log())
    if isinstance(cell, LSTMCell):
        _set(cell, 0, -scales.log())
    return cell


def total_bias(cell: Cell, gate: int) -> Tensor:
    """The bias of one gate, the sum of the two that PyTorch keeps.

    Args:
        cell: A gated cell.
        gate: Its place among the gates: an LSTM's are input, forget, candidate, output; a GRU's reset, update,
            candidate.

    Returns:
        Shape (hidden,).
    """
    rows = slice(gate * cell.hidden_size, (gate + 1) * cell.hidden_size)
    return (cell.bias_ih + cell.bias_hh)[rows].detach()


def started(name: str, input_size: int, hidden_size: int, *, lag: int) -> Cell:
    """A fresh gated cell by name.

    Args:
        name: One of :data:`STARTS`.
        input_size: Features of one step's input.
        hidden_size: Units.
        lag: For ``chrono``, how long something is to be kept.

    Returns:
        The cell.

    Raises:
        ValueError: If there is no such start.

    Example:
        >>> total_bias(started("LSTM, bias 1", 2, 3, lag=10), 1)
        tensor([1., 1., 1.])
    """
    check_choice("name", name, STARTS)
    kind, start = name.split(", ")
    if kind == "GRU":
        cell: Cell = GRUCell(input_size, hidden_size)
    else:
        cell = LSTMCell(input_size, hidden_size, forget_bias=1.0 if start == "bias 1" else None)
    return chrono(cell, lag) if start == "chrono" else cell


def _set(cell: Cell, gate: int, bias: Tensor) -> None:
    rows = slice(gate * cell.hidden_size, (gate + 1) * cell.hidden_size)
    cell.bias_ih[rows] = bias
    cell.bias_hh[rows] = 0.0
