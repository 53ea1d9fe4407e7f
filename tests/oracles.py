"""How this package is compared with an oracle: value and every gradient, relative to the tensor's largest entry."""

import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from rnncourse.cells import GRUCell, LSTMCell, RNNCell
from rnncourse.diagnostics.agreement import TOLERANCE, assert_close, assert_same, gradients

__all__ = [
    "DEVICES",
    "KINDS",
    "TOLERANCE",
    "assert_close",
    "assert_same",
    "gradients",
    "leaf",
    "random_lengths",
    "run_torch",
    "tensors",
]

DEVICES = ["cpu", *(["cuda"] if torch.cuda.is_available() else [])]
KINDS = {
    "rnn_tanh": (RNNCell, nn.RNN, {}),
    "rnn_relu": (RNNCell, nn.RNN, {"nonlinearity": "relu"}),
    "lstm": (LSTMCell, nn.LSTM, {}),
    "gru": (GRUCell, nn.GRU, {}),
}


def tensors(state):
    """The tensors of a state, flat: its own, or those of its parts in order."""
    return [leaf for part in state for leaf in tensors(part)] if isinstance(state, tuple) else [state]


def run_torch(module, inputs, state, lengths):
    """A PyTorch module on padded sequences, by way of a packed one where there are lengths."""
    if lengths is None:
        return module(inputs, state)
    packed = pack_padded_sequence(inputs, lengths.cpu(), batch_first=True, enforce_sorted=False)
    outputs, state = module(packed, state)
    return pad_packed_sequence(outputs, batch_first=True, total_length=inputs.shape[1])[0], state


def random_lengths(batch, time, seed=0):
    """Lengths from 1 to `time`: the last is full, the first 1 where there is room, never longest first."""
    lengths = torch.randint(1, time + 1, (batch,), generator=torch.Generator().manual_seed(seed))
    lengths[0] = 1
    lengths[-1] = time
    return lengths


def leaf(*shape, dtype=torch.float64, device="cpu"):
    """A random tensor whose gradient is asked for."""
    return torch.randn(*shape, dtype=dtype, device=device).requires_grad_()
