"""Networks over trees as one writes them first: a function that calls itself on every child, with nothing checked."""

from collections.abc import Callable, Iterator
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from rnncourse.trees import ChildSumTreeLSTMCell, NaryTreeLSTMCell, TreeCell, TreeRNNCell

Step = Callable[[Tensor, list[Any]], Any]


def recurse(step: Step, node: Any, inputs: Iterator[Tensor], hidden: list[Tensor]) -> Any:
    """The state at a node, after those of its children; every node's hidden state is noted in passing."""
    children = [recurse(step, child, inputs, hidden) for child in node.children]
    state = step(next(inputs), children)
    hidden.append(state[0])
    return state


def outputs(cell: TreeCell, x: Tensor, lengths: list[int], trees: list[Any]) -> Tensor:
    """The hidden states of all nodes of a batch, tree after tree, of shape (all nodes, hidden).

    Args:
        cell: Where the weights come from.
        x: Inputs in post-order, of shape (batch, nodes, input).
        lengths: Each tree's number of nodes.
        trees: The trees.
    """
    step, hidden = STEPS[type(cell)](cell), []
    for row, length, tree in zip(x.unbind(), lengths, trees, strict=True):
        recurse(step, tree, iter(row[:length].split(1)), hidden)
    return torch.cat(hidden)


def rnn_step(cell: TreeRNNCell) -> Step:
    """h = tanh(U x + W Σ h + b), one node."""
    U, W, b = cell.weight_ih, cell.weight_hh, cell.bias_ih + cell.bias_hh

    def step(x: Tensor, children: list[Any]) -> tuple[Tensor]:
        a = F.linear(x, U, b)
        if children:
            a = a + F.linear(sum(h for (h,) in children), W)
        return (torch.tanh(a),)

    return step


def child_sum_step(cell: ChildSumTreeLSTMCell) -> Step:
    """The child-sum Tree-LSTM, one node."""
    U, W, b = cell.weight_ih, cell.weight_hh, cell.bias_ih + cell.bias_hh
    W_i, W_f, W_g, W_o = W.chunk(4)
    W_igo = torch.cat([W_i, W_g, W_o])

    def step(x: Tensor, children: list[Any]) -> tuple[Tensor, Tensor]:
        i, f, g, o = F.linear(x, U, b).chunk(4, 1)
        if not children:
            c = torch.sigmoid(i) * torch.tanh(g)
            return torch.sigmoid(o) * torch.tanh(c), c
        h, old = (torch.cat(part) for part in zip(*children, strict=True))  # (children, hidden)
        a_i, a_g, a_o = F.linear(h.sum(0, keepdim=True), W_igo).chunk(3, 1)
        kept = (torch.sigmoid(f + F.linear(h, W_f)) * old).sum(0, keepdim=True)
        c = torch.sigmoid(i + a_i) * torch.tanh(g + a_g) + kept
        return torch.sigmoid(o + a_o) * torch.tanh(c), c

    return step


def nary_step(cell: NaryTreeLSTMCell) -> Step:
    """The N-ary Tree-LSTM, one node: of the weights only the columns of the places that are taken."""
    U, W, b, hidden, arity = cell.weight_ih, cell.weight_hh, cell.bias_ih + cell.bias_hh, cell.hidden_size, cell.arity
    columns = [W[:, : count * hidden] for count in range(arity + 1)]

    def step(x: Tensor, children: list[Any]) -> tuple[Tensor, Tensor]:
        i, f, g, o = F.linear(x, U, b).chunk(4, 1)
        if not children:
            c = torch.sigmoid(i) * torch.tanh(g)
            return torch.sigmoid(o) * torch.tanh(c), c
        count = len(children)
        h, old = (torch.cat(part, 1) for part in zip(*children, strict=True))  # (1, children*hidden)
        a_i, a_f, a_g, a_o = F.linear(h, columns[count]).split([hidden, arity * hidden, hidden, hidden], 1)
        kept = torch.sigmoid(f + a_f.view(arity, hidden)[:count]) * old.view(count, hidden)
        c = torch.sigmoid(i + a_i) * torch.tanh(g + a_g) + kept.sum(0, keepdim=True)
        return torch.sigmoid(o + a_o) * torch.tanh(c), c

    return step


STEPS: dict[type, Callable[[Any], Step]] = {
    TreeRNNCell: rnn_step,
    ChildSumTreeLSTMCell: child_sum_step,
    NaryTreeLSTMCell: nary_step,
}
