"""Bad input is refused in one sentence: which argument, what it was, what it should be.

Each helper returns nothing and raises :class:`ValueError` before any computation has begun.
"""

from __future__ import annotations

import math
import numbers
from collections.abc import Collection, Iterable
from typing import Any, SupportsIndex

import torch
from torch import Tensor, nn

__all__ = [
    "Lengths",
    "as_lengths",
    "check_callable",
    "check_choice",
    "check_count",
    "check_finite",
    "check_flag",
    "check_fraction",
    "check_kind",
    "check_layer",
    "check_lengths",
    "check_numbers",
    "check_one_way",
    "check_positive",
    "check_positive_number",
    "check_probability",
    "check_shape",
    "is_whole",
    "same_numbers",
]

Lengths = Tensor | Collection[SupportsIndex]
"""The lengths of a batch of sequences: integers in a tensor, an array, a list or a tuple."""


def check_kind(name: str, value: Any, kind: type | tuple[type, ...]) -> None:
    """Refuse a value of another kind.

    Args:
        name: The argument's name, for the message.
        value: What was given.
        kind: The class, or the classes, of which ``value`` should be an instance.

    Raises:
        ValueError: If ``value`` is no instance.

    Example:
        >>> check_kind("h", [1.0], Tensor)
        Traceback (most recent call last):
        ...
        ValueError: h is a list; it should be of type Tensor
    """
    if not isinstance(value, kind):
        kinds = kind if isinstance(kind, tuple) else (kind,)
        names = ["None" if one is type(None) else one.__name__ for one in kinds]
        raise ValueError(f"{name} is a {type(value).__name__}; it should be of type {' or '.join(names)}")


def check_layer(name: str, value: Any) -> None:
    """Refuse what is no layer of the grammar ``outputs, state = layer(inputs, state, lengths)``.

    Args:
        name: The argument's name, for the message.
        value: What was given.

    Raises:
        ValueError: If ``value`` is no module, does not say its ``input_size`` and ``output_size``, or is a cell.

    Example:
        >>> check_layer("layer", nn.Linear(3, 4))
        Traceback (most recent call last):
        ...
        ValueError: layer is a Linear; it should be a layer such as Recurrent(LSTMCell(3, 5))
    """
    sizes = hasattr(value, "input_size") and hasattr(value, "output_size")
    if not isinstance(value, nn.Module) or not sizes or hasattr(value, "kernel"):  # a cell has one, a layer has not
        raise ValueError(f"{name} is a {type(value).__name__}; it should be a layer such as Recurrent(LSTMCell(3, 5))")


def check_one_way(name: str, layer: Any) -> None:
    """Refuse a layer that reads from the end: it would read the tokens that it is to predict.

    Args:
        name: The argument's name, for the message.
        layer: What was given.

    Raises:
        ValueError: If a part of the layer is bidirectional.

    Example:
        >>> check_one_way("layer", nn.LSTM(3, 4, bidirectional=True))
        Traceback (most recent call last):
        ...
        ValueError: layer reads from both ends; it should read forward alone, or it sees what it is to predict
    """
    parts = layer.modules() if isinstance(layer, nn.Module) else ()
    if any(getattr(part, "bidirectional", False) is True for part in parts):
        raise ValueError(f"{name} reads from both ends; it should read forward alone, or it sees what it is to predict")


def check_callable(name: str, value: Any, what: str) -> None:
    """Refuse what cannot be called, and a class, which makes an object in place of an answer.

    Args:
        name: The argument's name, for the message.
        value: What was given.
        what: What it should be, for the message.

    Raises:
        ValueError: If ``value`` cannot be called, or is a class.

    Example:
        >>> check_callable("loss", 3.0, "a function of the outputs")
        Traceback (most recent call last):
        ...
        ValueError: loss is a float; it should be a function of the outputs
    """
    if isinstance(value, type):
        raise ValueError(f"{name} is the class {value.__name__}; it should be {what}")
    if not callable(value):
        raise ValueError(f"{name} is a {type(value).__name__}; it should be {what}")


def check_flag(name: str, value: Any) -> None:
    """Refuse anything but True and False: the string ``"False"`` would count as true.

    Args:
        name: The argument's name, for the message.
        value: What was given.

    Raises:
        ValueError: If ``value`` is not a boolean.

    Example:
        >>> check_flag("bias", "False")
        Traceback (most recent call last):
        ...
        ValueError: bias is 'False'; it should be True or False
    """
    if not isinstance(value, bool):
        raise ValueError(f"{name} is {value!r}; it should be True or False")


def check_choice(name: str, value: Any, choices: Iterable[Any]) -> None:
    """Refuse a value that is not among the choices.

    Args:
        name: The argument's name, for the message.
        value: What was given.
        choices: What is allowed.

    Raises:
        ValueError: If ``value`` is none of ``choices``.

    Example:
        >>> check_choice("nonlinearity", "tanh", ["tanh", "relu"])
        >>> check_choice("nonlinearity", "tanch", ["tanh", "relu"])
        Traceback (most recent call last):
        ...
        ValueError: nonlinearity is 'tanch'; it should be one of 'tanh', 'relu'
    """
    choices = list(choices)
    if not isinstance(value, (str, int, type(None))) or value not in choices:  # comparing an array would not be a bool
        raise ValueError(f"{name} is {value!r}; it should be one of {', '.join(map(repr, choices))}")


def is_whole(value: Any) -> bool:
    """Whether a value is an integer: Python's, NumPy's, or the symbol of a graph's size; a boolean is none.

    Args:
        value: What was given.

    Example:
        >>> is_whole(3), is_whole(True), is_whole(3.0)
        (True, False, False)
    """
    return isinstance(value, numbers.Integral | torch.SymInt) and not isinstance(value, bool)


def check_positive(name: str, value: Any) -> None:
    """Refuse anything but a whole number of at least one.

    Args:
        name: The argument's name, for the message.
        value: What was given.

    Raises:
        ValueError: If ``value`` is not an integer, or less than 1.

    Example:
        >>> check_positive("hidden_size", 0)
        Traceback (most recent call last):
        ...
        ValueError: hidden_size is 0; it should be a whole number of at least 1
    """
    if not is_whole(value) or value < 1:
        raise ValueError(f"{name} is {value!r}; it should be a whole number of at least 1")


def check_count(name: str, value: Any) -> None:
    """Refuse anything but a whole number of at least zero.

    Args:
        name: The argument's name, for the message.
        value: What was given.

    Raises:
        ValueError: If ``value`` is not an integer, or negative.

    Example:
        >>> check_count("lag", -1)
        Traceback (most recent call last):
        ...
        ValueError: lag is -1; it should be a whole number of at least 0
    """
    if not is_whole(value) or value < 0:
        raise ValueError(f"{name} is {value!r}; it should be a whole number of at least 0")


def check_positive_number(name: str, value: Any) -> None:
    """Refuse anything but a finite number above zero.

    Args:
        name: The argument's name, for the message.
        value: What was given.

    Raises:
        ValueError: If ``value`` is not a number, or not positive, or not finite.

    Example:
        >>> check_positive_number("tolerance", 0.0)
        Traceback (most recent call last):
        ...
        ValueError: tolerance is 0.0; it should be a positive, finite number
    """
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 < value < math.inf:
        raise ValueError(f"{name} is {value!r}; it should be a positive, finite number")


def check_fraction(name: str, value: Any) -> None:
    """Refuse anything but a number strictly between 0 and 1.

    Args:
        name: The argument's name, for the message.
        value: What was given.

    Raises:
        ValueError: If ``value`` is not a number in (0, 1).

    Example:
        >>> check_fraction("bound", 1.5)
        Traceback (most recent call last):
        ...
        ValueError: bound is 1.5; it should be a number between 0 and 1, neither of them included
    """
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 < value < 1:
        raise ValueError(f"{name} is {value!r}; it should be a number between 0 and 1, neither of them included")


def check_probability(name: str, value: Any) -> None:
    """Refuse anything but a number from 0 to 1.

    Args:
        name: The argument's name, for the message.
        value: What was given.

    Raises:
        ValueError: If ``value`` is not a number in [0, 1].

    Example:
        >>> check_probability("dropout", 1.5)
        Traceback (most recent call last):
        ...
        ValueError: dropout is 1.5; it should be a number from 0 to 1
    """
    if not isinstance(value, (int, float)) or isinstance(value, bool) or not 0 <= value <= 1:
        raise ValueError(f"{name} is {value!r}; it should be a number from 0 to 1")


def check_shape(name: str, value: Any, like: Tensor | None = None, **axes: int | None) -> None:
    """Refuse a value that is not a float tensor with these axes.

    Args:
        name: The argument's name, for the message.
        value: What was given.
        like: A tensor whose dtype and device ``value`` should share (usually a weight).
        **axes: The axes in order, each with the size that it should have, or ``None`` for any size of at least 1.

    Raises:
        ValueError: If ``value`` is not a floating-point tensor, has another number of axes, an axis of another size
            or an empty one, or another dtype or device than ``like``.

    Example:
        >>> check_shape("inputs", torch.zeros(2, 7, 3), batch=None, time=None, input=3)
        >>> check_shape("inputs", torch.zeros(2, 7, 4), batch=None, time=None, input=3)
        Traceback (most recent call last):
        ...
        ValueError: inputs has shape (2, 7, 4); its axis 'input' should be 3, not 4, in (batch, time, input=3)
    """
    if (
        isinstance(value, Tensor)
        and value.is_floating_point()
        and value.dim() == len(axes)
        and all(actual == size if size else actual for actual, size in zip(value.shape, axes.values(), strict=True))
        and (like is None or same_numbers(value, like))
    ):
        return  # the sentences below cost more than a small cell's step: compose them only when one is needed
    wanted = f"({', '.join(axis if size is None else f'{axis}={size}' for axis, size in axes.items())})"
    if not isinstance(value, Tensor):
        raise ValueError(f"{name} is a {type(value).__name__}; it should be a tensor of shape {wanted}")
    shape = tuple(value.shape)
    if len(shape) != len(axes):
        raise ValueError(f"{name} has {len(shape)} axes, shape {shape}; it should have {len(axes)}: {wanted}")
    for (axis, size), actual in zip(axes.items(), shape, strict=True):
        if size is not None and actual != size:
            raise ValueError(f"{name} has shape {shape}; its axis {axis!r} should be {size}, not {actual}, in {wanted}")
        if actual == 0:
            raise ValueError(f"{name} has shape {shape}; its axis {axis!r} is empty, it should be 1 or more")
    if not value.is_floating_point():
        raise ValueError(f"{name} has dtype {value.dtype}; it should be a floating-point tensor of shape {wanted}")
    if value.dtype != like.dtype:
        raise ValueError(f"{name} has dtype {value.dtype}; it should be {like.dtype}, as the parameters are")
    raise ValueError(f"{name} is on {value.device}; it should be on {like.device}, where the parameters are")


def same_numbers(value: Tensor, like: Tensor) -> bool:
    """Whether two float tensors can meet in one operation: of one dtype, or under autocast, and on one device.

    Args:
        value: A tensor.
        like: Another one, usually a weight.

    Example:
        >>> same_numbers(torch.zeros(1), torch.zeros(1).double())
        False
        >>> with torch.autocast("cpu"):
        ...     same_numbers(torch.zeros(1).bfloat16(), torch.zeros(1))
        True
    """
    if value.dtype != like.dtype:
        wide = torch.float64 in (value.dtype, like.dtype)  # autocast leaves it alone
        if wide or not torch.is_autocast_enabled(like.device.type):
            return False
    return value.device == like.device


def as_lengths(lengths: Any, batch: int, time: int) -> Tensor:
    """Lengths in any form as one of the layers' own, after refusing what cannot be the lengths of this batch.

    Args:
        lengths: A list, a tuple, an array or a tensor of integers.
        batch: How many sequences there are.
        time: How many steps they are padded to.

    Returns:
        An int64 tensor of shape (batch,), on the device where the lengths were.

    Raises:
        ValueError: If they are no integers, not as many as there are sequences, or not all from 1 to ``time``.

    Example:
        >>> as_lengths([3, 1], batch=2, time=3)
        tensor([3, 1])
    """
    if not isinstance(lengths, Tensor):
        try:
            given = torch.as_tensor(lengths)
        except (TypeError, ValueError, RuntimeError):
            given = lengths
        lengths = given
    check_lengths(lengths, batch, time)
    return lengths.long()


def check_lengths(lengths: Any, batch: int, time: int) -> None:
    """Refuse lengths that cannot be the lengths of this batch of padded sequences.

    Args:
        lengths: What was given.
        batch: How many sequences there are.
        time: How many steps they are padded to.

    Raises:
        ValueError: If ``lengths`` is not an integer tensor of shape (batch,) with entries from 1 to ``time``.

    Example:
        >>> check_lengths(torch.tensor([3, 1]), batch=2, time=3)
        >>> check_lengths(torch.tensor([4, 1]), batch=2, time=3)
        Traceback (most recent call last):
        ...
        ValueError: lengths runs from 1 to 4; each should be from 1 to 3, the number of time steps
    """
    if not isinstance(lengths, Tensor) or lengths.dtype not in (torch.int64, torch.int32, torch.int16, torch.int8):
        what = f"tensor of dtype {lengths.dtype}" if isinstance(lengths, Tensor) else type(lengths).__name__
        raise ValueError(f"lengths is a {what}; it should be an integer tensor of shape (batch={batch},)")
    if lengths.shape != (batch,):
        raise ValueError(f"lengths has shape {tuple(lengths.shape)}; it should be (batch={batch},)")
    if torch.compiler.is_compiling():
        return  # a graph is drawn before there are lengths to look at
    if batch == 0:
        raise ValueError("lengths is empty; it should hold one length for each sequence, of at least one sequence")
    shortest, longest = int(lengths.min()), int(lengths.max())
    if shortest < 1 or longest > time:
        raise ValueError(
            f"lengths runs from {shortest} to {longest}; each should be from 1 to {time}, the number of time steps"
        )


def check_numbers(name: str, value: Tensor) -> None:
    """Refuse a tensor that holds NaN; infinities are let through.

    Args:
        name: The argument's name, for the message.
        value: What was given.

    Raises:
        ValueError: If ``value`` is no floating-point tensor, or an entry is NaN.

    Example:
        >>> check_numbers("logits", torch.tensor([float("nan"), 0.0]))
        Traceback (most recent call last):
        ...
        ValueError: logits holds NaN; every entry should be a number
    """
    check_kind(name, value, Tensor)
    if not value.is_floating_point():
        raise ValueError(f"{name} has dtype {value.dtype}; it should be a floating-point tensor")
    if torch.isnan(value).any():
        raise ValueError(f"{name} holds NaN; every entry should be a number")


def check_finite(name: str, value: Tensor) -> None:
    """Refuse a tensor that holds NaN or an infinity, and say where the first one stands.

    Args:
        name: The argument's name, for the message.
        value: What was given.

    Raises:
        ValueError: If ``value`` is no tensor, or an entry is NaN or infinite.

    Example:
        >>> check_finite("targets", torch.tensor([[0.0, float("nan")]]))
        Traceback (most recent call last):
        ...
        ValueError: targets is nan at index (0, 1); every entry should be finite
    """
    check_kind(name, value, Tensor)
    wrong = ~torch.isfinite(value)
    if wrong.any():
        where = tuple(torch.nonzero(wrong)[0].tolist())
        raise ValueError(f"{name} is {value[where].item()} at index {where}; every entry should be finite")
