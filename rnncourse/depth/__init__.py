"""The four places where a recurrent network can be made deep, from the parts that are already there.

Between two time steps and between input and output, a plain recurrent network has one nonlinear layer. It can be given
more (1) by stacking recurrent layers (:class:`rnncourse.layers.Stacked`), (2) between the input and the hidden state,
(3) between a hidden state and the next one, and (4) between the hidden state and the output. Each is one part here,
and the parts combine: ``Between(Recurrent(DeepTransitionCell(…)), before=Perceptron(…), after=Perceptron(…))``.

Source: Pascanu, Gulcehre, Cho and Bengio (2014), "How to construct deep recurrent neural networks", whose
introduction was read; what was read elsewhere is said at each part.
"""

from rnncourse.depth.build import DEPTH_KINDS, Match, deep_rnn, matched_hidden_size, matched_hidden_sizes
from rnncourse.depth.parts import Between, DeepTransitionCell, DeepTransitionTrace, Perceptron

__all__ = [
    "DEPTH_KINDS",
    "Between",
    "DeepTransitionCell",
    "DeepTransitionTrace",
    "Match",
    "Perceptron",
    "deep_rnn",
    "matched_hidden_size",
    "matched_hidden_sizes",
]
