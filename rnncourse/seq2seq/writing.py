"""Writing one token after the other: the likeliest, or one drawn."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from jaxtyping import Int
from torch import Tensor, nn

from rnncourse.checks import check_count, check_kind, check_positive
from rnncourse.seq2seq.hypotheses import Hypotheses

__all__ = ["check_decoding", "check_marks", "evaluating", "greedy", "next_log_probabilities", "sample"]

Model = Callable[[Tensor, Any], tuple[Tensor, Any]]


def greedy(
    model: Model,
    start: Int[Tensor, "batch time"],
    state: Any = None,
    *,
    eos: int | None = None,
    max_length: int,
    pad: int = 0,
) -> Hypotheses:
    r"""Writes the likeliest token at every step.

    .. math:: y_t = \arg\max_k \, p(y_t = k \mid y_1, \dots, y_{t-1}, x)

    where :math:`y_t` is the token at step t and :math:`x` what the model has read before. It is quick, and it can miss
    the likeliest sequence: a likely token may lead where nothing likely follows.

    Args:
        model: Anything that says ``logits, state = model(tokens, state)``: a decoder, a language model.
        start: What the model reads first: a begin mark for each sequence, or a prompt.
        state: The model's state before that; its own first state if not given.
        eos: The end mark, after which a sequence is finished; sequences never end of themselves if not given.
        max_length: Where the others are cut off, in tokens, at least 1.
        pad: The token that fills a sequence after its end.

    Returns:
        One hypothesis for each sequence.

    Raises:
        ValueError: If the start is no batch of tokens, a number makes no sense, or the model's scores hold NaN.

    Example:
        >>> from rnncourse.cells import GRUCell
        >>> from rnncourse.layers import Recurrent
        >>> from rnncourse.models import LanguageModel
        >>> model = LanguageModel(Recurrent(GRUCell(8, 16)), vocab_size=27)
        >>> greedy(model, torch.ones(2, 1, dtype=torch.long), max_length=5).tokens.shape
        torch.Size([2, 5])
    """
    check_decoding(model, start, eos, max_length, pad)
    return _write(model, start, state, lambda log_p: log_p.argmax(-1), eos, max_length, pad)


def sample(
    model: Model,
    start: Int[Tensor, "batch time"],
    state: Any = None,
    *,
    eos: int | None = None,
    max_length: int,
    pad: int = 0,
    temperature: float | int = 1.0,
    generator: torch.Generator | None = None,
) -> Hypotheses:
    r"""Draws each token from the model's prediction.

    .. math:: y_t \sim \mathrm{softmax}(\mathrm{logits}_t / \tau)

    where :math:`\tau` is the temperature: below one the likely becomes likelier, above one everything comes closer to
    equal.

    Args:
        model: As for :func:`greedy`.
        start: As for :func:`greedy`.
        state: As for :func:`greedy`.
        eos: As for :func:`greedy`.
        max_length: As for :func:`greedy`.
        pad: As for :func:`greedy`.
        temperature: Above 0.
        generator: The source of randomness; by default torch's global one.

    Returns:
        One hypothesis for each sequence. Its log-probability is the model's own, at temperature 1.

    Raises:
        ValueError: As for :func:`greedy`, and if the temperature is not a finite number above 0.

    Example:
        >>> from rnncourse.cells import GRUCell
        >>> from rnncourse.layers import Recurrent
        >>> from rnncourse.models import LanguageModel
        >>> model = LanguageModel(Recurrent(GRUCell(8, 16)), vocab_size=27)
        >>> sample(model, torch.ones(2, 1, dtype=torch.long), max_length=5, temperature=0.5).tokens.shape
        torch.Size([2, 5])
    """
    check_decoding(model, start, eos, max_length, pad)
    if not isinstance(temperature, int | float) or not 0 < temperature < math.inf:
        raise ValueError(f"temperature is {temperature!r}; it should be a finite number above 0 (cold: greedy)")

    def draw(log_p: Tensor) -> Tensor:
        # In double precision: a small temperature spreads the scores over a wide range.
        probabilities = torch.softmax(log_p.double() / temperature, -1)
        return torch.multinomial(probabilities, 1, generator=generator).squeeze(1)

    return _write(model, start, state, draw, eos, max_length, pad)


def _write(
    model: Model,
    tokens: Tensor,
    state: Any,
    choose: Callable[[Tensor], Tensor],
    eos: int | None,
    max_length: int,
    pad: int,
) -> Hypotheses:
    """Write with a rule that chooses a token (batch,) by the log-probabilities (batch, vocab) of all."""
    batch = len(tokens)
    lengths = torch.zeros(batch, dtype=torch.long, device=tokens.device)
    finished = torch.zeros(batch, dtype=torch.bool, device=tokens.device)
    total, written = 0.0, []
    with evaluating(model):
        while len(written) < max_length and not finished.all():
            log_p, state = next_log_probabilities(model, tokens, state)
            check_marks(eos, pad, log_p.shape[1])
            chosen = choose(log_p)
            spoken = log_p.gather(1, chosen[:, None]).squeeze(1)
            total = total + torch.where(finished, torch.zeros_like(spoken), spoken)
            lengths = lengths + ~finished
            chosen = torch.where(finished, pad, chosen)
            finished = finished | (chosen == eos) if eos is not None else finished
            written.append(chosen)
            tokens = chosen[:, None]
    return Hypotheses(torch.stack(written, 1), lengths, total, finished)


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
    logits, state = model(tokens, state)
    log_p = torch.log_softmax(logits[:, -1], -1)
    if log_p.isnan().any():
        raise ValueError("the model's scores hold NaN, by which nothing can be chosen; were its weights trained?")
    return log_p, state


@contextmanager
def evaluating(model: Model) -> Iterator[None]:
    """Without gradients and without dropout; afterwards, also after an error, every part is in the mode it was in.

    Args:
        model: A module, or a function, which has no mode.
    """
    parts = list(model.modules()) if isinstance(model, nn.Module) else []
    modes = [part.training for part in parts]
    try:
        for part in parts:
            part.training = False
        with torch.no_grad():
            yield
    finally:
        for part, mode in zip(parts, modes, strict=True):
            part.training = mode


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
    if not callable(model):
        raise ValueError(
            f"model is a {type(model).__name__}; it should say logits, state = model(tokens, state), as a decoder does"
        )
    check_kind("start", start, Tensor)
    if start.dtype not in (torch.int64, torch.int32) or start.dim() != 2 or not start.numel():
        raise ValueError(
            f"start has dtype {start.dtype} and shape {tuple(start.shape)}; it should hold tokens (torch.long) in two "
            "axes (batch, time), neither empty"
        )
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
