"""What the spectral radius of W does not say: a driven tanh network with radius zero whose gradient explodes."""

import math
from typing import Any

import torch
from torch import Tensor

from rnncourse.checks import check_positive
from rnncourse.results import experiment


def nilpotent(size: int, *, gain: float, generator: torch.Generator | None = None) -> Tensor:
    r"""A matrix whose square is zero, and so are all its eigenvalues.

    .. math:: W = g\, A B^\top, \qquad A^\top A = B^\top B = 1, \quad B^\top A = 0

    where :math:`A` and :math:`B` are the two halves of the columns of one random orthogonal matrix and :math:`g` is the
    gain, the largest singular value. Between two products with W a slope that is not the same for all units turns what
    left the space of A partly back into that of B.

    Args:
        size: Rows and columns, an even number.
        gain: The factor g.
        generator: Draws the orthogonal matrix.

    Returns:
        Shape (size, size), in float64.

    Raises:
        ValueError: If the size is not even.

    Example:
        >>> W = nilpotent(4, gain=6.0, generator=torch.Generator().manual_seed(0))
        >>> bool((W @ W).abs().max() < 1e-12), round(float(torch.linalg.matrix_norm(W, 2)), 6)
        (True, 6.0)
    """
    check_positive("size", size)
    if size % 2:
        raise ValueError(f"size is {size}; it should be even, for two halves")
    normal = torch.randn(size, size, dtype=torch.float64, generator=generator)
    orthogonal, _ = torch.linalg.qr(normal)
    ahead, back = orthogonal.chunk(2, dim=1)
    return gain * ahead @ back.T


def spectral_radius(weight: Tensor) -> float:
    """The largest absolute value of a matrix's eigenvalues.

    Args:
        weight: Shape (size, size).

    Returns:
        A number, at least 0.

    Example:
        >>> round(spectral_radius(torch.tensor([[2.0, -4.0], [1.0, -2.0]])), 3)
        0.0
    """
    return float(torch.linalg.eigvals(weight).abs().max())


@torch.no_grad()
def log_growth(weight: Tensor, *, steps: int, scale: float, generator: torch.Generator | None = None) -> list[float]:
    r"""How the product of a driven tanh network's Jacobians grows.

    .. math:: h_t = \tanh(W h_{t-1} + x_t), \qquad P_t = \operatorname{diag}(1 - h_t^2)\, W\, P_{t-1}

    where the inputs :math:`x_t` are drawn from :math:`N(0, s^2)` for every unit, :math:`h_0 = 0` and :math:`P_0 = 1`.
    The product is divided by its norm at every step, and the logarithms are added up, so that it neither overflows nor
    underflows.

    Args:
        weight: W, of shape (size, size).
        steps: How many Jacobians are multiplied.
        scale: The standard deviation s of the inputs.
        generator: Draws the inputs.

    Returns:
        The natural logarithm of the Frobenius norm of :math:`P_t`, less that of :math:`P_0`, for each step. A product
        that should be zero is what rounding leaves of it.
    """
    state, product = weight.new_zeros(len(weight)), torch.eye(len(weight), dtype=weight.dtype)
    product /= product.norm()
    total, logs = 0.0, []
    for _ in range(steps):
        drive = scale * torch.randn(len(weight), dtype=weight.dtype, generator=generator)
        state = torch.tanh(weight @ state + drive)
        product = (1 - state.square()).unsqueeze(1) * (weight @ product)
        norm = float(product.norm())
        total += math.log(norm) if norm > 0 else -math.inf
        logs.append(total)
        product /= norm or 1.0
    return logs


@experiment(
    "04.spectral_radius",
    smoke={"seeds": 1, "size": 8, "gain": 6.0, "steps": 20, "scales": [0.0, 1.0]},
    page={"seeds": 1, "size": 64, "gain": 6.0, "steps": 300, "scales": [0.0, 1.0]},
    full={"seeds": 5, "size": 64, "gain": 6.0, "steps": 1000, "scales": [0.0, 0.1, 1.0, 3.0]},
)
def radius_says_nothing(*, seed: int, size: int, gain: float, steps: int, scales: list[float]) -> dict[str, Any]:
    """The sentence hoped for: a spectral radius below one, zero even, does not make the gradient of a driven tanh
    network vanish: the product of its Jacobians grows at every step, for a thousand steps, with every seed.

    It would be refuted by a seed whose product shrinks at the scale of inputs that the page names. With inputs of zero
    the state stays at zero, all slopes are one, and the product is W squared, zero after two steps: there the radius
    says all. That it decides nothing in general was said of the echo state property by Yildiz, Jaeger and Kiebel (2012;
    read in the abstract); this matrix is ours.

    Args:
        seed: Of the matrix and the inputs.
        size: Units, an even number.
        gain: The largest singular value of W.
        steps: How many Jacobians are multiplied.
        scales: Standard deviations of the inputs.

    Returns:
        ``radius`` and ``norm`` of W, ``square`` (the largest entry of W² beside that of W), and for each scale the
        ``growth`` a step: the norm of the product to the power of one over the steps (without inputs what rounding
        leaves of zero).
    """
    generator = torch.Generator().manual_seed(seed)
    weight = nilpotent(size, gain=gain, generator=generator)
    ends = [log_growth(weight, steps=steps, scale=scale, generator=generator)[-1] for scale in scales]
    return {
        "radius": spectral_radius(weight),
        "norm": float(torch.linalg.matrix_norm(weight, 2)),
        "square": float((weight @ weight).abs().max() / weight.abs().max()),
        "growth": [math.exp(end / steps) for end in ends],
    }
