"""A trained network at work, every gate on record: how often each is shut or open."""

from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from rnncourse.diagnostics.gates import gate_statistics
from rnncourse.functional import LSTMTrace
from rnncourse.models import LanguageModel
from rnncourse.training.losses import nats_to_bits


class Opened(NamedTuple):
    """A language model at work, opened.

    Attributes:
        inputs: The characters that were read, as numbers, (streams, time).
        targets: The characters that followed, (streams, time).
        trace: Gates, candidate, cell state and hidden state, each (streams, time, hidden).
        surprise: Bits at each target, (streams, time).
    """

    inputs: Tensor
    targets: Tensor
    trace: LSTMTrace
    surprise: Tensor


def stretches(codes: Tensor, streams: int, length: int | None = None) -> tuple[Tensor, Tensor]:
    """A text cut into stretches that are read side by side.

    Args:
        codes: The text as numbers, (characters,).
        streams: How many stretches.
        length: Characters of each; by default as many as there are.

    Returns:
        Inputs and targets, each (streams, length).

    Raises:
        ValueError: The text is too short.

    Example:
        >>> stretches(torch.arange(7), 2)[1].tolist()
        [[1, 2, 3], [4, 5, 6]]
    """
    length = (len(codes) - 1) // streams if length is None else length
    if length < 1 or streams * length >= len(codes):
        raise ValueError(
            f"streams is {streams} and length {length}; together they should be at least 1 and fewer than the "
            f"{len(codes)} characters there are"
        )
    cut = slice(0, streams * length)
    return codes[cut].view(streams, length), codes[1:][cut].view(streams, length)


def cut(values: np.ndarray, streams: int, length: int) -> Tensor:
    """Numbers for each character of a text, cut as :func:`stretches` cuts its inputs.

    Args:
        values: A number for each character.
        streams: How many stretches.
        length: Characters of each.

    Returns:
        Shape (streams, length).
    """
    return torch.from_numpy(np.asarray(values)[: streams * length]).view(streams, length)


@torch.no_grad()
def open_gates(model: LanguageModel, codes: Tensor, *, streams: int = 32, length: int | None = None) -> Opened:
    """Reads a text with every gate of the LSTM on record.

    Args:
        model: A language model over one LSTM layer.
        codes: The text as numbers, (characters,).
        streams: Stretches side by side; each starts from an empty state.
        length: Characters of each stretch; by default as many as there are.

    Returns:
        What was read, and what happened.
    """
    inputs, targets = stretches(codes, streams, length)
    trace, _ = model.layer.trace(model.embedding(inputs))
    return Opened(inputs, targets, trace, bits_at(model.readout(trace.h), targets))


def bits_at(logits: Tensor, targets: Tensor) -> Tensor:
    """The surprise at each character.

    Args:
        logits: Scores, (streams, time, characters).
        targets: The characters that came, (streams, time).

    Returns:
        Bits, (streams, time).
    """
    return nats_to_bits(F.cross_entropy(logits.transpose(1, 2), targets, reduction="none"))


def saturation_by_unit(gate: Tensor, *, closed: float = 0.1, open: float = 0.9) -> tuple[Tensor, Tensor]:
    """How often each unit's gate is nearly shut and nearly open, after Karpathy, Johnson and Li (2015).

    Args:
        gate: Values in (0, 1), of shape (streams, time, hidden).
        closed: Below this a gate counts as shut ("left-saturated").
        open: Above this a gate counts as open ("right-saturated").

    Returns:
        Two shares of the time for each unit, (hidden,) each.

    Example:
        >>> shut, open = saturation_by_unit(torch.tensor([[[0.05, 0.5], [0.95, 0.5]]]))
        >>> shut.tolist(), open.tolist()
        ([0.5, 0.0], [0.5, 0.0])
    """
    return (gate < closed).double().mean((0, 1)), (gate > open).double().mean((0, 1))


def gates_of(trace: LSTMTrace) -> dict[str, Any]:
    """How open the gates are, all together and unit by unit.

    Args:
        trace: What :func:`open_gates` recorded.

    Returns:
        For each gate, i, f and o: the share of values below 0.1 (``"f_closed"``) and above 0.9 (``"f_open"``), the
        share in each of 20 bins (``"f_histogram"``), and the first two for each unit (``"f_unit_closed"``,
        ``"f_unit_open"``).
    """
    values: dict[str, Any] = {}
    for name, found in gate_statistics(trace).items():
        closed, open = saturation_by_unit(getattr(trace, name))
        values |= {
            f"{name}_closed": found.share_closed,
            f"{name}_open": found.share_open,
            f"{name}_histogram": found.histogram,
            f"{name}_unit_closed": closed,
            f"{name}_unit_open": open,
        }
    return values
