"""The readable loop over a cell: its own step, differentiated by autograd, and how exact that is in narrow dtypes."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn.utils import parametrize

from rnncourse.cells import Cell
from rnncourse.layers.choosing import may_be_replaced, recompute_weights
from rnncourse.shapes import map_state
from rnncourse.unroll import unroll

__all__ = ["loop"]


def loop(cell: Cell, inputs: Tensor, state: Any, lengths: Tensor | None = None) -> tuple[Tensor, Any]:
    """Read sequences by a cell's own step.

    On a CPU, what is narrower than float32 is computed in float32 and rounded once, as all other implementations do it;
    autograd would round the sum of a weight's gradients after each step. A single step, as in generation, has no such
    sum and is spared the conversion. Any other step (one that hooks watch, a cell of your own, or one that has neither
    kernel nor fused layer, or is linear in its state) meets the dtype that it was written for: there, its operations
    and those sums are rounded one by one.

    Args:
        cell: The cell.
        inputs: The sequences, of shape (batch, time, input).
        state: The state before the first step.
        lengths: How many steps of each sequence are real; all if not given.

    Returns:
        The outputs, of shape (batch, time, output), zero at padding; and the state at each sequence's own end.

    Example:
        >>> from rnncourse.cells import GRUCell
        >>> cell = GRUCell(3, 5).bfloat16()
        >>> outputs, h = loop(cell, torch.zeros(2, 3, 3).bfloat16(), cell.initial_state(2))
        >>> outputs.dtype, torch.equal(outputs[:, -1], h)
        (torch.bfloat16, True)
    """
    given = inputs.dtype
    narrow = inputs.device.type == "cpu" and given in (torch.bfloat16, torch.float16)
    if narrow and inputs.shape[1] > 1 and may_be_replaced(cell):
        recompute_weights(cell)
        inputs, state = map_state(Tensor.float, (inputs, state))
        outputs, final = unroll(_in_float32(cell), inputs, state, lengths)
        return map_state(lambda part: part.to(given), (outputs, final))
    outputs, final = unroll(cell, inputs, state, lengths)
    return outputs, map_state(_writable, final)


def _in_float32(cell: Cell) -> Cell:
    """A cell of the same step, whose parameters are the given cell's in float32, and so have their gradients there.

    The given cell is left alone, also for a moment: another thread may be reading through it.
    """
    kind = parametrize.type_before_parametrizations(cell)
    parameters = dict(cell.named_parameters(recurse=False, remove_duplicate=False))
    parameters |= {name: getattr(cell, name) for name in getattr(cell, "parametrizations", ())}
    wide = kind.__new__(kind)
    wide.__dict__ = vars(cell) | {name: parameter.float() for name, parameter in parameters.items()}
    return wide


def _writable(part: Any) -> Any:
    """The same numbers, not those that the last step's gradient is made of."""
    return part.clone() if isinstance(part, Tensor) and part.requires_grad else part
