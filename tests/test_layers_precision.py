"""How exact layers are: within twice the error of PyTorch against float64, in every dtype, also for tiny inputs."""

import pytest
import torch
from torch import nn

from rnncourse.convert import from_torch
from tests.oracles import tensors

MODULES = {"lstm": nn.LSTM, "gru": nn.GRU, "rnn": nn.RNN}


def run(layer, x, weight):
    x = x.clone().requires_grad_()
    outputs, state = layer(x)
    loss = (outputs.double() * weight).sum() + sum(part.double().sum() for part in tensors(state))
    return [outputs, *tensors(state), *torch.autograd.grad(loss, [x, *layer.parameters()])]


def errors(values, exact):
    """Of each tensor the root mean square of its errors, relative to that of its entries."""
    pairs = [(a.detach().double().reshape(b.shape), b.detach()) for a, b in zip(values, exact, strict=True)]
    return [float((a - b).square().mean().sqrt() / b.square().mean().sqrt()) for a, b in pairs]


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
@pytest.mark.parametrize("implementation", ["auto", "kernel", "checkpoint", "fused", "loop"])
@pytest.mark.parametrize(("scale", "bias"), [(1.0, True), (1.0, False), (1e-3, False), (1e-6, False)])
@pytest.mark.parametrize("name", MODULES)
def test_errors_stay_within_twice_those_of_torch(name, scale, bias, implementation, dtype):
    if dtype == torch.float16 and scale < 1e-3:
        pytest.skip("such inputs are no float16 numbers of full precision")
    torch.manual_seed(0)
    theirs = MODULES[name](8, 16, bias=bias, batch_first=True).to(dtype)
    ours = from_torch(theirs, implementation=implementation)
    exact = from_torch(theirs, implementation="loop").double()
    x, weight = (scale * torch.randn(4, 25, 8)).to(dtype), torch.randn(4, 25, 16).double()
    truth = run(exact, x.double(), weight)
    torch_errors, our_errors = errors(run(theirs, x, weight), truth), errors(run(ours, x, weight), truth)
    resolution = torch.finfo(dtype).eps / 2
    narrow = dtype != torch.float32
    most = 3.3 if implementation == "loop" and narrow else 2.0  # what its documentation says: T sums, rounded each
    for number, (own, allowed) in enumerate(zip(our_errors, torch_errors, strict=True)):
        assert own <= most * max(allowed, resolution), (number, own, allowed)


@pytest.mark.parametrize("implementation", ["auto", "kernel", "checkpoint", "fused", "loop"])
@pytest.mark.parametrize("padded", [False, True])
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
@pytest.mark.parametrize("name", MODULES)
def test_under_autocast_and_behind_a_narrow_linear_a_layer_is_as_an_lstm_is(name, dtype, padded, implementation):
    torch.manual_seed(0)
    layer, linear = from_torch(MODULES[name](8, 16, batch_first=True), implementation=implementation), nn.Linear(3, 8)
    x, lengths = torch.randn(4, 7, 3), torch.tensor([7, 3, 1, 5]) if padded else None
    exact, _ = layer(linear(x), lengths=lengths)
    with torch.autocast("cpu", dtype=dtype):
        narrow = linear(x)
        assert narrow.dtype == dtype
        outputs, state = layer(narrow, lengths=lengths)
        again, _ = layer(narrow, state, lengths)  # its own state is taken back
        wide, _ = layer(linear(x).float(), lengths=lengths)
    assert {part.dtype for part in (outputs, again, wide, *tensors(state))} == {dtype}
    torch.testing.assert_close(outputs.float(), exact, rtol=0, atol=0.02)
    outputs.float().square().sum().backward()
    for parameter in (*layer.parameters(), *linear.parameters()):
        assert parameter.grad.dtype == torch.float32
        assert parameter.grad.abs().max() > 0


@pytest.mark.bad_input
def test_without_autocast_another_dtype_is_refused():
    with pytest.raises(ValueError, match="inputs has dtype torch.bfloat16"):
        from_torch(nn.GRU(8, 16))(torch.zeros(2, 5, 8, dtype=torch.bfloat16))
