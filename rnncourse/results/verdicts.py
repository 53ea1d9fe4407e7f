"""Did a published number come out again? The rule is fixed before the run, and every seed has a say."""

import numpy as np

from rnncourse.results.registry import Published

__all__ = ["verdict"]


def verdict(published: Published, values: np.ndarray) -> str:
    """Says whether a published number came out again.

    A seed reproduces the number if it lies within the declared margin of it, or beyond it on the better side.

    Args:
        published: The number, and how near is near enough.
        values: Ours, one for each seed.

    Returns:
        "reproduced" where every seed does, "partly" where some do, "not reproduced" where none does; "not comparable"
        where the two numbers do not mean the same thing.

    Example:
        >>> read = {"cite": "x", "read": "read in the paper"}
        >>> number = {**read, "unit": "%", "size": "s", "comparable": True, "why": "w"}
        >>> verdict(Published("y", 90, better="higher", margin=1.0, **number), np.array([89.5, 97.0]))
        'reproduced'
        >>> verdict(Published("y", 90, margin=1.0, **number), np.array([89.5, 97.0]))
        'partly'
    """
    if not published.comparable:
        return "not comparable"
    beyond = {"higher": 1, "lower": -1, "": 0}[published.better] * (values - published.value)
    near = np.abs(values - published.value) <= published.margin
    came_out = near | (beyond > 0)
    return "reproduced" if came_out.all() else "partly" if came_out.any() else "not reproduced"
