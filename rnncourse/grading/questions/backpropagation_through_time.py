"""Chapter 3's questions: the slope, one step back, a product of Jacobians, a leaky layer, truncation, and RTRL."""

import torch
from torch import Tensor

from rnncourse.grading.spec import Draw, Question, Wrong

DOUBLE = torch.float64


# --- 3.1: through the tanh -----------------------------------------------------------------------------------------


def through_tanh(h_t: Tensor, dh_t: Tensor) -> Tensor:
    """The loss's derivative with respect to a_t, given h_t = tanh(a_t) and the derivative with respect to h_t."""
    return (1 - h_t**2) * dh_t


def _slope_inputs(draw: Draw) -> tuple:
    shape = draw.integer(2, 4), draw.integer(3, 6)
    return torch.tanh(draw.normal(*shape, dtype=DOUBLE)), draw.normal(*shape, dtype=DOUBLE)


SLOPE = Question(
    id="3.1",
    title="Through the tanh",
    name="through_tanh",
    points=1,
    reference=through_tanh,
    cases={"a batch of states": _slope_inputs},
    tolerance=1e-8,
    wrong=(
        Wrong(
            "tanh is applied once more",
            lambda h_t, dh_t: (1 - torch.tanh(h_t) ** 2) * dh_t,
            "You are given h_t, which already is tanh(a_t). Its slope at a_t can be written with h_t alone.",
        ),
        Wrong(
            "the square is missing",
            lambda h_t, dh_t: (1 - h_t) * dh_t,
            "At a_t = 0 the slope of tanh is 1, and far out on either side it goes to 0, also where h_t is near -1.",
        ),
        Wrong(
            "the slope of the sigmoid",
            lambda h_t, dh_t: h_t * (1 - h_t) * dh_t,
            "s(1 - s) is the slope of the sigmoid. This network has a tanh.",
        ),
    ),
    hints=("What is the derivative of tanh(a), written with tanh(a)?", "One line: an entrywise product."),
)

# --- 3.2: one step back --------------------------------------------------------------------------------------------


def backward_step(
    dy_t: Tensor, carry: Tensor, h_t: Tensor, h_before: Tensor, weight_hh: Tensor, weight_hy: Tensor
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """One step of the backward pass: dh_t, delta_t, this step's part of dW, and what the step before is handed."""
    return _backward_step(dy_t, carry, h_t, h_before, weight_hh, weight_hy)


def _backward_step(dy_t, carry, h_t, h_before, weight_hh, weight_hy, *, use=1.0, slope=True, carry_weight=None):
    dh_t = dy_t @ weight_hy + use * carry
    delta_t = (1 - h_t**2) * dh_t if slope else dh_t
    return dh_t, delta_t, delta_t.T @ h_before, delta_t @ (weight_hh if carry_weight is None else carry_weight)


def _step_back_inputs(batch: int):
    def make(draw: Draw) -> tuple:
        hidden, outputs = draw.integer(3, 5), draw.integer(2, 4)
        h_t, h_before = (torch.tanh(draw.normal(batch, hidden, dtype=DOUBLE)) for _ in range(2))
        dy_t, carry = draw.normal(batch, outputs, dtype=DOUBLE), draw.normal(batch, hidden, dtype=DOUBLE)
        weight_hh = draw.normal(hidden, hidden, dtype=DOUBLE)
        return dy_t, carry, h_t, h_before, weight_hh, draw.normal(outputs, hidden, dtype=DOUBLE)

    return make


def _step_without_carry(*arguments):
    return _backward_step(*arguments, use=0.0)


def _step_without_slope(*arguments):
    return _backward_step(*arguments, slope=False)


def _step_transposed(dy_t, carry, h_t, h_before, weight_hh, weight_hy):
    return _backward_step(dy_t, carry, h_t, h_before, weight_hh, weight_hy, carry_weight=weight_hh.T)


def _step_late_state(dy_t, carry, h_t, h_before, weight_hh, weight_hy):
    dh_t, delta_t, _, before = _backward_step(dy_t, carry, h_t, h_before, weight_hh, weight_hy)
    return dh_t, delta_t, delta_t.T @ h_t, before


def _step_outer_product_turned(*arguments):
    dh_t, delta_t, dW, before = _backward_step(*arguments)
    return dh_t, delta_t, dW.T, before


STEP_BACK = Question(
    id="3.2",
    title="One step back",
    name="backward_step",
    points=3,
    reference=backward_step,
    cases={"a batch of three": _step_back_inputs(3), "a batch of one": _step_back_inputs(1)},
    parts=("dh_t", "delta_t", "this step's dW", "the carry for the step before"),
    tolerance=1e-8,
    wrong=(
        Wrong(
            "the carry is dropped",
            _step_without_carry,
            "h_t matters in two ways: through y_t, and through every later step. The second way arrives as the carry.",
        ),
        Wrong(
            "the slope of tanh is missing",
            _step_without_slope,
            "dh_t is what the loss says about h_t. The weights act before the tanh.",
        ),
        Wrong(
            "the carry goes through W transposed",
            _step_transposed,
            "The forward step multiplies rows by the transpose of weight_hh. What does the backward step multiply by?",
        ),
        Wrong(
            "rows and columns of dW are exchanged",
            _step_outer_product_turned,
            "Row i of W feeds unit i, so row i of dW belongs to unit i of delta. The shape cannot tell: W is square.",
        ),
        Wrong(
            "dW is taken with the state after the step",
            _step_late_state,
            "W was multiplied with the state from before the step.",
        ),
    ),
    hints=(
        "Four lines, in the order of the answer; each uses the one above it.",
        "Check the shapes: dW has W's shape, the carry has h's.",
    ),
)

# --- 3.3: a product of Jacobians -----------------------------------------------------------------------------------


def state_jacobian(h: Tensor, k: int, t: int, weight_hh: Tensor) -> Tensor:
    """The matrix of derivatives of h_t with respect to h_k, for one sequence; h[0] is h_0."""
    return _state_jacobian(h, range(k + 1, t + 1), weight_hh)


def _state_jacobian(h, steps, weight_hh, *, newest_left=True, rows=True):
    product = torch.eye(weight_hh.shape[0], dtype=weight_hh.dtype)
    for j in steps:
        slope = 1 - h[j] ** 2
        factor = slope[:, None] * weight_hh if rows else weight_hh * slope[None, :]
        product = factor @ product if newest_left else product @ factor
    return product


def _jacobian_inputs(first: int, last: int):
    def make(draw: Draw) -> tuple:
        hidden = draw.integer(3, 4)
        h = torch.tanh(draw.normal(last + 2, hidden, dtype=DOUBLE))
        return h, first, last, draw.normal(hidden, hidden, dtype=DOUBLE)

    return make


JACOBIAN = Question(
    id="3.3",
    title="From h_k to h_t",
    name="state_jacobian",
    points=2,
    reference=state_jacobian,
    cases={
        "three steps": _jacobian_inputs(1, 4),
        "no step at all": _jacobian_inputs(2, 2),
        "one step": _jacobian_inputs(0, 1),
    },
    tolerance=1e-8,
    wrong=(
        Wrong(
            "the factors are in the opposite order",
            lambda h, k, t, weight_hh: _state_jacobian(h, range(k + 1, t + 1), weight_hh, newest_left=False),
            "Matrices do not commute. The chain rule puts the newest step on the left: dh_4/dh_3 times dh_3/dh_2.",
        ),
        Wrong(
            "the slopes of the older states are used",
            lambda h, k, t, weight_hh: _state_jacobian(h, range(k, t), weight_hh),
            "The slope in dh_j/dh_(j-1) is that of the tanh which *made* h_j.",
        ),
        Wrong(
            "the slope scales columns instead of rows",
            lambda h, k, t, weight_hh: _state_jacobian(h, range(k + 1, t + 1), weight_hh, rows=False),
            "Unit i of h_j has one slope, and it multiplies all derivatives *of* that unit: row i.",
        ),
    ),
    hints=(
        "From h_k to itself the derivative is the identity matrix. Start there.",
        "One factor for each j from k + 1 to t: diag(1 - h_j²) W.",
    ),
)

# --- 3.4: a leaky layer, whole -------------------------------------------------------------------------------------


def leaky_backward(
    x: Tensor, dh: Tensor, weight_ih: Tensor, weight_hh: Tensor, bias: Tensor, leak: float
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Gradients of U, W, b and x for h_t = (1 - leak) h_(t-1) + leak tanh(U x_t + W h_(t-1) + b), h_0 = 0."""
    return _leaky_backward(x, dh, weight_ih, weight_hh, bias, leak)


def _leaky_backward(x, dh, weight_ih, weight_hh, bias, leak, *, through_tanh=True, through_leak=True, scaled=True):
    batch, time, _ = x.shape
    h, before, n = x.new_zeros(batch, weight_hh.shape[0]), [], []
    for x_t in x.unbind(1):
        before.append(h)
        n.append(torch.tanh(x_t @ weight_ih.T + h @ weight_hh.T + bias))
        h = (1 - leak) * h + leak * n[-1]
    dU, dW, db = torch.zeros_like(weight_ih), torch.zeros_like(weight_hh), torch.zeros_like(bias)
    dx, carry = torch.zeros_like(x), torch.zeros_like(h)
    for t in reversed(range(time)):
        dh_t = dh[:, t] + carry
        delta = (leak if scaled else 1.0) * (1 - n[t] ** 2) * dh_t
        dU, dW, db = dU + delta.T @ x[:, t], dW + delta.T @ before[t], db + delta.sum(0)
        dx[:, t] = delta @ weight_ih
        carry = through_tanh * (delta @ weight_hh) + through_leak * ((1 - leak) * dh_t)
    return dU, dW, db, dx


def _leaky_inputs(batch: int, time: int):
    def make(draw: Draw) -> tuple:
        inputs, hidden = draw.integer(2, 3), draw.integer(3, 5)
        weight_ih, weight_hh, bias, _ = draw.rnn(inputs, hidden, dtype=DOUBLE)
        x, dh = draw.normal(batch, time, inputs, dtype=DOUBLE), draw.normal(batch, time, hidden, dtype=DOUBLE)
        return x, dh, weight_ih, weight_hh, bias, draw.number(0.2, 0.45)

    return make


def _leaky_no_carry(*arguments):
    return _leaky_backward(*arguments, through_tanh=False, through_leak=False)


def _leaky_one_road(*arguments):
    return _leaky_backward(*arguments, through_leak=False)


def _leaky_other_road(*arguments):
    return _leaky_backward(*arguments, through_tanh=False)


def _leaky_unscaled(*arguments):
    return _leaky_backward(*arguments, scaled=False)


LEAKY = Question(
    id="3.4",
    title="The whole backward pass of a leaky layer",
    name="leaky_backward",
    points=4,
    reference=leaky_backward,
    cases={"a batch of two": _leaky_inputs(2, 5), "a batch of one": _leaky_inputs(1, 4)},
    parts=("dU", "dW", "db", "dx"),
    tolerance=1e-8,
    wrong=(
        Wrong(
            "nothing is carried from step to step",
            _leaky_no_carry,
            "Each step hands the step before it a gradient; yours treats the steps as if they were separate networks.",
        ),
        Wrong(
            "the road around the tanh is missing",
            _leaky_one_road,
            "h_(t-1) reaches h_t on two roads: through the tanh, and directly, weighted by 1 - leak. Credit uses both.",
        ),
        Wrong(
            "the road through the tanh is missing",
            _leaky_other_road,
            "h_(t-1) reaches h_t on two roads: directly, and through W and the tanh. Credit uses both.",
        ),
        Wrong(
            "the leak does not scale what goes through the tanh",
            _leaky_unscaled,
            "The tanh enters h_t with the weight leak, so its derivative does, too.",
        ),
    ),
    hints=(
        "Run the layer forward first, and keep every tanh and every old state.",
        "Then walk back: dh_t is the gradient that is given plus the carry.",
        "The carry is the sum of two terms, one for each road from h_(t-1) to h_t.",
    ),
    flags=(r"\.backward\(", r"autograd"),
)

# --- 3.5: two kinds of truncation ----------------------------------------------------------------------------------


def truncated(parts: Tensor, k: int) -> tuple[Tensor, Tensor]:
    """Two truncated gradients: every loss reaches back k steps; and windows of k steps with a detached state."""
    time = parts.shape[0]
    t, s = torch.arange(time)[:, None], torch.arange(time)[None, :]
    sliding, windows = (s <= t) & (t - s < k), (s <= t) & (t // k == s // k)
    return _masked(parts, sliding), _masked(parts, windows)


def _masked(parts, mask):
    return (parts * mask[:, :, None, None]).sum(dim=(0, 1))


def _truncated_inputs(time: int, k: int):
    def make(draw: Draw) -> tuple:
        hidden = draw.integer(2, 4)
        parts = draw.normal(time, time, hidden, hidden, dtype=DOUBLE)
        return parts * torch.tril(torch.ones(time, time, dtype=DOUBLE))[:, :, None, None], k

    return make


def _truncated_one_more(parts, k):
    return truncated(parts, k + 1)[0], truncated(parts, k)[1]


def _truncated_swapped(parts, k):
    sliding, windows = truncated(parts, k)
    return windows, sliding


def _truncated_sharp(parts, k):
    time = parts.shape[0]
    t, s = torch.arange(time)[:, None], torch.arange(time)[None, :]
    return _masked(parts, t - s == k - 1), truncated(parts, k)[1]


TRUNCATED = Question(
    id="3.5",
    title="Two kinds of truncation",
    name="truncated",
    points=2,
    reference=truncated,
    cases={"windows of three": _truncated_inputs(9, 3), "a last window that is shorter": _truncated_inputs(8, 3)},
    parts=("every loss reaches k steps", "windows of k steps"),
    tolerance=1e-8,
    wrong=(
        Wrong(
            "one step too far",
            _truncated_one_more,
            "The step of the loss itself counts as the first of the k steps.",
        ),
        Wrong(
            "the two are exchanged",
            _truncated_swapped,
            "With a detached state the reach depends on where in its window a loss stands: the first one reaches only "
            "its own step.",
        ),
        Wrong(
            "only the contribution from exactly k - 1 steps back is kept",
            _truncated_sharp,
            "A truncated gradient keeps everything up to its reach, not only the farthest contribution.",
        ),
    ),
    hints=(
        "For each pair (t, s) decide: kept or not? Then sum what is kept.",
        "Steps 0 to k - 1 are the first window, k to 2k - 1 the second: t // k is the number of the window.",
    ),
)

# --- 3.6: forward instead of back ----------------------------------------------------------------------------------


def forward_sensitivity(
    x: Tensor, dh: Tensor, weight_ih: Tensor, weight_hh: Tensor, bias: Tensor
) -> tuple[Tensor, Tensor]:
    """The sensitivities dh_t/db of one sequence, and the gradient of b, without any backward pass."""
    return _sensitivity(x, dh, weight_ih, weight_hh, bias)


def _sensitivity(x, dh, weight_ih, weight_hh, bias, *, immediate=True, carry=True):
    hidden = len(bias)
    h, S, sensitivities, db = x.new_zeros(hidden), x.new_zeros(hidden, hidden), [], torch.zeros_like(bias)
    own = torch.eye(hidden, dtype=x.dtype)
    for x_t, dh_t in zip(x, dh, strict=True):
        h = torch.tanh(weight_ih @ x_t + weight_hh @ h + bias)
        S = (1 - h**2)[:, None] * (carry * (weight_hh @ S) + (own if immediate or not sensitivities else 0))
        sensitivities.append(S)
        db = db + dh_t @ S
    return torch.stack(sensitivities), db


def _sensitivity_inputs(time: int):
    def make(draw: Draw) -> tuple:
        inputs, hidden = draw.integer(2, 3), draw.integer(3, 4)
        weight_ih, weight_hh, bias, _ = draw.rnn(inputs, hidden, dtype=DOUBLE)
        return (
            draw.normal(time, inputs, dtype=DOUBLE),
            draw.normal(time, hidden, dtype=DOUBLE),
            weight_ih,
            weight_hh,
            bias,
        )

    return make


def _sensitivity_not_immediate(*arguments):
    return _sensitivity(*arguments, immediate=False)


def _sensitivity_not_carried(*arguments):
    return _sensitivity(*arguments, carry=False)


def _sensitivity_last(*arguments):
    sensitivities, _ = _sensitivity(*arguments)
    return sensitivities, arguments[1][-1] @ sensitivities[-1]


def _sensitivity_turned(*arguments):
    sensitivities, db = _sensitivity(*arguments)
    return sensitivities.transpose(1, 2), db


SENSITIVITY = Question(
    id="3.6",
    title="Forward instead of back",
    name="forward_sensitivity",
    points=3,
    reference=forward_sensitivity,
    cases={"five steps": _sensitivity_inputs(5), "two steps": _sensitivity_inputs(2)},
    parts=("the sensitivities", "the gradient of b"),
    tolerance=1e-8,
    wrong=(
        Wrong(
            "the bias acts at the first step only",
            _sensitivity_not_immediate,
            "The bias is added at every step, so every step adds an immediate derivative to what is carried.",
        ),
        Wrong(
            "nothing is carried",
            _sensitivity_not_carried,
            "The bias has changed all earlier states already, and they reach h_t through W.",
        ),
        Wrong(
            "rows and columns of the sensitivities are exchanged",
            _sensitivity_turned,
            "Your gradient is right. Entry (t, i, j) is asked for as the change of unit i with the bias of unit j.",
        ),
        Wrong(
            "only the last loss is counted",
            _sensitivity_last,
            "Every step has a loss. Each adds its own dh_t times the sensitivity at that step.",
        ),
    ),
    hints=(
        "Differentiate h_t = tanh(U x_t + W h_(t-1) + b) with respect to b; h_(t-1) depends on b, too.",
        "S_t = diag(1 - h_t²) (W S_(t-1) + identity), beginning from zero.",
    ),
    flags=(r"\.backward\(", r"autograd", r"\.jacobian\(", r"\bjac(rev|fwd)\b"),
)

QUESTIONS = [SLOPE, STEP_BACK, JACOBIAN, LEAKY, TRUNCATED, SENSITIVITY]
