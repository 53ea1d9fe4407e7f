"""The equations of one step, stateless: the weights come in, the new state goes out.

Each network has two functions, in a module of its own: :mod:`~rnncourse.functional.rnn`,
:mod:`~rnncourse.functional.lstm`, :mod:`~rnncourse.functional.gru` and :mod:`~rnncourse.functional.mgu`. ``*_trace`` is
the equations, line by line, and returns every gate and intermediate; ``*_step`` takes the same arguments and returns
only the new state. The parameters have PyTorch's names, layout and order of gates, so that any of them can be checked
against ``torch.nn``.
"""

from rnncourse.functional.gru import GRUTrace, gru_step, gru_trace
from rnncourse.functional.lstm import LSTM_PARTS, LSTMTrace, Peepholes, check_parts, lstm_step, lstm_trace
from rnncourse.functional.mgu import MGUTrace, mgu_step, mgu_trace
from rnncourse.functional.rnn import RNNTrace, rnn_step, rnn_trace

__all__ = [
    "LSTM_PARTS",
    "GRUTrace",
    "LSTMTrace",
    "MGUTrace",
    "Peepholes",
    "RNNTrace",
    "check_parts",
    "gru_step",
    "gru_trace",
    "lstm_step",
    "lstm_trace",
    "mgu_step",
    "mgu_trace",
    "rnn_step",
    "rnn_trace",
]
