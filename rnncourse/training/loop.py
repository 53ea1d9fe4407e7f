"""The loop itself."""

import math
import time
from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from rnncourse.training.arguments import check_arguments, check_loss
from rnncourse.training.history import Diverged, History
from rnncourse.training.measuring import devices
from rnncourse.training.optimizers import make_optimizer
from rnncourse.training.progress import ProgressLine
from rnncourse.training.reading import END_OF_EPOCH, batch_size, read_batches
from rnncourse.training.watch import Watch

__all__ = ["fit"]


def fit(
    model: nn.Module,
    batches: Iterable[Any],
    *,
    loss: Callable[[nn.Module, Any], Tensor],
    epochs: int | None = None,
    steps: int | None = None,
    optimizer: str | Callable[[Iterable[nn.Parameter]], Optimizer] = "adam",
    lr: float = 1e-3,
    weight_decay: float = 0.0,
    momentum: float = 0.0,
    schedule: Callable[[int], float] | None = None,
    clip: float | None = 1.0,
    validate: Callable[[nn.Module], float] | None = None,
    validate_every: int | None = None,
    patience: int | None = None,
    seed: int = 0,
    progress: bool | float | Callable[[str], None] = True,
) -> History:
    r"""Trains a model and returns what happened.

    At every step the gradient g of the loss is scaled back when it is longer than ``clip``,

    .. math:: g \leftarrow g \cdot \min\!\left(1, \frac{c}{\lVert g \rVert}\right)

    where :math:`\lVert g \rVert` is the norm over all parameters together and c is ``clip`` (Pascanu, Mikolov and
    Bengio 2013, algorithm 1; from secondary sources).

    Args:
        model: What is trained, in place. Where ``validate`` is given it holds the best weights afterwards.
        batches: What the loss understands, read again for each epoch; or an endless iterator together with ``steps``.
        loss: A function of (model, batch) that returns a scalar tensor.
        epochs: How many times to read the batches at most.
        steps: How many steps to take at most. At least one of the two is needed.
        optimizer: "adam", "adamw", "sgd", "rmsprop", or a function from parameters to an optimiser (which then
            brings its own learning rate).
        lr: Learning rate > 0.
        weight_decay: Pull of the weights to zero, ≥ 0.
        momentum: For "sgd" and "rmsprop", at least 0 and below 1.
        schedule: A function from the step (0, 1, …) to a factor on the learning rate; see
            :func:`~rnncourse.training.schedules.cosine`.
        clip: Largest allowed norm of the gradient; None leaves it alone.
        validate: A function of the model that returns a number, lower is better; called without gradients and in
            evaluation mode.
        validate_every: Validate after so many steps; by default at the end of each epoch, and always at the end.
        patience: Stop when so many validations in a row brought no improvement.
        seed: For whatever draws random numbers inside the run (dropout, for example); the state of the global
            generator is put back afterwards.
        progress: True prints a plain line every few seconds, a number sets the seconds, False is silent, and a
            function receives each line.

    Returns:
        The losses, norms, validation values, time, and why it stopped.

    Raises:
        ValueError: If an argument makes no sense (named in the message).
        Diverged: If the loss or gradient became infinite or not a number. The model then holds its best weights where
            it was validated, and otherwise the last ones with a finite loss.

    Example:
        >>> model = nn.Linear(1, 1)
        >>> x = torch.linspace(-1, 1, 16).unsqueeze(1)
        >>> def squared(model, batch):
        ...     return ((model(batch) - 3 * batch) ** 2).mean()
        >>> history = fit(model, [x], loss=squared, epochs=200, lr=0.1, progress=False)
        >>> bool(history.losses[-1] < 1e-3), history.stopped
        (True, 'all 200 epochs done')
    """
    check_arguments(
        model=model, batches=batches, loss=loss, epochs=epochs, steps=steps, optimizer=optimizer, lr=lr,
        weight_decay=weight_decay, momentum=momentum, schedule=schedule, clip=clip, validate=validate,
        validate_every=validate_every, patience=patience, seed=seed, progress=progress,
    )  # fmt: skip
    history = History()
    parameters = [p for p in model.parameters() if p.requires_grad]
    opt = make_optimizer(optimizer, parameters, lr, weight_decay, momentum)
    base_lrs = [group["lr"] for group in opt.param_groups]
    watch = Watch(model, validate, patience, history)
    line = ProgressLine(progress, steps)
    started = time.perf_counter()
    with torch.random.fork_rng(devices=devices(parameters)):
        torch.manual_seed(seed)
        model.train()
        for batch in read_batches(batches, epochs, steps, history):
            if batch is END_OF_EPOCH:
                if validate_every is None and watch.validate_and_check():
                    break
                continue
            for group, base in zip(opt.param_groups, base_lrs, strict=True):
                group["lr"] = base * (1.0 if schedule is None else schedule(history.steps))
            opt.zero_grad(set_to_none=True)
            value = loss(model, batch)
            check_loss(value)
            value.backward()
            norm = nn.utils.clip_grad_norm_(parameters, math.inf if clip is None else clip)
            history.losses.append(value.item())
            history.gradient_norms.append(norm.item())
            history.lrs.append(opt.param_groups[0]["lr"])
            if not math.isfinite(history.losses[-1] + history.gradient_norms[-1]):
                history.seconds = time.perf_counter() - started
                watch.restore_best()
                raise _diverged(history)
            opt.step()
            history.steps += 1
            history.sequences += batch_size(batch)
            line.update(history)
            if validate_every is not None and history.steps % validate_every == 0 and watch.validate_and_check():
                break
        if not history.steps:
            raise ValueError("batches was empty; it should yield at least one batch")
        if validate is not None and (not history.validation or history.validation[-1][0] != history.steps):
            watch.validate_and_check()
    watch.restore_best()
    model.eval()
    history.seconds = time.perf_counter() - started
    history.stopped = history.stopped or _limit_reached(history, epochs, steps)
    line.update(history, final=True)
    return history


def _diverged(history: History) -> Diverged:
    loss = history.losses[-1]
    what = f"the loss is {loss}" if not math.isfinite(loss) else f"the gradient's norm is {history.gradient_norms[-1]}"
    history.stopped = f"diverged at step {history.steps + 1}: {what}"
    return Diverged(f"{history.stopped}; try a smaller lr (now {history.lrs[-1]:g}) or a smaller clip", history)


def _limit_reached(history: History, epochs: int | None, steps: int | None) -> str:
    if steps is not None and history.steps >= steps:
        return f"all {steps} steps done"
    return f"all {epochs} epochs done" if history.epochs == epochs else "the batches ended"
