"""ListOps: nested lists of digits with an operator each; compute the digit at the root."""

from collections.abc import Iterator

import numpy as np

from rnncourse.data.baselines import majority
from rnncourse.data.dataset import Baseline, Dataset
from rnncourse.data.synthetic import as_generator, batch_hash, check_at_least, synthetic_card
from rnncourse.data.trees import Tree, TreeItem, tree_depth, tree_splits, tree_tokens
from rnncourse.data.vocabulary import PAD, Vocabulary
from rnncourse.signatures import checked

CARD = synthetic_card(
    name="listops",
    title="ListOps",
    task="A nested expression such as [MAX 2 9 [MIN 4 7 ] 0 ]; compute its value, a digit.",
    citation="Nangia and Bowman, ListOps: a diagnostic dataset for latent tree learning, NAACL Student Research "
    "Workshop 2018.",
    size="11,704 distinct expressions (15,000 drawn) by default, of at most 100 tokens (the paper, by secondary "
    "sources: 90,000 to train and 10,000 to test)",
    sha="b912fc8a1203b3d81905fe725bb4e01db027763d7511caefd6895e62efcc45a7",
    split="80/10/10 % of the distinct expressions, by SHA-256 of their text.",
    notes="The rules are those of the published generator: an argument is a nested list with probability 1/4, "
    "otherwise a digit; operators MAX, MIN, MED (the median, rounded down) and SM (the sum modulo 10) are equally "
    "likely, as are 2 to 5 arguments. Limits on arguments and depth differ between versions of it, and are options "
    "here. A digit alone is no expression here.",
)
DIGITS = "0123456789"
OPERATORS = ("[MAX", "[MIN", "[MED", "[SM")
SYMBOLS = (PAD, *DIGITS, *OPERATORS, "]")
FIRST_OPERATOR, END = 11, 15
NESTED = 0.25


@checked
def evaluate(operator: str, values: list[int]) -> int:
    """What an operator makes of its arguments.

    Args:
        operator: One of :data:`OPERATORS`.
        values: Digits, at least one.

    Returns:
        A digit.

    Raises:
        ValueError: The operator is unknown.

    Example:
        >>> [evaluate(operator, [8, 1, 4, 9]) for operator in OPERATORS]
        [9, 1, 6, 2]
    """
    if operator == "[MAX":
        return max(values)
    if operator == "[MIN":
        return min(values)
    if operator == "[MED":
        ordered, middle = sorted(values), len(values) // 2
        return ordered[middle] if len(values) % 2 else (ordered[middle - 1] + ordered[middle]) // 2
    if operator == "[SM":
        return sum(values) % 10
    raise ValueError(f"operator is {operator!r}; it should be one of {', '.join(OPERATORS)}")


def _grow(room: int, max_args: int, draws: Iterator[float], *, nested: bool) -> Tree:
    if not nested:
        digit = int(10 * next(draws))
        return Tree(1 + digit, value=digit)
    operator = int(len(OPERATORS) * next(draws))
    count = 2 + int((max_args - 1) * next(draws))
    children = tuple(_grow(room - 1, max_args, draws, nested=room > 1 and next(draws) < NESTED) for _ in range(count))
    return Tree(FIRST_OPERATOR + operator, children, evaluate(OPERATORS[operator], [child.value for child in children]))


@checked
def listops(
    count: int,
    *,
    max_depth: int = 20,
    max_args: int = 5,
    max_length: int = 100,
    seed: int | np.random.Generator = 0,
) -> list[TreeItem]:
    """Distinct random ListOps expressions.

    Args:
        count: How many to draw, at least 1; repeated ones and long ones are dropped, so fewer may come.
        max_depth: Most nested lists, from 1 to 100.
        max_args: Most arguments of an operator, at least 2.
        max_length: Most tokens of an expression, at least 4.
        seed: Seed or generator.

    Returns:
        Expressions; ``value`` of each node is the digit that it evaluates to.

    Raises:
        ValueError: A size is out of its range.

    References:
        Nangia and Bowman 2018; the rules were read in the generator that they published.

    Example:
        >>> item = listops(1, seed=3)[0]
        >>> item.text, item.target
        ('[MAX 5 [MIN [MED 5 5 ] 9 6 ] ]', 5)
    """
    for argument, value, least in (
        ("count", count, 1),
        ("max_depth", max_depth, 1),
        ("max_args", max_args, 2),
        ("max_length", max_length, 4),
    ):
        check_at_least(argument, value, least)
    if max_depth > 100:
        raise ValueError(f"max_depth is {max_depth}; it should be at most 100")
    draws = _numbers(as_generator(seed))
    found: dict[str, TreeItem] = {}
    for _ in range(count):
        tree = _grow(max_depth, max_args, draws, nested=True)
        tokens = tree_tokens(tree, END)
        if len(tokens) <= max_length:
            text = " ".join(SYMBOLS[token] for token in tokens)
            found.setdefault(text, TreeItem(tree, tuple(tokens), tree.value, tree_depth(tree), text))
    return list(found.values())


def _numbers(rng: np.random.Generator) -> Iterator[float]:
    while True:
        yield from rng.random(10_000).tolist()


@checked
def load(*, count: int = 15_000, max_depth: int = 20, max_args: int = 5, max_length: int = 100) -> Dataset:
    """ListOps as a data set of trees.

    Args:
        count: Expressions to draw for train, valid and test together.
        max_depth: Most nested lists.
        max_args: Most arguments of an operator.
        max_length: Most tokens of an expression.

    Returns:
        The data set; its baseline is the majority.

    Raises:
        ValueError: A size is out of its range, or so small that a split would be empty.
    """
    items = listops(
        count, max_depth=max_depth, max_args=max_args, max_length=max_length, seed=np.random.default_rng([0, 0])
    )
    splits = tree_splits(items)
    labels = [[item.target for item in splits[name].items] for name in ("train", "test")]
    common = Baseline("majority", majority(*labels), "accuracy", "higher", "the commonest value of the train split")
    return Dataset("listops", CARD, splits, Vocabulary(SYMBOLS), Vocabulary(DIGITS), {"majority": common})


def fingerprint() -> str:
    """SHA-256 of the default test split.

    Returns:
        64 hexadecimal digits.
    """
    return batch_hash(load().test.batch())
