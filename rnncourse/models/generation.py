"""A language model that writes: sampling from its predictions."""

from typing import Any

import torch
from jaxtyping import Int
from torch import Tensor

from rnncourse.checks import check_kind, check_one_way, check_positive
from rnncourse.models.language_model import LanguageModel
from rnncourse.models.tokens import check_tokens
from rnncourse.modes import evaluating

__all__ = ["generate"]


def generate(
    model: LanguageModel,
    prompt: Int[Tensor, "batch time"],
    length: int,
    *,
    temperature: float | int = 1.0,
    state: Any = None,
    generator: torch.Generator | None = None,
) -> Int[Tensor, "batch length"]:
    r"""Lets a language model write on: each token is drawn from its prediction and fed back as the next input.

    .. math:: w_{t+1} \sim \mathrm{softmax}(y_t / \tau)

    where :math:`y_t` are the scores after token t and :math:`\tau` is the temperature: below one the likely becomes
    likelier, above one everything comes closer to equal, and at zero the likeliest is always taken.

    Args:
        model: A language model; every part of it is afterwards in the mode it was in, also after an error.
        prompt: The tokens to begin from, shape (batch, time), at least one.
        length: How many tokens to write, ≥ 1.
        temperature: ≥ 0.
        state: The model's state before the prompt; None starts afresh.
        generator: The source of randomness; by default torch's global one.

    Returns:
        The new tokens, without the prompt, shape (batch, length).

    Raises:
        ValueError: If ``model`` is no language model, the prompt is empty or not of tokens, the length is below 1 or
            the temperature negative.

    Example:
        >>> from rnncourse.cells import RNNCell
        >>> from rnncourse.layers import Recurrent
        >>> model = LanguageModel(Recurrent(RNNCell(8, 16)), vocab_size=27)
        >>> generate(model, torch.zeros(2, 1, dtype=torch.long), 5, temperature=0).shape
        torch.Size([2, 5])
    """
    check_kind("model", model, LanguageModel)
    check_tokens("prompt", prompt, model.vocab_size)
    check_positive("length", length)
    if not isinstance(temperature, int | float) or not 0 <= temperature < float("inf"):
        raise ValueError(f"temperature is {temperature!r}; it should be a finite number ≥ 0 (0: always the likeliest)")
    check_one_way("model.layer", model.layer)
    written: list[Tensor] = []
    tokens = prompt
    with evaluating(model):
        for _ in range(length):
            logits, state = model(tokens, state)
            if temperature == 0:
                tokens = logits[:, -1].argmax(-1, keepdim=True)
            else:
                # In double precision: a small temperature spreads the scores over a wide range.
                probabilities = torch.softmax(logits[:, -1].double() / temperature, -1)
                tokens = torch.multinomial(probabilities, 1, generator=generator)
            written.append(tokens)
    return torch.cat(written, 1)
