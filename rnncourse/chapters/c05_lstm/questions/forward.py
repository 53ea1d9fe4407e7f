"""Questions 5.1 to 5.3: one step and its gates, another library's weights, coupled gates with a projection."""

import torch
from torch import Tensor

from rnncourse.grading.spec import Draw, Question, Wrong


def lstm_step(
    x_t: Tensor, h: Tensor, c: Tensor, weight_ih: Tensor, weight_hh: Tensor, bias_ih: Tensor, bias_hh: Tensor
) -> tuple[Tensor, ...]:
    """i, f, g, o, kept, added, h_t, c_t; x_t is (batch, input), h and c are (batch, hidden)."""
    a = x_t @ weight_ih.T + bias_ih + h @ weight_hh.T + bias_hh  # (batch, 4 * hidden)
    i, f, g, o = a.chunk(4, dim=1)
    i, f, g, o = torch.sigmoid(i), torch.sigmoid(f), torch.tanh(g), torch.sigmoid(o)
    kept, added = f * c, i * g
    c_t = kept + added
    return i, f, g, o, kept, added, o * torch.tanh(c_t), c_t


def step_inputs(draw: Draw, batch: int, sizes: tuple[int, int] | None = None) -> tuple:
    inputs, hidden = sizes or (draw.integer(2, 4), draw.integer(3, 5))
    state = draw.normal(batch, hidden, scale=0.7), draw.normal(batch, hidden, scale=1.5)
    return draw.normal(batch, inputs), *state, *draw.rnn(inputs, hidden, gates=4)


STEP = Question(
    id="5.1",
    title="Four gates and a step",
    points=3,
    reference=lstm_step,
    cases={
        "a batch of three": (step_inputs, 3),
        "a batch of one": (step_inputs, 1),
        "one input and one unit": (step_inputs, 2, (1, 1)),
    },
    parts=(
        *("the input gate i", "the forget gate f", "the candidate g", "the output gate o"),
        *("what is kept", "what is added", "h_t", "c_t"),
    ),
    wrong=(
        Wrong("the rows are read in the order i, g, f, o", {"f, g, o = a": "g, f, o = a"}).told(
            "Some libraries store them so. Here the weights have PyTorch's order; see the notation page."
        ),
        Wrong("the rows are read in the order i, f, o, g", {"g, o = a": "o, g = a"}).told(
            "The three gates are not stored side by side: the candidate's rows come before the output gate's."
        ),
        Wrong(
            "sigmoid and tanh are exchanged",
            {
                "torch.sigmoid(i), torch.sigmoid(f)": "torch.tanh(i), torch.tanh(f)",
                "torch.tanh(g), torch.sigmoid(o)": "torch.sigmoid(g), torch.tanh(o)",
            },
        ).told(
            "A gate says how much of something passes: between nothing and all. The candidate says what: it may be "
            "negative."
        ),
        Wrong("the candidate goes through the sigmoid", {"torch.tanh(g)": "torch.sigmoid(g)"}).told(
            "With a candidate between 0 and 1 the cell could never be pushed down, only up."
        ),
        Wrong("one of the two biases is left out", {" + bias_hh": ""}).told(
            "PyTorch carries two bias vectors, and both are added."
        ),
        Wrong("the state is returned as (c, h)", {"o * torch.tanh(c_t), c_t": "c_t, o * torch.tanh(c_t)"}).told(
            "All values are right. The question asks for the hidden state first, as PyTorch does."
        ),
        Wrong("h and c are exchanged on the way in", {"h @ weight_hh": "c @ weight_hh", "f * c": "f * h"}).told(
            "The gates look at the input and at the old *hidden* state; the cell state only meets the gates' outputs."
        ),
        Wrong(
            "the forget gate scales the candidate and the input gate the old cell", {"f * c, i * g": "i * c, f * g"}
        ).told("The four activations are right. Which of the two decides about the old, and which about the new?"),
        Wrong("h_t shows the cell without its tanh", {"torch.tanh(c_t)": "c_t"}).told(
            "The cell state is not bounded; before the output gate lets it out, it is squashed."
        ),
        Wrong("h_t shows the old cell", {"torch.tanh(c_t)": "torch.tanh(c)"}).told(
            "The cell is updated first. The output gate opens on the new one."
        ),
    ),
    hints=(
        "First all four pre-activations together, (batch, 4*hidden); then cut them into four.",
        "Tensor.chunk(4, dim=1) cuts. Three of the four pieces are gates.",
    ),
    flags=(r"\blstm_(trace|cell|sequence)\b", r"\bfunctional\b", r"\bLSTMCell\b", r"\bnn\.LSTM\b"),
)


def adopt(kernel: Tensor, bias: Tensor, input_size: int) -> tuple[Tensor, Tensor, Tensor]:
    """weight_ih (4*hidden, input), weight_hh (4*hidden, state) and a bias (4*hidden,), blocks i, f, g, o."""
    i, g, f, o = kernel.chunk(4, dim=1)
    joint = torch.cat([i, f, g, o], dim=1).T  # (4 * hidden, input + state)
    b_i, b_g, b_f, b_o = bias.chunk(4)
    return joint[:, :input_size], joint[:, input_size:], torch.cat([b_i, b_f + 1, b_g, b_o])


def kernel_inputs(draw: Draw, more_inputs: bool) -> tuple:
    # The state is a projection of the cell, so that the kernel's shape does not say where the input ends.
    rows, hidden = draw.integer(8, 12), draw.integer(12, 15)
    shorter = draw.integer(1, (rows - 1) // 2)
    return draw.normal(rows, 4 * hidden), draw.normal(4 * hidden), rows - shorter if more_inputs else shorter


def smallest_kernel(draw: Draw) -> tuple:
    return draw.normal(2, 4), draw.normal(4), 1


OLD_BIAS = {"b_f + 1, b_g": "b_g, b_f + 1"}

ADOPT = Question(
    id="5.2",
    title="Somebody else's gates",
    points=2,
    reference=adopt,
    cases={
        "a state longer than the input": (kernel_inputs, False),
        "an input longer than the state": (kernel_inputs, True),
        "one input and one unit": smallest_kernel,
    },
    parts=("weight_ih", "weight_hh", "the bias"),
    wrong=(
        Wrong("the blocks stay in the order i, g, f, o", {"[i, f, g, o]": "[i, g, f, o]"} | OLD_BIAS).told(
            "Every shape fits, and PyTorch will read your candidate as a forget gate. Which blocks change places?"
        ),
        Wrong("the bias is left in the old order", OLD_BIAS).told("A gate's bias moves along with its weights."),
        Wrong("the 1 of the forget gate is lost", {" + 1": ""}).told(
            "The other library adds a 1 in its code, where no stored weight shows it. PyTorch does not."
        ),
        Wrong("the 1 is added to the candidate", {"b_f + 1, b_g": "b_f, b_g + 1"}).told(
            "The second block of the other library's bias is not the forget gate's."
        ),
        Wrong(
            "the kernel is read as one for [h, x]",
            {"[:, :input_size], joint[:, input_size:]": "[:, -input_size:], joint[:, :-input_size]"},
        ).told("The kernel is applied to [x, h]: which of its rows meet the input?"),
    ),
    hints=(
        "Cut the kernel into its four blocks of columns, put them in the other order, then separate input and state.",
        "x @ kernel against x @ weight.T: what lies in columns there lies in rows here.",
    ),
)


def coupled_lstm(
    x: Tensor, h: Tensor, c: Tensor, weight_ih: Tensor, weight_hh: Tensor, bias: Tensor, weight_hr: Tensor
) -> tuple[Tensor, Tensor]:
    """Outputs (batch, time, projected) and the last cell (batch, hidden); x is (batch, time, input)."""
    outputs = []
    for x_t in x.unbind(1):
        i, g, o = (x_t @ weight_ih.T + h @ weight_hh.T + bias).chunk(3, dim=1)  # three times (batch, hidden)
        i, g, o = torch.sigmoid(i), torch.tanh(g), torch.sigmoid(o)
        c = (1 - i) * c + i * g
        h = (o * torch.tanh(c)) @ weight_hr.T  # (batch, projected)
        outputs.append(h)
    return torch.stack(outputs, dim=1), c


def coupled_inputs(draw: Draw, batch: int, time: int, sizes: tuple[int, int, int] | None = None) -> tuple:
    inputs, hidden, projected = sizes or (draw.integer(2, 3), draw.integer(4, 5), draw.integer(2, 3))
    x = draw.normal(batch, time, inputs)
    h, c = draw.normal(batch, projected), draw.normal(batch, hidden, scale=1.5)
    weight_ih = draw.normal(3 * hidden, inputs, scale=0.6)
    weight_hh = draw.normal(3 * hidden, projected, scale=0.6)
    return x, h, c, weight_ih, weight_hh, draw.normal(3 * hidden), draw.normal(projected, hidden)


COUPLED = Question(
    id="5.3",
    title="Coupled gates and a projection",
    points=3,
    reference=coupled_lstm,
    cases={
        "a batch of three": (coupled_inputs, 3, 5),
        "one sequence": (coupled_inputs, 1, 4),
        "one step": (coupled_inputs, 2, 1),
        "one of everything": (coupled_inputs, 1, 3, (1, 1, 1)),
    },
    parts=("the outputs over time", "the last cell state"),
    wrong=(
        Wrong("the coupling is the wrong way round", {"(1 - i) * c + i * g": "i * c + (1 - i) * g"}).told(
            "The one gate is the *input* gate: where it is 1 the candidate is written, and what was there goes."
        ),
        Wrong("the old and the new are scaled by the same gate", {"(1 - i) * c": "i * c"}).told(
            "Coupled means that the two shares add up to one."
        ),
        Wrong("nothing is forgotten", {"(1 - i) * c": "c"}).told(
            "The forget gate has no weights here, but there still is one: what the input gate leaves over."
        ),
        Wrong("the rows are read in the order i, o, g", {"i, g, o = (": "i, o, g = ("}).told(
            "Without the forget gate the rows are i, g, o: the candidate stays in the middle."
        ),
        Wrong(
            "every step starts from the initial state again",
            {"outputs = []": "outputs, h_0, c_0 = [], h, c", "h @ ": "h_0 @ ", "(1 - i) * c": "(1 - i) * c_0"},
        ).told("What one step returns is what the next one starts from, for h and for c."),
        Wrong("the tanh of the cell is left out", {"torch.tanh(c)": "c"}).told(
            "As in the plain LSTM, the cell is squashed before the output gate scales it."
        ),
        Wrong(
            "the tanh comes after the projection",
            {"(o * torch.tanh(c)) @ weight_hr.T": "torch.tanh((o * c) @ weight_hr.T)"},
        ).told("The projection is the last thing that happens, and it is linear."),
    ),
    hints=(
        "Write one step first: three activations, the cell, the projected output. Then the loop.",
        "Two sizes differ here: the cell has `hidden` entries, h has as many as weight_hr has rows.",
    ),
    flags=(r"\bnn\.LSTM\b", r"\blstm_(trace|sequence)\b", r"\bfunctional\b"),
)
