"""Layers over depth."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from torch import Tensor, nn

from rnncourse.cells import Cell
from rnncourse.checks import check_layer, check_positive, check_probability
from rnncourse.layers.bidirectional import Bidirectional
from rnncourse.layers.layer import Layer
from rnncourse.layers.recurrent import Recurrent
from rnncourse.shapes import check_state

__all__ = ["Stacked"]


class Stacked(Layer):
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
        >>> import torch
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
        implementation: str = "auto",
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
            implementation: See :class:`~rnncourse.layers.recurrent.Recurrent`.
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

    def read(
        self, inputs: Tensor, state: tuple[Any, ...] | None, lengths: Tensor | None
    ) -> tuple[Tensor, tuple[Any, ...]]:
        """Read a padded batch, layer upon layer: the last layer's outputs, and the final state of every layer."""
        if state is None:
            state = (None,) * len(self.layers)
        check_state("state", state, (None,) * len(self.layers))
        final = []
        outputs = inputs
        for depth, (layer, before) in enumerate(zip(self.layers, state, strict=True)):
            below = outputs
            outputs, after = layer(self.dropout(below) if depth else below, before, lengths)
            if self.residual and depth:
                outputs = outputs + below
            final.append(after)
        return outputs, tuple(final)

    @property
    def chosen(self) -> tuple[Any, ...]:
        """What each layer took at the last call, lowest first; nothing for one that has no choice."""
        return tuple(getattr(layer, "chosen", None) for layer in self.layers)

    @property
    def bidirectional(self) -> bool:
        """Whether what the top layer puts out has been read from both ends."""
        return self.layers[-1].bidirectional

    def last_output(self, outputs: Tensor, lengths: Tensor | None = None) -> Tensor:
        """What the top layer put out when it had read everything, of shape (batch, output)."""
        return self.layers[-1].last_output(outputs, lengths)

    def top_hidden(self, state: Any) -> Tensor:
        """The hidden state of the topmost cell, in a state of this stack."""
        return self.layers[-1].top_hidden(state[-1])

    def cells_by_depth(self) -> list[list[Cell]]:
        """The cells: a list for each depth, with one cell for each direction."""
        return [row for layer in self.layers for row in layer.cells_by_depth()]

    def state_of_cells(self, states: Iterator[Any]) -> tuple[Any, ...]:
        """The stack's state, put together from the states of its cells in the order of :meth:`cells_by_depth`."""
        return tuple(layer.state_of_cells(states) for layer in self.layers)
