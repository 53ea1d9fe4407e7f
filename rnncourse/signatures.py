"""A call is held against its annotations: what does not fit is refused in one sentence, before anything is computed.

This is for functions that are called now and then. A step, which is called for every token, checks by hand
(:mod:`rnncourse.checks`), since reading a signature costs some microseconds.
"""

from __future__ import annotations

import functools
import inspect
import math
import types
import typing
from collections.abc import Callable, Iterable, Mapping, Sequence
from numbers import Integral, Real
from typing import Any, TypeVar

import numpy as np
from torch import Tensor

__all__ = ["checked"]

Function = TypeVar("Function", bound=Callable[..., Any])
PLAIN = {bool: "True or False", int: "a whole number", float: "a number", str: "a string", type(None): "None"}


def checked(function: Function) -> Function:
    """The same function, which first refuses arguments that do not fit their annotations.

    Whole numbers are Python's or NumPy's, but no booleans; a number that stands alone is not NaN; sequences may be
    lists, tuples, arrays or tensors, and their elements are looked at too; tensors are held against kind and number of
    axes.

    Args:
        function: A function or method whose arguments are annotated; what is not annotated is not looked at.

    Returns:
        The function, with a check before it.

    Example:
        >>> @checked
        ... def repeat(text: str, times: int) -> str:
        ...     return text * times
        >>> repeat("ab", 2)
        'abab'
        >>> repeat("ab", 2.0)
        Traceback (most recent call last):
        ...
        ValueError: times is 2.0; it should be a whole number
    """
    signature, refuse = inspect.signature(function), _refuse_misfits

    def held(*arguments: Any, **named: Any) -> Any:
        refuse(function, signature, arguments, named)
        return function(*arguments, **named)

    # The module's own namespace in place of this one's: doctest looks for a module's functions by it.
    own = types.FunctionType(held.__code__, function.__globals__, function.__name__, None, held.__closure__)
    return functools.wraps(function)(own)  # type: ignore[return-value]


def _refuse_misfits(
    function: Callable[..., Any], signature: inspect.Signature, arguments: tuple[Any, ...], named: dict[str, Any]
) -> None:
    try:
        bound = signature.bind(*arguments, **named).arguments
    except TypeError:
        return  # too many, too few or unknown: Python says so itself when the function is called
    hints = _hints(function)
    for name, value in bound.items():
        if name not in hints:
            continue
        kind = signature.parameters[name].kind
        several = {kind.VAR_POSITIONAL: tuple, kind.VAR_KEYWORD: lambda every: tuple(every.values())}
        for one in several.get(kind, lambda single: (single,))(value):
            missing = isinstance(one, float) and math.isnan(one)  # among many numbers NaN stands for a missing one
            if not _fits(one, hints[name]) or (missing and hints[name] is not Any):
                raise ValueError(f"{name} is {_told(one)}; it should be {_worded(hints[name])}")


@functools.cache
def _hints(function: Callable[..., Any]) -> dict[str, Any]:
    return {name: hint for name, hint in typing.get_type_hints(function).items() if name != "return"}


def _fits(value: Any, hint: Any) -> bool:
    if hint is Any or isinstance(hint, TypeVar):
        return True
    if _is_shape(hint):
        return _has_shape(value, hint)
    origin, inner = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        return any(_fits(value, one) for one in inner)
    if hint is bool:
        return isinstance(value, bool)
    if hint is int:
        return isinstance(value, Integral) and not isinstance(value, bool)
    if hint is float:
        return isinstance(value, Real) and not isinstance(value, bool)
    if hint in (Callable, Iterable) or origin in (Callable, Iterable):
        reads = hasattr(value, "__iter__") or hasattr(value, "__getitem__")
        return callable(value) if Callable in (hint, origin) else reads and not _scalar(value)
    if origin in (Sequence, list):
        return _is_sequence(value) and all(_fits(one, inner[0]) for one in _elements(value))
    if origin in (Mapping, dict):
        return isinstance(value, Mapping) and all(
            _fits(key, inner[0]) and _fits(one, inner[1]) for key, one in value.items()
        )
    if origin is tuple:
        same = len(inner) == 2 and inner[1] is ...
        kinds = [inner[0]] * len(value) if same and isinstance(value, tuple) else inner
        return isinstance(value, tuple) and len(value) == len(kinds) and all(map(_fits, value, kinds))
    if hint is Sequence:
        return _is_sequence(value)
    return not isinstance(origin or hint, type) or isinstance(value, origin or hint)


def _is_shape(hint: Any) -> bool:
    """Whether it is an array type with axes, such as ``Float[Tensor, "batch time"]``."""
    return hasattr(hint, "dim_str") and hasattr(hint, "dtypes")


def _has_shape(value: Any, hint: Any) -> bool:
    if not isinstance(value, hint.array_type):
        return False
    kind = str(value.dtype).removeprefix("torch.")
    axes = hint.dim_str.split()
    rank = any(axis.startswith(("*", "...")) for axis in axes) or value.ndim == len(axes)
    return rank and (not isinstance(hint.dtypes, (list, tuple)) or kind in hint.dtypes)


def _is_sequence(value: Any) -> bool:
    return isinstance(value, Sequence) or (isinstance(value, (np.ndarray, Tensor)) and not _scalar(value))


def _elements(value: Any) -> Iterable[Any]:
    return value.tolist() if isinstance(value, (np.ndarray, Tensor)) and value.ndim == 1 else value


def _scalar(value: Any) -> bool:
    return isinstance(value, (np.ndarray, Tensor)) and value.ndim == 0


def _told(value: Any) -> str:
    """What was given, in a few words."""
    if isinstance(value, (np.ndarray, Tensor)):
        return f"a {type(value).__name__} of shape {tuple(value.shape)} and dtype {value.dtype}"
    if value is None or isinstance(value, (bool, int, float, str)):
        return repr(value) if len(repr(value)) < 80 else f"a {type(value).__name__} of length {len(repr(value))}"
    words = f"a {type(value).__name__}"
    return f"{words} of {len(value)}" if isinstance(value, (Sequence, Mapping)) else words


def _worded(hint: Any) -> str:
    """What an annotation says, in words."""
    if hint in PLAIN:
        return PLAIN[hint]
    if _is_shape(hint):
        kind = hint.dtype.__name__.lower() if hasattr(hint.dtype, "__name__") else "any"
        kinds = {"float": "a floating-point ", "int": "an integer ", "bool": "a boolean "}
        return f"{kinds.get(kind, 'a ')}{hint.array_type.__name__} of axes ({', '.join(hint.dim_str.split())})"
    origin, inner = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        return " or ".join(_worded(one) for one in inner)
    if origin is Callable or hint is Callable:
        return "a function"
    if origin in (Mapping, dict):
        return f"a mapping from {_plural(inner[0])} to {_plural(inner[1])}"
    if origin in (Sequence, list, Iterable):
        return f"a sequence of {_plural(inner[0])}"
    if origin is tuple:
        return f"a tuple of {' and '.join(_worded(one) for one in inner if one is not ...)}"
    return f"of type {getattr(origin or hint, '__name__', hint)}"


def _plural(hint: Any) -> str:
    plain = {int: "whole numbers", float: "numbers", str: "strings", bool: "booleans", Any: "anything"}
    if hint in plain:
        return plain[hint]
    origin, inner = typing.get_origin(hint), typing.get_args(hint)
    if origin in (Sequence, list, Iterable):
        return f"sequences of {_plural(inner[0])}"
    if origin in (typing.Union, types.UnionType):
        return " or ".join(_plural(one) for one in inner)
    return f"what is {_worded(hint)}"
