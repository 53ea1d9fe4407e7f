"""A character model trained to the end of its schedule and validated there: the same for every competitor on prose."""

from functools import cache

from rnncourse.data import load
from rnncourse.data.dataset import Dataset
from rnncourse.models import LanguageModel
from rnncourse.models.text import next_character_loss, text_bits
from rnncourse.training import History, cosine, fit


@cache
def prose(max_chars: int | None) -> Dataset:
    """The data set ``prose``, loaded once.

    Args:
        max_chars: Characters of training text, None for all.

    Returns:
        The data set.
    """
    return load("prose", max_chars=max_chars)


def learn_prose(model: LanguageModel, text: Dataset, *, steps: int, lr: float, seed: int) -> History:
    """Trains a character model on independent stretches of 64 characters, 32 a step.

    Args:
        model: Trained in place.
        text: The data set ``prose``.
        steps: Gradient steps.
        lr: Learning rate of Adam at its highest; it rises for the first steps and falls along a cosine to zero.
        seed: Of the stretches.

    Returns:
        How it went; its one validation value are the bits per character on the validation text.

    Raises:
        rnncourse.training.Diverged: If the loss is no longer a number.
    """
    return fit(
        model,
        text.train.batches(32, seq_len=64, seed=seed, drop_last=True),
        loss=next_character_loss,
        steps=steps,
        lr=lr,
        schedule=cosine(steps, warmup=min(50, steps // 2)),
        validate=lambda model: text_bits(model, text.valid.codes),
        validate_every=steps,
        seed=seed,
        progress=False,
    )
