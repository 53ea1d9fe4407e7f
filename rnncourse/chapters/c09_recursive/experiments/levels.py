"""The same trees node by node and depth by depth: what a training step costs."""

import time

import torch

from rnncourse.data.listops import SYMBOLS, listops
from rnncourse.models import TreeClassifier
from rnncourse.results import experiment
from rnncourse.training.losses import cross_entropy
from rnncourse.trees import ChildSumTreeLSTMCell, Forest, TreeLayer, node_numbers


def step_milliseconds(batch_size: int, *, units: int, repeats: int, seed: int) -> dict[str, float]:
    """CPU milliseconds of a loss and its gradient, and of planning the batch; the two ways take turns.

    Args:
        batch_size: Expressions of ListOps in the batch.
        units: Features of a symbol, and units.
        repeats: How often each is timed; one more is thrown away. The median counts.
        seed: Of expressions and weights.

    Returns:
        Under ``fold`` node by node, under ``levels`` depth by depth, both with the batch planned; under ``plan`` the
        planning.
    """
    items = listops(4 * batch_size + 20, seed=seed)[:batch_size]
    trees = [item.tree for item in items]
    targets = torch.tensor([item.target for item in items])
    torch.manual_seed(seed)
    cell = ChildSumTreeLSTMCell(units, units)
    models = {
        way: TreeClassifier(TreeLayer(cell, implementation=way), 10, vocab_size=len(SYMBOLS))
        for way in ("fold", "levels")
    }
    spent: dict[str, list[float]] = {"plan": [], "fold": [], "levels": []}
    for _ in range(repeats + 1):
        started = time.process_time()
        forest, numbers = Forest.of(trees), node_numbers(trees)
        spent["plan"].append(time.process_time() - started)
        for way, model in models.items():
            started = time.process_time()
            cross_entropy(model(numbers, trees=forest)[0], targets).backward()
            spent[way].append(time.process_time() - started)
    return {way: 1000 * sorted(times[1:])[repeats // 2] for way, times in spent.items()}


@experiment(
    "09.levels",
    smoke={"seeds": 1, "sizes": [1, 4], "units": 8, "repeats": 1},
    page={"seeds": 1, "sizes": [1, 16], "units": 48, "repeats": 3},
    full={"seeds": 3, "sizes": [1, 4, 16, 64], "units": 48, "repeats": 3},
)
def levels(*, seed: int, sizes: list[int], units: int, repeats: int) -> dict:
    """How much sooner a training step is done depth by depth, by batch size: measured, so a little different each time.

    Args:
        seed: Of expressions and weights.
        sizes: Batch sizes.
        units: Units.
        repeats: How often each step is timed.

    Returns:
        For each batch size the CPU milliseconds node by node (``fold``), depth by depth (``levels``) and for planning
        (``plan``).
    """
    rows = [step_milliseconds(size, units=units, repeats=repeats, seed=seed) for size in sizes]
    return {way: [row[way] for row in rows] for way in rows[0]}
