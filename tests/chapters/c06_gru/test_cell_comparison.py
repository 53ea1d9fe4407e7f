"""Chapter 6 compares what it says it compares: equal budgets, one set of windows, cells that differ as named."""

import pytest
import torch

from rnncourse.cells import GRUCell, LSTMCell, MGUCell, RNNCell
from rnncourse.chapters.c06_gru.experiments.cell_comparison import (
    CELLS,
    RESET_BEFORE,
    compared_model,
    cost,
    make_cell,
    reset,
    step_milliseconds,
    train_compared,
)
from rnncourse.data import load
from rnncourse.models.text import text_bits


def count(module):
    return sum(parameter.numel() for parameter in module.parameters())


@pytest.mark.parametrize("budget", [8_000, 60_000])
def test_every_model_comes_as_close_to_the_budget_as_one_unit_allows(budget):
    for name in (*CELLS, RESET_BEFORE):
        model = compared_model(name, 75, budget=budget)
        hidden = model.layer.output_size
        gates = {RNNCell: 1, MGUCell: 2, GRUCell: 3, LSTMCell: 4}[type(model.layer.cell)]

        def cost_of(units, gates=gates):
            return 75 * 32 + gates * (32 * units + units**2 + 2 * units) + 75 * (units + 1)

        assert count(model) == cost_of(hidden)
        assert abs(cost_of(hidden) - budget) <= min(abs(cost_of(hidden + d) - budget) for d in (-1, 1))


def test_names_give_the_cells_they_say_with_orthogonal_recurrences():
    for name, kind in zip(CELLS, (RNNCell, GRUCell, LSTMCell, MGUCell), strict=True):
        cell = make_cell(name, 3, 5)
        assert type(cell) is kind
        for block in cell.weight_hh.chunk(cell.gates):
            assert torch.allclose(block @ block.T, torch.eye(5), atol=1e-5)
    assert (make_cell("GRU", 3, 5).reset, make_cell(RESET_BEFORE, 3, 5).reset) == ("after", "before")


@pytest.mark.bad_input
def test_an_unknown_cell_is_refused_by_name():
    with pytest.raises(ValueError, match="name is 'CNN'"):
        make_cell("CNN", 3, 5)


def test_the_two_places_of_the_reset_start_from_the_same_numbers():
    models = []
    for name in ("GRU", RESET_BEFORE):
        torch.manual_seed(0)
        models.append(compared_model(name, 20, budget=4_000))
    for first, second in zip(models[0].parameters(), models[1].parameters(), strict=True):
        assert torch.equal(first, second)


def test_kept_weights_are_those_that_validated_best():
    text = load("prose", max_chars=30_000)
    model, history = train_compared("GRU", text, seed=0, steps=6, lr=1e-2, budget=8_000, validate_every=2)
    assert len(history.validation) == 3
    assert text_bits(model, text.valid.codes) == pytest.approx(history.best, abs=1e-9)
    assert history.best == min(bits for _, bits in history.validation)


def test_same_seed_same_bits():
    sizes = {"seed": 1, "steps": 2, "lr": 1e-2, "budget": 8_000, "max_chars": 30_000}
    assert reset(**sizes) == reset(**sizes)


def test_step_times_are_counted_for_every_model_and_leave_nothing_out():
    measured = cost(seed=0, repeats=1, budget=8_000, max_chars=30_000)
    assert set(measured) == {f"{name}_{key}" for name in (*CELLS, RESET_BEFORE) for key in ("ms", "loop_ms")}
    assert min(measured.values()) > 0
    text = load("prose", max_chars=30_000)
    batch = next(iter(text.train.batches(4, seq_len=5, seed=0)))
    model = compared_model("tanh", len(text.vocabulary), budget=8_000)
    before = model.layer.cell.weight_hh.clone()
    assert set(step_milliseconds({"only": model}, batch, repeats=2)) == {"only"}
    assert not torch.equal(before, model.layer.cell.weight_hh)  # the optimiser's step is part of what is timed
