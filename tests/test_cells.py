"""Cells hold PyTorch's parameters around one step."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from rnncourse import kernels
from rnncourse.cells import Cell, GRUCell, LSTMCell, MGUCell, RNNCell
from rnncourse.functional import LSTM_PARTS
from rnncourse.shapes import LSTMState
from tests.oracles import assert_same, leaf, tensors

PAIRS = {
    "rnn_tanh": (RNNCell, nn.RNNCell, nn.RNN, {}),
    "rnn_relu": (RNNCell, nn.RNNCell, nn.RNN, {"nonlinearity": "relu"}),
    "lstm": (LSTMCell, nn.LSTMCell, nn.LSTM, {}),
    "gru": (GRUCell, nn.GRUCell, nn.GRU, {}),
}
ALL = [RNNCell, LSTMCell, GRUCell, MGUCell]


def state_for(cell, batch):
    make = (batch, cell.hidden_size)
    return LSTMState(leaf(*make), leaf(*make)) if isinstance(cell, LSTMCell) else leaf(*make)


def check_cell_equals_torch(kind, *, batch=3, inputs=2, hidden=4, bias=True):
    ours, theirs, _, options = PAIRS[kind]
    ours = ours(inputs, hidden, bias=bias, **options).double()
    theirs = theirs(inputs, hidden, bias=bias, **options).double()
    ours.load_state_dict(theirs.state_dict())
    x_t, state = leaf(batch, inputs), state_for(ours, batch)
    output, new = ours(x_t, state)
    expected = tensors(theirs(x_t, state))
    leaves = {"x_t": (x_t, x_t), **{f"state {i}": (part, part) for i, part in enumerate(tensors(state))}}
    leaves |= {name: (value, dict(theirs.named_parameters())[name]) for name, value in ours.named_parameters()}
    assert_same([output, *tensors(new)], [expected[0], *expected], leaves, kind)


@settings(max_examples=25, deadline=None)
@given(
    kind=st.sampled_from(sorted(PAIRS)),
    batch=st.integers(1, 4),
    inputs=st.integers(1, 4),
    hidden=st.integers(1, 4),
    bias=st.booleans(),
)
def test_cell_equals_torch(kind, batch, inputs, hidden, bias):
    check_cell_equals_torch(kind, batch=batch, inputs=inputs, hidden=hidden, bias=bias)


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("kind", PAIRS)
def test_the_same_seed_gives_the_weights_of_torchs_cell_and_of_its_layer(kind, bias):
    ours, cell, layer, options = PAIRS[kind]
    parameters = []
    for build in (ours, cell, layer):
        torch.manual_seed(3)
        parameters.append(dict(build(3, 5, bias=bias, **options).named_parameters()))
    assert list(parameters[0]) == list(parameters[1]) == [name.removesuffix("_l0") for name in parameters[2]]
    for a, b, c in zip(*(group.values() for group in parameters), strict=True):
        assert torch.equal(a, b)
        assert torch.equal(a, c)


@pytest.mark.parametrize("kind", PAIRS)
def test_state_dicts_load_both_ways(kind):
    ours, theirs, _, options = PAIRS[kind]
    ours, theirs = ours(3, 5, **options), theirs(3, 5, **options)
    ours.load_state_dict(theirs.state_dict())
    assert torch.equal(ours.weight_hh, theirs.weight_hh)
    other = PAIRS[kind][0](3, 5, **options)
    theirs.load_state_dict(other.state_dict())
    assert torch.equal(other.bias_ih, theirs.bias_ih)


@pytest.mark.parametrize(("cell", "gates"), [(RNNCell, 1), (MGUCell, 2), (GRUCell, 3), (LSTMCell, 4)])
@given(inputs=st.integers(1, 6), hidden=st.integers(1, 6))
def test_the_number_of_parameters_is_gates_times_one_rnn(cell, gates, inputs, hidden):
    count = sum(parameter.numel() for parameter in cell(inputs, hidden).parameters())
    assert count == gates * (hidden * (inputs + hidden) + 2 * hidden)


@pytest.mark.parametrize("cell", ALL)
def test_orthogonal_initialisation_turns_without_stretching(cell):
    for block in cell(3, 6, init="orthogonal").double().weight_hh.detach().chunk(cell.gates):
        torch.testing.assert_close(block @ block.T, torch.eye(6, dtype=torch.float64), rtol=0, atol=1e-6)


def test_identity_initialisation_hands_the_state_on():
    cell = RNNCell(3, 4, nonlinearity="relu", init="identity")
    h = torch.rand(2, 4)
    assert torch.equal(cell(torch.zeros(2, 3), h)[0], h)
    assert 0 < cell.weight_ih.abs().max() < 0.01


@pytest.mark.parametrize("cell", ALL)
def test_initial_states_are_zero_in_the_parameters_dtype(cell):
    for part in tensors(cell(3, 5).double().initial_state(2)):
        assert part.shape == (2, 5)
        assert part.dtype == torch.float64
        assert not part.any()


@pytest.mark.parametrize("cell", ALL)
def test_a_learned_initial_state_is_one_for_all_sequences_and_gets_their_gradients(cell):
    cell = cell(3, 5, learn_initial_state=True).double()
    with torch.no_grad():
        cell.initial_h.copy_(torch.randn(5))
    state = cell.initial_state(4)
    assert torch.equal(tensors(state)[0], cell.initial_h.expand(4, 5))
    output, new = cell(torch.randn(4, 3, dtype=torch.float64), state)
    sum(part.sum() for part in tensors(new)).backward()
    assert all(parameter.grad.abs().sum() > 0 for name, parameter in cell.named_parameters() if "initial" in name)
    assert "initial_h" in cell.state_dict()


@pytest.mark.parametrize("cell", ALL)
def test_a_trace_and_a_step_are_the_same_computation(cell):
    cell = cell(3, 5).double()
    x_t, state = leaf(2, 3), state_for(cell, 2)
    output, new = cell(x_t, state)
    trace, same = cell.trace(x_t, state)
    assert torch.equal(trace.h, output)
    for a, b in zip(tensors(new), tensors(same), strict=True):
        assert torch.equal(a, b)


def test_only_what_a_kernel_computes_has_a_kernel():
    assert RNNCell(3, 5, nonlinearity="relu").kernel().keywords == {"nonlinearity": "relu"}
    assert LSTMCell(3, 5, forget_bias=1.0).kernel() is kernels.lstm.lstm_over_time
    for blend in ("keep", "replace"):
        kernel = GRUCell(3, 5, blend=blend).kernel()
        assert (kernel.func, kernel.keywords) == (kernels.gru.gru_over_time, {"blend": blend})
    without = [
        LSTMCell(3, 5, peepholes=True),
        LSTMCell(3, 5, coupled=True),
        *(LSTMCell(3, 5, without=(part,)) for part in LSTM_PARTS),
        GRUCell(3, 5, reset="before"),
        MGUCell(3, 5),
    ]
    assert [cell.kernel() for cell in without] == [None] * len(without)


@pytest.mark.parametrize("method", ["forward", "trace", "equations"])
def test_a_subclass_with_a_step_of_its_own_is_not_overruled_by_a_kernel(method):
    own = type("Own", (LSTMCell,), {method: lambda self, x_t, state: (x_t, state)})
    assert own(3, 5).kernel() is None
    assert type("Same", (LSTMCell,), {})(3, 5).kernel() is kernels.lstm.lstm_over_time


def test_a_cell_of_ones_own_needs_only_its_equations():
    class Own(Cell):
        def equations(self, x_t, state):
            return torch.nn.functional.linear(x_t, self.weight_ih) + state

    with pytest.raises(AttributeError):  # equations return a trace, a named tuple with h
        Own(3, 5)(torch.zeros(1, 3), torch.zeros(1, 5))
    with pytest.raises(NotImplementedError):
        Cell(3, 5)(torch.zeros(1, 3), torch.zeros(1, 5))


@pytest.mark.bad_input
@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: RNNCell(0, 5), "input_size is 0"),
        (lambda: GRUCell(3, 2.5), "hidden_size is 2.5"),
        (lambda: RNNCell(3, 5, nonlinearity="sigmoid"), "nonlinearity is 'sigmoid'"),
        (lambda: LSTMCell(3, 5, init="identity"), "init is 'identity'; it should be one of 'uniform', 'orthogonal'"),
        (lambda: LSTMCell(3, 5, without="input"), r"without is the string 'input'; it should be .*\('input',\)"),
        (lambda: LSTMCell(3, 5, without=("inputs",)), "an entry of without is 'inputs'"),
        (lambda: LSTMCell(3, 5, without=("input",), coupled=True), "coupled is True and without is"),
        (lambda: LSTMCell(3, 5, bias=False, forget_bias=1.0), "forget_bias is 1.0 and bias is False"),
        (lambda: GRUCell(3, 5, reset="never"), "reset is 'never'"),
        (lambda: GRUCell(3, 5, blend="mix"), "blend is 'mix'"),
        (lambda: RNNCell(3, 5).initial_state(0), "batch_size is 0"),
        (lambda: RNNCell(3, 5)(torch.zeros(2, 4), torch.zeros(2, 5)), r"x_t has shape \(2, 4\)"),
        (lambda: RNNCell(3, 5)(torch.zeros(2, 3).double(), torch.zeros(2, 5)), "x_t has dtype torch.float64"),
        (lambda: LSTMCell(3, 5)(torch.zeros(2, 3), (torch.zeros(2, 5), torch.zeros(2, 5))), "state is a tuple"),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
