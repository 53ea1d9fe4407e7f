"""What reads the source."""

from __future__ import annotations

from typing import Any

from jaxtyping import Float, Int
from torch import Tensor, nn

from rnncourse.checks import check_layer, check_positive, check_probability
from rnncourse.models.tokens import check_tokens

__all__ = ["Encoder"]


class Encoder(nn.Module):
    r"""Reads a sequence of tokens: an embedding and a layer over time.

    .. math:: x_s = E_{w_s}, \qquad \bar h_s, \bar s_s = \mathrm{layer}(x_s, \bar s_{s-1})

    where :math:`w_s` is the token at step s of the source, E the embedding, :math:`\bar h_s` the output, which an
    attention looks up, and :math:`\bar s_s` the state, whose last one is all that a decoder without attention gets.

    Args:
        layer: Any layer of the grammar, in one direction or two; its ``input_size`` is the size of the embedding.
        vocab_size: How many tokens there are.
        dropout: The probability with which, in training, a feature of an embedding or an output is zeroed.

    Raises:
        ValueError: If ``layer`` is none, or a size or probability makes no sense.

    Source: Sutskever, Vinyals and Le (2014); Cho et al. (2014); both from secondary sources.

    Example:
        >>> import torch
        >>> from rnncourse.cells import GRUCell
        >>> from rnncourse.layers import Stacked
        >>> encoder = Encoder(Stacked.of(GRUCell, 8, 16, bidirectional=True), vocab_size=27)
        >>> outputs, state = encoder(torch.ones(2, 5, dtype=torch.long), lengths=torch.tensor([5, 3]))
        >>> outputs.shape, state[0].forward.shape
        (torch.Size([2, 5, 32]), torch.Size([2, 16]))
    """

    def __init__(self, layer: nn.Module, vocab_size: int, *, dropout: float = 0.0) -> None:
        super().__init__()
        check_layer("layer", layer)
        check_positive("vocab_size", vocab_size)
        check_probability("dropout", dropout)
        self.vocab_size = vocab_size
        self.embedding = nn.Embedding(vocab_size, layer.input_size)
        self.layer = layer
        self.dropout = nn.Dropout(dropout)

    def forward(
        self, tokens: Int[Tensor, "batch time"], state: Any = None, lengths: Int[Tensor, "batch"] | None = None
    ) -> tuple[Float[Tensor, "batch time output"], Any]:
        """Read sources.

        Args:
            tokens: The sources, padded to one number of steps with any token of the vocabulary.
            state: The layer's state to start from; its initial state if not given.
            lengths: How many steps of each source are real; all if not given. What stands at the padding has no
                influence. A source that is nothing but padding has length 0, which is refused.

        Returns:
            The outputs, zero at padding, and the state at each source's own end.

        Raises:
            ValueError: If the tokens are none, or the state or the lengths do not fit.
        """
        check_tokens("tokens", tokens, self.vocab_size)
        outputs, state = self.layer(self.dropout(self.embedding(tokens)), state, lengths)
        return self.dropout(outputs), state
