"""Every exercise notebook, generated and graded: solved it has full marks, untouched it has none and says why."""

import json
import re

import pytest

from rnncourse.chapters import chapter_questions, worked_solutions
from rnncourse.course import grade
from rnncourse.grading.notebook import read_submission
from rnncourse.grading.walls.sandbox import find_sandbox
from rnncourse.notebooks import exercise_from_solution, read
from rnncourse.notebooks.files import normalise, to_text
from rnncourse.notebooks.splicing import spliced
from tests.house import ROOT, need

SOLUTIONS = sorted((ROOT / "solutions").glob("*.ipynb"))
every_solution = pytest.mark.parametrize("solution", SOLUTIONS, ids=[path.stem for path in SOLUTIONS])


@pytest.fixture
def sandbox():
    bwrap, reason = find_sandbox()
    return bwrap or need("a sandbox", reason)


@every_solution
def test_the_solution_holds_the_packages_functions_byte_for_byte(solution):
    notebook = read(solution)
    fresh = spliced(notebook, worked_solutions(), solution.stem)
    assert to_text(fresh) == to_text(normalise(notebook)), "write it again: rnncourse exercises"
    cells = [cell.source for cell in fresh.cells if "### BEGIN SOLUTION" in cell.source]
    for question in chapter_questions(int(solution.stem[:2])):
        if question.id in worked_solutions():
            assert sum(f"def {question.name}(" in cell for cell in cells) == 1, question.id


@every_solution
def test_the_exercise_is_generated_from_the_solution_byte_for_byte(solution):
    generated = to_text(exercise_from_solution(read(solution), solution.stem))
    assert (ROOT / "exercises" / solution.name).read_text(encoding="utf-8") == generated


@every_solution
def test_it_ends_with_how_it_is_graded(solution):
    assert f"`rnncourse grade exercises/{solution.name}`" in read(solution).cells[-1].source


@every_solution
def test_it_asks_every_question_of_its_chapter_and_shows_no_solution(solution):
    questions = chapter_questions(int(solution.stem[:2]))
    text = "\n".join("".join(cell["source"]) for cell in json.loads(solution.read_text(encoding="utf-8"))["cells"])
    for question in questions:
        assert re.search(rf"""check\(["']{question.id}["'], {question.name}\)""", text)
        assert f"{question.points:g} point" in text
    assert set(re.findall(r"""check\(["'](\d+\.\d+)["']""", text)) == {question.id for question in questions}
    exercise = (ROOT / "exercises" / solution.name).read_text(encoding="utf-8")
    assert "SOLUTION" not in exercise
    assert exercise.count("raise NotImplementedError(") >= len(questions)


@every_solution
def test_no_flag_is_raised_by_an_honest_notebook(solution):
    source = read_submission(solution).source
    for question in chapter_questions(int(solution.stem[:2])):
        assert not any(re.search(pattern, source) for pattern in question.flags), question.id


@every_solution
@pytest.mark.sandbox
@pytest.mark.slow
def test_the_solved_notebook_has_full_marks(solution, sandbox):
    report = grade(solution)
    assert [mark.problems for mark in report.marks if not mark.full] == []
    assert report.points == report.out_of == sum(q.points for q in chapter_questions(report.chapter))
    assert report.cells == {}
    assert report.isolation == "bubblewrap"


@every_solution
@pytest.mark.sandbox
@pytest.mark.slow
def test_the_untouched_exercise_has_none_and_a_message_for_each_question(solution, sandbox):
    report = grade(ROOT / "exercises" / solution.name)
    assert report.points == 0
    for mark in report.marks:
        assert mark.message, mark.question
        assert mark.hint, mark.question


@pytest.mark.sandbox
@pytest.mark.slow
def test_the_picture_in_the_book_says_what_a_graded_run_says(sandbox):
    from book._ext.report_pictures import graded, terminal

    def words(svg: str) -> str:
        lines = re.findall(r"<text [^>]*>([^<]*)</text>", svg)
        return re.sub(r"[\d.]+&#160;s$", "", "".join(lines).strip(), flags=re.MULTILINE)

    committed = (ROOT / "book" / "figures" / "grading_terminal.svg").read_text(encoding="utf-8")
    fresh = terminal(graded())
    assert "known&#160;mistake" in fresh
    assert words(committed) == words(fresh), "draw it again: python -m book._ext.report_pictures"
