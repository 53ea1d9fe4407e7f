"""The backward pass, one step at a time, every intermediate with its name."""

from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from rnncourse.bptt.network import Parameters, Trace, check_backward
from rnncourse.checks import check_shape

__all__ = ["Backward", "backward"]


class Backward(NamedTuple):
    r"""What the backward pass leaves behind.

    ``gradients`` holds ∂L/∂U, ∂L/∂W, ∂L/∂b, ∂L/∂V and ∂L/∂b_y; ``dx`` is ∂L/∂x; ``dh_0`` is ∂L/∂h_0; ``dh[:, t]`` is
    the *total* derivative of the loss with respect to the hidden state after step t (through the output of the same
    step and through every later step); ``delta[:, t]`` is the same before the tanh, :math:`\partial L/\partial a_t`.
    """

    gradients: Parameters
    dx: Float[Tensor, "batch time input"]
    dh_0: Float[Tensor, "batch hidden"]
    dh: Float[Tensor, "batch time hidden"]
    delta: Float[Tensor, "batch time hidden"]


torch.serialization.add_safe_globals([Backward])  # for torch.load(…, weights_only=True)


def backward(
    parameters: Parameters,
    trace: Trace,
    dy: Float[Tensor, "batch time output"],
    dh_T: Float[Tensor, "batch hidden"] | None = None,
) -> Backward:
    r"""Backpropagation through time: walk the sequence from its end and hand the gradient from step to step.

    .. math::
        \frac{\partial L}{\partial h_t} &= V^\top \frac{\partial L}{\partial y_t} + W^\top \delta_{t+1}, &
        \delta_t &= (1 - h_t^2) \odot \frac{\partial L}{\partial h_t}, \\
        \frac{\partial L}{\partial W} &= \sum_t \delta_t h_{t-1}^\top, \quad
        \frac{\partial L}{\partial U} = \sum_t \delta_t x_t^\top, &
        \frac{\partial L}{\partial b} &= \sum_t \delta_t, \quad
        \frac{\partial L}{\partial V} = \sum_t \frac{\partial L}{\partial y_t} h_t^\top

    where :math:`a_t = U x_t + W h_{t-1} + b`, :math:`\delta_t = \partial L/\partial a_t`, :math:`\delta_{T+1} = 0` and
    :math:`\odot` is the entrywise product. The term :math:`W^\top \delta_{t+1}` is the carry through time; leaving it
    out is the best-known mistake in this derivation.

    Args:
        parameters: The weights that the forward pass used.
        trace: What :func:`~rnncourse.bptt.network.forward` returned.
        dy: ∂L/∂y, (batch, time, output).
        dh_T: Gradient that reaches the final state from outside the sequence, (batch, hidden); zeros when None.

    Returns:
        The gradients of every parameter, of the inputs and of the initial state, with ∂L/∂h and δ of every step.

    Raises:
        ValueError: If the parameters, the trace, dy and dh_T do not fit each other.

    Source: Werbos (1990), "Backpropagation through time: what it does and how to do it". From secondary
    sources.

    >>> p = Parameters.random(3, 4, 2)
    >>> x, target = torch.ones(1, 5, 3, dtype=torch.float64), torch.ones(1, 5, 2, dtype=torch.float64)
    >>> from rnncourse.bptt import forward, squared_error
    >>> trace = forward(p, x)
    >>> loss, dy = squared_error(trace.y, target)
    >>> back = backward(p, trace, dy)
    >>> back.gradients.W.shape, back.dh.shape
    (torch.Size([4, 4]), torch.Size([1, 5, 4]))
    """
    check_backward(parameters, trace, dy)
    U, W, b, V, b_y = parameters
    x, h, y = trace
    if dh_T is not None:
        check_shape("dh_T", dh_T, like=W, batch=len(x), hidden=len(W))

    dU, dW, db, dV, db_y = (torch.zeros_like(parameter) for parameter in parameters)
    carry = torch.zeros_like(h[:, 0]) if dh_T is None else dh_T  # what later steps say about h_t
    dh, delta, dx = torch.zeros_like(h[:, 1:]), torch.zeros_like(h[:, 1:]), torch.zeros_like(x)

    for t in reversed(range(x.shape[1])):
        x_t, h_t, h_before, dy_t = x[:, t], h[:, t + 1], h[:, t], dy[:, t]

        dV += dy_t.T @ h_t  # the output layer, at this step
        db_y += dy_t.sum(0)

        dh_t = dy_t @ V + carry  # two ways for h_t to matter: now, and later
        delta_t = (1 - h_t**2) * dh_t  # through the tanh

        dU += delta_t.T @ x_t  # this step's share of the shared weights
        dW += delta_t.T @ h_before
        db += delta_t.sum(0)

        dx[:, t] = delta_t @ U
        carry = delta_t @ W  # handed to step t - 1
        dh[:, t], delta[:, t] = dh_t, delta_t

    return Backward(Parameters(dU, dW, db, dV, db_y), dx, carry, dh, delta)
