"""Sequences of many lengths, padded as they come and padded as they go, outputs and gradients the same.

Our layers take the padded batch and its lengths. torch.nn is used as its documentation says (pack, run, pad again), and
as those do whom packing is too slow for: over the padded batch, with the outputs of padding set to zero. The latter has
no state at each sequence's own end.
"""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from .pairs import assert_same, offered, our_layer, torch_layer
from .timing import interleave, ratios, summarise

OURS = ("auto", "kernel")


def packed(layer: nn.RNNBase, x: Tensor, lengths: Tensor) -> Tensor:
    """Outputs of a torch.nn layer on a packed batch, padded with zeros again."""
    outputs, _ = layer(pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False))
    return pad_packed_sequence(outputs, batch_first=True, total_length=x.shape[1])[0]


def masked(layer: nn.RNNBase, x: Tensor, lengths: Tensor) -> Tensor:
    """Outputs of a torch.nn layer on the padded batch, zeros at padding."""
    real = torch.arange(x.shape[1]) < lengths.unsqueeze(1)
    return layer(x)[0] * real.unsqueeze(2)


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
    cells: Sequence[str] = ("LSTM", "GRU", "RNN"),
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
        One row for each cell and T, with the ratios to packed torch.nn and to the padded and masked one, and the
        largest relative difference of the outputs and of all gradients, in float64 and in float32.
    """
    rows = []
    for cell in cells:
        for time in times:
            lengths = torch.randint(1, time + 1, (batch,))
            lengths[0] = time
            difference, work = {}, {}
            for dtype, tolerance in ((torch.float64, 1e-10), (torch.float32, 1e-4)):
                reference = torch_layer(cell, inputs, hidden, dtype)
                candidates = {"packed torch.nn": (packed, reference), "masked torch.nn": (masked, reference)}
                candidates |= {name: (with_lengths, our_layer(cell, reference, name)) for name in offered(OURS)}
                x = torch.randn(batch, time, inputs, dtype=dtype, requires_grad=True)
                dy = torch.randn(batch, time, hidden, dtype=dtype)
                expected = _results(packed, reference, x, lengths, dy)
                difference[str(dtype).removeprefix("torch.")] = max(
                    assert_same(
                        f"{cell} {name} on lengths up to {time}", _results(*one, x, lengths, dy), expected, tolerance
                    )
                    for name, one in candidates.items()
                    if name != "packed torch.nn"
                )
                work = {name: _work(*one, x, lengths, dy) for name, one in candidates.items()}
            seconds = interleave(work, rounds=rounds, warmup=int(time <= 200))
            row = {
                "cell": cell,
                "time": time,
                "batch": batch,
                "input": inputs,
                "hidden": hidden,
                "mean_length": lengths.float().mean().item(),
                "milliseconds": {name: summarise([1000 * s for s in v])._asdict() for name, v in seconds.items()},
                "ratio": {name: one._asdict() for name, one in ratios(seconds, "packed torch.nn").items()},
                "over_masked": {name: one._asdict() for name, one in ratios(seconds, "masked torch.nn").items()},
                "difference": difference,
            }
            rows.append(row)
            say(line(row))
    return rows


def line(row: dict[str, Any]) -> str:
    """One row as a line of the table."""
    ms, difference = row["milliseconds"]["packed torch.nn"]["median"], row["difference"]
    shown = "  ".join(
        f"{name} {row['ratio'][name]['median']:.3f} ({row['over_masked'][name]['median']:.2f} of masked)"
        for name in row["ratio"]
        if name in OURS
    )
    return (
        f"{row['cell']:5} lengths up to {row['time']:4}, batch {row['batch']:3}  "
        f"packed torch.nn {ms:9.1f} ms   {shown}   "
        f"differences {difference['float64']:.0e} (float64), {difference['float32']:.0e} (float32)"
    )
