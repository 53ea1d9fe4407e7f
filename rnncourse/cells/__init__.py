"""Cells: parameters around one step.

The job of a cell is to hold the parameters of one step and to apply it: ``output, state = cell(x_t, state)``. Its
parameters are named, shaped, ordered and drawn as those of PyTorch's cells, so that one seed gives both the same
weights and each loads the other's ``state_dict``. :mod:`~rnncourse.cells.cell` holds what they share; each kind has a
module of its own: :mod:`~rnncourse.cells.rnn`, :mod:`~rnncourse.cells.lstm`, :mod:`~rnncourse.cells.gru`,
:mod:`~rnncourse.cells.mgu`, :mod:`~rnncourse.cells.skip` and :mod:`~rnncourse.cells.projected`; in
:mod:`~rnncourse.cells.dropped` stands recurrent dropout, around any of them.
"""

from rnncourse.cells.cell import Cell
from rnncourse.cells.dropped import DroppedState, RecurrentDropoutCell
from rnncourse.cells.gru import GRUCell
from rnncourse.cells.lstm import ABLATIONS, LSTMCell
from rnncourse.cells.mgu import MGUCell
from rnncourse.cells.projected import ProjectedLSTMCell
from rnncourse.cells.rnn import RNNCell
from rnncourse.cells.skip import SkipRNNCell

__all__ = [
    "ABLATIONS",
    "Cell",
    "DroppedState",
    "GRUCell",
    "LSTMCell",
    "MGUCell",
    "ProjectedLSTMCell",
    "RNNCell",
    "RecurrentDropoutCell",
    "SkipRNNCell",
]
