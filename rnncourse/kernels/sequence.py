"""What all kernels share: the autograd Function, blocks of time, lengths, checkpoints.

A kernel is three functions on a block of consecutive steps, which see time and batch as one axis of rows
(:mod:`rnncourse.kernels.rows`). Each network's module writes them out; this one calls them.

The forward pass goes block by block from the first step to the last, the backward pass from the last block to the
first. Blocks keep what is computed in bulk small enough for the processor's cache, and let a checkpointed pass drop the
gates of a block and compute them again when the backward pass gets there.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor

from rnncourse.checks import check_lengths, check_shape
from rnncourse.kernels.rows import Block, blocks_of, one_step_before
from rnncourse.transforms import under_way

__all__ = [
    "Kernel",
    "add_product",
    "biases_or_zeros",
    "check_call",
    "packed_rows",
    "project",
    "run",
    "walk",
    "walk_back",
]


class Kernel(NamedTuple):
    """The three functions that make a kernel, each on one block of steps.

    ``batch_sizes`` is the list of how many sequences, and so how many rows, each step has; it never grows. All tensors
    have shape (rows, …), and states (sequences at the first step, hidden).

    Attributes:
        forward: From ``(x, batch_sizes, state, weights, W_T, h)``: walks the steps and writes their hidden states into
            ``h``; ``W_T`` is ``weight_hh`` transposed. Returns the rows of the states carried beside h, and what the
            backward pass needs to be kept.
        recompute: From ``(x, batch_sizes, h_before, state, weights)``: what is to be kept, in bulk, from the known
            hidden states; ``state`` is what is carried beside h.
        backward: From ``(dh, batch_sizes, carry, h_before, h, kept, weights, grads)``: walks back. ``dh`` comes as what
            the loss says about each hidden state and is completed in place by what later steps say; ``carry`` is the
            gradient of the states beside h after each sequence's last step in the block, and becomes, in place, that
            before the first. Adds the gradient of everything on the hidden side to ``grads``. Returns the deltas, the
            gradient of the inputs' projection, and the gradient of the hidden state before the block.
        name: By which :mod:`rnncourse.kernels.operator` finds it.
    """

    forward: Callable[..., Any]
    recompute: Callable[..., Any]
    backward: Callable[..., Any]
    name: str


def run(
    kernel: Kernel,
    inputs: Tensor,
    state: tuple[Tensor, ...],
    weights: tuple[Tensor, ...],
    lengths: Tensor | None = None,
    *,
    checkpoint: bool = False,
) -> tuple[Tensor, tuple[Tensor, ...]]:
    """Run a kernel over sequences, differentiably once.

    What is narrower than float32 is computed in float32 and rounded once, at the end. Without gradients nothing is kept
    but the hidden states. Under ``torch.compile`` and ``torch.export`` the whole is one operator of the graph
    (:mod:`rnncourse.kernels.operator`).

    Args:
        kernel: The kernel.
        inputs: Sequences of shape (batch, time, input).
        state: The carried tensors, hidden state first, each of shape (batch, hidden).
        weights: The kernel's weights, ``weight_ih`` and ``weight_hh`` first.
        lengths: How many steps of each sequence are real.
        checkpoint: Whether to forget the gates in the forward pass, but for a state at every √T-th step.

    Returns:
        The hidden states of all steps, of shape (batch, time, hidden), zero at padding; and the carried tensors at
        each sequence's own end.

    Raises:
        RuntimeError: Under a transformation that does not see through the kernels; and later, when a gradient is
            differentiated again.
    """
    transformation = under_way(inputs, *state, *weights)
    if transformation:
        raise RuntimeError(f"the kernels do not see through {transformation}; use implementation='loop' there")
    if inputs.dtype in (torch.bfloat16, torch.float16):
        state, weights = (tuple(part.float() for part in parts) for parts in (state, weights))
        outputs, final = run(kernel, inputs.float(), state, weights, lengths, checkpoint=checkpoint)
        return outputs.to(inputs.dtype), tuple(part.to(inputs.dtype) for part in final)
    if torch.compiler.is_compiling():
        h, *final = torch.ops.rnncourse.over_time(kernel.name, checkpoint, inputs, list(state), list(weights), lengths)
        return h, tuple(final)

    rows = None if lengths is None else packed_rows(lengths, inputs)
    x = inputs.transpose(0, 1)
    if rows is not None:
        x, state = rows.pack(inputs), tuple(part[rows.order] for part in state)
    keep = torch.is_grad_enabled() and any(part.requires_grad for part in (x, *state, *weights))
    batch_sizes = None if rows is None else rows.batch_sizes
    if keep:
        h, *final = _Sequence.apply(kernel, checkpoint, batch_sizes, len(state), x, *state, *weights)
    else:
        h, final, *_ = walk(kernel, checkpoint, batch_sizes, x, state, weights, keep=False)
    if rows is not None:
        return rows.unpack(h), tuple(part[rows.back] for part in final)
    h = h.transpose(0, 1)
    if keep:
        h = h.clone(memory_format=torch.contiguous_format)  # so that a caller may write into it
    return h, tuple(final)


class PackedRows(NamedTuple):
    """Where the real steps of a padded batch stand, once they are packed step by step, longest sequence first.

    Attributes:
        order: The sequences, longest first.
        back: Each sequence's place among them.
        places: Where each packed row stands among the (batch · time) padded ones.
        batch_sizes: How many sequences each step has.
        shape: Batch and time.
    """

    order: Tensor
    back: Tensor
    places: Tensor
    batch_sizes: list[int]
    shape: tuple[int, int]

    def pack(self, padded: Tensor) -> Tensor:
        """The real steps, of shape (rows, …), out of (batch, time, …)."""
        return padded.flatten(0, 1).index_select(0, self.places)

    def unpack(self, rows: Tensor) -> Tensor:
        """The real steps back in their places, of shape (batch, time, …), with zeros at padding."""
        batch, time = self.shape
        return rows.new_zeros(batch * time, rows.shape[1]).index_copy(0, self.places, rows).unflatten(0, self.shape)


def packed_rows(lengths: Tensor, inputs: Tensor) -> PackedRows:
    """Find the real steps of a padded batch.

    Args:
        lengths: How many steps of each sequence are real.
        inputs: The sequences, of shape (batch, time, …).
    """
    batch, time = inputs.shape[:2]
    lengths, order = lengths.to(inputs.device).sort(descending=True)
    real = torch.arange(int(lengths[0]), device=inputs.device)[:, None] < lengths  # (time, batch)
    step, rank = real.nonzero(as_tuple=True)
    return PackedRows(order, order.argsort(), order[rank] * time + step, real.sum(1).tolist(), (batch, time))


def check_call(
    inputs: Tensor,
    state: dict[str, Tensor],
    weights: tuple[Tensor, Tensor, Tensor | None, Tensor | None],
    lengths: Tensor | None,
    *,
    gates: int,
) -> None:
    """Refuse a call whose parts do not fit each other.

    Args:
        inputs: What was given as sequences.
        state: The carried tensors by name.
        weights: ``weight_ih, weight_hh, bias_ih, bias_hh``.
        lengths: What was given as lengths.
        gates: How many rows the weights have for each unit.

    Raises:
        ValueError: If something is no tensor or has another shape, dtype or device than the weights ask for.
    """
    weight_ih, weight_hh, bias_ih, bias_hh = weights
    check_shape("weight_hh", weight_hh, gates=None, hidden=None)
    hidden = weight_hh.shape[1]
    check_shape("weight_hh", weight_hh, gates=gates * hidden, hidden=hidden)
    check_shape("weight_ih", weight_ih, like=weight_hh, gates=gates * hidden, input=None)
    for name, bias in (("bias_ih", bias_ih), ("bias_hh", bias_hh)):
        if bias is not None:
            check_shape(name, bias, like=weight_hh, gates=gates * hidden)
    check_shape("inputs", inputs, like=weight_hh, batch=None, time=None, input=weight_ih.shape[1])
    for name, part in state.items():
        check_shape(name, part, like=weight_hh, batch=inputs.shape[0], hidden=hidden)
    if lengths is not None:
        check_lengths(lengths, *inputs.shape[:2])


def biases_or_zeros(weight_ih: Tensor, *biases: Tensor | None) -> tuple[Tensor, ...]:
    """The biases, with zeros in the place of one that is not there."""
    return tuple(weight_ih.new_zeros(len(weight_ih)) if bias is None else bias for bias in biases)


def project(x: Tensor, U: Tensor, b: Tensor) -> Tensor:
    """All inputs of a block at once, U x + b for every row."""
    return (x @ U.t()).add_(b)


def add_product(total: Tensor, delta: Tensor, left: Tensor) -> None:
    """Add the sum over all rows of the outer products of ``delta`` and ``left``: one matrix product."""
    total.addmm_(delta.t(), left)


def walk(
    kernel: Kernel,
    checkpoint: bool,
    batch_sizes: list[int] | None,
    x: Tensor,
    state: tuple[Tensor, ...],
    weights: tuple[Tensor, ...],
    *,
    keep: bool,
) -> tuple[Tensor, list[Tensor], list[Block], list[Any]]:
    """The forward pass, block by block.

    Args:
        kernel: The kernel.
        checkpoint: Whether only the blocks' first states are kept.
        batch_sizes: How many sequences each step has; all the same if not given.
        x: Inputs of shape (time, batch, input), or (rows, input) if ``batch_sizes`` are given.
        state: The carried tensors.
        weights: The kernel's weights.
        keep: Whether a backward pass will follow.

    Returns:
        The hidden states, the final state, the blocks, and what was kept of each.
    """
    hidden = weights[1].shape[1]
    blocks = list(blocks_of(batch_sizes or [x.shape[1]] * len(x), hidden, checkpoint and keep))
    h = x.new_empty(*x.shape[:-1], hidden)
    h_rows = h.flatten(0, -2)
    W_T = weights[1].t().contiguous()
    state, saved = [part.clone() for part in state], []
    for block in blocks:
        now = [part[: block.batch_sizes[0]] for part in state]
        h_block = h_rows[block.rows]
        others, kept = kernel.forward(block.of(x).flatten(0, -2), block.batch_sizes, now, weights, W_T, h_block)
        if keep:
            saved.append([part.clone() for part in now[1:]] if checkpoint else kept)
        ends = block.ends()
        for part, rows in zip(now, (h_block, *others), strict=True):
            part.copy_(rows[ends])
        del others, kept  # before the next block makes its own
    return h, state, blocks, saved


def walk_back(
    kernel: Kernel,
    checkpoint: bool,
    blocks: list[Block],
    h: Tensor,
    x: Tensor,
    state: Sequence[Tensor],
    weights: Sequence[Tensor],
    saved: Sequence[Any],
    dh_all: Tensor | None,
    dfinal: Sequence[Tensor | None],
    *,
    needs_dx: bool = True,
) -> tuple[Tensor | None, list[Tensor], list[Tensor]]:
    """The backward pass, from the last block to the first.

    Args:
        kernel: The kernel.
        checkpoint: Whether only the blocks' first states were kept.
        blocks: The blocks of the forward pass.
        h: Its hidden states.
        x: Its inputs.
        state: The state that it began with.
        weights: The kernel's weights.
        saved: What it kept of each block.
        dh_all: The gradient of the hidden states; none is zero.
        dfinal: That of each part of the final state.
        needs_dx: Whether the gradient of the inputs is asked for.

    Returns:
        The gradients of the inputs, of the state before the first step, and of the weights.
    """
    dx = torch.empty_like(x) if needs_dx else None
    grads = [torch.zeros_like(weight) for weight in weights]
    # the gradient of a final state waits in its row until the walk comes to the end of that sequence
    carry = [torch.zeros_like(part) if d is None else d.clone() for part, d in zip(state, dfinal, strict=True)]

    h_rows = h.flatten(0, -2)
    for index, block in reversed(list(enumerate(blocks))):
        batch_sizes, x_block, h_block = block.batch_sizes, block.of(x).flatten(0, -2), h_rows[block.rows]
        if index == 0:
            h_since = torch.cat([state[0], h_block])
        else:
            h_since = h_rows[block.rows.start - block.earlier : block.rows.stop]
        h_before = one_step_before(h_since, batch_sizes)
        kept = saved[index]
        if checkpoint:
            kept = kernel.recompute(x_block, batch_sizes, h_before, kept, weights)

        if dh_all is None:
            dh = torch.zeros_like(h_block)
        else:
            dh = block.of(dh_all).clone(memory_format=torch.contiguous_format).flatten(0, -2)
        now = [part[: batch_sizes[0]] for part in carry]
        dh[block.ends()] += now[0]
        delta, dh_first = kernel.backward(dh, batch_sizes, now[1:], h_before, h_block, kept, weights, grads)
        now[0].copy_(dh_first)

        add_product(grads[0], delta, x_block)
        grads[2] += delta.sum(0)
        if dx is not None:
            block.of(dx).copy_((delta @ weights[0]).view_as(block.of(x)))
    return dx, carry, grads


class _Sequence(torch.autograd.Function):
    """All steps as one operation: x of shape (time, batch, input), or (rows, input) with how many rows a step has."""

    @staticmethod
    def forward(ctx, kernel, checkpoint, batch_sizes, carried, x, *tensors):
        state, weights = tensors[:carried], tensors[carried:]
        h, final, blocks, saved = walk(kernel, checkpoint, batch_sizes, x, state, weights, keep=True)
        ctx.kernel, ctx.checkpoint, ctx.blocks, ctx.carried = kernel, checkpoint, blocks, carried
        ctx.set_materialize_grads(False)
        ctx.save_for_backward(h, x, *tensors, *(tensor for group in saved for tensor in group))
        return h, *final

    @staticmethod
    def backward(ctx, dh_all, *dfinal):
        transformation = under_way(dh_all, *dfinal)
        if transformation:
            raise RuntimeError(f"the kernels do not see through {transformation}; use implementation='loop' there")
        with torch.no_grad(), torch.autocast(ctx.saved_tensors[0].device.type, enabled=False):
            h, x, *tensors = ctx.saved_tensors
            count = len(ctx.needs_input_grad) - 5
            state, weights, kept = tensors[: ctx.carried], tensors[ctx.carried : count], tensors[count:]
            each = len(kept) // len(ctx.blocks)
            saved = [kept[index * each : (index + 1) * each] for index in range(len(ctx.blocks))]
            dx, dstate, dweights = walk_back(
                ctx.kernel, ctx.checkpoint, ctx.blocks, h, x, state, weights, saved, dh_all, dfinal,
                needs_dx=ctx.needs_input_grad[4],
            )  # fmt: skip
        found = dx, *dstate, *dweights
        if torch.is_grad_enabled():  # somebody wants to differentiate what comes out: not zero, but refused
            found = _Refusal.apply(len(found), *found, dh_all, *dfinal, x, *state, *weights)
        return None, None, None, None, *found


class _Refusal(torch.autograd.Function):
    """Gradients as they are, tied to all that they depend on, so that no derivative of them is taken for zero."""

    @staticmethod
    def forward(ctx, count, *tensors):
        return tuple(grad if grad is None else grad.view_as(grad) for grad in tensors[:count])

    @staticmethod
    def backward(ctx, *grads):
        raise RuntimeError("the kernels have no second derivative; use implementation='loop' for it")
