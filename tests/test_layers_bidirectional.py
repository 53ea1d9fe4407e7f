"""Two directions merge as they say, each from its own end."""

import pytest
import torch

from rnncourse.cells import GRUCell, LSTMCell, RNNCell
from rnncourse.layers import Bidirectional, Recurrent
from rnncourse.unroll import flip_by_length, unroll
from tests.oracles import assert_close, assert_same, leaf


@pytest.mark.parametrize(("merge", "size"), [("concatenate", 8), ("sum", 4), ("multiply", 4)])
@pytest.mark.parametrize("padded", [False, True])
def test_directions_merge_as_they_say_and_the_backward_one_reads_from_its_own_end(merge, size, padded):
    ahead, back = Recurrent(GRUCell(3, 4)).double(), Recurrent(GRUCell(3, 4)).double()
    both = Bidirectional(ahead, back, merge=merge)
    x, lengths = leaf(3, 5, 3), torch.tensor([5, 1, 3])
    outputs, state = both(x, lengths=lengths if padded else None)
    assert outputs.shape[2] == both.output_size == size
    for row, length in enumerate(lengths.tolist() if padded else [5] * 3):
        own = x[row : row + 1, :length]
        h_f, last = ahead(own)
        h_b, first = back(own.flip(1))
        h_b = h_b.flip(1)
        merged = {"concatenate": lambda a, b: torch.cat([a, b], 2), "sum": torch.add, "multiply": torch.mul}[merge]
        assert_close(outputs[row : row + 1, :length], merged(h_f, h_b), merge)
        assert not outputs[row, length:].any()
        assert_close(state.forward[row : row + 1], last, "forward state")
        assert_close(state.backward[row : row + 1], first, "backward state")
        assert_close(h_b[:, 0], first, "the backward state stands at the first step")


@pytest.mark.parametrize("merge", ["concatenate", "sum", "multiply"])
@pytest.mark.parametrize("padded", [False, True])
def test_merged_directions_have_the_gradients_of_their_parts(merge, padded):
    both = Bidirectional(Recurrent(LSTMCell(3, 4)), Recurrent(LSTMCell(3, 4)), merge=merge).double()
    x, lengths = leaf(3, 5, 3), torch.tensor([5, 1, 3]) if padded else torch.tensor([5, 5, 5])
    outputs, (ahead, back) = both(x, lengths=lengths if padded else None)
    expected, last = [], []
    for row, length in enumerate(lengths.tolist()):  # each sequence alone, without its padding, step by step
        own = x[row : row + 1, :length]
        h_f, end = unroll(both.forward_layer.cell, own, both.forward_layer.initial_state(1))
        h_b, begin = unroll(both.backward_layer.cell, own.flip(1), both.backward_layer.initial_state(1))
        h_b = h_b.flip(1)
        merged = torch.cat([h_f, h_b], 2) if merge == "concatenate" else h_f + h_b if merge == "sum" else h_f * h_b
        expected.append(torch.nn.functional.pad(merged, (0, 0, 0, 5 - length)))
        last.append([*end, *begin])
    theirs = [torch.cat(expected), *(torch.cat(parts) for parts in zip(*last, strict=True))]
    leaves = {"inputs": (x, x), **{name: (value, value) for name, value in both.named_parameters()}}
    assert_same([outputs, *ahead, *back], theirs, leaves, merge)


def test_a_sequence_read_backwards_by_swapped_layers_is_the_flipped_reading():
    ahead, back = Recurrent(RNNCell(3, 4)).double(), Recurrent(RNNCell(3, 4)).double()
    x, lengths = leaf(2, 5, 3), torch.tensor([5, 3])
    one, _ = Bidirectional(ahead, back, merge="sum")(x, lengths=lengths)
    other, _ = Bidirectional(back, ahead, merge="sum")(flip_by_length(x, lengths), lengths=lengths)
    assert_close(flip_by_length(other, lengths), one, "outputs")
