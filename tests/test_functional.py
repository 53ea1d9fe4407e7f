"""The equations of one step: equal to PyTorch's cells, their traces to their outputs, their options to the papers."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from rnncourse.functional import (
    LSTM_PARTS,
    Peepholes,
    gru_step,
    gru_trace,
    lstm_step,
    lstm_trace,
    mgu_step,
    mgu_trace,
    rnn_step,
    rnn_trace,
)
from rnncourse.shapes import LSTMState
from tests.oracles import assert_same, leaf

GATES = {"rnn": 1, "lstm": 4, "gru": 3, "mgu": 2}
STEPS = {"rnn": rnn_step, "lstm": lstm_step, "gru": gru_step, "mgu": mgu_step}


def weights(kind, inputs=3, hidden=5, dtype=torch.float64):
    rows = GATES[kind] * hidden
    return [leaf(*shape, dtype=dtype) for shape in ((rows, inputs), (rows, hidden), (rows,), (rows,))]


def state_of(kind, batch=2, hidden=5, dtype=torch.float64):
    h = leaf(batch, hidden, dtype=dtype)
    return LSTMState(h, leaf(batch, hidden, dtype=dtype)) if kind == "lstm" else h


def check_step_equals_torch(kind, module, options, batch=2, bias=True, dtype=torch.float64):
    cell = module(3, 5, bias=bias, dtype=dtype)
    parameters = list(cell.parameters())
    x_t, state = leaf(batch, 3, dtype=dtype), state_of(kind, batch, dtype=dtype)
    ours = STEPS[kind](x_t, state, *parameters, **options)
    theirs = cell(x_t, state)
    flat = list(state) if kind == "lstm" else [state]
    named = {f"leaf {index}": (value, value) for index, value in enumerate([x_t, *flat, *parameters])}
    assert_same(list(ours) if kind == "lstm" else [ours], list(theirs) if kind == "lstm" else [theirs], named, kind)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("batch", [1, 4])
class TestStepsEqualTorch:
    def test_rnn_step_equals_torch(self, batch, bias, dtype):
        check_step_equals_torch("rnn", nn.RNNCell, {}, batch, bias, dtype)

    def test_relu_rnn_step_equals_torch(self, batch, bias, dtype):
        def relu_cell(*sizes, **options):
            return nn.RNNCell(*sizes, nonlinearity="relu", **options)

        check_step_equals_torch("rnn", relu_cell, {"nonlinearity": "relu"}, batch, bias, dtype)

    def test_lstm_step_equals_torch(self, batch, bias, dtype):
        check_step_equals_torch("lstm", nn.LSTMCell, {}, batch, bias, dtype)

    def test_gru_step_equals_torch(self, batch, bias, dtype):
        check_step_equals_torch("gru", nn.GRUCell, {}, batch, bias, dtype)


@pytest.mark.parametrize(("kind", "trace"), [("rnn", rnn_trace), ("gru", gru_trace), ("mgu", mgu_trace)])
def test_the_last_field_of_a_trace_is_the_step(kind, trace):
    x_t, h, parameters = leaf(2, 3), state_of(kind), weights(kind)
    assert trace(x_t, h, *parameters)._fields[-1] == "h"
    assert torch.equal(trace(x_t, h, *parameters)[-1], STEPS[kind](x_t, h, *parameters))


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
    assert torch.equal(with_zeros.h, lstm_step(x_t, state, *parameters).h)


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


@pytest.mark.parametrize("blend", ["keep", "replace"])
@pytest.mark.parametrize("reset", ["after", "before"])
def test_every_gru_option_is_its_equations_in_value_and_every_gradient(reset, blend):
    x_t, h, (U, W, b, d) = leaf(2, 3), state_of("gru"), weights("gru")
    r, z = (1 / (1 + torch.exp(-(x_t @ U[at].T + h @ W[at].T + b[at] + d[at]))) for at in (slice(5), slice(5, 10)))
    m = r * (h @ W[10:].T + d[10:]) if reset == "after" else (r * h) @ W[10:].T + d[10:]
    n = torch.tanh(x_t @ U[10:].T + b[10:] + m)
    theirs = (1 - z) * n + z * h if blend == "keep" else (1 - z) * h + z * n
    ours = gru_step(x_t, h, U, W, b, d, reset=reset, blend=blend)
    leaves = {str(index): (value, value) for index, value in enumerate([x_t, h, U, W, b, d])}
    assert_same([ours], [theirs], leaves, f"reset {reset}, blend {blend}")


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


def test_the_two_blends_are_one_with_the_update_gate_negated():
    x_t, h, parameters = leaf(2, 3), state_of("gru"), weights("gru")
    negated = [value.detach().clone() for value in parameters]
    for value in negated:
        value[5:10] *= -1
    for reset in ("after", "before"):
        keep = gru_trace(x_t, h, *parameters, reset=reset, blend="keep")
        replace = gru_trace(x_t, h, *negated, reset=reset, blend="replace")
        torch.testing.assert_close(keep.h, replace.h, rtol=0, atol=1e-13)
        torch.testing.assert_close(keep.z, 1 - replace.z, rtol=0, atol=1e-13)


def test_reset_before_scales_the_state_and_reset_after_the_product():
    x_t, h, (U, W, b, d) = leaf(2, 3), state_of("gru"), weights("gru")
    r = torch.sigmoid(x_t @ U[:5].T + h @ W[:5].T + b[:5] + d[:5])
    after, before = (gru_trace(x_t, h, U, W, b, d, reset=reset) for reset in ("after", "before"))
    torch.testing.assert_close(after.m, r * (h @ W[10:].T + d[10:]), rtol=0, atol=1e-13)
    torch.testing.assert_close(before.m, (r * h) @ W[10:].T + d[10:], rtol=0, atol=1e-13)
    assert (after.h - before.h).abs().max() > 1e-3


def test_the_two_resets_agree_where_every_unit_stands_alone():
    x_t, h, (U, W, b, d) = leaf(2, 3), state_of("gru"), weights("gru")
    diagonal = torch.cat([block.diag().diag() for block in W.detach().chunk(3)])
    no_bias = torch.cat([d.detach()[:10], torch.zeros(5, dtype=torch.float64)])
    after, before = (gru_step(x_t, h, U, diagonal, b, no_bias, reset=reset) for reset in ("after", "before"))
    torch.testing.assert_close(after, before, rtol=0, atol=1e-14)


def test_the_minimal_gated_unit_is_a_gru_whose_gates_are_one():
    x_t, h, (U, W, b, d) = leaf(2, 3), state_of("mgu"), weights("mgu")
    twice = [torch.cat([value[:5], value]) for value in (U, W, b, d)]
    ours = mgu_step(x_t, h, U, W, b, d)
    theirs = gru_step(x_t, h, *twice, reset="before", blend="replace")
    named = {str(index): (value, value) for index, value in enumerate([x_t, h, U, W, b, d])}
    assert_same([ours], [theirs], named, "mgu")


@settings(max_examples=25, deadline=None)
@given(kind=st.sampled_from(sorted(STEPS)), batch=st.integers(1, 4), inputs=st.integers(1, 4), hidden=st.integers(1, 4))
def test_each_sequence_of_a_batch_is_alone(kind, batch, inputs, hidden):
    parameters, x_t = weights(kind, inputs, hidden), leaf(batch, inputs)
    state = state_of(kind, batch, hidden)
    together = STEPS[kind](x_t, state, *parameters)
    for row in range(batch):
        own = LSTMState(*(part[row : row + 1] for part in state)) if kind == "lstm" else state[row : row + 1]
        alone = STEPS[kind](x_t[row : row + 1], own, *parameters)
        for a, b in zip(*(([s] if kind != "lstm" else s) for s in (together, alone)), strict=True):
            torch.testing.assert_close(a[row : row + 1], b, rtol=0, atol=1e-12)


def plain_step(**changed):
    parts = {"weight_ih": torch.zeros(5, 3), "weight_hh": torch.zeros(5, 5)} | changed
    return rnn_step(torch.zeros(2, 3), torch.zeros(2, 5), **parts)


def lstm_part(**options):
    state = LSTMState(torch.zeros(2, 4), torch.zeros(2, 4))
    return lstm_step(torch.zeros(2, 3), state, torch.zeros(16, 3), torch.zeros(16, 4), **options)


@pytest.mark.bad_input
@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: rnn_step(torch.zeros(3), torch.zeros(1, 5), torch.zeros(5, 3), torch.zeros(5, 5)), "x_t has 1 axes"),
        (lambda: rnn_step(torch.zeros(2, 4), torch.zeros(2, 5), torch.zeros(5, 3), torch.zeros(5, 5)), "x_t has shape"),
        (lambda: rnn_step(torch.zeros(2, 3), torch.zeros(1, 5), torch.zeros(5, 3), torch.zeros(5, 5)), "h has shape"),
        (
            lambda: gru_step(torch.zeros(2, 3), torch.zeros(2, 5), torch.zeros(5, 3), torch.zeros(5, 5)),
            "should have 15",
        ),
        (
            lambda: rnn_step(
                torch.zeros(2, 3), torch.zeros(2, 5), torch.zeros(5, 3), torch.zeros(5, 5), nonlinearity="sigmoid"
            ),
            "nonlinearity is 'sigmoid'; it should be one of 'tanh', 'relu'",
        ),
        (
            lambda: lstm_step(torch.zeros(2, 3), torch.zeros(2, 5), torch.zeros(20, 3), torch.zeros(20, 5)),
            r"state is a Tensor; it should be an LSTMState\(h, c\)",
        ),
        (
            lambda: lstm_step(
                torch.zeros(2, 3),
                LSTMState(torch.zeros(2, 5), torch.zeros(2, 4)),
                torch.zeros(20, 3),
                torch.zeros(20, 5),
            ),
            r"state.c has shape \(2, 4\)",
        ),
        (
            lambda: lstm_trace(leaf(2, 3), state_of("lstm"), *weights("lstm"), without=("gate",)),
            "an entry of without is 'gate'",
        ),
        (lambda: gru_step(leaf(2, 3), state_of("gru"), *weights("gru"), reset="between"), "reset is 'between'"),
        (lambda: gru_step(leaf(2, 3), state_of("gru"), *weights("gru"), blend="mix"), "blend is 'mix'"),
        (lambda: plain_step(bias_ih=torch.zeros(1)), "bias_ih has shape \\(1,\\); its axis 'gates' should be 5, not 1"),
        (lambda: plain_step(bias_hh=torch.zeros(4)), "bias_hh has shape"),
        (lambda: plain_step(weight_hh=None), "weight_hh is a NoneType"),
        (lambda: plain_step(weight_ih=torch.zeros(3)), "weight_ih has 1 axes"),
        (lambda: lstm_part(coupled=True, without=("forget",)), "coupling needs both"),
        (lambda: lstm_part(without="forget"), "without is the string 'forget'"),
        (lambda: lstm_part(without=None), "without is None"),
        (lambda: lstm_part(peepholes=(torch.zeros(4),) * 3), "peepholes is a tuple"),
        (lambda: lstm_part(peepholes=Peepholes(*(torch.zeros(n) for n in (4, 4, 1)))), "peepholes.o has shape"),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
