r"""Linear recurrences: networks whose step is a straight line in the state, and scans that do all of time at once.

A gate that does not look at the state leaves :math:`h_t = a_t \odot h_{t-1} + b_t`, and steps of that kind can be
joined before any state is known. :mod:`~rnncourse.scan.recurrence` is the door: :func:`linear_scan`, differentiable as
often as a loop is. Behind it stand four ways to compute the same states, a module each:
:mod:`~rnncourse.scan.sequential`, :mod:`~rnncourse.scan.chunked`, :mod:`~rnncourse.scan.odd_even` and
:mod:`~rnncourse.scan.log_space`; :mod:`~rnncourse.scan.operation` has their common derivative.

Three cells use it, :mod:`~rnncourse.scan.mingru`, :mod:`~rnncourse.scan.minlstm` and :mod:`~rnncourse.scan.lru`. They
are cells like any other: ``Recurrent(MinGRUCell(3, 5))`` scans, and with ``implementation="loop"`` it is the readable
step, one after the other, with the same numbers.
"""

from rnncourse.scan.candidate import positive
from rnncourse.scan.cell import LinearCell
from rnncourse.scan.eigenvalues import EIGENVALUES, Eigenvalues
from rnncourse.scan.lru import ComplexState, LRUCell
from rnncourse.scan.mingru import MinGRUCell
from rnncourse.scan.minlstm import MinLSTMCell
from rnncourse.scan.precision import ScanError, float32_error
from rnncourse.scan.recurrence import SCANS, choose_scan, linear_scan

__all__ = [
    "EIGENVALUES",
    "SCANS",
    "ComplexState",
    "Eigenvalues",
    "LRUCell",
    "LinearCell",
    "MinGRUCell",
    "MinLSTMCell",
    "ScanError",
    "choose_scan",
    "float32_error",
    "linear_scan",
    "positive",
]
