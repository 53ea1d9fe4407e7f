"""Questions 8.1, 8.2 and 8.5: one deep step, a residual stack over time, and dropout in its two right places."""

import torch
from torch import Tensor

from rnncourse.grading.spec import Draw, Question, Wrong


def deep_step(
    x_t: Tensor, h: Tensor, weight_ih: Tensor, hidden: tuple[Tensor, ...], shortcuts: tuple[Tensor, ...]
) -> tuple[Tensor, Tensor, Tensor]:
    """z_1, z_2, h_t of a transition of three layers; x_t is (batch, input), h is (batch, hidden)."""
    W_1, W_2, W_3 = hidden
    S_2, S_3 = shortcuts
    z_1 = torch.tanh(x_t @ weight_ih.T + h @ W_1.T)
    z_2 = torch.tanh(z_1 @ W_2.T + h @ S_2.T)
    return z_1, z_2, torch.tanh(z_2 @ W_3.T + h @ S_3.T)


def step_inputs(draw: Draw, batch: int, units: int = 0) -> tuple:
    inputs, units = draw.integer(2, 4), units or draw.integer(3, 5)
    weights = tuple(draw.normal(units, units, scale=0.6) for _ in range(5))
    x_t, h = draw.normal(batch, inputs), draw.normal(batch, units)
    return x_t, h, draw.normal(units, inputs, scale=0.6), weights[:3], weights[3:]


STEP = Question(
    id="8.1",
    title="One step, three layers deep",
    points=2,
    reference=deep_step,
    cases={
        "a batch of three": (step_inputs, 3),
        "a batch of one": (step_inputs, 1),
        "one unit": (step_inputs, 2, 1),
    },
    parts=("z_1", "z_2", "h_t"),
    wrong=(
        Wrong("there are no shortcuts", {" + h @ S_2.T": "", " + h @ S_3.T": ""}).told(
            "This is the plain deep transition. Here the old state also reaches the second and the third layer."
        ),
        Wrong(
            "the shortcuts start from the first layer", {"h @ S_2.T": "z_1 @ S_2.T", "h @ S_3.T": "z_1 @ S_3.T"}
        ).told("A shortcut leads around the layers below it: it starts from the old state."),
        Wrong("the third layer reads the first", {"z_2 @ W_3.T": "z_1 @ W_3.T"}).told(
            "Each layer of the transition reads the layer right below it, and the old state beside it."
        ),
        Wrong(
            "the shortcut is added after the tanh", {"+ h @ S_2.T)": ") + h @ S_2.T", "+ h @ S_3.T)": ") + h @ S_3.T"}
        ).told("The old state's share belongs inside: the sum is squashed, so that h_t stays between -1 and 1."),
        Wrong("the last layer is linear", {"return z_1, z_2, torch.tanh(": "return z_1, z_2, ("}).told(
            "h_t is the third layer of the transition, and squashed like the others. Linear is only the output, V h_t."
        ),
        Wrong("the matrices are not transposed", {"z_1 @ W_2.T": "z_1 @ W_2", "z_2 @ W_3.T": "z_2 @ W_3"}).told(
            "Stored matrices have a row for each unit that they feed; with the batch first, that is x @ W.T."
        ),
        Wrong(
            "the matrices on the old state are not transposed",
            {"h @ W_1.T": "h @ W_1", "h @ S_2.T": "h @ S_2", "h @ S_3.T": "h @ S_3"},
        ).told("W_1 and the shortcuts are stored like the others, a row for each unit that they feed: h @ W.T."),
        Wrong(
            "no square matrix is transposed",
            {
                "h @ W_1.T": "h @ W_1",
                "z_1 @ W_2.T + h @ S_2.T": "z_1 @ W_2 + h @ S_2",
                "z_2 @ W_3.T + h @ S_3.T": "z_2 @ W_3 + h @ S_3",
            },
        ).told("A square matrix fits either way, and only one is right: x @ W.T, as for the inputs."),
    ),
    hints=(
        "Three lines, one for each layer. Which of the two old things, x_t and h, does each of them read?",
        "Only the first layer reads x_t. All three read h: the first through W_1, the others through their S.",
    ),
    flags=(r"\bDeepTransitionCell\b", r"\bdeep_rnn\b"),
)


def residual_stack(
    x: Tensor, h: Tensor, weights_ih: tuple[Tensor, ...], weights_hh: tuple[Tensor, ...]
) -> tuple[Tensor, Tensor]:
    """Outputs (batch, time, hidden) and last states (layers, batch, hidden); x is (batch, time, input)."""
    states = list(h)
    outputs = []
    for x_t in x.unbind(1):
        y = x_t
        for layer, (U, W) in enumerate(zip(weights_ih, weights_hh, strict=True)):
            states[layer] = torch.tanh(y @ U.T + states[layer] @ W.T)
            y = states[layer] + y if layer > 0 else states[layer]
        outputs.append(y)
    return torch.stack(outputs, dim=1), torch.stack(states)


def stack_inputs(draw: Draw, batch: int, time: int, layers: int, units: int = 0) -> tuple:
    units = units or draw.integer(2, 4)
    inputs = units  # as many, so that nothing but the wording says where the first residual stands
    weights_ih = tuple(draw.normal(units, inputs, scale=0.7) for _ in range(layers))
    weights_hh = tuple(draw.normal(units, units, scale=0.7) for _ in range(layers))
    return draw.normal(batch, time, inputs), draw.normal(layers, batch, units), weights_ih, weights_hh


STACK = Question(
    id="8.2",
    title="A residual stack",
    points=3,
    reference=residual_stack,
    cases={
        "two layers": (stack_inputs, 3, 5, 2),
        "three layers": (stack_inputs, 2, 4, 3),
        "one layer": (stack_inputs, 2, 3, 1),
        "one of everything but time": (stack_inputs, 1, 3, 2, 1),
    },
    parts=("the outputs", "the last states"),
    wrong=(
        Wrong("nothing is added", {"states[layer] + y if layer > 0 else states[layer]": "states[layer]"}).told(
            "That is the plain stack. From the second layer on, what a layer puts out is its state *plus* what it read."
        ),
        Wrong("the first layer adds its inputs, too", {" if layer > 0 else states[layer]": ""}).told(
            "Inputs and states have the same size here by chance. In general nothing at the first layer would fit."
        ),
        Wrong(
            "the residual is carried through time",
            {
                "y = states[layer] + y if layer > 0 else states[layer]": "y = states[layer] = states[layer] + y "
                "if layer > 0 else states[layer]"
            },
        ).told(
            "The sum goes up, to the next layer. To the right, to the next step, goes the state alone: otherwise W "
            "reads what came from below once more, and the state leaves [-1, 1]."
        ),
        Wrong(
            "the layer's state goes up, and only the top adds",
            {"if layer > 0 else": "if layer > 0 and layer == len(h) - 1 else"},
        ).told("Every layer from the second on hands the sum upwards, not only the last one."),
        Wrong(
            "the second layer reads the state of the step before",
            {"y = states[layer] + y if layer > 0": "y = h[layer] + y if layer > 0"},
        ).told("A layer reads what the one below has *just* made, at the same step."),
        Wrong("only the top layer's state is returned", {"torch.stack(states)": "states[-1]"}).told(
            "Every layer carries a state of its own, and all of them are needed to go on: (layers, batch, hidden)."
        ),
    ),
    hints=(
        "Two loops: time outside, layers inside. What travels up, and what travels to the right?",
        "Keep two variables apart: y, which each layer changes and hands on, and one state for each layer.",
    ),
    flags=(r"\bStacked\b", r"\bnn\.RNN\b"),
)


def dropped_layers(
    x: Tensor, weights_ih: tuple[Tensor, ...], weights_hh: tuple[Tensor, ...], between: Tensor, along: Tensor, p: float
) -> tuple[Tensor, Tensor]:
    """Outputs (batch, time, hidden) and last states (2, batch, hidden) of two layers with dropout in training."""
    (U_1, U_2), (W_1, W_2) = weights_ih, weights_hh
    lower, upper = torch.zeros_like(along)
    outputs = []
    for t, x_t in enumerate(x.unbind(1)):
        lower = torch.tanh(x_t @ U_1.T + (along[0] * lower / (1 - p)) @ W_1.T)
        read = between[:, t] * lower / (1 - p)
        upper = torch.tanh(read @ U_2.T + (along[1] * upper / (1 - p)) @ W_2.T)
        outputs.append(upper)
    return torch.stack(outputs, dim=1), torch.stack([lower, upper])


def mask_inputs(draw: Draw, batch: int, time: int) -> tuple:
    inputs, units, p = draw.integer(2, 3), draw.integer(4, 5), draw.number(0.3, 0.5)
    weights_ih = (draw.normal(units, inputs, scale=0.8), draw.normal(units, units, scale=0.8))
    weights_hh = tuple(draw.normal(units, units, scale=0.8) for _ in range(2))
    between = (draw.uniform(batch, time, units) >= p).float()
    along = (draw.uniform(2, batch, units) >= p).float()
    between[:, :, 0], along[:, :, 1] = 0.0, 0.0  # whatever the draw, something is dropped in each place
    between[:, :, 1], along[:, :, 0] = 1.0, 1.0
    return draw.normal(batch, time, inputs), weights_ih, weights_hh, between, along, p


MASKS = Question(
    id="8.5",
    title="Two right places for dropout",
    points=3,
    reference=dropped_layers,
    cases={
        "a batch of three": (mask_inputs, 3, 5),
        "one sequence": (mask_inputs, 1, 6),
        "two steps": (mask_inputs, 2, 2),
    },
    parts=("the outputs", "the last states"),
    wrong=(
        Wrong(
            "what is kept is not scaled up",
            {
                "(along[0] * lower / (1 - p))": "(along[0] * lower)",
                "between[:, t] * lower / (1 - p)": "between[:, t] * lower",
                "(along[1] * upper / (1 - p))": "(along[1] * upper)",
            },
        ).told("In training, what survives is divided by 1 - p, so that sums keep their size on average."),
        Wrong(
            "divided by p",
            {
                "lower / (1 - p)) @ W_1": "lower / p) @ W_1",
                "between[:, t] * lower / (1 - p)": "between[:, t] * lower / p",
                "upper / (1 - p)": "upper / p",
            },
        ).told("p is the probability of being *dropped*. What should the survivors be divided by?"),
        Wrong(
            "the top outputs are dropped", {"outputs.append(upper)": "outputs.append(between[:, t] * upper / (1 - p))"}
        ).told(
            "Between the layers means: on the way from the lower to the upper one. Nothing is dropped on the way out."
        ),
        Wrong(
            "the lower layer carries what was dropped",
            {"read = between[:, t] * lower / (1 - p)": "read = lower = between[:, t] * lower / (1 - p)"},
        ).told("The mask stands on the way *up*. To the right, the lower layer carries its whole state."),
        Wrong(
            "nothing is dropped along time",
            {"(along[0] * lower / (1 - p))": "lower", "(along[1] * upper / (1 - p))": "upper"},
        ).told("Only the way up is masked. The states on their way into W have masks, too: one for all steps."),
        Wrong("nothing is dropped between the layers", {"between[:, t] * lower / (1 - p)": "lower"}).told(
            "Only the way through time is masked. The way from the lower to the upper layer has a mask for each step."
        ),
        Wrong(
            "the masks of the two kinds of way are exchanged",
            {
                "(along[0] * lower / (1 - p))": "(between[:, t] * lower / (1 - p))",
                "read = between[:, t] * lower": "read = along[0] * lower",
            },
        ).told(
            "Look at the shapes: the mask with a time axis belongs to the way up, the one without to the way through "
            "time."
        ),
        Wrong("one mask between the layers for all steps", {"between[:, t]": "between[:, 0]"}).told(
            "Between the layers every step has its own mask; it is along time that one mask serves all steps."
        ),
    ),
    hints=(
        "Draw the two layers with their arrows: which arrows go up, which go to the right? Each kind has its own mask.",
        "A mask multiplies what *enters* a matrix. The state itself, which is carried on and returned, stays whole.",
        "Which of the two masks has an axis for time? That one is new at every step: which way does it belong to?",
    ),
    flags=(r"\bnn\.Dropout\b", r"\bF\.dropout\b", r"\bfunctional\b"),
)
