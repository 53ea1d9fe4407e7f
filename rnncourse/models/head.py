"""What the models that read a sequence share: tokens or vectors in, a layer over time, a readout."""

from typing import Any

from torch import Tensor, nn

from rnncourse.checks import check_layer, check_positive, check_probability
from rnncourse.models.tokens import check_tokens

__all__ = ["SequenceHead"]


class SequenceHead(nn.Module):
    """A layer between an embedding, where tokens are given, and a readout with dropout before it.

    Args:
        layer: Any layer of the grammar.
        readout_size: How many numbers the readout puts out.
        vocab_size: When given, inputs are tokens and are embedded at the layer's ``input_size``.
        dropout: Share of what is read out that is dropped in training, from 0 to 1.

    Raises:
        ValueError: If ``layer`` is none, or a size or share makes no sense.
    """

    def __init__(self, layer: nn.Module, readout_size: int, *, vocab_size: int | None, dropout: float):
        super().__init__()
        check_layer("layer", layer)
        check_probability("dropout", dropout)
        if vocab_size is not None:
            check_positive("vocab_size", vocab_size)
        self.embedding = nn.Identity() if vocab_size is None else nn.Embedding(vocab_size, layer.input_size)
        self.layer = layer
        self.dropout = nn.Dropout(dropout)
        self.readout = nn.Linear(layer.output_size, readout_size)
        self.vocab_size = vocab_size

    def outputs(self, x: Tensor, state: Any, lengths: Tensor | None) -> tuple[Tensor, Any]:
        """Returns the layer's outputs and state, before any readout.

        Args:
            x: Tokens (batch, time) where a ``vocab_size`` was given, otherwise real vectors (batch, time, input).
            state: The state before the first step; None starts afresh.
            lengths: How many steps of each sequence are real; None stands for all.

        Returns:
            The outputs of shape (batch, time, features); and the state.
        """
        if self.vocab_size is not None:
            check_tokens("x", x, self.vocab_size)
        return self.layer(self.embedding(x), state, lengths)
