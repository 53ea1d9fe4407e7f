"""What all layers accept: padded batches, packed ones, single sequences, empty batches, lengths in any form."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence, pad_packed_sequence

from rnncourse.checks import as_lengths
from rnncourse.shapes import map_state

__all__ = ["Layer"]


class Layer(nn.Module):
    """A module that reads sequences: ``outputs, state = layer(inputs, state, lengths)``.

    A kind of layer says in :meth:`read` what it does with a padded batch. What else a caller may hand over is brought
    into that form here, and the answer back into the caller's:

    - a :class:`~torch.nn.utils.rnn.PackedSequence`, whose outputs are packed alike;
    - one sequence without an axis for the batch, (time, input), with a state without it;
    - a batch of no sequences, whose outputs and state are as empty;
    - lengths as a list, an array or a tensor of any integers.
    """

    def forward(
        self, inputs: Tensor | PackedSequence, state: Any = None, lengths: Any = None
    ) -> tuple[Tensor | PackedSequence, Any]:
        """Read sequences.

        Args:
            inputs: The sequences, of shape (batch, time, input), padded to one number of steps; or a packed sequence;
                or one sequence, of shape (time, input).
            state: The state to start from; the layer's initial state if not given.
            lengths: How many steps of each sequence are real; all if not given.

        Returns:
            The outputs, of shape (batch, time, output) and zero at padding, or in the form of the inputs; and the state
            at each sequence's own end.

        Raises:
            ValueError: If the inputs, the state or the lengths do not fit the layer or each other.
        """
        if isinstance(inputs, PackedSequence):
            return self._read_packed(inputs, state, lengths)
        if not isinstance(inputs, Tensor):
            return self.read(inputs, state, lengths)  # which refuses it
        if inputs.dim() == 2:
            if lengths is not None:
                raise ValueError(
                    f"inputs has 2 axes, shape {tuple(inputs.shape)}, and lengths is given; one sequence has no padding"
                )
            state = None if state is None else map_state(lambda part: part.unsqueeze(0), state)
            outputs, final = self.forward(inputs.unsqueeze(0), state)
            return outputs.squeeze(0), map_state(lambda part: part.squeeze(0), final)
        if inputs.dim() == 3 and inputs.shape[0] == 0:
            return self._read_nothing(inputs, state)
        if lengths is not None:
            lengths = as_lengths(lengths, *inputs.shape[:2])
        return self.read(inputs, state, lengths)

    def read(self, inputs: Tensor, state: Any, lengths: Tensor | None) -> tuple[Tensor, Any]:
        """Read a padded batch, with lengths that are a tensor of integers."""
        raise NotImplementedError

    def _read_packed(self, packed: PackedSequence, state: Any, lengths: Any) -> tuple[PackedSequence, Any]:
        if lengths is not None:
            raise ValueError("lengths is given with a PackedSequence, which has its own; leave it out")
        padded, lengths = pad_packed_sequence(packed, batch_first=True)
        outputs, final = self.forward(padded, state, lengths)
        order = packed.sorted_indices
        if order is not None:
            outputs, lengths = outputs.index_select(0, order), lengths[order.cpu()]
        rows = pack_padded_sequence(outputs, lengths, batch_first=True).data
        return PackedSequence(rows, packed.batch_sizes, order, packed.unsorted_indices), final

    def _read_nothing(self, inputs: Tensor, state: Any) -> tuple[Tensor, Any]:
        """The same for one sequence of zeros, of which none is kept."""

        def with_one_more(part: Tensor) -> Tensor:
            return torch.cat([part, part.new_zeros(1, *part.shape[1:])])

        outputs, final = self.forward(with_one_more(inputs), None if state is None else map_state(with_one_more, state))
        return outputs[:0], map_state(lambda part: part[:0], final)
