"""What looking costs: a training step and a step of writing, with attention and without, by the source's length."""

import time
from collections.abc import Callable

import torch
from torch import Tensor

from rnncourse.chapters.c11_attention.experiments.networks import BOS, make_model
from rnncourse.results import experiment
from rnncourse.seq2seq import SequenceToSequence, teacher_forced
from rnncourse.training.losses import cross_entropy

TOKENS = 40
READERS = ("mean", "dot", "general", "additive")


def medians(works: dict[str, Callable[[], object]], repeats: int) -> dict[str, float]:
    """CPU milliseconds of several pieces of work, which take turns; the first round is thrown away.

    Args:
        works: From a name to what is done.
        repeats: How many rounds count.

    Returns:
        For each the median.
    """
    spent: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(repeats + 1):
        for name, work in works.items():
            started = time.process_time()
            work()
            spent[name].append(1000 * (time.process_time() - started))
    return {name: sorted(times[1:])[repeats // 2] for name, times in spent.items()}


def _drawn(batch_size: int, length: int, seed: int) -> Tensor:
    return torch.randint(3, TOKENS, (batch_size, length), generator=torch.Generator().manual_seed(seed))


def training_milliseconds(
    readers: list[str], length: int, *, units: int, batch_size: int, repeats: int, seed: int
) -> dict[str, float]:
    """A loss and its gradient, on sources and targets of one length.

    Args:
        readers: Competitors.
        length: Tokens of a source, and of a target.
        units: Units, and features of an embedding.
        batch_size: Pairs.
        repeats: Rounds.
        seed: Of weights and tokens.

    Returns:
        Milliseconds for each.
    """
    torch.manual_seed(seed)
    sources, targets = _drawn(batch_size, length, seed), _drawn(batch_size, length + 1, seed + 1)

    def work(model: SequenceToSequence) -> Callable[[], object]:
        def step() -> None:
            logits, _ = model(sources, targets)
            cross_entropy(logits, targets[:, 1:]).backward()

        return step

    models = {reader: make_model(reader, TOKENS, TOKENS, embedding_size=units, hidden_size=units) for reader in readers}
    return medians({reader: work(model) for reader, model in models.items()}, repeats)


@torch.no_grad()
def writing_milliseconds(
    readers: list[str], length: int, *, units: int, steps: int, repeats: int, seed: int
) -> dict[str, float]:
    """One token written after a source of some length, one sequence at a time.

    Args:
        readers: Competitors.
        length: Tokens of the source.
        units: As above.
        steps: Tokens to write; the time is that of one.
        repeats: Rounds.
        seed: Of weights and tokens.

    Returns:
        Milliseconds for each.
    """
    torch.manual_seed(seed)
    sources = _drawn(1, length, seed)
    targets = torch.full((1, steps + 1), BOS)

    def work(reader: str) -> Callable[[], object]:
        model = make_model(reader, TOKENS, TOKENS, embedding_size=units, hidden_size=units).eval()
        state = model.encode(sources)
        return lambda: teacher_forced(model.decoder, targets, state, ratio=0.0)

    return {name: ms / steps for name, ms in medians({reader: work(reader) for reader in readers}, repeats).items()}


@experiment(
    "11.cost",
    smoke={"seeds": 1, "lengths": [4, 8], "units": 8, "batch_size": 2, "repeats": 1, "steps": 2},
    page={"seeds": 1, "lengths": [25, 100], "units": 128, "batch_size": 16, "repeats": 3, "steps": 20},
    full={"seeds": 3, "lengths": [25, 50, 100, 200, 400], "units": 128, "batch_size": 16, "repeats": 5, "steps": 20},
)
def cost(*, seed: int, lengths: list[int], units: int, batch_size: int, repeats: int, steps: int) -> dict:
    """The sentence hoped for: a training step costs more with attention, by a share that grows with the length, since
    every step of the target meets every step of the source; and additive attention costs the most.

    It is refuted if general attention is level with the mean at the longest length. Measured, so a little different
    each time.

    Args:
        seed: Of weights and tokens.
        lengths: Tokens of source and target.
        units: Units, and features of an embedding.
        batch_size: Pairs of a training step.
        repeats: Rounds.
        steps: Tokens to write.

    Returns:
        For each competitor the CPU milliseconds of a training step (``_train``) and of one written token (``_write``),
        at every length.
    """
    values: dict[str, list[float]] = {}
    for length in lengths:
        train = training_milliseconds(
            list(READERS), length, units=units, batch_size=batch_size, repeats=repeats, seed=seed
        )
        writes = writing_milliseconds(list(READERS), length, units=units, steps=steps, repeats=repeats, seed=seed)
        for reader in READERS:
            values.setdefault(f"{reader}_train", []).append(train[reader])
            values.setdefault(f"{reader}_write", []).append(writes[reader])
    return values
