"""From the encoder's final state to the decoder's first one."""

from __future__ import annotations

import itertools
from typing import Any

import torch
from torch import Tensor, nn

from rnncourse.checks import check_kind, check_layer, check_shape
from rnncourse.shapes import map_state

__all__ = ["Bridge", "flat", "form"]


def form(state: Any) -> str:
    """The form of a state in words: its structure, and the features of each tensor in it.

    Args:
        state: A tensor or a (named) tuple of states.

    Returns:
        The words; equal for states that can stand in each other's place.

    Example:
        >>> from rnncourse.shapes import LSTMState
        >>> form((torch.zeros(2, 3), LSTMState(torch.zeros(2, 4), torch.zeros(2, 4))))
        '(3, LSTMState(h=4, c=4))'
    """
    return repr(map_state(lambda part: part.shape[-1], state))


def flat(state: Any) -> list[Tensor]:
    """The tensors of a state, in order.

    Args:
        state: A tensor or a (named) tuple of states.

    Returns:
        Its tensors.

    Example:
        >>> len(flat((torch.zeros(2, 3), (torch.zeros(2, 4), torch.zeros(2, 4)))))
        3
    """
    return [leaf for part in state for leaf in flat(part)] if isinstance(state, tuple) else [state]


class Bridge(nn.Module):
    r"""Turns the encoder's final state into a decoder's first one, whatever the two are made of.

    .. math:: s_0^{(j)} = \tanh\Bigl(W_j \, [\bar s^{(1)}, \bar s^{(2)}, \dots] + b_j\Bigr)

    where :math:`\bar s^{(1)}, \bar s^{(2)}, \dots` are the tensors of the encoder's final state, of all its layers and
    both its directions, put side by side; :math:`s_0^{(j)}` is the j-th tensor of the decoder's first state; and
    :math:`W_j` and :math:`b_j` are ``maps[j]``'s.

    Every tensor is the state at each sequence's own end (the backward direction's at its first step), so that the
    bridge never sees padding.

    Args:
        encoder_layer: The layer whose final state comes in.
        decoder_layer: The layer whose first state goes out.

    Raises:
        ValueError: If one is no layer, or has a state that is not of a fixed size.

    Source: Bahdanau, Cho and Bengio (2015), who map the backward direction's state alone; from secondary sources.

    Example:
        >>> from rnncourse.cells import GRUCell, LSTMCell
        >>> from rnncourse.layers import Recurrent, Stacked
        >>> reader, writer = Stacked.of(GRUCell, 8, 5, bidirectional=True), Recurrent(LSTMCell(8, 6))
        >>> bridge = Bridge(reader, writer)
        >>> outputs, state = reader(torch.randn(2, 7, 8))
        >>> bridge(state).h.shape
        torch.Size([2, 6])
    """

    def __init__(self, encoder_layer: nn.Module, decoder_layer: nn.Module) -> None:
        super().__init__()
        check_layer("encoder_layer", encoder_layer)
        check_layer("decoder_layer", decoder_layer)
        comes, goes = encoder_layer.initial_state(1), decoder_layer.initial_state(1)
        for name, state in (("encoder_layer", comes), ("decoder_layer", goes)):
            if any(part.dim() != 2 for part in flat(state)):
                raise ValueError(
                    f"{name} has a state of the form {form(state)} that is not (batch, features) throughout; a bridge "
                    "maps states of a fixed size, which a Transformer's is not"
                )
        self.form = form(comes)
        features = sum(part.shape[-1] for part in flat(comes))
        self.maps = nn.ModuleList(nn.Linear(features, part.shape[-1]) for part in flat(goes))
        places = itertools.count()
        self.places = map_state(lambda part: next(places), goes)  # the decoder's state, with numbers of maps in it

    def forward(self, state: Any) -> Any:
        """Map a final state to a first one.

        Args:
            state: The encoder's final state.

        Returns:
            The decoder's first state.

        Raises:
            ValueError: If the state has not the form of the encoder's.
        """
        for part in flat(state):
            check_kind("state" if part is state else "a part of state", part, Tensor)
        if form(state) != self.form:
            raise ValueError(f"state is of the form {form(state)}; it should be {self.form}, the encoder's")
        for part in flat(state):
            check_shape("state", part, like=self.maps[0].weight, batch=None, features=None)
        everything = torch.cat(flat(state), -1)  # (batch, features)
        return map_state(lambda place: torch.tanh(self.maps[place](everything)), self.places)
