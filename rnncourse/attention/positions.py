"""Where a step stands: attention does not see order, so the place is added to what stands there."""

from __future__ import annotations

import math

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from rnncourse.checks import check_kind, check_positive

__all__ = ["LearnedPositions", "SinusoidalPositions"]


class LearnedPositions(nn.Module):
    r"""A learned vector for each place.

    .. math:: p_t = P_t

    where :math:`P` is ``embedding.weight``, of shape (max_length, features). A place beyond the table has no vector.

    Args:
        size: Features.
        max_length: How many places there are.

    Raises:
        ValueError: If an argument is not at least 1.

    Example:
        >>> LearnedPositions(4, max_length=10)(torch.tensor([[0, 1, 2]])).shape
        torch.Size([1, 3, 4])
    """

    def __init__(self, size: int, *, max_length: int) -> None:
        super().__init__()
        check_positive("size", size)
        check_positive("max_length", max_length)
        self.max_length = max_length
        self.embedding = nn.Embedding(max_length, size)

    def forward(self, places: Int[Tensor, "batch time"]) -> Float[Tensor, "batch time size"]:
        """The vectors of these places, counted from 0.

        Args:
            places: Whole numbers from 0 to ``max_length - 1``.

        Returns:
            One vector for each.

        Raises:
            ValueError: If a place is outside of the table.
        """
        _check_places(places)
        if int(places.max()) >= self.max_length:
            raise ValueError(
                f"places holds {int(places.max())}; learned positions end at {self.max_length - 1}: read shorter "
                "sequences, raise max_length, or use sinusoidal positions"
            )
        return self.embedding(places)


class SinusoidalPositions(nn.Module):
    r"""A vector of sines and cosines for each place, from quick to slow; nothing is learned, and no place is too far.

    .. math::

        p_{t, 2i} = \sin\frac{t}{10000^{2i/d}}, \qquad p_{t, 2i+1} = \cos\frac{t}{10000^{2i/d}}

    where :math:`t` is the place, counted from 0, :math:`i` counts pairs of features and :math:`d` is ``size``. A shift
    by a fixed number of places turns every pair by a fixed angle, wherever it starts.

    Args:
        size: Features, an even number.

    Raises:
        ValueError: If ``size`` is no even number of at least 2.

    Source: Vaswani et al. (2017), section 3.5, from secondary sources.

    Example:
        >>> SinusoidalPositions(2)(torch.tensor([[0, 1]]))
        tensor([[[0.0000, 1.0000],
                 [0.8415, 0.5403]]])
    """

    def __init__(self, size: int) -> None:
        super().__init__()
        check_positive("size", size)
        if size % 2:
            raise ValueError(f"size is {size}; it should be even, for each sine has its cosine")
        self.size = size
        self.register_buffer("like", torch.empty(0), persistent=False)  # follows the model's dtype and device

    def forward(self, places: Int[Tensor, "batch time"]) -> Float[Tensor, "batch time size"]:
        """The vectors of these places, counted from 0.

        Args:
            places: Whole numbers of at least 0.

        Returns:
            One vector for each.

        Raises:
            ValueError: If ``places`` holds no whole numbers, or a negative one.
        """
        _check_places(places)
        pair = torch.arange(0, self.size, 2, device=places.device, dtype=torch.float64)
        angle = places[..., None] * torch.exp(-math.log(10000) * pair / self.size)  # (batch, time, size / 2)
        return torch.stack([angle.sin(), angle.cos()], -1).flatten(-2).to(self.like.dtype)


def _check_places(places: Tensor) -> None:
    """Refuse what cannot be places."""
    check_kind("places", places, Tensor)
    if (
        places.dtype not in (torch.int64, torch.int32)
        or places.dim() != 2
        or not places.numel()
        or int(places.min()) < 0
    ):
        raise ValueError(
            f"places has dtype {places.dtype} and shape {tuple(places.shape)}; it should hold whole numbers of at "
            "least 0 in two axes (batch, time)"
        )
