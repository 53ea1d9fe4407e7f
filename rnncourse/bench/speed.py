"""Forward, and forward plus backward, at the sizes that the issue of speed was argued about."""

from collections.abc import Callable, Sequence
from typing import Any

import torch

from .pairs import (
    assert_same,
    forward_backward,
    forward_only,
    offered,
    our_layer,
    results,
    textbook_layer,
    torch_layer,
)
from .peers import PEERS, Peer, missing
from .products import products
from .timing import interleave, ratios, summarise

#: (time, batch, input, hidden): four sizes that carry the targets, and two small ones that are reported as they are.
LARGE = ((50, 32, 64, 128), (200, 16, 128, 256), (784, 32, 1, 128), (20, 256, 256, 512))
SMALL = ((100, 1, 64, 128), (35, 32, 28, 32))
TINY = ((6, 2, 3, 4),)
CELLS = ("RNN", "GRU", "LSTM")
WORK = {"forward": forward_only, "forward+backward": forward_backward}
OURS = ("auto", "kernel", "fused", "loop")


def measure(
    sizes: Sequence[tuple[int, int, int, int]],
    *,
    rounds: int,
    cells: Sequence[str] = CELLS,
    say: Callable[[str], None] = print,
) -> list[dict[str, Any]]:
    """Time torch.nn, our implementations, the textbook loop, the bare products and the peers at every size.

    A peer that cannot take part is named, with the reason, and left out.

    Args:
        sizes: (time, batch, input, hidden) of each case.
        rounds: Timed rounds a case.
        cells: Which of "RNN", "GRU" and "LSTM".
        say: Where progress goes, one line a case.

    Returns:
        One row for each cell, size and kind of work: milliseconds of each candidate and ratios to torch.nn, each with
        median, low and high; the largest relative difference of outputs and gradients; and for the peers the seconds
        that compiling took, which are in none of the times.
    """
    rows = []
    for cell in cells:
        absent = {peer: missing(peer, cell) for peer in PEERS}
        for reason in filter(None, absent.values()):
            say(reason)
        for time, batch, inputs, hidden in sizes:
            reference = torch_layer(cell, inputs, hidden)
            candidates = {
                "torch.nn": reference,
                **{name: our_layer(cell, reference, name) for name in offered(OURS)},
                "textbook": textbook_layer(cell, reference),
            }
            x = torch.randn(batch, time, inputs, requires_grad=True)
            dy = torch.randn(batch, time, hidden)
            peers = {peer: Peer(peer, cell, reference, x, dy) for peer, reason in absent.items() if reason is None}
            expected = results(reference, x, dy)
            found = {name: results(module, x, dy) for name, module in candidates.items() if name != "torch.nn"}
            found |= {name: peer.results() for name, peer in peers.items()}
            at = f"at {(time, batch, inputs, hidden)}"
            difference = {
                name: assert_same(f"{cell} {name} {at}", mine, expected, 1e-4) for name, mine in found.items()
            }
            for work, prepare in WORK.items():
                arguments = (x, dy) if prepare is forward_backward else (x,)
                timed = {name: prepare(m, *arguments) for name, m in candidates.items()}
                timed["products"] = products(cell, x, hidden, backward=prepare is forward_backward)
                timed |= {name: peer.work(work) for name, peer in peers.items()}
                seconds = interleave(timed, rounds=rounds)
                row = {
                    "cell": cell,
                    "size": {"time": time, "batch": batch, "input": inputs, "hidden": hidden},
                    "work": work,
                    "milliseconds": {name: summarise([1000 * s for s in v])._asdict() for name, v in seconds.items()},
                    "ratio": {name: ratio._asdict() for name, ratio in ratios(seconds, "torch.nn").items()},
                    "textbook_over_kernel": ratios(seconds, "kernel")["textbook"]._asdict(),
                    "textbook_over_products": ratios(seconds, "products")["textbook"]._asdict(),
                    "difference": difference,
                    "compile_seconds": {name: peer.compile_seconds[work] for name, peer in peers.items()},
                }
                rows.append(row)
                say(line(row))
    return rows


def line(row: dict[str, Any]) -> str:
    """One row as a line of the table."""
    size = "{time},{batch},{input},{hidden}".format(**row["size"])
    shown = "  ".join(f"{name} {r['median']:5.2f} ({r['low']:.2f}–{r['high']:.2f})" for name, r in row["ratio"].items())
    base = row["milliseconds"]["torch.nn"]["median"]
    return f"{row['cell']:5}{size:>16}  {row['work']:16}  torch.nn {base:8.1f} ms   {shown}"
