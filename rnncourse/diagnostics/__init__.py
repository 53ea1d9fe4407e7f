"""What a recurrent network does with gradients, gates and time, measured on any cell or module of the grammar.

- How far credit travels: :func:`~rnncourse.diagnostics.gradients.gradient_by_lag`,
  :func:`~rnncourse.diagnostics.jacobians.jacobian_norms` beside
  :func:`~rnncourse.diagnostics.jacobians.singular_value_bound` and
  :func:`~rnncourse.diagnostics.jacobians.spectral_asymptote`, and the number of nonlinearities on the way,
  :func:`~rnncourse.diagnostics.credit.credit_path`.
- What the units are doing: :func:`~rnncourse.diagnostics.gates.saturation`,
  :func:`~rnncourse.diagnostics.gates.gate_statistics`.
- How much of the past is used: :func:`~rnncourse.diagnostics.gradients.input_sensitivity`,
  :func:`~rnncourse.diagnostics.horizon.context_curve`, :func:`~rnncourse.diagnostics.horizon.used_context`.

- Whether several ways of computing the same agree in every value and gradient:
  :func:`~rnncourse.diagnostics.agreement.assert_agreement`.

All but the last run through the readable loop and autograd, so they are exact and not fast.
"""

from rnncourse.diagnostics.agreement import assert_agreement
from rnncourse.diagnostics.credit import CreditPath, credit_path, credit_path_of
from rnncourse.diagnostics.gates import GateStatistics, gate_statistics, saturation
from rnncourse.diagnostics.gradients import gradient_by_lag, input_sensitivity
from rnncourse.diagnostics.horizon import context_curve, used_context
from rnncourse.diagnostics.jacobians import (
    decay_rate,
    jacobian_norms,
    largest_singular_value,
    singular_value_bound,
    spectral_asymptote,
    spectral_radius,
    step_jacobians,
)

__all__ = [
    "CreditPath",
    "GateStatistics",
    "assert_agreement",
    "context_curve",
    "credit_path",
    "credit_path_of",
    "decay_rate",
    "gate_statistics",
    "gradient_by_lag",
    "input_sensitivity",
    "jacobian_norms",
    "largest_singular_value",
    "saturation",
    "singular_value_bound",
    "spectral_asymptote",
    "spectral_radius",
    "step_jacobians",
    "used_context",
]
