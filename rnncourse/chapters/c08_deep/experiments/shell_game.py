"""The task built to need depth: a shell game whose moves are made two at a time, and answered once."""

import numpy as np
import torch
from torch.nn import functional as F

from rnncourse.data.batches import Batch, tagged
from rnncourse.data.synthetic import as_generator, check_at_least

PLACES = 5
"""Where the ball can be: under one of five cups."""

MOVES = (
    (1, 2, 3, 4, 0),  # every cup moves one place on, the last to the front
    (1, 0, 2, 3, 4),  # the first two change places
    (4, 3, 2, 1, 0),  # the row is turned round
)
"""The moves: entry p of one says where the ball is afterwards that was at place p."""


def shell_game(batch_size: int, *, steps: int, moves_a_step: int = 2, seed: int | np.random.Generator = 0) -> Batch:
    r"""A ball under the first of five cups; at every step the moves that are made, and where the ball is after them.

    .. math:: p_t = m_{t,k}(\dots m_{t,2}(m_{t,1}(p_{t-1})))

    where :math:`p_t` is the ball's place after step t and :math:`m_{t,1}, \dots, m_{t,k}` are the k moves of step t,
    made in this order. With k = 2 a step is a composition of two functions, and which function comes second may undo
    or redirect the first.

    Args:
        batch_size: Games, at least 1.
        steps: Steps of each game, at least 1.
        moves_a_step: How many moves k a step shows, at least 1.
        seed: Seed or generator.

    Returns:
        Inputs (batch, steps, k * 3): each move as a unit vector, one behind the other. Targets (batch, steps), places.

    Raises:
        ValueError: If a size is too small.

    Example:
        >>> batch = shell_game(1, steps=3, seed=1)
        >>> batch.inputs.shape, batch.targets.tolist()
        (torch.Size([1, 3, 6]), [[0, 0, 2]])
    """
    for name, value in (("batch_size", batch_size), ("steps", steps), ("moves_a_step", moves_a_step)):
        check_at_least(name, value, 1)
    made = as_generator(seed).integers(len(MOVES), size=(batch_size, steps, moves_a_step))
    table, places, after = np.array(MOVES), np.zeros(batch_size, dtype=np.int64), []
    for step in range(steps):
        for move in made[:, step].T:
            places = table[move, places]
        after.append(places)
    inputs = F.one_hot(torch.from_numpy(made), len(MOVES)).float().flatten(2)
    return tagged(inputs, torch.from_numpy(np.stack(after, axis=1)))
