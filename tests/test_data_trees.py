"""Boolean expressions and ListOps evaluate to what Python says; trees and token sequences are the same thing."""

import ast
import re
from collections import Counter
from statistics import median

import numpy as np
import pytest

from rnncourse.data import TreeBatch, load, python_syntax
from rnncourse.data import boolean_expressions as boolean
from rnncourse.data.listops import OPERATORS, SYMBOLS, evaluate, listops
from rnncourse.data.trees import (
    Tree,
    TreeItem,
    tree_batch,
    tree_depth,
    tree_from_ast,
    tree_from_nested,
    tree_nodes,
    tree_splits,
    tree_tokens,
)


def python_value(text: str):
    """The value of an expression, by turning it into Python."""
    names = {
        "[and": "all([",
        "[or": "any([",
        "[not": "not_([",
        "[MAX": "max([",
        "[MIN": "min([",
        "[MED": "med([",
        "[SM": "sm([",
    }
    words = [
        names.get(word, "])," if word == "]" else f"{ {'T': 'True', 'F': 'False'}.get(word, word) },")
        for word in text.split()
    ]
    scope = {"not_": lambda row: not row[0], "med": lambda row: int(median(row)), "sm": lambda row: sum(row) % 10}
    return eval("".join(words).rstrip(","), scope)


def read_back(tokens, end, leaf) -> Tree:
    """The tree that a token sequence stands for."""
    stack = [[]]
    heads = []
    for token in tokens:
        if token == end:
            children = tuple(stack.pop())
            stack[-1].append(Tree(heads.pop(), children))
        elif leaf(token):
            stack[-1].append(Tree(token))
        else:
            heads.append(token)
            stack.append([])
    return stack[0][0]


def nested(tree: Tree):
    """A tree as nested tuples."""
    return (tree.token, *map(nested, tree.children)) if tree.children else tree.token


def bare(tree: Tree) -> Tree:
    return Tree(tree.token, tuple(bare(child) for child in tree.children))


@pytest.fixture(scope="module")
def expressions():
    return boolean.boolean_expressions(1500, depth=(1, 6), seed=1)


@pytest.fixture(scope="module")
def lists():
    return listops(1500, seed=1)


def test_boolean_values_are_pythons(expressions):
    for item in expressions:
        assert int(python_value(item.text)) == item.target == item.tree.value


def test_listops_values_are_pythons(lists):
    for item in lists:
        assert python_value(item.text) == item.target == item.tree.value


@pytest.mark.parametrize("values", [[3], [3, 4], [9, 0, 5], [1, 1, 2, 8], [9, 9, 9, 9, 9]])
def test_listops_operators_equal_numpy(values):
    expected = [max(values), min(values), int(np.median(values)), sum(values) % 10]
    assert [evaluate(operator, values) for operator in OPERATORS] == expected


def test_every_node_carries_its_value(expressions, lists):
    for item in lists[:200]:
        for node in tree_nodes(item.tree):
            if node.children:
                assert node.value == evaluate(SYMBOLS[node.token], [child.value for child in node.children])
            else:
                assert node.value == int(SYMBOLS[node.token])
    for item in expressions[:200]:
        assert all(node.value in (0, 1) for node in tree_nodes(item.tree))


def test_tokens_are_the_tree(expressions, lists):
    for item in expressions:
        assert read_back(item.tokens, boolean.END, lambda token: token < boolean.AND) == bare(item.tree)
    for item in lists:
        assert read_back(item.tokens, 15, lambda token: token < 11) == bare(item.tree)
        assert " ".join(SYMBOLS[token] for token in item.tokens) == item.text


def test_nested_tuples_are_the_tree(expressions, lists):
    for item in (*expressions[:200], *lists[:200]):
        assert tree_from_nested(nested(item.tree)) == bare(item.tree)
        assert tree_from_nested(nested(item.tree), lambda token: -token).token == -item.tree.token
    assert tree_from_nested(["a", ("b",), ["b", "c"]]) == Tree("a", (Tree("b"), Tree("b", (Tree("c"),))))


def test_what_stands_twice_becomes_two_nodes():
    pair = ("b", "c")
    first, second = tree_from_nested(("a", pair, pair)).children
    assert first == second
    assert first is not second


def test_a_syntax_tree_is_that_of_ast():
    source = ast.parse("def f(x, *, y=1):\n    for i in x:\n        y += i if i else -i\n    return y.z[0]")
    tree = tree_from_ast(source)

    def agrees(tree, node):
        below = [child for child in ast.iter_child_nodes(node) if not isinstance(child, ast.expr_context)]
        return (
            tree.token == type(node).__name__
            and len(tree.children) == len(below)
            and all(map(agrees, tree.children, below))
        )

    assert agrees(tree, source)
    assert not {"Load", "Store"} & {node.token for node in tree_nodes(tree)}
    assert tree_from_ast(source, len).token == len("Module")


def test_trees_deeper_than_any_recursion_are_built_and_walked():
    depth = 10_000
    row, syntax = 0, ast.Constant(0)
    for number in range(1, depth + 1):
        row, syntax = [number, row], ast.UnaryOp(ast.USub(), syntax)
    tree = tree_from_nested(row)
    assert tree_depth(tree) == depth
    assert [node.token for node in tree_nodes(tree)] == list(range(depth + 1))
    assert tree_tokens(tree, -1) == [*range(depth, -1, -1), *[-1] * depth]
    assert tree_depth(tree_from_ast(syntax)) == depth
    assert len(python_syntax.shape(syntax).split()) == 3 * depth + 1


def endless(kind):
    if kind is list:
        row = ["a"]
        row.append(row)
        return row
    node = ast.UnaryOp(ast.Not())
    node.operand = ast.UnaryOp(ast.Not(), node)
    return node


def test_depth_is_the_deepest_nesting(expressions, lists):
    for item in (*expressions, *lists):
        level = deepest = 0
        for word in item.text.split():
            level += word.startswith("[") - (word == "]")
            deepest = max(deepest, level)
        assert item.depth == tree_depth(item.tree) == deepest


def test_boolean_labels_are_balanced_and_depths_even():
    items = boolean.boolean_expressions(6000, depth=(4, 7), seed=2)
    assert np.mean([item.target for item in items]) == pytest.approx(0.5, abs=0.03)
    shares = np.array([count for _, count in sorted(Counter(item.depth for item in items).items())]) / len(items)
    assert len(shares) == 4
    assert shares[1:] == pytest.approx([0.25] * 3, abs=0.04)


def test_listops_follows_the_published_rules():
    items = listops(6000, max_length=10_000, seed=3)
    nodes = [node for item in items for node in tree_nodes(item.tree) if node.children]
    children = [child for node in nodes for child in node.children]
    # dropping repeated expressions favours larger ones a little, hence the tolerance
    assert np.mean([bool(child.children) for child in children]) == pytest.approx(0.25, abs=0.03)
    arguments = Counter(len(node.children) for node in nodes)
    assert set(arguments) == {2, 3, 4, 5}
    operators = Counter(node.token for node in nodes)
    assert set(operators) == {11, 12, 13, 14}
    assert max(operators.values()) < 1.1 * min(operators.values())
    assert all(item.text.startswith("[") for item in items)


def test_limits_hold():
    items = listops(800, max_depth=2, max_args=3, max_length=12, seed=4)
    assert max(item.depth for item in items) == 2
    assert max(len(item.tokens) for item in items) <= 12
    assert max(len(node.children) for item in items for node in tree_nodes(item.tree)) == 3


@pytest.mark.parametrize("name", ["boolean_expressions", "listops"])
def test_tree_sets_split_distinct_expressions_by_hash(name):
    small, large = load(name, count=400), load(name, count=1200)
    texts = [item.text for split in ("train", "valid", "test") for item in large.splits[split].items]
    assert len(set(texts)) == len(texts)
    for split in ("train", "valid", "test"):
        assert {item.text for item in small.splits[split].items} <= {item.text for item in large.splits[split].items}
    batch = next(iter(large.train.batches(5, bucket=True)))
    assert isinstance(batch, TreeBatch)
    assert [tree.value for tree in batch.trees] == batch.targets.tolist()
    for row, tree in enumerate(batch.trees):
        end = boolean.END if name == "boolean_expressions" else 15
        assert batch.inputs[row][batch.mask[row]].tolist() == tree_tokens(tree, end)
    labels = [item.target for item in large.test.items]
    common = Counter(item.target for item in large.train.items).most_common(1)[0][0]
    assert large.baselines["majority"].value == pytest.approx(labels.count(common) / len(labels))


def test_the_deeper_split_is_deeper():
    task = load("boolean_expressions", count=400, depth=(1, 3), deeper=5, held_out=50)
    assert {item.depth for item in task.splits["deeper"].items} == {5}
    assert {item.depth for item in task.train.items} == {1, 2, 3}


def test_text_of_expressions_reads_well(lists):
    assert all(re.fullmatch(r"(\[(MAX|MIN|MED|SM) |\d |\] ?)+", item.text + " ") for item in lists)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: boolean.boolean_expressions(0), "count is 0"),
        (lambda: boolean.boolean_expressions(1, depth=0), "depth is 0"),
        (lambda: boolean.boolean_expressions(1, depth=21), "depth is 21"),
        (lambda: listops(1, max_args=1), "max_args is 1"),
        (lambda: listops(1, max_depth=101), "max_depth is 101"),
        (lambda: listops(1, max_length=3), "max_length is 3"),
        (lambda: evaluate("[AVG", [1]), r"operator is '\[AVG'"),
        (lambda: tree_splits([TreeItem(Tree(1), (1,), 0, 0, "x")]), "count is too small: 1 expressions leave"),
        (lambda: tree_batch([]), "items is empty"),
        (lambda: tree_from_nested(()), r"nested holds an empty tuple; it should be a symbol, or \(symbol, child, …\)"),
        (lambda: tree_from_nested(("a", ["b", ()])), "nested holds an empty tuple"),
        (lambda: tree_from_nested((("a", "b"), "c")), "nested holds a tuple in first place; a symbol should stand"),
        (lambda: tree_from_nested(endless(list)), "nested is a list that holds itself; a tree should come to an end"),
        (lambda: tree_from_ast("x + 1"), "node is a str; it should be a node of ast, such as ast.parse"),
        (lambda: tree_from_ast(endless(ast.AST)), "node is a UnaryOp that holds itself"),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
