"""A recurrent layer's matrix products and nothing else: what no implementation on the same library goes below.

No gate is applied, no gradient is right; the memory is laid out once. The inputs' products and the weights' gradients
are one product each over all steps, and only what the recurrence forces is walked: one product a step forwards, one a
step backwards. What a layer takes beyond this is its own doing; what it takes of this is the library's.
"""

from collections.abc import Callable

import torch
from torch import Tensor

GATES = {"RNN": 1, "GRU": 3, "LSTM": 4}


def products(cell: str, x: Tensor, hidden: int, *, backward: bool) -> Callable[[], None]:
    """A function that does the products of one pass over x from a zero state.

    Args:
        cell: "RNN", "GRU" or "LSTM".
        x: Inputs of shape (batch, time, input); only the shape and the numbers' type count.
        hidden: Hidden units.
        backward: Whether the products of the backward pass follow, the inputs' gradient among them.
    """
    batch, time, inputs = x.shape
    gates = GATES[cell] * hidden
    new = x.detach().new_empty
    rows, h, delta, dx = (new(time * batch, n).normal_() for n in (inputs, hidden, gates, inputs))
    U, W = new(gates, inputs).normal_(), new(gates, hidden).normal_()
    W_T, dU, dW, a, dh = W.t().contiguous(), torch.empty_like(U), torch.empty_like(W), delta.clone(), h.clone()
    forwards = list(zip(a.split(batch), h.split(batch), strict=True))
    backwards = list(zip(delta.split(batch)[1:], dh.split(batch)[:-1], strict=True))[::-1]

    def work() -> None:
        torch.mm(rows, U.t(), out=a)
        for a_t, h_before in forwards:
            torch.addmm(a_t, h_before, W_T, out=a_t)
        if backward:
            for delta_t, dh_before in backwards:
                torch.mm(delta_t, W, out=dh_before)
            torch.mm(delta.t(), rows, out=dU)
            torch.mm(delta.t(), h, out=dW)
            torch.mm(delta, U, out=dx)

    return work
