"""What the carried state is good for: context that a short window lacks, or training without cold starts?"""

from typing import Any

import torch

from rnncourse.chapters.c01_feedforward_to_recurrent.experiments.character_training import prose
from rnncourse.chapters.c01_feedforward_to_recurrent.experiments.tuning import tune
from rnncourse.chapters.c02_vanilla_rnn.experiments.character_model import character_model
from rnncourse.chapters.c02_vanilla_rnn.experiments.context import bits_with_context
from rnncourse.chapters.c03_backpropagation_through_time.experiments.carried_state import CarriedLoss
from rnncourse.data.dataset import Dataset
from rnncourse.models import LanguageModel
from rnncourse.models.text import next_character_loss, text_bits
from rnncourse.results import experiment
from rnncourse.training import History, fit

CONTEXTS = [8, 16, 32]
"""Characters from a cold state that the trained networks are given; the first is the window of training."""

RATES = [1e-3, 2e-3, 4e-3, 8e-3, 1.6e-2]
KINDS = ("carried", "independent")


def train_windows(
    kind: str, text: Dataset, *, steps: int, lr: float, seed: int, hidden_size: int = 128, window: int = 8
) -> tuple[LanguageModel, History]:
    """Trains a character model on short windows, 32 a step.

    Args:
        kind: ``"carried"``, each window starting from the state that the one before left, or ``"independent"``.
        text: The data set ``prose``.
        steps: Gradient steps.
        lr: Learning rate.
        seed: Of weights and batches.
        hidden_size: Hidden units.
        window: Characters per window.

    Returns:
        The model, and how it went; its one validation value are the bits on the validation text, read on and on.
    """
    torch.manual_seed(seed)
    model = character_model(len(text.vocabulary), hidden_size=hidden_size)
    if kind == "carried":
        batches = text.train.stream(32, seq_len=window)
        loss = CarriedLoss(len(batches))
    else:
        batches = text.train.batches(32, seq_len=window, seed=seed, drop_last=True)
        loss = next_character_loss
    history = fit(
        model,
        batches,
        loss=loss,
        steps=steps,
        lr=lr,
        validate=lambda model: text_bits(model, text.valid.codes),
        validate_every=steps,
        seed=seed,
        progress=False,
    )
    return model, history


@experiment(
    "03.cold_starts_rates",
    smoke={"seeds": 1, "rates": [1e-3, 2e-3], "steps": 2, "max_chars": 30_000},
    page={"seeds": 1, "rates": [2e-3, 4e-3], "steps": 200, "max_chars": 1_000_000},
    full={"seeds": 1, "rates": RATES, "steps": 3000, "max_chars": 1_000_000},
)
def cold_starts_rates(*, seed: int, rates: list[float], steps: int, max_chars: int) -> dict[str, Any]:
    """The learning rates of ``03.cold_starts``, at its full length, by the bits on the validation text."""
    values: dict[str, Any] = {}
    for kind in KINDS:
        tuned = tune(
            rates, lambda lr, kind=kind: train_windows(kind, prose(max_chars), steps=steps, lr=lr, seed=seed)[1].best
        )
        values |= tuned.named(kind)
    return values


@experiment(
    "03.cold_starts",
    smoke={"seeds": 1, "rates": dict.fromkeys(KINDS, 2e-3), "steps": 2, "max_chars": 30_000, "contexts": [8, 16],
           "count": 50},
    page={"seeds": 1, "rates": dict.fromkeys(KINDS, 2e-3), "steps": 400, "max_chars": 1_000_000, "contexts": [8, 16],
          "count": 2_000},
    full={"seeds": 3, "rates": dict.fromkeys(KINDS, 2e-3), "steps": 3000, "max_chars": 1_000_000,
          "contexts": CONTEXTS, "count": 20_000},
)  # fmt: skip
def cold_starts(
    *, seed: int, rates: dict[str, float], steps: int, max_chars: int, contexts: list[int], count: int
) -> dict[str, Any]:
    """The sentence hoped for: most of what carrying the state gains survives when the trained network is given eight
    characters from a cold state, as many as its windows had; so carrying buys mainly training that is not full of cold
    starts, and only a little of it is context from before the window.

    Fair by steps and windows: both networks see the same number of characters. The gain splits into what is left at
    eight characters (``carried`` against ``independent`` at the first of ``contexts``) and the rest. It would be
    refuted by a part at eight characters of less than half of the gain with any seed.

    Args:
        seed: Of weights and batches.
        rates: A learning rate for each kind, of ``03.cold_starts_rates``.
        steps: Gradient steps.
        max_chars: Characters of training text.
        contexts: Characters from a cold state.
        count: Places of the test text at which those are measured.

    Returns:
        For each kind: ``bits`` on the test text read on and on, and ``cold``, the bits after each of ``contexts`` from
        a cold state; and ``share``, how much of the gain is left at the first of ``contexts``.
    """
    text = prose(max_chars)
    places = torch.linspace(max(contexts), len(text.test.codes) - 1, count).long()
    values: dict[str, Any] = {}
    for kind, lr in rates.items():
        model, _ = train_windows(kind, text, steps=steps, lr=lr, seed=seed)
        values[f"{kind}: bits"] = text_bits(model, text.test.codes)
        values[f"{kind}: cold"] = [bits_with_context(model, text.test.codes, places, size) for size in contexts]
    whole = values["independent: bits"] - values["carried: bits"]
    values["share"] = (values["independent: cold"][0] - values["carried: cold"][0]) / whole
    return values
