"""Questions 1.2, 1.4 and 1.5: what makes a network recurrent, one cell in three shapes, and Jordan's context."""

import torch

from rnncourse.grading.spec import Draw, Question, Wrong


def is_recurrent(adjacency):
    """adjacency is (units, units), with a 1 at (i, j) for an arrow from unit j to unit i; returns True or False."""
    paths = adjacency.bool()
    for _ in range(len(adjacency)):  # after n rounds: are there paths of n + 1 arrows? Only a cycle allows them.
        paths = (paths.double() @ adjacency.double()) > 0
    return bool(paths.any())


def network(draw: Draw, around: int, closed: bool) -> tuple:
    # Layers in which a path leads through `around` units; closed, its two ends change partners: the path's last unit
    # goes back to its first, and the unit before it straight on to the one after it. No unit has an arrow more or less.
    first, after, n = 2, 2 + around, 4 + around
    adjacency = (draw.uniform(n, n) < 0.5).float().tril(-1)
    adjacency[first:after, first:after] = torch.ones(around - 1).diag(-1)  # one way around, without short cuts
    adjacency[first, first - 1] = adjacency[after, after - 1] = not closed
    adjacency[first, after - 1] += closed
    adjacency[after, first - 1] = closed
    order = torch.randperm(n, generator=draw.generator)
    return (adjacency[order][:, order],)


AROUND = {1: "one unit", 2: "two units", 3: "three units", 4: "four units"}

RECURRENT = Question(
    id="1.2",
    title="Recurrent or not?",
    points=2,
    reference=is_recurrent,
    cases={f"a cycle of {units}": (network, around, True) for around, units in AROUND.items()}
    | {f"a path through {units}": (network, around, False) for around, units in AROUND.items()},
    wrong=(
        Wrong(
            "only pairs of units that feed each other (or themselves) are looked for",
            lambda adjacency: bool((adjacency.bool() & adjacency.T.bool()).any()),
        ).told(
            "A cycle can be longer than two: a ring of four units is recurrent, and no two of them feed each other."
        ),
        Wrong(
            "a unit that feeds itself is overlooked",
            lambda adjacency: is_recurrent(adjacency * (1 - torch.eye(len(adjacency)))),
        ).told("The shortest cycle is an arrow from a unit to itself: the diagonal counts."),
        Wrong(
            "only ways that return after exactly as many arrows as there are units are looked for",
            {"range(len(adjacency))": "range(len(adjacency) - 1)", "paths.any()": "paths.diagonal().any()"},
        ).told(
            "The diagonal of a power counts the ways that return after exactly so many arrows. A triangle among five "
            "units returns after three, six, nine. Look at all powers, or ask for ways of n arrows, returning or not."
        ),
        Wrong(
            "any arrow against the numbering counts as a cycle", lambda adjacency: bool(torch.triu(adjacency).any())
        ).told(
            "The numbers of the units mean nothing: a feedforward network stays feedforward when its units are "
            "numbered anew. Ask whether a signal can return, whatever the order."
        ),
    ),
    hints=(
        "Entry (i, j) of A @ A counts the paths of two arrows from j to i. Where do paths that return show up?",
        "A path without a cycle visits each of the n units at most once, so it has fewer than n arrows.",
    ),
)


def three_shapes(x, steps, weight_ih, weight_hh, bias, weight_hy):
    """x is (batch, time, input); returns (batch, output), (batch, time, output) and (batch, steps, output)."""
    h = x.new_zeros(x.shape[0], weight_hh.shape[0])
    read = []
    for x_t in x.unbind(1):
        h = torch.tanh(x_t @ weight_ih.T + h @ weight_hh.T + bias)
        read.append(h @ weight_hy.T)
    written = []
    for _ in range(steps):
        h = torch.tanh(h @ weight_hh.T + bias)
        written.append(h @ weight_hy.T)
    return read[-1], torch.stack(read, dim=1), torch.stack(written, dim=1)


def shapes_inputs(draw: Draw, batch: int) -> tuple:
    inputs, hidden, outputs = draw.integer(2, 4), draw.integer(3, 6), draw.integer(2, 3)
    weight_ih, weight_hh, bias, _ = draw.rnn(inputs, hidden)
    x = draw.normal(batch, draw.integer(4, 6), inputs)
    return x, draw.integer(2, 9), weight_ih, weight_hh, bias, draw.normal(outputs, hidden)


SHAPES = Question(
    id="1.4",
    title="One cell, three shapes",
    points=3,
    reference=three_shapes,
    cases={"a batch of three": (shapes_inputs, 3), "a batch of one": (shapes_inputs, 1)},
    parts=("many to one", "many to many, in step", "many to many, delayed"),
    wrong=(
        Wrong("the state is not carried from step to step", {" + h @ weight_hh.T": ""}).told(
            "Each step should start from the state that the step before it left; yours starts from zero every time."
        ),
        Wrong(
            "the bias is missing",
            {
                "x_t @ weight_ih.T + h @ weight_hh.T + bias": "x_t @ weight_ih.T + h @ weight_hh.T",
                "torch.tanh(h @ weight_hh.T + bias)": "torch.tanh(h @ weight_hh.T)",
            },
        ).told("The hidden layer has a bias, at every step, while it reads and while it writes."),
        Wrong(
            "the bias is missing while it writes", {"torch.tanh(h @ weight_hh.T + bias)": "torch.tanh(h @ weight_hh.T)"}
        ).told("Reading is right. When there is no input, only the input's term falls away; the bias stays."),
        Wrong("writing starts from an empty state", {"written = []": "written, h = [], torch.zeros_like(h)"}).told(
            "All that the network knows about the input when it starts to write is its last state. Keep it."
        ),
        Wrong(
            "the first answer is given while still reading",
            {"written = []": "written = [read[-1]]", "range(steps)": "range(steps - 1)"},
        ).told("In the delayed shape the last input step gives no output. The first output comes one step later."),
        Wrong("the one answer is read after the first step", {"read[-1]": "read[0]"}).told(
            "Many to one means: read everything, then answer. Which state has seen everything?"
        ),
    ),
    hints=(
        "One loop over the inputs is enough for the first two shapes, and its last state is where the third goes on.",
        "While it writes, the network takes no input: leave the input's term out of the sum.",
    ),
    flags=(r"\bnn\.RNN\b", r"\bRecurrent\b"),
)


def jordan(x, y_0, weight_ih, weight_yh, bias, weight_hy):
    """x is (batch, time, input), y_0 (batch, output); returns (batch, time, hidden) and (batch, time, output)."""
    y, hidden, outputs = y_0, [], []
    for x_t in x.unbind(1):
        h = torch.tanh(x_t @ weight_ih.T + y @ weight_yh.T + bias)
        y = torch.sigmoid(h @ weight_hy.T)
        hidden.append(h)
        outputs.append(y)
    return torch.stack(hidden, dim=1), torch.stack(outputs, dim=1)


def jordan_inputs(draw: Draw, batch: int) -> tuple:
    inputs, hidden = draw.integer(2, 4), draw.integer(3, 6)
    outputs = hidden  # as many outputs as hidden units, so that an Elman network fits into the same weights
    weight_ih, weight_yh, bias, _ = draw.rnn(inputs, hidden)
    x, y_0 = draw.normal(batch, draw.integer(3, 5), inputs), draw.uniform(batch, outputs)
    return x, y_0, weight_ih, weight_yh, bias, draw.normal(outputs, hidden)


JORDAN = Question(
    id="1.5",
    title="Jordan's context",
    points=2,
    reference=jordan,
    cases={"a batch of three": (jordan_inputs, 3), "a batch of one": (jordan_inputs, 1)},
    parts=("the hidden layers", "the outputs"),
    wrong=(
        Wrong("this is Elman's network", {"outputs.append(y)": "outputs.append(y); y = h"}).told(
            "You feed the hidden layer back. In Jordan's network it is the *output* that comes back."
        ),
        Wrong(
            "the score comes back, not the output", {"outputs.append(y)": "outputs.append(y); y = h @ weight_hy.T"}
        ).told("What the network put out, after the sigmoid, is what comes back."),
        Wrong("there is no sigmoid", {"torch.sigmoid(h @ weight_hy.T)": "h @ weight_hy.T"}).told(
            "The output is the sigmoid of the score, both where it is returned and where it is fed back."
        ),
        Wrong("the context is never renewed", {"y @ weight_yh": "y_0 @ weight_yh"}).told(
            "Each step should see the output of the step before it; yours sees y_0 at every step."
        ),
    ),
    hints=(
        "Take the loop of an Elman network and change what is carried.",
        "Three lines a step: the hidden layer from x_t and the context, the output from it, the new context.",
    ),
)
