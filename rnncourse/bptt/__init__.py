"""Backpropagation through time, written out for the vanilla RNN so that every quantity can be looked at.

Nothing here is fast, and nothing here uses autograd: these are the forms that chapter 3 prints, and
:mod:`rnncourse.kernels` is what they become once the loop is tidied. The letters are those of the equations,

.. math:: h_t = \\tanh(U x_t + W h_{t-1} + b), \\qquad y_t = V h_t + b_y .

The same gradient is computed in five ways, and the tests hold them equal: step by step
(:func:`~rnncourse.bptt.steps.backward`), as the literal double sum over losses and steps
(:func:`~rnncourse.bptt.paths.double_sum`), as a deep feedforward network with shared weights
(:class:`~rnncourse.bptt.unrolled.DeepFeedforward`), truncated with a window that covers everything
(:func:`~rnncourse.bptt.truncation.truncated_backward`), and forward in time (:func:`~rnncourse.bptt.realtime.rtrl`).
"""

from rnncourse.bptt.network import Parameters, Trace, cross_entropy, forward, squared_error
from rnncourse.bptt.paths import contributions, double_sum, step_jacobian
from rnncourse.bptt.realtime import rtrl, rtrl_numbers_carried
from rnncourse.bptt.steps import Backward, backward
from rnncourse.bptt.truncation import Bias, gradient_bias, truncated_backward
from rnncourse.bptt.unrolled import DeepFeedforward

__all__ = [
    "Backward",
    "Bias",
    "DeepFeedforward",
    "Parameters",
    "Trace",
    "backward",
    "contributions",
    "cross_entropy",
    "double_sum",
    "forward",
    "gradient_bias",
    "rtrl",
    "rtrl_numbers_carried",
    "squared_error",
    "step_jacobian",
    "truncated_backward",
]
