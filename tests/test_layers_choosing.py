"""The rules of ``implementation="auto"``: what is taken where, that it is right, and what is refused by name."""

import copy

import pytest
import torch
from torch import nn
from torch.nn.modules import module as every_module
from torch.nn.utils import parametrizations, parametrize, prune

from rnncourse.cells import GRUCell, LSTMCell, RNNCell
from rnncourse.kernels import gru_sequence
from rnncourse.layers import Bidirectional, Recurrent, Stacked
from rnncourse.layers.choosing import choose
from rnncourse.scan import MinGRUCell
from tests.oracles import assert_close, assert_same, leaf, tensors

CELLS = {
    "rnn": RNNCell,
    "relu": lambda *sizes: RNNCell(*sizes, nonlinearity="relu"),
    "lstm": LSTMCell,
    "gru": GRUCell,
    "replace": lambda *sizes: GRUCell(*sizes, blend="replace"),
}
ASKED = ["kernel", "fused", "checkpoint"]


class Scaled(nn.Module):
    """A parametrization that nothing is known about."""

    def forward(self, weight):
        return 2 * weight


def hooked(register):
    """A change of a cell by a hook; what the hook is handed says how often it was called."""

    def change(cell, seen):
        getattr(cell, register)(lambda *given: seen.append(1))

    return change


def replaced(cell, seen):
    step = cell.forward
    cell.forward = lambda x_t, state: (seen.append(1), step(x_t * 2, state))[1]


CHANGES = {
    "forward hook": hooked("register_forward_hook"),
    "forward pre-hook": hooked("register_forward_pre_hook"),
    "backward hook": hooked("register_full_backward_hook"),
    "backward pre-hook": hooked("register_full_backward_pre_hook"),
    "replaced forward": replaced,
    "weight norm, old": lambda cell, seen: nn.utils.weight_norm(cell, "weight_hh"),
    "weight norm": lambda cell, seen: parametrizations.weight_norm(cell, "weight_hh"),
    "spectral norm, old": lambda cell, seen: nn.utils.spectral_norm(cell, "weight_hh"),
    "spectral norm": lambda cell, seen: parametrizations.spectral_norm(cell, "weight_hh"),
    "orthogonal": lambda cell, seen: parametrizations.orthogonal(cell, "weight_ih"),
    "pruning": lambda cell, seen: prune.l1_unstructured(cell, "weight_hh", amount=0.5),
    "own parametrization": lambda cell, seen: parametrize.register_parametrization(cell, "weight_hh", Scaled()),
}
JUST_RIGHT = {"weight norm, old", "weight norm", "orthogonal", "pruning"}  # the kernels read the effective weights


def changed(name, cell, asked):
    """A layer over a changed cell, always the same one, and what its hooks saw."""
    torch.manual_seed(1)
    layer, seen = Recurrent(CELLS[cell](3, 4), implementation=asked).double(), []
    CHANGES[name](layer.cell, seen)
    return layer, seen


@pytest.mark.filterwarnings("ignore:.*weight_norm.*deprecated:FutureWarning")
@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru"])
@pytest.mark.parametrize("name", CHANGES)
def test_whatever_changes_or_watches_a_step_acts_alike_under_auto(name, cell):
    torch.manual_seed(0)
    x, lengths = leaf(3, 5, 3), torch.tensor([5, 2, 4])
    for given in (None, lengths):
        results = []
        for asked in ("auto", "loop"):
            layer, seen = changed(name, cell, asked)
            for _ in range(2):  # a training step changes what a norm is taken of
                outputs, state = layer(x, lengths=given)
                grads = torch.autograd.grad(outputs.square().sum(), [x, *layer.parameters()])
                with torch.no_grad():
                    for parameter, grad in zip(layer.parameters(), grads[1:], strict=True):
                        parameter -= 0.1 * grad
            results.append(([outputs, *tensors(state), *grads], len(seen)))
        for ours, loops in zip(*(values for values, _ in results), strict=True):
            assert_close(ours, loops, name)
        assert results[0][1] == results[1][1]


@pytest.mark.filterwarnings("ignore:.*weight_norm.*deprecated:FutureWarning")
@pytest.mark.parametrize("asked", ASKED)
@pytest.mark.parametrize("name", CHANGES)
def test_asked_for_by_name_an_implementation_is_right_under_a_change_or_refused(name, asked):
    layer, _ = changed(name, "gru", asked)
    x = leaf(2, 5, 3)
    if name in JUST_RIGHT:
        with torch.no_grad():
            next(layer.parameters()).mul_(1.5)  # the effective weights are stale until they are computed anew
        own = layer(x)[0]
        assert layer.chosen.implementation == asked
        loop = Recurrent(layer.cell, implementation="loop")
        assert_same([own], [loop(x)[0]], {"inputs": (x, x)}, name)
    elif name == "replaced forward":  # as a class with a step of its own
        layer(x)
        assert layer.chosen.implementation == "loop"
    else:
        with pytest.raises(RuntimeError, match="implementation='loop'"):
            layer(x)


@pytest.mark.parametrize(
    "register",
    [
        every_module.register_module_forward_hook,
        every_module.register_module_forward_pre_hook,
        every_module.register_module_full_backward_hook,
        every_module.register_module_full_backward_pre_hook,
    ],
)
def test_global_hooks_see_every_step(register):
    layer, seen = Recurrent(GRUCell(3, 4)), []
    handle = register(lambda module, *rest: seen.append(module) if module is layer.cell else None)
    try:
        layer(torch.randn(2, 5, 3, requires_grad=True))[0].sum().backward()
    finally:
        handle.remove()
    assert len(seen) == 5
    assert "global" in layer.chosen.why


def test_a_step_replaced_in_the_class_is_the_step_of_every_layer(monkeypatch):
    layer = Recurrent(LSTMCell(3, 4))
    before = layer(torch.ones(1, 3, 3))[0]
    step = LSTMCell.trace
    monkeypatch.setattr(LSTMCell, "trace", lambda cell, x_t, state: step(cell, 2 * x_t, state))
    assert_close(
        layer(torch.ones(1, 3, 3))[0], Recurrent(layer.cell, implementation="loop")(torch.ones(1, 3, 3))[0], ""
    )
    assert not torch.allclose(layer(torch.ones(1, 3, 3))[0], before)


@pytest.mark.filterwarnings("ignore:.*torch.jit.script.*deprecated:DeprecationWarning")
@pytest.mark.parametrize("name", CELLS)
@pytest.mark.parametrize("wrap", ["alone", "two ways", "stack"])
def test_layers_are_transformed_by_torch_func_as_the_loop_is(name, wrap):
    def build(asked):
        torch.manual_seed(2)
        one = lambda size: Recurrent(CELLS[name](size, 3), implementation=asked)  # noqa: E731
        layer = {"alone": lambda: one(2), "two ways": lambda: Bidirectional(one(2), one(2))}.get(
            wrap, lambda: Stacked(one(2), Bidirectional(one(3), one(3)))
        )()
        return layer.double()

    auto, loop = build("auto"), build("loop")
    x, v = torch.randn(3, 4, 2).double(), torch.randn(3, 4, 2).double()

    def loss(layer):
        return lambda weights, x: torch.func.functional_call(layer, weights, (x,))[0].square().sum()

    def results(layer):
        weights, f = dict(layer.named_parameters()), loss(layer)
        per_sample = torch.func.vmap(torch.func.grad(f), (None, 0))(weights, x.unsqueeze(1))
        g = lambda x: f(weights, x)  # noqa: E731
        yield from per_sample.values()
        yield torch.func.jvp(g, (x,), (v,))[1]
        yield torch.func.jvp(torch.func.grad(g), (x,), (v,))[1]
        yield torch.func.grad(lambda x: (torch.func.grad(g)(x) * v).sum())(x)
        yield torch.func.jvp(lambda x: torch.func.jvp(g, (x,), (v,))[1], (x,), (v,))[1]
        yield torch.func.vmap(lambda one: layer(one)[0])(x)  # one sequence each
        with torch.autograd.forward_ad.dual_level():
            dual = torch.autograd.forward_ad.make_dual(x, v)
            yield torch.autograd.forward_ad.unpack_dual(layer(dual)[0]).tangent

    for ours, loops in zip(list(results(auto)), list(results(loop)), strict=True):
        assert_close(ours, loops, name)


@pytest.mark.filterwarnings("ignore:.*torch.jit.script.*deprecated:DeprecationWarning")
@pytest.mark.parametrize("asked", ASKED)
@pytest.mark.parametrize("name", ["rnn", "lstm", "gru"])
def test_asked_for_by_name_transformations_are_refused(name, asked):
    layer, x = Recurrent(CELLS[name](2, 3), implementation=asked), torch.randn(2, 4, 2)
    for call in (
        lambda: torch.func.vmap(lambda one: layer(one)[0])(x),
        lambda: torch.func.grad(lambda x: layer(x)[0].sum())(x),
        lambda: torch.func.jvp(lambda x: layer(x)[0], (x,), (x,)),
    ):
        with pytest.raises(RuntimeError, match="implementation='loop'"):
            call()
    with torch.autograd.forward_ad.dual_level():
        with pytest.raises(RuntimeError, match="forward-mode derivative.*implementation='loop'"):
            layer(torch.autograd.forward_ad.make_dual(x, x))
        layer(x)  # nothing is differentiated here


@pytest.mark.parametrize("asked", ["auto", "kernel", "fused", "checkpoint"])
@pytest.mark.parametrize("name", CELLS)
@pytest.mark.parametrize("sizes", [(2, 12, 3, 4), (2, 20, 64, 128)])
def test_second_derivatives_are_right_or_refused_by_name_never_dropped(name, asked, sizes):
    batch, time, inputs, hidden = sizes
    cell = CELLS[name](inputs, hidden)
    x = torch.randn(batch, time, inputs, requires_grad=True)

    def second(layer):
        for outer in (lambda y: y.sum(), lambda y: y.square().sum()):  # the first hands a constant to the backward pass
            (gradient,) = torch.autograd.grad(outer(layer(x)[0]), x, create_graph=True)
            yield from torch.autograd.grad((gradient * x).sum() + x.sum(), [x, cell.weight_ih, cell.weight_hh])

    layer = Recurrent(cell, implementation=asked)
    layer(x)
    if layer.chosen.implementation != "fused":
        with pytest.raises(RuntimeError, match="implementation='loop'"):
            list(second(layer))
        return
    found = list(second(layer))
    for ours, loops in zip(found, second(Recurrent(cell, implementation="loop")), strict=True):
        torch.testing.assert_close(ours, loops, rtol=1e-4, atol=1e-4 * float(loops.abs().max()))


def test_many_gradients_at_once_are_refused_by_name():
    layer, x = Recurrent(GRUCell(2, 3), implementation="kernel"), leaf(2, 4, 2).float()
    outputs, _ = layer(x)
    with pytest.raises(RuntimeError, match="implementation='loop'"):
        torch.autograd.grad(outputs, x, torch.randn(5, *outputs.shape), is_grads_batched=True)


def test_a_kernel_called_directly_refuses_transformations():
    weight = torch.zeros(3, 1)
    with pytest.raises(RuntimeError, match="implementation='loop'"):
        torch.func.grad(lambda x: gru_sequence(x, torch.zeros(1, 1), weight, weight)[0].sum())(torch.ones(1, 3, 1))


@pytest.mark.parametrize("asked", ["kernel", "checkpoint"])
def test_no_second_derivative_is_ever_taken_for_zero(asked):
    layer, x = Recurrent(GRUCell(3, 4), implementation=asked), torch.randn(2, 5, 3, requires_grad=True)
    outer = torch.ones(2, 5, 4, requires_grad=True)
    (gradient,) = torch.autograd.grad(layer(x)[0], x, outer, create_graph=True)
    for alone in (x, outer, layer.cell.weight_ih, layer.cell.bias_hh):  # each asked for without the others
        with pytest.raises(RuntimeError, match="implementation='loop'"):
            torch.autograd.grad(gradient.sum() + alone.sum(), alone, retain_graph=True)


LONG, SHORT = (2, 20, 3), (2, 4, 3)
RULES = {
    "an LSTM of one length is oneDNN's": (LSTMCell, LONG, {}, "fused"),
    "an LSTM of several lengths is the kernel's": (LSTMCell, LONG, {"lengths": torch.tensor([20, 3])}, "kernel"),
    "a GRU is the kernel's": (GRUCell, LONG, {}, "kernel"),
    "a tanh network is the kernel's": (RNNCell, LONG, {}, "kernel"),
    "few steps with gradients are PyTorch's": (GRUCell, SHORT, {}, "fused"),
    "one step more is the kernel's": (GRUCell, (2, 8, 3), {}, "kernel"),
    "few steps without gradients are PyTorch's": (RNNCell, LONG, {"no_grad": True}, "fused"),
    "many steps without gradients are the kernel's": (RNNCell, (2, 32, 3), {"no_grad": True}, "kernel"),
    "for a GRU if many numbers stand side by side": (GRUCell, (1024, 32, 3), {"no_grad": True}, "kernel"),
    "and else are PyTorch's": (GRUCell, (1023, 32, 3), {"no_grad": True}, "fused"),
    "one step of an LSTM without gradients is the cell's": (LSTMCell, (2, 1, 3), {"no_grad": True}, "loop"),
    "one step of a GRU without gradients is the cell's": (GRUCell, (2, 1, 3), {"no_grad": True}, "loop"),
    "one step in training is no step of generation": (RNNCell, (2, 1, 3), {}, "fused"),
    "with gradients it is oneDNN's": (LSTMCell, (2, 1, 3), {}, "fused"),
    "a long LSTM is the kernel's": (LSTMCell, (8, 2**18, 3), {}, "kernel"),
    "unless nothing is kept": (LSTMCell, (8, 2**18, 3), {"no_grad": True}, "fused"),
    "float64 is the kernel's": (LSTMCell, LONG, {"dtype": torch.float64}, "kernel"),
    "peepholes are the loop's": (lambda *sizes: LSTMCell(*sizes, peepholes=True), LONG, {}, "loop"),
    "another blend has no fused layer": (CELLS["replace"], SHORT, {"no_grad": True}, "kernel"),
    "a scan is a kernel": (MinGRUCell, LONG, {}, "kernel"),
}


@pytest.mark.parametrize("name", RULES)
def test_the_rules_take_what_they_say(name):
    make, shape, options, expected = RULES[name]
    cell = make(3, 4).to(options.get("dtype", torch.float32))
    inputs = torch.zeros((), dtype=cell.weight_ih.dtype).expand(shape)
    with torch.set_grad_enabled(not options.get("no_grad")):
        choice = choose(cell, inputs, cell.initial_state(shape[0]), options.get("lengths"), "auto")
    assert choice.implementation == expected
    assert choice.why


def test_a_layer_says_what_it_took():
    layer = Recurrent(LSTMCell(3, 4))
    assert layer.chosen is None
    for given, expected in (({}, "fused"), ({"lengths": [20, 3]}, "kernel")):
        layer(torch.zeros(LONG), **given)
        assert layer.chosen.implementation == expected
        assert layer.chosen.why in repr(layer.chosen)


def test_without_onednn_an_lstm_is_the_kernels():
    layer = Recurrent(LSTMCell(3, 4))
    torch.backends.mkldnn.enabled = False
    try:
        layer(torch.zeros(LONG))
    finally:
        torch.backends.mkldnn.enabled = True
    assert layer.chosen.implementation == "kernel"


def test_a_stack_says_what_each_layer_took():
    stack = Stacked(Recurrent(LSTMCell(3, 4)), Bidirectional(Recurrent(GRUCell(4, 4)), Recurrent(LSTMCell(4, 4))))
    stack(torch.zeros(LONG))
    lower, (ahead, back) = stack.chosen
    assert [choice.implementation for choice in (lower, ahead, back)] == ["fused", "kernel", "fused"]
    assert copy.deepcopy(stack).chosen == stack.chosen
