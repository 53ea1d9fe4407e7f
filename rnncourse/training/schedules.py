"""How the learning rate changes from step to step."""

import math
from collections.abc import Callable

from rnncourse.signatures import checked

__all__ = ["cosine"]


@checked
def cosine(steps: int, warmup: int = 0) -> Callable[[int], float]:
    r"""Returns a schedule that rises linearly for ``warmup`` steps and then falls along half a cosine to zero.

    .. math:: \tfrac{1}{2}\left(1 + \cos \pi \frac{s - w}{S - w}\right)

    where s is the step, w is ``warmup`` and S is ``steps``.

    Args:
        steps: Where it reaches zero, > warmup.
        warmup: How many steps it rises, ≥ 0.

    Returns:
        A function from the step to a factor between 0 and 1.

    Raises:
        ValueError: If steps is not larger than warmup.

    Example:
        >>> factor = cosine(100, warmup=10)
        >>> factor(4), factor(10), round(factor(55), 6), factor(100)
        (0.5, 1.0, 0.5, 0.0)
    """
    if not 0 <= warmup < steps:
        raise ValueError(f"warmup is {warmup} and steps is {steps}; 0 <= warmup < steps is needed")

    def factor(step: int) -> float:
        if step < warmup:
            return (step + 1) / warmup
        share = min(1.0, (step - warmup) / (steps - warmup))
        return 0.5 * (1 + math.cos(math.pi * share))

    return factor
