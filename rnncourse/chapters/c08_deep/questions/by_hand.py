"""Question 8.6: a counter modulo k, by hand, in a transition of two layers."""

import torch
from torch import Tensor

from rnncourse.grading.spec import Question, Wrong

LIMIT = 1000.0


def mod_counter(k: int) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    """U (2, 1), W_1 (2, 2), b_1 (2,), W_2 (2, 2), b_2 (2,) of z = relu(U x + W_1 h + b_1), h = relu(W_2 z + b_2)."""
    U = torch.ones(2, 1)
    W_1 = torch.tensor([[1.0, 0.0], [1.0, 0.0]])  # both units see the count, h_1, plus the new bit
    b_1 = torch.tensor([0.0, 1.0 - k])  # the second is 1 exactly when the sum is k
    W_2 = torch.tensor([[1.0, -float(k)], [0.0, 0.0]])
    return U, W_1, b_1, W_2, torch.zeros(2)


def judge_counter(answer, k: int) -> tuple[str, str]:
    shapes = (2, 1), (2, 2), (2,), (2, 2), (2,)
    if not isinstance(answer, tuple | list) or len(answer) != len(shapes):
        return ("expected five tensors: U, W_1, b_1, W_2, b_2",) * 2
    for weight, shape in zip(answer, shapes, strict=True):
        if not isinstance(weight, Tensor) or not weight.is_floating_point() or tuple(weight.shape) != shape:
            return ("expected real numbers of the shapes (2, 1), (2, 2), (2,), (2, 2) and (2,)",) * 2
        if not bool(torch.isfinite(weight).all()) or weight.abs().max() > LIMIT:
            return (f"expected finite numbers, none beyond ±{LIMIT:g}",) * 2
    bits = torch.randint(2, (16, 60), generator=torch.Generator().manual_seed(k))
    bits[0], bits[1] = 1, 0  # only ones; only noughts
    counted, wanted = counts(bits, *(weight.double() for weight in answer)), bits.cumsum(1) % k
    right = (counted - wanted).abs() < 1e-3  # (batch, time)
    for row, name in ((1, "noughts"), (0, "ones")):
        if not right[row].all():
            place = int(right[row].logical_not().nonzero()[0])
            said = (
                f"after {place + 1} {name} it says {counted[row, place]:.2f}; it should say {int(wanted[row, place])}"
            )
            return said if name == "noughts" or place < k - 1 else "", said
    return "", "" if right.all() else "ones alone it counts, but with noughts between them it loses count"


def counts(bits: Tensor, U: Tensor, W_1: Tensor, b_1: Tensor, W_2: Tensor, b_2: Tensor) -> Tensor:
    """The first unit of the state after every step, (batch, time)."""
    h, over_time = torch.zeros(len(bits), 2, dtype=torch.float64), []
    for x_t in bits.double().unsqueeze(2).unbind(1):
        z = torch.relu(x_t @ U.T + h @ W_1.T + b_1)
        h = torch.relu(z @ W_2.T + b_2)
        over_time.append(h[:, 0])
    return torch.stack(over_time, dim=1)


COUNTER = Question(
    id="8.6",
    title="A counter that starts again",
    points=3,
    reference=mod_counter,
    judge=judge_counter,
    cases={
        "parity": lambda draw: (2,),
        "three or four": lambda draw: (draw.integer(3, 4),),
        "more": lambda draw: (draw.integer(5, 9),),
    },
    parts=("counting up", "starting again"),
    wrong=(
        Wrong("it never starts again", {"1.0 - k": "-float(k)"}).told(
            "Everything up to k - 1 is right. The second unit has to speak up when the sum *is* k."
        ),
        Wrong("it starts again one too early", {"1.0 - k": "2.0 - k"}).told(
            "The second unit should be silent while the sum is below k."
        ),
        Wrong("it takes one away instead of k", {"-float(k)": "-1.0"}).told(
            "When the sum is k the count should fall to nought. By how much does the second unit have to push?"
        ),
        Wrong("the old count is forgotten", {"[1.0, 0.0], [1.0, 0.0]": "[0.0, 0.0], [0.0, 0.0]"}).told(
            "The first layer has to see the old count beside the new bit."
        ),
        Wrong("noughts are counted, too", {"torch.zeros(2)": "torch.tensor([1.0, 0.0])"}).told(
            "A nought should leave the count as it is. Which bias adds something at every step?"
        ),
        Wrong("a one counts double", {"torch.ones(2, 1)": "2 * torch.ones(2, 1)"}).told(
            "Both units of the first layer should see the old count plus *one*."
        ),
    ),
    hints=(
        "Let h_1 be the count. The first layer can see s = h_1 + x: it runs from 0 to k. What should h_1 become?",
        "It should become s, except at s = k. A unit relu(s - (k - 1)) is nought until then, and 1 there.",
        "The second layer: s minus k times that unit.",
    ),
)
