"""Notebooks in, notebooks out: executed whole or left alone, stripped the same way each time."""

import base64
import io
import json
import random

import nbformat
import pytest
from PIL import Image

from rnncourse.notebooks import (
    NotebookFailed,
    chapters,
    complaints,
    course_root,
    deeper_pages,
    execute_file,
    exercise_from_solution,
    normalise,
    notebook_files,
    read,
    resolve_chapter,
    write,
    write_exercises,
)
from rnncourse.notebooks.colab import repository_address, with_colab_cell
from rnncourse.notebooks.exercises import EditedByHand
from rnncourse.notebooks.files import to_text
from rnncourse.notebooks.pictures import MAX_BYTES, PictureTooLarge, png_facts, shrink_png
from rnncourse.notebooks.runs import ensure_writable, known_parameters, run_notebook

v4 = nbformat.v4


def notebook(*cells, **metadata):
    """A notebook of code cells (text, or text and tags) and markdown cells (text that begins with '#' or 'md:')."""
    made = []
    for cell in cells:
        source, tags = cell if isinstance(cell, tuple) else (cell, [])
        if source.startswith(("# ", "## ", "md:")):
            made.append(v4.new_markdown_cell(source.removeprefix("md:")))
        else:
            made.append(v4.new_code_cell(source, metadata={"tags": list(tags)} if tags else {}))
    return v4.new_notebook(cells=made, metadata=metadata)


def png(width, height, noise):
    generator = random.Random(0)
    image = Image.new("RGBA", (width, height), (0, 0, 0, 0))
    if noise:
        image = Image.frombytes("RGB", (width, height), generator.randbytes(width * height * 3))
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return base64.b64encode(buffer.getvalue()).decode()


# finding


def test_chapters_are_found_by_number_name_and_stem_and_never_by_a_file(tmp_path):
    (tmp_path / "book").mkdir()
    for name in ("02_vanilla_rnn.ipynb", "05_lstm.ipynb", "draft.ipynb"):
        (tmp_path / "book" / name).touch()
    assert chapters(tmp_path) == {"02": "02_vanilla_rnn", "05": "05_lstm"}
    assert deeper_pages(tmp_path) == []
    (tmp_path / "book" / "deeper").mkdir()
    for name in ("05_peepholes.ipynb", "02_aside.ipynb", "draft.ipynb"):
        (tmp_path / "book" / "deeper" / name).touch()
    assert deeper_pages(tmp_path) == ["02_aside", "05_peepholes"]
    assert {"05_peepholes", "05_lstm"} <= {path.stem for path in notebook_files(tmp_path)}
    for name in ("2", "02", "vanilla_rnn", "02_vanilla_rnn"):
        assert resolve_chapter(name, tmp_path) == "02_vanilla_rnn"
    for name in ("7", "lstm2", "", "draft", "book/02_vanilla_rnn.ipynb"):
        with pytest.raises(ValueError, match="there is no chapter .*: 02_vanilla_rnn, 05_lstm"):
            resolve_chapter(name, tmp_path)


def test_the_course_is_where_the_variable_says(tmp_path, monkeypatch):
    (tmp_path / "book").mkdir()
    monkeypatch.setenv("RNNCOURSE_ROOT", str(tmp_path))
    assert course_root() == tmp_path.resolve()
    monkeypatch.setenv("RNNCOURSE_ROOT", str(tmp_path / "nowhere"))
    with pytest.raises(ValueError, match="RNNCOURSE_ROOT is .*; it should be a folder"):
        course_root()


@pytest.mark.parametrize("content", ["", "{}", "[1]", '{"cells": 3}', "\x00"])
def test_what_is_not_a_notebook_is_refused_in_one_line(tmp_path, content):
    (tmp_path / "bad.ipynb").write_text(content)
    with pytest.raises(ValueError, match="bad.ipynb is not a notebook") as caught:
        read(tmp_path / "bad.ipynb")
    assert "\n" not in str(caught.value)
    with pytest.raises(ValueError, match="there is no notebook"):
        read(tmp_path / "absent.ipynb")


# the normal form


def test_normal_form_is_its_own_normal_form_and_does_not_hang_on_the_editor():
    one = notebook("# T", "x = 1\n\n", "", ("y = 2", ["b"]), authors=["me"], language_info={"name": "R"})
    other = notebook("# T", "x = 1", ("y = 2", ["b"]))
    other.cells[1].metadata["scrolled"] = True
    assert to_text(normalise(one)) == to_text(normalise(other)) == to_text(normalise(normalise(one)))
    nbformat.validate(normalise(one))
    assert [cell.metadata for cell in normalise(one).cells] == [{}, {}, {"tags": ["b"]}]


def test_ids_come_from_the_source_and_are_unique():
    ids = [cell.id for cell in normalise(notebook("x = 1", "x = 1", "y = 1")).cells]
    assert len(set(ids)) == 3
    assert [cell.id for cell in normalise(notebook("z = 1", "x = 1", "y = 1")).cells][1:] == [ids[0], ids[2]]


def test_writing_the_same_notebook_leaves_the_file_alone(tmp_path):
    path = tmp_path / "a.ipynb"
    assert write(path, notebook("x = 1"))
    before = path.stat().st_mtime_ns
    assert not write(path, notebook("x = 1"))
    assert path.stat().st_mtime_ns == before
    assert list(tmp_path.iterdir()) == [path]


# pictures


def test_a_picture_gets_a_palette_and_shrinking_twice_changes_nothing():
    small = shrink_png(png(200, 100, noise=False))
    assert png_facts(small)[1]
    assert png_facts(small)[0] < 1000
    assert shrink_png(small) == small
    corner = Image.open(io.BytesIO(base64.b64decode(small))).convert("RGB").getpixel((0, 0))
    assert corner == (255, 255, 255)


def test_a_busy_picture_is_brought_under_the_limit_or_refused():
    size, palette = png_facts(shrink_png(png(250, 250, noise=True)))
    assert size <= MAX_BYTES
    assert palette
    with pytest.raises(PictureTooLarge, match="KB with 16 colours; it should fit in 60 KB"):
        shrink_png(png(380, 380, noise=True))


# executing

FIGURE = "import matplotlib.pyplot as plt, random\nplt.plot([0, random.random()])\nplt.show()"


@pytest.fixture(scope="module")
def executed(tmp_path_factory):
    """A small notebook with what varies by chance, executed once."""
    path = tmp_path_factory.mktemp("book") / "01_small.ipynb"
    write(
        path,
        notebook(
            "# Title",
            "import os, random",
            ("steps = 3", ["parameters"]),
            "print(steps, os.path.basename(os.getcwd()), os.environ['OMP_NUM_THREADS'])\nprint('and', end='')",
            FIGURE,
            ("random.random()", ["nbval-ignore-output"]),
        ),
    )
    assert execute_file(path)
    return path


@pytest.mark.slow
def test_executed_notebooks_count_from_one_in_their_own_folder(executed):
    done = read(executed)
    code = [cell for cell in done.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in code] == [1, 2, 3, 4, 5]
    assert code[2].outputs[0].text == f"3 {executed.parent.name} 1\nand"
    assert len(code[2].outputs) == 1
    assert png_facts(code[3].outputs[0].data["image/png"])[1]
    assert to_text(normalise(done)) == executed.read_text()


@pytest.mark.slow
def test_executing_again_changes_nothing_until_something_upstream_does(executed):
    before = executed.read_bytes()
    assert not execute_file(executed)
    assert executed.read_bytes() == before
    changed = read(executed)
    changed.cells[3].source += "  # reworded"
    write(executed, changed)
    assert [one.rule for one in complaints(executed, read(executed))].count("outputs_belong_to_the_sources") == 1
    assert execute_file(executed)
    code = [cell for cell in read(executed).cells if cell.cell_type == "code"]
    old = [cell for cell in nbformat.reads(before.decode(), 4).cells if cell.cell_type == "code"]
    assert code[3].outputs != old[3].outputs
    assert code[4].outputs != old[4].outputs


@pytest.mark.slow
@pytest.mark.parametrize("how", ["fresh", "package"])
def test_figures_are_taken_anew_when_asked_for_or_when_the_packages_code_changed(executed, monkeypatch, how):
    before = [cell.get("outputs") for cell in read(executed).cells]
    if how == "package":
        monkeypatch.setattr("rnncourse.notebooks.execution.source_hash", lambda source, extra: "another")
    assert execute_file(executed, fresh=how == "fresh")
    after = [cell.get("outputs") for cell in read(executed).cells]
    assert [one == other for one, other in zip(before, after, strict=True)] == [True] * 4 + [False] * 2


@pytest.mark.slow
def test_a_notebook_that_fails_is_left_as_it_was(tmp_path):
    path = tmp_path / "bad.ipynb"
    write(path, notebook("# T", "x = 1", "y = 2\n\n1 / 0\nz = 3\nw = 4"))
    before = path.read_bytes()
    with pytest.raises(
        NotebookFailed, match="bad.ipynb: code cell 2 failed: ZeroDivisionError: division by zero"
    ) as caught:
        execute_file(path)
    assert caught.value.failure.head == ("y = 2", "1 / 0", "z = 3")
    assert path.read_bytes() == before


# papermill


@pytest.mark.slow
def test_a_run_sets_scale_and_parameters_and_leaves_the_chapter_alone(tmp_path):
    path = tmp_path / "book" / "03_runs.ipynb"
    path.parent.mkdir()
    write(path, notebook("# T", ('scale = "page"\nsteps = 1', ["parameters"]), "print(scale, steps)"))
    before = path.read_bytes()
    assert known_parameters(path) == ["scale", "steps"]
    output = run_notebook(path, "smoke", {"steps": 7}, tmp_path / "runs", progress_bar=False)
    assert output.name == "03_runs.smoke.ipynb"
    assert read(output).cells[-1].outputs[0].text == "smoke 7\n"
    assert path.read_bytes() == before
    with pytest.raises(ValueError, match="03_runs.ipynb has no parameter 'stepps'; its parameters are: scale, steps"):
        run_notebook(path, "smoke", {"stepps": 7}, tmp_path / "runs", progress_bar=False)


@pytest.mark.slow
def test_a_failing_run_says_which_cell_and_why(tmp_path):
    path = tmp_path / "03_fails.ipynb"
    write(path, notebook("# T", ('scale = "page"', ["parameters"]), "a = 1\n\nraise KeyError('lost')\nb = 2\nc = 3"))
    with pytest.raises(NotebookFailed) as caught:
        run_notebook(path, "page", {}, tmp_path / "runs", progress_bar=False)
    failure = caught.value.failure
    assert failure.head == ("a = 1", "raise KeyError('lost')", "b = 2")
    assert failure.error == "KeyError: 'lost'"
    assert "    | a = 1" in str(caught.value)
    assert (tmp_path / "runs" / "03_fails.page.ipynb").is_file()


def test_a_folder_that_cannot_be_written_is_said_before_any_work(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(ValueError, match="cannot write to .*; choose a folder with --output"):
        ensure_writable(tmp_path / "file" / "below")


# exercises

SOLUTION = (
    "# Exercises",
    "md:## Exercise 5.1 One step",
    "import torch",
    "def step(x):\n    if x:\n        ### BEGIN SOLUTION\n        y = x\n        return y\n        ### END SOLUTION\n"
    "    return 0",
    "md:## Exercise 5.2 Two",
    "### BEGIN SOLUTION 5.3\nz = 1\n### END SOLUTION\nprint('kept')",
    ("w = 1", ["solution"]),
)


def test_solutions_become_one_line_that_names_the_exercise():
    made = exercise_from_solution(notebook(*SOLUTION), "05_lstm")
    assert [cell.source for cell in made.cells if cell.cell_type == "code"] == [
        "import torch",
        'def step(x):\n    if x:\n        raise NotImplementedError("Exercise 5.1")\n    return 0',
        "raise NotImplementedError(\"Exercise 5.3\")\nprint('kept')",
    ]
    nbformat.validate(made)


def test_exercises_keep_no_outputs_counts_or_solutions():
    solved = notebook(*SOLUTION)
    for count, cell in enumerate((cell for cell in solved.cells if cell.cell_type == "code"), start=1):
        cell.execution_count = count
        cell.outputs = [v4.new_output("stream", name="stdout", text="y = x")]
    made = exercise_from_solution(solved, "05_lstm")
    text = to_text(made)
    assert "return y" not in text
    assert "SOLUTION" not in text
    assert all(not cell.outputs and cell.execution_count is None for cell in made.cells if cell.cell_type == "code")


def test_generating_twice_gives_the_same_bytes_whatever_was_executed(tmp_path):
    (tmp_path / "solutions").mkdir()
    write(tmp_path / "solutions" / "05_lstm.ipynb", notebook(*SOLUTION))
    (written,) = write_exercises(tmp_path, solutions={})
    first = written.read_bytes()
    assert write_exercises(tmp_path, solutions={}) == []
    done = read(tmp_path / "solutions" / "05_lstm.ipynb")
    done.cells[2].execution_count = 9
    done.metadata["language_info"] = {"name": "python", "version": "3.99"}
    (tmp_path / "solutions" / "05_lstm.ipynb").write_text(json.dumps(done))
    assert write_exercises(tmp_path, solutions={}) == []
    assert written.read_bytes() == first


def test_a_learners_work_is_not_written_over(tmp_path):
    (tmp_path / "solutions").mkdir()
    write(tmp_path / "solutions" / "05_lstm.ipynb", notebook(*SOLUTION))
    write(tmp_path / "solutions" / "06_gru.ipynb", notebook(*SOLUTION))
    write_exercises(tmp_path, solutions={})
    mine = tmp_path / "exercises" / "05_lstm.ipynb"
    worked = read(mine)
    worked.cells[3].source = "def step(x):\n    return x"
    write(mine, worked)
    write(tmp_path / "solutions" / "06_gru.ipynb", notebook(*SOLUTION, "new = 1"))
    before = {path: path.read_bytes() for path in (tmp_path / "exercises").iterdir()}
    with pytest.raises(EditedByHand, match="exercises/05_lstm.ipynb was edited .* --force"):
        write_exercises(tmp_path, solutions={})
    assert {path: path.read_bytes() for path in (tmp_path / "exercises").iterdir()} == before
    assert len(write_exercises(tmp_path, solutions={}, force=True)) == 2


def test_running_an_exercise_is_not_editing_it(tmp_path):
    (tmp_path / "solutions").mkdir()
    write(tmp_path / "solutions" / "05_lstm.ipynb", notebook(*SOLUTION))
    (path,) = write_exercises(tmp_path, solutions={})
    first = path.read_bytes()
    run = read(path)
    run.cells[2].execution_count = 1
    run.metadata["kernelspec"] = {"name": "other", "display_name": "Other"}
    path.write_text(json.dumps(run))
    assert write_exercises(tmp_path, solutions={}) == [path]
    assert path.read_bytes() == first


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("### BEGIN SOLUTION 1.1\nx = 1", "'### BEGIN SOLUTION' without '### END SOLUTION'"),
        ("x = 1\n### END SOLUTION", "'### END SOLUTION' without"),
        ("### BEGIN SOLUTION 1.1\n### BEGIN SOLUTION 1.2\n### END SOLUTION", "a second '### BEGIN SOLUTION'"),
        ("### BEGIN SOLUTION\nx = 1\n### END SOLUTION", "no exercise number"),
    ],
)
def test_a_solution_that_cannot_be_stripped_is_refused(source, message):
    with pytest.raises(ValueError, match="solutions/05_lstm.ipynb, cell 1: .*") as caught:
        exercise_from_solution(notebook(source), "05_lstm")
    assert message in str(caught.value)


# Colab


def test_the_colab_cell_follows_the_repositorys_address(tmp_path):
    assert repository_address(tmp_path) == ""
    (tmp_path / "_config.yml").write_text("repository:\n  url: https://example.org/a/b\n")
    address = repository_address(tmp_path)
    with_cell = normalise(with_colab_cell(notebook("# T", "x = 1"), address))
    assert 'git+https://example.org/a/b"' in with_cell.cells[1].source
    assert to_text(normalise(with_colab_cell(with_cell, address))) == to_text(with_cell)
    assert to_text(normalise(with_colab_cell(with_cell, ""))) == to_text(normalise(notebook("# T", "x = 1")))
