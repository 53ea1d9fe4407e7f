"""A mistake as an edit of the solution: pieces of a function's source, each replaced by another.

A wrong answer that differs from the right one in a few characters is best written as these characters. The edits are
of *source*, so they can change what no argument could; and because every edit has to match exactly once, a solution
that is rewritten can never leave a mistake behind that is none any more.
"""

import inspect
import textwrap
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any

__all__ = ["Edited", "compiled", "edited_source"]


def edited_source(function: Callable[..., Any], edits: Mapping[str, str]) -> str:
    """A function's source with every edit made.

    All edits are of the source *as it stands*: none sees what another one wrote, so their order means nothing.

    Args:
        function: A Python function whose source can be read.
        edits: A piece of its source → what stands there instead.

    Raises:
        ValueError: If there is no edit, or an edit does not match exactly once, overlaps another or changes nothing.
    """
    source = textwrap.dedent(inspect.getsource(inspect.unwrap(function)))
    name = function.__qualname__
    if not edits:
        raise ValueError(f"there is no edit of {name}; there should be at least one")
    places = []
    for old, new in edits.items():
        starts = [start for start in range(len(source)) if source.startswith(old, start)]
        if len(starts) != 1:
            raise ValueError(f"{name} holds {old!r} {len(starts)} times; it should once")
        if old == new:
            raise ValueError(f"the edit of {old!r} in {name} changes nothing")
        places.append((starts[0], old, new))
    places.sort()
    for (start, old, _), (following, other, _) in zip(places, places[1:], strict=False):
        if start + len(old) > following:
            raise ValueError(f"the edits of {old!r} and {other!r} in {name} overlap")
    for start, old, new in reversed(places):
        source = source[:start] + new + source[start + len(old) :]
    return source


def compiled(function: Callable[..., Any], source: str) -> Callable[..., Any]:
    """The function that this source defines, in a copy of the namespace of the function it was made from.

    Args:
        function: The function that was edited.
        source: Its source after the edits.

    Raises:
        ValueError: If the source is no Python.
    """
    function = inspect.unwrap(function)
    space = dict(function.__globals__)
    try:
        exec(compile(source, f"<an edit of {function.__qualname__}>", "exec"), space)
    except SyntaxError as error:
        raise ValueError(f"{function.__qualname__} cannot be read after its edits: {error}") from error
    return space[function.__name__]


class Edited:
    """A function with edits, compiled when it is first called, so that importing questions compiles nothing.

    Args:
        function: The function to edit; it may not be a closure.
        edits: A piece of its source → what stands there instead.
        owner: Whose mistake it is, for messages.

    Example:
        >>> import textwrap
        >>> Edited(textwrap.indent, {"no such line": ""}, "an example")("text", "> ")
        Traceback (most recent call last):
        ValueError: an example: indent holds 'no such line' 0 times; it should once
    """

    def __init__(self, function: Callable[..., Any], edits: Mapping[str, str], owner: str):
        self.original, self.edits, self.owner = function, dict(edits), owner

    @cached_property
    def function(self) -> Callable[..., Any]:
        """The edited function.

        Raises:
            ValueError: If the edits cannot be made, naming the owner and the edit.
        """
        try:
            if self.original.__closure__:
                raise ValueError(f"{self.original.__qualname__} is a closure, and its source alone is not the function")
            return compiled(self.original, edited_source(self.original, self.edits))
        except ValueError as error:
            raise ValueError(f"{self.owner}: {error}") from error

    def __call__(self, *arguments: Any) -> Any:
        return self.function(*arguments)
