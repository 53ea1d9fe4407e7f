"""Multiplicative attention: a query scores a key by their product."""

from __future__ import annotations

import math

from torch import Tensor, nn

from rnncourse.attention.attention import Attention
from rnncourse.checks import check_flag, check_positive

__all__ = ["DotAttention", "GeneralAttention"]


class DotAttention(Attention):
    r"""Scores by the inner product of query and value, which must be of one size.

    .. math:: e_{ij} = q_i^\top v_j \qquad\text{or, scaled,}\qquad e_{ij} = \frac{q_i^\top v_j}{\sqrt{d}}

    where :math:`d` is ``size``. The inner product of two random vectors grows like :math:`\sqrt{d}`; without the scale
    the softmax of large vectors is nearly one-hot, and hardly any gradient gets through it. Scaled, it is PyTorch's
    ``scaled_dot_product_attention``.

    Args:
        size: Features of a query and of a value.
        scaled: Whether the product is divided by :math:`\sqrt{d}`.

    Raises:
        ValueError: If ``size`` is not at least 1 or ``scaled`` no truth value.

    Source: Luong, Pham and Manning (2015) for the product, Vaswani et al. (2017) for the scale; from secondary sources.

    Example:
        >>> import torch
        >>> attention = DotAttention(2)
        >>> memory = attention.memory(torch.tensor([[[1.0, 0.0], [0.0, 100.0]]]))
        >>> context, weights = attention(torch.tensor([[[0.0, 1.0]]]), memory)
        >>> weights.round(decimals=3)
        tensor([[[0., 1.]]])
    """

    def __init__(self, size: int, *, scaled: bool = False) -> None:
        check_positive("size", size)
        check_flag("scaled", scaled)
        super().__init__(size, size)
        self.scaled = scaled

    def scores(self, query: Tensor, keys: Tensor) -> Tensor:
        """The equation above, for every query and key."""
        if self.scaled:
            query = query / math.sqrt(self.query_size)
        return query @ keys.transpose(1, 2)

    def extra_repr(self) -> str:
        """The size and the scale, as ``repr`` shows them."""
        return f"{self.query_size}, scaled={self.scaled}"


class GeneralAttention(Attention):
    r"""Scores by a product with a matrix in between, which may have learned what fits what.

    .. math:: e_{ij} = q_i^\top W v_j

    where :math:`W` is ``key.weight``, of shape (query, value). :math:`W v_j` hangs on the source alone: it is the key,
    computed once in :meth:`~rnncourse.attention.attention.Attention.memory`.

    Args:
        query_size: Features of a query.
        value_size: Features of a value.

    Raises:
        ValueError: If a size is not at least 1.

    Source: Luong, Pham and Manning (2015), from secondary sources.

    Example:
        >>> import torch
        >>> attention = GeneralAttention(4, 6)
        >>> context, weights = attention(torch.randn(2, 3, 4), attention.memory(torch.randn(2, 7, 6)))
        >>> context.shape
        torch.Size([2, 3, 6])
    """

    def __init__(self, query_size: int, value_size: int) -> None:
        super().__init__(query_size, value_size)
        self.key = nn.Linear(value_size, query_size, bias=False)

    def project(self, values: Tensor) -> Tensor:
        """The keys :math:`W v_j`."""
        return self.key(values)

    def scores(self, query: Tensor, keys: Tensor) -> Tensor:
        """The equation above, for every query and key."""
        return query @ keys.transpose(1, 2)
