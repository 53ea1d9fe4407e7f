"""The network whose gates are read: one LSTM layer over characters, trained on windows that follow one another."""

import torch

from rnncourse.cells import LSTMCell
from rnncourse.chapters.c03_backpropagation_through_time.experiments.carried_state import CarriedLoss
from rnncourse.data.dataset import Dataset
from rnncourse.layers import Recurrent
from rnncourse.models import LanguageModel
from rnncourse.training import History, cosine, fit

EMBEDDING_SIZE = 32

LEARNING_RATE = 1.2e-2
"""Adam's for the LSTM: the better of two tried for 150 steps, the other being chapter 2's 5e-3."""


def text_lstm(vocabulary_size: int, *, hidden_size: int) -> LanguageModel:
    """A character model with one LSTM layer, its four recurrent matrices orthogonal at the start.

    The biases are as PyTorch draws them: in a short trial a forget bias of 1 let the cell states grow until the tanh
    that reads them was flat, and learning was slower for it.

    Args:
        vocabulary_size: How many characters there are.
        hidden_size: Hidden units.

    Returns:
        The untrained model.

    Example:
        >>> sum(parameter.numel() for parameter in text_lstm(65, hidden_size=128).parameters())
        93409
    """
    return LanguageModel(
        Recurrent(LSTMCell(EMBEDDING_SIZE, hidden_size, init="orthogonal"), implementation="kernel"), vocabulary_size
    )


def train_text_lstm(
    text: Dataset,
    *,
    seed: int,
    steps: int,
    hidden_size: int = 128,
    lr: float = LEARNING_RATE,
    batch_size: int = 32,
    seq_len: int = 64,
    progress: bool = False,
) -> tuple[LanguageModel, History]:
    """A character model with one LSTM layer, trained with its state carried from window to window.

    Args:
        text: The data set ``prose``.
        seed: Draws the initial weights.
        steps: Gradient steps.
        hidden_size: Hidden units.
        lr: Learning rate of Adam at its highest.
        batch_size: Stretches of the text that are read side by side.
        seq_len: Characters per window.
        progress: As for :func:`rnncourse.training.fit`.

    Returns:
        The model, and how its training went.
    """
    torch.manual_seed(seed)
    model = text_lstm(len(text.vocabulary), hidden_size=hidden_size)
    sizes = {"batch_size": batch_size, "seq_len": seq_len}
    return model, read_on(model, text, seed=seed, steps=steps, lr=lr, progress=progress, **sizes)


def read_on(
    model: LanguageModel,
    text: Dataset,
    *,
    seed: int,
    steps: int,
    lr: float,
    batch_size: int = 32,
    seq_len: int = 64,
    progress: bool = False,
) -> History:
    """Trains a language model on windows that follow one another, each starting from the state the last one left.

    So the network meets in training what it is to be opened on: states that are hundreds of characters old.

    Args:
        model: What is trained, in place.
        text: The data set ``prose``.
        seed: For :func:`rnncourse.training.fit`.
        steps: Gradient steps.
        lr: Learning rate of Adam at its highest; it falls to zero along a cosine.
        batch_size: Stretches of the text that are read side by side.
        seq_len: Characters per window.
        progress: As for :func:`rnncourse.training.fit`.

    Returns:
        How the training went.
    """
    batches = text.train.stream(batch_size, seq_len=seq_len)
    return fit(
        model,
        batches,
        loss=CarriedLoss(len(batches)),
        steps=steps,
        lr=lr,
        schedule=cosine(steps, warmup=min(50, steps // 2)),
        seed=seed,
        progress=progress,
    )
