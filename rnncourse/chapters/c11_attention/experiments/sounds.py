"""Letters to phonemes again: by the length of the word, by the length of training, and by the size of the vector."""

from functools import cache

import numpy as np

from rnncourse.chapters.c07_bidirectional.experiments.rates import sweep
from rnncourse.chapters.c11_attention.experiments.networks import READERS, learn, model_of_budget, write
from rnncourse.data import load
from rnncourse.data.dataset import Dataset
from rnncourse.data.grapheme_to_phoneme import score
from rnncourse.data.pronunciation import Word
from rnncourse.results import experiment
from rnncourse.seq2seq import SequenceToSequence
from rnncourse.training import History

EMBEDDING = 48
COMPARED = ("state", "mean", "general", "additive")
"""The competitors of the full result."""

ENDS = (4, 6, 8, 10, 12)
"""Words are grouped by their letters: up to the first end, up to the second, …, and beyond the last."""

LONG = 11
"""A word is long from so many letters on."""


@cache
def sounds(max_words: int | None) -> Dataset:
    """The data set, loaded once.

    Args:
        max_words: As for :func:`rnncourse.data.grapheme_to_phoneme.load`.

    Returns:
        Spellings and pronunciations.
    """
    return load("grapheme_to_phoneme", max_words=max_words)


def make_speller(reader: str, data: Dataset, *, budget: int, seed: int) -> SequenceToSequence:
    """An untrained network from letters to phonemes.

    Args:
        reader: A key of :data:`~rnncourse.chapters.c11_attention.experiments.networks.READERS`.
        data: What :func:`sounds` returns.
        budget: Parameters.
        seed: Draws the weights.

    Returns:
        The network.
    """
    symbols = len(data.vocabulary or ()), len(data.target_vocabulary or ())
    return model_of_budget(reader, *symbols, budget=budget, embedding_size=EMBEDDING, dropout=0.0, seed=seed)


def pronounce(model: SequenceToSequence, data: Dataset, split: str) -> list[list[str]]:
    """What a network makes of the words of a split.

    Args:
        model: The network.
        data: What :func:`sounds` returns.
        split: ``"valid"`` or ``"test"``.

    Returns:
        Phonemes of each word.
    """
    assert data.target_vocabulary is not None
    return [data.target_vocabulary.decode(said) for said in write(model, data[split], max_length=25)]


def groups(items: list[Word]) -> list[np.ndarray]:
    """Which words have how many letters.

    Args:
        items: Words.

    Returns:
        For each group of :data:`ENDS`, and for what is longer, the places of its words.
    """
    place = np.digitize([len(word.letters) for word in items], ENDS, right=True)
    return [np.flatnonzero(place == group) for group in range(len(ENDS) + 1)]


def by_length(predicted: list[list[str]], items: list[Word]) -> dict[str, list[float]]:
    r"""Errors by the length of the word, and what equal errors at every phoneme would make of whole words.

    .. math:: \text{independent} = \operatorname{mean} (1 - \mathrm{PER})^{n}

    where PER is the phoneme error rate over *all* words and n a word's number of phonemes: the share of words that
    would come out right if every phoneme, in short words and in long ones, were right as often as any other, each by
    itself.

    Args:
        predicted: Phonemes of each word.
        items: The words.

    Returns:
        For each group: the phoneme error rate (``per``), the share of words that are right (``exact``), that share as
        the formula expects it (``independent``), and how many words there are (``words``). A group without words has
        the values 0.
    """
    overall = score(predicted, items).per
    values: dict[str, list[float]] = {"per": [], "exact": [], "independent": [], "words": []}
    for rows in groups(items):
        chosen_words = [items[row] for row in rows]
        rates = score([predicted[row] for row in rows], chosen_words) if len(rows) else None
        expected = [max(0.0, 1 - overall) ** len(word.phonemes) for word in chosen_words]
        values["per"].append(rates.per if rates else 0.0)
        values["exact"].append(1 - rates.wer if rates else 0.0)
        values["independent"].append(float(np.mean(expected)) if expected else 0.0)
        values["words"].append(len(rows))
    return values


def long_error(predicted: list[list[str]], items: list[Word]) -> float:
    """The phoneme error rate of the words of :data:`LONG` letters or more.

    Args:
        predicted: Phonemes of each word.
        items: The words.

    Returns:
        The rate.
    """
    rows = [row for row, word in enumerate(items) if len(word.letters) >= LONG]
    return score([predicted[row] for row in rows], [items[row] for row in rows]).per


def learn_sounds(reader: str, *, words: int | None, steps: int, lr: float, budget: int, seed: int):
    """One network, drawn and trained.

    Args:
        reader: A competitor.
        words: Training words.
        steps: Gradient steps of 64 words.
        lr: Learning rate.
        budget: Parameters.
        seed: Of weights and order.

    Returns:
        The network, and how its training went.
    """
    data = sounds(words)
    model = make_speller(reader, data, budget=budget, seed=seed)
    return model, learn(model, data.train, data.valid, steps=steps, lr=lr, seed=seed)


@experiment(
    "11.sound_rates",
    smoke={"seeds": 1, "readers": ["state", "general"], "rates": [3e-3, 1e-2], "steps": 2, "budget": 12_000,
           "words": 200},
    page={"seeds": 1, "readers": ["state", "general"], "rates": [2e-3, 4e-3], "steps": 300, "budget": 160_000,
          "words": 20_000},
    full={"seeds": 1, "readers": list(COMPARED), "rates": [1e-3, 2e-3, 4e-3, 8e-3, 1.6e-2], "steps": 2_000,
          "budget": 160_000, "words": 20_000},
)  # fmt: skip
def sound_rates(
    *, seed: int, readers: list[str], rates: list[float], steps: int, budget: int, words: int | None
) -> dict:
    """Each competitor at each learning rate, at the length of the final run; the test words are not looked at.

    Args:
        seed: Of weights and order.
        readers: Competitors.
        rates: Learning rates to try.
        steps: Gradient steps.
        budget: Parameters of each.
        words: Training words.

    Returns:
        For each competitor the validation losses, in nats a phoneme, and the rate with the smallest.
    """

    def train(reader: str, lr: float) -> History:
        return learn_sounds(reader, words=words, steps=steps, lr=lr, budget=budget, seed=seed)[1]

    return sweep(readers, rates, train)


@experiment(
    "11.sounds",
    smoke={"seeds": 1, "rates": {"state": 4e-3, "general": 4e-3}, "steps": 2, "budget": 12_000, "words": 200},
    page={"seeds": 1, "rates": {"state": 4e-3, "general": 4e-3}, "steps": 600, "budget": 160_000, "words": 20_000},
    full={"seeds": 3, "rates": dict.fromkeys(COMPARED, 4e-3), "steps": 2_000, "budget": 160_000, "words": 20_000},
)
def sound_lengths(*, seed: int, rates: dict[str, float], steps: int, budget: int, words: int | None) -> dict:
    """The sentence hoped for: at equal parameters and equal steps a network that looks makes fewer errors a phoneme in
    words of eleven letters or more than one that gets a state or a mean.

    It would be refuted if the mean vector, which every step gets and which differs from attention in the weights alone,
    came within two standard errors of attention on the long words.

    Args:
        seed: Of weights and order.
        rates: From a competitor to its learning rate, that of ``11.sound_rates``.
        steps: Gradient steps.
        budget: Parameters of each, embeddings included.
        words: Training words.

    Returns:
        For each competitor: parameters, phoneme and word error rates of the test words, the phoneme error rate of long
        words, and what :func:`by_length` says of each group.
    """
    items = list(sounds(words).test.items)
    values: dict = {}
    for reader, lr in rates.items():
        model, _ = learn_sounds(reader, words=words, steps=steps, lr=lr, budget=budget, seed=seed)
        said = pronounce(model, sounds(words), "test")
        rates_of_all = score(said, items)
        values |= {
            f"{reader}_parameters": sum(parameter.numel() for parameter in model.parameters()),
            f"{reader}_per": rates_of_all.per,
            f"{reader}_wer": rates_of_all.wer,
            f"{reader}_long": long_error(said, items),
        }
        values |= {f"{reader}_{name}": numbers for name, numbers in by_length(said, items).items()}
    return values


@experiment(
    "11.patience",
    smoke={"seeds": 1, "rates": {"state": 4e-3, "general": 4e-3}, "lengths": [2, 4], "budget": 12_000, "words": 200},
    page={"seeds": 1, "rates": {"state": 4e-3, "general": 4e-3}, "lengths": [250, 500], "budget": 160_000,
          "words": 20_000},
    full={"seeds": 3, "rates": {"state": 4e-3, "general": 4e-3}, "lengths": [500, 1_500, 4_500],
          "budget": 160_000, "words": 20_000},
)  # fmt: skip
def patience(*, seed: int, rates: dict[str, float], lengths: list[int], budget: int, words: int | None) -> dict:
    """Is attention better, or only sooner? Each network trained longer and longer, each run with a schedule that ends.

    The sentence hoped for: without attention, more training closes part of the gap on long words and not all of it. If
    the last run of the network without attention is level with an earlier one of the network with it, the gap between
    those two was learning speed; what is left when both have stopped gaining is the bottleneck, or overfitting, which
    the training loss beside it tells apart.

    Args:
        seed: Of weights and order.
        rates: From a competitor to its learning rate, that of ``11.sound_rates``.
        lengths: Gradient steps of the runs.
        budget: Parameters of each.
        words: Training words.

    Returns:
        For each competitor and length: the loss over the last tenth of training, in nats a phoneme; the phoneme error
        rates of all test words and of long ones.
    """
    items = list(sounds(words).test.items)
    values: dict = {}
    for reader, lr in rates.items():
        rows: dict[str, list[float]] = {"train": [], "per": [], "long": []}
        for steps in lengths:
            model, history = learn_sounds(reader, words=words, steps=steps, lr=lr, budget=budget, seed=seed)
            said = pronounce(model, sounds(words), "test")
            rows["train"].append(float(np.mean(history.losses[-max(1, steps // 10) :])))
            rows["per"].append(score(said, items).per)
            rows["long"].append(long_error(said, items))
        values |= {f"{reader}_{name}": numbers for name, numbers in rows.items()}
    return values


@experiment(
    "11.width",
    smoke={"seeds": 1, "rates": {"state": 4e-3, "general": 4e-3}, "budgets": [8_000, 12_000], "steps": 2,
           "words": 200},
    page={"seeds": 1, "rates": {"state": 4e-3, "general": 4e-3}, "budgets": [20_000, 60_000], "steps": 300,
          "words": 20_000},
    full={"seeds": 3, "rates": {"state": 4e-3, "general": 4e-3}, "budgets": [20_000, 60_000, 180_000],
          "steps": 2_000, "words": 20_000},
)  # fmt: skip
def width(*, seed: int, rates: dict[str, float], budgets: list[int], steps: int, words: int | None) -> dict:
    """Does a wider vector help? Networks of more and more parameters, at equal steps.

    The sentence hoped for: from the smallest to the largest, the error on long words falls by more without attention
    than with it, since there the vector has to hold the whole word. It is refuted if the two fall alike.

    Args:
        seed: Of weights and order.
        rates: From a competitor to its learning rate, that of ``11.sound_rates``.
        budgets: Parameters of the networks.
        steps: Gradient steps.
        words: Training words.

    Returns:
        For each competitor and budget: units of the decoder, and phoneme error rates of all words and of long ones.
    """
    items = list(sounds(words).test.items)
    values: dict = {}
    for reader, lr in rates.items():
        rows: dict[str, list[float]] = {"units": [], "per": [], "long": []}
        for budget in budgets:
            model, _ = learn_sounds(reader, words=words, steps=steps, lr=lr, budget=budget, seed=seed)
            said = pronounce(model, sounds(words), "test")
            rows["units"].append(model.decoder.layer.output_size)
            rows["per"].append(score(said, items).per)
            rows["long"].append(long_error(said, items))
        values |= {f"{reader}_{name}": numbers for name, numbers in rows.items()}
    return values


assert set(COMPARED) <= set(READERS)
