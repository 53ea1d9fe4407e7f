"""What the command promises: the file that was named, no traces of a stopped run, nothing written into a wheel."""

import argparse
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import nbformat
import pytest

import rnncourse
from rnncourse import cli
from rnncourse.cli.command import make_parser
from rnncourse.notebooks import read, write
from tests.test_cli import course, fails  # noqa: F401 - a fixture
from tests.test_notebooks import notebook


def subparsers():
    """Every command's parser, and what the list says of it."""
    (action,) = [action for action in make_parser()._actions if isinstance(action, argparse._SubParsersAction)]
    return action


# --- run ----------------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_run_runs_the_file_that_was_named_and_not_the_chapter_of_that_name(course, tmp_path, capsys):  # noqa: F811
    mine = tmp_path / "02_small.ipynb"
    write(mine, notebook("# Mine", ('scale = "page"', ["parameters"]), "print('mine', scale)"))
    assert cli.main(["run", str(mine), "--scale", "smoke", "--quiet", "--output", "out"]) == 0
    assert read(tmp_path / "out" / "02_small.smoke.ipynb").cells[-1].outputs[0].text == "mine smoke\n"
    assert "mine" not in (course / "book" / "02_small.ipynb").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["/nonexistent/02_small.ipynb", "02_small.ipynb", "elsewhere/02_small.ipynb"])
def test_run_refuses_a_file_that_is_not_there(course, capsys, name):  # noqa: F811
    assert fails(capsys, "run", name) == f"there is no notebook {name}"


def test_experiments_are_a_chapters_and_not_a_files(course, tmp_path, capsys):  # noqa: F811
    write(tmp_path / "02_small.ipynb", notebook("# Mine", "x = 1"))
    assert "name it by its number" in fails(capsys, "run", "02_small.ipynb", "--experiment", "02.x")


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="Windows knows no SIGINT of this kind")
@pytest.mark.parametrize("to_all", [True, False], ids=["terminal", "process"])
def test_a_run_that_is_stopped_leaves_nothing_that_looks_finished(tmp_path, to_all):
    path, out = tmp_path / "slow.ipynb", tmp_path / "out"
    write(path, notebook("# Slow", "print(1)", "import pathlib, time\npathlib.Path('started').touch()\ntime.sleep(60)"))
    out.mkdir()
    (out / "slow.page.ipynb").write_text("an earlier run")
    command = [sys.executable, "-m", "rnncourse", "run", str(path), "--quiet", "--output", str(out)]
    process = subprocess.Popen(command, start_new_session=True, stderr=subprocess.PIPE, text=True)
    for _ in range(600):
        if (tmp_path / "started").exists():
            break
        time.sleep(0.1)
    (os.killpg if to_all else os.kill)(process.pid, signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130
    assert said.strip().splitlines()[-1] == "rnncourse: interrupted"
    assert [file.name for file in out.iterdir()] == ["slow.page.ipynb"]
    assert (out / "slow.page.ipynb").read_text() == "an earlier run"


# --- a wheel ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "words",
    [["execute"], ["execute", "mine.ipynb"], ["exercises"], ["exercises", "--force"], ["ledger"], ["ledger", "--check"],
     ["refresh"], ["refresh", "02.x"]],
    ids=" ".join,
)  # fmt: skip
def test_what_writes_into_the_course_is_refused_in_a_wheel(tmp_path, monkeypatch, capsys, words):
    root = tmp_path / "site-packages" / "rnncourse" / "_course"
    (root / "book").mkdir(parents=True)
    write(root / "book" / "02_small.ipynb", notebook("# T", "x = 1"))
    before = {path: path.stat().st_mtime_ns for path in root.rglob("*")}
    monkeypatch.setenv("RNNCOURSE_ROOT", str(root))
    monkeypatch.chdir(tmp_path)
    line = fails(capsys, *words)
    assert line.startswith(f"rnncourse {words[0]} is for maintainers")
    assert "Clone the repository" in line
    assert {path: path.stat().st_mtime_ns for path in root.rglob("*")} == before


@pytest.mark.slow
def test_a_run_from_a_wheel_writes_beside_the_learner(tmp_path, monkeypatch, capsys):
    root = tmp_path / "site-packages" / "_course"
    (root / "book").mkdir(parents=True)
    write(root / "book" / "02_small.ipynb", notebook("# T", "x = 1"))
    monkeypatch.setenv("RNNCOURSE_ROOT", str(root))
    (tmp_path / "mine").mkdir()
    monkeypatch.chdir(tmp_path / "mine")
    assert cli.main(["run", "2", "--quiet"]) == 0
    assert [path.name for path in (tmp_path / "mine" / "_build" / "runs").iterdir()] == ["02_small.page.ipynb"]
    assert len([path for path in root.rglob("*") if path.is_file()]) == 1


def test_maintainers_commands_say_so_in_the_list(capsys):
    told = {choice.dest: choice.help for choice in subparsers()._choices_actions}
    of_maintainers = {name for name, text in told.items() if text.startswith("for maintainers: ")}
    assert of_maintainers == {"execute", "exercises", "ledger", "lint", "refresh"}
    assert not of_maintainers & set(list(told)[: len(told) - len(of_maintainers)]), "they come last"


# --- help, version, completion ------------------------------------------------------------------------------------


def test_every_help_has_an_example_that_the_parser_accepts(capsys):
    for name, parser in subparsers().choices.items():
        if name == "bench":
            from rnncourse.bench import main

            with pytest.raises(SystemExit):
                main(["--help"])
            page = capsys.readouterr().out
        else:
            page = parser.format_help()
        lines = " ".join(page.split())
        assert "xample: " in lines, name
        example = lines.split("xample: ")[1].split("   ")[0].strip()
        words = example.removeprefix('eval "$(').removesuffix(')"').split(" && ")[-1].split(" or: ")[0].split()
        assert words[:2] == ["rnncourse", name], example
        make_parser().parse_known_args(words[1:])


def test_the_version_is_the_packages(capsys):
    with pytest.raises(SystemExit) as stop:
        cli.main(["--version"])
    assert stop.value.code == 0
    assert capsys.readouterr().out == f"rnncourse {rnncourse.__version__}\n"


def completed(line: str, folder: Path) -> list[str]:
    """What a shell is offered for an unfinished line."""
    answer = folder / "answer"
    environment = {**os.environ, "_ARGCOMPLETE": "1", "COMP_LINE": line, "COMP_POINT": str(len(line)),
                   "_ARGCOMPLETE_STDOUT_FILENAME": str(answer), "_ARGCOMPLETE_IFS": "\n"}  # fmt: skip
    subprocess.run([sys.executable, "-m", "rnncourse"], cwd=folder, env=environment, check=True, capture_output=True)
    return [word.strip() for word in answer.read_text().splitlines()]


def test_the_shell_completes_commands_options_and_files(tmp_path):
    nbformat.write(notebook("# T"), tmp_path / "mine.ipynb")
    assert set(completed("rnncourse pro", tmp_path)) == {"progress"}
    assert {"smoke", "page", "full"} <= set(completed("rnncourse run 2 --scale ", tmp_path))
    assert "--scale" in completed("rnncourse run --sc", tmp_path)


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish", "powershell"])
def test_completion_prints_what_a_shell_reads(capsys, shell):
    assert cli.main(["completion", shell]) == 0
    said = capsys.readouterr().out
    assert "rnncourse" in said
    assert "_ARGCOMPLETE" in said or "argcomplete" in said
