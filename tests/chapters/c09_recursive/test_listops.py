"""ListOps in its authors' binary form, split by depth; and the functions of the syntax experiment count truly."""

import pytest
import torch

from rnncourse.chapters.c09_recursive.experiments import syntax
from rnncourse.chapters.c09_recursive.experiments.listops_depth import at_the_papers_size, commonest
from rnncourse.chapters.c09_recursive.experiments.listops_trees import JOIN, binary, drawn, of_depth, split
from rnncourse.chapters.c09_recursive.experiments.readers import plan
from rnncourse.data.trees import Tree, TreeItem, tree_from_nested, tree_nodes


def leaves(tree):
    return [node.token for node in tree_nodes(tree) if not node.children]


def test_the_leaves_of_the_binary_form_are_the_symbols_in_reading_order():
    for item in drawn(60, seed=0):
        form = binary(item.tree)
        assert tuple(leaves(form)) == item.tokens
        assert form.value == item.target
        inner = [node for node in tree_nodes(form) if node.children]
        assert {len(node.children) for node in inner} == {2}
        assert {node.token for node in inner} == {JOIN}


def test_a_list_is_read_from_the_left():
    form = binary(tree_from_nested((11, 3, (12, 4, 5))))
    inside = Tree(JOIN, (Tree(JOIN, (Tree(JOIN, (Tree(12), Tree(4))), Tree(5))), Tree(15)), -1)
    assert form == Tree(JOIN, (Tree(JOIN, (Tree(JOIN, (Tree(11), Tree(3))), inside)), Tree(15)))


def test_expressions_are_distinct_and_of_the_depths_asked_for():
    items = drawn(150, seed=0, depths=(1, 3))
    assert len({item.text for item in items}) == len(items) == 150
    assert {item.depth for item in items} <= {1, 2, 3}
    assert {item.depth for item in of_depth(4, 20)} == {4}
    parts = split(items)
    assert sorted(item.text for part in parts.values() for item in part) == sorted(item.text for item in items)


def test_the_commonest_label_is_guessed_everywhere():
    def labelled(*targets):
        return plan([TreeItem(Tree(1), (1,), target, 0, str(n)) for n, target in enumerate(targets)], 9)

    assert commonest(labelled(3, 3, 5), labelled(3, 5, 5, 5)) == pytest.approx(0.25)


@pytest.mark.parametrize("name", ["Nary", "LSTM"])
def test_a_run_at_the_papers_form_reports_every_depth(name):
    sizes = {"units": 4, "batch_size": 16, "train_count": 120, "test_count": 40}
    values = at_the_papers_size(name, seed=0, steps=2, lr=1e-2, **sizes)
    assert sum(values["of_depth"]) == 40
    right = sum(n * share for n, share in zip(values["of_depth"], values["by_depth"], strict=True) if n)
    assert right / 40 == pytest.approx(values["test"])


def test_types_and_pairs_are_counted():
    item = TreeItem(Tree(1, (Tree(2), Tree(2), Tree(3, (Tree(2),)))), (), 0, 2, "")
    assert sorted(syntax.features(item, pairs=False)) == [(1,), (2,), (2,), (2,), (3,)]
    pairs = [key for key in syntax.features(item, pairs=True) if len(key) == 2]
    assert sorted(pairs) == [(1, 2), (1, 2), (1, 3), (3, 2)]
    table = syntax.counts([item], {(2,): 0, (1, 2): 1, (9,): 2}, pairs=True)
    assert torch.allclose(table, torch.tensor([[3.0, 2.0, 0.0]]).log1p())
