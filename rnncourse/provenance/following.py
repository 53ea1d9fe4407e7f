"""Every definition of the package that a piece of code reaches, found by reading and never by importing."""

import ast
import inspect
from collections.abc import Iterable, Iterator

from rnncourse.provenance import scope as scopes
from rnncourse.provenance.scope import CannotFollow, Definition, Reference, define, is_module, lead, lead_in
from rnncourse.provenance.syntax import bare, chains, texts

__all__ = ["Reached", "closure", "follow", "start_of"]


class Reached:
    """A definition that takes part: its statements without what speaks to readers, and where its names lead.

    Attributes:
        key: Its address, "module:name".
        name: Its name in its module.
        statements: Its top-level statements, bare.
        scope: The names of its module and of the imports inside it.
        by_name: Whether it is reached by a module's name that is put together at run time.
    """

    by_name = False

    def __init__(self, definition: Definition) -> None:
        self.key, self.name = definition.key, definition.name
        self.statements = [bare(statement) for statement in definition.statements]
        self.scope = definition.scope.with_imports_of(self.statements)

    def leads(self, chain: tuple[str, ...]) -> list[Reference]:
        """What a dotted name in it leads to inside the package, guards left out."""
        return [one for one in lead(chain, self.scope) if one.definition.module not in scopes.GUARDS]


def closure(*definitions: object, words: Iterable[str] = ()) -> dict[str, Reached]:
    """Returns every definition that the given ones reach inside the package.

    Args:
        *definitions: Functions or classes defined at the top level of modules of the package.
        words: Strings that are handed to them, which may name modules.

    Returns:
        From "module:name" to the definition, sorted.

    Raises:
        CannotFollow: If a name cannot be traced to its definition.
    """
    return follow(start_of(definitions), words)


def start_of(definitions: Iterable[object]) -> list[Definition]:
    """Where functions and classes are defined.

    Args:
        definitions: Functions or classes.

    Returns:
        Their definitions in the source.

    Raises:
        CannotFollow: If one is not defined at the top level of its module.
    """
    addresses = [(inspect.getmodule(one).__name__, one.__qualname__) for one in definitions]
    for module, name in addresses:
        if "." in name:
            raise CannotFollow(f"{module}.{name} is not defined at the top level of its module; move it there")
    return [define(module, name) for module, name in addresses]


def follow(start: list[Definition], words: Iterable[str] = ()) -> dict[str, Reached]:
    """Follows names from definitions to what they name, until nothing new turns up.

    Args:
        start: Where to begin.
        words: Strings that may name modules.

    Returns:
        From "module:name" to the definition, sorted.
    """
    reached: dict[str, Reached] = {}
    strings = {(word, "") for word in words}  # each with the module it stands in
    dynamic: set[tuple[str, str]] = set()  # packages whose modules are imported at run time, each with by whom
    waiting = list(start)
    while waiting or (waiting := [one for one in _named_modules(dynamic, strings) if one.key not in reached]):
        definition = waiting.pop()
        if definition.key in reached or definition.module in scopes.GUARDS:
            continue
        reached[definition.key] = one = Reached(definition)
        for chain in chains(one.statements):
            waiting.extend(reference.definition for reference in one.leads(chain))
        strings.update((text, definition.module) for text in texts(one.statements))
        dynamic.update(_dynamic_imports(definition.module, one.statements))
    for definition in _named_modules(dynamic, strings):
        reached[definition.key].by_name = True
    return dict(sorted(reached.items()))


def _dynamic_imports(module: str, statements: list[ast.stmt]) -> Iterator[tuple[str, str]]:
    """The packages whose modules are imported by a name put together at run time, as (prefix, by which module)."""
    for statement in statements:
        for node in ast.walk(statement):
            first = node.values[0] if isinstance(node, ast.JoinedStr) and node.values else None
            text = getattr(first, "value", None)
            if isinstance(text, str) and text.startswith(f"{scopes.PACKAGE}.") and text.endswith("."):
                yield text, module


def _named_modules(dynamic: set[tuple[str, str]], strings: set[tuple[str, str]]) -> Iterator[Definition]:
    """All definitions of the modules that are imported at run time and named by a string elsewhere."""
    for prefix, by in dynamic:
        for text, where in strings:
            if where != by and text.isidentifier() and is_module(prefix + text) and prefix + text not in scopes.GUARDS:
                yield from (reference.definition for reference in lead_in(prefix + text, ()))
