"""What is compared at equal bytes takes equal bytes, and a sweep says when its optimum lies at an edge."""

import math

import pytest
import torch
from torch import nn

from rnncourse.chapters.c01_feedforward_to_recurrent.experiments.character_training import character_network
from rnncourse.chapters.c01_feedforward_to_recurrent.experiments.equal_bytes import KILOBYTES, KINDS, network_of
from rnncourse.chapters.c01_feedforward_to_recurrent.experiments.storage import BITS, stored
from rnncourse.chapters.c01_feedforward_to_recurrent.experiments.tuning import effort, tune
from rnncourse.training import Diverged, History


@pytest.mark.parametrize("kilobytes", KILOBYTES)
def test_windows_grow_as_recurrent_networks_do(kilobytes):
    for kind in KINDS:
        assert stored(network_of(kind, 65, kilobytes=kilobytes), 32).bytes == pytest.approx(1000 * kilobytes, rel=0.02)


def test_a_longer_window_costs_bytes_and_a_longer_context_costs_a_recurrent_network_none():
    def size(**options):
        return stored(character_network(65, hidden_size=128, **options), 32).bytes

    windows = [size(window=k) for k in (2, 4, 8, 16)]
    steps = [after - before for before, after in zip(windows, windows[1:], strict=False)]
    assert steps == [4 * 16 * 128 * more for more in (2, 4, 8)]
    logits, _ = character_network(65, hidden_size=64)(torch.zeros(1, 500, dtype=torch.long))
    assert logits.shape == (1, 500, 65)


def test_a_row_of_eight_bits_is_off_by_half_a_step_at_most_and_by_nothing_at_its_largest():
    torch.manual_seed(0)
    layer = nn.Linear(50, 7)
    again = stored(layer, 8).model
    largest = layer.weight.detach().abs().amax(1, keepdim=True)
    off = (again.weight - layer.weight).detach().abs()
    assert (off <= largest / 127 * 0.51).all()  # the step itself is rounded to 16 bits
    assert off.max() > largest.min() / 127 / 4
    assert torch.allclose(again.weight.detach().abs().amax(1, keepdim=True), largest, rtol=1e-3)
    assert (again.bias - layer.bias).detach().abs().max() < 1e-3


def test_bytes_are_those_of_the_arrays_and_the_network_stays_as_it_was():
    layer = nn.Linear(10, 4)
    before = [parameter.detach().clone() for parameter in layer.parameters()]
    assert [stored(layer, bits).bytes for bits in BITS] == [44 * 4, 44 * 2, 40 + 4 * 2 + 4 * 2]
    assert all(torch.equal(old, new) for old, new in zip(before, layer.parameters(), strict=True))
    assert all(torch.equal(a, b) for a, b in zip(stored(layer, 32).model.parameters(), before, strict=True))


@pytest.mark.parametrize(("best", "inside"), [(1e-3, False), (1e-2, True), (1e-1, False)])
def test_an_optimum_at_an_edge_is_not_inside(best, inside):
    tuned = tune([1e-3, 1e-2, 1e-1], lambda rate: abs(math.log(rate / best)))
    assert (tuned.rate, tuned.inside) == (best, inside)


def test_rates_that_diverge_are_out():
    def score(rate):
        if rate > 0.05:
            raise Diverged("the loss is nan", History())
        return 1 / rate

    tuned = tune([1e-3, 1e-2, 1e-1], score)
    assert tuned.rate == 1e-2
    assert math.isnan(tuned.scores[2])
    assert math.isnan(tune([0.1, 0.2], score).rate)


def test_every_solved_run_is_ahead_of_every_other():
    solved = effort(solved=True, sequences=1000, error=0.01, baseline=0.1)
    close = effort(solved=False, sequences=1000, error=0.011, baseline=0.1)
    assert solved < close < effort(solved=False, sequences=1000, error=0.1, baseline=0.1)
    assert math.isinf(effort(solved=False, sequences=1000, error=math.nan, baseline=0.1))


@pytest.mark.bad_input
@pytest.mark.parametrize("rates", [[], [0.2, 0.1], [0.1, 0.1]])
def test_rates_rise(rates):
    with pytest.raises(ValueError, match="rates is"):
        tune(rates, float)
