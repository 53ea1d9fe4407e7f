"""Character models of English prose: recurrence, attention and a linear recurrence at equal size."""

from functools import cache

import torch
from torch import Tensor, nn

from rnncourse.chapters.c07_bidirectional.experiments.rates import swept
from rnncourse.chapters.c12_transformers_and_linear_rnns.experiments.networks import make_layer, step_of, width_within
from rnncourse.data import load
from rnncourse.data.dataset import Dataset
from rnncourse.models import LanguageModel
from rnncourse.models.text import next_character_loss, text_bits
from rnncourse.results import experiment
from rnncourse.training import History, cosine, fit
from rnncourse.training.losses import cross_entropy, nats_to_bits

COMPARED = ("LSTM", "GRU", "minGRU", "Transformer")
"""The networks that are compared."""

RECURRENT = ("LSTM", "GRU", "minGRU")
"""Those whose state does not grow, so that they can read a text to its end."""

EMBEDDING_SIZE, BATCH_SIZE, SEQ_LEN = 32, 16, 128


@cache
def prose(max_chars: int) -> Dataset:
    """The data set ``prose``."""
    return load("prose", max_chars=max_chars)


def text_network(name: str, vocabulary_size: int, *, budget: int) -> LanguageModel:
    """A character model whose parameters, embedding and readout included, come closest to a budget.

    Args:
        name: One of :data:`COMPARED`.
        vocabulary_size: How many characters there are.
        budget: Parameters to spend in all.

    Returns:
        The untrained model.

    Example:
        >>> for name in COMPARED:
        ...     model = text_network(name, 65, budget=60_000)
        ...     print(name, model.layer.output_size, sum(parameter.numel() for parameter in model.parameters()))
        LSTM 98 60259
        GRU 114 60171
        minGRU 51 59939
        Transformer 48 62945
    """

    def build(width: int) -> LanguageModel:
        return LanguageModel(make_layer(name, width, input_size=EMBEDDING_SIZE), vocabulary_size)

    return build(width_within(budget, build, step=step_of(name)))


@torch.no_grad()
def window_bits(model: nn.Module, codes: Tensor, *, length: int = SEQ_LEN, batch_size: int = 64) -> float:
    """Bits per character where every network sees the same: half a window before, at least, and none before that.

    Windows overlap by half, and their second halves are scored. It is how a network is judged whose state grows.

    Args:
        model: A language model.
        codes: The text as numbers, of shape (characters,).
        length: Characters of a window, an even number.
        batch_size: Windows read side by side.

    Returns:
        The mean of −log₂ p over the characters that are scored.

    Raises:
        ValueError: If the text is shorter than a window and the character after it.
    """
    if len(codes) <= length:
        raise ValueError(f"codes has {len(codes)} characters; it should have more than length = {length}")
    windows = codes.unfold(0, length + 1, length // 2)
    nats = 0.0
    for part in windows.split(batch_size):
        logits, _ = model(part[:, :-1])
        nats += float(cross_entropy(logits[:, length // 2 :], part[:, length // 2 + 1 :])) * len(part)
    return nats_to_bits(nats / len(windows))


def train_text(
    name: str, *, seed: int, steps: int, lr: float, budget: int, max_chars: int, validations: int = 3
) -> tuple[LanguageModel, History]:
    """One character model, drawn and trained on independent windows; the weights that validate best are kept.

    Args:
        name: One of :data:`COMPARED`.
        seed: Of weights and windows.
        steps: Gradient steps of 16 windows of 128 characters each.
        lr: Learning rate of Adam at its highest; it rises for the first steps and falls along a cosine to zero.
        budget: Parameters.
        max_chars: Characters of training text.
        validations: How often to look at the validation text.

    Returns:
        The model, and how its training went; its validation values are bits per character.
    """
    text = prose(max_chars)
    torch.manual_seed(seed)
    model = text_network(name, len(text.vocabulary), budget=budget)
    valid = text.valid.codes[: max(20_000, SEQ_LEN + 1)]
    history = fit(
        model,
        text.train.batches(BATCH_SIZE, seq_len=SEQ_LEN, seed=seed, drop_last=True),
        loss=next_character_loss,
        steps=steps,
        lr=lr,
        schedule=cosine(steps, warmup=min(100, steps // 2)),
        validate=lambda model: window_bits(model, valid),
        validate_every=max(1, steps // validations),
        seed=seed,
        progress=False,
    )
    return model, history


@experiment(
    "12.text_rates",
    smoke={"seeds": 1, "steps": 2, "rates": [1e-2], "budget": 20_000, "max_chars": 30_000},
    page={"seeds": 1, "steps": 150, "rates": [3e-3, 1e-2], "budget": 60_000, "max_chars": 500_000},
    full={
        "seeds": 1,
        "steps": 1_000,
        "rates": [6e-3, 1e-2, 2e-2, 4e-2, 8e-2],
        "budget": 60_000,
        "max_chars": 500_000,
    },
)
def text_rates(*, seed: int, steps: int, rates: list[float], budget: int, max_chars: int) -> dict:
    """The learning rate of each network of ``12.text``, at the length and schedule of its run, by validation.

    Args:
        seed: Of weights and windows.
        steps: Gradient steps of each run.
        rates: Learning rates to try, the same for all.
        budget: Parameters of each network.
        max_chars: Characters of training text.

    Returns:
        For each network the best validation bits at every rate.
    """
    sizes = {"steps": steps, "budget": budget, "max_chars": max_chars}
    return {
        name: swept(rates, lambda lr, name=name: train_text(name, seed=seed, lr=lr, **sizes)[1]) for name in COMPARED
    }


@experiment(
    "12.text",
    smoke={
        "seeds": 1,
        "steps": 2,
        "by_time": [2, 2, 2, 2],
        "rates": [1e-2] * 4,
        "budget": 20_000,
        "max_chars": 30_000,
        "tested": 2_000,
    },
    page={
        "seeds": 1,
        "steps": 150,
        "by_time": [150, 150, 150, 150],
        "rates": [1e-2, 1e-2, 1e-2, 6e-3],
        "budget": 60_000,
        "max_chars": 500_000,
        "tested": 20_000,
    },
    full={
        "seeds": 3,
        "steps": 1_000,
        "by_time": [1_000, 1_050, 750, 700],
        "rates": [4e-2, 1e-2, 2e-2, 2e-2],
        "budget": 60_000,
        "max_chars": 500_000,
        "tested": 100_000,
    },
)
def text(
    *,
    seed: int,
    steps: int,
    by_time: list[int],
    rates: list[float],
    budget: int,
    max_chars: int,
    tested: int,
) -> dict:
    """Four character models of equal size: after equally many steps, and after equally much time on one core.

    The sentence hoped for: at equal parameters and equal steps the LSTM and the GRU are ahead of the Transformer, and
    the minGRU in the Transformer's own block is level with it or ahead; at equal seconds the same. It is refuted if
    the Transformer is ahead of any of the three on every seed, on either axis.

    Args:
        seed: Of weights and windows.
        steps: Gradient steps of the first comparison.
        by_time: Steps of each network in the second, such that all take the time that the LSTM takes for ``steps``;
            they follow from an earlier timing of training steps at this size.
        rates: The learning rate of each network, in their order, as ``12.text_rates`` chose them.
        budget: Parameters of each network.
        max_chars: Characters of training text.
        tested: Characters of the test text that are read.

    Returns:
        For each network the bits per character on the test text, windows alike for all, after equally many steps
        (``_test``) and after equally much time (``_by_time``); for those whose state does not grow also with the state
        carried through the text (``_carried``); parameters and widths.
    """
    codes = prose(max_chars).test.codes[:tested]
    values: dict = {}
    for name, lr, own in zip(COMPARED, rates, by_time, strict=True):
        sizes = {"seed": seed, "lr": lr, "budget": budget, "max_chars": max_chars}
        model, _ = train_text(name, steps=steps, **sizes)
        values |= {
            f"{name}_test": window_bits(model, codes),
            f"{name}_parameters": sum(parameter.numel() for parameter in model.parameters()),
            f"{name}_width": model.layer.output_size,
        }
        if name in RECURRENT:
            values[f"{name}_carried"] = text_bits(model, codes, streams=8)
        if own != steps:
            model, _ = train_text(name, steps=own, **sizes)
        values[f"{name}_by_time"] = window_bits(model, codes)
    return values
