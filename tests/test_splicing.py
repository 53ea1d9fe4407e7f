"""The package's functions in the solutions' notebooks, and the lines that only look like markers."""

import pytest

from rnncourse import cli
from rnncourse.notebooks import complaints, exercise_from_solution, write, write_exercises
from rnncourse.notebooks.files import to_text
from rnncourse.notebooks.markers import near_misses
from rnncourse.notebooks.splicing import spliced
from tests.test_notebooks import notebook, v4


def step(
    x,
    h: int = 0,
) -> tuple:
    """One step: x is (batch, input)."""
    # a comment that teaches
    y = x + h

    return y, h  # both


WRITTEN = '''def step(
    x,
    h: int = 0,
) -> tuple:
    """One step: x is (batch, input)."""
    ### BEGIN SOLUTION
    # a comment that teaches
    y = x + h

    return y, h  # both
    ### END SOLUTION'''
EMPTY = "def step():\n    ### BEGIN SOLUTION\n    ### END SOLUTION"
OLD = (
    "import math\n\n\ndef step(x):\n    'Of old.'\n    ### BEGIN SOLUTION 5.1\n    return 1\n    ### END SOLUTION\n\n\n"
    "step(1)"
)
OUTSIDE = ("### BEGIN SOLUTION", "### END SOLUTION", "<!-- begin solution -->", "BEGIN SOLUTION")


def source(cell_source, number=-1, heading="md:## Exercise 5.1 One step", solutions=None):
    made = spliced(notebook(heading, cell_source), {"5.1": step} if solutions is None else solutions, "05_lstm")
    return made.cells[number].source


def test_the_whole_function_goes_in_and_its_body_stands_between_the_markers():
    assert source(EMPTY) == WRITTEN


def test_what_stands_around_the_function_and_the_number_at_the_marker_stay():
    written = WRITTEN.replace("BEGIN SOLUTION", "BEGIN SOLUTION 5.1")
    assert source(OLD, heading="md:## Nothing") == f"import math\n\n\n{written}\n\n\nstep(1)"


def test_splicing_twice_changes_nothing():
    once = spliced(notebook("md:## Exercise 5.1", OLD), {"5.1": step}, "05_lstm")
    assert to_text(spliced(once, {"5.1": step}, "05_lstm")) == to_text(once)


def test_an_exercise_without_a_function_and_outputs_stay_as_they_are():
    assert source(OLD, solutions={"5.2": step}) == OLD
    solved = notebook("md:## Exercise 5.1", OLD)
    solved.cells[1].outputs = [v4.new_output("stream", name="stdout", text="2")]
    assert spliced(solved, {"5.1": step}, "05_lstm").cells[1].outputs == solved.cells[1].outputs


def test_the_learner_sees_the_head_and_the_docstring_and_nothing_of_the_body():
    solved = spliced(notebook("md:## Exercise 5.1", EMPTY), {"5.1": step}, "05_lstm")
    cell = exercise_from_solution(solved, "05_lstm").cells[1].source
    assert cell == WRITTEN.split("    ### BEGIN")[0] + '    raise NotImplementedError("Exercise 5.1")'


@pytest.mark.parametrize(
    ("cell", "words"),
    [
        (EMPTY.replace("step", "leap"), "should stand in the function 'step'"),
        ("### BEGIN SOLUTION\nx = 1\n### END SOLUTION", "should stand in the function 'step'"),
        (f"def step():\n    pass\n\n\nclass A:\n{EMPTY[12:]}", "should stand in the function 'step'"),
        ("def step():\n    ### BEGIN SOLUTION\n    return 1", "each once"),
        (f"{EMPTY}\n\n\n{EMPTY}", "each once"),
        (f"{EMPTY}\n    return 0", "'step' should end with '### END SOLUTION'; 'return 0' follows"),
    ],
)
def test_a_cell_that_cannot_take_the_function_is_refused(cell, words):
    with pytest.raises(ValueError, match="solutions/05_lstm.ipynb, cell 2: ") as caught:
        source(cell)
    assert words in str(caught.value)


def test_a_function_without_a_docstring_is_refused():
    def bare(x):
        return x

    with pytest.raises(ValueError, match="bare needs a docstring"):
        source(EMPTY.replace("step", "bare"), solutions={"5.1": bare})


NEAR_MISSES = {
    "no space": "    ###BEGIN SOLUTION",
    "lower case": "    ### begin solution",
    "one capital": "    ### Begin Solution 5.1",
    "two spaces": "    ### BEGIN  SOLUTION",
    "two spaces at first": "    ###  BEGIN SOLUTION",
    "a tab": "    ### BEGIN\tSOLUTION",
    "a colon": "    ### BEGIN SOLUTION:",
    "a full stop": "    ### END SOLUTION.",
    "words behind it": "    ### BEGIN SOLUTION of 5.1",
    "no number but a word": "    ### BEGIN SOLUTION 5",
    "a plural": "    ### BEGIN SOLUTIONS",
    "one word": "    ### BEGINSOLUTION",
    "an underscore": "    ### BEGIN_SOLUTION",
    "two hashes": "    ## BEGIN SOLUTION",
    "four hashes": "    #### BEGIN SOLUTION",
    "turned": "    ### SOLUTION BEGIN",
    "behind code": "    x = 1  ### BEGIN SOLUTION",
    "the end, lower case": "    ### end solution",
    "another verb": "    ### START SOLUTION",
}


@pytest.mark.parametrize("line", NEAR_MISSES.values(), ids=NEAR_MISSES.keys())
def test_a_near_miss_of_a_marker_is_refused_by_exercises_and_lint(line, tmp_path):
    bad = notebook("md:## Exercise 5.1", f"def step(x):\n{line}\n    return x")
    with pytest.raises(ValueError, match="solutions/05_lstm.ipynb, cell 2: .* marks nothing"):
        exercise_from_solution(bad, "05_lstm")
    (tmp_path / "solutions").mkdir()
    write(tmp_path / "solutions" / "05_lstm.ipynb", bad)
    with pytest.raises(ValueError, match="marks nothing"):
        write_exercises(tmp_path, solutions={})
    assert not (tmp_path / "exercises").exists()
    said = [one for one in complaints("solutions/05_lstm.ipynb", bad) if one.rule == "markers_to_the_letter"]
    assert [one.cell for one in said] == [2]
    assert repr(line.strip()) in said[0].reason


@pytest.mark.parametrize(
    "line", ["### BEGIN SOLUTION", "### END SOLUTION", "<!-- begin solution -->", "BEGIN SOLUTION"]
)
@pytest.mark.parametrize("make", [v4.new_markdown_cell, v4.new_raw_cell])
def test_a_marker_outside_code_is_refused(line, make):
    bad = notebook("md:## Exercise 5.1")
    bad.cells.append(make(f"words\n{line}\nwords"))
    with pytest.raises(ValueError, match="cell 2: .* in a (markdown|raw) cell marks nothing"):
        exercise_from_solution(bad, "05_lstm")


def test_a_near_miss_in_a_cell_that_would_vanish_is_refused_too():
    with pytest.raises(ValueError, match="marks nothing"):
        exercise_from_solution(notebook(("###BEGIN SOLUTION", ["solution"])), "05_lstm")


@pytest.mark.parametrize(
    "text",
    [
        "    ### BEGIN SOLUTION 5.10",
        "### END SOLUTION",
        "# the solution begins with a forward pass",
        "# in the end, solutions differ",
        "end = solution  # what the solver returned",
    ],
)
def test_the_markers_themselves_and_plain_words_are_no_near_misses(text):
    assert list(near_misses(notebook(f"x = 1\n{text}"))) == []
    assert list(near_misses(notebook("md:At the end, solutions are compared. ### Begin with the solution."))) == []


def test_lint_counts_a_near_miss(tmp_path, capsys):
    path = tmp_path / "05_lstm.ipynb"
    write(path, notebook("###BEGIN SOLUTION\nx = 1"))
    assert cli.main(["lint", str(path)]) == 1
    assert "markers_to_the_letter: cell 1: '###BEGIN SOLUTION' marks nothing" in capsys.readouterr().out
