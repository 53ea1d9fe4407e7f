"""A small Transformer decoder: blocks of causal self-attention, as a layer of the grammar."""

from __future__ import annotations

from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from torch.nn import functional as F

from rnncourse.attention.positions import LearnedPositions, SinusoidalPositions
from rnncourse.attention.self_attention import KeyValues, SelfAttention, causal_mask
from rnncourse.checks import check_choice, check_kind, check_lengths, check_positive, check_shape
from rnncourse.unroll import padding_mask

__all__ = ["Block", "CausalTransformer", "TransformerState"]


class TransformerState(NamedTuple):
    """What a Transformer carries: all that it has read. Unlike a recurrent state it grows with every step.

    Attributes:
        blocks: The cache of each block, lowest first.
        real: True at the steps in the caches that were real, False at padding, of shape (batch, time).
    """

    blocks: tuple[KeyValues, ...]
    real: Bool[Tensor, "batch time"]


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
        >>> block = Block(8, 2, 16)
        >>> outputs, state = block(torch.randn(1, 5, 8), block.initial_state(1))
        >>> outputs.shape, state.keys.shape
        (torch.Size([1, 5, 8]), torch.Size([1, 2, 5, 4]))
    """

    def __init__(
        self, d_model: int, nhead: int, dim_feedforward: int, *, dropout: float = 0.0, implementation: str = "fused"
    ) -> None:
        super().__init__()
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
        looked_up, state = self.self_attn(self.norm1(inputs), state, mask)
        z = inputs + self.dropout1(looked_up)
        return z + self.dropout2(self.linear2(self.dropout(F.gelu(self.linear1(self.norm2(z)))))), state


class CausalTransformer(nn.Module):
    r"""A Transformer decoder without an encoder: a layer of the grammar that can stand where a recurrent one stands.

    .. math::

        y^{(0)}_t = x_t + p_t, \qquad y^{(l)} = \mathrm{block}_l(y^{(l-1)}), \qquad y = \mathrm{norm}(y^{(L)})

    where :math:`x_t` is the input at step t, :math:`p_t` the vector of its place and :math:`L` the number of blocks.
    Each output hangs on the inputs up to its own step alone. The state is the cache of keys and values, so that reading
    on from a state equals reading everything at once: ``LanguageModel(CausalTransformer(…), vocab_size)`` is the usual
    Transformer language model, and ``logits, state = model(token, state)`` its step.

    Args:
        d_model: Features of a step, in and out.
        nhead: Heads of each attention, a divisor of ``d_model``.
        num_layers: How many blocks.
        dim_feedforward: Units of each feedforward network; four times ``d_model`` if not given.
        positions: ``"sinusoidal"``, without an end, or ``"learned"``, up to ``max_length`` steps.
        max_length: How many places learned positions have.
        dropout: The probability of dropout, after the positions and within the blocks.
        implementation: See :class:`~rnncourse.attention.self_attention.SelfAttention`.

    Raises:
        ValueError: If a size, probability or choice makes no sense, or learned positions come without a
            ``max_length``, or sinusoidal ones with it.

    Source: Vaswani et al. (2017); Radford et al. (2019) for the norms' place and the decoder alone; from secondary
    sources.

    Example:
        >>> from rnncourse.models import LanguageModel
        >>> model = LanguageModel(CausalTransformer(8, 2, num_layers=2), vocab_size=27)
        >>> logits, state = model(torch.zeros(1, 5, dtype=torch.long))
        >>> logits, state = model(torch.zeros(1, 1, dtype=torch.long), state)
        >>> logits.shape, state.real.shape
        (torch.Size([1, 1, 27]), torch.Size([1, 6]))
    """

    def __init__(
        self,
        d_model: int,
        nhead: int,
        *,
        num_layers: int = 1,
        dim_feedforward: int | None = None,
        positions: str = "sinusoidal",
        max_length: int | None = None,
        dropout: float = 0.0,
        implementation: str = "fused",
    ) -> None:
        super().__init__()
        check_positive("d_model", d_model)
        check_positive("num_layers", num_layers)
        check_choice("positions", positions, ("sinusoidal", "learned"))
        if (max_length is None) != (positions == "sinusoidal"):
            wanted = "a whole number with learned positions, and left out with sinusoidal ones"
            raise ValueError(f"max_length is {max_length} with positions={positions!r}; it should be {wanted}")
        width = 4 * d_model if dim_feedforward is None else dim_feedforward
        learned = positions == "learned"
        self.positions = LearnedPositions(d_model, max_length=max_length) if learned else SinusoidalPositions(d_model)
        self.layers = nn.ModuleList(
            Block(d_model, nhead, width, dropout=dropout, implementation=implementation) for _ in range(num_layers)
        )
        self.norm = nn.LayerNorm(d_model)
        self.dropout = nn.Dropout(dropout)
        self.d_model = d_model

    @property
    def input_size(self) -> int:
        """Features of one step's input."""
        return self.d_model

    @property
    def output_size(self) -> int:
        """Features of one step's output."""
        return self.d_model

    def initial_state(self, batch_size: int) -> TransformerState:
        """The state before the first step: empty caches."""
        blocks = tuple(block.initial_state(batch_size) for block in self.layers)
        return TransformerState(blocks, blocks[0].keys.new_zeros(batch_size, 0, dtype=torch.bool))

    def forward(
        self,
        inputs: Float[Tensor, "batch time input"],
        state: TransformerState | None = None,
        lengths: Int[Tensor, "batch"] | None = None,
    ) -> tuple[Float[Tensor, "batch time output"], TransformerState]:
        """Read sequences, or read on.

        Args:
            inputs: The sequences, or the steps that follow those in the state, padded to one number of steps.
            state: The caches so far; empty ones if not given.
            lengths: How many of these steps of each sequence are real; all if not given.

        Returns:
            The outputs, zero at padding; and the state, in which padding is never looked at.

        Raises:
            ValueError: If the inputs, the state or the lengths do not fit the layer or each other, or a step stands
                beyond the learned positions.
        """
        x, state, mask, real = self._start(inputs, state, lengths)
        caches = []
        for block, cache in zip(self.layers, state.blocks, strict=True):
            x, cache = block(x, cache, mask)
            caches.append(cache)
        outputs = self.norm(x)
        if lengths is not None:
            outputs = torch.where(real[..., None], outputs, torch.zeros_like(outputs))
        return outputs, TransformerState(tuple(caches), torch.cat([state.real, real], 1))

    def weights(
        self,
        inputs: Float[Tensor, "batch time input"],
        state: TransformerState | None = None,
        lengths: Int[Tensor, "batch"] | None = None,
    ) -> tuple[Float[Tensor, "batch heads time key"], ...]:
        """The weights of every block's attention.

        Args:
            inputs: As in :meth:`forward`.
            state: As in :meth:`forward`.
            lengths: As in :meth:`forward`.

        Returns:
            For each block, lowest first, a row of weights for each head and step.
        """
        x, state, mask, _ = self._start(inputs, state, lengths)
        weights = []
        for block, cache in zip(self.layers, state.blocks, strict=True):
            weights.append(block.self_attn.weights(block.norm1(x), cache, mask))
            x, _ = block(x, cache, mask)
        return tuple(weights)

    def _start(
        self, inputs: Tensor, state: TransformerState | None, lengths: Tensor | None
    ) -> tuple[Tensor, TransformerState, Tensor | None, Tensor]:
        """Refuse what does not fit; the first block's inputs, the state, who may look at whom, and what is real."""
        check_shape("inputs", inputs, like=self.norm.weight, batch=None, time=None, input=self.d_model)
        batch, time = inputs.shape[:2]
        if state is None:
            state = self.initial_state(batch)
        check_kind("state", state, TransformerState)
        if len(state.real) != batch or len(state.blocks) != len(self.layers):
            raise ValueError(
                f"state is of {len(state.real)} sequences and {len(state.blocks)} blocks; it should be of {batch} "
                f"sequences and {len(self.layers)} blocks"
            )
        if lengths is None:
            real = inputs.new_ones(batch, time, dtype=torch.bool)
        else:
            check_lengths(lengths, batch, time)
            real = padding_mask(lengths.to(inputs.device), time)
            inputs = torch.where(real[..., None], inputs, torch.zeros_like(inputs))
        seen = torch.cat([state.real, real], 1)
        places = (seen.cumsum(1)[:, -time:] - 1).clamp_min(0)  # padding is not counted
        # Without padding the attention knows whom each step may look at, and has a faster way.
        mask = None if bool(seen.all()) else causal_mask(seen, time)
        return self.dropout(inputs + self.positions(places)), state, mask, real
