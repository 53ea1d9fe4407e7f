"""What an attention looks things up in."""

from __future__ import annotations

from typing import NamedTuple

import torch
from jaxtyping import Bool, Float
from torch import Tensor

__all__ = ["Memory"]


class Memory(NamedTuple):
    """The steps of a source, ready to be looked up: made once by ``attention.memory(…)``, used at every step.

    Attributes:
        keys: What queries are scored against, of shape (batch, source, key): the values, projected if the attention
            has a projection for them.
        values: What is averaged, of shape (batch, source, value); zero at padding.
        mask: True at the source's own steps, False at padding, of shape (batch, source).

    Example:
        >>> import torch
        >>> from rnncourse.attention import DotAttention
        >>> memory = DotAttention(4).memory(torch.ones(2, 3, 4), torch.tensor([3, 1]))
        >>> memory.mask
        tensor([[ True,  True,  True],
                [ True, False, False]])
    """

    keys: Float[Tensor, "batch source key"]
    values: Float[Tensor, "batch source value"]
    mask: Bool[Tensor, "batch source"]


torch.serialization.add_safe_globals([Memory])  # for torch.load(…, weights_only=True)
