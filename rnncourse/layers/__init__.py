"""Layers: a cell over time, two directions, a stack; all say ``outputs, state = layer(inputs, state, lengths)``.

:mod:`~rnncourse.layers.recurrent` walks a cell along a sequence; :mod:`~rnncourse.layers.bidirectional` and
:mod:`~rnncourse.layers.stacked` put layers side by side and on top of each other, and are layers again.
"""

from rnncourse.layers.bidirectional import Bidirectional
from rnncourse.layers.recurrent import Recurrent
from rnncourse.layers.stacked import Stacked

__all__ = [
    "Bidirectional",
    "Recurrent",
    "Stacked",
]
