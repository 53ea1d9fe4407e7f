"""What a caller may hand to a layer, and do with what comes out: as with ``torch.nn``, whatever is chosen."""

import pytest
import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pack_sequence

from rnncourse.cells import Cell, GRUCell, LSTMCell, RNNCell
from rnncourse.convert import from_torch, state_to_torch
from rnncourse.kernels import sequence
from rnncourse.layers import Bidirectional, FixedWindow, Recurrent, Stacked
from rnncourse.layers.choosing import IMPLEMENTATIONS
from rnncourse.shapes import LSTMState, map_state
from rnncourse.unroll import flip_by_length, last_step, unroll
from tests.oracles import assert_close, assert_same, leaf, tensors

MODULES = {"lstm": nn.LSTM, "gru": nn.GRU, "rnn": nn.RNN}
CELLS = {"lstm": LSTMCell, "gru": GRUCell, "rnn": RNNCell}


def pair(name, implementation="auto"):
    torch.manual_seed(0)
    module = MODULES[name](3, 4, num_layers=2, bidirectional=True, batch_first=True).double()
    return from_torch(module, implementation=implementation), module


@pytest.mark.parametrize("implementation", IMPLEMENTATIONS)
@pytest.mark.parametrize("sort", [False, True])
@pytest.mark.parametrize("name", MODULES)
def test_a_packed_sequence_goes_in_and_comes_out_as_with_torch(name, sort, implementation):
    layer, module = pair(name, implementation)
    lengths = [5, 5, 3, 1] if sort else [3, 5, 1, 5]
    x = leaf(4, 6, 3)
    packed = pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=sort)
    ours, state = layer(packed)
    theirs, last = module(packed)
    for own, other in zip(ours[1:], theirs[1:], strict=True):
        assert own is other is None or torch.equal(own, other)
    last = list(last) if isinstance(last, tuple) else [last]
    flat = state_to_torch(state, layer)
    flat = list(flat) if isinstance(flat, tuple) else [flat]
    assert_same([ours.data, *flat], [theirs.data, *last], {"inputs": (x, x)}, name)


@pytest.mark.parametrize("implementation", IMPLEMENTATIONS)
@pytest.mark.parametrize("name", MODULES)
def test_one_sequence_and_no_sequences_are_read_as_by_torch(name, implementation):
    layer, module = pair(name, implementation)
    one = leaf(5, 3)
    assert_same([layer(one)[0]], [module(one)[0]], {"inputs": (one, one)}, name)
    state = layer(one)[1]
    assert_close(layer(one, state)[0], layer(one.unsqueeze(0), map_state(lambda part: part[None], state))[0][0], name)
    none = torch.zeros(0, 5, 3).double()
    ours, theirs = layer(none), module(none)
    assert ours[0].shape == theirs[0].shape
    empty = tensors(ours[1])
    assert {part.shape for part in empty} == {(0, 4)}
    (ours[0].sum() + sum(part.sum() for part in empty)).backward()
    again, _ = layer(none, ours[1], lengths=[])
    assert again.shape == ours[0].shape


@pytest.mark.parametrize("implementation", IMPLEMENTATIONS)
@pytest.mark.parametrize("name", MODULES)
def test_lengths_are_integers_of_any_kind(name, implementation):
    layer, _ = pair(name, implementation)
    x, lengths = torch.randn(3, 6, 3).double(), [6, 2, 4]
    expected = layer(x, lengths=torch.tensor(lengths))[0]
    kinds = [torch.int8, torch.int16, torch.int32]
    narrow = [torch.tensor(lengths, dtype=kind) for kind in kinds]
    for given in (lengths, tuple(lengths), torch.tensor(lengths).numpy(), *narrow):
        outputs, _ = layer(x, lengths=given)
        assert_close(outputs, expected, name)
        assert_close(layer.last_output(outputs, given), layer.last_output(outputs, torch.tensor(lengths)), name)
        assert_close(flip_by_length(x, given), flip_by_length(x, torch.tensor(lengths)), name)
        assert_close(last_step(x, given), last_step(x, torch.tensor(lengths)), name)
    if implementation == "loop":
        return  # slow
    long = torch.randn(2, 200, 3).double()  # more steps than an int8 can count
    short = torch.tensor([100, 3], dtype=torch.int8)
    assert_close(layer(long, lengths=short)[0], layer(long, lengths=short.long())[0], name)


@pytest.mark.parametrize("layer", [FixedWindow(3, 4, window=2), Recurrent(GRUCell(3, 4), implementation="loop")])
def test_every_layer_reads_one_none_and_packed(layer):
    x = torch.randn(5, 3)
    assert_close(layer(x)[0], layer(x[None])[0][0], "one")
    assert layer(torch.zeros(0, 5, 3))[0].shape == (0, 5, 4)
    packed = pack_sequence([x, x[:2]])
    padded, _ = layer(torch.stack([x, x]), lengths=[5, 2])
    assert_close(layer(packed)[0].data, pack_padded_sequence(padded, [5, 2], batch_first=True).data, "packed")


@pytest.mark.bad_input
def test_what_contradicts_itself_is_refused():
    layer = Recurrent(GRUCell(3, 4))
    with pytest.raises(ValueError, match="lengths is given with a PackedSequence"):
        layer(pack_sequence([torch.zeros(2, 3)]), lengths=[2])
    for wrong in ([5.0, 1.0], ["5", "1"], [5], [[5, 1]], [6, 1], 5, "51"):
        with pytest.raises(ValueError, match="lengths"):
            layer(torch.zeros(2, 5, 3), lengths=wrong)


@pytest.mark.parametrize("implementation", IMPLEMENTATIONS)
@pytest.mark.parametrize("lengths", [None, [5, 2]])
@pytest.mark.parametrize("batch", [1, 2])
@pytest.mark.parametrize("name", MODULES)
def test_outputs_and_states_may_be_written_into(name, lengths, implementation, batch):
    layer = Recurrent(CELLS[name](3, 4), implementation=implementation)
    x = torch.randn(batch, 5, 3, requires_grad=True)
    lengths = lengths and lengths[:batch]
    outputs, state = layer(x, lengths=lengths)
    expected = torch.autograd.grad((2 * outputs).sum() + sum((3 * part).sum() for part in tensors(state)), x)[0]
    outputs, state = layer(x, lengths=lengths)
    outputs.mul_(2)
    for part in tensors(state):
        part.mul_(3)
    found = torch.autograd.grad(outputs.sum() + sum(part.sum() for part in tensors(state)), x)[0]
    assert_close(found, expected, name)


@pytest.mark.parametrize("implementation", ["auto", "kernel", "checkpoint"])
@pytest.mark.parametrize("name", ["lstm", "gru"])
def test_without_gradients_no_gates_are_kept(name, implementation, monkeypatch):
    kept, walked = [], sequence.walk

    def watched(*given, **options):
        found = walked(*given, **options)
        kept.append(found[-1])
        return found

    monkeypatch.setattr(sequence, "walk", watched)
    layer = Recurrent(CELLS[name](3, 4), implementation=implementation)
    with torch.no_grad():
        layer(torch.randn(2, 500, 3), lengths=[500, 400])
    assert kept == [[]]


class Counting(Cell):
    """A cell whose state holds more than tensors of the usual form: a hidden state and a count for each sequence."""

    def initial_state(self, batch_size):
        return {"h": super().initial_state(batch_size), "count": [torch.zeros(batch_size)]}

    def forward(self, x_t, state):
        h = torch.tanh(x_t @ self.weight_ih.T + state["h"] @ self.weight_hh.T)
        return h, {"h": h, "count": [state["count"][0] + 1]}


@pytest.mark.parametrize("lengths", [None, [4, 2, 1]])
def test_a_custom_cells_own_state_is_carried(lengths):
    layer, x = Recurrent(Counting(3, 5)), torch.randn(3, 4, 3)
    outputs, state = layer(x, lengths=lengths)
    assert state["count"][0].tolist() == (lengths or [4, 4, 4])
    again, more = layer(x, state, lengths)
    assert more["count"][0].tolist() == [2 * n for n in lengths or [4, 4, 4]]
    assert_close(state["h"], last_step(outputs, lengths), "h")
    assert_close(layer(x[0])[1]["h"], layer(x[:1])[1]["h"][0], "one sequence")


@pytest.mark.bad_input
def test_a_state_that_cannot_stand_still_is_refused_where_sequences_end():
    with pytest.raises(ValueError, match="a part of state is a int"):
        unroll(lambda x_t, count: (x_t, count + 1), torch.zeros(2, 3, 1), 0, lengths=torch.tensor([3, 1]))


@pytest.mark.parametrize("name", CELLS)
def test_a_learned_initial_state_is_zero_again_when_all_is_drawn_anew(name):
    cell = CELLS[name](3, 4, learn_initial_state=True)
    torch.nn.init.ones_(cell.initial_h)
    cell.reset_parameters()
    for part in tensors(cell.initial_state(2)):
        assert not part.any()
    assert cell.weight_hh.any()


def test_a_stack_of_everything_reads_a_packed_sequence():
    stack = Stacked(Recurrent(LSTMCell(3, 4)), Bidirectional(Recurrent(GRUCell(4, 4)), Recurrent(RNNCell(4, 4))))
    outputs, (lower, upper) = stack(pack_sequence([torch.randn(2, 3), torch.randn(5, 3)], enforce_sorted=False))
    assert outputs.data.shape == (7, 8)
    assert isinstance(lower, LSTMState)
    assert upper.backward.shape == (2, 4)
