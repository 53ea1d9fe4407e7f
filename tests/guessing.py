"""A little learner that tries to earn points without doing what a question asks.

It sees what a learner's function sees, the arguments of every call in the order of the calls, and on one half of the
seeds also the right answers. From these it fits rules that look at nothing, at the position of the call, or at one
number that is easily read off the arguments; on the other half it is seen what they earn.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator
from typing import Any, NamedTuple

import numpy as np
import torch


class Call(NamedTuple):
    """One call of one seed: where it stands, and what is easily seen of its arguments."""

    seed: int
    position: int
    seen: dict[str, float]


def readable(part: Any) -> Hashable:
    """A part of an answer as something that can be counted, to four digits: what is closer counts as equal."""
    if isinstance(part, torch.Tensor):
        if part.dim() == 0:
            return readable(part.item())
        return tuple(part.shape), np.round(part.double().numpy(), 4).tobytes()
    if isinstance(part, tuple | list):
        return tuple(map(readable, part))
    return float(f"{part:.4g}") if isinstance(part, float) else part


def easily_seen(value: Any, name: str = "") -> Iterator[tuple[str, float]]:
    """Numbers that can be read off arguments: sizes, sums, counts, extremes, runs, and the degrees of a graph."""
    if isinstance(value, tuple | list):
        for index, item in enumerate(value):
            yield from easily_seen(item, f"{name}[{index}]")
    elif isinstance(value, int | float):
        yield name, float(value)
    elif isinstance(value, torch.Tensor):
        a = value.double().numpy()
        yield from ((f"{name}.shape[{axis}]", float(size)) for axis, size in enumerate(a.shape))
        if a.size:
            yield from ((f"{name}.{word}", float(number)) for word, number in _of_entries(a.ravel()))
        if a.ndim == 2 and a.size:
            yield from ((f"{name}.{word}", float(number)) for word, number in _of_matrix(a))


def _of_entries(v: np.ndarray) -> Iterator[tuple[str, float]]:
    yield from (("sum", v.sum()), ("size", v.sum() + v.size), ("sum of sizes", abs(v).sum()), ("product", v.prod()))
    yield from (("largest", v.max()), ("smallest", v.min()), ("first", v[0]), ("last", v[-1]))
    yield from (("nonzeros", np.count_nonzero(v)), ("zeros", v.size - np.count_nonzero(v)))
    yield from (("argmax", v.argmax()), ("argmin", v.argmin()))
    values, counts = np.unique(v, return_counts=True)
    yield from (("different", len(values)), ("most frequent", counts.max()), ("least frequent", counts.min()))
    ends = np.flatnonzero(np.append(v[1:] != v[:-1], True))
    runs = np.diff(np.append(-1, ends))
    yield from (("runs", len(runs)), ("longest run", runs.max()), ("shortest run", runs.min()))
    yield from (("first run", runs[0]), ("last run", runs[-1]), ("first repeated", _return_of(v)))


def _return_of(v: np.ndarray) -> int:
    """How many steps it takes for the first entry to come back."""
    again = np.flatnonzero(v[1:] == v[0])
    return int(again[0]) + 1 if len(again) else 0


def _of_matrix(a: np.ndarray) -> Iterator[tuple[str, float]]:
    for word, sums in (("row sum", a.sum(1)), ("column sum", a.sum(0))):
        yield from ((f"largest {word}", sums.max()), (f"smallest {word}", sums.min()), (f"last {word}", sums[-1]))
        yield from ((f"zero {word}s", (sums == 0).sum()), (f"{word}s of one", (sums == 1).sum()))
    if a.shape[0] == a.shape[1]:
        yield from (("trace", a.trace()), ("both ways", (a * a.T).sum()), ("upper", np.count_nonzero(np.triu(a))))
        yield from (("density", a.mean()), ("lower", np.count_nonzero(np.tril(a))), ("cube", np.trace(a @ a @ a)))
        yield "sources or sinks", ((a.sum(0) == 0) | (a.sum(1) == 0)).sum()


Rule = Callable[[Call], Hashable]


def rules(calls: list[Call], answers: list[Hashable]) -> Iterator[tuple[str, Rule]]:
    """Every rule that can be fitted to these calls, with its name."""
    counted = Counter(answers)
    usual = counted.most_common(1)[0][0]
    for constant, _ in counted.most_common(3):
        yield f"always {constant!r:.40}", lambda call, constant=constant: constant
    by_position = _table([call.position for call in calls], answers)
    yield "by position", lambda call: by_position.get(call.position, usual)
    of_numbers = all(isinstance(answer, int | float) and not isinstance(answer, bool) for answer in answers)
    for name in sorted(set.intersection(*(set(call.seen) for call in calls))):
        values = np.array([call.seen[name] for call in calls])
        known = _table(values, answers)
        fitted = [(f"by {name}", lambda value, known=known: known.get(value, usual))]
        if 1 < len(counted) <= 4:
            fitted.append((f"{name} above a threshold", _threshold(values, answers)))
        if of_numbers:
            fitted += _lines(name, values, answers)
        for said, rule in fitted:
            yield said, lambda call, name=name, rule=rule: rule(call.seen.get(name, 0.0))


def _table(values: Iterable[float], answers: list[Hashable]) -> dict[float, Hashable]:
    """The most frequent answer for every value."""
    seen = defaultdict(Counter)
    for value, answer in zip(values, answers, strict=True):
        seen[value][answer] += 1
    return {value: counted.most_common(1)[0][0] for value, counted in seen.items()}


def _threshold(values: np.ndarray, answers: list[Hashable]) -> Callable[[float], Hashable]:
    """One answer up to some value, another above it: the split that is right most often."""
    best, chosen = -1, (0.0, None, None)
    for cut in np.unique(np.quantile(np.unique(values), np.linspace(0, 1, 17)[:-1])):
        sides = defaultdict(Counter)
        for value, answer in zip(values, answers, strict=True):
            sides[value > cut][answer] += 1
        (below, right), (above, more) = (sides[side].most_common(1)[0] if sides[side] else (None, 0) for side in (0, 1))
        if right + more > best:
            best, chosen = right + more, (cut, below, above)
    cut, below, above = chosen
    return lambda value: above if value > cut else below


def _lines(name: str, values: np.ndarray, answers: list[float]) -> Iterator[tuple[str, Callable[[float], Hashable]]]:
    """The answer is the value's multiple, or lies a fixed distance from it, or on the line through all of them."""
    y = np.array(answers, dtype=float)
    whole = all(isinstance(answer, int) for answer in answers)
    lines = [(1.0, Counter(np.round(y - values, 6)).most_common(1)[0][0])]
    if values.all():
        lines.append((Counter(np.round(y / values, 6)).most_common(1)[0][0], 0.0))
    if len(np.unique(values)) > 1:
        lines.append(tuple(np.polyfit(values, y, 1)))
    for slope, start in lines:
        yield (
            f"{slope:.2g} · {name} + {start:.2g}",
            lambda value, a=slope, b=start: round(a * value + b) if whole else readable(float(a * value + b)),
        )


def best_rule(calls: list[Call], answers: list[Hashable], last_of_training: int) -> tuple[float, str]:
    """How often the luckiest rule is right in *every* call of a seed that it was not fitted to, and which it is."""
    fitted = [(call, answer) for call, answer in zip(calls, answers, strict=True) if call.seed <= last_of_training]
    judged = [(call, answer) for call, answer in zip(calls, answers, strict=True) if call.seed > last_of_training]
    seeds = {call.seed for call, _ in judged}
    best = 0.0, "none"
    for name, rule in rules(*map(list, zip(*fitted, strict=True))):
        missed = {call.seed for call, answer in judged if rule(call) != answer}
        best = max(best, (1 - len(missed) / len(seeds), name))
    return best
