"""A measure of a model, taken without leaving a trace: not in its mode, not in the random numbers."""

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from rnncourse.modes import evaluating
from rnncourse.signatures import checked

__all__ = ["average", "devices", "measured"]


@checked
def average(
    model: nn.Module, batches: Iterable[Any], loss: Callable[[nn.Module, Any], Tensor | tuple[Tensor, Tensor | int]]
) -> float:
    """Returns the mean loss over batches, in evaluation mode and without gradients.

    Args:
        model: What is measured; every part of it is afterwards in the mode it was in, also after an error.
        batches: Read once.
        loss: A function of (model, batch). It returns a mean, and every batch then weighs the same; or a pair (mean,
            count), and every batch weighs by what it counted.

    Returns:
        The weighted mean.

    Raises:
        ValueError: If there were no batches, or the loss is no number.

    Example:
        >>> average(nn.Identity(), [torch.ones(2), torch.zeros(6)], lambda model, x: (model(x).mean(), len(x)))
        0.25
    """
    total, weight = 0.0, 0.0

    def run(model: nn.Module) -> float:
        nonlocal total, weight
        for batch in batches:
            value = loss(model, batch)
            mean, count = value if isinstance(value, tuple) else (value, 1)
            if not isinstance(mean, (int, float, Tensor, np.number)):
                raise ValueError(
                    f"loss returned a {type(mean).__name__}; it should return a mean, or a mean and a count"
                )
            total, weight = total + float(mean) * float(count), weight + float(count)
        if not weight:
            raise ValueError("batches was empty; it should yield at least one batch")
        return total / weight

    return measured(model, run)


@checked
def measured(model: nn.Module, measure: Callable[[nn.Module], float], name: str = "measure") -> float:
    """Returns a measure taken in evaluation mode and without gradients; leaves generator and modes as they were.

    Args:
        model: What is measured.
        measure: A function of the model.
        name: What the function is called where it was given, for the message.

    Returns:
        What it returned, as a number.

    Raises:
        ValueError: If that is none.
    """
    with evaluating(model), torch.random.fork_rng(devices=devices(model.parameters())):
        value = measure(model)
        if not isinstance(value, (int, float, Tensor, np.number)):
            raise ValueError(f"{name} returned a {type(value).__name__}; it should return a number")
        return float(value)


@checked
def devices(parameters: Iterable[Tensor]) -> list[int]:
    """Returns the CUDA devices whose generators a run touches.

    Args:
        parameters: Those of the model.

    Returns:
        Their indices, sorted.
    """
    return sorted({p.device.index or 0 for p in parameters if p.device.type == "cuda"})
