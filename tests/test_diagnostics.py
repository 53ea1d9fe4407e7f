"""Diagnostics against what can be computed by hand: linear networks, hand-made gates, graphs with a known path."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from rnncourse.bptt import Parameters, backward, forward
from rnncourse.cells import GRUCell, LSTMCell, MGUCell, RNNCell
from rnncourse.cells.skip import SkipRNNCell
from rnncourse.depth import DeepTransitionCell
from rnncourse.diagnostics import (
    context_curve,
    credit_path,
    credit_path_of,
    decay_rate,
    gate_statistics,
    gradient_by_lag,
    input_sensitivity,
    jacobian_norms,
    largest_singular_value,
    saturation,
    singular_value_bound,
    spectral_asymptote,
    spectral_radius,
    step_jacobians,
    used_context,
)
from rnncourse.layers import Bidirectional, Recurrent, Stacked
from rnncourse.shapes import LSTMState
from tests.oracles import DEVICES

CELLS = [RNNCell, LSTMCell, GRUCell, MGUCell, DeepTransitionCell]
few = settings(max_examples=15, deadline=None)


def vanilla(parameters):
    """An RNNCell with the weights of chapter 3's letters."""
    cell = RNNCell(parameters.U.shape[1], parameters.U.shape[0]).double()
    with torch.no_grad():
        cell.weight_ih.copy_(parameters.U)
        cell.weight_hh.copy_(parameters.W)
        cell.bias_ih.copy_(parameters.b)
        cell.bias_hh.zero_()
    return cell


def linear(W):
    """A cell that is exactly h_t = W h_{t-1}: ReLU on positive weights and a positive state."""
    cell = RNNCell(1, len(W), nonlinearity="relu", bias=False).double()
    with torch.no_grad():
        cell.weight_hh.copy_(W)
        cell.weight_ih.zero_()
    return cell


def test_gradient_by_lag_is_the_dh_of_the_hand_written_backward_pass():
    parameters = Parameters.random(2, 4, 4)._replace(V=torch.eye(4, dtype=torch.float64))
    x = torch.randn(3, 6, 2, dtype=torch.float64)
    trace = forward(parameters, x)
    dh = backward(parameters, trace, trace.h[:, 1:]).dh  # L = Σ_t |h_t|²/2, read through V = 1
    norms = gradient_by_lag(vanilla(parameters), x, lambda outputs: outputs.square().sum() / 2)
    assert torch.allclose(norms, dh.norm(dim=2).mean(0).flip(0), rtol=1e-10)


@pytest.mark.parametrize("cell", CELLS)
def test_gradient_of_the_last_output_by_lag_equals_products_of_jacobians(cell):
    cell = cell(2, 3).double()
    x, v = torch.randn(1, 5, 2, dtype=torch.float64), torch.randn(3, dtype=torch.float64)
    J = step_jacobians(cell, x)[0]
    product, expected = torch.eye(J.shape[-1], dtype=torch.float64), []
    for t in reversed(range(5)):
        expected.append((v @ product[:3, :3]).norm())
        product = product @ J[t]
    norms = gradient_by_lag(cell, x, lambda outputs: outputs[:, -1] @ v)
    assert torch.allclose(norms, torch.stack(expected), rtol=1e-10)


def test_an_lstm_has_a_gradient_for_its_cell_state_too():
    cell, x = LSTMCell(2, 3).double(), torch.randn(2, 5, 2, dtype=torch.float64)
    loss = lambda outputs: outputs[:, -1].sum()  # noqa: E731
    by_h, by_c = gradient_by_lag(cell, x, loss, field="h"), gradient_by_lag(cell, x, loss, field="c")
    assert torch.equal(gradient_by_lag(cell, x, loss), by_h)
    assert (by_c > 0).all()
    assert not torch.allclose(by_h, by_c)


def test_a_layer_is_measured_through_its_cell():
    layer, x = Recurrent(GRUCell(2, 3)), torch.randn(2, 5, 2)
    loss = lambda outputs: outputs.sum()  # noqa: E731
    assert torch.equal(gradient_by_lag(layer, x, loss), gradient_by_lag(layer.cell, x, loss))
    assert torch.equal(jacobian_norms(layer, x), jacobian_norms(layer.cell, x))


@pytest.mark.parametrize("cell", CELLS)
def test_step_jacobians_equal_autograd_one_sequence_at_a_time(cell):
    cell = cell(2, 3).double()
    x = torch.randn(2, 3, 2, dtype=torch.float64)
    mine = step_jacobians(cell, x)
    for b in range(2):
        state = cell.initial_state(1)
        for t in range(3):
            x_t = x[b : b + 1, t]
            if isinstance(cell, LSTMCell):
                step = lambda s, x_t=x_t: torch.cat(cell(x_t, LSTMState(s[None, :3], s[None, 3:]))[1], 1)[0]  # noqa: E731
                flat = torch.cat(state, 1)[0]
            else:
                step, flat = lambda s, x_t=x_t: cell(x_t, s[None])[1][0], state[0]
            expected = torch.autograd.functional.jacobian(step, flat)
            assert torch.allclose(mine[b, t], expected, rtol=1e-10, atol=1e-14)
            state = cell(x_t, state)[1]


def test_jacobian_norms_of_a_linear_network_are_norms_of_powers():
    W = torch.rand(3, 3, dtype=torch.float64)
    x, state = torch.zeros(2, 6, 1, dtype=torch.float64), torch.rand(2, 3, dtype=torch.float64) + 0.1
    norms = jacobian_norms(linear(W), x, state)
    powers = torch.stack([torch.linalg.matrix_norm(torch.linalg.matrix_power(W, n), 2) for n in range(7)])
    assert torch.allclose(norms, powers, rtol=1e-10)


@few
@given(st.integers(1, 5), st.integers(1, 8), st.floats(0.1, 3))
def test_the_singular_value_bound_holds(hidden, time, scale):
    parameters = Parameters.random(2, hidden, 1)
    cell = vanilla(parameters._replace(W=scale * parameters.W))
    norms = jacobian_norms(cell, torch.randn(3, time, 2, dtype=torch.float64))
    assert (norms <= singular_value_bound(cell.weight_hh, time) * (1 + 1e-10)).all()


def test_a_non_normal_matrix_first_grows_and_then_decays_at_its_spectral_radius():
    W = torch.tensor([[0.8, 5.0], [0.0, 0.8]], dtype=torch.float64)
    x, state = torch.zeros(1, 120, 1, dtype=torch.float64), torch.ones(1, 2, dtype=torch.float64)
    norms = jacobian_norms(linear(W), x, state)
    assert norms.max() > 5 * norms[0]
    assert norms[-1] < 1e-6
    assert largest_singular_value(W) > 1 > spectral_radius(W)
    assert decay_rate(norms, start=80) == pytest.approx(spectral_radius(W), rel=0.02)
    assert torch.allclose(spectral_asymptote(W, 3), torch.tensor([1, 0.8, 0.64, 0.512], dtype=torch.float64))


def test_an_lstm_whose_gates_keep_everything_carries_c_unchanged():
    cell = LSTMCell(2, 3)
    with torch.no_grad():
        for parameter in cell.parameters():
            parameter.zero_()
        i, f, g, o = cell.bias_ih.chunk(4)
        i.fill_(-40)
        f.fill_(40)
    norms = jacobian_norms(cell, torch.randn(2, 50, 2), field="c")
    assert torch.allclose(norms, torch.ones(51), atol=1e-5)


@pytest.mark.parametrize("device", DEVICES)
def test_every_measure_is_taken_where_the_cell_is(device):
    cell, x = LSTMCell(2, 3).to(device), torch.randn(2, 5, 2, device=device)
    vanilla_cell = RNNCell(2, 3).to(device)
    norms, bound = jacobian_norms(vanilla_cell, x), singular_value_bound(vanilla_cell.weight_hh, 5)
    assert bound.device == norms.device == x.device
    assert (norms <= bound * (1 + 1e-5)).all()
    assert spectral_asymptote(vanilla_cell.weight_hh, 5).device == x.device
    assert gradient_by_lag(cell, x, torch.sum, field="c").device == x.device
    assert (input_sensitivity(Recurrent(cell), x) > 0).all()
    trace, _ = Recurrent(cell).trace(x)
    mask = torch.tensor([[True] * 5, [True] + [False] * 4], device=device)
    assert gate_statistics(trace, mask=mask)["f"].mean == pytest.approx(trace.f[mask].mean().item(), rel=1e-5)
    assert used_context(Recurrent(cell), x) <= 5
    assert credit_path_of(Recurrent(cell), 4).shortest == 2


@few
@given(st.floats(0.2, 1.5), st.integers(2, 20))
def test_decay_rate_recovers_a_geometric_sequence(rate, n):
    assert decay_rate(3 * rate ** torch.arange(n, dtype=torch.float64)) == pytest.approx(rate, rel=1e-9)


def test_decay_rate_leaves_zeros_and_the_transient_out():
    norms = torch.tensor([100.0, 1.0, 0.5, 0.25, 0.0, float("inf")])
    assert decay_rate(norms, start=1) == pytest.approx(0.5)


def test_input_sensitivity_of_a_linear_network_is_known():
    W = torch.tensor([[0.5]], dtype=torch.float64)
    cell = linear(W)
    with torch.no_grad():
        cell.weight_ih.fill_(2.0)
    x = torch.ones(2, 4, 1, dtype=torch.float64)
    expected = torch.tensor([2, 1, 0.5, 0.25], dtype=torch.float64)
    assert torch.allclose(input_sensitivity(Recurrent(cell), x), expected)


def test_saturation_counts_flat_units():
    h = torch.tensor([[-0.99, 0.0], [0.96, 0.5]])
    assert saturation(h) == 0.5
    assert saturation(h, bound=0.4) == 0.75
    assert saturation(torch.tensor([0.001, 0.5, 0.999, 0.9]), function="sigmoid") == 0.5
    assert saturation(torch.tensor([0.0, 1.0, 0.0, 2.0]), function="relu") == 0.5


def test_gate_statistics_are_those_of_the_values():
    gate = torch.tensor([0.05, 0.5, 0.95, 0.98]).reshape(1, 4, 1)
    found = gate_statistics({"f": gate})["f"]
    assert found.mean == pytest.approx(gate.mean().item())
    assert found.std == pytest.approx(gate.std(correction=0).item())
    assert (found.share_closed, found.share_open, found.share_binary) == (0.25, 0.5, 0.75)
    assert found.histogram.sum().item() == pytest.approx(1)
    assert found.histogram[10] == 0.25  # 0.5 opens the eleventh of twenty bins


@pytest.mark.parametrize(("cell", "names"), [(LSTMCell, {"i", "f", "o"}), (GRUCell, {"r", "z"}), (MGUCell, {"f"})])
def test_gates_are_found_in_a_trace_by_name(cell, names):
    trace, _ = Recurrent(cell(2, 3)).trace(torch.randn(2, 5, 2))
    assert set(gate_statistics(trace)) == names


def test_gate_statistics_leave_padding_out():
    gate = torch.tensor([[[0.9], [0.0]]])
    assert gate_statistics({"f": gate}, mask=torch.tensor([[True, False]]))["f"].mean == pytest.approx(0.9)


class _Window(torch.nn.Module):
    """Puts out the sum of the newest ``size`` inputs: its context is known."""

    def __init__(self, size):
        super().__init__()
        self.size = size

    def forward(self, x):
        return x[:, -self.size :].sum(1, keepdim=True).expand(-1, x.shape[1], -1), None


@pytest.mark.parametrize("size", [1, 3, 8])
def test_used_context_finds_the_window_of_a_model_with_a_window(size):
    x = torch.randn(4, 8, 2)
    assert used_context(_Window(size), x) == size
    changes = context_curve(_Window(size), x, range(9))
    assert (changes[:size] > 0).all()
    assert not changes[size:].any()


def test_a_model_that_ignores_its_input_uses_no_context():
    cell = RNNCell(2, 3)
    with torch.no_grad():
        cell.weight_ih.zero_()
    assert used_context(Recurrent(cell), torch.randn(3, 5, 2)) == 0


def test_a_head_with_one_output_a_sequence_and_token_inputs_have_a_context_too():
    class Last(torch.nn.Module):
        def forward(self, tokens):
            return torch.nn.functional.one_hot(tokens[:, -2], 5).float(), None

    tokens = torch.tensor([[0, 1, 2], [1, 2, 3], [2, 3, 4]])
    assert used_context(Last(), tokens) == 2


def test_credit_paths_count_activations_on_the_graph():
    x = torch.randn(3, requires_grad=True)
    inner = torch.sigmoid(x)
    y = torch.relu(inner) + inner * torch.tanh(torch.tanh(inner))
    assert credit_path(y, x) == (1, 3)
    assert credit_path(y, inner) == (0, 2)


@pytest.mark.parametrize("lag", [0, 1, 30])
def test_credit_crosses_one_nonlinearity_a_step_in_an_rnn_and_two_in_all_in_an_lstm(lag):
    assert credit_path_of(Recurrent(RNNCell(2, 3)), lag) == (lag + 1, lag + 1)
    assert credit_path_of(Recurrent(LSTMCell(2, 3)), lag).shortest == min(lag + 1, 2)
    assert credit_path_of(Recurrent(GRUCell(2, 3)), lag).shortest == 1


def test_a_backward_layer_sees_the_past_only_through_its_own_first_step():
    pair = Bidirectional(Recurrent(RNNCell(2, 3)), Recurrent(RNNCell(2, 3)))
    assert credit_path_of(pair, 6) == (7, 7)


def test_stacking_does_not_invent_paths_from_the_future():
    assert credit_path_of(Stacked.of(RNNCell, 2, 3, num_layers=3), 50) == (53, 53)


def test_counting_a_credit_path_leaves_the_implementation_as_it_was():
    layer = Recurrent(RNNCell(2, 3), implementation="kernel")
    credit_path_of(layer, 3)
    assert layer.implementation == "kernel"


def test_credit_paths_are_found_in_deep_graphs_without_recursion():
    x = torch.zeros(1, requires_grad=True)
    y = x
    for _ in range(3000):
        y = torch.tanh(y)
    assert credit_path(y, x) == (3000, 3000)


X, H = torch.zeros(2, 3, 2), torch.zeros(2, 3)
BAD = {
    "x has 2 axes": lambda: gradient_by_lag(RNNCell(2, 3), X[0], torch.sum),
    "x is a NoneType": lambda: step_jacobians(RNNCell(2, 3), None),
    "x has dtype torch.int64": lambda: jacobian_norms(RNNCell(2, 3), X.long()),
    "x has dtype torch.float64; it should be torch.float32": lambda: gradient_by_lag(
        RNNCell(2, 3), X.double(), torch.sum
    ),
    "x is on meta": lambda: input_sensitivity(Recurrent(RNNCell(2, 3)), X.to("meta")),
    "axis 'input' should be 2, not 1": lambda: jacobian_norms(RNNCell(2, 3), X[..., :1]),
    "axis 'input' should be 2, not 3": lambda: input_sensitivity(Recurrent(RNNCell(2, 3)), torch.zeros(2, 3, 3)),
    "cell is a builtin_function_or_method": lambda: step_jacobians(torch.sum, X),
    "cell is a NoneType": lambda: gradient_by_lag(None, X, torch.sum),
    "cell is a Linear": lambda: jacobian_norms(torch.nn.Linear(2, 3), X),
    "module is a str": lambda: input_sensitivity("rnn", X),
    "module is a NoneType": lambda: context_curve(None, X, [1]),
    "module is a int": lambda: used_context(3, X),
    "loss is a NoneType": lambda: gradient_by_lag(RNNCell(2, 3), X, None),
    "loss returned a tensor of shape (2, 3, 3)": lambda: gradient_by_lag(RNNCell(2, 3), X, lambda outputs: outputs),
    "loss returned a float": lambda: gradient_by_lag(RNNCell(2, 3), X, lambda outputs: 1.0),
    "loss returned a tensor of shape ()": lambda: gradient_by_lag(RNNCell(2, 3), X, lambda outputs: torch.zeros(())),
    "state is a LSTMState": lambda: jacobian_norms(RNNCell(2, 3), X, LSTMState(H, H)),
    "state is a Tensor; it should be an LSTMState": lambda: gradient_by_lag(LSTMCell(2, 3), X, torch.sum, state=H),
    "state is a tuple of 2; it should be an LSTMState(h, c)": lambda: step_jacobians(LSTMCell(2, 3), X, (H, H)),
    "state is a list": lambda: step_jacobians(RNNCell(2, 3), X, [H]),
    "state has shape (1, 3)": lambda: step_jacobians(RNNCell(2, 3), X, H[:1]),
    "state has dtype torch.float64": lambda: gradient_by_lag(RNNCell(2, 3), X, torch.sum, state=H.double()),
    "state.c has shape (2, 2)": lambda: jacobian_norms(LSTMCell(2, 3), X, LSTMState(H, H[:, :2])),
    "field is 3": lambda: gradient_by_lag(LSTMCell(2, 3), X, torch.sum, field=3),
    "field is 'h'; it should be one of None": lambda: jacobian_norms(SkipRNNCell(2, 3, skip=2), X, field="h"),
    "weight is a NoneType": lambda: spectral_radius(None),
    "weight has 0 axes": lambda: spectral_radius(torch.tensor(1.0)),
    "axis 'old_hidden' should be 2, not 3": lambda: spectral_radius(torch.zeros(2, 3)),
    "weight is a list": lambda: largest_singular_value([[1.0]]),
    "weight has dtype torch.int64": lambda: largest_singular_value(torch.ones(2, 2, dtype=torch.long)),
    "axis 'old_hidden' should be 3, not 2": lambda: singular_value_bound(torch.zeros(3, 2), 1),
    "weight is a float": lambda: spectral_asymptote(0.5, 1),
    "lags is 1.0": lambda: spectral_asymptote(torch.eye(2), 1.0),
    "lags is True": lambda: singular_value_bound(torch.eye(2), True),
    "gamma is nan": lambda: singular_value_bound(torch.eye(2), 1, gamma=float("nan")),
    "gamma is '1'": lambda: singular_value_bound(torch.eye(2), 1, gamma="1"),
    "norms is a list": lambda: decay_rate([1.0, 0.5]),
    "norms has 2 axes": lambda: decay_rate(torch.eye(2)),
    "norms has dtype torch.int64": lambda: decay_rate(torch.tensor([4, 2, 1])),
    "start is -1": lambda: decay_rate(torch.tensor([1.0, 0.5]), start=-1),
    "h is a list": lambda: saturation([0.5]),
    "h is torch.int64": lambda: saturation(torch.ones(2, dtype=torch.long)),
    "h is nan at index (1,)": lambda: saturation(torch.tensor([0.5, float("nan")])),
    "bound is '0.9'": lambda: saturation(X, bound="0.9"),
    "trace.f is a list": lambda: gate_statistics({"f": [0.5]}),
    "trace.f has 1 axes": lambda: gate_statistics({"f": torch.rand(3)}),
    "trace.f runs from nan to nan": lambda: gate_statistics({"f": torch.full((1, 1, 1), float("nan"))}),
    "mask is a list": lambda: gate_statistics({"f": X}, mask=[[True]]),
    "mask is torch.int64": lambda: gate_statistics({"f": X}, mask=torch.ones(2, 3, dtype=torch.long)),
    "it should be torch.bool of shape (batch=2, time=3)": lambda: gate_statistics(
        {"f": X}, mask=torch.ones(3, 2).bool()
    ),
    "mask is False everywhere": lambda: gate_statistics({"f": X}, mask=torch.zeros(2, 3).bool()),
    "open is 1.5": lambda: gate_statistics({"f": X}, open=1.5),
    "closed is None": lambda: gate_statistics({"f": X}, closed=None),
    "trace is a dict without gates": lambda: gate_statistics({}),
    "x is a list": lambda: context_curve(_Window(1), [[1], [2]], [1]),
    "sequences of at least one step": lambda: used_context(_Window(1), X[:, :0]),
    "cuts is empty": lambda: context_curve(_Window(1), X, []),
    "cuts is 2": lambda: context_curve(_Window(1), X, 2),
    "an entry of cuts is 1.0": lambda: context_curve(_Window(1), X, [1.0]),
    "an entry of cuts is -1": lambda: context_curve(_Window(1), X, [-1]),
    "tolerance is nan": lambda: used_context(_Window(1), X, tolerance=float("nan")),
    "tolerance is '1'": lambda: used_context(_Window(1), X, tolerance="1"),
    "target is a float": lambda: credit_path(1.0, X),
    "source is a NoneType": lambda: credit_path(torch.ones(1, requires_grad=True).tanh(), None),
    "lag is 1.0": lambda: credit_path_of(Recurrent(RNNCell(2, 3)), 1.0),
    "lag is False": lambda: credit_path_of(Recurrent(RNNCell(2, 3)), False),
    "module is a builtin_function_or_method; it should be of type Module": lambda: credit_path_of(torch.sum, 1),
    "module is a Linear without an input_size": lambda: credit_path_of(torch.nn.Linear(2, 3), 1),
    "field is 'c'": lambda: gradient_by_lag(RNNCell(2, 3), X, torch.sum, field="c"),
    "field is 'z'; it should be one of 'h', 'c'": lambda: jacobian_norms(LSTMCell(2, 3), X, field="z"),
    "axis 'time' is empty": lambda: step_jacobians(RNNCell(2, 3), X[:, :0]),
    "x has 4 axes": lambda: input_sensitivity(Recurrent(RNNCell(2, 3)), X[None]),
    "lags is -1": lambda: singular_value_bound(torch.eye(2), -1),
    "gamma is 0": lambda: singular_value_bound(torch.eye(2), 1, gamma=0),
    "norms has 1 usable entries": lambda: decay_rate(torch.tensor([1.0, 0.0])),
    "bound is 1.5": lambda: saturation(X, bound=1.5),
    "function is 'sine'": lambda: saturation(X, function="sine"),
    "of shape (0, 3, 2); it should hold at least one": lambda: saturation(X[:0]),
    "without gates": lambda: gate_statistics(torch.zeros(3)),
    "every gate should be between 0 and 1": lambda: gate_statistics({"f": torch.tensor([[[1.5]]])}),
    "closed is 0.9": lambda: gate_statistics({"f": X}, closed=0.9, open=0.1),
    "at least two sequences": lambda: context_curve(_Window(1), X[:1], [1]),
    "an entry of cuts is 4; it should be at most 3": lambda: context_curve(_Window(1), X, [4]),
    "tolerance is 0": lambda: used_context(_Window(1), X, tolerance=0),
    "target has no graph": lambda: credit_path(torch.ones(1), torch.ones(1, requires_grad=True)),
    "source requires no gradient": lambda: credit_path(torch.ones(1, requires_grad=True).tanh(), torch.ones(1)),
    "source is not in the graph": lambda: credit_path(
        torch.ones(1, requires_grad=True).tanh(), torch.ones(1, requires_grad=True)
    ),
    'use implementation="loop"': lambda: credit_path(
        Recurrent(RNNCell(2, 3), implementation="kernel")(x := torch.zeros(1, 2, 2, requires_grad=True))[0], x
    ),
    'which hides its steps; use implementation="loop"': lambda: credit_path(
        Recurrent(LSTMCell(2, 3))(x := torch.zeros(1, 2, 2, requires_grad=True))[0], x
    ),
    "lag is -1": lambda: credit_path_of(Recurrent(RNNCell(2, 3)), -1),
}


@pytest.mark.bad_input
@pytest.mark.parametrize("message", BAD)
def test_bad_input_is_refused_in_words(message):
    with pytest.raises(ValueError) as error:
        BAD[message]()
    assert message in str(error.value)


@pytest.mark.bad_input
@pytest.mark.parametrize("measure", [spectral_radius, largest_singular_value])
def test_a_matrix_with_a_hole_in_it_is_refused(measure):
    with pytest.raises(ValueError, match=r"weight is nan at index \(0, 1\)"):
        measure(torch.tensor([[1.0, float("nan")], [0.0, 1.0]]))
