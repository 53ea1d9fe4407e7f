"""Dates: a task that both learn, one of them sooner."""

from functools import cache

from rnncourse.chapters.c11_attention.experiments.networks import learn, model_of_budget, write
from rnncourse.data import load
from rnncourse.data.dataset import Dataset
from rnncourse.results import experiment
from rnncourse.seq2seq import SequenceToSequence

EMBEDDING = 32


@cache
def written_dates(count: int | None) -> Dataset:
    """The data set, loaded once.

    Args:
        count: As for :func:`rnncourse.data.dates.load`.

    Returns:
        Dates as they are written, and in ISO form.
    """
    return load("dates", count=count)


def exact(model: SequenceToSequence, data: Dataset, split: str) -> float:
    """The share of dates that come out right, all ten characters.

    Args:
        model: The network.
        data: What :func:`written_dates` returns.
        split: ``"valid"`` or ``"test"``.

    Returns:
        A number between 0 and 1.
    """
    assert data.target_vocabulary is not None
    said = [data.target_vocabulary.text(tokens) for tokens in write(model, data[split], max_length=15)]
    return sum(one == iso for one, (_, iso) in zip(said, data[split].items, strict=True)) / len(said)


def learn_dates(reader: str, *, count: int | None, steps: int, lr: float, budget: int, seed: int):
    """One network, drawn and trained.

    Args:
        reader: A key of :data:`~rnncourse.chapters.c11_attention.experiments.networks.READERS`.
        count: Dates.
        steps: Gradient steps of 64 dates.
        lr: Learning rate.
        budget: Parameters.
        seed: Of weights and order.

    Returns:
        The network, and how its training went.
    """
    data = written_dates(count)
    symbols = len(data.vocabulary or ()), len(data.target_vocabulary or ())
    model = model_of_budget(reader, *symbols, budget=budget, embedding_size=EMBEDDING, dropout=0.0, seed=seed)
    return model, learn(model, data.train, data.valid, steps=steps, lr=lr, seed=seed)


@experiment(
    "11.dates",
    smoke={"seeds": 1, "readers": ["state", "general"], "rates": [1e-2], "lengths": [2, 3], "budget": 6_000,
           "count": 300},
    page={"seeds": 1, "readers": ["state", "general"], "rates": [1e-2], "lengths": [150, 300], "budget": 60_000,
          "count": None},
    full={"seeds": 3, "readers": ["state", "general"], "rates": [4e-3, 1e-2], "lengths": [250, 500, 1_000, 2_000],
          "budget": 60_000, "count": None},
)  # fmt: skip
def dates(
    *, seed: int, readers: list[str], rates: list[float], lengths: list[int], budget: int, count: int | None
) -> dict:
    """The sentence hoped for: on dates attention is ahead after few steps and level after many: here the gap is one of
    learning speed, since ten characters fit into any vector.

    It would be refuted if the network without attention stopped short of nine dates in ten.

    Args:
        seed: Of weights and order.
        readers: Competitors.
        rates: Learning rates; at each length a competitor counts with the one that validates best.
        lengths: Gradient steps of the runs.
        budget: Parameters of each.
        count: Dates.

    Returns:
        For each competitor and length the share of test dates that are right, and the rate.
    """
    data = written_dates(count)
    values: dict = {}
    for reader in readers:
        shares, used = [], []
        for steps in lengths:
            runs = []
            for lr in rates:
                model, history = learn_dates(reader, count=count, steps=steps, lr=lr, budget=budget, seed=seed)
                runs.append((history.best, lr, model))
            _, lr, model = min(runs, key=lambda run: run[:2])
            shares.append(exact(model, data, "test"))
            used.append(lr)
        values |= {f"{reader}_exact": shares, f"{reader}_rates": used}
    return values
