"""Recurrent layers over all of time, with backpropagation through time written by hand.

Each module gives one network's equations, derived backwards in its docstring and written out below it line by line:
:mod:`~rnncourse.kernels.rnn`, :mod:`~rnncourse.kernels.lstm` and :mod:`~rnncourse.kernels.gru`.
:mod:`~rnncourse.kernels.sequence` holds what they share, :mod:`~rnncourse.kernels.operator` makes them known to graphs.

They compute what the loop of :func:`rnncourse.unroll.unroll` computes, faster: the inputs of all steps are projected
by one matrix product, autograd records one operation instead of a dozen per step, what the backward walk does not
depend on is computed in bulk, and the weights' gradients are one product each. Their gradients cannot be differentiated
again, and function transforms do not see through them: both are refused, naming the loop, which can.
"""

from rnncourse.kernels.gru import gru_sequence
from rnncourse.kernels.lstm import lstm_sequence
from rnncourse.kernels.rnn import rnn_sequence

__all__ = ["gru_sequence", "lstm_sequence", "rnn_sequence"]
