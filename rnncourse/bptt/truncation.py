"""Truncated backpropagation through time: a cheaper gradient, and how far it is from the true one."""

from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from rnncourse.bptt.network import Parameters, Trace, check_backward
from rnncourse.bptt.steps import Backward, backward
from rnncourse.checks import check_kind, check_positive

__all__ = ["Bias", "gradient_bias", "truncated_backward"]


def truncated_backward(
    parameters: Parameters, trace: Trace, dy: Float[Tensor, "batch time output"], *, k1: int, k2: int
) -> Backward:
    r"""Every k1 steps, send the newest k1 losses back through at most k2 steps.

    .. math:: \frac{\partial L}{\partial W} \approx \sum_{e \in \{k_1, 2k_1, \dots\}} \;
              \sum_{t=e-k_1+1}^{e} \; \sum_{k=\max(1,\, e-k_2+1)}^{t} G_{t,k}

    where :math:`G_{t,k}` is the part of the gradient that loss t sends through step k
    (:func:`~rnncourse.bptt.paths.contributions`) and e runs over the steps at which a backward pass starts (the last
    one is T, even if k1 does not divide it).

    Three choices have names: ``k1=1, k2=k`` lets every loss reach k steps, itself included; ``k1=k2=k`` is what
    training on windows with a detached state does when k divides T (a loss early in its window reaches fewer steps
    than one late in it); ``k2 >= T`` is the exact gradient. The hidden states still carry the whole past *forward*:
    only the credit is cut.

    Args:
        parameters: The weights that the forward pass used.
        trace: What :func:`~rnncourse.bptt.network.forward` returned for the whole sequence.
        dy: ∂L/∂y, (batch, time, output).
        k1: Steps between two backward passes, at least 1.
        k2: Steps that each backward pass goes back, at least k1 so that no loss is dropped.

    Returns:
        The truncated gradients, in the form of :func:`~rnncourse.bptt.steps.backward`; ``dh_0`` holds only what
        reached the first step.

    Raises:
        ValueError: If k1 < 1, k2 < k1, or the parameters, the trace and dy do not fit each other.

    Source: Williams and Peng (1990), "An efficient gradient-based algorithm for on-line training of recurrent network
    trajectories", BPTT(h; h'); the letters k1 and k2 are from Sutskever's thesis (2013). From secondary sources.

    >>> from rnncourse.bptt import forward, squared_error
    >>> p = Parameters.random(1, 2, 1)
    >>> trace = forward(p, torch.ones(1, 6, 1, dtype=torch.float64))
    >>> loss, dy = squared_error(trace.y, torch.zeros(1, 6, 1, dtype=torch.float64))
    >>> exact = backward(p, trace, dy).gradients
    >>> bool(torch.allclose(truncated_backward(p, trace, dy, k1=2, k2=6).gradients.W, exact.W))
    True
    """
    check_positive("k1", k1)
    check_positive("k2", k2)
    if k2 < k1:
        raise ValueError(f"k2 is {k2}; it should be at least k1 = {k1}, or losses would be dropped")
    check_backward(parameters, trace, dy)

    x, h, y = trace
    time = x.shape[1]
    total = Parameters(*(torch.zeros_like(parameter) for parameter in parameters))
    dx, dh_0 = torch.zeros_like(x), torch.zeros_like(h[:, 0])
    dh, delta = torch.zeros_like(h[:, 1:]), torch.zeros_like(h[:, 1:])
    counted = 0  # losses that an earlier pass has already sent back
    for end in [*range(k1, time, k1), time]:
        start = max(0, end - k2)
        fresh = dy[:, start:end].clone()
        fresh[:, : counted - start] = 0
        part = backward(parameters, Trace(x[:, start:end], h[:, start : end + 1], y[:, start:end]), fresh)
        total = Parameters(*(a + b for a, b in zip(total, part.gradients, strict=True)))
        dx[:, start:end] += part.dx
        dh[:, start:end] += part.dh
        delta[:, start:end] += part.delta
        if start == 0:
            dh_0 = dh_0 + part.dh_0
        counted = end
    return Backward(total, dx, dh_0, dh, delta)


class Bias(NamedTuple):
    """How an approximate gradient differs from the exact one: relative error (0: equal) and cosine (1: parallel)."""

    relative_error: float
    cosine: float


def gradient_bias(approximate: Parameters | Float[Tensor, "..."], exact: Parameters | Float[Tensor, "..."]) -> Bias:
    r"""Compare two gradients as vectors.

    .. math:: \text{relative error} = \frac{\lVert \hat g - g \rVert}{\lVert g \rVert}, \qquad
              \text{cosine} = \frac{\hat g \cdot g}{\lVert \hat g \rVert \, \lVert g \rVert}

    where :math:`g` is the exact gradient and :math:`\hat g` the approximate one, all parameters laid end to end.

    Args:
        approximate: A gradient, one tensor or a set of parameters.
        exact: The same for the exact gradient, not all zero.

    Returns:
        The relative error, at least 0, and the cosine, between -1 and 1 (0 when the approximate gradient is zero).

    Raises:
        ValueError: If one is neither a tensor nor a set of parameters, the two have not the same shapes, or the exact
            gradient is zero.

    >>> gradient_bias(torch.tensor([3.0, 0.0]), torch.tensor([3.0, 4.0]))
    Bias(relative_error=0.8, cosine=0.6)
    """
    parts, wanted = _parts("approximate", approximate), _parts("exact", exact)
    if len(parts) != len(wanted):
        raise ValueError(
            f"approximate is a {type(approximate).__name__}; it should be of type {type(exact).__name__}, as exact is"
        )
    for part, like in zip(parts, wanted, strict=True):
        if part.shape != like.shape:
            raise ValueError(
                f"approximate has a gradient of shape {tuple(part.shape)}; it should be {tuple(like.shape)}, as in "
                f"exact"
            )
    g_hat, g = (torch.cat([p.reshape(-1) for p in one]).double() for one in (parts, wanted))
    size = g.norm().item()
    if size == 0:
        raise ValueError("exact is zero everywhere; it should have a direction to compare with")
    other = g_hat.norm().item()
    cosine = (g_hat @ g).item() / (other * size) if other else 0.0
    return Bias((g_hat - g).norm().item() / size, cosine)


def _parts(name: str, gradient: Parameters | Tensor) -> tuple[Tensor, ...]:
    """The tensors of a gradient, refused by name if they are none."""
    check_kind(name, gradient, (Tensor, Parameters))
    parts = (gradient,) if isinstance(gradient, Tensor) else tuple(gradient)
    for part in parts:
        check_kind(f"a part of {name}", part, Tensor)
        if not part.is_floating_point() or part.numel() == 0:
            raise ValueError(
                f"{name} holds a {part.dtype} tensor of shape {tuple(part.shape)}; it should hold at least one "
                f"floating-point number"
            )
    return parts
