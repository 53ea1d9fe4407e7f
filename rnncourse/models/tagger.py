"""A model that speaks at every step."""

from typing import Any

from jaxtyping import Float, Int
from torch import Tensor, nn

from rnncourse.checks import check_positive
from rnncourse.models.head import SequenceHead

__all__ = ["SequenceTagger"]


class SequenceTagger(SequenceHead):
    r"""Says something at every step of a sequence: a label (scores) or a number (regression).

    .. math:: h_t, s_t = \mathrm{layer}(x_t, s_{t-1}), \qquad y_t = V h_t + b_y

    where :math:`x_t` is the input (an embedding, where tokens are given), :math:`h_t` the layer's output, and V and
    :math:`b_y` the readout (sequence labelling in the terms of Graves 2012; from secondary sources).

    Args:
        layer: Any layer of the grammar.
        output_size: How many scores or numbers a step has, ≥ 1.
        vocab_size: When given, inputs are tokens and are embedded at the layer's ``input_size``.
        dropout: Share of the layer's outputs dropped in training, from 0 to 1.

    Raises:
        ValueError: If ``layer`` is none, or a size or share makes no sense.

    Example:
        >>> import torch
        >>> from rnncourse.cells import RNNCell
        >>> from rnncourse.layers import Recurrent
        >>> model = SequenceTagger(Recurrent(RNNCell(2, 8)), 1)                # one number a step
        >>> y, state = model(torch.zeros(3, 5, 2))
        >>> y.shape
        torch.Size([3, 5, 1])
    """

    def __init__(self, layer: nn.Module, output_size: int, *, vocab_size: int | None = None, dropout: float = 0.0):
        check_positive("output_size", output_size)
        super().__init__(layer, output_size, vocab_size=vocab_size, dropout=dropout)

    def forward(
        self, x: Tensor, state: Any = None, lengths: Int[Tensor, " batch"] | None = None
    ) -> tuple[Float[Tensor, "batch time output"], Any]:
        """Returns what is said at each step, and the state at each sequence's end.

        Args:
            x: Tokens (batch, time) where a ``vocab_size`` was given, otherwise real vectors (batch, time, input).
            state: The state before the first step; None starts afresh.
            lengths: How many steps of each sequence are real; by default all.

        Returns:
            y of shape (batch, time, output_size); what stands beyond a sequence's length means nothing.
        """
        outputs, state = self.outputs(x, state, lengths)
        return self.readout(self.dropout(outputs)), state
