"""From scores to weights, and from weights to a mean."""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from rnncourse.checks import check_kind

__all__ = ["masked_softmax", "weighted_mean"]


def masked_softmax(
    scores: Float[Tensor, "*batch source"], mask: Bool[Tensor, "..."] | None = None
) -> Float[Tensor, "*batch source"]:
    r"""The softmax over the places that may be looked at; all other weights are zero.

    .. math:: \alpha_j = \frac{m_j \exp e_j}{\sum_k m_k \exp e_k}

    where :math:`e_j` is the score of place j and :math:`m_j` is 1 where the place may be looked at and 0 elsewhere.

    A row without any place to look at has no softmax. Here it is *defined*: all its weights are zero, so what is
    looked up there is the zero vector, and no gradient flows through it, as in PyTorch's
    ``scaled_dot_product_attention``. What a masked score holds, NaN included, has no influence.

    Args:
        scores: The scores, the places along the last axis.
        mask: True where a place may be looked at; of the scores' shape, or one that broadcasts to it.

    Returns:
        Weights of the scores' shape, from 0 to 1; each row sums to 1, or to 0 where it is masked as a whole.

    Raises:
        ValueError: If ``scores`` is no floating-point tensor with places, or the mask is not boolean or does not
            broadcast to it.

    Example:
        >>> masked_softmax(torch.zeros(2, 3), torch.tensor([[True, True, False], [False, False, False]]))
        tensor([[0.5000, 0.5000, 0.0000],
                [0.0000, 0.0000, 0.0000]])
    """
    check_kind("scores", scores, Tensor)
    if not scores.is_floating_point() or scores.dim() < 1 or scores.shape[-1] == 0:
        raise ValueError(
            f"scores has dtype {scores.dtype} and shape {tuple(scores.shape)}; it should be a floating-point tensor of "
            "shape (…, source) with at least one place"
        )
    if mask is None:
        return torch.softmax(scores, -1)
    _check_mask(mask, scores)
    # The lowest finite number, not -inf: a row of nothing but -inf would come out of the softmax as NaN.
    scores = scores.masked_fill(~mask, torch.finfo(scores.dtype).min)
    return torch.softmax(scores, -1).masked_fill(~mask, 0.0)


def weighted_mean(
    weights: Float[Tensor, "batch query source"], values: Float[Tensor, "batch source value"]
) -> Float[Tensor, "batch query value"]:
    r"""The mean of the values under each query's weights.

    .. math:: c_i = \sum_j \alpha_{ij} v_j

    where :math:`\alpha_{ij}` is the weight that query i gives to place j and :math:`v_j` the value there.

    Args:
        weights: One row of weights for each query.
        values: One value for each place.

    Returns:
        What each query looked up.

    Raises:
        ValueError: If the two disagree about the batch or the number of places.

    Example:
        >>> weighted_mean(torch.tensor([[[0.25, 0.75]]]), torch.tensor([[[4.0], [8.0]]]))
        tensor([[[7.]]])
    """
    for name, value in (("weights", weights), ("values", values)):
        check_kind(name, value, Tensor)
        if not value.is_floating_point():
            raise ValueError(f"{name} has dtype {value.dtype}; it should be a floating-point tensor")
    if weights.dim() != 3 or values.dim() != 3 or (len(weights), weights.shape[2]) != tuple(values.shape[:2]):
        raise ValueError(
            f"weights has shape {tuple(weights.shape)} and values {tuple(values.shape)}; they should be "
            "(batch, query, source) and (batch, source, value)"
        )
    return torch.bmm(weights, values)


def _check_mask(mask: Tensor, scores: Tensor) -> None:
    """Refuse a mask that is not boolean or does not broadcast to the scores."""
    check_kind("mask", mask, Tensor)
    if mask.dtype != torch.bool:
        raise ValueError(f"mask has dtype {mask.dtype}; it should be torch.bool, true where a place may be looked at")
    sizes = zip(reversed(mask.shape), reversed(scores.shape), strict=False)
    if mask.dim() > scores.dim() or any(size not in (1, wanted) for size, wanted in sizes):
        raise ValueError(f"mask has shape {tuple(mask.shape)}; it should broadcast to scores, {tuple(scores.shape)}")
