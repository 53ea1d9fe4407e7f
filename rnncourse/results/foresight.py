"""How long will it take? Said before hours of work, from what the committed results took, and again along the way."""

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from rnncourse.results.records import plain, stored_results
from rnncourse.results.registry import find_experiment

__all__ = ["Pace", "expected_seconds", "in_words"]


def expected_seconds(root: Path, names: Sequence[str], scale: str) -> dict[str, float | None]:
    """What each experiment took when it was last run at these sizes.

    Args:
        root: The course's folder.
        names: Experiments.
        scale: "smoke", "page" or "full".

    Returns:
        Seconds by name, in the given order; None where no committed result has these sizes.

    Raises:
        ValueError: If there is no such experiment.
    """
    expected: dict[str, float | None] = {}
    for name in names:
        experiment = find_experiment(name)
        result = stored_results(root, experiment.chapter).get(name)
        same = result is not None and dict(result.config) == plain(experiment.scales[scale], name)
        expected[name] = result.seconds if result is not None and same else None
    return expected


def in_words(seconds: float) -> str:
    """Seconds as somebody would say them.

    Args:
        seconds: At least 0.

    Returns:
        Like "40 s", "12 min" or "3 h 05 min".

    Example:
        >>> [in_words(seconds) for seconds in (39.6, 725, 11_100)]
        ['40 s', '12 min', '3 h 05 min']
    """
    if seconds < 59.5:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02d} min"


class Pace:
    """Keeps count of a row of experiments, and of the time that is left by how this machine did so far.

    Args:
        expected: Seconds by name, as of :func:`expected_seconds`, in the order in which they will run.
        clock: Tells the time in seconds.

    Example:
        >>> times = iter([0.0, 0.0, 200.0])
        >>> pace = Pace({"02.a": 100.0, "02.b": 60.0, "02.c": None}, clock=times.__next__)
        >>> pace.announcement()
        '3 experiments: about 3 min for 2 of them, by their committed results; never run at these sizes: 02.c'
        >>> pace.begins("02.a")
        '02.a: experiment 1 of 3, about 3 min to go and 1 of unknown length'
        >>> pace.begins("02.b")
        '02.b: experiment 2 of 3, about 2 min to go and 1 of unknown length'
    """

    def __init__(self, expected: Mapping[str, float | None], clock: Callable[[], float] = time.perf_counter) -> None:
        self.expected = dict(expected)
        self.clock = clock
        self.running: str | None = None
        self.since = clock()
        self.spent = self.planned = 0.0  # on those that are done and whose time was known

    def announcement(self) -> str:
        """Returns what is to be said before the first: how long all will take, and which were never run."""
        known = [seconds for seconds in self.expected.values() if seconds is not None]
        unknown = [name for name, seconds in self.expected.items() if seconds is None]
        count = f"{len(self.expected)} experiment{'s' if len(self.expected) != 1 else ''}"
        parts = []
        if known:
            which = "all" if not unknown else f"{len(known)} of them"
            parts.append(f"about {in_words(sum(known))} for {which}, by their committed results")
        if unknown:
            parts.append(f"never run at these sizes: {', '.join(unknown)}")
        return f"{count}: {'; '.join(parts)}" if parts else f"{count}: nothing to run"

    def begins(self, name: str) -> str:
        """Notes that one ends and another begins, and returns what is to be said of it.

        Args:
            name: The one that begins.

        Returns:
            Which it is of how many, and how long the rest will take at the pace so far.
        """
        now = self.clock()
        before = self.expected.get(self.running) if self.running else None
        if before is not None:
            self.spent, self.planned = self.spent + now - self.since, self.planned + before
        self.running, self.since = name, now
        names = list(self.expected)
        rest = [self.expected[one] for one in names[names.index(name) :]]
        ratio = self.spent / self.planned if self.planned else 1.0
        left = ratio * sum(seconds for seconds in rest if seconds is not None)
        unknown = sum(seconds is None for seconds in rest)
        more = f" and {unknown} of unknown length" if unknown else ""
        return f"{name}: experiment {names.index(name) + 1} of {len(names)}, about {in_words(left)} to go{more}"
