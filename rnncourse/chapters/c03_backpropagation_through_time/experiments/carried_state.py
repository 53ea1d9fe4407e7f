"""Is it worth carrying the state from one training window to the next? Short windows of prose, with and without."""

from functools import cache

import torch
from torch import Tensor, nn

from rnncourse.chapters.c02_vanilla_rnn.experiments.language_modelling import character_model
from rnncourse.data import load
from rnncourse.data.dataset import Dataset
from rnncourse.models import LanguageModel
from rnncourse.models.text import next_character_loss, text_bits
from rnncourse.results import experiment
from rnncourse.shapes import detach_state
from rnncourse.training import History, fit
from rnncourse.training.losses import cross_entropy


class CarriedLoss:
    """The loss on windows that follow one another: each starts from the state that the one before left, detached.

    Args:
        windows: How many windows make one pass through the text; then the state is put down.

    Example:
        >>> loss = CarriedLoss(windows=3)
        >>> loss.state is None
        True
    """

    def __init__(self, windows: int) -> None:
        self.windows = windows
        self.seen = 0
        self.state: Tensor | None = None

    def __call__(self, model: nn.Module, batch) -> Tensor:
        """The mean surprise, in nats, at the next characters of this window."""
        if self.seen % self.windows == 0:
            self.state = None  # the text begins again, and what came last has nothing to do with it
        self.seen += 1
        logits, state = model(batch.inputs, self.state)
        self.state = detach_state(state)  # the value goes on, the credit ends here
        return cross_entropy(logits, batch.targets)


def train_short_windows(
    text: Dataset, *, carried: bool, seed: int, steps: int, hidden_size: int = 128, window: int = 8
) -> tuple[LanguageModel, History]:
    """Trains a character model on short windows, carrying the state between them or not.

    Args:
        text: The data set ``prose``.
        carried: Whether a window starts from the state that the one before left.
        seed: Of weights and batches.
        steps: Gradient steps of 32 windows each.
        hidden_size: Hidden units.
        window: Characters per window.

    Returns:
        The model and its training history.
    """
    torch.manual_seed(seed)
    model = character_model(len(text.vocabulary), hidden_size=hidden_size)
    if carried:
        batches = text.train.stream(32, seq_len=window)
        loss = CarriedLoss(len(batches))
    else:
        batches = text.train.batches(32, seq_len=window, seed=seed, drop_last=True)
        loss = next_character_loss
    history = fit(model, batches, loss=loss, steps=steps, lr=2e-3, seed=seed, progress=False)
    return model, history


@cache
def _text(max_chars: int) -> Dataset:
    return load("prose", max_chars=max_chars)


@experiment(
    "03.carried_state",
    smoke=dict(seeds=1, steps=3, max_chars=30_000),
    page=dict(seeds=1, steps=800, max_chars=1_000_000),
    full=dict(seeds=3, steps=3000, max_chars=1_000_000),
)
def carried_state(*, seed: int, steps: int, max_chars: int) -> dict[str, float]:
    """Bits per character on held-out text after training on windows of 8 characters.

    Args:
        seed: Of weights and batches.
        steps: Gradient steps.
        max_chars: Characters of training text.

    Returns:
        Bits with the state carried, and with every window starting from an empty state.
    """
    text = _text(max_chars)
    result = {}
    for name, carried in (("carried", True), ("independent", False)):
        model, _ = train_short_windows(text, carried=carried, seed=seed, steps=steps)
        result[name] = text_bits(model, text.test.codes)
    return result
