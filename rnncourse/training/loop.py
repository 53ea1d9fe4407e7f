"""The loop itself."""

import math
import os
import time
from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from rnncourse.modes import modes_kept
from rnncourse.training.arguments import check_arguments, check_loss
from rnncourse.training.checkpoint import Checkpoint, check_checkpoint
from rnncourse.training.history import Diverged, History
from rnncourse.training.interrupting import Interrupted, Interruption
from rnncourse.training.measuring import devices
from rnncourse.training.optimizers import make_optimizer
from rnncourse.training.place import Place
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
    lr: float | None = None,
    weight_decay: float = 0.0,
    momentum: float = 0.0,
    schedule: Callable[[int], float] | None = None,
    clip: float | None = 1.0,
    validate: Callable[[nn.Module], float] | None = None,
    validate_every: int | None = None,
    patience: int | None = None,
    seed: int = 0,
    checkpoint: str | os.PathLike[str] | None = None,
    checkpoint_every: int | None = None,
    progress: bool | float | Callable[[str], None] = True,
) -> History:
    r"""Trains a model and returns what happened.

    At every step the gradient g of the loss is scaled back when it is longer than ``clip``,

    .. math:: g \leftarrow g \cdot \min\!\left(1, \frac{c}{\lVert g \rVert}\right)

    where :math:`\lVert g \rVert` is the norm over all parameters together and c is ``clip`` (Pascanu, Mikolov and
    Bengio 2013, algorithm 1; from secondary sources).

    Args:
        model: What is trained, in place. Where ``validate`` is given it holds the best weights afterwards. Every part
            of it is then in the mode, training or evaluation, in which it was before, also after an error.
        batches: What the loss understands, read again for each epoch; or an endless iterator together with ``steps``.
        loss: A function of (model, batch) that returns a scalar tensor.
        epochs: How many times to read the batches at most.
        steps: How many steps to take at most. At least one of the two is needed.
        optimizer: "adam", "adamw", "sgd", "rmsprop", or a function from parameters to an optimiser (which then
            brings its own learning rate, weight decay and momentum).
        lr: Learning rate > 0; 0.001 if not given.
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
        checkpoint: A file to go on from, if it is there, and to write: at the end of each epoch, and when the run ends
            or is interrupted. A run that went on is the run that never ended, bit for bit: weights, optimiser,
            best weights, history (its seconds aside), and the batches' and torch's random numbers. ``schedule`` should
            be the same function as before; ``epochs``, ``steps`` and ``patience`` may be others.
        checkpoint_every: Write it after so many steps too.
        progress: True prints a plain line every few seconds, a number sets the seconds, False is silent, and a
            function receives each line.

    Returns:
        The losses, norms, validation values, time, and why it stopped.

    Raises:
        ValueError: If an argument makes no sense (named in the message), or the checkpoint is of another run.
        Interrupted: After Ctrl-C, at the end of the step (at once after a second one). The model then holds its best
            weights where it was validated, and the error's ``history`` the run so far.
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
        validate_every=validate_every, patience=patience, seed=seed, checkpoint=checkpoint,
        checkpoint_every=checkpoint_every, progress=progress,
    )  # fmt: skip
    if checkpoint is not None:
        check_checkpoint(checkpoint, batches)
    history = History()
    parameters = [p for p in model.parameters() if p.requires_grad]
    lr = 1e-3 if lr is None else lr
    opt = make_optimizer(optimizer, parameters, lr, weight_decay, momentum)
    base_lrs = [group["lr"] for group in opt.param_groups]
    watch = Watch(model, validate, patience, history)
    line = ProgressLine(progress, steps)
    place = Place(batches, devices(parameters))
    file = None
    if checkpoint is not None:
        settings = {"seed": seed, "lr": base_lrs, "clip": clip, "validate_every": validate_every}
        file = Checkpoint(checkpoint, model, opt, watch, place, settings)
    with modes_kept(model), Interruption() as interruption, torch.random.fork_rng(devices=place.devices):
        torch.manual_seed(seed)
        if file is not None and file.load():
            _check_schedule(schedule, base_lrs, history)
        started, whole = time.perf_counter() - history.seconds, False
        try:
            model.train()
            for batch in () if watch.impatient() else read_batches(place, epochs, steps, history):
                if batch is END_OF_EPOCH:
                    enough = validate_every is None and watch.validate_and_check()
                    if file is not None:
                        history.seconds = time.perf_counter() - started
                        file.save()
                    if interruption.asked:
                        raise KeyboardInterrupt
                    if enough:
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
                    raise _diverged(history)
                opt.step()
                history.steps += 1
                history.sequences += batch_size(batch)
                line.update(history)
                enough = (
                    validate_every is not None and history.steps % validate_every == 0 and watch.validate_and_check()
                )
                if interruption.asked:
                    whole = True
                    raise KeyboardInterrupt
                if enough:
                    break
                if file is not None and checkpoint_every is not None and history.steps % checkpoint_every == 0:
                    history.seconds = time.perf_counter() - started
                    file.save()
            if not history.steps:
                raise ValueError("batches was empty; it should yield at least one batch")
            history.seconds = time.perf_counter() - started
            if file is not None:
                file.save()  # before the last validation, which a run that goes on does not make
            if validate is not None and (not history.validation or history.validation[-1][0] != history.steps):
                watch.validate_and_check()
            if interruption.asked:
                raise KeyboardInterrupt
        except KeyboardInterrupt:
            history.seconds = time.perf_counter() - started
            history.stopped = f"interrupted at step {history.steps}"
            for record in (history.losses, history.gradient_norms, history.lrs):
                del record[history.steps :]  # of a step that was not taken
            if file is not None and whole:
                file.save()
            watch.restore_best()
            raise Interrupted(
                f"{history.stopped}; this error's history holds the run so far, and the model its "
                f"{'best' if watch.best_weights else 'last'} weights",
                history,
            ) from None
        except Diverged:
            history.seconds = time.perf_counter() - started
            watch.restore_best()
            raise
    watch.restore_best()
    history.stopped = history.stopped or _limit_reached(history, epochs, steps)
    line.update(history, final=True)
    return history


def _diverged(history: History) -> Diverged:
    loss = history.losses[-1]
    what = f"the loss is {loss}" if not math.isfinite(loss) else f"the gradient's norm is {history.gradient_norms[-1]}"
    history.stopped = f"diverged at step {history.steps + 1}: {what}"
    return Diverged(f"{history.stopped}; try a smaller lr (now {history.lrs[-1]:g}) or a smaller clip", history)


def _check_schedule(schedule: Callable[[int], float] | None, base_lrs: list[float], history: History) -> None:
    """Refuse to go on with another schedule: the last step that was taken tells."""
    if history.lrs:
        lr = base_lrs[0] * (1.0 if schedule is None else schedule(history.steps - 1))
        if lr != history.lrs[-1]:
            raise ValueError(
                f"schedule gives step {history.steps} a learning rate of {lr:g}; in the checkpoint's run it was "
                f"{history.lrs[-1]:g}, and it should be the same function"
            )


def _limit_reached(history: History, epochs: int | None, steps: int | None) -> str:
    if steps is not None and history.steps >= steps:
        return f"all {steps} steps done"
    return f"all {epochs} epochs done" if history.epochs == epochs else "the batches ended"
