"""Losses count what counts, and nothing else."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional as F

from rnncourse.training.losses import accuracy, cross_entropy, mean_squared_error, nats_to_bits, perplexity


@settings(max_examples=30, deadline=None)
@given(batch=st.integers(1, 4), time=st.integers(1, 6), classes=st.integers(1, 5), seed=st.integers(0, 99))
def test_masked_cross_entropy_is_the_mean_over_counted_places(batch, time, classes, seed):
    g = torch.Generator().manual_seed(seed)
    logits = torch.randn(batch, time, classes, dtype=torch.float64, generator=g, requires_grad=True)
    targets = torch.randint(classes, (batch, time), generator=g)
    mask = torch.rand(batch, time, generator=g) < 0.6
    mask[0, 0] = True
    by_hand = sum(
        -torch.log_softmax(logits[b, t], 0)[targets[b, t]] for b in range(batch) for t in range(time) if mask[b, t]
    ) / int(mask.sum())
    value = cross_entropy(logits, targets, mask)
    torch.testing.assert_close(value, by_hand, rtol=0, atol=1e-10)
    (gradient,) = torch.autograd.grad(value, logits, retain_graph=True)
    (expected,) = torch.autograd.grad(by_hand, logits)
    torch.testing.assert_close(gradient, expected, rtol=0, atol=1e-10)
    assert not gradient[~mask].any()


def test_what_stands_at_padding_changes_nothing():
    logits, targets = torch.randn(2, 4, 3), torch.zeros(2, 4, dtype=torch.long)
    mask = torch.tensor([[True] * 4, [True, True, False, False]])
    changed_logits, changed_targets = logits.clone(), targets.clone()
    changed_logits[1, 2:] = 1e9
    changed_targets[1, 2:] = -100
    assert cross_entropy(changed_logits, changed_targets, mask) == cross_entropy(logits, targets, mask)
    assert accuracy(changed_logits, changed_targets, mask) == accuracy(logits, targets, mask)


def test_counting_padding_would_change_the_loss():
    logits, targets = torch.zeros(1, 2, 2), torch.zeros(1, 2, dtype=torch.long)
    logits[0, 1, 1] = 5.0
    mask = torch.tensor([[True, False]])
    assert cross_entropy(logits, targets, mask) < cross_entropy(logits, targets)


def test_without_a_mask_it_is_torchs():
    logits, targets = torch.randn(3, 4, 5), torch.randint(5, (3, 4))
    torch.testing.assert_close(cross_entropy(logits, targets), F.cross_entropy(logits.flatten(0, 1), targets.flatten()))
    y, t = torch.randn(3, 4, 2), torch.randn(3, 4, 2)
    torch.testing.assert_close(mean_squared_error(y, t), F.mse_loss(y, t))


def test_masked_squared_error_averages_over_features_too():
    y, t = torch.tensor([[[1.0, 3.0], [9.0, 9.0]]]), torch.zeros(1, 2, 2)
    assert mean_squared_error(y, t, torch.tensor([[True, False]])).item() == 5.0


@settings(max_examples=30, deadline=None)
@given(classes=st.integers(1, 200))
def test_knowing_nothing_costs_the_log_of_the_choices(classes):
    nats = cross_entropy(torch.zeros(1, classes), torch.zeros(1, dtype=torch.long)).item()
    assert nats == pytest.approx(math.log(classes), abs=1e-5)
    assert nats_to_bits(nats) == pytest.approx(math.log2(classes), abs=1e-5)
    assert perplexity(nats) == pytest.approx(classes, rel=1e-5)


def test_perplexity_of_an_absurd_loss_is_infinite():
    assert perplexity(1e6) == math.inf


@pytest.mark.bad_input
@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: cross_entropy(torch.zeros(2, 3, 4), torch.zeros(2, 2, dtype=torch.long)), "targets has shape"),
        (lambda: cross_entropy(torch.zeros(2, 4), torch.zeros(2)), "targets has dtype"),
        (lambda: cross_entropy(torch.zeros(2, 4), torch.tensor([0, 4])), "targets holds 4; .* from 0 to 3"),
        (lambda: cross_entropy(torch.zeros(2, 4), torch.tensor([0, -1])), "targets holds -1"),
        (
            lambda: cross_entropy(torch.zeros(2, 4), torch.tensor([0, 1]), torch.tensor([False, False])),
            "mask is false everywhere",
        ),
        (lambda: cross_entropy(torch.zeros(2, 4), torch.tensor([0, 1]), torch.tensor([1, 0])), "mask has dtype"),
        (lambda: cross_entropy(torch.zeros(2, 4), torch.tensor([0, 1]), torch.tensor([True])), "mask has shape"),
        (lambda: mean_squared_error(torch.zeros(2, 1), torch.zeros(2)), "targets has shape"),
        (lambda: accuracy(torch.zeros(2, 4), torch.zeros(3, dtype=torch.long)), "targets has shape"),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
