"""What a valid call of each public callable is given: by the argument's name, or where that will not do by the call."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import nn

from rnncourse.attention import CausalTransformer, DotAttention, GeneralAttention, KeyValues, Memory
from rnncourse.bptt import Parameters, Trace, forward
from rnncourse.cells import GRUCell, LSTMCell, RNNCell
from rnncourse.data import Batches, Fresh, Split, Vocabulary
from rnncourse.data.baselines import NaiveBayes
from rnncourse.data.batches import labelled, tagged
from rnncourse.data.ngrams import InterpolatedNgram
from rnncourse.data.parity import parity
from rnncourse.data.prose import Passage, TextSplit
from rnncourse.data.reber import reber
from rnncourse.data.splits import Drawing
from rnncourse.data.trees import Tree, TreeItem
from rnncourse.functional import LSTMTrace
from rnncourse.layers import Recurrent, Stacked
from rnncourse.models import LanguageModel
from rnncourse.seq2seq import BahdanauDecoder, Decoder, Encoder, LuongDecoder, SequenceToSequence
from rnncourse.shapes import LSTMState
from rnncourse.trees import ChildSumTreeLSTMCell, TreeLayer, TreeRNNCell

B, T, X, H, V = 2, 5, 3, 4, 7
"""Batch, time, input, hidden and vocabulary of every call."""


class Make(NamedTuple):
    """A value that is made afresh for each call."""

    make: Callable[[], Any]


def _floats(*shape: int) -> torch.Tensor:
    return torch.linspace(-1.0, 1.0, int(np.prod(shape))).reshape(shape)


def _tokens(*shape: int) -> torch.Tensor:
    return torch.arange(int(np.prod(shape))).reshape(shape) % V


def _trees() -> list[Tree]:
    return [Tree(5, (Tree(1), Tree(6, (Tree(2), Tree(3))))), Tree(6, (Tree(4), Tree(1)))]


def _items() -> list[TreeItem]:
    return [TreeItem(tree, (1, 2, 3), 0, 1, f"expression {number}") for number, tree in enumerate(_trees() * 20)]


def _batch() -> Any:
    return tagged(_floats(B, T, X), _tokens(B, T), torch.tensor([5, 3]))


def _split() -> Split:
    return Split(labelled(_floats(6, T, X), _tokens(6), torch.tensor([5, 3, 2, 5, 1, 4])))


def _language_model() -> LanguageModel:
    return LanguageModel(Recurrent(GRUCell(X, H)), V)


def _parameters() -> Parameters:
    return Parameters.random(X, H, 2)


def _trace() -> Trace:
    return forward(_parameters(), _floats(B, T, X).double())


def _text_split() -> TextSplit:
    return TextSplit([Passage("a", "abcabca" * 30)], Vocabulary("abc\n"))


def _decoder(kind: Any, attention: Any) -> Any:
    return kind(
        Recurrent(GRUCell(X + 4 if kind is BahdanauDecoder else X, H)),
        V,
        attention(H, H) if attention is not DotAttention else DotAttention(H),
    )


def _seq2seq() -> SequenceToSequence:
    return SequenceToSequence(Encoder(Recurrent(GRUCell(X, H)), V), Decoder(Recurrent(GRUCell(X, H)), V))


def _draw(count: int, rng: Any) -> Any:
    return labelled(_floats(count, T, X), _tokens(count))


def _batches() -> Batches:
    return Batches(lambda epoch: [0, 1], lambda entry: entry, 2)


def _loss(model: nn.Module, batch: torch.Tensor) -> torch.Tensor:
    return model(batch).square().mean()


GATES = Make(lambda: _floats(4 * H, X))

BY_NAME: dict[str, Any] = {
    # sizes and counts
    **dict.fromkeys(("input_size", "size", "d_model", "embed_dim"), 4),
    **dict.fromkeys(("hidden_size", "query_size", "value_size", "state_size", "batch_size", "count"), 4),
    "proj_size": 2,
    "nhead": 2,
    "num_heads": 2,
    "dim_feedforward": 8,
    "max_length": 9,
    "vocab_size": V,
    "num_classes": 3,
    "output_size": 2,
    "readout_size": 2,
    "queries": 2,
    "time": T,
    "lag": 3,
    "lags": 3,
    "window": 3,
    "width": 2,
    "num_layers": 2,
    "depth": 2,
    "arity": 2,
    "budget": 500,
    "k1": 2,
    "k2": 3,
    "skip": 2,
    "steps": 8,
    "batch": B,
    "seq_len": 10,
    "trials": 3,
    "order": 2,
    "alphabet_size": V,
    "streams": 2,
    "held_out": 4,
    "length": 12,
    "longer": 14,
    "ratio": 0.5,
    "bos": 1,
    "eos": 2,
    "seed": 0,
    "epoch": 0,
    "number": 0,
    "beside": 3,
    "read_size": 4,
    # tensors
    **{name: Make(lambda: _floats(B, T, X)) for name in ("x", "inputs", "sequence")},
    **{name: Make(lambda: _floats(B, T, H)) for name in ("outputs", "values")},
    **{name: Make(lambda: _tokens(B, T)) for name in ("tokens", "prompt", "start", "sources", "targets")},
    "x_t": Make(lambda: _floats(B, X)),
    "h": Make(lambda: _floats(B, H)),
    "h_0": Make(lambda: _floats(B, H).double()),
    "h_t": Make(lambda: _floats(B, H).double()),
    "weight": Make(lambda: _floats(H, H)),
    "lengths": Make(lambda: torch.tensor([5, 3])),
    "real": Make(lambda: torch.ones(B, T, dtype=torch.bool)),
    "scores": Make(lambda: _floats(B, T)),
    "weights": Make(lambda: torch.full((B, 2, T), 1 / T)),
    "logits": Make(lambda: _floats(B, T, V)),
    "predictions": Make(lambda: _floats(B, T, X)),
    "mask": Make(lambda: torch.ones(B, T, dtype=torch.bool)),
    "query": Make(lambda: _floats(B, 2, H)),
    "codes": Make(lambda: _tokens(300)),
    "norms": Make(lambda: torch.tensor([1.0, 0.5, 0.25, 0.125])),
    "dy": Make(lambda: _floats(B, T, 2).double()),
    "target": Make(lambda: _tokens(B, T) % 2),
    # modules
    **{name: Make(lambda: Recurrent(GRUCell(X, H))) for name in ("layer", "module", "forward_layer", "backward_layer")},
    "cell": Make(lambda: GRUCell(X, H)),
    "model": Make(_language_model),
    "attention": Make(lambda: GeneralAttention(H, H)),
    "encoder": Make(lambda: Encoder(Recurrent(GRUCell(X, H)), V)),
    "decoder": Make(lambda: Decoder(Recurrent(GRUCell(X, H)), V)),
    "memory": Make(lambda: Memory(_floats(B, T, H), _floats(B, T, H), torch.ones(B, T, dtype=torch.bool))),
    # others
    "parameters": Make(_parameters),
    "trace": Make(_trace),
    "trees": Make(_trees),
    "generator": Make(torch.Generator),
    "loss": Make(lambda: lambda outputs: outputs.sum()),
    "state": None,
    "name": "adding",
    "value": 1,
    "kinds": ("shallow", "stacked"),
    "whole": Make(lambda: _split().batch()),
    "rows": Make(lambda: torch.tensor([1, 0])),
    "batches": Make(lambda: [torch.ones(B, 3), torch.zeros(B, 3)]),
    "strings": ["abba", "baab"],
    "labels": [0, 1],
    "text": "a short text",
    "xlabel": "x",
    "ylabel": "y",
    "what": "a thing",
}


def _steps(gates: int, lstm: bool = False, time: bool = False) -> dict[str, Any]:
    """The arguments of a cell's step, or with ``time`` of its kernel."""
    state = {"state": Make(lambda: LSTMState(_floats(B, H), _floats(B, H)))} if lstm else {}
    return state | {
        "weight_ih": Make(lambda: _floats(gates * H, X)),
        "weight_hh": Make(lambda: _floats(gates * H, H)),
        "bias_ih": Make(lambda: _floats(gates * H)),
        "bias_hh": Make(lambda: _floats(gates * H)),
    }


def _node(gates: int, columns: int, rows: int = 0) -> dict[str, Any]:
    children = (
        Make(lambda: LSTMState(_floats(B, 2, H), _floats(B, 2, H))) if gates > 1 else Make(lambda: _floats(B, 2, H))
    )
    return _steps(gates) | {
        "x": Make(lambda: _floats(B, X)),
        "children": children,
        "weight_hh": Make(lambda: _floats((rows or gates) * H, columns * H)),
    }


PLACES = {"places": Make(lambda: torch.arange(T).expand(B, T).clone())}
SELF_X = {"inputs": Make(lambda: _floats(B, T, 4)), "x": Make(lambda: _floats(B, T, 4))}
SERIES = {"train": Make(lambda: np.sin(np.arange(40.0))), "test": Make(lambda: np.cos(np.arange(40.0)))}
WHOLE = {"inputs": Make(lambda: _floats(B, T, X)), "targets": Make(lambda: _tokens(B))}
FOUND = {"train": [1.0, 0.5, 0.2], "test": [1.0, 0.7, 0.6]}
ON_TREES = {"self": Make(lambda: TreeLayer(ChildSumTreeLSTMCell(X, H))), "inputs": Make(lambda: _floats(B, 5, X))}
ON_TEXT = {"self": Make(_text_split), "batch_size": 4}
DECODER_STATE = Make(
    lambda: LuongDecoder(Recurrent(GRUCell(X, H)), V, GeneralAttention(H, H)).start(_floats(B, H), _floats(B, T, H))
)


def _on(kind: Any, attention: Any) -> dict[str, Any]:
    return {
        "self": Make(lambda: _decoder(kind, attention)),
        "state": Make(lambda: _decoder(kind, attention).start(_floats(B, H), _floats(B, T, H))),
    }


def _cache(name: str) -> dict[str, Any]:
    """A Transformer, or the cache of a part of one and what may be looked at."""
    if name == "CausalTransformer":
        return {"self": Make(lambda: CausalTransformer(4, 2))}
    return {
        "state": Make(lambda: KeyValues(_floats(B, 2, 0, 2), _floats(B, 2, 0, 2))),
        "mask": Make(lambda: torch.ones(B, T, T, dtype=torch.bool)),
    }


BY_CALL: dict[str, dict[str, Any]] = {
    # attention
    **{
        f"attention.CausalTransformer{what}": {"max_length": None}
        for what in ("", ".forward", ".initial_state", ".weights")
    },
    "attention.LearnedPositions.forward": PLACES,
    "attention.SinusoidalPositions.forward": PLACES,
    **{f"attention.{name}.forward": SELF_X | _cache(name) for name in ("Block", "CausalTransformer", "SelfAttention")},
    **{f"attention.{name}.weights": SELF_X | _cache(name) for name in ("CausalTransformer", "SelfAttention")},
    "attention.causal_mask": {"queries": 2},
    "attention.weighted_mean": {"values": Make(lambda: _floats(B, T, H))},
    # bptt: everything is in double precision
    **{
        f"bptt.{name}": {"x": Make(lambda: _floats(B, T, X).double()), "parameters": Make(_parameters)}
        for name in ("forward", "rtrl", "DeepFeedforward.forward")
    },
    "bptt.Parameters.random": {"input_size": X, "hidden_size": H, "output_size": 2},
    "bptt.gradient_bias": {"approximate": Make(_parameters), "exact": Make(_parameters)},
    "bptt.cross_entropy": {"y": Make(lambda: _floats(B, T, 2).double())},
    "bptt.squared_error": {"y": Make(lambda: _floats(B, T, 2)), "target": Make(lambda: _floats(B, T, 2))},
    "bptt.backward": {"dh_T": Make(lambda: _floats(B, H).double())},
    # cells, functional, kernels
    **{
        f"functional.{name}_{what}": _steps(gates, name == "lstm")
        for name, gates in (("rnn", 1), ("gru", 3), ("lstm", 4), ("mgu", 2))
        for what in ("step", "trace")
    },
    **{
        f"kernels.{name}_sequence": _steps(gates, name == "lstm")
        for name, gates in (("rnn", 1), ("gru", 3), ("lstm", 4))
    },
    **{f"functional.{name}": {"without": (), "coupled": False} for name in ("check_parts",)},
    **{
        f"cells.{cell}.{what}": {"x_t": Make(lambda: _floats(B, 4)), "state": Make(lambda: _floats(B, H))}
        for cell in ("GRUCell", "RNNCell", "MGUCell")
        for what in ("forward", "trace")
    },
    **{
        f"cells.LSTMCell.{what}": {
            "x_t": Make(lambda: _floats(B, 4)),
            "state": Make(lambda: LSTMState(_floats(B, H), _floats(B, H))),
        }
        for what in ("forward", "trace")
    },
    **{
        f"cells.SkipRNNCell.{what}": {
            "x_t": Make(lambda: _floats(B, 4)),
            "state": Make(lambda: (_floats(B, H), _floats(B, H))),
        }
        for what in ("forward", "trace")
    },
    # checks
    "checks.check_callable": {"value": Make(lambda: len), "what": "a function"},
    "checks.check_choice": {"value": "a", "choices": ["a", "b"]},
    "checks.check_finite": {"value": Make(lambda: _floats(2))},
    "checks.check_fraction": {"value": 0.5},
    "checks.check_kind": {"kind": int},
    "checks.check_layer": {"value": Make(lambda: Recurrent(GRUCell(X, H)))},
    "checks.check_shape": {"value": Make(lambda: _floats(2)), "like": None},
    # convert
    "convert.copy_parameters": {
        "source": Make(lambda: nn.LSTM(3, 4)),
        "target": Make(lambda: Stacked.of(LSTMCell, 3, 4)),
    },
    "convert.from_torch": {"module": Make(lambda: nn.LSTM(3, 4))},
    "convert.state_from_torch": {"state": Make(lambda: _floats(1, B, H))},
    "convert.state_to_torch": {"state": Make(lambda: _floats(B, H))},
    # depth
    "depth.Between": {"before": None, "after": None},
    "depth.Between.forward": {"self": Make(lambda: _between())},
    "depth.Between.last_output": {"self": Make(lambda: _between())},
    "depth.Between.top_hidden": {"self": Make(lambda: _between()), "state": Make(lambda: _floats(B, H))},
    "depth.Between.initial_state": {"self": Make(lambda: _between())},
    "depth.DeepTransitionCell.forward": {"x_t": Make(lambda: _floats(B, 4)), "state": Make(lambda: _floats(B, H))},
    "depth.DeepTransitionCell.trace": {"x_t": Make(lambda: _floats(B, 4)), "state": Make(lambda: _floats(B, H))},
    "depth.Perceptron": {"sizes": (3, 4)},
    "depth.deep_rnn": {"kind": "stacked"},
    "depth.matched_hidden_size": {"build": Make(lambda: lambda size: RNNCell(3, size))},
    # diagnostics
    "diagnostics.assert_agreement": {name: Make(lambda name=name: _agreeing()[name]) for name in ("values", "leaves")},
    "diagnostics.decay_rate": {"start": 0},
    "diagnostics.context_curve": {"cuts": (1, 3)},
    "diagnostics.credit_path": {"target": Make(lambda: (_SOURCE * 2).sum()), "source": Make(lambda: _SOURCE)},
    "diagnostics.gate_statistics": {"trace": Make(lambda: LSTMTrace(*(_floats(B, T, H).sigmoid() for _ in range(6))))},
    "diagnostics.step_jacobians": {"x": Make(lambda: _floats(B, T, X))},
    # layers, models
    "layers.FixedWindow": {"window": 3},
    "layers.FixedWindow.forward": {"inputs": Make(lambda: _floats(B, T, 4))},
    "layers.Stacked": {"layers": Make(lambda: (Recurrent(GRUCell(3, 4)), Recurrent(GRUCell(4, 4))))},
    "layers.Stacked.of": {"cell": Make(lambda: GRUCell)},
    "layers.Stacked.top_hidden": {"state": Make(lambda: (_floats(B, H), _floats(B, H)))},
    "layers.Recurrent.top_hidden": {"state": Make(lambda: _floats(B, H))},
    **{
        f"layers.{name}.state_of_cells": {"states": Make(lambda: iter([_floats(B, H), _floats(B, H)]))}
        for name in ("Bidirectional", "Recurrent", "Stacked")
    },
    "layers.Bidirectional.last_output": {"outputs": Make(lambda: _floats(B, T, 2 * H))},
    "models.TreeClassifier": {"layer": Make(lambda: TreeLayer(ChildSumTreeLSTMCell(X, H)))},
    "models.TreeClassifier.forward": {"x": Make(lambda: _tokens(B, 5))},
    **{
        f"models.{name}.{what}": {"x": Make(lambda: _floats(B, T, X))}
        for name in ("SequenceClassifier", "SequenceTagger")
        for what in ("forward", "outputs")
    },
    **{f"models.{name}": {"vocab_size": None} for name in ("SequenceClassifier", "SequenceTagger")},
    "models.text.next_character_loss": {"batch": Make(lambda: tagged(_tokens(B, T), _tokens(B, T)))},
    "models.text.text_bits": {"codes": Make(lambda: _tokens(300))},
    # scan
    **{
        f"scan.{cell}.{what}": {"x_t": Make(lambda: _floats(B, 4)), "state": Make(lambda: _floats(B, H))}
        for cell in ("MinGRUCell", "MinLSTMCell")
        for what in ("forward", "trace")
    },
    **{
        f"scan.LRUCell.{what}": {
            "self": Make(lambda: _lru()),
            "x_t": Make(lambda: _floats(B, X)),
            "state": Make(lambda: _lru().initial_state(B)),
        }
        for what in ("forward", "trace")
    },
    "scan.Eigenvalues": {"state_size": 4},
    "scan.choose_scan": {"time": 10, "width": 4},
    "scan.float32_error": {"scan": "sequential", "time": 4, "batch": 1, "hidden": 2},
    "scan.linear_scan": {"a": Make(lambda: _floats(B, T, H).sigmoid()), "b": Make(lambda: _floats(B, T, H))},
    # seq2seq
    "seq2seq.AttentionDecoder": {"layer": Make(lambda: Recurrent(GRUCell(2 * X, H)))},
    "seq2seq.BahdanauDecoder": {"layer": Make(lambda: Recurrent(GRUCell(X + H, H)))},
    "seq2seq.Bridge": {
        "encoder_layer": Make(lambda: Recurrent(GRUCell(X, H))),
        "decoder_layer": Make(lambda: Recurrent(GRUCell(X, H))),
    },
    "seq2seq.Bridge.forward": {"state": Make(lambda: _floats(B, H))},
    **{f"seq2seq.BahdanauDecoder.{what}": _on(BahdanauDecoder, GeneralAttention) for what in ("forward", "trace")},
    **{f"seq2seq.LuongDecoder.{what}": _on(LuongDecoder, GeneralAttention) for what in ("forward", "trace")},
    **{
        f"seq2seq.{kind}.start": {"self": _on(there, GeneralAttention)["self"], "state": Make(lambda: _floats(B, H))}
        for kind, there in (("BahdanauDecoder", BahdanauDecoder), ("LuongDecoder", LuongDecoder))
    },
    "seq2seq.Decoder.start": {"state": Make(lambda: _floats(B, H))},
    "seq2seq.SequenceToSequence": {"bridge": None},
    "seq2seq.SequenceToSequence.forward": {"self": Make(_seq2seq)},
    "seq2seq.SequenceToSequence.encode": {"self": Make(_seq2seq)},
    "seq2seq.Decoder.forward": {},
    "seq2seq.teacher_forced": {"state": Make(lambda: _floats(B, H))},
    # shapes
    "shapes.map_state": {"function": Make(lambda: torch.neg), "states": Make(lambda: (_floats(B, H),))},
    **{
        f"shapes.{name}": {"state": Make(lambda: LSTMState(_floats(B, H), _floats(B, H)))}
        for name in ("detach_state", "hidden_of")
    },
    "shapes.check_state": {"state": Make(lambda: _floats(B, H)), "like": Make(lambda: _floats(B, H))},
    # training
    **dict.fromkeys(
        ("training.average", "training.measuring.average"),
        {"model": Make(nn.Identity), "loss": Make(lambda: lambda model, batch: model(batch).mean())},
    ),
    "training.measuring.measured": {"measure": Make(lambda: lambda model: 1.0)},
    "training.measuring.devices": {"parameters": Make(lambda: list(nn.Linear(3, 1).parameters()))},
    "training.drawing.FreshBatches": {"draw": Make(lambda: lambda step: step), "enough": Make(lambda: lambda: False)},
    "training.cosine": {"warmup": 2},
    "training.fit": {
        "model": Make(lambda: nn.Linear(3, 1)),
        "loss": Make(lambda: _loss),
        "steps": 2,
        "epochs": None,
        "progress": False,
        "validate": Make(lambda: lambda model: 1.0),
        "schedule": Make(lambda: lambda step: 1.0),
    },
    "training.mean_squared_error": {"targets": Make(lambda: _floats(B, T, X))},
    "training.nats_to_bits": {"nats": 1.0},
    "training.perplexity": {"nats": 1.0},
    # trees
    "trees.child_sum_tree_lstm_trace": _node(4, 1),
    "trees.nary_tree_lstm_trace": _node(4, 2, 5),
    "trees.tree_rnn_trace": _node(1, 1) | {"arity": None},
    "trees.TreeLayer": {"cell": Make(lambda: ChildSumTreeLSTMCell(X, H))},
    **{f"trees.TreeLayer.{what}": ON_TREES for what in ("forward",)},
    "trees.fold": {
        "step": Make(lambda: TreeRNNCell(X, H)),
        "inputs": Make(lambda: _floats(B, 5, X)),
        "state": Make(lambda: torch.zeros(B, H)),
    },
    "trees.join_states": {"states": Make(lambda: (_floats(1, H), _floats(1, H)))},
    "trees.node_numbers": {"name": "token"},
    **{
        f"trees.{cell}.{what}": {
            "x_t": Make(lambda: _floats(B, 4)),
            "state": Make(lambda: LSTMState(_floats(B, 2, H), _floats(B, 2, H))),
        }
        for cell in ("ChildSumTreeLSTMCell", "NaryTreeLSTMCell")
        for what in ("forward", "trace")
    },
    **{
        f"trees.TreeRNNCell.{what}": {"x_t": Make(lambda: _floats(B, 4)), "state": Make(lambda: _floats(B, 2, H))}
        for what in ("forward", "trace")
    },
    # unroll
    "unroll.unroll": {"step": Make(lambda: GRUCell(X, H)), "state": Make(lambda: _floats(B, H))},
    "unroll.last_step": {},
    "unroll.windows": {"size": 2},
    # data
    **dict.fromkeys(
        ("data.Batches", "data.batches.Batches"),
        {"plan": Make(lambda: lambda epoch: [0, 1]), "make": Make(lambda: lambda entry: entry)},
    ),
    **dict.fromkeys(("data.Batches.epoch", "data.batches.Batches.epoch"), {"self": Make(_batches)}),
    **dict.fromkeys(("data.Fresh", "data.splits.Fresh"), {"draw": Make(lambda: _draw)}),
    **{f"data.splits.Fresh.{what}": {"self": Make(lambda: Fresh(_draw))} for what in ("batches", "sample")},
    "data.Split": {"items": ["a", "b", "c", "d", "e", "f"]},
    **{f"data.Split.{what}": {"self": Make(_split)} for what in ("batch", "batches", "__getitem__")},
    "data.Split.__getitem__": {"self": Make(_split), "row": 1},
    "data.Batches.__getitem__": {"self": Make(_batches), "index": 1},
    "data.prose.TextSplit.__getitem__": {"self": Make(_text_split), "place": 1},
    "data.splits.Drawing": {"make": Make(lambda: parity), "options": {"length": 3}},
    "data.splits.Drawing.__call__": {
        "self": Make(lambda: Drawing(parity, length=3)),
        "rng": Make(lambda: np.random.default_rng(0)),
    },
    "data.Vocabulary": {"symbols": ["<pad>", "a", "b"]},
    "data.Vocabulary.of": {"items": "abc", "special": ["<pad>"]},
    "data.Vocabulary.index": {"symbol": "a"},
    "data.Vocabulary.encode": {"symbols": "ab"},
    **{f"data.Vocabulary.{what}": {"numbers": Make(lambda: torch.tensor([1, 2]))} for what in ("decode", "text")},
    "data.Vocabulary.__getitem__": {"number": 1},
    "data.adding.constant_error": {"variant": "le2015", "length": 10},
    "data.anbn.anbn": {"n": (1, 4)},
    "data.anbn.anbn_strings": {"counts": Make(lambda: np.array([1, 3]))},
    "data.anbn.load": {"n": (1, 4)},
    "data.load": {"name": "adding"},
    "data.report": {"name": "adding"},
    "data.verify": {"name": "adding"},
    "data.baselines.majority": {"train_labels": [0, 1, 1], "test_labels": [1, 0]},
    "data.baselines.persistence": {"series": [1.0, 2.0, 1.5]},
    "data.baselines.linear_autoregression": SERIES,
    "data.baselines.linear_classifier": {
        "train": Make(lambda: np.arange(12.0).reshape(6, 2) % 5),
        "test": Make(lambda: np.arange(6.0).reshape(3, 2)),
        "train_labels": Make(lambda: np.array([0, 1, 0, 1, 0, 1])),
        "test_labels": Make(lambda: np.array([0, 1, 1])),
    },
    **{
        f"data.baselines.NaiveBayes.{what}": {"self": Make(lambda: NaiveBayes().fit(["abba", "baab"], [0, 1]))}
        for what in ("fit", "predict", "accuracy")
    },
    "data.baselines.random_weights": {
        "draw": Make(lambda: lambda rng: rng.random()),
        "score": Make(lambda: lambda guess: guess),
    },
    "data.batches.pad": {"sequences": Make(lambda: [_tokens(3), _tokens(2)])},
    "data.batches.labelled": WHOLE,
    "data.batches.tagged": {"scored": Make(lambda: torch.ones(B, T, dtype=torch.bool))},
    "data.batches.transduced": {
        "sources": Make(lambda: [_tokens(3), _tokens(2)]),
        "targets": Make(lambda: [_tokens(3), _tokens(2)]),
    },
    "data.batches.order_rows": {
        "lengths": Make(lambda: np.array([3, 1, 2])),
        "rng": Make(lambda: np.random.default_rng(0)),
        "bucket": False,
        "drop_last": False,
    },
    "data.boolean_expressions.boolean_expressions": {"depth": (1, 3)},
    "data.boolean_expressions.load": {"count": 40, "depth": (1, 3), "deeper": 4, "held_out": 4},
    "data.copying.memoryless_nats": {},
    "data.listops.listops": {"max_depth": 4, "max_length": 30},
    "data.listops.load": {"count": 40, "max_depth": 4, "max_length": 30},
    "data.listops.evaluate": {"operator": "MAX", "values": [1, 2]},
    "data.metrics.edit_distances": {"predicted": ["kitten", "abc"], "references": ["sitting", "a"]},
    "data.metrics.edit_distance": {"predicted": "kitten", "reference": "sitting"},
    "data.metrics.error_rates": {"predicted": ["abc", "d"], "references": [["abd"], ["e", "d"]]},
    "data.metrics.word_f1": {
        "predicted": Make(lambda: [np.array([0, 1, 0, 1])]),
        "truth": Make(lambda: [np.array([0, 1, 1, 1])]),
    },
    **{
        f"data.ngrams.InterpolatedNgram.{what}": {"self": Make(lambda: InterpolatedNgram(2, V).fit(_tokens(300)))}
        for what in ("fit", "probabilities", "bits_per_character")
    },
    "data.ngrams.curve": {
        "train_codes": Make(lambda: _tokens(300)),
        "test_codes": Make(lambda: _tokens(100)),
        "orders": Make(lambda: range(1, 3)),
    },
    "data.padding.pad_numbers": {"rows": [[1, 2], [3]]},
    "data.padding.transduction": {"sources": [[1, 2], [3]], "targets": [[1], [2, 3]]},
    "data.parity.parity": {"length": (1, 6)},
    "data.prose.encode_text": {"text": "abc", "vocabulary": Make(lambda: Vocabulary("abc"))},
    "data.prose.take": {"passages": Make(lambda: [Passage("a", "abc"), Passage("b", "bca")]), "characters": 4},
    "data.prose.TextSplit": {
        "items": Make(lambda: [Passage("a", "abcabc")]),
        "vocabulary": Make(lambda: Vocabulary("abc\n")),
    },
    "data.prose.TextSplit.batches": ON_TEXT,
    "data.prose.TextSplit.stream": ON_TEXT,
    "data.prose.read_passages": {"source": "king-james"},
    "data.prose.parse_play": {"source": "# Hamlet\n\n## Act I\n\n### Scene 1\n\nWho is there?"},
    **{
        f"data.reber.{what}": {"tokens": Make(lambda: reber(4).inputs)}
        for what in ("states", "legal_successors", "closing_steps")
    },
    "data.reber.prediction_baselines": {"batch": Make(lambda: reber(4))},
    "data.splits.fraction": {"key": "a word"},
    "data.splits.split_of": {"key": "a word"},
    "data.splits.split_by_hash": {"items": ["a", "b"], "key": Make(lambda: str)},
    "data.splits.fresh_splits": {
        "draw": Make(lambda: lambda count, rng: labelled(_floats(count, T, X), _tokens(count)))
    },
    "data.temporal_order.temporal_order": {"length": (20, 22)},
    "data.temporal_order.load": {"length": (20, 22)},
    "data.trees.tree_from_nested": {"nested": ("a", ["b", "c"]), "number": None},
    "data.trees.tree_from_ast": {"node": Make(lambda: __import__("ast").parse("x + 1"))},
    "data.trees.syntax_children": {"node": Make(lambda: __import__("ast").parse("x + 1"))},
    **{f"data.trees.{what}": {"tree": Make(lambda: _trees()[0])} for what in ("tree_depth", "tree_nodes")},
    "data.trees.tree_tokens": {"tree": Make(lambda: _trees()[0]), "end": 9},
    "data.trees.tree_batch": {"items": Make(_items)},
    "data.trees.tree_splits": {"items": Make(_items)},
    # viz
    **{f"viz.{what}": {"highlight": None} for what in ("vanilla_cell", "lstm_cell")},
    "viz.loss_curves": {"runs": {"a run": [3.0, 2.0, 1.0]}, "baselines": {"a guess": 2.0}},
    "viz.lines": {"x": [1.0, 2.0, 3.0], "series": FOUND},
    "viz.bars": {"values": {"a": 1.0, "b": [1.0, 2.0]}},
    "viz.credit_chain": {"steps": 4},
    "viz.conveyor_belt": {"steps": 2},
    "viz.activations": {"x": [0.0, 1.0], "functions": {"f": ([0.0, 1.0], [1.0, 1.0])}},
    "viz.decay": {"panels": {"a panel": FOUND}},
    "viz.gradient_lines": {"lines": FOUND},
    "viz.clipping": {"runs": {"a run": ([1.0, 2.0], [(1, 0.5)])}, "baseline": 1.0, "clip": 1.0},
    "viz.horizons": {"reached": {"a": [1, 2]}, "lengths": [1, 2], "sequences": 3},
    "viz.text_heatmap": {"text": "abc", "values": [0.1, 0.2, 0.3]},
    "viz.matrix": {"values": [[1.0, 2.0], [3.0, 4.0]]},
    "viz.sweep": {"x": [1.0, 2.0], "lines": {"a": [[1.0, 2.0], [2.0, 3.0]]}},
    "viz.dots": {"panels": {"a": {"b": [1.0, 2.0]}}},
    "viz.sizes_and_bits": {"curves": {"a": [(1.0, 2.0, "x"), (2.0, 1.0, "y")]}, "points": {"b": (1.0, 1.5)}},
}


def _between() -> Any:
    from rnncourse.depth import Between, Perceptron

    return Between(Recurrent(GRUCell(X, H)), before=Perceptron([X, X]), after=Perceptron([H, 2]))


def _lru() -> Any:
    from rnncourse.scan import LRUCell

    return LRUCell(X, H)


_LEAF = _floats(3).requires_grad_()


def _agreeing() -> dict[str, dict[str, list[torch.Tensor]]]:
    return {
        "values": {"ours": [_LEAF * 2], "theirs": [_LEAF * 2]},
        "leaves": {"ours": [_LEAF], "theirs": [_LEAF]},
    }


_SOURCE = _floats(3).requires_grad_()


# Methods that only a subclass is to write or only the package calls: what they are given has been checked before.
HOOKS = {
    *(
        "add_parameters",
        "check_step",
        "coefficients",
        "drive",
        "equations",
        "from_tensor",
        "gradients",
        "layer_gradients",
    ),
    *("over_time", "project", "read", "scores", "state_of_cells", "steps", "to_tensor", "extra_repr", "cells_by_depth"),
}
# What a caller's own function is handed as it is: what is wrong with it, that function says.
HANDED_ON = {
    "shapes.map_state": "states",
    "training.average": "batches",
    "training.fit": "batches",
    "training.measuring.average": "batches",
}
LEFT_OUT = {
    "cells.ProjectedLSTMCell": "its sizes are tested with its layer",
    "cells.RecurrentDropoutCell": "a cell around a cell",
    "layers.Layer": "the base class of layers",
    "data.Batches.load_state_dict": "takes what state_dict returned",
    "data.prose.parse_king_james": "reads the files of the package that carries the text",
    "data.prose.parse_play": "reads the files of the package that carries the text",
    "training.measuring.devices": "looks at the model's own parameters",
    "models.TreeClassifier.outputs": "what its forward does by itself",
    "shapes.check_state": "a check, whose arguments the package names",
    "viz.LitSketch": "a pen of the drawings",
    "viz.draw_cell": "a stroke of a drawing",
    "viz.ink_on": "a stroke of a drawing",
    "viz.outline": "a stroke of a drawing",
    "data.verify": "reads whole data sets",
    "data.report": "reads whole data sets",
    "attention.Attention": "a base class",
    "cells.Cell": "a base class",
    "scan.LinearCell": "a base class",
    "trees.TreeCell": "a base class",
    "trees.TreeLSTMCell": "a base class",
    "seq2seq.AttentionDecoder": "a base class",
    "data.trees.tree_from_ast": "takes the syntax tree of Python alone",
    "data.listops.evaluate": "the generator's own arithmetic",
}
