"""How many nonlinearities credit has to cross, counted on the graph that autograd built."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.autograd.function import BackwardCFunction
from torch.autograd.graph import Node, get_gradient_edge

from rnncourse.checks import check_count, check_kind
from rnncourse.diagnostics.gradients import readable

__all__ = ["CreditPath", "credit_path", "credit_path_of"]

#: Autograd's names, without the trailing "Backward0", of the functions that count as a nonlinear layer.
NONLINEAR = {"Tanh", "Sigmoid", "Relu", "LeakyRelu", "Elu", "Gelu", "Silu", "Softplus", "Hardtanh", "Softmax"}

#: A time step that a gradient is known to concern: (axis, index), or None.
Step = tuple[int, int] | None

_WHOLE_LAYERS = ("MkldnnRnnLayer", "CudnnRnn", "MiopenRnn", "Mps")
"""How the names of those nodes begin that are a whole layer of PyTorch's."""


class CreditPath(NamedTuple):
    """Nonlinearities between two tensors, on the shortest and on the longest path of the graph."""

    shortest: int
    longest: int


def _nonlinear(node: Node) -> int:
    return int(node.name().partition("Backward")[0] in NONLINEAR)


def _signed(number: int) -> int:
    """A saved axis or index as it was written: autograd keeps -1 as the largest unsigned number."""
    return number - 2**64 if number >= 2**63 else number


def _earlier(node: Node, output: int, step: Step) -> list[tuple[Node, int, Step]]:
    """Where the gradient of one output of a node goes, given the time step that it is known to concern.

    Taking one step out of a stacked sequence and then following the stack to *all* its steps would invent paths from
    the future, so the step is remembered from ``unbind`` or an index back to the ``stack`` that it was put in by. Maps
    in between are taken to act on each step alone.
    """
    kind = node.name().partition("Backward")[0]
    edges = node.next_functions
    shape = node._input_metadata[0].shape if kind in ("Unbind", "Select", "Stack", "Flip") else ()
    if kind == "Unbind":
        step = (_signed(node._saved_dim) % (len(shape) + 1), output)
    elif kind == "Select":
        axis, sizes = _signed(node._saved_dim), node._saved_self_sym_sizes
        step = (axis % len(sizes), _signed(node._saved_index) % sizes[axis])
    elif step is not None and kind == "Stack" and _signed(node._saved_dim) % len(shape) == step[0]:
        edges, step = (edges[step[1]],), None
    elif step is not None and kind == "Flip" and step[0] in (_signed(d) % len(shape) for d in node._saved_dims):
        step = (step[0], shape[step[0]] - 1 - step[1])
    return [(following, index, step) for following, index in edges if following is not None]


def credit_path(target: Tensor, source: Tensor) -> CreditPath:
    r"""Count the nonlinearities between a tensor and one that it was computed from.

    .. math:: \text{longest} = \max_{\text{paths } p} \;
              \lvert \{ v \in p : v \text{ is an activation function} \} \rvert

    and the shortest likewise with the minimum, where paths run on autograd's graph from ``target`` back to ``source``.
    Activation functions count (tanh, sigmoid, ReLU, …); sums, matrix products and the products of gates do not.
    Between layers, maps are taken to act on each time step alone, as all of this package's do.

    Args:
        target: Where credit starts, a tensor with a graph.
        source: Where it should arrive: a leaf that requires a gradient, or any tensor inside the graph (whose own
            activation function does not count).

    Returns:
        The shortest and the longest count.

    Raises:
        ValueError: If one is no tensor, ``target`` has no graph, ``source`` is not in it, or a hand-written backward
            pass hides part of it (ask the layer for ``implementation="loop"``).

    Source: Zilly et al. (2017), "Recurrent highway networks": up to :math:`d + T - 1` between hidden states T steps
    apart in a stack of depth d, up to :math:`d\,T` with transitions of depth d. From a secondary source.

    Example:
        >>> x = torch.ones(3, requires_grad=True)
        >>> credit_path(torch.tanh(torch.tanh(x)) + torch.tanh(x), x)
        CreditPath(shortest=1, longest=2)
    """
    check_kind("target", target, Tensor)
    check_kind("source", source, Tensor)
    if target.grad_fn is None:
        raise ValueError("target has no graph; it should be computed from source with gradients on")
    if not source.requires_grad:
        raise ValueError("source requires no gradient; it should be a leaf that does, or a tensor inside the graph")
    end = get_gradient_edge(source).node
    first = (target.grad_fn, target.output_nr, None)
    known: dict[tuple[Node, int, Step], CreditPath | None] = {}
    stack = [first]
    while stack:  # depth first without recursion: the graph is as deep as the sequence is long
        place = stack[-1]
        node = place[0]
        if place in known:
            stack.pop()
            continue
        if node is end:
            known[place] = CreditPath(0, 0)
            continue
        if isinstance(node, BackwardCFunction) or node.name().startswith(_WHOLE_LAYERS):
            raise ValueError(f'the graph goes through {node.name()}, which hides its steps; use implementation="loop"')
        earlier = _earlier(*place)
        waiting = [other for other in earlier if other not in known]
        if waiting:
            stack.extend(waiting)
            continue
        paths = [path for other in earlier if (path := known[other]) is not None]
        own = _nonlinear(node)
        known[place] = (
            CreditPath(own + min(p.shortest for p in paths), own + max(p.longest for p in paths)) if paths else None
        )
        stack.pop()
    path = known[first]
    if path is None:
        raise ValueError("source is not in the graph of target; it should be something that target was computed from")
    return path


def credit_path_of(module: nn.Module, lag: int) -> CreditPath:
    """Count the nonlinearities from the last output of a module back to the input ``lag`` steps earlier.

    Args:
        module: Any module of the grammar with an ``input_size``; its layers are run by their readable loop.
        lag: Steps between the input and the output, at least 0.

    Returns:
        The shortest and the longest count.

    Raises:
        ValueError: If the module is none with an ``input_size`` and parameters, or the lag is no whole number of at
            least 0.

    Example:
        >>> from rnncourse.layers import Stacked
        >>> from rnncourse.cells import RNNCell
        >>> credit_path_of(Stacked.of(RNNCell, 3, 4, num_layers=2), lag=10)
        CreditPath(shortest=12, longest=12)
    """
    check_kind("module", module, nn.Module)
    check_count("lag", lag)
    like = next(module.parameters(), None)
    if like is None or not hasattr(module, "input_size"):
        raise ValueError(
            f"module is a {type(module).__name__} without an input_size or without parameters; it should be a layer, "
            f"or another module of the grammar that has both"
        )
    x = [like.new_zeros(1, module.input_size).requires_grad_() for _ in range(lag + 1)]
    with readable(module), torch.enable_grad():
        outputs, _ = module(torch.stack(x, 1))
    return credit_path(outputs[:, -1], x[0])
