"""Questions 9.1 to 9.3: a network folded along one tree, one step of a Tree-LSTM, and that step backwards."""

import torch
from torch import Tensor

from rnncourse.chapters.c09_recursive.questions.drawing import post_order_counts, random_parents
from rnncourse.grading.spec import BY_AUTOGRAD, Draw, Question, Wrong


def tree_states(x: Tensor, counts: Tensor, U: Tensor, W: Tensor, b: Tensor) -> Tensor:
    """The hidden state of every node, (nodes, hidden); x is (nodes, input), counts is (nodes,), both in post-order."""
    waiting, states = [], []  # states whose parent has not come yet
    for x_j, count in zip(x, counts.tolist(), strict=True):
        children = [waiting.pop() for _ in range(count)]
        h_j = torch.tanh(U @ x_j + sum((W @ h_k for h_k in children), start=b))
        waiting.append(h_j)
        states.append(h_j)
    return torch.stack(states)


def tree_inputs(draw: Draw, least: int, most: int, chain: bool = False) -> tuple:
    parents = random_parents(draw, draw.integer(least, most), chain=chain)
    inputs, hidden = draw.integer(1, 3), draw.integer(2, 4)
    U, W, b, _ = draw.rnn(inputs, hidden)
    return draw.normal(len(parents), inputs), post_order_counts(parents), U, W, b


def branching_inputs(draw: Draw) -> tuple:
    """A tree in which neither the oldest states nor the last ones put out are a node's children."""
    counts = [0, 0, 1, 2, 0, 0, 0, 2, 2, 2]
    inputs, hidden = draw.integer(1, 3), draw.integer(2, 4)
    U, W, b, _ = draw.rnn(inputs, hidden)
    return draw.normal(len(counts), inputs), torch.tensor(counts), U, W, b


def flat_inputs(draw: Draw) -> tuple:
    x, _, U, W, b = tree_inputs(draw, 4, 5)
    return x, torch.tensor([0] * (len(x) - 1) + [len(x) - 1]), U, W, b


FOLD = Question(
    id="9.1",
    title="Fold a tree",
    points=2,
    reference=tree_states,
    cases={
        "a tree": (tree_inputs, 8, 12),
        "a tree of three branches": (branching_inputs,),
        "a chain": (tree_inputs, 4, 6, True),
        "a root and its leaves": flat_inputs,
        "one leaf": (tree_inputs, 1, 1),
    },
    wrong=(
        Wrong("the bias is added for every child", {"W @ h_k for": "W @ h_k + b for"}).told(
            "The bias belongs to the node, not to its children: a leaf has one, too."
        ),
        Wrong(
            "the children's mean instead of their sum",
            {"sum((W @ h_k for h_k in children), start=b)": "b + W @ torch.stack(children or [0 * b]).mean(0)"},
        ).told("Three children should push three times as hard as one."),
        Wrong("one child only", {"range(count)": "range(min(count, 1))"}).told(
            "A node takes as many states off the pile as it has children."
        ),
        Wrong(
            "children stay on the pile", {"[waiting.pop() for _ in range(count)]": "waiting[len(waiting) - count :]"}
        ).told("A state that its parent has read must not be read by another node."),
        Wrong("the oldest states are taken", {"waiting.pop()": "waiting.pop(0)"}).told(
            "In post-order a node's children are the ones that were finished last."
        ),
        Wrong("only leaves see their input", {"U @ x_j": "(count == 0) * (U @ x_j)"}).told(
            "Every node has an input of its own, the inner ones as well."
        ),
        Wrong("W the wrong way round", {"W @ h_k": "h_k @ W"}).told(
            "For one vector, the equation's W h is `W @ h`; `h @ W` is its transpose's."
        ),
    ),
    hints=(
        "Keep a pile of the states whose parent has not come yet.",
        "In post-order, a node's children are the last states on the pile, as many as it has children.",
    ),
    flags=(r"\bTree(RNNCell|Layer)\b", r"\bfold\b"),
)


def child_sum_step(
    x: Tensor, h: Tensor, c: Tensor, weight_ih: Tensor, weight_hh: Tensor, bias: Tensor
) -> tuple[Tensor, ...]:
    """i, f, c_j, h_j of one node; x is (input,), the children's h and c are (children, hidden)."""
    x_i, x_f, x_g, x_o = (weight_ih @ x + bias).chunk(4)
    W_i, W_f, W_g, W_o = weight_hh.chunk(4)
    total = h.sum(0)
    i, o = torch.sigmoid(x_i + W_i @ total), torch.sigmoid(x_o + W_o @ total)
    g = torch.tanh(x_g + W_g @ total)
    f = torch.sigmoid(x_f + h @ W_f.T)  # (children, hidden): each child has its own
    c_j = i * g + (f * c).sum(0)
    return i, f, c_j, o * torch.tanh(c_j)


def step_inputs(draw: Draw, children: int) -> tuple:
    inputs, hidden = draw.integer(1, 3), draw.integer(2, 4)
    weight_ih, weight_hh, bias, _ = draw.rnn(inputs, hidden, gates=4)
    return (
        draw.normal(inputs),
        draw.uniform(children, hidden, low=-1, high=1),
        draw.normal(children, hidden),
        weight_ih,
        weight_hh,
        bias,
    )


STEP = Question(
    id="9.2",
    title="One node of a Tree-LSTM",
    points=3,
    reference=child_sum_step,
    cases={
        "three children": (step_inputs, 3),
        "two children": (step_inputs, 2),
        "one child": (step_inputs, 1),
        "a leaf": (step_inputs, 0),
    },
    parts=("the input gate", "the forget gates", "the cell state", "the hidden state"),
    wrong=(
        Wrong("one forget gate for all, which sees their sum", {"h @ W_f.T": "(W_f @ total).expand_as(h)"}).told(
            "Each child has a forget gate of its own, and it looks at that child alone."
        ),
        Wrong("each forget gate sees the other children", {"h @ W_f.T": "(total - h) @ W_f.T"}).told(
            "What a child's gate looks at is that child's own hidden state."
        ),
        Wrong("the children's mean instead of their sum", {"h.sum(0)": "h.sum(0) / max(len(h), 1)"}).told(
            "The equations add the children's hidden states; nothing is divided."
        ),
        Wrong("nothing is forgotten", {"(f * c)": "c"}).told(
            "The forget gates are right, but they are not used: how much of each child's cell state is kept?"
        ),
        Wrong("the hidden states are kept instead of the cell states", {"(f * c)": "(f * h)"}).told(
            "What the forget gates multiply is the children's memory, c."
        ),
        Wrong(
            "the rows are read in the order i, f, o, g", {"x_g, x_o =": "x_o, x_g =", "W_g, W_o =": "W_o, W_g ="}
        ).told("Some libraries store them so. Here the order is PyTorch's: the output gate comes last."),
        Wrong("the cell state is shown without its tanh", {"o * torch.tanh(c_j)": "o * c_j"}).told(
            "The hidden state is the output gate's share of the *squashed* cell state."
        ),
    ),
    hints=(
        "Three of the four layers see the sum of the children's hidden states. Which one does not?",
        "For a leaf both sums are over nothing. `h.sum(0)` of an empty tensor (0, hidden) is zero, as it should be.",
    ),
    flags=(r"\bchild_sum_tree_lstm_trace\b", r"\bChildSumTreeLSTMCell\b"),
)


def child_sum_back(
    dh: Tensor, dc: Tensor, i: Tensor, f: Tensor, g: Tensor, o: Tensor, c_j: Tensor, c: Tensor, weight_hh: Tensor
) -> tuple[Tensor, Tensor]:
    """dL/dc_k and dL/dh_k of every child, both (children, hidden); weight_hh is (4*hidden, hidden), rows i, f, g, o."""
    W_i, W_f, W_g, W_o = weight_hh.chunk(4)
    shown = torch.tanh(c_j)
    dc_all = dc + dh * o * (1 - shown**2)  # what arrives at c_j by itself, and through h_j
    delta_i, delta_g = dc_all * g * i * (1 - i), dc_all * i * (1 - g**2)
    delta_o = dh * shown * o * (1 - o)
    delta_f = dc_all * c * f * (1 - f)  # (children, hidden)
    through_sum = W_i.T @ delta_i + W_g.T @ delta_g + W_o.T @ delta_o  # the same for every child
    return dc_all * f, through_sum + delta_f @ W_f


def back_inputs(draw: Draw, children: int, units: int = 0) -> tuple:
    double = {"dtype": torch.float64}
    units = units or draw.integer(3, 5)
    dh, dc, c_j = (draw.normal(units, **double) for _ in range(3))
    i, o = (draw.uniform(units, low=0.1, high=0.9, **double) for _ in range(2))
    g = draw.uniform(units, low=-0.9, high=0.9, **double)
    f = draw.uniform(children, units, low=0.1, high=0.9, **double)
    return dh, dc, i, f, g, o, c_j, draw.normal(children, units, **double), draw.normal(4 * units, units, **double)


BACK = Question(
    id="9.3",
    title="Back to every child",
    points=4,
    reference=child_sum_back,
    cases={"three children": (back_inputs, 3), "one child": (back_inputs, 1), "one unit": (back_inputs, 2, 1)},
    parts=("the gradient at the children's cell states", "the gradient at the children's hidden states"),
    tolerance=1e-8,
    wrong=(
        Wrong("the carry is dropped", {"dc + dh * o": "dh * o"}).told(
            "The parent's cell state matters later, too, not only through h_j: that is what dc brings."
        ),
        Wrong("the way through the hidden state is missing", {" + dh * o * (1 - shown**2)": ""}).told(
            "c_j is shown in h_j. What arrives at h_j comes back into c_j through the output gate and the tanh."
        ),
        Wrong("the way through the output gate is missing", {" + W_o.T @ delta_o": ""}).told(
            "The gradient at the cell states is right. The output gate has seen the children, too."
        ),
        Wrong(
            "the way through the forget gates is missing", {"through_sum + delta_f @ W_f": "through_sum + 0 * c"}
        ).told("The gradient at the cell states is right. Each child's own gate has seen its hidden state."),
        Wrong("every child gets all forget gates' gradients", {"delta_f @ W_f": "(delta_f @ W_f).sum(0)"}).told(
            "A forget gate looks at one child, so its gradient goes back to that child alone."
        ),
        Wrong("the sum's gradient is divided among the children", {"through_sum + ": "through_sum / len(c) + "}).told(
            "In a sum every term has the slope one, however many there are."
        ),
        Wrong(
            "the matrices are used the wrong way round",
            {"W_i.T @": "W_i @", "W_g.T @": "W_g @", "W_o.T @": "W_o @", "delta_f @ W_f": "delta_f @ W_f.T"},
        ).told("Forwards the matrix meets the children's states. Backwards its transpose meets the deltas."),
    ),
    hints=(
        "First everything that arrives at c_j: from later, and through h_j.",
        "Each child's hidden state matters in four places. In three of them it stands in the sum of all children.",
    ),
    flags=BY_AUTOGRAD,
)
