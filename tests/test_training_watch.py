"""Validation keeps the best weights, patience ends a run, and divergence loses nothing."""

# ruff: noqa: F811 - the fixture is imported, and then named as an argument
import math

import pytest
import torch
from torch import nn

from rnncourse.training import Diverged
from tests.test_training import batches, linear, run, squared  # noqa: F401 - a fixture


def test_the_best_weights_come_back_and_patience_ends_it(batches):
    values = iter([3.0, 1.0, 2.0, 2.0, 0.5])
    seen = []

    def validate(model):
        seen.append(model.weight.detach().clone())
        assert not model.training
        assert not torch.is_grad_enabled()
        return next(values)

    model = linear()
    history = run(model, batches, epochs=50, validate=validate, patience=2)
    assert history.validation == [(5, 3.0), (10, 1.0), (15, 2.0), (20, 2.0)]
    assert (history.best, history.best_step, history.steps) == (1.0, 10, 20)
    assert history.stopped == "no improvement in 2 validations (best 1)"
    assert torch.equal(model.weight, seen[1])
    assert model.training  # as it was before


def test_validation_by_steps_and_once_more_at_the_end(batches):
    history = run(linear(), batches, steps=7, validate=lambda model: 1.0, validate_every=3)
    assert [step for step, _ in history.validation] == [3, 6, 7]


def test_a_validation_that_draws_random_numbers_does_not_change_the_run(batches):
    def model():
        torch.manual_seed(0)
        return nn.Sequential(nn.Linear(3, 8), nn.Dropout(0.5), nn.Linear(8, 1))

    silent = run(model(), batches, epochs=3)
    drawing = run(model(), batches, epochs=3, validate=lambda model: torch.rand(()).item())
    assert silent.losses == drawing.losses


def test_a_validation_value_that_is_no_number_ends_the_run_with_the_best_weights(batches):
    model, seen = nn.Linear(3, 1), []
    kept = iter([2.0, math.nan])

    def validate(model):
        seen.append(model.weight.detach().clone())
        return next(kept)

    with pytest.raises(Diverged, match="the validation value is nan"):
        run(model, batches, epochs=5, validate=validate)
    assert len(seen) == 2
    assert torch.equal(model.weight, seen[0])


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_divergence_stops_with_the_last_finite_weights(batches, bad):
    def loss(model, batch):
        loss.calls += 1
        return squared(model, batch) * (bad if loss.calls == 4 else 1)

    loss.calls = 0
    model, twin = linear(), linear()
    with pytest.raises(
        Diverged, match=rf"diverged at step 4: the loss is {bad}; try a smaller lr \(now 0.05\)"
    ) as caught:
        run(model, batches, steps=9, loss=loss)
    assert caught.value.history.steps == 3
    run(twin, batches, steps=3)
    assert torch.equal(model.weight, twin.weight)


def test_divergence_keeps_the_best_weights_when_there_was_a_validation(batches):
    def loss(model, batch):
        loss.calls += 1
        return squared(model, batch) * (math.nan if loss.calls == 8 else 1)

    loss.calls = 0
    model, twin = linear(), linear()
    with pytest.raises(Diverged):
        run(model, batches, epochs=2, loss=loss, validate=lambda model: 1.0)
    run(twin, batches, steps=5)
    assert torch.equal(model.weight, twin.weight)


def test_an_infinite_gradient_of_a_finite_loss_is_divergence_too(batches):
    def loss(model, batch):
        return (model.weight * 0).abs().sqrt().sum() + model.bias.sum()

    with pytest.raises(Diverged, match="the gradient's norm is nan"):
        run(linear(), batches, steps=2, loss=loss)
