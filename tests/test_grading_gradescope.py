"""Gradescope: a result for every submission that is at fault or not, and none where the grader is."""

import json
import os
import shutil
import stat
import subprocess

import pytest

from rnncourse.cli.autograder import main
from tests.fake_examiner import COMMAND
from tests.house import ROOT
from tests.test_grading_classes import hand_in

FILES = ROOT / "rnncourse" / "grading" / "classes" / "gradescope"


@pytest.fixture
def container(tmp_path):
    """The folders that Gradescope makes."""
    for name in ("submission", "results", "source"):
        (tmp_path / name).mkdir()
    return tmp_path


def results(container, *words, code=0):
    """What Gradescope finds after a run, or None."""
    assert main(["--root", str(container), *words], COMMAND) == code
    path = container / "results" / "results.json"
    return json.loads(path.read_text("ascii")) if path.exists() else None


def test_a_submission_has_its_score_its_questions_and_its_seed(container, capsys):
    hand_in(container / "submission", "02_vanilla_rnn.ipynb", points=2)
    said = results(container)
    assert said["score"] == 2
    assert [(test["number"], test["score"], test["max_score"]) for test in said["tests"]] == [
        ("2.1", 1, 1),
        ("2.2", 1, 2),
    ]
    assert isinstance(said["extra_data"]["seeds"]["2"], int)
    assert "2 points" in capsys.readouterr().out


def test_two_runs_have_two_seeds(container, capsys):
    hand_in(container / "submission", "02_vanilla_rnn.ipynb", points=2)
    assert results(container)["extra_data"] != results(container)["extra_data"]
    capsys.readouterr()


def test_of_several_notebooks_of_one_chapter_the_best_counts(container, capsys):
    hand_in(container / "submission", "a/02_x.ipynb", points=1)
    hand_in(container / "submission", "b/02_x.ipynb", points=3)
    assert results(container)["score"] == 3
    capsys.readouterr()


@pytest.mark.parametrize("submitted", [None, "answers.txt", "link.ipynb"])
def test_who_hands_in_no_notebook_is_told_so(submitted, container, capsys):
    if submitted == "link.ipynb":
        secret = hand_in(container, "secret.ipynb", points=3)
        (container / "submission" / submitted).symlink_to(secret)
    elif submitted:
        hand_in(container / "submission", submitted, points=3)
    said = results(container)
    assert said["score"] == 0
    assert "notebook" in said["output"]
    capsys.readouterr()


@pytest.mark.parametrize("act", ["crash", "no walls", "garbage"])
def test_where_the_grader_fails_there_is_no_result_and_so_no_zero(act, container, capsys):
    old = container / "results" / "results.json"
    old.write_text('{"score": 3}')
    hand_in(container / "submission", "02_vanilla_rnn.ipynb", act=act)
    assert results(container, code=2) is None
    assert "no result: " in capsys.readouterr().err


def test_the_files_for_gradescope_are_scripts_that_can_be_run():
    for name in ("setup.sh", "run_autograder"):
        path = FILES / name
        assert path.read_bytes().startswith(b"#!/usr/bin/env bash\n")
        assert b"\r" not in path.read_bytes()
        if os.name != "nt":
            assert path.stat().st_mode & stat.S_IXUSR
        if shutil.which("bash"):
            subprocess.run(["bash", "-n", str(path)], check=True)
    docker = (FILES / "Dockerfile").read_text(encoding="utf-8")
    assert "setup.sh" in docker
    assert "run_autograder" in docker
    module = "rnncourse.cli.autograder"
    assert module in (FILES / "run_autograder").read_text(encoding="utf-8")
    assert module in (FILES / "setup.sh").read_text(encoding="utf-8")
