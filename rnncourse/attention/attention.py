"""What all attentions share: the memory, the masked softmax, the mean. They differ in how they score."""

from __future__ import annotations

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from rnncourse.attention.memory import Memory
from rnncourse.attention.weighting import masked_softmax, weighted_mean
from rnncourse.checks import check_kind, check_lengths, check_positive, check_shape
from rnncourse.unroll import padding_mask

__all__ = ["Attention"]


class Attention(nn.Module):
    r"""Looks up, for each query, a mean of values: the more a value's key fits the query, the more of it.

    .. math::

        e_{ij} = \mathrm{score}(q_i, k_j), \qquad \alpha_i = \mathrm{softmax}(e_i), \qquad c_i = \sum_j \alpha_{ij} v_j

    where :math:`q_i` is a query (a decoder's hidden state), :math:`v_j` the value at step j of the source (an
    encoder's output), :math:`k_j` its key, :math:`\alpha_{ij}` the weight and :math:`c_i` the context. The softmax
    runs over the source's own steps, never over padding.

    This is the base of :class:`~rnncourse.attention.additive.AdditiveAttention`,
    :class:`~rnncourse.attention.multiplicative.DotAttention`,
    :class:`~rnncourse.attention.multiplicative.GeneralAttention` and
    :class:`~rnncourse.attention.uniform.UniformAttention`; a subclass says how keys are made (``project``) and
    how they are scored (``scores``).

    Args:
        query_size: Features of a query.
        value_size: Features of a value.

    Raises:
        ValueError: If a size is not at least 1.

    Example:
        >>> from rnncourse.attention import DotAttention
        >>> attention = DotAttention(4)
        >>> memory = attention.memory(torch.randn(2, 7, 4), lengths=torch.tensor([7, 5]))
        >>> context, weights = attention(torch.randn(2, 3, 4), memory)
        >>> context.shape, weights.shape, bool((weights[1, :, 5:] == 0).all())
        (torch.Size([2, 3, 4]), torch.Size([2, 3, 7]), True)
    """

    def __init__(self, query_size: int, value_size: int) -> None:
        super().__init__()
        check_positive("query_size", query_size)
        check_positive("value_size", value_size)
        self.query_size = query_size
        self.value_size = value_size

    def project(self, values: Tensor) -> Tensor:
        """The keys of these values: the values themselves, unless a subclass has a projection."""
        return values

    def scores(self, query: Tensor, keys: Tensor) -> Tensor:
        """How well each query (batch, query, …) fits each key (batch, source, …): (batch, query, source)."""
        raise NotImplementedError(f"{type(self).__name__}: an attention should say its scores")

    def memory(
        self, values: Float[Tensor, "batch source value"], lengths: Int[Tensor, "batch"] | None = None
    ) -> Memory:
        """Prepare a source to be looked up, projecting its keys once for all queries to come.

        Args:
            values: The source, such as an encoder's outputs, padded to one number of steps.
            lengths: How many steps of each source are real; all if not given.

        Returns:
            Keys, values and mask.

        Raises:
            ValueError: If the values or the lengths do not fit the attention or each other.
        """
        like = next(self.parameters(), None)
        check_shape("values", values, like=like, batch=None, source=None, features=self.value_size)
        if lengths is None:
            mask = values.new_ones(values.shape[:2], dtype=torch.bool)
        else:
            check_lengths(lengths, *values.shape[:2])
            mask = padding_mask(lengths.to(values.device), values.shape[1])
            values = torch.where(mask[..., None], values, torch.zeros_like(values))  # 0 · NaN would be NaN
        return Memory(self.project(values), values, mask)

    def forward(
        self, query: Float[Tensor, "batch query features"], memory: Memory
    ) -> tuple[Float[Tensor, "batch query value"], Float[Tensor, "batch query source"]]:
        """Look up.

        Args:
            query: What is asked, any number of queries of each source.
            memory: What :meth:`memory` returned.

        Returns:
            What each query looked up; and the weights that it was averaged with, zero at padding.

        Raises:
            ValueError: If the memory is none, or the query does not fit the attention or the memory.
        """
        check_kind("memory", memory, Memory)
        like = memory.values
        check_shape("query", query, like=like, batch=len(like), query=None, features=self.query_size)
        weights = masked_softmax(self.scores(query, memory.keys), memory.mask[:, None])
        return weighted_mean(weights, memory.values), weights

    def extra_repr(self) -> str:
        """The sizes, as ``repr`` shows them."""
        return f"{self.query_size}, {self.value_size}"
