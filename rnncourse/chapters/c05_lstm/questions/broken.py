"""Question 5.6: three broken LSTMs, and the inputs that tell them apart."""

import torch
from torch import Tensor

from rnncourse.chapters.c05_lstm.questions.answers import is_real
from rnncourse.grading.spec import Draw, Question, Wrong


def lstm(x, weight_ih, weight_hh, bias_ih, bias_hh, broken=""):
    """Outputs (batch, time, hidden) and the last cell, from a zero state; broken is "", "a", "b" or "c"."""
    h = c = x.new_zeros(x.shape[0], weight_hh.shape[1])
    outputs = []
    for x_t in x.unbind(1):
        a = x_t @ weight_ih.T + bias_ih + h @ weight_hh.T + bias_hh
        i, f, g, o = a.chunk(4, dim=1)
        i, f, g, o = torch.sigmoid(i), torch.sigmoid(f), torch.tanh(g), torch.sigmoid(o)
        if broken == "b":  # "the same weights give the same gate"
            f = f[0]
        c_t = f * c + i * g
        if broken == "c":  # "tanh(c) is between -1 and 1, so c should be"
            c_t = c_t.clamp(-1, 1)
        h_t = o * torch.tanh(c_t)
        if broken == "a":  # "inputs that are all zeros are padding: keep the state"
            real = (x_t != 0).any(dim=1, keepdim=True)
            h_t, c_t = torch.where(real, h_t, h), torch.where(real, c_t, c)
        h, c = h_t, c_t
        outputs.append(h)
    return torch.stack(outputs, dim=1), c


def expose(weight_ih: Tensor, weight_hh: Tensor, bias_ih: Tensor, bias_hh: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """x_a, x_b, x_c: each makes exactly one of the three broken LSTMs go wrong."""
    weights = weight_ih, weight_hh, bias_ih, bias_hh
    inputs, generator = weight_ih.shape[1], torch.Generator().manual_seed(0)

    def exposed(x):
        outputs, c = lstm(x, *weights)
        letters = ""
        for broken in "abc":
            other_outputs, other_c = lstm(x, *weights, broken)
            if max((outputs - other_outputs).abs().max(), (c - other_c).abs().max()) > 1e-4:
                letters += broken
        return letters

    def search(letter, propose):
        for _ in range(1000):
            x = propose()
            if exposed(x) == letter:
                return x
        raise RuntimeError(f"nothing found for {letter}")

    def noise(batch, time):
        return torch.randn(batch, time, inputs, generator=generator)

    # a: a step of zeros in a single sequence (b cannot show), after a weak input (c cannot show)
    x_a = search("a", lambda: torch.cat([noise(1, 1) / 4, torch.zeros(1, 1, inputs)], dim=1))
    # b: two different sequences, two steps (at the first the cell is zero), weak inputs
    x_b = search("b", lambda: noise(2, 2))
    # c: a single sequence, the same strong input again and again; of many, the one whose cell counts furthest
    strong = 20 * noise(4000, 1).expand(-1, 8, -1)
    _, c = lstm(strong, *weights)
    x_c = strong[c.abs().amax(dim=1).argmax()][None]
    return x_a, x_b, x_c


def weights_to_expose(draw: Draw, hidden: int) -> tuple:
    inputs = draw.integer(2, 3)
    while True:  # until a few of 64 strong inputs drive a cell beyond one, and no fixed input does so for most weights
        weight_ih, weight_hh, bias_ih, bias_hh = draw.rnn(inputs, hidden, gates=4, scale=0.6)
        weight_ih[hidden : 2 * hidden] = 0.3 * weight_ih[hidden : 2 * hidden] - weight_ih[:hidden]
        bias_ih, bias_hh = bias_ih / 4, bias_hh / 4
        bias_ih[: 2 * hidden] -= 2
        weights = weight_ih, weight_hh, bias_ih, bias_hh
        if 3 <= int(differ((20 * draw.normal(64, 1, inputs)).expand(64, 8, inputs), weights, "c").sum()) <= 6:
            return weights


def differ(x: Tensor, weights: tuple, broken: str) -> Tensor:
    """Which sequences (batch,) show that a broken LSTM is broken."""
    pairs = zip(lstm(x, *weights), lstm(x, *weights, broken), strict=True)
    return torch.stack([(right - wrong).abs().flatten(1).amax(1) > 1e-4 for right, wrong in pairs]).any(0)


def judge_exposures(answer, *weights) -> tuple[str, str]:
    if not isinstance(answer, tuple | list) or len(answer) != 3:
        return ("expected three inputs, one for each broken LSTM",) * 2
    a, b, c = (judge_exposure(x, own, weights) for x, own in zip(answer, "abc", strict=True))
    return c, "; ".join(f"x_{own}: {said}" for own, said in (("a", a), ("b", b)) if said) or c


def judge_exposure(x, own: str, weights: tuple) -> str:
    inputs = weights[0].shape[1]
    if not is_real(x, 3) or x.shape[2] != inputs:
        return f"expected real numbers of shape (batch, time, {inputs})"
    if not (1 <= x.shape[0] <= 4 and 1 <= x.shape[1] <= 8):
        return "expected 1 to 4 sequences of 1 to 8 steps"
    if not x.double().abs().max() <= 1000:  # which is false of nan, too
        return "expected finite numbers, none larger than 1000"
    shown = [broken for broken in "abc" if differ(x.to(weights[0].dtype), weights, broken).any()]
    others = " and ".join(f"lstm_{broken}" for broken in shown if broken != own)
    if own in shown:
        return f"it exposes lstm_{own}, but {others} as well" if others else ""
    facts = {
        "a": "in which every step has an entry that is not zero",
        "b": "a single sequence" if x.shape[0] == 1 else "a single step" if x.shape[1] == 1 else "several sequences",
        "c": "a single step" if x.shape[1] == 1 else f"{x.shape[1]} steps",
    }
    said = f"lstm_{own} is right on this input, {facts[own]}"
    return f"{said}; it exposes {others} instead" if others else said


ANSWER = "return x_a, x_b, x_c"

EXPOSE = Question(
    id="5.6",
    title="Three broken LSTMs",
    points=3,
    reference=expose,
    judge=judge_exposures,
    cases={
        "three units": (weights_to_expose, 3),
        "two units": (weights_to_expose, 2),
        "one unit": (weights_to_expose, 1),
        "one unit again": (weights_to_expose, 1),
    },
    parts=("x_c", "all three"),
    wrong=(
        Wrong("zeros for all three", lambda weight_ih, *_: (torch.zeros(1, 1, weight_ih.shape[1]),) * 3).told(
            "Zeros find one of the bugs. The second needs company, the third needs strength and time."
        ),
        Wrong("one sequence at a time", {ANSWER: "return x_a, x_b[:1], x_c"}).told(
            "lstm_b takes something from the first sequence of the batch. When would that be the right thing?"
        ),
        Wrong("one step at a time", {ANSWER: "return x_a, x_b[:, :1], x_c[:, :1]"}).told(
            "At the first step the cell is still zero: there is nothing to forget, and one candidate is below one."
        ),
        Wrong(
            "too strong an input for lstm_b",
            {ANSWER: "return x_a, torch.cat([x_c, x_b[:1, :1].expand_as(x_c)]), x_c"},
        ).told("It does show the second bug. It also drives a cell beyond one, and so shows the third: be gentler."),
        Wrong("the three inputs are in another order", {ANSWER: "return x_b, x_c, x_a"}).told(
            "These inputs work, but each against another of the three."
        ),
    ),
    hints=(
        "Read the line that is broken in each, and ask: on which inputs does this line do the right thing after all?",
        "Write a helper that says which of the three an input exposes, and try small inputs before large ones.",
        "Search at random until the helper says what you want, for x_c a few hundred times or in one large batch. What "
        "to think about is the size and the shape.",
    ),
)
