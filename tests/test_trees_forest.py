"""The plan of a batch of trees: levels by depth, children at the level before; what is no tree is refused."""

from collections import Counter
from itertools import accumulate
from types import SimpleNamespace

import pytest
import torch
from hypothesis import given, settings

from rnncourse.data.trees import Tree, tree_depth, tree_from_nested, tree_nodes
from rnncourse.trees import Forest, node_numbers
from tests.oracles import DEVICES
from tests.test_trees import FEW, chain, forests, tree_of


def depths(tree, depth=0):
    """The depth of every node, children first."""
    return [d for child in tree.children for d in depths(child, depth + 1)] + [depth]


def places(trees):
    """Tree and number in post-order of every node, by identity; and its depth, parent and place among its siblings."""
    found = {}
    for row, tree in enumerate(trees):
        for number, (node, depth) in enumerate(zip(tree_nodes(tree), depths(tree), strict=True)):
            found[id(node)] = {"at": (row, number), "depth": depth, "node": node}
    for one in list(found.values()):
        for position, child in enumerate(one["node"].children):
            found[id(child)] |= {"parent": one["at"], "position": position}
    return sorted(found.values(), key=lambda one: one["at"])


def cut(row, sizes):
    """Consecutive parts of a list."""
    ends = list(accumulate(sizes))
    return [row[end - size : end] for end, size in zip(ends, sizes, strict=True)]


def check_forest(trees):
    forest, known = Forest.of(trees), {one["at"]: one for one in places(trees)}
    width = forest.counts.shape[1]
    assert forest.lengths.tolist() == [len(list(tree_nodes(tree))) for tree in trees]
    assert width == max(forest.lengths)
    for (row, number), one in known.items():
        assert forest.counts[row, number] == len(one["node"].children)
    assert sum(forest.counts.flatten()) == len(known) - len(trees)

    order = [divmod(place, width) for place in forest.order.tolist()]
    assert sorted(order) == sorted(known)
    deepest = max(one["depth"] for one in known.values())
    for counted, kind in ((forest.leaves, False), (forest.inner, True)):
        depths_of_kind = Counter(one["depth"] for one in known.values() if bool(one["node"].children) is kind)
        assert counted == tuple(depths_of_kind[depth] for depth in range(deepest, -1, -1))
    leaves = cut(order, forest.leaves)
    inner = cut(order[sum(forest.leaves) :], forest.inner)
    assert all(not known[at]["node"].children for at in order[: sum(forest.leaves)])
    levels = [above + beside for above, beside in zip(inner, leaves, strict=True)]
    for depth, here in zip(range(deepest, -1, -1), levels, strict=True):
        assert {known[at]["depth"] for at in here} == {depth}
    for level, before, here in zip(forest.levels(), levels[:-1], levels[1:], strict=True):
        assert [known[at]["parent"] for at in before] == [here[row] for row in level.parents.tolist()]
        assert [known[at]["position"] for at in before] == level.positions.tolist()
    roots = [levels[-1][row] for row in forest.roots.tolist()]
    assert roots == [(row, length - 1) for row, length in enumerate(forest.lengths.tolist())]


def test_the_children_of_a_level_are_the_level_before():
    check_forest(FEW)


@settings(max_examples=50, deadline=None)
@given(shapes=forests)
def test_any_forest_is_its_trees(shapes):
    check_forest([tree_of(shape) for shape in shapes])


def test_a_forest_stays_what_it_is():
    forest = Forest.of(FEW)
    assert Forest.of(forest) is forest
    for device in DEVICES:
        assert forest.to(device).leaves == forest.leaves
        assert forest.to(device).order.device.type == device


def test_one_tree_may_stand_in_a_batch_twice():
    forest = Forest.of([FEW[0], FEW[0]])
    assert torch.equal(forest.counts[0], forest.counts[1])


def test_any_object_with_children_is_a_tree():
    def node(*children):
        return SimpleNamespace(children=list(children), token=len(children))

    tree = node(node(), node(node(), node()), node())
    assert torch.equal(Forest.of([tree]).counts, torch.tensor([[0, 0, 0, 2, 0, 3]]))
    assert torch.equal(node_numbers([tree]), Forest.of([tree]).counts)


def test_a_chain_of_ten_thousand_is_built_walked_and_planned():
    nested = 0
    for number in range(1, 10_000):
        nested = (number, nested)
    tree = tree_from_nested(nested)
    assert tree_depth(tree) == 9_999
    assert [node.token for node in tree_nodes(tree)] == list(range(10_000))
    forest = Forest.of([tree])
    assert forest.inner == (0, *[1] * 9_999)
    assert forest.leaves == (1, *[0] * 9_999)
    assert node_numbers([tree]).tolist() == [list(range(10_000))]


def cycle():
    children = []
    children.append(SimpleNamespace(children=children))
    return children[0]


def far_cycle():
    children = []
    top = Tree(1, (Tree(2), Tree(3, children)))
    children.append(Tree(4, (top,)))
    return top


SHARED = Tree(2)


@pytest.mark.bad_input
@pytest.mark.parametrize(
    ("trees", "message"),
    [
        ([], "trees is empty; it should be a sequence of at least one tree"),
        ((), "trees is empty"),
        (None, "trees is a NoneType"),
        ("tree", "trees is a str"),
        (Tree(1), r"trees is one Tree; it should be a sequence of trees, such as \[tree\]"),
        ([None], r"trees\[0\] holds a NoneType at depth 0, which has no children"),
        ([Tree(1), 3], r"trees\[1\] holds a int at depth 0, which has no children"),
        ([Tree(1, (Tree(2), ()))], r"trees\[0\] holds a tuple at depth 1, which has no children"),
        ([Tree(1, "ab")], r"trees\[0\] holds a Tree at depth 0, whose children are a str"),
        ([Tree(1, {})], "whose children are a dict"),
        ([cycle()], r"trees\[0\] holds one and the same SimpleNamespace below itself"),
        ([Tree(1), far_cycle()], r"trees\[1\] holds one and the same Tree below itself"),
        ([Tree(1, (SHARED, SHARED))], r"trees\[0\] holds one and the same Tree in two places; every node .* its own"),
        ([Tree(1, (Tree(3, (SHARED,)), Tree(4, (Tree(5, (SHARED,)),))))], "in two places"),
        ([Tree(1, (SHARED, Tree(4, (Tree(5, (SHARED,)),))))], "in two places"),
    ],
)
def test_what_is_no_tree_is_refused(trees, message):
    with pytest.raises(ValueError, match=message):
        Forest.of(trees)


@pytest.mark.bad_input
@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: node_numbers([]), "trees is empty"),
        (lambda: node_numbers(Tree(1)), "trees is a Tree; it should be a sequence"),
        (lambda: node_numbers(Forest.of(FEW)), "trees is a Forest; it should be a sequence"),
        (lambda: node_numbers([Tree("max")]), r"trees\[0\] has a node whose token is 'max'; it should be a whole"),
        (lambda: node_numbers([Tree(1)], "label"), "whose label is None"),
    ],
)
def test_numbers_are_asked_of_trees(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_numbers_stand_in_post_order_with_zeros_after_them():
    tree = Tree(9, (Tree(8, (Tree(7),), 1), Tree(6)), 5)
    assert node_numbers([chain(1), tree]).tolist() == [[1, 0, 0, 0], [7, 8, 6, 9]]
    assert node_numbers([tree], "value").tolist() == [[-1, 1, -1, 5]]
