"""A statement's syntax: stripped of what speaks to readers only and of what only refuses, and the names in it.

All of this looks at syntax trees and imports nothing. :mod:`rnncourse.provenance.following` follows the names.
"""

import ast
from collections.abc import Callable, Iterable, Iterator

__all__ = ["as_text", "bare", "catches_refusals", "chains", "names_changed", "texts", "without_refusals"]

Chain = tuple[str, ...]

REFUSALS = {"ValueError", "TypeError"}
# What a refusal may call and still change nothing.
LOOKS = {
    *("all", "any", "callable", "enumerate", "float", "getattr", "hasattr", "int", "isinstance", "issubclass", "len"),
    *("list", "max", "min", "range", "set", "sorted", "tuple", "type", "zip"),
    *("dim", "get", "is_floating_point", "isfinite", "isidentifier", "items", "keys", "numel", "values"),
}
ANNOTATIONS = ("annotation", "returns", "type_comment", "type_params")


def bare(statement: ast.stmt) -> ast.stmt:
    """A copy without docstrings, comments, annotations, errors' wording and the registration as an experiment."""
    copy = ast.parse(ast.unparse(statement)).body[0]  # a copy: the cached tree is left alone
    return _Bare().visit(copy)


def as_text(node: object, name_of: Callable[[Chain], str | None] = lambda chain: None) -> str:
    """A syntax tree as text that is the same in all versions of Python: empty fields and contexts are left out.

    Args:
        node: a node, a list of nodes, or a field's value.
        name_of: what to write for a dotted name; ``None`` leaves it as it stands.

    Returns:
        Text that two trees share exactly if they say the same.
    """
    if isinstance(node, ast.AST):
        chain = _chain(node)
        named = None if chain is None else name_of(chain)
        if named is not None:
            return named
        fields = [(name, value) for name, value in ast.iter_fields(node) if _says_something(name, value)]
        inner = ", ".join(f"{name}={as_text(value, name_of)}" for name, value in fields)
        return f"{type(node).__name__}({inner})"
    if isinstance(node, list):
        return f"[{', '.join(as_text(one, name_of) for one in node)}]"
    return repr(node)


def without_refusals(statement: ast.stmt, only_refuses: Callable[[Chain], bool]) -> ast.stmt:
    """The statement without what can only refuse: it may end a run, but it changes no number of a run that ended well.

    That is ``if …: raise ValueError`` or ``TypeError`` without an alternative, a call, as a statement, of a function
    that does nothing else, and what is empty once these are gone.

    Args:
        statement: a bare statement; it is changed.
        only_refuses: whether a dotted name is a function that only refuses.

    Returns:
        The statement, or ``pass`` if nothing is left of it.
    """
    return _WithoutRefusals(only_refuses).visit(statement) or ast.Pass()


def catches_refusals(statement: ast.stmt) -> bool:
    """Whether a statement goes on after a refusal, so that refusals decide what comes out."""
    for node in ast.walk(statement):
        if isinstance(node, ast.ExceptHandler) and not isinstance(node.body[-1], ast.Raise):
            caught = (
                {one.id for one in ast.walk(node.type) if isinstance(one, ast.Name)} if node.type else {"Exception"}
            )
            if caught & {*REFUSALS, "Exception", "BaseException"}:
                return True
    return False


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
        chain = _chain(node)
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


class _WithoutRefusals(ast.NodeTransformer):
    """Takes away what can only refuse, from the inside out."""

    def __init__(self, only_refuses: Callable[[Chain], bool]) -> None:
        self.only_refuses = only_refuses

    def visit(self, node: ast.AST) -> ast.AST | None:
        node = self.generic_visit(node)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
            chain = _chain(node.value.func)
            given = [*node.value.args, *node.value.keywords]
            return None if chain and self.only_refuses(chain) and all(map(_only_looks, given)) else node
        if isinstance(node, ast.If) and not node.orelse and _is_refusal(node.body) and _only_looks(node.test):
            return None
        if isinstance(node, ast.For) and not (node.body or node.orelse) and _only_looks(node.iter):
            return None
        if getattr(node, "body", None) == []:
            node.body = [ast.Pass()]
        return node


def _is_refusal(body: list[ast.stmt]) -> bool:
    """Whether nothing is left in a body, or all it does is to word an error and raise it."""
    if not body:
        return True
    *before, last = body
    error = (
        last.exc.func if isinstance(last, ast.Raise) and isinstance(last.exc, ast.Call) else getattr(last, "exc", None)
    )
    return getattr(error, "id", "") in REFUSALS and all(isinstance(one, ast.Assign) for one in before)


def _only_looks(node: ast.AST) -> bool:
    """Whether computing an expression surely changes nothing that comes after it."""
    for one in ast.walk(node):
        if isinstance(one, ast.Call):
            name = one.func.attr if isinstance(one.func, ast.Attribute) else getattr(one.func, "id", "")
            if name not in LOOKS:
                return False
        elif isinstance(one, (ast.NamedExpr, ast.Await, ast.Yield, ast.YieldFrom)):
            return False
    return True


def _chain(node: ast.AST) -> Chain | None:
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
