"""Translation: verses of the King James Bible into Basic English, with attention and with one vector."""

from functools import cache

import torch

from rnncourse.chapters.c07_bidirectional.experiments.rates import sweep
from rnncourse.chapters.c10_encoder_decoder.experiments.networks import BOS
from rnncourse.chapters.c11_attention.experiments.networks import learn, model_of_budget, write
from rnncourse.data import load
from rnncourse.data.bleu import bleu
from rnncourse.data.dataset import Dataset
from rnncourse.data.translation import Verse
from rnncourse.modes import evaluating
from rnncourse.results import experiment
from rnncourse.seq2seq import AttentionDecoder, SequenceToSequence
from rnncourse.training import History

EMBEDDING, DROPOUT, BUDGET = 128, 0.2, 1_300_000
LONGEST = 40
"""Where a translation without an end is cut off, in tokens; no verse of the set has more than 25."""

SHOWN = 12
"""Verses whose translations stand in the result, spread evenly over the test split."""


@cache
def bible(max_pairs: int | None) -> Dataset:
    """The data set, loaded once.

    Args:
        max_pairs: As for :func:`rnncourse.data.translation.load`.

    Returns:
        Pairs of verses.
    """
    return load("translation", max_pairs=max_pairs)


def learn_verses(reader: str, *, pairs: int | None, steps: int, lr: float, budget: int, seed: int, points: int = 4):
    """One network, drawn and trained.

    Args:
        reader: A key of :data:`~rnncourse.chapters.c11_attention.experiments.networks.READERS`.
        pairs: Training pairs.
        steps: Gradient steps of 64 pairs.
        lr: Learning rate.
        budget: Parameters.
        seed: Of weights, order and dropout.
        points: How often to look at the validation split.

    Returns:
        The network, and how its training went.
    """
    data = bible(pairs)
    symbols = len(data.vocabulary or ()), len(data.target_vocabulary or ())
    options = {"embedding_size": EMBEDDING, "dropout": DROPOUT, "seed": seed}
    model = model_of_budget(reader, *symbols, budget=budget, **options)
    return model, learn(model, data.train, data.valid, steps=steps, lr=lr, seed=seed, points=points)


def translate(model: SequenceToSequence, data: Dataset, split: str) -> list[list[str]]:
    """What a network makes of the verses of a split.

    Args:
        model: The network.
        data: What :func:`bible` returns.
        split: ``"valid"`` or ``"test"``.

    Returns:
        The words of each verse.
    """
    assert data.target_vocabulary is not None
    return [data.target_vocabulary.decode(said) for said in write(model, data[split], max_length=LONGEST)]


def score(said: list[list[str]], items: list[Verse]) -> float:
    """BLEU against the verses of the Bible in Basic English, in percent.

    Args:
        said: The words of each verse.
        items: The verses.

    Returns:
        From 0 to 100.
    """
    return bleu(said, [list(verse.target) for verse in items])


def score_by_length(said: list[list[str]], items: list[Verse], ends: tuple[int, ...] = (10, 14, 18, 22)) -> list[float]:
    """BLEU of short verses and of longer ones.

    Args:
        said: The words of each verse.
        items: The verses.
        ends: Verses are grouped by the tokens of their source, up to the first end, up to the second, and so on; the
            last group is what is longer.

    Returns:
        A score for each group, 0 where it has no verse.
    """
    edges = [0, *ends, 10**6]
    scores = []
    for low, high in zip(edges, edges[1:], strict=False):
        rows = [row for row, verse in enumerate(items) if low < len(verse.source) <= high]
        scores.append(score([said[row] for row in rows], [items[row] for row in rows]) if rows else 0.0)
    return scores


def where_it_looks(model: SequenceToSequence, data: Dataset, split: str, row: int) -> tuple[list[str], torch.Tensor]:
    """One source, written greedily, and where each step looked.

    Args:
        model: A network with attention.
        data: Its data set.
        split: The split's name.
        row: Which of its items.

    Returns:
        The symbols written, the end mark among them, and weights (written, source).

    Raises:
        ValueError: If the network's decoder has no attention.
    """
    if not isinstance(model.decoder, AttentionDecoder):
        raise ValueError(f"model has a {type(model.decoder).__name__}; it should have a decoder with attention")
    assert data.target_vocabulary is not None
    batch = data[split][row]
    (said,) = write(model, data[split].__class__(batch), max_length=LONGEST)
    tokens = torch.tensor([[BOS, *said]])
    with evaluating(model):
        trace, _ = model.decoder.trace(tokens, model.encode(batch.inputs, batch.lengths))
    return [*data.target_vocabulary.decode(said), "<eos>"], trace.weights[0]


RATES = {
    "smoke": {"seeds": 1, "rates": [1e-3, 3e-3], "steps": 2, "budget": 200_000, "pairs": 300},
    "page": {"seeds": 1, "rates": [1e-3, 2e-3], "steps": 100, "budget": BUDGET, "pairs": None},
    "full": {"seeds": 1, "rates": [4e-3, 8e-3, 1.6e-2, 3.2e-2], "steps": 1_600, "budget": BUDGET, "pairs": None},
}


@experiment("11.verse_rates", **RATES)
def verse_rates(*, seed: int, rates: list[float], steps: int, budget: int, pairs: int | None) -> dict:
    """The network with attention at each learning rate, at the length of the final run; the test is not looked at.

    Args:
        seed: Of weights, order and dropout.
        rates: Learning rates to try.
        steps: Gradient steps.
        budget: Parameters.
        pairs: Training pairs.

    Returns:
        The validation losses, in nats a word, and the rate with the smallest.
    """
    return _sweep("general", seed=seed, rates=rates, steps=steps, budget=budget, pairs=pairs)


@experiment("11.verse_rates_mean", **RATES)
def verse_rates_mean(*, seed: int, rates: list[float], steps: int, budget: int, pairs: int | None) -> dict:
    """The same for the network that gets one mean vector.

    Args:
        seed: Of weights, order and dropout.
        rates: Learning rates to try.
        steps: Gradient steps.
        budget: Parameters.
        pairs: Training pairs.

    Returns:
        The validation losses, in nats a word, and the rate with the smallest.
    """
    return _sweep("mean", seed=seed, rates=rates, steps=steps, budget=budget, pairs=pairs)


def _sweep(reader: str, *, seed: int, rates: list[float], steps: int, budget: int, pairs: int | None) -> dict:
    def train(reader: str, lr: float) -> History:
        return learn_verses(reader, pairs=pairs, steps=steps, lr=lr, budget=budget, seed=seed)[1]

    return sweep([reader], rates, train)


@experiment(
    "11.verses",
    smoke={"seeds": 1, "rates": {"mean": 2e-3, "general": 2e-3}, "steps": 2, "budget": 200_000, "pairs": 300},
    page={"seeds": 1, "rates": {"mean": 2e-3, "general": 2e-3}, "steps": 100, "budget": BUDGET, "pairs": None},
    full={"seeds": 3, "rates": {"mean": 8e-3, "general": 8e-3}, "steps": 1_600, "budget": BUDGET, "pairs": None},
)
def translations(*, seed: int, rates: dict[str, float], steps: int, budget: int, pairs: int | None) -> dict:
    """The sentence hoped for: at equal parameters and equal steps, the network with attention translates better than
    a copy of the source, by BLEU, with every seed; with one mean vector in the place of attention it does not.

    It is refuted if attention stays at or below the copy's BLEU, or if the mean comes above it too.

    Args:
        seed: Of weights, order and dropout.
        rates: From a competitor to its learning rate, that of the sweeps.
        steps: Gradient steps of 64 verses.
        budget: Parameters of each, embeddings included.
        pairs: Training pairs.

    Returns:
        The BLEU of the copied source (``copy``), by length too; for each competitor parameters, validation loss, BLEU
        on test verses, by length too; and some verses (``samples``): source, reference, and what each competitor wrote.
    """
    data = bible(pairs)
    items = list(data.test.items)
    copied = [list(verse.source) for verse in items]
    values: dict = {"copy": score(copied, items), "copy_by_length": score_by_length(copied, items)}
    rows = range(0, len(items), max(1, len(items) // SHOWN))[:SHOWN]
    samples = {row: [" ".join(items[row].source), " ".join(items[row].target)] for row in rows}
    for reader, lr in rates.items():
        model, history = learn_verses(reader, pairs=pairs, steps=steps, lr=lr, budget=budget, seed=seed)
        said = translate(model, data, "test")
        values |= {
            f"{reader}_parameters": sum(parameter.numel() for parameter in model.parameters()),
            f"{reader}_valid": history.best,
            f"{reader}_bleu": score(said, items),
            f"{reader}_by_length": score_by_length(said, items),
        }
        for row, sample in samples.items():
            sample.append(" ".join(said[row]))
    return values | {"samples": list(samples.values())}
