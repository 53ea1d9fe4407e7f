"""A model of which token comes next."""

from typing import Any

from jaxtyping import Float, Int
from torch import Tensor, nn

from rnncourse.checks import check_flag, check_layer, check_one_way, check_positive, check_probability
from rnncourse.models.tokens import OneHot, check_tokens

__all__ = ["LanguageModel"]


class LanguageModel(nn.Module):
    r"""Predicts each next token from all the tokens before it.

    .. math::
       x_t = E_{w_t}, \qquad h_t, s_t = \mathrm{layer}(x_t, s_{t-1}), \qquad y_t = V h_t + b_y

    .. math:: p(w_{t+1} = k \mid w_1, \dots, w_t) = \mathrm{softmax}(y_t)_k

    where :math:`w_t` is the token at time t, E the embedding (a row for each token), :math:`h_t` the layer's output,
    :math:`s_t` its state, V and :math:`b_y` the readout, and :math:`y_t` the scores (logits). The form is that of
    Bengio et al. (2003) and, with a recurrent layer, of Mikolov et al. (2010); both from secondary sources.

    Args:
        layer: Any layer of the grammar that reads forward; its ``input_size`` is the size of the embedding.
        vocab_size: How many tokens there are, ≥ 1.
        one_hot: Feed unit vectors in place of embeddings (then ``layer.input_size`` must be ``vocab_size``).
        dropout: Share of the embedding's and of the layer's outputs dropped in training, from 0 to 1.
        tie_weights: Use the embedding matrix as readout matrix too (needs ``layer.input_size`` =
            ``layer.output_size``; Press and Wolf 2017).

    Raises:
        ValueError: If ``layer`` is none, or reads from both ends, where it would see what it is to predict; or if sizes
            do not fit together.

    Example:
        >>> import torch
        >>> from rnncourse.cells import RNNCell
        >>> from rnncourse.layers import Recurrent
        >>> model = LanguageModel(Recurrent(RNNCell(8, 16)), vocab_size=27)
        >>> logits, state = model(torch.zeros(4, 10, dtype=torch.long))
        >>> logits.shape, state.shape
        (torch.Size([4, 10, 27]), torch.Size([4, 16]))
    """

    def __init__(
        self,
        layer: nn.Module,
        vocab_size: int,
        *,
        one_hot: bool = False,
        dropout: float = 0.0,
        tie_weights: bool = False,
    ):
        super().__init__()
        check_layer("layer", layer)
        check_one_way("layer", layer)
        check_positive("vocab_size", vocab_size)
        check_probability("dropout", dropout)
        check_flag("one_hot", one_hot)
        check_flag("tie_weights", tie_weights)
        if one_hot and layer.input_size != vocab_size:
            raise ValueError(
                f"layer.input_size is {layer.input_size}; with one_hot=True it should be vocab_size = {vocab_size}"
            )
        if tie_weights and (one_hot or layer.input_size != layer.output_size):
            raise ValueError(
                f"tie_weights needs an embedding as wide as the layer's output; input_size is {layer.input_size}, "
                f"output_size is {layer.output_size}, one_hot is {one_hot}"
            )
        self.embedding = OneHot(vocab_size) if one_hot else nn.Embedding(vocab_size, layer.input_size)
        self.layer = layer
        self.dropout = nn.Dropout(dropout)
        self.readout = nn.Linear(layer.output_size, vocab_size)
        if tie_weights:
            self.readout.weight = self.embedding.weight
        self.vocab_size = vocab_size

    def forward(
        self, tokens: Int[Tensor, "batch time"], state: Any = None
    ) -> tuple[Float[Tensor, "batch time vocab"], Any]:
        """Returns the scores of each next token, and the state after the last one.

        Args:
            tokens: Indices from 0 to vocab_size - 1, shape (batch, time).
            state: What the layer carried out of the text before; None starts afresh.

        Returns:
            logits of shape (batch, time, vocab_size), where ``logits[:, t]`` is about token t + 1; and the state.

        Raises:
            ValueError: If tokens are not integers of two axes within the vocabulary.
        """
        check_tokens("tokens", tokens, self.vocab_size)
        output, state = self.layer(self.dropout(self.embedding(tokens)), state)
        return self.readout(self.dropout(output)), state
