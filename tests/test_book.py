"""The notebooks that are committed: executed whole, in order, and by the house rules."""

import pytest

from rnncourse.notebooks import complaints, course_root, notebook_files, read

ROOT = course_root()
NOTEBOOKS = notebook_files(ROOT)


def name(path):
    return str(path.relative_to(ROOT))


def test_there_is_a_book():
    assert any(path.parent.name == "book" for path in NOTEBOOKS)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=name)
def test_notebooks_keep_the_house_rules(path):
    assert [str(one) for one in complaints(path, read(path))] == []


def test_every_exercise_has_a_solution_and_every_solution_a_chapter():
    stems = {
        folder: {path.stem for path in notebook_files(ROOT, (folder,))} for folder in ("book", "solutions", "exercises")
    }
    assert stems["exercises"] == stems["solutions"]
    assert stems["solutions"] <= stems["book"]
