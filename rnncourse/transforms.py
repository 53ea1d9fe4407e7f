"""What PyTorch is doing to a computation from outside: function transforms, forward mode, tracing.

An operation with a backward pass of its own is not seen through by all of them. Which ones are under way is asked here,
so that such an operation can step aside for the readable loop, or be refused by name.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch._C import _functorch
from torch.autograd import forward_ad

__all__ = ["in_functional_gradient", "in_nested_forward_mode", "stands_for_many", "under_way"]


def in_nested_forward_mode() -> bool:
    """Whether a forward-mode derivative is being taken of another one.

    PyTorch then drops the second-order terms of every custom operation, silently; so none may be used.

    Example:
        >>> in_nested_forward_mode()
        False
    """
    return _levels().count(_functorch.TransformType.Jvp) > 1


def in_functional_gradient() -> bool:
    """Whether ``torch.func`` is taking a gradient, under which PyTorch cannot recompute what was not kept.

    Example:
        >>> in_functional_gradient()
        False
    """
    return _functorch.TransformType.Grad in _levels()


def stands_for_many(*values: Tensor | None) -> bool:
    """Whether a tensor stands for the many of ``is_grads_batched=True``, which cannot be written into.

    Args:
        *values: The tensors; ``None`` is no tensor.

    Example:
        >>> stands_for_many(torch.ones(2), None)
        False
    """
    if torch.compiler.is_compiling():
        return False
    return any(value is not None and _functorch.is_legacy_batchedtensor(value) for value in values)


def under_way(*values: Tensor | None) -> str | None:
    """Which transformation these tensors are under that sees only PyTorch's own operations.

    Args:
        *values: What an operation would be applied to.

    Returns:
        Its name, or ``None``.

    Example:
        >>> torch.func.vmap(lambda x: x if under_way(x) is None else x + 1)(torch.zeros(2))
        tensor([1., 1.])
    """
    if torch.compiler.is_compiling():
        return None
    if _levels():
        return "a transformation of torch.func"
    if torch.jit.is_tracing():
        return "torch.jit.trace"
    if stands_for_many(*values):
        return "is_grads_batched=True"
    if forward_ad._current_level >= 0 and any(
        value is not None and forward_ad.unpack_dual(value).tangent is not None for value in values
    ):
        return "a forward-mode derivative"
    return None


def _levels() -> list[Any]:
    """The transformations of ``torch.func`` that are under way, outermost first."""
    return [] if torch.compiler.is_compiling() else [one.key() for one in _functorch.get_interpreter_stack() or ()]
