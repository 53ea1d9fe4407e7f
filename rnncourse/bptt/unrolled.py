"""The unrolled graph taken at its word: a feedforward network of T layers that share one set of weights."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from rnncourse.bptt.network import Parameters, check_parameters
from rnncourse.checks import check_positive, check_shape
from rnncourse.signatures import checked

__all__ = ["DeepFeedforward"]


class DeepFeedforward(nn.Module):
    r"""A feedforward network of T layers, each of which also reads one input and emits one output.

    .. math:: h^{(l)} = \tanh(U^{(l)} x_l + W^{(l)} h^{(l-1)} + b^{(l)}), \qquad y_l = V^{(l)} h^{(l)} + b_y^{(l)},
              \qquad l = 1, \dots, T

    where the layer :math:`l` plays the part of time. With ``tied=True`` all layers use the same tensors; with
    ``tied=False`` each has a copy of its own that starts equal, and

    .. math:: \frac{\partial L}{\partial W} = \sum_{l=1}^{T} \frac{\partial L}{\partial W^{(l)}},

    the sentence "the gradient of a shared weight is the sum of the gradients of its copies".

    Args:
        parameters: The weights, copied.
        time: The number of layers T, at least 1.
        tied: Whether the layers share their weights.

    Raises:
        ValueError: If the parameters do not fit each other, or time is not a positive integer.

    Source: Rumelhart, Hinton and Williams (1986), "Learning internal representations by error propagation", the section
    on recurrent nets. From secondary sources.

    >>> p = Parameters.random(3, 4, 2)
    >>> net = DeepFeedforward(p, time=5, tied=False)
    >>> y = net(torch.ones(1, 5, 3, dtype=torch.float64))
    >>> y.sum().backward()
    >>> len(net.copies), net.gradients().W.shape
    (5, torch.Size([4, 4]))
    """

    @checked
    def __init__(self, parameters: Parameters, time: int, *, tied: bool = True):
        super().__init__()
        check_parameters(parameters)
        check_positive("time", time)
        self.tied = tied
        copies = [
            nn.ParameterList(nn.Parameter(p.detach().clone()) for p in parameters) for _ in range(1 if tied else time)
        ]
        self.copies = nn.ModuleList(copies * time if tied else copies)

    def forward(
        self, x: Float[Tensor, "batch time input"], h_0: Float[Tensor, "batch hidden"] | None = None
    ) -> Float[Tensor, "batch time output"]:
        """Pass ``x`` through the layers, one input to each.

        Args:
            x: Inputs, (batch, time, input); time is the number of layers.
            h_0: What the first layer receives from below, (batch, hidden); zeros when None.

        Returns:
            The outputs, (batch, time, output).

        Raises:
            ValueError: If x has another number of steps than the network has layers, or x or h_0 does not fit the
                parameters.
        """
        hidden, inputs = self.copies[0][0].shape
        like = self.copies[0][1]
        check_shape("x", x, like=like, batch=None, time=len(self.copies), input=inputs)
        h = x.new_zeros(x.shape[0], hidden) if h_0 is None else h_0
        check_shape("h_0", h, like=like, batch=x.shape[0], hidden=hidden)
        outputs = []
        for (U, W, b, V, b_y), x_l in zip(self.copies, x.unbind(1), strict=True):
            h = torch.tanh(x_l @ U.T + h @ W.T + b)
            outputs.append(h @ V.T + b_y)
        return torch.stack(outputs, dim=1)

    def layer_gradients(self) -> list[Parameters]:
        """The gradients of every layer's own weights after ``backward()``, first layer first (one entry when tied).

        Raises:
            RuntimeError: If ``backward()`` was not called on a loss of the outputs.
        """
        distinct = self.copies[:1] if self.tied else self.copies
        if any(parameter.grad is None for copy in distinct for parameter in copy):
            raise RuntimeError("there are no gradients yet; call backward() on a loss of the outputs first")
        return [Parameters(*(parameter.grad for parameter in copy)) for copy in distinct]

    def gradients(self) -> Parameters:
        """The gradients after ``backward()``, summed over the copies.

        Raises:
            RuntimeError: If ``backward()`` was not called on a loss of the outputs.
        """
        return Parameters(*(sum(layer) for layer in zip(*self.layer_gradients(), strict=True)))
