"""Questions 10.4 and 10.6: a beam search, and a model on which it loses to greedy decoding."""

import math

import torch
from torch import Tensor

from rnncourse.grading.spec import Draw, Question, Wrong


def beam(first: Tensor, after: Tensor, width: int, steps: int) -> tuple[Tensor, Tensor]:
    """The best sequence, (steps,), and the log-probabilities of all that the beam ends with, (width,), best first."""
    ended, places = [], [(0.0, [])]
    for _ in range(steps):
        grown = []
        for total, tokens in places:
            scores = after[tokens[-1]] if tokens else first
            grown += [(total + score, [*tokens, token]) for token, score in enumerate(scores.tolist())]
        best = sorted(grown, reverse=True)[: width - len(ended)]
        ended += [place for place in best if place[1][-1] == 0]
        places = [place for place in best if place[1][-1] != 0]
    ranked = sorted(ended + places, reverse=True)
    tokens = ranked[0][1]
    return torch.tensor(tokens + [0] * (steps - len(tokens))), torch.tensor([total for total, _ in ranked])


def beam_inputs(draw: Draw, width: int) -> tuple:
    symbols = draw.integer(5, 7)
    first = draw.normal(symbols, scale=1.5)
    after = draw.normal(symbols, symbols, scale=1.5)
    after[:, 0] += 1  # some end early
    return first.log_softmax(0), after.log_softmax(1), width, draw.integer(4, 7)


def trap_inputs(draw: Draw) -> tuple:
    """The likeliest first token leads nowhere; the second likeliest ends at once, and what follows an end is likely."""
    symbols = draw.integer(5, 7)
    first = torch.full((symbols,), 0.02)
    tempting, good = (torch.randperm(symbols - 1, generator=draw.generator)[:2] + 1).tolist()
    first[tempting], first[good] = 0.5, 0.4
    after = draw.uniform(symbols, symbols, low=0.9, high=1.1)
    after[good] = 0.05 * draw.uniform(symbols, low=0.9, high=1.1)
    after[good, 0] = 1.0
    after[0, 0] = 0.01
    return (first / first.sum()).log(), (after / after.sum(1, keepdim=True)).log(), 2, draw.integer(4, 7)


def _each_place_grows_once(first: Tensor, after: Tensor, width: int, steps: int) -> tuple[Tensor, Tensor]:
    """The beam's places chosen at the first step; then each goes on greedily by itself."""
    rows = []
    for score, token in zip(*first.topk(min(width, len(first))), strict=True):
        total, tokens = float(score), [int(token)]
        while len(tokens) < steps and tokens[-1] != 0:
            best = after[tokens[-1]].max(0)
            total, tokens = total + float(best.values), [*tokens, int(best.indices)]
        rows.append((total, tokens))
    ranked = sorted(rows, reverse=True)
    tokens = ranked[0][1]
    return torch.tensor(tokens + [0] * (steps - len(tokens))), torch.tensor([total for total, _ in ranked])


BEAM = Question(
    id="10.4",
    title="A beam",
    points=3,
    reference=beam,
    cases={
        "two places": (beam_inputs, 2),
        "three places": (beam_inputs, 3),
        "a tempting beginning": trap_inputs,
        "four places": (beam_inputs, 4),
    },
    wrong=(
        Wrong("one place only", {"[: width - len(ended)]": "[: 1 - len(ended)]"}).told(
            "That is greedy decoding. A beam keeps `width` hypotheses side by side."
        ),
        Wrong("every place grows by its own best token", _each_place_grows_once).told(
            "At each step *all* continuations of all places compete: one place may have two children, another none."
        ),
        Wrong(
            "what has ended goes on",
            {
                "ended += [place for place in best if place[1][-1] == 0]": "ended += []",
                "places = [place for place in best if place[1][-1] != 0]": "places = best",
            },
        ).told("Token 0 is the end. A hypothesis that has said it keeps its score and is not continued."),
        Wrong("what has ended frees its place", {"[: width - len(ended)]": "[:width]"}).told(
            "A finished hypothesis keeps its place, and fewer are left for the others: at the end there are `width`."
        ),
        Wrong(
            "ranked by the mean over tokens",
            {"sorted(ended + places, reverse=True)": "sorted(ended + places, key=lambda p: -p[0] / len(p[1]))"},
        ).told("Here the log-probability of the whole decides, whatever the length."),
        Wrong("unfinished hypotheses are thrown away", {"sorted(ended + places,": "sorted(ended or places,"}).told(
            "What was cut off after the last step stands in the ranking, too."
        ),
        Wrong("only the last token's score counts", {"(total + score,": "(score,"}).told(
            "A hypothesis is worth the sum of the log-probabilities of all its tokens."
        ),
    ),
    hints=(
        "Keep a list of places: a sum of log-probabilities, and the tokens so far. It begins with one, the empty one.",
        "At each step write down every continuation of every open place, sort, and keep as many as places are free.",
    ),
    flags=(r"\bbeam_search\b",),
)


def losing_tables(vocab: int, width: int, times: float) -> tuple[Tensor, Tensor, Tensor]:
    """Probabilities of the first token (vocab,), the second (vocab, vocab) and the third (vocab, vocab, vocab)."""
    first = torch.zeros(vocab)
    first[:width] = 1.0
    first[0] = 1.1  # greedy decoding begins here
    second = torch.zeros(vocab, vocab)
    second[:, 1] = 1.0
    second[1, :2] = 0.5  # one of the others goes two ways, so that `width` beginnings are ahead
    second[0] = 0.6 / (vocab - 1)
    second[0, 0] = 0.4
    third = torch.full((vocab, vocab, vocab), 1 / vocab)
    third[0] = torch.eye(vocab)[0]  # where greedy went, the end is certain
    return first / first.sum(), second, third


def _unfit(answer, vocab: int) -> str:
    if not isinstance(answer, tuple | list) or len(answer) != 3:
        return "expected three tensors: of the first, the second and the third token"
    for axes, (name, table) in enumerate(zip(("first", "second", "third"), answer, strict=True), start=1):
        shape = (vocab,) * axes
        if not isinstance(table, Tensor) or not table.is_floating_point() or tuple(table.shape) != shape:
            return f"the {name} token: expected real numbers of the shape {shape}"
        if not bool(torch.isfinite(table).all()) or bool((table < 0).any()):
            return f"the {name} token: expected probabilities, finite and none below 0"
        if not torch.allclose(table.double().sum(-1), torch.ones((), dtype=torch.float64), atol=1e-4):
            return f"the {name} token: the probabilities after each beginning should add up to 1"
    return ""


Prefix = tuple[int, ...]


def _continued(tables: list[Tensor], prefix: Prefix, p: float) -> list[tuple[float, Prefix]]:
    row = tables[len(prefix)][prefix].tolist()
    return [(p * q, (*prefix, token)) for token, q in enumerate(row) if q > 0]


def _greedy(tables: list[Tensor]) -> tuple[float, Prefix]:
    p, prefix = 1.0, ()
    for _ in tables:
        p, prefix = max(_continued(tables, prefix, p), key=lambda one: (one[0], -one[1][-1]))
    return p, prefix


def _beams_best(tables: list[Tensor], width: int, favoured: Prefix, sign: int) -> float:
    """The probability of the best that a beam finds; a tie goes to (sign 1) or against (−1) a favoured sequence."""
    places = [(1.0, ())]
    for _ in tables:
        grown = [one for p, prefix in places for one in _continued(tables, prefix, p)]
        grown.sort(
            key=lambda one: (round(math.log(one[0]), 9), sign * (favoured[: len(one[1])] == one[1])), reverse=True
        )
        places = grown[:width]
    return max(p for p, _ in places)


def judge_losing(answer, vocab: int, width: int, times: float) -> tuple[str, str]:
    if problem := _unfit(answer, vocab):
        return problem, problem
    tables = [table.double() for table in answer]
    alone, path = _greedy(tables)
    found = _beams_best(tables, width, path, 1)
    if alone < times * found:
        said = (
            f"greedy decoding finds a sequence of probability {alone:.3g}, a beam of {width} one of {found:.3g}; "
            f"greedy's should be at least {times:.2f} times as likely"
        )
        return said, said
    wider = _beams_best(tables, width + 1, path, -1)
    return "", "" if wider >= alone * (1 - 1e-6) else f"a beam of {width + 1} loses to greedy decoding as well"


def losing_inputs(draw: Draw, width: int) -> tuple:
    return draw.integer(8, 11), width, draw.number(1.5, 3.0)


LOSING = Question(
    id="10.6",
    title="Where the beam loses",
    points=3,
    reference=losing_tables,
    judge=judge_losing,
    cases={
        "two places": (losing_inputs, 2),
        "three places": (losing_inputs, 3),
        "five places": (losing_inputs, 5),
    },
    parts=("greedy is ahead of the beam", "one place more is enough"),
    wrong=(
        Wrong("greedy begins elsewhere", {"first[0] = 1.1": "first[0] = 0.9"}).told(
            "Greedy decoding takes the likeliest first token. Let the sequence that should win begin with it."
        ),
        Wrong(
            "the beam keeps greedy's beginning",
            {"second[0, 0] = 0.4": "second[0, 0] = 0.8", "second[0] = 0.6": "second[0] = 0.2"},
        ).told("After two tokens greedy's beginning has to be pushed out: `width` others must be likelier than it."),
        Wrong("nothing is won at the end", {"torch.eye(vocab)[0]": "1 / vocab"}).told(
            "The beam has lost greedy's beginning, but it was not worth more. Let its third token be certain, and the "
            "others' uncertain."
        ),
        Wrong("one beginning too few", {"second[1, :2] = 0.5": "second[1, 0] = 0.0"}).told(
            "The likeliest first token has one of the beam's places at the first step. So the others have one place "
            "fewer, and still must fill all at the second."
        ),
        Wrong("every other goes two ways", {"second[:, 1] = 1.0": "second[:, :2] = 0.5"}).told(
            "The beam loses. But so many beginnings are ahead of greedy's that one place more would not help."
        ),
        Wrong("the first table does not add up", {"first / first.sum()": "first"}).told(
            "Probabilities add up to 1 after every beginning, the empty one too."
        ),
    ),
    hints=(
        "Think in three steps: greedy's token is a little likelier; then its road forks many ways; then it is certain.",
        "Count who is ahead after two tokens: exactly `width` beginnings should be, no more.",
    ),
)
