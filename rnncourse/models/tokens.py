"""Tokens on their way into a model: are they tokens at all, and as unit vectors."""

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional as F

from rnncourse.checks import check_kind, check_positive

__all__ = ["OneHot", "check_tokens"]


class OneHot(nn.Module):
    r"""Turns each token into the unit vector of its place in the vocabulary.

    .. math:: x_t = e_{w_t}, \qquad E^\top e_w = E_w

    where :math:`w_t` is the token at time t and :math:`e_w` is all zeros but for a one at place w. Multiplying it by
    a matrix E picks out row w of E: an embedding is this layer followed by a linear map, without the zeros.

    Args:
        vocab_size: How many tokens there are, ≥ 1.

    Example:
        >>> OneHot(3)(torch.tensor([[2, 0]]))
        tensor([[[0., 0., 1.],
                 [1., 0., 0.]]])
    """

    def __init__(self, vocab_size: int):
        super().__init__()
        check_positive("vocab_size", vocab_size)
        self.num_embeddings = vocab_size
        self.register_buffer("like", torch.empty(0), persistent=False)  # follows the model's dtype and device

    def forward(self, tokens: Int[Tensor, "batch time"]) -> Float[Tensor, "batch time vocab"]:
        """Returns the unit vectors.

        Args:
            tokens: Indices from 0 to vocab_size - 1, shape (batch, time).

        Returns:
            Zeros and ones, shape (batch, time, vocab_size).
        """
        check_tokens("tokens", tokens, self.num_embeddings)
        return F.one_hot(tokens, self.num_embeddings).to(self.like.dtype)


def check_tokens(name: str, tokens: Tensor, vocab_size: int) -> None:
    """Refuse what is no batch of token indices within the vocabulary.

    Args:
        name: The argument's name, for the message.
        tokens: What was given.
        vocab_size: How many tokens there are.

    Raises:
        ValueError: If ``tokens`` is no tensor of integers with two axes, is empty, or an index is outside.

    Example:
        >>> check_tokens("prompt", torch.tensor([[7]]), 7)
        Traceback (most recent call last):
        ...
        ValueError: prompt holds 7; it should hold indices from 0 to 6
    """
    check_kind(name, tokens, Tensor)
    if tokens.dtype not in (torch.int64, torch.int32) or tokens.dim() != 2:
        raise ValueError(
            f"{name} has dtype {tokens.dtype} and shape {tuple(tokens.shape)}; "
            "it should hold token indices (torch.long) in two axes (batch, time)"
        )
    if not tokens.numel():
        raise ValueError(f"{name} has shape {tuple(tokens.shape)}; it should have at least one sequence and one token")
    low, high = int(tokens.min()), int(tokens.max())
    if low < 0 or high >= vocab_size:
        raise ValueError(f"{name} holds {low if low < 0 else high}; it should hold indices from 0 to {vocab_size - 1}")
