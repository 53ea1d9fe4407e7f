"""Boolean expressions deeper than any that was trained on: readers along the tree against readers along the symbols."""

from functools import cache

import numpy as np
import torch

from rnncourse.chapters.c09_recursive.experiments.readers import (
    READERS,
    Planned,
    evaluate,
    plan,
    reader_of_budget,
    train,
)
from rnncourse.data.boolean_expressions import SYMBOLS, boolean_expressions, load
from rnncourse.results import experiment

EMBEDDING, BATCH_SIZE = 16, 64


@cache
def expressions(count: int) -> dict[str, list[Planned]]:
    """Train, valid and test expressions of depth 1 to 5, planned.

    Args:
        count: Expressions to draw.

    Returns:
        Batches by split.
    """
    splits = load(count=count, held_out=1).splits
    return {name: plan(splits[name].items, BATCH_SIZE) for name in ("train", "valid", "test")}


@cache
def of_depth(depth: int, count: int) -> list[Planned]:
    """Expressions of exactly one depth, in one batch; deeper than 5 they were never trained on.

    Args:
        depth: Edges from the root to the farthest leaf.
        count: How many to draw.

    Returns:
        One batch.
    """
    return plan(boolean_expressions(count, depth=depth, seed=np.random.default_rng([9, depth])), count)


def boolean_reader(name: str, budget: int):
    """A reader of Boolean expressions within a budget of parameters, as in ``09.boolean``."""
    return reader_of_budget(name, budget, embedding=EMBEDDING, classes=2, symbols=len(SYMBOLS))


def train_boolean(name: str, *, seed: int, steps: int, lr: float, budget: int, count: int):
    """One reader, drawn and trained.

    Args:
        name: One of :data:`~rnncourse.chapters.c09_recursive.experiments.readers.READERS`.
        seed: Of weights and order.
        steps: Gradient steps of 64 expressions each.
        lr: Learning rate.
        budget: Parameters.
        count: Expressions to draw.

    Returns:
        The model, and how its training went.
    """
    data = expressions(count)
    torch.manual_seed(seed)
    model = boolean_reader(name, budget)
    return model, train(model, data["train"], valid=data["valid"], steps=steps, lr=lr, seed=seed)


def root_rule(batches: list[Planned], answer: dict[int, int]) -> float:
    """How often the symbol at the root alone gives the value away.

    Args:
        batches: Expressions.
        answer: From the root's symbol to what is guessed.

    Returns:
        The share that is right.
    """
    right = total = 0
    for batch in batches:
        roots = batch.inputs[:, 0].tolist()
        right += sum(answer.get(root, 0) == target for root, target in zip(roots, batch.targets.tolist(), strict=True))
        total += len(roots)
    return right / total


@experiment(
    "09.boolean_rates",
    smoke={"seeds": 1, "steps": 2, "rates": [1e-3, 1e-2], "budget": 3_000, "count": 300},
    page={"seeds": 1, "steps": 300, "rates": [3e-3, 1e-2], "budget": 8_000, "count": 20_000},
    full={"seeds": 1, "steps": 600, "rates": [1e-3, 3e-3, 1e-2, 3e-2, 6e-2], "budget": 8_000, "count": 20_000},
)
def boolean_rates(*, seed: int, steps: int, rates: list[float], budget: int, count: int) -> dict:
    """The learning rate of each reader of ``09.boolean``, at the length and schedule of its run, by validation.

    Args:
        seed: Of weights and order.
        steps: Gradient steps of each run.
        rates: Learning rates to try, the same for all.
        budget: Parameters of each reader.
        count: Expressions to draw.

    Returns:
        For each reader the best share of right answers on validation expressions at every rate.
    """
    return {
        name: [
            1 - train_boolean(name, seed=seed, steps=steps, lr=lr, budget=budget, count=count)[1].best for lr in rates
        ]
        for name in READERS
    }


@experiment(
    "09.boolean",
    smoke={"seeds": 1, "steps": 2, "rates": [1e-2] * 6, "budget": 3_000, "count": 300, "deep": [6], "each": 20},
    page={
        "seeds": 1,
        "steps": 600,
        "rates": [1e-2] * 6,
        "budget": 8_000,
        "count": 20_000,
        "deep": [6, 8],
        "each": 500,
    },
    full={
        "seeds": 3,
        "steps": 600,
        "rates": [1e-2, 1e-2, 1e-2, 1e-2, 1e-2, 3e-2],
        "budget": 8_000,
        "count": 20_000,
        "deep": [6, 7, 8, 9, 10],
        "each": 1_000,
    },
)
def boolean(*, seed: int, steps: int, rates: list[float], budget: int, count: int, deep: list[int], each: int) -> dict:
    """Six readers of equal size after equally many expressions, tested beyond the depth that they were trained on.

    The sentence hoped for: at equal parameters and equal steps, readers along the tree keep their accuracy on
    expressions of depth 8, where trained ones go to 5, and readers along the symbols lose theirs. It is refuted if any
    sequence reader at its own best rate comes within a hundredth of the best tree reader at depth 8.

    Args:
        seed: Of weights and order.
        steps: Gradient steps.
        rates: The learning rate of each reader, in their order, as ``09.boolean_rates`` chose them.
        budget: Parameters of each reader, embedding and readout included.
        count: Expressions to draw.
        deep: Depths beyond those trained.
        each: Expressions to draw of each such depth.

    Returns:
        For each reader the share right on test expressions of depths trained (``_test``) and of each greater depth
        (``_deep``), its parameters and units; and what the root's symbol alone gives away (``root_test``,
        ``root_deep``).
    """
    test, beyond = expressions(count)["test"], [of_depth(depth, each) for depth in deep]
    values: dict = {}
    for name, lr in zip(READERS, rates, strict=True):
        model, _ = train_boolean(name, seed=seed, steps=steps, lr=lr, budget=budget, count=count)
        values |= {
            f"{name}_test": evaluate(model, test),
            f"{name}_deep": [evaluate(model, batches) for batches in beyond],
            f"{name}_parameters": sum(parameter.numel() for parameter in model.parameters()),
            f"{name}_hidden": model.layer.output_size,
        }
    by_root = {SYMBOLS.index("[and"): 0, SYMBOLS.index("[or"): 1}
    values["root_test"] = root_rule(test, by_root)
    values["root_deep"] = [root_rule(batches, by_root) for batches in beyond]
    return values
