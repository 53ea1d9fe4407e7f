"""What a training run refuses before its first step, and a loss after its first call."""

from torch import Tensor

from rnncourse.training.optimizers import OPTIMIZERS

__all__ = ["check_arguments", "check_loss"]


def check_arguments(model, epochs, steps, optimizer, lr, momentum, clip, validate, validate_every, patience) -> None:
    """Refuse arguments of :func:`~rnncourse.training.loop.fit` that make no sense."""
    if epochs is None and steps is None:
        raise ValueError("epochs and steps are both None; one of them should say when to end")
    whole = {"epochs": epochs, "steps": steps, "validate_every": validate_every, "patience": patience}
    for name, number in whole.items():
        if number is not None and (not isinstance(number, int) or number < 1):
            raise ValueError(f"{name} is {number!r}; it should be a whole number of at least 1")
    if not lr > 0:
        raise ValueError(f"lr is {lr!r}; it should be positive")
    if clip is not None and not clip > 0:
        raise ValueError(f"clip is {clip!r}; it should be positive, or None for no clipping")
    if not callable(optimizer) and optimizer not in OPTIMIZERS:
        raise ValueError(f"optimizer is {optimizer!r}; it should be one of {', '.join(OPTIMIZERS)} or a function")
    if momentum and optimizer in ("adam", "adamw"):
        raise ValueError(
            f"momentum is {momentum!r} and optimizer is {optimizer!r}, which has its own (0 leaves it out)"
        )
    if validate is None and (patience is not None or validate_every is not None):
        name = "patience" if patience is not None else "validate_every"
        raise ValueError(f"{name} is set but validate is None; it should be a function of the model")
    if not any(p.requires_grad for p in model.parameters()):
        raise ValueError("model has no parameters that can be trained")


def check_loss(value: object) -> None:
    """Refuse a loss that is no scalar tensor with a gradient."""
    if not isinstance(value, Tensor) or value.numel() != 1:
        what = f"shape {tuple(value.shape)}" if isinstance(value, Tensor) else type(value).__name__
        raise ValueError(f"loss returned {what}; it should return a scalar tensor")
    if not value.requires_grad:
        raise ValueError("loss returned a tensor without a gradient; it should depend on the model's parameters")
