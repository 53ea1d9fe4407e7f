"""How this package is compared with an oracle: value and every gradient, relative to the tensor's largest entry."""

import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from rnncourse.cells import GRUCell, LSTMCell, RNNCell

TOLERANCE = {torch.float64: 1e-10, torch.float32: 1e-5}
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


def assert_close(ours, theirs, what):
    """Two tensors are one, but for rounding."""
    assert ours.shape == theirs.shape, f"{what}: shape {tuple(ours.shape)} against {tuple(theirs.shape)}"
    assert ours.dtype == theirs.dtype, f"{what}: {ours.dtype} against {theirs.dtype}"
    if theirs.dtype.is_floating_point:
        error = (ours - theirs).abs().max().item()
        allowed = TOLERANCE[theirs.dtype] * max(theirs.abs().max().item(), 1e-30)
        assert error <= allowed, f"{what}: off by {error:.3g}, {error / allowed:.3g} times what is allowed"
    else:
        assert torch.equal(ours, theirs), what


def assert_same(ours, theirs, leaves, what="", unused=False):
    """Two computations have the same values, and the same gradient for each pair of leaves.

    Args:
        ours: the tensors that ours returned.
        theirs: those that the oracle returned.
        leaves: name -> (our leaf, the oracle's leaf, which may be the same tensor).
        what: what is compared, for the message.
        unused: whether a leaf may have no part in the values (then its gradient is zero on both sides).
    """
    assert len(ours) == len(theirs)
    for index, (a, b) in enumerate(zip(ours, theirs, strict=True)):
        assert_close(a, b, f"{what} value {index}")
    generator = torch.Generator().manual_seed(1)
    weights = [torch.randn(b.shape, generator=generator, dtype=b.dtype).to(b.device) for b in theirs]
    our_gradients = gradients(ours, [pair[0] for pair in leaves.values()], weights, unused)
    their_gradients = gradients(theirs, [pair[1] for pair in leaves.values()], weights, unused)
    for name, a, b in zip(leaves, our_gradients, their_gradients, strict=True):
        assert_close(a, b, f"{what} gradient of {name}")


def gradients(outputs, leaves, weights, unused=False):
    """The gradient of a random weighted sum of all outputs with respect to each leaf."""
    loss = sum((output * weight).sum() for output, weight in zip(outputs, weights, strict=True))
    return torch.autograd.grad(loss, leaves, materialize_grads=unused)


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
