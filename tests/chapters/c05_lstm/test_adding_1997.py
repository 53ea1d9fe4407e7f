"""The rule by which 1997 called the adding problem solved, and that an LSTM can add."""

import torch
from torch import nn

from rnncourse.cells import GRUCell, LSTMCell
from rnncourse.chapters.c04_tanh_and_gradients.experiments.adding import BATCH_SIZE, learn_to_add
from rnncourse.chapters.c05_lstm.experiments import adding_1997
from rnncourse.chapters.c05_lstm.experiments.adding_1997 import IN_A_ROW, WRONG, InARow, learn_the_original
from rnncourse.data.adding import adding
from rnncourse.data.batches import labelled


class Answers(nn.Module):
    """Answers what it is told, whatever it is asked."""

    def __init__(self, answers: list[float]) -> None:
        super().__init__()
        self.answers = torch.tensor(answers).unsqueeze(1)

    def forward(self, inputs, state=None, lengths=None):
        return self.answers, None


def batch_of(targets: list[float]):
    return labelled(torch.zeros(len(targets), 3, 2), torch.tensor(targets).unsqueeze(1))


def test_an_lstm_with_open_gates_adds_the_marked_numbers_exactly():
    """One unit: the input gate opens at marks, the forget gate never shuts, and the candidate is small enough."""
    hidden_size, scale, big = 32, 1e-3, 40.0
    cell = LSTMCell(2, hidden_size)
    with torch.no_grad():
        for parameter in cell.parameters():
            parameter.zero_()
        i, f, g, o = (n * hidden_size for n in range(4))
        cell.weight_ih[i] = torch.tensor([0.0, 2 * big])
        cell.bias_ih[i] = -big
        cell.bias_ih[f] = cell.bias_ih[o] = big
        cell.weight_ih[g] = torch.tensor([scale, 0.0])
        cell.double()
        batch = adding(20, length=200, seed=3)
        state = cell.initial_state(20)
        for x_t in batch.inputs.double().unbind(1):
            h, state = cell(x_t, state)
    assert (h[:, :1] / scale - batch.targets).abs().max() < 1e-5


def test_a_streak_counts_backwards_from_the_newest_answer():
    loss = InARow()
    right, wrong = [0.5] * 4, [0.5, 0.5 + 1.01 * WRONG, 0.5, 0.5]
    for answers, count in ((right, 4), (right, 8), (wrong, 2), (right, 6), (wrong[::-1], 1)):
        loss(Answers(answers), batch_of([0.5] * 4))
        assert loss.count == count


def test_the_loss_on_the_side_of_counting_is_the_mean_squared_error():
    assert InARow()(Answers([1.0, 0.0]), batch_of([0.0, 0.0])).item() == 0.5


def test_the_original_stops_when_enough_in_a_row_are_right(monkeypatch):
    monkeypatch.setattr(adding_1997, "WRONG", 2.0)  # every answer near its target counts
    original = learn_the_original(LSTMCell(2, 32, forget_bias=1.0), length=22, steps=100, lr=1e-4, seed=0)
    assert original.solved
    assert original.sequences == -(-IN_A_ROW // BATCH_SIZE) * BATCH_SIZE
    assert original.wrong == 0


def test_an_untrained_network_is_wrong_about_as_often_as_a_constant():
    original = learn_the_original(LSTMCell(2, 32, forget_bias=1.0), length=22, steps=1, lr=0.0001, seed=0)
    assert not original.solved
    assert original.sequences == BATCH_SIZE
    assert original.wrong > 0.5 * 2560
    assert original.error > 1 / 24 - 0.01


def test_gates_learn_a_short_sum():
    torch.manual_seed(0)
    learnt = learn_to_add(GRUCell(2, 32), length=3, steps=400, lr=0.005, seed=0, check_every=20)
    assert learnt.solved
