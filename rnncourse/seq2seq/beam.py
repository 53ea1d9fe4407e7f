"""Beam search: several hypotheses at once, so that a good sequence with a poor beginning is not lost at once."""

from __future__ import annotations

import math
from typing import Any

import torch
from jaxtyping import Int
from torch import Tensor

from rnncourse.checks import check_flag, check_positive
from rnncourse.modes import evaluating
from rnncourse.seq2seq.attentive import DecoderState
from rnncourse.seq2seq.hypotheses import Hypotheses
from rnncourse.seq2seq.stepping import Model, check_decoding, check_marks, next_log_probabilities
from rnncourse.seq2seq.writing import greedy
from rnncourse.shapes import map_state

__all__ = ["beam_search", "reorder"]


def beam_search(
    model: Model,
    start: Int[Tensor, "batch time"],
    state: Any = None,
    *,
    width: int,
    eos: int | None = None,
    max_length: int,
    pad: int = 0,
    length_penalty: float | int = 0.0,
    keep_greedy: bool = False,
) -> Hypotheses:
    r"""Writes with the ``width`` likeliest beginnings side by side, and returns the hypotheses that became of them.

    Each sentence has ``width`` places. At every step each unfinished hypothesis is continued by every token, and the
    likeliest of all these continuations take the places. One that ends in the end mark is finished: it keeps its place
    and its score to the end, is never continued and never pushed out, so that the search narrows as hypotheses finish.
    At the end all are ranked by

    .. math:: \mathrm{score}(y) = \frac{1}{n^{\alpha}} \sum_{t=1}^{n} \log p(y_t \mid y_1, \dots, y_{t-1}, x)

    where :math:`n` is the length of hypothesis :math:`y`, the end mark included, and :math:`\alpha` is
    ``length_penalty``. The length matters in this last ranking alone: within a step all continuations are equally long.

    A width of 1 is greedy decoding. A width as large as the number of possible sequences is exhaustive search. In
    between nothing is promised: the greedy sequence itself may be pushed out by beginnings that come to nothing, which
    ``keep_greedy`` mends.

    All sentences and their places advance as one batch, and the states of the places that survive are gathered at every
    step.

    Args:
        model: Anything that says ``logits, state = model(tokens, state)``, its state a tensor or a (named) tuple of
            states, batch first: a decoder, a language model, a Transformer.
        start: What the model reads first: a begin mark for each sentence, or a prompt.
        state: The model's state before that; its own first state if not given.
        width: How many hypotheses of each sentence.
        eos: The end mark; if not given, sequences never end of themselves.
        max_length: Where the others are cut off, in tokens. A hypothesis that was cut off stands in the ranking as it
            is; ``finished`` tells.
        pad: The token that fills a hypothesis after its end.
        length_penalty: The exponent :math:`\alpha`, at least 0: with 0 the log-probability decides, which favours the
            short; with 1 the mean over the tokens.
        keep_greedy: Whether the greedy hypothesis is a candidate in the last ranking even where the search lost it.

    Returns:
        Hypotheses of shape (batch, width), best first. A place that nothing took, where there are fewer sequences than
        places, has length 0 and log-probability −∞.

    Raises:
        ValueError: If the start is no batch of tokens, a number makes no sense, or the model's scores hold NaN.

    Source: Sutskever, Vinyals and Le (2014) for places that finished hypotheses keep; Graves (2012) for the search in
    sequence transduction; the power of the length as in the "Sequence Models" course of deeplearning.ai; all from
    secondary sources.

    Example:
        >>> from rnncourse.cells import GRUCell
        >>> from rnncourse.layers import Recurrent
        >>> from rnncourse.models import LanguageModel
        >>> model = LanguageModel(Recurrent(GRUCell(8, 16)), vocab_size=27)
        >>> found = beam_search(model, torch.ones(2, 1, dtype=torch.long), width=3, eos=2, max_length=5)
        >>> found.log_probabilities.shape, found.best().log_probabilities.shape
        (torch.Size([2, 3]), torch.Size([2]))
    """
    check_decoding(model, start, eos, max_length, pad)
    check_positive("width", width)
    if not isinstance(length_penalty, int | float) or not 0 <= length_penalty < math.inf:
        raise ValueError(f"length_penalty is {length_penalty!r}; it should be a finite number of at least 0")
    check_flag("keep_greedy", keep_greedy)
    with evaluating(model):
        found = _search(model, start, state, width, eos, max_length, pad)
    if keep_greedy:
        alone = greedy(model, start, state, eos=eos, max_length=max_length, pad=pad)
        found = _with_candidate(found, alone, pad)
    order = found.scores(length_penalty).argsort(dim=1, descending=True, stable=True)[:, :width]
    tokens = found.tokens.gather(1, order[..., None].expand(-1, -1, found.tokens.shape[2]))
    return Hypotheses(tokens, *(part.gather(1, order) for part in found[1:]))


def reorder(state: Any, rows: Int[Tensor, "rows"]) -> Any:
    """Gather the rows of a state: the state of each hypothesis that survived, wherever it stood before.

    A decoder's memory stays as it is: all hypotheses of a sentence look up one source, and rows move within their
    sentence only.

    Args:
        state: A tensor or a (named) tuple of states, batch first.
        rows: For each new row, the old one, of the same sentence.

    Returns:
        A state of the same structure.

    Example:
        >>> reorder((torch.tensor([[1.0], [2.0]]),), torch.tensor([1, 1, 0]))
        (tensor([[2.],
                [2.],
                [1.]]),)
    """
    if isinstance(state, DecoderState):
        return state._replace(layer=reorder(state.layer, rows), fed=reorder(state.fed, rows))
    return map_state(lambda part: part.index_select(0, rows), state)


def _search(
    model: Model, start: Tensor, state: Any, width: int, eos: int | None, max_length: int, pad: int
) -> Hypotheses:
    """All hypotheses, unranked."""
    batch, device = len(start), start.device
    log_p, state = next_log_probabilities(model, start, state)
    vocab = log_p.shape[1]
    check_marks(eos, pad, vocab)
    first = width * torch.arange(batch, device=device)[:, None]  # each sentence's first row among all places
    log_p, state = map_state(lambda part: part.repeat_interleave(width, 0), (log_p, state))
    total = log_p.new_full((batch, width), -math.inf)
    total[:, 0] = 0.0  # one beginning, the empty one; the other places are free
    finished = torch.zeros(batch, width, dtype=torch.bool, device=device)
    lengths = torch.zeros(batch, width, dtype=torch.long, device=device)
    stays = log_p.new_full((vocab,), -math.inf)
    stays[0] = math.inf  # a finished hypothesis has one continuation, itself, which nothing can push out
    steps = []
    while True:
        continued = total[..., None] + log_p.view(batch, width, vocab)
        rank = torch.where(finished[..., None], stays, continued)
        best, place = rank.flatten(1).topk(width)
        parent, token = place // vocab, place % vocab
        kept = best.isposinf()
        total = torch.where(kept, total.gather(1, parent), best)
        token = torch.where(kept, pad, token)
        lengths = lengths.gather(1, parent) + ~kept
        finished = kept | ((token == eos) & ~best.isneginf()) if eos is not None else kept
        steps.append((token, parent))
        if len(steps) == max_length or (finished | total.isneginf()).all():
            break
        rows = (first + parent).flatten()
        log_p, state = next_log_probabilities(model, token.view(-1, 1), reorder(state, rows))
    nothing = total.isneginf()
    tokens = _trace_back(steps).masked_fill(nothing[..., None], pad)
    return Hypotheses(tokens, lengths.masked_fill(nothing, 0), total, finished)


def _trace_back(steps: list[tuple[Tensor, Tensor]]) -> Tensor:
    """The tokens of each place, read from the last step back along its parents: (batch, width, time)."""
    place = torch.arange(steps[0][0].shape[1], device=steps[0][0].device).expand_as(steps[0][0])
    tokens = []
    for token, parent in reversed(steps):
        tokens.append(token.gather(1, place))
        place = parent.gather(1, place)
    return torch.stack(tokens[::-1], -1)


def _with_candidate(found: Hypotheses, alone: Hypotheses, pad: int) -> Hypotheses:
    """One more hypothesis for each sentence, unless it is there already."""
    time = max(found.tokens.shape[2], alone.tokens.shape[1])
    many, one = (
        torch.nn.functional.pad(tokens, (0, time - tokens.shape[-1]), value=pad)
        for tokens in (found.tokens, alone.tokens[:, None])
    )
    there = ((many == one).all(2) & (found.lengths == alone.lengths[:, None])).any(1, keepdim=True)
    total = alone.log_probabilities[:, None].masked_fill(there, -math.inf)
    beside = Hypotheses(one, alone.lengths[:, None], total, alone.finished[:, None])
    return Hypotheses(*(torch.cat(pair, 1) for pair in zip(found._replace(tokens=many), beside, strict=True)))
