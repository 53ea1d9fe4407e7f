"""A unit held still: which predictions suffer, against holding every other unit still."""

import torch
from torch import Tensor

from rnncourse.chapters.c05_lstm.experiments.gates_on_text.opening import Opened, bits_at
from rnncourse.models import LanguageModel
from rnncourse.shapes import LSTMState
from rnncourse.unroll import unroll


@torch.no_grad()
def remove_unit(model: LanguageModel, inputs: Tensor, targets: Tensor, *, unit: int, value: float) -> Tensor:
    """What the model would have predicted with one unit's cell held still.

    At every step the unit's cell state is overwritten by the given value before the hidden state is read from it, so
    that the unit carries nothing any more; its gates go on.

    Args:
        model: A language model over one LSTM layer.
        inputs: Characters, (streams, time).
        targets: The characters that followed, (streams, time).
        unit: Which.
        value: Where its cell state is held; its mean is the fairest choice, since the others are used to that.

    Returns:
        Bits at each target, (streams, time).
    """
    cell = model.layer.cell

    def step(x_t: Tensor, state: LSTMState) -> tuple[Tensor, LSTMState]:
        trace = cell.equations(x_t, state)
        c = trace.c.clone()
        c[:, unit] = value
        h = trace.o * torch.tanh(c)
        return h, LSTMState(h, c)

    hidden, _ = unroll(step, model.embedding(inputs), cell.initial_state(len(inputs)))
    return bits_at(model.readout(hidden), targets)


def rises(model: LanguageModel, opened: Opened, means: Tensor, units: list[int]) -> Tensor:
    """How much worse every character is predicted with each unit removed in turn.

    Args:
        model: A language model over one LSTM layer.
        opened: What it did with all units in place.
        means: Where each unit's cell state is held, (hidden,).
        units: Which units to remove, one at a time.

    Returns:
        Bits, (units, streams, time); negative where the prediction got better.
    """
    without = [remove_unit(model, opened.inputs, opened.targets, unit=unit, value=float(means[unit])) for unit in units]
    return torch.stack(without) - opened.surprise


def removal_test(rise: Tensor, unit: int, matters: Tensor) -> dict[str, float]:
    """Whether the characters that should suffer from one unit's removal do, against the removal of every other unit.

    Args:
        rise: Bits by which each character is predicted worse, (hidden, streams, time), every unit removed in turn.
        unit: The unit in question.
        matters: Where what it tracks matters, (streams, time).

    Returns:
        The mean rise ``where`` it matters and ``elsewhere``; the means over all other units, ``others_where`` and
        ``others_elsewhere``, and the standard deviation of the former among those units, ``others_spread``; ``rank``,
        1 where no other unit's removal costs more where it matters; and ``selective_rank``, the same for the difference
        between there and elsewhere.

    Example:
        >>> rise = torch.tensor([[[0.4, 0.0]], [[0.1, 0.1]], [[0.1, 0.0]]])
        >>> test = removal_test(rise, 0, torch.tensor([[True, False]]))
        >>> round(test["where"], 6), round(test["others_where"], 6), test["rank"]
        (0.4, 0.1, 1)
    """
    there = rise[:, matters].double().mean(1)
    elsewhere = rise[:, ~matters].double().mean(1)
    others = [other for other in range(len(rise)) if other != unit]
    return {
        "where": float(there[unit]),
        "elsewhere": float(elsewhere[unit]),
        "others_where": float(there[others].mean()),
        "others_elsewhere": float(elsewhere[others].mean()),
        "others_spread": float(there[others].std()),
        "rank": 1 + int((there > there[unit]).sum()),
        "selective_rank": 1 + int((there - elsewhere > there[unit] - elsewhere[unit]).sum()),
    }
