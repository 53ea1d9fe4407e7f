"""Chapter 8 compares what it says: equal budgets, depth in one place, the same batches, tasks as described."""

import itertools

import numpy as np
import pytest
import torch

from rnncourse.chapters.c08_deep.experiments.networks import KINDS, network, parameters, set_seed_and, widths, within
from rnncourse.chapters.c08_deep.experiments.shell_game import MOVES, PLACES, shell_game
from rnncourse.chapters.c08_deep.experiments.tasks import (
    SCALE,
    WARM_UP,
    game_task,
    laser_task,
    prose_task,
    wrong_on,
)
from rnncourse.diagnostics import credit_path_of
from rnncourse.layers import Recurrent


def test_each_kind_is_deep_in_one_place_and_orthogonal():
    crossed = {}
    for kind in KINDS:
        made = network(kind, 3, 6, output_size=2, implementation="loop")
        crossed[kind] = [credit_path_of(made, lag).longest for lag in (0, 5)]
        for module in made.modules():
            if isinstance(module, Recurrent):
                matrices = [module.cell.weight_hh, *getattr(module.cell, "deep_weights", [])]
                for W in matrices:
                    assert torch.allclose(W @ W.T, torch.eye(6), atol=1e-5)
                assert module.implementation == "loop"
    assert crossed == {
        "shallow": [1, 6], "stacked": [2, 7], "deep_input": [2, 7], "deep_transition": [2, 12], "deep_output": [2, 7],
    }  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_kernel_and_loop_are_one_network(kind):
    x, outputs = torch.randn(2, 5, 3), {}
    for implementation in ("kernel", "loop"):
        made = set_seed_and(lambda form=implementation: network(kind, 3, 6, output_size=2, implementation=form), 4)
        outputs[implementation] = made(x)[0]
    assert torch.allclose(*outputs.values(), atol=1e-6)


@pytest.mark.bad_input
def test_an_unknown_kind_is_refused_by_name():
    with pytest.raises(ValueError, match="kind is 'wide'"):
        network("wide", 3, 6, output_size=2, implementation="loop")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("make", "sizes"), [(game_task, (2 * len(MOVES), PLACES)), (laser_task, (1, 1))])
def test_every_kind_comes_as_close_to_the_budget_as_one_unit_allows(kind, make, sizes):
    def count(units):
        return parameters(network(kind, sizes[0], units, output_size=sizes[1], implementation="kernel"))

    built = make(budget=2_000).build(kind, "kernel")
    assert parameters(built) == count(widths(built))
    assert all(abs(parameters(built) - 2_000) <= abs(count(widths(built) + more) - 2_000) for more in (-1, 1))


def test_the_embedding_is_part_of_the_budget():
    built = prose_task(budget=6_000, max_chars=30_000).build("stacked", "kernel")
    assert abs(parameters(built) - 6_000) < 150  # one unit more or less
    assert parameters(built) - parameters(built.network) == built.embedding.weight.numel()


def test_within_draws_from_the_seed_alone():
    first, second = (set_seed_and(lambda: within(500, lambda n: torch.nn.Linear(9, n)), 1) for _ in range(2))
    assert torch.equal(first.weight, second.weight)
    assert first.out_features == 50


def test_a_game_is_the_moves_made_one_after_the_other():
    batch = shell_game(50, steps=6, moves_a_step=2, seed=0)
    made = batch.inputs.view(50, 6, 2, len(MOVES)).argmax(3)
    for game, told in zip(made.tolist(), batch.targets.tolist(), strict=True):
        ball = 0
        for step, answer in zip(game, told, strict=True):
            for move in step:
                ball = MOVES[move][ball]
            assert ball == answer
    assert (batch.inputs.view(50, 6, 2, 3).sum(3) == 1).all()


def test_moves_rearrange_the_cups_and_do_not_commute():
    assert all(sorted(move) == list(range(PLACES)) for move in MOVES)
    for a, b in itertools.permutations(MOVES, 2):
        assert [b[a[p]] for p in range(PLACES)] != [a[b[p]] for p in range(PLACES)]


@pytest.mark.bad_input
@pytest.mark.parametrize("name", ["batch_size", "steps", "moves_a_step"])
def test_a_game_without_games_steps_or_moves_is_refused(name):
    sizes = {"batch_size": 1, "steps": 1, "moves_a_step": 1} | {name: 0}
    with pytest.raises(ValueError, match=f"{name} is 0"):
        shell_game(sizes.pop("batch_size"), **sizes)


def test_wrong_is_the_share_of_steps():
    batch = shell_game(10, steps=4, seed=1)

    class Knows(torch.nn.Module):
        def forward(self, x, state=None):
            scores = torch.nn.functional.one_hot(batch.targets, PLACES).float()
            scores[:2] = -scores[:2]  # two games of ten all wrong
            return scores, state

    assert wrong_on(Knows(), batch) == pytest.approx(0.2)


def test_training_batches_are_the_same_for_every_kind_and_not_those_of_the_test():
    task = game_task(budget=1_000)
    one, other = (next(iter(task.batches(3))) for _ in range(2))
    assert torch.equal(one.inputs, other.inputs)
    assert not torch.equal(one.inputs, next(iter(task.batches(4))).inputs)


def test_the_laser_is_scored_after_the_warm_up_once_for_each_value():
    task = laser_task(budget=500)

    class Says(torch.nn.Module):
        def forward(self, x, state=None):
            y = x.clone()
            y[:, :WARM_UP] = 1e6  # never looked at
            return y, state

    assert task.test(Says()) < SCALE
    batch = next(iter(task.batches(0)))
    assert np.isfinite(task.loss(Says(), batch).item())
    assert task.loss(Says(), batch).item() < 1
    assert widths(task.build("stacked", "kernel")) < widths(task.build("shallow", "kernel"))
