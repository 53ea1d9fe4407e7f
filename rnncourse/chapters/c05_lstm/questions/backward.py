"""Questions 5.4 and 5.5: back along the cell path, and the whole backward pass of a coupled LSTM."""

import torch
from torch import Tensor

from rnncourse.grading.spec import BY_AUTOGRAD, Draw, Question, Wrong


def cell_path(dh: Tensor, f: Tensor, o: Tensor, c: Tensor) -> tuple[Tensor, Tensor]:
    """dL/dc_t and dc_T/dc_t along the cell path for every t; everything is (batch, time, hidden)."""
    dc, reach = torch.zeros_like(c), torch.ones_like(c)
    last = c.shape[1] - 1
    for t in range(last, -1, -1):
        dc[:, t] = dh[:, t] * o[:, t] * (1 - torch.tanh(c[:, t]) ** 2)
        if t < last:
            dc[:, t] += f[:, t + 1] * dc[:, t + 1]  # c_t is in c_{t+1}, too
            reach[:, t] = f[:, t + 1] * reach[:, t + 1]
    return dc, reach


def path_inputs(draw: Draw, batch: int, time: int, hidden: int | None = None) -> tuple:
    shape = batch, time, hidden or draw.integer(3, 5)
    f, o = (draw.uniform(*shape, low=0.1, high=0.95, dtype=torch.float64) for _ in range(2))
    return draw.normal(*shape, dtype=torch.float64), f, o, draw.normal(*shape, scale=1.5, dtype=torch.float64)


OWN_REACH = {"torch.ones_like(c)": "f.clone()", "f[:, t + 1] * reach": "f[:, t] * reach"}

CELL_PATH = Question(
    id="5.4",
    title="Back along the cell path",
    points=2,
    reference=cell_path,
    cases={
        "a batch of two": (path_inputs, 2, 6),
        "one sequence of one unit": (path_inputs, 1, 4, 1),
        "one step": (path_inputs, 3, 1),
    },
    parts=("the gradients at the cells", "the reach"),
    tolerance=1e-8,
    wrong=(
        Wrong("the carry is dropped", {"f[:, t + 1] * dc": "0 * dc"}).told(
            "c_t is used twice: by h_t, and by c_{t+1}. A well-known answer key forgets the second use, too."
        ),
        Wrong(
            "the forget gate of the step itself instead of the next one",
            {"f[:, t + 1] * dc": "f[:, t] * dc"} | OWN_REACH,
        ).told("Which gate stands between c_t and c_{t+1}? Write the update of c_{t+1} down."),
        Wrong("the carry alone meets the forget gate of its own step", {"f[:, t + 1] * dc": "f[:, t] * dc"}).told(
            "The reach is right, and it uses the gate that the carry needs: which step's update leads from c_t onwards?"
        ),
        Wrong("the carry passes no forget gate", {"f[:, t + 1] * dc": "dc"}).told(
            "On its way from c_{t+1} to c_t the gradient is scaled by what scaled the cell on its way there."
        ),
        Wrong("the slope of tanh is missing", {" * (1 - torch.tanh(c[:, t]) ** 2)": ""}).told(
            "Between c_t and h_t stand two things: the output gate, and the tanh."
        ),
        Wrong("1 - c² instead of the slope of tanh", {"torch.tanh(c[:, t])": "c[:, t]"}).told(
            "The slope of tanh is one minus the square of its *output*. The cell is its input."
        ),
        Wrong("the output gate is left out", {"o[:, t] * ": ""}).told(
            "What the gate kept in on the way out, it keeps out on the way back."
        ),
        Wrong("the reach is measured from the first step", {"dc, reach\n": "dc, f.cumprod(dim=1)\n"}).told(
            "The gradients are right. The reach at t is about the steps between t and the *last* step."
        ),
        Wrong("the reach includes the step's own gate", OWN_REACH).told(
            "The gradients are right. At the last step nothing stands between c_T and c_T: the reach there is one."
        ),
    ),
    hints=(
        "Walk from the last step to the first. By the time you reach t, the gradient at c_{t+1} is known.",
        "One sum of two terms for the gradient; the reach grows by one factor with every step back.",
    ),
    flags=BY_AUTOGRAD,
)


def coupled_backward(
    x: Tensor, dh: Tensor, weight_ih: Tensor, weight_hh: Tensor, bias: Tensor
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """dU, dW, db, dx; x is (batch, time, input), dh is (batch, time, hidden)."""
    h = c = x.new_zeros(x.shape[0], weight_hh.shape[1])
    steps = []
    for x_t in x.unbind(1):  # forward, keeping what the way back needs
        i, g, o = (x_t @ weight_ih.T + h @ weight_hh.T + bias).chunk(3, dim=1)
        i, g, o = torch.sigmoid(i), torch.tanh(g), torch.sigmoid(o)
        h_before, c_before = h, c
        c = (1 - i) * c + i * g
        h = o * torch.tanh(c)
        steps.append((x_t, h_before, c_before, i, g, o, torch.tanh(c)))

    dU, dW, db, dx = torch.zeros_like(weight_ih), torch.zeros_like(weight_hh), torch.zeros_like(bias), []
    carry_h = carry_c = torch.zeros_like(h)
    for (x_t, h_before, c_before, i, g, o, shown), arriving in zip(reversed(steps), dh.flip(1).unbind(1), strict=True):
        dh_t = arriving + carry_h
        dc_t = dh_t * o * (1 - shown**2) + carry_c
        delta_i = dc_t * (g - c_before) * i * (1 - i)  # lets the candidate in, and the old cell out
        delta_g = dc_t * i * (1 - g**2)
        delta_o = dh_t * shown * o * (1 - o)
        delta = torch.cat([delta_i, delta_g, delta_o], dim=1)  # (batch, 3 * hidden)
        dU, dW, db = dU + delta.T @ x_t, dW + delta.T @ h_before, db + delta.sum(0)
        dx.append(delta @ weight_ih)
        carry_h, carry_c = delta @ weight_hh, dc_t * (1 - i)
    return dU, dW, db, torch.stack(dx[::-1], dim=1)


def backward_inputs(draw: Draw, batch: int, time: int, sizes: tuple[int, int] | None = None) -> tuple:
    inputs, hidden = sizes or (draw.integer(2, 3), draw.integer(3, 4))
    weight_ih, weight_hh, bias, _ = draw.rnn(inputs, hidden, gates=3, dtype=torch.float64)
    x, dh = (draw.normal(batch, time, size, dtype=torch.float64) for size in (inputs, hidden))
    return x, dh, weight_ih, weight_hh, bias


BACKWARD = Question(
    id="5.5",
    title="The whole backward pass of a coupled LSTM",
    points=4,
    reference=coupled_backward,
    cases={
        "a batch of two": (backward_inputs, 2, 5),
        "one sequence": (backward_inputs, 1, 4),
        "one input and one unit": (backward_inputs, 2, 3, (1, 1)),
    },
    parts=("dU", "dW", "db", "dx"),
    tolerance=1e-8,
    wrong=(
        Wrong("the carry through the cell is dropped", {", dc_t * (1 - i)": ", 0 * dc_t"}).told(
            "c_{t-1} reaches the loss through c_t, even if no gate ever looks at h. A well-known answer key misses it."
        ),
        Wrong("the carry through h is dropped", {"delta @ weight_hh": "0 * dh_t"}).told(
            "All three activations of the next step have looked at h_t. What they learn, it learns."
        ),
        Wrong("the input gate is credited for the candidate only", {"(g - c_before)": "g"}).told(
            "Opening this gate does two things: it lets the candidate in, and the old cell out."
        ),
        Wrong("what the input gate throws out is counted with the wrong sign", {"g - c_before": "g + c_before"}).told(
            "The share of the old cell *falls* when the gate opens."
        ),
        Wrong("the slope of the cell's tanh is missing", {" * (1 - shown**2)": ""}).told(
            "From h_t to c_t the gradient passes the output gate and the tanh."
        ),
        Wrong("dW is taken with the state after the step", {"delta.T @ h_before": "delta.T @ (o * shown)"}).told(
            "W was multiplied with the hidden state from before the step."
        ),
        Wrong("the carry through the cell is scaled by the input gate", {", dc_t * (1 - i)": ", dc_t * i"}).told(
            "How much of c_{t-1} is in c_t? The same share of the gradient goes back."
        ),
    ),
    hints=(
        "Run it forward, keep i, g, o, c and the old state of every step. Then walk back with *two* carries.",
        "In each step: dh_t, then dc_t, then the three deltas, then the two carries for the step before.",
        "Differentiate c_t = (1 - i) c_{t-1} + i g with respect to i: two terms.",
    ),
    flags=BY_AUTOGRAD,
)
