"""What writes the target, from the encoder's final state alone."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from rnncourse.models import LanguageModel

__all__ = ["Decoder"]


class Decoder(LanguageModel):
    r"""Writes a target from the encoder's final state: a language model whose state does not begin at zero.

    .. math::

        h_t, s_t = \mathrm{layer}(E_{y_{t-1}}, s_{t-1}), \qquad
        p(y_t \mid y_1, \dots, y_{t-1}, x) = \mathrm{softmax}(V h_t + b_y), \qquad s_0 = \mathrm{bridge}(\bar s_S)

    where :math:`y_t` is the target's token at step t, :math:`y_0` the begin mark, E the embedding, :math:`s_t` the
    state, and :math:`\bar s_S` the encoder's final state: all that this decoder ever learns of the source :math:`x`.
    Given the whole target it reads all steps in one pass.

    Args:
        layer: Any layer of the grammar that reads forward.
        vocab_size: How many tokens there are.
        one_hot: See :class:`~rnncourse.models.language_model.LanguageModel`.
        dropout: See :class:`~rnncourse.models.language_model.LanguageModel`.
        tie_weights: See :class:`~rnncourse.models.language_model.LanguageModel`.

    Raises:
        ValueError: If ``layer`` is none or reads from both ends, or sizes do not fit together.

    Source: Sutskever, Vinyals and Le (2014), from secondary sources.

    Example:
        >>> import torch
        >>> from rnncourse.cells import GRUCell
        >>> from rnncourse.layers import Recurrent
        >>> decoder = Decoder(Recurrent(GRUCell(8, 16)), vocab_size=27)
        >>> logits, state = decoder(torch.ones(2, 5, dtype=torch.long), torch.zeros(2, 16))
        >>> logits.shape
        torch.Size([2, 5, 27])
    """

    def __init__(self, layer: nn.Module, vocab_size: int, **options: Any) -> None:
        super().__init__(layer, vocab_size, **options)

    def start(self, state: Any, outputs: Tensor, lengths: Tensor | None = None) -> Any:
        """The state before the first step.

        Args:
            state: What the bridge made of the encoder's final state.
            outputs: The encoder's outputs; this decoder does not look at them.
            lengths: The sources' lengths.

        Returns:
            The state that was given.
        """
        return state
