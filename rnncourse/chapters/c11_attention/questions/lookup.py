"""Questions 11.1 to 11.3: additive attention with a mask, three multiplicative scores, and the way back."""

import torch
from torch import Tensor

from rnncourse.grading.spec import BY_AUTOGRAD, Draw, Question, Wrong


def look_up(query: Tensor, values: Tensor, lengths: Tensor, W: Tensor, U: Tensor, v: Tensor) -> tuple[Tensor, Tensor]:
    """Weights (batch, source) and contexts (batch, value) of one query each, (batch, query)."""
    scores = torch.tanh((query @ W.T)[:, None] + values @ U.T) @ v  # (batch, source)
    real = torch.arange(values.shape[1]) < lengths[:, None]
    weights = torch.softmax(scores.masked_fill(~real, -torch.inf), dim=1)
    return weights, (weights[:, :, None] * values).sum(1)


def lookup_inputs(draw: Draw, batch: int, source: int) -> tuple:
    """Sources whose padding is loud: who looks there sees it in the context."""
    query, value, hidden = draw.integer(2, 4), draw.integer(2, 4), draw.integer(3, 5)
    lengths = draw.lengths(batch, source)
    padding = (torch.arange(source) >= lengths[:, None])[..., None]
    values = torch.where(padding, draw.uniform(batch, source, value, low=3, high=5), draw.normal(batch, source, value))
    W, U = draw.normal(hidden, query), draw.normal(hidden, value)
    return draw.normal(batch, query), values, lengths, W, U, draw.normal(hidden, scale=2.0)


LOOKUP = Question(
    id="11.1",
    title="Look it up",
    points=3,
    reference=look_up,
    cases={
        "three sources": (lookup_inputs, 3, 5),
        "two sources": (lookup_inputs, 2, 7),
        "five sources": (lookup_inputs, 5, 4),
    },
    parts=("the weights", "the contexts"),
    wrong=(
        Wrong("padding is looked at", {"scores.masked_fill(~real, -torch.inf)": "scores"}).told(
            "A source that is shorter than the others ends before the last column. How much weight stands there?"
        ),
        Wrong(
            "the softmax comes before the mask",
            {"torch.softmax(scores.masked_fill(~real, -torch.inf), dim=1)": "torch.softmax(scores, dim=1) * real"},
        ).told("Your rows no longer sum to one: the softmax has already given some of the weight to the padding."),
        Wrong("padding gets the score zero", {"-torch.inf": "0.0"}).told(
            "A score of zero is not small: e to the zero is one. What score has the exponential nought?"
        ),
        Wrong("the softmax runs over the batch", {"-torch.inf), dim=1": "-1e9), dim=0"}).told(
            "Each source has weights of its own, which sum to one over its steps."
        ),
        Wrong("the tanh is missing", {"torch.tanh(": "("}).told(
            "Without the tanh the query adds the same to every score, and the softmax takes it away again."
        ),
        Wrong("the query is left out", {"(query @ W.T)[:, None] + ": ""}).told(
            "Your weights do not hang on the query. What is asked should decide where to look."
        ),
        Wrong("the mask is turned round", {"~real": "real"}).told("Your weights stand on the padding, and only there."),
        Wrong("the context is the mean over the padded time", {".sum(1)": ".mean(1)"}).told(
            "The weights are right. They sum to one already: nothing is left to divide by."
        ),
    ),
    hints=(
        "Broadcast: a query of shape (batch, 1, hidden) beside projected values of shape (batch, source, hidden).",
        "Mask the scores, not the weights. A score of minus infinity becomes a weight of nought.",
    ),
    flags=(r"\bAdditiveAttention\b", r"\bmasked_softmax\b"),
)


def three_scores(query: Tensor, values: Tensor, W: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Dot, scaled dot and general scores, each (batch, target, source); query is (batch, target, features)."""
    dot = query @ values.transpose(1, 2)
    general = query @ W @ values.transpose(1, 2)
    return dot, dot / query.shape[2] ** 0.5, general


def score_inputs(draw: Draw, batch: int, features: int) -> tuple:
    """As many steps in the target as features, so that a product along the wrong axis does not stop by itself."""
    source = draw.integer(3, 6)
    query, values = draw.normal(batch, features, features), draw.normal(batch, source, features)
    return query, values, draw.normal(features, features)


SCORES = Question(
    id="11.2",
    title="Three products",
    points=2,
    reference=three_scores,
    cases={
        "three features": (score_inputs, 2, 3),
        "five features": (score_inputs, 3, 5),
        "eight features": (score_inputs, 1, 8),
    },
    parts=("the dot product", "the scaled one", "the general one"),
    wrong=(
        Wrong("divided by the size, not by its root", {"query.shape[2] ** 0.5": "query.shape[2]"}).told(
            "The spread of a sum of d products grows like the *root* of d."
        ),
        Wrong("divided by the root of the source's length", {"query.shape[2] ** 0.5": "values.shape[1] ** 0.5"}).told(
            "What grows with the number of features is divided by *its* root; the source's steps have no part in it."
        ),
        Wrong("W the wrong way round", {"query @ W @": "query @ W.T @"}).told(
            "In $q^T W v$ the query meets the rows of W, the value its columns."
        ),
        Wrong("the general score is scaled, too", {"query @ W @": "query.shape[2] ** -0.5 * query @ W @"}).told(
            "The matrix can learn any scale; the general score has none of its own."
        ),
        Wrong("the query's axes are exchanged", {"dot = query @": "dot = query.transpose(1, 2) @"}).told(
            "Each step of the target asks with its own features: the product runs over the features."
        ),
    ),
    hints=(
        "One matrix product per score: (batch, target, features) times (batch, features, source).",
        "The scale is the root of the number of features.",
    ),
    flags=(r"\bDotAttention\b", r"\bGeneralAttention\b"),
)


def attention_back(
    dcontext: Tensor, query: Tensor, keys: Tensor, values: Tensor
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """dL/d of values, scores, query and keys; the context is softmax(keys @ query) @ values, dcontext is (value,)."""
    weights = torch.softmax(keys @ query, dim=0)  # (source,)
    dvalues = weights[:, None] * dcontext
    dweights = values @ dcontext
    dscores = weights * (dweights - weights @ dweights)
    return dvalues, dscores, keys.T @ dscores, dscores[:, None] * query


def back_inputs(draw: Draw, source: int, features: int) -> tuple:
    value, double = draw.integer(2, 4), {"dtype": torch.float64}
    return (
        draw.normal(value, **double),
        draw.normal(features, **double),
        draw.normal(source, features, **double),
        draw.normal(source, value, **double),
    )


BACK = Question(
    id="11.3",
    title="The way back",
    points=4,
    reference=attention_back,
    cases={"five steps": (back_inputs, 5, 3), "two steps": (back_inputs, 2, 2), "seven steps": (back_inputs, 7, 2)},
    parts=("at the values", "at the scores", "at the query", "at the keys"),
    tolerance=1e-8,
    wrong=(
        Wrong("the softmax is passed over", {"weights * (dweights - weights @ dweights)": "dweights"}).told(
            "That is the gradient at the weights. Between the weights and the scores stands the softmax."
        ),
        Wrong("each weight hangs on its own score alone", {"- weights @ dweights": "- weights * dweights"}).told(
            "That is the diagonal of the softmax's Jacobian. When one score rises, all the *other* weights fall."
        ),
        Wrong("the weights share is not subtracted", {"(dweights - weights @ dweights)": "dweights"}).told(
            "Add the same to all scores and no weight changes: so the gradient at the scores must sum to nought."
        ),
        Wrong("the plain mean is subtracted", {"- weights @ dweights": "- dweights.mean()"}).told(
            "What is subtracted is a mean under the *weights*."
        ),
        Wrong(
            "the values get the gradient unweighted", {"weights[:, None] * dcontext": "dcontext.expand_as(values)"}
        ).told("A value that hardly entered the context can hardly be blamed for it."),
        Wrong("the weights are not shared out by the query", {"keys @ query, dim=0": "keys.sum(1), dim=0"}).told(
            "The scores are products with the query: compute the weights from them first."
        ),
    ),
    hints=(
        "Three stages: the mean under the weights, the softmax, the products. Go back through them one by one.",
        "For a softmax with weights a and an arriving gradient g, what leaves is a * (g - a @ g).",
    ),
    flags=BY_AUTOGRAD,
)
