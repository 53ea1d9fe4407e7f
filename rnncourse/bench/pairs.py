"""The candidates, built with equal weights, and the proof that they compute the same thing."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from rnncourse.cells import GRUCell, LSTMCell, RNNCell
from rnncourse.layers import Recurrent

from .textbook import TEXTBOOK

TORCH = {"RNN": nn.RNN, "GRU": nn.GRU, "LSTM": nn.LSTM}
CELLS = {"RNN": RNNCell, "GRU": GRUCell, "LSTM": LSTMCell}


def torch_layer(cell: str, input_size: int, hidden_size: int, dtype: torch.dtype = torch.float32) -> nn.RNNBase:
    """A layer of ``torch.nn``, batch first."""
    return TORCH[cell](input_size, hidden_size, batch_first=True, dtype=dtype)


def our_layer(cell: str, reference: nn.RNNBase, implementation: str = "kernel") -> Recurrent:
    """Our layer with the reference's weights."""
    layer = Recurrent(CELLS[cell](reference.input_size, reference.hidden_size), implementation=implementation)
    layer = layer.to(reference.weight_hh_l0.dtype)
    layer.cell.load_state_dict({name.removesuffix("_l0"): value for name, value in reference.state_dict().items()})
    return layer


def offered(names: Sequence[str]) -> list[str]:
    """Of these implementations, those that the layers of this version know.

    Args:
        names: Words for :class:`~rnncourse.layers.Recurrent`'s ``implementation``.

    Example:
        >>> offered(["kernel", "nonsense"])
        ['kernel']
    """

    def known(name: str) -> bool:
        try:
            Recurrent(RNNCell(1, 1), implementation=name)
        except ValueError:
            return False
        return True

    return [name for name in names if known(name)]


def textbook_layer(cell: str, reference: nn.RNNBase) -> nn.Module:
    """The textbook loop with the reference's weights."""
    layer = TEXTBOOK[cell](reference.input_size, reference.hidden_size)
    return layer.to(reference.weight_hh_l0.dtype).copy_from(reference)


def run(module: nn.Module, x: Tensor) -> Tensor:
    """The outputs alone, whatever else the module returns."""
    result = module(x)
    return result if isinstance(result, Tensor) else result[0]


def forward_backward(module: nn.Module, x: Tensor, dy: Tensor) -> Callable[[], None]:
    """A function that runs the module on x, sends dy back through it, and leaves no gradient behind."""
    leaves = [x, *module.parameters()]

    def work() -> None:
        run(module, x).backward(dy)
        for leaf in leaves:
            leaf.grad = None

    return work


def forward_only(module: nn.Module, x: Tensor) -> Callable[[], None]:
    """A function that runs the module on x without building a graph."""

    def work() -> None:
        with torch.no_grad():
            run(module, x)

    return work


def largest_difference(mine: Sequence[Tensor], theirs: Sequence[Tensor]) -> float:
    """The largest difference between two lists of tensors, each relative to the largest entry of ``theirs``."""
    return max(
        ((a - b).abs().max() / b.abs().max().clamp_min(torch.finfo(b.dtype).tiny)).item()
        for a, b in zip(mine, theirs, strict=True)
    )


def results(module: nn.Module, x: Tensor, dy: Tensor) -> list[Tensor]:
    """Outputs, ∂L/∂x, ∂L/∂W_ih, ∂L/∂W_hh and the input biases' gradients: comparable over all kinds of candidates."""
    x = x.detach().requires_grad_()
    names, parameters = zip(*module.named_parameters(), strict=True)
    y = run(module, x)
    dx, *gradients = torch.autograd.grad(y, [x, *parameters], dy)
    named = dict(zip(names, gradients, strict=True))
    if hasattr(module, "gather"):
        return [y.detach(), dx, *module.gather(named)]
    find = lambda word: next(g for name, g in named.items() if word in name)  # noqa: E731
    return [y.detach(), dx, find("weight_ih"), find("weight_hh"), find("bias_ih")]


def assert_same(name: str, mine: Sequence[Tensor], theirs: Sequence[Tensor], tolerance: float) -> float:
    """The largest relative difference, refused when it exceeds the tolerance: a wrong answer has no speed.

    Raises:
        AssertionError: If the difference is larger than the tolerance.
    """
    difference = largest_difference(mine, theirs)
    if not difference <= tolerance:
        raise AssertionError(f"{name} differs from torch.nn by {difference:.1e}; nothing is timed that is not equal")
    return difference
