"""Layers: a cell over time, two directions, a stack; all say ``outputs, state = layer(inputs, state, lengths)``.

:mod:`~rnncourse.layers.recurrent` walks a cell along a sequence; :mod:`~rnncourse.layers.bidirectional` and
:mod:`~rnncourse.layers.stacked` put layers side by side and on top of each other, and are layers again.
:mod:`~rnncourse.layers.windowed` slides a feedforward network along in their place.

:mod:`~rnncourse.layers.layer` says what they all accept; :mod:`~rnncourse.layers.choosing` which implementation reads a
sequence, :mod:`~rnncourse.layers.fused` is the one that PyTorch brings, and :mod:`~rnncourse.layers.loop` the one that
is right under everything.
"""

from rnncourse.layers.bidirectional import Bidirectional
from rnncourse.layers.layer import Layer
from rnncourse.layers.recurrent import Recurrent
from rnncourse.layers.stacked import Stacked
from rnncourse.layers.windowed import FixedWindow

__all__ = [
    "Bidirectional",
    "FixedWindow",
    "Layer",
    "Recurrent",
    "Stacked",
]
