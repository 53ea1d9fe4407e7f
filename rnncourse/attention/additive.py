"""Additive attention: a small network scores each pair of query and value."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from rnncourse.attention.attention import Attention
from rnncourse.checks import check_positive

__all__ = ["AdditiveAttention"]


class AdditiveAttention(Attention):
    r"""Scores by a network of one hidden layer, in which query and value are added.

    .. math:: e_{ij} = v^\top \tanh(W q_i + U v_j)

    where :math:`W` is ``query.weight``, of shape (hidden, query), :math:`U` is ``key.weight``, of shape
    (hidden, value), and :math:`v` is ``energy.weight``, of shape (1, hidden). :math:`U v_j` hangs on the source alone:
    it is the key, computed once in :meth:`~rnncourse.attention.attention.Attention.memory`.

    Args:
        query_size: Features of a query.
        value_size: Features of a value.
        hidden_size: Units of the hidden layer.

    Raises:
        ValueError: If a size is not at least 1.

    Source: Bahdanau, Cho and Bengio (2015), there without biases; from secondary sources.

    Example:
        >>> attention = AdditiveAttention(4, 6, 8)
        >>> memory = attention.memory(torch.randn(2, 7, 6))
        >>> context, weights = attention(torch.randn(2, 1, 4), memory)
        >>> memory.keys.shape, context.shape
        (torch.Size([2, 7, 8]), torch.Size([2, 1, 6]))
    """

    def __init__(self, query_size: int, value_size: int, hidden_size: int) -> None:
        super().__init__(query_size, value_size)
        check_positive("hidden_size", hidden_size)
        self.query = nn.Linear(query_size, hidden_size, bias=False)
        self.key = nn.Linear(value_size, hidden_size, bias=False)
        self.energy = nn.Linear(hidden_size, 1, bias=False)

    def project(self, values: Tensor) -> Tensor:
        """The keys :math:`U v_j`."""
        return self.key(values)

    def scores(self, query: Tensor, keys: Tensor) -> Tensor:
        """The equation above, for every query and key."""
        hidden = torch.tanh(self.query(query)[:, :, None] + keys[:, None])  # (batch, query, source, hidden)
        return self.energy(hidden).squeeze(-1)
