"""A mistake as edits of a solution: each matches once, all are made at once, and what is wrong is said by name."""

import subprocess
import sys

import pytest

from rnncourse.grading.edits import Edited, compiled, edited_source
from rnncourse.grading.spec import Question, Wrong
from tests.house import ROOT

SCALE = 3


def affine(x, y):
    total = 2 * x + y
    return SCALE * total


def question(reference=affine, **edits):
    wrong = tuple(Wrong(name, answer).told(f"about {name}") for name, answer in edits.items())
    return Question(id="0.1", title="A line", points=1, reference=reference, wrong=wrong, hints=("Think.",))


def test_an_edited_function_runs_in_the_namespace_of_the_original():
    edited = compiled(affine, edited_source(affine, {"2 * x": "5 * x"}))
    assert (edited(1, 1), affine(1, 1)) == (18, 9)


def test_edits_see_the_source_as_it_stands_whatever_their_order():
    swap = {"2 * x": "y", "+ y": "+ 2 * x"}  # the second writes what the first looks for
    assert edited_source(affine, swap) == edited_source(affine, dict(reversed(swap.items())))
    assert "total = y + 2 * x" in edited_source(affine, swap)


@pytest.mark.parametrize(
    ("edits", "words"),
    [
        ({}, "there is no edit of affine"),
        ({"3 * x": "x"}, "affine holds '3 * x' 0 times; it should once"),
        ({"total": "sum"}, "affine holds 'total' 2 times; it should once"),
        ({"2 * x": "2 * x"}, "the edit of '2 * x' in affine changes nothing"),
        ({"2 * x": "x", "x + y": "y"}, "the edits of '2 * x' and 'x + y' in affine overlap"),
    ],
)
def test_an_edit_that_cannot_be_made_is_refused_by_name(edits, words):
    with pytest.raises(ValueError) as caught:
        edited_source(affine, edits)
    assert words in str(caught.value)


def test_overlapping_occurrences_of_an_edit_are_counted_too():
    def repeated():
        return [0, 0, 0]

    with pytest.raises(ValueError, match="holds '0, 0' 2 times"):
        edited_source(repeated, {"0, 0": "1"})


def test_a_question_turns_edits_into_functions_and_leaves_functions_alone():
    made = question(doubled={"2 * x": "4 * x"}, constant=abs)
    assert [wrong.answer(1, 0) for wrong in made.wrong[:1]] == [12]
    assert made.wrong[1].answer is abs
    assert (made.name, made.wrong[0].hint) == ("affine", "about doubled")


@pytest.mark.parametrize(
    ("edits", "words"),
    [
        ({"3 * x": "x"}, "affine holds '3 \\* x' 0 times"),
        ({"2 * x + y": "2 * x +"}, "affine cannot be read after its edits"),
    ],
)
def test_a_bad_edit_names_its_question_and_its_mistake(edits, words):
    made = question(halved=edits, constant=abs)  # nothing is compiled yet
    with pytest.raises(ValueError, match=f"question '0.1', 'halved': {words}"):
        made.wrong[0].answer(1, 1)


def test_an_edit_is_compiled_once():
    answer = question(doubled={"2 * x": "4 * x"}, constant=abs).wrong[0].answer
    answer(1, 1)
    first = answer.function
    answer(2, 2)
    assert answer.function is first


def test_what_has_no_source_of_its_own_cannot_be_edited():
    def outer(n):
        return lambda x: x + n

    with pytest.raises(ValueError, match="an owner: .* is a closure"):
        Edited(outer(2), {"x + n": "x - n"}, "an owner")(1)
    with pytest.raises(ValueError, match="question '0.1': only a reference that is a plain function can be edited"):
        question(reference=abs, doubled={"x": "y"}, constant=max)


def test_importing_the_questions_reads_no_source_and_compiles_no_edit():
    code = (
        "import inspect, rnncourse.grading.spec\n"  # torch reads source of its own
        "def refuse(*_): raise AssertionError('source was read')\n"
        "inspect.getsource = refuse\n"
        "from rnncourse.chapters import all_questions\n"
        "print(len(all_questions()))"
    )
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert int(run.stdout) > 0
