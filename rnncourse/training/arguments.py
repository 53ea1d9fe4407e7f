"""What a training run refuses before its first step, and a loss after its first call."""

import math

from torch import Tensor, nn

from rnncourse.checks import check_callable, check_kind, check_positive, check_positive_number
from rnncourse.training.optimizers import OPTIMIZERS

__all__ = ["check_arguments", "check_loss"]


def check_arguments(
    *, model, batches, loss, epochs, steps, optimizer, lr, weight_decay, momentum, schedule, clip, validate,
    validate_every, patience, seed, checkpoint, checkpoint_every, progress,
) -> None:  # fmt: skip
    """Refuse arguments of :func:`~rnncourse.training.loop.fit` that make no sense."""
    check_kind("model", model, nn.Module)
    if not hasattr(batches, "__iter__") and not hasattr(batches, "__getitem__"):
        raise ValueError(f"batches is a {type(batches).__name__}; it should be something to loop over, such as a list")
    check_callable("loss", loss, "a function of the model and a batch")
    if epochs is None and steps is None:
        raise ValueError("epochs and steps are both None; one of them should say when to end")
    whole = {
        "epochs": epochs,
        "steps": steps,
        "validate_every": validate_every,
        "patience": patience,
        "checkpoint_every": checkpoint_every,
    }
    for name, number in whole.items():
        if number is not None:
            check_positive(name, number)
    if lr is not None:
        check_positive_number("lr", lr)
    if not isinstance(weight_decay, int | float) or not 0 <= weight_decay < math.inf:
        raise ValueError(f"weight_decay is {weight_decay!r}; it should be a finite number of at least 0")
    if not isinstance(momentum, int | float) or not 0 <= momentum < 1:
        raise ValueError(f"momentum is {momentum!r}; it should be a number of at least 0 and below 1")
    if clip is not None and (not isinstance(clip, int | float) or not clip > 0):
        raise ValueError(f"clip is {clip!r}; it should be positive, or None for no clipping")
    if not callable(optimizer) and (not isinstance(optimizer, str) or optimizer not in OPTIMIZERS):
        raise ValueError(f"optimizer is {optimizer!r}; it should be one of {', '.join(OPTIMIZERS)} or a function")
    own = {"lr": lr, "weight_decay": weight_decay, "momentum": momentum}
    for name, number in own.items():
        if callable(optimizer) and number:
            raise ValueError(f"{name} is {number!r} and optimizer is a function, which brings its own; leave it out")
    if checkpoint_every is not None and checkpoint is None:
        raise ValueError("checkpoint_every is set but checkpoint is None; it should be the path of a file")
    if momentum and optimizer in ("adam", "adamw"):
        raise ValueError(
            f"momentum is {momentum!r} and optimizer is {optimizer!r}, which has its own (0 leaves it out)"
        )
    for name, function, of in (("schedule", schedule, "the step"), ("validate", validate, "the model")):
        if function is not None:
            check_callable(name, function, f"a function of {of}")
    if validate is None and (patience is not None or validate_every is not None):
        name = "patience" if patience is not None else "validate_every"
        raise ValueError(f"{name} is set but validate is None; it should be a function of the model")
    check_kind("seed", seed, int)
    if not callable(progress):
        check_kind("progress", progress, (bool, int, float))
        if not progress >= 0:
            raise ValueError(f"progress is {progress!r}; it should be a number of seconds, True, False or a function")
    if not any(p.requires_grad for p in model.parameters()):
        raise ValueError("model has no parameters that can be trained")


def check_loss(value: object) -> None:
    """Refuse a loss that is no scalar tensor with a gradient."""
    if not isinstance(value, Tensor) or value.numel() != 1:
        what = f"shape {tuple(value.shape)}" if isinstance(value, Tensor) else type(value).__name__
        raise ValueError(f"loss returned {what}; it should return a scalar tensor")
    if not value.requires_grad:
        raise ValueError("loss returned a tensor without a gradient; it should depend on the model's parameters")
