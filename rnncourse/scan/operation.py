r"""The linear recurrence as one differentiable operation, whose backward pass is the same scan reversed.

Forward, for :math:`t = 1, \dots, T`:

.. math:: h_t = a_t \odot h_{t-1} + b_t

Backward, for :math:`t = T, \dots, 1`, where :math:`dh_t` is what the loss says about :math:`h_t` directly and
:math:`\delta_t` what it says in all:

.. math::

    \delta_t &= a_{t+1} \odot \delta_{t+1} + dh_t \\
    \frac{\partial L}{\partial b_t} &= \delta_t, \qquad
    \frac{\partial L}{\partial a_t} = \delta_t \odot h_{t-1}, \qquad
    \frac{\partial L}{\partial h_0} = a_1 \odot \delta_1

The first line is the same recurrence, walked from the end, with the factor of the step *after*: the same scan computes
it. A tangent, :math:`\dot h_t = a_t \dot h_{t-1} + (\dot a_t h_{t-1} + \dot b_t)`, is the same recurrence again. And
because both passes call the very operation that they belong to, they can be differentiated in their turn. Where the
numbers are complex, the backward pass takes the conjugates of factors and states.

Source: Martin and Cundy (2018) for the backward pass as a scan, from secondary sources.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from rnncourse.scan.chunked import chunked
from rnncourse.scan.log_space import log_space, signed_log_space
from rnncourse.scan.odd_even import odd_even
from rnncourse.scan.sequential import sequential
from rnncourse.transforms import stands_for_many

__all__ = ["LinearScan", "readable"]

_WALKS: dict[str, Callable[..., None]] = {
    "sequential": sequential,
    "chunked": chunked,
    "odd_even": odd_even,
    "log_space": log_space,
    "signed_log_space": signed_log_space,
}
_DERIVATIVE = {"log_space": "signed_log_space"}  # gradients and tangents have both signs


class LinearScan(torch.autograd.Function):
    """All steps as one operation on a and b of shape (time, …) and a start of shape (…).

    Reversed it is the recurrence of the backward pass, h_t = a_{t+1} h_{t+1} + b_t, with nothing after the last step.
    """

    @staticmethod
    def forward(a: Tensor, b: Tensor, start: Tensor | None, scan: str, reverse: bool) -> Tensor:
        """Scan into a new tensor."""
        if stands_for_many(a, b, start):
            return readable(a, b, start, reverse=reverse)
        h = torch.empty_like(b)
        if not reverse:
            _WALKS[scan](a, b, start, h)
            return h
        h[-1] = b[-1]
        if len(b) > 1:
            _WALKS[scan](a[1:], b[:-1], b[-1], h[:-1], reverse=True)
        return h

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
        """Keep the factors and the states; what was added is not needed again."""
        a, _, start, scan, ctx.reverse = inputs
        ctx.scan = _DERIVATIVE.get(scan, scan)
        ctx.save_for_backward(a, start, output)
        ctx.save_for_forward(a, start, output)

    @staticmethod
    def backward(ctx: Any, dh: Tensor) -> tuple[Tensor | None, ...]:
        """The gradients, by the same scan in the other direction."""
        a, start, h = ctx.saved_tensors
        a, da, dstart = _conjugate(a), None, None
        if ctx.reverse:
            delta = LinearScan.apply(a, dh, torch.zeros_like(dh[0]), ctx.scan, False)
            if ctx.needs_input_grad[0]:
                da = torch.cat([torch.zeros_like(delta[:1]), delta[:-1] * _conjugate(h[1:])])
            return da, delta, None, None, None
        delta = LinearScan.apply(a, dh, None, ctx.scan, True)
        if ctx.needs_input_grad[0]:
            da = delta * _conjugate(_one_step_before(start, h))
        if ctx.needs_input_grad[2]:
            dstart = a[0] * delta[0]
        return da, delta, dstart, None, None

    @staticmethod
    def jvp(ctx: Any, ta: Tensor | None, tb: Tensor | None, tstart: Tensor | None, *_: None) -> Tensor:
        """The tangents, by the same scan in the same direction."""
        a, start, h = ctx.saved_tensors
        if tb is None:
            tb = torch.zeros_like(h)
        if ctx.reverse:
            if ta is not None:
                tb = tb + torch.cat([ta[1:] * h[1:], torch.zeros_like(h[:1])])
            return LinearScan.apply(a, tb, None, ctx.scan, True)
        if ta is not None:
            tb = tb + ta * _one_step_before(start, h)
        if tstart is None:
            tstart = torch.zeros_like(start)
        return LinearScan.apply(a, tb, tstart, ctx.scan, False)

    @staticmethod
    def vmap(info: Any, in_dims: tuple[int | None, ...], a: Any, b: Any, start: Any, scan: str, reverse: bool) -> Any:
        """One axis more beside those that no scan looks at."""

        def beside(value: Tensor | None, axis: int | None, place: int) -> Tensor | None:
            if value is None:
                return None
            if axis is not None:
                return value.movedim(axis, place)
            return value.unsqueeze(place).expand(*value.shape[:place], info.batch_size, *value.shape[place:])

        a, b, start = beside(a, in_dims[0], 1), beside(b, in_dims[1], 1), beside(start, in_dims[2], 0)
        return LinearScan.apply(a, b, start, scan, reverse), 1


def readable(a: Tensor, b: Tensor, start: Tensor | None, *, reverse: bool = False) -> Tensor:
    """The recurrence as it is written, left to autograd: slow, and right under everything.

    Args:
        a: The factors, of shape (time, …).
        b: What is added, of shape (time, …).
        start: The state before the first step, of shape (…); not used in reverse.
        reverse: Whether it is the recurrence of the backward pass.

    Returns:
        The states, of shape (time, …).

    Example:
        >>> half, nothing = torch.full((3,), 0.5), torch.zeros(3)
        >>> readable(half, nothing, torch.tensor(8.0))
        tensor([4., 2., 1.])
    """
    if reverse:
        a, start = torch.cat([a[1:], torch.zeros_like(a[:1])]), torch.zeros_like(b[0])
    steps = list(zip(a.unbind(0), b.unbind(0), strict=True))
    h, states = start, []
    for a_t, b_t in reversed(steps) if reverse else steps:
        h = a_t * h + b_t
        states.append(h)
    return torch.stack(states[::-1] if reverse else states)


def _one_step_before(start: Tensor, h: Tensor) -> Tensor:
    return torch.cat([start[None], h[:-1]])


def _conjugate(value: Tensor) -> Tensor:
    return value.conj().resolve_conj() if value.is_complex() else value
