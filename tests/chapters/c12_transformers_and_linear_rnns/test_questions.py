"""The exercises speak about the networks of the package: their attention, positions, cache, scans and cells."""

import pytest
import torch

from rnncourse.attention import SelfAttention, SinusoidalPositions
from rnncourse.chapters.c12_transformers_and_linear_rnns.questions.attention import causal_attention, read_on, sinusoids
from rnncourse.chapters.c12_transformers_and_linear_rnns.questions.by_hand import judge_parity, parity_recurrence
from rnncourse.chapters.c12_transformers_and_linear_rnns.questions.scanning import joined, min_gru
from rnncourse.layers import Recurrent
from rnncourse.scan import MinGRUCell, linear_scan

DOUBLE = {"dtype": torch.float64}


@pytest.mark.parametrize("time", [1, 2, 9])
def test_the_attention_is_the_packages(time):
    layer = SelfAttention(4, 1).double()
    x = torch.randn(time, 4, **DOUBLE)
    matrices = layer.in_proj_weight.chunk(3)
    weights, outputs = causal_attention(x, *matrices)
    assert torch.allclose(weights, layer.weights(x[None], layer.initial_state(1))[0, 0], atol=1e-12)
    assert torch.allclose(layer.out_proj(outputs), layer(x[None], layer.initial_state(1))[0][0], atol=1e-12)


def test_reading_on_step_by_step_is_reading_at_once():
    x = torch.randn(6, 3, **DOUBLE)
    matrices = [torch.randn(2, 3, **DOUBLE) for _ in range(3)]
    _, wanted = causal_attention(x, *matrices)
    keys, values = torch.zeros(0, 2, **DOUBLE), torch.zeros(0, 2, **DOUBLE)
    for x_t, y_t in zip(x, wanted, strict=True):
        output, keys, values = read_on(x_t, keys, values, *matrices)
        assert torch.allclose(output, y_t, atol=1e-12)
    assert len(keys) == len(values) == 6


@pytest.mark.parametrize("size", [2, 6])
def test_the_positions_are_the_packages(size):
    places = torch.tensor([0, 1, 17, 500])
    assert torch.allclose(sinusoids(places, size), SinusoidalPositions(size)(places[None])[0], atol=1e-4)


@pytest.mark.parametrize("pairs", [1, 2, 7])
def test_joined_steps_are_two_steps_and_lead_to_the_states_of_the_package(pairs):
    a, b = torch.randn(2 * pairs, 3, **DOUBLE), torch.randn(2 * pairs, 3, **DOUBLE)
    factors, summands, states = joined(a, b)
    h = torch.randn(3, **DOUBLE)
    for pair in range(pairs):
        twice = a[2 * pair + 1] * (a[2 * pair] * h + b[2 * pair]) + b[2 * pair + 1]
        assert torch.allclose(factors[pair] * h + summands[pair], twice, atol=1e-12)
    assert torch.allclose(states, linear_scan(a[None], b[None], torch.zeros(1, 3, **DOUBLE))[0], atol=1e-12)


def test_the_mingru_is_the_packages():
    cell = MinGRUCell(3, 4).double()
    x, h = torch.randn(8, 3, **DOUBLE), torch.randn(4, **DOUBLE)
    (W_z, W_n), (b_z, b_n) = cell.weight_ih.chunk(2), cell.bias_ih.chunk(2)
    states = min_gru(x, h, W_z, b_z, W_n, b_n)[2]
    assert torch.allclose(states, Recurrent(cell, implementation="loop")(x[None], h[None])[0][0], atol=1e-12)


@pytest.mark.parametrize(("odd", "even"), [(1.0, 0.0), (-1.0, 1.0), (3.5, 6.0)])
def test_no_factors_from_nought_to_one_pass_as_a_recurrence_for_parity(odd, even):
    assert judge_parity(parity_recurrence(odd, even), odd, even) == ("", "", "")
    for factor in torch.linspace(0, 1, 11).tolist():
        for summand in torch.linspace(-8, 8, 33).tolist():
            table = torch.tensor([[1.0, even], [1.0, 0.0], [factor, summand]])
            assert judge_parity(table, odd, even)[2]


@pytest.mark.parametrize(
    "odd",
    [
        None,
        3,
        "a",
        torch.zeros(2, 3),
        torch.zeros(3, 2, dtype=torch.int64),
        torch.full((3, 2), torch.nan),
        2 * torch.ones(3, 2),
    ],
)
def test_what_is_no_table_of_factors_is_told_so(odd):
    assert all("expected" in said for said in judge_parity(odd, 1.0, 0.0))
