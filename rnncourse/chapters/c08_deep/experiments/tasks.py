"""The three tasks on which depth is compared, chosen before anything was run: a shell game, prose, a laser."""

from collections.abc import Callable, Iterable
from functools import cache
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from rnncourse.chapters.c08_deep.experiments.networks import CharacterNetwork, network, within
from rnncourse.chapters.c08_deep.experiments.shell_game import MOVES, PLACES, shell_game
from rnncourse.data import load
from rnncourse.data.batches import Batch
from rnncourse.data.dataset import Dataset
from rnncourse.data.santa_fe_laser import SCALE, series, windows
from rnncourse.data.splits import Split
from rnncourse.models.text import next_character_loss, text_bits
from rnncourse.training.drawing import FreshBatches
from rnncourse.training.losses import accuracy, cross_entropy, mean_squared_error

GAME_STEPS, GAME_BATCH, GAME_HELD_OUT = 8, 64, 1000
EMBEDDING_SIZE, TEXT_BATCH, SEQ_LEN = 32, 16, 64
LASER_BATCH, WINDOW, WARM_UP = 32, 60, 20


class Task(NamedTuple):
    """What a network is trained and judged on.

    Attributes:
        build: From a kind and an implementation to an untrained network of the task's budget.
        batches: From a seed to batches, endless or to be read again and again.
        loss: Of a network on a batch.
        valid: A network's error on the validation part, lower is better.
        test: The same on the test part.
    """

    build: Callable[[str, str], nn.Module]
    batches: Callable[[int], Iterable[Batch]]
    loss: Callable[[nn.Module, Batch], Tensor]
    valid: Callable[[nn.Module], float]
    test: Callable[[nn.Module], float]


def never() -> bool:
    """Not enough yet: batches go on for as long as a training loop asks."""
    return False


def game_task(*, budget: int, moves_a_step: int = 2) -> Task:
    """The shell game: the share of steps at which the ball is looked for in the wrong place.

    Args:
        budget: Parameters of each network.
        moves_a_step: As for :func:`~rnncourse.chapters.c08_deep.experiments.shell_game.shell_game`.

    Returns:
        The task; every training batch is fresh.
    """
    valid, test = (
        shell_game(GAME_HELD_OUT, steps=GAME_STEPS, moves_a_step=moves_a_step, seed=np.random.default_rng([part, 8]))
        for part in (1, 2)
    )

    def build(kind: str, implementation: str) -> nn.Module:
        size = moves_a_step * len(MOVES)
        return within(
            budget,
            lambda hidden: network(kind, size, hidden, output_size=PLACES, implementation=implementation),
        )

    def draw(seed: int) -> FreshBatches:
        rng = np.random.default_rng([0, 8, seed])
        return FreshBatches(
            lambda _: shell_game(GAME_BATCH, steps=GAME_STEPS, moves_a_step=moves_a_step, seed=rng), enough=never
        )

    return Task(build, draw, step_loss, lambda model: wrong_on(model, valid), lambda model: wrong_on(model, test))


def step_loss(model: nn.Module, batch: Batch) -> Tensor:
    """The mean surprise at the right answer of each step, in nats."""
    return cross_entropy(model(batch.inputs)[0], batch.targets)


@torch.no_grad()
def wrong_on(model: nn.Module, batch: Batch) -> float:
    """The share of steps that are answered wrongly."""
    return 1 - float(accuracy(model(batch.inputs)[0], batch.targets))


@cache
def _prose(max_chars: int) -> Dataset:
    return load("prose", max_chars=max_chars)


def prose_task(*, budget: int, max_chars: int) -> Task:
    """Characters of the King James Bible: bits per character.

    Args:
        budget: Parameters of each network, embedding included.
        max_chars: Characters of training text.

    Returns:
        The task.
    """
    text = _prose(max_chars)
    characters = len(text.vocabulary)

    def build(kind: str, implementation: str) -> nn.Module:
        def made(hidden: int) -> nn.Module:
            inner = network(kind, EMBEDDING_SIZE, hidden, output_size=characters, implementation=implementation)
            return CharacterNetwork(inner, characters)

        return within(budget, made)

    return Task(
        build,
        lambda seed: text.train.batches(TEXT_BATCH, seq_len=SEQ_LEN, seed=seed, drop_last=True),
        next_character_loss,
        lambda model: text_bits(model, text.valid.codes),
        lambda model: text_bits(model, text.test.codes),
    )


@cache
def _laser() -> dict[str, Batch]:
    parts = series()
    stride = {"train": WARM_UP, "valid": WINDOW - WARM_UP, "test": WINDOW - WARM_UP}
    return {name: windows(part, WINDOW, stride[name]) for name, part in parts.items()}


def laser_task(*, budget: int) -> Task:
    """The next intensity of a chaotic laser: root mean squared error in its own unit, 0 to 255.

    The first steps of each window, read from an empty state, are not scored; valid and test windows overlap by just
    as many, so that each value is predicted once.

    Args:
        budget: Parameters of each network.

    Returns:
        The task.
    """
    parts = _laser()
    train = Split(parts["train"])

    def build(kind: str, implementation: str) -> nn.Module:
        return within(budget, lambda hidden: network(kind, 1, hidden, output_size=1, implementation=implementation))

    return Task(
        build,
        lambda seed: train.batches(LASER_BATCH, seed=seed, drop_last=True),
        warm_loss,
        lambda model: error_on(model, parts["valid"]),
        lambda model: error_on(model, parts["test"]),
    )


def warm_loss(model: nn.Module, batch: Batch) -> Tensor:
    """The mean squared error after the warm-up."""
    return mean_squared_error(model(batch.inputs)[0][:, WARM_UP:], batch.targets[:, WARM_UP:])


@torch.no_grad()
def error_on(model: nn.Module, batch: Batch) -> float:
    """The root mean squared error after the warm-up, in the laser's own unit."""
    return SCALE * float(warm_loss(model, batch)) ** 0.5
