"""Character models, windowed and recurrent, trained to the end of one schedule and validated there."""

from functools import cache

from torch import nn

from rnncourse.cells import RNNCell
from rnncourse.data import load
from rnncourse.data.dataset import Dataset
from rnncourse.layers import Recurrent
from rnncourse.layers.windowed import FixedWindow
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


def character_network(
    vocabulary_size: int, *, hidden_size: int, window: int | None = None, embedding_size: int = 16
) -> LanguageModel:
    """A language model over a fixed window, or over a recurrent layer.

    Args:
        vocabulary_size: How many characters there are.
        hidden_size: Hidden units.
        window: Characters of context for a feedforward network; None for a recurrent one.
        embedding_size: Length of the vector that each character is given.

    Returns:
        The untrained model.

    Example:
        >>> model = character_network(65, hidden_size=64)
        >>> sum(parameter.numel() for parameter in model.parameters())
        10513
    """
    if window is None:
        layer: nn.Module = Recurrent(RNNCell(embedding_size, hidden_size, init="orthogonal"), implementation="kernel")
    else:
        layer = FixedWindow(embedding_size, hidden_size, window=window)
    return LanguageModel(layer, vocabulary_size)


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
