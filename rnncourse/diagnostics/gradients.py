"""How much of the loss's gradient is left when it arrives at a step long ago."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from rnncourse.checks import check_callable, check_choice, check_shape
from rnncourse.shapes import check_state, map_state

__all__ = ["validate_cell", "cell_of", "gradient_by_lag", "input_sensitivity", "field_of", "readable"]


def cell_of(module: nn.Module) -> nn.Module:
    """The cell itself, given a cell or a layer around one."""
    return getattr(module, "cell", module)


def field_of(state: Any, field: str | None) -> Tensor:
    """One tensor of a state: the state itself, or the named field (the first when no name is given)."""
    if isinstance(state, Tensor):
        if field not in (None, "h"):
            raise ValueError(f"field is {field!r}; this cell's state is one tensor, it should be None or 'h'")
        return state
    if field is None:
        return state[0]
    check_choice("field", field, getattr(state, "_fields", (None,)))
    return getattr(state, field)


def validate_cell(cell: Any, x: Any, state: Any, field: str | None = None) -> tuple[nn.Module, Any]:
    """Refuse inputs and a state that do not fit a cell.

    Args:
        cell: A cell of the grammar, or a layer around one.
        x: What was given as inputs, (batch, time, input).
        state: What was given as the state to start from; the cell's initial state if ``None``.
        field: What was given as a field of the state.

    Returns:
        The cell itself, and the state to start from.

    Raises:
        ValueError: If the cell is none, the inputs are not (batch, time, input) in its dtype and on its device, the
            state is not built like the cell's initial state, or it has no such part.
    """
    cell = cell_of(cell)
    if isinstance(cell, type) or not callable(cell) or not hasattr(cell, "initial_state"):
        raise ValueError(
            f"cell is a {type(cell).__name__}; it should be a cell, called with (x_t, state) and with an "
            f"initial_state, or a layer around one"
        )
    check_shape("x", x, like=_parameter(cell), batch=None, time=None, input=getattr(cell, "input_size", None))
    start = cell.initial_state(len(x))
    if state is not None:
        check_state("state", state, start)
    field_of(start, field)
    return cell, start if state is None else state


def _parameter(module: Any) -> Tensor | None:
    """Any parameter of a module: its dtype and device are the module's."""
    return next(module.parameters(), None) if isinstance(module, nn.Module) else None


class readable:
    """A context in which every layer inside a module runs its readable loop, which autograd can look into."""

    def __init__(self, module: nn.Module):
        self.layers = [m for m in module.modules() if hasattr(m, "implementation")]

    def __enter__(self) -> None:
        self.before = [layer.implementation for layer in self.layers]
        for layer in self.layers:
            layer.implementation = "loop"

    def __exit__(self, *exception: object) -> None:
        for layer, implementation in zip(self.layers, self.before, strict=True):
            layer.implementation = implementation


def gradient_by_lag(
    cell: nn.Module,
    x: Float[Tensor, "batch time input"],
    loss: Callable[[Tensor], Tensor],
    *,
    state: Any = None,
    field: str | None = None,
) -> Float[Tensor, " time"]:
    r"""The size of the gradient that reaches the hidden state, step by step back from the end.

    .. math:: g_n = \frac{1}{B} \sum_{b=1}^{B} \Bigl\lVert \frac{\partial L}{\partial h^{(b)}_{T-n}} \Bigr\rVert,
              \qquad n = 0, \dots, T-1

    where :math:`L` is the loss, :math:`h^{(b)}_t` the hidden state of sequence b after step t, :math:`T` the number of
    steps and :math:`B` that of sequences. The derivative is the total one: through the output of the same step and
    through all later steps.

    Args:
        cell: A cell of the grammar, or a layer around one.
        x: Inputs, (batch, time, input).
        loss: From the outputs (batch, time, hidden) to a scalar, for instance
            ``lambda outputs: outputs[:, -1].square().sum()``.
        state: The state to start from; the cell's initial state if not given.
        field: Which field of the state to look at, ``"h"`` or ``"c"`` for an LSTM; the first if not given.

    Returns:
        The norms by lag, (time,): first the last step's.

    Raises:
        ValueError: If the cell is none, the inputs or the state do not fit it, the state has no such field, or the loss
            is no function or returns no scalar.

    Source: Hochreiter (1991) and Bengio et al. (1994) for the quantity, cited from secondary sources.

    Example:
        >>> from rnncourse.cells import RNNCell
        >>> norms = gradient_by_lag(RNNCell(2, 4), torch.randn(3, 20, 2), lambda outputs: outputs[:, -1].sum())
        >>> norms.shape, bool(norms[-1] < norms[0])
        (torch.Size([20]), True)
    """
    check_callable("loss", loss, "a function from the outputs (batch, time, hidden) to a scalar")
    cell, state = validate_cell(cell, x, state, field)
    state = map_state(lambda s: s.detach().requires_grad_(), state)  # so that even frozen weights leave a graph
    outputs, states = [], []
    for x_t in x.unbind(1):
        output, state = cell(x_t, state)
        outputs.append(output)
        states.append(field_of(state, field))
    value = loss(torch.stack(outputs, 1))
    if not isinstance(value, Tensor) or value.numel() != 1 or not value.requires_grad:
        what = f"tensor of shape {tuple(value.shape)}" if isinstance(value, Tensor) else type(value).__name__
        raise ValueError(f"loss returned a {what}; it should return a scalar computed from the outputs")
    gradients = torch.autograd.grad(value, states, materialize_grads=True)
    return torch.stack([g.norm(dim=1).mean() for g in reversed(gradients)])


def input_sensitivity(module: nn.Module, x: Float[Tensor, "batch time input"]) -> Float[Tensor, " time"]:
    r"""How strongly the last output answers to an input n steps earlier.

    .. math:: s_n = \frac{1}{B} \sum_{b=1}^{B}
              \Bigl\lVert \frac{\partial y^{(b)}_T}{\partial x^{(b)}_{T-n}} \Bigr\rVert_F, \qquad n = 0, \dots, T-1

    where :math:`y_T` is the module's last output and :math:`\lVert \cdot \rVert_F` the Frobenius norm of the Jacobian.

    Args:
        module: Says ``outputs, state = module(x)``; outputs (batch, time, output), or (batch, output) for a head that
            puts out one vector for a sequence.
        x: Inputs, (batch, time, input).

    Returns:
        The norms by lag, (time,): first the last input's.

    Raises:
        ValueError: If the module cannot be called, or the inputs are not (batch, time, input) in its parameters' dtype
            and on their device.

    Example:
        >>> from rnncourse.layers import Recurrent
        >>> from rnncourse.cells import GRUCell
        >>> input_sensitivity(Recurrent(GRUCell(2, 4)), torch.randn(3, 6, 2)).shape
        torch.Size([6])
    """
    check_callable("module", module, "a module that says outputs, state = module(x)")
    check_shape("x", x, like=_parameter(module), batch=None, time=None, input=getattr(module, "input_size", None))
    x = x.detach().requires_grad_()
    outputs, _ = module(x)
    y_T = outputs[:, -1] if outputs.dim() == 3 else outputs
    squares = torch.zeros_like(x[..., 0])  # (batch, time)
    for y in y_T.unbind(1):
        (gradient,) = torch.autograd.grad(y.sum(), x, retain_graph=True)
        squares += gradient.square().sum(2)
    return squares.sqrt().mean(0).flip(0)
