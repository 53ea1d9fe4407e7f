"""The vocabulary of axes, and the states that a recurrent network carries.

Annotations name their axes: ``Float[Tensor, "batch time input"]`` is a float tensor of three axes. One name means one
size throughout a call. The tests check every annotation while they run; outside the tests they cost nothing.

===========  =================================================================
axis         meaning
===========  =================================================================
``batch``    sequences treated side by side
``time``     steps of a sequence, padding included
``input``    features of one step's input
``hidden``   units of the hidden state
``output``   features of one step's output
===========  =================================================================
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from rnncourse.checks import check_shape, same_numbers

__all__ = [
    "BidirectionalState",
    "LSTMState",
    "check_state",
    "detach_state",
    "hidden_of",
    "map_state",
    "tensors_of",
]


class LSTMState(NamedTuple):
    """What an LSTM carries from one step to the next: first ``h``, then ``c``, as in PyTorch.

    Attributes:
        h: The hidden state, of shape (batch, hidden), with entries in (-1, 1).
        c: The cell state, of shape (batch, hidden), unbounded.

    Example:
        >>> state = LSTMState(h=torch.zeros(2, 3), c=torch.ones(2, 3))
        >>> h, c = state
        >>> c.sum()
        tensor(6.)
    """

    h: Float[Tensor, "batch hidden"]
    c: Float[Tensor, "batch hidden"]


class BidirectionalState(NamedTuple):
    """The states of two layers that read one sequence from its two ends.

    Attributes:
        forward: The state of the layer that reads from the first step to the last.
        backward: The state of the layer that reads from the last step to the first; its final state stands at the
            sequence's *first* step.

    Example:
        >>> BidirectionalState(forward=torch.zeros(1, 2), backward=torch.ones(1, 2)).backward
        tensor([[1., 1.]])
    """

    forward: Any
    backward: Any


torch.serialization.add_safe_globals([LSTMState, BidirectionalState])  # for torch.load(…, weights_only=True)


def map_state(function: Callable[..., Any], *states: Any) -> Any:
    """Apply a function to each tensor of a state, keeping the state's type.

    A state is a tensor, or a (named) tuple of states.

    Args:
        function: Called with one tensor from each of ``states``, those that stand at the same place.
        *states: One or more states of the same structure.

    Returns:
        A state of the same structure, made of what ``function`` returned.

    Example:
        >>> map_state(torch.neg, LSTMState(h=torch.zeros(1, 1), c=torch.ones(1, 1)))
        LSTMState(h=tensor([[-0.]]), c=tensor([[-1.]]))
    """
    first = states[0]
    if not isinstance(first, tuple):
        return function(*states)
    parts = (map_state(function, *parts) for parts in zip(*states, strict=True))
    return type(first)(*parts) if hasattr(first, "_fields") else tuple(parts)


def tensors_of(state: Any) -> list[Tensor]:
    """The tensors that a state is made of, in order.

    Args:
        state: A tensor or a (named) tuple of states; what is neither is passed over.

    Returns:
        The tensors.

    Example:
        >>> len(tensors_of((LSTMState(torch.ones(1, 2), torch.zeros(1, 2)), torch.ones(1, 2))))
        3
    """
    if isinstance(state, tuple):
        return [tensor for part in state for tensor in tensors_of(part)]
    return [state] if isinstance(state, Tensor) else []


def hidden_of(state: Any) -> Tensor:
    """The hidden state in a cell's state: the state itself, its field ``h``, or the newest of several.

    Args:
        state: The state of one cell.

    Returns:
        The hidden state, of shape (batch, hidden).

    Example:
        >>> hidden_of(LSTMState(h=torch.ones(1, 2), c=torch.zeros(1, 2)))
        tensor([[1., 1.]])
    """
    return state[0] if isinstance(state, tuple) else state


def detach_state(state: Any) -> Any:
    """Keep a state's values and forget how they came about, so that no gradient flows back past them.

    Args:
        state: A tensor or a (named) tuple of states.

    Returns:
        The same values in the same structure, detached from the autograd graph.

    Example:
        >>> h = torch.ones(1, 2, requires_grad=True) * 2
        >>> detach_state(h).requires_grad
        False
    """
    return map_state(torch.Tensor.detach, state)


def check_state(name: str, state: Any, like: Any) -> None:
    """Refuse a state that is not built like another one: types, lengths, shapes, dtypes and devices, throughout.

    Args:
        name: The argument's name, for the message.
        state: What was given.
        like: A state that would do, usually a layer's initial one, in which ``None`` stands for anything; or the type
            of a state, whatever it holds.

    Raises:
        ValueError: If the two differ anywhere; the message names the place.

    Example:
        >>> start = LSTMState(h=torch.zeros(2, 3), c=torch.zeros(2, 3))
        >>> check_state("state", LSTMState(torch.ones(2, 3), torch.ones(2, 3)), start)
        >>> check_state("state", LSTMState(torch.ones(2, 3), torch.ones(2, 4)), start)
        Traceback (most recent call last):
        ...
        ValueError: state.c has shape (2, 4); its axis 'hidden' should be 3, not 4, in (batch=2, hidden=3)
    """
    if like is None:
        return
    if isinstance(like, Tensor):
        same = isinstance(state, Tensor) and state.shape == like.shape
        if not (same and same_numbers(state, like)):
            axes = ("batch", "hidden") if like.dim() == 2 else [f"axis_{axis}" for axis in range(like.dim())]
            check_shape(name, state, like=like, **dict(zip(axes, like.shape, strict=True)))
        return
    kind = like if isinstance(like, type) else type(like)
    if type(state) is not kind or (isinstance(like, tuple) and len(state) != len(like)):
        raise ValueError(f"{name} is {_described(state)}; it should be {_described(like)}")
    if isinstance(like, tuple):
        names = getattr(like, "_fields", None)
        for place, (part, wanted) in enumerate(zip(state, like, strict=True)):
            check_state(f"{name}.{names[place]}" if names else f"{name}[{place}]", part, wanted)


def _described(state: Any) -> str:
    """A state's kind in words: "an LSTMState(h, c)", "a tuple of 2"."""
    kind = state if isinstance(state, type) else type(state)
    article = "an" if kind.__name__[0] in "AEIOaeio" or kind.__name__.startswith("LSTM") else "a"
    fields = getattr(kind, "_fields", None)
    if fields:
        return f"{article} {kind.__name__}({', '.join(fields)})"
    return f"{article} {kind.__name__}{f' of {len(state)}' if isinstance(state, tuple) else ''}"
