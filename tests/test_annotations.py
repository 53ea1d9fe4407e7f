"""The annotations of the numerical core are checked while the tests run, and cost a user nothing."""

import inspect
import subprocess
import sys

import pytest
import torch
from jaxtyping import TypeCheckError

from rnncourse.attention import CausalTransformer, DotAttention, masked_softmax
from rnncourse.bptt import Parameters, step_jacobian
from rnncourse.cells import GRUCell, RNNCell
from rnncourse.cells.skip import SkipRNNCell
from rnncourse.depth import Perceptron
from rnncourse.diagnostics import decay_rate, spectral_radius
from rnncourse.functional import gru_step, lstm_step
from rnncourse.layers import Recurrent
from rnncourse.layers.windowed import FixedWindow
from rnncourse.seq2seq import Encoder, greedy
from rnncourse.trees import TreeLayer, TreeRNNCell
from rnncourse.unroll import padding_mask
from tests.conftest import CHECKED
from tests.house import ROOT
from tests.test_layering import NUMBERS

H, X = torch.zeros(2, 4), torch.zeros(2, 5, 3)
WRONG = {
    "an axis that one name gives two sizes": lambda: gru_step(
        torch.zeros(2, 3), H, torch.zeros(12, 7), torch.zeros(12, 4)
    ),
    "a batch of two sizes": lambda: gru_step(torch.zeros(3, 3), H, torch.zeros(12, 3), torch.zeros(12, 4)),
    "a state that is no state": lambda: lstm_step(torch.zeros(2, 3), (H, H), torch.zeros(16, 3), torch.zeros(16, 4)),
    "whole numbers for fractions": lambda: gru_step(
        torch.zeros(2, 3, dtype=torch.long), H, torch.zeros(12, 3), torch.zeros(12, 4)
    ),
    "a choice that is no word": lambda: RNNCell(3, 4, nonlinearity=1),
    "a cell's input with a time axis": lambda: GRUCell(3, 4)(X, H),
    "a layer's input without one": lambda: Recurrent(GRUCell(3, 4))(H[0]),
    "lengths that are a list of fractions": lambda: Recurrent(GRUCell(3, 4))(X, lengths=[5.0, 5.0]),
    "lengths that are fractions": lambda: padding_mask(torch.ones(2), 5),
    "a matrix with three axes": lambda: spectral_radius(X),
    "a sequence of norms with two axes": lambda: decay_rate(H),
    "parameters that are a tuple": lambda: step_jacobian(tuple(Parameters.random(3, 4, 2)), H.double()),
    "features that are whole numbers": lambda: Perceptron([3, 2])(torch.zeros(5, 3, dtype=torch.long)),
    "a skip cell's input with a time axis": lambda: SkipRNNCell(3, 4)(X, (H,) * 10),
    "a tree's input without an axis of nodes": lambda: TreeLayer(TreeRNNCell(3, 4))(H, trees=[]),
    "a window's input without one": lambda: FixedWindow(3, 4, window=2)(H[0]),
    "a memory without a time axis": lambda: DotAttention(4).memory(H),
    "a mask of numbers": lambda: masked_softmax(H, torch.ones(2, 4)),
    "a Transformer's state that is a tensor": lambda: CausalTransformer(4, 1)(torch.zeros(2, 5, 4), H),
    "an encoder's tokens that are fractions": lambda: Encoder(Recurrent(GRUCell(3, 4)), 5)(H),
    "a beginning without a time axis": lambda: greedy(lambda tokens, state: (X, state), H[0].long(), max_length=1),
}


@pytest.mark.parametrize("what", WRONG)
def test_a_call_against_the_annotations_is_caught_in_the_tests(what):
    with pytest.raises(TypeCheckError):
        WRONG[what]()


@pytest.mark.bad_input
def test_a_test_of_bad_input_sees_what_a_user_sees():
    with pytest.raises(ValueError, match=r"state is a tuple of 2; it should be an LSTMState\(h, c\)"):
        lstm_step(torch.zeros(2, 3), (H, H), torch.zeros(16, 3), torch.zeros(16, 4))


def test_every_room_of_the_numerical_core_is_checked():
    rooms = NUMBERS - {"data", "signatures"}  # data's functions and their checks are held against annotations always
    there = {
        room for room in rooms if (ROOT / "rnncourse" / f"{room}.py").is_file() or (ROOT / "rnncourse" / room).is_dir()
    }
    assert {f"rnncourse.{room}" for room in there} == set(CHECKED)


def test_outside_the_tests_nothing_is_checked():
    code = "import inspect, rnncourse.functional as f; print(f.gru_step is inspect.unwrap(f.gru_step))"
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "True"
    assert gru_step is not inspect.unwrap(gru_step)
