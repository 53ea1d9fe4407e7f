"""Bits against memory: what is compared is what is said."""

import torch

from rnncourse.chapters.c01_feedforward_to_recurrent.experiments.context_and_memory import (
    NETWORKS,
    character_network,
    memory_bytes,
)


def test_memory_is_four_bytes_a_parameter():
    model = character_network(65, hidden_size=64)
    assert memory_bytes(model) == 4 * sum(p.numel() for p in model.parameters())


def test_a_longer_window_costs_bytes_and_a_longer_context_costs_a_recurrent_network_none():
    windows = [memory_bytes(character_network(65, **NETWORKS[f"window of {k}"])) for k in (2, 4, 8, 16)]
    steps = [after - before for before, after in zip(windows, windows[1:], strict=False)]
    assert steps == [4 * 16 * 128 * more for more in (2, 4, 8)]
    logits, _ = character_network(65, hidden_size=64)(torch.zeros(1, 500, dtype=torch.long))
    assert logits.shape == (1, 500, 65)
