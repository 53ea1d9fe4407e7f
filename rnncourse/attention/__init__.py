"""Attention: looking things up by content, softly; over an encoder's outputs, and of a sequence over its own past.

An attention scores a query against keys, turns the scores into weights that sum to one
(:mod:`~rnncourse.attention.weighting`), and returns the mean of the values under them:
``context, weights = attention(query, memory)``, where the :class:`~rnncourse.attention.memory.Memory` holds values and
keys, projected once. :mod:`~rnncourse.attention.additive` and :mod:`~rnncourse.attention.multiplicative` are the ways
to score, and :mod:`~rnncourse.attention.uniform` is the control that does not.
:mod:`~rnncourse.attention.self_attention` lets a sequence attend over its own past;
:mod:`~rnncourse.attention.block` and :mod:`~rnncourse.attention.transformer` make of it a layer of the grammar,
``outputs, state = layer(inputs, state, lengths)``, whose state is the cache of keys and values.
"""

from rnncourse.attention.additive import AdditiveAttention
from rnncourse.attention.attention import Attention
from rnncourse.attention.block import Block
from rnncourse.attention.memory import Memory
from rnncourse.attention.multiplicative import DotAttention, GeneralAttention
from rnncourse.attention.positions import LearnedPositions, SinusoidalPositions
from rnncourse.attention.self_attention import KeyValues, SelfAttention, causal_mask
from rnncourse.attention.transformer import CausalTransformer, TransformerState
from rnncourse.attention.uniform import UniformAttention
from rnncourse.attention.weighting import masked_softmax, weighted_mean

__all__ = [
    "AdditiveAttention",
    "Attention",
    "Block",
    "CausalTransformer",
    "DotAttention",
    "GeneralAttention",
    "KeyValues",
    "LearnedPositions",
    "Memory",
    "SelfAttention",
    "SinusoidalPositions",
    "TransformerState",
    "UniformAttention",
    "causal_mask",
    "masked_softmax",
    "weighted_mean",
]
