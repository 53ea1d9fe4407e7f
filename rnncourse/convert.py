"""Parameters and states, from PyTorch's recurrent modules and to them."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from rnncourse.cells import Cell, GRUCell, LSTMCell, ProjectedLSTMCell, RNNCell
from rnncourse.checks import check_kind, check_shape
from rnncourse.layers import Bidirectional, Recurrent, Stacked
from rnncourse.shapes import LSTMState, check_state

__all__ = ["copy_parameters", "from_torch", "state_from_torch", "state_to_torch", "to_torch"]

_CELLS: dict[type[nn.RNNBase], type[Cell]] = {nn.RNN: RNNCell, nn.LSTM: LSTMCell, nn.GRU: GRUCell}

Layer = Recurrent | Bidirectional | Stacked


def from_torch(
    module: nn.RNNBase,
    *,
    implementation: str = "auto",
    dtype: torch.dtype | None = None,
    device: torch.device | str | None = None,
) -> Stacked:
    """Build the stack that computes what a PyTorch module computes, with the same parameter values.

    Args:
        module: An ``nn.RNN``, ``nn.LSTM`` or ``nn.GRU`` of any depth and direction.
        implementation: See :class:`~rnncourse.layers.Recurrent`.
        dtype: Of the stack's parameters; the module's if not given.
        device: Of the stack's parameters; the module's if not given.

    Returns:
        A stack of ``module.num_layers`` layers, batch first whether the module is or not, with copies of its
        parameters.

    Raises:
        ValueError: If the module is of another kind.

    Example:
        >>> module = nn.LSTM(3, 5, num_layers=2, bidirectional=True, batch_first=True)
        >>> stack = from_torch(module)
        >>> inputs = torch.randn(2, 7, 3)
        >>> torch.allclose(stack(inputs)[0], module(inputs)[0], atol=1e-6)
        True
    """
    if type(module) not in _CELLS:
        raise ValueError(f"module is a {type(module).__name__}; it should be an nn.RNN, nn.LSTM or nn.GRU")
    _check_place(dtype, device)
    cell, options = _CELLS[type(module)], {"bias": module.bias}
    if module.proj_size:
        cell, options["proj_size"] = ProjectedLSTMCell, module.proj_size
    if isinstance(module, nn.RNN):
        options["nonlinearity"] = module.nonlinearity
    stack = Stacked.of(
        cell,
        module.input_size,
        module.hidden_size,
        num_layers=module.num_layers,
        bidirectional=module.bidirectional,
        dropout=float(module.dropout),
        implementation=implementation,
        **options,
    ).to(device or module.weight_ih_l0.device, dtype or module.weight_ih_l0.dtype)
    copy_parameters(module, stack)
    return stack.train(module.training)


def to_torch(layer: Layer, *, dtype: torch.dtype | None = None, device: torch.device | str | None = None) -> nn.RNNBase:
    """Build the PyTorch module that computes what a layer computes, with the same parameter values.

    Args:
        layer: A layer or stack of equal cells, all of PyTorch's own form.
        dtype: Of the module's parameters; the layer's if not given.
        device: Of the module's parameters; the layer's if not given.

    Returns:
        An ``nn.RNN``, ``nn.LSTM`` or ``nn.GRU``, batch first, with copies of the parameters.

    Raises:
        ValueError: If PyTorch has no module that computes the same: peepholes, ablations, a reset before the product,
            learned initial states, sums or products of directions, residual stacks, or cells of several kinds or sizes.

    Example:
        >>> layer = Recurrent(GRUCell(3, 5))
        >>> inputs = torch.randn(2, 7, 3)
        >>> torch.allclose(to_torch(layer)(inputs)[0], layer(inputs)[0], atol=1e-6)
        True
    """
    _check_place(dtype, device)
    rows = _rows(layer)
    cells = [cell for row in rows for cell in row]
    first = cells[0]
    kinds = {ours: theirs for theirs, ours in _CELLS.items()} | {ProjectedLSTMCell: nn.LSTM}
    kind = kinds.get(type(first))
    for cell in cells:
        if kind is None or (cell.kernel() is None and cell.fused() is None):
            raise ValueError(f"layer holds {cell}, which has no counterpart in torch.nn")
        if cell.initial_h is not None:
            raise ValueError(f"layer holds {cell} with a learned initial state; torch.nn's initial states are zero")
        if _form(cell) != _form(first):
            raise ValueError(f"layer holds {first} and {cell}; all cells of a torch.nn module are alike")
    merges = {part.merge for part in layer.modules() if isinstance(part, Bidirectional)} - {"concatenate"}
    if merges:
        raise ValueError(f"layer merges its directions by {merges.pop()!r}; torch.nn only concatenates them")
    if len({len(row) for row in rows}) > 1:
        raise ValueError("layer mixes one and two directions; a torch.nn module has one or the other throughout")
    stacks = [part for part in layer.modules() if isinstance(part, Stacked) and len(part.layers) > 1]
    if any(stack.residual for stack in stacks):
        raise ValueError("layer is or holds a residual stack; torch.nn has none")
    dropouts = {stack.dropout.p for stack in stacks}
    if len(dropouts) > 1:
        raise ValueError(f"layer has dropouts {sorted(dropouts)}; a torch.nn module has one between all its layers")
    options = {name: getattr(first, name) for name in ("nonlinearity", "proj_size") if hasattr(first, name)}
    module = kind(
        first.input_size,
        first.hidden_size,
        num_layers=len(rows),
        bias=first.bias_ih is not None,
        batch_first=True,
        dropout=dropouts.pop() if dropouts else 0.0,
        bidirectional=len(rows[0]) == 2,
        **options,
    ).to(device or first.weight_hh.device, dtype or first.weight_hh.dtype)
    copy_parameters(layer, module)
    if isinstance(first, GRUCell) and first.blend == "replace":
        with torch.no_grad():
            for parameter in module.parameters():  # 1 - σ(a) is σ(-a): with z's weights negated it keeps
                parameter[first.hidden_size : 2 * first.hidden_size].neg_()
    return module.train(layer.training)


@torch.no_grad()
def copy_parameters(source: Layer | nn.RNNBase, target: Layer | nn.RNNBase) -> None:
    """Copy all parameter values from a PyTorch module to a layer, or the other way.

    Only values are copied. Whether both sides then compute the same depends on the cells' options: a GRU that resets
    before the product takes the weights of ``nn.GRU`` and makes something else of them.

    Args:
        source: Where to read.
        target: Where to write, of the same depth, directions, kind of cell and sizes.

    Raises:
        ValueError: If one is neither a layer nor a recurrent module of PyTorch, or the two do not correspond parameter
            by parameter, peephole weights and learned initial states included; then nothing has been written.

    Example:
        >>> source, target = nn.RNN(3, 5), Recurrent(RNNCell(3, 5))
        >>> copy_parameters(source, target)
        >>> torch.equal(source.weight_hh_l0, target.cell.weight_hh)
        True
    """
    read, write = _named("source", source), _named("target", target)
    for name in sorted(set(read) | set(write)):
        here, there = (tuple(side[name].shape) if name in side else "missing" for side in (read, write))
        if here != there:
            raise ValueError(f"{name} is {here} in source and {there} in target; both should have it, in one shape")
    for name, value in read.items():
        write[name].copy_(value)


def state_from_torch(state: Tensor | tuple[Tensor, Tensor], layer: Layer) -> Any:
    """Turn a PyTorch module's state into a layer's.

    Args:
        state: H, or (h, c), each of shape (num_layers * directions, batch, hidden); with a projection h has its size.
        layer: The layer that the state is for.

    Returns:
        The state in the layer's own structure.

    Raises:
        ValueError: If the state is not of the cells' kind (h alone, or h and c), has another number of axes, or another
            number of rows than the layer has cells.

    Example:
        >>> module = nn.LSTM(3, 5, num_layers=2, batch_first=True)
        >>> outputs, state = module(torch.randn(1, 4, 3))
        >>> lower, upper = state_from_torch(state, from_torch(module))
        >>> upper.c.shape
        torch.Size([1, 5])
    """
    held = [cell for row in _rows(layer) for cell in row]
    both = isinstance(held[0], LSTMCell | ProjectedLSTMCell)
    if isinstance(state, tuple) != both or (both and len(state) != 2):
        what = f"tuple of {len(state)}" if isinstance(state, tuple) else type(state).__name__
        raise ValueError(f"state is a {what}; for a {type(held[0]).__name__} it should be {'(h, c)' if both else 'h'}")
    tensors = dict(zip(("state.h", "state.c"), state, strict=True)) if both else {"state": state}
    sizes = {"state.c": held[0].hidden_size}
    for name, part in tensors.items():
        if isinstance(part, Tensor) and part.dim() == 3 and len(part) != len(held):
            raise ValueError(f"{name} has {len(part)} rows; the layer has {len(held)} cells")
        check_shape(name, part, cells=len(held), batch=None, hidden=sizes.get(name, held[0].output_size))
    parts = [part.unbind(0) for part in tensors.values()]
    cells = iter(LSTMState(*row) if both else row[0] for row in zip(*parts, strict=True))
    return layer.state_of_cells(cells)


def state_to_torch(state: Any, layer: nn.Module | None = None) -> Tensor | tuple[Tensor, Tensor]:
    """Turn a layer's state into a PyTorch module's.

    Args:
        state: The state of a layer or stack.
        layer: Whose state it is. Needed for a plain pair of tensors alone, which may be the states of two layers, or
            an LSTM's ``(h, c)`` that somebody forgot to call one.

    Returns:
        h, or (h, c), each of shape (num_layers * directions, batch, hidden).

    Raises:
        ValueError: If it is no state, or has no cell's state in it, or states of several kinds or shapes; if it is not
            the layer's, or a pair of tensors without a layer.

    Example:
        >>> outputs, state = Recurrent(LSTMCell(3, 5))(torch.randn(2, 4, 3))
        >>> h, c = state_to_torch(state)
        >>> c.shape
        torch.Size([1, 2, 5])
    """

    def cells(state: Any) -> list[Any]:
        nested = isinstance(state, tuple) and not isinstance(state, LSTMState)
        return [cell for part in state for cell in cells(part)] if nested else [state]

    states = cells(state)
    for one in states or [state]:
        if not isinstance(one, Tensor | LSTMState):
            raise ValueError(f"state is a {type(one).__name__}; it should be the state of a layer or stack")
    if layer is not None:
        _rows(layer)
        first = states[0].h if isinstance(states[0], LSTMState) else states[0]
        check_state("state", state, layer.initial_state(len(first) if first.dim() else 1))
    elif type(state) is tuple and len(state) == 2 and all(isinstance(part, Tensor) for part in state):
        raise ValueError(
            "state is a pair of tensors, an LSTM's (h, c) or the states of two layers; "
            "it should be an LSTMState(h, c), or come with its layer: state_to_torch(state, layer)"
        )
    kinds = sorted({type(one).__name__ for one in states})
    if len(kinds) > 1:
        raise ValueError(f"state holds a {' and a '.join(kinds)}; the cells of a torch.nn module are all of one kind")
    tensors = [part for one in states for part in (one if isinstance(one, LSTMState) else (one,))]
    for part in tensors:
        check_kind("a part of state", part, Tensor)
    shapes = {tuple(part.shape) for part in tensors}
    rows = {tuple(part.shape for part in (one if isinstance(one, LSTMState) else (one,))) for one in states}
    if len(rows) > 1 or any(len(shape) != 2 for shape in shapes) or len({shape[0] for shape in shapes}) > 1:
        listed = ", ".join(map(str, sorted(shapes)))
        raise ValueError(f"state has tensors of shape {listed}; all of them should be (batch, hidden), in one size")
    if isinstance(states[0], LSTMState):
        return torch.stack([h for h, _ in states]), torch.stack([c for _, c in states])
    return torch.stack(states)


def _check_place(dtype: Any, device: Any) -> None:
    """Refuse what names no dtype or no device."""
    if dtype is not None and not isinstance(dtype, torch.dtype):
        raise ValueError(f"dtype is {dtype!r}; it should be a torch.dtype such as torch.float64")
    try:
        torch.device("cpu" if device is None else device)
    except (RuntimeError, TypeError) as error:
        raise ValueError(f"device is {device!r}; it should be a torch.device, or its name such as 'cpu'") from error


def _form(cell: Cell) -> tuple[Any, ...]:
    """What all cells of a PyTorch module have in common."""
    options = (getattr(cell, name, None) for name in ("nonlinearity", "blend", "proj_size"))
    return type(cell), cell.hidden_size, cell.bias_ih is None, *options


def _rows(layer: Any, name: str = "layer") -> list[list[Cell]]:
    """The cells of a layer: one list per depth, with one cell per direction."""
    if not isinstance(layer, nn.Module) or not hasattr(layer, "cells_by_depth"):
        raise ValueError(f"{name} is a {type(layer).__name__}; it should be a Recurrent, a Bidirectional or a Stacked")
    return layer.cells_by_depth()


def _named(name: str, side: nn.Module) -> dict[str, Tensor]:
    """All parameters under PyTorch's names for them, and those that PyTorch has not under names of the same form."""
    if isinstance(side, nn.RNNBase):
        return dict(side.named_parameters())
    return {
        f"{parameter}_l{depth}{'_reverse' if direction else ''}": value
        for depth, row in enumerate(_rows(side, name))
        for direction, cell in enumerate(row)
        for parameter, value in cell.named_parameters()
    }
