"""A model that reads a whole tree before it speaks."""

from typing import Any

from jaxtyping import Float
from torch import Tensor, nn

from rnncourse.checks import check_kind, check_positive
from rnncourse.models.head import SequenceHead
from rnncourse.models.tokens import check_tokens
from rnncourse.shapes import hidden_of
from rnncourse.trees import TreeLayer

__all__ = ["TreeClassifier"]


class TreeClassifier(SequenceHead):
    r"""Reads a tree from its leaves to its root, then says one thing about it.

    .. math:: y = V h_r + b_y

    where :math:`h_r` is the hidden state at the root.

    Args:
        layer: A layer over trees.
        num_classes: How many scores, ≥ 1 (one for a regression).
        vocab_size: When given, inputs are tokens and are embedded at the layer's ``input_size``.
        dropout: Share of what is read that is dropped in training, from 0 to 1.

    Raises:
        ValueError: If ``layer`` is none over trees, or a size or share makes no sense.

    Example:
        >>> import torch
        >>> from rnncourse.data.trees import Tree
        >>> from rnncourse.trees import ChildSumTreeLSTMCell, node_numbers
        >>> trees = [Tree(5, (Tree(1), Tree(6, (Tree(2), Tree(3))))), Tree(6, (Tree(4), Tree(1)))]
        >>> model = TreeClassifier(TreeLayer(ChildSumTreeLSTMCell(4, 8)), 3, vocab_size=10)
        >>> logits, state = model(node_numbers(trees), trees=trees)
        >>> logits.shape
        torch.Size([2, 3])
    """

    def __init__(self, layer: nn.Module, num_classes: int, *, vocab_size: int | None = None, dropout: float = 0.0):
        check_kind("layer", layer, TreeLayer)
        check_positive("num_classes", num_classes)
        super().__init__(layer, num_classes, vocab_size=vocab_size, dropout=dropout)

    def forward(self, x: Tensor, state: Any = None, trees: Any = None) -> tuple[Float[Tensor, "batch classes"], Any]:
        """Returns the scores of each tree, and the state at its root.

        Args:
            x: Every node's token (batch, nodes) in post-order where a ``vocab_size`` was given, as
                :func:`~rnncourse.trees.forest.node_numbers` reads them; otherwise real vectors (batch, nodes, input).
            state: The state that the leaves start from; None starts afresh.
            trees: The trees, or their :class:`~rnncourse.trees.forest.Forest`.

        Returns:
            logits of shape (batch, num_classes); and the state.
        """
        if self.vocab_size is not None:
            check_tokens("x", x, self.vocab_size)
        _, state = self.layer(self.embedding(x), state, trees)
        root = hidden_of(state)
        return self.readout(self.dropout(root)), state
