"""The ablation experiment: each variant lacks what it says, and the judge of continual Reber knows a perfect mind."""

import pytest
import torch
from torch import nn

from rnncourse.cells import LSTMCell
from rnncourse.chapters.c05_lstm.experiments.ablation import (
    RUN_IN,
    STREAMS,
    TEST_SEED,
    VARIANTS,
    judge_reber,
    learn_reber,
    reber_baselines,
    variant,
)
from rnncourse.chapters.c05_lstm.experiments.starts import chrono, total_bias
from rnncourse.data.continual_reber import continual_reber
from rnncourse.data.reber import SYMBOLS, closing_steps, legal_successors
from rnncourse.layers import Recurrent
from rnncourse.models import LanguageModel
from rnncourse.shapes import LSTMState


def trace_of(name: str):
    cell = variant(name, 3, 4)
    x_t = torch.randn(5, 3)
    state = cell.initial_state(5)
    for _ in range(3):
        trace, state = cell.trace(x_t, state)
    return trace, state


@pytest.mark.parametrize(("name", "gate"), [("NIG", "i"), ("NFG", "f"), ("NOG", "o")])
def test_a_gate_that_is_gone_stands_open(name, gate):
    trace, _ = trace_of(name)
    assert torch.equal(getattr(trace, gate), torch.ones(5, 4))
    for other in {"i", "f", "o"} - {gate}:
        assert (getattr(trace, other) < 1).all()


def test_coupled_gates_share_one():
    trace, _ = trace_of("CIFG")
    assert torch.equal(trace.f, 1 - trace.i)


def test_without_output_activation_the_cell_is_read_as_it_is():
    trace, _ = trace_of("NOAF")
    assert torch.equal(trace.h, trace.o * trace.c)


def test_variants_draw_the_same_weights_and_start_from_the_same_forget_gate():
    cells = {}
    for name in set(VARIANTS) - {"P"}:
        torch.manual_seed(3)
        cells[name] = variant(name, 3, 4)
    for name, cell in cells.items():
        assert torch.equal(cell.weight_hh, cells["full"].weight_hh)
        trace, _ = cell.trace(torch.zeros(1, 3), cell.initial_state(1))
        if name != "NFG":
            assert torch.allclose(trace.f, torch.sigmoid(torch.tensor(1.0)))


def test_only_p_has_peepholes():
    assert [name for name in VARIANTS if variant(name, 2, 3).has_peepholes] == ["P"]


class Mind(nn.Module):
    """Stands in for a model: scores from a table by step, over a layer that does nothing."""

    def __init__(self, scores: torch.Tensor) -> None:
        super().__init__()
        self.scores = scores
        self.layer = Recurrent(LSTMCell(1, 2))
        self.start = 0

    def embedding(self, inputs):
        self.start = self.scores.shape[1] - inputs.shape[1]
        return torch.zeros(*inputs.shape, 1)

    def forward(self, inputs, state=None):
        return self.scores[:, : inputs.shape[1]], self.layer.initial_state(len(inputs))

    def readout(self, h):
        return self.scores[:, self.start :]


def known_mind(*, remembers: bool) -> tuple[Mind, torch.Tensor]:
    batch = continual_reber(STREAMS, length=300, seed=TEST_SEED)
    legal = legal_successors(batch.inputs, continual=True)
    closing = closing_steps(batch.inputs, continual=True)
    if not remembers:  # T and P are alike at the end
        legal = legal.clone()
        legal[closing] = torch.tensor([symbol in ("T", "P") for symbol in SYMBOLS])
    return Mind(legal.double().clamp(min=1e-12).log() - legal.sum(-1, keepdim=True).log()), closing


def test_who_knows_the_grammar_and_remembers_is_perfect():
    mind, _ = known_mind(remembers=True)
    found = judge_reber(mind, length=300)
    assert found["right"] == found["closing"] == found["perfect"] == 1
    assert found["streak"] == 300 - RUN_IN
    assert found["bits"] == pytest.approx(reber_baselines(300)["ideal"], abs=1e-6)


def test_who_forgets_fails_at_closing_steps_and_nowhere_else():
    mind, closing = known_mind(remembers=False)
    closing = closing[:, RUN_IN:]
    found = judge_reber(mind, length=300)
    assert found["right"] == pytest.approx(1 - closing.double().mean().item())
    assert found["streak"] == pytest.approx(closing.long().argmax(1).double().mean().item())
    assert found["bits"] == pytest.approx(reber_baselines(300)["forgetful"], abs=1e-6)
    assert found["perfect"] == 0


def test_the_state_goes_on_from_window_to_window():
    """One long window and many short ones read the same, so a cell that is not trained ends in the same state."""
    cell = variant("full", len(SYMBOLS), 4)
    model = LanguageModel(Recurrent(cell), len(SYMBOLS), one_hot=True)
    batch = continual_reber(3, length=40, seed=5)
    _, whole = model(batch.inputs)
    state = None
    for start in range(0, 40, 8):
        _, state = model(batch.inputs[:, start : start + 8], state)
    assert torch.allclose(whole.c, state.c, atol=1e-6)


def test_learning_beats_the_unigram():
    torch.manual_seed(0)
    cell = variant("full", len(SYMBOLS), 8)
    model = learn_reber(cell, steps=60, window=20, batch_size=8, lr=0.02, seed=0)
    counts = continual_reber(50, length=200, seed=9).targets.flatten().bincount(minlength=8).double()
    share = counts[counts > 0] / counts.sum()
    assert judge_reber(model, length=300)["bits"] < -(share * share.log2()).sum() - 0.3


@pytest.mark.bad_input
def test_unknown_variant_is_refused():
    with pytest.raises(ValueError, match="name is 'NP'; it should be one of 'full', 'P'"):
        variant("NP", 2, 3)


@pytest.mark.parametrize("name", ["full", "NIG", "NFG", "NOG", "CIFG"])
def test_chrono_opens_the_forget_gate_of_every_variant(name):
    torch.manual_seed(0)
    cell = chrono(variant(name, 2, 6), 30)
    kept = total_bias(cell, 1)
    assert 0 <= kept.min() < kept.max()
    assert torch.equal(total_bias(cell, 0), -kept)
    with torch.no_grad():
        for weight in (cell.weight_ih, cell.weight_hh):
            weight.zero_()
        trace, _ = cell.trace(torch.zeros(1, 2), LSTMState(torch.zeros(1, 6), torch.ones(1, 6)))
    expected = torch.ones(6) if name == "NFG" else torch.sigmoid(kept)
    assert torch.allclose(trace.f, expected.expand(1, 6), atol=1e-6)
