"""Questions 5.6 and 5.7: fixed answers earn nothing, the self-check says what the grade says, judges take anything."""

import inspect
import itertools
import math

import pytest
import torch

from rnncourse.chapters.c05_lstm.questions.broken import EXPOSE, differ, judge_exposures, lstm
from rnncourse.chapters.c05_lstm.questions.lag import LAG, judge_memory
from rnncourse.grading.marking import mark
from rnncourse.grading.selfcheck import PUBLIC_SEED
from rnncourse.notebooks import read
from tests.house import ROOT


def test_the_notebook_shows_the_lstms_that_the_judge_runs():
    cells = [cell.source.rstrip() for cell in read(ROOT / "solutions" / "05_lstm.ipynb").cells]
    assert inspect.getsource(lstm).rstrip() in cells


def fixed_inputs(inputs: int) -> torch.Tensor:
    """Candidates for x_c that look at no weight, (500, 8, inputs): one, two or four directions, weak to strong."""
    generator = torch.Generator().manual_seed(inputs)
    size = 10 ** (0.5 + 2 * torch.rand(500, 1, 1, generator=generator))
    directions = torch.randn(500, 8, inputs, generator=generator)
    held = torch.tensor([1, 2, 4])[torch.arange(500) % 3]  # how many directions
    step = torch.arange(8) * held[:, None] // 8
    return (size * directions.gather(1, step[..., None].expand(-1, -1, inputs))).clamp(-1000, 1000)


def test_no_fixed_input_exposes_the_third_lstm_in_every_case():
    candidates = {inputs: fixed_inputs(inputs) for inputs in (2, 3)}
    shown = []  # for every seed and case: the number of inputs, and which candidates would do
    for seed in range(60):
        drawn = {case: (weights[0].shape[1], weights) for case, weights in EXPOSE.inputs(seed).items()}
        shown.append({case: (n, differ(candidates[n], weights, "c")) for case, (n, weights) in drawn.items()})
    best = {}  # the candidate that did best on the first half, for every case and number of inputs
    for case, inputs in itertools.product(EXPOSE.cases, candidates):
        seen = [row[case][1].double() for row in shown[:30] if row[case][0] == inputs]
        best[case, inputs] = int(torch.stack(seen).sum(0).argmax())
    earned = [all(bool(right[best[case, n]]) for case, (n, right) in row.items()) for row in shown[30:]]
    assert sum(earned) < 0.1 * len(earned)


def memory(input_bias: float, opens: float, closes: float):
    """The solution to 5.7 with other weights at its gates."""

    def fading_memory(lag, survive):
        gate = survive ** (1 / lag)
        weight_ih = torch.tensor([[0.0, opens], [0.0, closes], [1.0, 0.0], [0.0, 0.0]])
        bias = torch.tensor([input_bias, math.log(gate / (1 - gate)), 0.0, 0.0])
        return weight_ih, torch.zeros(4, 1), bias, torch.zeros(4)

    return fading_memory


def marked(function, seed: int):
    return mark(LAG, {label: function(*arguments) for label, arguments in LAG.inputs(seed).items()}, seed)


@pytest.mark.parametrize("closes", [-5.0, -10.0, -11.0, -12.0, -40.0])
@pytest.mark.parametrize("input_bias", [-3.0, -5.0, -8.5, -9.5, -20.0])
def test_the_self_check_of_a_memory_says_what_every_graded_run_says(input_bias, closes):
    function = memory(input_bias, -2 * input_bias, closes)
    public = marked(function, PUBLIC_SEED)
    assert [marked(function, seed).points for seed in range(3)] == [public.points] * 3


def test_a_leaky_input_gate_is_told_about_the_input_gate():
    for seed in (PUBLIC_SEED, 1, 2):
        result = marked(memory(-5.0, 10.0, -40.0), seed)
        assert (result.points, result.mistake) == (1.5, "the input gate is not shut tightly enough")
        assert all("passes by" in problem for problem in result.problems.values())


def test_a_memory_that_does_not_look_at_its_arguments_earns_nothing():
    for lag, survive in ((1, 0.4), (10, 0.7), (120, 0.7), (150, 0.9)):
        fixed = memory(-20.0, 40.0, -40.0)(lag, survive)
        assert marked(lambda *_, fixed=fixed: fixed, 5).points == 0


ODD = {
    "65 axes": torch.ones((1,) * 65),
    "an 8-bit float": torch.ones(1, 2, 2).to(torch.float8_e4m3fn),
    "truth values": torch.ones(1, 2, 2, dtype=torch.bool),
    "a complex tensor": torch.ones(1, 2, 2, dtype=torch.complex64),
    "a sparse tensor": torch.ones(1, 2, 2).to_sparse(),
    "a tensor without data": torch.ones(1, 2, 2, device="meta"),
    "no entries": torch.ones(1, 0, 2),
    "not a number": torch.full((1, 2, 2), math.nan),
    "a number": 3,
    "an endless integer": 10**400,
    "a dictionary": {"x": 1},
    "nothing": None,
}


@pytest.mark.parametrize("odd", ODD.values(), ids=ODD.keys())
def test_a_judge_says_something_about_anything(odd):
    for judge, count, arguments in (
        (judge_exposures, 3, EXPOSE.inputs(0)["one unit"]),
        (judge_memory, 4, LAG.inputs(0)["a short lag"]),
    ):
        for answer in (odd, (odd,) * count, [odd] * count):
            said = judge(answer, *arguments)
            assert len(said) == 2
            assert all(said)
