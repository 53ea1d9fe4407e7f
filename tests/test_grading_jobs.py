"""A job is plain data, and its answer is, whatever the grader does with it."""

import json
import os

import pytest

from rnncourse.grading.classes.jobs import Options, do, make_job, read_bytes
from rnncourse.grading.grader import GradeReport, NoSandbox, Ungraded
from rnncourse.grading.marking import Mark

NAME = os.fsdecode(b"02_\xff\x1b[2J--json=x.ipynb")


def job(**options):
    return make_job("ada/02", NAME, b'{"cells": []}', 7, Options(**options), ["2.1"])


def test_a_job_is_json_and_holds_nothing_of_the_files_name_but_the_chapter():
    content = job()
    assert json.loads(json.dumps(content)) == content
    assert content["name"] == "02_notebook.ipynb"
    assert make_job("a", "x.ipynb", b"", 7, Options())["name"] == "notebook.ipynb"


@pytest.mark.parametrize(
    ("error", "fault", "words"),
    [
        (lambda path: ValueError(f"{path} is not a notebook"), "submission", "ada/02 is not a notebook"),
        (lambda path: Ungraded(f"{path} could not be graded: it did not start"), "grader", "ada/02 could not be"),
        (lambda path: NoSandbox("no sandbox for a stranger's notebook"), "sandbox", "no sandbox"),
        (lambda path: RuntimeError("\x1b[2J a bug"), "grader", "RuntimeError: "),
        (lambda path: MemoryError(), "grader", "MemoryError"),
        (lambda path: RecursionError("deep"), "grader", "RecursionError: deep"),
    ],
)
def test_every_exception_is_an_answer_that_says_whose_fault_it_is(error, fault, words):
    def grade(path, **options):
        raise error(path)

    answer = do(job(), grade, str)
    assert answer["fault"] == fault
    assert words in answer["failure"]
    assert answer["failure"].isprintable()


def test_the_grader_is_handed_what_the_job_says_and_its_report_is_clean_plain_data():
    seen = {}

    def grade(path, **options):
        seen.update(options, content=path.read_bytes(), name=path.name)
        marks = [Mark("2.1", "One", 0, 2, {"case": "\x1b[31m\u202e\ud800"}, message="\x1b[2J", hint="h")]
        return GradeReport(path.name, 2, marks, {3: "\x07"}, options["seed"], "landlock", 1.0)

    answer = do(job(chapter=2, cell_seconds=3.0, total_seconds=9.0), grade, lambda question: f"question {question}")
    assert (seen["content"], seen["name"], seen["seed"]) == (b'{"cells": []}', "02_notebook.ipynb", 7)
    assert (seen["chapter"], seen["questions"], seen["own"], seen["unsafe"]) == (2, ["question 2.1"], False, False)
    assert (seen["limits"].cell_seconds, seen["limits"].total_seconds) == (3.0, 9.0)
    report = answer["report"]
    assert report["notebook"] == "ada/02"
    assert (report["points"], report["out_of"], report["questions"][0]["verdict"]) == (0, 2, "wrong")
    text = json.dumps(answer, ensure_ascii=False)
    assert text.isprintable()
    text.encode()


def test_a_file_is_read_whole_or_not_at_all(tmp_path):
    path = tmp_path / "x"
    path.write_bytes(b"12345")
    assert read_bytes(path, 5) == b"12345"
    with pytest.raises(ValueError, match="is the limit"):
        read_bytes(path, 4)
    with pytest.raises(ValueError, match="not a file|cannot be read"):
        read_bytes(tmp_path, 4)
    with pytest.raises(ValueError, match="cannot be read"):
        read_bytes(tmp_path / "absent", 4)
    link = tmp_path / "link"
    link.symlink_to(path)
    assert read_bytes(link, 5, links=True) == b"12345"
    if os.name != "nt":
        with pytest.raises(ValueError, match="link to another file"):
            read_bytes(link, 5)
