"""What a step of text costs, in time and in memory: in training, in generation, and by which scan."""

import time
from collections.abc import Callable, Mapping

import torch
from torch import Tensor, nn

from rnncourse.chapters.c12_transformers_and_linear_rnns.experiments.networks import bytes_kept, state_bytes
from rnncourse.chapters.c12_transformers_and_linear_rnns.experiments.text import text_network
from rnncourse.layers import Recurrent
from rnncourse.models import LanguageModel
from rnncourse.results import experiment
from rnncourse.scan import MinGRUCell
from rnncourse.training.losses import cross_entropy

COMPARED = ("LSTM", "minGRU", "Transformer")
"""The networks that are timed."""

CHARACTERS = 65


def milliseconds(work: Mapping[str, Callable[[], object]], *, repeats: int) -> dict[str, float]:
    """CPU milliseconds of several pieces of work, which take turns; the median counts.

    Args:
        work: From a name to what is done.
        repeats: How many turns are timed; one more is thrown away before.

    Returns:
        The median of each.
    """
    spent: dict[str, list[float]] = {name: [] for name in work}
    for _ in range(repeats + 1):
        for name, do in work.items():
            started = time.process_time()
            do()
            spent[name].append(1000 * (time.process_time() - started))
    return {name: sorted(times[1:])[repeats // 2] for name, times in spent.items()}


def networks(budget: int) -> dict[str, LanguageModel]:
    """The character models that are timed, all of about so many parameters, untrained."""
    return {name: text_network(name, CHARACTERS, budget=budget) for name in COMPARED}


def training_cost(models: Mapping[str, nn.Module], length: int, *, tokens: int, repeats: int) -> dict[str, list[float]]:
    """One pass forward and back over a fixed number of characters, cut into sequences of one length.

    Args:
        models: Language models.
        length: Characters of a sequence.
        tokens: Characters in all, at least ``length``.
        repeats: How often each is timed.

    Returns:
        For each model the microseconds and the bytes kept, both for each character.
    """
    codes = torch.randint(CHARACTERS, (max(1, tokens // length), length))

    def work(model: nn.Module) -> Callable[[], None]:
        def do() -> None:
            model.zero_grad(set_to_none=True)
            logits, _ = model(codes)
            cross_entropy(logits, codes).backward()

        return do

    spent = milliseconds({name: work(model) for name, model in models.items()}, repeats=repeats)
    return {
        name: [1000 * spent[name] / codes.numel(), bytes_kept(model, codes) / codes.numel()]
        for name, model in models.items()
    }


@torch.no_grad()
def generation_cost(models: Mapping[str, nn.Module], length: int, *, repeats: int) -> dict[str, list[float]]:
    """One more character after a text of some length, with the state and without it.

    Args:
        models: Language models.
        length: Characters read before.
        repeats: How often each is timed.

    Returns:
        For each model the microseconds of a step from the state, the bytes of that state, and the microseconds of
        reading the whole text again instead.
    """
    codes = torch.randint(CHARACTERS, (1, length + 1))
    states = {name: model(codes[:, :length])[1] for name, model in models.items()}

    def step(name: str) -> Callable[[], object]:
        return lambda: models[name](codes[:, length:], states[name])

    def again(name: str) -> Callable[[], object]:
        return lambda: models[name](codes)

    spent = milliseconds({name: step(name) for name in models}, repeats=repeats)
    anew = milliseconds({name: again(name) for name in models}, repeats=max(1, repeats // 4))
    return {name: [1000 * spent[name], state_bytes(states[name]), 1000 * anew[name]] for name in models}


@experiment(
    "12.cost",
    smoke={"seeds": 1, "lengths": [8, 16], "tokens": 16, "budget": 20_000, "repeats": 1},
    page={"seeds": 1, "lengths": [64, 256, 1_024], "tokens": 1_024, "budget": 60_000, "repeats": 3},
    full={
        "seeds": 3,
        "lengths": [64, 128, 256, 512, 1_024, 2_048, 4_096],
        "tokens": 4_096,
        "budget": 60_000,
        "repeats": 9,
    },
)
def cost(*, seed: int, lengths: list[int], tokens: int, budget: int, repeats: int) -> dict:
    """Time and memory for each character against the length of the text: measured, so a little different each time.

    The sentence hoped for: at equal parameters and equally many characters in a training pass, the minGRU's time for
    each hardly hangs on how long the sequences are; the Transformer's grows with their length, for each character
    looks at all before it; and the LSTM's grows too, for fewer sequences side by side mean more steps in a row. In
    generation the states of LSTM and minGRU are as large after any length, and the Transformer's grows with it. It is
    refuted if from the least length to the greatest the minGRU's training time grows by more than a half, or either
    of the others' by less, on any seed.

    Args:
        seed: Of weights and characters.
        lengths: Characters of a sequence.
        tokens: Characters of a training pass in all, the same at every length.
        budget: Parameters of each network.
        repeats: How often each is timed.

    Returns:
        For each network, at every length: in training the microseconds (``_training``) and bytes kept (``_kept``) for
        each character; in generation the microseconds of one more character (``_step``), the bytes of the state
        (``_state``), and the microseconds without a state (``_again``).
    """
    torch.manual_seed(seed)
    models = networks(budget)
    values: dict[str, list[float]] = {}
    for length in lengths:
        trained = training_cost(models, length, tokens=tokens, repeats=repeats)
        generated = generation_cost(models, length, repeats=repeats)
        for name in models:
            keys = ("training", "kept", "step", "state", "again")
            for key, value in zip(keys, [*trained[name], *generated[name]], strict=True):
                values.setdefault(f"{name}_{key}", []).append(value)
    return values


WAYS = ("loop", "sequential", "odd_even", "nn.GRU")
"""The ways that are timed: the readable step, one step after the other without autograd, pairs joined, ``nn.GRU``."""


def scan_cost(length: int, *, batch_size: int, hidden_size: int, repeats: int) -> dict[str, float]:
    """CPU milliseconds of one pass forward and back of a minGRU by each way, and of PyTorch's GRU of its size.

    Args:
        length: Steps.
        batch_size: Sequences.
        hidden_size: Units.
        repeats: How often each is timed.

    Returns:
        For each of :data:`WAYS` the median.
    """
    x = torch.randn(batch_size, length, hidden_size)
    layers: dict[str, nn.Module] = {"loop": Recurrent(MinGRUCell(hidden_size, hidden_size), implementation="loop")}
    for scan in WAYS[1:3]:
        layers[scan] = Recurrent(MinGRUCell(hidden_size, hidden_size, scan=scan), implementation="kernel")
    layers["nn.GRU"] = nn.GRU(hidden_size, hidden_size, batch_first=True)

    def work(layer: nn.Module, inputs: Tensor = x) -> Callable[[], None]:
        return lambda: layer(inputs)[0].sum().backward()

    return milliseconds({name: work(layer) for name, layer in layers.items()}, repeats=repeats)


@experiment(
    "12.scan",
    smoke={"seeds": 1, "lengths": [8, 16], "narrow": [1, 4], "wide": [2, 4], "repeats": 1},
    page={"seeds": 1, "lengths": [16, 64, 256], "narrow": [4, 8], "wide": [32, 128], "repeats": 3},
    full={
        "seeds": 3,
        "lengths": [8, 16, 32, 64, 128, 256, 512, 1_024, 2_048],
        "narrow": [4, 8],
        "wide": [32, 128],
        "repeats": 9,
    },
)
def scan(*, seed: int, lengths: list[int], narrow: list[int], wide: list[int], repeats: int) -> dict:
    """Where joining steps in pairs overtakes one step after the other: measured, so a little different each time.

    The sentence hoped for: on one core the parallel scan overtakes the sequential one from some length on where the
    state is narrow (32 numbers), and does not where it is wide (4,096); both are sooner than the loop at every length.
    It is refuted if the wide state has a crossover, the narrow one has none, or the loop is ever the soonest.

    Args:
        seed: Of weights and inputs.
        lengths: Steps.
        narrow: Sequences and units of the narrow case.
        wide: The same of the wide one.
        repeats: How often each is timed.

    Returns:
        For both cases and each of :data:`WAYS` the milliseconds at every length.
    """
    torch.manual_seed(seed)
    values: dict[str, list[float]] = {}
    for case, (batch_size, hidden_size) in (("narrow", narrow), ("wide", wide)):
        for length in lengths:
            spent = scan_cost(length, batch_size=batch_size, hidden_size=hidden_size, repeats=repeats)
            for way, value in spent.items():
                values.setdefault(f"{case}_{way}", []).append(value)
    return values
