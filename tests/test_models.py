"""Task heads: equal to what they say they are, whatever layer stands inside."""

import pytest
import torch
from torch import nn

from rnncourse.cells import GRUCell, LSTMCell, RNNCell
from rnncourse.depth import Between, Perceptron
from rnncourse.layers import Bidirectional, Recurrent, Stacked
from rnncourse.models import LanguageModel, SequenceClassifier, SequenceTagger, generate
from rnncourse.shapes import BidirectionalState, LSTMState

LAYERS = {
    "rnn": lambda size: Recurrent(RNNCell(size, 5)),
    "lstm": lambda size: Recurrent(LSTMCell(size, 5)),
    "gru": lambda size: Recurrent(GRUCell(size, 5)),
    "bidirectional": lambda size: Bidirectional(Recurrent(LSTMCell(size, 3)), Recurrent(LSTMCell(size, 4))),
    "stacked": lambda size: Stacked.of(GRUCell, size, 5, num_layers=2, bidirectional=True),
}
LENGTHS = torch.tensor([6, 1, 4])


@pytest.fixture(params=LAYERS)
def layer(request):
    return LAYERS[request.param](4).double()


def test_tagger_speaks_for_each_sequence_as_if_it_were_alone(layer):
    model = SequenceTagger(layer, 2).double()
    x = torch.randn(3, 6, 4, dtype=torch.float64)
    y, _ = model(x, lengths=LENGTHS)
    for row, length in enumerate(LENGTHS.tolist()):
        alone, _ = model(x[row : row + 1, :length])
        torch.testing.assert_close(y[row, :length], alone[0], rtol=0, atol=1e-10)


@pytest.mark.parametrize("read", ["last", "mean"])
def test_classifier_reads_each_sequence_as_if_it_were_alone(layer, read):
    model = SequenceClassifier(layer, 3, read=read).double()
    x = torch.randn(3, 6, 4, dtype=torch.float64)
    logits, _ = model(x, lengths=LENGTHS)
    for row, length in enumerate(LENGTHS.tolist()):
        alone, _ = model(x[row : row + 1, :length])
        torch.testing.assert_close(logits[row], alone[0], rtol=0, atol=1e-10)


def test_classifier_reads_the_state_that_each_direction_ends_in(layer):
    model = SequenceClassifier(layer, 3).double()
    x = torch.randn(3, 6, 4, dtype=torch.float64)
    logits, state = model(x, lengths=LENGTHS)

    def h(one):
        return one.h if isinstance(one, LSTMState) else one

    top = state[-1] if isinstance(layer, Stacked) else state
    read = torch.cat([h(half) for half in top], -1) if isinstance(top, BidirectionalState) else h(top)
    torch.testing.assert_close(logits, model.readout(read), rtol=0, atol=1e-10)


@pytest.mark.parametrize("nest", [Between, Stacked, lambda layer: Between(Stacked(Stacked(layer)))])
def test_classifier_finds_the_two_directions_inside_other_modules(nest):
    pair = Bidirectional(Recurrent(LSTMCell(4, 3)), Recurrent(LSTMCell(4, 4)))
    bare, nested = SequenceClassifier(pair, 3), SequenceClassifier(nest(pair), 3)
    nested.readout = bare.readout
    x = torch.randn(3, 6, 4)
    torch.testing.assert_close(nested(x, lengths=LENGTHS)[0], bare(x, lengths=LENGTHS)[0], rtol=0, atol=1e-6)


@pytest.mark.bad_input
def test_two_directions_that_a_map_mixes_cannot_be_read_at_their_ends():
    pair = Bidirectional(Recurrent(GRUCell(4, 3)), Recurrent(GRUCell(4, 3)))
    model = SequenceClassifier(Between(pair, after=Perceptron([6, 5])), 3)
    with pytest.raises(ValueError, match="what follows them mixes"):
        model(torch.randn(2, 5, 4))


def test_classifier_does_not_see_padding(layer):
    model = SequenceClassifier(layer, 3).double()
    x = torch.randn(3, 6, 4, dtype=torch.float64)
    logits, _ = model(x, lengths=LENGTHS)
    padded = x.clone()
    for row, length in enumerate(LENGTHS.tolist()):
        padded[row, length:] = 1e3
    changed, _ = model(padded, lengths=LENGTHS)
    torch.testing.assert_close(changed, logits, rtol=0, atol=0)


def test_tokens_are_embedded_where_a_vocabulary_is_given():
    model = SequenceTagger(Recurrent(RNNCell(4, 5)), 2, vocab_size=9)
    tokens = torch.randint(9, (2, 3))
    y, _ = model(tokens)
    by_hand, _ = model.layer(model.embedding(tokens))
    torch.testing.assert_close(y, model.readout(by_hand))


def _model():
    return LanguageModel(Recurrent(RNNCell(4, 5)), 7)


@pytest.mark.bad_input
@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: LanguageModel(Recurrent(RNNCell(4, 5)), 0), "vocab_size is 0"),
        (lambda: LanguageModel(Recurrent(RNNCell(4, 5)), 7, one_hot=True), "layer.input_size is 4; .* 7"),
        (lambda: LanguageModel(Recurrent(RNNCell(4, 5)), 7, tie_weights=True), "tie_weights"),
        (lambda: LanguageModel(Recurrent(RNNCell(4, 5)), 7, dropout=2.0), "dropout is 2.0"),
        (lambda: LanguageModel(RNNCell(4, 5), 7), "layer is a RNNCell; it should be a layer such as"),
        (lambda: SequenceTagger(nn.LSTM(4, 5), 2), "layer is a LSTM; it should be a layer such as"),
        (lambda: SequenceClassifier(None, 2), "layer is a NoneType"),
        (lambda: SequenceTagger(Recurrent(RNNCell(4, 5)), 2, vocab_size=0), "vocab_size is 0"),
        (lambda: _model()([[1, 2]]), "tokens is a list; it should be of type Tensor"),
        (lambda: generate(None, torch.zeros(1, 1, dtype=torch.long), 1), "model is a NoneType"),
        (lambda: generate(_model(), torch.zeros(1, 1, dtype=torch.long), 1, temperature="hot"), "temperature is 'hot'"),
        (lambda: _model()(torch.zeros(2, 3)), "tokens has dtype torch.float32"),
        (lambda: _model()(torch.zeros(3, dtype=torch.long)), "two axes"),
        (lambda: _model()(torch.zeros(2, 0, dtype=torch.long)), "at least one"),
        (lambda: _model()(torch.full((1, 1), 7)), "tokens holds 7; .* from 0 to 6"),
        (lambda: _model()(torch.full((1, 1), -1)), "tokens holds -1"),
        (lambda: generate(_model(), torch.zeros(1, 1, dtype=torch.long), 0), "length is 0"),
        (lambda: generate(_model(), torch.zeros(1, 1, dtype=torch.long), 1, temperature=-1.0), "temperature is -1.0"),
        (lambda: SequenceClassifier(Recurrent(RNNCell(4, 5)), 3, read="first"), "read is 'first'"),
        (lambda: SequenceClassifier(Recurrent(RNNCell(4, 5)), 0), "num_classes is 0"),
        (lambda: SequenceTagger(Recurrent(RNNCell(4, 5)), 2, vocab_size=3)(torch.full((1, 1), 3)), "x holds 3"),
        (
            lambda: SequenceClassifier(
                Bidirectional(Recurrent(RNNCell(4, 5)), Recurrent(RNNCell(4, 5)), merge="sum"), 3
            )(torch.zeros(1, 2, 4)),
            "merge='sum'",
        ),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
