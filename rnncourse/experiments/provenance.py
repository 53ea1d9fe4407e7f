"""Which code made a result: the definitions it reaches inside the package, and one hash over them.

A result is stale when a definition that took part in making it changed. Hashing whole files would cry stale at every
reworded docstring; hashing one function would miss the cell it trains. So the package's source is read (never
imported) and followed by name: from the experiment to the functions, classes and constants that it names, and from
those to the ones they name, until nothing new turns up. What counts of a definition is its syntax tree without
docstrings, comments, annotations, layout and the wording of errors.

What this sees: names, imports at the top or inside functions, attributes of imported modules, re-exports, constants
and every top-level statement that changes them. A class counts as a whole, with its bases and all its methods. A
module that is imported by name at run time, as in ``import_module(f"rnncourse.data.{name}")``, counts when its name
stands as a string in the code reached or among the experiment's sizes. Left out are :mod:`rnncourse.checks`, whose
functions refuse bad input or do nothing, and the list of names through which data sets are found.

What it does not see, and ``@experiment(..., also=...)`` is for: other code chosen at run time (``getattr``, a table
that another module fills), files of data, other packages (their versions are stored with the result), and the machine.
"""

import ast
import hashlib
import inspect
import platform
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache
from importlib import metadata
from pathlib import Path

from rnncourse.experiments.syntax import as_text, bare, chains, names_changed, texts

PACKAGE = "rnncourse"
PACKAGE_FOLDER = Path(__file__).parent.parent
LIBRARIES = ("torch", "numpy", "matplotlib")
GUARDS = f"{PACKAGE}.checks"  # refuses bad input or does nothing: neither followed nor counted
DOORS = f"{PACKAGE}.data.registry"  # leads by name to what counts: followed, but its list of names is not counted


class CannotFollow(ValueError):
    """A name that is imported from the package but defined nowhere that can be read."""


def code_hash(*definitions: object, words: Iterable[str] = ()) -> str:
    """Returns one hash over all the code that the given functions and classes reach inside the package.

    Args:
        *definitions: functions or classes defined at the top level of modules of the package.
        words: strings that are handed to them, which may name modules.

    Returns:
        16 hexadecimal digits.

    Raises:
        CannotFollow: if a name cannot be traced to its definition.

    Example:
        >>> code_hash(environment) == code_hash(environment)
        True
        >>> code_hash(environment) == code_hash(code_hash)
        False
    """
    return _digest(closure(*definitions, words=words))


def closure(*definitions: object, words: Iterable[str] = ()) -> dict[str, str]:
    """Returns every definition that the given ones reach inside the package.

    Args:
        *definitions: functions or classes defined at the top level of modules of the package.
        words: strings that are handed to them, which may name modules.

    Returns:
        From "module:name" to the definition's bare syntax, sorted.
    """
    start = [(inspect.getmodule(one).__name__, one.__qualname__) for one in definitions]
    for module, name in start:
        if "." in name:
            raise CannotFollow(f"{module}.{name} is not defined at the top level of its module; move it there")
    return _follow([_define(module, name) for module, name in start], words)


def source_hash(source: str, *, extra: dict[str, str] | None = None) -> str:
    """Returns a hash over the package's code that a piece of source (a notebook's, say) reaches, not over itself.

    Args:
        source: Python source that imports from the package.
        extra: more that the hash should hang on.

    Returns:
        16 hexadecimal digits. Source that does not parse, or a name that cannot be followed, counts as reaching the
        whole package.
    """
    try:
        tree = ast.parse(source)
        scope = _Scope.of_source(tree, "__main__")
        everything = _Definition("__main__", "", tree.body, scope)
        reached = {key: text for key, text in _follow([everything]).items() if not key.startswith("__main__:")}
    except (SyntaxError, CannotFollow):
        reached = {str(path): path.read_text(encoding="utf-8") for path in sorted(PACKAGE_FOLDER.rglob("*.py"))}
    return _digest(reached | (extra or {}))


def environment() -> dict[str, str]:
    """Returns the versions that a result hangs on.

    Returns:
        Python's, the package's and the libraries' versions, and the machine's architecture.

    Example:
        >>> sorted(environment())
        ['machine', 'matplotlib', 'numpy', 'python', 'rnncourse', 'torch']
    """
    versions = {"python": ".".join(map(str, sys.version_info[:2])), "machine": platform.machine()}
    for library in (PACKAGE, *LIBRARIES):
        try:
            versions[library] = metadata.version(library).split("+")[0]
        except metadata.PackageNotFoundError:
            versions[library] = "absent"
    return versions


@dataclass(frozen=True, eq=False)
class _Definition:
    """The top-level statements that together make one name, and the scope they are read in."""

    module: str
    name: str
    statements: list[ast.stmt]
    scope: "_Scope"

    @property
    def key(self) -> str:
        return f"{self.module}:{self.name}"


@dataclass
class _Scope:
    """The names of one module: what it defines, and what it imports from where."""

    module: str
    defined: dict[str, list[ast.stmt]] = field(default_factory=dict)
    imported: dict[str, tuple[str, str | None]] = field(default_factory=dict)  # name -> (module, name there)
    stars: list[str] = field(default_factory=list)

    @classmethod
    def of_source(cls, tree: ast.Module, module: str, is_package: bool = False) -> "_Scope":
        scope = cls(module)
        for statement in tree.body:
            if isinstance(statement, (ast.Import, ast.ImportFrom)):
                scope._add_import(statement, is_package)
                continue
            for name in names_changed(statement):
                scope.defined.setdefault(name, []).append(statement)
            if not isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
                for inner in ast.walk(statement):  # imports under try or if
                    if isinstance(inner, (ast.Import, ast.ImportFrom)):
                        scope._add_import(inner, is_package)
        return scope

    def with_imports_of(self, statements: Iterable[ast.stmt]) -> "_Scope":
        """The same scope, and the imports that stand inside functions."""
        local = _Scope(self.module, self.defined, dict(self.imported), list(self.stars))
        for statement in statements:
            for node in ast.walk(statement):
                if isinstance(node, (ast.Import, ast.ImportFrom)):
                    local._add_import(
                        node, _path_of(self.module).name == "__init__.py" if self.module != "__main__" else False
                    )
        return local

    def _add_import(self, node: ast.Import | ast.ImportFrom, is_package: bool) -> None:
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
            base = parts[: len(parts) - node.level + (1 if is_package else 0)]
            source = ".".join([*base, *([source] if source else [])])
        for alias in node.names:
            if alias.name == "*":
                self.stars.append(source)
            else:
                self.imported[alias.asname or alias.name] = (source, alias.name)


def _follow(start: list[_Definition], words: Iterable[str] = ()) -> dict[str, str]:
    reached: dict[str, str] = {}
    strings = {(word, "") for word in words}  # each with the module it stands in
    dynamic: set[tuple[str, str]] = set()  # packages whose modules are imported at run time, each with by whom
    waiting = list(start)
    while waiting or (waiting := [one for one in _named_modules(dynamic, strings) if one.key not in reached]):
        definition = waiting.pop()
        if definition.key in reached or definition.module == GUARDS:
            continue
        statements = [bare(statement) for statement in definition.statements]
        reached[definition.key] = "" if definition.module == DOORS else "\n".join(map(as_text, statements))
        scope = definition.scope.with_imports_of(statements)
        for chain in chains(statements):
            waiting.extend(_resolve(chain, scope))
        strings.update((text, definition.module) for text in texts(statements))
        dynamic.update(_dynamic_imports(definition.module, statements))
    return dict(sorted(reached.items()))


def _dynamic_imports(module: str, statements: list[ast.stmt]) -> Iterator[tuple[str, str]]:
    """The packages whose modules are imported by a name put together at run time, as (prefix, by which module)."""
    for statement in statements:
        for node in ast.walk(statement):
            first = node.values[0] if isinstance(node, ast.JoinedStr) and node.values else None
            text = getattr(first, "value", None)
            if isinstance(text, str) and text.startswith(f"{PACKAGE}.") and text.endswith("."):
                yield text, module


def _named_modules(dynamic: set[tuple[str, str]], strings: set[tuple[str, str]]) -> Iterator[_Definition]:
    """All definitions of the modules that are imported at run time and named by a string elsewhere."""
    for prefix, by in dynamic:
        for text, where in strings:
            if where != by and text.isidentifier() and _is_module(prefix + text) and prefix + text != GUARDS:
                yield from _resolve_in(prefix + text, ())


def _resolve(chain: tuple[str, ...], scope: _Scope) -> Iterator[_Definition]:
    """The definitions that a dotted name, read in a scope, leads to."""
    first, rest = chain[0], chain[1:]
    if first in scope.imported:
        module, name = scope.imported[first]
        if not _ours(module):
            return
        yield from _resolve_in(module, (name, *rest) if name else rest)
    if first in scope.defined:
        yield _Definition(scope.module, first, scope.defined[first], scope)
    if first not in scope.imported and first not in scope.defined:
        for module in filter(_ours, scope.stars):
            if first in _scope(module).defined or first in _scope(module).imported:
                yield from _resolve_in(module, chain)


def _resolve_in(module: str, chain: tuple[str, ...]) -> Iterator[_Definition]:
    """The definitions that ``module.a.b`` leads to: through submodules and re-exports to where they stand."""
    while chain and _is_module(f"{module}.{chain[0]}") and not _has(module, chain[0]):
        module, chain = f"{module}.{chain[0]}", chain[1:]
    if not chain:  # a module as a value: anything in it may be used
        scope = _scope(module)
        for name, statements in scope.defined.items():
            yield _Definition(module, name, statements, scope)
        return
    if not _has(module, chain[0]):
        if any(_has(star, chain[0]) for star in _scope(module).stars if _ours(star)) or chain[0].startswith("__"):
            yield from _resolve(chain, _scope(module))
            return
        raise CannotFollow(
            f"{module}.{chain[0]} cannot be followed to where it is defined; import it from the module that defines it"
        )
    yield from _resolve(chain, _scope(module))


def _define(module: str, name: str) -> _Definition:
    scope = _scope(module)
    if name not in scope.defined:
        raise CannotFollow(f"{module}.{name} is not defined at the top level of its module; move it there")
    return _Definition(module, name, scope.defined[name], scope)


def _digest(parts: dict[str, str]) -> str:
    text = "\n".join(f"{key}\n{value}" for key, value in sorted(parts.items()))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _ours(module: str) -> bool:
    return module.split(".")[0] == PACKAGE


def _has(module: str, name: str) -> bool:
    scope = _scope(module)
    return name in scope.defined or (name in scope.imported and scope.imported[name] != (module, name))


def _is_module(module: str) -> bool:
    return _ours(module) and _find(module) is not None


@cache
def _scope(module: str) -> _Scope:
    path = _path_of(module)
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return _Scope.of_source(tree, module, is_package=path.name == "__init__.py")


def _path_of(module: str) -> Path:
    path = _find(module)
    if path is None:
        raise CannotFollow(f"there is no module {module} in the package")
    return path


def _find(module: str) -> Path | None:
    base = PACKAGE_FOLDER.joinpath(*module.split(".")[1:])
    return next((path for path in (base.with_suffix(".py"), base / "__init__.py") if path.is_file()), None)
