"""Questions 11.4 and 11.5: what an alignment says, and a sequence that looks things up in itself."""

import torch
from torch import Tensor

from rnncourse.grading.spec import Draw, Question, Wrong


def read_alignment(weights: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Where each target step looks most, its entropy in bits, and what each source step gets; (target, source)."""
    logs = torch.where(weights > 0, torch.log2(weights.clamp_min(1e-30)), 0.0)
    return weights.argmax(1), -(weights * logs).sum(1), weights.sum(0)


def alignment_inputs(draw: Draw, target: int, source: int) -> tuple:
    """A square of weights would hide an exchange of axes; some weights are exactly nought."""
    weights = torch.softmax(draw.normal(target, source, scale=1.5), dim=1)
    weights[:, -1] = 0.0  # padding
    weights[0] = 0.0
    weights[0, draw.integer(0, source - 2)] = 1.0  # a step that is quite sure
    return (weights / weights.sum(1, keepdim=True),)


ALIGNMENT = Question(
    id="11.4",
    title="Read an alignment",
    points=2,
    reference=read_alignment,
    cases={
        "as long as the source": (alignment_inputs, 6, 6),
        "longer": (alignment_inputs, 8, 5),
        "shorter": (alignment_inputs, 4, 9),
    },
    parts=("where it looks most", "the entropies", "what each source step gets"),
    wrong=(
        Wrong("the entropy is in nats", {"torch.log2(": "torch.log("}).told(
            "One bit is the entropy of a fair coin: log to the base two."
        ),
        Wrong(
            "nought times its logarithm is not a number",
            {"torch.log2(weights.clamp_min(1e-30)), 0.0": ("torch.log2(weights), torch.nan")},
        ).told("A weight of nought adds nothing to an entropy, but 0 · log 0 is NaN on a computer."),
        Wrong("the entropy has the wrong sign", {"-(weights * logs)": "(weights * logs)"}).told(
            "Logarithms of weights are negative; an entropy is not."
        ),
        Wrong("the axes are exchanged", {"weights.argmax(1)": "weights.argmax(0)", ".sum(0)": ".sum(1)"}).told(
            "Rows are steps of the target, columns steps of the source. What sums to one?"
        ),
        Wrong("the largest weight in the place of its place", {"weights.argmax(1)": "weights.amax(1)"}).told(
            "Asked is *where* the largest weight stands, not how large it is."
        ),
        Wrong("the mean in the place of the sum", {"weights.sum(0)": "weights.mean(0)"}).told(
            "What a source step gets is a sum: over all source steps it makes the number of target steps."
        ),
    ),
    hints=(
        "Each row sums to one: it is a distribution over the source.",
        "torch.where chooses between two tensors, entry by entry; give the logarithm nothing that is nought.",
    ),
)


def self_attention(x: Tensor, W_q: Tensor, W_k: Tensor, W_v: Tensor) -> tuple[Tensor, Tensor]:
    """Weights (time, time) and outputs (time, features) of one sequence, each step looking at itself and the past."""
    q, k, v = x @ W_q.T, x @ W_k.T, x @ W_v.T
    scores = q @ k.T / q.shape[1] ** 0.5
    past = torch.ones(len(x), len(x)).tril().bool()
    weights = torch.softmax(scores.masked_fill(~past, -torch.inf), dim=1)
    return weights, weights @ v


def self_inputs(draw: Draw, time: int) -> tuple:
    inputs, features = draw.integer(2, 4), draw.integer(2, 5)
    W_q, W_k, W_v = (draw.normal(features, inputs) for _ in range(3))
    return draw.normal(time, inputs, scale=1.5), W_q, W_k, W_v


SELF = Question(
    id="11.5",
    title="Look into yourself",
    points=3,
    reference=self_attention,
    cases={"five steps": (self_inputs, 5), "three steps": (self_inputs, 3), "eight steps": (self_inputs, 8)},
    parts=("the weights", "the outputs"),
    wrong=(
        Wrong("the future is seen", {"scores.masked_fill(~past, -torch.inf)": "scores"}).told(
            "The first step has nothing before it: what should its row of weights be?"
        ),
        Wrong(
            "a step does not see itself",
            {
                "tril().bool()": "tril(-1).bool()",
                "-torch.inf": "torch.finfo(scores.dtype).min",
            },
        ).told("A step may look at itself: the first has nothing else."),
        Wrong("the past is hidden in the place of the future", {"tril()": "triu()"}).told(
            "Your last step sees only itself, and your first sees all. Which triangle is the past?"
        ),
        Wrong("queries and keys are exchanged", {"q @ k.T": "k @ q.T"}).told(
            "Row t holds what step t *asks*: its query, against the keys of the others."
        ),
        Wrong("the scale is missing", {" / q.shape[1] ** 0.5": ""}).told(
            "Products of longer vectors are larger. Divide them by the root of the number of features."
        ),
        Wrong("the weights sum to one down the columns", {"-torch.inf), dim=1": "-torch.inf), dim=0"}).told(
            "Each step shares out one whole of attention: rows sum to one."
        ),
        Wrong(
            "the masked weights are not shared out again",
            {"torch.softmax(scores.masked_fill(~past, -torch.inf), dim=1)": "torch.softmax(scores, dim=1) * past"},
        ).told("Masked after the softmax, the rows sum to less than one: the future has kept its share."),
        Wrong("keys are averaged in the place of values", {"weights @ v": "weights @ k"}).told(
            "The weights are right. What is averaged under them has a projection of its own."
        ),
    ),
    hints=(
        "Queries, keys and values are three maps of one sequence.",
        "torch.tril keeps the lower triangle: row t, columns up to t.",
    ),
    flags=(r"scaled_dot_product_attention", r"MultiheadAttention", r"\bSelfAttention\b"),
)
