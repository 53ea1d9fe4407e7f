"""The tasks of 1997 are stopped and judged as the paper says, and the cells start as their names say."""

import numpy as np
import pytest
import torch
from torch import nn

from rnncourse.cells import GRUCell, LSTMCell, RNNCell
from rnncourse.chapters.c05_lstm.experiments.adding_starts import COMPETITORS, competitor
from rnncourse.chapters.c05_lstm.experiments.first_table import PAPER
from rnncourse.chapters.c05_lstm.experiments.reber_1997 import (
    STRINGS,
    _rows,
    all_right,
    drawn_strings,
    one_step_gradient,
    share_right,
    whole_gradient,
)
from rnncourse.chapters.c05_lstm.experiments.starts import STARTS, chrono, started, total_bias
from rnncourse.chapters.c05_lstm.experiments.temporal_order_1997 import InARow, OrderClassifier, wrongly
from rnncourse.data.batches import labelled
from rnncourse.data.reber import SYMBOLS, legal_successors, states
from rnncourse.layers import Recurrent
from rnncourse.models import LanguageModel
from rnncourse.results import find_experiment


def test_chrono_keeps_for_as_many_steps_as_its_scales_say():
    """With no input and no state a gate of bias log u keeps u / (1 + u); what is kept decays over about u steps."""
    torch.manual_seed(0)
    for name in ("LSTM, chrono", "GRU, chrono"):
        keep = torch.sigmoid(total_bias(started(name, 2, 400, lag=100), 1))
        scales = keep / (1 - keep)
        assert 1 <= scales.min() < 4
        assert 96 < scales.max() <= 100.001
        assert scales.mean() == pytest.approx(50.5, rel=0.1)
    cell = started("LSTM, chrono", 2, 9, lag=100)
    assert torch.equal(total_bias(cell, 0), -total_bias(cell, 1))


def test_only_the_named_biases_differ_between_starts():
    cells = []
    for name in STARTS[:3]:
        torch.manual_seed(1)
        cells.append(started(name, 2, 6, lag=20))
    assert all(torch.equal(cell.weight_hh, cells[0].weight_hh) for cell in cells)
    assert all(torch.equal(total_bias(cell, gate), total_bias(cells[0], gate)) for cell in cells for gate in (2, 3))
    assert torch.equal(total_bias(cells[1], 1), torch.ones(6))
    assert torch.equal(total_bias(cells[1], 0), total_bias(cells[0], 0))


def test_competitors_have_equal_parameters():
    sizes = [sum(p.numel() for p in competitor(name, budget=4_608, length=50).parameters()) for name in COMPETITORS]
    assert max(sizes) - min(sizes) < 0.04 * 4_608


def test_the_ledgers_rows_are_the_papers_table():
    rows = [row for name in ("05.table_1997", "05.table_1997_1000") for row in find_experiment(name).published]
    by_key = [(row.key, row.value) for row in rows if row.key != "small_sequences"]
    lengths = [*find_experiment("05.table_1997").scales["full"]["lengths"], 1000]
    assert lengths == list(PAPER)
    places = [0, 1, 0]
    expected = []
    for length, place in zip(lengths, places, strict=True):
        expected += [(f"sequences[{place}]", PAPER[length][0]), (f"wrong[{place}]", PAPER[length][1])]
    assert by_key == expected
    assert all(row.comparable and row.better == "lower" for row in rows)


def test_no_string_of_the_test_is_one_of_the_training():
    strings = drawn_strings(40, seed=3)
    train, both = _rows(strings.train), _rows(strings.both)
    assert both[:40] == train
    assert not set(both[40:]) & set(train)
    states(strings.both.inputs)  # raises if a string left the grammar
    assert STRINGS == 256


class Oracle(nn.Module):
    """Knows the grammar, and says nothing sensible at one place of one string if asked to slip."""

    def __init__(self, slip=None):
        super().__init__()
        self.slip = slip

    def forward(self, tokens, state=None):
        logits = legal_successors(tokens).float()
        if self.slip:
            logits[self.slip] = -logits[self.slip]
        return logits, None


def test_success_wants_every_symbol_of_every_string():
    strings = drawn_strings(10, seed=0)
    assert all_right(Oracle(), strings.both)
    assert not all_right(Oracle((13, 4)), strings.both)
    assert share_right(Oracle(), strings.both) == 1


def simple_network():
    torch.manual_seed(0)
    layer = Recurrent(RNNCell(len(SYMBOLS), 7), implementation="kernel")
    return LanguageModel(layer, len(SYMBOLS), one_hot=True).double()


def test_the_gradient_through_one_step_stops_there_and_the_loss_is_the_same():
    model, batch = simple_network(), drawn_strings(5, seed=1).train
    whole = whole_gradient(model, batch)
    one = one_step_gradient(model, batch)
    assert one.item() == pytest.approx(whole.item(), abs=1e-12)
    one.backward()
    found = model.layer.cell.weight_hh.grad.clone()
    model.zero_grad()
    state, losses, x = model.layer.cell.initial_state(5), [], model.embedding(batch.inputs)
    for place in range(batch.inputs.shape[1]):  # the oracle: the state is detached before every step
        h, state = model.layer.cell(x[:, place], state.detach())
        scores = model.readout(h)
        rows = batch.target_mask[:, place]
        losses.append(nn.functional.cross_entropy(scores[rows], batch.targets[rows, place], reduction="sum"))
    (sum(losses) / batch.target_mask.sum()).backward()
    assert torch.allclose(found, model.layer.cell.weight_hh.grad, atol=1e-12)
    model.zero_grad()
    whole.backward()
    assert not torch.allclose(found, model.layer.cell.weight_hh.grad, atol=1e-4)


class Outputs(nn.Module):
    def __init__(self, outputs):
        super().__init__()
        self.outputs = torch.tensor(outputs)

    def forward(self, tokens, state=None, lengths=None):
        return self.outputs, None


def test_an_order_is_wrong_when_one_output_is_off_by_three_tenths():
    errors = torch.tensor([[0.29, -0.29], [0.31, 0.0], [0.0, -0.31]])
    assert wrongly(errors).tolist() == [False, True, True]
    loss = InARow()
    batch = labelled(torch.ones(2, 3, dtype=torch.long), torch.tensor([0, 1]))
    right, last_wrong, first_wrong = [[0.8, 0.2], [0.2, 0.8]], [[0.8, 0.2], [0.4, 0.8]], [[0.4, 0.2], [0.2, 0.8]]
    for outputs, count in ((right, 2), (right, 4), (last_wrong, 0), (right, 2), (first_wrong, 1)):
        value = loss(Outputs(outputs), batch)
        assert loss.count == count
    assert value.item() == pytest.approx((0.36 + 0.04 + 0.04 + 0.04) / 2)


def test_an_order_classifier_has_an_output_of_its_own_for_each_class():
    outputs, _ = OrderClassifier(3, hidden_size=4, lag=10)(torch.randint(1, 9, (5, 12)))
    assert outputs.shape == (5, 8)
    assert ((outputs > 0) & (outputs < 1)).all()
    assert not np.isclose(outputs.detach().sum(1), 1).all()


@pytest.mark.bad_input
def test_chrono_is_for_gated_cells_with_biases():
    for cell in (RNNCell(2, 3), LSTMCell(2, 3, bias=False), GRUCell(2, 3, blend="replace")):
        with pytest.raises(ValueError, match="it should be an LSTMCell, or a GRUCell"):
            chrono(cell, 10)
    with pytest.raises(ValueError, match="name is 'LSTM'"):
        started("LSTM", 2, 3, lag=4)
