"""Networks over trees: node by node, depth by depth and in the printed equations, all one; a chain is a sequence."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from rnncourse.cells import LSTMCell, RNNCell
from rnncourse.data.trees import Tree, tree_nodes
from rnncourse.layers import Recurrent
from rnncourse.shapes import LSTMState
from rnncourse.trees import (
    ChildSumTreeLSTMCell,
    Forest,
    NaryTreeLSTMCell,
    TreeCell,
    TreeLayer,
    TreeRNNCell,
    fold,
    join_states,
)
from tests.oracles import DEVICES, assert_close, assert_same, leaf, tensors

IMPLEMENTATIONS = ["levels", "fold"]
CELLS = {
    "rnn": lambda: TreeRNNCell(3, 5),
    "rnn_relu": lambda: TreeRNNCell(3, 5, nonlinearity="relu"),
    "rnn_nary": lambda: TreeRNNCell(3, 5, arity=4),
    "child_sum": lambda: ChildSumTreeLSTMCell(3, 5),
    "nary": lambda: NaryTreeLSTMCell(3, 5, arity=4),
    "child_sum_without_bias": lambda: ChildSumTreeLSTMCell(3, 5, bias=False),
    "nary_without_bias": lambda: NaryTreeLSTMCell(3, 5, arity=4, bias=False),
}
few = settings(max_examples=15, deadline=None)
shapes = st.recursive(st.just([]), lambda below: st.lists(below, min_size=1, max_size=4), max_leaves=12)
forests = st.lists(shapes, min_size=1, max_size=4)


def tree_of(shape):
    """A tree from nested lists of children alone."""
    return Tree(1, tuple(map(tree_of, shape)))


def chain(length):
    """A tree with one leaf, each further node above the last."""
    tree = Tree(1)
    for _ in range(length - 1):
        tree = Tree(1, (tree,))
    return tree


LEAF, PAIR, COMB = [], [[], []], [[], [[], [[], []]]]
FEW = [tree_of(shape) for shape in ([[[]], LEAF, PAIR], LEAF, COMB, [[], [[], [], [[]], []]])]
"""Four trees of one to eight nodes and different depths, with one to four children a node."""


def printed(cell, x, below):
    """The equations as the paper prints them: one node, one gate, one child after the other.

    `below` are the states of the node's children, (h, c) for an LSTM.
    """
    H = cell.hidden_size
    U, W, *biases = cell.weights
    b = sum(bias for bias in biases) if biases[0] is not None else torch.zeros(len(U), dtype=U.dtype)
    if isinstance(cell, TreeRNNCell):
        a = U @ x + b
        for k, h in enumerate(below):
            a = a + (W if cell.arity is None else W[:, k * H : (k + 1) * H]) @ h
        h = torch.tanh(a) if cell.nonlinearity == "tanh" else a.clamp_min(0)
        return h, h
    rows = {gate: slice(k * H, (k + 1) * H) for k, gate in enumerate("ifgo")}
    a = {gate: U[at] @ x + b[at] for gate, at in rows.items()}
    f = [a["f"] for _ in below]
    if isinstance(cell, ChildSumTreeLSTMCell):
        for k, (h, _) in enumerate(below):
            for gate in "igo":
                a[gate] = a[gate] + W[rows[gate]] @ h
            f[k] = f[k] + W[rows["f"]] @ h
    else:
        N = cell.arity
        block = {"i": 0, "g": 1 + N, "o": 2 + N}
        for l, (h, _) in enumerate(below):
            place = slice(l * H, (l + 1) * H)
            for gate, number in block.items():
                a[gate] = a[gate] + W[number * H : (number + 1) * H, place] @ h
            for k in range(len(below)):
                f[k] = f[k] + W[(1 + k) * H : (2 + k) * H, place] @ h
    c = a["i"].sigmoid() * a["g"].tanh()
    for forget, (_, old) in zip(f, below, strict=True):
        c = c + forget.sigmoid() * old
    h = a["o"].sigmoid() * c.tanh()
    return h, (h, c)


def recursive(cell, tree, inputs, start, outputs):
    """The recursion as it is written: first the children, then the node; outputs are appended in that order."""
    below = [recursive(cell, child, inputs, start, outputs) for child in tree.children]
    if not below and start is not None:
        below = [start]
    output, state = printed(cell, inputs[len(outputs)], below)
    outputs.append(output)
    return state


def by_recursion(cell, inputs, state, trees):
    """Outputs and root states of a batch, tree after tree."""
    padded, roots = torch.zeros(*inputs.shape[:2], cell.hidden_size, dtype=inputs.dtype), []
    for index, tree in enumerate(trees):
        start = None if state is None else tuple(part[index] for part in state)
        start = start[0] if start is not None and isinstance(cell, TreeRNNCell) else start
        outputs = []
        roots.append(recursive(cell, tree, inputs[index], start, outputs))
        padded = padded.index_put((torch.tensor(index), torch.arange(len(outputs))), torch.stack(outputs))
    if isinstance(cell, TreeRNNCell):
        return [padded, torch.stack(roots)]
    return [padded, *map(torch.stack, zip(*roots, strict=True))]


def state_for(cell, batch, dtype=torch.float64):
    """A random initial state, as the layer takes it, and its tensors."""
    parts = [leaf(batch, cell.hidden_size, dtype=dtype) for _ in range(1 if isinstance(cell, TreeRNNCell) else 2)]
    return (LSTMState(*parts) if len(parts) == 2 else parts[0]), parts


def run(layer, inputs, state, trees):
    outputs, roots = layer(inputs, state, trees)
    return [outputs, *tensors(roots)]


def inputs_for(trees, dtype=torch.float64):
    return leaf(*Forest.of(trees).counts.shape, 3, dtype=dtype)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
@pytest.mark.parametrize("given_state", [False, True])
@pytest.mark.parametrize("implementation", IMPLEMENTATIONS)
@pytest.mark.parametrize("name", CELLS)
def test_a_tree_layer_is_the_printed_recursion(name, implementation, given_state, dtype):
    layer = TreeLayer(CELLS[name](), implementation=implementation).to(dtype)
    x = inputs_for(FEW, dtype)
    state, parts = state_for(layer.cell, len(FEW), dtype) if given_state else (None, [])
    leaves = {"inputs": (x, x)} | {key: (value, value) for key, value in layer.named_parameters()}
    leaves |= {f"state {key}": (part, part) for key, part in enumerate(parts)}
    ours, theirs = run(layer, x, state, FEW), by_recursion(layer.cell, x, parts if given_state else None, FEW)
    assert_same(ours, theirs, leaves, name)


@pytest.mark.parametrize("name", CELLS)
@few
@given(shapes=forests, given_state=st.booleans())
def test_levels_equal_the_fold(name, shapes, given_state):
    trees = [tree_of(shape) for shape in shapes]
    levels = TreeLayer(CELLS[name]()).double()
    node_by_node = TreeLayer(levels.cell, implementation="fold")
    x = inputs_for(trees)
    state, parts = state_for(levels.cell, len(trees)) if given_state else (None, [])
    leaves = {"inputs": (x, x)} | {key: (value, value) for key, value in levels.named_parameters()}
    leaves |= {f"state {key}": (part, part) for key, part in enumerate(parts)}
    assert_same(run(levels, x, state, trees), run(node_by_node, x, state, trees), leaves, name, unused=True)


SEQUENCES = {
    "rnn": (TreeRNNCell, RNNCell, {}, {}),
    "rnn_relu": (TreeRNNCell, RNNCell, {"nonlinearity": "relu"}, {"nonlinearity": "relu"}),
    "rnn_unary": (TreeRNNCell, RNNCell, {"arity": 1}, {}),
    "child_sum": (ChildSumTreeLSTMCell, LSTMCell, {"forget_bias": 1.0}, {"forget_bias": 1.0}),
    "unary": (NaryTreeLSTMCell, LSTMCell, {"arity": 1, "init": "orthogonal"}, {"init": "orthogonal"}),
    "without_bias": (ChildSumTreeLSTMCell, LSTMCell, {"bias": False}, {"bias": False}),
}


@pytest.mark.parametrize("lengths", [[1], [3, 1, 6]])
@pytest.mark.parametrize("given_state", [False, True])
@pytest.mark.parametrize("implementation", IMPLEMENTATIONS)
@pytest.mark.parametrize("name", SEQUENCES)
def test_a_tree_cell_on_a_chain_is_the_recurrent_layer(name, implementation, given_state, lengths):
    on_trees, on_sequences, tree_options, options = SEQUENCES[name]
    torch.manual_seed(7)
    tree = TreeLayer(on_trees(3, 5, **tree_options), implementation=implementation).double()
    torch.manual_seed(7)
    sequence = Recurrent(on_sequences(3, 5, **options)).double()
    named = dict(sequence.named_parameters())
    leaves = {key: (value, named[key]) for key, value in tree.named_parameters()}
    assert all(torch.equal(a, b) for a, b in leaves.values())
    assert len(leaves) == len(named)
    tree.cell.load_state_dict(sequence.cell.state_dict())

    x = leaf(len(lengths), max(lengths), 3)
    state, parts = state_for(tree.cell, len(lengths)) if given_state else (None, [])
    leaves |= {"inputs": (x, x), **{f"state {key}": (part, part) for key, part in enumerate(parts)}}
    outputs, final = sequence(x, state, torch.tensor(lengths))
    ours = run(tree, x, state, [chain(n) for n in lengths])
    assert_same(ours, [outputs, *tensors(final)], leaves, name, unused=True)  # a lone leaf has no use for weight_hh


@pytest.mark.parametrize("name", ["rnn", "child_sum"])
def test_the_order_of_children_does_not_count_where_they_share_their_weights(name):
    layer = TreeLayer(CELLS[name]()).double()
    x = torch.randn(1, 4, 3, dtype=torch.float64)
    flat = Tree(1, (Tree(1), Tree(1), Tree(1)))
    swapped, _ = layer(x[:, [2, 0, 1, 3]], trees=[flat])
    assert_close(swapped[:, 3], layer(x, trees=[flat])[0][:, 3], "root")


@pytest.mark.parametrize("implementation", IMPLEMENTATIONS)
@pytest.mark.parametrize("name", ["rnn_nary", "nary"])
def test_each_place_has_weights_of_its_own(name, implementation):
    layer = TreeLayer(CELLS[name](), implementation=implementation).double()
    x = torch.randn(1, 3, 3, dtype=torch.float64)
    pair = [tree_of(PAIR)]
    root = layer(x, trees=pair)[0][:, 2]
    swapped = layer(x[:, [1, 0, 2]], trees=pair)[0][:, 2]
    assert (root - swapped).abs().max() > 1e-3
    with torch.no_grad():  # with the places' weights swapped too, nothing has changed
        W = layer.cell.weight_hh
        W.copy_(torch.cat([W[:, 5:10], W[:, :5], W[:, 10:]], 1))
        if name == "nary":
            W.copy_(torch.cat([W[:5], W[10:15], W[5:10], W[15:]]))
    assert_close(layer(x[:, [1, 0, 2]], trees=pair)[0][:, 2], root, "root")


@pytest.mark.parametrize("name", ["child_sum", "nary"])
def test_every_child_has_a_forget_gate_of_its_own(name):
    cell = CELLS[name]().double()
    h = torch.stack([torch.full((1, 5), 1.0), torch.full((1, 5), -1.0)], 1).double()
    trace, _ = cell.trace(torch.zeros(1, 3).double(), LSTMState(h, h))
    assert trace.f.shape == (1, 2, 5)
    assert (trace.f[:, 0] - trace.f[:, 1]).abs().max() > 1e-2
    if name == "child_sum":  # each sees its own child alone
        other, _ = cell.trace(torch.zeros(1, 3).double(), LSTMState(h * torch.tensor([[[1.0], [3.0]]]), h))
        assert_close(other.f[:, 0], trace.f[:, 0], "the first child's forget gate")


@pytest.mark.parametrize("implementation", IMPLEMENTATIONS)
@pytest.mark.parametrize("name", CELLS)
def test_each_tree_is_read_as_if_it_were_alone_and_padding_is_not_seen(name, implementation):
    layer = TreeLayer(CELLS[name](), implementation=implementation).double()
    x = inputs_for(FEW).detach()
    outputs, state = layer(x, trees=FEW)
    for row, tree in enumerate(FEW):
        nodes = len(list(tree_nodes(tree)))
        x[row, nodes:] = float("nan")
        alone, root = layer(x[row : row + 1, :nodes], trees=[tree])
        assert_close(outputs[row, :nodes], alone[0], "outputs")
        assert not outputs[row, nodes:].any()
        for ours, theirs in zip(tensors(state), tensors(root), strict=True):
            assert_close(ours[row], theirs[0], "state")
    assert torch.equal(layer(x, trees=FEW)[0], outputs)


@pytest.mark.parametrize("implementation", IMPLEMENTATIONS)
@pytest.mark.parametrize("name", CELLS)
def test_the_output_at_the_root_is_the_hidden_state_there(name, implementation):
    outputs, state = TreeLayer(CELLS[name](), implementation=implementation)(inputs_for(FEW).float(), trees=FEW)
    last = Forest.of(FEW).lengths - 1
    assert torch.equal(outputs[torch.arange(len(FEW)), last], tensors(state)[0])


@pytest.mark.parametrize("implementation", IMPLEMENTATIONS)
@pytest.mark.parametrize("name", CELLS)
def test_the_initial_state_is_what_no_state_stands_for(name, implementation):
    layer = TreeLayer(CELLS[name](), implementation=implementation).double()
    x = inputs_for(FEW)
    for ours, theirs in zip(run(layer, x, layer.initial_state(4), FEW), run(layer, x, None, FEW), strict=True):
        assert_close(ours, theirs, name)


@pytest.mark.parametrize("implementation", IMPLEMENTATIONS)
@pytest.mark.parametrize("name", ["rnn", "child_sum", "nary"])
def test_first_and_second_derivatives_are_central_differences(name, implementation):
    small = {"rnn": TreeRNNCell(2, 2), "child_sum": ChildSumTreeLSTMCell(2, 2), "nary": NaryTreeLSTMCell(2, 2)}
    layer = TreeLayer(small[name], implementation=implementation).double()
    names, parameters = zip(*layer.named_parameters(), strict=True)
    trees = [tree_of([[[]], []]), tree_of([])]
    state, parts = state_for(layer.cell, 2)

    def outputs(x, *rest):
        start = rest[: len(parts)]
        start = type(state)(*start) if isinstance(state, tuple) else start[0]
        weights = dict(zip(names, rest[len(parts) :], strict=True))
        y, roots = torch.func.functional_call(layer, weights, (x, start, trees))
        return (y, *tensors(roots))

    arguments = (leaf(2, 4, 2), *parts, *parameters)
    assert torch.autograd.gradcheck(outputs, arguments)
    total = lambda *a: sum(part.square().sum() for part in outputs(*a))  # noqa: E731
    assert torch.autograd.gradgradcheck(total, arguments, fast_mode=True)


@pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated")  # torch's own forward mode calls it
@pytest.mark.parametrize("implementation", IMPLEMENTATIONS)
@pytest.mark.parametrize("name", ["rnn", "rnn_nary", "child_sum", "nary"])
def test_function_transforms_see_through_a_tree_layer(name, implementation):
    layer = TreeLayer(CELLS[name](), implementation=implementation).double()
    x, v = torch.randn(2, 3, 4, 8, 3, dtype=torch.float64)

    def outputs(x):
        return layer(x, trees=FEW)[0]

    each = torch.stack([outputs(one) for one in x])
    assert_close(torch.func.vmap(outputs)(x), each, "vmap")
    _, forward = torch.func.jvp(outputs, (x[0],), (v[0],))
    _, transposed = torch.func.vjp(outputs, x[0])
    weights = torch.randn_like(forward)
    assert_close((weights * forward).sum(), (transposed(weights)[0] * v[0]).sum(), "jvp against vjp")


@pytest.mark.slow
@pytest.mark.bad_input  # without the annotations' checks, which would take most of the time
def test_a_chain_of_ten_thousand_is_read_in_either_form():
    length = 10_000
    sequence, cell = Recurrent(RNNCell(1, 1)), TreeRNNCell(1, 1)
    cell.load_state_dict(sequence.cell.state_dict())
    x, deep = torch.randn(1, length, 1, requires_grad=True), [chain(length)]
    outputs, final = sequence(x)
    gradient = torch.autograd.grad(outputs.sum() + final.sum(), x)[0]
    for implementation in IMPLEMENTATIONS:
        ours, root = TreeLayer(cell, implementation=implementation)(x, trees=deep)
        assert_close(ours, outputs, "outputs")
        assert_close(torch.autograd.grad(ours.sum() + root.sum(), x)[0], gradient, "gradient")


@pytest.mark.bad_input
@pytest.mark.parametrize("implementation", IMPLEMENTATIONS)
def test_a_comb_deeper_than_any_recursion_is_read_in_either_form(implementation):
    tree = Tree(1)
    for _ in range(1_500):
        tree = Tree(1, (Tree(1), tree))
    layer = TreeLayer(NaryTreeLSTMCell(1, 1), implementation=implementation)
    x = torch.randn(1, 3_001, 1, requires_grad=True)
    outputs, root = layer(x, trees=[tree])
    assert torch.equal(outputs[:, -1], root.h)
    assert torch.autograd.grad(root.h.sum(), x)[0].any()


@pytest.mark.parametrize("device", DEVICES)
def test_a_forest_follows_the_inputs_to_their_device(device):
    layer = TreeLayer(ChildSumTreeLSTMCell(3, 5)).to(device)
    outputs, _ = layer(torch.randn(4, 8, 3, device=device), trees=Forest.of(FEW))
    assert outputs.device.type == device


def test_the_fold_knows_no_cell():
    def size(x, below):
        return x, below.sum(1) + 1

    _, sizes = fold(size, torch.zeros(4, 8, 1), torch.zeros(4, dtype=torch.long), FEW)
    assert sizes.tolist() == [len(list(tree_nodes(tree))) for tree in FEW]
    reading = torch.arange(5.0).view(1, 5, 1)
    order = []
    fold(lambda x, below: (order.append(x.item()) or x, x), reading, torch.zeros(1, 1), [tree_of([[[], []], []])])
    assert order == [0, 1, 2, 3, 4]


def test_children_stand_side_by_side_left_to_right():
    left, right = LSTMState(leaf(2, 5), leaf(2, 5)), LSTMState(leaf(2, 5), leaf(2, 5))
    joined = join_states(left, right)
    assert isinstance(joined, LSTMState)
    assert torch.equal(joined.c[:, 1], right.c)
    assert torch.equal(joined.h[:, 0], left.h)


@pytest.mark.parametrize("name", ["rnn_nary", "nary"])
def test_orthogonal_blocks_are_orthogonal(name):
    kind = type(CELLS[name]())
    W = kind(3, 5, arity=2, init="orthogonal").weight_hh
    for block in [block for rows in W.split(5) for block in rows.split(5, 1)]:
        assert_close(block @ block.T, torch.eye(5), "block")


def test_the_forget_bias_is_the_sum_of_both_biases():
    for cell in (ChildSumTreeLSTMCell(3, 5, forget_bias=1.5), NaryTreeLSTMCell(3, 5, forget_bias=1.5)):
        assert torch.equal((cell.bias_ih + cell.bias_hh)[5:10], torch.full((5,), 1.5))
        assert "arity" in repr(cell) or isinstance(cell, ChildSumTreeLSTMCell)


S = LSTMState(torch.zeros(2, 3, 5), torch.zeros(2, 3, 5))
X = torch.zeros(4, 8, 3)


@pytest.mark.bad_input
@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: TreeLayer(LSTMCell(3, 5)), "cell is a LSTMCell; it should be a tree cell such as"),
        (lambda: TreeLayer(ChildSumTreeLSTMCell), "cell is the class ChildSumTreeLSTMCell; it should be a tree cell"),
        (lambda: TreeLayer(TreeRNNCell(3, 5), implementation="loop"), "implementation is 'loop'"),
        (lambda: TreeRNNCell(3, 5, arity=0), "arity is 0"),
        (lambda: TreeRNNCell(3, 5, nonlinearity="sigmoid"), "nonlinearity is 'sigmoid'"),
        (lambda: NaryTreeLSTMCell(3, 5, arity=None), "arity is None; it should be a whole number"),
        (lambda: ChildSumTreeLSTMCell(3, 5, bias=False, forget_bias=1.0), "a forget bias needs biases"),
        (lambda: ChildSumTreeLSTMCell(3, 5, forget_bias=float("nan")), "forget_bias is nan"),
        (lambda: TreeRNNCell(3, 5)(X[0, :2], torch.zeros(2, 5)), r"children has 2 axes, shape \(2, 5\)"),
        (lambda: TreeRNNCell(3, 5)(X[0, :2], torch.zeros(2, 0, 4)), r"children has shape .*'hidden' should be 5"),
        (lambda: TreeRNNCell(3, 5)(X[0, :3], S.h), "children has shape .* axis 'batch' should be 3"),
        (lambda: TreeRNNCell(3, 5)(X[0, :3], None), "children is a NoneType; it should be a tensor of shape"),
        (lambda: TreeRNNCell(3, 5, arity=2)(X[0, :2], S.h), "children holds 3 children a node; .* at most 2"),
        (lambda: ChildSumTreeLSTMCell(3, 5)(X[0, :2], S.h), r"children is a Tensor; it should be an LSTMState\(h, c\)"),
        (lambda: ChildSumTreeLSTMCell(3, 5)(X[0, :2], tuple(S)), "children is a tuple; it should be an LSTMState"),
        (lambda: ChildSumTreeLSTMCell(3, 5)(X[0, :2], S._replace(c=S.c[:, :2])), "children.c has shape .* as children"),
        (lambda: ChildSumTreeLSTMCell(3, 5)(X[0, :2].double(), S), "x has dtype torch.float64"),
        (lambda: NaryTreeLSTMCell(3, 5)(X[0, :2], S), "children holds 3 children a node; .* at most 2"),
        (lambda: Recurrent(ChildSumTreeLSTMCell(3, 5))(X), "children.h has 2 axes, shape"),
        (lambda: TreeLayer(TreeRNNCell(3, 5))(X), "trees is a NoneType; it should be a sequence of at least one tree"),
        (lambda: TreeLayer(TreeRNNCell(3, 5))(X[:, :7], trees=FEW), r"inputs has shape \(4, 7, 3\); .*nodes=8"),
        (lambda: TreeLayer(TreeRNNCell(3, 5))(X[:3], trees=FEW), r"inputs has shape \(3, 8, 3\); .*batch=4"),
        (lambda: TreeLayer(TreeRNNCell(3, 5))(X[..., :2], trees=FEW), "axis 'input' should be 3"),
        (lambda: TreeLayer(TreeRNNCell(3, 5))(X, S, FEW), "state is a LSTMState; it should be a tensor"),
        (lambda: TreeLayer(TreeRNNCell(3, 5))(X, S.h, FEW), "state has 3 axes"),
        (lambda: TreeLayer(ChildSumTreeLSTMCell(3, 5))(X, X[..., 0], FEW), "state is a Tensor; it should be an LSTMSt"),
        (lambda: TreeLayer(NaryTreeLSTMCell(3, 5))(X, trees=FEW), r"trees\[0\] has a node with 3 children; .*most 2"),
        (
            lambda: TreeLayer(NaryTreeLSTMCell(3, 5, arity=3), implementation="fold")(X, trees=FEW),
            r"trees\[3\] has a node with 4 children; the cell has places for at most 3",
        ),
        (lambda: fold(TreeRNNCell(3, 5), [1.0], torch.zeros(1, 5), [Tree(1)]), "inputs is a list"),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_a_new_kind_of_tree_cell_says_what_it_lacks():
    with pytest.raises(NotImplementedError):
        TreeCell(3, 5).level_step()
