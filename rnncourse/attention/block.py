"""One block of a Transformer decoder."""

from __future__ import annotations

from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.nn import functional as F

from rnncourse.attention.self_attention import KeyValues, SelfAttention, check_reading
from rnncourse.checks import check_positive

__all__ = ["Block"]


class Block(nn.Module):
    r"""Self-attention, then a feedforward network on each step; each reads a normalised input and adds to it.

    .. math::

        z = x + \mathrm{attention}(\mathrm{norm}_1(x)), \qquad
        y = z + W_2 \, \mathrm{gelu}(W_1 \, \mathrm{norm}_2(z) + b_1) + b_2

    where :math:`W_1, b_1` are ``linear1``'s and :math:`W_2, b_2` are ``linear2``'s. Names, shapes and initialisation
    are those of ``torch.nn.TransformerEncoderLayer(…, norm_first=True, activation="gelu", batch_first=True)``, whose
    ``state_dict`` loads; under a causal mask it computes the same.

    Args:
        d_model: Features of a step.
        nhead: Heads of the attention.
        dim_feedforward: Units between the two maps.
        dropout: The probability of dropout, in the four places where PyTorch's layer has it.
        implementation: See :class:`~rnncourse.attention.self_attention.SelfAttention`.

    Raises:
        ValueError: If a size, probability or choice makes no sense.

    Source: Vaswani et al. (2017), normalised before each part as in Radford et al. (2019); from secondary sources.

    Example:
        >>> import torch
        >>> block = Block(8, 2, 16)
        >>> outputs, state = block(torch.randn(1, 5, 8), block.initial_state(1))
        >>> outputs.shape, state.keys.shape
        (torch.Size([1, 5, 8]), torch.Size([1, 2, 5, 4]))
    """

    def __init__(
        self, d_model: int, nhead: int, dim_feedforward: int, *, dropout: float = 0.0, implementation: str = "fused"
    ) -> None:
        super().__init__()
        check_positive("d_model", d_model)
        check_positive("nhead", nhead)
        check_positive("dim_feedforward", dim_feedforward)
        self.self_attn = SelfAttention(d_model, nhead, dropout=dropout, implementation=implementation)
        self.linear1 = nn.Linear(d_model, dim_feedforward)
        self.dropout = nn.Dropout(dropout)
        self.linear2 = nn.Linear(dim_feedforward, d_model)
        self.norm1 = nn.LayerNorm(d_model)
        self.norm2 = nn.LayerNorm(d_model)
        self.dropout1 = nn.Dropout(dropout)
        self.dropout2 = nn.Dropout(dropout)

    def initial_state(self, batch_size: int) -> KeyValues:
        """The cache before the first step: empty."""
        return self.self_attn.initial_state(batch_size)

    def forward(
        self,
        inputs: Float[Tensor, "batch time model"],
        state: KeyValues,
        mask: Bool[Tensor, "batch time key"] | None = None,
    ) -> tuple[Float[Tensor, "batch time model"], KeyValues]:
        """Read on.

        Args:
            inputs: The steps that follow those in the cache.
            state: The cache.
            mask: Which steps, those of the cache first, each input may look at; those up to its own if not given.

        Returns:
            The block's outputs, and the cache with the new keys and values.
        """
        check_reading(inputs, state, mask, self.self_attn.embed_dim)
        looked_up, state = self.self_attn(self.norm1(inputs), state, mask)
        z = inputs + self.dropout1(looked_up)
        return z + self.dropout2(self.linear2(self.dropout(F.gelu(self.linear1(self.norm2(z)))))), state
