"""Self-attention: every step of a sequence looks things up among the steps before it and itself."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.nn import functional as F

from rnncourse.attention.once import differentiable_once
from rnncourse.attention.weighting import masked_softmax
from rnncourse.checks import check_choice, check_kind, check_positive, check_probability, check_shape

__all__ = ["KeyValues", "SelfAttention", "causal_mask"]


class KeyValues(NamedTuple):
    """The keys and values of the steps read so far: a state that grows by one entry with each step.

    Attributes:
        keys: Of shape (batch, heads, time, features of a head).
        values: Of the same shape.
    """

    keys: Float[Tensor, "batch heads time head"]
    values: Float[Tensor, "batch heads time head"]


torch.serialization.add_safe_globals([KeyValues])  # for torch.load(…, weights_only=True)


def causal_mask(real: Bool[Tensor, "batch key"], queries: int) -> Bool[Tensor, "batch query key"]:
    """Who may look at whom: each query at the real steps up to its own, and at none that is yet to come.

    Args:
        real: True at real steps, False at padding.
        queries: The queries are the last so many steps.

    Returns:
        True where a query may look.

    Raises:
        ValueError: If ``queries`` is not from 1 to the number of steps.

    Example:
        >>> causal_mask(torch.tensor([[True, True, True]]), 2).int()
        tensor([[[1, 1, 0],
                 [1, 1, 1]]], dtype=torch.int32)
    """
    check_positive("queries", queries)
    check_kind("real", real, Tensor)
    if real.dtype != torch.bool or real.dim() != 2 or not real.numel():
        raise ValueError(
            f"real has dtype {real.dtype} and shape {tuple(real.shape)}; it should be torch.bool in two axes (batch, "
            "key), neither empty"
        )
    steps = real.shape[1]
    if queries > steps:
        raise ValueError(f"queries is {queries}; it should be at most {steps}, the number of steps")
    earlier = torch.ones(queries, steps, dtype=torch.bool, device=real.device).tril(steps - queries)
    return earlier & real[:, None]


class SelfAttention(nn.Module):
    r"""Causal self-attention with several heads, and a cache that makes a step cost no more than one query.

    .. math::

        q_t, k_t, v_t = W_q x_t, W_k x_t, W_v x_t, \qquad
        \alpha_{ts} = \operatorname*{softmax}_{s \le t} \frac{q_t^\top k_s}{\sqrt{d}}, \qquad
        y_t = W_o \sum_{s \le t} \alpha_{ts} v_s

    with biases, and with the features of q, k and v split among the heads, :math:`d` to each: every head has weights
    :math:`\alpha` of its own. ``in_proj_weight`` is :math:`(W_q|W_k|W_v)`, of shape (3*embed, embed), and
    ``out_proj.weight`` is :math:`W_o`; names, layout and initialisation are those of ``torch.nn.MultiheadAttention``,
    whose ``state_dict`` loads.

    Args:
        embed_dim: Features of a step.
        num_heads: Heads, a divisor of ``embed_dim``.
        dropout: The probability with which, in training, a weight is zeroed (and the others scaled up).
        implementation: How the same numbers are computed.

            - ``"fused"``: PyTorch's ``scaled_dot_product_attention``, the fast way; who differentiates its gradients
              again is sent to the other.
            - ``"readable"``: the equation above, differentiable as often as one likes.

    Raises:
        ValueError: If a size is not at least 1, the heads do not divide the features, ``dropout`` is no probability,
            or the implementation is unknown.

    Source: Vaswani et al. (2017), from secondary sources.

    Example:
        >>> layer = SelfAttention(8, 2)
        >>> x = torch.randn(1, 5, 8)
        >>> outputs, state = layer(x, layer.initial_state(1))
        >>> first, state = layer(x[:, :4], layer.initial_state(1))
        >>> last, state = layer(x[:, 4:], state)
        >>> torch.allclose(torch.cat([first, last], 1), outputs, atol=1e-6)
        True
    """

    def __init__(self, embed_dim: int, num_heads: int, *, dropout: float = 0.0, implementation: str = "fused") -> None:
        super().__init__()
        check_positive("embed_dim", embed_dim)
        check_positive("num_heads", num_heads)
        check_probability("dropout", dropout)
        check_choice("implementation", implementation, ("fused", "readable"))
        if embed_dim % num_heads:
            raise ValueError(f"num_heads is {num_heads}; it should divide embed_dim = {embed_dim}")
        self.embed_dim = embed_dim
        self.num_heads = num_heads
        self.dropout = float(dropout)
        self.implementation = implementation
        self.in_proj_weight = nn.Parameter(torch.empty(3 * embed_dim, embed_dim))
        self.in_proj_bias = nn.Parameter(torch.zeros(3 * embed_dim))
        self.out_proj = nn.Linear(embed_dim, embed_dim)
        nn.init.xavier_uniform_(self.in_proj_weight)
        nn.init.zeros_(self.out_proj.bias)

    def initial_state(self, batch_size: int) -> KeyValues:
        """The cache before the first step: empty.

        Args:
            batch_size: How many sequences are treated side by side.

        Returns:
            Keys and values of no step.
        """
        check_positive("batch_size", batch_size)
        empty = self.in_proj_weight.new_zeros(batch_size, self.num_heads, 0, self.embed_dim // self.num_heads)
        return KeyValues(empty, empty)

    def forward(
        self,
        inputs: Float[Tensor, "batch time embed"],
        state: KeyValues,
        mask: Bool[Tensor, "batch time key"] | None = None,
    ) -> tuple[Float[Tensor, "batch time embed"], KeyValues]:
        """Read on.

        Args:
            inputs: The steps that follow those in the cache.
            state: The cache.
            mask: Which steps, those of the cache first, each input may look at; those up to its own if not given.

        Returns:
            What each step looked up; and the cache with the new keys and values.
        """
        check_reading(inputs, state, mask, self.embed_dim)
        query, state = self._extend(inputs, state)
        if self.implementation == "readable":
            return self._merge(self._weights(query, state, mask) @ state.values), state
        time, steps = query.shape[2], state.keys.shape[2]
        if mask is None and 1 < time < steps:
            mask = causal_mask(torch.ones(len(inputs), steps, dtype=torch.bool, device=inputs.device), time)
        query, keys, values = (query, *state) if not torch.is_grad_enabled() else differentiable_once(query, *state)
        context = F.scaled_dot_product_attention(
            query,
            keys,
            values,
            attn_mask=None if mask is None else mask[:, None],
            dropout_p=self.dropout if self.training else 0.0,
            is_causal=mask is None and time > 1,
        )
        return self._merge(context), state

    def weights(
        self,
        inputs: Float[Tensor, "batch time embed"],
        state: KeyValues,
        mask: Bool[Tensor, "batch time key"] | None = None,
    ) -> Float[Tensor, "batch heads time key"]:
        """The weights that :meth:`forward` averages with, each head's.

        Args:
            inputs: As in :meth:`forward`.
            state: As in :meth:`forward`.
            mask: As in :meth:`forward`.

        Returns:
            A row of weights for each head and input.
        """
        check_reading(inputs, state, mask, self.embed_dim)
        return self._weights(*self._extend(inputs, state), mask)

    def _extend(self, inputs: Tensor, state: KeyValues) -> tuple[Tensor, KeyValues]:
        """The queries of these inputs, and the cache with their keys and values."""
        projected = F.linear(inputs, self.in_proj_weight, self.in_proj_bias)
        query, keys, values = (
            part.unflatten(2, (self.num_heads, -1)).transpose(1, 2) for part in projected.chunk(3, -1)
        )  # each (batch, heads, time, head)
        return query, KeyValues(torch.cat([state.keys, keys], 2), torch.cat([state.values, values], 2))

    def _weights(self, query: Tensor, state: KeyValues, mask: Tensor | None) -> Tensor:
        if mask is None:
            steps = state.keys.shape[2]
            mask = causal_mask(torch.ones(len(query), steps, dtype=torch.bool, device=query.device), query.shape[2])
        scores = query @ state.keys.transpose(2, 3) / math.sqrt(query.shape[3])  # (batch, heads, time, key)
        return F.dropout(masked_softmax(scores, mask[:, None]), self.dropout, self.training)

    def _merge(self, context: Tensor) -> Tensor:
        """The heads side by side, through the last map."""
        return self.out_proj(context.transpose(1, 2).flatten(2))

    def extra_repr(self) -> str:
        """The sizes, as ``repr`` shows them."""
        return f"{self.embed_dim}, num_heads={self.num_heads}"


def check_reading(inputs: Any, state: Any, mask: Any, size: int) -> None:
    """Refuse inputs, a cache or a mask that do not fit each other.

    Args:
        inputs: Should be of shape (batch, time, size).
        state: Should be a :class:`KeyValues` of as many rows.
        mask: Should be boolean, of shape (batch, time, key), or None.
        size: Features of an input.

    Raises:
        ValueError: If one does not fit.
    """
    check_shape("inputs", inputs, batch=None, time=None, features=size)
    check_kind("state", state, KeyValues)
    for part in state:
        check_kind("a part of state", part, Tensor)
        if part.dim() != 4 or len(part) != len(inputs) or part.shape != state.keys.shape:
            raise ValueError(f"state has a part of shape {tuple(part.shape)}; it should be (batch, heads, time, head)")
    if mask is None:
        return
    check_kind("mask", mask, Tensor)
    wanted = (*inputs.shape[:2], state.keys.shape[2] + inputs.shape[1])
    if mask.dtype != torch.bool or mask.dim() != 3 or any(a not in (1, b) for a, b in zip(mask.shape, wanted)):
        raise ValueError(
            f"mask has dtype {mask.dtype} and shape {tuple(mask.shape)}; it should be torch.bool of shape {wanted}"
        )
