"""What decoding returns."""

from __future__ import annotations

from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

__all__ = ["Hypotheses"]


class Hypotheses(NamedTuple):
    """Sequences that were written, the end mark included and what they began from left out.

    Greedy decoding and sampling write one for each sequence of the batch; beam search several, best first, and its
    tensors have an axis of them after the batch.

    Attributes:
        tokens: What was written, of shape (batch, time) or (batch, width, time), padded after the end.
        lengths: How many tokens are real, the end mark included, of shape (batch) or (batch, width).
        log_probabilities: The sum of the log-probabilities of the real tokens, in nats, of the same shape.
        finished: Whether the end mark was written, of the same shape; False where the greatest length cut it off.
    """

    tokens: Int[Tensor, "... time"]
    lengths: Int[Tensor, "..."]
    log_probabilities: Float[Tensor, "..."]
    finished: Bool[Tensor, "..."]

    def scores(self, length_penalty: float = 0.0) -> Tensor:
        r"""The log-probabilities, made comparable between lengths.

        .. math:: \mathrm{score}(y) = \frac{1}{n^{\alpha}} \sum_{t=1}^{n} \log p(y_t \mid y_1, \dots, y_{t-1})

        where :math:`n` is the length and :math:`\alpha` the penalty: with 0 it is the log-probability, which favours
        the short; with 1 the mean over the tokens.

        Args:
            length_penalty: The exponent, at least 0.

        Returns:
            Scores, of the shape of the log-probabilities.

        Example:
            >>> import torch
            >>> lengths, log_probabilities = torch.tensor([1, 4]), torch.tensor([-1.0, -2.0])
            >>> written = Hypotheses(torch.zeros(2, 4), lengths, log_probabilities, torch.ones(2).bool())
            >>> written.scores(0.0).tolist(), written.scores(1.0).tolist()
            ([-1.0, -2.0], [-1.0, -0.5])
        """
        return self.log_probabilities / self.lengths.clamp_min(1).to(self.log_probabilities) ** length_penalty

    def best(self) -> Hypotheses:
        """The first of each sentence's hypotheses.

        Returns:
            Hypotheses without the axis of the width.
        """
        return Hypotheses(*(part[:, 0] for part in self))


torch.serialization.add_safe_globals([Hypotheses])  # for torch.load(…, weights_only=True)
