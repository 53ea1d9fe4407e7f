"""Sequences of many lengths, padded as they come and padded as they go, outputs and gradients the same.

Our layers take the padded batch and its lengths. torch.nn is used as its documentation says: pack, run, pad again.
"""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from .pairs import assert_same, our_layer, torch_layer
from .timing import interleave, ratios, summarise


def packed(layer: nn.RNNBase, x: Tensor, lengths: Tensor) -> Tensor:
    """Outputs of a torch.nn layer on a packed batch, padded with zeros again."""
    outputs, _ = layer(pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False))
    return pad_packed_sequence(outputs, batch_first=True, total_length=x.shape[1])[0]


def with_lengths(layer: nn.Module, x: Tensor, lengths: Tensor) -> Tensor:
    """Outputs of one of our layers on the padded batch."""
    return layer(x, lengths=lengths)[0]


def _results(function: Callable[..., Tensor], layer: nn.Module, x: Tensor, lengths: Tensor, dy: Tensor) -> list[Tensor]:
    x = x.detach().requires_grad_()
    y = function(layer, x, lengths)
    return [y.detach(), *torch.autograd.grad(y, [x, *layer.parameters()], dy)]


def _work(
    function: Callable[..., Tensor], layer: nn.Module, x: Tensor, lengths: Tensor, dy: Tensor
) -> Callable[[], None]:
    leaves = [x, *layer.parameters()]

    def work() -> None:
        function(layer, x, lengths).backward(dy)
        for leaf in leaves:
            leaf.grad = None

    return work


def measure(
    times: Sequence[int],
    *,
    rounds: int,
    batch: int = 32,
    inputs: int = 64,
    hidden: int = 128,
    cells: Sequence[str] = ("LSTM", "GRU"),
    say: Callable[[str], None] = print,
) -> list[dict[str, Any]]:
    """Forward and backward over batches of lengths drawn evenly from 1 to T, one of them T.

    Args:
        times: The largest length T of each case.
        rounds: Timed rounds a case.
        batch: Sequences in a batch.
        inputs: Input features.
        hidden: Hidden units.
        cells: Which of "RNN", "GRU" and "LSTM".
        say: Where progress goes.

    Returns:
        One row for each cell and T, with the ratio to packed torch.nn and the largest relative difference of the
        outputs and of all gradients, in float64 and in float32.
    """
    rows = []
    for cell in cells:
        for time in times:
            lengths = torch.randint(1, time + 1, (batch,))
            lengths[0] = time
            difference, work = {}, {}
            for dtype, tolerance in ((torch.float64, 1e-10), (torch.float32, 1e-4)):
                reference = torch_layer(cell, inputs, hidden, dtype)
                ours = our_layer(cell, reference)
                x = torch.randn(batch, time, inputs, dtype=dtype, requires_grad=True)
                dy = torch.randn(batch, time, hidden, dtype=dtype)
                difference[str(dtype).removeprefix("torch.")] = assert_same(
                    f"{cell} on lengths up to {time}",
                    _results(with_lengths, ours, x, lengths, dy),
                    _results(packed, reference, x, lengths, dy),
                    tolerance,
                )
                work = {
                    "packed torch.nn": _work(packed, reference, x, lengths, dy),
                    "kernel": _work(with_lengths, ours, x, lengths, dy),
                }
            seconds = interleave(work, rounds=rounds, warmup=int(time <= 200))
            row = {
                "cell": cell,
                "time": time,
                "batch": batch,
                "input": inputs,
                "hidden": hidden,
                "mean_length": lengths.float().mean().item(),
                "milliseconds": {name: summarise([1000 * s for s in v])._asdict() for name, v in seconds.items()},
                "ratio": ratios(seconds, "packed torch.nn")["kernel"]._asdict(),
                "difference": difference,
            }
            rows.append(row)
            say(line(row))
    return rows


def line(row: dict[str, Any]) -> str:
    """One row as a line of the table."""
    ratio, ms, difference = row["ratio"], row["milliseconds"], row["difference"]
    return (
        f"{row['cell']:5} lengths up to {row['time']:4}, batch {row['batch']:3}  "
        f"packed torch.nn {ms['packed torch.nn']['median']:9.1f} ms   ours {ms['kernel']['median']:8.1f} ms   "
        f"ratio {ratio['median']:.3f} ({ratio['low']:.3f}–{ratio['high']:.3f})   "
        f"differences {difference['float64']:.0e} (float64), {difference['float32']:.0e} (float32)"
    )
