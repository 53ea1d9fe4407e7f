"""Recursive networks: cells that take the states of several children, folded along trees.

The grammar is that of layers over time, with trees in the place of lengths and an axis ``nodes`` in the place of
``time``: ``outputs, state = layer(inputs, state, trees)``. A tree is anything whose nodes have ``children``, such as
:class:`rnncourse.data.trees.Tree`; :mod:`~rnncourse.trees.forest` plans a batch of them once.
:mod:`~rnncourse.trees.rnn`, :mod:`~rnncourse.trees.child_sum` and :mod:`~rnncourse.trees.nary` each hold a step's
equations and its cell; :mod:`~rnncourse.trees.fold` walks a cell from node to node, and :mod:`~rnncourse.trees.layer`
from depth to depth.
"""

from rnncourse.trees.cell import TreeCell, TreeLSTMCell
from rnncourse.trees.child_sum import ChildSumTreeLSTMCell, TreeLSTMTrace, child_sum_tree_lstm_trace
from rnncourse.trees.fold import fold, join_states
from rnncourse.trees.forest import Forest, Level, node_numbers
from rnncourse.trees.layer import TreeLayer
from rnncourse.trees.nary import NaryTreeLSTMCell, nary_tree_lstm_trace
from rnncourse.trees.rnn import TreeRNNCell, tree_rnn_trace

__all__ = [
    "ChildSumTreeLSTMCell",
    "Forest",
    "Level",
    "NaryTreeLSTMCell",
    "TreeCell",
    "TreeLSTMCell",
    "TreeLSTMTrace",
    "TreeLayer",
    "TreeRNNCell",
    "child_sum_tree_lstm_trace",
    "fold",
    "join_states",
    "nary_tree_lstm_trace",
    "node_numbers",
    "tree_rnn_trace",
]
