"""The optimisers that go by a name."""

from collections.abc import Callable

import torch
from torch import nn
from torch.optim import Optimizer

__all__ = ["OPTIMIZERS", "make_optimizer"]

OPTIMIZERS: dict[str, Callable[..., Optimizer]] = {
    "adam": torch.optim.Adam,
    "adamw": torch.optim.AdamW,
    "sgd": torch.optim.SGD,
    "rmsprop": torch.optim.RMSprop,
}
"""What :func:`~rnncourse.training.loop.fit` knows by name."""


def make_optimizer(
    optimizer: str | Callable[..., Optimizer],
    parameters: list[nn.Parameter],
    lr: float,
    weight_decay: float,
    momentum: float,
) -> Optimizer:
    """Returns an optimiser of the parameters.

    Args:
        optimizer: A name of :data:`OPTIMIZERS`, or a function from parameters to an optimiser.
        parameters: What is trained.
        lr: Learning rate; this and the next two are for an optimiser given by name, a function brings its own.
        weight_decay: Pull of the weights to zero.
        momentum: Left out where it is 0, since not every optimiser has one.

    Returns:
        The optimiser.

    Raises:
        ValueError: If the function returned none.
    """
    if callable(optimizer):
        made = optimizer(parameters)
        if not isinstance(made, Optimizer):
            raise ValueError(
                f"optimizer returned a {type(made).__name__}; it should return an optimiser of torch.optim"
            )
        return made
    options = {"lr": lr, "weight_decay": weight_decay}
    if momentum:
        options["momentum"] = momentum
    return OPTIMIZERS[optimizer](parameters, **options)
