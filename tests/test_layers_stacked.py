"""Layers over depth: states, dropout and what is added."""

import torch

from rnncourse.cells import GRUCell, LSTMCell, RNNCell
from rnncourse.layers import Stacked
from rnncourse.shapes import BidirectionalState, LSTMState
from tests.oracles import assert_same, leaf, tensors


def test_reading_in_two_parts_equals_reading_at_once():
    stack = Stacked.of(LSTMCell, 3, 4, num_layers=2).double()
    x = leaf(2, 7, 3)
    outputs, state = stack(x)
    first, between = stack(x[:, :3])
    second, end = stack(x[:, 3:], between)
    leaves = {"inputs": (x, x), **{key: (value, value) for key, value in stack.named_parameters()}}
    assert_same([torch.cat([first, second], 1), *tensors(end)], [outputs, *tensors(state)], leaves)


def test_dropout_acts_between_layers_only_and_only_in_training():
    stack = Stacked.of(RNNCell, 3, 200, num_layers=2, dropout=0.5)
    x = torch.randn(4, 1, 3)
    lower, upper = stack.layers
    below, _ = lower(x)
    stack.eval()
    assert torch.equal(stack(x)[0], upper(below)[0])
    stack.train()
    seen = []
    upper.register_forward_pre_hook(lambda module, arguments: seen.append(arguments[0]))
    lower.register_forward_pre_hook(lambda module, arguments: seen.append(arguments[0]))
    outputs, (state, _) = stack(x)
    assert torch.equal(seen[0], x)
    kept = seen[1] != 0
    assert 0.3 < kept.float().mean() < 0.7
    torch.testing.assert_close(seen[1][kept], 2 * below[kept])
    assert torch.equal(state, below[:, 0])
    assert outputs.all()


def test_a_residual_stack_adds_each_layers_input_but_the_first():
    stack = Stacked.of(GRUCell, 3, 4, num_layers=3, residual=True).double()
    x = leaf(2, 5, 3)
    y = stack.layers[0](x)[0]
    for layer in stack.layers[1:]:
        y = y + layer(y)[0]
    leaves = {"inputs": (x, x), **{name: (value, value) for name, value in stack.named_parameters()}}
    assert_same([stack(x)[0]], [y], leaves, "residual")


def test_a_residual_stack_adds_what_was_there_before_dropout():
    stack = Stacked.of(GRUCell, 3, 4, num_layers=2, residual=True, dropout=1.0)
    x = torch.randn(2, 5, 3)
    below, _ = stack.layers[0](x)
    above, _ = stack.layers[1](torch.zeros_like(below))
    assert torch.equal(stack(x)[0], below + above)


def test_states_are_typed_at_every_height():
    stack = Stacked.of(LSTMCell, 3, 4, num_layers=2, bidirectional=True)
    for state in (stack.initial_state(2), stack(torch.zeros(2, 5, 3))[1]):
        assert [type(part) for part in state] == [BidirectionalState] * 2
        assert isinstance(state[1].backward, LSTMState)
