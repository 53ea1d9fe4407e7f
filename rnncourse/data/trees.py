"""Trees as plain data, read from nested tuples and from Python's syntax, and the same expression as a sequence."""

import ast
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import torch

from rnncourse.data.batches import TreeBatch, mask_of
from rnncourse.data.padding import pad_numbers
from rnncourse.data.splits import NAMES, Split, split_by_hash
from rnncourse.signatures import checked


class Tree(NamedTuple):
    """A node with what hangs below it.

    Attributes:
        token: Number of its symbol; the symbol itself in a tree that no vocabulary has numbered yet.
        children: The nodes below, left to right; none for a leaf.
        value: Label of this node, such as what its expression evaluates to; −1 where there is none.
    """

    token: Any
    children: tuple["Tree", ...] = ()
    value: int = -1


class TreeItem(NamedTuple):
    """An expression of a data set.

    Attributes:
        tree: Its tree.
        tokens: The same as a sequence.
        target: Its label.
        depth: Edges from the root to the farthest leaf.
        text: The same, readable; the key of the split.
    """

    tree: Tree
    tokens: tuple[int, ...]
    target: int
    depth: int
    text: str


@checked
def tree_from_nested(nested: Any, number: Callable[[Any], Any] | None = None) -> Tree:
    """A tree from nested tuples: each is a symbol followed by its children, and a symbol alone is a leaf.

    Args:
        nested: A tuple or list ``(symbol, child, …)``, nested as deep as one likes, or the symbol of a leaf.
        number: Symbol → its number, such as a vocabulary's ``index``; the symbols themselves stay where not given.

    Returns:
        The tree. What stands twice in ``nested`` becomes two nodes.

    Raises:
        ValueError: A tuple is empty, a symbol is a tuple, or a list holds itself.

    Example:
        >>> tree_from_nested(("max", 2, ("min", 9, 4))).children[1].token
        'min'
        >>> tree_from_nested(("b", "a"), {"a": 1, "b": 2}.get)
        Tree(token=2, children=(Tree(token=1, children=(), value=-1),), value=-1)
    """

    def parts(one: Any) -> tuple[Any, Sequence[Any]]:
        if not isinstance(one, (tuple, list)):
            return one, ()
        if not one:
            raise ValueError(
                f"nested holds an empty {type(one).__name__}; it should be a symbol, or (symbol, child, …)"
            )
        if isinstance(one[0], (tuple, list)):
            raise ValueError(f"nested holds a {type(one[0]).__name__} in first place; a symbol should stand there")
        return one[0], one[1:]

    return _build("nested", nested, parts, number)


def tree_from_ast(node: ast.AST, number: Callable[[str], Any] | None = None) -> Tree:
    """The tree of a piece of Python: the types of its syntax nodes.

    Names, constants and the load or store context are left out.

    Args:
        node: What ``ast.parse`` returns, or a node of it.
        number: Name of a type → its number; the names themselves stay where not given.

    Returns:
        The tree.

    Raises:
        ValueError: It is no node of ``ast``, or one that holds itself.

    Example:
        >>> tree = tree_from_ast(ast.parse("x + f(1)").body[0].value)
        >>> [node.token for node in tree_nodes(tree)]
        ['Name', 'Add', 'Name', 'Constant', 'Call', 'BinOp']
    """
    if not isinstance(node, ast.AST):
        raise ValueError(f"node is a {type(node).__name__}; it should be a node of ast, such as ast.parse('x + 1')")
    return _build("node", node, lambda one: (type(one).__name__, syntax_children(one)), number)


def syntax_children(node: ast.AST) -> list[ast.AST]:
    """What stands below a node of Python's syntax, without the load or store context.

    Args:
        node: A node of ``ast``.

    Returns:
        The nodes below it, in order.
    """
    return [child for child in ast.iter_child_nodes(node) if not isinstance(child, ast.expr_context)]


def _build(
    name: str, root: Any, parts: Callable[[Any], tuple[Any, Sequence[Any]]], number: Callable[[Any], Any] | None
) -> Tree:
    """The tree of whatever falls into (symbol, things below), however deep: a stack of one's own has no limit."""
    built: list[Tree] = []
    opened: set[int] = set()
    todo: list[tuple[Any, tuple[Any, int] | None]] = [(root, None)]
    while todo:
        one, closing = todo.pop()
        if closing is None:
            if id(one) in opened:
                raise ValueError(f"{name} is a {type(one).__name__} that holds itself; a tree should come to an end")
            symbol, below = parts(one)
            if below:
                opened.add(id(one))
            todo.append((one, (symbol, len(below))))
            todo.extend((child, None) for child in reversed(below))
        else:  # all that is below has been built
            symbol, count = closing
            opened.discard(id(one))
            children = tuple(built[len(built) - count :])
            del built[len(built) - count :]
            built.append(Tree(symbol if number is None else number(symbol), children))
    return built.pop()


@checked
def tree_depth(tree: Tree) -> int:
    """Edges from the root to the farthest leaf.

    Args:
        tree: A tree.

    Returns:
        0 for a leaf.

    Example:
        >>> tree_depth(Tree(1, (Tree(2), Tree(3, (Tree(4),)))))
        2
    """
    depth, level = 0, tree.children
    while level:
        depth, level = depth + 1, [child for node in level for child in node.children]
    return depth


@checked
def tree_nodes(tree: Tree) -> Iterator[Tree]:
    """All nodes, children before their parents, left to right.

    Args:
        tree: A tree.

    Returns:
        An iterator over its nodes; the root comes last.

    Example:
        >>> [node.token for node in tree_nodes(Tree(1, (Tree(2), Tree(3, (Tree(4),)))))]
        [2, 4, 3, 1]
    """
    found, todo = [], [tree]
    while todo:  # parents before their children, right to left: the other way round
        found.append(todo.pop())
        todo.extend(found[-1].children)
    return reversed(found)


@checked
def tree_tokens(tree: Tree, end: int) -> list[int]:
    """The tree as a sequence: a node, then its children, then a closing bracket; a leaf alone has no bracket.

    Args:
        tree: A tree.
        end: Number of the closing bracket.

    Returns:
        Tokens in reading order.

    Example:
        >>> tree_tokens(Tree(5, (Tree(1), Tree(6, (Tree(2), Tree(3))))), end=9)
        [5, 1, 6, 2, 3, 9, 9]
    """
    tokens, todo = [], [tree]
    while todo:
        node = todo.pop()
        tokens.append(node.token)
        if node.children:
            todo += [Tree(end), *reversed(node.children)]
    return tokens


@checked
def tree_batch(items: Sequence[TreeItem]) -> TreeBatch:
    """Expressions as one batch of trees and of padded token sequences.

    Args:
        items: At least one.

    Returns:
        The batch, with one label an expression.

    Raises:
        ValueError: There is no item.
    """
    if not len(items):
        raise ValueError("items is empty; it should hold at least one")
    inputs, lengths = pad_numbers([item.tokens for item in items])
    targets = torch.tensor([item.target for item in items])
    ones = torch.ones_like(targets)
    return TreeBatch(tuple(item.tree for item in items), inputs, targets, lengths, mask_of(lengths), ones, ones.bool())


@checked
def tree_splits(items: Sequence[TreeItem]) -> dict[str, Split]:
    """Expressions split by the hash of their text.

    Args:
        items: Enough that no split is empty.

    Returns:
        Train, valid and test.

    Raises:
        ValueError: A split would be empty.
    """
    if not len(items):
        raise ValueError("items is empty; it should hold at least one")
    parts = split_by_hash(items, key=lambda item: item.text)
    empty = [name for name in NAMES if not parts[name]]
    if empty:
        raise ValueError(f"count is too small: {len(items)} expressions leave {', '.join(empty)} empty; ask for more")
    return {name: Split(tree_batch(part), part) for name, part in parts.items()}
