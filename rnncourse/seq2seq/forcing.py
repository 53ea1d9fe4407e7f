"""Teacher forcing: what a decoder is given while it learns, the true token or its own."""

from __future__ import annotations

from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from rnncourse.checks import check_probability
from rnncourse.models.tokens import check_tokens

__all__ = ["teacher_forced"]


def teacher_forced(
    decoder: nn.Module,
    targets: Int[Tensor, "batch time"],
    state: Any,
    *,
    ratio: float | int = 1.0,
    generator: torch.Generator | None = None,
) -> tuple[Float[Tensor, "batch steps vocab"], Any]:
    r"""Lets a decoder predict each token of known targets from what came before it.

    .. math:: \text{input}_t = y_t \text{ with probability } \rho, \text{ else } \arg\max_k \text{logits}_{t-1, k}

    where :math:`y_t` is the true token, with :math:`y_0` the begin mark, which is always given, and :math:`\rho` is
    the ratio; each sequence throws a coin of its own at each step. With a ratio of 1 all inputs are known beforehand
    and the decoder reads them in one call. Below 1 the steps are taken one by one. No gradient flows through the
    choice of a token.

    Args:
        decoder: Anything that says ``logits, state = decoder(tokens, state)``.
        targets: The targets, each from its begin mark to its end mark, padded at the end.
        state: The decoder's state before its first step.
        ratio: How often the true token is given, from 0 (never but at the start) to 1 (always).
        generator: The source of randomness; by default torch's global one.

    Returns:
        Logits, where ``logits[:, t]`` is about ``targets[:, t + 1]``: one step fewer than the targets. What stands at a
        target's padding means nothing, and what the padding holds has no influence on what comes before it. And the
        decoder's state after the last step, padding included.

    Raises:
        ValueError: If the targets are no tokens or have fewer than two steps, or the ratio is no probability.

    Source: Williams and Zipser (1989) for the forcing, Bengio et al. (2015) for the ratio (scheduled sampling); from
    secondary sources.

    Example:
        >>> from rnncourse.cells import GRUCell
        >>> from rnncourse.layers import Recurrent
        >>> from rnncourse.seq2seq import Decoder
        >>> decoder = Decoder(Recurrent(GRUCell(8, 16)), vocab_size=27)
        >>> targets = torch.tensor([[1, 5, 6, 2], [1, 7, 2, 0]])
        >>> logits, state = teacher_forced(decoder, targets, torch.zeros(2, 16), ratio=0.5)
        >>> logits.shape
        torch.Size([2, 3, 27])
    """
    if not callable(decoder) or not hasattr(decoder, "vocab_size"):
        raise ValueError(f"decoder is a {type(decoder).__name__}; it should be a decoder or language model")
    check_probability("ratio", ratio)
    check_tokens("targets", targets, decoder.vocab_size)
    if targets.shape[1] < 2:
        raise ValueError(f"targets has {targets.shape[1]} step; it should have a begin mark and a token to predict")
    if ratio == 1:
        return decoder(targets[:, :-1], state)
    logits = []
    token = targets[:, :1]
    for t in range(1, targets.shape[1]):
        scores, state = decoder(token, state)
        logits.append(scores)
        forced = torch.rand(len(targets), 1, generator=generator) < ratio
        token = torch.where(forced.to(targets.device), targets[:, t : t + 1], scores.detach().argmax(-1))
    return torch.cat(logits, 1), state
