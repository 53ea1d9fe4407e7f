"""Numbers of a page's cells, for its sentences."""

import math
from typing import Any

import myst_nb

from rnncourse.checks import check_kind

__all__ = ["glue"]

DIGITS = 9  # sentences show three or four; processors differ in the sixteenth


def glue(name: str, value: Any) -> None:
    """Stores a value under a name by which the page's sentences show it.

    A number keeps nine significant digits, so that a page that is executed again on another processor stores the same.

    Args:
        name: What sentences call it, such as ``04-rate-one``; each name of a page once.
        value: Words, a number, or the one number of an array or a tensor.

    Raises:
        ValueError: If the value is something else, or a number that is not finite.

    Example:
        >>> glue("bits", float("nan"))
        Traceback (most recent call last):
        ...
        ValueError: what is glued as 'bits' is nan; a sentence needs a finite number
    """
    check_kind("name", name, str)
    if hasattr(value, "item"):
        value = value.item()
    check_kind(f"what is glued as {name!r}", value, (str, int, float))
    if isinstance(value, float):
        if not math.isfinite(value):
            raise ValueError(f"what is glued as {name!r} is {value}; a sentence needs a finite number")
        value = float(f"{value:.{DIGITS}g}")
    myst_nb.glue(name, value, display=False)
