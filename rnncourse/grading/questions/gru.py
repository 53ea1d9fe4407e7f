"""Chapter 6's questions: the published step, foreign weights, one step back, sizes for a budget, a clock, the reset."""

import operator

import torch
from torch import Tensor

from rnncourse.grading.spec import Draw, Question, Wrong

DOUBLE = torch.float64

# --- 6.1: one step, as published -----------------------------------------------------------------------------------


def gru_step(x_t: Tensor, h: Tensor, weight_ih: Tensor, weight_hh: Tensor, bias: Tensor) -> tuple[Tensor, ...]:
    """r, z, n and the new state of the GRU of Chung et al. (2014): reset before the product, (1 - z) h + z n."""
    return _gru_step(x_t, h, weight_ih, weight_hh, bias)


def _gru_step(x_t, h, weight_ih, weight_hh, bias, *, order="rzn", candidate=None, squash=torch.tanh, keep=False):
    """``candidate`` makes the pre-activation of n from what x brings, r, h and the candidate's recurrent weights."""
    candidate = candidate or (lambda x_n, r, h, W_n: x_n + (r * h) @ W_n.T)
    x = dict(zip(order, (x_t @ weight_ih.T + bias).chunk(3, dim=1), strict=True))
    W = dict(zip(order, weight_hh.chunk(3), strict=True))
    r, z = torch.sigmoid(x["r"] + h @ W["r"].T), torch.sigmoid(x["z"] + h @ W["z"].T)
    n = squash(candidate(x["n"], r, h, W["n"]))
    return r, z, n, z * h + (1 - z) * n if keep else (1 - z) * h + z * n


def _gru_inputs(batch: int, sizes: tuple[int, int] | None = None):
    def make(draw: Draw) -> tuple:
        inputs, hidden = sizes or (draw.integer(2, 4), draw.integer(3, 5))
        weight_ih, weight_hh, bias, _ = draw.rnn(inputs, hidden, gates=3)
        return draw.normal(batch, inputs), draw.normal(batch, hidden), weight_ih, weight_hh, bias

    return make


def _gru_reset_after(*arguments):
    return _gru_step(*arguments, candidate=lambda x_n, r, h, W_n: x_n + r * (h @ W_n.T))


def _gru_reset_on_everything(*arguments):
    return _gru_step(*arguments, candidate=lambda x_n, r, h, W_n: r * (x_n + h @ W_n.T))


def _gru_no_reset(*arguments):
    return _gru_step(*arguments, candidate=lambda x_n, r, h, W_n: x_n + h @ W_n.T)


def _gru_keeps(*arguments):
    return _gru_step(*arguments, keep=True)


def _gru_other_order(*arguments):
    return _gru_step(*arguments, order="zrn")


def _gru_sigmoid_candidate(*arguments):
    return _gru_step(*arguments, squash=torch.sigmoid)


STEP = Question(
    id="6.1",
    title="One step, as published",
    name="gru_step",
    points=2,
    reference=gru_step,
    cases={
        "a batch of three": _gru_inputs(3),
        "a batch of one": _gru_inputs(1),
        "one input and one unit": _gru_inputs(2, (1, 1)),
    },
    parts=("the reset gate r", "the update gate z", "the candidate n", "h_t"),
    wrong=(
        Wrong(
            "the reset comes after the product",
            _gru_reset_after,
            "That is PyTorch's form. Here the old state is reset first, and the matrix sees what is left of it.",
        ),
        Wrong(
            "the reset gate scales the input's share, too",
            _gru_reset_on_everything,
            "The reset gate decides how much of the *past* the candidate sees. The input is always seen.",
        ),
        Wrong("the reset gate is not used", _gru_no_reset, "r is right, but nothing depends on it."),
        Wrong(
            "the blend is the wrong way round",
            _gru_keeps,
            "That is PyTorch's convention. In the equations of this question an update gate of one *replaces*.",
        ),
        Wrong(
            "the rows are read in the order z, r, n",
            _gru_other_order,
            "Some libraries store them so. Here the order is PyTorch's: reset first.",
        ),
        Wrong(
            "the candidate goes through the sigmoid",
            _gru_sigmoid_candidate,
            "r and z are gates. The candidate is a proposal for a state, and may be negative.",
        ),
    ),
    hints=(
        "r and z can be computed together; n has to wait for r.",
        "weight_hh.chunk(3) gives three square matrices. The third one meets a state that r has already scaled.",
    ),
    flags=(r"\bgru_(trace|cell|sequence)\b", r"\bfunctional\b", r"\bGRUCell\b", r"\bnn\.GRU\b"),
)

# --- 6.2: somebody else's blend ------------------------------------------------------------------------------------


def adopt_gru(w_i: Tensor, w_h: Tensor, b: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Rows r, z, n for (1 - z) n + z h, from columns z, r, n for (1 - z) h + z n; the reset stays where it is."""
    return _adopt(w_i, w_h, b)


def _adopt(w_i, w_h, b, *, order="rzn", turn=lambda weight: -weight, turned="z", bias=True):
    def rows(blocks, turn_it: bool = True) -> Tensor:
        blocks = dict(zip("zrn", blocks, strict=True))
        return torch.cat([turn(blocks[k]) if turn_it and k in turned else blocks[k] for k in order])

    return rows(w_i.T.chunk(3)), rows(w_h.T.chunk(3)), rows(b.chunk(3), bias)


def _foreign_inputs(sizes):
    def make(draw: Draw) -> tuple:
        inputs, hidden = sizes(draw)
        return draw.normal(inputs, 3 * hidden), draw.normal(hidden, 3 * hidden), draw.normal(3 * hidden)

    return make


ADOPT = Question(
    id="6.2",
    title="Somebody else's blend",
    name="adopt_gru",
    points=2,
    reference=adopt_gru,
    cases={
        "more units than inputs": _foreign_inputs(lambda draw: (draw.integer(1, 2), draw.integer(3, 4))),
        "as many inputs as units": _foreign_inputs(lambda draw: (3, 3)),
        "one input and one unit": _foreign_inputs(lambda draw: (1, 1)),
    },
    parts=("weight_ih", "weight_hh", "the bias"),
    wrong=(
        Wrong(
            "the order is changed, the blend is not",
            lambda w_i, w_h, b: _adopt(w_i, w_h, b, turned=""),
            "With these weights z still means *replace*. One minus a sigmoid is a sigmoid again: of what?",
        ),
        Wrong(
            "the blend is changed, the order is not",
            lambda w_i, w_h, b: _adopt(w_i, w_h, b, order="zrn"),
            "The sign of the right block is turned, but the blocks still stand in the other library's order.",
        ),
        Wrong(
            "the update gate's bias keeps its sign",
            lambda w_i, w_h, b: _adopt(w_i, w_h, b, bias=False),
            "The whole pre-activation has to change its sign, and the bias is part of it.",
        ),
        Wrong(
            "the reset gate is negated instead",
            lambda w_i, w_h, b: _adopt(w_i, w_h, b, turned="r"),
            "Which of the two gates blends old and new? In the other library it comes first.",
        ),
        Wrong(
            "one minus the weights",
            lambda w_i, w_h, b: _adopt(w_i, w_h, b, turn=lambda weight: 1 - weight),
            "It is the *gate* that becomes one minus itself. What has to happen to its pre-activation?",
        ),
    ),
    hints=(
        "Two repairs: the order of the blocks, and the meaning of z. Columns there are rows here.",
        "Find out what 1 - sigmoid(a) is, for a = 2 say, and for which number the sigmoid gives just that.",
    ),
)

# --- 6.3: one step back --------------------------------------------------------------------------------------------


def gru_step_back(
    dh_t: Tensor, r: Tensor, z: Tensor, n: Tensor, p: Tensor, h: Tensor, weight_hh: Tensor
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """delta_r, delta_z, delta_n and the gradient at h_{t-1}, for PyTorch's GRU; p is W_n h + b_hn."""
    return _back(dh_t, r, z, n, p, h, weight_hh)


def _back(dh_t, r, z, n, p, h, weight_hh, *, ways=(1, 1, 1, 1), reset=True, turned=1, blend=False, tilt=False):
    direct, by_r, by_z, by_n = ways  # of h_{t-1} into the loss: each can be blocked
    old, new = (1 - z, z) if blend else (z, 1 - z)
    delta_n = dh_t * new * (1 - n**2)
    delta_z = turned * (n - h if blend else h - n) * dh_t * z * (1 - z)
    delta_r = delta_n * p * r * (1 - r)
    W_r, W_z, W_n = ((W.T if tilt else W) for W in weight_hh.chunk(3))
    into_p = delta_n * r if reset else delta_n
    dh = direct * old * dh_t + by_r * delta_r @ W_r + by_z * delta_z @ W_z + by_n * into_p @ W_n
    return delta_r, delta_z, delta_n, dh


def _back_inputs(batch: int, hidden: int | None = None):
    def make(draw: Draw) -> tuple:
        units = hidden or draw.integer(3, 5)
        dh_t, p, h = (draw.normal(batch, units, dtype=DOUBLE) for _ in range(3))
        r, z = (draw.uniform(batch, units, low=0.1, high=0.9, dtype=DOUBLE) for _ in range(2))
        n = draw.uniform(batch, units, low=-0.9, high=0.9, dtype=DOUBLE)
        return dh_t, r, z, n, p, h, draw.normal(3 * units, units, dtype=DOUBLE)

    return make


def _back_without(way: int):
    def answer(*arguments):
        return _back(*arguments, ways=tuple(int(index != way) for index in range(4)))

    return answer


BACK = Question(
    id="6.3",
    title="One step back",
    name="gru_step_back",
    points=4,
    reference=gru_step_back,
    cases={
        "a batch of three": _back_inputs(3),
        "a batch of one": _back_inputs(1),
        "one unit": _back_inputs(2, 1),
    },
    parts=("delta_r", "delta_z", "delta_n", "the gradient at the old state"),
    tolerance=1e-8,
    wrong=(
        Wrong(
            "the direct way is missing",
            _back_without(0),
            "The deltas are right. But the blend also hands a share of the old state straight on: no matrix, no tanh.",
        ),
        Wrong(
            "the way through the reset gate is missing",
            _back_without(1),
            "The deltas are right. Had h been a little different, r would have been, too.",
        ),
        Wrong(
            "the way through the update gate is missing",
            _back_without(2),
            "The deltas are right. Had h been a little different, z would have been, too.",
        ),
        Wrong(
            "the way through the candidate is missing",
            _back_without(3),
            "The deltas are right. The candidate has seen the old state, through W_n.",
        ),
        Wrong(
            "on the way through the candidate the reset gate is forgotten",
            lambda *arguments: _back(*arguments, reset=False),
            "From the candidate's pre-activation to p the gradient passes the product r ⊙ p.",
        ),
        Wrong(
            "delta_z has the wrong sign",
            lambda *arguments: _back(*arguments, turned=-1),
            "When z grows, h_t moves towards the old state. Which difference is that?",
        ),
        Wrong(
            "the backward pass of the other blend",
            lambda *arguments: _back(*arguments, blend=True),
            "This is right for (1 - z) h + z n. The question has PyTorch's blend, (1 - z) n + z h.",
        ),
        Wrong(
            "the matrices are used the wrong way round",
            lambda *arguments: _back(*arguments, tilt=True),
            "Forwards, rows of a batch meet each block's transpose. Backwards they meet the block itself.",
        ),
    ),
    hints=(
        "Start at h_t = (1 - z) n + z h, and ask of each letter on the right how h_t changes with it.",
        "Then n = tanh(… + r ⊙ p): r matters through p, and p through r.",
        "h stands in four places: in the blend, in z, in r, and in p. Their contributions add up.",
    ),
    flags=(r"\.backward\(", r"autograd"),
)

# --- 6.4: sizes for a budget ---------------------------------------------------------------------------------------


def sizes_for(budget: int, input_size: int, output_size: int) -> tuple[int, int, int]:
    """The largest hidden sizes of a tanh network, a GRU and an LSTM, readout included, within the budget."""
    return _sizes(budget, input_size, output_size)


def _sizes(budget, inputs, outputs, *, gates=(1, 3, 4), biases=2, readout=True, within=operator.le, more=0):
    def count(blocks: int, hidden: int) -> int:
        own = blocks * hidden * (inputs + hidden + biases)
        return own + (outputs * hidden + outputs if readout else 0)

    def largest(blocks: int) -> int:
        hidden = 0
        while within(count(blocks, hidden + 1), budget):
            hidden += 1
        return hidden + more

    return tuple(largest(blocks) for blocks in gates)


def _count(blocks: int, hidden: int, inputs: int, outputs: int) -> int:
    return blocks * hidden * (inputs + hidden + 2) + outputs * hidden + outputs


def _budget(blocks: int, spare: int):
    """A budget that one of the three kinds meets exactly, or misses by one parameter."""

    def make(draw: Draw) -> tuple:
        inputs, outputs = draw.integer(2, 9), draw.integer(2, 9)
        return _count(blocks, draw.integer(6, 30), inputs, outputs) + spare, inputs, outputs

    return make


SIZES = Question(
    id="6.4",
    title="Sizes for a budget",
    name="sizes_for",
    points=2,
    reference=sizes_for,
    cases={
        "just enough for a tanh network": _budget(1, 0),
        "just enough for a GRU": _budget(3, 0),
        "just enough for an LSTM": _budget(4, 0),
        "one parameter too few for a tanh network": _budget(1, -1),
        "one parameter too few for a GRU": _budget(3, -1),
        "one parameter too few for an LSTM": _budget(4, -1),
        "one input and one output": lambda draw: (_count(3, draw.integer(3, 8), 1, 1) - 1, 1, 1),
    },
    parts=("the tanh network", "the GRU", "the LSTM"),
    wrong=(
        Wrong(
            "one bias vector instead of two",
            lambda *arguments: _sizes(*arguments, biases=1),
            "PyTorch keeps two bias vectors for each block of rows.",
        ),
        Wrong(
            "the readout is not counted",
            lambda *arguments: _sizes(*arguments, readout=False),
            "The network has to say something: V and its bias are part of the budget.",
        ),
        Wrong(
            "only the gates are counted, not the candidates",
            lambda *arguments: _sizes(*arguments, gates=(1, 2, 3)),
            "A GRU has two gates and a candidate, an LSTM three gates and a candidate.",
        ),
        Wrong(
            "the budget may not be used up",
            lambda *arguments: _sizes(*arguments, within=operator.lt),
            "A network with exactly as many parameters as the budget allows is within it.",
        ),
        Wrong(
            "one unit too many",
            lambda *arguments: _sizes(*arguments, more=1),
            "With one unit fewer it would fit. Count the parameters of your answer.",
        ),
    ),
    hints=(
        "Write the number of parameters as a function of the hidden size first: blocks of rows, then the readout.",
        "A loop that counts upwards will do; a quadratic equation will, too.",
    ),
)

# --- 6.5: a gated unit with a clock --------------------------------------------------------------------------------


def clockwork_mgu(
    x: Tensor, h: Tensor, periods: Tensor, weight_ih: Tensor, weight_hh: Tensor, bias: Tensor
) -> tuple[Tensor, Tensor]:
    """States and gates over time of a minimal gated unit whose unit j moves only at multiples of its period."""
    return _clockwork(x, h, periods, weight_ih, weight_hh, bias)


def _clockwork(
    x, h, periods, weight_ih, weight_hh, bias, *, first=1, clock=True, keep=True, reset="before", turned=False
):
    states, gates = [], []
    W_f, W_n = weight_hh.chunk(2)
    for t, x_t in enumerate(x.unbind(1), start=first):
        x_f, x_n = (x_t @ weight_ih.T + bias).chunk(2, dim=1)
        f = torch.sigmoid(x_f + h @ W_f.T)
        past = {"before": (f * h) @ W_n.T, "after": f * (h @ W_n.T), "never": h @ W_n.T}[reset]
        n = torch.tanh(x_n + past)
        new = f * h + (1 - f) * n if turned else (1 - f) * h + f * n
        due = t % periods == 0 if clock else torch.ones_like(periods, dtype=torch.bool)
        h = torch.where(due, new, h if keep else torch.zeros_like(h))
        states.append(h)
        gates.append(f)
    return torch.stack(states, dim=1), torch.stack(gates, dim=1)


def _clockwork_inputs(batch: int, time: int, hidden: int | None = None):
    def make(draw: Draw) -> tuple:
        inputs, units = draw.integer(1, 3), hidden or draw.integer(3, 5)
        weight_ih, weight_hh, bias, _ = draw.rnn(inputs, units, gates=2)
        periods = torch.tensor([2, 3, 1, 4, 2])[:units]
        periods = periods[torch.randperm(units, generator=draw.generator)]
        return draw.normal(batch, time, inputs), draw.normal(batch, units), periods, weight_ih, weight_hh, bias

    return make


CLOCK = Question(
    id="6.5",
    title="A gated unit with a clock",
    name="clockwork_mgu",
    points=3,
    reference=clockwork_mgu,
    cases={
        "a batch of three": _clockwork_inputs(3, 7),
        "one sequence": _clockwork_inputs(1, 5),
        "one step": _clockwork_inputs(2, 1),
        "one unit": _clockwork_inputs(2, 4, 1),
    },
    parts=("the states over time", "the gates over time"),
    wrong=(
        Wrong(
            "the clock starts at zero",
            lambda *arguments: _clockwork(*arguments, first=0),
            "The first step is t = 1: at that step only the units with period 1 move.",
        ),
        Wrong(
            "the clock is ignored",
            lambda *arguments: _clockwork(*arguments, clock=False),
            "This is the plain minimal gated unit. Here most units sleep at most steps.",
        ),
        Wrong(
            "a sleeping unit is set to zero",
            lambda *arguments: _clockwork(*arguments, keep=False),
            "A unit that is not due keeps the value that it has.",
        ),
        Wrong(
            "the reset comes after the product",
            lambda *arguments: _clockwork(*arguments, reset="after"),
            "In this unit the gate scales the old state before the matrix sees it.",
        ),
        Wrong(
            "the gate does not reset",
            lambda *arguments: _clockwork(*arguments, reset="never"),
            "The minimal gated unit's one gate has two jobs; one of them is missing.",
        ),
        Wrong(
            "the blend is the wrong way round",
            lambda *arguments: _clockwork(*arguments, turned=True),
            "With f near one, the candidate should win.",
        ),
    ),
    hints=(
        "Write the minimal gated unit over time first; then decide for every unit whether it may move.",
        "torch.where(due, new, old) chooses unit by unit; `due` has one entry per unit.",
    ),
    flags=(r"\bmgu_(trace|step)\b", r"\bMGUCell\b"),
)

# --- 6.6: before or after ------------------------------------------------------------------------------------------

APART, ALIKE = 0.1, 1e-5


def three_grus(input_size: int, hidden_size: int) -> tuple[tuple[Tensor, ...], ...]:
    """Weights of three GRUs: the reset's place matters by one number; does not matter; matters by the bias alone."""
    generator = torch.Generator().manual_seed(0)

    def draw(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=generator)

    def weights(U_r: Tensor, W_n: Tensor, b_n: float) -> tuple[Tensor, ...]:
        hidden = len(W_n)
        bias_hh = torch.cat([torch.zeros(2 * hidden), torch.full((hidden,), b_n)])
        W = torch.cat([torch.zeros(2 * hidden, hidden), W_n])
        U = torch.cat([U_r, torch.zeros(2 * hidden, input_size)])
        return U, W, torch.zeros(3 * hidden), bias_hh

    paired, pair = 2 * draw(hidden_size, input_size), torch.eye(hidden_size)
    paired[1] = paired[0]  # the first two units share a reset gate and listen to each other
    pair[:2] = pair[:2].flip(0)
    return (
        weights(2 * draw(hidden_size, input_size), _one_number(0, 1)(hidden_size), 0.0),
        weights(paired, pair, 0.0),
        weights(2 * draw(1, input_size), torch.zeros(1, 1), 2.0),
    )


def _one_number(row: int, column: int):
    """A W_n, given its size, with a single number other than zero."""

    def make(hidden: int) -> Tensor:
        W_n = torch.zeros(hidden, hidden)
        W_n[row, column] = 2.0
        return W_n

    return make


def _both(weights, inputs: int, hidden: int):
    """New states with the reset before and after, and the reset gates, on 256 random inputs and states."""
    weight_ih, weight_hh, bias_ih, bias_hh = (weight.to(DOUBLE) for weight in weights)
    generator = torch.Generator().manual_seed(1000 * inputs + hidden)
    x, h = (torch.randn(256, size, generator=generator, dtype=DOUBLE) for size in (inputs, hidden))
    a, (W_r, W_z, W_n), (b_r, b_z, b_n) = x @ weight_ih.T + bias_ih, weight_hh.chunk(3), bias_hh.chunk(3)
    x_r, x_z, x_n = a.chunk(3, dim=1)
    r, z = torch.sigmoid(x_r + h @ W_r.T + b_r), torch.sigmoid(x_z + h @ W_z.T + b_z)
    before, after = (r * h) @ W_n.T + b_n, r * (h @ W_n.T + b_n)
    states = ((1 - z) * torch.tanh(x_n + past) + z * h for past in (before, after))
    return *states, (before - after).abs().max(), r


def _judge_grus(answer, input_size: int, hidden_size: int) -> tuple[str, ...]:
    if not isinstance(answer, tuple | list) or len(answer) != 3:
        return ("expected three GRUs, each with four tensors",) * 3
    sizes = hidden_size, hidden_size, 1
    verdicts = []
    for judge, weights, hidden in zip((_differs, _agrees, _differs), answer, sizes, strict=True):
        problem = _unfit(weights, input_size, hidden)
        verdicts.append(problem or judge(weights, input_size, hidden))
    if not verdicts[0] and any(bool(bias.any()) for bias in answer[0][2:]):
        verdicts[0] = "it has biases, and they could be the reason"
    if not verdicts[0] and answer[0][1].chunk(3)[2].count_nonzero() > 1:
        verdicts[0] = "its W_n has more than one number other than zero"
    return tuple(verdicts)


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


def _differs(weights, inputs: int, hidden: int) -> str:
    before, after, apart, _ = _both(weights, inputs, hidden)
    if (before - after).abs().max() >= APART:
        return ""
    if apart <= ALIKE:
        return "the two forms agree on 256 random inputs"
    return f"the two forms differ by less than {APART} on 256 random inputs"


def _agrees(weights, inputs: int, hidden: int) -> str:
    before, after, apart, r = _both(weights, inputs, hidden)
    if apart > ALIKE:
        if (before - after).abs().max() <= ALIKE:
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


def _grus_with(first=None, second=None, third=None):
    """The reference's answer with some of the three changed, by functions of a GRU's four tensors."""

    def answer(input_size: int, hidden_size: int):
        changes = (first, second, third)
        grus = three_grus(input_size, hidden_size)
        return tuple(change(*gru) if change else gru for change, gru in zip(changes, grus, strict=True))

    return answer


def _recurrent(make):
    """A change of W_n, given its size."""

    def change(weight_ih, weight_hh, bias_ih, bias_hh):
        hidden = weight_hh.shape[1]
        return weight_ih, torch.cat([weight_hh[: 2 * hidden], make(hidden)]), bias_ih, bias_hh

    return change


def _inner_bias(value: float):
    """A change of b_hn."""

    def change(weight_ih, weight_hh, bias_ih, bias_hh):
        hidden = weight_hh.shape[1]
        return weight_ih, weight_hh, bias_ih, torch.cat([bias_hh[: 2 * hidden], torch.full((hidden,), value)])

    return change


def _one_gate_for_all(weight_ih, weight_hh, bias_ih, bias_hh):
    hidden = weight_hh.shape[1]
    return torch.cat([weight_ih[:1].expand(hidden, -1), weight_ih[hidden:]]), weight_hh, bias_ih, bias_hh


_all_listen = _recurrent(lambda hidden: torch.ones(hidden, hidden))


def _gate_open(weight_ih, weight_hh, bias_ih, bias_hh):
    hidden = weight_hh.shape[1]
    opened = torch.cat([torch.full((hidden,), 50.0), bias_ih[hidden:]])
    return _all_listen(torch.zeros_like(weight_ih), weight_hh, opened, bias_hh)


def _candidate_hidden(weight_ih, weight_hh, bias_ih, bias_hh):
    hidden = weight_hh.shape[1]
    shut = torch.zeros_like(bias_hh)
    shut[hidden : 2 * hidden] = 100.0
    return _all_listen(weight_ih, weight_hh, bias_ih, shut)


THREE = Question(
    id="6.6",
    title="Before or after",
    name="three_grus",
    points=3,
    reference=three_grus,
    judge=_judge_grus,
    cases={
        "a few units": lambda draw: (draw.integer(2, 3), draw.integer(4, 5)),
        "three units": lambda draw: (draw.integer(1, 4), 3),
        "one input": lambda draw: (1, draw.integer(5, 6)),
    },
    parts=("the first GRU", "the second GRU", "the third GRU"),
    wrong=(
        Wrong(
            "several numbers in the matrix of the first",
            _grus_with(first=_recurrent(lambda hidden: 2 * torch.eye(hidden).roll(1, dims=0))),
            "The forms differ, but one number is enough. Which one makes a difference, and which ones never do?",
        ),
        Wrong(
            "the one number of the first stands on the diagonal",
            _grus_with(first=_recurrent(_one_number(0, 0))),
            "There a unit listens to itself, and is reset by the same gate before the product as after it.",
        ),
        Wrong(
            "biases in the first",
            _grus_with(first=_inner_bias(1.0)),
            "For the first the matrix alone should be the reason: set every bias to zero.",
        ),
        Wrong(
            "a diagonal matrix for the second",
            _grus_with(second=_recurrent(torch.eye)),
            "A diagonal matrix passes each unit's reset on to the same unit. Let at least one unit listen to another.",
        ),
        Wrong(
            "one reset gate for all in the second",
            _grus_with(second=_one_gate_for_all),
            "If all units reset alike, every matrix will do. Give one unit another gate; whom may it listen to then?",
        ),
        Wrong(
            "the second agrees because its reset gates never move",
            _grus_with(second=_gate_open),
            "With reset gates that stand still there is little to tell apart. Find a matrix with which the forms agree "
            "while the gates move.",
        ),
        Wrong(
            "the second agrees because its update gates keep everything",
            _grus_with(second=_candidate_hidden),
            "With z = 1 nobody looks at the candidate. It is inside its tanh that the two forms should agree.",
        ),
        Wrong(
            "in the second, units with different gates listen to one another",
            _grus_with(second=_recurrent(lambda hidden: torch.eye(hidden).roll(1, dims=0))),
            "A number W_ij is harmless if i and j reset alike, and only then. Sort the units by their gates.",
        ),
        Wrong(
            "an inner bias in the second",
            _grus_with(second=_inner_bias(0.5)),
            "In one of the forms the reset gate scales b_hn, in the other it does not.",
        ),
        Wrong(
            "a third without its inner bias",
            _grus_with(third=_inner_bias(0.0)),
            "For one unit the matrix is a number, and numbers trade places. Something else stands in the bracket.",
        ),
    ),
    hints=(
        "Write both forms with their indices: the sum of W_ij r_j h_j, against r_i times the sum of W_ij h_j.",
        "When is r_i W_ij = W_ij r_j? For each pair of units there are two ways.",
        "PyTorch's form has a bias inside the bracket that r scales.",
    ),
)

QUESTIONS = [STEP, ADOPT, BACK, SIZES, CLOCK, THREE]
