"""Sequence to sequence: what batching, projecting the keys once and forcing all steps at once are worth.

Each pair computes the same: the search that is batched and the one that is not find hypotheses of the same
probabilities, which is checked before anything is timed. The searches are checked in float64: in float32 two beginnings
at the beam's edge may lie closer than a rounding, and which of them is kept then depends on the processor.
"""

import copy
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from rnncourse.attention import GeneralAttention
from rnncourse.cells import GRUCell, LSTMCell
from rnncourse.layers import Recurrent, Stacked
from rnncourse.seq2seq import Bridge, Encoder, LuongDecoder, SequenceToSequence, beam_search, greedy, teacher_forced
from rnncourse.shapes import detach_state, map_state

from .plain_search import beam_by_hypothesis, greedy_one_by_one, row_of
from .timing import fitted_exponent, interleave, ratios, summarise

CELLS = {"GRU": GRUCell, "LSTM": LSTMCell}
LETTERS, SOUNDS, BEGIN, END = 30, 42, 1, 2  # the sizes of grapheme to phoneme
WIDTH = 5


def build(cell: str, hidden: int) -> SequenceToSequence:
    """A bidirectional encoder, a bridge, and a decoder with attention, after Luong."""
    reader = Stacked.of(CELLS[cell], hidden // 2, hidden // 2, bidirectional=True)
    writer = Recurrent(CELLS[cell](hidden // 2, hidden))
    decoder = LuongDecoder(writer, SOUNDS, GeneralAttention(hidden, 2 * (hidden // 2)))
    return SequenceToSequence(Encoder(reader, LETTERS), decoder, Bridge(reader, writer))


def measure(
    cells: Sequence[str] = tuple(CELLS),
    *,
    rounds: int,
    sentences: int = 64,
    source: int = 12,
    length: int = 16,
    hidden: int = 128,
    growing: Sequence[int] = (32, 64, 128, 256),
    say: Callable[[str], None] = print,
) -> list[dict[str, Any]]:
    """Time every pair, and how decoding grows with the length of what is written.

    Args:
        cells: Which of "GRU" and "LSTM".
        rounds: Timed rounds of each pair.
        sentences: Sentences in a batch, of lengths from 1 to ``source``.
        source: Steps of the longest source.
        length: Tokens at which decoding is cut off.
        hidden: Hidden units.
        growing: The lengths at which growth is measured.
        say: Where progress goes.

    Returns:
        One row for each cell and kind of work: milliseconds of each candidate and their ratios to the first; and one
        for each cell and search with the exponent of its growth.
    """
    rows = []
    for cell in cells:
        model = build(cell, hidden)
        sources = torch.randint(LETTERS, (sentences, source))
        lengths = torch.randint(1, source + 1, (sentences,))
        lengths[0] = source
        start, state = torch.full((sentences, 1), BEGIN), detach_state(model.encode(sources, lengths))
        targets = torch.randint(3, SOUNDS, (sentences, length + 1))
        for work, candidates in (
            ("greedy", _greedy(model, start, state, length)),
            ("beam", _beam(model, start, state, length)),
            ("keys", _keys(model, start, state, lengths, length)),
            ("teacher forcing", _forcing(model, sources, lengths, targets)),
        ):
            slow = len(candidates) > 2 or work == "greedy"
            seconds = interleave(candidates, rounds=min(rounds, 5) if slow else rounds)
            first = next(iter(candidates))
            row = {
                "cell": cell,
                "work": work,
                "size": {"sentences": sentences, "source": source, "length": length, "hidden": hidden},
                "milliseconds": {name: summarise([1000 * s for s in v])._asdict() for name, v in seconds.items()},
                "ratio": {name: ratio._asdict() for name, ratio in ratios(seconds, first).items()},
            }
            rows.append(row)
            say(line(row))
        for row in _growth(model.decoder, start[:8], map_state(lambda part: part[:8], state), growing, rounds):
            rows.append({"cell": cell, **row})
            say(growth_line(rows[-1]))
    return rows


def _same(what: str, mine: Tensor, theirs: Tensor, within: float = 1e-3) -> None:
    """Refuse to time what does not agree."""
    difference = (mine - theirs).abs().max().item()
    if not difference <= within:
        raise AssertionError(
            f"{what} differs by {difference:.1e} in log-probability; nothing is timed that is not equal"
        )


def _wide(decoder: Any, state: Any) -> tuple[Any, Any]:
    """A decoder and its state in float64."""
    return copy.deepcopy(decoder).double(), map_state(lambda x: x.double() if x.is_floating_point() else x, state)


def _greedy(model: SequenceToSequence, start: Tensor, state: Any, length: int) -> dict[str, Callable[[], Any]]:
    options = {"eos": END, "max_length": length}
    decoder, wide = _wide(model.decoder, state)
    together = greedy(decoder, start, wide, **options)
    alone = greedy_one_by_one(decoder, start, wide, **options)
    said = torch.cat([one.log_probabilities for one in alone])
    _same("greedy decoding", together.log_probabilities, said, within=1e-9)
    return {
        "batched": lambda: greedy(model.decoder, start, state, **options),
        "one by one": lambda: greedy_one_by_one(model.decoder, start, state, **options),
    }


def _beam(model: SequenceToSequence, start: Tensor, state: Any, length: int) -> dict[str, Callable[[], Any]]:
    options = {"width": WIDTH, "eos": END, "max_length": length}
    decoder, wide = _wide(model.decoder, state)
    together = beam_search(decoder, start, wide, **options)
    alone = beam_by_hypothesis(decoder, start, wide, **options)
    said = torch.tensor([[score for score, _ in one] for one in alone], dtype=torch.float64)
    _same("beam search", together.log_probabilities, said, within=1e-9)

    def by_sentence() -> None:
        for row in range(len(start)):
            beam_search(model.decoder, start[row : row + 1], row_of(state, row), **options)

    return {
        "batched": lambda: beam_search(model.decoder, start, state, **options),
        "by sentence": by_sentence,
        "by hypothesis": lambda: beam_by_hypothesis(model.decoder, start, state, **options),
    }


def _keys(
    model: SequenceToSequence, start: Tensor, state: Any, lengths: Tensor, length: int
) -> dict[str, Callable[[], Any]]:
    def projecting(tokens: Tensor, before: Any) -> tuple[Tensor, Any]:
        memory = model.decoder.attention.memory(before.memory.values, lengths)
        return model.decoder(tokens, before._replace(memory=memory))

    once, anew = (greedy(one, start, state, max_length=length) for one in (model.decoder, projecting))
    _same("keys projected anew", once.log_probabilities, anew.log_probabilities)
    return {
        "once": lambda: greedy(model.decoder, start, state, max_length=length),
        "at every step": lambda: greedy(projecting, start, state, max_length=length),
    }


def _forcing(
    model: SequenceToSequence, sources: Tensor, lengths: Tensor, targets: Tensor
) -> dict[str, Callable[[], Any]]:
    always = 1 - 1e-12  # every coin falls below it, but the loop cannot know

    def train(ratio: float) -> Tensor:
        logits, _ = teacher_forced(model.decoder, targets, model.encode(sources, lengths), ratio=ratio)
        logits.logsumexp(-1).mean().backward()
        model.zero_grad(set_to_none=True)
        return logits.detach()

    _same("forcing step by step", train(1.0), train(always))
    return {"all steps at once": lambda: train(1.0), "step by step": lambda: train(always)}


def _growth(decoder: Any, start: Tensor, state: Any, growing: Sequence[int], rounds: int) -> list[dict[str, Any]]:
    searches = {
        "greedy": lambda length: greedy(decoder, start, state, max_length=length),
        "beam": lambda length: beam_search(decoder, start, state, width=WIDTH, max_length=length),
    }
    rows = []
    for name, search in searches.items():
        work = {length: (lambda length=length, search=search: search(length)) for length in growing}
        seconds = interleave(work, rounds=rounds)
        points = [summarise([1000 * s for s in seconds[length]]) for length in growing]
        rows.append(
            {
                "work": f"growth of {name}",
                "time": list(growing),
                "milliseconds": [point._asdict() for point in points],
                "exponent": fitted_exponent(growing, [point.median for point in points]),
            }
        )
    return rows


def line(row: dict[str, Any]) -> str:
    """One row as a line of the table."""
    first = next(name for name in row["milliseconds"] if name not in row["ratio"])
    shown = "  ".join(f"{name} {r['median']:.1f}× ({r['low']:.1f}–{r['high']:.1f})" for name, r in row["ratio"].items())
    return f"{row['cell']:5}{row['work']:16} {first} {row['milliseconds'][first]['median']:.1f} ms   {shown}"


def growth_line(row: dict[str, Any]) -> str:
    """A row of growth as a line of the table."""
    first, last = row["milliseconds"][0]["median"], row["milliseconds"][-1]["median"]
    times = f"{row['time'][0]} … {row['time'][-1]} tokens"
    return f"{row['cell']:5}{row['work']:16} {times}: {first:.1f} … {last:.1f} ms,  exponent {row['exponent']:.2f}"
