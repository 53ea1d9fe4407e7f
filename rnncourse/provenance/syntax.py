"""A statement's syntax: stripped of what speaks to readers only, and the names in it.

All of this looks at syntax trees and imports nothing. :mod:`rnncourse.provenance.following` follows the names.
"""

import ast
from collections.abc import Callable, Iterable, Iterator

__all__ = ["MARK", "Chain", "as_text", "bare", "chain_of", "chains", "names_changed", "texts", "words"]

Chain = tuple[str, ...]
MARK = "\1"
IDENTIFIERS = {("Name", "id"), ("Attribute", "attr"), ("arg", "arg"), ("keyword", "arg"), ("FunctionDef", "name")}

ANNOTATIONS = ("annotation", "returns", "type_comment", "type_params")


def bare(statement: ast.stmt) -> ast.stmt:
    """A copy without docstrings, comments, annotations, errors' wording and the registration as an experiment."""
    copy = ast.parse(ast.unparse(statement)).body[0]  # a copy: the cached tree is left alone
    return _Bare().visit(copy)


def as_text(node: object, name_of: Callable[[Chain], str | None] = lambda chain: None) -> str:
    """A syntax tree as text that is the same in all versions of Python: empty fields and contexts are left out.

    Args:
        node: A node, a list of nodes, or a field's value.
        name_of: What to write for a dotted name; ``None`` leaves it as it stands.

    Returns:
        Text that two trees share exactly if they say the same; every identifier stands between two marks.
    """
    if isinstance(node, ast.AST):
        chain = chain_of(node)
        named = None if chain is None else name_of(chain)
        if named is not None:
            return named
        fields = [(name, value) for name, value in ast.iter_fields(node) if _says_something(name, value)]
        inner = ", ".join(
            f"{name}={MARK}{value}{MARK}" if _is_identifier(node, name) else f"{name}={as_text(value, name_of)}"
            for name, value in fields
        )
        return f"{type(node).__name__}({inner})"
    if isinstance(node, list):
        return f"[{', '.join(as_text(one, name_of) for one in node)}]"
    return repr(node)


def names_changed(statement: ast.stmt) -> set[str]:
    """The module's names that a top-level statement binds or alters (``T = {}``, ``T["a"] = f``, ``T.update(…)``)."""
    if isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        return {statement.name}
    names: set[str] = set()
    for node in ast.walk(statement):
        if isinstance(node, (ast.Assign, ast.Delete)):
            names.update(root for target in node.targets for root in _roots(target))
        elif isinstance(node, (ast.AugAssign, ast.AnnAssign, ast.For, ast.AsyncFor, ast.NamedExpr)):
            names.update(_roots(node.target))
        elif isinstance(node, ast.withitem) and node.optional_vars is not None:
            names.update(_roots(node.optional_vars))
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            names.update(_roots(node.func.value))
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            names.add(node.name)
        elif hasattr(ast, "TypeAlias") and isinstance(node, ast.TypeAlias):
            names.add(node.name.id)
    return names


def chains(statements: Iterable[ast.stmt]) -> Iterator[Chain]:
    """Every dotted name that is read: ``a.b.c(d)`` gives (a, b, c) and (d,)."""

    def visit(node: ast.AST) -> Iterator[Chain]:
        chain = chain_of(node)
        if chain is not None:
            yield chain
            return
        for child in ast.iter_child_nodes(node):
            yield from visit(child)

    for statement in statements:
        yield from visit(statement)


def texts(statements: Iterable[ast.stmt]) -> Iterator[str]:
    """Every string that stands in the statements."""
    for statement in statements:
        for node in ast.walk(statement):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield node.value


def words(statement: ast.stmt) -> set[str]:
    """Every name, attribute and string in a statement, but not the names of the methods that it defines."""
    found = set()
    for node in ast.walk(statement):
        found.update(
            getattr(node, name) for name in ("id", "attr", "arg") if isinstance(getattr(node, name, None), str)
        )
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            found.add(node.value)
    return found


class _Bare(ast.NodeTransformer):
    """Takes away what speaks to readers only: docstrings, annotations, errors' wording, and the registration."""

    def visit(self, node: ast.AST) -> ast.AST:
        for name in ANNOTATIONS:
            if getattr(node, name, None) is not None:
                setattr(node, name, ast.Constant(None) if isinstance(node, ast.AnnAssign) else None)
        if hasattr(node, "type_params"):
            node.type_params = []
        body = getattr(node, "body", None)
        if isinstance(body, list):
            node.body = [one for one in body if not _is_text(one)] or [ast.Pass()]
        if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call):
            node.exc = node.exc.func
        if isinstance(node, ast.FunctionDef):
            node.decorator_list = [one for one in node.decorator_list if not _registers(one)]
        return self.generic_visit(node)


def chain_of(node: ast.AST) -> Chain | None:
    """``a.b.c`` as (a, b, c); nothing for any other node."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    return (node.id, *reversed(parts)) if isinstance(node, ast.Name) else None


def _is_text(statement: ast.AST) -> bool:
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)


def _registers(decorator: ast.expr) -> bool:
    """``@experiment(...)``: its sizes are compared one by one when a result is loaded, its published numbers never."""
    function = decorator.func if isinstance(decorator, ast.Call) else decorator
    return isinstance(function, ast.Name) and function.id == "experiment"


def _is_identifier(node: ast.AST, field: str) -> bool:
    return (type(node).__name__, field) in IDENTIFIERS


def _says_something(name: str, value: object) -> bool:
    return name not in ("ctx", "kind", "type_ignores") and value is not None and value != []


def _roots(target: ast.expr) -> Iterator[str]:
    if isinstance(target, (ast.Tuple, ast.List)):
        for element in target.elts:
            yield from _roots(element)
        return
    while isinstance(target, (ast.Attribute, ast.Subscript, ast.Starred)):
        target = target.value
    if isinstance(target, ast.Name):
        yield target.id
