"""Questions 7.1 and 7.2: a network that reads from each sequence's own end, and the gradient of a merge."""

import torch
from torch import Tensor

from rnncourse.grading.spec import Draw, Question, Wrong


def backward_states(
    x: Tensor, lengths: Tensor, weight_ih: Tensor, weight_hh: Tensor, bias: Tensor
) -> tuple[Tensor, Tensor]:
    """All backward states (batch, time, hidden), zero at padding, and each sequence's final one (batch, hidden)."""
    batch, time, _ = x.shape
    h = x.new_zeros(batch, len(weight_hh))
    states = []
    for t in reversed(range(time)):
        new = torch.tanh(x[:, t] @ weight_ih.T + h @ weight_hh.T + bias)
        h = torch.where((t < lengths)[:, None], new, h)  # still zero while t lies in the padding
        states.append(h)
    states = torch.stack(states[::-1], dim=1)
    return states, states[:, 0]


def backwards_inputs(draw: Draw, batch: int, time: int) -> tuple:
    inputs, hidden = draw.integer(2, 3), draw.integer(3, 4)
    weight_ih, weight_hh, bias, _ = draw.rnn(inputs, hidden, scale=0.8)
    return draw.normal(batch, time, inputs), draw.lengths(batch, time), weight_ih, weight_hh, bias


BACKWARDS = Question(
    id="7.1",
    title="From each one's own end",
    points=3,
    reference=backward_states,
    cases={
        "a batch of three": (backwards_inputs, 3, 6),
        "a batch of four": (backwards_inputs, 4, 5),
        "two sequences": (backwards_inputs, 2, 4),
    },
    parts=("the backward states", "the final backward state"),
    wrong=(
        Wrong("the network starts on the padding", {"torch.where((t < lengths)[:, None], new, h)": "new"}).told(
            "A short sequence's states depend on what stands behind its end. With which state does its last real step "
            "have to start?"
        ),
        Wrong("the states stay in the order in which they were made", {"states[::-1], dim=1": "states, dim=1"}).told(
            "The first state that you make belongs to the last step. Put every state back to the step it speaks about."
        ),
        Wrong(
            "the final state is taken from the sequence's end",
            {"states, states[:, 0]": "states, states[torch.arange(batch), lengths - 1]"},
        ).told("At its last step the backward network has read one input only. Where has it read everything?"),
        Wrong("the final state is taken from the last column", {"states, states[:, 0]": "states, states[:, -1]"}).told(
            "The last column is where reading backwards begins, and for a short sequence it is padding."
        ),
        Wrong("it reads forwards", {"reversed(range(time))": "range(time)", "states[::-1], dim": "states, dim"}).told(
            "This is h^f, the state that has seen the beginning. Which end does h^b start from?"
        ),
        Wrong("the bias is left out", {" + bias": ""}).told("There is one bias, added at every step."),
    ),
    hints=(
        "Walk t from time - 1 down to 0. What should the state be as long as t lies in a sequence's padding?",
        "torch.where(t < lengths, new, old), row by row, keeps a state where it was; a state that never moved is zero.",
        "After the loop the list of states runs from the last step to the first.",
    ),
    flags=(r"\bnn\.(RNN|LSTM|GRU)\b", r"\bflip_by_length\b", r"\bBidirectional\b"),
)


def merge_back(gradient: Tensor, h_f: Tensor, h_b: Tensor, merge: str) -> tuple[Tensor, Tensor]:
    """dL/dh_f and dL/dh_b, each (batch, time, hidden), from the gradient at the merged output."""
    if merge == "concatenate":
        return gradient.tensor_split([h_f.shape[-1]], dim=-1)
    if merge == "sum":
        return gradient, gradient
    return gradient * h_b, gradient * h_f


def merge_inputs(draw: Draw, merge: str) -> tuple:
    batch, time, hidden = draw.integer(2, 3), draw.integer(3, 5), draw.integer(2, 4)
    h_f, h_b = draw.normal(2, batch, time, hidden).unbind(0)
    width = 2 * hidden if merge == "concatenate" else hidden
    return draw.normal(batch, time, width), h_f, h_b, merge


MERGE = Question(
    id="7.2",
    title="Back through the merge",
    points=2,
    reference=merge_back,
    cases={
        "concatenated": (merge_inputs, "concatenate"),
        "summed": (merge_inputs, "sum"),
        "multiplied": (merge_inputs, "multiply"),
    },
    parts=("the gradient at the forward states", "the gradient at the backward states"),
    wrong=(
        Wrong(
            "the product's factors are exchanged", {"gradient * h_b, gradient * h_f": "gradient * h_f, gradient * h_b"}
        ).told("How much does the product h_f · h_b move when h_f moves by one? By the *other* factor."),
        Wrong(
            "the product passes the gradient on unchanged", {"gradient * h_b, gradient * h_f": "gradient, gradient"}
        ).told("A sum hands the gradient on as it is. A product scales it, for each entry differently."),
        Wrong(
            "the halves of the concatenation are exchanged",
            {"gradient.tensor_split([h_f.shape[-1]], dim=-1)": "gradient.tensor_split([h_f.shape[-1]], dim=-1)[::-1]"},
        ).told("The merged vector begins with the forward state."),
        Wrong(
            "the sum's gradient is shared out", {"return gradient, gradient": "return gradient / 2, gradient / 2"}
        ).told("A copy of the gradient goes to each summand: both of them move the sum one for one."),
    ),
    hints=(
        "Three cases: where did each entry of the merged vector come from, and how does it move when that moves?",
        "Check against autograd with random tensors: it is four lines.",
    ),
)
