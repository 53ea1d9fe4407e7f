"""Five derivations of one gradient, held equal to each other, to autograd and to torch.nn."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from rnncourse.bptt import (
    DeepFeedforward,
    Parameters,
    Trace,
    backward,
    contributions,
    cross_entropy,
    double_sum,
    forward,
    gradient_bias,
    rtrl,
    rtrl_numbers_carried,
    squared_error,
    step_jacobian,
    truncated_backward,
)

sizes = st.tuples(st.integers(1, 3), st.integers(1, 7), st.integers(1, 3), st.integers(1, 4), st.integers(1, 3))
few = settings(max_examples=20, deadline=None)


def problem(size, dtype=torch.float64, seed=0):
    """Parameters, inputs, initial state and targets of one random problem of (batch, time, input, hidden, output)."""
    batch, time, inputs, hidden, outputs = size
    generator = torch.Generator().manual_seed(seed)
    draw = lambda *shape: torch.randn(*shape, generator=generator, dtype=dtype)  # noqa: E731
    parameters = Parameters(
        *(1.2 * p for p in Parameters.random(inputs, hidden, outputs, generator=generator, dtype=dtype))
    )
    return parameters, draw(batch, time, inputs), draw(batch, hidden), draw(batch, time, outputs)


def solved(size, seed=0):
    """The same problem with its trace and ∂L/∂y."""
    parameters, x, h_0, target = problem(size, seed=seed)
    trace = forward(parameters, x, h_0)
    return parameters, trace, squared_error(trace.y, target)[1]


def assert_equal(mine, theirs, tolerance=1e-10):
    """Each pair of tensors agrees relative to the largest entry of the second."""
    for a, b in zip(mine, theirs, strict=True):
        assert a.shape == b.shape
        assert (a - b).abs().max() <= tolerance * max(b.abs().max().item(), 1e-30 if b.any() else 1.0)


def autograd(parameters, x, h_0, target):
    """Every gradient from autograd: parameters, x, h_0, each h_t and each pre-activation a_t."""
    U, W, b, V, b_y = leaves = [p.clone().requires_grad_() for p in parameters]
    x, h_0 = x.clone().requires_grad_(), h_0.clone().requires_grad_()
    h, states, before, loss = h_0, [], [], 0
    for t in range(x.shape[1]):
        a = x[:, t] @ U.T + h @ W.T + b
        h = torch.tanh(a)
        before.append(a)
        states.append(h)
        loss = loss + 0.5 * (h @ V.T + b_y - target[:, t]).square().sum() / len(x)
    return torch.autograd.grad(loss, [*leaves, x, h_0, *states, *before])


@few
@given(sizes)
def test_forward_equals_torch_rnn(size):
    parameters, x, h_0, _ = problem(size)
    rnn = nn.RNN(size[2], size[3], batch_first=True, dtype=torch.float64)
    with torch.no_grad():
        rnn.weight_ih_l0.copy_(parameters.U)
        rnn.weight_hh_l0.copy_(parameters.W)
        rnn.bias_ih_l0.copy_(parameters.b)
        rnn.bias_hh_l0.zero_()
        h, _ = rnn(x, h_0[None])
    trace = forward(parameters, x, h_0)
    assert_equal([trace.h[:, 1:], trace.h[:, 0], trace.y], [h, h_0, h @ parameters.V.T + parameters.b_y])


@few
@given(sizes)
def test_backward_step_by_step_equals_autograd(size):
    parameters, x, h_0, target = problem(size)
    trace = forward(parameters, x, h_0)
    loss, dy = squared_error(trace.y, target)
    back = backward(parameters, trace, dy)
    *expected, dx, dh_0 = (grads := autograd(parameters, x, h_0, target))[:7]
    time = size[1]
    assert_equal(back.gradients, expected)
    assert_equal([back.dx, back.dh_0], [dx, dh_0])
    assert_equal(back.dh.unbind(1), grads[7 : 7 + time])
    assert_equal(back.delta.unbind(1), grads[7 + time :])


@pytest.mark.parametrize("device", ["cpu", *(["cuda"] if torch.cuda.is_available() else [])])
def test_every_form_equals_autograd_in_float32(device):
    size = (3, 20, 4, 8, 2)
    parameters, *rest = problem(size, dtype=torch.float32)
    parameters, (x, h_0, target) = Parameters(*(p.to(device) for p in parameters)), (r.to(device) for r in rest)
    trace = forward(parameters, x, h_0)
    dy = squared_error(trace.y, target)[1]
    back, expected = backward(parameters, trace, dy), autograd(parameters, x, h_0, target)[:7]
    assert_equal([*back.gradients, back.dx, back.dh_0], expected, tolerance=1e-5)
    assert_equal(double_sum(parameters, trace, dy), expected[:5], tolerance=1e-5)
    assert_equal(rtrl(parameters, x, dy, h_0), expected[:5], tolerance=1e-5)


class _Taught(torch.autograd.Function):
    """The teaching forward and backward pass, handed to autograd so that gradcheck can difference it."""

    @staticmethod
    def forward(ctx, x, h_0, *parameters):
        trace = forward(Parameters(*parameters), x, h_0)
        ctx.save_for_backward(*parameters, *trace)
        return trace.y, trace.h[:, -1].clone()

    @staticmethod
    def backward(ctx, dy, dh_T):
        saved = ctx.saved_tensors
        back = backward(Parameters(*saved[:5]), Trace(*saved[5:]), dy, dh_T)
        return back.dx, back.dh_0, *back.gradients


def test_backward_passes_gradcheck():
    parameters, x, h_0, _ = problem((2, 4, 2, 3, 2))
    leaves = [p.clone().requires_grad_() for p in (x, h_0, *parameters)]
    assert torch.autograd.gradcheck(_Taught.apply, leaves)


def test_a_gradient_of_the_final_state_flows_back():
    parameters, trace, dy = solved((2, 5, 2, 3, 2))
    outside = torch.ones_like(trace.h[:, 0])
    with_it, without = backward(parameters, trace, dy, outside), backward(parameters, trace, dy)
    alone = backward(parameters, trace, torch.zeros_like(dy), outside)
    assert alone.gradients.W.abs().max() > 0
    assert_equal(with_it.gradients, [a + b for a, b in zip(without.gradients, alone.gradients, strict=True)])


@few
@given(sizes)
def test_the_double_sum_of_jacobian_products_is_the_gradient(size):
    parameters, trace, dy = solved(size)
    exact = backward(parameters, trace, dy).gradients
    assert_equal(double_sum(parameters, trace, dy), exact)
    assert_equal([contributions(parameters, trace, dy).sum((0, 1))], [exact.W])


def test_a_loss_contributes_nothing_through_later_steps():
    G = contributions(*solved((2, 5, 2, 3, 2)))
    later = torch.triu(torch.ones(5, 5, dtype=torch.bool), diagonal=1)  # k > t
    assert not G[later].any()
    assert (G[~later].abs().amax((1, 2)) > 0).all()


def test_step_jacobian_equals_autograd():
    parameters, x, h_0, _ = problem((1, 1, 2, 4, 1))
    step = lambda h: forward(parameters, x, h[None]).h[0, 1]  # noqa: E731
    expected = torch.autograd.functional.jacobian(step, h_0[0])
    assert_equal([step_jacobian(parameters, forward(parameters, x, h_0).h[:, 1])[0]], [expected])


@few
@given(sizes, st.booleans())
def test_a_deep_feedforward_network_with_shared_weights_has_the_same_gradient(size, tied):
    parameters, x, h_0, target = problem(size)
    trace = forward(parameters, x, h_0)
    loss, dy = squared_error(trace.y, target)
    network = DeepFeedforward(parameters, size[1], tied=tied)
    y = network(x, h_0)
    squared_error(y, target)[0].backward()
    assert_equal([y], [trace.y])
    assert_equal(network.gradients(), backward(parameters, trace, dy).gradients)


def test_tied_layers_have_one_set_of_parameters_and_untied_ones_have_many():
    parameters = Parameters.random(2, 3, 1)
    count = sum(p.numel() for p in parameters)
    assert sum(p.numel() for p in DeepFeedforward(parameters, 4, tied=True).parameters()) == count
    assert sum(p.numel() for p in DeepFeedforward(parameters, 4, tied=False).parameters()) == 4 * count


def test_the_gradient_of_one_layers_copy_is_a_column_of_contributions():
    size = (2, 5, 2, 3, 2)
    parameters, x, h_0, target = problem(size)
    trace = forward(parameters, x, h_0)
    G = contributions(parameters, trace, squared_error(trace.y, target)[1])
    network = DeepFeedforward(parameters, 5, tied=False)
    squared_error(network(x, h_0), target)[0].backward()
    assert_equal([layer.W for layer in network.layer_gradients()], G.sum(0))


@few
@given(sizes, st.integers(1, 9), st.integers(0, 9))
def test_truncation_keeps_exactly_the_contributions_within_its_reach(size, k1, more):
    k2 = k1 + more
    parameters, trace, dy = solved(size)
    time = size[1]
    G = contributions(parameters, trace, dy)
    kept = torch.zeros_like(parameters.W)
    for t in range(time):
        end = min((t // k1 + 1) * k1, time)  # the backward pass that takes this loss along
        for k in range(max(0, end - k2), t + 1):
            kept += G[t, k]
    assert_equal([truncated_backward(parameters, trace, dy, k1=k1, k2=k2).gradients.W], [kept])


@few
@given(sizes, st.integers(1, 9))
def test_truncation_longer_than_the_sequence_is_exact(size, k1):
    parameters, trace, dy = solved(size)
    exact = backward(parameters, trace, dy)
    close = truncated_backward(parameters, trace, dy, k1=k1, k2=max(k1, size[1]))
    assert_equal([*close.gradients, close.dx, close.dh_0], [*exact.gradients, exact.dx, exact.dh_0])
    assert_equal(close.dh.unbind(1), exact.dh.unbind(1))
    assert_equal(close.delta.unbind(1), exact.delta.unbind(1))


@few
@given(sizes, st.integers(1, 4))
def test_equal_windows_are_training_with_a_detached_state(size, window):
    size = (size[0], size[1] * window, *size[2:])  # whole windows: a shorter last pass would still reach k2 steps
    parameters, x, h_0, target = problem(size)
    trace = forward(parameters, x, h_0)
    U, W, b, V, b_y = leaves = [p.clone().requires_grad_() for p in parameters]
    h, loss = h_0, 0
    for t in range(size[1]):
        if t % window == 0:
            h = h.detach()
        h = torch.tanh(x[:, t] @ U.T + h @ W.T + b)
        loss = loss + 0.5 * (h @ V.T + b_y - target[:, t]).square().sum() / len(x)
    dy = squared_error(trace.y, target)[1]
    mine = truncated_backward(parameters, trace, dy, k1=window, k2=window).gradients
    assert_equal(mine, torch.autograd.grad(loss, leaves, materialize_grads=True))


def test_without_the_carry_the_gradient_is_wrong():
    parameters, trace, dy = solved((2, 8, 2, 4, 2))
    exact = backward(parameters, trace, dy).gradients
    no_carry = truncated_backward(parameters, trace, dy, k1=1, k2=1).gradients
    assert gradient_bias(no_carry.W, exact.W).relative_error > 0.01
    assert_equal([no_carry.V, no_carry.b_y], [exact.V, exact.b_y])  # the output layer does not need it


@few
@given(sizes)
def test_real_time_recurrent_learning_equals_backpropagation_through_time(size):
    parameters, trace, dy = solved(size)
    mine = rtrl(parameters, trace.x, dy, trace.h[:, 0])
    assert_equal(mine, backward(parameters, trace, dy).gradients)


def test_rtrl_carries_a_jacobian_of_every_recurrent_parameter():
    parameters = Parameters.random(5, 3, 2)
    assert rtrl_numbers_carried(5, 3) == 3 * sum(p.numel() for p in parameters[:3])


def test_before_backward_there_are_no_gradients_to_add_up():
    network = DeepFeedforward(Parameters.random(2, 3, 1), 4, tied=False)
    with pytest.raises(RuntimeError, match=r"call backward\(\) on a loss"):
        network.gradients()


def test_losses_and_their_derivatives_equal_autograd():
    generator = torch.Generator().manual_seed(0)
    y = torch.randn(2, 3, 4, generator=generator, dtype=torch.float64, requires_grad=True)
    target, classes = (
        torch.randn(2, 3, 4, generator=generator, dtype=torch.float64),
        torch.tensor([[0, 1, 2], [3, 3, 0]]),
    )
    loss, dy = squared_error(y, target)
    reference = nn.functional.mse_loss(y, target, reduction="sum") / 4
    assert_equal([loss, dy], [reference, torch.autograd.grad(reference, y)[0]])
    loss, dy = cross_entropy(y, classes)
    reference = nn.functional.cross_entropy(y.flatten(0, 1), classes.flatten(), reduction="sum") / 2
    assert_equal([loss, dy], [reference, torch.autograd.grad(reference, y)[0]])


def test_gradient_bias_measures_length_and_angle():
    g = Parameters.random(2, 3, 1)
    half = Parameters(*(0.5 * p for p in g))
    assert gradient_bias(g, g) == pytest.approx((0, 1))
    assert gradient_bias(half, g) == pytest.approx((0.5, 1))
    assert gradient_bias(torch.zeros(2), torch.ones(2)) == (1.0, 0.0)


BAD = {
    "x has 2 axes": lambda p, t, dy: forward(p, t.x[0]),
    "its axis 'time' is empty": lambda p, t, dy: forward(p, t.x[:, :0]),
    "its axis 'input' should be 2": lambda p, t, dy: forward(p, t.x[:, :, :1]),
    "x has dtype torch.float32": lambda p, t, dy: forward(p, t.x.float()),
    "its axis 'hidden' should be 3": lambda p, t, dy: forward(p, t.x, t.h[:, 0, :1]),
    "parameters is a tuple; it should be of type Parameters": lambda p, t, dy: forward(tuple(p), t.x),
    "parameters is a NoneType": lambda p, t, dy: rtrl(None, t.x, dy),
    "parameters.U is a NoneType": lambda p, t, dy: forward(p._replace(U=None), t.x),
    "parameters.U has 1 axes": lambda p, t, dy: forward(p._replace(U=p.b), t.x),
    "parameters.W has shape (3, 2); its axis 'old_hidden' should be 3": lambda p, t, dy: forward(
        p._replace(W=p.W[:, :2]), t.x
    ),
    "parameters.b has shape": lambda p, t, dy: double_sum(p._replace(b=p.b[:1]), t, dy),
    "parameters.V has shape": lambda p, t, dy: contributions(p._replace(V=p.V[:, :1]), t, dy),
    "parameters.b_y has shape": lambda p, t, dy: step_jacobian(p._replace(b_y=p.b), t.h[:, 1]),
    "parameters.V has dtype torch.float32": lambda p, t, dy: backward(p._replace(V=p.V.float()), t, dy),
    "parameters.U has dtype torch.int64": lambda p, t, dy: DeepFeedforward(p._replace(U=p.U.long()), 5),
    "parameters.b is on meta": lambda p, t, dy: rtrl(p._replace(b=p.b.to("meta")), t.x, dy),
    "x is a list": lambda p, t, dy: forward(p, t.x.tolist()),
    "x is on meta": lambda p, t, dy: forward(p, t.x.to("meta")),
    "h_0 is a float": lambda p, t, dy: forward(p, t.x, 0.0),
    "h_0 has dtype torch.float32": lambda p, t, dy: rtrl(p, t.x, dy, t.h[:, 0].float()),
    "trace is a tuple; it should be of type Trace": lambda p, t, dy: backward(p, tuple(t), dy),
    "trace.x has shape (2, 5, 1)": lambda p, t, dy: backward(p, t._replace(x=t.x[:, :, :1]), dy),
    "trace.h has shape (2, 5, 3); its axis 'time_and_start' should be 6": lambda p, t, dy: contributions(
        p, t._replace(h=t.h[:, 1:]), dy
    ),
    "trace.y has shape (2, 4, 2)": lambda p, t, dy: double_sum(p, t._replace(y=t.y[:, 1:]), dy),
    "dy is a NoneType": lambda p, t, dy: contributions(p, t, None),
    "dy is a list": lambda p, t, dy: truncated_backward(p, t, dy.tolist(), k1=1, k2=1),
    "dy has 2 axes": lambda p, t, dy: contributions(p, t, dy[0]),
    "dy has dtype torch.float32": lambda p, t, dy: backward(p, t, dy.float()),
    "dy has shape (2, 4, 2); its axis 'time' should be 5": lambda p, t, dy: backward(p, t, dy[:, :-1]),
    "dy has shape (1, 5, 2); its axis 'batch' should be 2": lambda p, t, dy: rtrl(p, t.x, dy[:1]),
    "dh_T has shape": lambda p, t, dy: backward(p, t, dy, dy[:, 0, :1]),
    "dh_T is a float": lambda p, t, dy: backward(p, t, dy, 1.0),
    "dy has shape (2, 4": lambda p, t, dy: double_sum(p, t, dy[:, :-1]),
    "h_t has 3 axes": lambda p, t, dy: step_jacobian(p, t.h),
    "h_t has shape (2, 2)": lambda p, t, dy: step_jacobian(p, t.h[:, 1, :2]),
    "k1 is 1.0": lambda p, t, dy: truncated_backward(p, t, dy, k1=1.0, k2=3),
    "k2 is True": lambda p, t, dy: truncated_backward(p, t, dy, k1=1, k2=True),
    "k1 is 0": lambda p, t, dy: truncated_backward(p, t, dy, k1=0, k2=3),
    "k2 is 2": lambda p, t, dy: truncated_backward(p, t, dy, k1=3, k2=2),
    "axis 'time' should be 5, not 4": lambda p, t, dy: truncated_backward(p, t, dy[:, :-1], k1=2, k2=2),
    "axis 'output'": lambda p, t, dy: rtrl(p, t.x, dy[:, :, :1]),
    "h_0 has shape": lambda p, t, dy: rtrl(p, t.x, dy, t.h[:1, 0]),
    "time is 0": lambda p, t, dy: DeepFeedforward(p, 0),
    "time is '5'": lambda p, t, dy: DeepFeedforward(p, "5"),
    "axis 'time' should be 4, not 5": lambda p, t, dy: DeepFeedforward(p, 4)(t.x),
    "axis 'input' should be 2, not 1": lambda p, t, dy: DeepFeedforward(p, 5)(t.x[..., :1]),
    "h_0 has shape (2, 1)": lambda p, t, dy: DeepFeedforward(p, 5)(t.x, t.h[:, 0, :1]),
    "y is a list": lambda p, t, dy: squared_error([1.0], [1.0]),
    "y has 2 axes": lambda p, t, dy: cross_entropy(t.y[0], torch.zeros(5, dtype=torch.long)),
    "its axis 'batch' is empty": lambda p, t, dy: squared_error(t.y[:0], t.y[:0]),
    "target is a NoneType": lambda p, t, dy: squared_error(t.y, None),
    "target is a int": lambda p, t, dy: cross_entropy(t.y, 1),
    "target has dtype torch.float64; it should be one of whole numbers": lambda p, t, dy: cross_entropy(
        t.y, t.y[..., 0]
    ),
    "target is on meta": lambda p, t, dy: cross_entropy(t.y, torch.zeros(2, 5, dtype=torch.long, device="meta")),
    "target has dtype torch.float32": lambda p, t, dy: squared_error(t.y, t.y.float()),
    "target has 2 axes, shape (2, 5)": lambda p, t, dy: squared_error(t.y, t.y[..., 0]),
    "one class a step": lambda p, t, dy: cross_entropy(t.y, torch.zeros(2, dtype=torch.long)),
    "between 0 and 1": lambda p, t, dy: cross_entropy(t.y, torch.full((2, 5), 2)),
    "hidden_size is 0": lambda p, t, dy: Parameters.random(1, 0, 1),
    "output_size is 1.5": lambda p, t, dy: Parameters.random(1, 1, 1.5),
    "dtype is torch.int64; it should be one of floating-point": lambda p, t, dy: Parameters.random(
        1, 1, 1, dtype=torch.long
    ),
    "dtype is a str": lambda p, t, dy: Parameters.random(1, 1, 1, dtype="float32"),
    "generator is a int": lambda p, t, dy: Parameters.random(1, 1, 1, generator=0),
    "hidden_size is None": lambda p, t, dy: rtrl_numbers_carried(1, None),
    "input_size is -1": lambda p, t, dy: rtrl_numbers_carried(-1, 1),
    "approximate has a gradient of shape (1,); it should be (2,)": lambda p, t, dy: gradient_bias(
        torch.ones(1), torch.ones(2)
    ),
    "approximate is a Tensor; it should be of type Parameters": lambda p, t, dy: gradient_bias(p.W, p),
    "approximate is a list; it should be of type Tensor or Parameters": lambda p, t, dy: gradient_bias([1.0], p.W),
    "exact is a NoneType": lambda p, t, dy: gradient_bias(p, None),
    "a part of exact is a NoneType": lambda p, t, dy: gradient_bias(p, p._replace(b=None)),
    "exact holds a torch.int64 tensor": lambda p, t, dy: gradient_bias(p.W, p.W.long()),
    "approximate holds a torch.float32 tensor of shape (0,)": lambda p, t, dy: gradient_bias(torch.ones(0), p.W),
    "exact is zero": lambda p, t, dy: gradient_bias(torch.ones(2), torch.zeros(2)),
}


@pytest.mark.bad_input
@pytest.mark.parametrize("message", BAD)
def test_bad_input_is_refused_in_words(message):
    parameters, trace, dy = solved((2, 5, 2, 3, 2))
    with pytest.raises(ValueError) as error:
        BAD[message](parameters, trace, dy)
    assert message in str(error.value)
