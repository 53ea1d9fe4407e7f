"""Every scan is the loop: in value, in every gradient, in every mode of differentiation, in both directions."""

from functools import partial

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.func import grad, hessian, jacfwd, jacrev, jvp, vmap

from rnncourse.scan import SCANS, choose_scan, float32_error, linear_scan, odd_even, recurrence
from tests.oracles import assert_close, assert_same, gradients

# PyTorch's own forward mode loads a deprecated part of PyTorch.
pytestmark = pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated:DeprecationWarning")

KINDS = {
    "real": (torch.float64, list(SCANS)),
    "single": (torch.float32, [name for name in SCANS if name != "log_space"]),  # its error has a test of its own
    "complex": (torch.complex128, [name for name in SCANS if name != "log_space"]),
}
CASES = [(kind, scan) for kind, (_, scans) in KINDS.items() for scan in scans]


@pytest.fixture
def joined_to_the_end(monkeypatch):
    """Steps are joined until one is left, so that short sequences see every level."""
    monkeypatch.setattr(odd_even, "SHORTEST", 1)


def loop(a, b, h):
    """The recurrence as it is written."""
    states = []
    for t in range(b.shape[1]):
        h = a[:, t] * h + b[:, t]
        states.append(h)
    return torch.stack(states, 1)


def parts(batch, time, hidden, dtype=torch.float64, device="cpu"):
    """Positive factors and summands, so that every scan takes them; complex ones in the positive quadrant."""
    make = partial(torch.rand, dtype=dtype, device=device)
    shapes = [(batch, time, hidden), (batch, time, hidden), (batch, hidden)]
    return [(0.1 + 0.8 * make(*shape)).requires_grad_() for shape in shapes]


def check_scan_is_the_loop(scan, sizes, dtype=torch.float64):
    a, b, h = parts(*sizes, dtype=dtype)
    values = [linear_scan(a, b, h, scan=scan)], [loop(a, b, h)]
    if dtype.is_complex:  # the oracle compares real numbers
        values = [torch.view_as_real(states[0]) for states in values]
        weight = torch.randn_like(values[0])
        assert_close(*values, f"{scan} states")
        ours, theirs = (gradients([value], [a, b, h], [weight]) for value in values)
        for name, one, other in zip("abh", ours, theirs, strict=True):
            assert_close(torch.view_as_real(one), torch.view_as_real(other), f"{scan} gradient of {name}")
        return
    assert_same(*values, {"a": (a, a), "b": (b, b), "h": (h, h)}, scan)


@pytest.mark.parametrize("time", [*range(1, 20), 31, 32, 33, 100])
@pytest.mark.parametrize(("kind", "scan"), CASES)
def test_every_scan_is_the_loop(kind, scan, time):
    check_scan_is_the_loop(scan, (2, time, 3), KINDS[kind][0])


@pytest.mark.parametrize("time", [1, 2, 3, 4, 5, 6, 7, 8, 15, 16, 17, 61])
@pytest.mark.parametrize("kind", ["real", "complex"])
def test_joined_to_the_end_it_is_still_the_loop(kind, time, joined_to_the_end):
    check_scan_is_the_loop("odd_even", (2, time, 3), KINDS[kind][0])


@settings(max_examples=60, deadline=None)
@given(
    case=st.sampled_from(CASES),
    sizes=st.tuples(st.integers(1, 4), st.integers(1, 150), st.integers(1, 5)),
    seed=st.integers(0, 2**16),
)
def test_every_scan_is_the_loop_at_any_size(case, sizes, seed):
    torch.manual_seed(seed)
    kind, scan = case
    if kind == "single":  # a gradient of one or two entries may cancel to nothing, and then no rounding is small
        sizes = (*sizes[:2], 8 * sizes[2])
    check_scan_is_the_loop(scan, sizes, KINDS[kind][0])


@pytest.mark.parametrize("scan", [name for name in SCANS if name != "log_space"])
def test_factors_and_summands_of_both_signs_are_no_matter(scan):
    a, b, h = torch.randn(2, 40, 3).double(), torch.randn(2, 40, 3).double(), torch.randn(2, 3).double()
    assert_close(linear_scan(a, b, h, scan=scan), loop(a, b, h), scan)


@pytest.mark.parametrize("layout", ["batch first", "time first", "every other step"])
@pytest.mark.parametrize("scan", SCANS)
def test_how_the_numbers_lie_in_memory_is_no_matter(scan, layout):
    a, b, h = (part.detach() for part in parts(3, 24, 2))
    expected = loop(a, b, h)
    if layout == "time first":
        a, b = (part.transpose(0, 1).contiguous().transpose(0, 1) for part in (a, b))
    if layout == "every other step":
        a, b = (torch.repeat_interleave(part, 2, dim=1)[:, ::2] for part in (a, b))
    assert_close(linear_scan(a, b, h, scan=scan), expected, layout)


@pytest.mark.parametrize("scan", SCANS)
def test_one_factor_for_all_steps_gets_the_gradients_of_all(scan):
    a, b, h = parts(2, 20, 3)
    one = a.detach()[0, 0].requires_grad_()
    states = [linear_scan(one.expand(2, 20, 3), b, h, scan=scan)], [loop(one.expand(2, 20, 3), b, h)]
    assert_same(*states, {"a": (one, one), "b": (b, b), "h": (h, h)}, scan)


@pytest.mark.parametrize(("kind", "scan"), [case for case in CASES if case[0] != "single"])
def test_every_scan_equals_central_differences_once_and_twice(kind, scan, joined_to_the_end):
    function = partial(linear_scan, scan=scan)
    leaves = parts(1, 5, 1 if kind == "complex" else 2, dtype=KINDS[kind][0])
    everything = {"check_forward_ad": True, "check_batched_grad": True, "check_batched_forward_grad": True}
    assert torch.autograd.gradcheck(function, leaves, **everything)
    assert torch.autograd.gradgradcheck(function, leaves, check_batched_grad=True, check_fwd_over_rev=True)


@pytest.mark.parametrize("argument", ["a", "b", "h"])
@pytest.mark.parametrize("scan", SCANS)
def test_second_derivatives_in_any_mode_are_those_of_the_loop(scan, argument):
    values = dict(zip("abh", (part.detach() for part in parts(1, 5, 2)), strict=True))

    def of(states):
        return lambda x: states(**(values | {argument: x})).pow(3).sum()

    ours, theirs = of(partial(linear_scan, scan=scan)), of(loop)
    for second in (hessian, _twice(jacrev, jacrev), _twice(jacrev, jacfwd), _twice(jacfwd, jacfwd)):
        assert_close(second(ours)(values[argument]), second(theirs)(values[argument]), f"{scan} in {argument}")


def _twice(outer, inner):
    return lambda function: outer(inner(function))


@pytest.mark.parametrize("batched", [(0, 0, 0), (0, None, None), (None, 1, None), (None, None, 0), (2, 0, 1)])
@pytest.mark.parametrize("scan", SCANS)
def test_under_vmap_a_scan_is_the_scan_of_each(scan, batched):
    whole = [part.detach() for part in parts(3, 10, 4)]
    cut = [part if axis is None else torch.stack([part, part], axis) for part, axis in zip(whole, batched, strict=True)]
    ours = vmap(partial(linear_scan, scan=scan), batched)(*cut)
    assert_close(ours, loop(*whole).expand(2, 3, 10, 4), scan)


@pytest.mark.parametrize("scan", SCANS)
def test_gradients_of_each_sequence_are_those_of_the_loop(scan):
    a, b, h = (part.detach() for part in parts(4, 12, 3))

    def loss(states):
        return lambda a, b, h: states(a[None], b[None], h[None]).square().sum()

    ours = vmap(grad(loss(partial(linear_scan, scan=scan)), (0, 1, 2)))(a, b, h)
    theirs = vmap(grad(loss(loop), (0, 1, 2)))(a, b, h)
    for name, one, other in zip("abh", ours, theirs, strict=True):
        assert_close(one, other, f"{scan} per sequence, {name}")


@pytest.mark.parametrize("scan", SCANS)
def test_a_tangent_of_some_arguments_only_is_that_of_the_loop(scan):
    at = dict(zip("abh", (part.detach() for part in parts(2, 12, 3)), strict=True))
    for name, value in at.items():
        ours, theirs = (
            jvp(lambda x, states=states, name=name: states(**(at | {name: x})), (value,), (torch.ones_like(value),))[1]
            for states in (partial(linear_scan, scan=scan), loop)
        )
        assert_close(ours, theirs, f"{scan} along {name}")


@settings(max_examples=40, deadline=None)
@given(scan=st.sampled_from(["auto", *SCANS]), cuts=st.sets(st.integers(1, 39), max_size=6), seed=st.integers(0, 999))
def test_the_state_carried_over_pieces_equals_one_pass(scan, cuts, seed):
    torch.manual_seed(seed)
    a, b, h = parts(2, 40, 3)
    bounds = [0, *sorted(cuts), 40]
    pieces, state = [], h
    for start, stop in zip(bounds, bounds[1:], strict=False):
        pieces.append(linear_scan(a[:, start:stop], b[:, start:stop], state, scan=scan))
        state = pieces[-1][:, -1]
    states = [torch.cat(pieces, 1)], [linear_scan(a, b, h, scan=scan)]
    assert_same(*states, {"a": (a, a), "b": (b, b), "h": (h, h)}, scan)


@pytest.mark.parametrize("scan", SCANS)
def test_zeros_have_the_states_and_gradients_of_the_loop(scan):
    a, b, h = parts(2, 9, 3)
    b = (b.detach() * (torch.arange(9) % 3 != 0)[:, None]).requires_grad_()
    h = torch.zeros_like(h).requires_grad_()
    assert_same([linear_scan(a, b, h, scan=scan)], [loop(a, b, h)], {"a": (a, a), "b": (b, b), "h": (h, h)}, scan)


@pytest.mark.parametrize("scan", SCANS)
def test_a_long_product_of_small_factors_stays_finite(scan):
    a, b, h = torch.full((1, 3000, 2), 0.01), torch.ones(1, 3000, 2), torch.ones(1, 2)
    states = linear_scan(a, b, h, scan=scan)
    torch.testing.assert_close(states[:, -1], torch.full((1, 2), 1 / 0.99), rtol=1e-2, atol=0)


@pytest.mark.parametrize("scan", SCANS)
def test_a_nan_stays_in_sight(scan):
    a, b, h = (part.detach() for part in parts(1, 10, 1))
    b[0, 4] = float("nan")
    states = linear_scan(a, b, h, scan=scan)[0, :, 0]
    assert states[:4].isfinite().all()
    assert states[4:].isnan().all()


def test_in_single_precision_only_the_error_of_log_space_grows_with_the_length():
    def errors(scan):
        return [float32_error(scan, time, generator=torch.Generator().manual_seed(0)) for time in (64, 4096)]

    for scan in ("sequential", "chunked", "odd_even"):
        assert max(max(error) for error in errors(scan)) < 2e-6, scan
    short, long = errors("log_space")
    assert 10 * short.states < long.states < 1e-2
    assert 10 * short.gradients < long.gradients < 1e-2


@pytest.mark.parametrize("scan", [name for name in SCANS if name != "sequential"])
def test_the_operations_of_a_parallel_scan_grow_slower_than_the_length(scan):
    def operations(time):
        a, b, h = (part.detach() for part in parts(1, time, 1))
        with torch.profiler.profile() as profile:
            linear_scan(a, b, h, scan=scan)
        return sum(event.name.startswith("aten::addcmul") or "cumsum" in event.name for event in profile.events())

    assert operations(1024) < 6 * operations(64)


def test_auto_joins_steps_where_they_are_many_and_narrow(monkeypatch):
    chosen = []
    apply = recurrence.LinearScan.apply
    monkeypatch.setattr(recurrence.LinearScan, "apply", lambda *parts: chosen.append(parts[3]) or apply(*parts))
    for batch, time, hidden in [(2, 31, 3), (2, 32, 3), (32, 40, 64), (33, 40, 64)]:
        linear_scan(*(part.detach() for part in parts(batch, time, hidden)))
    assert chosen == ["sequential", "odd_even", "odd_even", "sequential"]
    assert choose_scan(32, 10**6, "cuda") == "odd_even"


def numbers(**changed):
    a, b, h = (part.detach() for part in parts(2, 5, 3))
    return {"a": a, "b": b, "h": h} | changed


@pytest.mark.bad_input
@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"a": None}, "a is a NoneType"),
        ({"b": [1.0]}, "b is a list"),
        ({"h": 0.0}, "h is a float"),
        ({"b": torch.zeros(2, 5)}, "a has dtype torch.float64; it should be torch.float32, as b is"),
        ({"b": torch.zeros(2, 5).double()}, "b has 2 axes"),
        ({"b": torch.zeros(2, 0, 3).double()}, "axis 'time' is empty"),
        ({"a": torch.zeros(2, 4, 3).double()}, "a has shape"),
        ({"a": torch.zeros(3).double()}, "a has 1 axes"),
        ({"h": torch.zeros(3).double()}, "h has 1 axes"),
        ({"h": torch.zeros(1, 3).double()}, "h has shape"),
        ({"a": torch.zeros(2, 5, 3, dtype=torch.complex128)}, "a has dtype torch.complex128"),
        ({name: part.long() for name, part in numbers().items()}, "b has dtype torch.int64"),
        ({"scan": "parallel"}, "scan is 'parallel'"),
        ({"scan": None}, "scan is None"),
        ({"scan": "log_space", "a": torch.zeros(2, 5, 3).double()}, "a holds 0; .*it should be above zero"),
        ({"scan": "log_space", "b": -torch.ones(2, 5, 3).double()}, "b holds -1; .*it should be zero or above"),
        ({"scan": "log_space", "h": -torch.ones(2, 3).double()}, "h holds -1; with scan='log_space'.*use 'odd_even'"),
        ({"scan": "log_space"} | {name: part.to(torch.complex128) for name, part in numbers().items()}, "a is complex"),
    ],
)
def test_bad_input_is_named(changed, message):
    with pytest.raises(ValueError, match=message):
        linear_scan(**numbers(**changed))


@pytest.mark.bad_input
@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: float32_error("fast", 10), "scan is 'fast'"),
        (lambda: float32_error("odd_even", 0), "time is 0"),
        (lambda: float32_error("odd_even", 10, batch=1.5), "batch is 1.5"),
    ],
)
def test_a_measurement_that_makes_no_sense_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
