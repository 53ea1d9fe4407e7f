"""The instructor's pages: the bank is what the questions say, and the guide names only what there is."""

import re

import pytest

from rnncourse.chapters import all_questions
from rnncourse.cli import main
from rnncourse.cli.question_bank import LEVELS, level, lines_of, page, shown
from tests.house import ROOT

GUIDE = (ROOT / "book" / "instructor.md").read_text(encoding="utf-8")


def test_the_bank_in_the_book_is_what_the_questions_say():
    committed = (ROOT / "book" / "instructor_questions.md").read_text(encoding="utf-8")
    assert committed == page(), "write it again with: python -m rnncourse.cli.question_bank"


def test_every_question_is_in_the_bank_by_topic_by_difficulty_and_with_its_mistakes():
    text = page()
    topics, rest = text.split("## By difficulty")
    difficulty, mistakes = rest.split("## The mistakes")
    for question in all_questions().values():
        title = f"{question.id} {shown(question.title)}"
        assert topics.count(f"| {title} |") == 1
        assert difficulty.count(f"- {title} (") == 1
        assert mistakes.count(f"**{title}**") == 1
        assert all(f"- {shown(wrong.name)}\n" in mistakes for wrong in question.wrong)
        assert level(question) in LEVELS


def test_lines_of_code_count_neither_docstrings_nor_comments_nor_blank_lines():
    def five(x):
        """One.

        Two.
        """
        # a comment

        y = [
            x,
        ]  # ours
        return y

    assert lines_of(five) == 5
    assert lines_of(lambda x: x) == 1


def test_the_guide_names_only_questions_and_chapters_that_exist():
    known = all_questions()
    measured = GUIDE.split("<!-- throughput: begin -->")[1].split("<!-- throughput: end -->")[0]
    named = re.findall(r"(?<![\d.:/])(\d\.\d)(?![\d.])", GUIDE.replace(measured, ""))
    assert len(named) > 40
    assert set(named) <= set(known)
    for stem in re.findall(r"\{doc\}`(\d\d_\w+)`", GUIDE):
        assert (ROOT / "book" / f"{stem}.ipynb").is_file()
    for weeks in ("One week", "Six weeks", "Twelve weeks"):
        assert f"### {weeks}" in GUIDE


def test_the_term_of_the_guide_leaves_no_question_out():
    term = GUIDE.split("### Twelve weeks")[1]
    asked = set()
    for chapter, first, last in re.findall(r"(\d+)\.(\d) to \1\.(\d)", term):
        asked |= {f"{chapter}.{n}" for n in range(int(first), int(last) + 1)}
    asked |= set(re.findall(r"(?<![\d.])(\d+\.\d)(?![\d.])", term))
    assert asked == set(all_questions())


@pytest.mark.parametrize("command", ["grade", "handout"])
def test_every_option_that_the_guide_shows_is_one(command, capsys):
    with pytest.raises(SystemExit):
        main([command, "--help"])
    options = set(re.findall(r"--[a-z][a-z-]+", capsys.readouterr().out))
    for line in re.findall(rf"^rnncourse {command} (.*)$", GUIDE, re.MULTILINE):
        assert set(re.findall(r"--[a-z][a-z-]+", line)) <= options


def test_every_output_that_the_guide_names_is_written(tmp_path):
    from rnncourse.grading.classes.roster import read_roster
    from tests.test_grading_classes import graded, hand_in

    hand_in(tmp_path / "class", "ada.ipynb", points=3)
    (tmp_path / "list.csv").write_text("learner,email\nada,a@x.org\n")
    graded(tmp_path / "class", roster=read_roster(tmp_path / "list.csv"))
    hand_in(tmp_path / "class2", "ada_1_2_02.ipynb", points=3)
    graded(tmp_path / "class2", tmp_path / "out2")
    named = set(re.findall(r"^\| `([a-z.]+/?)` \|", GUIDE, re.MULTILINE))
    assert len(named) == 8
    written = {path.name for out in ("out", "out2") for path in (tmp_path / out).iterdir()}
    assert {name.rstrip("/") for name in named} == written
