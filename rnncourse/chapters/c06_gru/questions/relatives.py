"""Questions 6.4 and 6.5: the sizes of three cells for one budget, and a gated unit with a clock."""

import torch
from torch import Tensor

from rnncourse.grading.spec import Draw, Question, Wrong


def sizes_for(budget: int, input_size: int, output_size: int) -> tuple[int, int, int]:
    """The largest hidden sizes of a tanh network, a GRU and an LSTM within the budget."""

    def parameters(blocks: int, hidden: int) -> int:
        recurrent = blocks * hidden * (input_size + hidden + 2)
        return recurrent + output_size * (hidden + 1)

    def largest(blocks: int) -> int:
        hidden = 0
        while parameters(blocks, hidden + 1) <= budget:
            hidden += 1
        return hidden

    return largest(1), largest(3), largest(4)


def budget_inputs(draw: Draw, blocks: int, spare: int) -> tuple:
    """A budget that one of the three kinds meets exactly, or misses by one parameter."""
    inputs, outputs, hidden = draw.integer(2, 9), draw.integer(2, 9), draw.integer(6, 30)
    return blocks * hidden * (inputs + hidden + 2) + outputs * (hidden + 1) + spare, inputs, outputs


def smallest_inputs(draw: Draw) -> tuple:
    hidden = draw.integer(3, 8)
    return 3 * hidden * (hidden + 3) + hidden, 1, 1


SIZES = Question(
    id="6.4",
    title="Sizes for a budget",
    points=2,
    reference=sizes_for,
    cases={
        "just enough for a tanh network": (budget_inputs, 1, 0),
        "just enough for a GRU": (budget_inputs, 3, 0),
        "just enough for an LSTM": (budget_inputs, 4, 0),
        "one parameter too few for a tanh network": (budget_inputs, 1, -1),
        "one parameter too few for a GRU": (budget_inputs, 3, -1),
        "one parameter too few for an LSTM": (budget_inputs, 4, -1),
        "one input and one output": smallest_inputs,
    },
    parts=("the tanh network", "the GRU", "the LSTM"),
    wrong=(
        Wrong("one bias vector instead of two", {"hidden + 2": "hidden + 1"}).told(
            "PyTorch keeps two bias vectors for each block of rows."
        ),
        Wrong("the readout is not counted", {" + output_size * (hidden + 1)": ""}).told(
            "The network has to say something: V and its bias are part of the budget."
        ),
        Wrong(
            "only the gates are counted, not the candidates", {"largest(3), largest(4)": "largest(2), largest(3)"}
        ).told("A GRU has two gates and a candidate, an LSTM three gates and a candidate."),
        Wrong("the budget may not be used up", {"<= budget": "< budget"}).told(
            "A network with exactly as many parameters as the budget allows is within it."
        ),
        Wrong("one unit too many", {"return hidden": "return hidden + 1"}).told(
            "With one unit fewer it would fit. Count the parameters of your answer."
        ),
    ),
    hints=(
        "Write the number of parameters as a function of the hidden size first: blocks of rows, then the readout.",
        "A loop that counts upwards will do; a quadratic equation will, too.",
    ),
)


def clockwork_mgu(
    x: Tensor, h: Tensor, periods: Tensor, weight_ih: Tensor, weight_hh: Tensor, bias: Tensor
) -> tuple[Tensor, Tensor]:
    """States and gates over time; x is (batch, time, input), h is (batch, hidden)."""
    W_f, W_n = weight_hh.chunk(2)
    states, gates = [], []
    for t, x_t in enumerate(x.unbind(1), start=1):
        x_f, x_n = (x_t @ weight_ih.T + bias).chunk(2, dim=1)
        f = torch.sigmoid(x_f + h @ W_f.T)
        n = torch.tanh(x_n + (f * h) @ W_n.T)
        h = torch.where(t % periods == 0, (1 - f) * h + f * n, h)
        states.append(h)
        gates.append(f)
    return torch.stack(states, dim=1), torch.stack(gates, dim=1)


def clock_inputs(draw: Draw, batch: int, time: int, units: int = 0) -> tuple:
    inputs, units = draw.integer(1, 3), units or draw.integer(3, 5)
    weight_ih, weight_hh, bias, _ = draw.rnn(inputs, units, gates=2)
    periods = torch.tensor([2, 3, 1, 4, 2])[:units]
    periods = periods[torch.randperm(units, generator=draw.generator)]
    return draw.normal(batch, time, inputs), draw.normal(batch, units), periods, weight_ih, weight_hh, bias


CLOCK = Question(
    id="6.5",
    title="A gated unit with a clock",
    points=3,
    reference=clockwork_mgu,
    cases={
        "a batch of three": (clock_inputs, 3, 7),
        "one sequence": (clock_inputs, 1, 5),
        "one step": (clock_inputs, 2, 1),
        "one unit": (clock_inputs, 2, 4, 1),
    },
    parts=("the states over time", "the gates over time"),
    wrong=(
        Wrong("the clock starts at zero", {"start=1": "start=0"}).told(
            "The first step is t = 1: at that step only the units with period 1 move."
        ),
        Wrong("the clock is ignored", {"t % periods == 0": "periods > 0"}).told(
            "This is the plain minimal gated unit. Here most units sleep at most steps."
        ),
        Wrong("a sleeping unit is set to zero", {"f * n, h)": "f * n, 0 * h)"}).told(
            "A unit that is not due keeps the value that it has."
        ),
        Wrong("the reset comes after the product", {"(f * h) @ W_n.T": "f * (h @ W_n.T)"}).told(
            "In this unit the gate scales the old state before the matrix sees it."
        ),
        Wrong("the gate does not reset", {"(f * h)": "h"}).told(
            "The minimal gated unit's one gate has two jobs; one of them is missing."
        ),
        Wrong("the blend is the wrong way round", {"(1 - f) * h + f * n": "f * h + (1 - f) * n"}).told(
            "With f near one, the candidate should win."
        ),
    ),
    hints=(
        "Write the minimal gated unit over time first; then decide for every unit whether it may move.",
        "torch.where(due, new, old) chooses unit by unit; `due` has one entry per unit.",
    ),
    flags=(r"\bmgu_(trace|step)\b", r"\bMGUCell\b"),
)
