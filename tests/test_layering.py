"""Imports run downward only: the shape of the package, read from its source and not from a drawing."""

import ast
from pathlib import Path

import pytest

from tests.house import ROOT

PACKAGE = ROOT / "rnncourse"

# The floors of the core, lowest first. A room may import rooms of lower floors only.
FLOORS = [
    {"checks"},
    {"shapes"},
    {"functional"},
    {"kernels"},
    {"cells"},
    {"unroll"},
    {"layers"},
    {"convert", "depth", "scan", "trees", "attention", "windowed", "skip"},
    {"seq2seq"},
    {"decoding", "models"},
]
# Rooms beside the stairs, and the only rooms each of them may know.
BESIDE = {
    "losses": {"checks", "shapes"},
    "training": {"checks", "shapes", "losses"},
    "data": {"checks", "shapes"},
    "bptt": {"checks", "shapes", "functional", "kernels"},
    "diagnostics": {"checks", "shapes", "functional"},
}
# Leaves: they may import anything below, and no room of the core imports them.
LEAVES = {"viz", "grading", "chapters", "course", "notebooks", "cli", "experiments", "bench", "__main__", "__init__"}
HEIGHT = {room: height for height, floor in enumerate(FLOORS) for room in floor}


def imported(file: Path, source: str | None = None) -> set[str]:
    """The dotted names that a file imports anywhere, relative ones made absolute."""
    found = set()
    package = file.relative_to(ROOT).parts[:-1]
    for node in ast.walk(ast.parse(source if source is not None else file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else ()
            module = ".".join([*base, *([node.module] if node.module else [])])
            found |= {module, *(f"{module}.{alias.name}" for alias in node.names)}
    return found


def room_of(file: Path) -> str:
    """The room a file lies in: the first name after `rnncourse`."""
    return file.relative_to(PACKAGE).with_suffix("").parts[0]


def rooms_of(names: set[str]) -> set[str]:
    """The rooms of this package among imported names."""
    return {parts[1] for parts in (name.split(".") for name in names) if parts[0] == "rnncourse" and len(parts) > 1}


def complaints(room: str, names: set[str]) -> list[str]:
    """What is wrong with this room's imports."""
    others = {other for other in rooms_of(names) if other in HEIGHT or other in BESIDE or other in LEAVES} - {room}
    said = []
    if room in HEIGHT:
        said += [
            f"{room} imports {other}, which is not below it"
            for other in sorted(others)
            if HEIGHT.get(other, 99) >= HEIGHT[room]
        ]
    elif room in BESIDE:
        said += [f"{room} imports {other}, which it must not know" for other in sorted(others - BESIDE[room])]
    if room != "viz" and any(name.split(".")[0] == "matplotlib" for name in names):
        said.append(f"{room} imports matplotlib, which is for viz alone")
    return said


FILES = sorted(PACKAGE.rglob("*.py"))


@pytest.mark.parametrize("file", FILES, ids=[str(file.relative_to(PACKAGE)) for file in FILES])
def test_imports_run_downward(file):
    room = room_of(file)
    assert room in HEIGHT or room in BESIDE or room in LEAVES, f"give {room} its floor in tests/test_layering.py"
    assert complaints(room, imported(file)) == []


@pytest.mark.parametrize(
    ("room", "line"),
    [
        ("cells", "from rnncourse.layers import Recurrent"),
        ("cells", "from . import models"),
        ("layers", "import rnncourse.viz.curves"),
        ("depth", "from rnncourse.trees import fold"),
        ("data", "from rnncourse.models import LanguageModel"),
        ("training", "from rnncourse.cells import RNNCell"),
        ("functional", "def f():\n    from .grading import check"),
        ("grading", "import matplotlib.pyplot as plt"),
    ],
)
def test_an_upward_import_is_seen(room, line):
    assert complaints(room, imported(PACKAGE / f"{room}.py", line)) != []


def test_a_downward_import_is_allowed():
    assert complaints("models", {"rnncourse.layers.Recurrent", "torch"}) == []
    assert complaints("viz", {"matplotlib.pyplot", "rnncourse.training"}) == []
