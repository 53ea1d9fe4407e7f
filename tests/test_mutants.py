"""Known bugs, put into the package on purpose: each is killed by a named theorem.

Every mutant is an edit of one line of the package's source, a bug found in published code, courses or answer keys. Its
theorem is one that other tests run on the package as it is; here it must hold without the edit and fail with it.
"""

import inspect
import sys

import pytest
import torch

from rnncourse import attention, cells, convert, functional, layers, training, transforms, trees
from rnncourse.attention import self_attention, weighting
from rnncourse.grading.edits import compiled, edited_source
from rnncourse.kernels import gru, lstm, rows, sequence
from rnncourse.scan import MinLSTMCell, cell, chunked, log_space, odd_even, operation
from rnncourse.seq2seq import Hypotheses, SequenceToSequence, beam, forcing
from rnncourse.training import losses
from rnncourse.trees import child_sum, nary
from tests import (
    test_attention,
    test_attention_transformer,
    test_cells_lstm,
    test_convert,
    test_decoding,
    test_functional_lstm,
    test_kernels,
    test_layers,
    test_layers_choosing,
    test_layers_precision,
    test_layers_stacked,
    test_scan,
    test_scan_cells,
    test_seq2seq,
    test_training,
    test_training_losses,
    test_trees,
    test_trees_forest,
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


def edit_scan(module, name, old, new):
    """A patch: edit one of the scans behind the linear recurrence."""

    def apply(monkeypatch):
        monkeypatch.setitem(operation._WALKS, name, edited(getattr(module, name), old, new))

    return apply


def scan(name, *, time=40, dtype=torch.float64):
    return lambda: test_scan.check_scan_is_the_loop(name, (2, time, 3), dtype)


def scanned_layer(name, **options):
    return lambda: test_scan_cells.check_layer_is_the_readable_loop(name, **options)


def kernel(kind, **options):
    return lambda: test_kernels.test_kernel_equals_torch(kind, (3, 40, 2, 4), False, **options)


def lengths(implementation):
    return lambda: test_layers.test_lengths_equal_packed_torch(implementation)


def recursion(name, implementation, given_state=False):
    return lambda: test_trees.test_a_tree_layer_is_the_printed_recursion(
        name, implementation, given_state, torch.float64
    )


def both_directions(padded):
    return lambda: test_layers.test_bidirectional_equals_torch(padded)


forward, lstm_trace, gru_trace = (
    (layers.Bidirectional, "read"),
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
        edit(sequence, "packed_rows", "order.argsort()", "torch.arange(batch)"),
        lengths("kernel"),
    ),
    "padding counts in the loss": (
        edit(
            losses,
            "_counted",
            "values[mask], targets[mask]",
            "values.flatten(0, axes - 1), targets.flatten(0, axes - 1)",
        ),
        test_training_losses.test_masked_squared_error_averages_over_features_too,
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
            sequence,
            "walk_back",
            "torch.zeros_like(part) if d is None else d.clone()",
            "torch.zeros_like(part)",
        ),
        lambda: test_kernels.test_each_final_state_alone_has_its_gradient("lstm", 1),
    ),
    "a second derivative is taken for zero": (
        edit(sequence._Sequence, "backward", "if torch.is_grad_enabled():", "if False:"),
        lambda: test_layers_choosing.test_no_second_derivative_is_ever_taken_for_zero("kernel"),
    ),
    "a kernel goes past a hook": (
        edit(layers.choosing, "_watched", "if any(_hooks(cell).values()):", "if False:"),
        lambda: test_layers_choosing.test_whatever_changes_or_watches_a_step_acts_alike_under_auto(
            "forward hook", "gru"
        ),
    ),
    "a kernel does not look for function transforms": (
        edit(transforms, "under_way", "if _levels():", "if False:"),
        test_layers_choosing.test_a_kernel_called_directly_refuses_transformations,
    ),
    "float64 is handed to oneDNN": (
        edit(layers.choosing, "_fastest", "inputs.dtype == torch.float64", "False"),
        lambda: test_layers_choosing.test_the_rules_take_what_they_say("float64 is the kernel's"),
    ),
    "the candidate of an LSTM is twice a sigmoid less one": (
        edit_kernel(lstm, "forward", "g.tanh_()", "g.mul_(2).sigmoid_().mul_(2).sub_(1)"),
        lambda: test_layers_precision.test_errors_stay_within_twice_those_of_torch(
            "lstm", 1e-6, False, "kernel", torch.float32
        ),
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
    "a scan is off by one: each step sees the state before its own": (
        edit(
            operation.LinearScan,
            "forward",
            "_WALKS[scan](a, b, start, h)",
            "_WALKS[scan](a, b, start, h); h = torch.cat([start[None], h[:-1]])",
        ),
        scan("sequential"),
    ),
    "a scan's backward pass is off by one: it meets the new state for the old": (
        edit(operation, "_one_step_before", "torch.cat([start[None], h[:-1]])", "h"),
        scan("odd_even"),
    ),
    "the reversed scan takes the step's own factor for the next one's": (
        edit(operation.LinearScan, "forward", "a[1:], b[:-1], b[-1]", "a[:-1], b[:-1], b[-1]"),
        scan("odd_even"),
    ),
    "the carry between chunks is dropped": (
        edit_scan(chunked, "chunked", "[start[None], ends[:-1]]", "[start[None], 0 * ends[:-1]]"),
        scan("chunked"),
    ),
    "a chunk's factor is that of its last step": (
        edit_scan(chunked, "chunked", "p, s = a_t * p,", "p, s = a_t,"),
        scan("chunked"),
    ),
    "the steps after the last whole chunk start from zero": (
        edit_scan(chunked, "chunked", "h[whole - 1], h[whole:]", "torch.zeros_like(start), h[whole:]"),
        scan("chunked"),
    ),
    "joined steps forget what the second one adds": (
        edit_scan(odd_even, "odd_even", "torch.addcmul(b_2, a_2, b_1[joined])", "a_2 * b_1[joined]"),
        scan("odd_even"),
    ),
    "an odd number of steps is joined from the wrong end": (
        edit_scan(odd_even, "odd_even", "time % 2 if reverse else 1", "1"),
        scan("odd_even", time=41),
    ),
    "the sum of logarithms leaves the initial state out": (
        edit_scan(log_space, "log_space", "a.log().cumsum(0), b, start)", "a.log().cumsum(0), b, 0 * start)"),
        scan("log_space"),
    ),
    "a complex backward pass is not conjugated": (
        edit(operation, "_conjugate", "value.conj().resolve_conj() if value.is_complex() else value", "value"),
        scan("odd_even", dtype=torch.complex128),
    ),
    "a scanned layer ignores the state that it is handed": (
        edit(cell.LinearCell, "over_time", "self.to_tensor(state)", "self.to_tensor(self.initial_state(len(inputs)))"),
        scanned_layer("minGRU odd_even"),
    ),
    "a scanned layer's state moves on through the padding": (
        edit(cell.LinearCell, "_piece", "torch.where(real, a, torch.ones_like(a))", "a"),
        scanned_layer("minGRU odd_even", padded=True),
    ),
    "the two gates of a minimal LSTM do not share out one": (
        edit(
            MinLSTMCell,
            "coefficients",
            "torch.sigmoid(-share), torch.sigmoid(share)",
            "torch.sigmoid(x_f), torch.sigmoid(x_i)",
        ),
        test_scan_cells.test_min_lstm_is_its_equations,
    ),
    "dropout falls on the inputs": (
        edit(layers.Stacked, "read", "self.dropout(below) if depth else below", "self.dropout(below)"),
        test_layers_stacked.test_dropout_acts_between_layers_only_and_only_in_training,
    ),
    "a tree hands the cell state on for the hidden state": (
        edit(trees.TreeLSTMCell, "trace", "LSTMState(trace.h, trace.c)", "LSTMState(trace.c, trace.c)"),
        recursion("child_sum", "fold"),
    ),
    "a level hands the cell state on for the hidden state": (
        edit(child_sum, "_level", "LSTMState(h, c)", "LSTMState(c, c)"),
        recursion("child_sum", "levels"),
    ),
    "all children share one forget gate": (
        edit(trees, "child_sum_tree_lstm_trace", "F.linear(h, W_f)", "F.linear(h_sum, W_f).unsqueeze(1)"),
        recursion("child_sum", "fold"),
    ),
    "all children of a level's node share one forget gate": (
        edit(child_sum, "_level", "F.linear(h, W_f)", "F.linear(sum_by_parent(h, level, len(z)), W_f)[level.parents]"),
        lambda: test_trees.test_levels_equal_the_fold("child_sum"),
    ),
    "the forget gates have no recurrent weights": (
        edit(trees, "child_sum_tree_lstm_trace", "F.linear(h, W_f)", "0 * h"),
        lambda: test_trees.test_every_child_has_a_forget_gate_of_its_own("child_sum"),
    ),
    "all children have the first one's forget gate": (
        edit(trees, "nary_tree_lstm_trace", "[:, :count]", "[:, :1]"),
        lambda: test_trees.test_every_child_has_a_forget_gate_of_its_own("nary"),
    ),
    "a level mixes up the forget gates of siblings": (
        edit(nary, "_level", "level.positions)", "level.positions.flip(0))"),
        lambda: test_trees.test_levels_equal_the_fold("nary"),
    ),
    "the candidates of children are added for their cell states": (
        edit(trees, "child_sum_tree_lstm_trace", "(f * c).sum(1)", "(f * torch.tanh(c)).sum(1)"),
        recursion("child_sum", "fold"),
    ),
    "the order of children is lost": (
        edit(trees.cell, "side_by_side", "F.pad(h,", "F.pad(h.sort(1).values,"),
        lambda: test_trees.test_each_place_has_weights_of_its_own("nary", "fold"),
    ),
    "the order of a level's children is lost": (
        edit(trees.cell, "place_by_parent", "arity * level.parents + level.positions", "arity * level.parents"),
        lambda: test_trees.test_each_place_has_weights_of_its_own("nary", "levels"),
    ),
    "parents come before their children": (
        edit(trees.Forest, "_from_walk", "int(depths.max()) - depths", "depths"),
        test_trees_forest.test_the_children_of_a_level_are_the_level_before,
    ),
    "the levels are read from the roots down": (
        edit(trees.Forest, "levels", "self.parents.split(sizes)", "self.parents.split(sizes[::-1])"),
        test_trees_forest.test_the_children_of_a_level_are_the_level_before,
    ),
    "the levels are off by one": (
        edit(trees.Forest, "_from_walk", "starts[levels]", "starts[levels - 1]"),
        test_trees_forest.test_the_children_of_a_level_are_the_level_before,
    ),
    "a tree's input is read in the order of the walk": (
        edit(
            trees.Forest,
            "_from_walk",
            "ends[tree] - 1 - torch.arange(len(tree))",
            "torch.arange(len(tree)) - (ends - lengths)[tree]",
        ),
        test_trees_forest.test_the_children_of_a_level_are_the_level_before,
    ),
    "the states at the roots stand in the order of the last level": (
        edit(trees.Forest, "_from_walk", "ranks[ends - lengths]", "torch.arange(len(lengths))"),
        recursion("child_sum", "levels"),
    ),
    "leaves start from another tree's state": (
        edit(trees.layer, "by_levels", "forest.order[:count] // nodes", "0 * forest.order[:count]"),
        recursion("rnn", "levels", given_state=True),
    ),
}

MUTANTS |= {  # attention, sequence to sequence, decoding
    "attention looks at padding": (
        edit(attention.Attention, "forward", "memory.mask[:, None]", "torch.ones_like(memory.mask)[:, None]"),
        lambda: test_attention.check_padding_has_no_say(attention.DotAttention(4).double(), 7.0),
    ),
    "the softmax runs over the queries": (
        edit(weighting, "masked_softmax", "(scores, -1).masked_fill", "(scores, -2).masked_fill"),
        test_attention.test_the_softmax_runs_over_the_source,
    ),
    "a row without a place to look at looks everywhere": (
        edit(weighting, "masked_softmax", ".masked_fill(~mask, 0.0)", ""),
        lambda: test_attention.check_a_fully_masked_row(attention.DotAttention(4).double()),
    ),
    "the scale is the size and not its root": (
        edit(attention.DotAttention, "scores", "math.sqrt(self.query_size)", "self.query_size"),
        lambda: test_attention.check_scaled_dot_equals_torch(torch.float64, 2, 3, 5, 4, masked=True),
    ),
    "self-attention sees what comes later": (
        edit(self_attention, "causal_mask", ".tril(steps - queries)", ".tril(steps)"),
        lambda: test_attention_transformer.test_a_step_sees_nothing_of_what_comes_later("readable"),
    ),
    "positions begin anew with every step": (
        edit(attention.CausalTransformer, "_start", "seen.cumsum(1)[:, -time:]", "real.cumsum(1)"),
        lambda: test_attention_transformer.test_in_a_language_model_a_token_at_a_time_equals_all_at_once("sinusoidal"),
    ),
    "the token to be predicted is what the decoder is fed": (
        edit(forcing, "teacher_forced", "decoder(targets[:, :-1], state)", "decoder(targets[:, 1:], state)"),
        lambda: test_seq2seq.check_nothing_leaks("luong"),
    ),
    "the bridge ignores the lengths": (
        edit(SequenceToSequence, "encode", "self.bridge(state)", "self.bridge(self.encoder(sources)[1])"),
        lambda: test_seq2seq.check_padding_has_no_say("plain"),
    ),
    "the memory ignores the lengths": (
        edit(SequenceToSequence, "encode", "outputs, lengths)", "outputs)"),
        lambda: test_seq2seq.check_padding_has_no_say("luong"),
    ),
    "beams do not take their states along": (
        edit(beam, "_search", "reorder(state, rows)", "state"),
        lambda: test_decoding.check_each_hypothesis_has_its_own_probability("luong"),
    ),
    "the tokens of a beam are read from its place and not from its parents": (
        edit(beam, "_trace_back", "place = parent.gather(1, place)", "pass"),
        lambda: test_decoding.check_each_hypothesis_has_its_own_probability("luong"),
    ),
    "finished beams are extended": (
        edit(beam, "_search", "torch.where(finished[..., None], stays, continued)", "continued"),
        test_decoding.test_a_finished_hypothesis_is_never_extended,
    ),
    "the search stops at the first finished beam": (
        edit(beam, "_search", "(finished | total.isneginf()).all()", "finished.any()"),
        lambda: test_decoding.check_exhaustive("plain", 0.0),
    ),
    "the ranking forgets the length": (
        edit(beam, "beam_search", "found.scores(length_penalty)", "found.scores()"),
        test_decoding.test_the_length_penalty_decides_between_short_and_long,
    ),
    "the length penalty multiplies": (
        edit(Hypotheses, "scores", "** length_penalty", "** -length_penalty"),
        test_decoding.test_the_length_penalty_decides_between_short_and_long,
    ),
}


@pytest.mark.parametrize("bug", MUTANTS)
def test_a_known_bug_is_killed_by_its_theorem(bug, monkeypatch, request):
    patch, theorem = MUTANTS[bug]
    fixtures = [request.getfixturevalue(f"training_{name}") for name in inspect.signature(theorem).parameters]
    theorem(*fixtures)
    patch(monkeypatch)
    with pytest.raises((AssertionError, pytest.fail.Exception)):
        theorem(*fixtures)
