"""Timing several candidates against each other, fairly, on a machine that may be busy."""

import gc
import math
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple


class Summary(NamedTuple):
    """A median with its range over the rounds."""

    median: float
    low: float
    high: float


def summarise(values: Sequence[float]) -> Summary:
    """Median, smallest and largest.

    >>> summarise([3.0, 1.0, 2.0])
    Summary(median=2.0, low=1.0, high=3.0)
    """
    return Summary(statistics.median(values), min(values), max(values))


def interleave(
    candidates: Mapping[str, Callable[[], object]],
    *,
    rounds: int,
    warmup: int = 1,
    clock: Callable[[], float] = time.process_time,
) -> dict[str, list[float]]:
    """Time every candidate once a round, in an order that rotates from round to round.

    Args:
        candidates: Name to a function without arguments that does the work once.
        rounds: Timed rounds, at least 1.
        warmup: Untimed rounds before them.
        clock: Seconds; processor time of the process by default.

    Returns:
        Seconds for each candidate, one entry a round; entry r of all candidates belongs to the same round.

    Raises:
        ValueError: If rounds is below 1.
    """
    if rounds < 1:
        raise ValueError(f"rounds is {rounds}; it should be at least 1")
    names = list(candidates)
    seconds: dict[str, list[float]] = {name: [] for name in names}
    collecting = gc.isenabled()
    for turn in range(-warmup, rounds):
        shift = turn % len(names)
        gc.collect()
        gc.disable()
        for name in names[shift:] + names[:shift]:
            begin = clock()
            candidates[name]()
            spent = clock() - begin
            if turn >= 0:
                seconds[name].append(spent)
        if collecting:
            gc.enable()
    return seconds


def ratios(seconds: Mapping[str, Sequence[float]], baseline: str) -> dict[str, Summary]:
    """Each candidate's time divided by the baseline's of the same round, summarised over the rounds.

    >>> ratios({"a": [1.0, 4.0], "b": [2.0, 4.0]}, "a")["b"]
    Summary(median=1.5, low=1.0, high=2.0)
    """
    return {
        name: summarise([mine / base for mine, base in zip(values, seconds[baseline], strict=True)])
        for name, values in seconds.items()
        if name != baseline
    }


def geometric_mean(values: Sequence[float]) -> float:
    """The mean of ratios: halving here and doubling there cancel.

    >>> geometric_mean([0.5, 2.0])
    1.0
    """
    return math.exp(statistics.fmean(math.log(value) for value in values))


def fitted_exponent(sizes: Sequence[float], seconds: Sequence[float]) -> float:
    """The slope of log seconds against log size, by least squares: 1 is linear growth, 2 quadratic.

    >>> round(fitted_exponent([1, 2, 4], [3, 12, 48]), 6)
    2.0
    """
    return statistics.linear_regression([math.log(n) for n in sizes], [math.log(s) for s in seconds]).slope
