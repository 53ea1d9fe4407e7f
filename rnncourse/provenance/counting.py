"""What of the code that takes part counts towards its hash, as text with gaps where names lead elsewhere."""

import ast
from copy import copy
from functools import cache, cached_property
from pathlib import Path

from rnncourse.provenance import scope as scopes
from rnncourse.provenance.following import Reached
from rnncourse.provenance.refusals import catches_refusals, does_nothing, without_refusals
from rnncourse.provenance.scope import Reference, lead
from rnncourse.provenance.syntax import as_text, bare, chain_of, chains, texts, words

__all__ = ["GAP", "Counting"]

GAP = "\0"


class Counting:
    """What of each definition counts.

    Not what can only refuse, unless something goes on after a refusal; and of a class only the methods whose names are
    said somewhere in what counts, and those that Python or a library that it derives from may call.

    Attributes:
        reached: The definitions that may take part, by address.
        said: Every name and string in what counts so far; it grows as texts are asked for.
    """

    def __init__(self, reached: dict[str, Reached]) -> None:
        self.reached = reached
        self.refuses: dict[str, bool] = {}
        self.said: set[str] = set()
        self._stripped: dict[str, list[ast.stmt]] = {}
        self._counted: dict[str, tuple[Reached, ast.stmt]] = {}
        self._texts: set[str] = set()

    def text(self, key: str) -> str:
        """What a definition says, with GAP key GAP in place of each name that leads to another."""
        one = self.reached[key]
        if key.split(":")[0] == scopes.DOORS:
            return "door" + "".join(GAP + each + GAP for each in sorted(self._keys(one)))
        statements = [self._methods_that_count(one, statement) for statement in self._without_refusals(one)]
        for place, statement in enumerate(statements):
            self.said.update(words(statement))
            self._texts.update(texts([statement]))
            self._counted[f"{key}:{place}"] = one, statement
        return "\n".join(as_text(statement, lambda chain: self._name(one, chain)) for statement in statements)

    def _without_refusals(self, one: Reached) -> list[ast.stmt]:
        """Copies of a definition's statements without refusals, imports and its name, which is an address."""
        if one.key not in self._stripped:
            statements = [bare(statement) for statement in one.statements]
            if not self.refusals_count:
                statements = [
                    without_refusals(statement, lambda chain: self.only_refuses(one, chain)) for statement in statements
                ]
                for statement in statements:
                    _drop_guards(statement, one.scope)
            self._stripped[one.key] = [_anonymous(statement) for statement in statements]
        return self._stripped[one.key]

    def own_names(self) -> set[str]:
        """The names that the counted code gives to arguments, methods, fields and values, and that are nobody else's.

        A name that a library has too, that stands in a string, or that is handed to a library as a keyword is not among
        them: another name would be another thing.
        """
        given, foreign = set(), set(self._texts)
        for one, statement in self._counted.values():
            for node in ast.walk(statement):
                if isinstance(node, ast.arg):
                    given.add(node.arg)
                elif isinstance(node, ast.FunctionDef):
                    given.add(node.name)
                elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                    given.add(node.id)
                elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
                    given.add(node.attr)
                elif isinstance(node, ast.Call):
                    chain = chain_of(node.func)
                    if chain is None or not one.leads(chain):
                        foreign.update(keyword.arg for keyword in node.keywords if keyword.arg)
        return {name for name in given - foreign - _library_names() if not name.startswith("__")}

    def _methods_that_count(self, one: Reached, statement: ast.stmt) -> ast.stmt:
        """A class without methods that nobody calls: neither what counts, nor Python, nor a library it derives from."""
        if not isinstance(statement, ast.ClassDef):
            return statement
        called = self.said | _library_names()
        kept = copy(statement)
        kept.body = [
            member
            for member in statement.body
            if not isinstance(member, ast.FunctionDef)
            or member.name in called
            or (member.name.startswith("__") and member.name.endswith("__"))
        ]
        return kept

    @cached_property
    def refusals_count(self) -> bool:
        """Whether something that takes part goes on after a refusal, so that refusals may change numbers."""
        return any(catches_refusals(statement) for one in self.reached.values() for statement in one.statements)

    def only_refuses(self, one: Reached, chain: tuple[str, ...]) -> bool:
        """Whether a name, read in a definition, is a function that does nothing but refuse."""
        references = list(lead(chain, one.scope))
        return bool(references) and all(self._refuses(reference) for reference in references)

    def _refuses(self, reference: Reference) -> bool:
        definition = reference.definition
        if definition.module in scopes.GUARDS:
            return True
        if reference.rest or definition.key not in self.reached:
            return False
        if definition.key not in self.refuses:
            found, known = self.reached[definition.key], dict(self.refuses)
            self.refuses[definition.key] = True  # calling itself does not make it do more
            left = [
                without_refusals(bare(statement), lambda chain: self.only_refuses(found, chain))
                for statement in found.statements
            ]
            if not all(isinstance(one, ast.FunctionDef) and does_nothing(one.body) for one in left):
                self.refuses = known | {definition.key: False}  # what was found out on its account is forgotten
        return self.refuses[definition.key]

    def _keys(self, one: Reached) -> set[str]:
        return {
            reference.definition.key
            for chain in chains(one.statements)
            for reference in one.leads(chain)
            if reference.definition.key in self.reached
        }

    def _name(self, one: Reached, chain: tuple[str, ...]) -> str | None:
        """What to write for a dotted name: a gap where it leads into the package, else its full name."""
        references = [reference for reference in one.leads(chain) if reference.definition.key in self.reached]
        if not references:
            if any(True for _ in lead(chain, one.scope)):
                return "guard"
            module, name = one.scope.imported.get(chain[0], (None, None))
            return None if module is None else ".".join([module, *([name] if name else []), *chain[1:]])
        return "".join(_gap(one, reference) for reference in references)


@cache
def _library_names() -> frozenset[str]:
    """What Python, NumPy and torch call things: a list, since no hash may hang on the version installed."""
    return frozenset(Path(__file__).with_name("library_names.txt").read_text(encoding="utf-8").split())


def _gap(one: Reached, reference: Reference) -> str:
    key = reference.definition.key
    rest = ".".join(("", *reference.rest))
    if key == one.key:
        return f"self{rest}"
    among = f"{reference.definition.name}=" if reference.among else ""  # a module's definitions are found by name
    return f"{among}{GAP}{key}{GAP}{rest}"


def _drop_guards(statement: ast.stmt, scope: scopes.Scope) -> None:
    """Takes away decorators that do nothing but refuse, before a call, what does not fit."""
    for node in ast.walk(statement):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            node.decorator_list = [
                one
                for one in node.decorator_list
                if not any(each.definition.module in scopes.GUARDS for each in lead(chain_of(one) or ("",), scope))
            ]


def _anonymous(statement: ast.stmt) -> ast.stmt:
    """A statement without the name it defines and without its imports: what they lead to stands in their place."""
    if isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        statement.name = "self"
    return _NoImports().visit(statement)


class _NoImports(ast.NodeTransformer):
    """Takes away imports, and addresses of modules in strings."""

    def visit_Import(self, node: ast.Import) -> None:
        return None

    visit_ImportFrom = visit_Import

    def visit_Constant(self, node: ast.Constant) -> ast.Constant:
        if isinstance(node.value, str) and node.value.startswith(f"{scopes.PACKAGE}."):
            return ast.Constant("a module")  # an address; what it leads to is counted
        return node
