"""Where does a word end, when nobody left a space? One direction, later answers, two directions."""

from functools import cache

import torch
from torch import nn

from rnncourse.chapters.c07_bidirectional.experiments.networks import learn_tags, make_tagger
from rnncourse.chapters.c07_bidirectional.experiments.rates import chosen, swept
from rnncourse.data import load
from rnncourse.data.batches import Batch
from rnncourse.data.dataset import Dataset
from rnncourse.data.metrics import word_f1
from rnncourse.data.segmentation import dictionary_words
from rnncourse.results import experiment

KINDS = ("forward", "delay 2", "delay 6", "bidirectional")
"""The competitors of the full result."""

BATCH_SIZE = 16


@cache
def unspaced(max_chars: int) -> Dataset:
    """The data set, loaded once.

    Args:
        max_chars: As for :func:`rnncourse.data.segmentation.load`.

    Returns:
        The data set ``segmentation``.
    """
    return load("segmentation", max_chars=max_chars)


@torch.no_grad()
def f1(model: nn.Module, batch: Batch) -> float:
    """F1 of the words found.

    Args:
        model: A tagger of two tags, 1 after the last letter of a word.
        batch: Letters and their tags.

    Returns:
        A number between 0 and 1.
    """
    ends = model(batch.inputs, lengths=batch.lengths)[0].argmax(-1)
    lengths = batch.lengths.tolist()
    found, truth = (
        [row[:length].numpy() for row, length in zip(tags, lengths, strict=True)] for tags in (ends, batch.targets)
    )
    return word_f1(found, truth)


def learn_ends(kind: str, data: Dataset, *, steps: int, lr: float, budget: int, seed: int):
    """Trains one competitor.

    Args:
        kind: As for :func:`~rnncourse.chapters.c07_bidirectional.experiments.networks.make_layer`.
        data: The data set.
        steps: Gradient steps of 16 pieces of at most 100 letters each.
        lr: Learning rate.
        budget: Parameters.
        seed: Of weights and batches.

    Returns:
        The tagger, and how its training went; validation values are 1 − F1.
    """
    torch.manual_seed(seed)
    model = make_tagger(kind, len(data.vocabulary), 2, budget=budget)
    options = {"steps": steps, "lr": lr, "seed": seed, "batch_size": BATCH_SIZE}
    return model, learn_tags(model, data.train, data.valid, error=lambda model, batch: 1 - f1(model, batch), **options)


@experiment(
    "07.word_rates",
    smoke={"seeds": 1, "kinds": ["forward", "bidirectional"], "rates": [3e-3, 1e-2], "steps": 2, "budget": 5_000,
           "chars": 20_000},
    page={"seeds": 1, "kinds": ["bidirectional"], "rates": [1e-2, 3e-2], "steps": 100, "budget": 40_000,
          "chars": 400_000},
    full={"seeds": 1, "kinds": list(KINDS), "rates": [1e-3, 3e-3, 1e-2, 3e-2, 1e-1], "steps": 300, "budget": 40_000,
          "chars": 400_000},
)  # fmt: skip
def word_rates(*, seed: int, kinds: list[str], rates: list[float], steps: int, budget: int, chars: int) -> dict:
    """Each competitor at each learning rate, at the length of the final run; the test text is not looked at.

    Args:
        seed: Of weights and batches.
        kinds: Competitors.
        rates: Learning rates to try.
        steps: Gradient steps.
        budget: Parameters of each.
        chars: Characters of training text, spaces counted.

    Returns:
        For each competitor 1 − F1 on the validation text, and the rate with the smallest.
    """
    data = unspaced(chars)
    values: dict = {}
    for kind in kinds:

        def learn(lr: float, kind: str = kind):
            return learn_ends(kind, data, steps=steps, lr=lr, budget=budget, seed=seed)[1]

        errors = swept(rates, learn)
        values |= {f"{kind}_valid": errors, f"{kind}_rate": chosen(rates, errors)}
    return values


@experiment(
    "07.words",
    smoke={"seeds": 1, "rates": {"forward": 1e-2, "bidirectional": 1e-2}, "steps": 2, "budget": 5_000,
           "chars": 20_000},
    page={"seeds": 1, "rates": {"forward": 1e-2, "bidirectional": 1e-2}, "steps": 100, "budget": 40_000,
          "chars": 400_000},
    full={"seeds": 3, "rates": dict.fromkeys(KINDS, 3e-2), "steps": 300, "budget": 40_000, "chars": 400_000},
)  # fmt: skip
def words(*, seed: int, rates: dict[str, float], steps: int, budget: int, chars: int) -> dict:
    """The sentence hoped for: at equal parameters and steps, a delay of a few letters finds as many words as two
    directions, and no delay far fewer; a dictionary without any network finds more than all of them.

    The first half would be refuted if the best delay stayed behind by more than the seeds' spread.

    Args:
        seed: Of weights and batches.
        rates: From a competitor to its learning rate, that of ``07.word_rates``.
        steps: Gradient steps.
        budget: Parameters of each.
        chars: Characters of training text, spaces counted.

    Returns:
        For each competitor: parameters, and F1 of the words of the test text; and the F1 of a table of letter pairs and
        of the likeliest sequence of known words.
    """
    data = unspaced(chars)
    truth = [piece.ends for piece in data.test.items]
    values: dict = {
        "letter pairs": data.baselines["letter pairs"].value,
        "dictionary": word_f1(dictionary_words(data.train.items, data.test.items), truth),
    }
    for kind, lr in rates.items():
        model, _ = learn_ends(kind, data, steps=steps, lr=lr, budget=budget, seed=seed)
        values |= {
            f"{kind}_parameters": sum(parameter.numel() for parameter in model.parameters()),
            f"{kind}_f1": f1(model, data.test.batch()),
        }
    return values
