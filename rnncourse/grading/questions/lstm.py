"""Chapter 5's questions: gates, foreign weights, a coupled cell and its backward pass, broken LSTMs, a lag."""

import math

import torch
from torch import Tensor

from rnncourse.grading.spec import Draw, Question, Wrong

DOUBLE = torch.float64

# --- 5.1: four gates and a step ------------------------------------------------------------------------------------


def lstm_step(
    x_t: Tensor, h: Tensor, c: Tensor, weight_ih: Tensor, weight_hh: Tensor, bias_ih: Tensor, bias_hh: Tensor
) -> tuple[Tensor, ...]:
    """The four activations, what is kept and what is added, and the new state (h, c), of one step of an LSTM."""
    return _lstm_step(x_t, h, c, weight_ih, weight_hh, bias_ih, bias_hh)


def _lstm_step(
    x_t, h, c, weight_ih, weight_hh, bias_ih, bias_hh, *, order="ifgo", squash=torch.sigmoid, candidate=torch.tanh
):
    a = x_t @ weight_ih.T + bias_ih + h @ weight_hh.T + bias_hh
    blocks = dict(zip(order, a.chunk(4, dim=1), strict=True))
    i, f, o = (squash(blocks[gate]) for gate in "ifo")
    g = candidate(blocks["g"])
    return i, f, g, o, *_update(i, f, g, o, c)


def _update(i, f, g, o, c):
    kept, added = f * c, i * g
    return kept, added, o * torch.tanh(kept + added), kept + added


def _step_inputs(batch: int, sizes: tuple[int, int] | None = None):
    def make(draw: Draw) -> tuple:
        inputs, hidden = sizes or (draw.integer(2, 4), draw.integer(3, 5))
        state = draw.normal(batch, hidden, scale=0.7), draw.normal(batch, hidden, scale=1.5)
        return draw.normal(batch, inputs), *state, *draw.rnn(inputs, hidden, gates=4)

    return make


def _step_other_order(*arguments):
    return _lstm_step(*arguments, order="igfo")


def _step_output_third(*arguments):
    return _lstm_step(*arguments, order="ifog")


def _step_exchanged(*arguments):
    return _lstm_step(*arguments, squash=torch.tanh, candidate=torch.sigmoid)


def _step_sigmoid_candidate(*arguments):
    return _lstm_step(*arguments, candidate=torch.sigmoid)


def _step_one_bias(x_t, h, c, weight_ih, weight_hh, bias_ih, bias_hh):
    return lstm_step(x_t, h, c, weight_ih, weight_hh, bias_ih, torch.zeros_like(bias_hh))


def _step_state_turned(*arguments):
    *gates, h_t, c_t = lstm_step(*arguments)
    return *gates, c_t, h_t


def _step_arguments_turned(x_t, h, c, *weights):
    return lstm_step(x_t, c, h, *weights)


def _step_roles(x_t, h, c, *weights):
    i, f, g, o, *_ = lstm_step(x_t, h, c, *weights)
    kept, added, h_t, c_t = _update(f, i, g, o, c)
    return i, f, g, o, kept, added, h_t, c_t


def _step_without_tanh(*arguments):
    *gates, _, c_t = lstm_step(*arguments)
    return *gates, gates[3] * c_t, c_t


def _step_shows_old_cell(x_t, h, c, *weights):
    *gates, _, c_t = lstm_step(x_t, h, c, *weights)
    return *gates, gates[3] * torch.tanh(c), c_t


STEP = Question(
    id="5.1",
    title="Four gates and a step",
    name="lstm_step",
    points=3,
    reference=lstm_step,
    cases={
        "a batch of three": _step_inputs(3),
        "a batch of one": _step_inputs(1),
        "one input and one unit": _step_inputs(2, (1, 1)),
    },
    parts=(
        "the input gate i",
        "the forget gate f",
        "the candidate g",
        "the output gate o",
        "what is kept",
        "what is added",
        "h_t",
        "c_t",
    ),
    wrong=(
        Wrong(
            "the rows are read in the order i, g, f, o",
            _step_other_order,
            "Some libraries store them so. Here the weights have PyTorch's order; see the notation page.",
        ),
        Wrong(
            "the rows are read in the order i, f, o, g",
            _step_output_third,
            "The three gates are not stored side by side: the candidate's rows come before the output gate's.",
        ),
        Wrong(
            "sigmoid and tanh are exchanged",
            _step_exchanged,
            "A gate says how much of something passes: between nothing and all. The candidate says what: it may be "
            "negative.",
        ),
        Wrong(
            "the candidate goes through the sigmoid",
            _step_sigmoid_candidate,
            "With a candidate between 0 and 1 the cell could never be pushed down, only up.",
        ),
        Wrong(
            "one of the two biases is left out",
            _step_one_bias,
            "PyTorch carries two bias vectors, and both are added.",
        ),
        Wrong(
            "the state is returned as (c, h)",
            _step_state_turned,
            "All values are right. The question asks for the hidden state first, as PyTorch does.",
        ),
        Wrong(
            "h and c are exchanged on the way in",
            _step_arguments_turned,
            "The gates look at the input and at the old *hidden* state; the cell state only meets the gates' outputs.",
        ),
        Wrong(
            "the forget gate scales the candidate and the input gate the old cell",
            _step_roles,
            "The four activations are right. Which of the two decides about the old, and which about the new?",
        ),
        Wrong(
            "h_t shows the cell without its tanh",
            _step_without_tanh,
            "The cell state is not bounded; before the output gate lets it out, it is squashed.",
        ),
        Wrong(
            "h_t shows the old cell",
            _step_shows_old_cell,
            "The cell is updated first. The output gate opens on the new one.",
        ),
    ),
    hints=(
        "First all four pre-activations together, (batch, 4*hidden); then cut them into four.",
        "Tensor.chunk(4, dim=1) cuts. Three of the four pieces are gates.",
    ),
    flags=(r"\blstm_(trace|cell|sequence)\b", r"\bfunctional\b", r"\bLSTMCell\b", r"\bnn\.LSTM\b"),
)

# --- 5.2: somebody else's gates ------------------------------------------------------------------------------------


def adopt(kernel: Tensor, bias: Tensor, input_size: int) -> tuple[Tensor, Tensor, Tensor]:
    """PyTorch's weight_ih, weight_hh and one bias, from a kernel for [x, h] with blocks i, g, f, o and f + 1."""
    return _adopt(kernel, bias, input_size)


def _adopt(kernel, bias, input_size, *, wanted="ifgo", bias_wanted=None, one="f", state_first=False):
    columns = dict(zip("igfo", kernel.chunk(4, dim=1), strict=True))
    entries = dict(zip("igfo", bias.chunk(4), strict=True))
    if one:
        entries[one] = entries[one] + 1
    joint = torch.cat([columns[gate].T for gate in wanted])
    if state_first:
        joint = joint.roll(input_size, dims=1)
    return joint[:, :input_size], joint[:, input_size:], torch.cat([entries[gate] for gate in bias_wanted or wanted])


def _kernel_inputs(sizes):
    def make(draw: Draw) -> tuple:
        inputs, hidden = sizes(draw)
        return draw.normal(inputs + hidden, 4 * hidden), draw.normal(4 * hidden), inputs

    return make


ADOPT = Question(
    id="5.2",
    title="Somebody else's gates",
    name="adopt",
    points=2,
    reference=adopt,
    cases={
        "more units than inputs": _kernel_inputs(lambda draw: (draw.integer(1, 2), draw.integer(3, 4))),
        "as many inputs as units": _kernel_inputs(lambda draw: (3, 3)),
        "one input and one unit": _kernel_inputs(lambda draw: (1, 1)),
    },
    parts=("weight_ih", "weight_hh", "the bias"),
    wrong=(
        Wrong(
            "the blocks stay in the order i, g, f, o",
            lambda kernel, bias, input_size: _adopt(kernel, bias, input_size, wanted="igfo"),
            "Every shape fits, and PyTorch will read your candidate as a forget gate. Which blocks change places?",
        ),
        Wrong(
            "the bias is left in the old order",
            lambda kernel, bias, input_size: _adopt(kernel, bias, input_size, bias_wanted="igfo"),
            "A gate's bias moves along with its weights.",
        ),
        Wrong(
            "the 1 of the forget gate is lost",
            lambda kernel, bias, input_size: _adopt(kernel, bias, input_size, one=""),
            "The other library adds a 1 in its code, where no stored weight shows it. PyTorch does not.",
        ),
        Wrong(
            "the 1 is added to the candidate",
            lambda kernel, bias, input_size: _adopt(kernel, bias, input_size, one="g"),
            "The second block of the other library's bias is not the forget gate's.",
        ),
        Wrong(
            "the kernel is read as one for [h, x]",
            lambda kernel, bias, input_size: _adopt(kernel, bias, input_size, state_first=True),
            "The kernel is applied to [x, h]: which of its rows meet the input?",
        ),
    ),
    hints=(
        "Cut the kernel into its four blocks of columns, put them in the other order, then separate input and state.",
        "x @ kernel against x @ weight.T: what lies in columns there lies in rows here.",
    ),
)

# --- 5.3: coupled gates and a projection ---------------------------------------------------------------------------


def coupled_lstm(
    x: Tensor, h: Tensor, c: Tensor, weight_ih: Tensor, weight_hh: Tensor, bias: Tensor, weight_hr: Tensor
) -> tuple[Tensor, Tensor]:
    """Outputs over time and the last cell of an LSTM with f = 1 - i and h = weight_hr (o * tanh c); rows i, g, o."""
    return _coupled(x, h, c, weight_ih, weight_hh, bias, weight_hr)


def _coupled(
    x, h, c, weight_ih, weight_hh, bias, weight_hr, *, order="igo", shares=lambda i: (1 - i, i), show=None, carry=True
):
    show = show or (lambda o, c_t: (o * torch.tanh(c_t)) @ weight_hr.T)
    outputs, h_t, c_t = [], h, c
    for x_t in x.unbind(1):
        a = x_t @ weight_ih.T + (h_t if carry else h) @ weight_hh.T + bias
        blocks = dict(zip(order, a.chunk(3, dim=1), strict=True))
        i, g, o = torch.sigmoid(blocks["i"]), torch.tanh(blocks["g"]), torch.sigmoid(blocks["o"])
        old, new = shares(i)
        c_t = old * (c_t if carry else c) + new * g
        h_t = show(o, c_t)
        outputs.append(h_t)
    return torch.stack(outputs, dim=1), c_t


def _coupled_inputs(batch: int, time: int, sizes: tuple[int, int, int] | None = None):
    def make(draw: Draw) -> tuple:
        inputs, hidden, projected = sizes or (draw.integer(2, 3), draw.integer(4, 5), draw.integer(2, 3))
        x = draw.normal(batch, time, inputs)
        h, c = draw.normal(batch, projected), draw.normal(batch, hidden, scale=1.5)
        weight_ih = draw.normal(3 * hidden, inputs, scale=0.6)
        weight_hh = draw.normal(3 * hidden, projected, scale=0.6)
        return x, h, c, weight_ih, weight_hh, draw.normal(3 * hidden), draw.normal(projected, hidden)

    return make


def _coupled_reversed(*arguments):
    return _coupled(*arguments, shares=lambda i: (i, 1 - i))


def _coupled_same_gate(*arguments):
    return _coupled(*arguments, shares=lambda i: (i, i))


def _coupled_forgets_nothing(*arguments):
    return _coupled(*arguments, shares=lambda i: (1.0, i))


def _coupled_order(*arguments):
    return _coupled(*arguments, order="iog")


def _coupled_no_carry(*arguments):
    return _coupled(*arguments, carry=False)


def _coupled_no_tanh(*arguments):
    weight_hr = arguments[-1]
    return _coupled(*arguments, show=lambda o, c_t: (o * c_t) @ weight_hr.T)


def _coupled_tanh_last(*arguments):
    weight_hr = arguments[-1]
    return _coupled(*arguments, show=lambda o, c_t: torch.tanh((o * c_t) @ weight_hr.T))


COUPLED = Question(
    id="5.3",
    title="Coupled gates and a projection",
    name="coupled_lstm",
    points=3,
    reference=coupled_lstm,
    cases={
        "a batch of three": _coupled_inputs(3, 5),
        "one sequence": _coupled_inputs(1, 4),
        "one step": _coupled_inputs(2, 1),
        "one of everything": _coupled_inputs(1, 3, (1, 1, 1)),
    },
    parts=("the outputs over time", "the last cell state"),
    wrong=(
        Wrong(
            "the coupling is the wrong way round",
            _coupled_reversed,
            "The one gate is the *input* gate: where it is 1 the candidate is written, and what was there goes.",
        ),
        Wrong(
            "the old and the new are scaled by the same gate",
            _coupled_same_gate,
            "Coupled means that the two shares add up to one.",
        ),
        Wrong(
            "nothing is forgotten",
            _coupled_forgets_nothing,
            "The forget gate has no weights here, but there still is one: what the input gate leaves over.",
        ),
        Wrong(
            "the rows are read in the order i, o, g",
            _coupled_order,
            "Without the forget gate the rows are i, g, o: the candidate stays in the middle.",
        ),
        Wrong(
            "every step starts from the initial state again",
            _coupled_no_carry,
            "What one step returns is what the next one starts from, for h and for c.",
        ),
        Wrong(
            "the tanh of the cell is left out",
            _coupled_no_tanh,
            "As in the plain LSTM, the cell is squashed before the output gate scales it.",
        ),
        Wrong(
            "the tanh comes after the projection",
            _coupled_tanh_last,
            "The projection is the last thing that happens, and it is linear.",
        ),
    ),
    hints=(
        "Write one step first: three activations, the cell, the projected output. Then the loop.",
        "Two sizes differ here: the cell has `hidden` entries, h has as many as weight_hr has rows.",
    ),
    flags=(r"\bnn\.LSTM\b", r"\blstm_(trace|sequence)\b", r"\bfunctional\b"),
)

# --- 5.4: back along the cell path ---------------------------------------------------------------------------------


def cell_path(dh: Tensor, f: Tensor, o: Tensor, c: Tensor) -> tuple[Tensor, Tensor]:
    """dL/dc_t for every step, given what arrives at every h_t; and how much of c_t is left in c_T."""
    return _cell_path(dh, f, o, c)


def _cell_path(dh, f, o, c, *, carry=1.0, next_gate=True, slope=None, gate=True):
    slope = 1 - torch.tanh(c) ** 2 if slope is None else slope
    dc, reach = torch.zeros_like(c), torch.zeros_like(c)
    later, product = torch.zeros_like(c[:, 0]), torch.ones_like(c[:, 0])
    for t in reversed(range(c.shape[1])):
        if not next_gate:
            later, product = f[:, t] * later, f[:, t] * product
        dc[:, t] = dh[:, t] * (o[:, t] if gate else 1) * slope[:, t] + carry * later
        reach[:, t] = product
        later = dc[:, t]
        if next_gate:
            later, product = f[:, t] * later, f[:, t] * product
    return dc, reach


def _path_inputs(batch: int, time: int, hidden: int | None = None):
    def make(draw: Draw) -> tuple:
        shape = batch, time, hidden or draw.integer(3, 5)
        f, o = (draw.uniform(*shape, low=0.1, high=0.95, dtype=DOUBLE) for _ in range(2))
        return draw.normal(*shape, dtype=DOUBLE), f, o, draw.normal(*shape, scale=1.5, dtype=DOUBLE)

    return make


def _path_no_carry(*arguments):
    return _cell_path(*arguments, carry=0.0)


def _path_own_gate(*arguments):
    return _cell_path(*arguments, next_gate=False)


def _path_no_slope(dh, f, o, c):
    return _cell_path(dh, f, o, c, slope=torch.ones_like(c))


def _path_slope_of_cell(dh, f, o, c):
    return _cell_path(dh, f, o, c, slope=1 - c**2)


def _path_closed_output(*arguments):
    return _cell_path(*arguments, gate=False)


def _path_no_gate_on_carry(dh, f, o, c):
    return _cell_path(dh, torch.ones_like(f), o, c)[0], cell_path(dh, f, o, c)[1]


def _path_reach_from_start(dh, f, o, c):
    return cell_path(dh, f, o, c)[0], f.cumprod(dim=1)


def _path_reach_own_gate(dh, f, o, c):
    return cell_path(dh, f, o, c)[0], _cell_path(dh, f, o, c, next_gate=False)[1]


CELL_PATH = Question(
    id="5.4",
    title="Back along the cell path",
    name="cell_path",
    points=2,
    reference=cell_path,
    cases={
        "a batch of two": _path_inputs(2, 6),
        "one sequence of one unit": _path_inputs(1, 4, 1),
        "one step": _path_inputs(3, 1),
    },
    parts=("the gradients at the cells", "the reach"),
    tolerance=1e-8,
    wrong=(
        Wrong(
            "the carry is dropped",
            _path_no_carry,
            "c_t is used twice: by h_t, and by c_{t+1}. A well-known answer key forgets the second use, too.",
        ),
        Wrong(
            "the forget gate of the step itself instead of the next one",
            _path_own_gate,
            "Which gate stands between c_t and c_{t+1}? Write the update of c_{t+1} down.",
        ),
        Wrong(
            "the carry passes no forget gate",
            _path_no_gate_on_carry,
            "On its way from c_{t+1} to c_t the gradient is scaled by what scaled the cell on its way there.",
        ),
        Wrong(
            "the slope of tanh is missing",
            _path_no_slope,
            "Between c_t and h_t stand two things: the output gate, and the tanh.",
        ),
        Wrong(
            "1 - c² instead of the slope of tanh",
            _path_slope_of_cell,
            "The slope of tanh is one minus the square of its *output*. The cell is its input.",
        ),
        Wrong(
            "the output gate is left out",
            _path_closed_output,
            "What the gate kept in on the way out, it keeps out on the way back.",
        ),
        Wrong(
            "the reach is measured from the first step",
            _path_reach_from_start,
            "The gradients are right. The reach at t is about the steps between t and the *last* step.",
        ),
        Wrong(
            "the reach includes the step's own gate",
            _path_reach_own_gate,
            "The gradients are right. At the last step nothing stands between c_T and c_T: the reach there is one.",
        ),
    ),
    hints=(
        "Walk from the last step to the first. By the time you reach t, the gradient at c_{t+1} is known.",
        "One sum of two terms for the gradient; the reach grows by one factor with every step back.",
    ),
    flags=(r"\.backward\(", r"autograd"),
)

# --- 5.5: the whole backward pass of a coupled LSTM ----------------------------------------------------------------


def coupled_backward(
    x: Tensor, dh: Tensor, weight_ih: Tensor, weight_hh: Tensor, bias: Tensor
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Gradients of U, W, b and x for the LSTM with f = 1 - i (rows i, g, o), from a zero state."""
    return _coupled_backward(x, dh, weight_ih, weight_hh, bias)


def _coupled_backward(
    x, dh, weight_ih, weight_hh, bias, *, through_c=1.0, through_h=1.0, freed=1.0, slope=True, old=True, keep=True
):
    batch, time, _ = x.shape
    h, steps = x.new_zeros(batch, weight_hh.shape[1]), []
    c = torch.zeros_like(h)
    for x_t in x.unbind(1):
        i, g, o = (x_t @ weight_ih.T + h @ weight_hh.T + bias).chunk(3, dim=1)
        i, g, o = torch.sigmoid(i), torch.tanh(g), torch.sigmoid(o)
        before = h, c
        c = (1 - i) * c + i * g
        h = o * torch.tanh(c)
        steps.append((i, g, o, c, *before, h))
    dU, dW, db = torch.zeros_like(weight_ih), torch.zeros_like(weight_hh), torch.zeros_like(bias)
    dx, carry_h, carry_c = torch.zeros_like(x), torch.zeros_like(h), torch.zeros_like(h)
    for t in reversed(range(time)):
        i, g, o, c, h_before, c_before, h = steps[t]
        dh_t = dh[:, t] + carry_h
        dc_t = dh_t * o * (1 - torch.tanh(c) ** 2 if slope else 1.0) + carry_c
        delta_i = dc_t * (g - freed * c_before) * i * (1 - i)
        delta = torch.cat([delta_i, dc_t * i * (1 - g**2), dh_t * torch.tanh(c) * o * (1 - o)], dim=1)
        dU, dW, db = dU + delta.T @ x[:, t], dW + delta.T @ (h_before if old else h), db + delta.sum(0)
        dx[:, t] = delta @ weight_ih
        carry_h, carry_c = through_h * (delta @ weight_hh), through_c * dc_t * ((1 - i) if keep else i)
    return dU, dW, db, dx


def _backward_inputs(batch: int, time: int, sizes: tuple[int, int] | None = None):
    def make(draw: Draw) -> tuple:
        inputs, hidden = sizes or (draw.integer(2, 3), draw.integer(3, 4))
        weight_ih, weight_hh, bias, _ = draw.rnn(inputs, hidden, gates=3, dtype=DOUBLE)
        x, dh = draw.normal(batch, time, inputs, dtype=DOUBLE), draw.normal(batch, time, hidden, dtype=DOUBLE)
        return x, dh, weight_ih, weight_hh, bias

    return make


def _backward_no_carry_of_c(*arguments):
    return _coupled_backward(*arguments, through_c=0.0)


def _backward_no_carry_of_h(*arguments):
    return _coupled_backward(*arguments, through_h=0.0)


def _backward_half_a_gate(*arguments):
    return _coupled_backward(*arguments, freed=0.0)


def _backward_added_halves(*arguments):
    return _coupled_backward(*arguments, freed=-1.0)


def _backward_no_slope(*arguments):
    return _coupled_backward(*arguments, slope=False)


def _backward_late_state(*arguments):
    return _coupled_backward(*arguments, old=False)


def _backward_other_share(*arguments):
    return _coupled_backward(*arguments, keep=False)


BACKWARD = Question(
    id="5.5",
    title="The whole backward pass of a coupled LSTM",
    name="coupled_backward",
    points=4,
    reference=coupled_backward,
    cases={
        "a batch of two": _backward_inputs(2, 5),
        "one sequence": _backward_inputs(1, 4),
        "one input and one unit": _backward_inputs(2, 3, (1, 1)),
    },
    parts=("dU", "dW", "db", "dx"),
    tolerance=1e-8,
    wrong=(
        Wrong(
            "the carry through the cell is dropped",
            _backward_no_carry_of_c,
            "c_{t-1} reaches the loss through c_t, even if no gate ever looks at h. A well-known answer key misses it.",
        ),
        Wrong(
            "the carry through h is dropped",
            _backward_no_carry_of_h,
            "All three activations of the next step have looked at h_t. What they learn, it learns.",
        ),
        Wrong(
            "the input gate is credited for the candidate only",
            _backward_half_a_gate,
            "Opening this gate does two things: it lets the candidate in, and the old cell out.",
        ),
        Wrong(
            "what the input gate throws out is counted with the wrong sign",
            _backward_added_halves,
            "The share of the old cell *falls* when the gate opens.",
        ),
        Wrong(
            "the slope of the cell's tanh is missing",
            _backward_no_slope,
            "From h_t to c_t the gradient passes the output gate and the tanh.",
        ),
        Wrong(
            "dW is taken with the state after the step",
            _backward_late_state,
            "W was multiplied with the hidden state from before the step.",
        ),
        Wrong(
            "the carry through the cell is scaled by the input gate",
            _backward_other_share,
            "How much of c_{t-1} is in c_t? The same share of the gradient goes back.",
        ),
    ),
    hints=(
        "Run it forward, keep i, g, o, c and the old state of every step. Then walk back with *two* carries.",
        "In each step: dh_t, then dc_t, then the three deltas, then the two carries for the step before.",
        "Differentiate c_t = (1 - i) c_{t-1} + i g with respect to i: two terms.",
    ),
    flags=(r"\.backward\(", r"autograd"),
)

# --- 5.6: three broken LSTMs ---------------------------------------------------------------------------------------

VISIBLE = 1e-4
"""From which difference on a broken LSTM counts as exposed."""


def expose(weight_ih: Tensor, weight_hh: Tensor, bias_ih: Tensor, bias_hh: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """For each of the three broken LSTMs an input that exposes this one and neither of the others."""
    weights = weight_ih, weight_hh, bias_ih, bias_hh
    generator, inputs = torch.Generator().manual_seed(0), weight_ih.shape[1]

    def search(own: str, propose) -> Tensor:
        tried = (propose(torch.randn(2, 2, inputs, generator=generator)) for _ in range(400))
        return next(x for x in tried if _exposed(x, weights) == own)

    return (
        search("a", lambda noise: torch.cat([0.3 * noise[:1, :1], torch.zeros(1, 1, inputs)], dim=1)),
        search("b", lambda noise: 0.7 * noise),
        search("c", lambda noise: 20 * noise[:1, :1].expand(1, 8, inputs)),
    )


def broken_lstm(x, weight_ih, weight_hh, bias_ih, bias_hh, bug=""):
    """Outputs over time and the last cell of an LSTM from a zero state: the right one, or one of three broken ones."""
    h = x.new_zeros(x.shape[0], weight_hh.shape[1])
    c, outputs = torch.zeros_like(h), []
    for x_t in x.unbind(1):
        i, f, g, o = (x_t @ weight_ih.T + bias_ih + h @ weight_hh.T + bias_hh).chunk(4, dim=1)
        i, f, g, o = torch.sigmoid(i), torch.sigmoid(f), torch.tanh(g), torch.sigmoid(o)
        if bug == "b":
            f = f[:1]
        c_t = f * c + i * g
        if bug == "c":
            c_t = c_t.clamp(-1, 1)
        h_t = o * torch.tanh(c_t)
        if bug == "a":
            real = (x_t != 0).any(dim=1, keepdim=True)
            h_t, c_t = torch.where(real, h_t, h), torch.where(real, c_t, c)
        h, c = h_t, c_t
        outputs.append(h)
    return torch.stack(outputs, dim=1), c


def _exposed(x, weights):
    """The letters of the broken LSTMs that differ from the right one on x."""
    outputs, c = broken_lstm(x, *weights)
    letters = ""
    for bug in "abc":
        broken_outputs, broken_c = broken_lstm(x, *weights, bug)
        apart = max((outputs - broken_outputs).abs().max(), (c - broken_c).abs().max())
        letters += bug if apart > VISIBLE else ""
    return letters


def _judge_exposures(answer, *weights) -> tuple[str, ...]:
    if not isinstance(answer, tuple | list) or len(answer) != 3:
        return ("expected three inputs, one for each broken LSTM",) * 3
    return tuple(_exposure(x, own, weights) for x, own in zip(answer, "abc", strict=True))


def _exposure(x, own, weights) -> str:
    inputs = weights[0].shape[1]
    if not isinstance(x, Tensor) or x.dim() != 3 or x.shape[2] != inputs or not x.is_floating_point():
        return f"expected real numbers of shape (batch, time, {inputs})"
    if not (1 <= x.shape[0] <= 16 and 1 <= x.shape[1] <= 64):
        return "expected 1 to 16 sequences of 1 to 64 steps"
    if not bool(torch.isfinite(x).all()) or x.abs().max() > 1000:
        return "expected finite numbers, none larger than 1000"
    x = x.to(weights[0].dtype)
    letters = _exposed(x, weights)
    others = " and ".join(f"lstm_{bug}" for bug in letters.replace(own, ""))
    if own in letters:
        return f"it exposes lstm_{own}, but {others} as well" if others else ""
    facts = {
        "a": "in which every step has an entry that is not zero",
        "b": "a single sequence" if x.shape[0] == 1 else "a single step" if x.shape[1] == 1 else "several sequences",
        "c": "a single step" if x.shape[1] == 1 else f"{x.shape[1]} steps",
    }
    said = f"lstm_{own} is right on this input, {facts[own]}"
    return f"{said}; it exposes {others} instead" if others else said


def _weights_to_expose(hidden: int | None):
    def make(draw: Draw) -> tuple:
        weight_ih, weight_hh, bias_ih, bias_hh = draw.rnn(
            draw.integer(2, 3), hidden or draw.integer(3, 4), gates=4, scale=0.5
        )
        # with strong biases a cell can count beyond one on zeros alone, and then nothing gentle exposes only "a"
        return weight_ih, weight_hh, bias_ih / 2, bias_hh / 2

    return make


def _expose_with_zeros(weight_ih, weight_hh, bias_ih, bias_hh):
    return (torch.zeros(1, 1, weight_ih.shape[1]),) * 3


def _expose_one_sequence(*weights):
    x_a, x_b, x_c = expose(*weights)
    return x_a, x_b[:1], x_c


def _expose_one_step(*weights):
    x_a, x_b, x_c = expose(*weights)
    return x_a, x_b[:, :1], x_c[:, :1]


def _expose_with_a_storm(*weights):
    x_a, x_b, x_c = expose(*weights)
    return x_a, torch.cat([x_c, x_b[:1, :1].expand_as(x_c)]), x_c


def _expose_turned(*weights):
    x_a, x_b, x_c = expose(*weights)
    return x_b, x_c, x_a


EXPOSE = Question(
    id="5.6",
    title="Three broken LSTMs",
    name="expose",
    points=3,
    reference=expose,
    judge=_judge_exposures,
    cases={
        "a few units": _weights_to_expose(None),
        "other weights": _weights_to_expose(None),
        "one unit": _weights_to_expose(1),
    },
    parts=("x_a", "x_b", "x_c"),
    wrong=(
        Wrong(
            "zeros for all three",
            _expose_with_zeros,
            "Zeros find one of the bugs. The second needs company, the third needs strength and time.",
        ),
        Wrong(
            "one sequence at a time",
            _expose_one_sequence,
            "lstm_b takes something from the first sequence of the batch. When would that be the right thing?",
        ),
        Wrong(
            "one step at a time",
            _expose_one_step,
            "At the first step the cell is still zero: there is nothing to forget, and one candidate is below one.",
        ),
        Wrong(
            "too strong an input for lstm_b",
            _expose_with_a_storm,
            "It does show the second bug. It also drives a cell beyond one, and so shows the third: be gentler.",
        ),
        Wrong(
            "the three inputs are in another order",
            _expose_turned,
            "These inputs work, but each against another of the three.",
        ),
    ),
    hints=(
        "Read the line that is broken in each, and ask: on which inputs does this line do the right thing after all?",
        "Write a helper that says which of the three an input exposes, and try small inputs before large ones.",
        "Search at random until the helper says what you want. What to think about is the size and the shape.",
    ),
)

# --- 5.7: a forget bias for a lag ----------------------------------------------------------------------------------


def fading_memory(lag: int, survive: float) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """A one-unit LSTM that stores the value at a marker and has the given fraction of it left after the lag."""
    return _fading(_logit(survive ** (1 / lag)))


def _logit(p: float) -> float:
    return math.log(p) - math.log1p(-p)


def _fading(forget_bias, *, replace=True, shut=True, both=False):
    weight_ih, bias = torch.zeros(4, 2), torch.zeros(4)
    weight_ih[0, 1] = 40.0 if shut else 0.0  # the marker opens the input gate ...
    weight_ih[1, 1] = -40.0 if replace else 0.0  # ... and closes the forget gate
    weight_ih[2, 0] = 1.0
    bias[0], bias[1] = (-20.0 if shut else 20.0), forget_bias
    return weight_ih, torch.zeros(4, 1), bias, bias * torch.tensor([0.0, 1.0, 0.0, 0.0]) * both


def _cells(x, weights):
    """The cell after every step, (batch, time), of a one-unit LSTM."""
    weight_ih, weight_hh, bias_ih, bias_hh = weights
    h = c = x.new_zeros(x.shape[0], 1)
    cells = []
    for x_t in x.unbind(1):
        i, f, g, o = (x_t @ weight_ih.T + bias_ih + h @ weight_hh.T + bias_hh).chunk(4, dim=1)
        c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
        h = torch.sigmoid(o) * torch.tanh(c)
        cells.append(c)
    return torch.cat(cells, dim=1)


def _judge_memory(answer, lag: int, survive: float) -> tuple[str, ...]:
    shapes = (4, 2), (4, 1), (4,), (4,)
    fits = isinstance(answer, tuple | list) and len(answer) == 4
    if not fits or not all(
        isinstance(weight, Tensor) and weight.is_floating_point() and tuple(weight.shape) == shape
        for weight, shape in zip(answer, shapes, strict=True)
    ):
        return ("expected real numbers of the shapes (4, 2), (4, 1), (4,) and (4,)",) * 4
    if not all(bool(torch.isfinite(weight).all()) and weight.abs().max() <= 1e4 for weight in answer):
        return ("expected finite numbers, none larger than 10000",) * 4
    weights = [weight.to(DOUBLE) for weight in answer]

    x = torch.zeros(3, lag + 2, 2, dtype=DOUBLE)
    x[:, 0, 1] = 1.0  # all three store at the first step
    x[:, 0, 0] = torch.tensor([0.8, -0.8, 0.8])
    x[2, 1:, 0] = 2 * torch.rand(lag + 1, generator=torch.Generator().manual_seed(lag), dtype=DOUBLE) - 1
    cells = _cells(x, weights)
    stored, left = cells[0, 0] - cells[1, 0], cells[0, lag] - cells[1, lag]
    if stored < 0.5:
        said = "0.8 and -0.8 at the marker leave nearly the same cell"
        if stored < -0.5:
            said = "0.8 at the marker leaves a smaller cell than -0.8"
        return (said, *("nothing to measure before a value is stored",) * 3)
    passing = (cells[2, lag] - cells[0, lag]).abs() / stored

    again = torch.cat([x[:2, :-1], torch.tensor([[[0.3, 1.0]]], dtype=DOUBLE).expand(2, 1, 2)], dim=1)
    cells = _cells(again, weights)
    rest = (cells[0, -1] - cells[1, -1]).abs() / stored
    return (
        "",
        _fraction((left / stored).item(), lag, survive),
        "" if passing < 0.02 else "values that pass by without a marker change what is stored",
        "" if rest < 0.02 else "after a second marker the first value is still in the cell",
    )


def _fraction(ratio: float, lag: int, survive: float) -> str:
    def close(expected: float) -> bool:
        return abs(ratio - expected) < 0.002 * expected

    if abs(ratio - survive) < 0.002:
        return ""
    gate = survive ** (1 / lag)
    twice = 1 / (1 + math.exp(-2 * _logit(gate)))
    said = "more survives than should" if ratio > survive else "less survives than should"
    if close(twice**lag):
        return f"{said}: as with twice the bias"
    if close(survive**lag):
        return f"{said}: as if the fraction were that of a single step"
    if close((1 / (1 + math.exp(-gate))) ** lag):
        return f"{said}: as if the gate's value stood where its bias belongs"
    if close(0.5**lag):
        return f"{said}: as with a forget gate that is half open"
    return said


def _lags(lag: tuple[int, int], survive: tuple[float, float]):
    def make(draw: Draw) -> tuple:
        return draw.integer(*lag), draw.number(*survive)

    return make


LAG = Question(
    id="5.7",
    title="A forget bias for a lag",
    name="fading_memory",
    points=3,
    reference=fading_memory,
    judge=_judge_memory,
    cases={
        "a short lag": _lags((8, 12), (0.6, 0.8)),
        "a long lag": _lags((90, 150), (0.5, 0.9)),
        "a single step": _lags((1, 1), (0.3, 0.45)),
    },
    parts=("what is stored", "what survives", "what passes by", "what is replaced"),
    wrong=(
        Wrong(
            "the bias stands in both vectors",
            lambda lag, survive: _fading(_logit(survive ** (1 / lag)), both=True),
            "PyTorch adds its two biases. Whoever sets both to b gets 2b.",
        ),
        Wrong(
            "the fraction is taken for that of every single step",
            lambda lag, survive: _fading(_logit(survive)),
            "A gate of `survive` at every step leaves survive to the power of the lag. Which gate leaves survive?",
        ),
        Wrong(
            "the gate's value is used as its bias",
            lambda lag, survive: _fading(survive ** (1 / lag)),
            "The sigmoid still comes after the bias: which number does it turn into the gate that you want?",
        ),
        Wrong(
            "the forget bias is left at zero",
            lambda lag, survive: _fading(0.0),
            "A forget gate of one half halves the memory at every step.",
        ),
        Wrong(
            "a new value is added to the old one",
            lambda lag, survive: _fading(_logit(survive ** (1 / lag)), replace=False),
            "When the marker comes, the forget gate has to close, for this one step.",
        ),
        Wrong(
            "the input gate is always open",
            lambda lag, survive: _fading(_logit(survive ** (1 / lag)), shut=False),
            "Between the markers, nothing may come in. Which gate decides, and what does it look at?",
        ),
    ),
    hints=(
        "First the number: which gate, multiplied with itself `lag` times, gives `survive`? Then its pre-activation.",
        "The unit needs no recurrent weights. Let the marker open one gate and close another; 40 is a large weight.",
        "Rows are i, f, g, o; column 0 is the value, column 1 the marker.",
    ),
)

QUESTIONS = [STEP, ADOPT, COUPLED, CELL_PATH, BACKWARD, EXPOSE, LAG]
