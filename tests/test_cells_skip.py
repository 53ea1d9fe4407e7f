"""Skip connections through time."""

import pytest
import torch

from rnncourse.cells import RNNCell
from rnncourse.cells.skip import SkipRNNCell
from rnncourse.diagnostics import credit_path_of, gradient_by_lag
from rnncourse.layers import Recurrent


def by_hand(cell, x):
    """The equation, with the whole past kept in one list."""
    past = [torch.zeros(len(x), cell.hidden_size, dtype=x.dtype)] * cell.skip
    for t in range(x.shape[1]):
        a = x[:, t] @ cell.weight_ih.T + cell.bias_ih + cell.bias_hh
        past.append(torch.tanh(a + past[-1] @ cell.weight_hh.T + past[-cell.skip] @ cell.weight_skip.T))
    return torch.stack(past[cell.skip :], 1)


@pytest.mark.parametrize("skip", [1, 2, 5, 9])
@pytest.mark.parametrize("hidden_size", [1, 4])
def test_skip_cell_is_its_equation(skip, hidden_size):
    torch.manual_seed(skip)
    cell = SkipRNNCell(3, hidden_size, skip=skip).double()
    x = torch.randn(2, 7, 3, dtype=torch.float64, requires_grad=True)
    weight = torch.randn(2, 7, hidden_size, dtype=torch.float64)
    inputs = (x, *cell.parameters())
    outputs, state = Recurrent(cell)(x)
    expected = by_hand(cell, x)
    assert torch.allclose(outputs, expected, rtol=0, atol=1e-12)
    assert torch.equal(state[0], outputs[:, -1])
    ours = torch.autograd.grad((outputs * weight).sum(), inputs)
    theirs = torch.autograd.grad((expected * weight).sum(), inputs)
    for a, b in zip(ours, theirs, strict=True):
        assert torch.allclose(a, b, rtol=0, atol=1e-10 * b.abs().max().clamp(min=1).item())


def test_skip_cell_without_skip_weights_is_the_vanilla_cell():
    cell, vanilla = SkipRNNCell(3, 4, skip=3), RNNCell(3, 4)
    vanilla.load_state_dict({name: value for name, value in cell.state_dict().items() if name != "weight_skip"})
    torch.nn.init.zeros_(cell.weight_skip)
    x = torch.randn(2, 6, 3)
    assert torch.allclose(Recurrent(cell)(x)[0], Recurrent(vanilla)(x)[0], rtol=0, atol=1e-6)


def test_skip_cell_shortens_the_path():
    assert credit_path_of(Recurrent(SkipRNNCell(2, 3, skip=5)), 20).shortest < 0.4 * (
        credit_path_of(Recurrent(RNNCell(2, 3)), 20).shortest
    )


def test_gradient_through_the_skip_alone_arrives_at_multiples_of_the_skip():
    cell = SkipRNNCell(2, 4, skip=3)
    torch.nn.init.zeros_(cell.weight_hh)
    norms = gradient_by_lag(cell, torch.randn(2, 10, 2), lambda outputs: outputs[:, -1].sum())
    assert [n for n, norm in enumerate(norms.tolist()) if norm > 0] == [0, 3, 6, 9]


def test_lengths_stop_each_sequence_at_its_own_end():
    layer = Recurrent(SkipRNNCell(2, 4, skip=3))
    x = torch.randn(2, 6, 2)
    _, state = layer(x, lengths=torch.tensor([6, 4]))
    _, alone = layer(x[1:, :4])
    for together, single in zip(state, alone, strict=True):
        assert torch.allclose(together[1:], single, rtol=0, atol=1e-6)


def test_reading_in_two_parts_equals_reading_at_once():
    layer = Recurrent(SkipRNNCell(2, 4, skip=3))
    x = torch.randn(2, 6, 2)
    whole, end = layer(x)
    first, state = layer(x[:, :4])
    second, last = layer(x[:, 4:], state)
    assert torch.allclose(torch.cat([first, second], 1), whole, rtol=0, atol=1e-6)
    for one, other in zip(last, end, strict=True):
        assert torch.allclose(one, other, rtol=0, atol=1e-6)


def test_orthogonal_init_puts_the_weight_on_the_long_connection():
    cell = SkipRNNCell(2, 8, init="orthogonal")
    assert torch.allclose(cell.weight_skip @ cell.weight_skip.T, torch.eye(8), atol=1e-6)
    assert cell.weight_hh.abs().max() <= 8**-0.5 / 3


def test_the_trace_is_the_step_with_its_activation():
    cell = SkipRNNCell(2, 4, skip=3)
    x = torch.randn(2, 6, 2)
    traced, end = Recurrent(cell).trace(x)
    outputs, state = Recurrent(cell)(x)
    assert torch.equal(traced.h, outputs)
    assert torch.equal(torch.tanh(traced.a), outputs)
    assert all(map(torch.equal, end, state))


def in_layer(state):
    return Recurrent(SkipRNNCell(2, 3, skip=2))(torch.zeros(1, 5, 2), state)


@pytest.mark.bad_input
@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: SkipRNNCell(2, 3, skip=0), "skip is 0"),
        (lambda: SkipRNNCell(2, 3, init="identity"), "init is 'identity'"),
        (
            lambda: SkipRNNCell(2, 3, skip=4)(torch.zeros(1, 2), (torch.zeros(1, 3),)),
            "it should be a tuple of 4",
        ),
        (lambda: SkipRNNCell(2, 3, skip=1)(torch.zeros(1, 5), (torch.zeros(1, 3),)), "x_t has shape"),
        (lambda: SkipRNNCell(2, 3, skip=1)([0.0, 0.0], (torch.zeros(1, 3),)), "x_t is a list"),
        (lambda: SkipRNNCell(2, 3, skip=1)(torch.zeros(1, 2), None), "state is a NoneType; it should be a tuple"),
        (lambda: SkipRNNCell(2, 3, skip=1).trace(torch.zeros(1, 2), torch.zeros(1, 3)), "state is a Tensor; it should"),
        (lambda: SkipRNNCell(2, 3, skip=1).trace(torch.zeros(2), (torch.zeros(1, 3),)), "x_t has 1 axes"),
        (lambda: SkipRNNCell(2, 3, skip=1).trace(torch.zeros(1, 2), (None,)), r"state\[0\] is a NoneType"),
        (
            lambda: SkipRNNCell(2, 3, skip=3)(
                torch.zeros(1, 2), (torch.zeros(1, 3), torch.zeros(2, 3), torch.zeros(1, 3))
            ),
            r"state\[1\] has shape \(2, 3\)",
        ),
        (lambda: in_layer(torch.zeros(1, 3)), "state is a Tensor; it should be a tuple of 2"),
        (lambda: in_layer((torch.zeros(1, 3),)), "state is a tuple of 1; it should be a tuple of 2"),
        (lambda: in_layer((torch.zeros(1, 3), torch.zeros(1, 4))), r"state\[1\] has shape"),
    ],
)
def test_bad_input_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
