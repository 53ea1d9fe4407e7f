"""Encoder-decoders of one budget, how each reads its source, and how it is trained and tested."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor, nn

from rnncourse.cells import GRUCell
from rnncourse.checks import check_choice
from rnncourse.data.batches import Batch
from rnncourse.data.metrics import edit_distances
from rnncourse.depth import matched_hidden_size
from rnncourse.layers import Bidirectional, Recurrent
from rnncourse.seq2seq import Bridge, Decoder, Encoder, Hypotheses, SequenceToSequence, beam_search, greedy
from rnncourse.training import History, cosine, fit
from rnncourse.training.losses import cross_entropy
from rnncourse.unroll import flip_by_length

__all__ = [
    "KINDS",
    "decode",
    "forced",
    "make_model",
    "model_of_budget",
    "symbols",
    "symbol_errors",
    "train",
]

KINDS = {"forward": "as it is", "reversed": "reversed", "two ways": "from both ends"}
"""How the source is read: short name → what it is called on the page."""

BOS, EOS = 1, 2


class Narrow(nn.Module):
    """A neck between encoder and decoder: few numbers pass, and are spread over the decoder's state again.

    Args:
        hidden_size: Units of both networks.
        width: How many numbers pass.
    """

    def __init__(self, hidden_size: int, width: int) -> None:
        super().__init__()
        self.shrink = nn.Linear(hidden_size, width, bias=False)
        self.spread = nn.Linear(width, hidden_size)

    def forward(self, state: Tensor) -> Tensor:
        """Squeeze a state through.

        Args:
            state: The encoder's final state (batch, hidden).

        Returns:
            The decoder's first one, of the same shape.
        """
        return torch.tanh(self.spread(self.shrink(state)))


def make_model(
    kind: str, *, sources: int, targets: int, embedding: int, hidden_size: int, neck: int | None = None
) -> SequenceToSequence:
    """A fresh encoder-decoder of GRUs, recurrent matrices orthogonal.

    Args:
        kind: One of :data:`KINDS`.
        sources: How many symbols the source has.
        targets: How many the target has.
        embedding: Features of a symbol.
        hidden_size: Units of the decoder and, in each direction, of the encoder.
        neck: How many numbers pass from one to the other; the whole state if not given.

    Returns:
        The untrained model, which remembers how it reads.

    Raises:
        ValueError: If there is no such kind.
    """
    check_choice("kind", kind, tuple(KINDS))

    def layer() -> Recurrent:
        return Recurrent(GRUCell(embedding, hidden_size, init="orthogonal"), implementation="kernel")

    reader = Bidirectional(layer(), layer()) if kind == "two ways" else layer()
    writer, bridge = layer(), None
    if neck is not None:
        bridge = Narrow(hidden_size, neck)
    elif kind == "two ways":
        bridge = Bridge(reader, writer)
    model = SequenceToSequence(Encoder(reader, sources), Decoder(writer, targets), bridge)
    model.kind = kind
    return model


def model_of_budget(kind: str, budget: int, *, sources: int, targets: int, embedding: int) -> SequenceToSequence:
    """The encoder-decoder whose parameters, embeddings and readout included, come closest to a budget.

    Args:
        kind: One of :data:`KINDS`.
        budget: Parameters to spend in all.
        sources: How many symbols the source has.
        targets: How many the target has.
        embedding: Features of a symbol.

    Returns:
        The untrained model.

    Raises:
        ValueError: If there is no such kind, or one unit costs more than the budget.

    Example:
        >>> model = model_of_budget("forward", 20_000, sources=27, targets=42, embedding=16)
        >>> sum(parameter.numel() for parameter in model.parameters())
        20046
    """
    sizes = {"sources": sources, "targets": targets, "embedding": embedding}
    hidden = matched_hidden_size(lambda hidden: make_model(kind, hidden_size=hidden, **sizes), budget)
    return make_model(kind, hidden_size=hidden, **sizes)


def encoded(model: SequenceToSequence, batch: Batch) -> Any:
    """The decoder's state before its first step, the source read the model's own way.

    Args:
        model: Of :func:`make_model`.
        batch: Sources.

    Returns:
        The context.
    """
    inputs = flip_by_length(batch.inputs, batch.lengths) if model.kind == "reversed" else batch.inputs
    return model.encode(inputs, batch.lengths)


def forced(
    model: SequenceToSequence, batch: Batch, *, ratio: float = 1.0, generator: torch.Generator | None = None
) -> Tensor:
    """What the decoder predicts at every step, given the true token with a probability and else its own.

    Args:
        model: Of :func:`make_model`.
        batch: Sources and targets.
        ratio: The probability.
        generator: Of the coins.

    Returns:
        Logits (batch, steps, symbols), about ``batch.targets[:, 1:]``.
    """
    inputs = flip_by_length(batch.inputs, batch.lengths) if model.kind == "reversed" else batch.inputs
    return model(inputs, batch.targets, batch.lengths, teacher_forcing=ratio, generator=generator)[0]


@torch.no_grad()
def decode(model: SequenceToSequence, batch: Batch, *, width: int = 1, max_length: int = 40) -> Hypotheses:
    """What the model writes for every source.

    Args:
        model: Of :func:`make_model`.
        batch: Sources.
        width: Of the beam; 1 is greedy.
        max_length: Where it is cut off.

    Returns:
        The best hypothesis of each.
    """
    begin = torch.full((len(batch.inputs), 1), BOS)
    state = encoded(model, batch)
    if width == 1:
        return greedy(model.decoder, begin, state, eos=EOS, max_length=max_length)
    return beam_search(model.decoder, begin, state, width=width, eos=EOS, max_length=max_length).best()


def symbols(written: Hypotheses) -> list[list[int]]:
    """The symbols of each hypothesis, without its end mark.

    Args:
        written: One hypothesis for each source.

    Returns:
        Lists of numbers.
    """
    ends = (written.lengths - written.finished.long()).tolist()
    return [row[:end] for row, end in zip(written.tokens.tolist(), ends, strict=True)]


def truths(batch: Batch) -> list[list[int]]:
    """The targets without their marks.

    Args:
        batch: Targets.

    Returns:
        Lists of numbers.
    """
    rows = zip(batch.targets.tolist(), batch.target_lengths.tolist(), strict=True)
    return [row[1 : length - 1] for row, length in rows]


def symbol_errors(model: SequenceToSequence, batch: Batch) -> float:
    """Edits for each symbol of the targets, decoded greedily.

    Args:
        model: Of :func:`make_model`.
        batch: Sources and targets.

    Returns:
        0 is perfect; it can exceed 1.
    """
    right = truths(batch)
    longest = int(batch.target_lengths.max()) + 5
    return float(edit_distances(symbols(decode(model, batch, max_length=longest)), right).sum() / sum(map(len, right)))


def train(
    model: SequenceToSequence,
    batches: Iterable[Batch],
    *,
    valid: Callable[[nn.Module], float],
    steps: int,
    lr: float,
    seed: int,
    ratio: float = 1.0,
    validations: int = 5,
) -> History:
    """Trains an encoder-decoder; the weights that validated best are kept.

    Args:
        model: Trained in place.
        batches: What to learn from.
        valid: From a model to an error on other data.
        steps: Gradient steps.
        lr: Learning rate of Adam at its highest; it rises for the first steps and falls along a cosine to zero.
        seed: Of the coins.
        ratio: How often the decoder is given the true token.
        validations: How often to validate.

    Returns:
        How it went.
    """
    coins = torch.Generator().manual_seed(seed)

    def loss(model: nn.Module, batch: Batch) -> Tensor:
        logits = forced(model, batch, ratio=ratio, generator=coins)
        return cross_entropy(logits, batch.targets[:, 1:], batch.target_mask[:, 1:])

    return fit(
        model,
        batches,
        loss=loss,
        steps=steps,
        lr=lr,
        schedule=cosine(steps, warmup=min(50, steps // 2)),
        validate=valid,
        validate_every=max(1, math.ceil(steps / validations)),
        seed=seed,
        progress=False,
    )
