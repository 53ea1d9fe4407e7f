"""The exercises speak about the networks of the package: sizes, paths, and a counter that runs there."""

import pytest
import torch

from rnncourse.cells import RNNCell
from rnncourse.chapters.c08_deep.questions.by_hand import judge_counter, mod_counter
from rnncourse.chapters.c08_deep.questions.counting import credit_paths, deep_sizes
from rnncourse.chapters.c08_deep.questions.layers import deep_step, residual_stack
from rnncourse.depth import DeepTransitionCell, deep_rnn
from rnncourse.layers import Stacked


def count(module):
    return sum(parameter.numel() for parameter in module.parameters())


@pytest.mark.parametrize("budget", [40, 777, 5_000])
def test_sizes_are_the_largest_that_the_packages_networks_afford(budget):
    shallow, stacked, more = deep_sizes(budget, 3, 4)
    kinds = ("shallow", "stacked", "deep_input", "deep_transition", "deep_output")
    for kind, size in zip(kinds, (shallow, stacked, more, more, more), strict=True):
        if size:
            assert count(deep_rnn(kind, 3, size, output_size=4)) <= budget
        assert count(deep_rnn(kind, 3, size + 1, output_size=4)) > budget


@pytest.mark.parametrize(("depth", "lag"), [(1, 4), (2, 3), (3, 4), (4, 0)])
def test_ways_are_what_a_walk_over_the_grid_finds(depth, lag):
    def walk(layer, step, residual):  # ways from the state of a layer at a step to the top at the last step
        up = 0 if layer + 1 == depth else above(layer + 1, step, residual)
        return (step == lag and layer + 1 == depth) + up + (walk(layer, step + 1, residual) if step < lag else 0)

    def above(layer, step, residual):  # ... from what the layer below has put out
        ways = walk(layer, step, residual)
        if residual:
            ways += (step == lag) if layer + 1 == depth else above(layer + 1, step, residual)
        return ways

    plain, residual, transition = credit_paths(depth, lag)
    assert plain == walk(0, 0, False)
    assert residual == walk(0, 0, True)
    assert transition == depth**lag


def test_the_deep_step_is_the_packages():
    cell = DeepTransitionCell(3, 4, depth=3, shortcut=True, bias=False).double()
    x_t, h = torch.randn(2, 3, dtype=torch.float64), torch.randn(2, 4, dtype=torch.float64)
    trace = cell.equations(x_t, h)
    weights = (cell.weight_hh, *cell.deep_weights)
    found = deep_step(x_t, h, cell.weight_ih, weights, tuple(cell.shortcut_weights))
    for ours, theirs in zip(found, trace.z, strict=True):
        assert torch.allclose(ours, theirs, atol=1e-12)


def test_the_residual_stack_is_the_packages():
    stack = Stacked.of(RNNCell, 4, 4, num_layers=3, residual=True, bias=False).double()
    x, h = torch.randn(2, 5, 4, dtype=torch.float64), torch.randn(3, 2, 4, dtype=torch.float64)
    outputs, states = stack(x, tuple(h))
    cells = [layer.cell for layer in stack.layers]
    ours, last = residual_stack(x, h, tuple(c.weight_ih for c in cells), tuple(c.weight_hh for c in cells))
    assert torch.allclose(ours, outputs, atol=1e-12)
    assert torch.allclose(last, torch.stack(states), atol=1e-12)


@pytest.mark.parametrize("k", [2, 3, 9])
def test_the_counter_runs_in_the_packages_deep_transition(k):
    U, W_1, b_1, W_2, b_2 = mod_counter(k)
    cell = DeepTransitionCell(1, 2, depth=2, nonlinearity="relu")
    with torch.no_grad():
        cell.weight_ih.copy_(U)
        cell.weight_hh.copy_(W_1)
        cell.bias_ih.copy_(b_1)
        cell.bias_hh.zero_()
        cell.deep_weights[0].copy_(W_2)
        cell.deep_biases[0].copy_(b_2)
        h = cell.initial_state(1)
        for ones in range(1, 3 * k):
            h, _ = cell(torch.ones(1, 1), h)
            assert h[0, 0].item() == ones % k


@pytest.mark.parametrize(
    "odd", [None, 3, (), (torch.zeros(2, 1),) * 5, ("a",) * 5, [torch.full((2, 1), torch.nan)] * 5]
)
def test_the_judge_says_something_about_anything(odd):
    assert all(judge_counter(odd, 3))


def test_a_counter_that_only_counts_ones_is_told_about_the_noughts():
    U, W_1, b_1, W_2, b_2 = mod_counter(2)
    constant = (0 * U, W_1, b_1 + torch.tensor([1.0, 1.0]), W_2, b_2)  # a one at every step, whatever comes in
    assert "noughts" in judge_counter(constant, 2)[0]
