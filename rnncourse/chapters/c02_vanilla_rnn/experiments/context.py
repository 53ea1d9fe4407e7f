"""How much of its context a character network uses: older text cut off, or left there and shuffled."""

import math
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

CONTEXTS = (1, 2, 4, 6, 8, 10, 12, 16, 24, 32, 48)
"""Characters of context that are compared with all :data:`REACH`."""

REACH = 64

DEPENDS = 0.1
"""A prediction depends on what is cut when its surprise changes by more than so many bits."""


class Cut(NamedTuple):
    """What cutting the context does to the surprise at the next character.

    Attributes:
        excess: Its mean, in bits, over that with the whole context: what the network would profit from the rest.
        error: The standard error of that mean over places.
        depends: The share of places at which it changes by more than :data:`DEPENDS` bits, up or down.
    """

    excess: list[float]
    error: list[float]
    depends: list[float]


@torch.no_grad()
def cut_context(
    model: nn.Module, codes: Tensor, *, count: int, contexts: tuple[int, ...] = CONTEXTS, reach: int = REACH
) -> Cut:
    """Compares place by place the surprise with little context and with much.

    Args:
        model: A language model.
        codes: The text as numbers, of shape (characters,).
        count: Places, spread evenly over the text; at least 2.
        contexts: Numbers of characters of context, each below the reach.
        reach: Characters of the whole context.

    Returns:
        A number for each context.

    Raises:
        ValueError: If the text is too short, or there are fewer than two places.
    """
    if count < 2 or len(codes) <= reach or not all(1 <= size < reach for size in contexts):
        raise ValueError(
            f"count is {count}, the text has {len(codes)} characters and contexts is {contexts}; there should be 2 "
            f"places and {reach + 1} characters at least, and every context should be from 1 to {reach - 1}"
        )
    places = torch.linspace(reach, len(codes) - 1, count).long()
    whole = _surprise(model, codes, places, _windows(codes, places, reach))
    excess, error, depends = [], [], []
    for size in contexts:
        more = _surprise(model, codes, places, _windows(codes, places, size)) - whole
        excess.append(float(more.mean()))
        error.append(float(more.std() / count**0.5))
        depends.append(float((more.abs() > DEPENDS).double().mean()))
    return Cut(excess, error, depends)


def _windows(codes: Tensor, places: Tensor, size: int) -> Tensor:
    """So many characters before each place, of shape (places, size)."""
    return codes[places[:, None] - size + torch.arange(size)]


def _surprise(model: nn.Module, codes: Tensor, places: Tensor, windows: Tensor) -> Tensor:
    """Bits at each place after having read its window."""
    nats = [
        F.cross_entropy(model(part)[0][:, -1], target, reduction="none")
        for part, target in zip(windows.split(500), codes[places].split(500), strict=True)
    ]
    return torch.cat(nats).double() / math.log(2)


@torch.no_grad()
def bits_with_context(
    model: nn.Module,
    codes: Tensor,
    positions: Tensor,
    size: int,
    *,
    reach: int | None = None,
    generator: torch.Generator | None = None,
) -> float:
    """Bits per character when only the last few characters are left in order, the older ones cut or shuffled.

    Args:
        model: A language model.
        codes: The text as numbers, of shape (characters,).
        positions: The characters to predict, as indices into the text.
        size: Characters of context that the model sees in order, at least 1.
        reach: None cuts everything older than ``size``; a larger number keeps that many characters in all, and shuffles
            those older than ``size``.
        generator: Shuffles.

    Returns:
        The mean of −log₂ p over the positions.

    Raises:
        ValueError: A position has too little text before it.
    """
    length = size if reach is None else max(reach, size)
    if size < 1 or int(positions.min()) < length:
        raise ValueError(
            f"size is {size} and the first position {int(positions.min())}; they should be ≥ 1, ≥ {length}"
        )
    windows = _windows(codes, positions, length)
    if length > size:
        older = windows[:, : length - size]
        order = torch.rand(older.shape, generator=generator).argsort(dim=1)
        windows = torch.cat([older.gather(1, order), windows[:, length - size :]], dim=1)
    return float(_surprise(model, codes, positions, windows).mean())


def shuffled_context(model: nn.Module, codes: Tensor, *, count: int, seed: int) -> list[float]:
    """Bits with all :data:`REACH` characters, those older than each of :data:`CONTEXTS` shuffled.

    Args:
        model: A language model.
        codes: The text as numbers, of shape (characters,).
        count: Places, spread evenly over the text.
        seed: Of the shuffling.

    Returns:
        Bits per character for each context.
    """
    places = torch.linspace(REACH, len(codes) - 1, count).long()
    generator = torch.Generator().manual_seed(seed)
    return [bits_with_context(model, codes, places, size, reach=REACH, generator=generator) for size in CONTEXTS]
