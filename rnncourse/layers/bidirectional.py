"""Two layers that read one sequence, one from each end."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn

from rnncourse.cells import Cell
from rnncourse.checks import check_choice, check_layer
from rnncourse.layers.layer import Layer
from rnncourse.shapes import BidirectionalState, check_state
from rnncourse.unroll import flip_by_length

__all__ = ["Bidirectional"]


class Bidirectional(Layer):
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
        >>> from rnncourse.layers import Recurrent
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

    def read(
        self, inputs: Tensor, state: BidirectionalState | None, lengths: Tensor | None
    ) -> tuple[Tensor, BidirectionalState]:
        """Read a padded batch from both ends.

        The outputs are merged and zero at padding; of the final states the forward layer's stands at each sequence's
        own last step, the backward layer's at the first.
        """
        if state is not None:
            check_state("state", state, BidirectionalState)
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

    @property
    def chosen(self) -> tuple[Any, Any]:
        """What the two layers took at the last call."""
        return tuple(getattr(layer, "chosen", None) for layer in (self.forward_layer, self.backward_layer))

    @property
    def bidirectional(self) -> bool:
        """Whether what comes out has been read from both ends."""
        return True

    def last_output(self, outputs: Tensor, lengths: Tensor | None = None) -> Tensor:
        """What each direction put out when it had read everything: forward at each own end, backward at the start.

        Args:
            outputs: The layer's outputs, of shape (batch, time, output).
            lengths: How many steps of each sequence are real; all if not given.

        Returns:
            A tensor of shape (batch, output).

        Raises:
            ValueError: If the two directions' outputs are mixed, so that they cannot be told apart.
        """
        if self.merge != "concatenate":
            raise ValueError(
                f"read='last' cannot tell two directions apart that merge={self.merge!r} mixes; use read='mean', or "
                f"'concatenate' on top"
            )
        ahead, back = outputs.split([self.forward_layer.output_size, self.backward_layer.output_size], dim=2)
        return torch.cat([self.forward_layer.last_output(ahead, lengths), back[:, 0]], dim=1)

    def cells_by_depth(self) -> list[list[Cell]]:
        """The cells: a list for each depth, with one cell for each direction.

        Raises:
            ValueError: If a direction is more than one cell over time.
        """
        rows = [layer.cells_by_depth() for layer in (self.forward_layer, self.backward_layer)]
        if any(len(row) > 1 or len(row[0]) > 1 for row in rows):
            raise ValueError("layer has a direction that is more than one cell over time; only plain ones convert")
        return [[row[0][0] for row in rows]]

    def state_of_cells(self, states: Iterator[Any]) -> BidirectionalState:
        """The layer's state, put together from the states of its cells in the order of :meth:`cells_by_depth`."""
        return BidirectionalState(self.forward_layer.state_of_cells(states), self.backward_layer.state_of_cells(states))
