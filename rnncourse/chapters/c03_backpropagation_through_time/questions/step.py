"""Questions 3.1 to 3.3: through the tanh, one step back, and many steps back."""

from functools import partial

import torch

from rnncourse.grading.spec import BY_AUTOGRAD, Draw, Question, Wrong


def through_tanh(h_t, dh_t):
    """h_t and dh_t are (batch, hidden), h_t = tanh(a_t); returns the derivative with respect to a_t."""
    return (1 - h_t**2) * dh_t


def slope_inputs(draw: Draw) -> tuple:
    normal = partial(draw.normal, draw.integer(2, 4), draw.integer(3, 6), dtype=torch.float64)
    return torch.tanh(normal()), normal()


SLOPE = Question(
    id="3.1",
    title="Through the tanh",
    points=1,
    reference=through_tanh,
    cases={"a batch of states": slope_inputs},
    tolerance=1e-8,
    wrong=(
        Wrong("tanh is applied once more", {"h_t**2": "torch.tanh(h_t) ** 2"}).told(
            "You are given h_t, which already is tanh(a_t). Its slope at a_t can be written with h_t alone."
        ),
        Wrong("the square is missing", {"h_t**2": "h_t"}).told(
            "At a_t = 0 the slope of tanh is 1, and far out on either side it goes to 0, also where h_t is near -1."
        ),
        Wrong("the slope of the sigmoid", {"(1 - h_t**2)": "h_t * (1 - h_t)"}).told(
            "s(1 - s) is the slope of the sigmoid. This network has a tanh."
        ),
    ),
    hints=("What is the derivative of tanh(a), written with tanh(a)?", "One line: an entrywise product."),
    flags=(*BY_AUTOGRAD, r"\bbptt\b"),
)


def backward_step(dy_t, carry, h_t, h_before, weight_hh, weight_hy):
    """One step of the backward pass: dh_t, delta_t, this step's part of dW, and the carry for the step before."""
    dh_t = dy_t @ weight_hy + carry
    delta_t = (1 - h_t**2) * dh_t
    return dh_t, delta_t, delta_t.T @ h_before, delta_t @ weight_hh


def step_back_inputs(draw: Draw, batch: int) -> tuple:
    hidden, outputs, normal = draw.integer(3, 5), draw.integer(2, 4), partial(draw.normal, dtype=torch.float64)
    h_t, h_before = torch.tanh(normal(batch, hidden)), torch.tanh(normal(batch, hidden))
    dy_t, carry = normal(batch, outputs), normal(batch, hidden)
    return dy_t, carry, h_t, h_before, normal(hidden, hidden), normal(outputs, hidden)


STEP_BACK = Question(
    id="3.2",
    title="One step back",
    points=3,
    reference=backward_step,
    cases={"a batch of three": (step_back_inputs, 3), "a batch of one": (step_back_inputs, 1)},
    parts=("dh_t", "delta_t", "this step's dW", "the carry for the step before"),
    tolerance=1e-8,
    wrong=(
        Wrong("the carry is dropped", {" + carry": ""}).told(
            "h_t matters in two ways: through y_t, and through every later step. The second way arrives as the carry."
        ),
        Wrong("the slope of tanh is missing", {"(1 - h_t**2) * ": ""}).told(
            "dh_t is what the loss says about h_t. The weights act before the tanh."
        ),
        Wrong("the carry goes through W transposed", {"delta_t @ weight_hh": "delta_t @ weight_hh.T"}).told(
            "The forward step multiplies rows by the transpose of weight_hh. What does the backward step multiply by?"
        ),
        Wrong("rows and columns of dW are exchanged", {"delta_t.T @ h_before": "h_before.T @ delta_t"}).told(
            "Row i of W feeds unit i, so row i of dW belongs to unit i of delta. The shape cannot tell: W is square."
        ),
        Wrong("dW is taken with the state after the step", {"@ h_before": "@ h_t"}).told(
            "W was multiplied with the state from before the step."
        ),
    ),
    hints=(
        "Four lines, in the order of the answer; each uses the one above it.",
        "dh_t: h_t acts on the loss in two ways, through y_t and through the next state. Their credits add up.",
        "this step's dW: which two vectors meet in W, the one it is multiplied with, and the one it makes?",
        "the carry for the step before: what reached the scores goes back through W to the state before the step.",
        "Check the shapes: dW has W's shape, the carry has h's.",
    ),
    flags=(*BY_AUTOGRAD, r"\bbptt\b"),
)


def state_jacobian(h, k, t, weight_hh):
    """h is (states, hidden), and h[0] is h_0; returns the derivatives of h_t with respect to h_k, (hidden, hidden)."""
    jacobian = torch.eye(len(weight_hh), dtype=weight_hh.dtype)
    for j in range(k + 1, t + 1):
        jacobian = (1 - h[j] ** 2)[:, None] * weight_hh @ jacobian
    return jacobian


def jacobian_inputs(draw: Draw, fewest: int, most: int) -> tuple:
    # k is drawn by itself, and the states go on for long enough: their number says neither k nor t.
    hidden, k, normal = draw.integer(3, 4), draw.integer(0, 9), partial(draw.normal, dtype=torch.float64)
    states = torch.tanh(normal(draw.integer(16, 19), hidden))
    return states, k, k + draw.integer(fewest, most), normal(hidden, hidden)


JACOBIAN = Question(
    id="3.3",
    title="From h_k to h_t",
    points=2,
    reference=state_jacobian,
    cases={
        "some steps": (jacobian_inputs, 2, 5),
        "no step at all": (jacobian_inputs, 0, 0),
        "one step": (jacobian_inputs, 1, 1),
    },
    tolerance=1e-8,
    wrong=(
        Wrong("the factors are in the opposite order", {"range(k + 1, t + 1)": "range(t, k, -1)"}).told(
            "Matrices do not commute. The chain rule puts the newest step on the left: dh_4/dh_3 times dh_3/dh_2."
        ),
        Wrong("the slopes of the older states are used", {"range(k + 1, t + 1)": "range(k, t)"}).told(
            "The slope in dh_j/dh_(j-1) is that of the tanh which *made* h_j."
        ),
        Wrong("the slope scales columns instead of rows", {"[:, None]": "[None, :]"}).told(
            "Unit i of h_j has one slope, and it multiplies all derivatives *of* that unit: row i."
        ),
    ),
    hints=(
        "From h_k to itself the derivative is the identity matrix. Start there.",
        "One factor for each j from k + 1 to t: the Jacobian of one step. Each new one goes to the left of the others.",
    ),
    flags=(*BY_AUTOGRAD, r"\bbptt\b"),
)
