"""The remedies differ in what their names say and in nothing else; the grid of lengths can tell what is claimed."""

import itertools

import pytest
import torch

from rnncourse.cells.skip import SkipRNNCell
from rnncourse.chapters.c04_tanh_and_gradients.experiments.adding import BASELINE, Learnt
from rnncourse.chapters.c04_tanh_and_gradients.experiments.remedies import (
    BUDGET,
    FACTORIAL,
    LENGTHS,
    SKIPS,
    remedy,
    until_failure,
)
from rnncourse.training import History


def drawn(name):
    torch.manual_seed(7)
    return remedy(name)


def test_parameters_are_matched_within_a_percent():
    for name in (*FACTORIAL, *SKIPS):
        assert sum(parameter.numel() for parameter in remedy(name).parameters()) == pytest.approx(BUDGET, rel=0.01)


def test_the_factorial_changes_one_thing_at_a_time():
    cells = {name: drawn(name) for name in FACTORIAL}
    for cell in cells.values():
        assert torch.equal(cell.weight_ih, cells["tanh drawn"].weight_ih)
        assert not cell.bias_ih.any()
        assert not cell.bias_hh.any()
    for start in ("drawn", "identity"):
        assert torch.equal(cells[f"tanh {start}"].weight_hh, cells[f"relu {start}"].weight_hh)
    assert {cell.nonlinearity for name, cell in cells.items() if name.startswith("relu")} == {"relu"}
    eye = torch.eye(32)
    for kind in ("tanh", "relu"):
        orthogonal = cells[f"{kind} orthogonal"].weight_hh
        assert torch.allclose(orthogonal @ orthogonal.T, eye, atol=1e-5)
        assert torch.equal(cells[f"{kind} identity"].weight_hh, eye)
        assert cells[f"{kind} drawn"].weight_hh.abs().max() <= 32**-0.5


def test_the_skips_parts_are_what_they_are_called():
    cells = {name: drawn(name) for name in SKIPS}
    assert {isinstance(cell, SkipRNNCell) for name, cell in cells.items() if name.startswith("skip")} == {True}
    assert torch.equal(cells["skip drawn"].weight_hh, cells["skip orthogonal"].weight_hh)
    assert torch.allclose(3 * cells["skip orthogonal, a third"].weight_hh, cells["skip drawn"].weight_hh)
    assert torch.allclose(3 * cells["tanh a third"].weight_hh, drawn("tanh drawn").weight_hh)
    for name in ("skip orthogonal", "skip orthogonal, a third"):
        long = cells[name].weight_skip
        assert torch.allclose(long @ long.T, torch.eye(len(long)), atol=1e-5)
    assert cells["skip drawn"].weight_skip.abs().max() <= 23**-0.5


def test_the_lengths_tell_a_factor_of_two_from_one_of_three():
    """A horizon is known to within a step of the grid, so two steps must stay below the factor that is claimed."""
    steps = [longer / shorter for shorter, longer in itertools.pairwise(LENGTHS)]
    assert max(steps) ** 2 < 2.1
    assert LENGTHS[-1] / LENGTHS[0] >= 16


def test_learning_goes_on_until_the_first_failure():
    def learn(length):
        return Learnt(0.01, length != 6, 10 * length, False, History(), torch.nn.Identity())

    found = until_failure([3, 4, 6, 8], learn)
    assert found["horizon"] == 4
    assert found["tried"] == [1, 1, 1, 0]
    assert found["solved"] == [1, 1, 0, 0]
    assert found["errors"] == [0.01, 0.01, 0.01, BASELINE]
    assert found["sequences"] == [30, 40, 60, 0]
    assert until_failure([6], learn)["horizon"] == 0


@pytest.mark.bad_input
def test_unknown_remedy_is_refused():
    with pytest.raises(ValueError, match="name is 'lstm'"):
        remedy("lstm")
