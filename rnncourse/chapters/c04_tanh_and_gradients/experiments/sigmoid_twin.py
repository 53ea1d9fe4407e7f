"""A tanh network written with sigmoids: the same network, its gradient too."""

from typing import NamedTuple

from torch import Tensor

from rnncourse.checks import check_shape


class SigmoidTwin(NamedTuple):
    """The weights of the sigmoid network.

    Attributes:
        weight_ih: Shape (hidden, input).
        weight_hh: Shape (hidden, hidden).
        bias: Shape (hidden,).
    """

    weight_ih: Tensor
    weight_hh: Tensor
    bias: Tensor


def sigmoid_twin(weight_ih: Tensor, weight_hh: Tensor, bias: Tensor) -> SigmoidTwin:
    r"""The sigmoid network whose states are those of a tanh network, moved into (0, 1).

    .. math::

        s_t = \frac{1 + h_t}{2} = \sigma\big(2 U x_t + 4 W s_{t-1} + 2 b - 2 W \mathbf 1\big)

    where :math:`h_t = \tanh(U x_t + W h_{t-1} + b)`. It follows from :math:`\tanh a = 2 \sigma(2a) - 1`. Both have the
    same Jacobians :math:`\partial s_t / \partial s_{t-1} = \partial h_t / \partial h_{t-1}`: the factor of a quarter in
    the sigmoid's slope is made up for by the four before W. What makes gradients vanish faster is a sigmoid *with the
    tanh network's W*.

    Args:
        weight_ih: U, of shape (hidden, input).
        weight_hh: W, of shape (hidden, hidden).
        bias: b, of shape (hidden,).

    Returns:
        The weights of the sigmoid network.

    Raises:
        ValueError: If the shapes do not fit.
    """
    check_shape("weight_hh", weight_hh, hidden=len(weight_ih), same=len(weight_ih))
    check_shape("bias", bias, hidden=len(weight_ih))
    return SigmoidTwin(2 * weight_ih, 4 * weight_hh, 2 * bias - 2 * weight_hh.sum(1))
