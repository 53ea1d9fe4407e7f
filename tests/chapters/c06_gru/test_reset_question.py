"""Question 6.6 tells an answer that is too weak from one that has a bias too many."""

import torch

from rnncourse.chapters.c06_gru.questions.reset import THREE
from rnncourse.grading.marking import mark
from tests.seeds import answers


def with_third(b_hn, b_z):
    """The reference's first two GRUs, and a third of one unit with a bias inside the reset and one on the update."""

    def three(input_size, hidden_size):
        first, second, _ = THREE.reference(input_size, hidden_size)
        weight_ih, weight_hh = torch.zeros(3, input_size), torch.zeros(3, 1)
        return first, second, (weight_ih, weight_hh, torch.tensor([0.0, b_z, 0.0]), torch.tensor([0.0, 0.0, b_hn]))

    return mark(THREE, answers(THREE, three, 0), 0)


def test_one_bias_whose_gap_is_too_small_is_not_called_a_bias_too_many():
    result = with_third(3.0, 0.0)  # tanh compresses both: right in kind, and closer than a tenth
    assert not result.full
    assert result.mistake == ""
    assert "less than 0.1" in str(result.problems)


def test_a_second_bias_is_called_so_only_where_the_gap_is_there():
    result = with_third(1.5, -2.0)
    assert not result.full
    assert result.mistake == "every bias in the third"
