"""Questions 1.1, 1.3 and 1.6: what a window shows, what it costs, and how long it has to be."""

import torch

from rnncourse.grading.spec import Draw, Question, Wrong


def make_windows(codes, k):
    """codes is (characters,); returns the windows, (characters - k, k), and their targets, (characters - k,)."""
    windows = torch.stack([codes[j : len(codes) - k + j] for j in range(k)], dim=1)
    return windows, codes[k:]


def windows_inputs(draw: Draw, shortest: int, longest: int) -> tuple:
    return draw.integers(0, 25, draw.integer(11, 16)), draw.integer(shortest, longest)


WINDOWS = Question(
    id="1.1",
    title="Windows and what follows them",
    points=1,
    reference=make_windows,
    cases={
        "short windows": (windows_inputs, 2, 4),
        "long windows": (windows_inputs, 5, 9),
        "windows of one": (windows_inputs, 1, 1),
    },
    parts=("the windows", "the targets"),
    wrong=(
        Wrong("the target stands inside its own window", {"range(k)": "range(1, k + 1)"}).told(
            "Your windows end one character too late: the last column is the answer itself, and a network trained on "
            "it would look wonderful and know nothing."
        ),
        Wrong("the targets are not moved on", {"codes[k:]": "codes[k - 1 : -1]"}).told(
            "Your windows are right, and each has its own last character for a target. What comes *after* it?"
        ),
        Wrong("the targets begin with the text", {"codes[k:]": "codes[: len(codes) - k]"}).told(
            "Your windows are right, and each has its own first character for a target. What comes after the last one?"
        ),
        Wrong("the windows are back to front", {"range(k)": "reversed(range(k))"}).told(
            "Each row should read as the text does, the oldest character first."
        ),
        Wrong("the windows do not overlap", {"return windows, codes[k:]": "return windows[::k], codes[k::k]"}).told(
            "A window starts at every character, not at every k-th one: each character but the first k is a target."
        ),
    ),
    hints=(
        "A text of n characters has n - k characters that have k others before them.",
        "Slices that start at 0, 1, …, k - 1, side by side, are the columns.",
    ),
)


def parameter_counts(vocabulary, embedding, hidden, context):
    """All arguments are sizes; returns the parameters of the fixed-window network and of the recurrent one."""
    table = vocabulary * embedding
    readout = vocabulary * hidden + vocabulary
    window = context * embedding * hidden + hidden
    recurrent = embedding * hidden + hidden * hidden + hidden
    return table + window + readout, table + recurrent + readout


def counts_inputs(draw: Draw, shortest: int, longest: int) -> tuple:
    return draw.integer(20, 70), draw.integer(5, 14), draw.integer(10, 30), draw.integer(shortest, longest)


COUNTS = Question(
    id="1.3",
    title="What a longer context costs",
    points=2,
    reference=parameter_counts,
    cases={"a long context": (counts_inputs, 40, 90), "a short context": (counts_inputs, 3, 6)},
    parts=("the fixed window", "the recurrent network"),
    wrong=(
        Wrong(
            "the recurrent network pays for every step",
            {"embedding * hidden + hidden * hidden": "context * (embedding + hidden) * hidden"},
        ).told("The same U and W are used at every step. What does a longer context cost a recurrent network?"),
        Wrong("the weights from the hidden layer to itself are missing", {" + hidden * hidden": ""}).told(
            "What makes the network recurrent is one more matrix, from the hidden layer to the hidden layer."
        ),
        Wrong("the window has an embedding table for every place", {"return table": "return context * table"}).told(
            "A character is given the same vector wherever it stands in the window: there is one table."
        ),
        Wrong("the recurrent layer has two biases", {"hidden * hidden + hidden": "hidden * hidden + 2 * hidden"}).told(
            "PyTorch stores two biases for a recurrent layer, and only their sum matters. The question gives it one."
        ),
        Wrong(
            "both hidden layers have two biases",
            {
                "context * embedding * hidden + hidden": "context * embedding * hidden + 2 * hidden",
                "hidden * hidden + hidden": "hidden * hidden + 2 * hidden",
            },
        ).told("One number for each hidden unit is added, once: one bias in each of the two hidden layers."),
        Wrong(
            "the biases are missing", {"vocabulary * embedding": "vocabulary * embedding - hidden - vocabulary"}
        ).told("Both layers have a bias: one number for each hidden unit, and one for each character of the output."),
    ),
    hints=(
        "List the parts first: the table of embeddings, input to hidden, (hidden to hidden,) hidden to output, biases.",
        "Only one part of one network depends on the length of the context.",
    ),
)


def window_needed(codes):
    """codes is (characters,); returns the smallest window that always settles the next symbol of this text."""
    text = codes.tolist()
    for k in range(1, len(text)):
        followers = {}
        for t in range(k, len(text)):
            followers.setdefault(tuple(text[t - k : t]), set()).add(text[t])
        if all(len(seen) == 1 for seen in followers.values()):
            return k
    return len(text)


def runs(draw: Draw) -> tuple:
    # A run of one symbol, then another: the end of the run is settled only by a context that covers it.
    return (torch.tensor(([draw.integer(0, 4)] * draw.integer(3, 11) + [draw.integer(5, 9)]) * 4),)


def word_again_and_again(draw: Draw) -> tuple:
    return (draw.integers(0, 2, draw.integer(8, 13)).repeat(3),)


def stretch_that_comes_back(draw: Draw) -> tuple:
    # No symbol comes twice but those of one stretch, and what follows it is another symbol the second time.
    sizes = [draw.integer(2, 9), *draw.integers(4, 9, 3).tolist()]
    symbols = torch.randperm(40, generator=draw.generator)
    stretch, before, between, after, _ = symbols.split([*sizes, 40 - sum(sizes)])
    return (torch.cat([before, stretch, between, stretch, after]),)


def coin_tosses(draw: Draw) -> tuple:
    return (draw.integers(0, 1, draw.integer(30, 40)),)


EVERY_ONE_SEEN = {"set()).add": "[]).append"}  # a list of all that followed, instead of the set of different ones

NEEDED = Question(
    id="1.6",
    title="How long must the window be?",
    points=3,
    reference=window_needed,
    cases={
        "runs": runs,
        "a word again and again": word_again_and_again,
        "a stretch that comes back": stretch_that_comes_back,
        "coin tosses": coin_tosses,
    },
    wrong=(
        Wrong(
            "nearly always is taken for always",
            EVERY_ONE_SEEN | {"all(len(seen) == 1 for": "0.9 * (len(text) - k) <= sum(max(map(seen.count, seen)) for"},
        ).told(
            "Your window predicts most symbols. The question asks for the window from which *every* symbol is settled."
        ),
        Wrong("one too short", {"return k": "return max(1, k - 1)"}).told(
            "With your window there is still a context that is followed by two different symbols. Count its symbols."
        ),
        Wrong("one too long", {"return k": "return k + 1"}).told(
            "A window one shorter would do as well: does your count include the symbol that is to be predicted?"
        ),
        Wrong("the stretch at the very end is counted, too", {"codes.tolist()": "[*codes.tolist(), None]"}).told(
            "Nothing follows the last stretch, so it contradicts nobody. Count only stretches that a symbol follows."
        ),
        Wrong("a context may not come back at all", EVERY_ONE_SEEN).told(
            "A context may return as often as it likes, as long as the same symbol follows each time."
        ),
    ),
    hints=(
        "For one k: collect, for each context of k symbols, the set of symbols that follow it.",
        "Start with k = 1 and stop at the first k for which every set has one member.",
    ),
)
