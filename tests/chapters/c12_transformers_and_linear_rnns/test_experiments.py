"""The experiments of chapter 12 measure what they say, and their full runs use the rates that validated best."""

import math

import numpy as np
import pytest
import torch
from torch import nn

from rnncourse.chapters.c12_transformers_and_linear_rnns.experiments import cost, parity, selective_copying
from rnncourse.chapters.c12_transformers_and_linear_rnns.experiments import text as texts
from rnncourse.folders import course_root
from rnncourse.results import find_experiment
from rnncourse.results.records import stored_results


class Knows(nn.Module):
    """Says the right parity, or the wrong one from some step on."""

    def __init__(self, until=10_000):
        super().__init__()
        self.until = until

    def forward(self, x, state=None, lengths=None):
        truth = (x == 2).long().cumsum(1) % 2
        said = torch.where(torch.arange(x.shape[1]) < self.until, truth, 1 - truth)
        return nn.functional.one_hot(said, 2).float(), None


def test_bits_and_ends_are_counted_at_real_steps_alone():
    batch = parity.strings(50, (1, 40), 1)
    assert parity.bits_right(Knows(), batch) == parity.ends_right(Knows(), batch) == 1
    assert parity.bits_right(Knows(10), batch) == pytest.approx(
        float(batch.lengths.clamp(max=10).sum() / batch.lengths.sum())
    )
    assert parity.ends_right(Knows(10), batch) == pytest.approx(float((batch.lengths <= 10).float().mean()))


def test_held_out_strings_are_others_for_validation_and_test_and_always_the_same():
    one, again, other = (parity.strings(20, 30, part).inputs for part in (1, 1, 2))
    assert torch.equal(one, again)
    assert not torch.equal(one, other)


def test_the_published_parity_has_an_empty_token_and_the_parity_of_all_bits():
    inputs, targets = parity.asked_at_the_end(40, 13, np.random.default_rng(1))
    assert inputs.shape == (40, 14, 3)
    assert torch.equal(inputs.sum(2), torch.ones(40, 14))
    assert torch.equal(inputs[:, :, 2].sum(1).long() % 2, targets)


def test_the_published_networks_have_its_size():
    model = parity.published_network("tanh", 256)
    assert sum(p.numel() for p in model.layer.parameters()) == 256 * (3 + 256 + 2)


class AlwaysOdd(nn.Module):
    def forward(self, x):
        return torch.tensor([0.0, 1.0]).expand(len(x), 2), None


def test_a_score_is_the_mean_over_lengths_in_percent():
    assert 40 < parity.score(AlwaysOdd(), last=60, each=50) < 60


def test_a_few_steps_solve_parity_with_factors_of_both_signs_alone():
    far = parity.strings(100, 100, 1)
    shares = {
        name: parity.ends_right(parity.train_parity(name, seed=0, steps=250, lr=1e-2, width=16), far)
        for name in ("minGRU", "signed")
    }
    assert shares["signed"] > 0.95
    assert shares["minGRU"] < 0.75


def test_window_bits_are_those_of_the_second_halves():
    codes = torch.randint(5, (40,))

    class Counts(nn.Module):
        def forward(self, x):
            logits = torch.zeros(*x.shape, 5)
            logits[:, : x.shape[1] // 2] = torch.randn(5)  # must not count
            return logits, None

    assert texts.window_bits(Counts(), codes, length=8) == pytest.approx(math.log2(5))


def test_every_character_after_the_first_half_window_is_scored_once():
    codes = torch.arange(1 + 8 + 4 * 5)  # a window, and five half windows more
    seen = []

    class Notes(nn.Module):
        def forward(self, x):
            seen.extend((x[:, 4:] + 1).flatten().tolist())
            return torch.zeros(*x.shape, 100), None

    texts.window_bits(Notes(), codes, length=8)
    assert seen == list(range(5, 29))


@pytest.mark.bad_input
def test_a_text_shorter_than_a_window_is_refused():
    with pytest.raises(ValueError, match="more than length = 8"):
        texts.window_bits(nn.Identity(), torch.zeros(8, dtype=torch.long), length=8)


def test_symbols_are_counted_at_the_cues_alone():
    batch = selective_copying.sequences(10, length=12, remembered=3, part=1)

    class Right(nn.Module):
        def forward(self, x):
            logits = nn.functional.one_hot(batch.targets, 10).float()
            logits[:, :12] = 0  # wrong where nothing is asked
            return logits, None

    assert selective_copying.symbols_right(Right(), batch) == 1


def test_work_takes_turns_and_the_median_counts():
    order = []
    ms = cost.milliseconds({name: lambda name=name: order.append(name) for name in "ab"}, repeats=3)
    assert order == ["a", "b"] * 4
    assert set(ms) == {"a", "b"}
    assert min(ms.values()) >= 0


def test_costs_have_a_number_for_every_network_and_length():
    values = find_experiment("12.cost").function(seed=0, lengths=[4, 8], tokens=8, budget=20_000, repeats=1)
    assert {len(row) for row in values.values()} == {2}
    assert values["LSTM_state"][0] == values["LSTM_state"][1]
    assert values["Transformer_state"][1] > 1.5 * values["Transformer_state"][0]


def test_scans_are_timed_in_every_way():
    assert set(cost.scan_cost(5, batch_size=2, hidden_size=3, repeats=1)) == set(cost.WAYS)


SWEPT = {"parity_rates": "parity", "text_rates": "text", "copying_rates": "copying"}
RUN = [name for name in SWEPT if f"12.{name}" in stored_results(course_root(), "12")]


@pytest.mark.parametrize("name", RUN)
def test_the_full_runs_use_the_rates_that_validated_best(name):
    swept = stored_results(course_root(), "12")[f"12.{name}"]
    best = min if name == "text_rates" else max
    used = find_experiment(f"12.{SWEPT[name]}").scales["full"]["rates"]
    (validated,) = swept.runs
    for (network, values), rate in zip(validated.items(), used, strict=True):
        there = [value for value in values if value is not None and not math.isnan(value)]
        assert values[swept.config["rates"].index(rate)] == best(there), network
