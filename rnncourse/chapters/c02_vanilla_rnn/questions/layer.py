"""Questions 2.1 to 2.3: one step, its two forms, and a layer over time."""

import torch
from torch import Tensor

from rnncourse.grading.spec import Draw, Question, Wrong


def rnn_step(
    x_t: Tensor, h: Tensor, weight_ih: Tensor, weight_hh: Tensor, bias: Tensor, weight_hy: Tensor, bias_y: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """One step: x_t is (batch, input), h is the state before the step; returns a_t, h_t and y_t."""
    a_t = x_t @ weight_ih.T + h @ weight_hh.T + bias  # (batch, hidden)
    h_t = torch.tanh(a_t)  # (batch, hidden)
    return a_t, h_t, h_t @ weight_hy.T + bias_y


def exchanged(x_t, h, weight_ih, weight_hh, *rest):
    """U and W exchanged, where their sizes let it pass; elsewhere PyTorch refuses, and there is no answer to know."""
    alike = weight_ih.shape == weight_hh.shape
    return rnn_step(x_t, h, *((weight_hh, weight_ih) if alike else (weight_ih, weight_hh)), *rest)


def step_inputs(draw: Draw, batch: int, alike: bool) -> tuple:
    hidden, outputs = draw.integer(6, 7), draw.integer(2, 3)
    inputs = hidden if alike else draw.integer(4, 5)
    weight_ih, weight_hh, bias, _ = draw.rnn(inputs, hidden)
    weight_hy, bias_y = draw.normal(outputs, hidden), draw.normal(outputs)
    return draw.normal(batch, inputs), draw.normal(batch, hidden), weight_ih, weight_hh, bias, weight_hy, bias_y


STEP = Question(
    id="2.1",
    title="One step",
    points=2,
    reference=rnn_step,
    cases={
        "a batch of three": (step_inputs, 3, False),
        "a batch of one": (step_inputs, 1, False),
        "as many inputs as hidden units": (step_inputs, 2, True),
    },
    parts=("the scores a_t", "the state h_t", "the output y_t"),
    wrong=(
        Wrong("weight_hh is used without its transpose", {"weight_hh.T": "weight_hh"}).told(
            "weight_hh is square, so the shapes fit either way. A row of it holds what flows *into* one unit, "
            "exactly as in weight_ih; treat the two alike."
        ),
        Wrong("U and W are exchanged", exchanged).told(
            "Where there are as many inputs as hidden units it runs, and is wrong; elsewhere the shapes object. "
            "weight_ih belongs to the input, weight_hh to the state: some books exchange the two letters."
        ),
        Wrong("the old state takes no part in the scores", {"h @ weight_hh.T + ": ""}).told(
            "Without the state before it, this step is an ordinary feedforward layer, the same at every time."
        ),
        Wrong("the output reads the state from before the step", {"h_t @ weight_hy": "h @ weight_hy"}).told(
            "The output at time t is read from the state at time t, which has already seen x_t."
        ),
        Wrong("the output reads the scores instead of the state", {"h_t @ weight_hy": "a_t @ weight_hy"}).told(
            "What is carried and what is read is the activation of the scores, not the scores themselves."
        ),
        Wrong("the output has no bias", {" + bias_y": ""}).told(
            "Scores and state are right. The readout is a layer with weights *and* a bias."
        ),
        Wrong("scores and state are returned in the other order", {"return a_t, h_t,": "return h_t, a_t,"}).told(
            "All three are right, and two have changed places: first the scores, then the state, then the output."
        ),
    ),
    hints=(
        "Write the three quantities on three lines, in the order in which they depend on each other.",
        "With the batch first, a weight of shape (hidden, input) is applied as x_t @ weight_ih.T.",
    ),
    flags=(r"\brnn_tanh_cell\b", r"\bRNNCell\b"),
)


def one_matrix(x_t: Tensor, h: Tensor, weight_ih: Tensor, weight_hh: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """The joint weight (hidden, hidden + input), the joint input (batch, hidden + input) and the scores."""
    joint_weight = torch.cat([weight_hh, weight_ih], dim=1)
    joint_input = torch.cat([h, x_t], dim=1)
    return joint_weight, joint_input, joint_input @ joint_weight.T


def forms_inputs(draw: Draw, batch: int, inputs_of) -> tuple:
    hidden = draw.integer(3, 5)
    inputs = inputs_of(draw, hidden)
    weight_ih, weight_hh, _, _ = draw.rnn(inputs, hidden)
    return draw.normal(batch, inputs), draw.normal(batch, hidden), weight_ih, weight_hh


FORMS = Question(
    id="2.2",
    title="Two matrices or one",
    points=2,
    reference=one_matrix,
    cases={
        "more hidden units than inputs": (forms_inputs, 3, lambda draw, hidden: 2),
        "as many inputs as hidden units": (forms_inputs, 2, lambda draw, hidden: hidden),
        "a batch of one": (forms_inputs, 1, lambda draw, hidden: hidden + draw.integer(1, 3)),
    },
    parts=("the joint weight", "the joint input", "the scores"),
    wrong=(
        Wrong(
            "[x, h] instead of [h, x]", {"[weight_hh, weight_ih]": "[weight_ih, weight_hh]", "[h, x_t]": "[x_t, h]"}
        ).told(
            "Your product is right, because weight and input agree with each other. The question fixes the order: "
            "the state first, then the input."
        ),
        Wrong("the blocks of the weight and of the input are in different orders", {"[h, x_t]": "[x_t, h]"}).told(
            "Column k of the joint weight must meet entry k of the joint input. Write down which columns belong to h "
            "and which to x."
        ),
        Wrong(
            "the scores are already activated",
            {"joint_input @ joint_weight.T": "torch.tanh(joint_input @ joint_weight.T)"},
        ).told(
            "The two forms are two ways to write the *scores*; the activation comes after, and is the same for both."
        ),
    ),
    hints=(
        "Draw the two matrices side by side: same number of rows, and the columns add up.",
        "torch.cat([...], dim=1) puts blocks side by side.",
    ),
)


def leaky_layer(
    x: Tensor, h_0: Tensor, lengths: Tensor, weight_ih: Tensor, weight_hh: Tensor, bias: Tensor, leak: float
) -> tuple[Tensor, Tensor]:
    """All states (batch, time, hidden), zero past each end, and the last state (batch, hidden) of each sequence."""
    h, states = h_0, []
    for t, x_t in enumerate(x.unbind(1)):  # x_t is (batch, input)
        n_t = torch.tanh(x_t @ weight_ih.T + h @ weight_hh.T + bias)
        running = (t < lengths)[:, None]  # (batch, 1): who is still inside its sequence
        h = torch.where(running, (1 - leak) * h + leak * n_t, h)
        states.append(torch.where(running, h, torch.zeros_like(h)))
    return torch.stack(states, dim=1), h


def leaky_inputs(draw: Draw, batch: int, time: int) -> tuple:
    inputs, hidden = draw.integer(2, 4), draw.integer(3, 5)
    weight_ih, weight_hh, bias, _ = draw.rnn(inputs, hidden)
    x, h_0 = draw.normal(batch, time, inputs), draw.normal(batch, hidden)
    # What stands past a sequence's end is not zero: a layer that reads it is found out.
    return x, h_0, draw.lengths(batch, time), weight_ih, weight_hh, bias, draw.number(0.2, 0.4)


GO_ON = {"torch.where(running, (1 - leak) * h + leak * n_t, h)": "(1 - leak) * h + leak * n_t"}  # past the end
SHOW_ALL = {"torch.where(running, h, torch.zeros_like(h))": "h"}

LAYER = Question(
    id="2.3",
    title="A leaky layer that minds the lengths",
    points=4,
    reference=leaky_layer,
    cases={
        "three sequences of different lengths": (leaky_inputs, 3, 6),
        "one sequence": (leaky_inputs, 1, 4),
        "one step": (leaky_inputs, 2, 1),
    },
    parts=("the states over time", "the last states"),
    wrong=(
        Wrong("the last state is read from the last column", GO_ON).told(
            "A short sequence ends before the last column; after its end only padding arrives. Keep the state that it "
            "had at its own last step."
        ),
        Wrong(
            "the last state is read from the last column of the reported states", {"dim=1), h": "dim=1), states[-1]"}
        ).told(
            "The reported states are right. For a short sequence their last column is past its end, where zeros stand."
        ),
        Wrong("the lengths are not used", GO_ON | SHOW_ALL).told(
            "Past a sequence's end there is nothing to report, and nothing may change its last state."
        ),
        Wrong(
            "the states past the end are not zero",
            GO_ON | SHOW_ALL | {"dim=1), h": "dim=1), torch.stack(states)[lengths - 1, torch.arange(len(h))]"},
        ).told("The last states are right. Past a sequence's end the *reported* states should be zero."),
        Wrong("the last state is shown again past the end", SHOW_ALL).told(
            "It is right to keep a short sequence's state. But it is to be *reported* up to its end only; then zeros."
        ),
        Wrong("the leak is the wrong way round", {"(1 - leak) * h + leak * n_t": "leak * h + (1 - leak) * n_t"}).told(
            "Try the extremes: a leak of 1 should give the ordinary RNN, a leak near 0 hardly any movement."
        ),
        Wrong("there is no leak", {"(1 - leak) * h + leak * n_t": "n_t"}).told(
            "This is the ordinary RNN. Here the new state is a blend of the old state and the candidate."
        ),
        Wrong(
            "every step starts from h_0 again",
            {"h @ weight_hh": "h_0 @ weight_hh", "(1 - leak) * h": "(1 - leak) * h_0"},
        ).told("What one step returns is what the next one starts from: that is the recurrence."),
    ),
    hints=(
        "Write the loop without lengths first, then ask at each step which sequences are still running.",
        "torch.where(running[:, None], new, old) chooses row by row.",
    ),
    flags=(r"\bnn\.RNN\b",),
)
