"""What PyTorch's fused attention cannot do is refused by name: the gradient of a gradient."""

from __future__ import annotations

import torch
from torch import Tensor

__all__ = ["differentiable_once"]


def differentiable_once(*tensors: Tensor) -> tuple[Tensor, ...]:
    """Hand tensors on as they are, and their gradients too, but refuse to differentiate those gradients again.

    Args:
        *tensors: What goes into an operation that has no second derivative.

    Returns:
        The same values.

    Raises:
        RuntimeError: Later, when a gradient that came back through here is differentiated.

    Example:
        >>> x = torch.ones(2, requires_grad=True)
        >>> (y,) = differentiable_once(x)
        >>> (gradient,) = torch.autograd.grad((y**3).sum(), x, create_graph=True)
        >>> gradient.sum().backward()
        Traceback (most recent call last):
        ...
        RuntimeError: the fused attention has no second derivative; build it with implementation='readable'
    """
    return _Once.apply(*tensors)


class _Once(torch.autograd.Function):
    """The identity, whose backward pass is the identity that refuses."""

    generate_vmap_rule = True

    @staticmethod
    def forward(*tensors):
        return tuple(tensor.view_as(tensor) for tensor in tensors)

    @staticmethod
    def setup_context(ctx, inputs, output):
        pass

    @staticmethod
    def backward(ctx, *grads):
        return _Refusal.apply(*grads)


class _Refusal(_Once):
    """The identity, whose backward pass is refused."""

    @staticmethod
    def backward(ctx, *grads):
        raise RuntimeError("the fused attention has no second derivative; build it with implementation='readable'")
