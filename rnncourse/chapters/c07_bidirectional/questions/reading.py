"""Questions 7.3 and 7.4: one vector for a sequence, read three ways, and a network that answers late."""

import torch
from torch import Tensor

from rnncourse.grading.spec import Draw, Question, Wrong


def sentence_vectors(outputs: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Final states, mean and maximum, each (batch, 2 * hidden), of outputs (batch, time, 2 * hidden)."""
    forward, backward = outputs.chunk(2, dim=2)
    rows = torch.arange(len(outputs))
    final = torch.cat([forward[rows, lengths - 1], backward[:, 0]], dim=1)
    real = (torch.arange(outputs.shape[1]) < lengths[:, None])[..., None]  # (batch, time, 1)
    mean = torch.where(real, outputs, 0.0).sum(dim=1) / lengths[:, None]
    return final, mean, torch.where(real, outputs, -torch.inf).amax(dim=1)


def vectors_inputs(draw: Draw, batch: int, time: int) -> tuple:
    """Outputs whose padding is not zero, and whose real maxima are often negative."""
    hidden, lengths = draw.integer(2, 3), draw.lengths(batch, time)
    outputs = draw.uniform(batch, time, 2 * hidden, low=-1.0, high=-0.05)
    padding = (torch.arange(time) >= lengths[:, None])[..., None]
    return torch.where(padding, draw.uniform(batch, time, 2 * hidden, low=1.0, high=2.0), outputs), lengths


def _read(final: str) -> dict[str, str]:
    return {"[forward[rows, lengths - 1], backward[:, 0]]": final}


VECTORS = Question(
    id="7.3",
    title="One vector for a sequence",
    points=3,
    reference=sentence_vectors,
    cases={
        "a batch of three": (vectors_inputs, 3, 6),
        "a batch of five": (vectors_inputs, 5, 4),
        "two sequences": (vectors_inputs, 2, 7),
    },
    parts=("the final states", "the mean", "the maximum"),
    wrong=(
        Wrong("both directions are read in the last column", _read("[forward[:, -1], backward[:, -1]]")).told(
            "outputs[:, -1] is padding for a short sequence, and for the backward direction it is the start."
        ),
        Wrong(
            "both directions are read at the sequence's end",
            _read("[forward[rows, lengths - 1], backward[rows, lengths - 1]]"),
        ).told("At a sequence's last step the backward direction has seen that step and nothing else."),
        Wrong("both directions are read at the first step", _read("[forward[:, 0], backward[:, 0]]")).told(
            "At the first step the forward direction has seen one input. Where has it seen them all?"
        ),
        Wrong("the two directions change places", _read("[backward[:, 0], forward[rows, lengths - 1]]")).told(
            "Both halves are right; the forward one comes first."
        ),
        Wrong("the mean counts the padding", {"torch.where(real, outputs, 0.0)": "outputs"}).told(
            "What stands in the padding is nobody's output. Take it out before you add."
        ),
        Wrong("the mean divides by the padded time", {"/ lengths[:, None]": "/ outputs.shape[1]"}).told(
            "How many steps does each sequence have? Divide by that."
        ),
        Wrong("the maximum may come from the padding", {"torch.where(real, outputs, -torch.inf)": "outputs"}).told(
            "The largest value stands in the padding. What could you write there that never wins?"
        ),
        Wrong("the padding counts as zero in the maximum", {"-torch.inf": "0.0"}).told(
            "Zero wins against negative outputs. What never wins?"
        ),
    ),
    hints=(
        "The first half of the features is the forward direction. Where has each direction read everything?",
        "outputs[torch.arange(batch), lengths - 1] reads every row at its own end.",
        "Build the mask of real steps once, (batch, time, 1), and use it for both pools.",
    ),
    flags=(r"\blast_(step|output)\b", r"\bpadding_mask\b"),
)


def late_answers(
    x: Tensor, lengths: Tensor, delay: int, weight_ih: Tensor, weight_hh: Tensor, bias: Tensor, V: Tensor
) -> Tensor:
    """Scores (batch, time, classes), zero at padding, each read `delay` steps after the step that it is about."""
    batch, time, features = x.shape
    real = (torch.arange(time) < lengths[:, None])[..., None]
    x = torch.cat([torch.where(real, x, 0.0), x.new_zeros(batch, delay, features)], dim=1)
    h, states = x.new_zeros(batch, len(weight_hh)), []
    for x_t in x.unbind(1):
        h = torch.tanh(x_t @ weight_ih.T + h @ weight_hh.T + bias)
        states.append(h)
    late = torch.stack(states, dim=1)[:, delay:]  # (batch, time, hidden)
    return torch.where(real, late @ V.T, 0.0)


def late_inputs(draw: Draw, batch: int, time: int, delays: tuple[int, int]) -> tuple:
    inputs, hidden = draw.integer(2, 3), draw.integer(3, 4)
    weight_ih, weight_hh, bias, _ = draw.rnn(inputs, hidden, scale=0.8)
    V = draw.normal(draw.integer(2, 3), hidden)
    return (
        draw.normal(batch, time, inputs),
        draw.lengths(batch, time),
        draw.integer(*delays),
        weight_ih,
        weight_hh,
        bias,
        V,
    )


LATE = Question(
    id="7.4",
    title="An answer that waits",
    points=3,
    reference=late_answers,
    cases={
        "a step late": (late_inputs, 3, 6, (1, 1)),
        "a few steps late": (late_inputs, 3, 6, (2, 3)),
        "later than the sequence is long": (late_inputs, 2, 3, (4, 6)),
        "at once or hardly late": (late_inputs, 2, 5, (0, 1)),
    },
    wrong=(
        Wrong("the answer is given at once", {"[:, delay:]": "[:, :time]"}).told(
            "What you say about step t here has not seen the steps after t. At which step is it read?"
        ),
        Wrong("the answers are shifted the other way", {"[:, delay:]": ".roll(delay, dims=1)[:, :time]"}).told(
            "The answer about step t is read at step t + delay, not at t - delay."
        ),
        Wrong(
            "a short sequence reads its padding while it waits", {"torch.where(real, x, 0.0), x.new": "x, x.new"}
        ).told("After its own end a sequence reads zeros, also where the batch has padding to offer."),
        Wrong(
            "the last step is read again while waiting",
            {"x.new_zeros(batch, delay, features)": "x[:, -1:].expand(batch, delay, features)"},
        ).told("While it waits, the network reads zeros, not the last input once more."),
        Wrong("one step less of waiting", {"[:, delay:]": "[:, max(delay - 1, 0) :][:, :time]"}).told(
            "With delay 0 the answer about step t is read at t. With delay 1?"
        ),
        Wrong(
            "the answers in the padding are left standing", {"torch.where(real, late @ V.T, 0.0)": "late @ V.T"}
        ).told("All real answers are right. At padding the question asks for zero."),
    ),
    hints=(
        "Make the input longer by `delay` steps of zeros, run the network to the end, and drop the first answers.",
        "Zero the padding first, and everything behind each sequence's own end is zeros.",
    ),
    flags=(r"\bDelayed\b", r"\bnn\.RNN\b"),
)
