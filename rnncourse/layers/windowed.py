"""The feedforward network that reads a sequence through a fixed window: what a recurrent network is measured against.

It speaks the grammar of the layers, ``output, state = module(input, state)``, and that is its lesson: its whole state
is the last few inputs, copied, and what falls out of the window is gone.
"""

from __future__ import annotations

import math

import torch
from jaxtyping import Float
from torch import Tensor, nn

from rnncourse.checks import check_positive, check_shape
from rnncourse.layers.layer import Layer
from rnncourse.shapes import check_state
from rnncourse.unroll import last_step, padding_mask

__all__ = ["FixedWindow"]


class FixedWindow(Layer):
    r"""A feedforward layer over the last ``window`` inputs, slid along a sequence.

    .. math:: h_t = \tanh\Big(\sum_{j=0}^{k-1} U_j\, x_{t-j} + b\Big)

    where :math:`x_t` is the input, :math:`k` the window, :math:`U_j`, of shape (hidden, input), the weights for the
    input :math:`j` steps back (``weight[j]``), and :math:`b` the bias. Inputs from before the sequence are zero. It is
    a causal convolution over time, and ``x_{t-k}`` has no influence on ``h_t`` at all.

    Args:
        input_size: Features of one step's input.
        hidden_size: Units of the hidden layer, which are the outputs.
        window: How many inputs it sees, the newest included, at least 1.

    Raises:
        ValueError: If a size is not at least 1.

    Source: the neural language model of Bengio et al. (2003), its direct connections left out. From secondary
    sources.

    Example:
        >>> layer = FixedWindow(3, 5, window=4)
        >>> outputs, state = layer(torch.zeros(2, 7, 3))
        >>> outputs.shape, state.shape  # the state is the last window - 1 inputs
        (torch.Size([2, 7, 5]), torch.Size([2, 3, 3]))
    """

    def __init__(self, input_size: int, hidden_size: int, *, window: int) -> None:
        super().__init__()
        for name, size in (("input_size", input_size), ("hidden_size", hidden_size), ("window", window)):
            check_positive(name, size)
        self.input_size = input_size
        self.output_size = hidden_size
        self.window = window
        self.weight = nn.Parameter(torch.empty(window, hidden_size, input_size))
        self.bias = nn.Parameter(torch.empty(hidden_size))
        self.reset_parameters()

    @torch.no_grad()
    def reset_parameters(self) -> None:
        """Draw all parameters anew, evenly within one over the root of the number of inputs, as PyTorch's layers do."""
        bound = 1 / math.sqrt(self.window * self.input_size)
        for parameter in self.parameters():
            parameter.uniform_(-bound, bound)

    def initial_state(self, batch_size: int) -> Float[Tensor, "batch older input"]:
        """The inputs from before the sequence: zeros, of shape (batch, window - 1, input)."""
        check_positive("batch_size", batch_size)
        return self.weight.new_zeros(batch_size, self.window - 1, self.input_size)

    def read(
        self, inputs: Tensor, state: Tensor | None, lengths: Tensor | None
    ) -> tuple[Float[Tensor, "batch time output"], Float[Tensor, "batch older input"]]:
        """Read a padded batch: the outputs, zero at padding, and each sequence's own last ``window - 1`` inputs."""
        check_shape("inputs", inputs, like=self.weight, batch=None, time=None, input=self.input_size)
        batch, time, _ = inputs.shape
        if state is None:
            state = self.initial_state(batch)
        check_state("state", state, self.initial_state(batch))
        if lengths is None:
            lengths = torch.full((batch,), time, device=inputs.device)
        else:
            lengths = lengths.to(inputs.device)
        seen = torch.cat([state, inputs], dim=1)  # (batch, window - 1 + time, input)
        scores = self.bias + sum(
            seen[:, self.window - 1 - j : self.window - 1 - j + time] @ self.weight[j].T for j in range(self.window)
        )  # (batch, time, hidden)
        real = padding_mask(lengths, time).unsqueeze(-1)
        outputs = torch.where(real, torch.tanh(scores), torch.zeros_like(scores))
        last = lengths.unsqueeze(1) + torch.arange(self.window - 1, device=inputs.device)  # (batch, window - 1)
        return outputs, seen.gather(1, last.unsqueeze(-1).expand(-1, -1, self.input_size))

    @property
    def bidirectional(self) -> bool:
        """Whether what comes out has been read from both ends."""
        return False

    def last_output(self, outputs: Tensor, lengths: Tensor | None = None) -> Tensor:
        """What the layer put out at each sequence's own end, of shape (batch, output)."""
        return last_step(outputs, lengths)

    def extra_repr(self) -> str:
        """The sizes, as ``repr`` shows them."""
        return f"{self.input_size}, {self.output_size}, window={self.window}"
