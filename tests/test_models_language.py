"""Language models: embedding against unit vectors, reading on, and writing."""

import pytest
import torch
from torch import nn

from rnncourse.cells import GRUCell, LSTMCell, RNNCell
from rnncourse.layers import Bidirectional, Recurrent, Stacked
from rnncourse.models import LanguageModel, OneHot, generate


def test_embedding_equals_one_hot_times_matrix():
    tokens = torch.randint(7, (3, 6))
    embedding = nn.Embedding(7, 4).double()
    one_hot = OneHot(7).double()
    by_product = one_hot(tokens) @ embedding.weight
    torch.testing.assert_close(embedding(tokens), by_product, rtol=0, atol=0)
    downstream = torch.randn_like(by_product)
    (direct,) = torch.autograd.grad((embedding(tokens) * downstream).sum(), embedding.weight)
    (product,) = torch.autograd.grad((by_product * downstream).sum(), embedding.weight)
    torch.testing.assert_close(direct, product, rtol=0, atol=1e-10)


def test_one_hot_model_equals_embedding_model_in_value_and_gradient():
    """W_ih e_w is a column of W_ih: the one-hot model is an embedding model whose embedding went into W_ih."""
    with_embedding = LanguageModel(Recurrent(RNNCell(4, 5)), 7).double()
    with_one_hot = LanguageModel(Recurrent(RNNCell(7, 5)), 7, one_hot=True).double()
    embedding, cell = with_embedding.embedding.weight, with_embedding.layer.cell
    folded = with_one_hot.layer.cell
    with torch.no_grad():
        folded.weight_ih.copy_(cell.weight_ih @ embedding.T)
        for name in ("weight_hh", "bias_ih", "bias_hh"):
            getattr(folded, name).copy_(getattr(cell, name))
        with_one_hot.readout.load_state_dict(with_embedding.readout.state_dict())
    tokens = torch.randint(7, (3, 6))
    logits, state = with_embedding(tokens)
    same_logits, same_state = with_one_hot(tokens)
    torch.testing.assert_close(logits, same_logits, rtol=0, atol=1e-10)
    torch.testing.assert_close(state, same_state, rtol=0, atol=1e-10)
    downstream = torch.randn_like(logits)
    (logits * downstream).sum().backward()
    (same_logits * downstream).sum().backward()
    torch.testing.assert_close(cell.weight_hh.grad, folded.weight_hh.grad, rtol=0, atol=1e-10)
    torch.testing.assert_close(embedding.grad, folded.weight_ih.grad.T @ cell.weight_ih, rtol=0, atol=1e-10)
    torch.testing.assert_close(cell.weight_ih.grad, folded.weight_ih.grad @ embedding, rtol=0, atol=1e-10)


@pytest.mark.parametrize("name", ["rnn", "lstm", "gru"])
def test_reading_in_two_parts_equals_reading_at_once(name):
    cell = {"rnn": RNNCell, "lstm": LSTMCell, "gru": GRUCell}[name]
    model = LanguageModel(Recurrent(cell(4, 5)), 7).double()
    tokens = torch.randint(7, (2, 9))
    whole, end = model(tokens)
    first, state = model(tokens[:, :4])
    second, same_end = model(tokens[:, 4:], state)
    torch.testing.assert_close(torch.cat([first, second], 1), whole, rtol=0, atol=1e-10)
    torch.testing.assert_close(same_end, end, rtol=0, atol=1e-10)


def test_tied_weights_are_one_parameter():
    model = LanguageModel(Recurrent(RNNCell(5, 5)), 7, tie_weights=True)
    assert model.readout.weight is model.embedding.weight
    assert sum(p.numel() for p in model.parameters()) == 7 * 5 + (5 * 5 + 5) * 2 + 7


def test_cold_sampling_takes_the_likeliest_and_equals_greedy_by_hand():
    model = LanguageModel(Recurrent(GRUCell(4, 5)), 7)
    prompt = torch.randint(7, (2, 3))
    text = prompt
    for _ in range(6):
        logits, _ = model(text)  # always from the beginning: no carried state to go wrong
        text = torch.cat([text, logits[:, -1].argmax(-1, keepdim=True)], 1)
    assert generate(model, prompt, 6, temperature=0).equal(text[:, 3:])
    assert generate(model, prompt, 6, temperature=1e-9).equal(text[:, 3:])


def test_samples_follow_the_softmax_at_each_temperature():
    model = LanguageModel(Recurrent(RNNCell(4, 5)), 3)
    with torch.no_grad():
        model.readout.weight.zero_()
        model.readout.bias.copy_(torch.tensor([0.0, 1.0, 2.0]))
    prompt = torch.zeros(20_000, 1, dtype=torch.long)
    for temperature in (0.5, 1.0, 4.0):
        drawn = generate(model, prompt, 1, temperature=temperature, generator=torch.Generator().manual_seed(0))
        found = torch.bincount(drawn.flatten(), minlength=3) / len(prompt)
        torch.testing.assert_close(
            found, torch.softmax(model.readout.bias / temperature, 0).detach(), rtol=0, atol=0.015
        )


def test_sampling_is_seeded_and_leaves_the_model_as_it_was():
    model = LanguageModel(Recurrent(RNNCell(4, 5)), 7, dropout=0.5).train()
    prompt = torch.zeros(2, 1, dtype=torch.long)
    first = generate(model, prompt, 20, generator=torch.Generator().manual_seed(3))
    second = generate(model, prompt, 20, generator=torch.Generator().manual_seed(3))
    assert first.equal(second)
    assert model.training
    assert not first.equal(generate(model, prompt, 20, generator=torch.Generator().manual_seed(4)))


def test_dropout_acts_in_training_only():
    model = LanguageModel(Recurrent(RNNCell(4, 5)), 7, dropout=0.5)
    tokens = torch.zeros(1, 4, dtype=torch.long)
    assert not model(tokens)[0].equal(model(tokens)[0])
    model.eval()
    assert model(tokens)[0].equal(model(tokens)[0])


BOTH_WAYS = {
    "alone": lambda: Bidirectional(Recurrent(GRUCell(4, 3)), Recurrent(GRUCell(4, 3))),
    "summed": lambda: Bidirectional(Recurrent(GRUCell(4, 3)), Recurrent(GRUCell(4, 3)), merge="sum"),
    "in a stack": lambda: Stacked.of(LSTMCell, 4, 3, num_layers=2, bidirectional=True),
    "above another": lambda: Stacked(
        Recurrent(GRUCell(4, 4)), Bidirectional(Recurrent(GRUCell(4, 3)), Recurrent(GRUCell(4, 3)))
    ),
}


@pytest.mark.bad_input
@pytest.mark.parametrize("kind", BOTH_WAYS)
def test_a_language_model_never_reads_what_it_is_to_predict(kind):
    with pytest.raises(ValueError, match="^layer reads from both ends"):
        LanguageModel(BOTH_WAYS[kind](), vocab_size=7)
    model = LanguageModel(Recurrent(GRUCell(4, 3)), vocab_size=7)
    model.layer = BOTH_WAYS[kind]()  # put in afterwards
    with pytest.raises(ValueError, match="^model.layer reads from both ends"):
        generate(model, torch.zeros(1, 1, dtype=torch.long), 2)


@pytest.mark.bad_input
def test_writing_puts_every_parts_mode_back_also_after_an_error():
    model = LanguageModel(Stacked.of(GRUCell, 4, 4, num_layers=2, dropout=0.5), 7, dropout=0.5)
    model.layer.eval()  # one part frozen on purpose
    modes = [part.training for part in model.modules()]
    assert len(set(modes)) == 2
    generate(model, torch.zeros(1, 1, dtype=torch.long), 2)
    assert [part.training for part in model.modules()] == modes
    with torch.no_grad():
        model.readout.bias.fill_(float("nan"))  # nothing can be drawn by it
    with pytest.raises(RuntimeError):
        generate(model, torch.zeros(1, 1, dtype=torch.long), 2)
    assert [part.training for part in model.modules()] == modes
