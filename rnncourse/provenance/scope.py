"""The names of a module, read from its source without importing it: where each is defined, and what it leads to."""

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from rnncourse.provenance.syntax import names_changed

__all__ = ["CannotFollow", "Definition", "Reference", "Scope", "define", "is_module", "lead", "lead_in"]

PACKAGE = "rnncourse"
PACKAGE_FOLDER = Path(__file__).parent.parent
# They refuse bad input or do nothing: neither followed nor counted.
GUARDS = frozenset({f"{PACKAGE}.checks", f"{PACKAGE}.signatures"})
DOORS = f"{PACKAGE}.data.registry"  # leads by name to what counts: followed, but its list of names is not counted


class CannotFollow(ValueError):
    """A name that is imported from the package but defined nowhere that can be read."""


@dataclass(frozen=True, eq=False)
class Definition:
    """The top-level statements that together make one name, and the scope they are read in."""

    module: str
    name: str
    statements: list[ast.stmt]
    scope: "Scope"

    @property
    def key(self) -> str:
        """Its address, "module:name"."""
        return f"{self.module}:{self.name}"


@dataclass(frozen=True, eq=False)
class Reference:
    """What a dotted name leads to: a definition, and the attributes that are then read from it."""

    definition: Definition
    rest: tuple[str, ...] = ()
    among: bool = False  # one of all the definitions of a module that is itself the value


@dataclass
class Scope:
    """The names of one module: what it defines, and what it imports from where."""

    module: str
    is_package: bool = False
    defined: dict[str, list[ast.stmt]] = field(default_factory=dict)
    imported: dict[str, tuple[str, str | None]] = field(default_factory=dict)  # name -> (module, name there)
    stars: list[str] = field(default_factory=list)

    @classmethod
    def of_source(cls, tree: ast.Module, module: str, is_package: bool = False) -> "Scope":
        """The scope of a module's syntax tree."""
        scope = cls(module, is_package)
        for statement in tree.body:
            if isinstance(statement, (ast.Import, ast.ImportFrom)):
                scope._add_import(statement)
                continue
            for name in names_changed(statement):
                scope.defined.setdefault(name, []).append(statement)
            if not isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
                scope._add_imports_in([statement])  # under try or if
        return scope

    def with_imports_of(self, statements: Iterable[ast.stmt]) -> "Scope":
        """The same scope, and the imports that stand inside functions."""
        local = Scope(self.module, self.is_package, self.defined, dict(self.imported), list(self.stars))
        local._add_imports_in(statements)
        return local

    def _add_imports_in(self, statements: Iterable[ast.stmt]) -> None:
        for statement in statements:
            for node in ast.walk(statement):
                if isinstance(node, (ast.Import, ast.ImportFrom)):
                    self._add_import(node)

    def _add_import(self, node: ast.Import | ast.ImportFrom) -> None:
        if isinstance(node, ast.Import):
            for alias in node.names:
                if alias.asname:
                    self.imported[alias.asname] = (alias.name, None)
                else:
                    root = alias.name.split(".")[0]
                    self.imported[root] = (root, None)
            return
        source = node.module or ""
        if node.level:
            parts = self.module.split(".")
            base = parts[: len(parts) - node.level + (1 if self.is_package else 0)]
            source = ".".join([*base, *([source] if source else [])])
        for alias in node.names:
            if alias.name == "*":
                self.stars.append(source)
            else:
                self.imported[alias.asname or alias.name] = (source, alias.name)


def lead(chain: tuple[str, ...], scope: Scope) -> Iterator[Reference]:
    """The definitions inside the package that a dotted name, read in a scope, leads to."""
    first, rest = chain[0], chain[1:]
    if first in scope.imported:
        module, name = scope.imported[first]
        if not ours(module):
            return
        yield from lead_in(module, (name, *rest) if name else rest)
    if first in scope.defined:
        yield Reference(Definition(scope.module, first, scope.defined[first], scope), rest)
    if first not in scope.imported and first not in scope.defined:
        for module in filter(ours, scope.stars):
            if first in scope_of(module).defined or first in scope_of(module).imported:
                yield from lead_in(module, chain)


def lead_in(module: str, chain: tuple[str, ...]) -> Iterator[Reference]:
    """The definitions that ``module.a.b`` leads to: through submodules and re-exports to where they stand."""
    while chain and is_module(f"{module}.{chain[0]}") and not _has(module, chain[0]):
        module, chain = f"{module}.{chain[0]}", chain[1:]
    scope = scope_of(module)
    if not chain:  # a module as a value: anything in it may be used
        for name, statements in scope.defined.items():
            yield Reference(Definition(module, name, statements, scope), among=True)
        return
    if not _has(module, chain[0]):
        if any(_has(star, chain[0]) for star in scope.stars if ours(star)) or chain[0].startswith("__"):
            yield from lead(chain, scope)
            return
        raise CannotFollow(
            f"{module}.{chain[0]} cannot be followed to where it is defined; import it from the module that defines it"
        )
    yield from lead(chain, scope)


def define(module: str, name: str) -> Definition:
    """The definition of a top-level name of a module.

    Raises:
        CannotFollow: If the module does not define it at its top level.
    """
    scope = scope_of(module)
    if name not in scope.defined:
        raise CannotFollow(f"{module}.{name} is not defined at the top level of its module; move it there")
    return Definition(module, name, scope.defined[name], scope)


def ours(module: str) -> bool:
    """Whether a module belongs to the package."""
    return module.split(".")[0] == PACKAGE


def is_module(module: str) -> bool:
    """Whether the package has a module of that name."""
    return ours(module) and _find(module) is not None


@cache
def scope_of(module: str) -> Scope:
    """The scope of a module of the package.

    Raises:
        CannotFollow: If there is no such module.
    """
    path = _find(module)
    if path is None:
        raise CannotFollow(f"there is no module {module} in the package")
    return Scope.of_source(ast.parse(path.read_text(encoding="utf-8")), module, is_package=path.name == "__init__.py")


def _has(module: str, name: str) -> bool:
    scope = scope_of(module)
    return name in scope.defined or (name in scope.imported and scope.imported[name] != (module, name))


def _find(module: str) -> Path | None:
    base = PACKAGE_FOLDER.joinpath(*module.split(".")[1:])
    return next((path for path in (base.with_suffix(".py"), base / "__init__.py") if path.is_file()), None)
