"""Known bugs, put into the package on purpose: each is killed by a named theorem.

Every mutant is an edit of one line of the package's source, a bug found in published code, courses or answer keys. Its
theorem is one that other tests run on the package as it is; here it must hold without the edit and fail with it.
"""

import inspect
import sys

import pytest

from rnncourse import cells, convert, functional, layers, losses, training
from rnncourse.grading.edits import compiled, edited_source
from rnncourse.kernels import gru, lstm, rows, sequence
from tests import (
    test_cells_lstm,
    test_convert,
    test_functional_lstm,
    test_kernels,
    test_layers,
    test_layers_stacked,
    test_losses,
    test_training,
)
from tests.test_training import batches as training_batches  # noqa: F401 - a fixture


def edited(function, old, new):
    """The function with one piece of its source replaced."""
    source = edited_source(function, {old: new})
    return compiled(function, source.replace("super()", f"super({function.__qualname__.split('.')[0]}, self)"))


def edit(owner, name, old, new):
    """A patch: put the edited function in the place of the original, wherever it was imported to."""

    def apply(monkeypatch):
        original = inspect.getattr_static(owner, name)
        mutant = edited(original, old, new)
        monkeypatch.setattr(owner, name, mutant)
        for module in [module for key, module in sys.modules.items() if key.split(".")[0] in ("rnncourse", "tests")]:
            for alias in [alias for alias, value in vars(module).items() if value is original]:
                monkeypatch.setattr(module, alias, mutant)

    return apply


def edit_kernel(module, name, old, new):
    """A patch: edit one of the functions that make a kernel."""

    def apply(monkeypatch):
        mutant = edited(getattr(module, f"_{name}"), old, new)
        monkeypatch.setattr(module, "_KERNEL", module._KERNEL._replace(**{name: mutant}))

    return apply


def kernel(kind, **options):
    return lambda: test_kernels.test_kernel_equals_torch(kind, (3, 40, 2, 4), False, **options)


def lengths(implementation):
    return lambda: test_layers.test_lengths_equal_packed_torch(implementation)


def both_directions(padded):
    return lambda: test_layers.test_bidirectional_equals_torch(padded)


forward, lstm_trace, gru_trace = (
    (layers.Bidirectional, "forward"),
    (functional, "lstm_trace"),
    (functional, "gru_trace"),
)
CAT = "torch.cat([h_f, h_b], dim=-1)"
MUTANTS = {
    "the carry through time is dropped": (
        edit_kernel(lstm, "backward", "dc_t.mul_(f_t)", "dc_t.zero_()"),
        kernel("lstm"),
    ),
    "the carry through time is dropped in the GRU": (
        edit_kernel(gru, "backward", "dh_before[t].addcmul_(dh_t, z_t)", "dh_before[t]"),
        kernel("gru"),
    ),
    "two gates are swapped": (
        edit(*lstm_trace, "i, f, g, o = gates", "f, i, g, o = gates"),
        test_layers.test_lstm_equals_torch,
    ),
    "the gates stand in another framework's order": (
        edit(*lstm_trace, "i, f, g, o = gates", "i, g, f, o = gates"),
        test_layers.test_lstm_equals_torch,
    ),
    "two gates share a bias": (
        edit(
            *gru_trace,
            "F.linear(h, weight_hh, bias_hh)",
            "F.linear(h, weight_hh, torch.cat([bias_hh[:hidden], bias_hh[:hidden], bias_hh[2 * hidden :]]))",
        ),
        test_layers.test_gru_equals_torch,
    ),
    "the nonlinearity is forgotten": (
        edit(functional, "rnn_trace", "torch.tanh(a) if", "a if"),
        test_layers.test_rnn_equals_torch,
    ),
    "the backward state is read at the wrong end": (
        edit(*forward, "BidirectionalState(ahead, back)", "BidirectionalState(ahead, h_b[:, -1])"),
        both_directions(padded=False),
    ),
    "the backward outputs stay in reading order": (
        edit(*forward, "h_b = flip_by_length(h_b, lengths)", "pass"),
        both_directions(padded=False),
    ),
    "the flip brings the padding to the front": (
        edit(*forward, "flip_by_length(inputs, lengths)", "inputs.flip(1)"),
        both_directions(padded=True),
    ),
    "a view mixes batch and direction in the outputs": (
        edit(*forward, CAT, "torch.stack([h_f, h_b]).view(*h_f.shape[:2], -1)"),
        both_directions(padded=False),
    ),
    "a view mixes batch and direction in the state": (
        edit(
            convert,
            "state_to_torch",
            "return torch.stack([h for h, _ in states]),",
            "return torch.stack([h for h, _ in states], 1).view(len(states), *states[0].h.shape),",
        ),
        lambda: test_convert.test_states_convert_there_and_back(),
    ),
    "stack stands for cat": (
        edit(*forward, CAT, "torch.stack([h_f, h_b], dim=-1).flatten(2)"),
        both_directions(padded=False),
    ),
    "the loop's state is read after the padding": (
        edit(layers.recurrent, "unroll", "torch.where(_align(now, new), new, old), moved", "new, moved"),
        lengths("loop"),
    ),
    "the kernels read a state before its sequence has ended": (
        edit(rows.Block, "ends", ".sum(0) - 1", ".sum(0) // 2"),
        lengths("kernel"),
    ),
    "the kernels leave the sequences sorted by length": (
        edit(sequence, "run", "back = order.argsort()", "back = torch.arange(batch)"),
        lengths("kernel"),
    ),
    "padding counts in the loss": (
        edit(
            losses,
            "_counted",
            "values[mask], targets[mask]",
            "values.flatten(0, axes - 1), targets.flatten(0, axes - 1)",
        ),
        test_losses.test_masked_squared_error_averages_over_features_too,
    ),
    "the reset stands before the product": (
        edit(*gru_trace, 'if reset == "after"', 'if reset != "after"'),
        test_layers.test_gru_equals_torch,
    ),
    "the update gate blends the other way": (
        edit(*gru_trace, "(1 - z) * n + z * h if", "(1 - z) * h + z * n if"),
        test_layers.test_gru_equals_torch,
    ),
    "each parameter's gradient is clipped by itself": (
        edit(
            training,
            "fit",
            "nn.utils.clip_grad_norm_(parameters, math.inf if clip is None else clip)",
            "max(nn.utils.clip_grad_norm_(one, clip) for one in parameters)",
        ),
        test_training.test_clipping_bounds_the_step_and_records_the_norm_before_it,
    ),
    "each entry of the gradient is clipped by itself": (
        edit(
            training,
            "fit",
            "nn.utils.clip_grad_norm_(parameters, math.inf if clip is None else clip)",
            "[nn.utils.get_total_norm([p.grad for p in parameters]), "
            "[p.grad.clamp_(-clip, clip) for p in parameters]][0]",
        ),
        test_training.test_clipping_bounds_the_step_and_records_the_norm_before_it,
    ),
    "the state is (c, h)": (
        edit(cells.LSTMCell, "trace", "LSTMState(trace.h, trace.c)", "LSTMState(trace.c, trace.h)"),
        test_layers.test_lstm_equals_torch,
    ),
    "the gradient of the final state is dropped": (
        edit(
            sequence._Sequence,
            "backward",
            "torch.zeros_like(part) if d is None else d.clone()",
            "torch.zeros_like(part)",
        ),
        lambda: test_kernels.test_each_final_state_alone_has_its_gradient("lstm", 1),
    ),
    "the gradient of the initial state is dropped": (
        edit_kernel(gru, "backward", "return delta, dh_0", "return delta, torch.zeros_like(dh_0)"),
        kernel("gru"),
    ),
    "the output gate's peephole looks at the old cell state": (
        edit(*lstm_trace, "peepholes.o * c_t", "peepholes.o * c"),
        test_functional_lstm.test_peepholes_look_at_the_old_cell_state_for_i_and_f_and_at_the_new_one_for_o,
    ),
    "the forget bias is counted twice": (
        edit(
            cells.LSTMCell, "reset_parameters", "self.bias_hh[forget] = 0.0", "self.bias_hh[forget] = self.forget_bias"
        ),
        lambda: test_cells_lstm.test_the_forget_bias_is_the_sum_of_both_biases(1.0),
    ),
    "dropout falls on the inputs": (
        edit(layers.Stacked, "forward", "self.dropout(below) if depth else below", "self.dropout(below)"),
        test_layers_stacked.test_dropout_acts_between_layers_only_and_only_in_training,
    ),
}


@pytest.mark.parametrize("bug", MUTANTS)
def test_a_known_bug_is_killed_by_its_theorem(bug, monkeypatch, request):
    patch, theorem = MUTANTS[bug]
    fixtures = [request.getfixturevalue(f"training_{name}") for name in inspect.signature(theorem).parameters]
    theorem(*fixtures)
    patch(monkeypatch)
    with pytest.raises(AssertionError):
        theorem(*fixtures)
