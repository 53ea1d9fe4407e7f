"""The vanilla RNN that chapter 3 differentiates: its parameters, its forward pass and two losses."""

from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor

from rnncourse.checks import check_kind, check_positive, check_shape

__all__ = ["Parameters", "Trace", "check_backward", "check_parameters", "cross_entropy", "forward", "squared_error"]


class Parameters(NamedTuple):
    r"""The five parameters of a vanilla RNN, or five gradients with the same names and shapes.

    .. math:: h_t = \tanh(U x_t + W h_{t-1} + b), \qquad y_t = V h_t + b_y

    where :math:`U` takes the input to the hidden state, :math:`W` the hidden state to the next one, :math:`V` the
    hidden state to the output, and :math:`b`, :math:`b_y` are biases. PyTorch stores :math:`U` as ``weight_ih``,
    :math:`W` as ``weight_hh``, and splits :math:`b` into ``bias_ih + bias_hh``.

    >>> p = Parameters.random(input_size=3, hidden_size=4, output_size=2)
    >>> [tuple(q.shape) for q in p]
    [(4, 3), (4, 4), (4,), (2, 4), (2,)]
    """

    U: Float[Tensor, "hidden input"]
    W: Float[Tensor, "hidden hidden"]
    b: Float[Tensor, " hidden"]
    V: Float[Tensor, "output hidden"]
    b_y: Float[Tensor, " output"]

    @classmethod
    def random(
        cls,
        input_size: int,
        hidden_size: int,
        output_size: int,
        *,
        generator: torch.Generator | None = None,
        dtype: torch.dtype = torch.float64,
    ) -> "Parameters":
        r"""Draw every entry from :math:`\mathcal{U}(-1/\sqrt{H}, 1/\sqrt{H})`, as PyTorch initialises its RNNs.

        Args:
            input_size: Features of :math:`x_t`, at least 1.
            hidden_size: Units :math:`H` of :math:`h_t`, at least 1.
            output_size: Features of :math:`y_t`, at least 1.
            generator: Source of randomness; the global one when None.
            dtype: float64 by default, because these forms exist to be compared to ten digits.

        Raises:
            ValueError: If a size is not a positive integer, or dtype is none of floating-point numbers.
        """
        check_positive("input_size", input_size)
        check_positive("hidden_size", hidden_size)
        check_positive("output_size", output_size)
        check_kind("generator", generator, (torch.Generator, type(None)))
        check_kind("dtype", dtype, torch.dtype)
        if not dtype.is_floating_point:
            raise ValueError(f"dtype is {dtype}; it should be one of floating-point numbers, such as torch.float64")
        shapes = [
            (hidden_size, input_size),
            (hidden_size, hidden_size),
            (hidden_size,),
            (output_size, hidden_size),
            (output_size,),
        ]
        scale = hidden_size**-0.5
        return cls(*((torch.rand(shape, generator=generator, dtype=dtype) * 2 - 1) * scale for shape in shapes))


class Trace(NamedTuple):
    """Everything the forward pass saw, kept because the backward pass will ask for it.

    ``h`` has one step more than the others: ``h[:, 0]`` is the initial state :math:`h_0`, ``h[:, t]`` is :math:`h_t`
    counted from 1, and so ``h[:, t]`` is also the state that step ``t`` of ``x`` (counted from 0) starts from.
    """

    x: Float[Tensor, "batch time input"]
    h: Float[Tensor, "batch time+1 hidden"]
    y: Float[Tensor, "batch time output"]


torch.serialization.add_safe_globals([Parameters, Trace])  # for torch.load(…, weights_only=True)


def check_parameters(parameters: Parameters, name: str = "parameters") -> None:
    """Refuse what is no set of parameters whose shapes fit each other.

    Args:
        parameters: What was given.
        name: The argument's name, for the message.

    Raises:
        ValueError: If it is no :class:`~rnncourse.bptt.network.Parameters`, or a tensor in it has another shape, dtype
            or device than U asks for.
    """
    check_kind(name, parameters, Parameters)
    U, W, b, V, b_y = parameters
    check_shape(f"{name}.U", U, hidden=None, input=None)
    hidden = U.shape[0]
    check_shape(f"{name}.W", W, like=U, hidden=hidden, old_hidden=hidden)
    check_shape(f"{name}.b", b, like=U, hidden=hidden)
    check_shape(f"{name}.V", V, like=U, output=None, hidden=hidden)
    check_shape(f"{name}.b_y", b_y, like=U, output=V.shape[0])


def check_backward(parameters: Parameters, trace: Trace, dy: Tensor) -> None:
    """Refuse what a backward pass cannot start from.

    Args:
        parameters: The weights that the forward pass used.
        trace: What :func:`~rnncourse.bptt.network.forward` returned.
        dy: ∂L/∂y, (batch, time, output).

    Raises:
        ValueError: If a part is of another kind, or has another shape, dtype or device than the parameters and the
            trace ask for.
    """
    check_parameters(parameters)
    check_kind("trace", trace, Trace)
    (hidden, inputs), outputs = parameters.U.shape, parameters.V.shape[0]
    check_shape("trace.x", trace.x, like=parameters.W, batch=None, time=None, input=inputs)
    batch, time, _ = trace.x.shape
    check_shape("trace.h", trace.h, like=parameters.W, batch=batch, time_and_start=time + 1, hidden=hidden)
    check_shape("trace.y", trace.y, like=parameters.W, batch=batch, time=time, output=outputs)
    check_shape("dy", dy, like=parameters.W, batch=batch, time=time, output=outputs)


def forward(
    parameters: Parameters,
    x: Float[Tensor, "batch time input"],
    h_0: Float[Tensor, "batch hidden"] | None = None,
) -> Trace:
    r"""Run the network over a batch of sequences and keep every hidden state.

    .. math:: h_t = \tanh(U x_t + W h_{t-1} + b), \qquad y_t = V h_t + b_y, \qquad t = 1, \dots, T

    where :math:`x_t` is the input, :math:`h_t` the hidden state and :math:`y_t` the output at step :math:`t`.

    Args:
        parameters: U, W, b, V and b_y.
        x: Inputs, (batch, time, input), at least one step.
        h_0: Initial state, (batch, hidden); zeros when None.

    Returns:
        A trace of x (batch, time, input), h (batch, time + 1, hidden) in (-1, 1) and y (batch, time, output).

    Raises:
        ValueError: If the parameters do not fit each other, x or h_0 does not fit them, or the sequence is empty.

    Source: Elman (1990), "Finding Structure in Time", whose units squash with a sigmoid; the tanh is the later habit.
    From secondary sources.

    >>> p = Parameters.random(3, 4, 2)
    >>> trace = forward(p, torch.zeros(1, 5, 3, dtype=torch.float64))
    >>> trace.h.shape, trace.y.shape
    (torch.Size([1, 6, 4]), torch.Size([1, 5, 2]))
    """
    check_parameters(parameters)
    U, W, b, V, b_y = parameters
    hidden_size, input_size = U.shape
    check_shape("x", x, like=W, batch=None, time=None, input=input_size)
    if h_0 is None:
        h_0 = x.new_zeros(x.shape[0], hidden_size)
    check_shape("h_0", h_0, like=W, batch=x.shape[0], hidden=hidden_size)

    h = [h_0]
    for x_t in x.unbind(1):
        h.append(torch.tanh(x_t @ U.T + h[-1] @ W.T + b))  # (batch, hidden)
    h = torch.stack(h, dim=1)  # (batch, time + 1, hidden)
    y = h[:, 1:] @ V.T + b_y  # (batch, time, output)
    return Trace(x, h, y)


def squared_error(
    y: Float[Tensor, "batch time output"], target: Float[Tensor, "batch time output"]
) -> tuple[Float[Tensor, ""], Float[Tensor, "batch time output"]]:
    r"""Half the squared error, summed over time and outputs and averaged over the batch, with its derivative.

    .. math:: L = \frac{1}{2B} \sum_{b,t} \lVert y_t - y^\star_t \rVert^2, \qquad
              \frac{\partial L}{\partial y_t} = \frac{y_t - y^\star_t}{B}

    where :math:`B` is the batch size and :math:`y^\star_t` the target.

    Args:
        y: Outputs of the network, (batch, time, output).
        target: What they should have been, same shape.

    Returns:
        The loss (a scalar) and ∂L/∂y (batch, time, output).

    Raises:
        ValueError: If y is not (batch, time, output), or the target has another shape, dtype or device.

    >>> loss, dy = squared_error(torch.tensor([[[3.0]]]), torch.tensor([[[1.0]]]))
    >>> loss.item(), dy.item()
    (2.0, 2.0)
    """
    check_shape("y", y, batch=None, time=None, output=None)
    batch, time, output = y.shape
    check_shape("target", target, like=y, batch=batch, time=time, output=output)
    error = y - target
    return 0.5 * error.square().sum() / len(y), error / len(y)


def cross_entropy(
    y: Float[Tensor, "batch time classes"], target: Int[Tensor, "batch time"]
) -> tuple[Float[Tensor, ""], Float[Tensor, "batch time classes"]]:
    r"""The negative log probability of the right classes, summed over time and averaged over the batch.

    .. math:: p_t = \operatorname{softmax}(y_t), \qquad L = -\frac{1}{B} \sum_{b,t} \log p_t[\text{target}_t], \qquad
              \frac{\partial L}{\partial y_t} = \frac{p_t - \text{onehot}(\text{target}_t)}{B}

    where :math:`B` is the batch size.

    Args:
        y: Scores (logits), (batch, time, classes).
        target: Class numbers from 0 to classes - 1, (batch, time).

    Returns:
        The loss in nats (a scalar) and ∂L/∂y (batch, time, classes).

    Raises:
        ValueError: If y is not (batch, time, classes), the target is not (batch, time) of whole numbers on its device,
            or a class number is out of range.

    >>> loss, dy = cross_entropy(torch.zeros(1, 1, 2), torch.tensor([[0]]))
    >>> round(loss.item(), 4), dy.tolist()
    (0.6931, [[[-0.5, 0.5]]])
    """
    check_shape("y", y, batch=None, time=None, classes=None)
    check_kind("target", target, Tensor)
    if target.dtype not in (torch.int64, torch.int32, torch.int16, torch.int8, torch.uint8):
        raise ValueError(f"target has dtype {target.dtype}; it should be one of whole numbers, such as torch.int64")
    if target.device != y.device:
        raise ValueError(f"target is on {target.device}; it should be on {y.device}, where y is")
    if target.shape != y.shape[:2]:
        raise ValueError(f"target has shape {tuple(target.shape)}; it should be {tuple(y.shape[:2])}, one class a step")
    if target.min() < 0 or target.max() >= y.shape[2]:
        raise ValueError(
            f"target has classes from {target.min().item()} to {target.max().item()}; "
            f"they should lie between 0 and {y.shape[2] - 1}"
        )
    log_p = y.log_softmax(dim=2)
    right = torch.nn.functional.one_hot(target.long(), y.shape[2]).to(y.dtype)
    return -(right * log_p).sum() / len(y), (log_p.exp() - right) / len(y)
