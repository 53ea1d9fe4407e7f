"""Products of Jacobians through time, the bound on them and the rate that a linear network would show."""

from __future__ import annotations

import math
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from rnncourse.checks import check_count, check_finite, check_positive_number, check_shape
from rnncourse.diagnostics.gradients import field_of, validate_cell
from rnncourse.shapes import map_state

__all__ = [
    "decay_rate",
    "jacobian_norms",
    "largest_singular_value",
    "singular_value_bound",
    "spectral_asymptote",
    "spectral_radius",
    "step_jacobians",
]


def _flatten(state: Any) -> Tensor:
    """All tensors of a state side by side, (batch, numbers carried)."""
    parts: list[Tensor] = []
    map_state(parts.append, state)
    return torch.cat(parts, dim=1)


def _states(cell: nn.Module, x: Tensor, state: Any) -> list[Any]:
    """The states before the first step and after every step, without a graph."""
    states = [state]
    with torch.no_grad():
        for x_t in x.unbind(1):
            states.append(cell(x_t, states[-1])[1])
    return states


def _step_jacobian(cell: nn.Module, x_t: Tensor, state: Any) -> Tensor:
    """∂(new state)/∂(old state) for each sequence, (batch, numbers carried, numbers carried)."""
    before = map_state(lambda s: s.detach().requires_grad_(), state)
    leaves: list[Tensor] = []
    map_state(leaves.append, before)
    with torch.enable_grad():
        after = _flatten(cell(x_t, before)[1])  # (batch, numbers)
    batch, numbers = after.shape
    rows = torch.eye(numbers, dtype=after.dtype, device=after.device)[:, None].expand(-1, batch, -1)
    blocks = torch.autograd.grad(after, leaves, rows, is_grads_batched=True, materialize_grads=True)
    return torch.cat(blocks, dim=2).transpose(0, 1)  # row i: the derivatives of the new state's entry i


def step_jacobians(
    cell: nn.Module, x: Float[Tensor, "batch time input"], state: Any = None
) -> Float[Tensor, "batch time carried carried"]:
    r"""The Jacobian of every step along a sequence.

    .. math:: J_t = \frac{\partial s_t}{\partial s_{t-1}}, \qquad t = 1, \dots, T

    where :math:`s_t` is everything that the cell carries: h for a vanilla cell or a GRU, h and c end to end for an
    LSTM.

    Args:
        cell: A cell of the grammar, or a layer around one.
        x: Inputs, (batch, time, input).
        state: The state to start from; the cell's initial state if not given.

    Returns:
        One Jacobian for each sequence and step, (batch, time, carried, carried); row i holds the derivatives of entry
        i of the new state.

    Raises:
        ValueError: If the cell is none, or the inputs or the state do not fit it.

    Example:
        >>> from rnncourse.cells import LSTMCell
        >>> step_jacobians(LSTMCell(2, 4), torch.randn(3, 5, 2)).shape
        torch.Size([3, 5, 8, 8])
    """
    cell, state = validate_cell(cell, x, state)
    states = _states(cell, x, state)
    return torch.stack([_step_jacobian(cell, x_t, s) for x_t, s in zip(x.unbind(1), states[:-1], strict=True)], 1)


def jacobian_norms(
    cell: nn.Module, x: Float[Tensor, "batch time input"], state: Any = None, *, field: str | None = None
) -> Float[Tensor, " lags"]:
    r"""The norm of the product of Jacobians that joins a state to one n steps earlier.

    .. math:: \nu_n = \frac{1}{B} \sum_{b=1}^{B}
              \Bigl\lVert \frac{\partial h^{(b)}_T}{\partial h^{(b)}_{T-n}} \Bigr\rVert_2, \qquad
              \frac{\partial s_T}{\partial s_{T-n}} = J_T J_{T-1} \cdots J_{T-n+1}, \quad n = 0, \dots, T

    where :math:`J_t` is the Jacobian of step t (:func:`~rnncourse.diagnostics.jacobians.step_jacobians`), :math:`h` is
    the chosen field of the state :math:`s`, and :math:`\lVert \cdot \rVert_2` the largest singular value; :math:`\nu_0
    = 1`. For an LSTM the product is that of the whole state, and its block for the chosen field is taken at the end:
    every path counts, not only the direct one along c.

    Args:
        cell: A cell of the grammar, or a layer around one.
        x: Inputs, (batch, time, input).
        state: The state to start from; the cell's initial state if not given.
        field: Which field of the state, ``"h"`` or ``"c"`` for an LSTM; the first if not given.

    Returns:
        The norms by lag, (time + 1,).

    Raises:
        ValueError: If the cell is none, the inputs or the state do not fit it, or the state has no such part.

    Source: Pascanu, Mikolov and Bengio (2013), section 2, from quotations of it.

    Example:
        >>> from rnncourse.cells import RNNCell
        >>> jacobian_norms(RNNCell(2, 4), torch.randn(3, 5, 2)).shape
        torch.Size([6])
    """
    cell, state = validate_cell(cell, x, state, field)
    states = _states(cell, x, state)
    chosen = _slice(states[0], field)
    width = _flatten(states[0]).shape[1]
    product = torch.eye(width, dtype=x.dtype, device=x.device).expand(len(x), width, width)
    norms = [product.new_ones(())]
    for x_t, before in zip(reversed(x.unbind(1)), reversed(states[:-1]), strict=True):
        product = product @ _step_jacobian(cell, x_t, before)
        norms.append(torch.linalg.matrix_norm(product[:, chosen, chosen], 2).mean())
    return torch.stack(norms)


def _slice(state: Any, field: str | None) -> slice:
    """Where the chosen field lies in the flattened state."""
    wanted = field_of(state, field)
    if isinstance(state, Tensor):
        return slice(None)
    start = 0
    for tensor in state:
        if tensor is wanted:
            break
        start += tensor.shape[1]
    return slice(start, start + wanted.shape[1])


def largest_singular_value(weight: Float[Tensor, "hidden hidden"]) -> float:
    r"""The most that a matrix can stretch a vector, :math:`\sigma_{\max}(W)`.

    Args:
        weight: The matrix, (hidden, hidden), such as ``weight_hh``.

    Returns:
        The largest singular value.

    Raises:
        ValueError: If the weight is no matrix, or an entry is NaN or infinite.

    Example:
        >>> largest_singular_value(torch.tensor([[0.0, 2.0], [0.0, 0.0]]))
        2.0
    """
    check_shape("weight", weight, out=None, into=None)
    check_finite("weight", weight)
    return torch.linalg.matrix_norm(weight.detach(), 2).item()


def spectral_radius(weight: Float[Tensor, "hidden hidden"]) -> float:
    r"""The modulus of the largest eigenvalue, :math:`\rho(W)`.

    It is the growth per step, in the long run, of :math:`h_t = W h_{t-1}`. Never above the largest
    singular value, and far below it for a matrix that is far from normal.

    Args:
        weight: The matrix, (hidden, hidden), such as ``weight_hh``.

    Returns:
        The spectral radius.

    Raises:
        ValueError: If the weight is no square matrix, or an entry is NaN or infinite.

    Example:
        >>> spectral_radius(torch.tensor([[0.0, 2.0], [0.0, 0.0]]))
        0.0
    """
    _check_square(weight)  # finite too: the routine behind eigvals takes the process down at a NaN
    return torch.linalg.eigvals(weight.detach()).abs().max().item()


def singular_value_bound(
    weight: Float[Tensor, "hidden hidden"], lags: int, *, gamma: float = 1.0
) -> Float[Tensor, " {lags}+1"]:
    r"""The upper bound on the product of Jacobians of a vanilla network.

    .. math:: \Bigl\lVert \frac{\partial h_T}{\partial h_{T-n}} \Bigr\rVert_2
              \le \bigl(\gamma\, \sigma_{\max}(W)\bigr)^n, \qquad n = 0, \dots, N

    where :math:`\gamma` bounds the slope of the nonlinearity (1 for tanh and ReLU, 1/4 for the sigmoid) and
    :math:`\sigma_{\max}` is the largest singular value. Below 1 it proves that gradients vanish; above 1 it proves
    nothing: it is only what exploding would need.

    Args:
        weight: The recurrent matrix W, (hidden, hidden).
        lags: The largest lag N, at least 0.
        gamma: The bound on the slope, positive.

    Returns:
        The bound at lags 0 to N, (lags + 1,).

    Raises:
        ValueError: If the weight is no square matrix of finite numbers, lags is no whole number of at least 0, or gamma
            is no positive number.

    Source: Pascanu, Mikolov and Bengio (2013), section 2.1, from quotations of it.

    Example:
        >>> singular_value_bound(0.5 * torch.eye(3), lags=2)
        tensor([1.0000, 0.5000, 0.2500])
    """
    _check_square(weight)
    check_count("lags", lags)
    check_positive_number("gamma", gamma)
    return _powers(gamma * largest_singular_value(weight), lags, weight)


def spectral_asymptote(weight: Float[Tensor, "hidden hidden"], lags: int) -> Float[Tensor, " {lags}+1"]:
    r"""The rate at which a linear network's Jacobian products grow or shrink in the end.

    .. math:: \rho(W)^n, \qquad \rho(W) = \lim_{n \to \infty} \lVert W^n \rVert^{1/n}, \qquad n = 0, \dots, N

    where :math:`\rho` is the spectral radius. It is neither a bound nor an average: a matrix that is not normal may
    first grow.

    Args:
        weight: The recurrent matrix W, (hidden, hidden).
        lags: The largest lag N, at least 0.

    Returns:
        The powers at lags 0 to N, (lags + 1,).

    Raises:
        ValueError: If the weight is no square matrix of finite numbers, or lags is no whole number of at least 0.

    Source: Gelfand's formula; Pascanu, Mikolov and Bengio (2013), section 2.1, for its part in this question, from
    quotations of it.

    Example:
        >>> spectral_asymptote(torch.diag(torch.tensor([0.5, 0.1])), lags=2)
        tensor([1.0000, 0.5000, 0.2500])
    """
    _check_square(weight)
    check_count("lags", lags)
    return _powers(spectral_radius(weight), lags, weight)


def _check_square(weight: Any) -> None:
    """Refuse what is no square matrix of finite numbers."""
    check_shape("weight", weight, hidden=None, old_hidden=None)
    check_shape("weight", weight, hidden=len(weight), old_hidden=len(weight))
    check_finite("weight", weight)


def _powers(base: float, lags: int, like: Tensor) -> Tensor:
    return torch.tensor([base**n for n in range(lags + 1)], dtype=like.dtype, device=like.device)


def decay_rate(norms: Float[Tensor, " lags"], *, start: int = 0) -> float:
    r"""The factor per step of a sequence of norms, from the straight line through their logarithms.

    .. math:: \hat r = \exp(\text{slope of } \log \nu_n \text{ against } n)

    where the line is fitted by least squares to the lags from ``start`` on, zeros left out.

    Args:
        norms: Norms by lag, such as those of :func:`~rnncourse.diagnostics.jacobians.jacobian_norms`.
        start: The first lag to use, to leave a transient out.

    Returns:
        The rate: below 1 the norms vanish, above 1 they explode.

    Raises:
        ValueError: If the norms are no floating-point tensor of one axis, the start is no whole number of at least 0,
            or fewer than two positive, finite norms are left.

    Example:
        >>> round(decay_rate(torch.tensor([1.0, 0.5, 0.25, 0.125])), 6)
        0.5
    """
    check_shape("norms", norms, lags=None)
    check_count("start", start)
    values = norms.double()
    usable = (values > 0) & values.isfinite() & (torch.arange(len(values), device=values.device) >= start)
    if usable.sum() < 2:
        raise ValueError(f"norms has {int(usable.sum())} usable entries from lag {start} on; it should have at least 2")
    n, log = usable.nonzero()[:, 0].double(), values[usable].log()
    n, log = n - n.mean(), log - log.mean()
    return math.exp(((n @ log) / (n @ n)).item())
