"""One step of the GRU and of the minimal gated unit: their forms, and what makes one of them the other."""

import pytest
import torch

from rnncourse.functional import (
    gru_step,
    gru_trace,
    mgu_step,
)
from tests.oracles import assert_same, leaf
from tests.steps import state_of, weights


@pytest.mark.parametrize("blend", ["keep", "replace"])
@pytest.mark.parametrize("reset", ["after", "before"])
def test_every_gru_option_is_its_equations_in_value_and_every_gradient(reset, blend):
    x_t, h, (U, W, b, d) = leaf(2, 3), state_of("gru"), weights("gru")
    r, z = (1 / (1 + torch.exp(-(x_t @ U[at].T + h @ W[at].T + b[at] + d[at]))) for at in (slice(5), slice(5, 10)))
    m = r * (h @ W[10:].T + d[10:]) if reset == "after" else (r * h) @ W[10:].T + d[10:]
    n = torch.tanh(x_t @ U[10:].T + b[10:] + m)
    theirs = (1 - z) * n + z * h if blend == "keep" else (1 - z) * h + z * n
    ours = gru_step(x_t, h, U, W, b, d, reset=reset, blend=blend)
    leaves = {str(index): (value, value) for index, value in enumerate([x_t, h, U, W, b, d])}
    assert_same([ours], [theirs], leaves, f"reset {reset}, blend {blend}")


def test_the_two_blends_are_one_with_the_update_gate_negated():
    x_t, h, parameters = leaf(2, 3), state_of("gru"), weights("gru")
    negated = [value.detach().clone() for value in parameters]
    for value in negated:
        value[5:10] *= -1
    for reset in ("after", "before"):
        keep = gru_trace(x_t, h, *parameters, reset=reset, blend="keep")
        replace = gru_trace(x_t, h, *negated, reset=reset, blend="replace")
        torch.testing.assert_close(keep.h, replace.h, rtol=0, atol=1e-13)
        torch.testing.assert_close(keep.z, 1 - replace.z, rtol=0, atol=1e-13)


def test_reset_before_scales_the_state_and_reset_after_the_product():
    x_t, h, (U, W, b, d) = leaf(2, 3), state_of("gru"), weights("gru")
    r = torch.sigmoid(x_t @ U[:5].T + h @ W[:5].T + b[:5] + d[:5])
    after, before = (gru_trace(x_t, h, U, W, b, d, reset=reset) for reset in ("after", "before"))
    torch.testing.assert_close(after.m, r * (h @ W[10:].T + d[10:]), rtol=0, atol=1e-13)
    torch.testing.assert_close(before.m, (r * h) @ W[10:].T + d[10:], rtol=0, atol=1e-13)
    assert (after.h - before.h).abs().max() > 1e-3


def test_the_two_resets_agree_where_every_unit_stands_alone():
    x_t, h, (U, W, b, d) = leaf(2, 3), state_of("gru"), weights("gru")
    diagonal = torch.cat([block.diag().diag() for block in W.detach().chunk(3)])
    no_bias = torch.cat([d.detach()[:10], torch.zeros(5, dtype=torch.float64)])
    after, before = (gru_step(x_t, h, U, diagonal, b, no_bias, reset=reset) for reset in ("after", "before"))
    torch.testing.assert_close(after, before, rtol=0, atol=1e-14)


def test_the_minimal_gated_unit_is_a_gru_whose_gates_are_one():
    x_t, h, (U, W, b, d) = leaf(2, 3), state_of("mgu"), weights("mgu")
    twice = [torch.cat([value[:5], value]) for value in (U, W, b, d)]
    ours = mgu_step(x_t, h, U, W, b, d)
    theirs = gru_step(x_t, h, *twice, reset="before", blend="replace")
    named = {str(index): (value, value) for index, value in enumerate([x_t, h, U, W, b, d])}
    assert_same([ours], [theirs], named, "mgu")
