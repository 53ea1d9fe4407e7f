"""A cell over time: every implementation is the loop, and bad input is named by each of them."""

import pytest
import torch

from rnncourse.cells import GRUCell, LSTMCell, MGUCell, RNNCell
from rnncourse.layers import Recurrent
from rnncourse.shapes import LSTMState
from tests.oracles import assert_close, assert_same, leaf, tensors
from tests.test_layers import IMPLEMENTATIONS

CELLS = {
    "rnn": lambda: RNNCell(3, 4),
    "lstm": lambda: LSTMCell(3, 4),
    "gru": lambda: GRUCell(3, 4),
    "mgu": lambda: MGUCell(3, 4),
    "peepholes": lambda: LSTMCell(3, 4, peepholes=True),
    "coupled": lambda: LSTMCell(3, 4, coupled=True),
    "reset before": lambda: GRUCell(3, 4, reset="before"),
    "replace": lambda: GRUCell(3, 4, blend="replace"),
}


@pytest.mark.parametrize("padded", [False, True])
@pytest.mark.parametrize("implementation", ["auto", "kernel", "fused", "checkpoint"])
@pytest.mark.parametrize("name", CELLS)
def test_every_implementation_is_the_loop(name, implementation, padded):
    layer = Recurrent(CELLS[name](), implementation=implementation).double()
    readable = Recurrent(layer.cell, implementation="loop")
    x, lengths = leaf(3, 6, 3), torch.tensor([6, 1, 4]) if padded else None
    leaves = {"inputs": (x, x), **{key: (value, value) for key, value in layer.named_parameters()}}
    results = []
    for each in (layer, readable):
        outputs, state = each(x, lengths=lengths)
        results.append([outputs, *tensors(state)])
    assert_same(*results, leaves, name)


@pytest.mark.parametrize("implementation", IMPLEMENTATIONS)
@pytest.mark.parametrize("name", ["rnn", "lstm", "gru"])
def test_a_learned_initial_state_has_the_gradient_of_the_state(name, implementation):
    cell = {"rnn": RNNCell, "lstm": LSTMCell, "gru": GRUCell}[name](3, 4, learn_initial_state=True)
    layer = Recurrent(cell, implementation=implementation).double()
    start = layer.initial_state(2)
    x = leaf(2, 5, 3)
    given_start, _ = layer(x, start)
    own, _ = layer(x)
    learned = [value for key, value in layer.named_parameters() if "initial" in key]
    ours = torch.autograd.grad(own.square().sum(), learned)
    parts = torch.autograd.grad(given_start.square().sum(), tensors(start))
    for a, b in zip(ours, parts, strict=True):
        assert_close(a, b.sum(0), "learned initial state")


@pytest.mark.parametrize("name", CELLS)
def test_a_layers_trace_is_what_the_layer_does(name):
    layer = Recurrent(CELLS[name]()).double()
    x, lengths = leaf(2, 5, 3), torch.tensor([5, 2])
    trace, state = layer.trace(x, lengths=lengths)
    outputs, same = layer(x, lengths=lengths)
    assert_close(trace.h, outputs, "h")
    for a, b in zip(tensors(state), tensors(same), strict=True):
        assert_close(a, b, "state")


def test_the_loop_can_be_differentiated_twice():
    layer = Recurrent(GRUCell(2, 3), implementation="loop").double()
    assert torch.autograd.gradgradcheck(lambda x: layer(x)[0], leaf(1, 3, 2))


@pytest.mark.bad_input
@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda layer: layer(torch.zeros(3)), "inputs has 1 axes"),
        (lambda layer: layer(torch.zeros(5, 3), lengths=[5]), "one sequence has no padding"),
        (lambda layer: layer(torch.zeros(2, 5, 4)), "axis 'input' should be 3, not 4"),
        (lambda layer: layer(torch.zeros(2, 0, 3)), "axis 'time' is empty"),
        (lambda layer: layer(torch.zeros(0, 0, 3)), "axis 'time' is empty"),
        (lambda layer: layer(torch.zeros(2, 5, 3).double()), "inputs has dtype torch.float64"),
        (lambda layer: layer(torch.zeros(2, 5, 3, dtype=torch.long)), "inputs has dtype torch.int64"),
        (lambda layer: layer(torch.zeros(2, 5, 3), lengths=torch.tensor([6, 1])), "lengths runs from 1 to 6"),
        (lambda layer: layer(torch.zeros(2, 5, 3), lengths=torch.tensor([5, 0])), "lengths runs from 0 to 5"),
        (lambda layer: layer(torch.zeros(2, 5, 3), lengths=torch.tensor([5])), r"lengths has shape \(1,\)"),
        (lambda layer: layer(torch.zeros(2, 5, 3), lengths=torch.tensor([5.0, 1.0])), "dtype torch.float32"),
        (lambda layer: layer(torch.zeros(2, 5, 3), (torch.zeros(2, 4), torch.zeros(2, 4))), "state is a tuple"),
        (lambda layer: layer(torch.zeros(2, 5, 3), torch.zeros(2, 4)), r"it should be an LSTMState\(h, c\)"),
        (
            lambda layer: layer(torch.zeros(2, 5, 3), LSTMState(torch.zeros(2, 4), torch.zeros(1, 4))),
            "state.c has shape",
        ),
    ],
)
@pytest.mark.parametrize("implementation", IMPLEMENTATIONS)
def test_bad_input_is_named_before_any_computation(call, message, implementation):
    layer = Recurrent(LSTMCell(3, 4), implementation=implementation)
    with pytest.raises(ValueError, match=message):
        call(layer)
