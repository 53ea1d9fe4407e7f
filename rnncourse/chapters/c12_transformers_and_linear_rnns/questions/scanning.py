"""Questions 12.4 and 12.5: two steps joined and a scan by joining, and a minGRU over all of time."""

import torch
from torch import Tensor

from rnncourse.grading.spec import Draw, Question, Wrong


def joined(a: Tensor, b: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Factors and summands of all pairs of steps, and every state from zero; a and b are (time, hidden), time even."""
    a_1, a_2, b_1, b_2 = a[::2], a[1::2], b[::2], b[1::2]
    a_pair, b_pair = a_2 * a_1, a_2 * b_1 + b_2
    h = torch.zeros_like(b[0])
    states = []
    for first, factor, summand, start in zip(a_1, a_pair, b_pair, b_1, strict=True):
        states.append(first * h + start)  # the step in the middle of a pair, from the pair before
        h = factor * h + summand
        states.append(h)
    return a_pair, b_pair, torch.stack(states)


def pair_inputs(draw: Draw, pairs: int) -> tuple:
    hidden = draw.integer(2, 4)
    return draw.uniform(2 * pairs, hidden, low=-1.2, high=1.2), draw.normal(2 * pairs, hidden)


JOIN = Question(
    id="12.4",
    title="Two steps are one",
    points=3,
    reference=joined,
    cases={"eight steps": (pair_inputs, 4), "six steps": (pair_inputs, 3), "two steps": (pair_inputs, 1)},
    parts=("the factors", "the summands", "the states"),
    wrong=(
        Wrong("the summands are only added", {"a_2 * b_1 + b_2": "b_1 + b_2"}).told(
            "The first step's summand goes through the second step, too, and is multiplied there."
        ),
        Wrong("the first factor meets the second summand", {"a_2 * b_1 + b_2": "a_1 * b_2 + b_1"}).told(
            "Put one step into the other: a₂(a₁h + b₁) + b₂. Which factor stands before which summand?"
        ),
        Wrong("the factors are added", {"a_2 * a_1": "a_2 + a_1"}).told(
            "Put one step into the other: what stands before h?"
        ),
        Wrong(
            "neighbours overlap",
            lambda a, b: (a[1:] * a[:-1], a[1:] * b[:-1] + b[1:], joined(a, b)[2]),
        ).told("Each step belongs to one pair: steps 1 and 2, then 3 and 4."),
        Wrong(
            "a pair of halves",
            lambda a, b: joined(
                torch.stack([a[: len(a) // 2], a[len(a) // 2 :]], 1).flatten(0, 1),
                torch.stack([b[: len(b) // 2], b[len(b) // 2 :]], 1).flatten(0, 1),
            ),
        ).told("A pair is two *neighbours*. Yours takes one step from the first half and one from the second."),
        Wrong("only the states after a pair", {"states.append(first * h + start)": "states.append(h)"}).told(
            "The states after every pair are right. The one in the middle takes one step from the pair before."
        ),
    ),
    hints=(
        "Write the second step down, and put the first one into it.",
        "`a[::2]` are the first steps of all pairs, `a[1::2]` the second ones.",
    ),
    flags=(r"\blinear_scan\b",),
)


def min_gru(x: Tensor, h: Tensor, W_z: Tensor, b_z: Tensor, W_n: Tensor, b_n: Tensor) -> tuple[Tensor, ...]:
    """Gates, candidates and states (time, hidden); x is (time, input), h is (hidden,), each W is (hidden, input)."""
    z = torch.sigmoid(x @ W_z.T + b_z)
    n = x @ W_n.T + b_n
    states = []
    for z_t, n_t in zip(z, n, strict=True):
        h = (1 - z_t) * h + z_t * n_t
        states.append(h)
    return z, n, torch.stack(states)


def gru_inputs(draw: Draw, least: int, most: int) -> tuple:
    time, inputs, hidden = draw.integer(least, most), draw.integer(2, 4), draw.integer(2, 4)
    W_z, _, b_z, _ = draw.rnn(inputs, hidden)
    W_n, _, b_n, _ = draw.rnn(inputs, hidden)
    return draw.normal(time, inputs), draw.normal(hidden), W_z, b_z, W_n, b_n


MINGRU = Question(
    id="12.5",
    title="A gate that is blind to the state",
    points=2,
    reference=min_gru,
    cases={
        "some steps": (gru_inputs, 4, 6),
        "many steps": (gru_inputs, 9, 12),
        "one step": (gru_inputs, 1, 1),
    },
    parts=("the gates", "the candidates", "the states"),
    wrong=(
        Wrong("the gate keeps instead of replacing", {"(1 - z_t) * h + z_t * n_t": "z_t * h + (1 - z_t) * n_t"}).told(
            "That is PyTorch's convention. Here a gate of 1 replaces the state by the candidate."
        ),
        Wrong("the candidate is squashed", {"n = x @ W_n.T + b_n": "n = torch.tanh(x @ W_n.T + b_n)"}).told(
            "The minGRU's candidate is linear: no tanh."
        ),
        Wrong("the candidate is added whole", {"(1 - z_t) * h + z_t * n_t": "(1 - z_t) * h + n_t"}).told(
            "Gates and candidates are right. What is let in of the candidate is the gate's share."
        ),
        Wrong("the gate is not squashed", {"z = torch.sigmoid(x @ W_z.T + b_z)": "z = x @ W_z.T + b_z"}).told(
            "A gate is a share: it lies between 0 and 1."
        ),
        Wrong("starts from zero", {"    states = []": "    states, h = [], torch.zeros_like(h)"}).told(
            "Gates and candidates are right. The first step starts from the h that is given."
        ),
    ),
    hints=(
        "Gates and candidates of all steps come out of two matrix products, for neither looks at the state.",
        "Then h_t = (1 − z_t) ⊙ h_{t−1} + z_t ⊙ n_t, step by step.",
    ),
    flags=(r"\bMinGRUCell\b",),
)
