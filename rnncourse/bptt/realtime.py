"""Real-time recurrent learning: the same gradient, carried forward with the state instead of sent back."""

import torch
from jaxtyping import Float
from torch import Tensor

from rnncourse.bptt.network import Parameters, check_parameters
from rnncourse.checks import check_positive, check_shape

__all__ = ["rtrl", "rtrl_numbers_carried"]


def rtrl_numbers_carried(input_size: int, hidden_size: int) -> int:
    r"""How many numbers real-time recurrent learning carries from step to step, for one sequence.

    .. math:: H \,(H I + H^2 + H)

    where :math:`H` is the hidden size and :math:`I` the input size: every hidden unit's derivative with respect to
    every entry of U, W and b. Backpropagation through time keeps :math:`T H` instead.

    Args:
        input_size: Features of the input, at least 1.
        hidden_size: Hidden units, at least 1.

    Returns:
        The count.

    Raises:
        ValueError: If a size is not positive.

    >>> rtrl_numbers_carried(input_size=10, hidden_size=100)
    1110000
    """
    check_positive("input_size", input_size)
    check_positive("hidden_size", hidden_size)
    return hidden_size * (hidden_size * input_size + hidden_size**2 + hidden_size)


def rtrl(
    parameters: Parameters,
    x: Float[Tensor, "batch time input"],
    dy: Float[Tensor, "batch time output"],
    h_0: Float[Tensor, "batch hidden"] | None = None,
) -> Parameters:
    r"""The gradient of the whole sequence, computed in one forward sweep.

    .. math:: S_t = \frac{d h_t}{d \theta}
              = \operatorname{diag}(1 - h_t^2) \Bigl( W S_{t-1} + \frac{\partial^{+} a_t}{\partial \theta} \Bigr),
              \qquad
              \frac{\partial L}{\partial \theta} = \sum_t \frac{\partial L_t}{\partial y_t} V S_t

    where :math:`S_t` is the sensitivity of the state to every recurrent parameter, :math:`a_t = U x_t + W h_{t-1} +
    b`, and :math:`\partial^{+}` is the immediate derivative with :math:`h_{t-1}` held fixed. Nothing of the past is
    stored but :math:`S_t`, so memory does not grow with T; but :math:`S_t` has :math:`O(H^3)` entries and a step costs
    :math:`O(H^4)`, against :math:`O(H^2)` for a step of BPTT. The two gradients are equal as long as the weights do
    not change during the sequence.

    Args:
        parameters: U, W, b, V and b_y, held fixed over the sequence.
        x: Inputs, (batch, time, input).
        dy: ∂L/∂y, (batch, time, output); entry t is first read at step t.
        h_0: Initial state, (batch, hidden); zeros when None.

    Returns:
        The five gradients.

    Raises:
        ValueError: If the parameters do not fit each other, or x, dy or h_0 does not fit them.

    Source: Williams and Zipser (1989), "A learning algorithm for continually running fully recurrent neural networks".
    From secondary sources.

    >>> from rnncourse.bptt import backward, forward, squared_error
    >>> p = Parameters.random(1, 2, 1)
    >>> trace = forward(p, torch.ones(1, 4, 1, dtype=torch.float64))
    >>> loss, dy = squared_error(trace.y, torch.zeros(1, 4, 1, dtype=torch.float64))
    >>> bool(torch.allclose(rtrl(p, trace.x, dy).W, backward(p, trace, dy).gradients.W))
    True
    """
    check_parameters(parameters)
    U, W, b, V, b_y = parameters
    hidden, inputs = U.shape
    check_shape("x", x, like=W, batch=None, time=None, input=inputs)
    batch, time, _ = x.shape
    check_shape("dy", dy, like=W, batch=batch, time=time, output=len(b_y))
    if h_0 is not None:
        check_shape("h_0", h_0, like=W, batch=batch, hidden=hidden)

    dU, dW, db, dV, db_y = (torch.zeros_like(parameter) for parameter in parameters)
    own = torch.eye(hidden, dtype=x.dtype, device=x.device)  # row i of U, W and b enters unit i only
    h = x.new_zeros(batch, hidden) if h_0 is None else h_0
    S_U = x.new_zeros(batch, hidden, hidden, inputs)  # S_U[:, p, i, j] = d h_t[p] / d U[i, j]
    S_W = x.new_zeros(batch, hidden, hidden, hidden)
    S_b = x.new_zeros(batch, hidden, hidden)

    for x_t, dy_t in zip(x.unbind(1), dy.unbind(1), strict=True):
        S_U = torch.einsum("pq,bqij->bpij", W, S_U) + torch.einsum("pi,bj->bpij", own, x_t)
        S_W = torch.einsum("pq,bqij->bpij", W, S_W) + torch.einsum("pi,bj->bpij", own, h)
        S_b = torch.einsum("pq,bqi->bpi", W, S_b) + own

        h = torch.tanh(x_t @ U.T + h @ W.T + b)
        slope = 1 - h**2
        S_U, S_W, S_b = slope[:, :, None, None] * S_U, slope[:, :, None, None] * S_W, slope[:, :, None] * S_b

        dh_t = dy_t @ V  # the loss of this step only: nothing comes back from later ones
        dU += torch.einsum("bp,bpij->ij", dh_t, S_U)
        dW += torch.einsum("bp,bpij->ij", dh_t, S_W)
        db += torch.einsum("bp,bpi->i", dh_t, S_b)
        dV += dy_t.T @ h
        db_y += dy_t.sum(0)
    return Parameters(dU, dW, db, dV, db_y)
