"""What a model is trained to make small: scalars in nats, counted over the steps that count.

Batches of sequences carry padding. A loss that averages over padding rewards a model for predicting nothing, so every
function here takes a mask that is true where a step counts.
"""

import math

import torch
from torch import Tensor
from torch.nn import functional as F

from rnncourse.checks import check_numbers
from rnncourse.signatures import checked


@checked
def cross_entropy(logits: Tensor, targets: Tensor, mask: Tensor | None = None) -> Tensor:
    r"""Returns the mean surprise, in nats, at the targets that count.

    .. math:: L = -\frac{1}{\sum_n m_n} \sum_n m_n \log \mathrm{softmax}(y_n)_{t_n}

    where :math:`y_n` are the scores at place n, :math:`t_n` the index of the right class there and :math:`m_n` is one
    where the place counts and zero where it is padding.

    Args:
        logits: Scores before the softmax, shape (…, classes).
        targets: Class indices, shape (…), 0 ≤ index < classes; what stands at masked places is not looked at.
        mask: True where a place counts, shape (…); by default all count.

    Returns:
        A scalar in nats, ≥ 0.

    Raises:
        ValueError: If shapes disagree, a target is out of range, or no place counts.

    Example:
        >>> logits = torch.zeros(2, 3, 4)                              # a model that knows nothing of 4 classes
        >>> targets = torch.zeros(2, 3, dtype=torch.long)
        >>> round(nats_to_bits(cross_entropy(logits, targets)).item(), 6)
        2.0
    """
    if tuple(logits.shape[:-1]) != tuple(targets.shape):
        raise ValueError(
            f"targets has shape {tuple(targets.shape)}; it should be {tuple(logits.shape[:-1])}, "
            "the shape of logits without its last axis"
        )
    if not logits.is_floating_point():
        raise ValueError(f"logits has dtype {logits.dtype}; it should be a floating-point tensor")
    counted_logits, counted_targets = _counted(logits, targets, mask)
    _check_classes(counted_targets, logits.shape[-1])
    return F.cross_entropy(counted_logits, counted_targets)


@checked
def mean_squared_error(predictions: Tensor, targets: Tensor, mask: Tensor | None = None) -> Tensor:
    r"""Returns the mean squared difference over the places that count.

    .. math:: L = \frac{1}{\sum_n m_n d} \sum_n m_n \lVert y_n - t_n \rVert^2

    where :math:`y_n` is the prediction at place n, :math:`t_n` its target, d the number of features and :math:`m_n`
    one where the place counts.

    Args:
        predictions: Shape (…, features), or the shape of mask when there is one number a place.
        targets: The same shape as predictions.
        mask: True where a place counts; its shape is that of the leading axes. By default all count.

    Returns:
        A scalar, in the square of the targets' unit.

    Raises:
        ValueError: If shapes disagree or no place counts.

    Example:
        >>> mean_squared_error(torch.tensor([1.0, 5.0]), torch.tensor([3.0, 0.0]), torch.tensor([True, False])).item()
        4.0
    """
    if predictions.shape != targets.shape:
        raise ValueError(
            f"targets has shape {tuple(targets.shape)}; it should be {tuple(predictions.shape)}, that of predictions"
        )
    for name, value in (("predictions", predictions), ("targets", targets)):
        if value.is_complex():
            raise ValueError(f"{name} has dtype {value.dtype}; it should hold real numbers")
    return F.mse_loss(*_counted(predictions, targets, mask))


@checked
def accuracy(logits: Tensor, targets: Tensor, mask: Tensor | None = None) -> float:
    """Returns the share of counted places where the highest score is the target's.

    Args:
        logits: Scores, shape (…, classes).
        targets: Class indices, shape (…).
        mask: True where a place counts, shape (…); by default all count.

    Returns:
        A number between 0 and 1.

    Raises:
        ValueError: If shapes disagree, a counted score is NaN, a counted target is out of range, or no place counts.

    Example:
        >>> accuracy(torch.tensor([[0.0, 2.0], [3.0, 1.0]]), torch.tensor([1, 1]))
        0.5
    """
    if tuple(logits.shape[:-1]) != tuple(targets.shape):
        raise ValueError(f"targets has shape {tuple(targets.shape)}; it should be {tuple(logits.shape[:-1])}")
    counted_logits, counted_targets = _counted(logits, targets, mask)
    _check_classes(counted_targets, logits.shape[-1])
    check_numbers("logits", counted_logits)
    return (counted_logits.argmax(-1) == counted_targets).double().mean().item()


@checked
def nats_to_bits(nats: float | Tensor) -> float | Tensor:
    """Returns the same surprise in bits: nats divided by log 2.

    Args:
        nats: A number or tensor in nats.

    Returns:
        The same in bits.

    Example:
        >>> nats_to_bits(math.log(8))
        3.0
    """
    return nats / math.log(2)


@checked
def perplexity(nats: float) -> float:
    """Returns the number of equally likely choices that would surprise as much: exp of the mean nats.

    Args:
        nats: Mean surprise in nats.

    Returns:
        A number ≥ 1 for nats ≥ 0; infinity where exp overflows.

    Example:
        >>> round(perplexity(math.log(27)), 6)
        27.0
    """
    try:
        return math.exp(nats)
    except OverflowError:
        return math.inf


def _check_classes(targets: Tensor, classes: int) -> None:
    """Refuse targets that are no class indices."""
    if targets.is_floating_point() or targets.is_complex() or targets.dtype == torch.bool:
        raise ValueError(f"targets has dtype {targets.dtype}; it should hold class indices (torch.long)")
    low, high = int(targets.min()), int(targets.max())
    if low < 0 or high >= classes:
        raise ValueError(f"targets holds {low if low < 0 else high}; it should hold indices from 0 to {classes - 1}")


def _counted(values: Tensor, targets: Tensor, mask: Tensor | None) -> tuple[Tensor, Tensor]:
    """Flattens the leading axes of both and keeps the places where mask is true."""
    axes = targets.dim() if mask is None else mask.dim()
    if mask is None:
        mask = torch.ones(targets.shape, dtype=torch.bool, device=targets.device)
    if mask.dtype != torch.bool:
        raise ValueError(f"mask has dtype {mask.dtype}; it should be torch.bool, true where a place counts")
    if tuple(mask.shape) != tuple(targets.shape[:axes]):
        raise ValueError(f"mask has shape {tuple(mask.shape)}; it should be {tuple(targets.shape[:axes])}")
    if not mask.any():
        raise ValueError("mask is false everywhere; at least one place should count")
    return values[mask], targets[mask]
