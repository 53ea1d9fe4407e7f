"""Chapter 2's questions: one step, its two forms, a layer over time, bits per character, and a sampling rule."""

import math

import torch
from torch import Tensor

from rnncourse.grading.spec import Draw, Question, Wrong

# --- 2.1: one step -------------------------------------------------------------------------------------------------


def rnn_step(
    x_t: Tensor, h: Tensor, weight_ih: Tensor, weight_hh: Tensor, bias: Tensor, weight_hy: Tensor, bias_y: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """The scores a_t, the new state h_t and the output y_t of one step of an Elman network."""
    a_t = x_t @ weight_ih.T + h @ weight_hh.T + bias
    h_t = torch.tanh(a_t)
    return a_t, h_t, h_t @ weight_hy.T + bias_y


def _step_inputs(batch: int):
    def make(draw: Draw) -> tuple:
        inputs, hidden, outputs = draw.integer(4, 5), draw.integer(6, 7), draw.integer(2, 3)
        weight_ih, weight_hh, bias, _ = draw.rnn(inputs, hidden)
        weight_hy, bias_y = draw.normal(outputs, hidden), draw.normal(outputs)
        return draw.normal(batch, inputs), draw.normal(batch, hidden), weight_ih, weight_hh, bias, weight_hy, bias_y

    return make


def _step_from_old_state(x_t, h, weight_ih, weight_hh, bias, weight_hy, bias_y):
    a_t, h_t, _ = rnn_step(x_t, h, weight_ih, weight_hh, bias, weight_hy, bias_y)
    return a_t, h_t, h @ weight_hy.T + bias_y


def _step_from_scores(x_t, h, weight_ih, weight_hh, bias, weight_hy, bias_y):
    a_t, h_t, _ = rnn_step(x_t, h, weight_ih, weight_hh, bias, weight_hy, bias_y)
    return a_t, h_t, a_t @ weight_hy.T + bias_y


def _step_without_transpose(x_t, h, weight_ih, weight_hh, bias, weight_hy, bias_y):
    return rnn_step(x_t, h, weight_ih, weight_hh.T, bias, weight_hy, bias_y)


def _step_without_memory(x_t, h, weight_ih, weight_hh, bias, weight_hy, bias_y):
    return rnn_step(x_t, torch.zeros_like(h), weight_ih, weight_hh, bias, weight_hy, bias_y)


STEP = Question(
    id="2.1",
    title="One step",
    name="rnn_step",
    points=2,
    reference=rnn_step,
    cases={"a batch of three": _step_inputs(3), "a batch of one": _step_inputs(1)},
    parts=("the scores a_t", "the state h_t", "the output y_t"),
    wrong=(
        Wrong(
            "weight_hh is used without its transpose",
            _step_without_transpose,
            "weight_hh is square, so the shapes fit either way. A row of it holds what flows *into* one unit, "
            "exactly as in weight_ih; treat the two alike.",
        ),
        Wrong(
            "the old state takes no part in the scores",
            _step_without_memory,
            "Without the state before it, this step is an ordinary feedforward layer, the same at every time.",
        ),
        Wrong(
            "the output reads the state from before the step",
            _step_from_old_state,
            "The output at time t is read from the state at time t, which has already seen x_t.",
        ),
        Wrong(
            "the output reads the scores instead of the state",
            _step_from_scores,
            "What is carried and what is read is the activation of the scores, not the scores themselves.",
        ),
    ),
    hints=(
        "Write the three quantities on three lines, in the order in which they depend on each other.",
        "With the batch first, a weight of shape (hidden, input) is applied as x_t @ weight_ih.T.",
    ),
    flags=(r"\brnn_tanh_cell\b", r"\bRNNCell\b"),
)

# --- 2.2: the two forms --------------------------------------------------------------------------------------------


def one_matrix(x_t: Tensor, h: Tensor, weight_ih: Tensor, weight_hh: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """The joint weight, the joint input [h, x], and their product: the same scores from a single matrix."""
    joint_weight = torch.cat([weight_hh, weight_ih], dim=1)
    joint_input = torch.cat([h, x_t], dim=1)
    return joint_weight, joint_input, joint_input @ joint_weight.T


def _forms_inputs(inputs_of, batch: int):
    def make(draw: Draw) -> tuple:
        hidden = draw.integer(3, 5)
        inputs = inputs_of(draw, hidden)
        weight_ih, weight_hh, _, _ = draw.rnn(inputs, hidden)
        return draw.normal(batch, inputs), draw.normal(batch, hidden), weight_ih, weight_hh

    return make


def _forms_swapped(x_t, h, weight_ih, weight_hh):
    joint_weight, joint_input = torch.cat([weight_ih, weight_hh], dim=1), torch.cat([x_t, h], dim=1)
    return joint_weight, joint_input, joint_input @ joint_weight.T


def _forms_mismatched(x_t, h, weight_ih, weight_hh):
    joint_weight, joint_input = torch.cat([weight_hh, weight_ih], dim=1), torch.cat([x_t, h], dim=1)
    return joint_weight, joint_input, joint_input @ joint_weight.T


def _forms_activated(x_t, h, weight_ih, weight_hh):
    joint_weight, joint_input, scores = one_matrix(x_t, h, weight_ih, weight_hh)
    return joint_weight, joint_input, torch.tanh(scores)


FORMS = Question(
    id="2.2",
    title="Two matrices or one",
    name="one_matrix",
    points=2,
    reference=one_matrix,
    cases={
        "more hidden units than inputs": _forms_inputs(lambda draw, hidden: 2, 3),
        "as many inputs as hidden units": _forms_inputs(lambda draw, hidden: hidden, 2),
        "a batch of one": _forms_inputs(lambda draw, hidden: hidden + draw.integer(1, 3), 1),
    },
    parts=("the joint weight", "the joint input", "the scores"),
    wrong=(
        Wrong(
            "[x, h] instead of [h, x]",
            _forms_swapped,
            "Your product is right, because weight and input agree with each other. The question fixes the order: "
            "the state first, then the input.",
        ),
        Wrong(
            "the blocks of the weight and of the input are in different orders",
            _forms_mismatched,
            "Column k of the joint weight must meet entry k of the joint input. Write down which columns belong to h "
            "and which to x.",
        ),
        Wrong(
            "the scores are already activated",
            _forms_activated,
            "The two forms are two ways to write the *scores*; the activation comes after, and is the same for both.",
        ),
    ),
    hints=(
        "Draw the two matrices side by side: same number of rows, and the columns add up.",
        "torch.cat([...], dim=1) puts blocks side by side.",
    ),
)

# --- 2.3: a leaky layer with lengths -------------------------------------------------------------------------------


def leaky_layer(
    x: Tensor, h_0: Tensor, lengths: Tensor, weight_ih: Tensor, weight_hh: Tensor, bias: Tensor, leak: float
) -> tuple[Tensor, Tensor]:
    """States of a leaky RNN over time, zero past each sequence's end, and the state at that end."""
    return _leaky(x, h_0, lengths, weight_ih, weight_hh, bias, leak)


def _leaky(x, h_0, lengths, weight_ih, weight_hh, bias, leak, *, carry=True, freeze=True, clear=True):
    h, outputs = h_0, []
    for t in range(x.shape[1]):
        before = h if carry else h_0
        n = torch.tanh(x[:, t] @ weight_ih.T + before @ weight_hh.T + bias)
        h_t = (1 - leak) * before + leak * n
        inside = (t < lengths)[:, None]
        outputs.append(torch.where(inside, h_t, torch.zeros_like(h_t)) if clear else h_t)
        h = torch.where(inside, h_t, h) if freeze else h_t
    return torch.stack(outputs, dim=1), h


def _leaky_inputs(batch: int, time: int):
    def make(draw: Draw) -> tuple:
        inputs, hidden = draw.integer(2, 4), draw.integer(3, 5)
        weight_ih, weight_hh, bias, _ = draw.rnn(inputs, hidden)
        x, h_0 = draw.normal(batch, time, inputs), draw.normal(batch, hidden)
        # What stands past a sequence's end is not zero: a layer that reads it is found out.
        return x, h_0, draw.lengths(batch, time), weight_ih, weight_hh, bias, draw.number(0.2, 0.4)

    return make


def _leaky_reversed(x, h_0, lengths, weight_ih, weight_hh, bias, leak):
    return leaky_layer(x, h_0, lengths, weight_ih, weight_hh, bias, 1 - leak)


def _leaky_not_at_all(x, h_0, lengths, weight_ih, weight_hh, bias, leak):
    return leaky_layer(x, h_0, lengths, weight_ih, weight_hh, bias, 1.0)


def _leaky_reads_padding(*arguments):
    return _leaky(*arguments, freeze=False)


def _leaky_forgets_to_clear(*arguments):
    return _leaky(*arguments, freeze=False, clear=False)


def _leaky_shows_padding(*arguments):
    outputs, _ = _leaky(*arguments, freeze=False, clear=False)
    return outputs, _leaky(*arguments)[1]


def _leaky_last_column(*arguments):
    outputs, _ = _leaky(*arguments)
    return outputs, outputs[:, -1]


def _leaky_without_carry(*arguments):
    return _leaky(*arguments, carry=False)


LAYER = Question(
    id="2.3",
    title="A leaky layer that minds the lengths",
    name="leaky_layer",
    points=4,
    reference=leaky_layer,
    cases={
        "three sequences of different lengths": _leaky_inputs(3, 6),
        "one sequence": _leaky_inputs(1, 4),
        "one step": _leaky_inputs(2, 1),
    },
    parts=("the states over time", "the last states"),
    wrong=(
        Wrong(
            "the last state is read from the last column",
            _leaky_reads_padding,
            "A short sequence ends before the last column; after its end only padding arrives. Keep the state that it "
            "had at its own last step.",
        ),
        Wrong(
            "the last state is read from the last column of the reported states",
            _leaky_last_column,
            "The reported states are right. For a short sequence their last column is past its end, where zeros stand.",
        ),
        Wrong(
            "the lengths are not used",
            _leaky_forgets_to_clear,
            "Past a sequence's end there is nothing to report, and nothing may change its last state.",
        ),
        Wrong(
            "the states past the end are not zero",
            _leaky_shows_padding,
            "The last states are right. Past a sequence's end the *reported* states should be zero.",
        ),
        Wrong(
            "the leak is the wrong way round",
            _leaky_reversed,
            "Try the extremes: a leak of 1 should give the ordinary RNN, a leak near 0 hardly any movement.",
        ),
        Wrong(
            "there is no leak",
            _leaky_not_at_all,
            "This is the ordinary RNN. Here the new state is a blend of the old state and the candidate.",
        ),
        Wrong(
            "every step starts from h_0 again",
            _leaky_without_carry,
            "What one step returns is what the next one starts from: that is the recurrence.",
        ),
    ),
    hints=(
        "Write the loop without lengths first, then ask at each step which sequences are still running.",
        "torch.where(running[:, None], new, old) chooses row by row.",
    ),
    flags=(r"\bnn\.RNN\b",),
)

# --- 2.4: bits per character ---------------------------------------------------------------------------------------


def bits_per_character(logits: Tensor, targets: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
    """The mean of −log₂ p over the real characters, and the perplexity that belongs to it."""
    bits = _surprise(logits, targets)[_real(targets, lengths)].mean()
    return bits, 2**bits


def _surprise(logits, targets):
    log_p = torch.log_softmax(logits, dim=-1).gather(-1, targets[..., None]).squeeze(-1)
    return -log_p / math.log(2)


def _real(targets, lengths):
    return torch.arange(targets.shape[1]) < lengths[:, None]


def _bits_inputs(batch: int, time: int):
    def make(draw: Draw) -> tuple:
        vocabulary = draw.integer(4, 9)
        logits = draw.normal(batch, time, vocabulary, scale=2.0)
        return logits, draw.integers(0, vocabulary - 1, batch, time), draw.lengths(batch, time)

    return make


def _bits_in_nats(logits, targets, lengths):
    nats = bits_per_character(logits, targets, lengths)[0] * math.log(2)
    return nats, torch.exp(nats)


def _bits_nats_misread(logits, targets, lengths):
    nats = bits_per_character(logits, targets, lengths)[0] * math.log(2)
    return nats, 2**nats


def _bits_to_the_power_of_e(logits, targets, lengths):
    bits, _ = bits_per_character(logits, targets, lengths)
    return bits, torch.exp(bits)


def _bits_with_padding(logits, targets, lengths):
    bits = _surprise(logits, targets).mean()
    return bits, 2**bits


def _bits_padding_in_the_denominator(logits, targets, lengths):
    bits = (_surprise(logits, targets) * _real(targets, lengths)).mean()
    return bits, 2**bits


def _bits_mean_of_means(logits, targets, lengths):
    bits = ((_surprise(logits, targets) * _real(targets, lengths)).sum(1) / lengths).mean()
    return bits, 2**bits


BITS = Question(
    id="2.4",
    title="Bits per character",
    name="bits_per_character",
    points=3,
    reference=bits_per_character,
    cases={"texts of different lengths": _bits_inputs(4, 7), "one text": _bits_inputs(1, 5)},
    parts=("the bits per character", "the perplexity"),
    wrong=(
        Wrong(
            "nats instead of bits",
            _bits_in_nats,
            "The natural logarithm counts in nats. One bit is the surprise of a fair coin; how many nats is that? "
            "(Your perplexity is right: it does not depend on the unit.)",
        ),
        Wrong(
            "nats instead of bits, and two to their power",
            _bits_nats_misread,
            "The unit of the surprise and the base of the power belong together: bits with 2, nats with e.",
        ),
        Wrong(
            "e to the power of the bits",
            _bits_to_the_power_of_e,
            "The bits are right. A perplexity undoes the logarithm, and this one has the base two.",
        ),
        Wrong(
            "the padding is counted",
            _bits_with_padding,
            "Nobody asked the model to predict what stands past the end of a text.",
        ),
        Wrong(
            "the padding is left out of the sum but not out of the count",
            _bits_padding_in_the_denominator,
            "A mean divides by the number of things that were added up.",
        ),
        Wrong(
            "the mean over texts of each text's mean",
            _bits_mean_of_means,
            "This weighs the characters of a short text more. Per *character*: each of them counts the same.",
        ),
    ),
    hints=(
        "First the surprise of every character, as a (batch, time) tensor; then decide which of them count.",
        "torch.log_softmax and gather pick the log probability of each target.",
    ),
)

# --- 2.5: a sampling rule ------------------------------------------------------------------------------------------


def sampling_probabilities(logits: Tensor, temperature: float, top_p: float) -> Tensor:
    """Nucleus sampling: temper, keep the fewest most probable characters that reach top_p, renormalise."""
    p = torch.softmax(logits / temperature, dim=-1)
    return _renormalised(p * _nucleus(p, top_p))


def _nucleus(p: Tensor, top_p: float, *, include_crossing: bool = True) -> Tensor:
    """True where a character belongs to the smallest set whose probability reaches top_p."""
    ordered, order = p.sort(dim=-1, descending=True)
    total = ordered.cumsum(dim=-1)
    keep = (total - ordered < top_p) if include_crossing else (total <= top_p)
    keep[..., 0] = True
    return torch.zeros_like(keep).scatter(-1, order, keep)


def _renormalised(p: Tensor) -> Tensor:
    return p / p.sum(dim=-1, keepdim=True)


def _sampling_inputs(batch: int, temperature: tuple[float, float], top_p: tuple[float, float]):
    def make(draw: Draw) -> tuple:
        # Logits a fixed step apart, jittered and shuffled: no cumulative sum comes close to a tie by accident.
        vocabulary = draw.integer(7, 9)
        steps = torch.arange(vocabulary, dtype=torch.float32).expand(batch, -1)
        logits = -0.7 * steps + draw.uniform(batch, vocabulary, low=-0.1, high=0.1)
        order = draw.uniform(batch, vocabulary).argsort(dim=-1)
        return logits.gather(-1, order), draw.number(*temperature), draw.number(*top_p)

    return make


def _sampling_multiplies(logits, temperature, top_p):
    return sampling_probabilities(logits, 1 / temperature, top_p)


def _sampling_truncates_first(logits, temperature, top_p):
    keep = _nucleus(torch.softmax(logits, dim=-1), top_p)
    return _renormalised(torch.softmax(logits / temperature, dim=-1) * keep)


def _sampling_drops_the_crossing(logits, temperature, top_p):
    p = torch.softmax(logits / temperature, dim=-1)
    return _renormalised(p * _nucleus(p, top_p, include_crossing=False))


def _sampling_sums_below_one(logits, temperature, top_p):
    p = torch.softmax(logits / temperature, dim=-1)
    return p * _nucleus(p, top_p)


def _sampling_stays_sorted(logits, temperature, top_p):
    return sampling_probabilities(logits, temperature, top_p).sort(dim=-1, descending=True).values


def _sampling_keeps_everything(logits, temperature, top_p):
    return torch.softmax(logits / temperature, dim=-1)


SAMPLING = Question(
    id="2.5",
    title="A sampling rule",
    name="sampling_probabilities",
    points=4,
    reference=sampling_probabilities,
    cases={
        "a cool model": _sampling_inputs(4, (0.55, 0.7), (0.84, 0.88)),
        "a warm model": _sampling_inputs(4, (1.6, 1.9), (0.62, 0.68)),
        "a nucleus of one": _sampling_inputs(2, (0.8, 1.2), (0.05, 0.2)),
    },
    wrong=(
        Wrong(
            "the logits are multiplied by the temperature",
            _sampling_multiplies,
            "A low temperature should make the model bolder: the largest probability grows. Try 0.1 and look.",
        ),
        Wrong(
            "the nucleus is chosen before the temperature",
            _sampling_truncates_first,
            "The nucleus is the nucleus of the distribution that will be sampled from, which is the tempered one.",
        ),
        Wrong(
            "the character that reaches top_p is left out",
            _sampling_drops_the_crossing,
            "The set should *reach* top_p; without its last member it falls short.",
        ),
        Wrong(
            "the probabilities are not renormalised",
            _sampling_sums_below_one,
            "What was cut off has to be shared among those that stay: add up your probabilities.",
        ),
        Wrong(
            "the probabilities come back in sorted order",
            _sampling_stays_sorted,
            "Entry k must belong to character k again; `scatter`, or sorting the order itself, undoes a sort.",
        ),
        Wrong(
            "nothing is cut off",
            _sampling_keeps_everything,
            "This is sampling with temperature alone. Characters outside the nucleus get probability zero.",
        ),
    ),
    hints=(
        "Three steps, in this order: temper, choose the nucleus, share out what was cut.",
        "In sorted order, a character belongs to the nucleus while what came *before* it has not reached top_p.",
    ),
)

QUESTIONS = [STEP, FORMS, LAYER, BITS, SAMPLING]
