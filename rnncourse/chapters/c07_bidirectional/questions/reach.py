"""Questions 7.5 and 7.6: what a stack of layers sees of its input, and how far ahead the deciding letter lies."""

import torch
from torch import Tensor

from rnncourse.grading.spec import Draw, Question, Wrong


def what_it_sees(layers: list[str], delays: list[int], n: int) -> tuple[Tensor, int]:
    """A 0/1 matrix (n, n), 1 where y_t may depend on x_k, and how many outputs are ready before x_n has come."""
    t, k = torch.arange(n)[:, None], torch.arange(n)
    sees = torch.eye(n)
    for layer, delay in zip(layers, delays, strict=True):
        if layer == "forward":
            one = k <= t + delay
        elif layer == "backward":
            one = k >= t
        else:
            one = torch.ones(n, n)
        sees = one.float() @ sees  # this layer looks at outputs of the layer below, which look at the input
    sees = (sees > 0).float()
    return sees, int((sees[:, -1] == 0).sum())


def stack_inputs(draw: Draw, layers: tuple[str, ...], delay: tuple[int, int] = (0, 0)) -> tuple:
    """A stack, the delays of its forward layers, and a length."""
    delays = [draw.integer(*delay) if layer == "forward" else 0 for layer in layers]
    return list(layers), delays, draw.integer(9, 16)


REACH = Question(
    id="7.5",
    title="Who sees what?",
    points=3,
    reference=what_it_sees,
    cases={
        "one direction": (stack_inputs, ("forward",)),
        "one direction, late": (stack_inputs, ("forward",), (2, 4)),
        "late upon late": (stack_inputs, ("forward", "forward"), (1, 3)),
        "the other direction": (stack_inputs, ("backward",)),
        "both directions under one": (stack_inputs, ("both", "forward"), (0, 1)),
        "one direction upon the other": (stack_inputs, ("backward", "forward"), (0, 1)),
    },
    parts=("what each output sees", "outputs that are ready early"),
    wrong=(
        Wrong("a layer's delay counts as one step, however long", {"k <= t + delay": "k <= t + (delay > 0)"}).told(
            "An answer that waits d steps has read d steps more, not one."
        ),
        Wrong("the delay is ignored", {"k <= t + delay": "k <= t"}).told(
            "A late answer has read on. Up to which input?"
        ),
        Wrong("an output does not see its own step", {"k <= t + delay": "k < t + delay", "k >= t": "k > t"}).told(
            "h^f_t and h^b_t have both read x_t itself."
        ),
        Wrong("only the top layer counts", {"one.float() @ sees": "one.float()"}).told(
            "What the top layer reads has seen something, too: put the layers one after another."
        ),
        Wrong("the layers are laid side by side", {"one.float() @ sees": "torch.maximum(one.float(), sees)"}).told(
            "Delays of one and two, one upon the other, see three steps ahead: follow the way through both layers."
        ),
        Wrong("rows and columns are exchanged", {"(sees > 0).float()": "(sees > 0).float().T"}).told(
            "Row t belongs to the output, column k to the input."
        ),
        Wrong("the matrix counts ways", {"(sees > 0).float()": "sees"}).told(
            "How many ways lead from an input to an output is not asked, only whether one does."
        ),
        Wrong("the outputs that have to wait are counted", {"== 0": "> 0"}).told(
            "Your number is that of the outputs that need the last input. Which ones do not?"
        ),
        Wrong("outputs that miss any input count as early", {"sees[:, -1] == 0": "sees.sum(dim=1) < n"}).told(
            "The backward direction does not see x_1 at every step, and still cannot speak before x_n has come."
        ),
    ),
    hints=(
        "First one layer: for which k does its output t depend on its input k?",
        "If the layer above sees s, and s has seen k, then it has seen k: that is a matrix product, then > 0.",
        "An output is ready early if it does not depend on the last input: look at one column.",
    ),
)


def letters_ahead(words: list[str], tags: list[list[str]], word: str) -> list[int]:
    """For each letter of a word: how many letters ahead must be read until the dictionary leaves one tag."""
    distances = []
    for t in range(len(word)):
        for ahead in range(len(word) + 1 - t):
            read = (word + ".")[: t + 1 + ahead]  # the full stop is the word's end
            left = {row[t] for other, row in zip(words, tags, strict=True) if (other + ".").startswith(read)}
            if len(left) == 1:
                break
        distances.append(ahead)
    return distances


def dictionary_inputs(draw: Draw, letters: str, longest: int, count: int) -> tuple:
    """A dictionary of random words with ambiguous tags, and one of its words, whose end decides its last letter."""
    found: dict[str, list[str]] = {}
    while len(found) < count:
        word = "".join(letters[i] for i in draw.integers(0, len(letters) - 1, draw.integer(2, longest)).tolist())
        found[word] = [f"{letter}{int(draw.number(0, 1) < 0.3)}" for letter in word]
    word = "".join(letters[i] for i in draw.integers(0, len(letters) - 1, draw.integer(4, longest)).tolist())
    found[word] = [f"{letter}{int(draw.number(0, 1) < 0.3)}" for letter in word]
    found[word + letters[0]] = [*found[word][:-1], "other", letters[0]]
    words = [list(found)[i] for i in torch.randperm(len(found), generator=draw.generator).tolist()]
    return words, [found[word] for word in words], word


DECIDING = Question(
    id="7.6",
    title="The deciding letter",
    points=3,
    reference=letters_ahead,
    cases={
        "two letters": (dictionary_inputs, "ab", 6, 30),
        "three letters": (dictionary_inputs, "abc", 5, 40),
        "many words": (dictionary_inputs, "ab", 7, 80),
    },
    wrong=(
        Wrong("the end of a word is not read", {"len(word) + 1 - t": "len(word) - t"}).told(
            "That a word ends here can be what decides: it counts as a letter that can be read."
        ),
        Wrong("the letter itself counts as read ahead", {"append(ahead)": "append(ahead + 1)"}).told(
            "Where the letters up to and including t leave one tag, nothing has to be read ahead: the distance is 0."
        ),
        Wrong(
            "only the letters ahead are compared, not those before",
            {
                '(word + ".")[: t + 1 + ahead]': '(word + ".")[t : t + 1 + ahead]',
                '(other + ".").startswith(read)': '(other + ".")[t:].startswith(read) and len(row) > t',
            },
        ).told("The network has read the word from its beginning, and that rules many words out."),
        Wrong("the distance is counted from the word's end", {"append(ahead)": "append(len(word) - t - ahead)"}).told(
            "How far ahead of letter t, not how far before the end?"
        ),
        Wrong(
            "only the last letter's distance is kept", {"distances.append(ahead)": "distances = [ahead] * len(word)"}
        ).told("Every letter has a distance of its own."),
    ),
    hints=(
        "Which words of the dictionary begin with what has been read so far? Which tags do they have at t?",
        "Write the end of a word as one more letter, such as a full stop, for every word.",
    ),
)
