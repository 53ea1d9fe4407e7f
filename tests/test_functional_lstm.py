"""One step of the LSTM: its trace against the printed equations, its options against the papers."""

import pytest
import torch

from rnncourse.functional import (
    LSTM_PARTS,
    Peepholes,
    lstm_step,
    lstm_trace,
)
from rnncourse.shapes import LSTMState
from tests.oracles import assert_same, leaf
from tests.steps import state_of, weights


def test_the_lstm_trace_satisfies_the_printed_equations():
    x_t, (h, c), (U, W, b, d) = leaf(2, 3), state_of("lstm"), weights("lstm")
    t = lstm_trace(x_t, LSTMState(h, c), U, W, b, d)
    for index, (gate, squash) in enumerate(
        zip(t[:4], (torch.sigmoid, torch.sigmoid, torch.tanh, torch.sigmoid), strict=True)
    ):
        rows = slice(5 * index, 5 * index + 5)
        for unit in range(2):
            a = U[rows] @ x_t[unit] + W[rows] @ h[unit] + b[rows] + d[rows]
            torch.testing.assert_close(gate[unit], squash(a), rtol=0, atol=1e-12)
    torch.testing.assert_close(t.c, t.f * c + t.i * t.g, rtol=0, atol=1e-14)
    torch.testing.assert_close(t.h, t.o * t.c.tanh(), rtol=0, atol=1e-14)


def test_peepholes_look_at_the_old_cell_state_for_i_and_f_and_at_the_new_one_for_o():
    x_t, (h, c), (U, W, b, d) = leaf(2, 3), state_of("lstm"), weights("lstm")
    p = Peepholes(leaf(5), leaf(5), leaf(5))
    a_i, a_f, a_g, a_o = (x_t @ U.T + h @ W.T + b + d).chunk(4, dim=1)
    i, f, g = torch.sigmoid(a_i + p.i * c), torch.sigmoid(a_f + p.f * c), torch.tanh(a_g)
    c_t = f * c + i * g
    h_t = torch.sigmoid(a_o + p.o * c_t) * torch.tanh(c_t)
    ours = lstm_step(x_t, LSTMState(h, c), U, W, b, d, peepholes=p)
    named = {str(index): (value, value) for index, value in enumerate([x_t, h, c, U, W, b, d, *p])}
    assert_same(list(ours), [h_t, c_t], named, "peepholes")


def test_zero_peepholes_are_none():
    x_t, state, parameters = leaf(2, 3), state_of("lstm"), weights("lstm")
    zero = torch.zeros(5, dtype=torch.float64)
    with_zeros = lstm_step(x_t, state, *parameters, peepholes=Peepholes(zero, zero, zero))
    # Adding the zeros copies the gates out of their common block, and torch's sigmoid may round the last bit
    # differently on a copy than on a view: equal to that bit, not to the last one.
    eps = torch.finfo(torch.float64).eps
    torch.testing.assert_close(with_zeros, lstm_step(x_t, state, *parameters), rtol=2 * eps, atol=2 * eps)


def lstm_by_hand(x_t, state, U, W, b, d, *, peepholes=None, without=(), coupled=False):
    """The LSTM gate by gate, each from its own rows of the weights, as the papers print it."""
    h, c = state
    rows = {name: slice(5 * index, 5 * index + 5) for index, name in enumerate("ifgo")}
    a = {name: x_t @ U[at].T + b[at] + h @ W[at].T + d[at] for name, at in rows.items()}
    p_i, p_f, p_o = peepholes or (0, 0, 0)
    i = 1 if "input" in without else 1 / (1 + torch.exp(-(a["i"] + p_i * c)))
    f = 1 if "forget" in without else 1 / (1 + torch.exp(-(a["f"] + p_f * c)))
    if coupled:
        f = 1 - i
    c_t = f * c + i * (a["g"] if "input_activation" in without else torch.tanh(a["g"]))
    o = 1 if "output" in without else 1 / (1 + torch.exp(-(a["o"] + p_o * c_t)))
    return o * (c_t if "output_activation" in without else torch.tanh(c_t)), c_t


OPTIONS = {
    **{f"without {part}": {"without": (part,)} for part in LSTM_PARTS},
    "without all parts": {"without": LSTM_PARTS},
    "coupled": {"coupled": True},
    "coupled, without the output gate": {"coupled": True, "without": ("output",)},
}


@pytest.mark.parametrize("with_peepholes", [False, True])
@pytest.mark.parametrize("option", OPTIONS)
def test_every_lstm_option_is_its_equations_in_value_and_every_gradient(option, with_peepholes):
    x_t, state, parameters = leaf(2, 3), state_of("lstm"), weights("lstm")
    options = {"peepholes": Peepholes(leaf(5), leaf(5), leaf(5))} if with_peepholes else {}
    ours = lstm_step(x_t, state, *parameters, **options, **OPTIONS[option])
    theirs = lstm_by_hand(x_t, state, *parameters, **options, **OPTIONS[option])
    leaves = {"x_t": x_t, "h": state.h, "c": state.c, **dict(zip(("U", "W", "b", "d"), parameters, strict=True))}
    leaves |= {f"peephole {name}": value for name, value in options["peepholes"]._asdict().items()} if options else {}
    assert_same(list(ours), list(theirs), {name: (value, value) for name, value in leaves.items()}, option, unused=True)


@pytest.mark.parametrize("part", LSTM_PARTS)
def test_each_ablation_takes_one_part_away_and_leaves_the_others(part):
    x_t, state, parameters = leaf(2, 3), state_of("lstm"), weights("lstm")
    full, ablated = lstm_trace(x_t, state, *parameters), lstm_trace(x_t, state, *parameters, without=(part,))
    one = torch.ones_like(full.i)
    a_g = full.g.atanh()
    expected = {
        "input": full._replace(i=one),
        "forget": full._replace(f=one),
        "output": full._replace(o=one),
        "input_activation": full._replace(g=a_g),
        "output_activation": full,
    }[part]
    for name in "ifgo":
        torch.testing.assert_close(getattr(ablated, name), getattr(expected, name), rtol=1e-9, atol=1e-12)
    c_t = expected.f * state.c + expected.i * expected.g
    torch.testing.assert_close(ablated.c, c_t, rtol=1e-9, atol=1e-12)
    out = c_t if part == "output_activation" else c_t.tanh()
    torch.testing.assert_close(ablated.h, expected.o * out, rtol=1e-9, atol=1e-12)


def test_a_coupled_forget_gate_is_one_minus_the_input_gate():
    x_t, state, parameters = leaf(2, 3), state_of("lstm"), weights("lstm")
    trace, plain = (lstm_trace(x_t, state, *parameters, coupled=coupled) for coupled in (True, False))
    assert torch.equal(trace.f, 1 - trace.i)
    assert torch.equal(trace.i, plain.i)
    torch.testing.assert_close(trace.c, (1 - plain.i) * state.c + plain.i * plain.g, rtol=0, atol=1e-14)


def test_without_any_gate_the_cell_state_is_a_plain_sum():
    x_t, state, parameters = leaf(2, 3), state_of("lstm"), weights("lstm")
    trace = lstm_trace(x_t, state, *parameters, without=("input", "forget"))
    torch.testing.assert_close(trace.c, state.c + trace.g, rtol=0, atol=1e-14)
