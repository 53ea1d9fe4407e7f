"""What clipping is worth to the IRNN: learning rates with and without it, on one length of the adding problem."""

import math
from typing import Any

import torch

from rnncourse.chapters.c04_tanh_and_gradients.experiments.adding import learn_to_add
from rnncourse.chapters.c04_tanh_and_gradients.experiments.denormals import denormals_as_zero
from rnncourse.chapters.c04_tanh_and_gradients.experiments.remedies import RATES, remedy
from rnncourse.results import experiment

WAYS = {"clipped": 1.0, "unclipped": None}
"""The largest norm of the gradient, or none."""


@experiment(
    "04.clipping",
    smoke={"seeds": 1, "rates": [1e-3, 5e-3], "length": 5, "steps": 4},
    page={"seeds": 1, "rates": [5e-3], "length": 20, "steps": 300},
    full={"seeds": 5, "rates": RATES, "length": 80, "steps": 1500},
)
def clipping(*, seed: int, rates: list[float], length: int, steps: int) -> dict[str, Any]:
    """The sentence hoped for: an IRNN whose gradient is clipped at norm 1 learns to add over 80 steps at some rate with
    every seed; unclipped, it does so at none.

    Fair by sequences, each way at every rate of the grid. It would be refuted by a rate at which every unclipped run
    solves it.

    Args:
        seed: Of weights and sequences.
        rates: Learning rates of Adam.
        length: Steps of each sequence.
        steps: The budget in gradient steps of 64 sequences.

    Returns:
        For each of :data:`WAYS`, a number for each rate: whether it was ``solved``, the ``error``, the ``sequences``
        seen, whether training ``diverged``, and the logarithm of the longest gradient, ``log10_norm``.
    """
    values: dict[str, Any] = {}
    for way, clip in WAYS.items():
        runs = []
        for lr in rates:
            torch.manual_seed(seed)
            with denormals_as_zero():
                cell = remedy("relu identity")
                runs.append(learn_to_add(cell, length=length, steps=steps, lr=lr, clip=clip, seed=seed))
        values |= {
            f"{way}_solved": [int(run.solved) for run in runs],
            f"{way}_errors": [run.error for run in runs],
            f"{way}_sequences": [run.sequences for run in runs],
            f"{way}_diverged": [int(run.diverged) for run in runs],
            f"{way}_log10_norm": [_longest(run.history.gradient_norms) for run in runs],
        }
    return values


def _longest(norms: list[float]) -> float:
    return math.log10(max(filter(math.isfinite, norms)))
