"""Attention before the recurrent layer: where to look is decided before the step is taken."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from rnncourse.attention import Attention
from rnncourse.checks import check_kind, check_layer
from rnncourse.seq2seq.attentive import AttentionDecoder, DecoderState
from rnncourse.unroll import unroll

__all__ = ["BahdanauDecoder"]


class BahdanauDecoder(AttentionDecoder):
    r"""Looks into the source first, asking with the state of the step before; then takes a recurrent step; then speaks.

    .. math::

        c_t &= \mathrm{attention}(h_{t-1}, \text{source}) \\
        y'_t, s_t &= \mathrm{layer}([E_{y_{t-1}}, c_t], s_{t-1}) \\
        p(y_t \mid y_1, \dots, y_{t-1}, x) &= \mathrm{softmax}(V [y'_t, c_t, E_{y_{t-1}}] + b_y)

    where :math:`y_t` is the target's token at step t, E the embedding, :math:`h_{t-1}` the hidden state of the topmost
    cell, :math:`c_t` the context, :math:`y'_t` the layer's output and :math:`s_t` its state.

    Where step t looks hangs on the state after step t − 1, so the steps are taken one by one, also when the target is
    known; :class:`~rnncourse.seq2seq.luong.LuongDecoder` can do without the loop.

    Args:
        layer: Any layer of the grammar that reads forward; its ``input_size`` is the size of the embedding plus the
            attention's ``value_size``.
        vocab_size: How many tokens there are.
        attention: What looks into the source; its ``query_size`` is the size of the topmost cell's hidden state.
        dropout: The probability of dropout on embeddings and on what is read out.

    Raises:
        ValueError: If a part is none, the layer reads from both ends, or sizes do not fit together.

    Source: Bahdanau, Cho and Bengio (2015), from secondary sources; there the readout has a maxout layer in between.

    Example:
        >>> from rnncourse.attention import AdditiveAttention
        >>> from rnncourse.cells import GRUCell
        >>> from rnncourse.layers import Recurrent
        >>> decoder = BahdanauDecoder(Recurrent(GRUCell(8 + 6, 16)), 27, AdditiveAttention(16, 6, 10))
        >>> state = decoder.start(torch.zeros(2, 16), torch.randn(2, 7, 6), torch.tensor([7, 4]))
        >>> trace, state = decoder.trace(torch.ones(2, 5, dtype=torch.long), state)
        >>> trace.logits.shape, trace.weights.shape
        (torch.Size([2, 5, 27]), torch.Size([2, 5, 7]))
    """

    def __init__(self, layer: nn.Module, vocab_size: int, attention: Attention, *, dropout: float = 0.0) -> None:
        check_layer("layer", layer)
        check_kind("attention", attention, Attention)
        hidden = layer.top_hidden(layer.initial_state(1)).shape[-1]
        if attention.query_size != hidden:
            raise ValueError(
                f"attention has query size {attention.query_size}; it should be {hidden}, the size of the hidden state"
            )
        embedding_size = layer.input_size - attention.value_size
        read_size = layer.output_size + attention.value_size + embedding_size
        super().__init__(
            layer, vocab_size, attention, beside=attention.value_size, read_size=read_size, dropout=dropout
        )

    def steps(self, embedded: Tensor, state: DecoderState) -> tuple[tuple[Tensor, Tensor], DecoderState]:
        """The equations above, one by one."""

        def step(x_t, layer_state):
            query = self.layer.top_hidden(layer_state)[:, None]
            context, weights = self.attention(query, state.memory)
            context, weights = context[:, 0], weights[:, 0]
            output, layer_state = self.layer(torch.cat([x_t, context], -1)[:, None], layer_state)
            return (torch.cat([output[:, 0], context, x_t], -1), weights), layer_state

        read, layer_state = unroll(step, embedded, state.layer)
        return read, state._replace(layer=layer_state)
