"""Layers equal PyTorch's at any depth and direction, in value and every gradient, with and without lengths."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from rnncourse.cells import GRUCell, LSTMCell
from rnncourse.convert import from_torch, state_from_torch, state_to_torch
from rnncourse.layers import Bidirectional, Recurrent, Stacked
from tests.oracles import DEVICES, KINDS, assert_same, leaf, random_lengths, run_torch

IMPLEMENTATIONS = ["auto", "kernel", "fused", "loop", "checkpoint"]


def check_stack_equals_torch(
    kind, *, sizes=(3, 5, 2, 4), num_layers=1, bidirectional=False, bias=True, padded=False, implementation="kernel",
    dtype=torch.float64, device="cpu",
):  # fmt: skip
    batch, time, inputs, hidden = sizes
    cell, theirs, options = KINDS[kind]
    module = theirs(
        inputs, hidden, num_layers, bias=bias, batch_first=True, bidirectional=bidirectional, dtype=dtype, **options
    ).to(device)
    stack = from_torch(module, implementation=implementation)
    x = leaf(batch, time, inputs, dtype=dtype, device=device)
    rows = num_layers * (2 if bidirectional else 1)
    state = [leaf(rows, batch, hidden, dtype=dtype, device=device) for _ in range(2 if kind == "lstm" else 1)]
    torch_state = tuple(state) if kind == "lstm" else state[0]
    lengths = random_lengths(batch, time) if padded else None

    expected, last = run_torch(module, x, torch_state, lengths)
    outputs, final = stack(x, state_from_torch(torch_state, stack), lengths)
    final = state_to_torch(final, stack)
    values = dict(module.named_parameters())
    leaves = {"inputs": (x, x), **{f"initial state {i}": (part, part) for i, part in enumerate(state)}}
    leaves |= {name: (own, values[name]) for name, own in parameters_by_torchs_names(stack).items()}
    assert len(leaves) == len(values) + 1 + len(state)
    flat = [list(part) if isinstance(part, tuple) else [part] for part in (final, last)]
    assert_same([outputs, *flat[0]], [expected, *flat[1]], leaves, kind)


def parameters_by_torchs_names(stack):
    found = {}
    for depth, layer in enumerate(stack.layers):
        directions = [layer] if isinstance(layer, Recurrent) else [layer.forward_layer, layer.backward_layer]
        for suffix, direction in zip(("", "_reverse"), directions, strict=False):
            for name, value in direction.cell.named_parameters():
                found[f"{name}_l{depth}{suffix}"] = value
    return found


def test_rnn_equals_torch():
    check_stack_equals_torch("rnn_tanh", implementation="loop")
    check_stack_equals_torch("rnn_tanh")


def test_lstm_equals_torch():
    check_stack_equals_torch("lstm", implementation="loop")
    check_stack_equals_torch("lstm")


def test_gru_equals_torch():
    check_stack_equals_torch("gru", implementation="loop")
    check_stack_equals_torch("gru")


@pytest.mark.parametrize("implementation", IMPLEMENTATIONS)
def test_lengths_equal_packed_torch(implementation):
    for kind in KINDS:
        check_stack_equals_torch(kind, padded=True, implementation=implementation)


@pytest.mark.parametrize("padded", [False, True])
def test_bidirectional_equals_torch(padded):
    check_stack_equals_torch("gru", bidirectional=True, padded=padded)
    check_stack_equals_torch("lstm", num_layers=2, bidirectional=True, padded=padded)


@settings(max_examples=40, deadline=None)
@given(
    kind=st.sampled_from(sorted(KINDS)),
    sizes=st.tuples(st.integers(1, 3), st.integers(1, 6), st.integers(1, 3), st.integers(1, 4)),
    num_layers=st.integers(1, 3),
    bidirectional=st.booleans(),
    bias=st.booleans(),
    padded=st.booleans(),
    implementation=st.sampled_from(IMPLEMENTATIONS),
)
def test_any_stack_equals_torch(kind, sizes, num_layers, bidirectional, bias, padded, implementation):
    check_stack_equals_torch(
        kind, sizes=sizes, num_layers=num_layers, bidirectional=bidirectional, bias=bias, padded=padded,
        implementation=implementation,
    )  # fmt: skip


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("padded", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_in_single_precision_a_stack_equals_torch(kind, padded, device):
    check_stack_equals_torch(
        kind, sizes=(4, 12, 8, 16), num_layers=2, bidirectional=True, padded=padded, dtype=torch.float32, device=device
    )


def test_the_same_seed_gives_the_weights_of_torchs_stack():
    for bidirectional in (False, True):
        for kind, (cell, theirs, options) in KINDS.items():
            torch.manual_seed(5)
            ours = Stacked.of(cell, 3, 4, num_layers=3, bidirectional=bidirectional, **options)
            torch.manual_seed(5)
            module = theirs(3, 4, 3, bidirectional=bidirectional, **options)
            for (_, a), (name, b) in zip(ours.named_parameters(), module.named_parameters(), strict=True):
                assert torch.equal(a, b), (kind, name)


def gru(inputs=3, hidden=4):
    return Recurrent(GRUCell(inputs, hidden))


@pytest.mark.bad_input
@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: Recurrent(GRUCell(3, 4), implementation="fast"), "implementation is 'fast'"),
        (lambda: Recurrent(torch.nn.GRUCell(3, 4)), "cell is a GRUCell; it should be a cell such as"),
        (lambda: Recurrent(LSTMCell), "cell is the class LSTMCell; it should be a cell such as"),
        (lambda: Recurrent(None), "cell is a NoneType"),
        (lambda: gru()(torch.zeros(2, 5, 3), torch.zeros(1, 4)), r"state has shape \(1, 4\)"),
        (lambda: Bidirectional(gru(), gru(), merge="add"), "merge is 'add'"),
        (lambda: Bidirectional(gru(), gru(2)), "have input sizes 3 and 2"),
        (lambda: Bidirectional(gru(), gru(3, 5), merge="sum"), "have output sizes 4 and 5"),
        (lambda: Bidirectional(gru(), gru())(torch.zeros(2, 5, 3), torch.zeros(2, 4)), "state is a Tensor"),
        (lambda: Bidirectional(GRUCell(3, 4), gru()), "forward_layer is a GRUCell; it should be a layer"),
        (lambda: Bidirectional(gru(), None), "backward_layer is a NoneType"),
        (lambda: Stacked(gru(), torch.nn.Linear(4, 4)), "layers: number 2 is a Linear; it should be a layer"),
        (lambda: Stacked([gru()]), "layers: number 1 is a list"),
        (lambda: Stacked.of(torch.nn.GRUCell, 3, 4), "it should be a class of cells"),
        (lambda: Stacked(), "layers is empty"),
        (lambda: Stacked(gru(), gru()), "layer 2 has input size 3; it should be 4"),
        (lambda: Stacked(gru(), gru(4, 5), residual=True), "should be equal in a residual stack"),
        (lambda: Stacked(gru(), dropout=1.5), "dropout is 1.5"),
        (lambda: Stacked.of(GRUCell, 3, 4, num_layers=0), "num_layers is 0"),
        (lambda: Stacked(gru())(torch.zeros(2, 5, 3), torch.zeros(2, 4)), "should be a tuple of 1"),
        (lambda: Stacked(gru())(torch.zeros(2, 5, 3), (None, None)), "state is a tuple of 2"),
    ],
)
def test_bad_parts_are_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
