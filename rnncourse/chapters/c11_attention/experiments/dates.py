"""Dates: a task that both learn, one of them sooner."""

from functools import cache

from rnncourse.chapters.c07_bidirectional.experiments.rates import sweep
from rnncourse.chapters.c11_attention.experiments.networks import learn, model_of_budget, write
from rnncourse.data import load
from rnncourse.data.dataset import Dataset
from rnncourse.results import experiment
from rnncourse.seq2seq import SequenceToSequence
from rnncourse.training import History

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


def right_places(model: SequenceToSequence, data: Dataset, split: str) -> list[float]:
    """How often each of the ten characters of a date comes out right.

    Args:
        model: The network.
        data: What :func:`written_dates` returns.
        split: ``"valid"`` or ``"test"``.

    Returns:
        A share for each place, from the first digit of the year to the last of the day.
    """
    assert data.target_vocabulary is not None
    said = [data.target_vocabulary.text(tokens).ljust(10)[:10] for tokens in write(model, data[split], max_length=15)]
    isos = [iso for _, iso in data[split].items]
    return [
        sum(one[place] == iso[place] for one, iso in zip(said, isos, strict=True)) / len(said) for place in range(10)
    ]


@experiment(
    "11.date_rates",
    smoke={"seeds": 1, "readers": ["state", "general"], "rates": [3e-3, 1e-2], "steps": 2, "budget": 6_000,
           "count": 300},
    page={"seeds": 1, "readers": ["state", "general"], "rates": [5e-3, 1e-2], "steps": 150, "budget": 60_000,
          "count": None},
    full={"seeds": 1, "readers": ["state", "general"], "rates": [1.25e-3, 2.5e-3, 5e-3, 1e-2, 2e-2], "steps": 1_000,
          "budget": 60_000, "count": None},
)  # fmt: skip
def date_rates(
    *, seed: int, readers: list[str], rates: list[float], steps: int, budget: int, count: int | None
) -> dict:
    """Each competitor at each learning rate; the test dates are not looked at.

    Args:
        seed: Of weights and order.
        readers: Competitors.
        rates: Learning rates to try.
        steps: Gradient steps.
        budget: Parameters of each.
        count: Dates.

    Returns:
        For each competitor the validation losses, in nats a character, and the rate with the smallest.
    """

    def train(reader: str, lr: float) -> History:
        return learn_dates(reader, count=count, steps=steps, lr=lr, budget=budget, seed=seed)[1]

    return sweep(readers, rates, train)


@experiment(
    "11.dates",
    smoke={"seeds": 1, "rates": {"state": 1e-2, "general": 1e-2}, "lengths": [2, 3], "budget": 6_000, "count": 300},
    page={"seeds": 1, "rates": {"state": 1e-2, "general": 1e-2}, "lengths": [150, 300], "budget": 60_000,
          "count": None},
    full={"seeds": 3, "rates": {"state": 1e-2, "general": 1e-2}, "lengths": [250, 1_000, 4_000], "budget": 60_000,
          "count": None},
)  # fmt: skip
def dates(*, seed: int, rates: dict[str, float], lengths: list[int], budget: int, count: int | None) -> dict:
    """The sentence hoped for: on dates attention is far ahead after 250 steps and level after 4,000: here the gap is
    one of learning speed, since ten characters fit into any vector.

    It would be refuted if the network without attention stopped short of nine dates in ten.

    Args:
        seed: Of weights and order.
        rates: From a competitor to its learning rate, that of ``11.date_rates``, which is swept at 1,000 steps.
        lengths: Gradient steps of the runs, each with a schedule that ends.
        budget: Parameters of each.
        count: Dates.

    Returns:
        For each competitor and length the share of test dates that are right.
    """
    data = written_dates(count)
    values: dict = {}
    for reader, lr in rates.items():
        values[f"{reader}_exact"] = [
            exact(learn_dates(reader, count=count, steps=steps, lr=lr, budget=budget, seed=seed)[0], data, "test")
            for steps in lengths
        ]
    return values
