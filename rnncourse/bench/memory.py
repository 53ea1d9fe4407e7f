"""Peak memory of backpropagation through time: full, checkpointed and truncated, each in a process of its own.

A process is started for each candidate; it builds the layer and the inputs, runs two steps to load what is loaded
lazily, notes its resident memory, runs the work once, and reports how far the peak rose above that note. Memory that
the allocator holds back is thereby counted, as it is on the user's machine. The children are asked for on the command
line: ``python -m rnncourse.bench.memory LSTM checkpoint 5000 32 64 128``.
"""

import gc
import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from rnncourse.shapes import detach_state
from rnncourse.unroll import windows

from .pairs import forward_backward, offered, our_layer, textbook_layer, torch_layer
from .timing import interleave, ratios, summarise

CANDIDATES = ("torch.nn", *offered(("auto", "kernel", "loop", "checkpoint")), "truncated")
WINDOW = 50


def truncated_work(layer: nn.Module, x: Tensor, dy: Tensor, window: int = WINDOW) -> Callable[[], None]:
    """Forward and backward window by window, the state carried and detached."""
    leaves = [x, *layer.parameters()]

    def work() -> None:
        state = None
        for x_w, dy_w in zip(windows(x.detach(), window), windows(dy, window), strict=True):
            outputs, state = layer(x_w, state)
            outputs.backward(dy_w)
            state = detach_state(state)
        for leaf in leaves:
            leaf.grad = None

    return work


def candidate_work(cell: str, candidate: str, x: Tensor, dy: Tensor, reference: nn.RNNBase) -> Callable[[], None]:
    """The work of one candidate on these inputs."""
    if candidate == "torch.nn":
        return forward_backward(reference, x, dy)
    if candidate == "textbook":
        return forward_backward(textbook_layer(cell, reference), x, dy)
    if candidate == "truncated":
        return truncated_work(our_layer(cell, reference), x, dy)
    return forward_backward(our_layer(cell, reference, candidate), x, dy)


def _status(field: str) -> float:
    """One of this process's own entries in /proc/self/status, in MB: VmRSS is resident now, VmHWM the peak."""
    for row in Path("/proc/self/status").read_text().splitlines():
        if row.startswith(field + ":"):
            return int(row.split()[1]) * 1024 / 1e6
    raise RuntimeError(f"/proc/self/status has no line {field}")


def measure_here(cell: str, candidate: str, time: int, batch: int, inputs: int, hidden: int) -> dict[str, float]:
    """Run one candidate once in this process and report the rise of its peak memory, in MB."""
    torch.set_num_threads(1)
    reference = torch_layer(cell, inputs, hidden)
    short = torch.randn(batch, 2, inputs, requires_grad=True)
    candidate_work(cell, candidate, short, torch.randn(batch, 2, hidden), reference)()
    x, dy = torch.randn(batch, time, inputs, requires_grad=True), torch.randn(batch, time, hidden)
    work = candidate_work(cell, candidate, x, dy, reference)
    gc.collect()
    Path("/proc/self/clear_refs").write_text("5")  # resets the peak to what is resident now
    before = _status("VmRSS")
    work()
    peak = _status("VmHWM")
    return {"before": before, "peak": peak, "megabytes": peak - before}


def measure_apart(cell: str, candidate: str, time: int, batch: int, inputs: int, hidden: int) -> float:
    """The same in a fresh process: MB by which the peak rose."""
    sizes = [str(n) for n in (time, batch, inputs, hidden)]
    command = [sys.executable, "-m", "rnncourse.bench.memory", cell, candidate, *sizes]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"measuring {cell} {candidate} failed: {done.stderr.strip().splitlines()[-1:]}")
    return json.loads(done.stdout)["megabytes"]


def measure(
    time: int,
    *,
    rounds: int,
    batch: int = 32,
    inputs: int = 64,
    hidden: int = 128,
    cells: Sequence[str] = ("LSTM",),
    say: Callable[[str], None] = print,
) -> list[dict[str, Any]]:
    """Memory of each candidate (apart) and its time (interleaved, here).

    Args:
        time: Steps T of the sequences.
        rounds: Timed rounds, and processes for memory.
        batch: Sequences in a batch.
        inputs: Input features.
        hidden: Hidden units.
        cells: Which of "RNN", "GRU" and "LSTM".
        say: Where progress goes.

    Returns:
        One row for each cell and candidate: megabytes above the inputs, and the ratios of memory and time to torch.nn.
        Empty, with a line that says so, where the operating system does not report peaks per process (it must be
        Linux).
    """
    if not Path("/proc/self/clear_refs").exists():
        say("memory: skipped, this operating system has no /proc/self/clear_refs (Linux has)")
        return []
    rows = []
    for cell in cells:
        reference = torch_layer(cell, inputs, hidden)
        x, dy = torch.randn(batch, time, inputs, requires_grad=True), torch.randn(batch, time, hidden)
        seconds = interleave(
            {c: candidate_work(cell, c, x, dy, reference) for c in CANDIDATES}, rounds=rounds, warmup=0
        )
        del x, dy
        megabytes = {
            c: summarise([measure_apart(cell, c, time, batch, inputs, hidden) for _ in range(rounds)])
            for c in CANDIDATES
        }
        time_ratio = ratios(seconds, "torch.nn")
        for candidate in CANDIDATES:
            row = {
                "cell": cell,
                "candidate": candidate,
                "time": time,
                "batch": batch,
                "input": inputs,
                "hidden": hidden,
                "window": WINDOW if candidate == "truncated" else None,
                "megabytes": megabytes[candidate]._asdict(),
                "memory_ratio": megabytes[candidate].median / megabytes["torch.nn"].median,
                "milliseconds": summarise([1000 * s for s in seconds[candidate]])._asdict(),
                "time_ratio": time_ratio[candidate]._asdict() if candidate in time_ratio else None,
            }
            rows.append(row)
            say(line(row))
    return rows


def line(row: dict[str, Any]) -> str:
    """One row as a line of the table."""
    ratio = row["time_ratio"]["median"] if row["time_ratio"] else 1.0
    return (
        f"{row['cell']:5}{row['candidate']:12} T = {row['time']}  peak {row['megabytes']['median']:8.1f} MB "
        f"({row['memory_ratio']:.2f} of torch.nn)   {row['milliseconds']['median']:9.1f} ms ({ratio:.2f})"
    )


if __name__ == "__main__":
    print(json.dumps(measure_here(*sys.argv[1:3], *(int(n) for n in sys.argv[3:]))))
