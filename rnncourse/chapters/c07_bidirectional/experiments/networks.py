"""The competitors of chapter 7: one direction, one that answers later, and two directions merged three ways."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from rnncourse.cells import LSTMCell
from rnncourse.checks import check_layer, check_lengths
from rnncourse.data.batches import Batch
from rnncourse.data.splits import Split
from rnncourse.depth import matched_hidden_size
from rnncourse.layers import Bidirectional, Recurrent
from rnncourse.models import SequenceTagger
from rnncourse.training import History, cosine, fit
from rnncourse.training.losses import accuracy, cross_entropy
from rnncourse.unroll import padding_mask

BATCH_SIZE = 64
EMBEDDING_SIZE = 32
FORGET_BIAS = 1.0
"""Where every forget gate of this chapter starts; chapter 5 says why."""

MERGES = {"bidirectional": "concatenate", "sum": "sum", "product": "multiply"}
"""From the name of a competitor with two directions to how it merges them."""


class Delayed(nn.Module):
    r"""One direction that answers late: what it says about a step, it says so many steps after.

    .. math:: y_t = h_{t+d}, \qquad x_{n+1} = \dots = x_{n+d} = 0

    where :math:`h_t` is the output of the layer at step t, d the delay and n the sequence's own length, after which the
    layer reads d steps of nothing.

    Args:
        layer: A layer of one direction.
        delay: How many steps the answer waits, at least 0.

    Raises:
        ValueError: If ``layer`` is no layer, or ``delay`` negative.

    Source: the delay is the one of Graves and Schmidhuber (2005), who feed it to networks of one direction; from
    secondary sources.

    Example:
        >>> layer = Delayed(Recurrent(LSTMCell(3, 5)), delay=2)
        >>> outputs, state = layer(torch.ones(1, 4, 3))
        >>> outputs.shape
        torch.Size([1, 4, 5])
    """

    def __init__(self, layer: nn.Module, *, delay: int) -> None:
        super().__init__()
        check_layer("layer", layer)
        if not isinstance(delay, int) or delay < 0:
            raise ValueError(f"delay is {delay!r}; it should be a whole number of at least 0")
        self.layer = layer
        self.delay = delay

    @property
    def input_size(self) -> int:
        """Features of one step's input."""
        return self.layer.input_size

    @property
    def output_size(self) -> int:
        """Features of one step's output."""
        return self.layer.output_size

    def forward(self, inputs: Tensor, state: Any = None, lengths: Tensor | None = None) -> tuple[Tensor, Any]:
        """Read sequences.

        Args:
            inputs: The sequences, of shape (batch, time, input).
            state: The state to start from; the layer's initial state if not given.
            lengths: How many steps of each sequence are real; all if not given.

        Returns:
            The late outputs, each at the step that it speaks about, zero at padding; and the layer's final state.
        """
        batch, time, features = inputs.shape
        if lengths is None:
            lengths = torch.full((batch,), time)
        check_lengths(lengths, batch, time)
        real = padding_mask(lengths, time)[..., None]
        nothing = inputs.new_zeros(batch, self.delay, features)
        longer = torch.cat([inputs * real, nothing], dim=1)  # (batch, time + delay, input)
        outputs, state = self.layer(longer, state, lengths + self.delay)
        return outputs[:, self.delay :] * real, state


def make_layer(kind: str, hidden_size: int, *, implementation: str = "kernel") -> nn.Module:
    """An untrained layer of LSTM cells by the name of a competitor.

    Args:
        kind: ``"forward"``; ``"delay 4"`` or another number; or a key of :data:`MERGES`.
        hidden_size: Units of each direction.
        implementation: As for :class:`~rnncourse.layers.Recurrent`.

    Returns:
        The layer.

    Raises:
        ValueError: If there is no such competitor.

    Example:
        >>> make_layer("sum", 5).output_size, make_layer("bidirectional", 5).output_size
        (5, 10)
    """

    def one_way() -> Recurrent:
        return Recurrent(LSTMCell(EMBEDDING_SIZE, hidden_size, forget_bias=FORGET_BIAS), implementation=implementation)

    word, _, number = kind.partition(" ")
    if kind == "forward":
        return one_way()
    if word == "delay" and number.isdigit():
        return Delayed(one_way(), delay=int(number))
    if kind in MERGES:
        return Bidirectional(one_way(), one_way(), merge=MERGES[kind])
    known = ", ".join(map(repr, ("forward", "delay 4", *MERGES)))
    raise ValueError(f"kind is {kind!r}; it should be one of {known}")


def make_tagger(kind: str, symbols: int, tags: int, *, budget: int) -> SequenceTagger:
    """A tagger whose parameters, embedding and readout included, come closest to a budget.

    Args:
        kind: As for :func:`make_layer`.
        symbols: How many input symbols there are, padding included.
        tags: How many tags there are.
        budget: Parameters to spend in all.

    Returns:
        The untrained tagger.

    Example:
        >>> [make_tagger(kind, 27, 79, budget=60_000).layer.output_size for kind in ("forward", "bidirectional", "sum")]
        [98, 126, 67]
    """

    def build(hidden_size: int) -> SequenceTagger:
        return SequenceTagger(make_layer(kind, hidden_size), tags, vocab_size=symbols)

    return build(matched_hidden_size(build, budget))


def tag_loss(model: nn.Module, batch: Batch) -> Tensor:
    """The mean surprise, in nats, at the tags of a batch.

    Args:
        model: A tagger.
        batch: Symbols and tags.

    Returns:
        A scalar.
    """
    scores, _ = model(batch.inputs, lengths=batch.lengths)
    return cross_entropy(scores, batch.targets, batch.target_mask)


def tag_error(model: nn.Module, batch: Batch) -> float:
    """The share of wrong tags.

    Args:
        model: A tagger.
        batch: Symbols and tags.

    Returns:
        A number between 0 and 1.
    """
    scores, _ = model(batch.inputs, lengths=batch.lengths)
    return 1 - accuracy(scores, batch.targets, batch.target_mask)


def learn_tags(
    model: nn.Module,
    train: Split,
    valid: Split,
    *,
    steps: int,
    lr: float,
    seed: int,
    batch_size: int = BATCH_SIZE,
    points: int = 4,
    error: Callable[[nn.Module, Batch], float] = tag_error,
    loss: Callable[[nn.Module, Batch], Tensor] = tag_loss,
) -> History:
    """Trains a model of sequences; the weights that validate best are kept.

    Args:
        model: Trained in place.
        train: What to learn from.
        valid: By whose error the weights are kept.
        steps: Gradient steps.
        lr: Learning rate of Adam at its highest; it rises for fifty steps and falls along a cosine to zero.
        seed: Of the batches' order, the same for every competitor.
        batch_size: Sequences a step.
        points: How often to look at the validation split.
        error: What is to be small there.
        loss: What is trained.

    Returns:
        How it went.

    Raises:
        rnncourse.training.Diverged: If the loss is no longer a number.
    """
    held_out = valid.batch()
    return fit(
        model,
        train.batches(batch_size, seed=seed, bucket=True, drop_last=True),
        loss=loss,
        steps=steps,
        lr=lr,
        schedule=cosine(steps, warmup=min(50, steps // 2)),
        validate=lambda model: error(model, held_out),
        validate_every=max(1, steps // points),
        seed=seed,
        progress=False,
    )
