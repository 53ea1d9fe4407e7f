"""The kernels as one operator of a graph, for ``torch.compile`` and ``torch.export``.

A graph cannot look into a walk whose number of steps is a symbol; it can hold an operator that promises what comes out:
``rnncourse::over_time``, whose outputs are the hidden states and the carried tensors at each sequence's end. Nothing is
kept for its backward pass, ``rnncourse::over_time_backward``, which goes forward once more: the price of a graph.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from rnncourse.kernels.sequence import Kernel, packed_rows, run, walk, walk_back

__all__ = ["register"]

_KERNELS: dict[str, Kernel] = {}


def register(*kernels: Kernel) -> None:
    """Make kernels known to the operator by their names."""
    _KERNELS.update({kernel.name: kernel for kernel in kernels})


@torch.library.custom_op(
    "rnncourse::over_time",
    mutates_args=(),
    schema="(str kernel, bool checkpoint, Tensor inputs, Tensor[] state, Tensor[] weights, Tensor? lengths)"
    " -> Tensor[]",
)
def _over_time(
    kernel: str,
    checkpoint: bool,
    inputs: Tensor,
    state: Sequence[Tensor],
    weights: Sequence[Tensor],
    lengths: Tensor | None,
) -> list[Tensor]:
    outputs, final = run(_KERNELS[kernel], inputs, tuple(state), tuple(weights), lengths, checkpoint=checkpoint)
    return [outputs.contiguous(), *final]


@_over_time.register_fake
def _promised(
    kernel: str,
    checkpoint: bool,
    inputs: Tensor,
    state: Sequence[Tensor],
    weights: Sequence[Tensor],
    lengths: Tensor | None,
) -> list[Tensor]:
    batch, time = inputs.shape[:2]
    return [inputs.new_empty(batch, time, part.shape[1]) for part in state[:1]] + [
        torch.empty_like(part, memory_format=torch.contiguous_format) for part in state
    ]


@torch.library.custom_op(
    "rnncourse::over_time_backward",
    mutates_args=(),
    schema="(str kernel, Tensor inputs, Tensor[] state, Tensor[] weights, Tensor? lengths, Tensor dh, Tensor[] dfinal)"
    " -> Tensor[]",
)
def _over_time_backward(
    kernel: str,
    inputs: Tensor,
    state: Sequence[Tensor],
    weights: Sequence[Tensor],
    lengths: Tensor | None,
    dh: Tensor,
    dfinal: Sequence[Tensor],
) -> list[Tensor]:
    rows = None if lengths is None else packed_rows(lengths, inputs)
    x, dh, batch_sizes = inputs.transpose(0, 1), dh.transpose(0, 1), None
    if rows is not None:
        x, dh, batch_sizes = rows.pack(inputs), rows.pack(dh.transpose(0, 1)), rows.batch_sizes
        state, dfinal = ([part[rows.order] for part in parts] for parts in (state, dfinal))
    each = _KERNELS[kernel]
    h, _, blocks, saved = walk(each, False, batch_sizes, x, tuple(state), tuple(weights), keep=True)
    dx, dstate, dweights = walk_back(each, False, blocks, h, x, state, weights, saved, dh, dfinal)
    if rows is not None:
        return [rows.unpack(dx), *(part[rows.back] for part in dstate), *dweights]
    return [dx.transpose(0, 1).contiguous(), *dstate, *dweights]


@_over_time_backward.register_fake
def _promised_back(
    kernel: str,
    inputs: Tensor,
    state: Sequence[Tensor],
    weights: Sequence[Tensor],
    lengths: Tensor | None,
    dh: Tensor,
    dfinal: Sequence[Tensor],
) -> list[Tensor]:
    return [torch.empty_like(part, memory_format=torch.contiguous_format) for part in (inputs, *state, *weights)]


def _remember(ctx: Any, inputs: tuple[Any, ...], output: list[Tensor]) -> None:
    ctx.kernel, _, x, state, weights, lengths = inputs
    ctx.carried = len(state)
    ctx.save_for_backward(x, lengths, *state, *weights)


def _differentiate(ctx: Any, grads: list[Tensor]) -> tuple[Any, ...]:
    x, lengths, *tensors = ctx.saved_tensors
    state, weights = tensors[: ctx.carried], tensors[ctx.carried :]
    dh, *dfinal = grads
    found = torch.ops.rnncourse.over_time_backward(ctx.kernel, x, state, weights, lengths, dh, dfinal)
    return None, None, found[0], found[1 : 1 + ctx.carried], found[1 + ctx.carried :], None


_over_time.register_autograd(_differentiate, setup_context=_remember)
