"""Whether an answer is right, and if not, what is different, in words.

The words describe the *answer* against what was expected (how many values, which shape, which kind of number, how far
off and where first). They never contain an expected number, so that a message can be shown to whoever is still trying.
"""

from typing import Any

import torch
from torch import Tensor

from rnncourse.grading.wire import WireError, plain

__all__ = ["difference"]


def difference(expected: Any, given: Any, tolerance: float, *, parts: tuple[str, ...] = ()) -> str | None:
    r"""What is wrong with an answer, in one sentence, or None when it is right.

    A tensor is right when its shape and its kind (real, integer, boolean) are, and no entry is further off than

    .. math:: |a - b| \le \varepsilon \max_i |b_i|,

    where *a* is the answer, *b* what was expected and ε the tolerance; numbers and 0-d tensors are the same thing.

    Args:
        expected: The reference's answer.
        given: The learner's answer.
        tolerance: ε, relative to the largest expected entry.
        parts: Names of the entries of a tuple, to say which one is meant.

    Example:
        >>> import torch
        >>> difference(torch.tensor([1.0, 2.0]), torch.tensor([1.0, 2.5]), 1e-4)
        '1 of 2 entries is off, by up to 0.5; the first at [1]'
        >>> difference(torch.zeros(2, 3), torch.zeros(3, 2), 1e-4)
        'expected the shape (2, 3), got (3, 2): the two axes seem to be swapped'
        >>> difference((1.0, 2.0), 1.0, 1e-4, parts=("the loss", "the bits"))
        'expected 2 values (the loss, the bits), got a number'
    """
    try:
        given = plain(given)
    except WireError as error:
        return f"it returned {error}"
    except Exception as error:  # it came through the pipe; that it cannot even be looked at is its own fault
        return f"it returned something that cannot be read ({type(error).__name__})"
    return _difference(plain(expected), given, tolerance, parts)


def _difference(expected: Any, given: Any, tolerance: float, parts: tuple[str, ...] = ()) -> str | None:
    if given is None and expected is not None:
        return "it returned None: is there a `return`?"
    if isinstance(expected, tuple | list):
        wanted = f"expected {len(expected)} values" + (f" ({', '.join(parts)})" if parts else "")
        if not isinstance(given, tuple | list):
            return f"{wanted}, got {_kind(given)}"
        if len(given) != len(expected):
            return f"{wanted}, got {len(given)}"
        for index, (e, g) in enumerate(zip(expected, given, strict=True)):
            if problem := _difference(e, g, tolerance):
                return f"{parts[index] if parts else f'value {index + 1}'}: {problem}"
        return None
    if isinstance(expected, dict):
        if not isinstance(given, dict):
            return f"expected a dictionary with the keys {', '.join(sorted(expected))}, got {_kind(given)}"
        if set(given) != set(expected):
            return f"expected the keys {', '.join(sorted(expected))}, got {len(given)} keys that are not these"
        for key in expected:
            if problem := _difference(expected[key], given[key], tolerance):
                return f"{key}: {problem}"
        return None
    if expected is None or isinstance(expected, str):
        if type(expected) is not type(given):
            return f"expected {_kind(expected)}, got {_kind(given)}"
        return None if expected == given else "a string, as expected, but another one"
    return _numbers(expected, given, tolerance)


def _numbers(expected: Tensor | float, given: Any, tolerance: float) -> str | None:
    if not isinstance(given, Tensor | bool | int | float):
        return f"expected {_kind(expected)}, got {_kind(given)}"
    try:  # an integer beyond 64 bits, an exotic dtype: not a right answer, and no reason to stop
        e, g = torch.as_tensor(expected), torch.as_tensor(given)
        if e.shape != g.shape:
            return _shapes(tuple(e.shape), tuple(g.shape))
        if _sort(e) != _sort(g):
            return f"expected {_sort(e)}, got {_sort(g)} ({str(g.dtype).removeprefix('torch.')})"
        return _entries(e.to(torch.float64), g.to(torch.float64), tolerance)
    except (RuntimeError, OverflowError, ValueError, TypeError, IndexError):
        return "a number that cannot be compared"


def _shapes(expected: tuple[int, ...], given: tuple[int, ...]) -> str:
    if not expected:
        return f"expected a single number, got a tensor of shape {given}"
    if not given:
        return f"expected the shape {expected}, got a single number"
    problem = f"expected the shape {expected}, got {given}"
    if len(expected) == 2 and given == expected[::-1]:
        return problem + ": the two axes seem to be swapped"
    if len(expected) >= 3 and given == (expected[1], expected[0], *expected[2:]):
        return problem + ": the first two axes seem to be swapped"
    return problem


def _entries(expected: Tensor, given: Tensor, tolerance: float) -> str | None:
    finite = torch.isfinite(expected)
    nan = torch.isnan(given) & ~torch.isnan(expected)
    if nan.any():
        return f"{_count(nan)} NaN{_first(nan)}"
    largest = expected[finite].abs().max().item() if finite.any() else 1.0
    gap = (given - expected).abs()
    off = ~(gap <= tolerance * (largest or 1.0))  # NaN in the gap counts as off
    off &= ~((given == expected) | (torch.isnan(given) & torch.isnan(expected)))  # equal infinities are equal
    if not off.any():
        return None
    worst = gap[off].max().item()
    by = f", by up to {worst:.2g}" if worst == worst and worst != float("inf") else ""
    if expected.dim() == 0:
        return f"the number is off{by.replace('up to ', '')}"
    return f"{_count(off)} off{by}{_first(off)}"


def _count(mask: Tensor) -> str:
    count = int(mask.sum())
    if mask.dim() == 0:
        return "the number is"
    return f"{count} of {mask.numel()} entries {'is' if count == 1 else 'are'}"


def _first(mask: Tensor) -> str:
    return f"; the first at {mask.nonzero()[0].tolist()}" if mask.dim() else ""


def _sort(tensor: Tensor) -> str:
    if tensor.dtype == torch.bool:
        return "true or false"
    return "real numbers" if tensor.dtype.is_floating_point else "integers"


def _kind(value: Any) -> str:
    if isinstance(value, Tensor):
        return f"a tensor of shape {tuple(value.shape)}"
    if value is None:
        return "None"
    names = {bool: "True or False", int: "a number", float: "a number", str: "a string", dict: "a dictionary"}
    return names.get(type(value), f"{len(value)} values" if isinstance(value, tuple | list) else "something else")
