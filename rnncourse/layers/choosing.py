"""Which implementation reads a sequence: the rules of ``implementation="auto"``, and what is refused.

All implementations give the same numbers where they may be used; the rules say where, and which of those is fastest. In
this order, for a cell at a call:

1. A cell whose step is watched or changed (hooks, also global ones; a replaced ``forward``; parametrizations and
   pre-hooks that are not known to be functions of the weights alone), or for which nothing but its own step is written:
   the **loop**.
2. Under a transformation that sees only PyTorch's own operations (``torch.func``, forward mode, ``torch.jit.trace``):
   the **loop**. The scans of :mod:`rnncourse.scan` are differentiable through and through and stay.
3. In a graph (``torch.compile``, ``torch.export``): the **kernel**, as one operator.
4. On a GPU with cuDNN: PyTorch's **fused** layer.
5. On a CPU, where sequences are of several lengths: the **kernel**.
6. On a CPU, a single step without gradients, as in generation: the **loop**.
7. On a CPU in float32 or less, an LSTM: the **fused** layer, which is oneDNN's; unless, with gradients, the numbers are
   so many that what oneDNN keeps costs more than it saves (:data:`MANY_NUMBERS`).
8. For fewer steps than what a kernel prepares pays for (with gradients :data:`FEW_STEPS`, without :data:`SOME_STEPS`,
   and there for a GRU also fewer than :data:`FEW_NUMBERS` side by side): the **fused** layer.
9. Else the **kernel**.

The numbers were measured on one thread of one processor, by the ratio of kernel to fused layer at thirteen sizes.

Second derivatives cannot be foreseen. Where the kernel was taken, differentiating its gradients is refused by name.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.nn.modules import module as every_module
from torch.nn.utils import parametrizations, prune
from torch.nn.utils.weight_norm import WeightNorm

from rnncourse.cells import Cell
from rnncourse.shapes import tensors_of
from rnncourse.transforms import under_way

__all__ = [
    "FEW_NUMBERS",
    "FEW_STEPS",
    "IMPLEMENTATIONS",
    "MANY_NUMBERS",
    "SOME_STEPS",
    "Choice",
    "choose",
    "may_be_replaced",
    "recompute_weights",
]

IMPLEMENTATIONS = ("auto", "kernel", "fused", "loop", "checkpoint")
"""What ``implementation`` may be."""

FEW_STEPS = 8
"""Steps below which, with gradients, what a kernel prepares costs more than it saves."""
SOME_STEPS = 32
"""Steps below which it does so without gradients."""
FEW_NUMBERS = 4096
"""Batch times hidden below which a GRU's kernel does not pay without gradients."""
MANY_NUMBERS = 2**23
"""Time times batch times hidden from which oneDNN's LSTM takes twice the kernel's memory and time to train."""

_NO_KERNEL = "no kernel is written for it"
_NO_FUSED = "PyTorch has no fused layer of this form"
_RECOMPUTING_HOOKS = (WeightNorm, prune.BasePruningMethod)
_PURE_PARAMETRIZATIONS = (parametrizations._WeightNorm, parametrizations._Orthogonal)


class Choice(NamedTuple):
    """What a call takes, and why.

    Attributes:
        implementation: ``"kernel"``, ``"fused"``, ``"loop"`` or ``"checkpoint"``.
        why: A sentence.
    """

    implementation: str
    why: str


def choose(cell: Cell, inputs: Tensor, state: Any, lengths: Tensor | None, asked: str) -> Choice:
    """Decide how a cell goes through a batch of sequences.

    Args:
        cell: The cell.
        inputs: The sequences, of shape (batch, time, input).
        state: The state before the first step.
        lengths: How many steps of each sequence are real; all if not given.
        asked: One of :data:`IMPLEMENTATIONS`.

    Returns:
        The choice.

    Raises:
        RuntimeError: If something else than ``"auto"`` was asked for, and only the loop is right.

    Example:
        >>> from rnncourse.cells import GRUCell
        >>> cell = GRUCell(3, 5)
        >>> call = torch.zeros(2, 20, 3), cell.initial_state(2), None
        >>> choose(cell, *call, "auto").implementation
        'kernel'
        >>> handle = cell.register_forward_hook(lambda cell, inputs, output: None)
        >>> choose(cell, *call, "auto")
        Choice(implementation='loop', why='the cell has forward hooks, which see every step')
    """
    if asked == "loop":
        return Choice("loop", "it was asked for")
    if cell.kernel() is None and (asked in ("kernel", "checkpoint") or cell.fused() is None):
        return Choice("loop", "nothing but the cell's own step is written for it")
    only_loop = _watched(cell) or _transformed(cell, inputs, state)
    if only_loop and asked == "auto":
        return Choice("loop", only_loop)
    if only_loop:
        raise RuntimeError(f"implementation={asked!r} would be wrong: {only_loop}; use implementation='loop' or 'auto'")
    if asked != "auto":
        fits = asked != "fused" or cell.fused() is not None
        return Choice(asked, "it was asked for") if fits else Choice("kernel", _NO_FUSED)
    return _fastest(cell, inputs, lengths)


def _fastest(cell: Cell, inputs: Tensor, lengths: Tensor | None) -> Choice:
    """Of those that are right, the fastest."""
    if torch.compiler.is_compiling():
        return Choice(*(("kernel", "a graph holds it as one operator") if cell.kernel() else ("loop", _NO_KERNEL)))
    if cell.fused() is None:
        return Choice("kernel", _NO_FUSED)
    if inputs.device.type == "cuda" and torch.backends.cudnn.enabled and torch.backends.cudnn.is_available():
        return Choice("fused", "it is cuDNN's on a GPU")
    if cell.kernel() is None:  # packed sequences are slow to train on a CPU
        return Choice(*(("fused", _NO_KERNEL) if lengths is None else ("loop", _NO_KERNEL)))
    if inputs.device.type != "cpu":
        return Choice("kernel", "no fused layer of this device is known to be faster")
    if lengths is not None:
        return Choice("kernel", "it computes nothing for padding")
    batch, time, _ = inputs.shape
    training = torch.is_grad_enabled() and _needs_gradient(cell, inputs)
    if time == 1 and not training:
        return Choice("loop", "a single step is the cell's own, and there is nothing to prepare for")
    wide = inputs.dtype == torch.float64
    if (
        cell.fused() is torch.lstm
        and not wide
        and torch.backends.mkldnn.enabled
        and torch.backends.mkldnn.is_available()
    ):
        if training and time * batch * cell.hidden_size >= MANY_NUMBERS:
            return Choice("kernel", "oneDNN's LSTM would keep twice as much for the backward pass")
        return Choice("fused", "it is oneDNN's for an LSTM on a CPU")
    few = time < (FEW_STEPS if training else SOME_STEPS)
    if few or (not training and cell.fused() is torch.gru and batch * cell.hidden_size < FEW_NUMBERS):
        return Choice("fused", "so few steps do not pay for what the kernel prepares")
    return Choice("kernel", "it is the fastest on a CPU")


def may_be_replaced(cell: Cell) -> bool:
    """Whether something else may stand in for a cell's step: it is a known function of the weights, and unwatched.

    Args:
        cell: The cell.

    Returns:
        Whether another implementation is written for it, which reads all of :attr:`Cell.weights`, and nothing sees or
        changes the step.

    Example:
        >>> from rnncourse.cells import LSTMCell
        >>> may_be_replaced(LSTMCell(3, 5)), may_be_replaced(LSTMCell(3, 5, peepholes=True))
        (True, False)
    """
    written = cell.kernel() is not None or cell.fused() is not None
    return written and not cell.kernel_is_transparent and _watched(cell) is None


def recompute_weights(cell: Cell) -> None:
    """Call the pre-hooks that compute the cell's weights anew (weight norm, pruning), as a step would.

    Args:
        cell: The cell, whose other hooks :func:`choose` has found to be none.
    """
    for hook in cell._forward_pre_hooks.values():
        hook(cell, ())


def _needs_gradient(cell: Cell, inputs: Tensor) -> bool:
    return inputs.requires_grad or any(parameter.requires_grad for parameter in cell.parameters())


def _watched(cell: Cell) -> str | None:
    """What sees or changes the cell's step, as a sentence."""
    if any(_hooks(cell).values()):  # rarely: the names cost more than the look
        kinds = _hooks(cell) | {"forward pre-": _watching(cell)}
        kind = next((kind for kind, hooks in kinds.items() if hooks), None)
        if kind is not None:
            return f"the cell has {kind}hooks, which see every step"
    for chain in getattr(cell, "parametrizations", {}).values():
        for parametrization in chain:
            if not isinstance(parametrization, _PURE_PARAMETRIZATIONS):
                name = type(parametrization).__name__
                return f"the parametrization {name} may give other weights at every step"
    return None


def _hooks(cell: Cell) -> dict[str, Any]:
    """All hooks that see the cell's step, by kind."""
    return {
        "forward pre-": cell._forward_pre_hooks,
        "forward ": cell._forward_hooks,
        "backward ": cell._backward_hooks,
        "backward pre-": cell._backward_pre_hooks,
        "global forward pre-": every_module._global_forward_pre_hooks,
        "global forward ": every_module._global_forward_hooks,
        "global backward ": every_module._global_backward_hooks,
        "global backward pre-": every_module._global_backward_pre_hooks,
    }


def _watching(cell: Cell) -> list[Any]:
    """The forward pre-hooks that do more than to compute weights anew."""
    return [hook for hook in cell._forward_pre_hooks.values() if not isinstance(hook, _RECOMPUTING_HOOKS)]


def _transformed(cell: Cell, inputs: Tensor, state: Any) -> str | None:
    """Which transformation is under way that only the loop is right under, as a sentence."""
    if cell.kernel_is_transparent:
        return None
    what = under_way(inputs, *tensors_of(state), *cell.weights)
    return what and f"{what} sees only PyTorch's own operations"
