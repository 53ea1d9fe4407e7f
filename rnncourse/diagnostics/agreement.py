"""Do several ways of computing something agree, in every value and every gradient?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from rnncourse.signatures import checked

__all__ = ["TOLERANCE", "assert_agreement", "assert_close", "assert_same", "gradients"]

TOLERANCE = {torch.float64: 1e-10, torch.float32: 1e-5}
"""How far two tensors may lie apart, relative to the largest entry of the second, by dtype."""


@checked
def assert_agreement(values: Mapping[str, Sequence[Tensor]], leaves: Mapping[str, Sequence[Tensor]]) -> str:
    """Assert that several ways have the same values, and the same gradient with respect to each leaf.

    The gradients are those of one fixed random sum of all values, :math:`L = \\sum_k \\langle v_k, y_k \\rangle`, where
    the :math:`y_k` are a way's values and the :math:`v_k` the random weights: any loss's gradient is such a sum.

    Args:
        values: Name of a way → the tensors that it computed; the last way is what the others are held against.
        leaves: Name of a leaf → the tensor that it is for each way, in the order of ``values``.

    Returns:
        One sentence that names the ways and what agrees.

    Raises:
        AssertionError: If two ways differ by more than :data:`TOLERANCE`; the message says which and in what.

    Example:
        >>> x = torch.ones(3, requires_grad=True)
        >>> assert_agreement({"a sum": [x + x], "a product": [2 * x]}, {"x": (x, x)})
        'a sum = a product in 1 value and the gradient of x'
    """
    ways = list(values)
    for place, way in enumerate(ways[:-1]):
        pairs = {name: (tensors[place], tensors[-1]) for name, tensors in leaves.items()}
        assert_same(values[way], values[ways[-1]], pairs, f"{way} against {ways[-1]}:")
    count = len(values[ways[-1]])
    names = f"gradient{'s' if len(leaves) > 1 else ''} of {', '.join(leaves)}"
    return f"{' = '.join(ways)} in {count} value{'s' if count > 1 else ''} and the {names}"


def assert_same(
    ours: Sequence[Tensor],
    theirs: Sequence[Tensor],
    leaves: Mapping[str, tuple[Tensor, Tensor]],
    what: str = "",
    unused: bool = False,
) -> None:
    """Assert that two computations have the same values, and the same gradient for each pair of leaves.

    Args:
        ours: The tensors that ours returned.
        theirs: Those that the oracle returned.
        leaves: Name → (our leaf, the oracle's leaf, which may be the same tensor).
        what: What is compared, for the message.
        unused: Whether a leaf may have no part in the values (then its gradient is zero on both sides).

    Raises:
        AssertionError: If a value or gradient differs by more than :data:`TOLERANCE`.
    """
    assert len(ours) == len(theirs), f"{what} {len(ours)} values against {len(theirs)}"
    for index, (a, b) in enumerate(zip(ours, theirs, strict=True)):
        assert_close(a, b, f"{what} value {index}")
    generator = torch.Generator().manual_seed(1)
    weights = [torch.randn(b.shape, generator=generator, dtype=b.dtype).to(b.device) for b in theirs]
    our_gradients = gradients(ours, [pair[0] for pair in leaves.values()], weights, unused)
    their_gradients = gradients(theirs, [pair[1] for pair in leaves.values()], weights, unused)
    for name, a, b in zip(leaves, our_gradients, their_gradients, strict=True):
        assert_close(a, b, f"{what} gradient of {name}")


def assert_close(ours: Tensor, theirs: Tensor, what: str) -> None:
    """Assert that two tensors are one, but for rounding.

    Args:
        ours: The first.
        theirs: The second, whose largest entry sets the scale.
        what: What is compared, for the message.

    Raises:
        AssertionError: If shape or dtype differ, or an entry by more than :data:`TOLERANCE`.
    """
    assert ours.shape == theirs.shape, f"{what}: shape {tuple(ours.shape)} against {tuple(theirs.shape)}"
    assert ours.dtype == theirs.dtype, f"{what}: {ours.dtype} against {theirs.dtype}"
    if theirs.dtype.is_floating_point:
        error = (ours - theirs).abs().max().item()
        allowed = TOLERANCE[theirs.dtype] * max(theirs.abs().max().item(), 1e-30)
        assert error <= allowed, f"{what}: off by {error:.3g}, {error / allowed:.3g} times what is allowed"
    else:
        assert torch.equal(ours, theirs), what


def gradients(
    outputs: Sequence[Tensor], leaves: Sequence[Tensor], weights: Sequence[Tensor], unused: bool = False
) -> tuple[Tensor, ...]:
    """The gradient of a weighted sum of all outputs with respect to each leaf."""
    loss = sum((output * weight).sum() for output, weight in zip(outputs, weights, strict=True))
    return torch.autograd.grad(loss, leaves, materialize_grads=unused, retain_graph=True)
