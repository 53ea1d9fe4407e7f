"""Attention that does not attend: every step of the source weighs the same, whatever is asked."""

from __future__ import annotations

from torch import Tensor

from rnncourse.attention.attention import Attention

__all__ = ["UniformAttention"]


class UniformAttention(Attention):
    r"""Looks at all steps of the source equally: what it finds is their mean, and never changes.

    .. math:: e_{ij} = 0, \qquad \alpha_{ij} = \frac{1}{n}, \qquad c_i = \frac{1}{n} \sum_j v_j

    where n is the number of the source's own steps. It has no parameters. In the place of another attention it leaves
    everything as it was but the choice of where to look: one vector for the whole source, at every step the same. So it
    is the control that any claim about *looking* is held against.

    Args:
        query_size: Features of a query, which is not looked at.
        value_size: Features of a value.

    Raises:
        ValueError: If a size is not at least 1.

    Source: the same context at every step is what Cho et al. (2014) give their decoder, there the final state; from
    secondary sources.

    Example:
        >>> import torch
        >>> attention = UniformAttention(4, 1)
        >>> memory = attention.memory(torch.tensor([[[1.0], [3.0], [9.0]]]), torch.tensor([2]))
        >>> context, weights = attention(torch.randn(1, 1, 4), memory)
        >>> context.item(), weights.tolist()
        (2.0, [[[0.5, 0.5, 0.0]]])
    """

    def scores(self, query: Tensor, keys: Tensor) -> Tensor:
        """Zero, for every query and key."""
        return query.new_zeros(*query.shape[:2], keys.shape[1])
