"""Boolean expressions: is this nest of and, or and not true? Tested on deeper nests than trained."""

from collections.abc import Iterator

import numpy as np

from rnncourse.data.baselines import majority
from rnncourse.data.dataset import Baseline, Dataset
from rnncourse.data.splits import Split
from rnncourse.data.synthetic import as_generator, batch_hash, check_at_least, check_span, synthetic_card
from rnncourse.data.trees import Tree, TreeItem, tree_batch, tree_splits, tree_tokens
from rnncourse.data.vocabulary import PAD, Vocabulary
from rnncourse.signatures import checked

CARD = synthetic_card(
    name="boolean_expressions",
    title="Boolean expression trees",
    task="A nested expression of and, or, not over true and false; say whether it is true.",
    citation="Nested logical expressions as a test of composition: Bowman, Manning and Potts, Tree-structured "
    "composition in neural networks without tree-structured architectures, 2015, who ask how two formulas are related "
    "(from secondary sources). The task and the generator here are our own.",
    size="10,301 distinct expressions of depth 1 to 5 (20,000 drawn) by default, and a split `deeper` of 1,000 of "
    "depth 8",
    sha="b45f02265a02ac4efb3c2205ef2e366564336771c0f58b3ac65c21dcb84021d4",
    split="80/10/10 % of the distinct expressions, by SHA-256 of their text.",
    notes="There are only ten expressions of depth 1, so shallow ones are rarer than deep ones.",
)
SYMBOLS = (PAD, "F", "T", "[and", "[or", "[not", "]")
FALSE, TRUE, AND, OR, NOT, END = range(1, 7)


def _grow(depth: int, draws: Iterator[float]) -> Tree:
    """A random tree of exactly this depth: one child reaches it, the other has any smaller depth."""
    if depth == 0:
        value = int(next(draws) < 0.5)
        return Tree(FALSE + value, value=value)
    token = AND + int(3 * next(draws))
    if token == NOT:
        child = _grow(depth - 1, draws)
        return Tree(NOT, (child,), 1 - child.value)
    full, other = _grow(depth - 1, draws), _grow(int(depth * next(draws)), draws)
    children = (full, other) if next(draws) < 0.5 else (other, full)
    values = [child.value for child in children]
    return Tree(token, children, min(values) if token == AND else max(values))


@checked
def boolean_expressions(
    count: int, *, depth: int | tuple[int, int] = (1, 5), seed: int | np.random.Generator = 0
) -> list[TreeItem]:
    """Distinct random expressions, their depths drawn evenly from a range.

    Args:
        count: How many to draw, at least 1; repeated ones are dropped, so fewer may come.
        depth: Depth, or (least, most), from 1 to 20.
        seed: Seed or generator.

    Returns:
        Expressions; ``value`` of each node says whether it is true, so a loss can be put on every node.

    Raises:
        ValueError: A size is out of its range.

    Example:
        >>> item = boolean_expressions(1, depth=2, seed=0)[0]
        >>> item.text, item.target
        ('[and [and F T ] [or T F ] ]', 0)
    """
    check_at_least("count", count, 1)
    least, most = check_span("depth", depth)
    if most > 20:
        raise ValueError(f"depth is {depth}; it should be at most 20")
    draws = _numbers(as_generator(seed))
    found: dict[str, TreeItem] = {}
    for _ in range(count):
        deep = least + int((most - least + 1) * next(draws))
        tree = _grow(deep, draws)
        tokens = tree_tokens(tree, END)
        text = " ".join(SYMBOLS[token] for token in tokens)
        found.setdefault(text, TreeItem(tree, tuple(tokens), tree.value, deep, text))
    return list(found.values())


def _numbers(rng: np.random.Generator) -> Iterator[float]:
    while True:
        yield from rng.random(10_000).tolist()


@checked
def load(
    *, count: int = 20_000, depth: int | tuple[int, int] = (1, 5), deeper: int = 8, held_out: int = 1000
) -> Dataset:
    """Boolean expressions as a data set of trees.

    Args:
        count: Expressions to draw for train, valid and test together.
        depth: Their depth, or (least, most).
        deeper: Depth of those in the extra split ``"deeper"``.
        held_out: Expressions to draw for it.

    Returns:
        The data set; its baseline is the majority.

    Raises:
        ValueError: A size is out of its range, or so small that a split would be empty.
    """
    splits = tree_splits(boolean_expressions(count, depth=depth, seed=np.random.default_rng([0, 0])))
    beyond = boolean_expressions(held_out, depth=deeper, seed=np.random.default_rng([3, 0]))
    splits["deeper"] = Split(tree_batch(beyond), beyond)
    labels = [[item.target for item in splits[name].items] for name in ("train", "test")]
    common = Baseline("majority", majority(*labels), "accuracy", "higher", "the commonest label of the train split")
    return Dataset(
        "boolean_expressions", CARD, splits, Vocabulary(SYMBOLS), Vocabulary(["false", "true"]), {"majority": common}
    )


def fingerprint() -> str:
    """SHA-256 of the default test split.

    Returns:
        64 hexadecimal digits.
    """
    return batch_hash(load().test.batch())
