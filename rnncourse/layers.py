"""Layers: a cell over time, two directions, a stack; all say ``outputs, state = layer(inputs, state, lengths)``."""

from __future__ import annotations

from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from rnncourse.cells import Cell
from rnncourse.checks import (
    check_choice,
    check_layer,
    check_lengths,
    check_positive,
    check_probability,
    check_shape,
)
from rnncourse.shapes import BidirectionalState
from rnncourse.unroll import flip_by_length, unroll

__all__ = ["Bidirectional", "Recurrent", "Stacked"]


class Recurrent(nn.Module):
    r"""A cell, applied at every step of a sequence.

    .. math:: y_t, s_t = \mathrm{cell}(x_t, s_{t-1}), \qquad t = 1, \dots, T

    where :math:`x_t` is the input, :math:`s_t` the state and :math:`y_t` the output at time :math:`t`.

    Args:
        cell: The cell; its parameters are shared by all steps.
        implementation: How outputs and gradients are computed; the numbers are the same.

            - ``"kernel"``: the passes written by hand in :mod:`rnncourse.kernels`, the fast way. A cell that has no
              kernel (peepholes, ablations, reset before the product, a class of your own) runs through the loop.
            - ``"checkpoint"``: the same, keeping only every √T-th step's state for the backward pass and computing the
              rest again. Without a kernel, the loop.
            - ``"loop"``: the cell's own step in :func:`~rnncourse.unroll.unroll`, differentiated by autograd. The only
              one whose gradients can be differentiated again.

    Raises:
        ValueError: If ``cell`` is no :class:`~rnncourse.cells.Cell`, or the implementation is unknown.

    Example:
        >>> from rnncourse.cells import RNNCell
        >>> layer = Recurrent(RNNCell(3, 5))
        >>> outputs, state = layer(torch.zeros(2, 7, 3), lengths=torch.tensor([7, 4]))
        >>> outputs.shape, state.shape
        (torch.Size([2, 7, 5]), torch.Size([2, 5]))
    """

    def __init__(self, cell: Cell, *, implementation: str = "kernel") -> None:
        super().__init__()
        if not isinstance(cell, Cell):
            what = f"the class {cell.__name__}" if isinstance(cell, type) else f"a {type(cell).__name__}"
            raise ValueError(f"cell is {what}; it should be a cell such as LSTMCell(3, 5)")
        check_choice("implementation", implementation, ("kernel", "loop", "checkpoint"))
        self.cell = cell
        self.implementation = implementation

    @property
    def input_size(self) -> int:
        """Features of one step's input."""
        return self.cell.input_size

    @property
    def output_size(self) -> int:
        """Features of one step's output."""
        return self.cell.hidden_size

    def initial_state(self, batch_size: int) -> Any:
        """The state before the first step: the cell's."""
        return self.cell.initial_state(batch_size)

    def forward(
        self,
        inputs: Float[Tensor, "batch time input"],
        state: Any = None,
        lengths: Int[Tensor, "batch"] | None = None,
    ) -> tuple[Float[Tensor, "batch time output"], Any]:
        """Read sequences.

        Args:
            inputs: The sequences, padded to one number of steps.
            state: The state to start from; the cell's initial state if not given.
            lengths: How many steps of each sequence are real; all if not given.

        Returns:
            The outputs, zero at padding, and the state at each sequence's own end.

        Raises:
            ValueError: If the inputs, the state or the lengths do not fit the layer or each other.
        """
        state = self._start(inputs, state, lengths)
        kernel = None if self.implementation == "loop" else self.cell.kernel()
        if kernel is None:
            return unroll(self.cell, inputs, state, lengths)
        return kernel(inputs, state, *self.cell.weights, lengths, checkpoint=self.implementation == "checkpoint")

    def trace(self, inputs: Tensor, state: Any = None, lengths: Tensor | None = None) -> tuple[Any, Any]:
        """Read sequences with every gate and intermediate in place of the outputs, through the readable loop.

        Args:
            inputs: The sequences, of shape (batch, time, input).
            state: The state to start from; the cell's initial state if not given.
            lengths: How many steps of each sequence are real; all if not given.

        Returns:
            The cell's trace, each field of shape (batch, time, hidden) and zero at padding, and the final state.
        """
        return unroll(self.cell.trace, inputs, self._start(inputs, state, lengths), lengths)

    def _start(self, inputs: Tensor, state: Any, lengths: Tensor | None) -> Any:
        """Refuse what does not fit, and return the state to start from."""
        weight = self.cell.weight_hh
        check_shape("inputs", inputs, like=weight, batch=None, time=None, input=self.input_size)
        if lengths is not None:
            check_lengths(lengths, *inputs.shape[:2])
        start = self.initial_state(inputs.shape[0])
        if state is None:
            return start
        parts = {"state": state}
        if isinstance(start, tuple):
            names = getattr(start, "_fields", None)
            if not isinstance(state, type(start)) or len(state) != len(start):
                wanted = f"{type(start).__name__}({', '.join(names)})" if names else f"tuple of {len(start)} tensors"
                raise ValueError(f"state is a {type(state).__name__}; it should be {'an' if names else 'a'} {wanted}")
            labels = [f"state.{name}" for name in names] if names else [f"state[{i}]" for i in range(len(start))]
            parts = dict(zip(labels, state, strict=True))
        for name, part in parts.items():
            check_shape(name, part, like=weight, batch=inputs.shape[0], hidden=weight.shape[1])
        return state


class Bidirectional(nn.Module):
    r"""Two layers that read one sequence, one from each end.

    .. math::

        h^f_t &= \mathrm{forward}(x_1, \dots, x_t) \\
        h^b_t &= \mathrm{backward}(x_n, \dots, x_t) \\
        y_t &= [h^f_t, h^b_t] \quad\text{or}\quad h^f_t + h^b_t \quad\text{or}\quad h^f_t \odot h^b_t

    where :math:`n` is the sequence's own length: the backward layer starts on the last real step, never on padding.

    Args:
        forward_layer: Reads from the first step to the last.
        backward_layer: Reads from the last step to the first; a layer of its own, sharing nothing.
        merge: How two outputs become one: ``"concatenate"``, ``"sum"`` or ``"multiply"``.

    Raises:
        ValueError: If one is no layer, ``merge`` is unknown, the layers expect different inputs, or their outputs
            differ in size where they are summed or multiplied.

    Source: Schuster and Paliwal (1997), whose abstract was read.

    Example:
        >>> from rnncourse.cells import GRUCell
        >>> layer = Bidirectional(Recurrent(GRUCell(3, 5)), Recurrent(GRUCell(3, 5)))
        >>> outputs, state = layer(torch.zeros(2, 7, 3), lengths=torch.tensor([7, 4]))
        >>> outputs.shape, state.backward.shape
        (torch.Size([2, 7, 10]), torch.Size([2, 5]))
    """

    def __init__(self, forward_layer: nn.Module, backward_layer: nn.Module, *, merge: str = "concatenate") -> None:
        super().__init__()
        check_choice("merge", merge, ("concatenate", "sum", "multiply"))
        check_layer("forward_layer", forward_layer)
        check_layer("backward_layer", backward_layer)
        if forward_layer.input_size != backward_layer.input_size:
            raise ValueError(
                f"forward_layer and backward_layer have input sizes {forward_layer.input_size} and "
                f"{backward_layer.input_size}; they read the same sequence, so the sizes should be equal"
            )
        if merge != "concatenate" and forward_layer.output_size != backward_layer.output_size:
            raise ValueError(
                f"forward_layer and backward_layer have output sizes {forward_layer.output_size} and "
                f"{backward_layer.output_size}; they should be equal for merge={merge!r}"
            )
        self.forward_layer = forward_layer
        self.backward_layer = backward_layer
        self.merge = merge

    @property
    def input_size(self) -> int:
        """Features of one step's input."""
        return self.forward_layer.input_size

    @property
    def output_size(self) -> int:
        """Features of one step's output: those of both layers together if concatenated, of one otherwise."""
        both = self.merge == "concatenate"
        return self.forward_layer.output_size + (self.backward_layer.output_size if both else 0)

    def initial_state(self, batch_size: int) -> BidirectionalState:
        """The states before either layer's first step."""
        return BidirectionalState(
            self.forward_layer.initial_state(batch_size), self.backward_layer.initial_state(batch_size)
        )

    def forward(
        self,
        inputs: Float[Tensor, "batch time input"],
        state: BidirectionalState | None = None,
        lengths: Int[Tensor, "batch"] | None = None,
    ) -> tuple[Float[Tensor, "batch time output"], BidirectionalState]:
        """Read sequences from both ends.

        Args:
            inputs: The sequences, padded to one number of steps.
            state: The states to start from; the layers' initial states if not given.
            lengths: How many steps of each sequence are real; all if not given.

        Returns:
            The merged outputs, zero at padding; and both final states: the forward layer's at each sequence's own
            last step, the backward layer's at the first.

        Raises:
            ValueError: If the inputs, the state or the lengths do not fit the layers or each other.
        """
        if state is not None and not isinstance(state, BidirectionalState):
            raise ValueError(f"state is a {type(state).__name__}; it should be a BidirectionalState(forward, backward)")
        ahead, back = (None, None) if state is None else state
        h_f, ahead = self.forward_layer(inputs, ahead, lengths)
        h_b, back = self.backward_layer(flip_by_length(inputs, lengths), back, lengths)
        h_b = flip_by_length(h_b, lengths)
        if self.merge == "concatenate":
            outputs = torch.cat([h_f, h_b], dim=-1)
        elif self.merge == "sum":
            outputs = h_f + h_b
        else:
            outputs = h_f * h_b
        return outputs, BidirectionalState(ahead, back)


class Stacked(nn.Module):
    r"""Layers over depth: each reads the outputs of the one below.

    .. math:: y^{(0)} = x, \qquad y^{(l)} = \mathrm{layer}_l(y^{(l-1)}) \quad [\, + \, y^{(l-1)}]

    where :math:`x` are the inputs and :math:`y^{(l)}` the outputs of layer :math:`l`; the last layer's are the stack's.
    The term in brackets is there in a residual stack, for :math:`l > 1`.

    Args:
        *layers: The layers, lowest first; each one's input size is the output size of the one below.
        dropout: The probability with which, in training, an entry between two layers is zeroed (and the others scaled
            up); nothing is dropped before the first layer or after the last, as in PyTorch.
        residual: Whether every layer but the first adds its inputs to its outputs.

    Raises:
        ValueError: If there is no layer or one is none, sizes do not meet, or ``dropout`` is no probability.

    Source: Graves et al. (2013) for the stack, from secondary sources; Zaremba et al. (2014) for dropout that spares
    the connections through time: abstract and introduction read, the place of the dropout from a secondary source.

    Example:
        >>> from rnncourse.cells import LSTMCell
        >>> stack = Stacked(Recurrent(LSTMCell(3, 5)), Recurrent(LSTMCell(5, 4)), dropout=0.1)
        >>> outputs, (lower, upper) = stack(torch.zeros(2, 7, 3))
        >>> outputs.shape, lower.h.shape, upper.c.shape
        (torch.Size([2, 7, 4]), torch.Size([2, 5]), torch.Size([2, 4]))
    """

    def __init__(self, *layers: nn.Module, dropout: float = 0.0, residual: bool = False) -> None:
        super().__init__()
        if not layers:
            raise ValueError("layers is empty; a stack should have at least one layer")
        check_probability("dropout", dropout)
        for number, layer in enumerate(layers, start=1):
            check_layer(f"layer {number}", layer)
        for above, (lower, upper) in enumerate(zip(layers, layers[1:], strict=False), start=2):
            if upper.input_size != lower.output_size:
                raise ValueError(
                    f"layer {above} has input size {upper.input_size}; it should be {lower.output_size}, the output "
                    f"size of the layer below"
                )
            if residual and upper.output_size != upper.input_size:
                raise ValueError(
                    f"layer {above} has input size {upper.input_size} and output size {upper.output_size}; they "
                    f"should be equal in a residual stack"
                )
        self.layers = nn.ModuleList(layers)
        self.dropout = nn.Dropout(dropout)
        self.residual = residual

    @classmethod
    def of(
        cls,
        cell: type[Cell],
        input_size: int,
        hidden_size: int,
        *,
        num_layers: int = 1,
        bidirectional: bool = False,
        merge: str = "concatenate",
        dropout: float = 0.0,
        residual: bool = False,
        implementation: str = "kernel",
        **options: Any,
    ) -> Stacked:
        """Build a stack of equal layers, as ``torch.nn.LSTM(input_size, hidden_size, num_layers, …)`` does.

        After the same seed its parameters are those of the torch module.

        Args:
            cell: The class of cell.
            input_size: Features of one step's input.
            hidden_size: Units of each cell's hidden state.
            num_layers: How many layers.
            bidirectional: Whether each layer reads from both ends.
            merge: How the two directions' outputs become one.
            dropout: See :class:`Stacked`.
            residual: See :class:`Stacked`.
            implementation: See :class:`Recurrent`.
            **options: Keyword arguments of the cell.

        Returns:
            The stack.

        Raises:
            ValueError: If an argument has a value that the parts do not accept.
            TypeError: If an option is none of the cell's.

        Example:
            >>> from rnncourse.cells import GRUCell
            >>> Stacked.of(GRUCell, 3, 5, num_layers=2, bidirectional=True).output_size
            10
        """
        if not isinstance(cell, type) or not issubclass(cell, Cell):
            raise ValueError(f"cell is {cell!r}; it should be a class of cells, such as LSTMCell")
        check_positive("num_layers", num_layers)
        layers: list[nn.Module] = []
        for _ in range(num_layers):
            size = layers[-1].output_size if layers else input_size
            directions = [
                Recurrent(cell(size, hidden_size, **options), implementation=implementation)
                for _ in range(2 if bidirectional else 1)
            ]
            layers.append(Bidirectional(*directions, merge=merge) if bidirectional else directions[0])
        return cls(*layers, dropout=dropout, residual=residual)

    @property
    def input_size(self) -> int:
        """Features of one step's input."""
        return self.layers[0].input_size

    @property
    def output_size(self) -> int:
        """Features of one step's output."""
        return self.layers[-1].output_size

    def initial_state(self, batch_size: int) -> tuple[Any, ...]:
        """The layers' initial states, lowest first."""
        return tuple(layer.initial_state(batch_size) for layer in self.layers)

    def forward(
        self,
        inputs: Float[Tensor, "batch time input"],
        state: tuple[Any, ...] | None = None,
        lengths: Int[Tensor, "batch"] | None = None,
    ) -> tuple[Float[Tensor, "batch time output"], tuple[Any, ...]]:
        """Read sequences, layer upon layer.

        Args:
            inputs: The sequences, padded to one number of steps.
            state: The layers' states to start from, lowest first; their initial states if not given.
            lengths: How many steps of each sequence are real; all if not given.

        Returns:
            The last layer's outputs, zero at padding, and the final state of every layer.

        Raises:
            ValueError: If the inputs, the state or the lengths do not fit the layers or each other.
        """
        if state is None:
            state = (None,) * len(self.layers)
        if not isinstance(state, tuple) or len(state) != len(self.layers):
            raise ValueError(
                f"state is a {type(state).__name__}{f' of {len(state)}' if isinstance(state, tuple) else ''}; it "
                f"should be a tuple of {len(self.layers)} states, one per layer"
            )
        final = []
        outputs = inputs
        for depth, (layer, before) in enumerate(zip(self.layers, state, strict=True)):
            below = outputs
            outputs, after = layer(self.dropout(below) if depth else below, before, lengths)
            if self.residual and depth:
                outputs = outputs + below
            final.append(after)
        return outputs, tuple(final)
