"""The LSTM with a projection is PyTorch's, and recurrent dropout one mask for all steps."""

import pytest
import torch
from torch import nn

from rnncourse.cells import Cell, GRUCell, LSTMCell, ProjectedLSTMCell, RecurrentDropoutCell, RNNCell, SkipRNNCell
from rnncourse.convert import from_torch, state_from_torch, state_to_torch, to_torch
from rnncourse.layers import Bidirectional, Recurrent, Stacked
from rnncourse.layers.choosing import IMPLEMENTATIONS
from tests.oracles import assert_close, assert_same, leaf, random_lengths, run_torch, tensors


@pytest.mark.parametrize("implementation", IMPLEMENTATIONS)
@pytest.mark.parametrize("padded", [False, True])
@pytest.mark.parametrize(("bidirectional", "bias"), [(False, True), (True, False)])
def test_a_projected_lstm_equals_torch(implementation, padded, bidirectional, bias):
    options = {"num_layers": 2, "proj_size": 2, "bidirectional": bidirectional, "bias": bias, "batch_first": True}
    module = nn.LSTM(3, 5, **options).double()
    stack = from_torch(module, implementation=implementation)
    x, lengths = leaf(3, 6, 3), random_lengths(3, 6) if padded else None
    rows = 4 if bidirectional else 2
    given = leaf(rows, 3, 2), leaf(rows, 3, 5)
    expected, (h, c) = run_torch(module, x, given, lengths)
    outputs, state = stack(x, state_from_torch(given, stack), lengths)
    ours = state_to_torch(state)
    values = dict(zip([name for name, _ in stack.named_parameters()], module.parameters(), strict=True))
    leaves = {"inputs": (x, x)} | {name: (own, values[name]) for name, own in stack.named_parameters()}
    assert_same([outputs, *ours], [expected, h, c], leaves, "projected")
    again = to_torch(stack)
    assert again.proj_size == 2
    assert_close(run_torch(again, x, given, lengths)[0], expected, "there and back")


def test_a_projected_lstm_is_drawn_as_torchs():
    torch.manual_seed(0)
    theirs = nn.LSTM(3, 5, proj_size=2)
    torch.manual_seed(0)
    ours = ProjectedLSTMCell(3, 5, proj_size=2)
    for (name, own), value in zip(ours.named_parameters(), theirs.parameters(), strict=True):
        assert torch.equal(own, value), name


def test_a_projected_cells_learned_initial_state_has_two_sizes():
    cell = ProjectedLSTMCell(3, 5, proj_size=2, learn_initial_state=True)
    assert [tuple(part.shape) for part in cell.initial_state(4)] == [(4, 2), (4, 5)]
    Recurrent(cell)(torch.randn(4, 6, 3))[0].sum().backward()
    assert cell.initial_h.grad.abs().max() > 0
    assert cell.initial_c.grad.abs().max() > 0


INSIDE = {"rnn": RNNCell, "lstm": LSTMCell, "gru": GRUCell}


@pytest.mark.parametrize("name", INSIDE)
def test_the_same_entries_are_dropped_at_every_step_and_never_from_the_cell_state(name):
    torch.manual_seed(0)
    cell = RecurrentDropoutCell(INSIDE[name](3, 8), dropout=0.5).double()
    x = torch.randn(4, 6, 3).double()
    start = cell.initial_state(4)
    assert set(start.mask.unique().tolist()) == {0.0, 2.0}
    outputs, final = Recurrent(cell)(x, start)
    assert torch.equal(final.mask, start.mask)
    state = start.state
    for t in range(6):
        dropped = state._replace(h=state.h * start.mask) if name == "lstm" else state * start.mask
        output, state = cell.cell(x[:, t], dropped)
        assert_close(outputs[:, t], output, f"step {t}")
    for own, other in zip(tensors(final.state), tensors(state), strict=True):
        assert_close(own, other, "state")


@pytest.mark.parametrize("name", INSIDE)
def test_in_evaluation_nothing_is_dropped_and_every_sequence_has_a_mask_of_its_own_in_training(name):
    torch.manual_seed(0)
    inside = INSIDE[name](3, 8)
    stack = Stacked(
        Recurrent(RecurrentDropoutCell(inside, dropout=0.5)),
        Bidirectional(*(Recurrent(RecurrentDropoutCell(INSIDE[name](8, 8), dropout=0.3)) for _ in range(2))),
    )
    x = torch.randn(1, 5, 3).expand(2, 5, 3)
    outputs, state = stack(x, lengths=[5, 5])
    assert not torch.allclose(outputs[0], outputs[1])
    assert not torch.allclose(stack(x)[0], outputs)
    assert stack.layers[0].top_hidden(state[0]).shape == (2, 8)
    layer = stack.layers[0].eval()
    assert_close(layer(x)[0], Recurrent(inside)(x)[0], "in evaluation")
    assert layer.output_size == 8


def test_dropout_inside_keeps_the_mean_of_what_it_drops():
    torch.manual_seed(0)
    mask = RecurrentDropoutCell(GRUCell(1, 200), dropout=0.25).initial_state(200).mask
    assert abs(mask.mean().item() - 1) < 0.02
    assert abs((mask == 0).double().mean().item() - 0.25) < 0.02


@pytest.mark.bad_input
@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: ProjectedLSTMCell(3, 5, proj_size=5), "proj_size is 5; it should be smaller than hidden_size, 5"),
        (lambda: ProjectedLSTMCell(3, 5, proj_size=0), "proj_size is 0"),
        (lambda: ProjectedLSTMCell(3, 5, proj_size=2)(torch.zeros(1, 4), None), "axis 'input' should be 3, not 4"),
        (lambda: RecurrentDropoutCell(nn.GRUCell(3, 4), dropout=0.5), "cell is a GRUCell"),
        (lambda: RecurrentDropoutCell(GRUCell(3, 4), dropout=1.5), "dropout is 1.5"),
        (lambda: RecurrentDropoutCell(GRUCell(3, 4), dropout=1), "dropout is 1; it should be less"),
        (lambda: RecurrentDropoutCell(SkipRNNCell(3, 4), dropout=0.5), "its hidden state should be one tensor"),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_every_cell_says_the_size_of_its_output():
    cells = [GRUCell(3, 4), ProjectedLSTMCell(3, 4, proj_size=2), RecurrentDropoutCell(RNNCell(3, 4), dropout=0.1)]
    for cell in cells:
        assert isinstance(cell, Cell)
        assert cell(torch.zeros(2, 3), cell.initial_state(2))[0].shape == (2, cell.output_size)
