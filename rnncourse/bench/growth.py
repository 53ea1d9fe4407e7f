"""How time grows with the length of the sequence, and the exponent that fits."""

from collections.abc import Callable, Sequence
from typing import Any

import torch

from .lengths import _work, packed
from .pairs import forward_backward, offered, our_layer, torch_layer
from .timing import fitted_exponent, interleave, summarise


def measure(
    times: Sequence[int],
    *,
    rounds: int,
    batch: int = 8,
    inputs: int = 32,
    hidden: int = 64,
    packed_up_to: int = 1024,
    cells: Sequence[str] = ("RNN", "GRU", "LSTM"),
    say: Callable[[str], None] = print,
) -> list[dict[str, Any]]:
    """Forward plus backward at growing T: ours, torch.nn, and (for the LSTM, up to a limit) torch.nn packed.

    The packed batch has lengths from T/2 to T.

    Args:
        times: Lengths T, growing.
        rounds: Timed rounds a length.
        batch: Sequences in a batch.
        inputs: Input features.
        hidden: Hidden units.
        packed_up_to: Largest T at which packed torch.nn is asked; it takes minutes beyond.
        cells: Which of "RNN", "GRU" and "LSTM".
        say: Where progress goes.

    Returns:
        One row for each cell and candidate: times, milliseconds (median, low, high) and the fitted exponent.
    """
    rows = []
    for cell in cells:
        reference = torch_layer(cell, inputs, hidden)
        ours = {name: our_layer(cell, reference, name) for name in offered(("auto", "kernel"))}
        curves: dict[str, list] = {}
        for time in times:
            x = torch.randn(batch, time, inputs, requires_grad=True)
            dy = torch.randn(batch, time, hidden)
            layers = {"torch.nn": reference, **ours}
            work = {name: forward_backward(layer, x, dy) for name, layer in layers.items()}
            if cell == "LSTM" and time <= packed_up_to:
                lengths = torch.linspace(time // 2, time, batch).long()  # equal ones would not really be packed
                work["packed torch.nn"] = _work(packed, reference, x, lengths, dy)
            for name, seconds in interleave(work, rounds=rounds).items():
                curves.setdefault(name, []).append((time, summarise([1000 * s for s in seconds])))
        for name, points in curves.items():
            row = {
                "cell": cell,
                "candidate": name,
                "batch": batch,
                "input": inputs,
                "hidden": hidden,
                "time": [time for time, _ in points],
                "milliseconds": [summary._asdict() for _, summary in points],
                "exponent": fitted_exponent([t for t, _ in points], [s.median for _, s in points]),
            }
            rows.append(row)
            say(line(row))
    return rows


def line(row: dict[str, Any]) -> str:
    """One row as a line of the table."""
    first, last = row["milliseconds"][0]["median"], row["milliseconds"][-1]["median"]
    return (
        f"{row['cell']:5}{row['candidate']:16} T = {row['time'][0]} … {row['time'][-1]}:  "
        f"{first:.1f} … {last:.1f} ms,  exponent {row['exponent']:.2f}"
    )
