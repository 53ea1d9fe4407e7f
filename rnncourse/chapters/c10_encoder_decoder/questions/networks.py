"""Questions 10.1 to 10.3: what a forced decoder is given and asked, two networks in a row, and the way back."""

import torch
from torch import Tensor

from rnncourse.grading.spec import BY_AUTOGRAD, Draw, Question, Wrong


def teacher_forcing(targets: Tensor, lengths: Tensor, logits: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """What the decoder is given and what it is asked, both (batch, steps), and the mean loss in nats."""
    given, asked = targets[:, :-1], targets[:, 1:]
    counts = torch.arange(asked.shape[1]) < (lengths - 1)[:, None]  # (batch, steps)
    log_p = torch.log_softmax(logits, dim=-1)
    spoken = log_p.gather(-1, asked[..., None]).squeeze(-1)
    loss = -(spoken * counts).sum() / counts.sum()
    return given, asked, loss


def forcing_inputs(draw: Draw, batch: int, most: int) -> tuple:
    time, symbols = draw.integer(most - 2, most), draw.integer(5, 9)
    lengths = draw.integers(2, time, batch)  # marks included
    lengths[0], lengths[-1] = time, 3
    targets = draw.integers(3, 2 + symbols, batch, time)
    place = torch.arange(time)
    targets[:, 0] = 1
    targets[place == (lengths - 1)[:, None]] = 2
    targets[place >= lengths[:, None]] = 0
    return targets, lengths, draw.normal(batch, time - 1, 3 + symbols)


FORCING = Question(
    id="10.1",
    title="Teacher forcing",
    points=2,
    reference=teacher_forcing,
    cases={
        "three sequences": (forcing_inputs, 3, 8),
        "five sequences": (forcing_inputs, 5, 9),
        "two sequences": (forcing_inputs, 2, 7),
    },
    parts=("what the decoder is given", "what it is asked", "the loss"),
    wrong=(
        Wrong("it is asked what it was given", {"targets[:, 1:]": "targets[:, :-1]"}).told(
            "At each step the decoder hears one token and should say the *next* one."
        ),
        Wrong(
            "it is given what it is asked", {"given, asked = targets[:, :-1],": "given, asked = targets[:, 1:],"}
        ).told("The decoder would only have to repeat what it hears. What does it hear before it has said anything?"),
        Wrong("padding counts", {"< (lengths - 1)[:, None]": "< asked.shape[1]"}).told(
            "Given and asked are right. After its end mark a sequence asks nothing more."
        ),
        Wrong("the end mark does not count", {"(lengths - 1)[:, None]": "(lengths - 2)[:, None]"}).told(
            "Given and asked are right. Who never learns to say the end mark never stops."
        ),
        Wrong("one step too many counts", {"(lengths - 1)[:, None]": "lengths[:, None]"}).told(
            "A sequence of n tokens, marks included, asks n − 1 times: nobody is asked for the begin mark."
        ),
        Wrong(
            "every sequence weighs the same",
            {"(spoken * counts).sum() / counts.sum()": "((spoken * counts).sum(1) / counts.sum(1)).mean()"},
        ).told("The mean is over all tokens that count, wherever they stand, not over the means of sequences."),
        Wrong("the softmax is missing", {"torch.log_softmax(logits, dim=-1)": "logits"}).told(
            "Logits are scores, not yet log-probabilities."
        ),
    ),
    hints=(
        "Both are pieces of `targets`, each one step shorter.",
        "Which steps count: compare `torch.arange(steps)` with a column of numbers made of the lengths.",
    ),
    flags=(r"\bcross_entropy\b", r"\bnll_loss\b", r"\bteacher_forced\b"),
)


def encode_decode(
    x: Tensor, lengths: Tensor, y: Tensor, U: Tensor, W: Tensor, b: Tensor, U_d: Tensor, W_d: Tensor, b_d: Tensor
) -> tuple[Tensor, Tensor]:
    """The context (batch, hidden), sources read from their ends, and the decoder's states (batch, steps, hidden)."""
    h = torch.zeros(len(x), len(b))
    for t in reversed(range(x.shape[1])):
        new = torch.tanh(x[:, t] @ U.T + h @ W.T + b)
        h = torch.where((t < lengths)[:, None], new, h)  # a source that has not begun yet keeps its zeros
    context, states = h, []
    for t in range(y.shape[1]):
        h = torch.tanh(y[:, t] @ U_d.T + h @ W_d.T + b_d)
        states.append(h)
    return context, torch.stack(states, dim=1)


def unfold_inputs(draw: Draw, batch: int) -> tuple:
    time, steps, inputs, hidden = draw.integer(4, 6), draw.integer(3, 5), draw.integer(2, 3), draw.integer(2, 4)
    lengths = draw.lengths(batch, time) if batch > 1 else torch.tensor([time - 1])
    encoder, decoder = draw.rnn(inputs, hidden)[:3], draw.rnn(inputs, hidden)[:3]
    return draw.normal(batch, time, inputs), lengths, draw.normal(batch, steps, inputs), *encoder, *decoder


UNFOLD = Question(
    id="10.2",
    title="Fold and unfold",
    points=3,
    reference=encode_decode,
    cases={
        "three sources": (unfold_inputs, 3),
        "four sources": (unfold_inputs, 4),
        "one source, padded": (unfold_inputs, 1),
    },
    parts=("the context", "the decoder's states"),
    wrong=(
        Wrong("read from the beginning", {"reversed(range(x.shape[1]))": "range(x.shape[1])"}).told(
            "Here the source is read from its last symbol to its first, so that its beginning is fresh in memory."
        ),
        Wrong("padding is read", {"torch.where((t < lengths)[:, None], new, h)": "new"}).told(
            "What stands behind a source's end is not part of it. Until the reading gets there, the state is zero."
        ),
        Wrong(
            "flipped with its padding and read to its length",
            {"t in reversed(range(x.shape[1]))": "t in range(x.shape[1])", "x[:, t] @ U.T": "x[:, -1 - t] @ U.T"},
        ).told("Flipping the whole row brings the padding to the front. Flip each source within its own length."),
        Wrong("the decoder begins at zero", {"context, states = h, []": "context, states, h = h, [], 0 * h"}).told(
            "The context is right, and the decoder never sees it: what is its first state?"
        ),
        Wrong("the context at every step instead of the state", {"h @ W_d.T": "context @ W_d.T"}).told(
            "The context is where the decoder begins. From then on its own state goes on."
        ),
        Wrong(
            "one network does both",
            {"y[:, t] @ U_d.T + h @ W_d.T + b_d": "y[:, t] @ U.T + h @ W.T + b"},
        ).told("Encoder and decoder are two networks, each with weights of its own."),
        Wrong(
            "only the last state", {"torch.stack(states, dim=1)": "states[-1][:, None].expand(-1, len(states), -1)"}
        ).told("The decoder says something at every step: return its state at each of them."),
    ),
    hints=(
        "Walk through the padded steps from the last to the first; a source's state stays zero until t < length.",
        "The decoder is the same loop with other weights, forwards, and it begins where the encoder ended.",
    ),
    flags=(r"\bnn\.RNN\b", r"\bRNNCell\b"),
)


def context_gradient(dh: Tensor, states: Tensor, W: Tensor, C: Tensor) -> tuple[Tensor, Tensor]:
    """dL/ds by way of the decoder's first state, and by way of the context at every step, both (hidden,)."""
    carry, steps = torch.zeros_like(dh[0]), torch.zeros_like(dh[0])
    for dh_t, h_t in zip(dh.flip(0), states.flip(0), strict=True):
        delta = (dh_t + carry) * (1 - h_t**2)
        steps = steps + C.T @ delta
        carry = W.T @ delta
    return carry, steps


def back_inputs(draw: Draw, least: int, most: int) -> tuple:
    time, hidden, double = draw.integer(least, most), draw.integer(2, 4), {"dtype": torch.float64}
    states = draw.uniform(time, hidden, low=-0.9, high=0.9, **double)
    W, C = (draw.normal(hidden, hidden, **double) for _ in range(2))
    return draw.normal(time, hidden, **double), states, W, C


BACK = Question(
    id="10.3",
    title="Back into the context",
    points=3,
    reference=context_gradient,
    cases={"a few steps": (back_inputs, 3, 4), "more steps": (back_inputs, 5, 7), "one step": (back_inputs, 1, 1)},
    parts=("by way of the first state", "by way of every step"),
    tolerance=1e-8,
    wrong=(
        Wrong("the carry is dropped", {"(dh_t + carry)": "dh_t"}).told(
            "A state matters for its own output, and for all states after it."
        ),
        Wrong("the tanh's slope is missing", {" * (1 - h_t**2)": ""}).told(
            "Between a state and what it was made of stands a tanh. Its slope, written with the state: 1 − h²."
        ),
        Wrong(
            "the slope meets the output's share only",
            {"(dh_t + carry) * (1 - h_t**2)": "dh_t * (1 - h_t**2) + carry"},
        ).told("All that arrives at a state, from its output and from later, goes through its tanh."),
        Wrong("from the first step to the last", {"zip(dh.flip(0), states.flip(0),": "zip(dh, states,"}).told(
            "The gradient comes from the end: begin with the last step."
        ),
        Wrong("the matrices the wrong way round", {"C.T @ delta": "C @ delta", "W.T @ delta": "W @ delta"}).told(
            "Forwards W meets the state; backwards its transpose meets the delta."
        ),
        Wrong("only one step's share of C", {"steps + C.T @ delta": "C.T @ delta"}).told(
            "The first part is right. C brings the context in at *every* step, so all steps have a share."
        ),
        Wrong("C has its share in the carry", {"carry = W.T @ delta": "carry = W.T @ delta + C.T @ delta"}).told(
            "C leads to the context, not to the state before."
        ),
    ),
    hints=(
        "First delta, at each step: what arrives at the state, times the slope of its tanh.",
        "What the first step hands on through W lands at the first state, and that is the context.",
    ),
    flags=BY_AUTOGRAD,
)
