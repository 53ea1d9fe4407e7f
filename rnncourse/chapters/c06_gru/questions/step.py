"""Questions 6.1 to 6.3: one step of the GRU as published, with somebody else's weights, and backwards."""

import torch
from torch import Tensor

from rnncourse.grading.spec import BY_AUTOGRAD, Draw, Question, Wrong


def gru_step(x_t: Tensor, h: Tensor, weight_ih: Tensor, weight_hh: Tensor, bias: Tensor) -> tuple[Tensor, ...]:
    """r, z, n, h_t; x_t is (batch, input), h is (batch, hidden)."""
    x_r, x_z, x_n = (x_t @ weight_ih.T + bias).chunk(3, dim=1)
    W_r, W_z, W_n = weight_hh.chunk(3)
    r, z = torch.sigmoid(x_r + h @ W_r.T), torch.sigmoid(x_z + h @ W_z.T)
    n = torch.tanh(x_n + (r * h) @ W_n.T)
    return r, z, n, (1 - z) * h + z * n


def step_inputs(draw: Draw, batch: int, sizes: tuple[int, int] | None = None) -> tuple:
    inputs, hidden = sizes or (draw.integer(2, 4), draw.integer(3, 5))
    weight_ih, weight_hh, bias, _ = draw.rnn(inputs, hidden, gates=3)
    return draw.normal(batch, inputs), draw.normal(batch, hidden), weight_ih, weight_hh, bias


STEP = Question(
    id="6.1",
    title="One step, as published",
    points=2,
    reference=gru_step,
    cases={
        "a batch of three": (step_inputs, 3),
        "a batch of one": (step_inputs, 1),
        "one input and one unit": (step_inputs, 2, (1, 1)),
    },
    parts=("the reset gate r", "the update gate z", "the candidate n", "h_t"),
    wrong=(
        Wrong(
            "the chapter's own GRU, which is PyTorch's",
            {"(r * h) @ W_n.T": "r * (h @ W_n.T)", "(1 - z) * h + z * n": "z * h + (1 - z) * n"},
        ).told("The question's GRU differs from PyTorch's in two places: where r acts, and which share z stands for."),
        Wrong("the reset comes after the product", {"(r * h) @ W_n.T": "r * (h @ W_n.T)"}).told(
            "That is PyTorch's form. Here the old state is reset first, and the matrix sees what is left of it."
        ),
        Wrong("the reset gate scales the input's share, too", {"x_n + (r * h) @ W_n.T": "r * (x_n + h @ W_n.T)"}).told(
            "The reset gate decides how much of the *past* the candidate sees. The input is always seen."
        ),
        Wrong("the reset gate is not used", {"(r * h)": "h"}).told("r is right, but nothing depends on it."),
        Wrong("the blend is the wrong way round", {"(1 - z) * h + z * n": "z * h + (1 - z) * n"}).told(
            "That is PyTorch's convention. In the equations of this question an update gate of one *replaces*."
        ),
        Wrong("the rows are read in the order z, r, n", {"x_r, x_z,": "x_z, x_r,", "W_r, W_z,": "W_z, W_r,"}).told(
            "Some libraries store them so. Here the order is PyTorch's: reset first."
        ),
        Wrong("the candidate goes through the sigmoid", {"torch.tanh": "torch.sigmoid"}).told(
            "r and z are gates. The candidate is a proposal for a state, and may be negative."
        ),
    ),
    hints=(
        "r and z can be computed together; n has to wait for r.",
        "weight_hh.chunk(3) gives three square matrices. The third one meets a state that r has already scaled.",
    ),
    flags=(r"\bgru_(trace|cell|sequence)\b", r"\bfunctional\b", r"\bGRUCell\b", r"\bnn\.GRU\b"),
)


def adopt_gru(w_i: Tensor, w_h: Tensor, b: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """weight_ih (3*hidden, input), weight_hh (3*hidden, hidden) and a bias (3*hidden,), rows r, z, n."""

    def turned(columns: Tensor) -> Tensor:
        z, r, n = columns.chunk(3, dim=-1)
        return torch.cat([r, -z, n], dim=-1).T  # 1 - sigmoid(a) is sigmoid(-a)

    return turned(w_i), turned(w_h), turned(b[None]).flatten()


def foreign_inputs(draw: Draw, sizes: tuple[int, int] | None = None) -> tuple:
    inputs, hidden = sizes or (draw.integer(1, 2), draw.integer(3, 4))
    return draw.normal(inputs, 3 * hidden), draw.normal(hidden, 3 * hidden), draw.normal(3 * hidden)


ADOPT = Question(
    id="6.2",
    title="Somebody else's blend",
    points=2,
    reference=adopt_gru,
    cases={
        "more units than inputs": foreign_inputs,
        "as many inputs as units": (foreign_inputs, (3, 3)),
        "one input and one unit": (foreign_inputs, (1, 1)),
    },
    parts=("weight_ih", "weight_hh", "the bias"),
    wrong=(
        Wrong("the order is changed, the blend is not", {"-z": "z"}).told(
            "With these weights z still means *replace*. One minus a sigmoid is a sigmoid again: of what?"
        ),
        Wrong("the blend is changed, the order is not", {"[r, -z, n]": "[-z, r, n]"}).told(
            "The sign of the right block is turned, but the blocks still stand in the other library's order."
        ),
        Wrong(
            "the update gate's bias keeps its sign",
            {"turned(b[None])": "torch.stack([b.chunk(3)[k] for k in (1, 0, 2)])"},
        ).told("The whole pre-activation has to change its sign, and the bias is part of it."),
        Wrong("the reset gate is negated instead", {"[r, -z, n]": "[-r, z, n]"}).told(
            "Which of the two gates blends old and new? In the other library it comes first."
        ),
        Wrong("one minus the weights", {"-z": "1 - z"}).told(
            "It is the *gate* that becomes one minus itself. What has to happen to its pre-activation?"
        ),
    ),
    hints=(
        "Two repairs: the order of the blocks, and the meaning of z. Columns there are rows here.",
        "Find out what 1 - sigmoid(a) is, for a = 2 say, and for which number the sigmoid gives just that.",
    ),
)


def gru_step_back(
    dh_t: Tensor, r: Tensor, z: Tensor, n: Tensor, p: Tensor, h: Tensor, weight_hh: Tensor
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """delta_r, delta_z, delta_n, dL/dh_{t-1}; weight_hh is (3*hidden, hidden), rows r, z, n."""
    delta_n = dh_t * (1 - z) * (1 - n**2)
    delta_z = dh_t * (h - n) * z * (1 - z)  # a larger z moves h_t from n towards h
    delta_r = delta_n * p * r * (1 - r)
    into_products = torch.cat([delta_r, delta_z, delta_n * r], dim=1)  # (batch, 3 * hidden); p is scaled by r
    return delta_r, delta_z, delta_n, dh_t * z + into_products @ weight_hh


def back_inputs(draw: Draw, batch: int, units: int = 0) -> tuple:
    double = {"dtype": torch.float64}
    units = units or draw.integer(3, 5)
    dh_t, p, h = (draw.normal(batch, units, **double) for _ in range(3))
    r, z = (draw.uniform(batch, units, low=0.1, high=0.9, **double) for _ in range(2))
    n = draw.uniform(batch, units, low=-0.9, high=0.9, **double)
    return dh_t, r, z, n, p, h, draw.normal(3 * units, units, **double)


BACK = Question(
    id="6.3",
    title="One step back",
    points=4,
    reference=gru_step_back,
    cases={"a batch of three": (back_inputs, 3), "a batch of one": (back_inputs, 1), "one unit": (back_inputs, 2, 1)},
    parts=("delta_r", "delta_z", "delta_n", "the gradient at the old state"),
    tolerance=1e-8,
    wrong=(
        Wrong("the direct way is missing", {"dh_t * z + ": ""}).told(
            "The deltas are right. But the blend also hands a share of the old state straight on: no matrix, no tanh."
        ),
        Wrong("the way through the reset gate is missing", {"[delta_r": "[0 * delta_r"}).told(
            "The deltas are right. Had h been a little different, r would have been, too."
        ),
        Wrong("the way through the update gate is missing", {"delta_z, delta_n *": "0 * delta_z, delta_n *"}).told(
            "The deltas are right. Had h been a little different, z would have been, too."
        ),
        Wrong("the way through the candidate is missing", {"delta_n * r]": "0 * delta_n]"}).told(
            "The deltas are right. The candidate has seen the old state, through W_n."
        ),
        Wrong("on the way through the candidate the reset gate is forgotten", {"delta_n * r]": "delta_n]"}).told(
            "From the candidate's pre-activation to p the gradient passes the product r ⊙ p."
        ),
        Wrong("delta_z has the wrong sign", {"(h - n)": "(n - h)"}).told(
            "When z grows, h_t moves towards the old state. Which difference is that?"
        ),
        Wrong(
            "the backward pass of the other blend",
            {"dh_t * (1 - z)": "dh_t * z", "(h - n)": "(n - h)", "dh_t * z +": "dh_t * (1 - z) +"},
        ).told("This is right for (1 - z) h + z n. The question has PyTorch's blend, (1 - z) n + z h."),
        Wrong(
            "the matrices are used the wrong way round",
            {"@ weight_hh": "@ torch.cat([W.T for W in weight_hh.chunk(3)])"},
        ).told("Forwards, rows of a batch meet each block's transpose. Backwards they meet the block itself."),
    ),
    hints=(
        "Start at h_t = (1 - z) n + z h, and ask of each letter on the right how h_t changes with it.",
        "Then n = tanh(… + r ⊙ p): r matters through p, and p through r.",
        "h stands in four places: in the blend, in z, in r, and in p. Their contributions add up.",
    ),
    flags=BY_AUTOGRAD,
)
