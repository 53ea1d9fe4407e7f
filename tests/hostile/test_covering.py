"""What is covered up is the course, wherever it lies in what is shown and however often."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from rnncourse.grading.walls.bubblewrap import bubblewrap_command
from rnncourse.grading.walls.covering import PACKAGE, course_below, hidden_in_package, shown
from rnncourse.grading.walls.landlocked import _around
from rnncourse.grading.walls.sandbox import Limits, find_sandbox
from tests.house import ROOT, need


def lay(root: Path, *paths: str) -> None:
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text("")


PACKAGE_FILES = ("rnncourse/__init__.py", "rnncourse/grading/spec.py", "rnncourse/chapters/c02/questions.py")


@pytest.mark.parametrize(
    ("there", "covered"),
    [
        ([f"src/course/{f}" for f in PACKAGE_FILES] + ["src/course/solutions/02_x.ipynb"], {"src/course"}),
        ([f"a/b/c/{f}" for f in PACKAGE_FILES], {"a/b/c/rnncourse"}),
        ([f"site-packages/{f}" for f in PACKAGE_FILES], {"site-packages/rnncourse"}),
        ([f"site-packages/{f}" for f in PACKAGE_FILES] + ["site-packages/book/01_x.ipynb"],
         {"site-packages/rnncourse", "site-packages/book"}),
        (["site-packages/rnncourse/_course/exercises/02_x.ipynb"], {"site-packages/rnncourse"}),
        (["share/sheets/02_vanilla_rnn.ipynb"], {"share/sheets"}),
        (["wheels/rnncourse-0.1.0-py3-none-any.whl", "wheels/torch.whl"], {"wheels/rnncourse-0.1.0-py3-none-any.whl"}),
        (["sdist/rnncourse-0.1.0.tar.gz"], {"sdist/rnncourse-0.1.0.tar.gz"}),
        (["backup.git/HEAD", "backup.git/objects/ab/cd", "backup.git/refs/heads/main"], {"backup.git"}),
        (["numpy/tests/test_a.py", "docs/1_intro.ipynb", "rnncourse.txt"], set()),
    ],
)  # fmt: skip
def test_the_course_is_found_wherever_it_lies(there, covered, tmp_path):
    lay(tmp_path, *there)
    sites = frozenset([str(tmp_path / "site-packages")])
    found = {str(path.relative_to(tmp_path)) for path in course_below(tmp_path, sites)}
    outermost = {path for path in found if not any(path.startswith(f"{other}/") for other in found)}
    assert outermost == covered


def test_in_a_root_that_is_the_course_itself_its_folders_are_found(tmp_path):
    lay(tmp_path, *PACKAGE_FILES, "solutions/02_x.ipynb", "exercises/02_x.ipynb", "numpy/__init__.py")
    found = {path.name for path in course_below(tmp_path)}
    assert {"rnncourse", "solutions", "exercises"} <= found
    assert "numpy" not in found


def test_links_lead_nowhere_else_and_loops_end(tmp_path):
    lay(tmp_path, "lib/torch/__init__.py")
    (tmp_path / "lib" / "loop").symlink_to(tmp_path / "lib")
    assert course_below(tmp_path) == []


def test_the_package_hides_its_questions_and_chapters_at_any_depth(tmp_path):
    lay(tmp_path, "rnncourse/grading/spec.py", "rnncourse/grading/questions/a.py", "rnncourse/chapters/c02/x.py",
        "rnncourse/_course/book/x.ipynb", "rnncourse/layers/lstm.py", "rnncourse/new/room/solutions/a.py")  # fmt: skip
    hidden = {str(path.relative_to(tmp_path / "rnncourse")) for path in hidden_in_package(tmp_path / "rnncourse")}
    assert hidden == {"grading/questions", "chapters", "_course", "new/room/solutions"}
    assert hidden_in_package(), "the real package hides something"


def test_no_tree_is_shown_that_is_the_interpreters_prefix_or_a_checkout():
    places = shown()
    assert PACKAGE.parent not in places.trees
    for tree in (*places.trees, *places.system):
        assert not (tree.is_dir() and tree in (Path("/"), Path("/usr"), Path("/usr/src"), Path("/home"), Path("/root")))
        assert not PACKAGE.is_relative_to(tree) or any(PACKAGE.is_relative_to(path) for path in places.covered)


def test_every_hidden_place_is_covered_after_it_was_shown():
    argv = bubblewrap_command("bwrap", Limits())
    for hidden in hidden_in_package():
        target = f"/course/rnncourse/{hidden.relative_to(PACKAGE)}"
        shown_at = max(i for i, word in enumerate(argv) if word == "/course/rnncourse")
        assert argv.index(target) > shown_at


def test_landlock_names_the_neighbours_of_what_is_covered(tmp_path):
    lay(tmp_path, "a/x/secret/f", "a/x/open", "a/y", "b")
    read, names = _around(tmp_path, {tmp_path / "a" / "x" / "secret"})
    assert {str(Path(path).relative_to(tmp_path)) for path in read} == {"a/x/open", "a/y", "b"}
    assert {str(Path(path).relative_to(tmp_path)) for path in names} == {".", "a", "a/x"}
    assert _around(tmp_path, {tmp_path}) == ([], [])
    assert _around(tmp_path, {Path("/elsewhere")}) == ([str(tmp_path)], [])


CLONES = """
import json, sys
from tests.hostile.cases import families
from tests.hostile.runner import FIRST, LIMITS, notebook, question
from rnncourse.grading.grader import grade
from pathlib import Path
case = next(case for cases in families().values() for case in cases if case.name == "from_disk")
path = notebook(Path(sys.argv[1]) / "a.ipynb", [FIRST, case.source])
for wall in ("bubblewrap", "landlock"):
    report = grade(path, chapter=99, questions=[question("from_disk", seconds=60.0)], wall=wall, limits=LIMITS)
    print(json.dumps([wall, report.points, report.marks[0].message]))
"""


@pytest.mark.sandbox
@pytest.mark.slow
def test_clones_of_the_course_among_what_is_shown_stay_unread(tmp_path):
    """A checkout in the system's libraries, one below the interpreter's prefix: laid there by an outer bubblewrap."""
    outer, reason = find_sandbox("bubblewrap")
    if outer is None or os.geteuid() != 0:
        need("bubblewrap, and root to lay clones in the system's folders", reason)
    places = [Path("/usr/lib/python3/dist-packages"), Path(sys.base_prefix) / "lib" / "pkgconfig"]
    places = [place for place in places if place.is_dir()]
    if not places:
        pytest.skip("neither folder is here")
    argv = [outer.bwrap, "--dev-bind", "/", "/", "--cap-add", "ALL"]
    for place in places:
        argv += ["--tmpfs", str(place), "--ro-bind", str(ROOT), str(place / "clone")]
    done = subprocess.run(
        [*argv, sys.executable, "-c", CLONES, str(tmp_path)], cwd=ROOT, capture_output=True, text=True, timeout=500
    )
    results = [json.loads(line) for line in done.stdout.splitlines()]
    assert [(wall, points) for wall, points, _ in results] == [("bubblewrap", 1), ("landlock", 1)], done.stderr[-2000:]
