"""The steps of all networks, and random weights and states for them."""

import torch

from rnncourse.functional import gru_step, lstm_step, mgu_step, rnn_step
from rnncourse.shapes import LSTMState
from tests.oracles import leaf

GATES = {"rnn": 1, "lstm": 4, "gru": 3, "mgu": 2}
STEPS = {"rnn": rnn_step, "lstm": lstm_step, "gru": gru_step, "mgu": mgu_step}


def weights(kind, inputs=3, hidden=5, dtype=torch.float64):
    rows = GATES[kind] * hidden
    return [leaf(*shape, dtype=dtype) for shape in ((rows, inputs), (rows, hidden), (rows,), (rows,))]


def state_of(kind, batch=2, hidden=5, dtype=torch.float64):
    h = leaf(batch, hidden, dtype=dtype)
    return LSTMState(h, leaf(batch, hidden, dtype=dtype)) if kind == "lstm" else h
