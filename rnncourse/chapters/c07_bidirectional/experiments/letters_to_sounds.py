"""Letter to sound: one direction, one direction that answers later, two directions, at equal parameters."""

from functools import cache

import numpy as np
import torch
from torch import nn

from rnncourse.chapters.c07_bidirectional.experiments.deciding import deciding_distances
from rnncourse.chapters.c07_bidirectional.experiments.networks import learn_tags, make_tagger, tag_error
from rnncourse.chapters.c07_bidirectional.experiments.rates import chosen, swept
from rnncourse.data import load
from rnncourse.data.dataset import Dataset
from rnncourse.data.letter_to_sound import score
from rnncourse.data.metrics import ErrorRates
from rnncourse.results import Published, experiment

KINDS = ("forward", "delay 1", "delay 2", "delay 4", "delay 6", "bidirectional", "sum", "product")
"""The competitors of the full result."""

FARTHEST = 6
"""Letters whose deciding letter lies so far ahead or farther are counted together."""


@cache
def spelling(max_words: int | None) -> Dataset:
    """The data set, loaded once.

    Args:
        max_words: As for :func:`rnncourse.data.letter_to_sound.load`.

    Returns:
        The data set ``letter_to_sound``.
    """
    return load("letter_to_sound", max_words=max_words)


def spelling_tagger(kind: str, words: Dataset, *, budget: int, seed: int) -> nn.Module:
    """An untrained tagger of letters; the same seed draws the same weights.

    Args:
        kind: A competitor, as for :func:`~rnncourse.chapters.c07_bidirectional.experiments.networks.make_layer`.
        words: The data set.
        budget: Parameters to spend.
        seed: Draws the weights.

    Returns:
        The tagger.
    """
    torch.manual_seed(seed)
    return make_tagger(kind, len(words.vocabulary), len(words.target_vocabulary), budget=budget)


@torch.no_grad()
def rates_of(model: nn.Module, words: Dataset) -> ErrorRates:
    """Phoneme and word error rate on the test words.

    Args:
        model: A trained tagger.
        words: The data set.

    Returns:
        The two rates.
    """
    batch = words.test.batch()
    best = model(batch.inputs, lengths=batch.lengths)[0].argmax(-1)
    rows = zip(best.tolist(), batch.lengths.tolist(), strict=True)
    return score([words.target_vocabulary.decode(row[:length]) for row, length in rows], words.test.items)


@cache
def test_distances(max_words: int | None) -> np.ndarray:
    """How far ahead the deciding letter of each letter of each test word lies, in the whole dictionary.

    Args:
        max_words: Which test words.

    Returns:
        Shape (letters of all test words,), in the order of ``inputs[mask]``; at most :data:`FARTHEST`.
    """
    whole = spelling(None)
    everything = deciding_distances([item for split in whole.splits.values() for item in split.items])
    rows = [everything[item.word.letters] for item in spelling(max_words).test.items]
    return np.minimum(np.concatenate(rows), FARTHEST)


test_distances.__test__ = False  # no test, though its name begins like one


@torch.no_grad()
def errors_by_distance(model: nn.Module, words: Dataset, distances: np.ndarray) -> list[float]:
    """The share of wrong tags among the letters whose deciding letter lies 0, 1, … letters ahead.

    Args:
        model: A trained tagger.
        words: The data set.
        distances: For each letter of the test words.

    Returns:
        A share for each distance up to :data:`FARTHEST`, not a number where there is no such letter.
    """
    batch = words.test.batch()
    best = model(batch.inputs, lengths=batch.lengths)[0].argmax(-1)
    wrong = (best != batch.targets)[batch.mask].numpy()
    return [
        float(wrong[distances == far].mean()) if (distances == far).any() else float("nan")
        for far in range(FARTHEST + 1)
    ]


@experiment(
    "07.sound_rates",
    smoke={"seeds": 1, "kinds": ["forward", "sum"], "rates": [3e-3, 1e-2], "steps": 2, "budget": 8_000, "words": 400},
    page={"seeds": 1, "kinds": ["forward", "bidirectional"], "rates": [1e-2, 3e-2], "steps": 200, "budget": 60_000,
          "words": 20_000},
    full={"seeds": 1, "kinds": list(KINDS), "rates": [1e-3, 3e-3, 1e-2, 3e-2, 1e-1], "steps": 1000, "budget": 60_000,
          "words": 20_000},
)  # fmt: skip
def sound_rates(*, seed: int, kinds: list[str], rates: list[float], steps: int, budget: int, words: int) -> dict:
    """Each competitor at each learning rate, at the length of the final run; the test words are not looked at.

    Args:
        seed: Of weights and batches.
        kinds: Competitors.
        rates: Learning rates to try.
        steps: Gradient steps.
        budget: Parameters of each.
        words: Training words.

    Returns:
        For each competitor the shares of wrong tags on the validation words, and the rate with the smallest.
    """
    data = spelling(words)
    values: dict = {}
    for kind in kinds:

        def learn(lr: float, kind: str = kind):
            model = spelling_tagger(kind, data, budget=budget, seed=seed)
            return learn_tags(model, data.train, data.valid, steps=steps, lr=lr, seed=seed)

        errors = swept(rates, learn)
        values |= {f"{kind}_valid": errors, f"{kind}_rate": chosen(rates, errors)}
    return values


@experiment(
    "07.sounds",
    smoke={"seeds": 1, "rates": {"forward": 1e-2, "sum": 1e-2}, "steps": 2, "budget": 8_000, "words": 400},
    page={"seeds": 1, "rates": {"forward": 1e-2, "delay 4": 1e-2, "bidirectional": 1e-2}, "steps": 300,
          "budget": 60_000, "words": 20_000},
    full={"seeds": 3, "rates": {"forward": 3e-2, "delay 1": 3e-2, "delay 2": 3e-2, "delay 4": 3e-2,
                               "bidirectional": 3e-2, "sum": 3e-2, "product": 3e-2},
          "steps": 1000, "budget": 60_000, "words": 20_000},
    published=[
        Published(
            "bidirectional_per",
            0.0545,
            cite="yao2015sequence",
            read="from a secondary source",
            unit="phoneme errors a phoneme",
            size="bidirectional LSTM, more layers and units, all words of the dictionary",
            comparable=False,
            why="theirs also reads the phonemes that it has said so far; ours tags each letter by itself, after a "
            "short training on a sixth of the words, split so that a word's inflected forms stay on one side",
            what="letter to sound with two directions",
        ),
    ],
)  # fmt: skip
def sounds(*, seed: int, rates: dict[str, float], steps: int, budget: int, words: int) -> dict:
    """The sentence hoped for: at equal parameters and steps, one direction that answers some letters later makes as
    few errors as two directions, and without the delay several times as many.

    It would be refuted if the best delay stayed behind the two directions by more than the seeds' spread. Everybody has
    the same batches and an open forget gate, and the rate that ``07.sound_rates`` chose for it.

    Args:
        seed: Of weights and batches.
        rates: From a competitor to its learning rate.
        steps: Gradient steps.
        budget: Parameters of each.
        words: Training words.

    Returns:
        For each competitor: units, parameters, shares of wrong tags on validation and test words, phoneme and word
        error rates, and the shares of wrong tags by the distance of the deciding letter; and the baselines, and how
        many letters there are at each distance.
    """
    data, distances = spelling(words), test_distances(words)
    values: dict = {name: baseline.value for name, baseline in data.baselines.items()}
    values["letters"] = [int((distances == far).sum()) for far in range(FARTHEST + 1)]
    for kind, lr in rates.items():
        model = spelling_tagger(kind, data, budget=budget, seed=seed)
        history = learn_tags(model, data.train, data.valid, steps=steps, lr=lr, seed=seed)
        found = rates_of(model, data)
        values |= {
            f"{kind}_units": model.layer.output_size,
            f"{kind}_parameters": sum(parameter.numel() for parameter in model.parameters()),
            f"{kind}_valid": history.best,
            f"{kind}_wrong": tag_error(model, data.test.batch()),
            f"{kind}_per": found.per,
            f"{kind}_wer": found.wer,
            f"{kind}_by_distance": errors_by_distance(model, data, distances),
        }
    return values
