"""Where dropout may act in a recurrent network: between layers, on the state that the gates read, or on the memory."""

from functools import cache
from typing import Any

import torch
from torch import Tensor

from rnncourse.cells import LSTMCell
from rnncourse.chapters.c05_lstm.experiments.forget_bias import BATCH_SIZE, CUES, recall
from rnncourse.checks import check_choice, check_probability
from rnncourse.data import load
from rnncourse.data.dataset import Dataset
from rnncourse.layers import Recurrent, Stacked
from rnncourse.models import LanguageModel, SequenceClassifier
from rnncourse.models.text import next_character_loss, text_bits
from rnncourse.results import experiment
from rnncourse.shapes import LSTMState
from rnncourse.training import cosine, fit
from rnncourse.training.drawing import FreshBatches
from rnncourse.training.losses import accuracy, cross_entropy
from rnncourse.unroll import unroll

DROPPED = ("gates_one_mask", "gates_fresh", "memory_fresh")
PLACES = ("nowhere", "between", *DROPPED)
"""Where entries are dropped: nowhere; between the layers; in the h that the gates read, with one mask for a whole
sequence or a fresh one at every step; in the cell state c that is carried, with a fresh mask at every step."""

EMBEDDING_SIZE, TEXT_BATCH, SEQ_LEN = 24, 8, 64
NEVER = lambda: False  # noqa: E731


class DroppedLSTM(Recurrent):
    r"""An LSTM layer that drops entries of its state, in training, on their way into the next step.

    .. math:: h_t, c_t = \mathrm{cell}(x_t, m_t \odot h_{t-1}, c_{t-1}) \qquad \text{or} \qquad
              h_t, c_t = \mathrm{cell}(x_t, h_{t-1}, m_t \odot c_{t-1})

    where the entries of the mask :math:`m_t` are 0 with probability p and 1 / (1 − p) otherwise: drawn anew at every
    step, or once for all steps.

    Args:
        cell: An LSTM cell.
        dropout: The probability p.
        place: One of :data:`DROPPED`.

    Raises:
        ValueError: If p is no probability or the place names no state.

    Source: Gal and Ghahramani (2016) for one mask a sequence, Semeniuta et al. (2016) for what a mask on the memory
    forgets; the abstracts of both were read.
    """

    def __init__(self, cell: LSTMCell, *, dropout: float, place: str) -> None:
        super().__init__(cell, implementation="loop")
        check_probability("dropout", dropout)
        check_choice("place", place, DROPPED)
        self.dropout, self.place = dropout, place

    def forward(self, inputs: Tensor, state: Any = None, lengths: Tensor | None = None) -> tuple[Tensor, LSTMState]:
        """Read sequences; without dropout in evaluation mode.

        Args:
            inputs: (batch, time, input).
            state: The state to start from.
            lengths: How many steps of each sequence are real.

        Returns:
            Outputs (batch, time, hidden) and the last state.
        """
        state = self._start(inputs, state, lengths)
        if not self.training or not self.dropout:
            return unroll(self.cell, inputs, state, lengths)
        once = self._mask(state.h)

        def step(x_t: Tensor, before: LSTMState) -> tuple[Tensor, LSTMState]:
            mask = once if self.place == "gates_one_mask" else self._mask(before.h)
            if self.place == "memory_fresh":
                return self.cell(x_t, LSTMState(before.h, mask * before.c))
            return self.cell(x_t, LSTMState(mask * before.h, before.c))

        return unroll(step, inputs, state, lengths)

    def _mask(self, like: Tensor) -> Tensor:
        return torch.bernoulli(torch.full_like(like, 1 - self.dropout)) / (1 - self.dropout)


def dropped_stack(
    input_size: int, hidden_size: int, *, place: str, dropout: float, num_layers: int, forget_bias: float = 1.0
) -> Stacked:
    """A stack of LSTM layers with dropout in one place.

    Args:
        input_size: Features of one step's input.
        hidden_size: Units of each layer.
        place: One of :data:`PLACES`.
        dropout: The probability; with "nowhere" it is not used.
        num_layers: Layers.
        forget_bias: Of the forget gates at the start.

    Returns:
        The stack.

    Raises:
        ValueError: If there is no such place or the probability is none.

    Example:
        >>> dropped_stack(3, 5, place="between", dropout=0.3, num_layers=2).dropout
        Dropout(p=0.3, inplace=False)
    """
    check_choice("place", place, ("nowhere", "between", *DROPPED))
    sizes = [input_size, *[hidden_size] * (num_layers - 1)]
    cells = [LSTMCell(size, hidden_size, forget_bias=forget_bias) for size in sizes]
    if place in ("nowhere", "between"):
        layers = [Recurrent(cell, implementation="kernel") for cell in cells]
        return Stacked(*layers, dropout=dropout if place == "between" else 0.0)
    return Stacked(*(DroppedLSTM(cell, dropout=dropout, place=place) for cell in cells))


@cache
def _text(max_chars: int) -> Dataset:
    return load("prose", max_chars=max_chars)


@experiment(
    "08.overfit",
    smoke={"seeds": 1, "steps": 2, "lr": 5e-3, "shares": [0.0, 0.5], "hidden_size": 8, "max_chars": 5_000},
    page={"seeds": 1, "steps": 60, "lr": 1.6e-2, "shares": [0.0, 0.5], "hidden_size": 64, "max_chars": 8_000},
    full={"seeds": 3, "steps": 600, "lr": 1.6e-2, "shares": [0.0, 0.25, 0.5], "hidden_size": 64, "max_chars": 8_000},
)
def overfit(
    *, seed: int, steps: int, lr: float, shares: list[float], hidden_size: int, max_chars: int
) -> dict[str, list[float]]:
    """Two LSTM layers on so little text that they learn it by heart, with dropout between them.

    Args:
        seed: Of weights, windows and masks.
        steps: Gradient steps of 8 windows of 64 characters.
        lr: Adam's rate at its highest, the same for all.
        shares: Probabilities of dropping.
        hidden_size: Units of each layer.
        max_chars: Characters of training text.

    Returns:
        For each probability: bits per character after the last step on the ``train``, ``valid`` and ``test`` text, and
        ``best``, the lowest on the validation text along the way: what stopping early would have given.
    """
    text = _text(max_chars)

    def run(share: float) -> dict[str, float]:
        torch.manual_seed(seed)
        stack = dropped_stack(EMBEDDING_SIZE, hidden_size, place="between", dropout=share, num_layers=2)
        model = LanguageModel(stack, len(text.vocabulary))
        seen: list[float] = []

        def watch(model: LanguageModel) -> float:
            seen.append(text_bits(model, text.valid.codes, streams=16))
            return -float(len(seen))  # the last look counts as the best: its weights are kept

        fit(
            model,
            text.train.batches(TEXT_BATCH, seq_len=SEQ_LEN, seed=seed, drop_last=True),
            loss=next_character_loss,
            steps=steps,
            lr=lr,
            schedule=cosine(steps, warmup=min(50, steps // 2)),
            validate=watch,
            validate_every=max(1, steps // 10),
            seed=seed,
            progress=False,
        )
        model.eval()  # fit gives a model back as it took it: in training mode, with dropout at work
        bits = {
            name: text_bits(model, part.codes, streams=16)
            for name, part in (("train", text.train), ("valid", text.valid), ("test", text.test))
        }
        return bits | {"best": min(seen)}

    runs = [run(share) for share in shares]
    return {name: [one[name] for one in runs] for name in runs[0]}


@experiment(
    "08.forgetting",
    smoke={"seeds": 1, "steps": 2, "lr": 5e-3, "lag": 4, "share": 0.3, "hidden_size": 6},
    page={"seeds": 1, "steps": 60, "lr": 1e-2, "lag": 20, "share": 0.3, "hidden_size": 24},
    full={"seeds": 3, "steps": 200, "lr": 1e-2, "lag": 20, "share": 0.3, "hidden_size": 24},
)
def forgetting(*, seed: int, steps: int, lr: float, lag: int, share: float, hidden_size: int) -> dict[str, float]:
    """Two LSTM layers that have to name their first symbol after many others, with dropout in each place.

    Forget biases start at three, which suits the lag (chapter 5).

    Args:
        seed: Of weights, sequences and masks.
        steps: Gradient steps of 32 fresh sequences.
        lr: Adam's learning rate.
        lag: Symbols between the one to be recalled and the answer.
        share: The probability of dropping.
        hidden_size: Units of each layer.

    Returns:
        For each place the share of wrong answers on 1,000 fresh sequences, without dropout as in use; a guess is wrong
        three times in four.
    """
    return {
        place: recalled(place, seed=seed, steps=steps, lr=lr, lag=lag, share=share, hidden_size=hidden_size)
        for place in PLACES
    }


def recalled(place: str, *, seed: int, steps: int, lr: float, lag: int, share: float, hidden_size: int) -> float:
    """The share of wrong answers after training with dropout in one place; arguments as for :func:`forgetting`."""
    torch.manual_seed(seed)
    options = {"place": place, "dropout": share, "num_layers": 2, "forget_bias": 3.0}
    stack = dropped_stack(2 * CUES, hidden_size, **options)
    model = SequenceClassifier(stack, CUES)
    fit(
        model,
        FreshBatches(lambda step: recall(BATCH_SIZE, lag=lag, seed=1_000_000 * seed + step), enough=NEVER),
        loss=lambda model, batch: cross_entropy(model(batch.inputs)[0], batch.targets),
        steps=steps,
        lr=lr,
        schedule=cosine(steps, warmup=min(50, steps // 2)),
        seed=seed,
        progress=False,
    )
    fresh = recall(1000, lag=lag, seed=999_999_999 - seed)
    model.eval()  # without dropout, as in use
    with torch.no_grad():
        return 1 - float(accuracy(model(fresh.inputs)[0], fresh.targets))
