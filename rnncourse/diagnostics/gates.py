"""What the units are doing: saturated or not, gates open, shut or in between."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from rnncourse.checks import check_choice, check_finite, check_fraction, check_kind, check_probability, check_shape

__all__ = ["GateStatistics", "gate_statistics", "saturation"]

#: The names under which traces hold gates; everything else in a trace (candidates, states) is not between 0 and 1.
GATES = ("i", "f", "o", "r", "z")


def saturation(h: Float[Tensor, "..."], *, bound: float = 0.95, function: str = "tanh") -> float:
    r"""The share of units that sit where their nonlinearity is flat.

    .. math:: \frac{1}{N} \sum_{j=1}^{N} [\, |h_j| > \text{bound} \,]

    where :math:`h_j` are the values after the nonlinearity and N their number. For the sigmoid, :math:`2 h_j - 1`
    takes the place of :math:`h_j`; for ReLU the share is that of exact zeros, where its slope is zero.

    Args:
        h: Values after the nonlinearity, any shape.
        bound: Where saturation begins, between 0 and 1; tanh has slope 1 - bound² there. Not used for ReLU.
        function: ``"tanh"``, ``"sigmoid"`` or ``"relu"``.

    Returns:
        A share between 0 and 1.

    Raises:
        ValueError: If h is no tensor of finite floating-point numbers or an empty one, the bound is outside (0, 1), or
            the function is unknown.

    Example:
        >>> saturation(torch.tensor([0.1, -0.99, 0.97, 0.5]))
        0.5
    """
    check_choice("function", function, ("tanh", "sigmoid", "relu"))
    check_fraction("bound", bound)
    check_finite("h", h)
    if h.numel() == 0 or not h.is_floating_point():
        raise ValueError(f"h is {h.dtype} of shape {tuple(h.shape)}; it should hold at least one floating-point number")
    if function == "relu":
        return (h == 0).double().mean().item()
    return ((h if function == "tanh" else 2 * h - 1).abs() > bound).double().mean().item()


class GateStatistics(NamedTuple):
    """How one gate's values are spread.

    Attributes:
        mean: Their mean.
        std: Their standard deviation.
        share_closed: The share below 0.1.
        share_open: The share above 0.9.
        histogram: The share in each of 20 equal bins from 0 to 1.
    """

    mean: float
    std: float
    share_closed: float
    share_open: float
    histogram: Float[Tensor, " 20"]

    @property
    def share_binary(self) -> float:
        """The share that is nearly shut or nearly open."""
        return self.share_closed + self.share_open


def gate_statistics(
    trace: Any, *, mask: Bool[Tensor, "batch time"] | None = None, closed: float = 0.1, open: float = 0.9
) -> dict[str, GateStatistics]:
    """How open the gates are, and whether they really are the binary switches that they are drawn as.

    Args:
        trace: What ``layer.trace(…)`` returned first, or a mapping from names to gate values (batch, time, hidden). Of
            a trace, the gates i, f, o, r and z are taken; of a mapping, everything.
        mask: True at real steps, (batch, time); all of them if not given.
        closed: Below this a gate counts as closed.
        open: Above this a gate counts as open.

    Returns:
        Gate name to its statistics.

    Raises:
        ValueError: If there is no gate, a gate is no tensor (batch, time, hidden) of values in [0, 1], the mask does
            not fit it or leaves nothing, or the thresholds are not 0 <= closed < open <= 1.

    Source: the histogram of trained gates after Karpathy, Johnson and Fei-Fei (2015), "Visualizing and understanding
    recurrent networks", who call units left or right saturated below 0.1 or above 0.9; from a secondary source.

    Example:
        >>> statistics = gate_statistics({"f": torch.tensor([[[0.95, 0.99]]])})
        >>> statistics["f"].share_open
        1.0
    """
    if isinstance(trace, Mapping):
        gates = dict(trace)
    else:
        gates = {name: getattr(trace, name) for name in getattr(trace, "_fields", ()) if name in GATES}
        gates = {name: gate for name, gate in gates.items() if isinstance(gate, Tensor)}
    if not gates:
        raise ValueError(f"trace is a {type(trace).__name__} without gates; it should have some of {', '.join(GATES)}")
    check_probability("closed", closed)
    check_probability("open", open)
    if not closed < open:
        raise ValueError(f"closed is {closed} and open is {open}; they should satisfy 0 <= closed < open <= 1")
    for name, gate in gates.items():
        check_shape(f"trace.{name}", gate, batch=None, time=None, hidden=None)
        if not (gate.min() >= 0 and gate.max() <= 1):  # a NaN compares as neither
            raise ValueError(
                f"trace.{name} runs from {gate.min():.3g} to {gate.max():.3g}; every gate should be between 0 and 1"
            )
        _check_mask(mask, gate)
    found = {}
    for name, gate in gates.items():
        values = (gate if mask is None else gate[mask]).detach().double().flatten()
        found[name] = GateStatistics(
            mean=values.mean().item(),
            std=values.std(correction=0).item(),
            share_closed=(values < closed).double().mean().item(),
            share_open=(values > open).double().mean().item(),
            histogram=torch.histc(values, bins=20, min=0, max=1) / values.numel(),
        )
    return found


def _check_mask(mask: Tensor | None, gate: Tensor) -> None:
    """Refuse a mask that does not say of each step of a gate whether it is real, or that leaves none."""
    if mask is None:
        return
    check_kind("mask", mask, Tensor)
    if mask.dtype != torch.bool or mask.shape != gate.shape[:2] or mask.device != gate.device:
        raise ValueError(
            f"mask is {mask.dtype} of shape {tuple(mask.shape)} on {mask.device}; it should be torch.bool of shape "
            f"(batch={gate.shape[0]}, time={gate.shape[1]}) on {gate.device}"
        )
    if not mask.any():
        raise ValueError("mask is False everywhere; it should leave at least one real step")
