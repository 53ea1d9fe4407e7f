"""The equations of one step: equal to PyTorch's cells, their traces to their outputs, their options to the papers."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from rnncourse.functional import (
    Peepholes,
    gru_step,
    gru_trace,
    lstm_step,
    lstm_trace,
    mgu_trace,
    rnn_step,
    rnn_trace,
)
from rnncourse.shapes import LSTMState
from tests.oracles import assert_same, leaf
from tests.steps import STEPS, state_of, weights


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
