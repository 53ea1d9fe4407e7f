"""A spectral radius of zero and a gradient that explodes."""

import math

import pytest
import torch

from rnncourse.chapters.c04_tanh_and_gradients.experiments.spectral_radius import (
    log_growth,
    nilpotent,
    spectral_radius,
)


@pytest.mark.parametrize("seed", range(5))
def test_with_a_radius_of_zero_the_product_of_a_driven_network_grows_for_a_thousand_steps(seed):
    generator = torch.Generator().manual_seed(seed)
    weight = nilpotent(64, gain=6.0, generator=generator)
    assert (weight @ weight).abs().max() < 1e-13  # all eigenvalues of such a matrix are zero
    assert spectral_radius(weight) < 1e-6
    logs = log_growth(weight, steps=1000, scale=1.0, generator=generator)
    assert 1.3 < math.exp(logs[-1] / 1000) < 1.5
    for start in range(0, 1000, 100):
        assert logs[start + 99] > logs[start]


def test_without_inputs_the_same_product_is_gone_after_two_steps():
    weight = nilpotent(64, gain=6.0, generator=torch.Generator().manual_seed(0))
    logs = log_growth(weight, steps=3, scale=0.0)
    assert logs[0] > math.log(6 / 8) - 1e-9  # the norm of W itself, beside that of the identity
    assert logs[1] < math.log(1e-13)


@pytest.mark.parametrize("size", [1, 4])
def test_growth_is_that_of_the_product_of_automatic_jacobians(size):
    torch.manual_seed(size)
    weight = torch.randn(size, size, dtype=torch.float64)
    logs = log_growth(weight, steps=6, scale=0.5, generator=torch.Generator().manual_seed(3))
    generator = torch.Generator().manual_seed(3)
    drives = [0.5 * torch.randn(size, dtype=torch.float64, generator=generator) for _ in range(6)]
    for count in range(1, 7):

        def walk(h, count=count):
            for drive in drives[:count]:
                h = torch.tanh(weight @ h + drive)
            return h

        jacobian = torch.autograd.functional.jacobian(walk, torch.zeros(size, dtype=torch.float64))
        assert logs[count - 1] == pytest.approx(math.log(jacobian.norm() / math.sqrt(size)), abs=1e-10)


def test_a_slope_that_differs_from_unit_to_unit_gives_a_nilpotent_matrix_a_radius():
    weight = torch.tensor([[2.0, -4.0], [1.0, -2.0]], dtype=torch.float64)
    assert spectral_radius(weight) < 1e-7
    assert spectral_radius(torch.diag(torch.tensor([1.0, 0.1], dtype=torch.float64)) @ weight) == pytest.approx(1.8)


@pytest.mark.bad_input
def test_an_odd_size_is_refused():
    with pytest.raises(ValueError, match="size is 3; it should be even"):
        nilpotent(3, gain=1.0)
