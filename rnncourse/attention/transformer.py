"""A small Transformer decoder: blocks of causal self-attention, one upon another, as a layer of the grammar."""

from __future__ import annotations

from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from rnncourse.attention.block import Block
from rnncourse.attention.positions import LearnedPositions, SinusoidalPositions
from rnncourse.attention.self_attention import KeyValues, causal_mask
from rnncourse.checks import check_choice, check_kind, check_lengths, check_positive, check_shape
from rnncourse.unroll import padding_mask

__all__ = ["CausalTransformer", "TransformerState"]


class TransformerState(NamedTuple):
    """What a Transformer carries: all that it has read. Unlike a recurrent state it grows with every step.

    Attributes:
        blocks: The cache of each block, lowest first.
        real: True at the steps in the caches that were real, False at padding, of shape (batch, time).
    """

    blocks: tuple[KeyValues, ...]
    real: Bool[Tensor, "batch time"]


torch.serialization.add_safe_globals([TransformerState])  # for torch.load(…, weights_only=True)


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
