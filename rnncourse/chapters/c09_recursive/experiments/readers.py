"""Readers of expressions, along their trees or along their symbols, and how each of them is trained and tested."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn

from rnncourse.cells import LSTMCell
from rnncourse.checks import check_choice
from rnncourse.data.padding import pad_numbers
from rnncourse.data.trees import Tree, TreeItem
from rnncourse.depth import matched_hidden_size
from rnncourse.layers import Bidirectional, Recurrent
from rnncourse.models import SequenceClassifier, TreeClassifier
from rnncourse.training import History, cosine, fit
from rnncourse.training.losses import cross_entropy
from rnncourse.trees import ChildSumTreeLSTMCell, Forest, NaryTreeLSTMCell, TreeLayer, TreeRNNCell, node_numbers

__all__ = ["READERS", "Planned", "Shuffled", "answers", "evaluate", "make_reader", "plan", "reader_of_budget", "train"]

READERS = {
    "TreeRNN": "TreeRNN",
    "ChildSum": "child-sum Tree-LSTM",
    "Nary": "N-ary Tree-LSTM",
    "LSTM": "LSTM",
    "BiLSTM": "LSTM, two ways",
    "Postfix": "LSTM, postfix",
}
"""Short name → what it is called on the page. The first three walk the tree; the others read symbols in a row."""

ON_TREES = ("TreeRNN", "ChildSum", "Nary")


class Planned(NamedTuple):
    """Some expressions, ready for every reader; planned once and read in every epoch.

    Attributes:
        nodes: Every node's symbol in post-order, of shape (batch, nodes).
        forest: How the nodes hang together.
        inputs: The same as sequences with brackets, of shape (batch, time).
        lengths: How many symbols each sequence has, of shape (batch,).
        targets: The labels, of shape (batch,).
    """

    nodes: Tensor
    forest: Forest
    inputs: Tensor
    lengths: Tensor
    targets: Tensor


def plan(items: Sequence[TreeItem], batch_size: int, form: Callable[[Tree], Tree] | None = None) -> list[Planned]:
    """Expressions of like size in one batch.

    Args:
        items: At least one.
        batch_size: Expressions a batch; the last may have fewer.
        form: Another form of each tree, where readers along the tree should walk that.

    Returns:
        Batches, the shortest expressions first.
    """
    ordered = sorted(items, key=lambda item: len(item.tokens))
    batches = []
    for start in range(0, len(ordered), batch_size):
        part = ordered[start : start + batch_size]
        trees = [item.tree if form is None else form(item.tree) for item in part]
        inputs, lengths = pad_numbers([item.tokens for item in part])
        targets = torch.tensor([item.target for item in part])
        batches.append(Planned(node_numbers(trees), Forest.of(trees), inputs, lengths, targets))
    return batches


class Shuffled:
    """The same batches in a new order each time round.

    Args:
        batches: What to go through.
        seed: Draws the orders.
    """

    def __init__(self, batches: Sequence[Planned], seed: int) -> None:
        self.batches = batches
        self.generator = torch.Generator().manual_seed(seed)

    def __iter__(self) -> Iterator[Planned]:
        for place in torch.randperm(len(self.batches), generator=self.generator).tolist():
            yield self.batches[place]


def make_reader(
    name: str, *, embedding: int, hidden_size: int, classes: int, symbols: int, arity: int = 2
) -> TreeClassifier | SequenceClassifier:
    """A fresh reader; recurrent matrices orthogonal, every forget gate open at the start (bias 1), trees' too.

    Args:
        name: One of :data:`READERS`.
        embedding: Features of a symbol.
        hidden_size: Units, for the reader of two ways in each of them.
        classes: How many answers there are.
        symbols: How many symbols there are.
        arity: Places for children in the readers that have weights for each place.

    Returns:
        The untrained model.

    Raises:
        ValueError: If there is no such reader.
    """
    check_choice("name", name, tuple(READERS))
    options = {"init": "orthogonal", "forget_bias": 1.0}
    if name == "TreeRNN":
        layer = TreeLayer(TreeRNNCell(embedding, hidden_size, arity=arity, init="orthogonal"))
    elif name == "ChildSum":
        layer = TreeLayer(ChildSumTreeLSTMCell(embedding, hidden_size, **options))
    elif name == "Nary":
        layer = TreeLayer(NaryTreeLSTMCell(embedding, hidden_size, arity=arity, **options))
    else:
        ways = [
            Recurrent(LSTMCell(embedding, hidden_size, **options), implementation="kernel")
            for _ in range(1 + (name == "BiLSTM"))
        ]
        layer = Bidirectional(*ways) if len(ways) == 2 else ways[0]
    kind = TreeClassifier if name in ON_TREES else SequenceClassifier
    model = kind(layer, classes, vocab_size=symbols)
    model.postfix = name == "Postfix"
    return model


def reader_of_budget(name: str, budget: int, *, embedding: int, classes: int, symbols: int, arity: int = 2):
    """The reader whose parameters, embedding and readout included, come closest to a budget.

    Args:
        name: One of :data:`READERS`.
        budget: Parameters to spend in all.
        embedding: Features of a symbol.
        classes: How many answers there are.
        symbols: How many symbols there are.
        arity: As for :func:`make_reader`.

    Returns:
        The untrained model.

    Raises:
        ValueError: If there is no such reader, or one unit costs more than the budget.

    Example:
        >>> model = reader_of_budget("LSTM", 8_000, embedding=16, classes=2, symbols=7)
        >>> sum(parameter.numel() for parameter in model.parameters())
        7962
    """
    sizes = {"embedding": embedding, "classes": classes, "symbols": symbols, "arity": arity}
    hidden = matched_hidden_size(lambda hidden: make_reader(name, hidden_size=hidden, **sizes), budget)
    return make_reader(name, hidden_size=hidden, **sizes)


def answers(model: nn.Module, batch: Planned) -> Tensor:
    """What a reader says of each expression, along the tree or along the sequence, whichever it reads.

    Args:
        model: A reader of :func:`make_reader`.
        batch: Expressions.

    Returns:
        Scores of shape (batch, classes).
    """
    if isinstance(model, TreeClassifier):
        return model(batch.nodes, trees=batch.forest)[0]
    if model.postfix:  # post-order: every operator comes after what it applies to, and no bracket is needed
        return model(batch.nodes, lengths=batch.forest.lengths)[0]
    return model(batch.inputs, lengths=batch.lengths)[0]


def reader_loss(model: nn.Module, batch: Planned) -> Tensor:
    """The mean surprise at the right label, in nats; only the root is asked."""
    return cross_entropy(answers(model, batch), batch.targets)


@torch.no_grad()
def evaluate(model: nn.Module, batches: Sequence[Planned]) -> float:
    """The share of expressions whose label is right.

    Args:
        model: A reader.
        batches: Expressions.

    Returns:
        Between 0 and 1.
    """
    right = sum(int((answers(model, batch).argmax(1) == batch.targets).sum()) for batch in batches)
    return right / sum(len(batch.targets) for batch in batches)


def train(
    model: nn.Module,
    batches: Sequence[Planned],
    *,
    valid: Sequence[Planned],
    steps: int,
    lr: float,
    seed: int,
    validations: int = 5,
    weight_decay: float = 0.0,
    progress: bool = False,
) -> History:
    """Trains a reader; the weights that are right most often on the validation expressions are kept.

    Args:
        model: Trained in place.
        batches: Expressions to learn from; read in a new order in each epoch.
        valid: Expressions to choose by.
        steps: Gradient steps.
        lr: Learning rate of Adam at its highest; it rises for the first steps and falls along a cosine to zero.
        seed: Draws the order.
        validations: How often to look at the validation expressions.
        weight_decay: Pull of the weights to zero.
        progress: As for :func:`rnncourse.training.fit`.

    Returns:
        How it went; validation values are shares of *wrong* answers.
    """
    return fit(
        model,
        Shuffled(batches, seed),
        loss=reader_loss,
        steps=steps,
        optimizer="adamw" if weight_decay else "adam",
        lr=lr,
        weight_decay=weight_decay,
        schedule=cosine(steps, warmup=min(50, steps // 2)),
        validate=lambda model: 1 - evaluate(model, valid),
        validate_every=max(1, steps // validations),
        seed=seed,
        progress=progress,
    )
