"""Parameters and states convert from and to PyTorch at any depth and direction; what has no counterpart is refused."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from rnncourse.cells import GRUCell, LSTMCell, MGUCell, RNNCell
from rnncourse.convert import copy_parameters, from_torch, state_from_torch, state_to_torch, to_torch
from rnncourse.layers import Bidirectional, Recurrent, Stacked
from rnncourse.shapes import LSTMState
from tests.oracles import DEVICES, KINDS, assert_close, tensors

shapes = {
    "kind": st.sampled_from(sorted(KINDS)),
    "num_layers": st.integers(1, 3),
    "bidirectional": st.booleans(),
    "bias": st.booleans(),
}


@settings(max_examples=30, deadline=None)
@given(**shapes, dtype=st.sampled_from([torch.float32, torch.float64]))
def test_there_and_back_is_the_same_module(kind, num_layers, bidirectional, bias, dtype):
    _, theirs, options = KINDS[kind]
    module = theirs(3, 4, num_layers, bias=bias, bidirectional=bidirectional, dtype=dtype, batch_first=True, **options)
    back = to_torch(from_torch(module))
    assert type(back) is type(module)
    assert repr(back) == repr(module)
    assert list(back.state_dict()) == list(module.state_dict())
    for name, value in module.state_dict().items():
        assert torch.equal(back.state_dict()[name], value)
        assert back.state_dict()[name].data_ptr() != value.data_ptr()


@settings(max_examples=20, deadline=None)
@given(**shapes)
def test_a_layer_converted_to_torch_computes_the_same(kind, num_layers, bidirectional, bias):
    cell, _, options = KINDS[kind]
    stack = Stacked.of(cell, 3, 4, num_layers=num_layers, bidirectional=bidirectional, bias=bias, **options).double()
    x = torch.randn(2, 5, 3, dtype=torch.float64)
    outputs, state = stack(x)
    expected, last = to_torch(stack)(x)
    assert_close(outputs, expected, "outputs")
    ours = state_to_torch(state, stack)
    for a, b in zip(tensors(ours), tensors(last), strict=True):
        assert_close(a, b, "state")


def test_a_gru_that_blends_the_other_way_converts_by_negating_its_update_gate():
    stack = Stacked.of(GRUCell, 3, 4, num_layers=2, bidirectional=True, blend="replace").double()
    module = to_torch(stack)
    x = torch.randn(2, 5, 3, dtype=torch.float64)
    assert_close(stack(x)[0], module(x)[0], "outputs")
    assert torch.equal(module.weight_hh_l0[4:8], -stack.layers[0].forward_layer.cell.weight_hh[4:8])
    assert torch.equal(module.bias_ih_l0[8:], stack.layers[0].forward_layer.cell.bias_ih[8:])


def test_a_single_layer_and_a_single_pair_convert_without_a_stack():
    for layer in (Recurrent(LSTMCell(3, 4)), Bidirectional(Recurrent(LSTMCell(3, 4)), Recurrent(LSTMCell(3, 4)))):
        x = torch.randn(2, 5, 3)
        torch.testing.assert_close(to_torch(layer)(x)[0], layer(x)[0], rtol=0, atol=1e-6)


def test_states_convert_there_and_back():
    stack = Stacked.of(LSTMCell, 3, 4, num_layers=2, bidirectional=True)
    state = (torch.randn(4, 2, 4), torch.randn(4, 2, 4))
    ours = state_from_torch(state, stack)
    assert torch.equal(ours[1].backward.c, state[1][3])
    assert torch.equal(ours[0].backward.h, state[0][1])
    assert torch.equal(ours[1].forward.h, state[0][2])
    for a, b in zip(state_to_torch(ours), state, strict=True):
        assert torch.equal(a, b)


@pytest.mark.parametrize("device", DEVICES)
def test_a_conversion_stays_on_its_device(device):
    module = nn.LSTM(3, 4, num_layers=2, bidirectional=True, batch_first=True, device=device)
    stack = from_torch(module)
    x = torch.randn(2, 5, 3, device=device)
    assert_close(stack(x)[0], module(x)[0], "outputs")
    back = to_torch(stack)
    assert {parameter.device for parameter in back.parameters()} == {x.device}
    assert_close(back(x)[0], module(x)[0], "outputs")


def test_dropout_and_training_mode_come_along():
    module = nn.LSTM(3, 4, num_layers=2, dropout=0.25, batch_first=True).eval()
    stack = from_torch(module)
    assert stack.dropout.p == 0.25
    assert not stack.training
    assert to_torch(stack).dropout == 0.25


def test_what_was_copied_is_not_shared():
    module = nn.GRU(3, 4)
    stack = from_torch(module)
    with torch.no_grad():
        module.weight_ih_l0.zero_()
    assert stack.layers[0].cell.weight_ih.any()


def test_peepholes_and_learned_initial_states_are_copied_too():
    source, target = (lstm(peepholes=True, learn_initial_state=True) for _ in range(2))
    with torch.no_grad():
        source.cell.initial_h.fill_(0.5)
        source.cell.initial_c.fill_(-2.0)
    copy_parameters(source, target)
    x = torch.randn(2, 5, 3)
    assert torch.equal(source(x)[0], target(x)[0])
    assert torch.equal(target.cell.weight_cf, source.cell.weight_cf)


def test_nothing_is_written_where_two_sides_differ():
    source, target = nn.LSTM(3, 4, num_layers=2), Stacked.of(LSTMCell, 3, 4)
    before = target.layers[0].cell.weight_ih.detach().clone()
    with pytest.raises(ValueError, match=r"bias_hh_l1 is \(16,\) in source and missing in target"):
        copy_parameters(source, target)
    assert torch.equal(target.layers[0].cell.weight_ih, before)


@pytest.mark.parametrize("wrap", [lambda: Stacked(deep()), lambda: Stacked(lstm(), Stacked(upper(), upper()))])
def test_a_stack_in_a_stack_converts_to_what_computes_the_same(wrap):
    layer, inputs = wrap(), torch.randn(2, 5, 3)
    outputs, state = layer(inputs)
    expected, theirs = to_torch(layer)(inputs)
    assert_close(outputs, expected, "outputs")
    assert_close(torch.stack(state_to_torch(state)), torch.stack(theirs), "state")
    for ours, back in zip(tensors(state), tensors(state_from_torch(theirs, layer)), strict=True):
        assert_close(ours, back, "state back")


@st.composite
def nests(draw, size=3):
    """Stacks in stacks, some residual, some with dropout, of layers that read one way or both."""
    parts = []
    for _ in range(draw(st.integers(1, 3))):
        width = parts[-1].output_size if parts else size
        kind = draw(st.sampled_from(["one", "both", "nest"]))
        if kind == "nest" and width == 3:
            parts.append(draw(nests()))
        elif kind == "both":
            parts.append(Bidirectional(Recurrent(GRUCell(width, 3)), Recurrent(GRUCell(width, 3))))
        else:
            parts.append(Recurrent(GRUCell(width, 3)))
    equal = all(part.input_size == part.output_size for part in parts[1:])
    return Stacked(*parts, residual=equal and draw(st.booleans()), dropout=draw(st.sampled_from([0.0, 0.5])))


@settings(max_examples=40, deadline=None)
@given(layer=nests())
def test_any_nest_of_stacks_converts_to_what_computes_the_same_or_is_refused(layer):
    layer, x = layer.double().eval(), torch.randn(2, 5, 3).double()
    try:
        module = to_torch(layer)
    except ValueError:
        return
    assert_close(module(x)[0], layer(x)[0], "outputs")


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16, None])
def test_conversions_take_a_dtype_and_a_device(dtype):
    module = nn.LSTM(3, 4, batch_first=True)
    layer = from_torch(module, dtype=dtype, device="meta")
    assert {(p.dtype, p.device.type) for p in layer.parameters()} == {(dtype or torch.float32, "meta")}
    back = to_torch(from_torch(module, dtype=dtype), dtype=torch.float32, device="cpu")
    for name, value in back.named_parameters():
        torch.testing.assert_close(value, dict(module.named_parameters())[name], rtol=1e-2, atol=0)
    assert {p.dtype for p in back.parameters()} == {torch.float32}


def lstm(**options):
    return Recurrent(LSTMCell(3, 4, **options))


def upper():
    return Recurrent(LSTMCell(4, 4))


def deep(**options):
    return Stacked(lstm(), upper(), **options)


@pytest.mark.bad_input
@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: from_torch(nn.Linear(3, 4)), "module is a Linear"),
        (lambda: to_torch(nn.Linear(3, 4)), "layer is a Linear"),
        (lambda: to_torch(lstm(peepholes=True)), "no counterpart in torch.nn"),
        (lambda: to_torch(lstm(without=("output",))), "no counterpart in torch.nn"),
        (lambda: to_torch(Recurrent(GRUCell(3, 4, reset="before"))), "no counterpart in torch.nn"),
        (lambda: to_torch(Recurrent(MGUCell(3, 4))), "no counterpart in torch.nn"),
        (lambda: to_torch(lstm(learn_initial_state=True)), "learned initial state"),
        (lambda: to_torch(Bidirectional(lstm(), lstm(), merge="sum")), "by 'sum'; torch.nn only concatenates"),
        (lambda: to_torch(Bidirectional(deep(), deep())), "more than one cell over time"),
        (lambda: to_torch(Stacked(lstm(), Stacked(upper(), upper(), residual=True))), "holds a residual stack"),
        (lambda: to_torch(Stacked(lstm(), Stacked(upper(), upper(), dropout=0.5))), r"dropouts \[0.0, 0.5\]"),
        (lambda: to_torch(Stacked(lstm(), Recurrent(GRUCell(4, 4)))), "all cells of a torch.nn module are alike"),
        (lambda: to_torch(Stacked(lstm(), Recurrent(LSTMCell(4, 5)))), "all cells of a torch.nn module are alike"),
        (lambda: to_torch(Stacked.of(RNNCell, 3, 4, num_layers=2, residual=True)), "residual stack"),
        (
            lambda: to_torch(Stacked(Bidirectional(lstm(), lstm()), Recurrent(LSTMCell(8, 4)))),
            "mixes one and two directions",
        ),
        (lambda: state_from_torch(torch.zeros(2, 1, 4), Recurrent(RNNCell(3, 4))), "state has 2 rows; the layer has 1"),
        (lambda: state_from_torch((torch.zeros(1, 1, 4),) * 2, Recurrent(RNNCell(3, 4))), "is a tuple of 2; .* be h"),
        (lambda: state_from_torch(torch.zeros(1, 1, 4), lstm()), r"state is a Tensor; for a LSTMCell .* be \(h, c\)"),
        (lambda: state_from_torch((torch.zeros(1, 1, 4), torch.zeros(2, 1, 4)), lstm()), "state.c has 2 rows"),
        (lambda: state_from_torch(torch.zeros(1, 4), Recurrent(RNNCell(3, 4))), "state has 2 axes"),
        (lambda: state_from_torch(torch.zeros(1, 1, 5), Recurrent(RNNCell(3, 4))), "'hidden' should be 4, not 5"),
        (lambda: state_from_torch(None, Recurrent(RNNCell(3, 4))), "state is a NoneType"),
        (lambda: state_from_torch((1.0, 2.0), lstm()), "state.h is a float"),
        (lambda: state_from_torch(torch.zeros(1, 1, 4), None), "layer is a NoneType"),
        (lambda: state_to_torch(None), "state is a NoneType; it should be the state of a layer"),
        (lambda: state_to_torch(()), "state is a tuple; it should be the state of a layer"),
        (lambda: state_to_torch([torch.zeros(1, 4)]), "state is a list"),
        (lambda: state_to_torch(LSTMState(torch.zeros(1, 4), None)), "a part of state is a NoneType"),
        (lambda: state_to_torch((LSTMState(*[torch.zeros(1, 4)] * 2), torch.zeros(1, 4))), "a LSTMState and a Tensor"),
        (lambda: state_to_torch((torch.zeros(1, 4),) * 2), r"an LSTM's \(h, c\) or the states of two layers"),
        (lambda: state_to_torch((torch.zeros(1, 4),) * 2, Recurrent(LSTMCell(3, 4))), "state is a tuple"),
        (lambda: state_to_torch((torch.zeros(1, 4), torch.zeros(1, 5), torch.zeros(1, 4))), r"\(1, 4\), \(1, 5\)"),
        (lambda: state_to_torch(torch.zeros(4)), r"tensors of shape \(4,\)"),
        (lambda: from_torch(None), "module is a NoneType"),
        (lambda: from_torch(nn.GRU(3, 4), implementation="fast"), "implementation is 'fast'"),
        (lambda: copy_parameters(nn.Linear(3, 4), lstm()), "source is a Linear"),
        (lambda: copy_parameters(nn.LSTM(3, 4), None), "target is a NoneType"),
        (lambda: copy_parameters(nn.LSTM(3, 4), lstm(peepholes=True)), "weight_cf_l0 is missing in source"),
        (lambda: copy_parameters(lstm(learn_initial_state=True), lstm()), "and missing in target"),
    ],
)
def test_what_has_no_counterpart_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
