"""Questions 3.4 to 3.6: a leaky layer's whole backward pass, two kinds of truncation, and forward instead of back."""

from functools import partial

import torch

from rnncourse.grading.spec import BY_AUTOGRAD, Draw, Question, Wrong


def leaky_backward(x, dh, weight_ih, weight_hh, bias, leak):
    """x is (batch, time, input), dh (batch, time, hidden); returns the gradients of U, W, b and x."""
    h = x.new_zeros(len(x), len(bias))
    before, n = [], []
    for x_t in x.unbind(1):
        before.append(h)
        n.append(torch.tanh(x_t @ weight_ih.T + h @ weight_hh.T + bias))
        h = (1 - leak) * h + leak * n[-1]

    dU, dW, db = torch.zeros_like(weight_ih), torch.zeros_like(weight_hh), torch.zeros_like(bias)
    dx, carry = torch.zeros_like(x), torch.zeros_like(h)
    for t in reversed(range(x.shape[1])):
        dh_t = dh[:, t] + carry
        delta = (1 - n[t] ** 2) * leak * dh_t
        dU += delta.T @ x[:, t]
        dW += delta.T @ before[t]
        db += delta.sum(0)
        dx[:, t] = delta @ weight_ih
        carry = delta @ weight_hh + (1 - leak) * dh_t  # two roads: through the tanh, and around it
    return dU, dW, db, dx


def leaky_inputs(draw: Draw, batch: int, time: int) -> tuple:
    inputs, hidden, normal = draw.integer(2, 3), draw.integer(3, 5), partial(draw.normal, dtype=torch.float64)
    weight_ih, weight_hh, bias, _ = draw.rnn(inputs, hidden, dtype=torch.float64)
    x, dh = normal(batch, time, inputs), normal(batch, time, hidden)
    return x, dh, weight_ih, weight_hh, bias, draw.number(0.2, 0.45)


LEAKY = Question(
    id="3.4",
    title="The whole backward pass of a leaky layer",
    points=4,
    reference=leaky_backward,
    cases={"a batch of two": (leaky_inputs, 2, 5), "a batch of one": (leaky_inputs, 1, 4)},
    parts=("dU", "dW", "db", "dx"),
    tolerance=1e-8,
    wrong=(
        Wrong("nothing is carried from step to step", {"dh[:, t] + carry": "dh[:, t]"}).told(
            "Each step hands the step before it a gradient; yours treats the steps as if they were separate networks."
        ),
        Wrong("the road around the tanh is missing", {" + (1 - leak) * dh_t": ""}).told(
            "h_(t-1) reaches h_t on two roads: through the tanh, and directly, weighted by 1 - leak. Credit uses both."
        ),
        Wrong("the road through the tanh is missing", {"delta @ weight_hh + ": ""}).told(
            "h_(t-1) reaches h_t on two roads: directly, and through W and the tanh. Credit uses both."
        ),
        Wrong("the slope is taken at h_t", {"1 - n[t] ** 2": "1 - (before + [h])[t + 1] ** 2"}).told(
            "The slope belongs to what came out of the tanh, which is the candidate n_t. Here h_t is a blend "
            "of it with the old state."
        ),
        Wrong("the slope of the tanh is missing", {"(1 - n[t] ** 2) * leak": "leak"}).told(
            "What the loss says about n_t has to go through the tanh before it reaches the weights."
        ),
        Wrong("the leak does not scale what goes through the tanh", {" * leak * dh_t": " * dh_t"}).told(
            "The tanh enters h_t with the weight leak, so its derivative does, too."
        ),
    ),
    hints=(
        "Run the layer forward first, and keep every tanh and every old state.",
        "Then walk back: dh_t is the gradient that is given plus the carry.",
        "The carry is the sum of two terms, one for each road from h_(t-1) to h_t.",
    ),
    flags=(*BY_AUTOGRAD, r"\bbptt\b"),
)


def truncated(parts, reach):
    """parts is (time, time, hidden, hidden); returns two truncated gradients, each (hidden, hidden)."""
    t = torch.arange(len(parts))[:, None]
    k = torch.arange(len(parts))[None, :]
    band = (k <= t) & (t - k < reach)
    blocks = (k <= t) & (t // reach == k // reach)
    return tuple((parts * mask[:, :, None, None]).sum((0, 1)) for mask in (band, blocks))


def truncated_inputs(draw: Draw, fits: bool) -> tuple:
    # Each of these numbers of steps has many divisors, and many that are none: it does not say which is the reach.
    hidden, time = draw.integer(2, 4), (12, 18, 20, 24)[draw.integer(0, 3)]
    sizes = [k for k in range(2, time - 1) if (time % k == 0) == fits]
    reach = sizes[draw.integer(0, len(sizes) - 1)]
    parts = draw.normal(time, time, hidden, hidden, dtype=torch.float64)
    return parts * torch.ones(time, time, dtype=torch.float64).tril()[:, :, None, None], reach


TRUNCATED = Question(
    id="3.5",
    title="Two kinds of truncation",
    points=2,
    reference=truncated,
    cases={"windows that fit": (truncated_inputs, True), "a last window that is shorter": (truncated_inputs, False)},
    parts=("every loss reaches back", "windows"),
    tolerance=1e-8,
    wrong=(
        Wrong("one step too far", {"t - k < reach": "t - k <= reach"}).told(
            "The step of the loss itself counts as the first of the steps it reaches."
        ),
        Wrong("the two are exchanged", {"(band, blocks)": "(blocks, band)"}).told(
            "With a detached state the reach depends on where in its window a loss stands: the first one reaches only "
            "its own step."
        ),
        Wrong("only the farthest contribution is kept", {"t - k < reach": "t - k == reach - 1"}).told(
            "A truncated gradient keeps everything up to its reach, not only the farthest contribution."
        ),
        Wrong("both are cut into windows", {"(band, blocks)": "(blocks, blocks)"}).told(
            "In the first kind every loss reaches back equally far, wherever it stands."
        ),
    ),
    hints=(
        "For each pair (t, k) decide: kept or not? Then sum what is kept.",
        "windows: two steps stand in the same window when counting in whole windows gives the same number for both.",
    ),
)


def forward_sensitivity(x, dh, weight_ih, weight_hh, bias):
    """x is (time, input), dh (time, hidden); returns dh_t/db, (time, hidden, hidden), and b's gradient."""
    h = torch.zeros_like(bias)
    S = x.new_zeros(len(bias), len(bias))
    identity = torch.eye(len(bias), dtype=x.dtype)
    sensitivities, db = [], torch.zeros_like(bias)
    for x_t, dh_t in zip(x, dh):
        h = torch.tanh(weight_ih @ x_t + weight_hh @ h + bias)
        S = (1 - h**2)[:, None] * (weight_hh @ S + identity)
        sensitivities.append(S)
        db = db + dh_t @ S
    return torch.stack(sensitivities), db


def sensitivity_inputs(draw: Draw, time: int) -> tuple:
    inputs, hidden, normal = draw.integer(2, 3), draw.integer(3, 4), partial(draw.normal, dtype=torch.float64)
    weight_ih, weight_hh, bias, _ = draw.rnn(inputs, hidden, dtype=torch.float64)
    return normal(time, inputs), normal(time, hidden), weight_ih, weight_hh, bias


SENSITIVITY = Question(
    id="3.6",
    title="Forward instead of back",
    points=3,
    reference=forward_sensitivity,
    cases={"five steps": (sensitivity_inputs, 5), "two steps": (sensitivity_inputs, 2)},
    parts=("the sensitivities", "the gradient of b"),
    tolerance=1e-8,
    wrong=(
        Wrong("the bias acts at the first step only", {"S + identity": "S + identity * (not sensitivities)"}).told(
            "The bias is added at every step, so every step adds an immediate derivative to what is carried."
        ),
        Wrong("nothing is carried", {"weight_hh @ S + ": ""}).told(
            "The bias has changed all earlier states already, and they reach h_t through W."
        ),
        Wrong(
            "rows and columns of the sensitivities are exchanged",
            {"torch.stack(sensitivities)": "torch.stack(sensitivities).mT"},
        ).told("Your gradient is right. Entry (t, i, j) is asked for as the change of unit i with the bias of unit j."),
        Wrong("only the last loss is counted", {"db + dh_t": "dh_t"}).told(
            "Every step has a loss. Each adds its own dh_t times the sensitivity at that step."
        ),
    ),
    hints=(
        "Every step may use what the step before left: its state, and its sensitivities. Nothing else of the past.",
        "the sensitivities: differentiate h_t = tanh(U x_t + W h_(t-1) + b) by b; h_(t-1) depends on b, too.",
        "the sensitivities: b acts on h_t at this very step, and through h_(t-1); both pass the tanh of this step.",
        "the gradient of b: each loss says dh_t about h_t, and S_t says how h_t moves with b. Add up over the steps.",
    ),
    flags=(*BY_AUTOGRAD, r"\bbptt\b"),
)
