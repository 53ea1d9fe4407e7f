"""The cells start as they are called, at equal parameters; races by seconds end their schedules there."""

import pytest
import torch

from rnncourse.chapters.c05_lstm.experiments.starts import total_bias
from rnncourse.chapters.c06_gru.experiments.digits import digit_model
from rnncourse.chapters.c06_gru.experiments.entrants import ENTRANTS
from rnncourse.chapters.c06_gru.experiments.prose_race import MILLISECONDS, prose_model, steps_within
from rnncourse.chapters.c06_gru.experiments.starts import STARTS, started_cell


def test_starts_are_what_they_are_called():
    torch.manual_seed(0)
    cells = {name: started_cell(name, 3, 8) for name in STARTS}
    assert torch.equal(total_bias(cells["LSTM, forget bias 1"], 1), torch.ones(8))
    assert total_bias(cells["LSTM, no forget bias"], 1).abs().max() < 2 * 8**-0.5
    assert (total_bias(cells["GRU, chrono"], 1) >= 0).all()
    assert torch.equal(cells["ReLU, identity"].weight_hh, torch.eye(8))
    assert not cells["ReLU, identity"].bias_ih.any()
    assert cells["ReLU, identity"].weight_ih.std() > 0.1  # as everybody's, not a thousandth
    for name, cell in cells.items():
        for block in cell.weight_hh.split(8):
            assert torch.allclose(block @ block.T, torch.eye(8), atol=1e-5), name


@pytest.mark.parametrize(("build", "names", "budget"), [(digit_model, STARTS, 8_000), (None, ENTRANTS, 30_000)])
def test_competitors_have_equal_parameters(build, names, budget):
    for name in names:
        model = build(name, budget=budget) if build else prose_model(name, 65, budget=budget)
        assert sum(parameter.numel() for parameter in model.parameters()) == pytest.approx(budget, rel=0.02)


def test_everybody_has_the_same_seconds_and_nobody_a_step_more():
    steps = steps_within(20.0, MILLISECONDS)
    for name, count in steps.items():
        assert count * MILLISECONDS[name] <= 20_000 < (count + 1) * MILLISECONDS[name]
