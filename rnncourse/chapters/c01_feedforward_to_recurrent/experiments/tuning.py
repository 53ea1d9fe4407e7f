"""Which learning rate for which competitor? One grid for all, at the full length of training, judged on validation.

The protocol of every comparison in the course: the rate with the best score is taken, and the grid says whether that
rate lies inside it. At an edge a better one may lie beyond, and the grid is to be extended before anything is printed.
"""

import math
from collections.abc import Callable
from typing import Any, NamedTuple

from rnncourse.training import Diverged


class Tuned(NamedTuple):
    """What a sweep over learning rates found.

    Attributes:
        scores: One a rate, lower is better; not a number where training diverged.
        rate: The rate with the lowest score; not a number where all diverged.
        inside: Whether that rate is neither the lowest nor the highest tried.
    """

    scores: list[float]
    rate: float
    inside: bool

    def named(self, name: object, what: str = "valid") -> dict[str, Any]:
        """The values of a result for one competitor.

        Args:
            name: The competitor.
            what: What the scores are.

        Returns:
            The scores, the rate, and whether it lies inside, each under the competitor's name.

        Example:
            >>> Tuned([0.5, 0.4], 0.2, False).named("LSTM")
            {'LSTM: valid': [0.5, 0.4], 'LSTM: rate': 0.2, 'LSTM: inside': False}
        """
        return {f"{name}: {what}": self.scores, f"{name}: rate": self.rate, f"{name}: inside": self.inside}


def tune(rates: list[float], score: Callable[[float], float]) -> Tuned:
    """Tries every learning rate.

    Args:
        rates: Learning rates, rising.
        score: From a rate to what its run reached on validation, lower is better.

    Returns:
        The scores, the best rate, and whether it lies inside the grid.

    Raises:
        ValueError: If the rates do not rise.

    Example:
        >>> tune([0.1, 0.2, 0.3], lambda rate: abs(rate - 0.2)).inside
        True
    """
    if not rates or sorted(set(rates)) != list(rates):
        raise ValueError(f"rates is {rates}; it should hold learning rates that rise")
    scores = []
    for rate in rates:
        try:
            scores.append(float(score(rate)))
        except Diverged:
            scores.append(math.nan)
    finite = [(one, place) for place, one in enumerate(scores) if math.isfinite(one)]
    if not finite:
        return Tuned(scores, math.nan, False)
    best = min(finite)[1]
    return Tuned(scores, rates[best], 0 < best < len(rates) - 1)


def effort(*, solved: bool, sequences: int, error: float, baseline: float) -> float:
    """One number for a run that stops when it is solved: solved ones by sequences, the others behind by error.

    Args:
        solved: Whether it was.
        sequences: Training sequences until then, or the whole budget.
        error: What it ended at.
        baseline: The error of somebody who has learnt nothing.

    Returns:
        The sequences if solved; otherwise the budget, and as much again as the error is of the baseline.

    Example:
        >>> effort(solved=True, sequences=640, error=0.1, baseline=0.2)
        640.0
        >>> effort(solved=False, sequences=640, error=0.1, baseline=0.2)
        960.0
    """
    if solved:
        return float(sequences)
    return sequences * (1 + error / baseline) if math.isfinite(error) else math.inf
