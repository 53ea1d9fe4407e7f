"""Networks that are deep in one way or in several, and hidden sizes that make them equally large."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

import torch
from torch import nn

from rnncourse.cells import RNNCell
from rnncourse.checks import check_callable, check_choice, check_kind, check_positive
from rnncourse.depth.parts import Between, DeepTransitionCell, Perceptron
from rnncourse.layers import Recurrent, Stacked

__all__ = ["DEPTH_KINDS", "Match", "deep_rnn", "matched_hidden_size", "matched_hidden_sizes"]

#: The kinds that :func:`~rnncourse.depth.build.deep_rnn` builds, shallow first.
DEPTH_KINDS = (
    "shallow",
    "stacked",
    "deep_input",
    "deep_transition",
    "deep_transition_shortcut",
    "deep_output",
    "deep_output_transition",
    "deep_output_transition_shortcut",
    "stacked_deep_output_transition",
)


def deep_rnn(
    kind: str, input_size: int, hidden_size: int, *, output_size: int, depth: int = 2, nonlinearity: str = "tanh"
) -> Between:
    """Build a recurrent network that is deep in one of the four ways, or in several at once.

    ``depth`` counts the nonlinear layers where the kind is deep: recurrent layers when stacked, layers from the input
    to the hidden state (the recurrent one included), layers of a transition, layers from the hidden state to the
    output (the linear output included). With ``depth=1`` every kind is the shallow network.

    Args:
        kind: One of ``DEPTH_KINDS``: ``"deep_transition"`` is DT-RNN, ``"deep_transition_shortcut"`` DT(S)-RNN,
            ``"deep_output_transition"`` DOT-RNN, ``"deep_output_transition_shortcut"`` DOT(S)-RNN, ``"stacked"`` sRNN.
        input_size: Features of one step's input.
        hidden_size: Units of every hidden layer.
        output_size: Features of one step's output, which is linear in the last hidden layer.
        depth: How deep, at least 1.
        nonlinearity: ``"tanh"`` or ``"relu"``.

    Returns:
        A module that says ``outputs, state = module(inputs, state, lengths)``.

    Raises:
        ValueError: If the kind or the nonlinearity is unknown, or a number is not at least 1.

    Source: Pascanu et al. (2014), from secondary sources: the paper tests stacked, DT(S), DOT and DOT(S) networks; the
    deep input and the deep output alone, and the stack of deep transitions, complete the family here.

    Example:
        >>> network = deep_rnn("deep_output_transition", 3, 5, output_size=2)
        >>> network(torch.zeros(1, 7, 3))[0].shape
        torch.Size([1, 7, 2])
    """
    check_choice("kind", kind, DEPTH_KINDS)
    for name, value in (("input_size", input_size), ("hidden_size", hidden_size), ("output_size", output_size)):
        check_positive(name, value)
    check_positive("depth", depth)
    check_choice("nonlinearity", nonlinearity, ("tanh", "relu"))

    transition = depth if "transition" in kind else 1
    read = [input_size, *[hidden_size] * (depth - 1)] if kind == "deep_input" else [input_size]
    write = [hidden_size] * (depth if "deep_output" in kind else 1) + [output_size]
    layers, size = [], read[-1]
    for _ in range(depth if "stacked" in kind else 1):
        if transition == 1:
            cell = RNNCell(size, hidden_size, nonlinearity=nonlinearity)
        else:
            cell = DeepTransitionCell(
                size, hidden_size, depth=transition, shortcut=kind.endswith("shortcut"), nonlinearity=nonlinearity
            )
        layers.append(Recurrent(cell))
        size = hidden_size
    return Between(
        layers[0] if len(layers) == 1 else Stacked(*layers),
        before=Perceptron(read, nonlinearity, last=nonlinearity) if len(read) > 1 else None,
        after=Perceptron(write, nonlinearity, last=None),
    )


def _count(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


def matched_hidden_size(build: Callable[[int], nn.Module], budget: int) -> int:
    r"""The hidden size whose number of parameters comes closest to a budget.

    .. math:: \operatorname*{arg\,min}_H \; \lvert \#\theta(H) - \text{budget} \rvert

    where :math:`\#\theta(H)` counts the parameters of ``build(H)`` and is taken to grow with :math:`H`.

    Args:
        build: From a hidden size to a module. It is called about :math:`2 \log_2 H` times; the global random state is
            left as it was.
        budget: How many parameters one may spend.

    Returns:
        The hidden size, at least 1.

    Raises:
        ValueError: If the budget is not positive, one hidden unit already costs more, ``build`` is no function from a
            number to a module, or what it builds does not grow with the number.

    Example:
        >>> matched_hidden_size(lambda hidden: nn.Linear(9, hidden), budget=100)
        10
    """
    check_positive("budget", budget)
    check_callable("build", build, "a function from a hidden size to a module")

    def cost(hidden: int) -> int:
        module = build(hidden)
        check_kind(f"build({hidden})", module, nn.Module)
        return _count(module)

    with torch.random.fork_rng(devices=[]):
        if cost(1) > budget:
            raise ValueError(f"budget is {budget}; it should be at least {cost(1)}, what one hidden unit costs")
        above = 2
        while cost(above) <= budget:
            if above > budget:  # each unit costs a parameter at least
                raise ValueError(
                    f"build makes {cost(above)} parameters of {above} hidden units; their number should grow with the "
                    f"units"
                )
            above *= 2
        below = above // 2  # affordable, while above is not
        while above - below > 1:
            middle = (below + above) // 2
            below, above = (middle, above) if cost(middle) <= budget else (below, middle)
        return below if budget - cost(below) <= cost(above) - budget else above


class Match(NamedTuple):
    """A hidden size and the number of parameters that it leads to."""

    hidden_size: int
    parameters: int


def matched_hidden_sizes(
    budget: int, input_size: int, output_size: int, *, kinds: Iterable[str] = DEPTH_KINDS, depth: int = 2
) -> dict[str, Match]:
    """For each kind of depth, the hidden size that spends a common budget of parameters.

    Args:
        budget: Parameters to spend, output layer included.
        input_size: Features of one step's input.
        output_size: Features of one step's output.
        kinds: Which of ``DEPTH_KINDS``.
        depth: As for :func:`~rnncourse.depth.build.deep_rnn`.

    Returns:
        Kind to hidden size and actual number of parameters.

    Raises:
        ValueError: If there are no kinds or one is unknown, a number is not at least 1, or the budget does not pay for
            one unit.

    Example:
        >>> sizes = matched_hidden_sizes(10_000, 8, 8, kinds=["shallow", "stacked"])
        >>> sizes["shallow"].hidden_size > sizes["stacked"].hidden_size
        True
    """
    if isinstance(kinds, str) or not isinstance(kinds, Iterable):
        raise ValueError(f"kinds is {kinds!r}; it should be several of DEPTH_KINDS, such as ('shallow', 'stacked')")
    kinds = list(kinds)
    if not kinds:
        raise ValueError("kinds is empty; it should hold at least one of DEPTH_KINDS")
    for kind in kinds:
        check_choice("an entry of kinds", kind, DEPTH_KINDS)
    for name, value in (("input_size", input_size), ("output_size", output_size), ("depth", depth)):
        check_positive(name, value)
    matches = {}
    for kind in kinds:
        build = lambda hidden, kind=kind: deep_rnn(kind, input_size, hidden, output_size=output_size, depth=depth)  # noqa: E731
        hidden = matched_hidden_size(build, budget)
        with torch.random.fork_rng(devices=[]):
            matches[kind] = Match(hidden, _count(build(hidden)))
    return matches
