"""Python syntax trees: a function's tree without any of its names; guess the first word of what it is called."""

import ast
import re
import warnings
from collections import Counter

from rnncourse.data.baselines import NaiveBayes, majority
from rnncourse.data.cache import cached
from rnncourse.data.card import Card
from rnncourse.data.dataset import Baseline, Dataset
from rnncourse.data.sources import find_distribution, read_files
from rnncourse.data.splits import fraction
from rnncourse.data.synthetic import check_at_least
from rnncourse.data.trees import Tree, TreeItem, syntax_children, tree_depth, tree_splits, tree_tokens
from rnncourse.data.vocabulary import PAD, Vocabulary
from rnncourse.signatures import checked

CARD = Card(
    name="python_syntax",
    title="Python syntax trees",
    kind="real",
    task="The syntax tree of a Python function, its node types only; guess the first word of the function's name "
    "among ten.",
    citation="SymPy: Meurer et al., SymPy: symbolic computing in Python, PeerJ Computer Science 3:e103, 2017. "
    "Predicting a function's name from its syntax tree: Alon et al., code2vec: learning distributed representations "
    "of code, 2019.",
    source="Source files of `sympy` (which comes with torch), parsed by the standard library's `ast` and never "
    "imported. The standard library's own sources change with every release of Python, so no hash could hold for them.",
    size="2,774 functions: 2,185 train, 273 valid, 316 test; 78 node types",
    split="80/10/10 % of the distinct trees, by SHA-256 of the tree's text.",
    data_license="BSD-3-Clause",
    code_license="BSD-3-Clause",
    sha256="ad774708e6d7d652108b0df76e86078b9f057b0bc76f6c98ab38cb5bbbae5c66",
    package="sympy",
    version="1.14.0",
    notes="Functions of 8 to 120 nodes whose first word is one of the ten commonest. Of functions with the same tree "
    "one is kept.",
)
INSTALL = "pip install sympy==1.14.0"
FOLDERS = ("core", "functions", "matrices", "polys", "printing", "series", "sets", "stats")
SMALLEST, LARGEST, CLASSES = 8, 120, 10
END = "]"


def paths() -> list[str]:
    """The source files that are read, by name.

    Returns:
        Paths inside the package, tests left out.
    """
    chosen = re.compile(rf"sympy/({'|'.join(FOLDERS)})/(?!.*tests/).*\.py")
    distribution = find_distribution(CARD, INSTALL)
    return sorted(str(path) for path in distribution.files or () if chosen.fullmatch(str(path)))


@checked
def first_word(name: str) -> str:
    """The first word of a function's name.

    Args:
        name: In snake or camel case.

    Returns:
        That word in lower case; ``""`` where there is none, or for a name such as ``__init__``.

    Example:
        >>> [first_word(name) for name in ("_print_Add", "isSymbol", "__init__")]
        ['print', 'is', '']
    """
    if name.startswith("__"):
        return ""
    found = re.match(r"[a-z]+|[A-Z][a-z]*", name.lstrip("_"))
    return found[0].lower() if found else ""


@checked
def shape(node: ast.AST) -> str:
    """A syntax tree as a sequence of node types, closed by brackets.

    Args:
        node: A node; names, constants and the load or store context are left out.

    Returns:
        Types in reading order; a node with children opens with ``[`` after its type and ends in ``]``.

    Example:
        >>> shape(ast.parse("x + f(1)").body[0])
        'Expr[ BinOp[ Name Add Call[ Name Constant ] ] ]'
    """
    words, todo = [], [node]
    while todo:
        one = todo.pop()
        children = syntax_children(one) if isinstance(one, ast.AST) else []
        words.append(one if isinstance(one, str) else type(one).__name__ + "[" * bool(children))
        if children:
            todo += [END, *reversed(children)]
    return " ".join(words)


@checked
def functions(source: str) -> list[tuple[str, str]]:
    """Every function of a file as (first word of its name, its tree).

    Args:
        source: Python source.

    Returns:
        Functions with arguments, decorators and body under one node.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # invalid escapes in somebody else's strings
        module = ast.parse(source)
    return [(first_word(node.name), shape(node)) for node in ast.walk(module) if isinstance(node, ast.FunctionDef)]


@checked
def select(found: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Distinct trees of a fair size whose word is among the commonest.

    Args:
        found: (word, tree) pairs.

    Returns:
        Those kept, in their order.
    """
    distinct: dict[str, str] = {}
    for word, text in found:
        if word and SMALLEST <= sum(token != END for token in text.split()) <= LARGEST:
            distinct.setdefault(text, word)
    common = {word for word, _ in Counter(distinct.values()).most_common(CLASSES)}
    return [(word, text) for text, word in distinct.items() if word in common]


@checked
def read_tree(text: str, number: dict[str, int]) -> Tree:
    """The tree back from its text.

    Args:
        text: As :func:`shape` writes it.
        number: Number of each node type.

    Returns:
        The tree.

    Example:
        >>> read_tree("Call[ Name Constant ]", {"Call": 1, "Name": 2, "Constant": 3})
        Tree(token=1, children=(Tree(token=2, children=(), value=-1), Tree(token=3, children=(), value=-1)), value=-1)
    """
    stack: list[list[Tree]] = [[]]
    opened: list[int] = []
    for token in text.split():
        if token == END:
            children = tuple(stack.pop())
            stack[-1].append(Tree(opened.pop(), children))
        elif token.endswith("["):
            opened.append(number[token[:-1]])
            stack.append([])
        else:
            stack[-1].append(Tree(number[token]))
    return stack[0][0]


def _read() -> list[tuple[str, str]]:
    """Words and trees of all functions, from the cache if they were parsed before."""
    files = read_files(CARD, paths(), INSTALL)

    def build() -> bytes:
        found = [function for content in files for function in functions(content.decode())]
        return "\n".join(f"{word}\t{text}" for word, text in select(found)).encode()

    content = cached("python-syntax", f"{CARD.sha256} v1", build, about="parsing Python functions (about 10 s)")
    return [(word, text) for word, text in (line.split("\t") for line in content.decode().splitlines())]


@checked
def load(*, count: int = 5000) -> Dataset:
    """Python functions as a data set of trees.

    Args:
        count: Most functions to use, in hash order; all there are if that is fewer.

    Returns:
        The data set; its baselines are the majority and naive Bayes on the counts of node types.

    Raises:
        ValueError: The count is so small that a split would be empty.
        MissingDataPackage: SymPy is not installed.
        HashMismatch: It is another version.
    """
    check_at_least("count", count, 1)
    everything = _read()
    symbols = sorted({token.rstrip("[") for _, text in everything for token in text.split()} - {END})
    vocabulary = Vocabulary([PAD, END, *symbols])
    classes = Vocabulary.of(word for word, _ in everything)
    chosen = sorted(everything, key=lambda function: fraction(function[1], salt="take"))[:count]
    items = []
    for word, text in chosen:
        tree = read_tree(text, vocabulary.number)
        tokens = tuple(tree_tokens(tree, vocabulary.index(END)))
        items.append(TreeItem(tree, tokens, classes.index(word), tree_depth(tree), text))
    splits = tree_splits(items)
    train, test = splits["train"].items, splits["test"].items
    bayes = NaiveBayes((1, 1)).fit([_bag(item) for item in train], [item.target for item in train])
    share = majority([item.target for item in train], [item.target for item in test])
    right = bayes.accuracy([_bag(item) for item in test], [item.target for item in test])
    baselines = {
        "majority": Baseline("majority", share, "accuracy", "higher", "the commonest word of the train split"),
        "naive Bayes": Baseline("naive Bayes", right, "accuracy", "higher", "node types, counted without their order"),
    }
    return Dataset("python_syntax", CARD, splits, vocabulary, classes, baselines)


def _bag(item: TreeItem) -> str:
    """One character a node, so that naive Bayes on single characters counts node types."""
    return "".join(chr(256 + token) for token in item.tokens)


def fingerprint() -> str:
    """SHA-256 of the source files as installed.

    Returns:
        64 hexadecimal digits.
    """
    read_files(CARD, paths(), INSTALL)
    return CARD.sha256
