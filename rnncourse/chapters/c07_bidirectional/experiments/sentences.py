"""One vector for a sentence: from which states? Sentences of the Bible and the part of it that they stand in."""

import re
from collections import Counter
from functools import cache
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from rnncourse.chapters.c07_bidirectional.experiments.networks import EMBEDDING_SIZE, learn_tags, make_layer
from rnncourse.chapters.c07_bidirectional.experiments.rates import chosen, swept
from rnncourse.checks import check_choice
from rnncourse.data.batches import Batch, labelled
from rnncourse.data.padding import pad_numbers
from rnncourse.data.prose import BOOKS, read_passages
from rnncourse.data.splits import Split, split_by_hash
from rnncourse.depth import matched_hidden_size
from rnncourse.results import experiment
from rnncourse.training.losses import accuracy, cross_entropy
from rnncourse.unroll import last_step, padding_mask

PARTS = {
    "Law": ("Genesis", "Deuteronomy"),
    "History": ("Joshua", "Esther"),
    "Wisdom": ("Job", "Song_of_Songs"),
    "Prophets": ("Isaiah", "Malachi"),
    "Gospels and Acts": ("Matthew", "Acts"),
    "Letters and Revelation": ("Romans", "Revelation"),
}
"""The six parts, each from its first book to its last."""

READS = ("bag", "forward", "wrong end", "final", "mean", "max")
"""Where the vector comes from: ``"bag"`` is the mean of the word vectors, without any recurrence."""

COMPARED = ("bag", "wrong end", "final", "mean", "max")
"""The ways of the full result."""

SHORTEST, LONGEST = 5, 25
"""Words of a sentence."""


class Sentences(NamedTuple):
    """The task.

    Attributes:
        splits: Under ``"train"``, ``"valid"`` and ``"test"``, by whole chapters.
        vocabulary: How many words there are, padding and the word for unknown ones included.
    """

    splits: dict[str, Split]
    vocabulary: int


def part_of(chapter: str) -> int:
    """Which part of the Bible a chapter stands in.

    Args:
        chapter: A name such as ``"1 Kings 3"``.

    Returns:
        The place of the part in :data:`PARTS`.

    Example:
        >>> part_of("1 Kings 3"), part_of("Song of Songs 1"), part_of("Jude 1")
        (1, 2, 5)
    """
    book = BOOKS.index(chapter.rpartition(" ")[0].replace(" ", "_"))
    ends = [BOOKS.index(last) for _, last in PARTS.values()]
    return int(np.searchsorted(ends, book))


@cache
def sentences(fewest: int, count: int | None = None) -> Sentences:
    """Sentences of five to twenty-five words of the King James Bible, split by chapter.

    Args:
        fewest: A word that the train split has less often is unknown.
        count: Training sentences, spread over the text; a tenth of it in valid and test; all where None.

    Returns:
        Words as numbers (1 for an unknown word) and the number of the part.
    """
    _, passages = read_passages("king-james")
    rows: dict[str, list[tuple[int, list[str]]]] = {}
    for name, chapters in split_by_hash(passages, key=lambda passage: passage.key).items():
        found = [
            (part_of(chapter.key), words)
            for chapter in chapters
            for sentence in re.split(r"[.?!]", chapter.text.lower())
            if SHORTEST <= len(words := re.findall(r"[a-z']+", sentence)) <= LONGEST
        ]
        limit = count and (count if name == "train" else max(1, count // 10))
        rows[name] = found[:: max(1, len(found) // limit)][:limit] if limit else found
    seen = Counter(word for _, words in rows["train"] for word in words)
    kept = sorted(word for word, times in seen.items() if times >= fewest)
    numbers = {word: place for place, word in enumerate(kept, start=2)}
    splits = {}
    for name, found in rows.items():
        inputs, lengths = pad_numbers([[numbers.get(word, 1) for word in words] for _, words in found])
        parts = torch.tensor([part for part, _ in found])
        splits[name] = Split(labelled(inputs, parts, lengths), [words for _, words in found])
    return Sentences(splits, len(kept) + 2)


class SentenceReader(nn.Module):
    r"""Reads a sentence, makes one vector of it, and scores the classes.

    .. math:: y = V \, r(h_1, \dots, h_n) + b_y

    where :math:`h_t` are the layer's outputs and r reads them as ``read`` says: ``"final"``
    :math:`[h^f_n, h^b_1]`, ``"wrong end"`` :math:`[h^f_n, h^b_n]`, ``"mean"`` and ``"max"`` over the n steps;
    ``"forward"`` has one direction and reads :math:`h_n`; ``"bag"`` has no layer, and takes the mean of the word
    vectors.

    Args:
        read: One of :data:`READS`.
        hidden_size: Units of each direction.
        vocabulary: How many words there are.
        classes: How many scores.

    Raises:
        ValueError: If there is no such way to read.
    """

    def __init__(self, read: str, hidden_size: int, *, vocabulary: int, classes: int) -> None:
        super().__init__()
        check_choice("read", read, READS)
        self.read = read
        self.embedding = nn.Embedding(vocabulary, EMBEDDING_SIZE)
        if read == "bag":
            self.layer, width = None, EMBEDDING_SIZE
        else:
            self.layer = make_layer("forward" if read == "forward" else "bidirectional", hidden_size)
            width = self.layer.output_size
        self.readout = nn.Linear(width, classes)

    def forward(self, words: Tensor, *, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Scores of shape (batch, classes), and the vectors that they are read from.

        Args:
            words: Sentences, shape (batch, time).
            lengths: Words of each.

        Returns:
            Scores, and vectors of shape (batch, features).
        """
        outputs = self.embedding(words)
        if self.layer is not None:
            outputs, _ = self.layer(outputs, None, lengths)
        real = padding_mask(lengths, words.shape[1])[..., None]
        if self.read in ("bag", "mean"):
            vector = (outputs * real).sum(1) / lengths[:, None]
        elif self.read == "max":
            vector = outputs.masked_fill(~real, -torch.inf).amax(1)
        elif self.read == "final":
            vector = self.layer.last_output(outputs, lengths)
        else:
            vector = last_step(outputs, lengths)
        return self.readout(vector), vector


def make_reader(read: str, task: Sentences, *, budget: int, seed: int) -> SentenceReader:
    """An untrained reader whose parameters come closest to a budget; the bag has no layer, and fewer.

    Args:
        read: One of :data:`READS`.
        task: The sentences.
        budget: Parameters to spend besides the word vectors.
        seed: Draws the weights.

    Returns:
        The reader.
    """

    def build(hidden_size: int) -> SentenceReader:
        return SentenceReader(read, hidden_size, vocabulary=task.vocabulary, classes=len(PARTS))

    vectors = task.vocabulary * EMBEDDING_SIZE
    hidden_size = 1 if read == "bag" else matched_hidden_size(build, budget + vectors)
    torch.manual_seed(seed)
    return build(hidden_size)


def part_loss(model: nn.Module, batch: Batch) -> Tensor:
    """The mean surprise, in nats, at the parts.

    Args:
        model: A reader.
        batch: Sentences and their parts.

    Returns:
        A scalar.
    """
    return cross_entropy(model(batch.inputs, lengths=batch.lengths)[0], batch.targets)


@torch.no_grad()
def part_error(model: nn.Module, batch: Batch) -> float:
    """The share of sentences that are put into a wrong part.

    Args:
        model: A reader.
        batch: Sentences and their parts.

    Returns:
        A number between 0 and 1.
    """
    return 1 - accuracy(model(batch.inputs, lengths=batch.lengths)[0], batch.targets)


def naive_bayes(train: Batch, test: Batch, vocabulary: int) -> float:
    r"""The share of sentences whose part is found by counting words: naive Bayes.

    .. math:: \hat k = \arg\max_k \; \log P(k) + \sum_t \log \frac{c_k(w_t) + 1}{\sum_w (c_k(w) + 1)}

    where :math:`c_k(w)` counts word w in the training sentences of part k.

    Args:
        train: Sentences to count.
        test: Sentences to sort.
        vocabulary: How many words there are.

    Returns:
        The share of right answers.
    """
    classes = len(PARTS)

    def counts(batch: Batch) -> Tensor:
        table = torch.zeros(len(batch.inputs), vocabulary, dtype=torch.float64)
        return table.scatter_add_(1, batch.inputs, batch.mask.double())

    membership = torch.nn.functional.one_hot(train.targets, classes).double()  # (sentences, classes)
    words = membership.T @ counts(train) + 1
    prior = membership.mean(0).log()
    scores = prior + counts(test) @ (words / words.sum(1, keepdim=True)).log().T
    return float((scores.argmax(1) == test.targets).double().mean())


def _learn(read: str, task: Sentences, *, steps: int, lr: float, budget: int, seed: int):
    model = make_reader(read, task, budget=budget, seed=seed)
    options = {"steps": steps, "lr": lr, "seed": seed, "batch_size": 32, "loss": part_loss, "error": part_error}
    return model, learn_tags(model, task.splits["train"], task.splits["valid"], points=8, **options)


@experiment(
    "07.sentence_rates",
    smoke={"seeds": 1, "reads": ["bag", "final"], "rates": [3e-3, 1e-2], "steps": 2, "budget": 3_000, "fewest": 3,
           "count": 300},
    page={"seeds": 1, "reads": ["final"], "rates": [3e-3, 1e-2], "steps": 200, "budget": 30_000, "fewest": 3,
          "count": None},
    full={"seeds": 1, "reads": list(COMPARED), "rates": [3e-3, 1e-2, 3e-2, 1e-1, 3e-1], "steps": 250, "budget": 30_000,
          "fewest": 3, "count": None},
)  # fmt: skip
def sentence_rates(
    *, seed: int, reads: list[str], rates: list[float], steps: int, budget: int, fewest: int, count: int | None
) -> dict:
    """Each way to read at each learning rate, at the length of the final run; the test sentences are not looked at.

    Args:
        seed: Of weights and batches.
        reads: Ways to make the vector.
        rates: Learning rates to try.
        steps: Gradient steps of 32 sentences each.
        budget: Parameters besides the word vectors.
        fewest: As for :func:`sentences`.
        count: As for :func:`sentences`.

    Returns:
        For each way the shares of wrong answers on the validation sentences, and the rate with the smallest.
    """
    task = sentences(fewest, count)
    values: dict = {}
    for read in reads:

        def learn(lr: float, read: str = read):
            return _learn(read, task, steps=steps, lr=lr, budget=budget, seed=seed)[1]

        errors = swept(rates, learn)
        values |= {f"{read}_valid": errors, f"{read}_rate": chosen(rates, errors)}
    return values


@experiment(
    "07.sentences",
    smoke={"seeds": 1, "rates": {"bag": 1e-2, "wrong end": 1e-2, "final": 1e-2, "max": 1e-2, "mean": 1e-2},
           "steps": 2, "budget": 3_000, "fewest": 3, "count": 300},
    page={"seeds": 1, "rates": {"wrong end": 3e-3, "final": 3e-3, "mean": 3e-3}, "steps": 200, "budget": 30_000,
          "fewest": 3, "count": None},
    full={"seeds": 3, "rates": {**dict.fromkeys(COMPARED, 3e-2), "bag": 1e-1}, "steps": 250, "budget": 30_000,
          "fewest": 3, "count": None},
)  # fmt: skip
def sentence_vectors(
    *, seed: int, rates: dict[str, float], steps: int, budget: int, fewest: int, count: int | None
) -> dict:
    """The sentence hoped for: at equal parameters, both final states or a pool over all states make a better vector of
    a sentence than the backward state read at the wrong end. Whether any of them beats counting words is asked, not
    hoped.

    It would be refuted if the wrong end were level with the final states.

    Args:
        seed: Of weights and batches.
        rates: From a way to read to its learning rate, that of ``07.sentence_rates``.
        steps: Gradient steps.
        budget: Parameters besides the word vectors.
        fewest: As for :func:`sentences`.
        count: As for :func:`sentences`.

    Returns:
        For each way the share of right answers on the test sentences; and the shares of the commonest part and of naive
        Bayes.
    """
    task = sentences(fewest, count)
    train, test = task.splits["train"].batch(), task.splits["test"].batch()
    values: dict = {
        "majority": float((test.targets == train.targets.mode().values).double().mean()),
        "naive Bayes": naive_bayes(train, test, task.vocabulary),
        "train_sentences": len(train.inputs),
        "test_sentences": len(test.inputs),
    }
    for read, lr in rates.items():
        model, _ = _learn(read, task, steps=steps, lr=lr, budget=budget, seed=seed)
        values[f"{read}_right"] = 1 - part_error(model, test)
    return values
