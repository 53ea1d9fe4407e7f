"""PyTorch's own fused layers over a cell's own weights: oneDNN's LSTM on a CPU, cuDNN's layers on a GPU."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence, pad_packed_sequence

from rnncourse.cells import Cell
from rnncourse.shapes import LSTMState

__all__ = ["fused"]


def fused(cell: Cell, inputs: Tensor, state: Any, lengths: Tensor | None = None) -> tuple[Tensor, Any]:
    """Read sequences by the function that ``torch.nn``'s layer of this kind calls.

    On a CPU, what is narrower than float32 is computed in float32 and rounded once.

    Args:
        cell: A cell whose ``fused()`` names a function.
        inputs: The sequences, of shape (batch, time, input).
        state: The state before the first step.
        lengths: How many steps of each sequence are real; all if not given.

    Returns:
        The outputs, of shape (batch, time, hidden), zero at padding; and the state at each sequence's own end.

    Example:
        >>> from rnncourse.cells import LSTMCell
        >>> cell = LSTMCell(3, 5)
        >>> outputs, (h, c) = fused(cell, torch.zeros(2, 7, 3), cell.initial_state(2))
        >>> torch.equal(outputs[:, -1], h)
        True
    """
    function, biased, given = cell.fused(), cell.bias_ih is not None, inputs.dtype
    weights = [weight for weight in cell.weights if weight is not None]
    parts = list(state) if isinstance(state, LSTMState) else [state]
    narrow = inputs.device.type == "cpu" and given in (torch.bfloat16, torch.float16)
    inputs, *parts = (part.float() if narrow else part for part in (inputs, *parts))
    weights = [weight.to(inputs.dtype) for weight in weights]
    start = [part.unsqueeze(0) for part in parts]
    before = start if len(start) > 1 else start[0]
    common = biased, 1, 0.0, cell.training, False
    if lengths is None:
        outputs, *final = function(inputs, before, weights, *common, True)
        outputs = outputs.clone(memory_format=torch.contiguous_format) if outputs.requires_grad else outputs
    else:
        packed = pack_padded_sequence(inputs, lengths.cpu(), batch_first=True, enforce_sorted=False)
        before = [part.index_select(1, packed.sorted_indices) for part in start]
        data, *final = function(
            packed.data, packed.batch_sizes, before if len(start) > 1 else before[0], weights, *common
        )
        final = [part.index_select(1, packed.unsorted_indices) for part in final]
        whole = PackedSequence(data, packed.batch_sizes, packed.sorted_indices, packed.unsorted_indices)
        outputs, _ = pad_packed_sequence(whole, batch_first=True, total_length=inputs.shape[1])
    outputs, *final = (part.to(given) for part in (outputs, *(part.squeeze(0) for part in final)))
    return outputs, LSTMState(*final) if isinstance(state, LSTMState) else final[0]
