"""Training mode and evaluation mode, put back as they were: of every part of a module, also after an error."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn

__all__ = ["evaluating", "modes_kept"]


@contextmanager
def modes_kept(model: nn.Module | Callable[..., Any]) -> Iterator[None]:
    """Lets a block change modes; afterwards, also after an error, every part is in the mode it was in.

    Args:
        model: A module; or a function, which has no mode.

    Example:
        >>> model = nn.Sequential(nn.Dropout(), nn.Dropout().eval())
        >>> with modes_kept(model):
        ...     model = model.train()
        >>> [part.training for part in model]
        [True, False]
    """
    parts = list(model.modules()) if isinstance(model, nn.Module) else []
    modes = [part.training for part in parts]
    try:
        yield
    finally:
        for part, mode in zip(parts, modes, strict=True):
            part.training = mode


@contextmanager
def evaluating(model: nn.Module | Callable[..., Any]) -> Iterator[None]:
    """Without gradients and without dropout; afterwards, also after an error, every part is in the mode it was in.

    Args:
        model: A module; or a function, which has no mode.

    Example:
        >>> model = nn.Dropout()
        >>> with evaluating(model):
        ...     model(torch.ones(2))
        tensor([1., 1.])
        >>> model.training
        True
    """
    with modes_kept(model), torch.no_grad():
        if isinstance(model, nn.Module):
            for part in model.modules():
                part.training = False
        yield
