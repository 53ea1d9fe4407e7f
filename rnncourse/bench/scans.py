"""Linear recurrences: every scan against the readable loop and ``torch.nn.GRU``, and their single-precision errors."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from rnncourse.layers import Recurrent
from rnncourse.scan import SCANS, MinGRUCell, float32_error

from .pairs import forward_backward, largest_difference, run
from .timing import fitted_exponent, interleave, ratios, summarise

#: (batch, hidden): a state of 32 numbers, and one of about a thousand.
WIDTHS = ((4, 8), (8, 128))


def min_gru(hidden: int, scan: str) -> Recurrent:
    """A minGRU of the form that the scan can compute, or the readable loop of the linear one."""
    if scan == "loop":
        return Recurrent(MinGRUCell(hidden, hidden), implementation="loop")
    candidate = "positive" if scan == "log_space" else "linear"
    return Recurrent(MinGRUCell(hidden, hidden, candidate=candidate, scan=scan))


def assert_loop(scan: str, hidden: int, time: int) -> float:
    """The largest relative difference between a scanned layer and its readable loop, in double precision.

    Raises:
        AssertionError: If it is no rounding error.
    """
    layer = min_gru(hidden, scan).double()
    readable = Recurrent(layer.cell, implementation="loop")
    x, dy = (torch.randn(2, time, hidden, dtype=torch.float64) for _ in range(2))
    difference = largest_difference(*(_results(each, x, dy) for each in (layer, readable)))
    if not difference <= 1e-9:
        raise AssertionError(f"{scan} differs from the loop by {difference:.1e}; nothing is timed that is not equal")
    return difference


def _results(layer: nn.Module, x: Tensor, dy: Tensor) -> list[Tensor]:
    x = x.detach().requires_grad_()
    y = run(layer, x)
    return [y.detach(), *torch.autograd.grad(y, [x, *layer.parameters()], dy)]


def crossover(times: Sequence[int], ratios: Sequence[float]) -> int | None:
    """The least length from which on a ratio of times is below one at every length that was measured.

    >>> crossover([64, 128, 256], [1.5, 0.8, 0.4])
    128
    >>> crossover([64, 128], [0.5, 1.5]) is None
    True
    """
    found = None
    for time, ratio in zip(times, ratios, strict=True):
        if ratio >= 1:
            found = None
        elif found is None:
            found = time
    return found


def measure(
    times: Sequence[int],
    *,
    rounds: int,
    widths: Sequence[tuple[int, int]] = WIDTHS,
    say: Callable[[str], None] = print,
) -> list[dict[str, Any]]:
    """Forward plus backward of a minGRU at growing T: each scan, its readable loop, and ``torch.nn.GRU`` of its size.

    Args:
        times: Lengths T, growing.
        rounds: Timed rounds a length.
        widths: (batch, hidden) of each case; the input has as many features as the state.
        say: Where progress goes.

    Returns:
        For each width a row for each length (milliseconds and ratios to torch.nn), one for each candidate (its
        exponent) and one for each pair (where the first overtakes the second); then a row for each scan with its error
        in single precision at every length.
    """
    rows = []
    names = ["torch.nn", "loop", *SCANS]
    for batch, hidden in widths:
        size = {"batch": batch, "hidden": hidden}
        for scan in SCANS:
            assert_loop(scan, hidden, min(max(times), 300))
        reference = nn.GRU(hidden, hidden, batch_first=True)
        modules = {"torch.nn": reference, **{name: min_gru(hidden, name) for name in names[1:]}}
        curves: dict[str, list[float]] = {name: [] for name in names}
        timed = []
        for time in times:
            x, dy = torch.randn(batch, time, hidden, requires_grad=True), torch.randn(batch, time, hidden)
            seconds = interleave({name: forward_backward(m, x, dy) for name, m in modules.items()}, rounds=rounds)
            summaries = {name: summarise([1000 * s for s in values]) for name, values in seconds.items()}
            for name, summary in summaries.items():
                curves[name].append(summary.median)
            row = {
                "kind": "time",
                **size,
                "time": time,
                "milliseconds": {name: summary._asdict() for name, summary in summaries.items()},
                "ratio": {name: ratio._asdict() for name, ratio in ratios(seconds, "torch.nn").items()},
                "over_loop": {name: ratio._asdict() for name, ratio in ratios(seconds, "loop").items()},
                "over_sequential": {name: ratio._asdict() for name, ratio in ratios(seconds, "sequential").items()},
            }
            timed.append(row)
            say(line(row))
        found = [*_growth(times, curves, size), *_crossovers(timed, size)]
        rows += timed + found
        for row in found:
            say(line(row))
    for scan in SCANS:
        errors = [float32_error(scan, time, generator=torch.Generator().manual_seed(0)) for time in times]
        rows.append({"kind": "error", "candidate": scan, "time": list(times), "error": [e._asdict() for e in errors]})
        say(line(rows[-1]))
    return rows


def _growth(times: Sequence[int], curves: Mapping[str, list[float]], size: dict[str, int]) -> list[dict[str, Any]]:
    return [
        {"kind": "growth", **size, "candidate": name, "time": list(times), "exponent": fitted_exponent(times, curve)}
        for name, curve in curves.items()
    ]


def _crossovers(timed: Sequence[dict[str, Any]], size: dict[str, int]) -> list[dict[str, Any]]:
    times, rows = [row["time"] for row in timed], []
    for over, key in (("torch.nn", "ratio"), ("loop", "over_loop"), ("sequential", "over_sequential")):
        for name in [scan for scan in SCANS if scan != over]:
            since = crossover(times, [row[key][name]["median"] for row in timed])
            rows.append({"kind": "crossover", **size, "candidate": name, "over": over, "time": since})
    return rows


def line(row: dict[str, Any]) -> str:
    """One row as a line of the table."""
    if row["kind"] == "error":
        pairs = zip(row["time"], row["error"], strict=True)
        errors = "  ".join(f"{time}: {error['states']:.0e}/{error['gradients']:.0e}" for time, error in pairs)
        return f"error of {row['candidate']:10} (states/gradients)  {errors}"
    where = f"batch {row['batch']}, hidden {row['hidden']:3}"
    if row["kind"] == "growth":
        return f"{where}  {row['candidate']:10} exponent {row['exponent']:.2f}"
    if row["kind"] == "crossover":
        since = "nowhere" if row["time"] is None else f"from T = {row['time']}"
        return f"{where}  {row['candidate']:10} overtakes {row['over']} {since}"
    shown = "  ".join(f"{name} {ratio['median']:.3f}" for name, ratio in row["ratio"].items())
    base = row["milliseconds"]["torch.nn"]["median"]
    return f"{where}  T = {row['time']:4}  torch.nn {base:8.1f} ms   {shown}"
