"""The linear cells: their equations by hand, their scan equal to their step, and their place in every layer."""

import math
import subprocess
import sys

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.func import functional_call, grad, hessian, vmap

from rnncourse.checks import check_layer
from rnncourse.layers import Recurrent, Stacked
from rnncourse.models import LanguageModel, SequenceClassifier, SequenceTagger, generate
from rnncourse.scan import SCANS, ComplexState, Eigenvalues, LinearCell, LRUCell, MinGRUCell, MinLSTMCell, positive
from rnncourse.shapes import detach_state, map_state
from rnncourse.unroll import windows
from tests.house import ROOT
from tests.oracles import assert_close, assert_same, leaf, random_lengths, tensors

# PyTorch's own forward mode loads a deprecated part of PyTorch.
pytestmark = pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated:DeprecationWarning")

DIRECT = [scan for scan in SCANS if scan != "log_space"]
CELLS = {
    **{f"minGRU {scan}": (MinGRUCell, {"scan": scan}) for scan in DIRECT},
    "minGRU signed": (MinGRUCell, {"eigenvalues": "signed", "scan": "odd_even"}),
    "minGRU positive": (MinGRUCell, {"candidate": "positive", "scan": "odd_even"}),
    "minGRU log_space": (MinGRUCell, {"candidate": "positive", "scan": "log_space"}),
    "minGRU without bias": (MinGRUCell, {"bias": False}),
    "minLSTM": (MinLSTMCell, {"scan": "odd_even"}),
    "minLSTM log_space": (MinLSTMCell, {"candidate": "positive", "scan": "log_space"}),
    "minLSTM without bias": (MinLSTMCell, {"bias": False}),
    **{f"LRU {kind}": (LRUCell, {"eigenvalues": kind, "scan": "odd_even"}) for kind in ("signed", "positive")},
    **{f"LRU complex {scan}": (LRUCell, {"scan": scan}) for scan in DIRECT},
    "LRU with a larger state": (LRUCell, {"state_size": 7, "scan": "odd_even"}),
}


def build(name, inputs=3, hidden=4, **more):
    cell, options = CELLS[name]
    return cell(inputs, hidden, **(options | more))


def state_for(cell, batch, dtype=torch.float64):
    """A state that every scan takes, a leaf in each of its tensors."""
    zero = cell.initial_state(batch)
    return map_state(lambda part: (0.1 + torch.rand_like(part, dtype=dtype)).requires_grad_(), zero)


def same(leaves):
    """Leaves that both computations share."""
    return {name: (value, value) for name, value in leaves.items()}


def leaves_of(module, x, state):
    """The inputs, the tensors of the state and the parameters, by name."""
    parts = {f"state {i}": part for i, part in enumerate(tensors(state))}
    return {"inputs": x, **parts, **dict(module.named_parameters())}


def check_layer_is_the_readable_loop(
    name, *, sizes=(3, 40, 3, 4), implementation="kernel", padded=False, dtype=torch.float64
):
    batch, time, inputs, hidden = sizes
    cell = build(name, inputs, hidden).to(dtype)
    x, state = leaf(batch, time, inputs, dtype=dtype), state_for(cell, batch, dtype)
    lengths = random_lengths(batch, time) if padded else None
    results = []
    for each in (implementation, "loop"):
        outputs, final = Recurrent(cell, implementation=each)(x, state, lengths)
        results.append([outputs, *tensors(final)])
    assert_same(*results, same(leaves_of(cell, x, state)), name)


@pytest.mark.parametrize("padded", [False, True])
@pytest.mark.parametrize("implementation", ["kernel", "checkpoint"])
@pytest.mark.parametrize("name", CELLS)
def test_every_scanned_layer_is_the_readable_loop(name, implementation, padded):
    check_layer_is_the_readable_loop(name, implementation=implementation, padded=padded)


@pytest.mark.parametrize("sizes", [(1, 1, 1, 1), (2, 1, 3, 5), (1, 50, 2, 1)])
@pytest.mark.parametrize("name", CELLS)
def test_sizes_of_one_are_no_matter(name, sizes):
    check_layer_is_the_readable_loop(name, sizes=sizes)


@settings(max_examples=40, deadline=None)
@given(
    name=st.sampled_from(sorted(CELLS)),
    sizes=st.tuples(st.integers(1, 4), st.integers(1, 60), st.integers(1, 4), st.integers(1, 5)),
    implementation=st.sampled_from(["kernel", "checkpoint"]),
    padded=st.booleans(),
    seed=st.integers(0, 2**16),
)
def test_any_scanned_layer_is_the_readable_loop(name, sizes, implementation, padded, seed):
    torch.manual_seed(seed)
    check_layer_is_the_readable_loop(name, sizes=sizes, implementation=implementation, padded=padded)


@pytest.mark.parametrize("name", [name for name in CELLS if "log_space" not in name])
def test_in_single_precision_too_a_scanned_layer_is_the_readable_loop(name):
    check_layer_is_the_readable_loop(name, sizes=(4, 60, 8, 16), dtype=torch.float32)


def test_min_gru_is_its_equations():
    cell, x, h = MinGRUCell(3, 4).double(), leaf(2, 6, 3), leaf(2, 4)
    outputs, _ = Recurrent(cell)(x, h)
    W_z, W_n = cell.weight_ih[:4], cell.weight_ih[4:]
    b_z, b_n = cell.bias_ih[:4], cell.bias_ih[4:]
    expected, state = [], h
    for t in range(6):
        z = 1 / (1 + torch.exp(-(x[:, t] @ W_z.T + b_z)))
        state = state + z * (x[:, t] @ W_n.T + b_n - state)
        expected.append(state)
    assert_same([outputs], [torch.stack(expected, 1)], same(leaves_of(cell, x, h)), "minGRU")


def test_min_gru_in_log_space_is_the_published_formula():
    """The two running sums, of logarithms that come from the gates themselves, left to autograd."""
    cell, x = MinGRUCell(3, 4, candidate="positive", scan="log_space").double(), leaf(2, 30, 3)
    outputs, _ = Recurrent(cell)(x)
    x_z, x_n = torch.nn.functional.linear(x, cell.weight_ih, cell.bias_ih).chunk(2, -1)
    log_n = torch.where(x_n >= 0, (x_n.relu() + 0.5).log(), -torch.nn.functional.softplus(-x_n))
    A = -torch.nn.functional.softplus(x_z).cumsum(1)
    log_h = A + torch.logcumsumexp(log_n - torch.nn.functional.softplus(-x_z) - A, 1)
    assert_same([outputs], [log_h.exp()], same({"x": x, **dict(cell.named_parameters())}), "minGRU in log space")


def test_min_lstm_is_its_equations():
    cell, x, h = MinLSTMCell(3, 4).double(), leaf(2, 6, 3), leaf(2, 4)
    outputs, _ = Recurrent(cell)(x, h)
    expected, state = [], h
    for t in range(6):
        i, f, g = (x[:, t] @ cell.weight_ih.T + cell.bias_ih).split(4, dim=1)
        i, f = torch.sigmoid(i), torch.sigmoid(f)
        state = f / (f + i) * state + i / (f + i) * g
        expected.append(state)
    assert_same([outputs], [torch.stack(expected, 1)], same(leaves_of(cell, x, h)), "minLSTM")


def test_an_lru_is_a_dense_linear_network_of_turns_and_shrinks():
    """Each complex unit is two real ones, which its eigenvalue turns by its phase and shrinks by its modulus."""
    cell, x = LRUCell(3, 4, state_size=5).double(), leaf(2, 9, 3)
    state = ComplexState(leaf(2, 5), leaf(2, 5))
    outputs, final = Recurrent(cell)(x, state)
    modulus, phase = torch.exp(-torch.exp(cell.eigenvalue.log_decay)), torch.exp(cell.eigenvalue.log_phase)
    cos, sin = torch.diag(modulus * torch.cos(phase)), torch.diag(modulus * torch.sin(phase))
    W = torch.cat([torch.cat([cos, -sin], 1), torch.cat([sin, cos], 1)])
    U = torch.exp(cell.log_gamma).repeat(2)[:, None] * cell.weight_ih
    V = torch.cat([cell.weight_ho[:, :5], -cell.weight_ho[:, 5:]], 1)
    h, expected = torch.cat(state, 1), []
    for t in range(9):
        h = h @ W.T + x[:, t] @ U.T
        expected.append(h @ V.T + x[:, t] @ cell.weight_io.T)
    ours = [outputs, final.real, final.imag]
    theirs = [torch.stack(expected, 1), *h.split(5, 1)]
    assert_same(ours, theirs, same(leaves_of(cell, x, state)), "LRU")


@pytest.mark.parametrize("kind", ["signed", "positive"])
def test_a_real_lru_is_its_equations(kind):
    cell, x, h = LRUCell(3, 4, state_size=5, eigenvalues=kind).double(), leaf(2, 9, 3), leaf(2, 5)
    outputs, final = Recurrent(cell)(x, h)
    raw = cell.eigenvalue.raw if kind == "signed" else cell.eigenvalue.log_decay
    eigenvalue = torch.tanh(raw) if kind == "signed" else torch.exp(-torch.exp(raw))
    state, expected = h, []
    for t in range(9):
        state = eigenvalue * state + torch.exp(cell.log_gamma) * (x[:, t] @ cell.weight_ih.T)
        expected.append(state @ cell.weight_ho.T + x[:, t] @ cell.weight_io.T)
    assert_same([outputs, final], [torch.stack(expected, 1), state], same(leaves_of(cell, x, h)), kind)


@pytest.mark.parametrize("name", CELLS)
def test_state_carried_over_windows_equals_one_pass(name):
    layer = Recurrent(build(name)).double()
    x, state = leaf(2, 37, 3), state_for(layer.cell, 2)
    whole, end = layer(x, state)
    pieces, carried = [], state
    for window in windows(x, 10):
        outputs, carried = layer(window, carried)
        pieces.append(outputs)
    ours, theirs = [torch.cat(pieces, 1), *tensors(carried)], [whole, *tensors(end)]
    assert_same(ours, theirs, same(leaves_of(layer, x, state)), name)


@pytest.mark.parametrize("name", CELLS)
def test_a_detached_state_carries_values_and_no_gradient(name):
    layer = Recurrent(build(name)).double()
    x = leaf(2, 20, 3)
    _, state = layer(x[:, :10])
    outputs, _ = layer(x[:, 10:], detach_state(state))
    assert_close(outputs, layer(x)[0][:, 10:], name)
    assert not torch.autograd.grad(outputs.sum(), x)[0][:, :10].any()


@pytest.mark.parametrize("implementation", ["kernel", "checkpoint"])
@pytest.mark.parametrize("name", CELLS)
def test_what_the_padding_holds_changes_nothing_not_even_nan(name, implementation):
    layer = Recurrent(build(name), implementation=implementation)
    x, lengths = leaf(3, 40, 3, dtype=torch.float32), torch.tensor([40, 1, 17])
    spoilt = x.detach().clone()
    spoilt[1, 1:], spoilt[2, 17:] = float("nan"), float("inf")
    spoilt.requires_grad_()
    results = []
    for inputs in (x, spoilt):
        outputs, final = layer(inputs, lengths=lengths)
        loss = outputs.square().sum() + sum(part.square().sum() for part in tensors(final))
        results.append([outputs, *tensors(final), *torch.autograd.grad(loss, [inputs, *layer.parameters()])])
    for clean, dirty in zip(*results, strict=True):
        assert torch.equal(clean, dirty)
    assert not results[1][0][1, 1:].any()
    assert not results[1][0][2, 17:].any()


@pytest.mark.parametrize("name", CELLS)
def test_each_sequence_ends_at_its_own_end(name):
    layer = Recurrent(build(name)).double()
    x, lengths = torch.randn(3, 40, 3, dtype=torch.float64), torch.tensor([40, 1, 17])
    outputs, final = layer(x, lengths=lengths)
    for row, length in enumerate(lengths.tolist()):
        alone, end = layer(x[row : row + 1, :length])
        assert_close(outputs[row : row + 1, :length], alone, name)
        for part, own in zip(tensors(final), tensors(end), strict=True):
            assert_close(part[row : row + 1], own, name)


@pytest.mark.parametrize("name", CELLS)
def test_a_final_state_is_no_window_onto_the_outputs(name):
    outputs, final = Recurrent(build(name))(torch.randn(2, 40, 3))
    before = outputs.clone()
    with torch.no_grad():
        map_state(lambda part: part.fill_(9.0), final)
    assert torch.equal(outputs, before)


@pytest.mark.parametrize("name", ["minGRU odd_even", "minLSTM", "LRU complex odd_even", "LRU signed"])
def test_a_learned_initial_state_has_the_gradient_of_the_state(name):
    layer = Recurrent(build(name, learn_initial_state=True)).double()
    for key, value in layer.named_parameters():
        if "initial" in key:
            torch.nn.init.normal_(value)
    start, x = layer.initial_state(2), leaf(2, 40, 3)
    learned = [value for key, value in layer.named_parameters() if "initial" in key]
    ours = torch.autograd.grad(layer(x)[0].square().sum(), learned)
    theirs = torch.autograd.grad(layer(x, start)[0].square().sum(), tensors(start))
    assert len(ours) == len(tensors(start))
    for a, b in zip(ours, theirs, strict=True):
        assert_close(a, b.sum(0), name)


@pytest.mark.parametrize("cell", [MinGRUCell, MinLSTMCell, LRUCell])
def test_drawing_anew_changes_every_parameter_and_makes_a_learned_initial_state_zero_again(cell):
    cell = cell(3, 5, learn_initial_state=True)
    fresh = {name for name, _ in cell.named_parameters() if "initial" not in name}
    with torch.no_grad():
        for parameter in cell.parameters():
            parameter.fill_(7.0)
    cell.reset_parameters()
    assert all(part.any().item() is False for part in tensors(cell.initial_state(2)))
    assert {
        name for name, parameter in cell.named_parameters() if (parameter != 7.0).all() and parameter.any()
    } == fresh


@pytest.mark.parametrize("name", CELLS)
def test_a_layers_trace_is_what_the_layer_does(name):
    layer = Recurrent(build(name)).double()
    x, lengths = leaf(2, 5, 3), torch.tensor([5, 2])
    trace, state = layer.trace(x, lengths=lengths)
    outputs, same = layer(x, lengths=lengths)
    assert_close(trace.y if "LRU" in name else trace.h, outputs, name)
    for a, b in zip(tensors(state), tensors(same), strict=True):
        assert_close(a, b, "state")


@pytest.mark.parametrize(
    "name", ["minGRU odd_even", "minGRU log_space", "minLSTM", "LRU complex odd_even", "LRU signed"]
)
def test_a_scanned_layer_differentiates_as_the_loop_does(name):
    layer = Recurrent(build(name, 2, 2)).double()
    readable = Recurrent(layer.cell, implementation="loop")
    x, parameters = torch.randn(3, 9, 2, dtype=torch.float64), dict(layer.named_parameters())
    assert torch.autograd.gradgradcheck(lambda x: layer(x)[0], leaf(1, 4, 2), check_fwd_over_rev=True)

    def loss(module):
        return lambda parameters, x: functional_call(module, parameters, (x[None],))[0].square().sum()

    ours, theirs = (vmap(grad(loss(module)), (None, 0))(parameters, x) for module in (layer, readable))
    for key in parameters:
        assert_close(ours[key], theirs[key], f"{name} per-sample gradient of {key}")
    for second in (hessian, lambda f: torch.func.jacfwd(torch.func.jacfwd(f))):
        ours, theirs = (second(lambda x, m=module: loss(m)(parameters, x))(x[0]) for module in (layer, readable))
        assert_close(ours, theirs, f"{name} Hessian")


def test_a_checkpointed_layer_refuses_a_functional_gradient_and_names_what_takes_it():
    layer = Recurrent(MinGRUCell(2, 2), implementation="checkpoint")
    with pytest.raises(RuntimeError, match="use 'kernel' or 'loop' there"):
        grad(lambda x: layer(x)[0].sum())(torch.randn(1, 9, 2))


COMPILED = """
import torch
from rnncourse.layers import Recurrent
from rnncourse.scan import MinGRUCell
layer, x = Recurrent(MinGRUCell(2, 2)), torch.randn(1, 9, 2)
try:
    torch.compile(layer, backend="eager", fullgraph=True)(x)
except Exception as refusal:
    print("implementation='loop'" in str(refusal))
readable = Recurrent(layer.cell, implementation="loop")
for compiled in (torch.compile(readable, backend="eager", fullgraph=True), torch.compile(layer, backend="eager")):
    print(torch.allclose(compiled(x)[0], layer(x)[0], rtol=0, atol=1e-6))
"""


@pytest.mark.slow
def test_a_whole_graph_takes_the_loop_and_the_refusal_of_a_scan_says_so():
    """In a process of its own: the checked annotations of the tests are no part of a graph."""
    run = subprocess.run([sys.executable, "-c", COMPILED], cwd=ROOT, capture_output=True, text=True, check=False)
    assert run.stdout.split() == ["True"] * 3, run.stderr[-2000:]


@pytest.mark.parametrize("cell", [MinGRUCell, MinLSTMCell, LRUCell])
def test_under_autocast_the_state_keeps_its_precision(cell):
    layer = Recurrent(cell(3, 4))
    x = torch.randn(2, 40, 3)
    with torch.autocast("cpu", torch.bfloat16):
        outputs, state = layer(x)
        expected, _ = Recurrent(layer.cell, implementation="loop")(x)
    assert all(part.dtype == torch.float32 for part in tensors(state))
    torch.testing.assert_close(outputs, expected, rtol=0, atol=0.02 * expected.abs().max().item())


@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("cell", [MinGRUCell, MinLSTMCell, LRUCell])
def test_a_stack_of_them_is_the_stack_of_loops(cell, bidirectional):
    stack = Stacked.of(cell, 3, 4, num_layers=2, bidirectional=bidirectional, scan="odd_even").double()
    torch.manual_seed(1)
    readable = Stacked.of(cell, 3, 4, num_layers=2, bidirectional=bidirectional, implementation="loop").double()
    readable.load_state_dict(stack.state_dict())
    x, lengths = leaf(3, 40, 3), torch.tensor([40, 1, 17])
    results = [[outputs, *tensors(final)] for outputs, final in (m(x, lengths=lengths) for m in (stack, readable))]
    theirs = dict(readable.named_parameters())
    leaves = {"x": (x, x), **{key: (value, theirs[key]) for key, value in stack.named_parameters()}}
    assert_same(*results, leaves, cell.__name__)


@pytest.mark.parametrize("name", CELLS)
def test_every_model_takes_them_as_any_layer(name):
    check_layer("layer", Recurrent(build(name)))
    tokens, lengths = torch.randint(0, 7, (2, 9)), torch.tensor([9, 4])
    model = LanguageModel(Recurrent(build(name)), 7)
    logits, _ = model(tokens)
    assert logits.shape == (2, 9, 7)
    assert generate(model, tokens[:, :1], 5).shape == (2, 5)
    assert SequenceTagger(Recurrent(build(name)), 2, vocab_size=7)(tokens, lengths=lengths)[0].shape == (2, 9, 2)
    for read in ("last", "mean"):
        classifier = SequenceClassifier(Recurrent(build(name)), 3, vocab_size=7, read=read)
        assert classifier(tokens, lengths=lengths)[0].shape == (2, 3)


@pytest.mark.parametrize("name", ["minGRU odd_even", "minLSTM", "LRU complex odd_even"])
def test_a_checkpointed_pass_keeps_less(name):
    kept = {}
    for implementation in ("kernel", "checkpoint"):
        saved = []
        with torch.autograd.graph.saved_tensors_hooks(lambda t, saved=saved: saved.append(t.numel()) or t, lambda t: t):
            Recurrent(build(name, 2, 8), implementation=implementation)(torch.randn(4, 400, 2))
        kept[implementation] = sum(saved)
    assert kept["kernel"] > 2 * 4 * 400 * 8
    assert kept["checkpoint"] < 4 * 400 * 8


@pytest.mark.parametrize("candidate", ["linear", "positive"])
def test_a_signed_min_gru_computes_parity_and_a_positive_one_never_changes_sign(candidate):
    """A one in the input turns the state over: exactly what a factor in (0, 1) cannot do."""
    bits = torch.cartesian_prod(*[torch.tensor([0.0, 1.0])] * 8)
    signs = {}
    for eigenvalues in ("signed", "positive"):
        cell = MinGRUCell(1, 1, eigenvalues=eigenvalues, candidate=candidate)
        with torch.no_grad():
            cell.weight_ih.copy_(torch.tensor([[40.0], [0.0]]))
            cell.bias_ih.copy_(torch.tensor([-20.0, -40.0 if candidate == "positive" else 0.0]))  # candidate 0
        signs[eigenvalues] = Recurrent(cell)(bits.unsqueeze(-1), torch.ones(256, 1))[1].squeeze(1)
    parity = bits.sum(1) % 2
    assert torch.equal(signs["signed"] < 0, parity == 1)
    assert signs["signed"].abs().min() > 0.99
    assert (signs["positive"] >= 0).all()


def test_a_positive_candidate_never_leads_below_zero():
    x = 20 * torch.randn(4, 100, 3)
    for cell in (MinGRUCell(3, 8, candidate="positive"), MinLSTMCell(3, 8, candidate="positive")):
        assert (Recurrent(cell)(x)[0] >= 0).all()
    assert (Recurrent(MinGRUCell(3, 8))(x)[0] < 0).any()


def test_the_positive_function_is_continuous_and_kinked_at_zero():
    x = torch.tensor([-1e-9, 0.0, 1e-9], dtype=torch.float64, requires_grad=True)
    value = positive(x)
    torch.testing.assert_close(value, torch.full((3,), 0.5, dtype=torch.float64))
    slopes = torch.autograd.grad(value.sum(), x)[0]
    torch.testing.assert_close(slopes, torch.tensor([0.25, 1.0, 1.0], dtype=torch.float64))


@pytest.mark.parametrize("implementation", ["kernel", "loop"])
def test_two_gates_that_are_all_but_shut_still_share_out_one(implementation):
    cell = MinLSTMCell(1, 1, bias=False)
    with torch.no_grad():
        cell.weight_ih.copy_(torch.tensor([[-200.0], [-200.0], [3.0]]))
    outputs, _ = Recurrent(cell, implementation=implementation)(torch.ones(1, 2, 1), torch.ones(1, 1))
    torch.testing.assert_close(outputs.flatten(), torch.tensor([2.0, 2.5]))


def test_a_min_lstm_whose_gates_are_equal_takes_the_mean_of_old_and_new():
    cell = MinLSTMCell(2, 3)
    with torch.no_grad():
        cell.weight_ih[3:6], cell.bias_ih[3:6] = cell.weight_ih[:3], cell.bias_ih[:3]
    x, h = torch.randn(4, 2), torch.randn(4, 3)
    trace, _ = cell.trace(x, h)
    torch.testing.assert_close(trace.h, (h + trace.g) / 2)


@pytest.mark.parametrize(("cell", "gates"), [(MinGRUCell, 2), (MinLSTMCell, 3)])
@given(inputs=st.integers(1, 6), hidden=st.integers(1, 6))
def test_the_number_of_parameters_is_gates_times_one_linear_map(cell, gates, inputs, hidden):
    assert sum(p.numel() for p in cell(inputs, hidden).parameters()) == gates * hidden * (inputs + 1)


def test_the_parameters_are_drawn_as_those_of_a_linear_map():
    torch.manual_seed(5)
    weight = MinGRUCell(3, 4).weight_ih
    torch.manual_seed(5)
    assert torch.equal(weight, torch.nn.Linear(3, 8).weight)


@pytest.mark.parametrize("kind", ["complex", "signed", "positive"])
def test_eigenvalues_start_evenly_in_their_ring(kind):
    eigenvalues = Eigenvalues(4000, kind, min_modulus=0.5, max_modulus=0.9)
    drawn = eigenvalues().detach()
    squared = drawn.abs().square()
    assert 0.25 <= squared.min() < 0.26
    assert 0.80 < squared.max() <= 0.81 + 1e-6
    assert abs(squared.mean().item() - 0.53) < 0.01
    if kind == "complex":
        assert abs(drawn.mean()) < 0.05  # all around the circle
    else:
        share = (drawn < 0).float().mean().item()
        assert share == 0 if kind == "positive" else abs(share - 0.5) < 0.05


@pytest.mark.parametrize("kind", ["complex", "signed", "positive"])
def test_no_step_of_an_optimiser_leads_out_of_the_unit_disc(kind):
    eigenvalues = Eigenvalues(50, kind)
    for _ in range(20):
        with torch.no_grad():
            for parameter in eigenvalues.parameters():
                parameter.add_(torch.randn_like(parameter))
        assert (eigenvalues().abs() <= 1).all()
        assert eigenvalues().isfinite().all()


@pytest.mark.parametrize("kind", ["complex", "signed", "positive"])
def test_the_norm_is_exact_where_the_modulus_is_all_but_one(kind):
    eigenvalues = Eigenvalues(100, kind, min_modulus=0.999, max_modulus=1.0)
    exact = (1 - eigenvalues.double()().abs().square()).log() / 2
    torch.testing.assert_close(eigenvalues.float().log_gamma().double(), exact, rtol=1e-4, atol=0)


@pytest.mark.parametrize("kind", ["complex", "signed", "positive"])
def test_the_norm_keeps_the_state_of_a_long_random_input_as_large_as_its_input(kind):
    cell = LRUCell(16, 200, eigenvalues=kind, min_modulus=0.8, max_modulus=0.99)
    trace, _ = Recurrent(cell).trace(torch.randn(16, 600, 16))
    assert abs(trace.h[:, 500:].abs().square().mean().item() - 1) < 0.1


@pytest.mark.parametrize("cell", [MinGRUCell, MinLSTMCell, LRUCell])
def test_a_cell_with_a_step_of_its_own_runs_through_the_loop(cell):
    def halved(self, x):
        return tuple(part / 2 for part in cell.coefficients(self, x))

    assert cell(3, 4).kernel() is not None
    for name in ("forward", "trace", "equations", "coefficients", "read"):
        own = type("Own", (cell,), {name: halved if name == "coefficients" else lambda self, *parts: parts[-1]})
        assert own(3, 4).kernel() is None, name


@pytest.mark.bad_input
@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: MinGRUCell(0, 4), "input_size is 0"),
        (lambda: MinGRUCell(3, 4.0), "hidden_size is 4.0"),
        (lambda: MinGRUCell(3, 4, scan="fast"), "scan is 'fast'"),
        (lambda: MinGRUCell(3, 4, candidate="tanh"), "candidate is 'tanh'"),
        (lambda: MinGRUCell(3, 4, eigenvalues="complex"), "eigenvalues is 'complex'"),
        (lambda: MinGRUCell(3, 4, scan="log_space"), "logarithms need candidate='positive'"),
        (
            lambda: MinGRUCell(3, 4, scan="log_space", candidate="positive", eigenvalues="signed"),
            "logarithms need eigenvalues='positive'",
        ),
        (lambda: MinLSTMCell(3, 4, scan="log_space"), "logarithms need candidate='positive'"),
        (lambda: LRUCell(3, 4, scan="log_space"), "scan is 'log_space'; it should be another"),
        (lambda: LRUCell(3, 4, state_size=0), "state_size is 0"),
        (lambda: LRUCell(3, 0), "hidden_size is 0|state_size is 0"),
        (lambda: LRUCell(3, 4, eigenvalues="real"), "eigenvalues is 'real'"),
        (lambda: LRUCell(3, 4, min_modulus=0.9, max_modulus=0.5), "min_modulus is 0.9 and max_modulus is 0.5"),
        (lambda: LRUCell(3, 4, max_modulus=1.5), "max_modulus is 1.5"),
        (lambda: Eigenvalues(4, max_phase=7.0), "max_phase is 7.0"),
        (lambda: Eigenvalues(4, max_phase=math.nan), "max_phase is nan"),
        (lambda: MinGRUCell(3, 4).initial_state(0), "batch_size is 0"),
        (lambda: MinGRUCell(3, 4)(torch.zeros(2, 5), torch.zeros(2, 4)), "x_t has shape"),
        (lambda: MinGRUCell(3, 4)(torch.zeros(2, 3), torch.zeros(1, 4)), "h has shape"),
        (
            lambda: LRUCell(3, 4)(torch.zeros(2, 3), torch.zeros(2, 4)),
            "state is a Tensor; it should be of type Complex",
        ),
        (lambda: LRUCell(3, 4).bfloat16()(torch.zeros(2, 3).bfloat16(), LRUCell(3, 4).initial_state(2)), "bfloat16"),
        (lambda: Recurrent(LRUCell(3, 4))(torch.zeros(2, 5, 3), torch.zeros(2, 4)), r"ComplexState\(real, imag\)"),
        (lambda: Recurrent(MinGRUCell(3, 4))(torch.zeros(2, 5, 3), torch.zeros(2, 5)), "state has shape"),
        (lambda: Recurrent(MinGRUCell(3, 4))(torch.zeros(2, 5, 2)), "axis 'input' should be 3"),
        (lambda: Recurrent(MinGRUCell(3, 4))(torch.zeros(2, 5, 3), lengths=torch.tensor([6, 1])), "lengths runs"),
        (
            lambda: Recurrent(MinGRUCell(3, 4, candidate="positive", scan="log_space"))(
                torch.zeros(2, 5, 3), -torch.ones(2, 4)
            ),
            "h holds -1; with scan='log_space'",
        ),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_the_base_class_has_no_coefficients():
    with pytest.raises(NotImplementedError):
        LinearCell(3, 4).coefficients(torch.zeros(1, 3))
