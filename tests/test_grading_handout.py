"""Variants: questions for each learner, worth the same, the same from one seed, and asked as they were given."""

import json
from itertools import combinations

import pytest

from rnncourse.chapters import all_questions, chapter_questions, find_question
from rnncourse.cli import main
from rnncourse.grading.classes.handout import choices, drawn, only
from rnncourse.grading.classes.roster import read_roster
from rnncourse.grading.classes.variants import read_variants
from tests.fake_examiner import COMMAND
from tests.house import ROOT
from tests.test_grading_classes import graded, hand_in, trace

CHAPTERS = sorted({question.chapter for question in all_questions().values()})


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_all_choices_are_worth_the_same_and_there_are_several(chapter):
    questions = chapter_questions(chapter)
    for number in range(1, len(questions) + 1):
        among = choices(questions, number)
        totals = [sum(find_question(one).points for one in ids) for ids in among]
        assert len(set(totals)) == 1
        assert all(len(set(ids)) == number for ids in among)
        sums = [sum(q.points for q in chosen) for chosen in combinations(questions, number)]
        assert len(among) == max(map(sums.count, sums)), "no other total would leave more to choose from"
    assert choices(questions, len(questions)) == [tuple(question.id for question in questions)]


def test_a_number_that_cannot_be_chosen_is_refused():
    for number in (0, 7):
        with pytest.raises(ValueError, match="from 1 to 6"):
            choices(chapter_questions(2), number)


def test_learners_differ_and_the_same_seed_draws_the_same():
    among = choices(chapter_questions(2), 3)
    first = [drawn(among, 7, f"learner{number}") for number in range(40)]
    assert first == [drawn(among, 7, f"learner{number}") for number in range(40)]
    assert set(first) == set(among)
    assert first != [drawn(among, 8, f"learner{number}") for number in range(40)]


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_a_variant_holds_its_questions_and_nothing_of_the_others(chapter):
    (path,) = (ROOT / "exercises").glob(f"{chapter:02d}_*.ipynb")
    notebook = json.loads(path.read_text(encoding="utf-8"))
    questions = chapter_questions(chapter)
    for question in questions:
        rest = [other for other in questions if other is not question]
        variant = only(notebook, [other.id for other in rest])
        code = "\n".join("".join(cell["source"]) for cell in variant["cells"] if cell["cell_type"] == "code")
        assert f'NotImplementedError("Exercise {question.id}")' not in code
        assert f'check("{question.id}"' not in code
        for other in rest:
            assert f'check("{other.id}"' in code
            assert other.name in code
        ids = [cell["id"] for cell in variant["cells"]]
        assert len(set(ids)) == len(ids)
    whole = only(notebook, [question.id for question in questions])
    assert [cell for cell in whole["cells"] if cell in notebook["cells"]] == notebook["cells"]


def test_handing_out_twice_is_the_same_and_never_over_anybodys_work(tmp_path, capsys):
    (tmp_path / "list.csv").write_text("learner\nada\n=bob\n../../cyd\n")
    argv = ["handout", "2", str(tmp_path / "out"), "--roster", str(tmp_path / "list.csv"), "--questions", "3"]
    assert main([*argv, "--seed", "7"]) == 0
    assert "3 exercises of 3 questions" in capsys.readouterr().out
    files = {path: path.read_bytes() for path in (tmp_path / "out").rglob("*") if path.is_file()}
    assert len(files) == 4
    assert all(path.resolve().is_relative_to(tmp_path / "out") for path in files)
    assert main([*argv, "--seed", "7"]) == 0
    assert {path: path.read_bytes() for path in files} == files
    assert main([*argv, "--seed", "8"]) == 1
    assert "holds another handout" in capsys.readouterr().err
    given = read_variants(tmp_path / "out" / "variants.json")
    assert set(given) == {"ada", "=bob", "../../cyd"}
    assert len({sum(find_question(one).points for one in ids) for ids in given.values()}) == 1


def test_a_list_with_one_name_twice_is_refused(tmp_path, capsys):
    (tmp_path / "list.csv").write_text("learner\nada\nada\n")
    argv = ["handout", "2", str(tmp_path / "out"), "--roster", str(tmp_path / "list.csv"), "--questions", "3"]
    assert main([*argv, "--seed", "7"]) == 1
    assert "more than once" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_everybody_is_asked_what_was_given_and_the_rest_what_the_chapter_has(tmp_path, monkeypatch):
    folder = tmp_path / "class"
    for name in ("ada", "bob"):
        hand_in(folder, f"{name}/02_vanilla_rnn.ipynb", points=3)
    jobs = trace(tmp_path, monkeypatch)
    rows = graded(folder, variants={"ada": ("2.1", "2.3")}, command=COMMAND)
    assert {job["label"][:3]: job["asked"] for job in jobs()} == {"ada": ["2.1", "2.3"], "bob": []}
    assert "not in the handout" in rows["bob"].notes[0]
    assert rows["ada"].notes == []


def test_a_handout_that_comes_back_as_it_went_out_finds_its_learners(tmp_path, monkeypatch, capsys):
    (tmp_path / "list.csv").write_text("learner\nada\n=bob\n")
    argv = ["handout", "2", str(tmp_path / "out"), "--roster", str(tmp_path / "list.csv"), "--questions", "3"]
    assert main([*argv, "--seed", "7"]) == 0
    given = read_variants(tmp_path / "out" / "variants.json")
    for folder in (path for path in (tmp_path / "out").iterdir() if path.is_dir()):
        hand_in(tmp_path / "class", f"{folder.name}/02_vanilla_rnn.ipynb", points=3)
    for roster in (None, read_roster(tmp_path / "list.csv")):
        jobs = trace(tmp_path, monkeypatch)
        begun = len(jobs())
        rows = graded(tmp_path / "class", tmp_path / f"graded{begun}", variants=given, roster=roster)
        assert sorted(job["asked"] for job in jobs()[begun:]) == sorted(list(ids) for ids in given.values())
        assert len(rows) == 2
        assert not any(row.notes for row in rows.values())
    capsys.readouterr()


def test_a_handout_finds_its_learner_under_the_lists_name(tmp_path, monkeypatch):
    folder = tmp_path / "class"
    hand_in(folder, "leeann_101_5001_02_vanilla_rnn.ipynb", points=3)
    (tmp_path / "canvas.csv").write_text('Student,ID,SIS Login ID,Section\n"Lee, Ann",101,leeann,A\n')
    jobs = trace(tmp_path, monkeypatch)
    graded(folder, variants={"Lee, Ann": ("2.4",)}, roster=read_roster(tmp_path / "canvas.csv"))
    assert [job["asked"] for job in jobs()] == [["2.4"]]


@pytest.mark.slow
@pytest.mark.sandbox
def test_a_variant_through_the_real_sandbox_is_out_of_its_own_questions(tmp_path, capsys):
    from rnncourse.grading.walls.sandbox import find_sandbox
    from tests.house import need

    found, reason = find_sandbox()
    if found is None:
        need("a sandbox", reason)
    solution = json.loads((ROOT / "solutions" / "02_vanilla_rnn.ipynb").read_text(encoding="utf-8"))
    hand_in(tmp_path / "class", "ada/02_vanilla_rnn.ipynb", **solution)
    (tmp_path / "variants.json").write_text(json.dumps({"questions": {"ada": ["2.1", "2.4"]}}))
    argv = ["grade", str(tmp_path / "class"), "--variants", str(tmp_path / "variants.json"), "--json", "-"]
    assert main(argv) == 0
    (report,) = json.loads(capsys.readouterr().out)["reports"]
    assert [question["id"] for question in report["questions"]] == ["2.1", "2.4"]
    assert report["out_of"] == find_question("2.1").points + find_question("2.4").points
