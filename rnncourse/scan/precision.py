"""How exact a scan is in single precision, and how that depends on the length."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from rnncourse.checks import check_choice, check_positive
from rnncourse.scan.recurrence import SCANS, linear_scan
from rnncourse.signatures import checked

__all__ = ["ScanError", "float32_error"]


class ScanError(NamedTuple):
    """Errors of single precision, each the largest of a tensor relative to the tensor's largest entry.

    Attributes:
        states: Of the states.
        gradients: Of the gradients with respect to factors, summands and initial state, the worst of the three.
    """

    states: float
    gradients: float


@checked
def float32_error(
    scan: str, time: int, *, batch: int = 8, hidden: int = 32, generator: torch.Generator | None = None
) -> ScanError:
    r"""Run a scan in single precision, and compare it with the loop in double precision on the same numbers.

    The numbers are those of a minGRU with the positive candidate on random inputs, so that every scan can run on them:
    :math:`a_t = 1 - z_t` and :math:`b_t = z_t n_t`, with gates :math:`z_t = \sigma(\xi)`, candidates :math:`n_t` and an
    initial state evenly from (0, 1), and normal :math:`\xi`. The gradients are those of a random weighted sum of all
    states.

    Args:
        scan: The name of a scan.
        time: How many steps there are.
        batch: How many sequences.
        hidden: How many units.
        generator: Where the numbers come from; PyTorch's default if not given.

    Returns:
        The relative errors. One of 1e-7 is a last digit.

    Raises:
        ValueError: If the scan is unknown, or a size is not at least 1.

    Example:
        >>> float32_error("odd_even", 1000).states < 1e-6 < float32_error("log_space", 1000).states
        True
    """
    check_choice("scan", scan, ("auto", *SCANS))
    for name, size in (("time", time), ("batch", batch), ("hidden", hidden)):
        check_positive(name, size)
    z = torch.sigmoid(torch.randn(batch, time, hidden, generator=generator))
    n, weight = (torch.rand(batch, time, hidden, generator=generator) for _ in range(2))
    parts = [1 - z, z * n, torch.rand(batch, hidden, generator=generator)]
    single = _states_and_gradients(parts, 2 * weight - 1, scan)
    exact = _states_and_gradients([part.double() for part in parts], 2 * weight.double() - 1, "sequential")
    errors = [((a - b).abs().max() / b.abs().max()).item() for a, b in zip(single, exact, strict=True)]
    return ScanError(errors[0], max(errors[1:]))


def _states_and_gradients(parts: list[Tensor], weight: Tensor, scan: str) -> list[Tensor]:
    parts = [part.detach().requires_grad_() for part in parts]
    h = linear_scan(*parts, scan=scan)
    return [h.detach(), *torch.autograd.grad(h, parts, weight)]
