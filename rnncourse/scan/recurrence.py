"""The linear recurrence over time, hₜ = aₜ ⊙ hₜ₋₁ + bₜ: one door, several scans behind it."""

from __future__ import annotations

import torch
from torch import Tensor

from rnncourse.checks import check_choice, check_kind, check_shape
from rnncourse.scan.operation import LinearScan, readable
from rnncourse.signatures import checked
from rnncourse.transforms import in_nested_forward_mode

__all__ = ["SCANS", "choose_scan", "linear_scan"]

SCANS = ("sequential", "chunked", "odd_even", "log_space")
"""The names of the scans."""

WIDEST_ODD_EVEN = 2048
"""Numbers side by side (batch times hidden) up to which joining steps pays on one core of a processor (measured)."""
SHORTEST_ODD_EVEN = 32
"""Steps from which it pays."""


def linear_scan(a: Tensor, b: Tensor, h: Tensor, *, scan: str = "auto") -> Tensor:
    r"""All states of a linear recurrence.

    .. math:: h_t = a_t \odot h_{t-1} + b_t, \qquad t = 1, \dots, T

    where :math:`a_t` are the factors (the eigenvalues of a diagonal recurrence), :math:`b_t` is what the input adds,
    and :math:`h_0` is ``h``.

    Args:
        a: The factors, of shape (batch, time, hidden), real or complex.
        b: What is added, of the same shape and dtype.
        h: The state before the first step, of shape (batch, hidden).
        scan: How it is computed; the states are the same but for rounding.

            - ``"sequential"``: one step after the other.
            - ``"chunked"``: √T chunks side by side.
            - ``"odd_even"``: neighbours joined, in about log₂ T rounds.
            - ``"log_space"``: by running sums of logarithms; for ``a`` above zero, and ``b`` and ``h`` nowhere below
              it. Its error grows with T.
            - ``"auto"``: what :func:`choose_scan` says.

    Returns:
        The states, of shape (batch, time, hidden). They can be differentiated as those of a loop can: backwards and
        forwards, again and again, and under ``torch.func``.

    Raises:
        ValueError: If the parts do not fit each other, the scan is unknown, or ``"log_space"`` is asked for numbers
            that have no logarithm.

    Example:
        >>> half = torch.full((1, 3, 1), 0.5)
        >>> linear_scan(half, torch.zeros(1, 3, 1), torch.full((1, 1), 8.0)).flatten()
        tensor([4., 2., 1.])
    """
    check_choice("scan", scan, ("auto", *SCANS))
    for name, value in (("b", b), ("a", a), ("h", h)):
        check_kind(name, value, Tensor)
        if value.dtype != b.dtype:
            raise ValueError(f"{name} has dtype {value.dtype}; it should be {b.dtype}, as b is")
    check_shape("b", _real(b), batch=None, time=None, hidden=None)
    batch, time, hidden = b.shape
    check_shape("a", _real(a), like=_real(b), batch=batch, time=time, hidden=hidden)
    check_shape("h", _real(h), like=_real(b), batch=batch, hidden=hidden)

    if torch.compiler.is_compiling():  # a whole graph takes the readable step, and the refusal says so
        torch._dynamo.graph_break(msg="a scan is no part of a graph; a layer's implementation='loop' is")
    a, b = a.transpose(0, 1), b.transpose(0, 1)
    if in_nested_forward_mode():
        return readable(a, b, h).transpose(0, 1)
    name = choose_scan(time, batch * hidden, b.device.type) if scan == "auto" else scan
    return LinearScan.apply(a, b, h, name, False).transpose(0, 1)


@checked
def choose_scan(time: int, width: int, device: str = "cpu") -> str:
    """The scan that ``"auto"`` stands for.

    On a processor an operation on a thousand numbers costs more than its arithmetic, and joining steps saves
    operations at the price of arithmetic: it pays where the steps are many and narrow. An accelerator has room for all
    pairs of steps at once.

    Args:
        time: How many steps there are.
        width: How many numbers the state holds, batch times hidden.
        device: The type of the device, such as ``"cpu"`` or ``"cuda"``.

    Returns:
        ``"odd_even"`` or ``"sequential"``.

    Example:
        >>> choose_scan(1000, 8 * 128), choose_scan(1000, 64 * 512), choose_scan(1000, 64 * 512, "cuda")
        ('odd_even', 'sequential', 'odd_even')
    """
    pays = time >= SHORTEST_ODD_EVEN and (width <= WIDEST_ODD_EVEN or device != "cpu")
    return "odd_even" if pays else "sequential"


def _real(value: Tensor) -> Tensor:
    """Something of the same shape that is real, for checks that ask for real numbers."""
    return value.real if value.is_complex() else value
