"""Writing one token after the other: the likeliest, or one drawn."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from jaxtyping import Int
from torch import Tensor

from rnncourse.modes import evaluating
from rnncourse.seq2seq.hypotheses import Hypotheses
from rnncourse.seq2seq.stepping import Model, check_decoding, check_marks, next_log_probabilities

__all__ = ["greedy", "sample"]


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
