"""Questions 8.3 and 8.4: hidden sizes for a budget in four ways, and how many ways there are for credit."""

from rnncourse.grading.spec import Draw, Question, Wrong


def deep_sizes(budget: int, input_size: int, output_size: int) -> tuple[int, int, int]:
    """The largest hidden sizes within the budget: shallow, stacked, and with a feedforward layer more."""
    D, K = input_size, output_size

    def recurrent(inputs: int, H: int) -> int:
        return H * (inputs + H + 2)  # PyTorch's two biases

    def largest(cost) -> int:
        H = 0
        while cost(H + 1) <= budget:
            H += 1
        return H

    def shallow(H: int) -> int:
        return recurrent(D, H) + K * (H + 1)

    return (
        largest(shallow),
        largest(lambda H: shallow(H) + recurrent(H, H)),
        largest(lambda H: shallow(H) + H * (H + 1)),  # before the state, on the way to the next, or after it
    )


def budget_inputs(draw: Draw, extra: int, spare: int) -> tuple:
    """A budget that one kind meets exactly or misses by one; ``extra`` says what it has beside the shallow one."""
    D, K, H = draw.integer(2, 9), draw.integer(2, 9), draw.integer(5, 30)
    shallow = H * (D + H + 2) + K * (H + 1)
    more = (0, H * (2 * H + 2), H * (H + 1))[extra]
    return shallow + more + spare, D, K


SIZES = Question(
    id="8.3",
    title="Three sizes for one budget",
    points=2,
    reference=deep_sizes,
    cases={
        "just enough for a shallow network": (budget_inputs, 0, 0),
        "just enough for a stack": (budget_inputs, 1, 0),
        "just enough for a feedforward layer more": (budget_inputs, 2, 0),
        "one parameter too few for a shallow network": (budget_inputs, 0, -1),
        "one parameter too few for a stack": (budget_inputs, 1, -1),
        "one parameter too few for a feedforward layer more": (budget_inputs, 2, -1),
    },
    parts=("shallow", "stacked", "a feedforward layer more"),
    wrong=(
        Wrong("one bias vector instead of two", {"inputs + H + 2": "inputs + H + 1"}).told(
            "A recurrent layer keeps two bias vectors, as PyTorch's does; the feedforward layers have one."
        ),
        Wrong("the readout is not counted", {"recurrent(D, H) + K * (H + 1)": "recurrent(D, H)"}).told(
            "The network has to say something: V and its bias are part of every budget."
        ),
        Wrong(
            "the second layer of the stack reads the inputs",
            {"shallow(H) + recurrent(H, H)": "shallow(H) + recurrent(D, H)"},
        ).told("A layer of a stack reads the layer below it: how many numbers are that?"),
        Wrong(
            "the second layer of the stack has no recurrence",
            {"shallow(H) + recurrent(H, H)": "shallow(H) + H * (H + 1)"},
        ).told("In a stack every layer has a state of its own, and a W of its own to carry it."),
        Wrong("the new layer has no bias", {"shallow(H) + H * (H + 1)": "shallow(H) + H * H"}).told(
            "A feedforward layer between two hidden ones has H × H weights, and something beside them."
        ),
        Wrong("the budget may not be used up", {"<= budget": "< budget"}).told(
            "A network with exactly as many parameters as the budget allows is within it."
        ),
    ),
    hints=(
        "Write one function for a recurrent layer of given inputs and units, and one for a feedforward layer; add up.",
        "Which layers does each network have? Draw a column for each, and add up.",
        "How many bias vectors does a recurrent layer of PyTorch keep, and how many does a linear one?",
    ),
    flags=(r"\bmatched_hidden_sizes?\b", r"\bdeep_rnn\b"),
)


def credit_paths(depth: int, lag: int) -> tuple[int, int, int]:
    """How many paths lead from the last output back to the input ``lag`` steps earlier, in three networks."""
    plain = [1] * (lag + 1)  # the lowest layer: one path to each later step
    hidden, stream = [1] * (lag + 1), [1] * (lag + 1)
    for _ in range(depth - 1):
        above, wider = [], []
        for t in range(lag + 1):
            above.append(plain[t] + (above[t - 1] if t else 0))
            wider.append(stream[t] + (wider[t - 1] if t else 0))
        plain, hidden = above, wider
        stream = [through + around for through, around in zip(hidden, stream, strict=True)]
    return plain[lag], stream[lag], depth**lag


def path_inputs(draw: Draw, depths: tuple[int, int], lags: tuple[int, int]) -> tuple:
    return draw.integer(*depths), draw.integer(*lags)


PATHS = Question(
    id="8.4",
    title="Ways for credit",
    points=2,
    reference=credit_paths,
    cases={
        "two layers": (path_inputs, (2, 2), (3, 9)),
        "three layers": (path_inputs, (3, 3), (3, 9)),
        "many layers": (path_inputs, (4, 7), (5, 9)),
        "a short lag": (path_inputs, (3, 6), (1, 2)),
        "no lag": (path_inputs, (3, 6), (0, 0)),
        "one layer": (path_inputs, (1, 1), (3, 9)),
    },
    parts=("the plain stack", "the residual stack", "the deep transition with shortcuts"),
    wrong=(
        Wrong(
            "every path of the stack counted as if order did not matter",
            lambda depth, lag: (depth, 2 ** (depth - 1), depth),
        ).told("Credit may climb at any step: two paths that climb at different times are different."),
        Wrong("a climb at every step", lambda depth, lag: (depth**lag, (depth + 1) ** lag, lag**depth)).told(
            "In a stack credit never comes down again (seen from the input, it climbs depth - 1 times in all). Draw a "
            "grid of layers and steps and count the ways through it."
        ),
        Wrong(
            "one step too many", {"plain[lag], stream[lag], depth**lag": "sum(plain), sum(stream), depth ** (lag + 1)"}
        ).told("With a lag of nought there is one path through a plain stack: straight up. Start counting there."),
        Wrong("a row too many in the grid", {"range(depth - 1)": "range(depth)"}).told(
            "A network of `depth` layers has one row for each. With a single layer credit never climbs at all."
        ),
        Wrong(
            "the nodes of the grid counted, not the ways through it",
            lambda depth, lag: (depth * (lag + 1), 2 * depth * (lag + 1), depth**lag),
        ).told("That is how many places the grid has. Asked is how many ways lead from one corner to the other."),
        Wrong("the way around does not add to the way through", {"through + around": "through"}).told(
            "In the residual stack a path may also pass *around* a layer without entering it."
        ),
        Wrong(
            "each layer adds the inputs of the whole stack",
            {"through + around for": "through + 1 for"},
        ).told("What a layer adds is what it read: the outputs of the layer right below, with all the paths in them."),
        Wrong(
            "the way around also leads through time",
            {"(wider[t - 1] if t else 0)": "(wider[t - 1] + stream[t - 1] if t else 0)"},
        ).told("A layer carries its own state to the next step, without what was added to it on the way up."),
    ),
    hints=(
        "Draw layers as rows and steps as columns. An arrow goes right (same layer) or up (same step).",
        "The number of paths into a node is the sum over the arrows that enter it. Fill the grid from the input on.",
    ),
)
