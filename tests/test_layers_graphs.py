"""Layers in graphs: compiled whole, exported with a batch and a length that are symbols, and put away and fetched."""

import copy
import io
import itertools
import pickle
import subprocess
import sys

import numpy as np
import pytest
import torch

from rnncourse.cells import GRUCell, LSTMCell, RNNCell
from rnncourse.layers import Bidirectional, Recurrent, Stacked
from rnncourse.shapes import BidirectionalState, LSTMState
from tests.house import ROOT
from tests.oracles import assert_close, tensors

CELLS = {"rnn": RNNCell, "lstm": LSTMCell, "gru": GRUCell}


def stack(name, implementation="auto"):
    torch.manual_seed(0)
    cell = CELLS[name]
    one = lambda size: Recurrent(cell(size, 4), implementation=implementation)  # noqa: E731
    return Stacked(one(3), Bidirectional(one(4), one(4)))


def results(layer, x, lengths):
    x = x.clone().requires_grad_()
    outputs, state = layer(x, lengths=lengths)
    loss = outputs.square().sum() + sum(part.sum() for part in tensors(state))
    return [outputs, *tensors(state), *torch.autograd.grad(loss, [x, *layer.parameters()])]


def compile_whole():
    for name, lengths in [("lstm", None), *((name, torch.tensor([7, 2, 5])) for name in CELLS)]:
        layer, x = stack(name), torch.randn(3, 7, 3)
        compiled = torch.compile(layer, fullgraph=True, backend="aot_eager")
        for ours, eager in zip(results(compiled, x, lengths), results(layer, x, lengths), strict=True):
            assert_close(ours, eager, name)
    layer, x = Recurrent(GRUCell(3, 4).bfloat16(), implementation="loop"), torch.randn(3, 5, 3).bfloat16()
    compiled = torch.compile(layer, fullgraph=True, backend="aot_eager")
    for ours, eager in zip(results(compiled, x, None), results(layer, x, None), strict=True):
        assert torch.equal(ours, eager)


def export_with_symbols():
    batch, time = torch.export.Dim("batch", min=2), torch.export.Dim("time", min=2)
    for name, padded in itertools.product(CELLS, (False, True)):
        layer = stack(name).eval()
        given = (torch.randn(3, 7, 3), None, torch.tensor([7, 2, 5]) if padded else None)
        shapes = ({0: batch, 1: time}, None, {0: batch} if padded else None)
        program = torch.export.export(layer, given, dynamic_shapes=shapes)
        x, lengths = torch.randn(5, 11, 3), torch.tensor([1, 11, 4, 11, 9]) if padded else None
        outputs, state = program.module()(x, None, lengths)
        for ours, eager in zip(tensors((outputs, state)), tensors(layer(x, None, lengths)), strict=True):
            assert_close(ours, eager, name)


def read_numpys_integers():
    layer = Stacked.of(GRUCell, np.int64(3), np.int32(4), num_layers=np.int8(2))
    assert layer(torch.zeros(np.int64(2), 5, 3))[0].shape == (2, 5, 4)
    assert layer.initial_state(np.int64(2))[0].shape == (2, 4)


@pytest.mark.parametrize("theorem", ["compile_whole", "export_with_symbols", "read_numpys_integers"])
def test_a_layer_can(theorem):
    """In a process without the run-time checks of annotations, which no graph can hold."""
    code = f"from tests import test_layers_graphs; test_layers_graphs.{theorem}()"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]


@pytest.mark.parametrize("name", CELLS)
def test_layers_and_states_are_copied_put_away_and_fetched(name):
    layer, x = stack(name), torch.randn(2, 5, 3)
    outputs, state = layer(x)
    for other in (copy.deepcopy(layer), pickle.loads(pickle.dumps(layer))):
        assert_close(other(x)[0], outputs, name)
        assert other.chosen == layer.chosen
    file = io.BytesIO()
    torch.save((layer.state_dict(), state), file)
    file.seek(0)
    weights, same = torch.load(file, weights_only=True)
    assert set(weights) == set(layer.state_dict())
    assert isinstance(same[1], BidirectionalState)
    assert isinstance(same[0], LSTMState) == (name == "lstm")
    for a, b in zip(tensors(same), tensors(state), strict=True):
        assert torch.equal(a, b)
    assert_close(layer(x, same)[0], layer(x, state)[0], name)
