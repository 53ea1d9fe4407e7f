"""A statement without what can only refuse: what may end a run, but changes no number of a run that ended well."""

import ast
from collections.abc import Callable

from rnncourse.provenance.syntax import Chain, chain_of

__all__ = ["catches_refusals", "does_nothing", "without_refusals"]

REFUSALS = {"ValueError", "TypeError"}
# What a refusal may call and still change nothing.
LOOKS = {
    *("all", "any", "callable", "enumerate", "float", "getattr", "hasattr", "int", "isinstance", "issubclass", "len"),
    *("dict", "initial_state", "list", "max", "min", "range", "set", "sorted", "tuple", "type", "zip"),
    *("dim", "get", "is_floating_point", "isfinite", "isidentifier", "items", "keys", "numel", "values"),
}


def without_refusals(statement: ast.stmt, only_refuses: Callable[[Chain], bool]) -> ast.stmt:
    """The statement without what can only refuse: it may end a run, but it changes no number of a run that ended well.

    That is ``if …: raise ValueError`` or ``TypeError`` without an alternative, a call, as a statement, of a function
    that does nothing else, what is empty once these are gone, and values that only they would have read.

    Args:
        statement: A bare statement; it is changed.
        only_refuses: Whether a dotted name is a function that only refuses.

    Returns:
        The statement, or ``pass`` if nothing is left of it.
    """
    return _WithoutRefusals(only_refuses).visit(statement) or ast.Pass()


def does_nothing(body: list[ast.stmt]) -> bool:
    """Whether nothing is left in a function's body but ways to leave it early."""
    return all(
        isinstance(one, ast.Pass)
        or (isinstance(one, ast.Return) and one.value is None)
        or (isinstance(one, ast.If) and does_nothing(one.body) and does_nothing(one.orelse))
        for one in body
    )


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


class _WithoutRefusals(ast.NodeTransformer):
    """Takes away what can only refuse, from the inside out."""

    def __init__(self, only_refuses: Callable[[Chain], bool]) -> None:
        self.only_refuses = only_refuses

    def visit(self, node: ast.AST) -> ast.AST | None:
        node = self.generic_visit(node)
        if isinstance(node, ast.FunctionDef):
            _drop_unread(node)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
            chain = chain_of(node.value.func)
            given = [*node.value.args, *node.value.keywords]
            return None if chain and self.only_refuses(chain) and all(map(_only_looks, given)) else node
        if isinstance(node, ast.If) and not node.orelse and _is_refusal(node.body) and _only_looks(node.test):
            return None
        if isinstance(node, ast.For) and not (node.body or node.orelse) and _only_looks(node.iter):
            return None
        if getattr(node, "body", None) == []:
            node.body = [ast.Pass()]
        return node


def _drop_unread(function: ast.FunctionDef) -> None:
    """Takes away values that nothing in a function reads, once what refused because of them is gone."""
    while True:
        read = {one.id for one in ast.walk(function) if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Load)}
        outer = [one.names for one in ast.walk(function) if isinstance(one, (ast.Global, ast.Nonlocal))]
        before = ast.dump(function)
        _Unread(read.union(*outer)).visit(function)
        function.body = function.body or [ast.Pass()]
        if ast.dump(function) == before:
            return


class _Unread(ast.NodeTransformer):
    """Takes away assignments to names that are not read, and branches and loops that are empty then."""

    def __init__(self, read: set[str]) -> None:
        self.read = read

    def visit_Assign(self, node: ast.Assign) -> ast.Assign | None:
        names = [one for target in node.targets for one in ast.walk(target) if not isinstance(one, ast.expr_context)]
        plain = all(isinstance(one, (ast.Name, ast.Tuple)) for one in names)
        unread = plain and not any(isinstance(one, ast.Name) and one.id in self.read for one in names)
        return None if unread and _only_looks(node.value) else node

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.ClassDef:
        return node  # its names are attributes

    def visit_If(self, node: ast.If) -> ast.If | None:
        self.generic_visit(node)
        if node.body == [] and not node.orelse:
            return None if _only_looks(node.test) else ast.Expr(node.test)
        node.body = node.body or [ast.Pass()]
        return node

    def visit_For(self, node: ast.For) -> ast.For | None:
        self.generic_visit(node)
        if node.body == [] and not node.orelse and _only_looks(node.iter):
            return None
        node.body = node.body or [ast.Pass()]
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
