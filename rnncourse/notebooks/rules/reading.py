"""A notebook's cells as rules look at them: its code, its outputs, its prose."""

import ast
import re
from collections.abc import Iterator
from typing import Any

from rnncourse.notebooks.files import Notebook

__all__ = ["asserts", "code_cells", "outputs", "parse", "prose", "without_fences"]

NOT_PROSE = (  # what prose may hold numbers in: code, maths, roles, links, front matter of directives, references
    re.compile(r"^(`{3,}|~{3,})[^\n]*(?:code|math|raw|include|image)[\s\S]*?^\1", re.MULTILINE),
    re.compile(r"\$\$[\s\S]*?\$\$"),
    re.compile(r"\$[^$\n]+\$"),
    re.compile(r"\{[\w:]+\}`[^`]*`"),
    re.compile(r"`[^`\n]*`"),
    re.compile(r"\]\([^)]*\)|<https?:[^>]*>|https?://\S+"),
    re.compile(r"^:[\w-]+:.*$", re.MULTILINE),
    re.compile(r"^#+ .*$", re.MULTILINE),
    re.compile(
        r"\b(?:[Ee]xercises?|[Qq]uestions?|[Ss]ections?|[Cc]hapters?|[Vv]ersions?|Python|PyTorch|equations?)\s+\d+(?:\.\d+)+"
    ),
)


def code_cells(notebook: Notebook) -> Iterator[tuple[int, Any]]:
    """The code cells that hold code, each with its number, counted from 1 over all cells."""
    for number, cell in enumerate(notebook.cells, start=1):
        if cell.cell_type == "code" and cell.source.strip():
            yield number, cell


def outputs(notebook: Notebook) -> Iterator[tuple[int, Any, Any]]:
    """What the code cells show: number, cell, output."""
    for number, cell in code_cells(notebook):
        for output in cell.get("outputs", []):
            yield number, cell, output


def parse(source: str) -> ast.Module:
    """Source as a tree; lines that only IPython understands are left out."""
    plain = "\n".join("pass" if line.startswith(("%", "!")) else line for line in source.splitlines())
    try:
        return ast.parse(plain)
    except SyntaxError:
        return ast.Module([], [])


def asserts(source: str) -> bool:
    """Whether code asserts anything."""
    calls = ("assert_close", "assert_allclose", "assert_equal")
    return any(
        isinstance(node, ast.Assert)
        or (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in calls)
        for node in ast.walk(parse(source))
    )


def without_fences(source: str) -> str:
    """A markdown cell without its fenced blocks."""
    return re.sub(r"^(`{3,}|~{3,})[\s\S]*?^\1", "", source, flags=re.MULTILINE)


def prose(source: str) -> str:
    """A markdown cell without code, maths, links, headings and references; citations stay."""
    for pattern in NOT_PROSE:
        source = pattern.sub(lambda match: "{cite" if "{cite" in match[0] else " ", source)
    return source
