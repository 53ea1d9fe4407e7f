"""The gradient as the double sum it is: every loss t, through every earlier step k, as a product of Jacobians."""

from collections.abc import Iterator

import torch
from jaxtyping import Float
from torch import Tensor

from rnncourse.bptt.network import Parameters, Trace, check_backward, check_parameters
from rnncourse.checks import check_shape

__all__ = ["contributions", "double_sum", "step_jacobian"]


def step_jacobian(parameters: Parameters, h_t: Float[Tensor, "batch hidden"]) -> Float[Tensor, "batch hidden hidden"]:
    r"""The Jacobian of one step of the recurrence.

    .. math:: J_t = \frac{\partial h_t}{\partial h_{t-1}} = \operatorname{diag}(1 - h_t^2)\, W

    where :math:`h_t` is the state the step arrived at: the derivative of tanh needs only its value.

    Args:
        parameters: Only W is used.
        h_t: Hidden states, (batch, hidden).

    Returns:
        One Jacobian for each sequence of the batch, (batch, hidden, hidden); row i, column j is
        :math:`\partial h_t[i] / \partial h_{t-1}[j]`.

    Raises:
        ValueError: If the parameters do not fit each other, or h_t does not fit them.

    Source: Pascanu, Mikolov and Bengio (2013), "On the difficulty of training recurrent neural networks", equation 5,
    written for a tanh around the whole sum. From secondary sources.

    >>> p = Parameters.random(1, 2, 1)
    >>> bool((step_jacobian(p, torch.zeros(1, 2, dtype=torch.float64))[0] == p.W).all())
    True
    """
    check_parameters(parameters)
    check_shape("h_t", h_t, like=parameters.W, batch=None, hidden=parameters.W.shape[0])
    return _jacobian(parameters.W, h_t)


def _jacobian(W: Tensor, h_t: Tensor) -> Tensor:
    return (1 - h_t**2).unsqueeze(2) * W


def _paths(
    parameters: Parameters, trace: Trace, dy: Float[Tensor, "batch time output"]
) -> Iterator[tuple[int, int, Float[Tensor, "batch hidden"]]]:
    """Yield (t, k, δ): what the loss of step t says about the pre-activation of step k ≤ t."""
    batch, _, hidden = trace.h.shape
    identity = torch.eye(hidden, dtype=trace.h.dtype, device=trace.h.device).expand(batch, hidden, hidden)
    for t in range(dy.shape[1]):
        product = identity  # ∂h_t/∂h_k, beginning at k = t
        for k in reversed(range(t + 1)):
            h_k = trace.h[:, k + 1]
            dh_k = ((dy[:, t] @ parameters.V).unsqueeze(1) @ product).squeeze(1)
            yield t, k, (1 - h_k**2) * dh_k
            product = product @ _jacobian(parameters.W, h_k)


def contributions(
    parameters: Parameters, trace: Trace, dy: Float[Tensor, "batch time output"]
) -> Float[Tensor, "time time hidden hidden"]:
    r"""The part of ∂L/∂W that the loss of step t sends through the use of W in step k, for every pair.

    .. math:: G_{t,k} = \operatorname{diag}(1 - h_k^2) \Bigl( \prod_{j=k+1}^{t} J_j \Bigr)^{\!\top} V^\top
              \frac{\partial L_t}{\partial y_t}\; h_{k-1}^\top, \qquad
              \frac{\partial L}{\partial W} = \sum_{t=1}^{T} \sum_{k=1}^{t} G_{t,k}

    where :math:`J_j` is the Jacobian of step j (:func:`~rnncourse.bptt.paths.step_jacobian`), the product runs from
    :math:`J_t` on the left to :math:`J_{k+1}` on the right, and :math:`G_{t,k} = 0` for :math:`k > t`: the future does
    not act on the past.

    Args:
        parameters: The weights that the forward pass used.
        trace: What :func:`~rnncourse.bptt.network.forward` returned.
        dy: ∂L/∂y, (batch, time, output).

    Returns:
        G, (time, time, hidden, hidden), summed over the batch; the first index is the loss, the second the step.

    Raises:
        ValueError: If the parameters, the trace and dy do not fit each other.

    Source: Pascanu, Mikolov and Bengio (2013), equations 3 to 5. From secondary sources.

    >>> from rnncourse.bptt import forward, squared_error
    >>> p = Parameters.random(1, 2, 1)
    >>> trace = forward(p, torch.ones(1, 3, 1, dtype=torch.float64))
    >>> loss, dy = squared_error(trace.y, torch.zeros(1, 3, 1, dtype=torch.float64))
    >>> G = contributions(p, trace, dy)
    >>> G.shape, G[0, 2].abs().max().item()
    (torch.Size([3, 3, 2, 2]), 0.0)
    """
    check_backward(parameters, trace, dy)
    time, hidden = dy.shape[1], trace.h.shape[2]
    G = trace.h.new_zeros(time, time, hidden, hidden)
    for t, k, delta in _paths(parameters, trace, dy):
        G[t, k] = delta.T @ trace.h[:, k]
    return G


def double_sum(parameters: Parameters, trace: Trace, dy: Float[Tensor, "batch time output"]) -> Parameters:
    r"""Every parameter's gradient, by the double sum over losses t and steps k ≤ t, written literally.

    .. math:: \frac{\partial L}{\partial \theta} = \sum_{t=1}^{T} \sum_{k=1}^{t}
              \frac{\partial L_t}{\partial h_t} \Bigl( \prod_{j=k+1}^{t} J_j \Bigr)
              \frac{\partial^{+} h_k}{\partial \theta}

    where :math:`\partial^{+} h_k / \partial \theta` is the immediate derivative, with :math:`h_{k-1}` held fixed. It
    costs :math:`O(T^2 H^3)` where :func:`~rnncourse.bptt.steps.backward` costs :math:`O(T H^2)`: the recursion is this
    sum, bracketed well.

    Args:
        parameters: The weights that the forward pass used.
        trace: What :func:`~rnncourse.bptt.network.forward` returned.
        dy: ∂L/∂y, (batch, time, output).

    Returns:
        The five gradients.

    Raises:
        ValueError: If the parameters, the trace and dy do not fit each other.

    Source: Pascanu, Mikolov and Bengio (2013), equations 3 to 5. From secondary sources.

    >>> from rnncourse.bptt import backward, forward, squared_error
    >>> p = Parameters.random(1, 2, 1)
    >>> trace = forward(p, torch.ones(1, 3, 1, dtype=torch.float64))
    >>> loss, dy = squared_error(trace.y, torch.zeros(1, 3, 1, dtype=torch.float64))
    >>> bool(torch.allclose(double_sum(p, trace, dy).W, backward(p, trace, dy).gradients.W))
    True
    """
    check_backward(parameters, trace, dy)
    dU, dW, db = (torch.zeros_like(parameter) for parameter in parameters[:3])
    for _, k, delta in _paths(parameters, trace, dy):
        dU += delta.T @ trace.x[:, k]
        dW += delta.T @ trace.h[:, k]
        db += delta.sum(0)
    dV = torch.einsum("bto,bth->oh", dy, trace.h[:, 1:])
    return Parameters(dU, dW, db, dV, dy.sum((0, 1)))
