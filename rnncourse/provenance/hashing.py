"""One hash over code by what it says, not by where it stands or what it is called.

Each definition becomes its bare syntax with a gap at every name that leads to another definition. The gaps are filled
with the hashes of what they lead to, over and over, until no more definitions can be told apart (colour refinement on
the graph of who names whom). A module that moves or is renamed, a function that is renamed, two equal functions that
become one: none of that changes a hash. A changed operation, constant, default or name that leads elsewhere does.
"""

import ast
import hashlib
from collections.abc import Iterable
from functools import cached_property

from rnncourse.provenance import scope as scopes
from rnncourse.provenance.following import Reached
from rnncourse.provenance.scope import Reference, lead
from rnncourse.provenance.syntax import as_text, bare, catches_refusals, chains, without_refusals

__all__ = ["digest", "hashes"]

GAP = "\0"


def digest(reached: dict[str, Reached], start: Iterable[str], extra: dict[str, str] | None = None) -> str:
    """Returns one hash over all that takes part.

    Args:
        reached: everything that may take part, by address.
        start: the addresses to begin from.
        extra: more that the hash should hang on.

    Returns:
        16 hexadecimal digits.
    """
    start = {*start}
    by_name = {key for key, one in reached.items() if one.by_name}
    found = hashes(reached, start | by_name)
    parts = sorted({*found.values()}) + ["start"] + sorted(found[key] for key in start)
    parts += ["by name"] + sorted(f"{reached[key].name}={found[key]}" for key in by_name)
    return _hash("\n".join(parts + [f"{key}={value}" for key, value in sorted((extra or {}).items())]))[:16]


def hashes(reached: dict[str, Reached], start: Iterable[str]) -> dict[str, str]:
    """Returns a hash for each definition that counts.

    Args:
        reached: everything that may take part, by address.
        start: the addresses to begin from.

    Returns:
        From the addresses of what counts to hashes: equal for equal code, wherever it stands and whatever its name.
    """
    code = _Code(reached)
    counted: dict[str, list[str]] = {}  # each definition's text, cut at its gaps: text, key, text, key, …, text
    waiting = list(start)
    while waiting:
        key = waiting.pop()
        if key not in counted:
            counted[key] = code.text(key).split(GAP)
            waiting.extend(counted[key][1::2])
    colours = dict.fromkeys(counted, "")
    kinds = 0
    while len(set(colours.values())) > kinds:
        kinds = len(set(colours.values()))
        colours = {
            key: _hash("".join(colours[piece] if n % 2 else piece for n, piece in enumerate(pieces)))
            for key, pieces in counted.items()
        }
    return colours


class _Code:
    """The definitions that may take part, and what of each counts."""

    def __init__(self, reached: dict[str, Reached]) -> None:
        self.reached = reached
        self.refuses: dict[str, bool] = {}

    def text(self, key: str) -> str:
        """What a definition says, with GAP key GAP in place of each name that leads to another."""
        one = self.reached[key]
        if key.split(":")[0] == scopes.DOORS:
            return "door" + "".join(GAP + each + GAP for each in sorted(self._keys(one)))
        statements = [bare(statement) for statement in one.statements]  # copies, which lose their refusals
        if not self.refusals_count:
            statements = [
                without_refusals(statement, lambda chain: self.only_refuses(one, chain)) for statement in statements
            ]
        return "\n".join(_anonymous(statement, lambda chain: self._name(one, chain)) for statement in statements)

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
        if definition.module == scopes.GUARDS:
            return True
        if reference.rest or definition.key not in self.reached:
            return False
        if definition.key not in self.refuses:
            self.refuses[definition.key] = False  # a function that calls itself does something
            found = self.reached[definition.key]
            left = [
                without_refusals(bare(statement), lambda chain: self.only_refuses(found, chain))
                for statement in found.statements
            ]
            self.refuses[definition.key] = all(
                isinstance(one, ast.FunctionDef) and all(isinstance(inner, ast.Pass) for inner in one.body)
                for one in left
            )
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


def _gap(one: Reached, reference: Reference) -> str:
    key = reference.definition.key
    rest = ".".join(("", *reference.rest))
    if key == one.key:
        return f"self{rest}"
    among = f"{reference.definition.name}=" if reference.among else ""  # a module's definitions are found by name
    return f"{among}{GAP}{key}{GAP}{rest}"


def _anonymous(statement: ast.stmt, name_of) -> str:
    """A statement's text without the name it defines and without its imports, which the gaps stand for."""
    if isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        statement.name = "self"
    return as_text(_NoImports().visit(statement), name_of)


class _NoImports(ast.NodeTransformer):
    def visit_Import(self, node: ast.Import) -> None:
        return None

    visit_ImportFrom = visit_Import

    def visit_Constant(self, node: ast.Constant) -> ast.Constant:
        if isinstance(node.value, str) and node.value.startswith(f"{scopes.PACKAGE}."):
            return ast.Constant("a module")  # an address; what it leads to is counted
        return node


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
