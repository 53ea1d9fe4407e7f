"""What the second direction costs: a training step of one direction and of two, the same units each."""

import time

import torch
from torch import nn

from rnncourse.chapters.c07_bidirectional.experiments.networks import EMBEDDING_SIZE, make_layer
from rnncourse.results import experiment


class FromTorch(nn.Module):
    """PyTorch's LSTM in the words of the course: outputs and state of a batch.

    Args:
        hidden_size: Units of each direction.
        bidirectional: Whether there are two.
    """

    def __init__(self, hidden_size: int, *, bidirectional: bool) -> None:
        super().__init__()
        self.lstm = nn.LSTM(EMBEDDING_SIZE, hidden_size, batch_first=True, bidirectional=bidirectional)

    def forward(self, inputs: torch.Tensor) -> tuple:
        """Outputs of shape (batch, time, output), and the state."""
        return self.lstm(inputs)


def pass_milliseconds(layers: dict[str, nn.Module], inputs: torch.Tensor, *, repeats: int) -> dict[str, float]:
    """CPU milliseconds of one pass forward and back through each layer, the layers taking turns; the median counts.

    Args:
        layers: From a name to a layer.
        inputs: Sequences, of shape (batch, time, input).
        repeats: How many turns are timed; one more is thrown away before.

    Returns:
        The median of each.
    """
    spent: dict[str, list[float]] = {name: [] for name in layers}
    for _ in range(repeats + 1):
        for name, layer in layers.items():
            started = time.process_time()
            layer(inputs)[0].sum().backward()
            spent[name].append(1000 * (time.process_time() - started))
    return {name: sorted(times[1:])[len(times[1:]) // 2] for name, times in spent.items()}


@experiment(
    "07.cost",
    smoke={"seeds": 1, "batch_size": 2, "time_steps": 5, "hidden_size": 4, "repeats": 1},
    page={"seeds": 1, "batch_size": 32, "time_steps": 100, "hidden_size": 64, "repeats": 9},
    full={"seeds": 3, "batch_size": 32, "time_steps": 100, "hidden_size": 64, "repeats": 31},
)
def cost(*, seed: int, batch_size: int, time_steps: int, hidden_size: int, repeats: int) -> dict[str, float]:
    """What a pass costs in one direction and in two: measured, so a little different each time.

    Args:
        seed: Of weights and inputs.
        batch_size: Sequences.
        time_steps: Steps of each.
        hidden_size: Units of each direction.
        repeats: How many passes are timed.

    Returns:
        CPU milliseconds of ours and of PyTorch's layers, one direction and two, and the two ratios.
    """
    torch.manual_seed(seed)
    layers = {
        "one": make_layer("forward", hidden_size),
        "two": make_layer("bidirectional", hidden_size),
        "torch one": FromTorch(hidden_size, bidirectional=False),
        "torch two": FromTorch(hidden_size, bidirectional=True),
    }
    inputs = torch.randn(batch_size, time_steps, EMBEDDING_SIZE)
    spent = pass_milliseconds(layers, inputs, repeats=repeats)
    ratios = {"ratio": spent["two"] / spent["one"], "torch ratio": spent["torch two"] / spent["torch one"]}
    return {f"{name}_ms": value for name, value in spent.items()} | ratios
