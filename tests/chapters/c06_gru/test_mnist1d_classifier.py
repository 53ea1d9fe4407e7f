"""MNIST-1D: how a classifier is trained and judged, and the published network as its authors built it."""

import pytest
import torch
from torch import nn

from rnncourse.chapters.c06_gru.experiments.digits import digit_model
from rnncourse.chapters.c06_gru.experiments.mnist1d_classifier import (
    EveryStepClassifier,
    _joined,
    _Shuffled,
    accuracy_on,
    digit_loss,
    learn_digits,
    mnist1d_published,
    published_model,
)
from rnncourse.convert import to_torch
from rnncourse.data import load


def count(module):
    return sum(parameter.numel() for parameter in module.parameters())


def test_the_published_network_is_a_bidirectional_gru_read_at_every_step():
    torch.manual_seed(0)
    model = published_model().double()
    official = to_torch(model.layer)
    assert isinstance(official, nn.GRU)
    assert official.bidirectional
    assert official.hidden_size == 6
    x = torch.randn(3, 40, 1, dtype=torch.float64)
    outputs, _ = official(x)
    expected = outputs.reshape(3, -1) @ model.readout.weight.T + model.readout.bias
    assert torch.allclose(model(x)[0], expected, atol=1e-12)
    assert count(model) == 5134


def test_the_readout_sees_every_step():
    model = published_model().double()
    x = torch.zeros(1, 40, 1, dtype=torch.float64)
    model.layer.forward_layer.cell.requires_grad_(False)
    for step in (0, 17, 39):
        moved = x.clone()
        moved[0, step] = 1.0
        assert not torch.allclose(model(moved)[0], model(x)[0])
    assert isinstance(model, EveryStepClassifier)


def test_right_is_the_share_of_curves_recognised():
    batch = load("mnist1d").valid.batch(list(range(10)))

    class Knows(nn.Module):
        def forward(self, x, state=None):
            scores = nn.functional.one_hot(batch.targets, 10).float()
            scores[:3] = -scores[:3]  # three wrong ones
            return scores, state

    assert accuracy_on(Knows(), batch) == pytest.approx(0.7)


def test_validation_keeps_the_weights_that_recognise_most():
    data = load("mnist1d")
    torch.manual_seed(0)
    model = digit_model("GRU, orthogonal", budget=1_000)
    valid = data.valid.batch()
    batches = data.train.batches(32, seed=0, drop_last=True)
    history = learn_digits(model, batches, steps=6, lr=1e-2, seed=0, valid=valid, validate_every=2)
    assert accuracy_on(model, valid) == pytest.approx(1 - history.best)
    assert digit_loss(model, valid).item() > 0


def test_the_published_run_sees_every_training_curve_once_a_round():
    data = load("mnist1d")
    whole = _joined(data.train.batch(), data.valid.batch())
    assert len(whole.inputs) == 4000
    seen = torch.cat([batch.inputs for batch in _Shuffled(whole, 100, seed=0)])
    assert torch.equal(seen.flatten(1).sum(1).sort().values, whole.inputs.flatten(1).sum(1).sort().values)


def test_same_seed_same_share():
    assert mnist1d_published(seed=2, steps=3, lr=1e-2) == mnist1d_published(seed=2, steps=3, lr=1e-2)
