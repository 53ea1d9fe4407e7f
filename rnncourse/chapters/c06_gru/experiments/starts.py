"""Every cell at its best-known start: what chapter 6 compares, with the initialisation in the name."""

from torch import nn

from rnncourse.cells import Cell, GRUCell, LSTMCell, MGUCell, RNNCell
from rnncourse.chapters.c05_lstm.experiments.starts import chrono
from rnncourse.checks import check_choice

STARTS = (
    "tanh, orthogonal",
    "ReLU, identity",
    "LSTM, no forget bias",
    "LSTM, forget bias 1",
    "LSTM, chrono",
    "GRU, orthogonal",
    "GRU, chrono",
    "MGU, orthogonal",
)
"""Cells and how they start. Gated cells have orthogonal recurrent matrices, each gate's by itself, in every case."""


def started_cell(name: str, input_size: int, hidden_size: int, *, lag: int = 40) -> Cell:
    """A fresh cell by name.

    Args:
        name: One of :data:`STARTS`.
        input_size: Features of one step's input.
        hidden_size: Units.
        lag: Up to which ``chrono`` spreads its time scales.

    Returns:
        The cell. The identity comes with biases of zero, and input weights as PyTorch draws them.

    Raises:
        ValueError: If there is no such start.

    Example:
        >>> cell = started_cell("LSTM, forget bias 1", 1, 3)
        >>> (cell.bias_ih + cell.bias_hh)[3:6].detach()
        tensor([1., 1., 1.])
    """
    check_choice("name", name, STARTS)
    kind, start = name.split(", ")
    if kind == "ReLU":
        cell = RNNCell(input_size, hidden_size, nonlinearity="relu", init="identity")
        nn.init.uniform_(cell.weight_ih, -(hidden_size**-0.5), hidden_size**-0.5)
        return cell
    if kind == "LSTM":
        bias = 1.0 if start == "forget bias 1" else None
        gated: Cell = LSTMCell(input_size, hidden_size, init="orthogonal", forget_bias=bias)
        return chrono(gated, lag) if start == "chrono" else gated
    if kind == "GRU":
        gated = GRUCell(input_size, hidden_size, init="orthogonal")
        return chrono(gated, lag) if start == "chrono" else gated
    return (RNNCell if kind == "tanh" else MGUCell)(input_size, hidden_size, init="orthogonal")
