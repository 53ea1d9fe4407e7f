"""Chapter 9's readers are what they are called, see what they should see, and no more."""

import numpy as np
import pytest
import torch

from rnncourse.chapters.c09_recursive.experiments import boolean_depth
from rnncourse.chapters.c09_recursive.experiments.levels import step_milliseconds
from rnncourse.chapters.c09_recursive.experiments.readers import (
    ON_TREES,
    READERS,
    Shuffled,
    answers,
    evaluate,
    make_reader,
    plan,
    reader_of_budget,
    train,
)
from rnncourse.data.boolean_expressions import AND, FALSE, NOT, OR, SYMBOLS, TRUE, boolean_expressions
from rnncourse.data.trees import Tree, TreeItem, tree_nodes, tree_tokens
from rnncourse.folders import course_root
from rnncourse.results.records import load_result, stored_results
from rnncourse.results.registry import find_experiment

SIZES = {"embedding": 4, "classes": 2, "symbols": len(SYMBOLS)}


def item(tree):
    tokens = tuple(tree_tokens(tree, SYMBOLS.index("]")))
    return TreeItem(tree, tokens, tree.value, 1, " ".join(map(str, tokens)))


@pytest.mark.parametrize("name", READERS)
@pytest.mark.parametrize("budget", [1_500, 8_000])
def test_every_reader_comes_as_close_to_the_budget_as_one_unit_allows(name, budget):
    model = reader_of_budget(name, budget, **SIZES)
    units = model.layer.output_size // (1 + (name == "BiLSTM"))

    def cost(hidden):
        return sum(p.numel() for p in make_reader(name, hidden_size=hidden, **SIZES).parameters())

    assert cost(units) == sum(p.numel() for p in model.parameters())
    assert abs(cost(units) - budget) <= min(abs(cost(units + d) - budget) for d in (-1, 1))


def test_every_lstm_starts_with_an_open_forget_gate_on_trees_too():
    for name in ("ChildSum", "Nary", "LSTM", "BiLSTM", "Postfix"):
        biases = {n: p for n, p in make_reader(name, hidden_size=3, **SIZES).named_parameters() if "bias_" in n}
        one = torch.stack([p[3:6] for n, p in biases.items() if n.endswith("bias_ih")])
        two = torch.stack([p[3:6] for n, p in biases.items() if n.endswith("bias_hh")])
        assert torch.equal(one, torch.ones_like(one)), name
        assert torch.equal(two, torch.zeros_like(two)), name


def test_a_plan_holds_every_expression_once_with_its_own_label():
    items = boolean_expressions(50, depth=(1, 4), seed=0)
    batches = plan(items, 8)
    found = []
    for batch in batches:
        for row, length, target in zip(batch.inputs, batch.lengths.tolist(), batch.targets.tolist(), strict=True):
            found.append((tuple(row[:length].tolist()), target))
    assert sorted(found) == sorted((one.tokens, one.target) for one in items)
    assert [len(batch.targets) for batch in batches[:-1]] == [8] * (len(batches) - 1)
    sizes = [int(batch.lengths.max()) for batch in batches]
    assert sizes == sorted(sizes)


def test_another_form_of_the_trees_changes_the_nodes_and_nothing_else():
    items = boolean_expressions(9, depth=2, seed=0)
    plain, flat = plan(items, 9)[0], plan(items, 9, lambda tree: Tree(tree.token))[0]
    assert flat.nodes.shape == (len(items), 1)
    assert torch.equal(plain.inputs, flat.inputs)
    assert torch.equal(plain.targets, flat.targets)


@pytest.mark.parametrize("name", READERS)
def test_only_the_readers_on_trees_and_the_postfix_one_ignore_the_brackets(name):
    torch.manual_seed(0)
    model = make_reader(name, hidden_size=5, **SIZES)
    batch = plan(boolean_expressions(20, depth=3, seed=1), 20)[0]
    changed = batch._replace(inputs=torch.where(batch.inputs == SYMBOLS.index("]"), TRUE, batch.inputs))
    same = torch.equal(answers(model, batch), answers(model, changed))
    assert same == (name in (*ON_TREES, "Postfix"))


@pytest.mark.parametrize("name", READERS)
def test_which_readers_tell_the_sides_apart(name):
    torch.manual_seed(0)
    model = make_reader(name, hidden_size=5, **SIZES)
    sides = [Tree(AND, (Tree(TRUE), Tree(FALSE))), Tree(AND, (Tree(FALSE), Tree(TRUE)))]
    one, two = (answers(model, plan([item(tree)], 1)[0]) for tree in sides)
    assert torch.allclose(one, two, atol=1e-6) == (name == "ChildSum")


def test_the_postfix_reader_is_an_lstm_on_post_order():
    torch.manual_seed(0)
    postfix = make_reader("Postfix", hidden_size=5, **SIZES)
    items = boolean_expressions(6, depth=3, seed=2)
    said = answers(postfix, plan(items, len(items))[0])
    ordered = sorted(items, key=lambda one: len(one.tokens))
    for row, one in zip(said, ordered, strict=True):
        tokens = torch.tensor([[node.token for node in tree_nodes(one.tree)]])
        assert torch.allclose(row, postfix(tokens)[0][0], atol=1e-6)


def test_every_epoch_holds_the_same_batches_in_an_order_of_its_own():
    batches = plan(boolean_expressions(64, depth=(2, 4), seed=0), 4)
    shuffled = Shuffled(batches, seed=1)
    first, second = list(shuffled), list(shuffled)
    assert {id(batch) for batch in first} == {id(batch) for batch in second} == {id(batch) for batch in batches}
    assert [id(batch) for batch in first] != [id(batch) for batch in second]
    assert [id(batch) for batch in Shuffled(batches, seed=1)] == [id(batch) for batch in first]


def test_a_few_steps_on_trees_beat_the_rule_at_a_depth_never_trained():
    torch.manual_seed(0)
    learn, deep = plan(boolean_expressions(1_500, depth=(1, 4), seed=0), 32), boolean_depth.of_depth(7, 200)
    model = make_reader("TreeRNN", hidden_size=32, **SIZES)
    history = train(model, learn, valid=learn, steps=300, lr=1e-2, seed=0)
    assert history.steps == 300
    assert evaluate(model, deep) > boolean_depth.root_rule(deep, {AND: 0, OR: 1}) + 0.1


def test_the_roots_rule_counts_what_it_says():
    items = [
        item(Tree(AND, (Tree(TRUE, value=1), Tree(TRUE, value=1)), 1)),
        item(Tree(OR, (Tree(TRUE, value=1), Tree(FALSE, value=0)), 1)),
        item(Tree(NOT, (Tree(TRUE, value=1),), 0)),
    ]
    assert boolean_depth.root_rule(plan(items, 2), {AND: 0, OR: 1}) == pytest.approx(2 / 3)


def test_all_that_is_deep_is_exactly_so_deep():
    def height(tree):
        return 1 + max(map(height, tree.children)) if tree.children else 0

    rng = np.random.default_rng([9, 6])
    assert {height(one.tree) for one in boolean_expressions(40, depth=6, seed=rng)} == {6}
    assert sum(len(batch.targets) for batch in boolean_depth.of_depth(6, 40)) == 40


def test_both_ways_of_a_step_are_timed():
    ms = step_milliseconds(3, units=4, repeats=1, seed=0)
    assert set(ms) == {"fold", "levels", "plan"}
    assert min(ms.values()) > 0


@pytest.mark.bad_input
def test_an_unknown_reader_is_refused_by_name():
    with pytest.raises(ValueError, match="name is 'CNN'"):
        make_reader("CNN", hidden_size=3, **SIZES)


SWEPT = [name for name in ("boolean", "listops", "syntax") if f"09.{name}_rates" in stored_results(course_root(), "09")]


@pytest.mark.parametrize("name", SWEPT)
def test_the_full_runs_use_the_rates_that_validated_best(name):
    swept = stored_results(course_root(), "09")[f"09.{name}_rates"]
    (validated,) = swept.runs
    used = find_experiment(f"09.{name}").scales["full"]["rates"]
    for (reader, shares), rate in zip(validated.items(), used, strict=True):
        assert shares[swept.config["rates"].index(rate)] == max(shares), reader


def test_the_sweep_is_what_the_page_says_of_it():
    swept = stored_results(course_root(), "09")["09.boolean_rates"]
    rates, (validated,) = swept.config["rates"], swept.runs
    used = rates.index(1e-2)
    for reader, shares in validated.items():
        assert shares[used] > max(shares) - 0.002, reader  # the page's one rate is nobody's handicap
        if reader in ON_TREES:
            assert sum(share > 0.998 for share in shares) >= 4, reader
        else:
            assert 0 < int(np.argmax(shares)) < len(rates) - 1, reader


def test_three_seeds_say_what_the_page_says_of_them():
    result = load_result("09.boolean")
    assert len(result.seeds) == 3
    along = np.stack([result[f"{name}_deep"] for name in ON_TREES])  # (readers, seeds, depths)
    in_a_row = np.stack([result[f"{name}_deep"] for name in READERS if name not in ON_TREES])
    assert (along.min((0, 1)) > in_a_row.max((0, 1)) + 0.01).all()
