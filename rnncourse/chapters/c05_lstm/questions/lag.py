"""Question 5.7: a forget bias for a lag."""

import math

import torch
from torch import Tensor

from rnncourse.grading.spec import Draw, Question, Wrong


def fading_memory(lag: int, survive: float) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """weight_ih, weight_hh, bias_ih, bias_hh of a one-unit LSTM; rows i, f, g, o."""
    gate = survive ** (1 / lag)  # gate ** lag == survive
    weight_ih = torch.zeros(4, 2)
    weight_ih[0, 1] = 40.0  # the marker opens the input gate ...
    weight_ih[1, 1] = -40.0  # ... and closes the forget gate for this one step
    weight_ih[2, 0] = 1.0  # the candidate is the value
    bias_ih = torch.tensor([-20.0, math.log(gate / (1 - gate)), 0.0, 0.0])
    return weight_ih, torch.zeros(4, 1), bias_ih, torch.zeros(4)  # the two biases add up: one of them is zero


def lag_inputs(draw: Draw, lag: tuple[int, int], survive: tuple[float, float]) -> tuple:
    return draw.integer(*lag), draw.number(*survive)


def cells(x: Tensor, weight_ih: Tensor, weight_hh: Tensor, bias_ih: Tensor, bias_hh: Tensor) -> Tensor:
    """The cell after every step, (batch, time), of a one-unit LSTM."""
    h = c = x.new_zeros(x.shape[0], 1)
    over_time = []
    for x_t in x.unbind(1):
        i, f, g, o = (x_t @ weight_ih.T + bias_ih + h @ weight_hh.T + bias_hh).chunk(4, dim=1)
        c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
        h = torch.sigmoid(o) * torch.tanh(c)
        over_time.append(c)
    return torch.cat(over_time, dim=1)


def judge_memory(answer, lag: int, survive: float) -> tuple[str, ...]:
    shapes = (4, 2), (4, 1), (4,), (4,)
    fits = isinstance(answer, tuple | list) and len(answer) == 4
    if not fits or not all(
        isinstance(weight, Tensor) and weight.is_floating_point() and tuple(weight.shape) == shape
        for weight, shape in zip(answer, shapes, strict=True)
    ):
        return ("expected real numbers of the shapes (4, 2), (4, 1), (4,) and (4,)",) * 4
    if not all(bool(torch.isfinite(weight).all()) and weight.abs().max() <= 1e4 for weight in answer):
        return ("expected finite numbers, none larger than 10000",) * 4
    weights = [weight.double() for weight in answer]

    x = torch.zeros(3, lag + 2, 2, dtype=torch.float64)
    x[:, 0] = torch.tensor([[0.8, 1.0], [-0.8, 1.0], [0.8, 1.0]])  # all three store at the first step
    x[2, 1:, 0] = 2 * torch.rand(lag + 1, generator=torch.Generator().manual_seed(lag), dtype=torch.float64) - 1
    c = cells(x, *weights)
    stored, left = c[0, 0] - c[1, 0], c[0, lag] - c[1, lag]
    if stored < 0.5:
        smaller = "0.8 at the marker leaves a smaller cell than -0.8"
        said = smaller if stored < -0.5 else "0.8 and -0.8 at the marker leave nearly the same cell"
        return (said, *("nothing to measure before a value is stored",) * 3)
    passing = (c[2, lag] - c[0, lag]).abs() / stored
    x[:, -1] = torch.tensor([0.3, 1.0])  # a second marker
    c = cells(x, *weights)
    rest = (c[0, -1] - c[1, -1]).abs() / stored
    return (
        "",
        judge_fraction((left / stored).item(), lag, survive),
        "" if passing < 0.02 else "values that pass by without a marker change what is stored",
        "" if rest < 0.02 else "after a second marker the first value is still in the cell",
    )


def judge_fraction(ratio: float, lag: int, survive: float) -> str:
    if abs(ratio - survive) < 0.002:
        return ""
    said = "more survives than should" if ratio > survive else "less survives than should"
    gate = survive ** (1 / lag)
    twice = gate**2 / (gate**2 + (1 - gate) ** 2)
    for mistaken, reason in (
        (twice, "with twice the bias"),
        (survive, "if the fraction were that of a single step"),
        (1 / (1 + math.exp(-gate)), "if the gate's value stood where its bias belongs"),
        (0.5, "with a forget gate that is half open"),
    ):
        if abs(ratio - mistaken**lag) < 0.002 * mistaken**lag:
            return f"{said}: as {reason}"
    return said


LAG = Question(
    id="5.7",
    title="A forget bias for a lag",
    points=3,
    reference=fading_memory,
    judge=judge_memory,
    cases={
        "a short lag": (lag_inputs, (8, 12), (0.6, 0.8)),
        "a long lag": (lag_inputs, (90, 150), (0.5, 0.9)),
        "a single step": (lag_inputs, (1, 1), (0.3, 0.45)),
    },
    parts=("what is stored", "what survives", "what passes by", "what is replaced"),
    wrong=(
        Wrong(
            "the bias stands in both vectors",
            {"bias_ih, torch.zeros(4)": "bias_ih, bias_ih * torch.tensor([0.0, 1.0, 0.0, 0.0])"},
        ).told("PyTorch adds its two biases. Whoever sets both to b gets 2b."),
        Wrong("the fraction is taken for that of every single step", {"survive ** (1 / lag)": "survive"}).told(
            "A gate of `survive` at every step leaves survive to the power of the lag. Which gate leaves survive?"
        ),
        Wrong("the gate's value is used as its bias", {"math.log(gate / (1 - gate))": "gate"}).told(
            "The sigmoid still comes after the bias: which number does it turn into the gate that you want?"
        ),
        Wrong("the forget bias is left at zero", {"math.log(gate / (1 - gate))": "0.0"}).told(
            "A forget gate of one half halves the memory at every step."
        ),
        Wrong("a new value is added to the old one", {"-40.0": "0.0"}).told(
            "When the marker comes, the forget gate has to close, for this one step."
        ),
        Wrong("the input gate is always open", {"= 40.0": "= 0.0", "[-20.0": "[20.0"}).told(
            "Between the markers, nothing may come in. Which gate decides, and what does it look at?"
        ),
    ),
    hints=(
        "First the number: which gate, multiplied with itself `lag` times, gives `survive`? Then its pre-activation.",
        "The unit needs no recurrent weights. Let the marker open one gate and close another; 40 is a large weight.",
        "Rows are i, f, g, o; column 0 is the value, column 1 the marker.",
    ),
)
