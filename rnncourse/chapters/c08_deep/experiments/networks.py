"""The networks that are compared: one shallow, and four that are deep in one place each."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from rnncourse.cells import Cell
from rnncourse.checks import check_choice
from rnncourse.depth import deep_rnn, matched_hidden_size
from rnncourse.layers import Recurrent

KINDS = ("shallow", "stacked", "deep_input", "deep_transition", "deep_output")
"""What is compared, in the order in which a list of rates or steps names them."""

DEPTH = 2


class CharacterNetwork(nn.Module):
    r"""An embedding before a network of the grammar that already says its scores.

    .. math:: y_t, s_t = \mathrm{network}(E_{w_t}, s_{t-1})

    where :math:`w_t` is the character at step t, E the embedding, :math:`y_t` the scores and :math:`s_t` the state.

    Args:
        network: A network from embeddings to scores.
        vocab_size: How many characters there are.
    """

    def __init__(self, network: nn.Module, vocab_size: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(vocab_size, network.input_size)
        self.network = network

    def forward(self, tokens: Tensor, state=None) -> tuple[Tensor, object]:
        """Returns the scores of each next character, (batch, time, characters), and the state.

        Args:
            tokens: Characters as numbers, (batch, time).
            state: The state before the first; None starts afresh.
        """
        return self.network(self.embedding(tokens), state)


def network(
    kind: str, input_size: int, hidden_size: int, *, output_size: int, depth: int = DEPTH, implementation: str
) -> nn.Module:
    """A network of one kind, every recurrent matrix orthogonal at the start, those inside a deep transition included.

    Args:
        kind: One of :data:`KINDS`.
        input_size: Features of one step's input.
        hidden_size: Units of each hidden layer.
        output_size: Features of one step's output.
        depth: As for :func:`~rnncourse.depth.build.deep_rnn`.
        implementation: Of the recurrent layers; a deep transition has no kernel and always runs through the loop.

    Returns:
        The untrained network.

    Raises:
        ValueError: If there is no such kind, or a number is not at least 1.

    Example:
        >>> made = network("deep_transition", 3, 5, output_size=2, implementation="kernel")
        >>> W = made.layer.cell.deep_weights[0]
        >>> torch.allclose(W @ W.T, torch.eye(5), atol=1e-5)
        True
    """
    check_choice("kind", kind, KINDS)
    made = deep_rnn(kind, input_size, hidden_size, output_size=output_size, depth=depth)
    for module in made.modules():
        if isinstance(module, Recurrent):
            module.implementation = implementation
        if isinstance(module, Cell):
            module.init = "orthogonal"
            module.reset_parameters()
    return made


def within(budget: int, build: Callable[[int], nn.Module]) -> nn.Module:
    """What ``build`` makes with the hidden size whose parameters come closest to a budget.

    Args:
        budget: Parameters to spend.
        build: From a hidden size to a module.

    Returns:
        The module, drawn from the global random state.

    Raises:
        ValueError: If one hidden unit already costs more.

    Example:
        >>> within(100, lambda hidden: nn.Linear(9, hidden)).out_features
        10
    """
    hidden_size = matched_hidden_size(build, budget)
    return build(hidden_size)


def parameters(module: nn.Module) -> int:
    """How many numbers a module learns."""
    return sum(parameter.numel() for parameter in module.parameters())


def widths(module: nn.Module) -> int:
    """The units of each hidden layer of a network of :func:`network`, alone or behind an embedding."""
    return next(inner for inner in module.modules() if isinstance(inner, Cell)).hidden_size


def set_seed_and(build: Callable[[], nn.Module], seed: int) -> nn.Module:
    """What ``build`` draws after a seed.

    Args:
        build: A function without arguments.
        seed: Of the weights.

    Returns:
        The module.
    """
    torch.manual_seed(seed)
    return build()
