"""Attention after the recurrent layer: all steps at once when the target is known."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from rnncourse.attention import Attention
from rnncourse.checks import check_flag, check_kind, check_layer, check_positive
from rnncourse.seq2seq.attentive import AttentionDecoder, DecoderState
from rnncourse.unroll import unroll

__all__ = ["LuongDecoder"]


class LuongDecoder(AttentionDecoder):
    r"""Takes a recurrent step first, then looks into the source, then speaks.

    .. math::

        h_t, s_t &= \mathrm{layer}(E_{y_{t-1}}, s_{t-1}) \\
        c_t &= \mathrm{attention}(h_t, \text{source}) \\
        \tilde h_t &= \tanh(W_c [c_t, h_t] + b_c), \qquad
        p(y_t \mid y_1, \dots, y_{t-1}, x) = \mathrm{softmax}(V \tilde h_t + b_y)

    where :math:`y_t` is the target's token at step t, E the embedding, :math:`h_t` the layer's output and :math:`s_t`
    its state, :math:`c_t` the context, :math:`\tilde h_t` the attentional vector, and :math:`W_c, b_c` are
    ``combine``'s.

    The recurrence does not hear of the context. So, given the whole target, the layer reads all steps in one pass, all
    steps look up in one product, and no loop is left. With ``input_feeding`` it does hear: the layer reads
    :math:`[E_{y_{t-1}}, \tilde h_{t-1}]`, with :math:`\tilde h_0 = 0`, and the steps must be taken one by one.

    Args:
        layer: Any layer of the grammar that reads forward; its ``input_size`` is the size of the embedding, and of
            :math:`\tilde h` beside it with input feeding.
        vocab_size: How many tokens there are.
        attention: What looks into the source; its ``query_size`` is the layer's ``output_size``.
        attentional_size: Features of :math:`\tilde h`; the layer's ``output_size`` if not given.
        input_feeding: Whether the layer reads the attentional vector of the step before.
        dropout: The probability of dropout on embeddings and on what is read out.
        tie_weights: Whether the readout's matrix is the embedding's: one vector for a word, read and written. Then
            the attentional vector is as wide as the embedding.

    Raises:
        ValueError: If a part is none, the layer reads from both ends, or sizes do not fit together.

    Source: Luong, Pham and Manning (2015), from secondary sources; there :math:`W_c` and V come without biases.

    Example:
        >>> from rnncourse.attention import DotAttention
        >>> from rnncourse.cells import GRUCell
        >>> from rnncourse.layers import Recurrent
        >>> decoder = LuongDecoder(Recurrent(GRUCell(8, 16)), 27, DotAttention(16))
        >>> state = decoder.start(torch.zeros(2, 16), torch.randn(2, 7, 16), torch.tensor([7, 4]))
        >>> trace, state = decoder.trace(torch.ones(2, 5, dtype=torch.long), state)
        >>> trace.logits.shape, trace.weights.shape
        (torch.Size([2, 5, 27]), torch.Size([2, 5, 7]))
    """

    def __init__(
        self,
        layer: nn.Module,
        vocab_size: int,
        attention: Attention,
        *,
        attentional_size: int | None = None,
        input_feeding: bool = False,
        dropout: float = 0.0,
        tie_weights: bool = False,
    ) -> None:
        check_layer("layer", layer)
        check_kind("attention", attention, Attention)
        check_flag("input_feeding", input_feeding)
        check_flag("tie_weights", tie_weights)
        size = layer.output_size if attentional_size is None else attentional_size
        check_positive("attentional_size", size)
        if attention.query_size != layer.output_size:
            raise ValueError(
                f"attention has query size {attention.query_size}; it should be {layer.output_size}, the layer's "
                "output size"
            )
        beside = size if input_feeding else 0
        if tie_weights and size != layer.input_size - beside:
            raise ValueError(
                f"attentional_size is {size}; with tie_weights it should be {layer.input_size - beside}, the size of "
                "the embedding"
            )
        super().__init__(layer, vocab_size, attention, beside=beside, read_size=size, dropout=dropout)
        self.input_feeding = input_feeding
        self.combine = nn.Linear(attention.value_size + layer.output_size, size)
        if tie_weights:
            self.readout.weight = self.embedding.weight

    def start(self, state, outputs, lengths=None) -> DecoderState:
        """The state before the first step; see :meth:`~rnncourse.seq2seq.attentive.AttentionDecoder.start`."""
        start = super().start(state, outputs, lengths)
        if self.input_feeding:
            start = start._replace(fed=outputs.new_zeros(len(outputs), self.combine.out_features))
        return start

    def steps(self, embedded: Tensor, state: DecoderState) -> tuple[tuple[Tensor, Tensor], DecoderState]:
        """The equations above: in one pass, or with input feeding one by one."""
        if not self.input_feeding:
            h, layer_state = self.layer(embedded, state.layer)
            return self._look(h, state), state._replace(layer=layer_state)

        def step(x_t, carried):
            layer_state, fed = carried
            h_t, layer_state = self.layer(torch.cat([x_t, fed], -1)[:, None], layer_state)
            attentional, weights = self._look(h_t, state)
            return (attentional[:, 0], weights[:, 0]), (layer_state, attentional[:, 0])

        read, (layer_state, fed) = unroll(step, embedded, (state.layer, state.fed))
        return read, state._replace(layer=layer_state, fed=fed)

    def _look(self, h: Tensor, state: DecoderState) -> tuple[Tensor, Tensor]:
        """The attentional vectors of these outputs, and the weights."""
        context, weights = self.attention(h, state.memory)
        return torch.tanh(self.combine(torch.cat([context, h], -1))), weights
