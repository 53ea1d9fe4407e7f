"""The long short-term memory, one step, with the parts that can be added to it or taken away."""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from rnncourse.checks import check_choice, check_flag, check_shape
from rnncourse.functional.checks import check_step
from rnncourse.shapes import LSTMState, check_state

__all__ = ["LSTM_PARTS", "LSTMTrace", "Peepholes", "check_parts", "lstm_step", "lstm_trace"]

LSTM_PARTS = ("input", "forget", "output", "input_activation", "output_activation")
"""What :func:`lstm_trace` can do ``without``."""


class LSTMTrace(NamedTuple):
    """One step of the LSTM, opened. Every field has shape (batch, hidden).

    Attributes:
        i: The input gate (Jurafsky and Martin's add gate), in (0, 1).
        f: The forget gate, in (0, 1); 1 keeps, 0 forgets.
        g: The candidate, in (-1, 1).
        o: The output gate, in (0, 1).
        c: The new cell state.
        h: The new hidden state.
    """

    i: Float[Tensor, "batch hidden"]
    f: Float[Tensor, "batch hidden"]
    g: Float[Tensor, "batch hidden"]
    o: Float[Tensor, "batch hidden"]
    c: Float[Tensor, "batch hidden"]
    h: Float[Tensor, "batch hidden"]


class Peepholes(NamedTuple):
    """The weights by which an LSTM's gates look at the cell state, one per unit.

    Attributes:
        i: From the old cell state to the input gate, of shape (hidden,).
        f: From the old cell state to the forget gate, of shape (hidden,).
        o: From the *new* cell state to the output gate, of shape (hidden,).
    """

    i: Float[Tensor, "hidden"]
    f: Float[Tensor, "hidden"]
    o: Float[Tensor, "hidden"]


torch.serialization.add_safe_globals([LSTMTrace, Peepholes])  # for torch.load(…, weights_only=True)


def lstm_trace(
    x_t: Float[Tensor, "batch input"],
    state: LSTMState,
    weight_ih: Float[Tensor, "gates input"],
    weight_hh: Float[Tensor, "gates hidden"],
    bias_ih: Float[Tensor, "gates"] | None = None,
    bias_hh: Float[Tensor, "gates"] | None = None,
    *,
    peepholes: Peepholes | None = None,
    without: Collection[str] = (),
    coupled: bool = False,
) -> LSTMTrace:
    r"""One step of the LSTM, with every gate.

    .. math::

        i_t &= \sigma(W_{ii} x_t + W_{hi} h_{t-1} + b_i + w_{ci} \odot c_{t-1}) \\
        f_t &= \sigma(W_{if} x_t + W_{hf} h_{t-1} + b_f + w_{cf} \odot c_{t-1}) \\
        g_t &= \tanh(W_{ig} x_t + W_{hg} h_{t-1} + b_g) \\
        c_t &= f_t \odot c_{t-1} + i_t \odot g_t \\
        o_t &= \sigma(W_{io} x_t + W_{ho} h_{t-1} + b_o + w_{co} \odot c_t) \\
        h_t &= o_t \odot \tanh(c_t)

    where ``weight_ih`` is :math:`(W_{ii}|W_{if}|W_{ig}|W_{io})`, of shape (4*hidden, input), ``weight_hh`` is
    :math:`(W_{hi}|W_{hf}|W_{hg}|W_{ho})`, of shape (4*hidden, hidden), each :math:`b` is the sum of a part of
    ``bias_ih`` and the same part of ``bias_hh``, :math:`\sigma` is the logistic sigmoid, :math:`\odot` the product
    entry by entry, and the peephole terms :math:`w \odot c` are there only if asked for.

    Args:
        x_t: The input of this step.
        state: The hidden state and the cell state that the step before left.
        weight_ih: Input to gates, in the order i, f, g, o.
        weight_hh: Hidden to gates, in the same order.
        bias_ih: The gates' bias, or none.
        bias_hh: The gates' second bias, or none.
        peepholes: The weights from the cell state to the gates, or none.
        without: The parts to do without, of :data:`LSTM_PARTS`. A gate that is gone stands open (it is 1); an
            activation that is gone is the identity.
        coupled: Whether the forget gate is :math:`1 - i_t`, so that a unit forgets exactly as much as it takes in.

    Returns:
        The gates, the candidate, the new cell state and the new hidden state.

    Raises:
        ValueError: If a tensor's shape does not fit the weights, the state is no :class:`~rnncourse.shapes.LSTMState`,
            or a part is unknown.

    Source: Hochreiter and Schmidhuber (1997) and the forget gate of Gers et al. (2000), both from secondary sources:
    the equations are those of ``torch.nn.LSTM``, read in PyTorch's documentation. The peepholes of Gers and Schmidhuber
    (2000), whose abstract was read; that the output gate looks at the new cell state, and the other two at the old one,
    was read in the documentation of TensorFlow's ``LSTMBlockCell``. The ablations of Greff et al. (2017), from
    secondary sources.

    Example:
        >>> state = LSTMState(h=torch.zeros(1, 1), c=torch.full((1, 1), 4.0))
        >>> trace = lstm_trace(torch.ones(1, 1), state, torch.zeros(4, 1), torch.zeros(4, 1))
        >>> trace.f, trace.c  # all-zero weights leave every gate half open
        (tensor([[0.5000]]), tensor([[2.]]))
    """
    check_parts(without, coupled)
    check_state("state", state, LSTMState)
    h, c = state
    check_step(x_t, h, (weight_ih, weight_hh, bias_ih, bias_hh), gates=4)
    check_shape("state.c", c, like=weight_hh, batch=h.shape[0], hidden=h.shape[1])
    if peepholes is not None and not isinstance(peepholes, Peepholes):
        raise ValueError(f"peepholes is a {type(peepholes).__name__}; it should be Peepholes(i, f, o)")
    for name, peephole in zip(("i", "f", "o"), peepholes or (), strict=False):
        if peephole.shape != h.shape[1:]:
            check_shape(f"peepholes.{name}", peephole, hidden=h.shape[1])

    gates = F.linear(x_t, weight_ih, bias_ih) + F.linear(h, weight_hh, bias_hh)  # (batch, 4*hidden)
    i, f, g, o = gates.chunk(4, dim=1)  # four times (batch, hidden)
    if peepholes is not None:
        i = i + peepholes.i * c
        f = f + peepholes.f * c
    i = torch.ones_like(i) if "input" in without else torch.sigmoid(i)
    f = 1 - i if coupled else torch.ones_like(f) if "forget" in without else torch.sigmoid(f)
    g = g if "input_activation" in without else torch.tanh(g)
    c_t = f * c + i * g
    if peepholes is not None:
        o = o + peepholes.o * c_t
    o = torch.ones_like(o) if "output" in without else torch.sigmoid(o)
    h_t = o * (c_t if "output_activation" in without else torch.tanh(c_t))
    return LSTMTrace(i, f, g, o, c_t, h_t)


def lstm_step(
    x_t: Float[Tensor, "batch input"],
    state: LSTMState,
    weight_ih: Float[Tensor, "gates input"],
    weight_hh: Float[Tensor, "gates hidden"],
    bias_ih: Float[Tensor, "gates"] | None = None,
    bias_hh: Float[Tensor, "gates"] | None = None,
    *,
    peepholes: Peepholes | None = None,
    without: Collection[str] = (),
    coupled: bool = False,
) -> LSTMState:
    r"""The new state of the LSTM.

    .. math::

        c_t &= f_t \odot c_{t-1} + i_t \odot g_t \\
        h_t &= o_t \odot \tanh(c_t)

    The gates, symbols, arguments and refusals are those of :func:`lstm_trace`.

    Returns:
        The new hidden state and the new cell state.

    Example:
        >>> state = LSTMState(h=torch.zeros(1, 1), c=torch.full((1, 1), 4.0))
        >>> lstm_step(torch.ones(1, 1), state, torch.zeros(4, 1), torch.zeros(4, 1)).c
        tensor([[2.]])
    """
    options = {"peepholes": peepholes, "without": without, "coupled": coupled}
    trace = lstm_trace(x_t, state, weight_ih, weight_hh, bias_ih, bias_hh, **options)
    return LSTMState(trace.h, trace.c)


def check_parts(without: Collection[str], coupled: bool) -> None:
    """Refuse what an LSTM cannot do without.

    Args:
        without: The parts to do without.
        coupled: Whether the forget gate is 1 minus the input gate.

    Raises:
        ValueError: If ``without`` is a string, a part is unknown, or coupling lacks one of its gates.
    """
    if isinstance(without, str):
        raise ValueError(f"without is the string {without!r}; it should be a collection such as ({without!r},)")
    if not isinstance(without, Collection):
        raise ValueError(f"without is {without!r}; it should be a collection such as ('forget',)")
    for part in without:
        check_choice("an entry of without", part, LSTM_PARTS)
    check_flag("coupled", coupled)
    if coupled and ("input" in without or "forget" in without):
        raise ValueError(
            f"coupled is True and without is {tuple(without)!r}; coupling needs both the input and forget gate"
        )
