"""Unrolling a step over time: one loop, which knows no cell."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import torch
from jaxtyping import Bool, Int
from torch import Tensor

from rnncourse.checks import as_lengths, check_kind, check_lengths, check_positive
from rnncourse.shapes import map_state

__all__ = ["flip_by_length", "last_step", "padding_mask", "unroll", "windows"]


def unroll(
    step: Callable[[Any, Any], tuple[Any, Any]],
    inputs: Tensor,
    state: Any,
    lengths: Int[Tensor, "batch"] | None = None,
) -> tuple[Any, Any]:
    r"""Apply a step to each input in turn, handing the state on.

    .. math:: y_t, s_t = \mathrm{step}(x_t, s_{t-1}), \qquad t = 1, \dots, T

    where :math:`x_t` is the input at time :math:`t`, :math:`s_t` the state and :math:`y_t` the output.

    Args:
        step: Any function from (input, state) to (output, state); a cell is one, a cell's ``trace`` another.
        inputs: The inputs, of shape (batch, time, …).
        state: The state before the first step; with ``lengths``, a tensor or (named) tuple of tensors.
        lengths: How many steps of each sequence are real. Beyond a sequence's length its outputs are zero and its
            state stays what it was at its end, and what the padding holds has no influence.

    Returns:
        The outputs, stacked along time: shape (batch, time, …) for each tensor that ``step`` puts out; and the state
        after each sequence's last step.

    Raises:
        ValueError: If ``inputs`` is no tensor, has no time axis or an empty one, or the lengths do not fit it.

    Example:
        >>> outputs, state = unroll(lambda x_t, count: (x_t + 1, count + 1), torch.zeros(1, 3, 2), 0)
        >>> outputs.shape, state
        (torch.Size([1, 3, 2]), 3)
    """
    check_kind("inputs", inputs, Tensor)
    if inputs.dim() < 2 or inputs.shape[1] == 0:
        raise ValueError(f"inputs has shape {tuple(inputs.shape)}; it should be (batch, time, …) with time at least 1")
    outputs = []
    if lengths is None:
        for x_t in inputs.unbind(1):  # not inputs[:, t], whose backward is quadratic in time
            output, state = step(x_t, state)
            outputs.append(output)
        return _stack(outputs), state

    lengths = as_lengths(lengths, *inputs.shape[:2])
    real = padding_mask(lengths.to(inputs.device), inputs.shape[1])
    inputs = _zero_unless(real, inputs)
    for x_t, now in zip(inputs.unbind(1), real.unbind(1), strict=True):
        output, moved = step(x_t, state)
        state = map_state(lambda new, old, now=now: torch.where(_align(now, new), new, old), moved, state)
        outputs.append(
            map_state(lambda new, now=now: torch.where(_align(now, new), new, torch.zeros_like(new)), output)
        )
    return _stack(outputs), state


def padding_mask(lengths: Int[Tensor, "batch"], time: int) -> Bool[Tensor, "batch time"]:
    """Which steps of a padded batch are real.

    Args:
        lengths: The sequences' lengths, each from 1 to ``time``.
        time: The number of steps that they are padded to.

    Returns:
        True at real steps, False at padding.

    Raises:
        ValueError: If ``lengths`` is no integer tensor of one axis, ``time`` is not at least 1, or a length is below 1
            or above ``time``.

    Example:
        >>> padding_mask(torch.tensor([3, 1]), 3)
        tensor([[ True,  True,  True],
                [ True, False, False]])
    """
    check_kind("lengths", lengths, Tensor)
    if lengths.dim() != 1:
        raise ValueError(f"lengths has shape {tuple(lengths.shape)}; it should be (batch,)")
    check_positive("time", time)
    check_lengths(lengths, len(lengths), time)
    return torch.arange(time, device=lengths.device) < lengths[:, None]


def last_step(outputs: Tensor, lengths: Int[Tensor, "batch"] | None = None) -> Tensor:
    """What stands at each sequence's own last step.

    Args:
        outputs: Padded sequences, of shape (batch, time, …).
        lengths: Their lengths; all of them full if not given.

    Returns:
        A tensor of shape (batch, …).

    Raises:
        ValueError: If ``outputs`` is no tensor with axes batch and time, or the lengths do not fit it.

    Example:
        >>> last_step(torch.tensor([[1, 2, 3], [4, 5, 0]]), torch.tensor([3, 2]))
        tensor([3, 5])
    """
    _check_sequence("outputs", outputs)
    if lengths is None:
        return outputs[:, -1]
    lengths = as_lengths(lengths, *outputs.shape[:2])
    return outputs[torch.arange(len(outputs), device=outputs.device), lengths.to(outputs.device) - 1]


def flip_by_length(sequence: Tensor, lengths: Int[Tensor, "batch"] | None = None) -> Tensor:
    r"""Reverse each sequence within its own length, leaving the padding where it is.

    .. math:: \tilde x_t = x_{n + 1 - t} \quad (t \le n), \qquad \tilde x_t = x_t \quad (t > n)

    where :math:`n` is the sequence's length. Doing it twice gives the sequence back. A plain flip would bring the
    padding to the front, where a network that reads backwards would start on it.

    Args:
        sequence: Padded sequences, of shape (batch, time, …).
        lengths: Their lengths; all of them full if not given.

    Returns:
        The flipped sequences, in a tensor of the same shape.

    Raises:
        ValueError: If ``sequence`` is no tensor with axes batch and time, or the lengths do not fit it.

    Example:
        >>> flip_by_length(torch.tensor([[1, 2, 3], [4, 0, 0]]), torch.tensor([3, 1]))
        tensor([[3, 2, 1],
                [4, 0, 0]])
    """
    _check_sequence("sequence", sequence)
    if lengths is None:
        return sequence.flip(1)
    batch, time = sequence.shape[:2]
    lengths = as_lengths(lengths, batch, time)
    lengths = lengths.to(sequence.device)[:, None]
    t = torch.arange(time, device=sequence.device).expand(batch, time)
    source = torch.where(t < lengths, lengths - 1 - t, t)  # (batch, time)
    rows = source + time * torch.arange(batch, device=sequence.device)[:, None]
    return sequence.flatten(0, 1).index_select(0, rows.flatten()).view(sequence.shape)


def windows(sequence: Tensor, size: int) -> Iterator[Tensor]:
    """Cut a long sequence into consecutive windows, as truncated backpropagation through time reads it.

    The state is carried from one window to the next; :func:`~rnncourse.shapes.detach_state` cuts its gradient there.

    Args:
        sequence: A tensor of shape (batch, time, …).
        size: Steps per window, at least 1.

    Returns:
        An iterator over windows of shape (batch, size, …), the last one shorter if ``size`` does not divide the time.

    Raises:
        ValueError: If ``sequence`` is no tensor with axes batch and time, or ``size`` is not at least 1.

    Example:
        >>> [window.tolist() for window in windows(torch.tensor([[1, 2, 3, 4, 5]]), 2)]
        [[[1, 2]], [[3, 4]], [[5]]]
    """
    _check_sequence("sequence", sequence)
    check_positive("size", size)
    return iter(sequence.split(size, dim=1))


def _check_sequence(name: str, value: Any) -> None:
    """Refuse what is no tensor of at least one sequence of at least one step."""
    check_kind(name, value, Tensor)
    if value.dim() < 2 or 0 in value.shape[:2]:
        raise ValueError(f"{name} has shape {tuple(value.shape)}; it should be (batch, time, …), neither of them empty")


def _align(mask: Tensor, value: Tensor) -> Tensor:
    """Give a mask trailing axes, so that it broadcasts against a tensor that begins with the same axes."""
    return mask.reshape(mask.shape + (1,) * (value.dim() - mask.dim()))


def _zero_unless(mask: Tensor, value: Tensor) -> Tensor:
    return torch.where(_align(mask, value), value, torch.zeros_like(value))  # a product would let NaN through


def _stack(outputs: list[Any]) -> Any:
    return map_state(lambda *steps: torch.stack(steps, dim=1), *outputs)
