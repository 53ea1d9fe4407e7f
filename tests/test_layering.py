"""What each room of the package may know: imports run downward only, and no room is exempt."""

import ast
import re
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

from tests.house import ROOT

PACKAGE = ROOT / "rnncourse"

# The numerical core, lowest first. A room on these stairs may import rooms of lower steps only.
STAIRS = [
    {"checks", "transforms"},
    {"shapes"},
    {"functional"},
    {"kernels"},
    {"unroll"},
    {"cells"},
    {"layers"},
    {"convert", "depth", "scan", "trees", "attention"},
]
CORE = set().union(*STAIRS)
NUMBERS = CORE | {"bptt", "data", "diagnostics", "models", "seq2seq", "training"}
# Every other room, and all that it may know.
BESIDE = {
    "version": set(),
    "scales": set(),
    "folders": set(),
    "provenance": set(),
    "viz": set(),
    "training": {"checks"},
    "data": {"checks"},
    "bptt": {"checks", "shapes", "functional", "kernels"},
    "diagnostics": {"checks", "shapes"},
    "models": CORE | {"training"},
    "seq2seq": CORE | {"models"},
    "results": {"folders", "provenance", "scales"},
    "notebooks": {"folders", "provenance", "scales"},
    "grading": {"folders", "version"},
    "chapters": NUMBERS | {"grading", "results", "viz"},
    "bench": NUMBERS | {"provenance", "version", "viz"},
    "course": {"chapters", "grading"},
    "cli": {
        "bench",
        "chapters",
        "course",
        "data",
        "folders",
        "grading",
        "notebooks",
        "provenance",
        "results",
        "scales",
        "version",
    },
    "__init__": {"course", "version"},
    "__main__": {"cli"},
}
KNOWS = BESIDE | {room: set().union(*STAIRS[:height]) for height, step in enumerate(STAIRS) for room in step}
DRAWS = {"viz", "chapters"}  # matplotlib is theirs alone


def imported(file: Path, source: str | None = None) -> set[str]:
    """The dotted names that a file imports anywhere, also inside functions, relative ones made absolute."""
    found = set()
    package = file.relative_to(ROOT).parts[:-1]
    for node in ast.walk(ast.parse(source if source is not None else file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else ()
            module = ".".join([*base, *([node.module] if node.module else [])])
            found |= {module, *(f"{module}.{alias.name}" for alias in node.names)} - {"rnncourse"}
    return found


def room_of(file: Path) -> str:
    """The room a file lies in: the first name after `rnncourse`."""
    return file.relative_to(PACKAGE).with_suffix("").parts[0]


def rooms_of(names: set[str]) -> set[str]:
    """The rooms of this package among imported names; the bare package and what it holds itself are its front door."""
    parts = [name.split(".") for name in names]
    return {(each[1] if len(each) > 1 and each[1] in KNOWS else "__init__") for each in parts if each[0] == "rnncourse"}


def complaints(room: str, names: set[str]) -> list[str]:
    """What is wrong with this room's imports."""
    said = [
        f"{room} imports {other}, which it must not know" for other in sorted(rooms_of(names) - KNOWS[room] - {room})
    ]
    if room not in DRAWS and any(name.split(".")[0] == "matplotlib" for name in names):
        said.append(f"{room} imports matplotlib, which is for {' and '.join(sorted(DRAWS))} alone")
    return said


FILES = sorted(PACKAGE.rglob("*.py"))
every_file = pytest.mark.parametrize("file", FILES, ids=[str(file.relative_to(PACKAGE)) for file in FILES])


@every_file
def test_imports_run_downward(file):
    room = room_of(file)
    assert room in KNOWS, f"say in tests/test_layering.py what {room} may know"
    assert complaints(room, imported(file)) == []


def test_what_rooms_may_know_has_no_circle():
    order = list(TopologicalSorter(KNOWS).static_order())  # raises CycleError if there is one
    assert order.index("checks") < order.index("layers") < order.index("chapters") < order.index("cli")


CHAPTERS = sorted((PACKAGE / "chapters").rglob("*.py"))


@pytest.mark.parametrize("file", CHAPTERS, ids=[str(file.relative_to(PACKAGE / "chapters")) for file in CHAPTERS])
def test_a_chapter_knows_earlier_chapters_only_and_of_grading_only_how_to_ask(file):
    here = file.relative_to(PACKAGE / "chapters").parts[0]
    names = [name.split(".") for name in imported(file) if name.startswith("rnncourse.")]
    others = {parts[2] for parts in names if parts[1] == "chapters" and len(parts) > 2 and parts[2].startswith("c")}
    assert all(other <= here for other in others)
    if here != "__init__.py":
        assert {parts[2] for parts in names if parts[1] == "grading" and len(parts) > 2} <= {"spec"}


@pytest.mark.parametrize("file", [file for file in FILES if room_of(file) != "chapters"], ids=str)
def test_no_chapter_is_known_by_name(file):
    assert not [name for name in imported(file) if re.match(r"rnncourse\.chapters\.c\d\d", name)]


@pytest.mark.parametrize(
    ("room", "line"),
    [
        ("cells", "from rnncourse.layers import Recurrent"),
        ("cells", "from . import models"),
        ("layers", "import rnncourse.viz.curves"),
        ("depth", "from rnncourse.trees import fold"),
        ("data", "from rnncourse.models import LanguageModel"),
        ("data", "from rnncourse.trees import Forest"),
        ("trees", "from rnncourse.data.trees import Tree"),
        ("training", "from rnncourse.cells import RNNCell"),
        ("functional", "def f():\n    from .grading import check"),
        ("grading", "from rnncourse.chapters import all_questions"),
        ("grading", "import matplotlib.pyplot as plt"),
        ("notebooks", "from rnncourse.results import load_result"),
        ("results", "from rnncourse.notebooks import course_root"),
        ("viz", "from rnncourse.training import History"),
        ("folders", "import rnncourse"),
        ("cells", "from rnncourse import check"),
    ],
)
def test_an_upward_import_is_seen(room, line):
    assert complaints(room, imported(PACKAGE / f"{room}.py", line)) != []


def test_a_downward_import_is_allowed():
    assert complaints("models", {"rnncourse.layers.Recurrent", "torch"}) == []
    assert complaints("viz", {"matplotlib.pyplot"}) == []
