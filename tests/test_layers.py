"""Layers equal PyTorch's at any depth and direction, in value and every gradient, with and without lengths."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from rnncourse.cells import GRUCell, LSTMCell, MGUCell, RNNCell
from rnncourse.convert import from_torch, state_from_torch, state_to_torch
from rnncourse.layers import Bidirectional, Recurrent, Stacked
from rnncourse.shapes import BidirectionalState, LSTMState
from rnncourse.unroll import flip_by_length, unroll
from tests.oracles import DEVICES, KINDS, assert_close, assert_same, leaf, random_lengths, run_torch, tensors

IMPLEMENTATIONS = ["kernel", "loop", "checkpoint"]
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
    final = state_to_torch(final)
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


@pytest.mark.parametrize("padded", [False, True])
@pytest.mark.parametrize("implementation", ["kernel", "checkpoint"])
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


def test_reading_in_two_parts_equals_reading_at_once():
    stack = Stacked.of(LSTMCell, 3, 4, num_layers=2).double()
    x = leaf(2, 7, 3)
    outputs, state = stack(x)
    first, between = stack(x[:, :3])
    second, end = stack(x[:, 3:], between)
    leaves = {"inputs": (x, x), **{key: (value, value) for key, value in stack.named_parameters()}}
    assert_same([torch.cat([first, second], 1), *tensors(end)], [outputs, *tensors(state)], leaves)


@pytest.mark.parametrize("name", CELLS)
def test_a_layers_trace_is_what_the_layer_does(name):
    layer = Recurrent(CELLS[name]()).double()
    x, lengths = leaf(2, 5, 3), torch.tensor([5, 2])
    trace, state = layer.trace(x, lengths=lengths)
    outputs, same = layer(x, lengths=lengths)
    assert_close(trace.h, outputs, "h")
    for a, b in zip(tensors(state), tensors(same), strict=True):
        assert_close(a, b, "state")


@pytest.mark.parametrize(("merge", "size"), [("concatenate", 8), ("sum", 4), ("multiply", 4)])
@pytest.mark.parametrize("padded", [False, True])
def test_directions_merge_as_they_say_and_the_backward_one_reads_from_its_own_end(merge, size, padded):
    ahead, back = Recurrent(GRUCell(3, 4)).double(), Recurrent(GRUCell(3, 4)).double()
    both = Bidirectional(ahead, back, merge=merge)
    x, lengths = leaf(3, 5, 3), torch.tensor([5, 1, 3])
    outputs, state = both(x, lengths=lengths if padded else None)
    assert outputs.shape[2] == both.output_size == size
    for row, length in enumerate(lengths.tolist() if padded else [5] * 3):
        own = x[row : row + 1, :length]
        h_f, last = ahead(own)
        h_b, first = back(own.flip(1))
        h_b = h_b.flip(1)
        merged = {"concatenate": lambda a, b: torch.cat([a, b], 2), "sum": torch.add, "multiply": torch.mul}[merge]
        assert_close(outputs[row : row + 1, :length], merged(h_f, h_b), merge)
        assert not outputs[row, length:].any()
        assert_close(state.forward[row : row + 1], last, "forward state")
        assert_close(state.backward[row : row + 1], first, "backward state")
        assert_close(h_b[:, 0], first, "the backward state stands at the first step")


@pytest.mark.parametrize("merge", ["concatenate", "sum", "multiply"])
@pytest.mark.parametrize("padded", [False, True])
def test_merged_directions_have_the_gradients_of_their_parts(merge, padded):
    both = Bidirectional(Recurrent(LSTMCell(3, 4)), Recurrent(LSTMCell(3, 4)), merge=merge).double()
    x, lengths = leaf(3, 5, 3), torch.tensor([5, 1, 3]) if padded else torch.tensor([5, 5, 5])
    outputs, (ahead, back) = both(x, lengths=lengths if padded else None)
    expected, last = [], []
    for row, length in enumerate(lengths.tolist()):  # each sequence alone, without its padding, step by step
        own = x[row : row + 1, :length]
        h_f, end = unroll(both.forward_layer.cell, own, both.forward_layer.initial_state(1))
        h_b, begin = unroll(both.backward_layer.cell, own.flip(1), both.backward_layer.initial_state(1))
        h_b = h_b.flip(1)
        merged = torch.cat([h_f, h_b], 2) if merge == "concatenate" else h_f + h_b if merge == "sum" else h_f * h_b
        expected.append(torch.nn.functional.pad(merged, (0, 0, 0, 5 - length)))
        last.append([*end, *begin])
    theirs = [torch.cat(expected), *(torch.cat(parts) for parts in zip(*last, strict=True))]
    leaves = {"inputs": (x, x), **{name: (value, value) for name, value in both.named_parameters()}}
    assert_same([outputs, *ahead, *back], theirs, leaves, merge)


def test_a_sequence_read_backwards_by_swapped_layers_is_the_flipped_reading():
    ahead, back = Recurrent(RNNCell(3, 4)).double(), Recurrent(RNNCell(3, 4)).double()
    x, lengths = leaf(2, 5, 3), torch.tensor([5, 3])
    one, _ = Bidirectional(ahead, back, merge="sum")(x, lengths=lengths)
    other, _ = Bidirectional(back, ahead, merge="sum")(flip_by_length(x, lengths), lengths=lengths)
    assert_close(flip_by_length(other, lengths), one, "outputs")


def test_the_same_seed_gives_the_weights_of_torchs_stack():
    for bidirectional in (False, True):
        for kind, (cell, theirs, options) in KINDS.items():
            torch.manual_seed(5)
            ours = Stacked.of(cell, 3, 4, num_layers=3, bidirectional=bidirectional, **options)
            torch.manual_seed(5)
            module = theirs(3, 4, 3, bidirectional=bidirectional, **options)
            for (_, a), (name, b) in zip(ours.named_parameters(), module.named_parameters(), strict=True):
                assert torch.equal(a, b), (kind, name)


def test_dropout_acts_between_layers_only_and_only_in_training():
    stack = Stacked.of(RNNCell, 3, 200, num_layers=2, dropout=0.5)
    x = torch.randn(4, 1, 3)
    lower, upper = stack.layers
    below, _ = lower(x)
    stack.eval()
    assert torch.equal(stack(x)[0], upper(below)[0])
    stack.train()
    seen = []
    upper.register_forward_pre_hook(lambda module, arguments: seen.append(arguments[0]))
    lower.register_forward_pre_hook(lambda module, arguments: seen.append(arguments[0]))
    outputs, (state, _) = stack(x)
    assert torch.equal(seen[0], x)
    kept = seen[1] != 0
    assert 0.3 < kept.float().mean() < 0.7
    torch.testing.assert_close(seen[1][kept], 2 * below[kept])
    assert torch.equal(state, below[:, 0])
    assert outputs.all()


def test_a_residual_stack_adds_each_layers_input_but_the_first():
    stack = Stacked.of(GRUCell, 3, 4, num_layers=3, residual=True).double()
    x = leaf(2, 5, 3)
    y = stack.layers[0](x)[0]
    for layer in stack.layers[1:]:
        y = y + layer(y)[0]
    leaves = {"inputs": (x, x), **{name: (value, value) for name, value in stack.named_parameters()}}
    assert_same([stack(x)[0]], [y], leaves, "residual")


def test_a_residual_stack_adds_what_was_there_before_dropout():
    stack = Stacked.of(GRUCell, 3, 4, num_layers=2, residual=True, dropout=1.0)
    x = torch.randn(2, 5, 3)
    below, _ = stack.layers[0](x)
    above, _ = stack.layers[1](torch.zeros_like(below))
    assert torch.equal(stack(x)[0], below + above)


def test_states_are_typed_at_every_height():
    stack = Stacked.of(LSTMCell, 3, 4, num_layers=2, bidirectional=True)
    for state in (stack.initial_state(2), stack(torch.zeros(2, 5, 3))[1]):
        assert [type(part) for part in state] == [BidirectionalState] * 2
        assert isinstance(state[1].backward, LSTMState)


def test_the_loop_can_be_differentiated_twice():
    layer = Recurrent(GRUCell(2, 3), implementation="loop").double()
    assert torch.autograd.gradgradcheck(lambda x: layer(x)[0], leaf(1, 3, 2))


@pytest.mark.bad_input
@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda layer: layer(torch.zeros(2, 3)), "inputs has 2 axes"),
        (lambda layer: layer(torch.zeros(2, 5, 4)), "axis 'input' should be 3, not 4"),
        (lambda layer: layer(torch.zeros(2, 0, 3)), "axis 'time' is empty"),
        (lambda layer: layer(torch.zeros(0, 5, 3)), "axis 'batch' is empty"),
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
        (lambda: Stacked(gru(), torch.nn.Linear(4, 4)), "layer 2 is a Linear; it should be a layer"),
        (lambda: Stacked([gru()]), "layer 1 is a list"),
        (lambda: Stacked.of(torch.nn.GRUCell, 3, 4), "it should be a class of cells"),
        (lambda: Stacked(), "layers is empty"),
        (lambda: Stacked(gru(), gru()), "layer 2 has input size 3; it should be 4"),
        (lambda: Stacked(gru(), gru(4, 5), residual=True), "should be equal in a residual stack"),
        (lambda: Stacked(gru(), dropout=1.5), "dropout is 1.5"),
        (lambda: Stacked.of(GRUCell, 3, 4, num_layers=0), "num_layers is 0"),
        (lambda: Stacked(gru())(torch.zeros(2, 5, 3), torch.zeros(2, 4)), "should be a tuple of 1 states"),
        (lambda: Stacked(gru())(torch.zeros(2, 5, 3), (None, None)), "state is a tuple of 2"),
    ],
)
def test_bad_parts_are_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
