"""Where depth pays: a shallow network and four deep ones, equally large, on three tasks, by steps and by seconds.

The sentence that the page hopes to print: *depth pays where the task composes functions, and there only: on the shell
game, whose step is a composition of two moves, the deep transition beats the shallow network of equally many
parameters on every seed, by equal steps and by equal seconds; on prose and on the laser no kind does.* It is refuted
by a seed of the shallow network that is level with the deep transition's on the game, or by a deep kind that is ahead
on prose or the laser on every seed. The run that takes the cause away and nothing else is ``08.one_move``.

What came out: it is refuted, twice. Two seeds of five of the deep transition did not learn the game, and one of them
ended behind the shallow network; the deep input, of which the sentence says nothing, learned it on all five, and it is
ahead on every seed of the laser, too. On prose no deep kind is ahead.
"""

import math
import time
from typing import Any

import torch

from rnncourse.chapters.c08_deep.experiments.networks import KINDS, parameters, set_seed_and, widths
from rnncourse.chapters.c08_deep.experiments.tasks import Task, game_task, laser_task, prose_task
from rnncourse.results import experiment
from rnncourse.training import Diverged, History, cosine, fit

LOOKS = 2
"""How often a run looks at the validation part; the weights that do best there are kept."""


def train(kind: str, task: Task, *, seed: int, steps: int, lr: float) -> tuple[torch.nn.Module, History]:
    """Trains one kind of network on a task.

    Args:
        kind: One of ``KINDS``.
        task: What to learn.
        seed: Of the weights and of the batches, which are the same for every kind.
        steps: Gradient steps.
        lr: Adam's learning rate at its highest; it rises for the first steps and falls along a cosine to zero.

    Returns:
        The network with the weights that validated best, and how its training went.

    Raises:
        rnncourse.training.Diverged: If the loss is no longer a number.
    """
    model = set_seed_and(lambda: task.build(kind, "kernel"), seed)
    history = fit(
        model,
        task.batches(seed),
        loss=task.loss,
        steps=steps,
        lr=lr,
        schedule=cosine(steps, warmup=min(50, steps // 2)),
        validate=task.valid,
        validate_every=max(1, steps // LOOKS),
        seed=seed,
        progress=False,
    )
    return model, history


def outcome(kind: str, task: Task, **options: Any) -> dict[str, float]:
    """The validation and the test error of one training run; NaN where it diverged."""
    try:
        model, history = train(kind, task, **options)
    except Diverged:
        return {"valid": math.nan, "test": math.nan}
    return {"valid": history.best, "test": task.test(model)}


def all_kinds(task: Task, *, seed: int, rates: list[float], steps: int, steps_by_seconds: list[int]) -> dict[str, Any]:
    """Every kind at its rate: for equally many steps, and for the steps that the shallow network's seconds pay for."""
    values: dict[str, Any] = {}
    for kind, lr, paid in zip(KINDS, rates, steps_by_seconds, strict=True):
        untrained = set_seed_and(lambda kind=kind: task.build(kind, "kernel"), seed)
        values |= {f"{kind}_units": widths(untrained), f"{kind}_parameters": parameters(untrained)}
        by_steps = outcome(kind, task, seed=seed, steps=steps, lr=lr)
        by_seconds = by_steps if paid == steps else outcome(kind, task, seed=seed, steps=paid, lr=lr)
        for key, value in by_steps.items():
            values[f"{kind}_steps_{key}"] = value
        for key, value in by_seconds.items():
            values[f"{kind}_seconds_{key}"] = value
    return values


@experiment(
    "08.rates",
    smoke={
        "seeds": 1, "rates": [1e-3, 3e-3], "steps": [2, 2, 2], "budgets": [1_000, 6_000, 500], "max_chars": 30_000,
    },
    page={
        "seeds": 1, "rates": [3e-3, 1e-2], "steps": [60, 30, 30], "budgets": [8_000, 12_000, 3_000],
        "max_chars": 300_000,
    },
    full={
        "seeds": 1,
        "rates": [2e-3, 4e-3, 8e-3, 1.6e-2, 3.2e-2],
        "steps": [800, 200, 200],
        "budgets": [8_000, 12_000, 3_000],
        "max_chars": 300_000,
    },
)  # fmt: skip
def rates(
    *, seed: int, rates: list[float], steps: list[int], budgets: list[int], max_chars: int
) -> dict[str, list[float]]:
    """Every kind at every learning rate on every task, at the length of the final runs; a seed that those do not use.

    Args:
        seed: Of weights and batches, plus 1000.
        rates: Learning rates to try.
        steps: Gradient steps on the game, on prose and on the laser.
        budgets: Parameters on each.
        max_chars: Characters of training text.

    Returns:
        ``game_``, ``prose_`` and ``laser_`` with each kind: the validation errors, one for each rate.
    """
    tasks = {
        "game": game_task(budget=budgets[0]),
        "prose": prose_task(budget=budgets[1], max_chars=max_chars),
        "laser": laser_task(budget=budgets[2]),
    }
    return {
        f"{name}_{kind}": [
            outcome(kind, task, seed=1000 + seed, steps=count, lr=lr)["valid"] for lr in rates
        ]
        for (name, task), count in zip(tasks.items(), steps, strict=True)
        for kind in KINDS
    }  # fmt: skip


@experiment(
    "08.higher_rates",
    smoke={"seeds": 1, "rates": [1e-2], "steps": 2, "budgets": [6_000, 500], "max_chars": 30_000},
    page={"seeds": 1, "rates": [6.4e-2], "steps": 30, "budgets": [12_000, 3_000], "max_chars": 300_000},
    full={"seeds": 1, "rates": [6.4e-2, 1.28e-1], "steps": 200, "budgets": [12_000, 3_000], "max_chars": 300_000},
)
def higher_rates(
    *, seed: int, rates: list[float], steps: int, budgets: list[int], max_chars: int
) -> dict[str, list[float]]:
    """The two tasks on which ``08.rates`` chose its highest rate, at higher ones; everything else is the same.

    Args:
        seed: Of weights and batches, plus 1000.
        rates: Learning rates to try.
        steps: Gradient steps.
        budgets: Parameters on prose and on the laser.
        max_chars: Characters of training text.

    Returns:
        ``prose_`` and ``laser_`` with each kind: the validation errors, one for each rate.
    """
    tasks = {"prose": prose_task(budget=budgets[0], max_chars=max_chars), "laser": laser_task(budget=budgets[1])}
    return {
        f"{name}_{kind}": [outcome(kind, task, seed=1000 + seed, steps=steps, lr=lr)["valid"] for lr in rates]
        for name, task in tasks.items()
        for kind in KINDS
    }


@experiment(
    "08.cost",
    smoke={"seeds": 1, "repeats": 1, "budgets": [1_000, 6_000, 500], "max_chars": 30_000},
    page={"seeds": 1, "repeats": 5, "budgets": [8_000, 12_000, 3_000], "max_chars": 30_000},
    full={"seeds": 1, "repeats": 11, "budgets": [8_000, 12_000, 3_000], "max_chars": 300_000},
)
def cost(*, seed: int, repeats: int, budgets: list[int], max_chars: int) -> dict[str, float]:
    """What one training step of each kind costs on each task: measured, so a little different each time.

    The networks take turns, so that a machine that is busy for a while is busy for all of them; the median counts.

    Args:
        seed: Of weights and batches.
        repeats: How many steps are timed for each; one more is thrown away before.
        budgets: Parameters on the game, on prose and on the laser.
        max_chars: Characters of training text.

    Returns:
        CPU milliseconds a step: ``_loop_ms`` with the readable loop, the one form that every kind has, and
        ``_kernel_ms`` with the hand-written backward pass where there is one.
    """
    tasks = {
        "game": game_task(budget=budgets[0]),
        "prose": prose_task(budget=budgets[1], max_chars=max_chars),
        "laser": laser_task(budget=budgets[2]),
    }
    values = {}
    for name, task in tasks.items():
        batch = next(iter(task.batches(seed)))
        models = {
            f"{name}_{kind}_{form}_ms": set_seed_and(
                lambda task=task, kind=kind, form=form: task.build(kind, form), seed
            )
            for kind in KINDS
            for form in ("loop", "kernel")
        }
        optimizers = {key: torch.optim.Adam(model.parameters(), lr=1e-4) for key, model in models.items()}
        spent: dict[str, list[float]] = {key: [] for key in models}
        for _ in range(repeats + 1):
            for key, model in models.items():
                started = time.process_time()
                optimizers[key].zero_grad(set_to_none=True)
                task.loss(model, batch).backward()
                optimizers[key].step()
                spent[key].append(1000 * (time.process_time() - started))
        values |= {key: sorted(times[1:])[len(times[1:]) // 2] for key, times in spent.items()}
    return values


SMOKE = {"seeds": 1, "rates": [3e-3] * 5, "steps": 3, "steps_by_seconds": [3, 2, 3, 2, 3]}


@experiment(
    "08.game",
    smoke={**SMOKE, "budget": 1_000},
    page={
        "seeds": 1, "rates": [1e-2] * 5, "steps": 200, "steps_by_seconds": [200, 130, 200, 140, 200],
        "budget": 8_000,
    },
    full={
        "seeds": 5,
        "rates": [0.016, 0.008, 0.016, 0.016, 0.016],
        "steps": 800,
        "steps_by_seconds": [800, 610, 790, 770, 880],
        "budget": 8_000,
    },
)  # fmt: skip
def game(*, seed: int, rates: list[float], steps: int, steps_by_seconds: list[int], budget: int) -> dict[str, Any]:
    """The shell game, two moves a step.

    Args:
        seed: Of weights and batches.
        rates: The learning rate of each kind, as ``08.rates`` chose it.
        steps: Gradient steps of each kind.
        steps_by_seconds: Gradient steps of each kind that cost what the shallow network's ``steps`` cost (``08.cost``).
        budget: Parameters of each network.

    Returns:
        For each kind its units, its parameters, and the share of wrong answers on the validation and the test games,
        ``_steps_`` after equally many steps and ``_seconds_`` after equally many seconds.
    """
    options = {"rates": rates, "steps": steps, "steps_by_seconds": steps_by_seconds}
    return all_kinds(game_task(budget=budget), seed=seed, **options)


@experiment(
    "08.one_move",
    smoke={"seeds": 1, "rates": [3e-3] * 5, "steps": 3, "budget": 1_000},
    page={"seeds": 1, "rates": [1e-2] * 5, "steps": 200, "budget": 8_000},
    full={"seeds": 3, "rates": [0.016, 0.008, 0.016, 0.016, 0.016], "steps": 800, "budget": 8_000},
)
def one_move(*, seed: int, rates: list[float], steps: int, budget: int) -> dict[str, float]:
    """The shell game with one move a step: the same moves, cups, budget and rates, and nothing to compose in a step.

    Args:
        seed: Of weights and batches.
        rates: The learning rate of each kind, as in ``08.game``.
        steps: Gradient steps.
        budget: Parameters of each network.

    Returns:
        For each kind the share of wrong answers on the test games.
    """
    task = game_task(budget=budget, moves_a_step=1)
    return {
        kind: outcome(kind, task, seed=seed, steps=steps, lr=lr)["test"]
        for kind, lr in zip(KINDS, rates, strict=True)
    }  # fmt: skip


@experiment(
    "08.prose",
    smoke={**SMOKE, "budget": 6_000, "max_chars": 30_000},
    page={
        "seeds": 1, "rates": [8e-3] * 5, "steps": 60, "steps_by_seconds": [60, 40, 60, 40, 60],
        "budget": 12_000, "max_chars": 300_000,
    },
    full={
        "seeds": 5,
        "rates": [0.064, 0.032, 0.064, 0.032, 0.032],
        "steps": 200,
        "steps_by_seconds": [200, 130, 200, 150, 180],
        "budget": 12_000,
        "max_chars": 300_000,
    },
)  # fmt: skip
def prose(
    *, seed: int, rates: list[float], steps: int, steps_by_seconds: list[int], budget: int, max_chars: int
) -> dict[str, Any]:
    """Characters of English prose.

    Args:
        seed: Of weights and windows.
        rates: The learning rate of each kind, as ``08.rates`` chose it.
        steps: Gradient steps of each kind.
        steps_by_seconds: As for ``08.game``.
        budget: Parameters of each network.
        max_chars: Characters of training text.

    Returns:
        As ``08.game``, in bits per character.
    """
    options = {"rates": rates, "steps": steps, "steps_by_seconds": steps_by_seconds}
    return all_kinds(prose_task(budget=budget, max_chars=max_chars), seed=seed, **options)


@experiment(
    "08.laser",
    smoke={**SMOKE, "budget": 500},
    page={
        "seeds": 1, "rates": [8e-3] * 5, "steps": 60, "steps_by_seconds": [60, 40, 60, 40, 60], "budget": 3_000,
    },
    full={
        "seeds": 5,
        "rates": [0.032, 0.064, 0.064, 0.032, 0.032],
        "steps": 200,
        "steps_by_seconds": [200, 100, 150, 120, 190],
        "budget": 3_000,
    },
)  # fmt: skip
def laser(*, seed: int, rates: list[float], steps: int, steps_by_seconds: list[int], budget: int) -> dict[str, Any]:
    """The next intensity of a chaotic laser.

    Args:
        seed: Of weights and windows.
        rates: The learning rate of each kind, as ``08.rates`` chose it.
        steps: Gradient steps of each kind.
        steps_by_seconds: As for ``08.game``.
        budget: Parameters of each network.

    Returns:
        As ``08.game``, in the laser's own unit: root mean squared errors.
    """
    options = {"rates": rates, "steps": steps, "steps_by_seconds": steps_by_seconds}
    return all_kinds(laser_task(budget=budget), seed=seed, **options)
