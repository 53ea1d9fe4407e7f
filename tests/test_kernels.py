"""Backpropagation through time by hand equals autograd on the loop, central differences, and torch.nn."""

from functools import partial

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from rnncourse.functional import gru_step, lstm_step, rnn_step
from rnncourse.kernels import gru_sequence, lstm_sequence, rnn_sequence, rows
from rnncourse.shapes import LSTMState
from rnncourse.unroll import unroll
from tests.oracles import DEVICES, assert_close, assert_same, leaf, random_lengths, run_torch, tensors

KERNELS = {
    "rnn_tanh": (rnn_sequence, rnn_step, nn.RNN, 1),
    "rnn_relu": (
        partial(rnn_sequence, nonlinearity="relu"),
        partial(rnn_step, nonlinearity="relu"),
        partial(nn.RNN, nonlinearity="relu"),
        1,
    ),
    "lstm": (lstm_sequence, lstm_step, nn.LSTM, 4),
    "gru": (gru_sequence, gru_step, nn.GRU, 3),
}
SIZES = [(1, 1, 1, 1), (2, 1, 3, 5), (3, 40, 2, 4), (1, 7, 3, 1)]  # (batch, time, input, hidden)


@pytest.fixture
def short_blocks(monkeypatch):
    """Blocks so short that even these sequences have several."""
    monkeypatch.setattr(rows, "BLOCK_ENTRIES", 1)
    monkeypatch.setattr(rows, "SHORTEST_BLOCK", 3)


def problem(kind, sizes, *, dtype=torch.float64, device="cpu"):
    """Inputs, initial state and weights, all leaves; and the torch module that holds the same weights."""
    batch, time, inputs, hidden = sizes
    module = KERNELS[kind][2](inputs, hidden, batch_first=True, dtype=dtype, device=device)
    make = partial(leaf, dtype=dtype, device=device)
    state = LSTMState(make(batch, hidden), make(batch, hidden)) if kind == "lstm" else make(batch, hidden)
    return make(batch, time, inputs), state, module


def named(x, state, module):
    leaves = {"inputs": x, **{f"initial state {i}": part for i, part in enumerate(tensors(state))}}
    return {name: (value, value) for name, value in {**leaves, **dict(module.named_parameters())}.items()}


def check_kernel_equals_torch(kind, sizes, *, lengths=None, checkpoint=False, dtype=torch.float64, device="cpu"):
    x, state, module = problem(kind, sizes, dtype=dtype, device=device)
    outputs, final = KERNELS[kind][0](x, state, *module.parameters(), lengths, checkpoint=checkpoint)
    theirs = tuple(part.unsqueeze(0) for part in state) if kind == "lstm" else state.unsqueeze(0)
    expected, last = run_torch(module, x, theirs, lengths)
    last = [part[0] for part in tensors(last)]
    assert_same([outputs, *tensors(final)], [expected, *last], named(x, state, module), kind)


def loop(kind, x, state, parameters, lengths=None):
    """The readable form: the step of `functional`, unrolled."""
    step = KERNELS[kind][1]

    def one(x_t, state):
        state = step(x_t, state, *parameters)
        return tensors(state)[0], state

    return unroll(one, x, state, lengths)


@pytest.mark.parametrize("checkpoint", [False, True])
@pytest.mark.parametrize("sizes", SIZES)
@pytest.mark.parametrize("kind", KERNELS)
def test_kernel_equals_torch(kind, sizes, checkpoint):
    check_kernel_equals_torch(kind, sizes, checkpoint=checkpoint)


@pytest.mark.parametrize("checkpoint", [False, True])
@pytest.mark.parametrize("kind", KERNELS)
def test_kernel_in_many_blocks_equals_torch(kind, checkpoint, short_blocks):
    check_kernel_equals_torch(kind, (3, 40, 2, 4), checkpoint=checkpoint)
    check_kernel_equals_torch(kind, (3, 40, 2, 4), checkpoint=checkpoint, lengths=torch.tensor([40, 1, 17]))


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("kind", KERNELS)
def test_kernel_in_single_precision_equals_torch(kind, device):
    check_kernel_equals_torch(kind, (4, 30, 3, 16), dtype=torch.float32, device=device)


@pytest.mark.parametrize("checkpoint", [False, True])
@pytest.mark.parametrize("lengths", [[5, 1, 3], [1, 1, 1], [5, 5, 5], [2, 4, 3]])
@pytest.mark.parametrize("kind", KERNELS)
def test_kernel_with_lengths_equals_packed_torch(kind, lengths, checkpoint):
    check_kernel_equals_torch(kind, (3, 5, 2, 4), lengths=torch.tensor(lengths), checkpoint=checkpoint)


@settings(max_examples=40, deadline=None)
@given(
    kind=st.sampled_from(sorted(KERNELS)),
    sizes=st.tuples(st.integers(1, 4), st.integers(1, 20), st.integers(1, 4), st.integers(1, 5)),
    checkpoint=st.booleans(),
    padded=st.booleans(),
    dtype=st.sampled_from([torch.float64, torch.float32]),
    seed=st.integers(0, 2**16),
)
def test_kernel_equals_the_loop(kind, sizes, checkpoint, padded, dtype, seed):
    torch.manual_seed(seed)
    if dtype == torch.float32:  # a gradient of one or two entries may cancel to nothing, and then no rounding is small
        sizes = (*sizes[:3], 8 * sizes[3])
    x, state, module = problem(kind, sizes, dtype=dtype)
    lengths = random_lengths(sizes[0], sizes[1], seed) if padded else None
    outputs, final = KERNELS[kind][0](x, state, *module.parameters(), lengths, checkpoint=checkpoint)
    expected, last = loop(kind, x, state, list(module.parameters()), lengths)
    leaves = named(x, state, module)
    assert_same([outputs, *tensors(final)], [expected, *tensors(last)], leaves, kind)


@pytest.mark.parametrize("lengths", [None, [4, 1]])
@pytest.mark.parametrize("checkpoint", [False, True])
@pytest.mark.parametrize("kind", KERNELS)
def test_kernel_equals_central_differences(kind, checkpoint, lengths):
    x, state, module = problem(kind, (2, 4, 2, 3))
    lengths = None if lengths is None else torch.tensor(lengths)
    count = len(tensors(state))

    def call(x, *rest):
        own = LSTMState(*rest[:count]) if kind == "lstm" else rest[0]
        outputs, final = KERNELS[kind][0](x, own, *rest[count:], lengths, checkpoint=checkpoint)
        return outputs, *tensors(final)

    leaves = [x, *tensors(state), *(value.detach().requires_grad_() for value in module.parameters())]
    assert torch.autograd.gradcheck(call, leaves)


@pytest.mark.parametrize("lengths", [None, [4, 1]])
@pytest.mark.parametrize("checkpoint", [False, True])
def test_the_grus_other_blend_equals_the_loop_and_central_differences(checkpoint, lengths):
    x, h, module = problem("gru", (2, 4, 2, 3))
    lengths = None if lengths is None else torch.tensor(lengths)
    kernel = partial(gru_sequence, lengths=lengths, checkpoint=checkpoint, blend="replace")
    step = partial(gru_step, blend="replace")
    outputs, final = kernel(x, h, *module.parameters())
    expected, last = unroll(lambda x_t, h: (step(x_t, h, *module.parameters()),) * 2, x, h, lengths)
    assert_same([outputs, final], [expected, last], named(x, h, module), "gru that replaces")
    leaves = [x, h, *(value.detach().requires_grad_() for value in module.parameters())]
    assert torch.autograd.gradcheck(kernel, leaves)


@pytest.mark.parametrize("kind", KERNELS)
def test_without_biases_kernel_equals_torch(kind):
    module = KERNELS[kind][2](3, 4, batch_first=True, bias=False, dtype=torch.float64)
    x, state = leaf(2, 6, 3), torch.zeros(2, 4, dtype=torch.float64)
    own = LSTMState(state, state) if kind == "lstm" else state
    outputs, _ = KERNELS[kind][0](x, own, *module.parameters())
    leaves = {name: (value, value) for name, value in {"inputs": x, **dict(module.named_parameters())}.items()}
    assert_same([outputs], [module(x)[0]], leaves, kind)


@pytest.mark.parametrize("part", [0, 1])
@pytest.mark.parametrize("kind", KERNELS)
def test_each_final_state_alone_has_its_gradient(kind, part):
    x, state, module = problem(kind, (3, 6, 2, 4))
    if part >= len(tensors(state)):
        part = 0
    for lengths in (None, torch.tensor([6, 1, 4])):
        outputs, final = KERNELS[kind][0](x, state, *module.parameters(), lengths)
        _, last = loop(kind, x, state, list(module.parameters()), lengths)
        assert_same([tensors(final)[part]], [tensors(last)[part]], named(x, state, module), f"{kind} final state")


@pytest.mark.parametrize("kind", KERNELS)
def test_backward_twice_gives_the_same_gradients(kind):
    x, state, module = problem(kind, (2, 5, 3, 4))
    outputs, _ = KERNELS[kind][0](x, state, *module.parameters())
    first = torch.autograd.grad(outputs.sum(), x, retain_graph=True)
    second = torch.autograd.grad(outputs.sum(), x)
    assert torch.equal(first[0], second[0])


@pytest.mark.parametrize("kind", KERNELS)
def test_what_the_padding_holds_changes_nothing_not_even_nan(kind):
    x, state, module = problem(kind, (2, 5, 3, 4))
    lengths = torch.tensor([5, 2])
    spoilt = x.detach().clone()
    spoilt[1, 2:] = float("nan")
    spoilt.requires_grad_()
    results = []
    for inputs in (x, spoilt):
        outputs, final = KERNELS[kind][0](inputs, state, *module.parameters(), lengths)
        loss = outputs.sum() + sum(part.sum() for part in tensors(final))
        results.append([outputs, *torch.autograd.grad(loss, [inputs, *module.parameters()])])
    for clean, dirty in zip(*results, strict=True):
        assert torch.equal(clean, dirty)
    assert not results[0][0][1, 2:].any()
    assert not results[0][1][1, 2:].any()


@pytest.mark.parametrize("kind", KERNELS)
def test_a_relu_that_would_overflow_in_the_padding_leaves_gradients_finite(kind):
    x, state, module = problem(kind, (2, 400, 1, 2))
    with torch.no_grad():
        module.weight_hh_l0.mul_(100)
    outputs, _ = KERNELS[kind][0](x, state, *module.parameters(), torch.tensor([1, 2]))
    gradients = torch.autograd.grad(outputs.sum(), [x, *module.parameters()])
    assert all(gradient.isfinite().all() for gradient in gradients)


@pytest.mark.parametrize("kind", KERNELS)
def test_inputs_that_need_no_gradient_are_read_all_the_same(kind):
    x, state, module = problem(kind, (2, 5, 3, 4))
    with_gradient, _ = KERNELS[kind][0](x, state, *module.parameters())
    without, _ = KERNELS[kind][0](x.detach(), state, *module.parameters())
    expected = torch.autograd.grad(with_gradient.square().sum(), list(module.parameters()))
    for a, b in zip(torch.autograd.grad(without.square().sum(), list(module.parameters())), expected, strict=True):
        assert_close(a, b, kind)


@pytest.mark.parametrize("kind", KERNELS)
def test_kernels_refuse_to_be_differentiated_twice(kind):
    x, state, module = problem(kind, (2, 3, 2, 3))
    outputs, _ = KERNELS[kind][0](x, state, *module.parameters())
    (gradient,) = torch.autograd.grad(outputs.square().sum(), x, create_graph=True)
    with pytest.raises(RuntimeError, match="implementation='loop'"):
        gradient.sum().backward()


@pytest.mark.parametrize("kind", ["lstm", "gru"])
def test_a_checkpointed_pass_keeps_less(kind):
    x, state, module = problem(kind, (4, 400, 2, 8))
    kept = {}
    for checkpoint in (False, True):
        saved = []
        with torch.autograd.graph.saved_tensors_hooks(lambda t, saved=saved: saved.append(t.numel()) or t, lambda t: t):
            KERNELS[kind][0](x, state, *module.parameters(), checkpoint=checkpoint)
        kept[checkpoint] = sum(saved)
    hidden_states = 4 * 400 * 8
    assert kept[False] > 4 * hidden_states
    assert kept[True] < 2 * hidden_states


@pytest.mark.parametrize("missing", ["bias_ih", "bias_hh"])
@pytest.mark.parametrize("kind", KERNELS)
def test_one_bias_alone_counts_as_in_the_loop(kind, missing):
    sequence_of, step, _, gates = KERNELS[kind]
    x, state = leaf(2, 5, 3), leaf(2, 4)
    state = LSTMState(state, leaf(2, 4)) if kind == "lstm" else state
    weights = {"weight_ih": leaf(gates * 4, 3), "weight_hh": leaf(gates * 4, 4), missing: leaf(gates * 4)}

    def one(x_t, before):
        after = step(x_t, before, **weights)
        return (after.h if kind == "lstm" else after), after

    expected, _ = unroll(one, x, state)
    assert_close(sequence_of(x, state, **weights)[0], expected, f"{kind} without {missing}")


def call(kind, **changed):
    sequence_of, _, _, gates = KERNELS[kind]
    h = torch.zeros(2, 4)
    name, state = ("state", LSTMState(h, h)) if kind == "lstm" else ("h", h)
    parts = {"inputs": torch.zeros(2, 5, 3), name: state, "weight_ih": torch.zeros(gates * 4, 3)}
    return sequence_of(**parts | {"weight_hh": torch.zeros(gates * 4, 4)} | changed)


@pytest.mark.bad_input
@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"inputs": torch.zeros(2, 5, 4)}, "inputs has shape"),
        ({"inputs": torch.zeros(2, 0, 3)}, "axis 'time' is empty"),
        ({"weight_ih": torch.zeros(7, 3)}, "weight_ih has shape"),
        ({"weight_hh": torch.zeros(7, 4)}, "weight_hh has shape"),
        ({"weight_hh": None}, "weight_hh is a NoneType"),
        ({"bias_ih": torch.zeros(1)}, "bias_ih has shape"),
        ({"lengths": torch.tensor([9, 1])}, "lengths runs from 1 to 9"),
    ],
)
@pytest.mark.parametrize("kind", KERNELS)
def test_bad_input_is_named(kind, changed, message):
    with pytest.raises(ValueError, match=message):
        call(kind, **changed)


@pytest.mark.bad_input
@pytest.mark.parametrize(
    ("kind", "changed", "message"),
    [
        ("rnn_tanh", {"nonlinearity": "sigmoid"}, "nonlinearity is 'sigmoid'"),
        ("gru", {"blend": "mix"}, "blend is 'mix'"),
        ("gru", {"h": torch.zeros(1, 4)}, "h has shape"),
        ("lstm", {"state": torch.zeros(2, 4)}, "state is a Tensor"),
        ("lstm", {"state": LSTMState(torch.zeros(2, 4), torch.zeros(2, 5))}, "state.c has shape"),
    ],
)
def test_bad_states_and_choices_are_named(kind, changed, message):
    with pytest.raises(ValueError, match=message):
        call(kind, **changed)
