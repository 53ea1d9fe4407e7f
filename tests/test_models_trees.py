"""A tree classifier reads the root, consumes the tree data sets as they are, and learns from them."""

import pytest
import torch
import torch.nn.functional as F

from rnncourse.cells import RNNCell
from rnncourse.data import load
from rnncourse.data.boolean_expressions import boolean_expressions
from rnncourse.data.trees import Tree, tree_batch, tree_nodes
from rnncourse.layers import Recurrent
from rnncourse.models import TreeClassifier
from rnncourse.training import fit
from rnncourse.trees import ChildSumTreeLSTMCell, Forest, NaryTreeLSTMCell, TreeLayer, TreeRNNCell, node_numbers
from tests.oracles import assert_close, tensors
from tests.test_trees import FEW

CELLS = {
    "rnn": lambda: TreeRNNCell(4, 5),
    "child_sum": lambda: ChildSumTreeLSTMCell(4, 5),
    "nary": lambda: NaryTreeLSTMCell(4, 5, arity=4),
}


@pytest.mark.parametrize("name", CELLS)
def test_a_tree_classifier_reads_the_state_at_the_root(name):
    model = TreeClassifier(TreeLayer(CELLS[name]()), 3, vocab_size=9).double()
    tokens, forest = node_numbers(FEW), Forest.of(FEW)
    logits, state = model(tokens, trees=forest)
    outputs, root = model.layer(model.embedding(tokens), trees=FEW)
    assert_close(logits, model.readout(tensors(root)[0]), "logits")
    at_root = outputs[torch.arange(len(FEW)), forest.lengths - 1]
    assert_close(logits, model.readout(at_root), "logits from the outputs")
    for ours, theirs in zip(tensors(state), tensors(root), strict=True):
        assert_close(ours, theirs, "state")


def test_vectors_are_read_where_there_is_no_vocabulary():
    model = TreeClassifier(TreeLayer(TreeRNNCell(4, 5)), 2)
    x, state = torch.randn(4, 8, 4), torch.randn(4, 5)
    assert_close(model(x, state, FEW)[0], model.readout(model.layer(x, state, FEW)[1]), "logits")


@pytest.mark.parametrize(
    ("name", "options"),
    [("listops", {"count": 400}), ("boolean_expressions", {"count": 400}), ("python_syntax", {"count": 400})],
)
def test_the_tree_data_sets_are_consumed_as_they_are(name, options):
    data = load(name, **options)
    model = TreeClassifier(
        TreeLayer(ChildSumTreeLSTMCell(4, 5)), len(data.target_vocabulary), vocab_size=len(data.vocabulary)
    )
    batch = next(iter(data.train.batches(16, seed=0)))
    tokens = node_numbers(batch.trees)
    for row, tree in zip(tokens.tolist(), batch.trees, strict=True):
        own = [node.token for node in tree_nodes(tree)]
        assert row == own + [0] * (len(row) - len(own))
    logits, _ = model(tokens, trees=batch.trees)
    assert logits.shape == (16, len(data.target_vocabulary))
    F.cross_entropy(logits, batch.targets).backward()
    assert all(parameter.grad.isfinite().all() for parameter in model.parameters())


@pytest.mark.slow
def test_a_tree_lstm_learns_logic_and_keeps_it_on_deeper_trees():
    batch = tree_batch(boolean_expressions(400, depth=(1, 4), seed=1))
    deeper = tree_batch(boolean_expressions(200, depth=6, seed=2))
    model = TreeClassifier(TreeLayer(ChildSumTreeLSTMCell(8, 16)), 2, vocab_size=7)
    tokens, forest = node_numbers(batch.trees), Forest.of(batch.trees)

    def loss(model, targets):
        return F.cross_entropy(model(tokens, trees=forest)[0], targets)

    fit(model, [batch.targets], loss=loss, epochs=150, lr=0.03, progress=False)
    with torch.no_grad():
        right = model(node_numbers(deeper.trees), trees=deeper.trees)[0].argmax(1) == deeper.targets
    assert right.float().mean() > 0.95


@pytest.mark.bad_input
@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: TreeClassifier(Recurrent(RNNCell(4, 5)), 2), "layer is a Recurrent; it should be of type TreeLayer"),
        (lambda: TreeClassifier(TreeLayer(TreeRNNCell(4, 5)), 0), "num_classes is 0"),
        (lambda: TreeClassifier(TreeLayer(TreeRNNCell(4, 5)), 2, dropout=2.0), "dropout is 2.0"),
        (
            lambda: TreeClassifier(TreeLayer(TreeRNNCell(4, 5)), 2, vocab_size=7)(torch.tensor([[7]]), None, [Tree(7)]),
            "x holds 7; it should hold indices from 0 to 6",
        ),
        (lambda: TreeClassifier(TreeLayer(TreeRNNCell(4, 5)), 2)(torch.zeros(1, 1, 4)), "trees is a NoneType"),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
