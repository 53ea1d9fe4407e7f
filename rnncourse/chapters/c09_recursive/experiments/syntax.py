"""Python's syntax trees: guessing the first word of a function's name, with networks and by counting."""

from collections import Counter
from collections.abc import Iterator, Sequence
from functools import cache

import torch
from torch import Tensor, nn

from rnncourse.chapters.c09_recursive.experiments.readers import Planned, evaluate, plan, reader_of_budget, train
from rnncourse.data import load
from rnncourse.data.baselines import Guess, LinearFit
from rnncourse.data.dataset import Dataset
from rnncourse.data.trees import TreeItem, tree_nodes
from rnncourse.results import experiment
from rnncourse.training.losses import accuracy, cross_entropy

COMPARED = ("ChildSum", "LSTM", "BiLSTM")
"""The networks that are compared; a function has any number of statements, so no place can have weights of its own."""

COUNTED = ("types", "pairs")
"""What is counted: node types, or those and every pair of a node's type and its parent's."""

EMBEDDING, BATCH_SIZE = 32, 32


@cache
def functions() -> Dataset:
    """The data set ``python_syntax``."""
    return load("python_syntax")


@cache
def planned(count: int) -> dict[str, list[Planned]]:
    """The functions, planned.

    Args:
        count: At most so many of each split.

    Returns:
        Batches by split.
    """
    return {name: plan(part.items[:count], BATCH_SIZE) for name, part in functions().splits.items()}


def syntax_reader(name: str, budget: int) -> nn.Module:
    """A network that reads a function, within a budget of parameters."""
    data = functions()
    sizes = {"classes": len(data.target_vocabulary), "symbols": len(data.vocabulary)}
    return reader_of_budget(name, budget, embedding=EMBEDDING, **sizes)


def train_syntax(name: str, *, seed: int, steps: int, lr: float, budget: int, count: int):
    """One network, drawn and trained.

    Args:
        name: One of :data:`COMPARED`.
        seed: Of weights and order.
        steps: Gradient steps of 32 functions each.
        lr: Learning rate.
        budget: Parameters.
        count: At most so many functions of each split.

    Returns:
        The model, and how its training went.
    """
    data = planned(count)
    torch.manual_seed(seed)
    model = syntax_reader(name, budget)
    options = {"steps": steps, "lr": lr, "seed": seed, "validations": 10, "weight_decay": 0.1}
    return model, train(model, data["train"], valid=data["valid"], **options)


def features(item: TreeItem, *, pairs: bool) -> Iterator[tuple[int, ...]]:
    """What is counted in a tree: every node's type, and every pair of a parent's and a child's.

    Args:
        item: A function.
        pairs: Whether pairs are counted, too.

    Yields:
        One key for each type and pair that stands there.
    """
    for node in tree_nodes(item.tree):
        yield (node.token,)
        if pairs:
            for child in node.children:
                yield node.token, child.token


def counts(items: Sequence[TreeItem], columns: dict[tuple[int, ...], int], *, pairs: bool) -> Tensor:
    """The logarithm of one plus how often each feature stands in each tree, of shape (functions, features)."""
    table = torch.zeros(len(items), len(columns))
    for row, item in enumerate(items):
        for key, number in Counter(features(item, pairs=pairs)).items():
            if key in columns:
                table[row, columns[key]] = number
    return table.log1p()


def by_counting(kind: str, *, count: int, decays: Sequence[float], steps: int) -> float:
    """Logistic regression on counts: no order, no nesting beyond a parent and its child.

    Args:
        kind: One of :data:`COUNTED`.
        count: At most so many functions of each split.
        decays: Pulls of the weights to zero, of which validation chooses one.
        steps: Gradient steps over all functions at once.

    Returns:
        The share of test functions whose word is right.
    """
    pairs = kind == "pairs"
    parts = {name: part.items[:count] for name, part in functions().splits.items()}
    seen = Counter(key for item in parts["train"] for key in set(features(item, pairs=pairs)))
    columns = {key: place for place, key in enumerate(key for key, number in seen.items() if number > 1)}
    x = {name: counts(items, columns, pairs=pairs) for name, items in parts.items()}
    y = {name: torch.tensor([item.target for item in items]) for name, items in parts.items()}
    tried = []
    for decay in decays:
        model = nn.Linear(len(columns), len(functions().target_vocabulary))
        nn.init.zeros_(model.weight)
        nn.init.zeros_(model.bias)
        optimizer = torch.optim.Adam(model.parameters(), lr=0.03)
        for _ in range(steps):
            optimizer.zero_grad()
            (cross_entropy(model(x["train"]), y["train"]) + decay * model.weight.square().sum()).backward()
            optimizer.step()
        with torch.no_grad():
            tried.append(tuple(float(accuracy(model(x[name]), y[name])) for name in ("valid", "test")))
    return max(tried, key=lambda pair: pair[0])[1]


@experiment(
    "09.syntax_rates",
    smoke={"seeds": 1, "steps": 2, "rates": [1e-2], "budget": 10_000, "count": 64},
    page={"seeds": 1, "steps": 150, "rates": [3e-3, 1e-2], "budget": 30_000, "count": 3_000},
    full={"seeds": 1, "steps": 400, "rates": [2e-3, 5e-3, 1e-2, 2e-2, 4e-2], "budget": 30_000, "count": 3_000},
)
def syntax_rates(*, seed: int, steps: int, rates: list[float], budget: int, count: int) -> dict:
    """The learning rate of each network of ``09.syntax``, at the length and schedule of its run, by validation.

    Args:
        seed: Of weights and order.
        steps: Gradient steps of each run.
        rates: Learning rates to try, the same for all.
        budget: Parameters of each network.
        count: At most so many functions of each split.

    Returns:
        For each network the best share of right answers on validation functions at every rate.
    """
    sizes = {"steps": steps, "budget": budget, "count": count}
    return {name: [1 - train_syntax(name, seed=seed, lr=lr, **sizes)[1].best for lr in rates] for name in COMPARED}


@experiment(
    "09.syntax",
    smoke={"seeds": 1, "steps": 2, "rates": [1e-2] * 3, "budget": 10_000, "count": 64, "decays": [1e-3], "fits": 5},
    page={
        "seeds": 1,
        "steps": 200,
        "rates": [1e-2] * 3,
        "budget": 30_000,
        "count": 3_000,
        "decays": [1e-4, 1e-3],
        "fits": 100,
    },
    full={
        "seeds": 3,
        "steps": 400,
        "rates": [2e-2, 5e-3, 5e-3],
        "budget": 30_000,
        "count": 3_000,
        "decays": [1e-5, 3e-5, 1e-4, 3e-4, 1e-3],
        "fits": 200,
    },
    also=(Guess, LinearFit),  # what a data set's baselines are kept as
)
def syntax(
    *, seed: int, steps: int, rates: list[float], budget: int, count: int, decays: list[float], fits: int
) -> dict:
    """Three networks of equal size on real trees, beside two rules that only count.

    The sentence hoped for: at equal parameters and equal steps the child-sum Tree-LSTM guesses more words than the
    sequence readers, and more than logistic regression on node types and pairs. It is refuted if any of them is level
    with it: means within two standard errors of their paired difference over seeds.

    Args:
        seed: Of weights and order; the rules that count do not depend on it.
        steps: Gradient steps.
        rates: The learning rate of each network, in their order, as ``09.syntax_rates`` chose them.
        budget: Parameters of each network.
        count: At most so many functions of each split.
        decays: For the rules that count.
        fits: Gradient steps of the rules that count.

    Returns:
        The share of test functions whose word is right: for each network, for each rule, and for the data set's own
        baselines; and the networks' parameters and units.
    """
    data = planned(count)
    values: dict = {"majority": functions().baselines["majority"].value}
    values["bayes"] = functions().baselines["naive Bayes"].value
    for kind in COUNTED:
        values[kind] = by_counting(kind, count=count, decays=decays, steps=fits)
    for name, lr in zip(COMPARED, rates, strict=True):
        model, _ = train_syntax(name, seed=seed, steps=steps, lr=lr, budget=budget, count=count)
        values |= {
            f"{name}_test": evaluate(model, data["test"]),
            f"{name}_parameters": sum(parameter.numel() for parameter in model.parameters()),
            f"{name}_hidden": model.layer.output_size,
        }
    return values
