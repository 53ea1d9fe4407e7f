"""Which code made a result: the definitions it reaches inside the package, and one hash over them.

A result is stale when a definition that took part in making it changed. Hashing whole files would cry stale at every
reworded docstring; hashing one function would miss the cell it trains. So the package's source is read (never
imported) and followed by name: from the experiment to the functions, classes and constants that it names, and from
those to the ones they name, until nothing new turns up. What counts of a definition is its syntax without docstrings,
comments, annotations, layout, the wording of errors, and its address: moving or renaming it changes nothing.

What this sees: names, imports at the top or inside functions, attributes of imported modules, re-exports, constants
and every top-level statement that changes them. A class counts as a whole, with its bases and all its methods. A
module that is imported by name at run time, as in ``import_module(f"rnncourse.data.{name}")``, counts when its name
stands as a string in the code reached or among the experiment's sizes. Left out are the list of names through which
data sets are found, and what can only refuse: :mod:`rnncourse.checks`, functions that do nothing else, and
``if …: raise ValueError``. They end a run or change nothing in it, unless something that takes part catches what they
raise; then they count.

What it does not see, and ``@experiment(..., also=...)`` is for: other code chosen at run time (``getattr``, a table
that another module fills), files of data, other packages (their versions are stored with the result), and the machine.
"""

import ast
from collections.abc import Iterable

from rnncourse.provenance import scope as scopes
from rnncourse.provenance.environment import environment
from rnncourse.provenance.following import closure, follow, start_of
from rnncourse.provenance.hashing import digest
from rnncourse.provenance.scope import CannotFollow, Definition, Scope

__all__ = ["CannotFollow", "closure", "code_hash", "environment", "source_hash"]


def code_hash(*definitions: object, words: Iterable[str] = ()) -> str:
    """Returns one hash over all the code that the given functions and classes reach inside the package.

    Args:
        *definitions: Functions or classes defined at the top level of modules of the package.
        words: Strings that are handed to them, which may name modules.

    Returns:
        16 hexadecimal digits.

    Raises:
        CannotFollow: If a name cannot be traced to its definition.

    Example:
        >>> code_hash(environment) == code_hash(environment)
        True
        >>> code_hash(environment) == code_hash(code_hash)
        False
    """
    start = start_of(definitions)
    return digest(follow(start, words), [one.key for one in start])


def source_hash(source: str, *, extra: dict[str, str] | None = None) -> str:
    """Returns a hash over the package's code that a piece of source (a notebook's, say) reaches, not over itself.

    Args:
        source: Python source that imports from the package.
        extra: More that the hash should hang on.

    Returns:
        16 hexadecimal digits. Source that does not parse, or a name that cannot be followed, counts as reaching the
        whole package.
    """
    try:
        tree = ast.parse(source)
        everything = Definition("__main__", "", tree.body, Scope.of_source(tree, "__main__"))
        reached = {key: one for key, one in follow([everything]).items() if not key.startswith("__main__:")}
        return digest(reached, reached, extra)
    except (SyntaxError, CannotFollow):
        files = {str(path): path.read_text(encoding="utf-8") for path in sorted(scopes.PACKAGE_FOLDER.rglob("*.py"))}
        return digest({}, [], files | (extra or {}))
