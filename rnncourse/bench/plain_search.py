"""The opponent in decoding: search as a textbook writes it, one sentence and one hypothesis at a time.

It finds what the batched search finds (the benchmark checks that before it times anything), and carries each
hypothesis's state with it, so that nothing is read twice.
"""

from typing import Any

import torch
from torch import Tensor

from rnncourse.seq2seq import Hypotheses, greedy
from rnncourse.shapes import map_state


def row_of(state: Any, row: int) -> Any:
    """The state of one sentence."""
    return map_state(lambda part: part[row : row + 1], state)


def greedy_one_by_one(model: Any, start: Tensor, state: Any, **options: Any) -> list[Hypotheses]:
    """Greedy decoding, sentence after sentence."""
    return [greedy(model, start[row : row + 1], row_of(state, row), **options) for row in range(len(start))]


@torch.no_grad()
def beam_by_hypothesis(
    model: Any, start: Tensor, state: Any, *, width: int, eos: int | None, max_length: int
) -> list[list[tuple[float, list[int]]]]:
    """Beam search with a call of the model for every hypothesis.

    Returns:
        For each sentence its hypotheses (log-probability, tokens), the likeliest first.
    """
    return [
        _search(model, start[row : row + 1], row_of(state, row), width, eos, max_length) for row in range(len(start))
    ]


def _search(
    model: Any, start: Tensor, state: Any, width: int, eos: int | None, max_length: int
) -> list[tuple[float, list[int]]]:
    living: list[tuple[float, list[int], Tensor, Any]] = [(0.0, [], start, state)]
    done: list[tuple[float, list[int]]] = []
    for _ in range(max_length):
        continued = []
        for score, tokens, last, before in living:
            logits, after = model(last, before)
            best = torch.log_softmax(logits[0, -1], -1).topk(min(width, logits.shape[-1]))
            for log_p, token in zip(best.values.tolist(), best.indices.tolist(), strict=True):
                continued.append((score + log_p, [*tokens, token], after))
        continued.sort(key=lambda one: one[0], reverse=True)
        living = []
        for score, tokens, after in continued[: width - len(done)]:
            if tokens[-1] == eos:
                done.append((score, tokens))
            else:
                living.append((score, tokens, torch.tensor([[tokens[-1]]]), after))
        if not living:
            break
    return sorted([*done, *((score, tokens) for score, tokens, _, _ in living)], key=lambda one: one[0], reverse=True)
