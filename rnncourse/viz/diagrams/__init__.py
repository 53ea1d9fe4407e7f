"""Diagrams in one visual language: a line carries a vector, a circle acts entry by entry, a box has learned weights.

Lines that run together are joined into one longer vector (merge); a line that parts is copied (fork). A
:class:`Sketch` has a method for each, in inches from the lower left corner; the functions in
:mod:`~rnncourse.viz.diagrams.language` and :mod:`~rnncourse.viz.diagrams.recurrence` draw the figures that several
chapters share.
"""

from rnncourse.viz.diagrams.language import legend, sequence_shapes
from rnncourse.viz.diagrams.part import Part, Point
from rnncourse.viz.diagrams.recurrence import cycle, rnn_cell, unrolled_rnn
from rnncourse.viz.diagrams.sketch import Sketch

__all__ = [
    "Part",
    "Point",
    "Sketch",
    "cycle",
    "legend",
    "rnn_cell",
    "sequence_shapes",
    "unrolled_rnn",
]
