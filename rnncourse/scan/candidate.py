"""What a minimal cell writes into its state: a linear candidate, or one that is made positive."""

from __future__ import annotations

import torch
from torch import Tensor

from rnncourse.checks import check_choice, check_kind

__all__ = ["CANDIDATES", "check_candidate", "positive"]

CANDIDATES = ("linear", "positive")
"""The names of the two forms."""


def positive(x: Tensor) -> Tensor:
    r"""Make numbers positive, the larger ones by a shift and the others by a sigmoid.

    .. math:: \mathrm{pos}(x) = \begin{cases} x + \tfrac12 & x \ge 0 \\ \sigma(x) & x < 0 \end{cases}

    Continuous, with a kink at zero, where the slope jumps from a quarter to one.

    Args:
        x: Any numbers.

    Returns:
        Positive numbers, in a tensor of the same shape.

    Source: Feng et al. (2024), the appendix on the log-space form, from secondary sources.

    Example:
        >>> positive(torch.tensor([-2.0, 0.0, 2.0]))
        tensor([0.1192, 0.5000, 2.5000])
    """
    check_kind("x", x, Tensor)
    if not x.is_floating_point():
        raise ValueError(f"x has dtype {x.dtype}; it should be a floating-point tensor")
    return torch.where(x >= 0, x + 0.5, torch.sigmoid(x))


def check_candidate(candidate: str, scan: str) -> None:
    """Refuse an unknown candidate, and a scan in log space of one that may be negative.

    Args:
        candidate: ``"linear"`` or ``"positive"``.
        scan: The name of a scan.

    Raises:
        ValueError: If the candidate is unknown, or the two do not go together.

    Example:
        >>> check_candidate("linear", "log_space")
        Traceback (most recent call last):
        ...
        ValueError: scan is 'log_space' and candidate is 'linear'; logarithms need candidate='positive'
    """
    check_choice("candidate", candidate, CANDIDATES)
    if scan == "log_space" and candidate != "positive":
        raise ValueError(f"scan is 'log_space' and candidate is {candidate!r}; logarithms need candidate='positive'")
