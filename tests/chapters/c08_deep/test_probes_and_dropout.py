"""Probes read what is there and nothing else; dropout acts where its name says."""

import pytest
import torch

from rnncourse.cells import LSTMCell
from rnncourse.chapters.c08_deep.experiments import dropout
from rnncourse.chapters.c08_deep.experiments.dropout import DROPPED, DroppedLSTM, dropped_stack, forgetting, overfit
from rnncourse.chapters.c08_deep.experiments.probes import (
    answers,
    majority,
    probe,
    residual,
    stack_model,
    states_by_layer,
)
from rnncourse.data import load
from rnncourse.layers import Recurrent
from rnncourse.shapes import LSTMState


@pytest.fixture(scope="module")
def text():
    return load("prose", max_chars=30_000)


def test_a_probe_is_ridge_regression_on_unit_vectors():
    generator = torch.Generator().manual_seed(0)
    h = torch.randn(200, 3, generator=generator)
    classes = (h[:, 0] > 0).long() + (h[:, 0] > 1).long()
    classes[:20] = -1  # not asked
    design = torch.cat([h, torch.ones(200, 1)], 1)[20:].double()
    extra = (0.01 * len(design)) ** 0.5 * torch.eye(4, dtype=torch.float64)
    targets = torch.cat([torch.nn.functional.one_hot(classes[20:]).double(), torch.zeros(4, 3, dtype=torch.float64)])
    B = torch.linalg.lstsq(torch.cat([design, extra]), targets).solution
    expected = ((design @ B).argmax(1) == classes[20:]).double().mean().item()
    assert probe((h, classes), (h, classes)) == pytest.approx(expected)


def test_a_probe_finds_nothing_in_noise():
    generator = torch.Generator().manual_seed(1)
    h, classes = torch.randn(4000, 5, generator=generator), torch.randint(4, (4000,), generator=generator)
    assert abs(probe((h[:2000], classes[:2000]), (h[2000:], classes[2000:])) - 0.25) < 0.05


def test_the_questions_have_the_answers_that_a_reader_gives(text):
    codes = torch.tensor([[text.vocabulary.symbols.index(symbol) for symbol in "a word, so"]])
    found = {name: classes[0].tolist() for name, classes in answers(codes, text).items()}
    letter = {symbol: place for place, symbol in enumerate(text.vocabulary.symbols)}
    assert found["letters"] == [1, -1, 1, 2, 3, 4, -1, -1, 1, 2]
    w = letter["w"]
    assert found["word_start"] == [-1, -1, -1, -1, w, w, -1, -1, -1, -1]
    assert found["now"] == codes[0].tolist()
    assert found["before"] == [-1, -1, *codes[0].tolist()[:-2]]
    assert found["next"] == [*codes[0].tolist()[1:], -1]


def test_the_commonest_answer_is_that_of_the_training_part():
    assert majority(torch.tensor([1, 1, 2, -1]), torch.tensor([2, 1, -1, 2])) == pytest.approx(1 / 3)


def test_the_states_by_layer_end_in_what_the_stack_puts_out(text):
    model = stack_model(len(text.vocabulary), hidden_size=6, num_layers=3)
    tokens = text.valid.codes[:40].view(2, 20)
    states = states_by_layer(model, tokens)
    assert len(states) == 3
    assert torch.allclose(states[-1], model.layer(model.embedding(tokens))[0])


def test_a_residual_stack_starts_from_the_numbers_of_the_plain_one():
    models = []
    for adds in (False, True):
        torch.manual_seed(0)
        models.append(stack_model(20, hidden_size=6, num_layers=4, residual=adds))
    for plain, other in zip(models[0].parameters(), models[1].parameters(), strict=True):
        assert torch.equal(plain, other)
    assert models[1].layer.residual
    assert not models[0].layer.residual


def layer_of(place, p):
    torch.manual_seed(3)
    return DroppedLSTM(LSTMCell(2, 6), dropout=p, place=place)


@pytest.mark.parametrize("place", DROPPED)
def test_in_use_nothing_is_dropped(place):
    layer, x = layer_of(place, 0.5).eval(), torch.randn(3, 5, 2)
    expected, state = Recurrent(layer.cell, implementation="loop")(x)
    outputs, last = layer(x)
    assert torch.equal(outputs, expected)
    assert torch.equal(last.c, state.c)


@pytest.mark.parametrize("place", DROPPED)
def test_a_mask_falls_where_the_place_says(place, monkeypatch):
    layer, x = layer_of(place, 0.5), torch.randn(3, 4, 2)
    generator, masks = torch.Generator().manual_seed(0), []

    def mask(like):
        masks.append((torch.rand(like.shape, generator=generator) > 0.5).float() * 2)
        return masks[-1]

    monkeypatch.setattr(layer, "_mask", mask)
    outputs, _ = layer(x)
    state = LSTMState(torch.zeros(3, 6), torch.zeros(3, 6))
    used = [masks[0]] * 4 if place == "gates_one_mask" else masks[1:]
    assert len(used) == 4
    for t in range(4):
        h = state.h if place == "memory_fresh" else used[t] * state.h
        c = used[t] * state.c if place == "memory_fresh" else state.c
        output, state = layer.cell(x[:, t], LSTMState(h, c))
        assert torch.allclose(outputs[:, t], output)


def test_masks_keep_the_mean():
    layer = layer_of("gates_fresh", 0.3)
    mask = layer._mask(torch.zeros(200_000))
    assert mask.unique().tolist() == pytest.approx([0.0, 1 / 0.7])
    assert abs(mask.mean().item() - 1) < 0.01


def test_between_means_between():
    stack = dropped_stack(2, 4, place="between", dropout=0.4, num_layers=2)
    assert stack.dropout.p == 0.4
    assert dropped_stack(2, 4, place="nowhere", dropout=0.4, num_layers=2).dropout.p == 0
    for layer in stack.layers:
        assert torch.equal(layer.cell.bias_ih[4:8], torch.ones(4))


@pytest.mark.bad_input
def test_an_unknown_place_is_refused_by_name():
    with pytest.raises(ValueError, match="place is 'above'"):
        dropped_stack(2, 4, place="above", dropout=0.4, num_layers=2)
    with pytest.raises(ValueError, match="place is 'between'"):
        DroppedLSTM(LSTMCell(2, 4), dropout=0.4, place="between")


def test_same_seed_same_numbers():
    sizes = {"seed": 1, "steps": 2, "lr": 1e-2, "lag": 3, "share": 0.3, "hidden_size": 4}
    assert forgetting(**sizes) == forgetting(**sizes)
    sizes = {"seed": 1, "steps": 2, "lr": 1e-2, "shares": [0.5], "hidden_size": 4, "max_chars": 5_000}
    assert overfit(**sizes) == overfit(**sizes)
    sizes = {"seed": 1, "steps": 2, "rates": [1e-3], "depths": [2], "hidden_size": 4, "max_chars": 30_000}
    assert residual(**sizes) == residual(**sizes)


def test_what_was_trained_with_dropout_is_measured_without(monkeypatch):
    measured = []

    def bits(model, codes, streams):
        measured.append(model.training)
        return 1.0

    class Watched(dropout.SequenceClassifier):
        def forward(self, inputs):
            if len(inputs) == 1000:  # the fresh sequences
                measured.append(self.training)
            return super().forward(inputs)

    monkeypatch.setattr(dropout, "text_bits", bits)
    monkeypatch.setattr(dropout, "SequenceClassifier", Watched)
    dropout.overfit(seed=0, steps=2, lr=5e-3, shares=[0.5], hidden_size=8, max_chars=5_000)
    assert len(measured) >= 4  # twice on the way, three texts at the end
    dropout.recalled("between", seed=0, steps=2, lr=5e-3, lag=4, share=0.5, hidden_size=6)
    assert not any(measured)
