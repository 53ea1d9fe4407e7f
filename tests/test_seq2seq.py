"""Encoder, bridge, decoders and teacher forcing: equal to their equations, blind to padding and to what comes later."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from rnncourse.attention import AdditiveAttention, CausalTransformer, DotAttention, GeneralAttention
from rnncourse.cells import GRUCell, LSTMCell, MGUCell, RNNCell
from rnncourse.cells.skip import SkipRNNCell
from rnncourse.data.padding import transduction
from rnncourse.depth import Between
from rnncourse.layers import Recurrent, Stacked
from rnncourse.seq2seq import (
    BahdanauDecoder,
    Bridge,
    Decoder,
    Encoder,
    LuongDecoder,
    SequenceToSequence,
    greedy,
    teacher_forced,
)
from rnncourse.shapes import LSTMState
from rnncourse.training.losses import cross_entropy
from tests.oracles import assert_close, assert_same, leaf, tensors

SOURCES, TARGETS = 9, 8  # sizes of the two vocabularies
EMBED, HIDDEN, VALUE = 4, 5, 6  # VALUE: the encoder's outputs, of two directions of three units
CELLS = {"rnn": RNNCell, "lstm": LSTMCell, "gru": GRUCell, "mgu": MGUCell, "skip": SkipRNNCell}
KINDS = ["plain", "luong", "luong tied", "luong fed", "bahdanau"]


def decoder_of(kind, cell="gru", depth=1, implementation="kernel"):
    """A decoder of each kind, over any cell and depth."""

    def layer(input_size):
        return Stacked.of(CELLS[cell], input_size, HIDDEN, num_layers=depth, implementation=implementation)

    if kind == "plain":
        return Decoder(layer(EMBED), TARGETS)
    if kind == "luong":
        return LuongDecoder(layer(EMBED), TARGETS, GeneralAttention(HIDDEN, VALUE))
    if kind == "luong tied":
        attention = GeneralAttention(HIDDEN, VALUE)
        return LuongDecoder(layer(EMBED), TARGETS, attention, attentional_size=EMBED, tie_weights=True)
    if kind == "luong fed":
        attention = AdditiveAttention(HIDDEN, VALUE, 3)
        return LuongDecoder(layer(EMBED + 7), TARGETS, attention, attentional_size=7, input_feeding=True)
    return BahdanauDecoder(layer(EMBED + VALUE), TARGETS, AdditiveAttention(HIDDEN, VALUE, 3))


def model_of(kind, cell="gru", depth=1, reader="gru", implementation="kernel"):
    """The whole model, over a bidirectional encoder, in float64."""
    decoder = decoder_of(kind, cell, depth, implementation)
    encoder = Encoder(
        Stacked.of(CELLS[reader], EMBED, VALUE // 2, bidirectional=True, implementation=implementation), SOURCES
    )
    return SequenceToSequence(encoder, decoder, Bridge(encoder.layer, decoder.layer)).double()


def some_batch():
    """Sources with lengths and targets with lengths."""
    sources, lengths = torch.randint(SOURCES, (3, 6)), torch.tensor([6, 1, 4])
    targets = torch.randint(3, TARGETS, (3, 5))
    targets[:, 0] = 1
    return sources, lengths, targets, torch.tensor([3, 5, 2])


def parameters(model):
    return {name: (value, value) for name, value in model.named_parameters()}


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("kind", KINDS)
def test_steps_one_by_one_equal_all_steps_at_once(kind, cell):
    """Incremental decoding: the state holds all that the next step needs."""
    model = model_of(kind, cell, depth=2)
    sources, lengths, targets, _ = some_batch()
    whole, end = model.decoder(targets, model.encode(sources, lengths))
    state, parts = model.encode(sources, lengths), []
    for token in targets.split(1, 1):
        logits, state = model.decoder(token, state)
        parts.append(logits)
    ours, theirs = [torch.cat(parts, 1), *tensors(state)], [whole, *tensors(end)]
    ours, theirs = ([value for value in values if value.is_floating_point()] for values in (ours, theirs))
    assert_same(ours, theirs, parameters(model), kind, unused=True)


def luong_by_hand(decoder, tokens, state):
    """Luong's equations, step after step: h_t, c_t, h̃_t, logits."""
    logits, layer_state = [], state.layer
    for token in tokens.unbind(1):
        h, layer_state = decoder.layer(decoder.embedding(token)[:, None], layer_state)
        context, _ = decoder.attention(h, state.memory)
        attentional = torch.tanh(
            torch.cat([context, h], -1) @ decoder.combine.weight.T + decoder.combine.bias
        )  # (batch, 1, attentional)
        logits.append(attentional @ decoder.readout.weight.T + decoder.readout.bias)
    return torch.cat(logits, 1)


def fed_by_hand(decoder, tokens, state):
    """The same with input feeding: the layer reads the attentional vector of the step before."""
    logits, layer_state = [], state.layer
    attentional = torch.zeros(len(tokens), 1, 7, dtype=torch.float64)
    for token in tokens.unbind(1):
        x = torch.cat([decoder.embedding(token)[:, None], attentional], -1)
        h, layer_state = decoder.layer(x, layer_state)
        context, _ = decoder.attention(h, state.memory)
        attentional = torch.tanh(torch.cat([context, h], -1) @ decoder.combine.weight.T + decoder.combine.bias)
        logits.append(attentional @ decoder.readout.weight.T + decoder.readout.bias)
    return torch.cat(logits, 1)


def bahdanau_by_hand(decoder, tokens, state):
    """Bahdanau's: the query is the top hidden state before the step."""
    logits, layer_state = [], state.layer
    for token in tokens.unbind(1):
        top = layer_state[-1]
        context, _ = decoder.attention((top.h if isinstance(top, LSTMState) else top)[:, None], state.memory)
        x = decoder.embedding(token)[:, None]
        output, layer_state = decoder.layer(torch.cat([x, context], -1), layer_state)
        read = torch.cat([output, context, x], -1)
        logits.append(read @ decoder.readout.weight.T + decoder.readout.bias)
    return torch.cat(logits, 1)


@pytest.mark.parametrize("cell", ["lstm", "gru"])
@pytest.mark.parametrize(
    ("kind", "by_hand"),
    [
        ("luong", luong_by_hand),
        ("luong tied", luong_by_hand),
        ("luong fed", fed_by_hand),
        ("bahdanau", bahdanau_by_hand),
    ],
)
def test_a_decoder_with_attention_is_its_equations(kind, by_hand, cell):
    model = model_of(kind, cell, depth=2)
    sources, lengths, targets, _ = some_batch()
    logits, _ = model.decoder(targets, model.encode(sources, lengths))
    expected = by_hand(model.decoder, targets, model.encode(sources, lengths))
    assert_same([logits], [expected], parameters(model), kind)


def check_bridge(reader, cell, depth):
    encoder = Encoder(Stacked.of(CELLS[reader], EMBED, 3, num_layers=2, bidirectional=True), SOURCES).double()
    layer = Stacked.of(CELLS[cell], EMBED, HIDDEN, num_layers=depth)
    bridge = Bridge(encoder.layer, layer).double()
    sources, lengths, _, _ = some_batch()
    _, state = encoder(sources, None, lengths)
    first = bridge(state)
    for row, length in enumerate(lengths.tolist()):
        _, own = encoder(sources[row : row + 1, :length])  # each source alone, without any padding
        everything = torch.cat(tensors(own), -1)
        for part, linear in zip(tensors(first), bridge.maps, strict=True):
            expected = torch.tanh(everything @ linear.weight.T + linear.bias)
            assert_close(part[row : row + 1], expected, f"row {row}")
    outputs, _ = layer.double()(torch.randn(3, 2, EMBED).double(), first)
    assert outputs.shape == (3, 2, HIDDEN)


@pytest.mark.parametrize("depth", [1, 3])
@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("reader", ["gru", "lstm"])
def test_a_bridge_maps_each_sources_own_final_state_to_any_decoders_first_one(reader, cell, depth):
    check_bridge(reader, cell, depth)


def check_padding_has_no_say(kind):
    """Logits at real steps, and every gradient of the loss, are those of the sentences one at a time."""
    model = model_of(kind, "lstm")
    sources, lengths, targets, target_lengths = some_batch()
    inside = torch.arange(targets.shape[1]) < target_lengths[:, None]
    cuts = list(enumerate(zip(lengths.tolist(), target_lengths.tolist(), strict=True)))
    for filling, more in ((0, 0), (0, 3), (7, 3)):
        padded = torch.where(torch.arange(6) < lengths[:, None], sources, filling)
        padded = torch.cat([padded, torch.full((3, more), filling)], 1)
        answer = torch.where(inside, targets, filling)
        answer = torch.cat([answer, torch.full((3, more), filling)], 1)
        logits, _ = model(padded, answer, lengths)
        mask = torch.arange(1, answer.shape[1]) < target_lengths[:, None]
        alone = torch.cat([model(sources[i : i + 1, :s], targets[i : i + 1, :t])[0][0] for i, (s, t) in cuts])
        assert_same([logits[mask]], [alone], parameters(model), f"{kind}, {more} of {filling}", unused=True)


@pytest.mark.parametrize("kind", KINDS)
def test_padding_has_no_say_whatever_it_holds_and_however_much_there_is(kind):
    check_padding_has_no_say(kind)


def check_nothing_leaks(kind):
    """The prediction of a token hangs on the tokens before it, and on no other of the target's."""
    model = model_of(kind)
    sources, lengths, targets, _ = some_batch()
    logits, _ = model(sources, targets, lengths)
    for t in range(1, targets.shape[1]):
        changed = targets.clone()
        changed[:, t:] = (changed[:, t:] + 1) % TARGETS
        others, _ = model(sources, changed, lengths)
        assert_close(others[:, :t], logits[:, :t], f"{kind}: predictions of tokens 1 to {t}")


@pytest.mark.parametrize("kind", KINDS)
def test_no_prediction_sees_its_target(kind):
    check_nothing_leaks(kind)


@pytest.mark.parametrize("kind", KINDS)
def test_always_forced_in_a_loop_equals_all_at_once(kind):
    model = model_of(kind, "lstm")
    sources, lengths, targets, _ = some_batch()
    at_once = model(sources, targets, lengths)
    loop = model(sources, targets, lengths, teacher_forcing=1 - 1e-12)  # no coin falls so high
    ours, theirs = [loop[0], *tensors(loop[1])], [at_once[0], *tensors(at_once[1])]
    ours, theirs = ([value for value in values if value.is_floating_point()] for values in (ours, theirs))
    assert_same(ours, theirs, parameters(model), kind, unused=True)


@pytest.mark.parametrize("kind", KINDS)
def test_never_forced_is_greedy_decoding(kind):
    model = model_of(kind)
    sources, lengths, targets, _ = some_batch()
    logits, _ = model(sources, targets, lengths, teacher_forcing=0)
    written = greedy(model.decoder, targets[:, :1], model.encode(sources, lengths), max_length=4)
    assert logits.argmax(-1).equal(written.tokens)


def test_the_ratio_is_the_share_of_forced_tokens_and_each_sequence_throws_its_own_coin():
    fed = []

    class Spy(Decoder):
        def forward(self, tokens, state=None):
            fed.append(tokens)
            return torch.zeros(len(tokens), 1, TARGETS).index_fill(2, torch.tensor(2), 1.0), state

    targets = torch.full((200, 51), 5)
    teacher_forced(Spy(Recurrent(GRUCell(4, 4)), TARGETS), targets, None, ratio=0.3,
                   generator=torch.Generator().manual_seed(0))  # fmt: skip
    tokens = torch.cat(fed, 1)
    assert tokens[:, 0].eq(5).all()  # the first is always given
    forced = tokens[:, 1:].eq(5)
    assert (forced | tokens[:, 1:].eq(2)).all()  # the rest are the model's own
    assert forced.double().mean().item() == pytest.approx(0.3, abs=0.02)
    assert not forced[0].equal(forced[1])


def test_a_seed_decides_the_coins():
    model = model_of("luong")
    sources, lengths, targets, _ = some_batch()

    def logits(seed):
        generator = torch.Generator().manual_seed(seed)
        return model(sources, targets, lengths, teacher_forcing=0.5, generator=generator)[0]

    assert logits(1).equal(logits(1))
    assert any(not logits(1).equal(logits(seed)) for seed in range(2, 10))


@pytest.mark.parametrize("kind", ["luong", "luong fed", "bahdanau"])
def test_the_trace_shows_where_each_step_looked(kind):
    model = model_of(kind)
    sources, lengths, targets, _ = some_batch()
    state = model.encode(sources, lengths)
    trace, _ = model.decoder.trace(targets, state)
    assert trace.logits.equal(model.decoder(targets, state)[0])
    assert trace.weights.shape == (3, 5, 6)
    assert_close(trace.weights.sum(-1), torch.ones(3, 5).double(), "sum")
    assert trace.weights[1, :, 1:].eq(0).all()


@pytest.mark.parametrize("kind", ["luong", "luong fed", "bahdanau"])
def test_keys_are_projected_once_for_a_whole_decoding(kind):
    model, calls = model_of(kind), []
    model.decoder.attention.key.register_forward_hook(lambda *_: calls.append(1))
    sources, lengths, _, _ = some_batch()
    greedy(model.decoder, torch.ones(3, 1).long(), model.encode(sources, lengths), max_length=6)
    assert len(calls) == 1


def test_without_a_bridge_the_state_is_taken_as_it_is():
    encoder = Encoder(Recurrent(LSTMCell(EMBED, HIDDEN)), SOURCES)
    model = SequenceToSequence(encoder, Decoder(Recurrent(LSTMCell(3, HIDDEN)), TARGETS)).double()
    sources, lengths, _, _ = some_batch()
    state = model.encode(sources, lengths)
    assert all(a.equal(b) for a, b in zip(state, encoder(sources, None, lengths)[1], strict=True))


@pytest.mark.parametrize(("cell", "depth"), [("rnn", 1), ("lstm", 1), ("lstm", 3), ("gru", 2), ("skip", 2)])
def test_the_top_hidden_state_is_the_last_output(cell, depth):
    stack = Stacked.of(CELLS[cell], EMBED, HIDDEN, num_layers=depth)
    for layer in (stack, Between(stack), Stacked(Between(stack))):
        outputs, state = layer(torch.randn(2, 3, EMBED))
        assert layer.top_hidden(state).equal(outputs[:, -1])


def test_a_batch_of_the_data_sets_fits():
    """Transductions come framed, padded and masked; the loss counts real targets alone."""
    batch = transduction([[5, 6, 7], [8]], [[4], [5, 6, 7]], bos=1, eos=2)
    model = model_of("luong")
    logits, _ = model(batch.inputs, batch.targets, batch.lengths)
    loss = cross_entropy(logits, batch.targets[:, 1:], batch.target_mask[:, 1:])
    first, _ = model(torch.tensor([[5, 6, 7]]), torch.tensor([[1, 4, 2]]))
    second, _ = model(torch.tensor([[8]]), torch.tensor([[1, 5, 6, 7, 2]]))
    alone = torch.cat([first[0], second[0]])
    assert_close(loss, torch.nn.functional.cross_entropy(alone, torch.tensor([4, 2, 5, 6, 7, 2])), "loss")


@pytest.mark.parametrize("kind", KINDS)
def test_with_readable_layers_the_model_differentiates_twice(kind):
    model = model_of(kind, implementation="loop")
    sources, lengths, targets, _ = some_batch()
    logits, _ = model(sources, targets, lengths)
    weights = [p for name, p in model.named_parameters() if "weight" in name]
    grads = torch.autograd.grad((logits**2).mean(), weights, create_graph=True)
    again = torch.autograd.grad(sum((grad**2).sum() for grad in grads), weights)
    # The directional derivative of |∇|² along the gradient, by finite differences.
    direction = [grad.detach() for grad in grads]
    slope = sum((a * d).sum() for a, d in zip(again, direction, strict=True)).item()

    def squared_norm(step):
        with torch.no_grad():
            for weight, d in zip(weights, direction, strict=True):
                weight.add_(step * d)
        found = torch.autograd.grad((model(sources, targets, lengths)[0] ** 2).mean(), weights)
        with torch.no_grad():
            for weight, d in zip(weights, direction, strict=True):
                weight.sub_(step * d)
        return sum((grad**2).sum() for grad in found).item()

    by_differences = (squared_norm(1e-4) - squared_norm(-1e-4)) / 2e-4
    assert slope == pytest.approx(by_differences, rel=1e-5)


@settings(max_examples=15, deadline=None)
@given(
    sizes=st.tuples(st.integers(1, 3), st.integers(1, 5), st.integers(2, 5)),
    kind=st.sampled_from(KINDS),
    cell=st.sampled_from(sorted(CELLS)),
    reader=st.sampled_from(["gru", "lstm"]),
    depth=st.integers(1, 2),
)
def test_any_model_reads_each_sentence_as_if_it_were_alone(sizes, kind, cell, reader, depth):
    batch, source, target = sizes
    model = model_of(kind, cell, depth, reader)
    sources, targets = torch.randint(SOURCES, (batch, source)), torch.randint(TARGETS, (batch, target))
    lengths = torch.randint(1, source + 1, (batch,))
    logits, _ = model(sources, targets, lengths)
    for row, length in enumerate(lengths.tolist()):
        alone, _ = model(sources[row : row + 1, :length], targets[row : row + 1])
        assert_close(logits[row : row + 1], alone, f"row {row}")


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["luong", "bahdanau"])
def test_a_model_with_attention_learns_to_reverse(kind):
    """The parts together: trained on reversing five symbols, greedy decoding gets unseen ones right."""
    torch.manual_seed(1)
    writer_input = 16 if kind == "luong" else 16 + 32
    reader, writer = Stacked.of(GRUCell, 16, 16, bidirectional=True), Recurrent(GRUCell(writer_input, 32))
    if kind == "luong":
        decoder = LuongDecoder(writer, 8, DotAttention(32))
    else:
        decoder = BahdanauDecoder(writer, 8, AdditiveAttention(32, 32, 16))
    model = SequenceToSequence(Encoder(reader, 8), decoder, Bridge(reader, writer))
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)

    def batch(size):
        sources = torch.randint(3, 8, (size, 5))
        begin, end = torch.ones(size, 1).long(), torch.full((size, 1), 2)
        return sources, torch.cat([begin, sources.flip(1), end], 1)

    for _ in range(200):
        sources, targets = batch(32)
        loss = cross_entropy(model(sources, targets)[0], targets[:, 1:])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    sources, targets = batch(200)
    written = greedy(decoder, targets[:, :1], model.encode(sources), eos=2, max_length=8)
    right = (written.lengths == 6) & (written.tokens[:, :6] == targets[:, 1:]).all(1)
    assert right.double().mean() > 0.95


def test_the_gradient_reaches_every_parameter_of_every_kind():
    for kind in KINDS:
        model = model_of(kind, "lstm")
        sources, lengths, targets, _ = some_batch()
        model(sources, targets, lengths)[0].pow(2).sum().backward()
        for name, parameter in model.named_parameters():
            assert parameter.grad is not None, (kind, name)
            assert parameter.grad.abs().max() > 0, (kind, name)


def gru(input_size=EMBED, hidden_size=HIDDEN):
    return Recurrent(GRUCell(input_size, hidden_size))


def whole(**options):
    return SequenceToSequence(Encoder(gru(), SOURCES), Decoder(gru(), TARGETS), **options)


TOKENS = torch.ones(2, 3).long()


@pytest.mark.bad_input
@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: Encoder(GRUCell(3, 4), 9), "layer is a"),
        (lambda: Encoder(gru(), 0), "vocab_size is 0"),
        (lambda: Encoder(gru(), 9)(torch.zeros(2, 0).long()), "at least one sequence and one token"),
        (lambda: Encoder(gru(), 9)(torch.zeros(0, 2).long()), "at least one sequence and one token"),
        (lambda: Encoder(gru(), 9)(TOKENS, None, torch.tensor([3, 0])), "lengths runs from 0 to 3"),
        (lambda: Encoder(gru(), 9)(TOKENS, None, torch.tensor([3, 4])), "lengths runs from 3 to 4"),
        (lambda: Encoder(gru(), 9)(TOKENS * 9), "tokens holds 9"),
        (lambda: Decoder(Stacked.of(GRUCell, 3, 4, bidirectional=True), 8), "layer reads from both ends"),
        (
            lambda: LuongDecoder(Stacked.of(GRUCell, 3, 4, bidirectional=True), 8, DotAttention(8)),
            "layer reads from both ends",
        ),
        (lambda: LuongDecoder(gru(), 8, DotAttention(4)), "attention has query size 4; it should be 5"),
        (lambda: LuongDecoder(gru(), 8, torch.nn.Linear(3, 4)), "attention is a Linear"),
        (lambda: LuongDecoder(gru(), 8, DotAttention(5), input_feeding="no"), "input_feeding is 'no'"),
        (lambda: LuongDecoder(gru(), 8, DotAttention(5), input_feeding=True), "it should be more than 5"),
        (lambda: LuongDecoder(gru(), 8, DotAttention(5), attentional_size=0), "attentional_size is 0"),
        (lambda: LuongDecoder(gru(), 8, DotAttention(5), tie_weights=True), "attentional_size is 5; with tie_weights"),
        (lambda: LuongDecoder(gru(), 8, DotAttention(5), tie_weights=1), "tie_weights is 1"),
        (lambda: BahdanauDecoder(gru(), 8, DotAttention(4)), "attention has query size 4; it should be 5"),
        (lambda: BahdanauDecoder(gru(), 8, DotAttention(5)), "layer has input size 4; it should be more than 5"),
        (lambda: LuongDecoder(gru(), 8, DotAttention(5))(TOKENS, torch.zeros(2, 5)), "state is a Tensor"),
        (lambda: Bridge(gru(), torch.nn.Linear(3, 4)), "decoder_layer is a Linear"),
        (lambda: Bridge(CausalTransformer(4, 2), gru()), "encoder_layer has a state of the form"),
        (lambda: Bridge(gru(), gru())((torch.zeros(2, 5), torch.zeros(2, 5))), r"state is of the form \(5, 5\)"),
        (
            lambda: SequenceToSequence(Encoder(gru(4, 6), 9), Decoder(gru(), 8)),
            "the encoder's final state is of the form 6 and the decoder's first one 5",
        ),
        (
            lambda: SequenceToSequence(Encoder(gru(), 9), Decoder(Recurrent(LSTMCell(3, 5)), 8)),
            r"and the decoder's first one LSTMState\(h=5, c=5\)",
        ),
        (
            lambda: SequenceToSequence(Encoder(gru(), 9), LuongDecoder(gru(), 8, GeneralAttention(5, 6))),
            "attention has value size 6; it should be 5",
        ),
        (lambda: SequenceToSequence(gru(), Decoder(gru(), 8)), "encoder is a Recurrent"),
        (lambda: whole(bridge=3), "bridge is a int"),
        (lambda: whole()(TOKENS, TOKENS[:, :1]), "targets has 1 step"),
        (lambda: whole()(TOKENS, TOKENS * 8), "targets holds 8"),
        (lambda: whole()(TOKENS, TOKENS, teacher_forcing=1.5), "teacher_forcing is 1.5"),
        (lambda: whole()(TOKENS, TOKENS, torch.tensor([0, 0])), "lengths runs from 0 to 0"),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_gradients_flow_to_what_was_looked_up_and_to_the_first_state():
    decoder = decoder_of("luong fed").double()
    outputs, first = leaf(2, 4, VALUE), leaf(2, HIDDEN)
    logits, _ = decoder(torch.ones(2, 3).long(), decoder.start((first,), outputs, torch.tensor([4, 2])))
    grads = torch.autograd.grad(logits.pow(2).sum(), [outputs, first])
    assert grads[0][1, 2:].eq(0).all()
    assert grads[0][1, :2].abs().min() > 0
    assert grads[1].abs().min() > 0
