"""Question 6.6: weights with which it matters, or does not, whether the reset comes before or after the product."""

import torch
from torch import Tensor

from rnncourse.grading.spec import Question, Wrong

APART, ALIKE = 0.1, 1e-5


def three_grus(input_size: int, hidden_size: int) -> tuple[tuple[Tensor, ...], ...]:
    """Three times (weight_ih, weight_hh, bias_ih, bias_hh); the third has one unit."""

    def gru(resets: Tensor, W_n: Tensor, b_n: float) -> tuple[Tensor, ...]:
        hidden = len(resets)
        weight_ih = torch.zeros(3 * hidden, input_size)
        weight_ih[:hidden, 0] = resets  # how each unit's reset gate moves with the first input
        weight_hh = torch.cat([torch.zeros(2 * hidden, hidden), W_n])
        bias_hh = torch.cat([torch.zeros(2 * hidden), torch.full((hidden,), b_n)])
        return weight_ih, weight_hh, torch.zeros(3 * hidden), bias_hh

    own = torch.linspace(3, -3, hidden_size)  # each unit resets in its own way
    one_number = torch.zeros(hidden_size, hidden_size)
    one_number[0, 1] = 2.0  # the first unit listens to the second, which has another gate
    paired = own.clone()
    paired[1] = paired[0]  # two units that reset alike ...
    pair = torch.eye(hidden_size)
    pair[:2] = pair[:2].flip(0)  # ... listen to each other, and every other unit to itself: r_i W_ij = W_ij r_j
    return (
        gru(own, one_number, 0.0),
        gru(paired, pair, 0.0),
        gru(own[:1], torch.zeros(1, 1), 2.0),  # the bias stands inside the bracket that r scales, or outside
    )


def judge_grus(answer, input_size: int, hidden_size: int) -> tuple[str, ...]:
    if not isinstance(answer, tuple | list) or len(answer) != 3:
        return ("expected three GRUs, each with four tensors",) * 3
    judges = (_by_one_number, hidden_size), (_alike, hidden_size), (_by_one_bias, 1)
    return tuple(
        _unfit(weights, input_size, hidden) or judge(*(weight.to(torch.float64) for weight in weights))
        for weights, (judge, hidden) in zip(answer, judges, strict=True)
    )


def _unfit(weights, inputs: int, hidden: int) -> str:
    shapes = (3 * hidden, inputs), (3 * hidden, hidden), (3 * hidden,), (3 * hidden,)
    if not isinstance(weights, tuple | list) or len(weights) != 4:
        return "expected four tensors: weight_ih, weight_hh, bias_ih, bias_hh"
    for name, weight, shape in zip(("weight_ih", "weight_hh", "bias_ih", "bias_hh"), weights, shapes, strict=True):
        if not isinstance(weight, Tensor) or not weight.is_floating_point() or tuple(weight.shape) != shape:
            return f"{name}: expected real numbers of the shape {shape}"
        if not bool(torch.isfinite(weight).all()) or weight.abs().max() > 100:
            return f"{name}: expected finite numbers, none beyond ±100"
    return ""


def _both(weight_ih: Tensor, weight_hh: Tensor, bias_ih: Tensor, bias_hh: Tensor) -> tuple[float, float, Tensor]:
    """How far the two forms' states and candidates are apart, and the reset gates, on 256 random inputs and states."""
    inputs, hidden = weight_ih.shape[1], weight_hh.shape[1]
    generator = torch.Generator().manual_seed(1000 * inputs + hidden)
    x, h = (torch.randn(256, size, generator=generator, dtype=torch.float64) for size in (inputs, hidden))
    x_r, x_z, x_n = (x @ weight_ih.T + bias_ih).chunk(3, dim=1)
    (W_r, W_z, W_n), (b_r, b_z, b_n) = weight_hh.chunk(3), bias_hh.chunk(3)
    r, z = torch.sigmoid(x_r + h @ W_r.T + b_r), torch.sigmoid(x_z + h @ W_z.T + b_z)
    before, after = (r * h) @ W_n.T + b_n, r * (h @ W_n.T + b_n)
    states = (1 - z) * (torch.tanh(x_n + before) - torch.tanh(x_n + after))
    return states.abs().max().item(), (before - after).abs().max().item(), r


def _apart(*weights: Tensor) -> str:
    states, candidates, _ = _both(*weights)
    if states >= APART:
        return ""
    if candidates <= ALIKE:
        return "the two forms agree on 256 random inputs"
    return f"the two forms differ by less than {APART} on 256 random inputs"


def _by_one_number(*weights: Tensor) -> str:
    if problem := _apart(*weights):
        return problem
    if any(bias.any() for bias in weights[2:]):
        return "it has biases, and they could be the reason"
    return "its W_n has more than one number other than zero" if weights[1].chunk(3)[2].count_nonzero() > 1 else ""


def _by_one_bias(*weights: Tensor) -> str:
    if problem := _apart(*weights):
        return problem
    return "it has more than one bias other than zero" if torch.cat(weights[2:]).count_nonzero() > 1 else ""


def _alike(*weights: Tensor) -> str:
    states, candidates, r = _both(*weights)
    if candidates > ALIKE:
        if states <= ALIKE:
            return "the two forms differ inside the tanh, and agree only because z or the tanh hides it"
        return "the two forms differ" + (", and it has a bias b_hn" if weights[3].chunk(3)[2].any() else "")
    W_n = weights[1].chunk(3)[2]
    listening = ((W_n - torch.diag(W_n.diagonal())).abs() >= 0.1).any(dim=1)  # (hidden,)
    if not listening.any():
        return "the two forms agree, but no unit listens to another one"
    if r.std(dim=0)[listening].max() < 0.05:
        return "the two forms agree, but the reset gates of the units that listen to others hardly move"
    if (r.amax(dim=1) - r.amin(dim=1)).max() < 0.05:
        return "the two forms agree, but all units have the same reset gate"
    return ""


THREE = Question(
    id="6.6",
    title="Before or after",
    points=3,
    reference=three_grus,
    judge=judge_grus,
    cases={
        "a few units": lambda draw: (draw.integer(2, 3), draw.integer(4, 5)),
        "three units": lambda draw: (draw.integer(1, 4), 3),
        "one input": lambda draw: (1, draw.integer(5, 6)),
    },
    parts=("the first GRU", "the second GRU", "the third GRU"),
    wrong=(
        Wrong("several numbers in the matrix of the first", {"[0, 1]": "[0, 1:]"}).told(
            "The forms differ, but one number is enough. Which one makes a difference, and which ones never do?"
        ),
        Wrong("the one number of the first stands on the diagonal", {"[0, 1]": "[0, 0]"}).told(
            "There a unit listens to itself, and is reset by the same gate before the product as after it."
        ),
        Wrong("biases in the first", {"one_number, 0.0": "one_number, 1.0"}).told(
            "For the first the matrix alone should be the reason: set every bias to zero."
        ),
        Wrong("a diagonal matrix for the second", {".flip(0)": ""}).told(
            "A diagonal matrix passes each unit's reset on to the same unit. Let at least one unit listen to another."
        ),
        Wrong("one reset gate for all in the second", {"paired, pair": "torch.full_like(own, 2), pair"}).told(
            "If all units reset alike, every matrix will do. Give one unit another gate; whom may it listen to then?"
        ),
        Wrong(
            "the second agrees because its reset gates never move",
            {"paired, pair": "torch.zeros_like(own), torch.ones_like(pair)"},
        ).told(
            "With reset gates that stand still there is little to tell apart. Find a matrix with which the forms agree "
            "while the gates move."
        ),
        Wrong(
            "the second agrees because its update gates keep everything",
            {"paired, pair, 0.0)": "own, pair, 0.0)[:3] + (100 * torch.eye(3)[1].repeat_interleave(hidden_size),)"},
        ).told("With z = 1 nobody looks at the candidate. It is inside its tanh that the two forms should agree."),
        Wrong("in the second, units with different gates listen to one another", {"paired, pair": "own, pair"}).told(
            "A number W_ij is harmless if i and j reset alike, and only then. Sort the units by their gates."
        ),
        Wrong("an inner bias in the second", {"paired, pair, 0.0": "paired, pair, 0.5"}).told(
            "In one of the forms the reset gate scales b_hn, in the other it does not."
        ),
        Wrong("a third without its inner bias", {"torch.zeros(1, 1), 2.0": "torch.zeros(1, 1), 0.0"}).told(
            "For one unit the matrix is a number, and numbers trade places. Something else stands in the bracket."
        ),
        Wrong(
            "every bias in the third",
            {"torch.zeros(1, 1), 2.0)": "torch.zeros(1, 1), 2.0)[:2] + 2 * (-torch.ones(3),)"},
        ).told("The forms differ, but one bias is enough. Which of the six stands where r can scale it?"),
    ),
    hints=(
        "Write both forms with their indices: the sum of W_ij r_j h_j, against r_i times the sum of W_ij h_j.",
        "When is r_i W_ij = W_ij r_j? For each pair of units there are two ways.",
        "PyTorch's form has a bias inside the bracket that r scales.",
    ),
)
