"""The networks of chapter 12: recurrent ones, and one block in which what mixes the steps can be exchanged."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import gelu

from rnncourse.attention import CausalTransformer
from rnncourse.cells import GRUCell, LSTMCell, RNNCell
from rnncourse.checks import check_choice
from rnncourse.depth import matched_hidden_size
from rnncourse.layers import Recurrent
from rnncourse.layers.layer import Layer
from rnncourse.scan import LRUCell, MinGRUCell
from rnncourse.unroll import last_step

NETWORKS = {
    "tanh": "tanh RNN",
    "LSTM": "LSTM",
    "GRU": "GRU",
    "minGRU": "minGRU blocks",
    "signed": "minGRU blocks, eigenvalues in (−1, 1)",
    "LRU": "diagonal (LRU) blocks",
    "Transformer": "Transformer blocks",
}
"""The networks by name, and what the page calls them."""

BLOCKS = ("minGRU", "signed", "LRU", "Transformer")
"""Those that are made of blocks."""

HEADS = 4


class MixingBlock(nn.Module):
    r"""A Transformer's block with a recurrent layer where the attention was.

    .. math::

        z = x + \mathrm{layer}(\mathrm{norm}_1(x)), \qquad
        y = z + W_2 \, \mathrm{gelu}(W_1 \, \mathrm{norm}_2(z) + b_1) + b_2

    The rest, norms and feedforward network of four times the width, is that of
    :class:`rnncourse.attention.Block`, so that two networks differ in nothing but in how steps learn of each other.

    Args:
        layer: A layer of the grammar whose outputs are as wide as its inputs.

    Example:
        >>> block = MixingBlock(Recurrent(MinGRUCell(8, 8), implementation="kernel"))
        >>> outputs, state = block(torch.zeros(2, 5, 8), None, None)
        >>> outputs.shape, state.shape
        (torch.Size([2, 5, 8]), torch.Size([2, 8]))
    """

    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        width = layer.input_size
        self.layer = layer
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.linear1, self.linear2 = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def forward(self, inputs: Tensor, state: Any, lengths: Tensor | None) -> tuple[Tensor, Any]:
        """The block's outputs, and the state of its layer."""
        mixed, state = self.layer(self.norm1(inputs), state, lengths)
        z = inputs + mixed
        return z + self.linear2(gelu(self.linear1(self.norm2(z)))), state


class MixingStack(Layer):
    """Blocks upon each other and a norm, as in a Transformer; a layer of the grammar.

    Args:
        *layers: What mixes the steps in each block, lowest first; all of one width.

    Example:
        >>> stack = MixingStack(Recurrent(MinGRUCell(8, 8), implementation="kernel"))
        >>> outputs, (state,) = stack(torch.zeros(2, 5, 8))
        >>> outputs.shape
        torch.Size([2, 5, 8])
    """

    bidirectional = False

    def __init__(self, *layers: nn.Module) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(map(MixingBlock, layers))
        self.input_size = self.output_size = layers[0].input_size
        self.norm = nn.LayerNorm(self.output_size)

    def read(self, inputs: Tensor, state: Any, lengths: Tensor | None) -> tuple[Tensor, Any]:
        """Read a padded batch, block upon block: the outputs, and the final state of every block."""
        final = []
        for block, before in zip(self.blocks, state or (None,) * len(self.blocks), strict=True):
            inputs, after = block(inputs, before, lengths)
            final.append(after)
        return self.norm(inputs), tuple(final)

    def last_output(self, outputs: Tensor, lengths: Tensor | None = None) -> Tensor:
        """What was put out at each sequence's own end."""
        return last_step(outputs, lengths)


class LastOfTransformer(CausalTransformer):
    """A Transformer that can stand in a classifier: it says where each sequence ends."""

    def last_output(self, outputs: Tensor, lengths: Tensor | None = None) -> Tensor:
        """What was put out at each sequence's own end."""
        return last_step(outputs, lengths)


def make_layer(name: str, width: int, *, input_size: int | None = None, depth: int = 2) -> nn.Module:
    """A fresh layer; recurrent matrices orthogonal, forget gates open (bias 1), eigenvalues of the LRU near one.

    Args:
        name: One of :data:`NETWORKS`.
        width: Units of a recurrent network; features of a step of one made of blocks.
        input_size: Features of a step's input, for recurrent networks only; ``width`` if not given.
        depth: How many blocks.

    Returns:
        The untrained layer.

    Raises:
        ValueError: If there is no such network, or a Transformer's heads do not divide its width.

    Example:
        >>> [make_layer(name, 8).output_size for name in NETWORKS]
        [8, 8, 8, 8, 8, 8, 8]
    """
    check_choice("name", name, tuple(NETWORKS))
    if name == "Transformer":
        return LastOfTransformer(width, HEADS, num_layers=depth)
    size = input_size or width
    if name == "tanh":
        return Recurrent(RNNCell(size, width, init="orthogonal"), implementation="kernel")
    if name == "LSTM":
        return Recurrent(LSTMCell(size, width, init="orthogonal", forget_bias=1.0), implementation="kernel")
    if name == "GRU":
        return Recurrent(GRUCell(size, width, init="orthogonal"), implementation="kernel")

    def cell() -> nn.Module:
        if name == "LRU":
            return LRUCell(width, width, min_modulus=0.5, max_modulus=0.999)
        return MinGRUCell(width, width, eigenvalues="signed" if name == "signed" else "positive")

    return MixingStack(*(Recurrent(cell(), implementation="kernel") for _ in range(depth)))


def width_within(budget: int, build: Any, *, step: int = 1) -> int:
    """The largest width, a multiple of a step, whose network costs at most a budget (or the smallest, if none does).

    Args:
        budget: Parameters.
        build: From a width to a network.
        step: What the width is a multiple of; a Transformer's heads have to divide it, in pairs.

    Returns:
        The width.

    Example:
        >>> width_within(1_000, lambda width: nn.Linear(width, width), step=4)
        32
    """
    return step * matched_hidden_size(lambda steps: build(step * steps), budget)


def step_of(name: str) -> int:
    """What a network's width has to be a multiple of."""
    return HEADS if name == "Transformer" else 1


def bytes_kept(model: nn.Module, inputs: Tensor) -> int:
    """Bytes that a pass forward keeps for the pass back, parameters not counted: each storage once.

    Args:
        model: A language model or a layer.
        inputs: What it reads.

    Returns:
        Bytes.

    Example:
        >>> layer = Recurrent(RNNCell(3, 5), implementation="kernel")
        >>> short, long = (bytes_kept(layer, torch.randn(2, time, 3)) for time in (10, 20))
        >>> 1.8 < long / short < 2.2
        True
    """
    owned = {parameter.untyped_storage().data_ptr() for parameter in model.parameters()}
    kept: dict[int, Tensor] = {}

    def note(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in owned:
            kept[storage.data_ptr()] = tensor  # held, so that no address is given out again
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
        outputs, _ = model(inputs)
    assert outputs.requires_grad
    return sum(tensor.untyped_storage().nbytes() for tensor in kept.values())


def state_bytes(state: Any) -> int:
    """Bytes of a state, whatever it is made of.

    Args:
        state: A tensor, or tuples of such.

    Returns:
        Bytes.

    Example:
        >>> state_bytes((torch.zeros(2, 3), torch.zeros(4)))
        40
    """
    return sum(tensor.numel() * tensor.element_size() for tensor in tensors_of(state))


def tensors_of(state: Any) -> Iterator[Tensor]:
    """The tensors that a state is made of."""
    if isinstance(state, Tensor):
        yield state
    else:
        for part in state:
            yield from tensors_of(part)
