"""Questions 4.1 to 4.3 and 4.6: slopes, the product of Jacobians, its bound and asymptote, growth before decay."""

import torch
from torch import Tensor

from rnncourse.grading.spec import BY_AUTOGRAD, Draw, Question, Wrong


def slopes(a: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """The slopes of tanh, of the sigmoid and of ReLU at the pre-activations a."""
    h, s = torch.tanh(a), torch.sigmoid(a)
    return 1 - h**2, s * (1 - s), (a > 0).to(a.dtype)


def slope_inputs(draw: Draw, largest: float) -> tuple:
    return (draw.uniform(draw.integer(3, 4), draw.integer(5, 7), low=-largest, high=largest),)


def zeros_among_them(draw: Draw) -> tuple:
    (a,) = slope_inputs(draw, 2)
    a[draw.integers(0, len(a) - 1, 3), draw.integers(0, 4, 3)] = 0.0
    return (a,)


SLOPES = Question(
    id="4.1",
    title="Three slopes",
    points=2,
    reference=slopes,
    cases={
        "pre-activations of both signs": (slope_inputs, 4),
        "small pre-activations": (slope_inputs, 0.5),
        "zeros among them": zeros_among_them,
    },
    parts=("the slope of tanh", "the slope of the sigmoid", "the slope of ReLU"),
    wrong=(
        Wrong(
            "the formulas are applied to the pre-activations, not to the outputs",
            {"torch.tanh(a)": "a", "torch.sigmoid(a)": "a"},
        ).told("In 1 - h² the h is the unit's output. Which function turns the pre-activation into it?"),
        Wrong(
            "the activation is applied twice", {"tanh(a)": "tanh(a).tanh()", "sigmoid(a)": "sigmoid(a).sigmoid()"}
        ).told("You have the outputs already; the formulas want them as they are."),
        Wrong("the square is missing", {"h**2": "h"}).told("Try a = 0: the slope of tanh there is 1. And at -5?"),
        Wrong("the slope of ReLU at zero is taken to be one", {"(a > 0)": "(a >= 0)"}).told(
            "At zero itself ReLU has a corner, and a value has to be agreed on. Which one does the question take?"
        ),
        Wrong("values instead of slopes", {"1 - h**2, s * (1 - s), (a > 0).to(a.dtype)": "h, s, torch.relu(a)"}).told(
            "These are the activations themselves. The question is how fast they change."
        ),
    ),
    hints=(
        "Each slope can be written with the unit's own output, so compute that first.",
        "Check at a = 0: one for tanh, a quarter for the sigmoid.",
    ),
    flags=BY_AUTOGRAD,
)


def backward_norms(weight_hh: Tensor, h: Tensor) -> Tensor:
    """|| dh_T / dh_{T-n} || for n = 0 .. T-1; h is (time, hidden) and holds h_1 .. h_T."""
    product = torch.eye(len(weight_hh), dtype=weight_hh.dtype)  # (hidden, hidden)
    norms = [torch.linalg.matrix_norm(product, 2)]
    for h_t in h.flip(0)[:-1]:
        product = product @ torch.diag(h_t * (1 - h_t)) @ weight_hh  # one step further back
        norms.append(torch.linalg.matrix_norm(product, 2))
    return torch.stack(norms)


def product_inputs(draw: Draw, time: int) -> tuple:
    hidden = draw.integer(4, 6)
    weight_hh = draw.normal(hidden, hidden, scale=2.0, dtype=torch.float64)
    h, states = draw.uniform(hidden, low=0.1, high=0.9, dtype=torch.float64), []
    for _ in range(time):
        h = torch.sigmoid(weight_hh @ h + draw.normal(hidden, scale=0.7, dtype=torch.float64))
        states.append(h)
    return weight_hh, torch.stack(states)


PRODUCT = Question(
    id="4.2",
    title="The product of Jacobians",
    points=3,
    reference=backward_norms,
    cases={"eight steps": (product_inputs, 8), "four steps": (product_inputs, 4)},
    tolerance=1e-8,
    wrong=(
        Wrong("the walk starts at the first step", {"h.flip(0)[:-1]": "h[:-1]"}).told(
            "For n = 1 the only factor belongs to the last step. Which end of h do you begin at?"
        ),
        Wrong("the slope of tanh", {"h_t * (1 - h_t)": "1 - h_t**2"}).told(
            "This network's activation is the sigmoid. What is its slope, written with its output?"
        ),
        Wrong("the matrix is transposed", {"@ weight_hh": "@ weight_hh.T"}).told(
            "Entry (i, j) of the Jacobian is unit i now by unit j a step ago. So is entry (i, j) of W."
        ),
        Wrong("the older step stands on the left", {"product @ ": "", "@ weight_hh": "@ weight_hh @ product"}).told(
            "Walking back from T, each older step's Jacobian joins the product on the other side."
        ),
        Wrong(
            "the slopes stand on the wrong side of the weights",
            {"torch.diag(h_t * (1 - h_t)) @ weight_hh": "weight_hh @ torch.diag(h_t * (1 - h_t))"},
        ).told("The sigmoid comes after W on the way there, so on the way back the gradient meets the sigmoid first."),
        Wrong("the slopes are those of the step before", {"[:-1]": "[1:]"}).told(
            "The Jacobian of h_t by h_{t-1} holds the slope at h_t, the end of the step."
        ),
        Wrong("the slopes are left out", {"torch.diag(h_t * (1 - h_t)) @ ": ""}).told(
            "This is a linear network. What does the sigmoid multiply the gradient by?"
        ),
        Wrong(
            "norms are multiplied instead of matrices", {"product @ ": "", "stack(norms)": "stack(norms).cumprod(0)"}
        ).told("The product of the norms is a bound. The question asks for the norm of the product."),
        Wrong("another norm", {"product, 2)]": "product)]", "product, 2))": "product))"}).told(
            "For n = 0 the matrix is the identity, which stretches nothing: its norm should be 1."
        ),
    ),
    hints=(
        "Keep one matrix, the product so far, and multiply one more Jacobian onto it for each step back.",
        "For n = 1 the only factor is the Jacobian of the last step, and it holds the slopes at h_T.",
    ),
    flags=(*BY_AUTOGRAD, r"\bdiagnostics\b"),
)


def bound_and_asymptote(weight_hh: Tensor, gamma: float, lags: int) -> tuple[Tensor, Tensor]:
    """The bound (gamma sigma_max)^n and the asymptote rho^n for n = 0 .. lags."""
    n = torch.arange(lags + 1, dtype=weight_hh.dtype)
    sigma = torch.linalg.matrix_norm(weight_hh, 2)
    rho = torch.linalg.eigvals(weight_hh).abs().max()
    return (gamma * sigma) ** n, rho**n


def bound_inputs(draw: Draw, gamma: float, *, turning: bool = False) -> tuple:
    hidden = draw.integer(4, 6)
    matrix = draw.normal(hidden, hidden, scale=0.5, dtype=torch.float64)
    if turning:  # eigenvalues far from the real axis
        matrix = matrix - matrix.T + 0.1 * matrix
    return matrix, gamma, draw.integer(4, 7)


BOUND = Question(
    id="4.3",
    title="Bound and asymptote",
    points=2,
    reference=bound_and_asymptote,
    cases={
        "tanh": (bound_inputs, 1.0),
        "sigmoid": (bound_inputs, 0.25),
        "tanh, and a matrix that mostly turns": lambda draw: bound_inputs(draw, 1.0, turning=True),
    },
    parts=("the bound", "the asymptote"),
    tolerance=1e-8,
    wrong=(
        Wrong("the bound is taken from the eigenvalues", {"gamma * sigma": "gamma * rho"}).told(
            "A famous paper's first version says so too. Eigenvalues do not say how far a matrix can stretch a vector."
        ),
        Wrong("gamma is forgotten", {"gamma * sigma": "sigma"}).told(
            "For the sigmoid no slope is larger than a quarter."
        ),
        Wrong("gamma is in the asymptote, too", {"rho**n": "(gamma * rho) ** n"}).told(
            "The asymptote is about the powers of W alone, where every slope is one. Gamma belongs to the other answer."
        ),
        Wrong("the Frobenius norm instead of the largest singular value", {"weight_hh, 2)": "weight_hh)"}).told(
            "It is a bound, but not the sharp one: it adds up all singular values' squares."
        ),
        Wrong("real parts instead of moduli", {".abs()": ".real"}).told(
            "Eigenvalues of a real matrix come in complex pairs. What counts is how long they are."
        ),
        Wrong("the asymptote is taken from the singular values", {"rho**n": "sigma**n"}).told(
            "In the long run the factor per step of the powers of W tends to the largest modulus of an eigenvalue."
        ),
    ),
    hints=(
        "Two numbers decide everything: one singular value and one eigenvalue. Then it is powers.",
        "torch.linalg has both; eigenvalues may be complex.",
    ),
)


def transient(weight_hh: Tensor, steps: int) -> tuple[float, int, int]:
    """The largest norm of W^n, where it is, and the first n after it with a norm below one (or -1)."""
    power, norms = torch.eye(len(weight_hh), dtype=weight_hh.dtype), []
    for _ in range(steps + 1):
        norms.append(torch.linalg.matrix_norm(power, 2).item())
        power = power @ weight_hh
    peak = norms.index(max(norms))
    below = next((n for n in range(peak + 1, len(norms)) if norms[n] < 1), -1)
    return norms[peak], peak, below


def chain(draw: Draw) -> tuple:
    # So various that neither the size nor a rough guess of the numbers says where the peak is.
    size, keep, pass_on = draw.integer(6, 12), draw.number(0.5, 0.75), draw.number(0.8, 1.4)
    one = torch.ones(size, dtype=torch.float64)
    return torch.diag(keep * one) + torch.diag(pass_on * one[1:], 1), draw.integer(180, 260)


def rotation(draw: Draw) -> tuple:
    size = draw.integer(4, 6)
    turn, _ = torch.linalg.qr(draw.normal(size, size, dtype=torch.float64))
    return draw.number(0.8, 0.95) * turn, draw.integer(3, 260)  # whatever the number of steps, it shrinks at once


def growing(draw: Draw) -> tuple:
    matrix, _ = chain(draw)
    return matrix, draw.integer(3, len(matrix) // 2 + 1)


START = "torch.eye(len(weight_hh), dtype=weight_hh.dtype)"

TRANSIENT = Question(
    id="4.6",
    title="Growth before decay",
    points=3,
    reference=transient,
    cases={
        "a chain": chain,
        "a shrinking rotation": rotation,
        "a chain that is still growing": growing,
    },
    parts=("the largest norm", "where it is", "where it is below one again"),
    tolerance=1e-6,
    wrong=(
        Wrong(
            "powers of the spectral radius",
            {"matrix_norm(power, 2).item()": "eigvals(weight_hh).abs().max().item() ** len(norms)"},
        ).told("This is the asymptote. It never sees the bump; the matrices themselves have to be multiplied."),
        Wrong("powers of the largest singular value", {"power, 2).item()": "weight_hh, 2).item() ** len(norms)"}).told(
            "This is the bound. It never comes down again when it starts above one."
        ),
        Wrong("a distance in place of n", {"peak, below": "peak, below - peak if below >= 0 else below"}).told(
            "The third answer is the n itself where the norm is below one, not how far it lies from the peak."
        ),
        Wrong("n = 0 is left out", {"max(norms)": "max(norms[1:])"}).told(
            "The powers begin with n = 0, the identity. For a matrix that only shrinks, that is the peak."
        ),
        Wrong("the first power is counted as n = 0", {START: "weight_hh", "steps + 1": "steps"}).told(
            "For n = 0 the power is the identity; the matrix itself is n = 1."
        ),
        Wrong("entries are raised to the power", {START: "torch.ones_like(weight_hh)", "power @": "power *"}).told(
            "W ** n raises every entry to the n-th power. A matrix power multiplies matrices."
        ),
        Wrong("another norm", {"power, 2)": "power)"}).told(
            "For n = 0 the power is the identity, which stretches nothing: its norm should be 1."
        ),
    ),
    hints=(
        "Keep the power so far and multiply by the matrix once more at every step; collect the norms from n = 0 on.",
        "Look for the first norm below one only after the peak, and answer -1 if there is none.",
    ),
    flags=(*BY_AUTOGRAD, r"\bdiagnostics\b"),
)
