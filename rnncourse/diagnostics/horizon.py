"""How far back: the context that a trained model uses."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import torch
from jaxtyping import Float, Shaped
from torch import Tensor, nn

from rnncourse.checks import check_callable, check_count, check_kind, check_positive_number

__all__ = ["context_curve", "used_context"]


@torch.no_grad()
def context_curve(
    module: nn.Module, x: Shaped[Tensor, "batch time ..."], cuts: Sequence[int]
) -> Float[Tensor, " cuts"]:
    r"""How much the last output changes when everything older than the newest k inputs is another sequence's.

    .. math:: d_k = \frac{1}{B} \sum_b
              \frac{\lVert y_T(x^{(b)}) - y_T(\tilde x^{(b,k)}) \rVert}{\lVert y_T(x^{(b)}) \rVert}, \qquad
              \tilde x^{(b,k)}_t = \begin{cases} x^{(b)}_t & t > T - k \\ x^{(b-1)}_t & t \le T - k \end{cases}

    where :math:`y_T` is the module's last output and :math:`x^{(b-1)}` the batch's neighbouring sequence: the replaced
    past is as likely as the true one, only unrelated.

    Args:
        module: Says ``outputs, state = module(x)``; outputs (batch, time, output) or (batch, output).
        x: Inputs, (batch, time, features) or tokens (batch, time), at least two sequences.
        cuts: The numbers k of newest inputs to leave, each from 0 to T.

    Returns:
        The relative changes, one for each cut; 0 at k = T.

    Raises:
        ValueError: If the module cannot be called, x is no tensor of at least two sequences of at least one step, or
            there are no cuts or one is out of range.

    Example:
        >>> from rnncourse.layers import Recurrent
        >>> from rnncourse.cells import RNNCell
        >>> context_curve(Recurrent(RNNCell(2, 4)), torch.randn(3, 6, 2), [6])
        tensor([0.])
    """
    _check_sequences(module, x)
    time = x.shape[1]
    cuts = _listed("cuts", cuts)
    for k in cuts:
        check_count("an entry of cuts", k)
        if k > time:
            raise ValueError(f"an entry of cuts is {k}; it should be at most {time}, the number of time steps")
    if not cuts:
        raise ValueError("cuts is empty; it should hold at least one number of newest inputs")
    y_T, others = _last(module, x), x.roll(1, dims=0)
    size = y_T.norm(dim=1).clamp_min(torch.finfo(y_T.dtype).tiny)
    changes = [
        ((_last(module, torch.cat([others[:, : time - k], x[:, time - k :]], 1)) - y_T).norm(dim=1) / size).mean()
        for k in cuts
    ]
    return torch.stack(changes)


def _check_sequences(module: Any, x: Any) -> None:
    """Refuse what cannot be run, and what does not hold sequences to exchange the past of."""
    check_callable("module", module, "a module that says outputs, state = module(x)")
    check_kind("x", x, Tensor)
    if x.dim() < 2 or len(x) < 2 or x.shape[1] < 1:
        raise ValueError(
            f"x has shape {tuple(x.shape)}; it should hold at least two sequences of at least one step, "
            f"(batch, time, …)"
        )


def _listed(name: str, numbers: Any) -> list[Any]:
    """The numbers as a list, refused by name if there is nothing to go through."""
    if not isinstance(numbers, Iterable) or isinstance(numbers, str):
        raise ValueError(f"{name} is {numbers!r}; it should be several whole numbers, such as [1, 2, 4]")
    return list(numbers)


def _last(module: nn.Module, x: Tensor) -> Tensor:
    """The module's last output, (batch, output)."""
    outputs = module(x)[0]
    return outputs[:, -1] if outputs.dim() == 3 else outputs


def used_context(module: nn.Module, x: Shaped[Tensor, "batch time ..."], *, tolerance: float = 0.01) -> int:
    """How many of the newest inputs decide the last output, the rest being exchangeable within a tolerance.

    Args:
        module: Says ``outputs, state = module(x)``; outputs (batch, time, output) or (batch, output).
        x: Inputs, (batch, time, features) or tokens (batch, time), at least two sequences.
        tolerance: The relative change of the last output that counts as none, positive.

    Returns:
        The smallest k such that :func:`~rnncourse.diagnostics.horizon.context_curve` stays within the tolerance from k
        on: from 0 to T.

    Raises:
        ValueError: If the module cannot be called, x is no tensor of at least two sequences of at least one step, or
            the tolerance is no positive number.

    Example:
        >>> from rnncourse.layers import Recurrent
        >>> from rnncourse.cells import RNNCell
        >>> used_context(Recurrent(RNNCell(2, 4)), torch.randn(3, 60, 2)) < 60
        True
    """
    check_positive_number("tolerance", tolerance)
    _check_sequences(module, x)
    beyond = context_curve(module, x, range(x.shape[1] + 1)) > tolerance
    return int(beyond.nonzero().max()) + 1 if beyond.any() else 0
