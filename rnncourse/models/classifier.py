"""A model that reads a whole sequence before it speaks."""

from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from rnncourse.checks import check_choice, check_positive
from rnncourse.models.head import SequenceHead

__all__ = ["SequenceClassifier"]


class SequenceClassifier(SequenceHead):
    r"""Reads a whole sequence, then says one thing about it.

    .. math:: y = V \, r(h_1, \dots, h_T) + b_y

    where r reads either the output at the sequence's own end (``"last"``; a layer that also reads backwards ends at
    the first step) or the mean over its own steps (``"mean"``).

    Args:
        layer: Any layer of the grammar.
        num_classes: How many scores, ≥ 1 (one for a regression).
        vocab_size: When given, inputs are tokens and are embedded at the layer's ``input_size``.
        read: "last" or "mean".
        dropout: Share of what is read that is dropped in training, from 0 to 1.

    Raises:
        ValueError: If ``layer`` is none, or a size, share or choice makes no sense.

    Example:
        >>> from rnncourse.cells import RNNCell
        >>> from rnncourse.layers import Recurrent
        >>> model = SequenceClassifier(Recurrent(RNNCell(4, 8)), 3, vocab_size=10)
        >>> logits, state = model(torch.ones(2, 6, dtype=torch.long), lengths=torch.tensor([6, 4]))
        >>> logits.shape
        torch.Size([2, 3])
    """

    def __init__(
        self,
        layer: nn.Module,
        num_classes: int,
        *,
        vocab_size: int | None = None,
        read: str = "last",
        dropout: float = 0.0,
    ):
        check_positive("num_classes", num_classes)
        check_choice("read", read, ["last", "mean"])
        super().__init__(layer, num_classes, vocab_size=vocab_size, dropout=dropout)
        self.read = read

    def forward(
        self, x: Tensor, state: Any = None, lengths: Int[Tensor, " batch"] | None = None
    ) -> tuple[Float[Tensor, "batch classes"], Any]:
        """Returns the scores of each sequence, and the state at its end.

        Args:
            x: Tokens (batch, time) where a ``vocab_size`` was given, otherwise real vectors (batch, time, input).
            state: The state before the first step; None starts afresh.
            lengths: How many steps of each sequence are real; by default all.

        Returns:
            logits of shape (batch, num_classes); and the state.
        """
        outputs, state = self.outputs(x, state, lengths)
        if lengths is not None:
            lengths = lengths.to(outputs.device)
        read = _mean_output(outputs, lengths) if self.read == "mean" else self.layer.last_output(outputs, lengths)
        return self.readout(self.dropout(read)), state


def _mean_output(outputs: Tensor, lengths: Tensor | None) -> Tensor:
    if lengths is None:
        return outputs.mean(1)
    real = torch.arange(outputs.shape[1], device=outputs.device) < lengths.unsqueeze(1)  # (batch, time)
    return (outputs * real.unsqueeze(-1)).sum(1) / lengths.unsqueeze(1)
