"""The equations of one step, stateless: the weights come in, the new state goes out.

Each network has two functions. ``*_trace`` is the equations, line by line, and returns every gate and intermediate;
``*_step`` takes the same arguments and returns only the new state. The parameters have PyTorch's names, layout and
order of gates, so that any of them can be checked against ``torch.nn``.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from rnncourse.checks import check_choice, check_shape
from rnncourse.shapes import LSTMState

__all__ = [
    "LSTM_PARTS",
    "GRUTrace",
    "LSTMTrace",
    "MGUTrace",
    "Peepholes",
    "RNNTrace",
    "gru_step",
    "gru_trace",
    "lstm_step",
    "lstm_trace",
    "mgu_step",
    "mgu_trace",
    "rnn_step",
    "rnn_trace",
]

LSTM_PARTS = ("input", "forget", "output", "input_activation", "output_activation")
"""What :func:`lstm_trace` can do ``without``."""


class RNNTrace(NamedTuple):
    """One step of the vanilla RNN, opened.

    Attributes:
        a: The activation before the nonlinearity, of shape (batch, hidden).
        h: The new hidden state, of shape (batch, hidden).
    """

    a: Float[Tensor, "batch hidden"]
    h: Float[Tensor, "batch hidden"]


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


class GRUTrace(NamedTuple):
    """One step of the GRU, opened. Every field has shape (batch, hidden).

    Attributes:
        r: The reset gate, in (0, 1).
        z: The update gate, in (0, 1).
        m: The hidden state's share of the candidate, reset applied.
        n: The candidate, in (-1, 1).
        h: The new hidden state.
    """

    r: Float[Tensor, "batch hidden"]
    z: Float[Tensor, "batch hidden"]
    m: Float[Tensor, "batch hidden"]
    n: Float[Tensor, "batch hidden"]
    h: Float[Tensor, "batch hidden"]


class MGUTrace(NamedTuple):
    """One step of the minimal gated unit, opened. Every field has shape (batch, hidden).

    Attributes:
        f: The only gate, in (0, 1).
        n: The candidate, in (-1, 1).
        h: The new hidden state.
    """

    f: Float[Tensor, "batch hidden"]
    n: Float[Tensor, "batch hidden"]
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


def rnn_trace(
    x_t: Float[Tensor, "batch input"],
    h: Float[Tensor, "batch hidden"],
    weight_ih: Float[Tensor, "hidden input"],
    weight_hh: Float[Tensor, "hidden hidden"],
    bias_ih: Float[Tensor, "hidden"] | None = None,
    bias_hh: Float[Tensor, "hidden"] | None = None,
    *,
    nonlinearity: str = "tanh",
) -> RNNTrace:
    r"""One step of the vanilla (Elman) recurrent network, with its activation.

    .. math::

        a_t &= U x_t + W h_{t-1} + b \\
        h_t &= \varphi(a_t)

    where :math:`x_t` is the step's input, :math:`h_{t-1}` the old hidden state, :math:`U` and :math:`W` the weights
    ``weight_ih`` and ``weight_hh``, :math:`b` the sum of the two biases and :math:`\varphi` is tanh or ReLU.

    Args:
        x_t: The input of this step.
        h: The hidden state that the step before left.
        weight_ih: :math:`U`, input to hidden.
        weight_hh: :math:`W`, hidden to hidden.
        bias_ih: A bias, or none.
        bias_hh: A second bias, superfluous but PyTorch's, or none.
        nonlinearity: ``"tanh"`` or ``"relu"``.

    Returns:
        The activation and the new hidden state.

    Raises:
        ValueError: If a tensor's shape does not fit the weights, or the nonlinearity is unknown.

    Source: Elman (1990), from secondary sources; the form, with its second bias, is that of ``torch.nn.RNN``, read in
    PyTorch's documentation.

    Example:
        >>> one = torch.ones(1, 1)
        >>> rnn_trace(one, one, weight_ih=one, weight_hh=-3 * one, nonlinearity="relu")
        RNNTrace(a=tensor([[-2.]]), h=tensor([[0.]]))
    """
    check_choice("nonlinearity", nonlinearity, ("tanh", "relu"))
    _check_step(x_t, h, (weight_ih, weight_hh, bias_ih, bias_hh), gates=1)
    a = F.linear(x_t, weight_ih, bias_ih) + F.linear(h, weight_hh, bias_hh)  # (batch, hidden)
    return RNNTrace(a, torch.tanh(a) if nonlinearity == "tanh" else torch.relu(a))


def rnn_step(
    x_t: Float[Tensor, "batch input"],
    h: Float[Tensor, "batch hidden"],
    weight_ih: Float[Tensor, "hidden input"],
    weight_hh: Float[Tensor, "hidden hidden"],
    bias_ih: Float[Tensor, "hidden"] | None = None,
    bias_hh: Float[Tensor, "hidden"] | None = None,
    *,
    nonlinearity: str = "tanh",
) -> Float[Tensor, "batch hidden"]:
    r"""The new hidden state of the vanilla recurrent network.

    .. math:: h_t = \varphi(U x_t + W h_{t-1} + b)

    The symbols, arguments and refusals are those of :func:`rnn_trace`.

    Returns:
        The new hidden state.

    Example:
        >>> one = torch.ones(1, 1)
        >>> rnn_step(one, one, weight_ih=2 * one, weight_hh=one, nonlinearity="relu")
        tensor([[3.]])
    """
    return rnn_trace(x_t, h, weight_ih, weight_hh, bias_ih, bias_hh, nonlinearity=nonlinearity).h


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
    if not isinstance(state, LSTMState):
        raise ValueError(f"state is a {type(state).__name__}; it should be an LSTMState(h, c)")
    h, c = state
    _check_step(x_t, h, (weight_ih, weight_hh, bias_ih, bias_hh), gates=4)
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


def gru_trace(
    x_t: Float[Tensor, "batch input"],
    h: Float[Tensor, "batch hidden"],
    weight_ih: Float[Tensor, "gates input"],
    weight_hh: Float[Tensor, "gates hidden"],
    bias_ih: Float[Tensor, "gates"] | None = None,
    bias_hh: Float[Tensor, "gates"] | None = None,
    *,
    reset: str = "after",
    blend: str = "keep",
) -> GRUTrace:
    r"""One step of the gated recurrent unit, with every gate.

    .. math::

        r_t &= \sigma(W_{ir} x_t + W_{hr} h_{t-1} + b_r) \\
        z_t &= \sigma(W_{iz} x_t + W_{hz} h_{t-1} + b_z) \\
        m_t &= r_t \odot (W_{hn} h_{t-1} + b_{hn})
            \quad\text{or}\quad W_{hn} (r_t \odot h_{t-1}) + b_{hn} \\
        n_t &= \tanh(W_{in} x_t + b_{in} + m_t) \\
        h_t &= (1 - z_t) \odot n_t + z_t \odot h_{t-1}
            \quad\text{or}\quad (1 - z_t) \odot h_{t-1} + z_t \odot n_t

    where ``weight_ih`` is :math:`(W_{ir}|W_{iz}|W_{in})`, of shape (3*hidden, input), ``weight_hh`` is
    :math:`(W_{hr}|W_{hz}|W_{hn})`, of shape (3*hidden, hidden), and :math:`b_r` and :math:`b_z` are sums of two parts.

    The two choices are independent. ``blend`` is a matter of naming: negate the weights and biases of :math:`z` and
    one becomes the other, since :math:`1 - \sigma(a) = \sigma(-a)`. ``reset`` is not: :math:`r \odot (W h)` scales the
    rows of :math:`W` and :math:`W (r \odot h)` its columns, so that in general no weights of one form reproduce the
    other.

    Args:
        x_t: The input of this step.
        h: The hidden state that the step before left.
        weight_ih: Input to gates, in the order r, z, n.
        weight_hh: Hidden to gates, in the same order.
        bias_ih: The gates' bias, or none.
        bias_hh: The gates' second bias, or none; its last third stands inside the reset, as in PyTorch.
        reset: ``"after"`` the matrix product (PyTorch) or ``"before"`` it (Cho et al.).
        blend: Whether an update gate of 1 means ``"keep"`` the old state (PyTorch, Cho et al.) or ``"replace"`` it
            (Chung et al.).

    Returns:
        The gates, the hidden state's share of the candidate, the candidate and the new hidden state.

    Raises:
        ValueError: If a tensor's shape does not fit the weights, or a choice is unknown.

    Source: Cho et al. (2014), equations 5 to 8, and Chung et al. (2014), section 3.2, both from secondary sources; the
    form with the reset after the product is that of ``torch.nn.GRU``, read in PyTorch's documentation. Keras's
    documentation says that the first version of Cho et al. on arXiv had the reset after the product too, and the
    published one before it.

    Example:
        >>> trace = gru_trace(torch.ones(1, 1), torch.full((1, 1), 4.0), torch.zeros(3, 1), torch.zeros(3, 1))
        >>> trace.z, trace.h  # all-zero weights keep half of the old state
        (tensor([[0.5000]]), tensor([[2.]]))
    """
    check_choice("reset", reset, ("after", "before"))
    check_choice("blend", blend, ("keep", "replace"))
    _check_step(x_t, h, (weight_ih, weight_hh, bias_ih, bias_hh), gates=3)

    hidden = h.shape[1]
    x_r, x_z, x_n = F.linear(x_t, weight_ih, bias_ih).chunk(3, dim=1)  # three times (batch, hidden)
    if reset == "after":
        h_r, h_z, h_n = F.linear(h, weight_hh, bias_hh).chunk(3, dim=1)
        r = torch.sigmoid(x_r + h_r)
        m = r * h_n
    else:
        W_rz, W_n = weight_hh.split([2 * hidden, hidden])
        b_rz, b_n = (None, None) if bias_hh is None else bias_hh.split([2 * hidden, hidden])
        h_r, h_z = F.linear(h, W_rz, b_rz).chunk(2, dim=1)
        r = torch.sigmoid(x_r + h_r)
        m = F.linear(r * h, W_n, b_n)
    z = torch.sigmoid(x_z + h_z)
    n = torch.tanh(x_n + m)
    h_t = (1 - z) * n + z * h if blend == "keep" else (1 - z) * h + z * n
    return GRUTrace(r, z, m, n, h_t)


def gru_step(
    x_t: Float[Tensor, "batch input"],
    h: Float[Tensor, "batch hidden"],
    weight_ih: Float[Tensor, "gates input"],
    weight_hh: Float[Tensor, "gates hidden"],
    bias_ih: Float[Tensor, "gates"] | None = None,
    bias_hh: Float[Tensor, "gates"] | None = None,
    *,
    reset: str = "after",
    blend: str = "keep",
) -> Float[Tensor, "batch hidden"]:
    r"""The new hidden state of the gated recurrent unit.

    .. math:: h_t = (1 - z_t) \odot n_t + z_t \odot h_{t-1}

    The gates, symbols, arguments and refusals are those of :func:`gru_trace`.

    Returns:
        The new hidden state.

    Example:
        >>> gru_step(torch.ones(1, 1), torch.full((1, 1), 4.0), torch.zeros(3, 1), torch.zeros(3, 1))
        tensor([[2.]])
    """
    return gru_trace(x_t, h, weight_ih, weight_hh, bias_ih, bias_hh, reset=reset, blend=blend).h


def mgu_trace(
    x_t: Float[Tensor, "batch input"],
    h: Float[Tensor, "batch hidden"],
    weight_ih: Float[Tensor, "gates input"],
    weight_hh: Float[Tensor, "gates hidden"],
    bias_ih: Float[Tensor, "gates"] | None = None,
    bias_hh: Float[Tensor, "gates"] | None = None,
) -> MGUTrace:
    r"""One step of the minimal gated unit, whose single gate both resets and updates.

    .. math::

        f_t &= \sigma(W_{if} x_t + W_{hf} h_{t-1} + b_f) \\
        n_t &= \tanh(W_{in} x_t + W_{hn} (f_t \odot h_{t-1}) + b_n) \\
        h_t &= (1 - f_t) \odot h_{t-1} + f_t \odot n_t

    where ``weight_ih`` is :math:`(W_{if}|W_{in})`, of shape (2*hidden, input), ``weight_hh`` is
    :math:`(W_{hf}|W_{hn})`, of shape (2*hidden, hidden), and each :math:`b` is a sum of two parts.

    Args:
        x_t: The input of this step.
        h: The hidden state that the step before left.
        weight_ih: Input to gate and candidate, in the order f, n.
        weight_hh: Hidden to gate and candidate, in the same order.
        bias_ih: Their bias, or none.
        bias_hh: Their second bias, or none.

    Returns:
        The gate, the candidate and the new hidden state.

    Raises:
        ValueError: If a tensor's shape does not fit the weights.

    Source: Zhou et al. (2016), "Minimal gated unit for recurrent neural networks", whose abstract was read; the
    equations from a secondary source, the documentation of the library RecurrentLayers.jl.

    Example:
        >>> mgu_trace(torch.ones(1, 1), torch.full((1, 1), 4.0), torch.zeros(2, 1), torch.zeros(2, 1)).h
        tensor([[2.]])
    """
    _check_step(x_t, h, (weight_ih, weight_hh, bias_ih, bias_hh), gates=2)
    W_f, W_n = weight_hh.chunk(2)
    b_f, b_n = (None, None) if bias_hh is None else bias_hh.chunk(2)
    x_f, x_n = F.linear(x_t, weight_ih, bias_ih).chunk(2, dim=1)  # twice (batch, hidden)
    f = torch.sigmoid(x_f + F.linear(h, W_f, b_f))
    n = torch.tanh(x_n + F.linear(f * h, W_n, b_n))
    return MGUTrace(f, n, (1 - f) * h + f * n)


def mgu_step(
    x_t: Float[Tensor, "batch input"],
    h: Float[Tensor, "batch hidden"],
    weight_ih: Float[Tensor, "gates input"],
    weight_hh: Float[Tensor, "gates hidden"],
    bias_ih: Float[Tensor, "gates"] | None = None,
    bias_hh: Float[Tensor, "gates"] | None = None,
) -> Float[Tensor, "batch hidden"]:
    r"""The new hidden state of the minimal gated unit.

    .. math:: h_t = (1 - f_t) \odot h_{t-1} + f_t \odot n_t

    The gate, symbols, arguments and refusals are those of :func:`mgu_trace`.

    Returns:
        The new hidden state.

    Example:
        >>> mgu_step(torch.ones(1, 1), torch.full((1, 1), 4.0), torch.zeros(2, 1), torch.zeros(2, 1))
        tensor([[2.]])
    """
    return mgu_trace(x_t, h, weight_ih, weight_hh, bias_ih, bias_hh).h


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
    if coupled and ("input" in without or "forget" in without):
        raise ValueError(
            f"coupled is True and without is {tuple(without)!r}; coupling needs both the input and forget gate"
        )


def _check_step(x_t: Tensor, h: Tensor, weights: tuple[Tensor | None, ...], gates: int) -> None:
    """Refuse a step whose input or hidden state does not fit the weights, or whose weights do not fit each other."""
    weight_ih, weight_hh, bias_ih, bias_hh = weights
    for name, weight in (("weight_ih", weight_ih), ("weight_hh", weight_hh)):
        if not isinstance(weight, Tensor) or weight.dim() != 2:
            check_shape(name, weight, gates=None, features=None)
    check_shape("x_t", x_t, like=weight_ih, batch=None, input=weight_ih.shape[1])
    check_shape("h", h, like=weight_hh, batch=x_t.shape[0], hidden=weight_hh.shape[1])
    rows = gates * h.shape[1]
    if weight_ih.shape[0] != rows or weight_hh.shape[0] != rows:
        raise ValueError(
            f"weight_ih and weight_hh have {weight_ih.shape[0]} and {weight_hh.shape[0]} rows; with hidden="
            f"{h.shape[1]} both should have {rows}"
        )
    for name, bias in (("bias_ih", bias_ih), ("bias_hh", bias_hh)):
        if bias is not None and (not isinstance(bias, Tensor) or bias.shape != (rows,)):
            check_shape(name, bias, gates=rows)  # one of size 1 would be spread over all gates
