"""Question 5.7: a forget bias for a lag."""

import math

import torch
from torch import Tensor

from rnncourse.chapters.c05_lstm.questions.answers import is_real
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


def judge_memory(answer, lag: int, survive: float) -> tuple[str, str]:
    shapes = (4, 2), (4, 1), (4,), (4,)
    fits = isinstance(answer, tuple | list) and len(answer) == 4
    if not fits or not all(is_real(w, len(s)) and tuple(w.shape) == s for w, s in zip(answer, shapes, strict=True)):
        return ("expected real numbers of the shapes (4, 2), (4, 1), (4,) and (4,)",) * 2
    weights = [weight.double() for weight in answer]
    if not all(weight.abs().max() <= 1e4 for weight in weights):  # which is false of nan, too
        return ("expected finite numbers, none larger than 10000",) * 2

    x = torch.zeros(5, lag + 2, 2, dtype=torch.float64)
    x[:, 0, 0], x[:, 0, 1] = 0.8, 1.0  # all store at the first step, the second row another value
    x[1, 0, 0] = -0.8
    x[2, 1:, 0], x[3, 1:, 0] = 1.0, -1.0  # the worst that can pass by: values that all push in one direction
    x[:2, -1] = torch.tensor([0.3, 1.0])  # a second marker
    c = cells(x, *weights)
    stored, left, rest = ((c[0, t] - c[1, t]).item() for t in (0, lag, -1))
    if stored < 0.5:
        smaller = "0.8 at the marker leaves a smaller cell than -0.8"
        said = smaller if stored < -0.5 else "0.8 and -0.8 at the marker leave nearly the same cell"
        return "nothing to measure before a value is stored", said
    step, passing = ((c[2:4, t] - c[4, t]).abs().max().item() / stored for t in (1, lag))

    fraction, said = judge_fraction(left / stored, lag, survive), []
    if step > 0.1:
        said.append("a value that passes by without a marker is stored, too")
    elif step > 1e-4 or passing > 0.02:
        said.append("each value that passes by without a marker still leaves a little in the cell")
    if abs(rest) > 0.02 * stored:
        said.append("after a second marker the first value is still in the cell")
    return fraction, "; ".join(said) or fraction


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
        # The gate that is hardest to close at a marker, whatever the seed: who fails it fails the self-check, too.
        "the longest lag": (lag_inputs, (150, 150), (0.9, 0.9)),
    },
    parts=("what survives", "the whole memory"),
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
        Wrong("the input gate is not shut tightly enough", {"= 40.0": "= 10.0", "[-20.0": "[-5.0"}).told(
            "What is the input gate between the markers, as a number? Over a hundred steps it lets in a hundred times "
            "that."
        ),
    ),
    hints=(
        "Two gates, four demands: the input gate stores and ignores, the forget gate fades and replaces. Which fails?",
        "For the fading: which gate, multiplied with itself `lag` times, gives `survive`? Then its pre-activation.",
        "The unit needs no recurrent weights. Let the marker open one gate and close another; 40 is a large weight.",
        "Rows are i, f, g, o; column 0 is the value, column 1 the marker.",
    ),
)
