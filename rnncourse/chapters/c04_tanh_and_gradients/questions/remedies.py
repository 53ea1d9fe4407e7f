"""Questions 4.4 and 4.5: clipping by the global norm, and the gradient through skip connections."""

import torch
from torch import Tensor

from rnncourse.grading.spec import BY_AUTOGRAD, Draw, Question, Wrong


def clip_gradients(gradients: list[Tensor], largest: float) -> tuple[list[Tensor], Tensor]:
    """The gradients, scaled together to at most this norm, and the norm they had before."""
    norm = torch.sqrt(sum(gradient.square().sum() for gradient in gradients))
    factor = torch.clamp(largest / norm, max=1.0)
    return [gradient * factor for gradient in gradients], norm


def clip_inputs(draw: Draw, low: float, high: float) -> tuple:
    rows = draw.integer(3, 5)
    gradients = [draw.normal(rows, 2), draw.normal(rows, rows, scale=3.0), draw.normal(rows, scale=0.1)]
    norm = torch.sqrt(sum(gradient.square().sum() for gradient in gradients)).item()
    return gradients, draw.number(low, high) * norm


CLIP = Question(
    id="4.4",
    title="Clipping by the global norm",
    points=3,
    reference=clip_gradients,
    cases={
        "a gradient that is too long": (clip_inputs, 0.05, 0.3),
        "a gradient that is short enough": (clip_inputs, 1.1, 2.0),
    },
    parts=("the clipped gradients", "the norm before clipping"),
    wrong=(
        Wrong(
            "each tensor is clipped by its own norm", {"* factor": "* torch.clamp(largest / gradient.norm(), max=1.0)"}
        ).told("All parameters make one long vector. Shortening its pieces by different factors turns it."),
        Wrong("each entry is clipped", {"gradient * factor": "gradient.clamp(-largest, largest)"}).told(
            "Cutting entries changes the direction. Multiply everything by one and the same number."
        ),
        Wrong("short gradients are stretched", {"torch.clamp(largest / norm, max=1.0)": "largest / norm"}).told(
            "A gradient that is shorter than the limit should come back as it was."
        ),
        Wrong("the norm is measured after clipping", {"gradients], norm": "gradients], norm * factor"}).told(
            "The gradients are right. The second answer is for the log: how long was the gradient when it came?"
        ),
        Wrong("the root is missing", {"torch.sqrt": ""}).told("A norm is the square root of the sum of squares."),
        Wrong("norms are added", {"torch.sqrt": "", "gradient.square().sum()": "gradient.norm()"}).told(
            "The norm of a vector made of pieces is not the sum of the pieces' norms. Add the squares."
        ),
    ),
    hints=(
        "First one number for all tensors together; then one factor for all tensors together.",
        "The factor is never larger than one.",
    ),
    flags=(r"clip_grad_norm_", r"clip_grad_value_"),
)


def skip_messages(last: Tensor, slope: Tensor, weight_hh: Tensor, weight_skip: Tensor, skip: int) -> Tensor:
    """dL/dh_t for every step; row t of slope holds 1 - h_t^2."""
    time = len(slope)
    message = [torch.zeros_like(last)] * (time - 1) + [last]
    for t in range(time - 2, -1, -1):
        message[t] = (slope[t + 1] * message[t + 1]) @ weight_hh  # by the next step
        if t + skip < time:
            message[t] = message[t] + (slope[t + skip] * message[t + skip]) @ weight_skip  # by the shortcut
    return torch.stack(message)


def skip_inputs(draw: Draw, shortest: int, longest: int) -> tuple:
    # The skip is drawn by itself: neither the case nor the number of steps says how long it is.
    hidden, skip, time = draw.integer(3, 5), draw.integer(2, 5), draw.integer(shortest, longest)
    slope = draw.uniform(time, hidden, low=0.2, high=1.0, dtype=torch.float64)
    last = draw.normal(hidden, dtype=torch.float64)
    return last, slope, *(draw.normal(hidden, hidden, scale=0.5, dtype=torch.float64) for _ in range(2)), skip


SKIP = Question(
    id="4.5",
    title="The gradient through skip connections",
    points=3,
    reference=skip_messages,
    cases={
        "a short sequence": (skip_inputs, 6, 7),
        "a longer sequence": (skip_inputs, 8, 9),
        "a long sequence": (skip_inputs, 10, 12),
    },
    tolerance=1e-8,
    wrong=(
        Wrong("the skip connection carries nothing back", {"t + skip < time": "False"}).told(
            "The state h_t is used twice: at the next step, and again a skip later. Both uses send a message."
        ),
        Wrong(
            "only the skip connection carries back", {"(slope[t + 1] * message[t + 1]) @ weight_hh": "0 * last"}
        ).told("The short connection is still there. Messages from two places add up."),
        Wrong("the slope is missing on the skip path", {"slope[t + skip] * ": ""}).told(
            "The skip connection enters the pre-activation, inside the tanh, just as the short one does."
        ),
        Wrong(
            "the slopes are those of the step the message comes to",
            {"slope[t + 1]": "slope[t]", "slope[t + skip]": "slope[t]"},
        ).told("A message on its way back from step t + 1 meets the tanh of step t + 1 first, and then the weights."),
        Wrong(
            "the weights are used the wrong way round",
            {"@ weight_hh": "@ weight_hh.T", "@ weight_skip": "@ weight_skip.T"},
        ).told("Forwards a row vector meets the transposed weight. Backwards it meets the weight itself."),
    ),
    hints=(
        "Go from the last step to the first; by the time you reach t, everything that h_t feeds into is known.",
        "The message at t is a sum of at most two terms. When is there only one?",
    ),
    flags=(*BY_AUTOGRAD, r"\bdiagnostics\b"),
)
