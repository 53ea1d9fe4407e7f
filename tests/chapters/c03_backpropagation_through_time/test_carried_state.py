"""Carried states: their loss is that of the unbroken text."""

import torch

from rnncourse.chapters.c02_vanilla_rnn.experiments.character_model import character_model
from rnncourse.chapters.c03_backpropagation_through_time.experiments.carried_state import CarriedLoss
from rnncourse.data import load


def test_carried_loss_is_the_loss_of_the_unbroken_text():
    text = load("prose", max_chars=30_000)
    torch.manual_seed(0)
    model = character_model(len(text.vocabulary), hidden_size=8)
    whole = next(iter(text.train.stream(4, seq_len=24)))
    pieces = [batch for batch, _ in zip(text.train.stream(4, seq_len=8), range(3), strict=False)]
    logits, _ = model(whole.inputs)
    expected = torch.nn.functional.cross_entropy(logits.flatten(0, 1), whole.targets.flatten())
    loss = CarriedLoss(windows=3)
    torch.testing.assert_close(torch.stack([loss(model, piece) for piece in pieces]).mean(), expected)


def test_carried_loss_puts_the_state_down_when_the_text_begins_again_and_lets_no_gradient_through():
    text = load("prose", max_chars=30_000)
    model = character_model(len(text.vocabulary), hidden_size=8)
    first, second = [batch for batch, _ in zip(text.train.stream(4, seq_len=8), range(2), strict=False)]
    loss = CarriedLoss(windows=2)
    fresh = loss(model, first)
    assert loss.state is not None
    assert not loss.state.requires_grad
    loss(model, second)
    torch.testing.assert_close(loss(model, first), fresh)
