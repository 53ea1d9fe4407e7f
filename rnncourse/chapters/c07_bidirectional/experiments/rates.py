"""Which learning rate for which competitor? One grid for all, at the full length of training, judged on validation."""

import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from rnncourse.training import Diverged, History


def swept(rates: list[float], learn: Callable[[float], History]) -> list[float]:
    """The best validation error at every rate; not a number where training diverged.

    Args:
        rates: Learning rates to try.
        learn: From a rate to how training with it went.

    Returns:
        An error for each rate.
    """
    errors = []
    for rate in rates:
        try:
            errors.append(learn(rate).best)
        except Diverged:
            errors.append(math.nan)
    return errors


def chosen(rates: list[float], errors: list[float]) -> float:
    """The rate with the smallest error.

    Args:
        rates: Learning rates.
        errors: The validation error of each.

    Returns:
        One of the rates.

    Raises:
        ValueError: If training diverged at every rate.

    Example:
        >>> chosen([0.1, 0.2, 0.3], [0.5, math.nan, 0.4])
        0.3
    """
    finite = [(error, rate) for error, rate in zip(errors, rates, strict=True) if math.isfinite(error)]
    if not finite:
        raise ValueError(f"errors is {errors}; training should go well at one rate at least")
    return min(finite)[1]


def sweep(names: Sequence[str], rates: list[float], learn: Callable[[str, float], History]) -> dict[str, Any]:
    """Every competitor at every rate, as a result holds it.

    Args:
        names: Competitors.
        rates: Learning rates to try, the same for all.
        learn: From a competitor and a rate to how training went.

    Returns:
        For each competitor its validation errors (``_valid``) and the rate with the smallest (``_rate``).
    """
    values: dict[str, Any] = {}
    for name in names:
        errors = swept(rates, partial(learn, name))
        values |= {f"{name}_valid": errors, f"{name}_rate": chosen(rates, errors)}
    return values
