"""What each layer of a trained stack holds: linear probes on its hidden states, beside those of an untrained stack."""

from functools import cache

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from rnncourse.cells import RNNCell
from rnncourse.data import load
from rnncourse.data.dataset import Dataset
from rnncourse.layers import Recurrent, Stacked
from rnncourse.models import LanguageModel
from rnncourse.models.text import next_character_loss, text_bits
from rnncourse.results import experiment
from rnncourse.training import cosine, fit

EMBEDDING_SIZE, TEXT_BATCH, SEQ_LEN, STREAMS = 32, 16, 64, 32

QUESTIONS = ("now", "before", "word_start", "letters", "next")
"""What is asked of a state: the character just read, the one two before it, the first letter of the word, how many
letters of the word have been read (up to six), and the character that comes next."""


@cache
def _text(max_chars: int) -> Dataset:
    return load("prose", max_chars=max_chars)


def stack_model(vocab_size: int, *, hidden_size: int, num_layers: int, residual: bool = False) -> LanguageModel:
    """A character model on a stack of vanilla layers, every recurrent matrix orthogonal at the start.

    Args:
        vocab_size: How many characters there are.
        hidden_size: Units of each layer.
        num_layers: Layers.
        residual: Whether each layer but the first adds its inputs to its outputs.

    Returns:
        The untrained model.

    Example:
        >>> stack_model(65, hidden_size=8, num_layers=3).layer.output_size
        8
    """
    sizes = [EMBEDDING_SIZE, *[hidden_size] * (num_layers - 1)]
    layers = [Recurrent(RNNCell(size, hidden_size, init="orthogonal"), implementation="kernel") for size in sizes]
    return LanguageModel(Stacked(*layers, residual=residual), vocab_size)


@torch.no_grad()
def states_by_layer(model: LanguageModel, tokens: Tensor) -> list[Tensor]:
    """The outputs of every layer of a model's stack, lowest first.

    Args:
        model: A model on a stack.
        tokens: (batch, time).

    Returns:
        For each layer (batch, time, hidden).
    """
    outputs, found = model.embedding(tokens), []
    for layer in model.layer.layers:
        outputs, _ = layer(outputs)
        found.append(outputs)
    return found


def answers(codes: Tensor, text: Dataset) -> dict[str, Tensor]:
    """What the probes are asked, for every place of some stretches of text.

    Args:
        codes: (streams, time) characters.
        text: Whose vocabulary they are from.

    Returns:
        For each of :data:`QUESTIONS` a class for each place, (streams, time); -1 where there is no answer.
    """
    letter = torch.tensor([symbol.isalpha() for symbol in text.vocabulary.symbols])[codes]
    first, letters = torch.full_like(codes, -1), torch.zeros_like(codes)
    for t in range(codes.shape[1]):
        before = letters[:, t - 1] if t else torch.zeros_like(codes[:, 0])
        letters[:, t] = torch.where(letter[:, t], before + 1, 0)
        begun = first[:, t - 1] if t else first[:, 0]
        first[:, t] = torch.where(letters[:, t] > 1, begun, torch.where(letters[:, t] == 1, codes[:, t], -1))
    none = torch.full_like(codes[:, :2], -1)
    return {
        "now": codes,
        "before": torch.cat([none, codes[:, :-2]], dim=1),
        "word_start": torch.where(letters >= 3, first, -1),
        "letters": torch.where(letters > 0, letters.clamp(max=6), -1),
        "next": torch.cat([codes[:, 1:], none[:, :1]], dim=1),
    }


def probe(train: tuple[Tensor, Tensor], test: tuple[Tensor, Tensor], *, ridge: float = 1e-2) -> float:
    r"""How well a linear map reads a class off a state: least squares on unit vectors, the largest entry wins.

    .. math:: B = (\tilde H^\top \tilde H + \lambda n I)^{-1} \tilde H^\top Y

    where the n rows of :math:`\tilde H` are states with a 1 appended, those of Y the unit vectors of the classes, and
    :math:`\lambda` is ``ridge``.

    Args:
        train: States (places, hidden) and classes (places,); places of class -1 are left out.
        test: The same, of another text.
        ridge: How strongly large weights are held down, ≥ 0.

    Returns:
        The share of test places whose class is found.

    Example:
        >>> h = torch.eye(3).repeat(5, 1)
        >>> probe((h, torch.arange(3).repeat(5)), (h[:3], torch.tensor([0, 1, 1])))  # doctest: +ELLIPSIS
        0.666...
    """
    (h, classes), (h_test, wanted) = (
        (torch.cat([states, torch.ones(len(states), 1)], dim=1)[kept].double(), labels[kept])
        for states, labels in (train, test)
        for kept in [labels >= 0]
    )
    Y = F.one_hot(classes).double()
    gram = h.T @ h + ridge * len(h) * torch.eye(h.shape[1], dtype=torch.float64)
    B = torch.linalg.solve(gram, h.T @ Y)
    return float(((h_test @ B).argmax(1) == wanted).double().mean())


def majority(train: Tensor, test: Tensor) -> float:
    """The share of test places that the commonest training class gets right; places of class -1 are left out."""
    commonest = train[train >= 0].bincount().argmax()
    return float((test[test >= 0] == commonest).double().mean())


def train_stack(
    text: Dataset, *, seed: int, steps: int, lr: float, hidden_size: int, num_layers: int, residual: bool = False
) -> tuple[LanguageModel, float]:
    """Trains a stack as a character model; returns it with its bits per character on the validation text.

    Args:
        text: The data set ``prose``.
        seed: Of weights and windows.
        steps: Gradient steps of 16 windows of 64 characters.
        lr: Adam's rate at its highest.
        hidden_size: Units of each layer.
        num_layers: Layers.
        residual: As for :func:`stack_model`.

    Returns:
        The model with the weights that validated best, and their bits.

    Raises:
        rnncourse.training.Diverged: If the loss is no longer a number.
    """
    torch.manual_seed(seed)
    model = stack_model(len(text.vocabulary), hidden_size=hidden_size, num_layers=num_layers, residual=residual)
    history = fit(
        model,
        text.train.batches(TEXT_BATCH, seq_len=SEQ_LEN, seed=seed, drop_last=True),
        loss=next_character_loss,
        steps=steps,
        lr=lr,
        schedule=cosine(steps, warmup=min(50, steps // 2)),
        validate=lambda model: text_bits(model, text.valid.codes),
        validate_every=max(1, steps // 3),
        seed=seed,
        progress=False,
    )
    return model, history.best


def probed(model: nn.Module, text: Dataset, *, time: int) -> dict[str, list[float]]:
    """For every question the share that a probe gets right on each layer; probes learn on validation, answer on test.

    Args:
        model: A model on a stack.
        text: The data set ``prose``.
        time: Characters of each of the 32 stretches that are read.

    Returns:
        From a question to one share a layer, lowest layer first.
    """
    parts = [part.codes[: STREAMS * time].view(STREAMS, time) for part in (text.valid, text.test)]
    asked = [answers(codes, text) for codes in parts]
    states = [states_by_layer(model, codes) for codes in parts]
    return {
        question: [
            probe(*((h.flatten(0, 1), classes[question].flatten()) for h, classes in zip(layer, asked, strict=True)))
            for layer in zip(*states, strict=True)
        ]
        for question in QUESTIONS
    }


@experiment(
    "08.probe",
    smoke={"seeds": 1, "steps": 3, "lr": 5e-3, "hidden_size": 12, "num_layers": 2, "max_chars": 30_000, "time": 60},
    page={"seeds": 1, "steps": 60, "lr": 5e-3, "hidden_size": 64, "num_layers": 3, "max_chars": 300_000, "time": 300},
    full={"seeds": 3, "steps": 500, "lr": 5e-3, "hidden_size": 64, "num_layers": 3, "max_chars": 300_000, "time": 900},
)
def layers(
    *, seed: int, steps: int, lr: float, hidden_size: int, num_layers: int, max_chars: int, time: int
) -> dict[str, list[float] | float]:
    """What can be read off each layer of a stack, trained and untrained.

    Args:
        seed: Of weights and windows.
        steps: Gradient steps.
        lr: Learning rate.
        hidden_size: Units of each layer.
        num_layers: Layers.
        max_chars: Characters of training text.
        time: As for :func:`probed`.

    Returns:
        For each question the share right by layer, ``trained_`` and ``untrained_``, and that of the commonest answer;
        and the trained stack's bits per character.
    """
    text = _text(max_chars)
    torch.manual_seed(seed)
    untrained = stack_model(len(text.vocabulary), hidden_size=hidden_size, num_layers=num_layers)
    trained, bits = train_stack(text, seed=seed, steps=steps, lr=lr, hidden_size=hidden_size, num_layers=num_layers)
    parts = [part.codes[: STREAMS * time].view(STREAMS, time) for part in (text.valid, text.test)]
    asked = [answers(codes, text) for codes in parts]
    values: dict[str, list[float] | float] = {"bits": bits}
    for name, model in (("trained", trained), ("untrained", untrained)):
        values |= {f"{name}_{question}": shares for question, shares in probed(model, text, time=time).items()}
    return values | {f"majority_{question}": majority(*(part[question] for part in asked)) for question in QUESTIONS}


@experiment(
    "08.residual",
    smoke={"seeds": 1, "steps": 2, "rates": [3e-3], "depths": [1, 2], "hidden_size": 8, "max_chars": 30_000},
    page={"seeds": 1, "steps": 40, "rates": [3e-3], "depths": [2, 6], "hidden_size": 40, "max_chars": 300_000},
    full={
        "seeds": 3,
        "steps": 150,
        "rates": [1e-3, 2e-3, 4e-3, 8e-3, 1.6e-2],
        "depths": [8],
        "hidden_size": 40,
        "max_chars": 300_000,
    },
)
def residual(
    *, seed: int, steps: int, rates: list[float], depths: list[int], hidden_size: int, max_chars: int
) -> dict[str, list[float]]:
    """Stacks of several depths, with and without residual connections, each at every learning rate.

    All have equally wide layers, so that deeper ones have more parameters: the question is what the residual term does
    at a given depth, and there the two have the same parameters, the same first values and the same windows.

    Args:
        seed: Of weights and windows.
        steps: Gradient steps.
        rates: Learning rates.
        depths: Numbers of layers.
        hidden_size: Units of each layer.
        max_chars: Characters of training text.

    Returns:
        ``plain_`` and ``residual_`` with the depth: bits per character on the validation text for each rate; NaN where
        training diverged. No rate is chosen here and no test text is read.
    """
    text = _text(max_chars)
    values = {}
    for depth in depths:
        for name, adds in (("plain", False), ("residual", True)):
            options = {"hidden_size": hidden_size, "num_layers": depth, "residual": adds}
            values[f"{name}_{depth}"] = [train_stack(text, seed=seed, steps=steps, lr=lr, **options)[1] for lr in rates]
    return values
