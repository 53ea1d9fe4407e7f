"""One step of decoding with anything that says ``logits, state = model(tokens, state)``, and what it may be given."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from rnncourse.checks import check_callable, check_count, check_kind, check_positive
from rnncourse.models.tokens import check_tokens

__all__ = ["Model", "check_decoding", "check_marks", "next_log_probabilities"]

# What can be decoded with: a decoder, a language model, any function of (tokens, state) to (logits, state).
Model = Callable[[Tensor, Any], tuple[Tensor, Any]]


def next_log_probabilities(model: Model, tokens: Tensor, state: Any) -> tuple[Tensor, Any]:
    """One step: the log-probabilities of what follows these tokens.

    Args:
        model: Anything that says ``logits, state = model(tokens, state)``.
        tokens: Tokens of shape (batch, time).
        state: The model's state before them.

    Returns:
        Log-probabilities of shape (batch, vocab), and the state after the tokens.

    Raises:
        ValueError: If the model's scores hold NaN.
    """
    said = model(tokens, state)
    if not isinstance(said, tuple) or len(said) != 2 or not isinstance(said[0], Tensor):
        raise ValueError(f"model returned a {type(said).__name__}; it should return logits and a state")
    logits, state = said
    precise = torch.promote_types(logits.dtype, torch.float32)  # sums of many half-precision numbers would drift
    log_p = torch.log_softmax(logits[:, -1], -1, dtype=precise)
    if log_p.isnan().any():
        raise ValueError("the model's scores hold NaN, by which nothing can be chosen; were its weights trained?")
    return log_p, state


def check_decoding(model: Any, start: Any, eos: Any, max_length: Any, pad: Any) -> None:
    """Refuse what cannot be decoded with.

    Args:
        model: Should be callable.
        start: Should be tokens of shape (batch, time), neither empty.
        eos: Should be a token or None.
        max_length: Should be a whole number of at least 1.
        pad: Should be a token.

    Raises:
        ValueError: If one is not.
    """
    check_callable("model", model, "a decoder or language model: logits, state = model(tokens, state)")
    check_kind("start", start, Tensor)
    if start.dtype not in (torch.int64, torch.int32) or start.dim() != 2 or not start.numel():
        raise ValueError(
            f"start has dtype {start.dtype} and shape {tuple(start.shape)}; it should hold tokens (torch.long) in two "
            "axes (batch, time), neither empty"
        )
    if isinstance(model, nn.Module) and isinstance(getattr(model, "vocab_size", None), int):
        check_tokens("start", start, model.vocab_size)
    if eos is not None:
        check_count("eos", eos)
    check_positive("max_length", max_length)
    check_count("pad", pad)


def check_marks(eos: int | None, pad: int, vocab_size: int) -> None:
    """Refuse marks that the model does not know.

    Args:
        eos: The end mark.
        pad: The token after the end.
        vocab_size: How many tokens the model scores.

    Raises:
        ValueError: If one is outside of the vocabulary.

    Example:
        >>> check_marks(30, 0, 27)
        Traceback (most recent call last):
        ...
        ValueError: eos is 30; it should be a token of the model's, from 0 to 26
    """
    for name, mark in (("eos", eos), ("pad", pad)):
        if mark is not None and mark >= vocab_size:
            raise ValueError(f"{name} is {mark}; it should be a token of the model's, from 0 to {vocab_size - 1}")
