"""The four ways of depth: each reduces to the shallow network, and lengthens the credit path as said."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from rnncourse.cells import RNNCell
from rnncourse.depth import (
    DEPTH_KINDS,
    Between,
    DeepTransitionCell,
    Perceptron,
    deep_rnn,
    matched_hidden_size,
    matched_hidden_sizes,
)
from rnncourse.diagnostics import credit_path_of
from rnncourse.layers import Recurrent, Stacked
from tests.oracles import DEVICES

few = settings(max_examples=15, deadline=None)
sizes = st.tuples(st.integers(1, 3), st.integers(1, 6), st.integers(1, 3), st.integers(1, 4))


def assert_close(mine, theirs, tolerance=1e-10):
    for a, b in zip(mine, theirs, strict=True):
        assert a.shape == b.shape
        assert (a - b).abs().max() <= tolerance * max(1e-300, b.abs().max().item())


def copy(source, target):
    with torch.no_grad():
        for name, parameter in source.named_parameters():
            target.get_parameter(name).copy_(parameter)


@few
@given(sizes)
def test_a_transition_of_depth_one_is_the_vanilla_cell(size):
    batch, time, inputs, hidden = size
    vanilla = Recurrent(RNNCell(inputs, hidden)).double()
    deep = Recurrent(DeepTransitionCell(inputs, hidden, depth=1)).double()
    copy(vanilla, deep)
    x = torch.randn(batch, time, inputs, dtype=torch.float64, requires_grad=True)
    results = []
    for layer in (deep, vanilla):
        y, h = layer(x)
        results.append([y, h, *torch.autograd.grad(y.square().sum() + h.sum(), [x, *layer.parameters()])])
    assert_close(*results)


@few
@given(sizes, st.integers(1, 4), st.booleans(), st.sampled_from(["tanh", "relu"]), st.booleans())
def test_a_deep_transition_is_its_equations(size, depth, shortcut, nonlinearity, bias):
    batch, time, inputs, hidden = size
    cell = DeepTransitionCell(
        inputs, hidden, depth=depth, shortcut=shortcut, nonlinearity=nonlinearity, bias=bias
    ).double()
    x = torch.randn(batch, time, inputs, dtype=torch.float64, requires_grad=True)
    mine, h_T = Recurrent(cell)(x)
    phi = getattr(torch, nonlinearity)
    h, outputs = torch.zeros(batch, hidden, dtype=torch.float64), []
    for t in range(time):
        z = phi(x[:, t] @ cell.weight_ih.T + h @ cell.weight_hh.T + ((cell.bias_ih + cell.bias_hh) if bias else 0))
        for l in range(depth - 1):
            z = z @ cell.deep_weights[l].T + (cell.deep_biases[l] if bias else 0)
            z = phi(z + h @ cell.shortcut_weights[l].T if shortcut else z)
        h = z
        outputs.append(h)
    theirs = torch.stack(outputs, 1)
    leaves = [x, *cell.parameters()]
    gradients = [torch.autograd.grad(y.sin().sum(), leaves) for y in (mine, theirs)]
    assert_close([mine, h_T, *gradients[0]], [theirs, h, *gradients[1]])


def test_a_deep_transition_passes_gradcheck():
    cell = DeepTransitionCell(2, 3, depth=2, shortcut=True).double()
    x, h = torch.randn(2, 2, dtype=torch.float64), torch.randn(2, 3, dtype=torch.float64)
    names = [name for name, _ in cell.named_parameters()]

    def step(x_t, h, *weights):
        return torch.func.functional_call(cell, dict(zip(names, weights, strict=True)), (x_t, h))[0]

    assert torch.autograd.gradcheck(step, [v.requires_grad_() for v in (x, h)] + [*cell.parameters()])


def test_without_the_shortcut_weights_a_shortcut_cell_is_the_plain_one():
    short, plain = DeepTransitionCell(3, 4, depth=3, shortcut=True), DeepTransitionCell(3, 4, depth=3)
    copy(plain, short)
    x, h = torch.randn(2, 3), torch.randn(2, 4)
    assert not torch.allclose(short(x, h)[0], plain(x, h)[0])
    with torch.no_grad():
        for weight in short.shortcut_weights:
            weight.zero_()
    assert torch.equal(short(x, h)[0], plain(x, h)[0])


def test_the_trace_holds_every_layer_of_the_transition():
    layer = Recurrent(DeepTransitionCell(3, 4, depth=3))
    x = torch.randn(2, 5, 3)
    trace, _ = layer.trace(x)
    assert [tuple(z.shape) for z in trace.z] == [(2, 5, 4)] * 3
    assert torch.equal(trace.z[-1], trace.h)
    assert torch.allclose(trace.h, layer(x)[0])


def test_orthogonal_transitions_are_orthogonal():
    cell = DeepTransitionCell(3, 4, depth=3, init="orthogonal")
    for weight in (cell.weight_hh, *cell.deep_weights):
        assert torch.allclose(weight @ weight.T, torch.eye(4), atol=1e-5)


def test_a_perceptron_is_its_linear_layers_and_treats_steps_alike():
    perceptron = Perceptron([3, 5, 2], last=None)
    x = torch.randn(2, 7, 3)
    first, second = perceptron.layers
    assert torch.allclose(perceptron(x), second(torch.tanh(first(x))))
    assert torch.allclose(perceptron(x)[:, 4], perceptron(x[:, 4]), atol=1e-6)
    assert (perceptron.input_size, perceptron.output_size) == (3, 2)


@pytest.mark.parametrize("kind", DEPTH_KINDS)
def test_every_kind_at_depth_one_is_the_shallow_network(kind):
    torch.manual_seed(1)
    shallow = deep_rnn("shallow", 3, 4, output_size=2)
    torch.manual_seed(1)
    same = deep_rnn(kind, 3, 4, output_size=2, depth=1)
    x = torch.randn(2, 5, 3)
    assert torch.equal(shallow(x)[0], same(x)[0])


@pytest.mark.parametrize("kind", DEPTH_KINDS)
def test_every_kind_speaks_the_grammar(kind):
    network = deep_rnn(kind, 3, 4, output_size=2, depth=3).double()
    x = torch.randn(2, 6, 3, dtype=torch.float64)
    whole, state = network(x)
    first, middle = network(x[:, :4], network.initial_state(2))
    second, end = network(x[:, 4:], middle)
    assert_close([torch.cat([first, second], 1)], [whole])
    flat = lambda s: s if isinstance(s, tuple) else (s,)  # noqa: E731
    assert_close(flat(end), flat(state))


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("kind", DEPTH_KINDS)
def test_every_kind_respects_lengths(kind, device):
    network = deep_rnn(kind, 3, 4, output_size=2, depth=2).double().to(device)
    x, lengths = torch.randn(3, 6, 3, dtype=torch.float64, device=device), torch.tensor([6, 1, 4])
    padded, _ = network(x, lengths=lengths)
    for b, n in enumerate(lengths):
        assert_close([padded[b, :n]], [network(x[b : b + 1, :n])[0][0]])
        assert not padded[b, n:].any()


@pytest.mark.parametrize("depth", [1, 2, 3])
@pytest.mark.parametrize("lag", [0, 1, 9])
def test_credit_paths_are_as_long_as_the_picture_says(depth, lag):
    path = lambda kind: credit_path_of(deep_rnn(kind, 3, 4, output_size=2, depth=depth), lag)  # noqa: E731
    d, n, extra = depth, lag, depth - 1
    assert path("shallow") == (n + 1, n + 1)
    assert path("stacked") == (n + d, n + d)
    assert path("deep_input") == path("deep_output") == (n + 1 + extra, n + 1 + extra)
    assert path("deep_transition") == (d * (n + 1), d * (n + 1))
    assert path("deep_transition_shortcut") == (n + d, d * (n + 1))
    assert path("deep_output_transition") == (d * (n + 1) + extra, d * (n + 1) + extra)
    assert path("deep_output_transition_shortcut") == (n + d + extra, d * (n + 1) + extra)
    assert path("stacked_deep_output_transition") == (d * (n + d) + extra, d * (n + d) + extra)


def test_matched_sizes_spend_the_budget_within_half_a_unit():
    budget = 20_000
    for kind, match in matched_hidden_sizes(budget, 16, 8, depth=3).items():
        count = lambda h, kind=kind: sum(  # noqa: E731
            p.numel() for p in deep_rnn(kind, 16, h, output_size=8, depth=3).parameters()
        )
        assert count(match.hidden_size) == match.parameters
        miss = abs(match.parameters - budget)
        assert miss <= abs(count(match.hidden_size - 1) - budget)
        assert miss <= abs(count(match.hidden_size + 1) - budget)


@few
@given(st.integers(10, 5000))
def test_a_matched_size_is_the_closest_of_all_sizes(budget):
    build = lambda hidden: nn.Linear(9, hidden)  # noqa: E731
    best = min(range(1, 600), key=lambda h: abs(10 * h - budget))
    found = matched_hidden_size(build, budget)
    assert abs(10 * found - budget) == abs(10 * best - budget)


def test_matching_sizes_leaves_the_random_state_alone():
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    matched_hidden_sizes(1000, 3, 2, kinds=["shallow"])
    assert torch.equal(torch.rand(3), expected)


def test_between_is_the_three_maps_one_after_another_in_value_and_every_gradient():
    network = deep_rnn("deep_input", 3, 4, output_size=2, depth=3).double()
    x = torch.randn(2, 5, 3, dtype=torch.float64, requires_grad=True)
    mine, h_T = network(x)
    first, second = network.before.layers
    cell, write = network.layer.cell, network.after.layers[0]
    h, outputs = torch.zeros(2, 4, dtype=torch.float64), []
    for t in range(5):
        read = torch.tanh(torch.tanh(x[:, t] @ first.weight.T + first.bias) @ second.weight.T + second.bias)
        h = torch.tanh(read @ cell.weight_ih.T + cell.bias_ih + h @ cell.weight_hh.T + cell.bias_hh)
        outputs.append(h @ write.weight.T + write.bias)
    theirs = torch.stack(outputs, 1)
    leaves = [x, *network.parameters()]
    gradients = [torch.autograd.grad(y.sin().sum(), leaves) for y in (mine, theirs)]
    assert_close([mine, h_T, *gradients[0]], [theirs, h, *gradients[1]])


@pytest.mark.parametrize("lag", [0, 1, 6])
def test_all_four_ways_at_once_add_their_lengths(lag):
    stack = Stacked(Recurrent(DeepTransitionCell(5, 4, depth=3)), Recurrent(DeepTransitionCell(4, 4, depth=2)))
    network = Between(stack, before=Perceptron([3, 6, 5]), after=Perceptron([4, 6, 2], last=None))
    y, state = network(torch.randn(2, 7, 3), lengths=torch.tensor([7, 2]))
    assert y.shape == (2, 7, 2)
    assert [tuple(h.shape) for h in state] == [(2, 4)] * 2
    within = 2 + 1  # two layers before the stack, one nonlinear layer after it
    longest = 3 * (lag + 1) + 2  # all steps in the deeper transition, one in the other
    shortest = 3 + 2 * (lag + 1)  # or the other way round
    assert credit_path_of(network, lag) == (within + shortest, within + longest)


def test_an_lstm_can_stand_between_deep_maps():
    from rnncourse.cells import LSTMCell

    network = Between(
        Stacked.of(LSTMCell, 6, 5, num_layers=2), before=Perceptron([3, 6]), after=Perceptron([5, 2], last=None)
    )
    y, state = network(torch.randn(2, 4, 3))
    assert y.shape == (2, 4, 2)
    assert (network.input_size, network.output_size, len(state)) == (3, 2, 2)


BAD = {
    "kind is 'deeper'": lambda: deep_rnn("deeper", 3, 4, output_size=2),
    "depth is 0": lambda: deep_rnn("stacked", 3, 4, output_size=2, depth=0),
    "hidden_size is 0": lambda: deep_rnn("stacked", 3, 0, output_size=2),
    "output_size is -1": lambda: deep_rnn("stacked", 3, 4, output_size=-1),
    "depth is -1": lambda: DeepTransitionCell(3, 4, depth=-1),
    "nonlinearity is 'sine'": lambda: DeepTransitionCell(3, 4, nonlinearity="sine"),
    "axis 'input' should be 3": lambda: DeepTransitionCell(3, 4)(torch.zeros(1, 2), torch.zeros(1, 4)),
    "axis 'hidden' should be 4": lambda: DeepTransitionCell(3, 4)(torch.zeros(1, 3), torch.zeros(1, 3)),
    "sizes is [3]": lambda: Perceptron([3]),
    "sizes is 3": lambda: Perceptron(3),
    "an entry of sizes is 0": lambda: Perceptron([3, 0]),
    "nonlinearity is None": lambda: Perceptron([3, 2], None),
    "x is a NoneType": lambda: Perceptron([3, 2])(None),
    "x has shape (5, 2); its axis 'input' should be 3": lambda: Perceptron([3, 2])(torch.zeros(5, 2)),
    "x has 0 axes": lambda: Perceptron([3, 2])(torch.tensor(1.0)),
    "x has dtype torch.int64": lambda: Perceptron([3, 2])(torch.zeros(5, 3, dtype=torch.long)),
    "x has dtype torch.float64": lambda: Perceptron([3, 2])(torch.zeros(5, 3, dtype=torch.float64)),
    "x_t is a list": lambda: DeepTransitionCell(3, 4)([1.0], torch.zeros(1, 4)),
    "state is a NoneType": lambda: DeepTransitionCell(3, 4)(torch.zeros(1, 3), None),
    "init is 'identity'": lambda: DeepTransitionCell(3, 4, init="identity"),
    "layer is a Linear": lambda: Between(nn.Linear(3, 4)),
    "layer is a NoneType": lambda: Between(None),
    "before is a builtin_function_or_method": lambda: Between(Recurrent(RNNCell(3, 4)), before=torch.tanh),
    "after is a str": lambda: Between(Recurrent(RNNCell(3, 4)), after="tanh"),
    "inputs has dtype torch.float64": lambda: Between(Recurrent(RNNCell(3, 4)))(torch.zeros(2, 5, 3).double()),
    "inputs is a list": lambda: deep_rnn("stacked", 3, 4, output_size=2)([1.0]),
    "lengths runs from 1 to 6": lambda: deep_rnn("deep_output", 3, 4, output_size=2)(
        torch.zeros(2, 5, 3), lengths=torch.tensor([6, 1])
    ),
    "state has shape (1, 4)": lambda: deep_rnn("shallow", 3, 4, output_size=2)(torch.zeros(2, 5, 3), torch.zeros(1, 4)),
    "kind is 3": lambda: deep_rnn(3, 3, 4, output_size=2),
    "input_size is 3.0": lambda: deep_rnn("shallow", 3.0, 4, output_size=2),
    "nonlinearity is 'step'": lambda: deep_rnn("shallow", 3, 4, output_size=2, nonlinearity="step"),
    "build is a NoneType": lambda: matched_hidden_size(None, 10),
    "build(1) is a int": lambda: matched_hidden_size(lambda h: h, 10),
    "their number should grow": lambda: matched_hidden_size(lambda h: nn.Linear(1, 1), 10),
    "budget is 1000.0": lambda: matched_hidden_sizes(1000.0, 3, 2),
    "kinds is 'stacked'": lambda: matched_hidden_sizes(1000, 3, 2, kinds="stacked"),
    "kinds is empty": lambda: matched_hidden_sizes(1000, 3, 2, kinds=[]),
    "an entry of kinds is 'deeper'": lambda: matched_hidden_sizes(1000, 3, 2, kinds=["shallow", "deeper"]),
    "output_size is 0": lambda: matched_hidden_sizes(1000, 3, 0),
    "last is 'sine'": lambda: Perceptron([3, 2], last="sine"),
    "before puts out 5": lambda: Between(Recurrent(RNNCell(3, 4)), before=Perceptron([2, 5])),
    "after takes 5": lambda: Between(Recurrent(RNNCell(3, 4)), after=Perceptron([5, 2])),
    "inputs has 2 axes": lambda: deep_rnn("shallow", 3, 4, output_size=2)(torch.zeros(2, 3)),
    "budget is 0": lambda: matched_hidden_size(lambda h: nn.Linear(1, h), 0),
    "what one hidden unit costs": lambda: matched_hidden_size(lambda h: nn.Linear(9, h), 5),
}


@pytest.mark.bad_input
@pytest.mark.parametrize("message", BAD)
def test_bad_input_is_refused_in_words(message):
    with pytest.raises(ValueError) as error:
        BAD[message]()
    assert message in str(error.value)
