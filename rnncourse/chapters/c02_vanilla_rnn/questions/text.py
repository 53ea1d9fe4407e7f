"""Questions 2.4 and 2.5: what a language model's probabilities are worth, and how to sample from them."""

import math

import torch
from torch import Tensor

from rnncourse.grading.spec import Draw, Question, Wrong


def bits_per_character(logits: Tensor, targets: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
    """logits is (batch, time, vocabulary), targets (batch, time), lengths (batch,); returns bits and perplexity."""
    log_p = torch.log_softmax(logits, dim=-1)  # (batch, time, vocabulary), in nats
    nats = -log_p.gather(-1, targets[..., None]).squeeze(-1)  # (batch, time)
    real = torch.arange(targets.shape[1]) < lengths[:, None]  # (batch, time)
    bits = nats[real].mean() / math.log(2)
    return bits, 2**bits


def bits_inputs(draw: Draw, batch: int, time: int) -> tuple:
    vocabulary = draw.integer(4, 9)
    logits = draw.normal(batch, time, vocabulary, scale=2.0)
    return logits, draw.integers(0, vocabulary - 1, batch, time), draw.lengths(batch, time)


BITS = Question(
    id="2.4",
    title="Bits per character",
    points=3,
    reference=bits_per_character,
    cases={
        "texts of different lengths": (bits_inputs, 4, 7),
        "one text": (bits_inputs, 1, 5),
    },
    parts=("the bits per character", "the perplexity"),
    wrong=(
        Wrong("nats instead of bits", {" / math.log(2)": "", "2**bits": "math.e**bits"}).told(
            "The natural logarithm counts in nats. One bit is the surprise of a fair coin; how many nats is that? "
            "(Your perplexity is right: it does not depend on the unit.)"
        ),
        Wrong("nats instead of bits, and two to their power", {" / math.log(2)": ""}).told(
            "The unit of the surprise and the base of the power belong together: bits with 2, nats with e."
        ),
        Wrong("e to the power of the bits", {"2**bits": "math.e**bits"}).told(
            "The bits are right. A perplexity undoes the logarithm, and this one has the base two."
        ),
        Wrong("the padding is counted", {"nats[real].mean()": "nats.mean()"}).told(
            "Nobody asked the model to predict what stands past the end of a text."
        ),
        Wrong(
            "the padding is left out of the sum but not out of the count", {"nats[real].mean()": "(nats * real).mean()"}
        ).told("A mean divides by the number of things that were added up."),
        Wrong(
            "the mean over texts of each text's mean", {"nats[real].mean()": "((nats * real).sum(1) / lengths).mean()"}
        ).told("This weighs the characters of a short text more. Per *character*: each of them counts the same."),
    ),
    hints=(
        "First the surprise of every character, as a (batch, time) tensor; then decide which of them count.",
        "torch.log_softmax and gather pick the log probability of each target.",
    ),
)


def sampling_probabilities(logits: Tensor, temperature: float, top_p: float) -> Tensor:
    """logits is (batch, vocabulary); returns the probabilities to sample from, of the same shape."""
    p = torch.softmax(logits / temperature, dim=-1)
    ordered, order = p.sort(dim=-1, descending=True)
    before = ordered.cumsum(dim=-1) - ordered  # what the more probable characters add up to
    kept = torch.where(before < top_p, ordered, torch.zeros_like(ordered))
    kept[:, 0] = ordered[:, 0]  # never nothing
    p = torch.zeros_like(p).scatter(-1, order, kept)  # back to the order of the vocabulary
    return p / p.sum(dim=-1, keepdim=True)


def sampling_inputs(draw: Draw, batch: int, temperature: tuple[float, float], top_p: tuple[float, float]) -> tuple:
    # Logits a fixed step apart, jittered and shuffled: no cumulative sum comes close to a tie by accident.
    vocabulary = draw.integer(7, 9)
    steps = torch.arange(vocabulary, dtype=torch.float32).expand(batch, -1)
    logits = -0.7 * steps + draw.uniform(batch, vocabulary, low=-0.1, high=0.1)
    order = draw.uniform(batch, vocabulary).argsort(dim=-1)
    return logits.gather(-1, order), draw.number(*temperature), draw.number(*top_p)


SAMPLING = Question(
    id="2.5",
    title="A sampling rule",
    points=4,
    reference=sampling_probabilities,
    cases={
        "a cool model": (sampling_inputs, 4, (0.55, 0.7), (0.84, 0.88)),
        "a warm model": (sampling_inputs, 4, (1.6, 1.9), (0.62, 0.68)),
        "a nucleus of one": (sampling_inputs, 2, (0.8, 1.2), (0.05, 0.2)),
    },
    wrong=(
        Wrong("the logits are multiplied by the temperature", {"logits / temperature": "logits * temperature"}).told(
            "A low temperature should make the model bolder: the largest probability grows. Try 0.1 and look."
        ),
        Wrong(
            "the nucleus is chosen before the temperature",
            {"logits / temperature": "logits", "order, kept)": "order, kept ** (1 / temperature))"},
        ).told("The nucleus is the nucleus of the distribution that will be sampled from, which is the tempered one."),
        Wrong("the character that reaches top_p is left out", {"before < top_p": "before + ordered <= top_p"}).told(
            "The set should *reach* top_p; without its last member it falls short."
        ),
        Wrong("the probabilities are not renormalised", {" / p.sum(dim=-1, keepdim=True)": ""}).told(
            "What was cut off has to be shared among those that stay: add up your probabilities."
        ),
        Wrong(
            "the probabilities come back in sorted order", {"torch.zeros_like(p).scatter(-1, order, kept)": "kept"}
        ).told("Entry k must belong to character k again; `scatter`, or sorting the order itself, undoes a sort."),
        Wrong(
            "nothing is cut off", {"torch.where(before < top_p, ordered, torch.zeros_like(ordered))": "ordered"}
        ).told("This is sampling with temperature alone. Characters outside the nucleus get probability zero."),
    ),
    hints=(
        "Three steps, in this order: temper, choose the nucleus, share out what was cut.",
        "In sorted order, a character belongs to the nucleus while what came *before* it has not reached top_p.",
    ),
)
