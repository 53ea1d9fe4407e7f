"""The ablation on the adding problem once more, each variant with gates spread over time scales and its own rate."""

from typing import Any

import torch

from rnncourse.chapters.c04_tanh_and_gradients.experiments.adding import learn_to_add
from rnncourse.chapters.c04_tanh_and_gradients.experiments.denormals import denormals_as_zero
from rnncourse.chapters.c05_lstm.experiments.ablation import variant
from rnncourse.chapters.c05_lstm.experiments.starts import chrono
from rnncourse.results import experiment

VARIANTS = ("full", "NIG", "NFG", "NOG", "CIFG")
"""The whole LSTM, and those without a gate of their own."""

RATES = [2e-3, 5e-3, 1e-2, 2e-2, 5e-2]


@experiment(
    "05.ablation_chrono",
    smoke={"seeds": 1, "variants": ["NIG", "CIFG"], "rates": [5e-3], "length": 4, "steps": 2, "hidden_size": 4},
    page={"seeds": 1, "variants": ["full"], "rates": [5e-3], "length": 10, "steps": 300, "hidden_size": 16},
    full={"seeds": 5, "variants": list(VARIANTS), "rates": RATES, "length": 30, "steps": 1000, "hidden_size": 16},
)
def ablation_chrono(
    *, seed: int, variants: list[str], rates: list[float], length: int, steps: int, hidden_size: int
) -> dict[str, Any]:
    """The sentence hoped for: with gates that start by chrono, and each at its best rate, every LSTM that has an input
    gate adds lists of 30 with every seed, whatever else it lacks; without an input gate none does.

    Fair by units and by sequences. It would be refuted by one seed without an input gate that solves it, or by another
    variant that does not solve it with every seed at any rate. Where there is no forget gate it is 1, and chrono starts
    the input gate alone.

    Args:
        seed: Of weights and sequences.
        variants: Names of :data:`VARIANTS`.
        rates: Learning rates of Adam.
        length: Steps of each list, and the longest time scale.
        steps: The budget in gradient steps of 64 lists.
        hidden_size: Units.

    Returns:
        For each variant, a number for each rate: whether it was ``solved``, the ``error`` and the ``sequences``.
    """
    values: dict[str, Any] = {}
    for name in variants:
        runs = []
        for lr in rates:
            torch.manual_seed(seed)
            cell = chrono(variant(name, 2, hidden_size), length)
            with denormals_as_zero():
                runs.append(learn_to_add(cell, length=length, steps=steps, lr=lr, seed=seed))
        values |= {
            f"{name}: solved": [int(run.solved) for run in runs],
            f"{name}: error": [run.error for run in runs],
            f"{name}: sequences": [run.sequences for run in runs],
        }
    return values
