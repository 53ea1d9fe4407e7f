"""What chapter 2 measures is what it says it measures: theorems about the measuring, on models that are known."""

import pytest
import torch
from torch import nn

from rnncourse.chapters.c02_vanilla_rnn.experiments.language_modelling import (
    CONTEXTS,
    bits_with_context,
    character_model,
    context_curves,
    language_model,
    train,
)
from rnncourse.models.text import next_character_loss, text_bits
from rnncourse.training.losses import nats_to_bits

VOCABULARY = 7


def codes(length: int = 400) -> torch.Tensor:
    return torch.randint(VOCABULARY, (length,), generator=torch.Generator().manual_seed(3))


class Markov(nn.Module):
    """Knows the last ``order`` characters in order, and nothing else."""

    def __init__(self, order: int) -> None:
        super().__init__()
        self.order = order
        self.table = torch.randn(VOCABULARY**order, VOCABULARY, generator=torch.Generator().manual_seed(5))

    def forward(self, tokens, state=None):
        before = torch.zeros(len(tokens), self.order - 1, dtype=torch.long) if state is None else state
        known = torch.cat([before, tokens], dim=1)
        windows = known.unfold(1, self.order, 1)  # (batch, time, order)
        index = (windows * VOCABULARY ** torch.arange(self.order)).sum(-1)
        return self.table[index], known[:, len(known[0]) - self.order + 1 :]


def test_text_bits_in_one_stretch_is_the_mean_surprise_of_every_character():
    model, text = character_model(VOCABULARY, hidden_size=5).requires_grad_(False), codes()
    logits, _ = model(text[None, :-1])
    surprise = -torch.log_softmax(logits[0], dim=1).gather(1, text[1:, None]).mean()
    assert text_bits(model, text, streams=1) == pytest.approx(float(nats_to_bits(surprise)), rel=1e-5)


def test_text_bits_does_not_depend_on_the_pieces_it_reads_in():
    model, text = Markov(2), codes(1200)  # 1199 predictions: several pieces of 256
    logits, _ = model(text[None, :-1])
    surprise = -torch.log_softmax(logits[0], dim=1).gather(1, text[1:, None]).mean()
    assert text_bits(model, text, streams=1) == pytest.approx(float(nats_to_bits(surprise)), rel=1e-5)


def test_a_model_of_known_order_loses_nothing_once_its_context_is_left():
    text, positions = codes(), torch.arange(64, 400)
    for order in (1, 3):
        model = Markov(order)
        whole = bits_with_context(model, text, positions, 64)
        for size in (order, order + 1, 20):
            assert bits_with_context(model, text, positions, size) == pytest.approx(whole, abs=1e-5)
            assert bits_with_context(model, text, positions, size, reach=64) == pytest.approx(whole, abs=1e-5)
        if order > 1:
            assert bits_with_context(model, text, positions, order - 1) != pytest.approx(whole, abs=1e-3)
            assert bits_with_context(model, text, positions, order - 1, reach=64) != pytest.approx(whole, abs=1e-3)


def test_shuffling_moves_the_older_characters_only_and_keeps_them_all():
    text, positions, seen = codes(), torch.arange(64, 400), []

    class Spy(nn.Module):
        def forward(self, tokens, state=None):
            seen.append(tokens)
            return torch.zeros(*tokens.shape, VOCABULARY), state

    bits_with_context(Spy(), text, positions, 8, reach=64, generator=torch.Generator().manual_seed(0))
    shown = torch.cat(seen)
    true = text[positions[:, None] - 64 + torch.arange(64)]
    assert torch.equal(shown[:, -8:], true[:, -8:])
    assert torch.equal(shown[:, :-8].sort(dim=1).values, true[:, :-8].sort(dim=1).values)
    assert not torch.equal(shown[:, :-8], true[:, :-8])


def test_the_two_curves_meet_where_nothing_is_left_to_cut_or_shuffle():
    found = context_curves(character_model(VOCABULARY, hidden_size=5), codes(), count=30)
    assert len(found["cut"]) == len(found["shuffled"]) == len(CONTEXTS)
    assert found["cut"][-1] == pytest.approx(found["shuffled"][-1], abs=1e-6)


@pytest.mark.bad_input
def test_a_position_without_enough_text_before_it_is_refused():
    with pytest.raises(ValueError, match=r"size is 4 and the first position 3; they should be"):
        bits_with_context(Markov(1), codes(), torch.tensor([3, 9]), 4)
    with pytest.raises(ValueError, match="size is 0"):
        bits_with_context(Markov(1), codes(), torch.tensor([9]), 0)


def test_training_learns_and_repeats_itself():
    from rnncourse.data import load

    text = load("prose", max_chars=20_000)
    model, history = train(text, seed=0, steps=12, hidden_size=12, lr=1e-2)
    again, _ = train(text, seed=0, steps=12, hidden_size=12, lr=1e-2)
    assert history.losses[-1] < history.losses[0]
    assert all(torch.equal(a, b) for a, b in zip(model.parameters(), again.parameters(), strict=True))
    batch = next(iter(text.valid.batches(4, seq_len=16)))
    assert next_character_loss(model, batch) < next_character_loss(
        character_model(len(text.vocabulary), hidden_size=12), batch
    )


def test_the_experiment_reports_every_rival_at_smoke_size():
    values = language_model(seed=0, steps=3, hidden_size=8, lr=5e-3, max_chars=20_000, count=10)
    assert {"rnn", "rnn_bytes", "cut", "shuffled", "ngram", "ngram_bytes", "gzip", "bzip2", "xz"} <= set(values)
    assert len(values["ngram"]) == len(values["ngram_bytes"]) == 8
