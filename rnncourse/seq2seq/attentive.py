"""What decoders with attention share: the memory is part of their state, so that a step needs nothing else."""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from rnncourse.attention import Attention, Memory
from rnncourse.checks import check_kind, check_layer, check_one_way, check_positive, check_probability, check_shape
from rnncourse.models.tokens import check_tokens

__all__ = ["AttentionDecoder", "DecoderState", "DecoderTrace"]


class DecoderState(NamedTuple):
    """What a decoder with attention carries from step to step.

    Attributes:
        layer: The recurrent layer's state.
        memory: The encoder's outputs with their keys, the same at every step.
        fed: The attentional vector of the step before, of shape (batch, attentional), where it is fed into the next
            one; an empty tuple elsewhere.
    """

    layer: Any
    memory: Memory
    fed: Any = ()


class DecoderTrace(NamedTuple):
    """A decoder's steps, opened.

    Attributes:
        logits: The scores of each next token, of shape (batch, time, vocab).
        weights: Where each step looked, of shape (batch, time, source): zero at padding.
    """

    logits: Float[Tensor, "batch time vocab"]
    weights: Float[Tensor, "batch time source"]


torch.serialization.add_safe_globals([DecoderState, DecoderTrace])  # for torch.load(…, weights_only=True)


class AttentionDecoder(nn.Module):
    """A decoder that looks into the source at every step; subclasses say where in the step (``steps``).

    Args:
        layer: Any layer of the grammar that reads forward.
        vocab_size: How many tokens there are.
        attention: What looks into the source; its queries are the layer's.
        beside: Features that the layer reads beside the embedding, whose size is the rest of its ``input_size``.
        read_size: Features that the readout reads.
        dropout: The probability with which, in training, a feature of an embedding or of what is read out is zeroed.

    Raises:
        ValueError: If a part is none, the layer reads from both ends, or sizes do not fit together.
    """

    def __init__(
        self, layer: nn.Module, vocab_size: int, attention: Attention, *, beside: int, read_size: int, dropout: float
    ) -> None:
        super().__init__()
        check_layer("layer", layer)
        check_one_way("layer", layer)
        check_positive("vocab_size", vocab_size)
        check_kind("attention", attention, Attention)
        check_probability("dropout", dropout)
        if layer.input_size <= beside:
            raise ValueError(
                f"layer has input size {layer.input_size}; it should be more than {beside}, which it reads beside the "
                "embedding"
            )
        self.vocab_size = vocab_size
        self.embedding = nn.Embedding(vocab_size, layer.input_size - beside)
        self.layer = layer
        self.attention = attention
        self.dropout = nn.Dropout(dropout)
        self.readout = nn.Linear(read_size, vocab_size)

    def start(
        self,
        state: Any,
        outputs: Float[Tensor, "batch source value"],
        lengths: Int[Tensor, "batch"] | None = None,
    ) -> DecoderState:
        """The state before the first step.

        Args:
            state: The recurrent layer's: what the bridge made of the encoder's final state.
            outputs: The encoder's outputs, which will be looked up.
            lengths: The sources' lengths.

        Returns:
            The state, with the keys projected once for all steps to come.

        Raises:
            ValueError: If the outputs or lengths do not fit the attention.
        """
        check_shape("outputs", outputs, batch=None, source=None, features=self.attention.value_size)
        return DecoderState(state, self.attention.memory(outputs, lengths))

    def steps(self, embedded: Tensor, state: DecoderState) -> tuple[tuple[Tensor, Tensor], DecoderState]:
        """Features to read out (batch, time, read), weights (batch, time, source), and the state after the steps."""
        raise NotImplementedError(f"{type(self).__name__}: a decoder with attention should say its steps")

    def trace(self, tokens: Int[Tensor, "batch time"], state: DecoderState) -> tuple[DecoderTrace, DecoderState]:
        """Read tokens with the attention's weights beside the logits.

        Args:
            tokens: The tokens before each step.
            state: The state that the step before left; at first what :meth:`start` returned.

        Returns:
            Logits and weights, and the state after the last step.

        Raises:
            ValueError: If the tokens are none of the vocabulary, or the state is none or does not fit them.
        """
        check_tokens("tokens", tokens, self.vocab_size)
        check_kind("state", state, DecoderState)
        if len(tokens) != len(state.memory.values):
            raise ValueError(f"tokens has {len(tokens)} rows; it should have {len(state.memory.values)}, the state's")
        (features, weights), state = self.steps(self.dropout(self.embedding(tokens)), state)
        return DecoderTrace(self.readout(self.dropout(features)), weights), state

    def forward(
        self, tokens: Int[Tensor, "batch time"], state: DecoderState
    ) -> tuple[Float[Tensor, "batch time vocab"], DecoderState]:
        """Read tokens, predicting after each the one that comes next.

        Args:
            tokens: The tokens before each step.
            state: The state that the step before left; at first what :meth:`start` returned.

        Returns:
            The scores of each next token, and the state after the last step.

        Raises:
            ValueError: If the tokens are none of the vocabulary, or the state is none or does not fit them.
        """
        trace, state = self.trace(tokens, state)
        return trace.logits, state
