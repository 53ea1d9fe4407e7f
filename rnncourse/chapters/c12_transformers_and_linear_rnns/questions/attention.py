"""Questions 12.1 to 12.3: causal self-attention, sinusoidal positions, and one step from a cache."""

import math

import torch
from torch import Tensor

from rnncourse.grading.spec import Draw, Question, Wrong


def causal_attention(x: Tensor, W_q: Tensor, W_k: Tensor, W_v: Tensor) -> tuple[Tensor, Tensor]:
    """The weights (time, time) and the outputs (time, head); x is (time, input), each W is (head, input)."""
    q, k, v = x @ W_q.T, x @ W_k.T, x @ W_v.T
    scores = q @ k.T / math.sqrt(k.shape[1])
    later = torch.ones_like(scores).triu(1) > 0
    weights = torch.softmax(scores.masked_fill(later, -math.inf), 1)
    return weights, weights @ v


def attention_inputs(draw: Draw, least: int, most: int) -> tuple:
    time, inputs, head = draw.integer(least, most), draw.integer(3, 5), draw.integer(2, 4)
    return draw.normal(time, inputs), *(draw.normal(head, inputs, scale=0.8) for _ in range(3))


LOOK = Question(
    id="12.1",
    title="Look back, not ahead",
    points=3,
    reference=causal_attention,
    cases={
        "a few steps": (attention_inputs, 4, 5),
        "more steps": (attention_inputs, 6, 8),
        "two steps": (attention_inputs, 2, 2),
    },
    parts=("the weights", "the outputs"),
    wrong=(
        Wrong("everybody looks everywhere", {".triu(1) > 0": ".triu(len(x)) > 0"}).told(
            "Your first step has seen the last. Where the query stands before the key, the weight should be zero."
        ),
        Wrong(
            "nobody looks at himself",
            {".triu(1) > 0": ".triu(0) > 0\n    later[0, 0] = False"},
        ).told("A step may look at itself, too; only what comes after it is hidden."),
        Wrong("looks ahead, not back", {".triu(1) > 0": ".tril(-1) > 0"}).told(
            "Row t belongs to the query at step t. Your mask hides what came before it, not what comes after."
        ),
        Wrong("the scores are not scaled", {" / math.sqrt(k.shape[1])": ""}).told(
            "A product of two long vectors is large. By what is it divided before the softmax?"
        ),
        Wrong("scaled by the size and not by its root", {"math.sqrt(k.shape[1])": "k.shape[1]"}).told(
            "The sum of d random products grows as the root of d."
        ),
        Wrong("masked after the softmax", {"scores.masked_fill(later, -math.inf), 1)": "scores, 1) * ~later"}).told(
            "Your rows no longer sum to one: hide the later steps before the softmax, not after it."
        ),
        Wrong(
            "the softmax runs over the queries",
            {"scores.masked_fill(later, -math.inf), 1)": "scores.masked_fill(later, -math.inf), 0)"},
        ).told("Each *row* should sum to one: it says how one query divides its attention."),
        Wrong("the inputs are averaged, not the values", {"weights @ v": "weights @ x @ W_k.T"}).told(
            "The weights are right. What they average is the values, with their own matrix."
        ),
    ),
    hints=(
        "One row for each query, one column for each key: scores[t, s] = q_t · k_s / √d.",
        "A score of minus infinity gets the weight zero. `torch.triu` picks what lies above the diagonal.",
    ),
    flags=(r"\bscaled_dot_product_attention\b", r"\bSelfAttention\b", r"\bMultiheadAttention\b"),
)


def sinusoids(places: Tensor, size: int) -> Tensor:
    """The position vectors (time, size) of these places; even features are sines, odd ones cosines."""
    pair = torch.arange(size // 2)
    angle = places[:, None] / 10_000 ** (2 * pair / size)
    return torch.stack([angle.sin(), angle.cos()], -1).flatten(1)


def place_inputs(draw: Draw, start: int) -> tuple:
    first, count = draw.integer(start, start + 40), draw.integer(3, 6)
    return torch.arange(first, first + count), 2 * draw.integer(2, 5)


PLACES = Question(
    id="12.2",
    title="Where a step stands",
    points=2,
    reference=sinusoids,
    cases={"near the start": (place_inputs, 1), "further on": (place_inputs, 100), "far away": (place_inputs, 700)},
    tolerance=1e-3,
    wrong=(
        Wrong(
            "all sines first, then all cosines",
            {"torch.stack([angle.sin(), angle.cos()], -1).flatten(1)": "torch.cat([angle.sin(), angle.cos()], 1)"},
        ).told("The numbers are right, the order is not: a sine, its cosine, the next sine, …"),
        Wrong("cosines before sines", {"[angle.sin(), angle.cos()]": "[angle.cos(), angle.sin()]"}).told(
            "Feature 0 is a sine."
        ),
        Wrong("counted from one", {"places[:, None]": "(places[:, None] + 1)"}).told("Place 0 has the angle 0."),
        Wrong("counted from the first that is given", {"places[:, None]": "(places - places[0])[:, None]"}).told(
            "The places are given: who reads on from a cache does not begin at 0."
        ),
        Wrong("the exponent forgets the two", {"2 * pair / size": "pair / size"}).told(
            "The slowest pair should turn nearly ten thousand times slower than the first. Yours turns faster."
        ),
        Wrong("one speed for all pairs", {"2 * pair / size": "0 * pair / size"}).told(
            "All your pairs turn alike. The later a pair, the slower it turns."
        ),
    ),
    hints=(
        "There are size / 2 angles for each place, and each gives two features.",
        "The angle of pair i at place t is t / 10000^(2i / size).",
    ),
    flags=(r"\bSinusoidalPositions\b",),
)


def read_on(x_t: Tensor, keys: Tensor, values: Tensor, W_q: Tensor, W_k: Tensor, W_v: Tensor) -> tuple[Tensor, ...]:
    """The output (head,) of one more step, and the keys and values (time + 1, head) after it; x_t is (input,)."""
    keys = torch.cat([keys, (W_k @ x_t)[None]])
    values = torch.cat([values, (W_v @ x_t)[None]])
    weights = torch.softmax(keys @ (W_q @ x_t) / math.sqrt(keys.shape[1]), 0)
    return weights @ values, keys, values


def cache_inputs(draw: Draw, before: int) -> tuple:
    inputs, head = draw.integer(3, 5), draw.integer(2, 4)
    matrices = tuple(draw.normal(head, inputs, scale=0.8) for _ in range(3))
    return draw.normal(inputs), draw.normal(before, head), draw.normal(before, head), *matrices


CACHE = Question(
    id="12.3",
    title="One step from the cache",
    points=3,
    reference=read_on,
    cases={
        "three steps before": (cache_inputs, 3),
        "seven steps before": (cache_inputs, 7),
        "the first step": (cache_inputs, 0),
    },
    parts=("the output", "the keys", "the values"),
    wrong=(
        Wrong(
            "the new step does not see itself",
            {"keys @ (W_q": "keys[:-1] @ (W_q", "weights @ values, keys": "weights @ values[:-1], keys"},
        ).told("Write the new key and value down first, then look: a step may look at itself."),
        Wrong(
            "the new entry stands in front",
            {
                "[keys, (W_k @ x_t)[None]]": "[(W_k @ x_t)[None], keys]",
                "[values, (W_v @ x_t)[None]]": "[(W_v @ x_t)[None], values]",
            },
        ).told("The output is right, for a mean does not care. The cache should keep the order of time."),
        Wrong(
            "the oldest entry is dropped",
            {
                "[keys, (W_k @ x_t)[None]]": "[keys[1:], (W_k @ x_t)[None]]",
                "[values, (W_v @ x_t)[None]]": "[values[1:], (W_v @ x_t)[None]]",
            },
        ).told("The cache grows by one entry with each step. Nothing falls out of it."),
        Wrong("the query is kept as the key", {"(W_k @ x_t)[None]": "(W_q @ x_t)[None]"}).told(
            "The query is used once and thrown away. What later steps compare themselves with is the key."
        ),
        Wrong("the key is kept as the value", {"(W_v @ x_t)[None]": "(W_k @ x_t)[None]"}).told(
            "The keys are right. A value has a matrix of its own."
        ),
        Wrong("the scores are not scaled", {" / math.sqrt(keys.shape[1])": ""}).told(
            "The cache is right. By what are scores divided before the softmax?"
        ),
    ),
    hints=(
        "Only one query is needed: the new step's.",
        "First append the new key and value, then weigh all of them.",
    ),
    flags=(r"\bscaled_dot_product_attention\b", r"\bSelfAttention\b"),
)
