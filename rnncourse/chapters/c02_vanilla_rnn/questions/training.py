"""Question 2.6: a network that the learner trains."""

from functools import partial

import torch
from torch import Tensor
from torch.nn import functional as F

from rnncourse.grading.spec import Draw, Question, Wrong


def train_rnn(
    x: Tensor, targets: Tensor, weight_ih: Tensor, weight_hh: Tensor, weight_hy: Tensor, lr: float, steps: int
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """x is (batch, time, input), targets (batch, time); returns the losses (steps,) and the three trained matrices."""
    U, W, V = weights = [weight.clone().requires_grad_() for weight in (weight_ih, weight_hh, weight_hy)]
    losses = []
    with torch.enable_grad():  # whoever calls, gradients are wanted here
        for _ in range(steps):
            h, scores = x.new_zeros(len(x), len(W)), []
            for x_t in x.unbind(1):
                h = torch.tanh(x_t @ U.T + h @ W.T)
                scores.append(h @ V.T)
            y = torch.stack(scores, dim=1)  # (batch, time, output)
            loss = F.cross_entropy(y.flatten(0, 1), targets.flatten())
            losses.append(loss.detach())
            loss.backward()
            with torch.no_grad():
                for weight in weights:
                    weight -= lr * weight.grad
                    weight.grad = None
    return torch.stack(losses), U.detach(), W.detach(), V.detach()


def training_inputs(draw: Draw, batch: int) -> tuple:
    inputs, hidden, outputs, time = draw.integer(2, 4), draw.integer(5, 7), draw.integer(3, 4), draw.integer(4, 6)
    normal = partial(draw.normal, dtype=torch.float64)
    x, targets = normal(batch, time, inputs), draw.integers(0, outputs - 1, batch, time)
    weights = (normal(hidden, inputs), normal(hidden, hidden, scale=0.5), normal(outputs, hidden))
    return x, targets, *weights, draw.number(0.2, 0.6), draw.integer(3, 12)


def noted_too_late(x, targets, weight_ih, weight_hh, weight_hy, lr, steps):
    """The loss is computed again after the step, and that one is noted."""
    losses = train_rnn(x, targets, weight_ih, weight_hh, weight_hy, lr, steps + 1)[0]
    return losses[1:], *train_rnn(x, targets, weight_ih, weight_hh, weight_hy, lr, steps)[1:]


TRAINING = Question(
    id="2.6",
    title="Train it",
    points=4,
    reference=train_rnn,
    cases={"a batch of three": (training_inputs, 3), "one sequence": (training_inputs, 1)},
    parts=("the losses", "U after training", "W after training", "V after training"),
    tolerance=1e-7,
    wrong=(
        Wrong("the gradients of all steps add up", {"weight.grad = None": "pass"}).told(
            "backward() adds to what is in .grad. Your first step is right; from the second on, the old gradient is "
            "still there."
        ),
        Wrong("the step goes uphill", {"weight -= lr": "weight += lr"}).told(
            "The gradient points to where the loss grows. Print your losses: they rise."
        ),
        Wrong(
            "the loss is a sum over the predictions",
            {"targets.flatten())": 'targets.flatten(), reduction="sum")'},
        ).told("The question asks for the mean over all predictions of the batch, so that lr means the same for all."),
        Wrong("softmax twice", {"y.flatten(0, 1)": "y.softmax(2).flatten(0, 1)"}).told(
            "cross_entropy takes scores and applies the softmax itself. Look at the floor that your losses have."
        ),
        Wrong("time and batch are exchanged in the scores", {"dim=1)  # (batch": "dim=0)  # (batch"}).told(
            "Stacked along the wrong axis, the scores of one sequence meet the targets of another. Write the shape of "
            "both down before you flatten them."
        ),
        Wrong("only the last step is scored", {"y.flatten(0, 1), targets.flatten()": "y[:, -1], targets[:, -1]"}).told(
            "There is a target at every step, and each prediction counts."
        ),
        Wrong("the state is not carried", {"h @ W.T": "0 * h @ W.T"}).told(
            "Your W never learns anything: each step starts from an empty state."
        ),
        Wrong("W is left as it was", {"for weight in weights:": "for weight in (U, V):"}).told(
            "U and V move, and W, which is what makes this network recurrent, does not."
        ),
        Wrong("each loss is noted after the step", noted_too_late).told(
            "The weights are right. The loss of a step is the one whose gradient it takes, before the weights move."
        ),
    ),
    hints=(
        "Four things a step: the scores of all time steps, the loss, its gradient, and the move against it.",
        "the losses: check the first one alone, with steps = 1. Nothing has moved yet when it is computed.",
        "W after training: with steps = 1, compare your W with the one you were given. Did it move, and which way?",
        "Learn on copies: clone the weights, and ask for gradients of the copies.",
    ),
    flags=(r"\bnn\.RNN\b", r"\bfit\("),
)
