"""A cell over time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

from rnncourse.cells import Cell
from rnncourse.checks import Lengths, as_lengths, check_choice, check_shape
from rnncourse.layers.choosing import IMPLEMENTATIONS, Choice, choose, may_be_replaced, recompute_weights
from rnncourse.layers.fused import fused
from rnncourse.layers.layer import Layer
from rnncourse.layers.loop import loop
from rnncourse.shapes import check_state, hidden_of, map_state
from rnncourse.unroll import last_step, unroll

__all__ = ["Recurrent"]


class Recurrent(Layer):
    r"""A cell, applied at every step of a sequence.

    .. math:: y_t, s_t = \mathrm{cell}(x_t, s_{t-1}), \qquad t = 1, \dots, T

    where :math:`x_t` is the input, :math:`s_t` the state and :math:`y_t` the output at time :math:`t`.

    Args:
        cell: The cell; its parameters are shared by all steps.
        implementation: How outputs and gradients are computed; the numbers are the same.

            - ``"auto"``: the fastest of the following that is right at this call, by the rules of
              :mod:`rnncourse.layers.choosing`; :attr:`chosen` says which, and why.
            - ``"kernel"``: the passes written by hand in :mod:`rnncourse.kernels`. A cell that has no kernel
              (peepholes, ablations, reset before the product, a class of your own) runs through the loop.
            - ``"checkpoint"``: the same, keeping only every √T-th step's state for the backward pass and computing the
              rest again. Without a kernel, the loop.
            - ``"fused"``: PyTorch's own layer, oneDNN's LSTM on a CPU and cuDNN's on a GPU. A cell that has none runs
              through the kernel or the loop.
            - ``"loop"``: the cell's own step in :func:`~rnncourse.unroll.unroll`, differentiated by autograd. It is
              right under everything: hooks, second derivatives, function transforms. In float16 and bfloat16
              :func:`~rnncourse.layers.loop.loop` says when it rounds.

    Raises:
        ValueError: If ``cell`` is no :class:`~rnncourse.cells.Cell`, or the implementation is unknown.
        RuntimeError: At a call, if only the loop is right there and another implementation was asked for.

    Example:
        >>> import torch
        >>> from rnncourse.cells import RNNCell
        >>> layer = Recurrent(RNNCell(3, 5))
        >>> outputs, state = layer(torch.zeros(2, 7, 3), lengths=torch.tensor([7, 4]))
        >>> outputs.shape, state.shape
        (torch.Size([2, 7, 5]), torch.Size([2, 5]))
        >>> layer.chosen.implementation
        'kernel'
    """

    def __init__(self, cell: Cell, *, implementation: str = "auto") -> None:
        super().__init__()
        if not isinstance(cell, Cell):
            what = f"the class {cell.__name__}" if isinstance(cell, type) else f"a {type(cell).__name__}"
            raise ValueError(f"cell is {what}; it should be a cell such as LSTMCell(3, 5)")
        check_choice("implementation", implementation, IMPLEMENTATIONS)
        self.cell = cell
        self.implementation = implementation
        self.chosen: Choice | None = None
        """What the last call took, and why; nothing before the first."""

    @property
    def input_size(self) -> int:
        """Features of one step's input."""
        return self.cell.input_size

    @property
    def output_size(self) -> int:
        """Features of one step's output."""
        return self.cell.output_size

    def initial_state(self, batch_size: int) -> Any:
        """The state before the first step: the cell's."""
        return self.cell.initial_state(batch_size)

    def read(self, inputs: Tensor, state: Any, lengths: Tensor | None) -> tuple[Tensor, Any]:
        """Read a padded batch by what the rules choose; under autocast, in and out as ``torch.nn.LSTM`` does."""
        state = self._start(inputs, state, lengths)
        device, weight = inputs.device.type, self.cell.weight_hh
        narrow = None
        if torch.is_autocast_enabled(device) and weight.dtype != torch.float64 and not self.cell.kernel_is_transparent:
            narrow = torch.get_autocast_dtype(device)
        choice = choose(self.cell, inputs, state, lengths, self.implementation)
        if not torch.compiler.is_compiling():
            self.chosen = choice
        if narrow is None:
            return self._read_by(choice.implementation, inputs, state, lengths)
        if choice.implementation == "loop" and not (device == "cpu" and may_be_replaced(self.cell)):
            outputs, final = self._read_by("loop", inputs, state, lengths)
        else:
            wide = narrow if device == "cuda" else weight.dtype  # a processor's narrow products gain nothing
            inputs, state = map_state(lambda part: part.to(wide), (inputs, state))
            with torch.autocast(device, enabled=False):
                outputs, final = self._read_by(choice.implementation, inputs, state, lengths)
        return map_state(lambda part: part.to(narrow), (outputs, final))

    def _read_by(self, implementation: str, inputs: Tensor, state: Any, lengths: Tensor | None) -> tuple[Tensor, Any]:
        if implementation == "loop":
            return loop(self.cell, inputs, state, lengths)
        recompute_weights(self.cell)
        if implementation == "fused":
            return fused(self.cell, inputs, state, lengths)
        return self.cell.kernel()(inputs, state, *self.cell.weights, lengths, checkpoint=implementation == "checkpoint")

    def trace(self, inputs: Tensor, state: Any = None, lengths: Lengths | None = None) -> tuple[Any, Any]:
        """Read sequences with every gate and intermediate in place of the outputs, through the readable loop.

        Args:
            inputs: The sequences, of shape (batch, time, input).
            state: The state to start from; the cell's initial state if not given.
            lengths: How many steps of each sequence are real; all if not given.

        Returns:
            The cell's trace, each field of shape (batch, time, hidden) and zero at padding, and the final state.
        """
        return unroll(self.cell.trace, inputs, self._start(inputs, state, lengths), lengths)

    @property
    def bidirectional(self) -> bool:
        """Whether what comes out has been read from both ends."""
        return False

    def last_output(self, outputs: Tensor, lengths: Lengths | None = None) -> Tensor:
        """What the layer put out at each sequence's own end, of shape (batch, output)."""
        return last_step(outputs, lengths)

    def top_hidden(self, state: Any) -> Tensor:
        """The hidden state of the topmost cell, in a state of this layer."""
        return hidden_of(state)

    def cells_by_depth(self) -> list[list[Cell]]:
        """The cells: a list for each depth, with one cell for each direction."""
        return [[self.cell]]

    def state_of_cells(self, states: Iterator[Any]) -> Any:
        """The layer's state, put together from the states of its cells in the order of :meth:`cells_by_depth`."""
        return next(states)

    def _start(self, inputs: Tensor, state: Any, lengths: Tensor | None) -> Any:
        """Refuse what does not fit, and return the state to start from."""
        weight = self.cell.weight_hh
        check_shape("inputs", inputs, like=weight, batch=None, time=None, input=self.input_size)
        if lengths is not None:
            as_lengths(lengths, *inputs.shape[:2])
        start = self.initial_state(inputs.shape[0])
        if state is None:
            return start
        check_state("state", state, start)
        return state
