"""Who enters the race on prose: every gated cell from two starts, and the GRU with both places of its reset."""

import torch

from rnncourse.cells import Cell, GRUCell, LSTMCell, MGUCell
from rnncourse.chapters.c06_gru.experiments.starts import started_cell
from rnncourse.checks import check_choice

ENTRANTS = (
    "tanh, orthogonal",
    "LSTM, forget bias 1",
    "LSTM, keeps less",
    "GRU, orthogonal",
    "GRU, keeps less",
    "GRU before, orthogonal",
    "GRU before, keeps less",
    "MGU, orthogonal",
    "MGU, keeps less",
)
"""Cells and how they start. "GRU" is PyTorch's; "GRU before" has the reset before the product, as in the papers."""

KEEPS = -1.0
"""Where "keeps less" starts the bias of the gate that keeps: the share that is kept is the sigmoid of it, 27 %."""


@torch.no_grad()
def entrant(name: str, input_size: int, hidden_size: int) -> Cell:
    """A fresh cell by name, its recurrent matrices orthogonal, each gate's by itself.

    Args:
        name: One of :data:`ENTRANTS`.
        input_size: Features of one step's input.
        hidden_size: Units.

    Returns:
        The cell.

    Raises:
        ValueError: If there is no such entrant.

    Example:
        >>> entrant("GRU before, keeps less", 3, 5)
        GRUCell(3, 5, reset='before', blend='keep')
    """
    check_choice("name", name, ENTRANTS)
    kind, start = name.split(", ")
    keeps_less = start == "keeps less"
    if kind == "LSTM" and keeps_less:
        return LSTMCell(input_size, hidden_size, init="orthogonal", forget_bias=KEEPS)
    if kind not in ("GRU", "GRU before", "MGU"):
        return started_cell(name, input_size, hidden_size)
    if kind == "MGU":
        cell: Cell = MGUCell(input_size, hidden_size, init="orthogonal")
        gate, bias = slice(0, hidden_size), -KEEPS  # its gate is the share that is new
    else:
        reset = "before" if kind == "GRU before" else "after"
        cell = GRUCell(input_size, hidden_size, reset=reset, init="orthogonal")
        gate, bias = slice(hidden_size, 2 * hidden_size), KEEPS  # its update gate is the share that is kept
    if keeps_less:
        cell.bias_ih[gate] = bias
        cell.bias_hh[gate] = 0.0
    return cell
