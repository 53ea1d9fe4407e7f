"""Names and words that anybody may have chosen, in every output: told apart, shown without harm, never a formula."""

import contextlib
import csv
import io
import json
import os
import re
import subprocess
import sys
import unicodedata
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnncourse.cli import main
from rnncourse.grading import outputs
from rnncourse.grading.classes import gradebooks
from rnncourse.grading.classes.batch import LOG_NAME
from rnncourse.grading.classes.gradebooks import cell
from rnncourse.grading.classes.roster import read_roster
from rnncourse.grading.names import clean, file_stem, look, tell_apart, visible
from tests.house import ROOT
from tests.test_grading_classes import graded, hand_in

posix = pytest.mark.skipif(os.name == "nt", reason="Windows has no such file names")

NAMES = [  # of files, as bytes
    b"--json=alice.ipynb",
    b"--unsafe",
    b"-rf",
    b"\x1b[2J\x1b]0;title\x07",
    b"line\nbreak\r",
    b"\xff\xfe not utf-8",
    b"\xff\xfd not utf-8",
    "\u202egnp.exe".encode(),
    "\u200bzero\u2066width".encode(),
    b"=HYPERLINK(1;2)",
    b"+1+1",
    b"@SUM(A1)",
    b"-1+1;=2+2",
    "\uff1d1+1".encode(),
    b"<script>alert(1)</script>",
    b'"><img src=x onerror=alert(1)>',
    b"[bold red]rich[/]",
    b"back\\slash",
    b"Ann",
    "\uff21nn".encode(),
    b"ann",
    "e\u0301ve".encode(),
    "\u00e9ve".encode(),
    b'a,b|c;d\t"e"',
    b"con",
    b"x" * 200,
]
HOSTILE = "=cmd|' /C calc'!A0 \x1b[31m\u202e\u2028\x85 <script>x</script> \ud800 ;=1+1"

names = st.binary(min_size=1, max_size=30).filter(lambda b: b"\0" not in b and b"/" not in b).map(os.fsdecode)
words = st.text(max_size=40) | st.text(alphabet="=+-@;,'\"\t\r\n \x1b\u202eab1\uff1d", max_size=12)


def harmless(text: str, allowed: str = "\n") -> bool:
    """No character that a terminal, a spreadsheet or a reader's eye would obey."""
    return all(c in allowed or (unicodedata.category(c)[0] != "C" and c not in "\u2028\u2029\x85") for c in text)


# --- names ---------------------------------------------------------------------------------------------------------


@given(names, names)
def test_what_is_shown_of_two_names_is_harmless_and_differs(one, other):
    assert harmless(visible(one), "")
    assert (visible(one) == visible(other)) == (one == other)
    shown = tell_apart([one, other])
    assert len(set(shown.values())) == len({one, other})
    if one != other and look(one) == look(other):
        assert look(shown[one]) != look(shown[other])


@given(names, names)
def test_files_of_ours_have_plain_names_and_different_ones(one, other):
    assert re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9-]{0,56}", file_stem(one))
    assert (file_stem(one) == file_stem(other)) == (one == other)


@given(st.recursive(words, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3)))
def test_cleaned_data_holds_nothing_to_obey_and_is_json(value):
    text = json.dumps(clean(value), ensure_ascii=False)
    assert harmless(text, "")
    text.encode("utf-8")


# --- every file of a class -----------------------------------------------------------------------------------------


def hostile_class(folder):
    """A learner of every name, as folders and as files, each with hostile words in the report."""
    for number, name in enumerate(NAMES):
        raw = os.fsdecode(name)
        with contextlib.suppress(OSError):  # a file system may refuse a name
            hand_in(folder, f"{raw}/02.ipynb", points=number % 3, said=HOSTILE, mistake=HOSTILE, note=HOSTILE)
    hand_in(folder, "--html=x.ipynb", points=1, said=HOSTILE)
    hand_in(folder, "Ann.ipynb", points=3)
    return folder


@posix
def test_no_output_of_a_class_holds_anything_to_obey_and_everybody_is_told_apart(tmp_path):
    folder = hostile_class(tmp_path / "class")
    hand_in(folder, "broken/02.ipynb").write_bytes(b"{")
    rows = graded(folder)
    out = tmp_path / "out"
    files = [path for path in out.rglob("*") if path.is_file()]
    assert len({row.learner for row in rows.values()}) == len(rows) >= 20
    assert len(list((out / "feedback").iterdir())) == len(rows)
    assert len(list((out / "gradescope").iterdir())) == len(rows)
    for path in files:
        assert re.fullmatch(r"[A-Za-z0-9.-]+", path.name)
        text = path.read_bytes().decode("utf-8").removeprefix("\ufeff")
        assert harmless(text, "\r\n" if path.suffix == ".csv" else "\n"), path
        if path.suffix == ".html":
            tags = Tags(text)
            assert not tags & {"script", "img", "a", "link", "iframe"}
        elif path.suffix in (".json", ".jsonl"):
            for line in [text] if path.suffix == ".json" else text.splitlines():
                json.loads(line)
            if path.name == LOG_NAME:
                continue  # holds the names as they are, in ASCII
    table = list(csv.reader(io.StringIO((out / "grades.csv").read_text("utf-8-sig"), newline="")))
    assert len(table) == len(rows) + 1
    assert len({line[0] for line in table}) == len(table)
    for line in table:
        for value in line:
            assert not formula(value)


def formula(value: str) -> bool:
    """Whether a spreadsheet would compute with a cell, or with what follows a separator of another country in it."""
    pieces = re.split(r"[;\t]", value)
    return any(
        unicodedata.normalize("NFKC", piece).strip(" \"'\u00a0")[:1] in set("=+-@")
        and any(c.isalnum() for c in piece)
        and not (number == 0 and piece.startswith("'"))
        for number, piece in enumerate(pieces)
        if piece
    )


class _Tags(HTMLParser):
    def __init__(self):
        super().__init__()
        self.names = set()

    def handle_starttag(self, tag, attrs):
        self.names.add(tag)
        assert not any(name.startswith("on") or name in ("src", "href") for name, _ in attrs)


def Tags(text):
    """The names of all tags of a page; a handler or an address in one fails."""
    reader = _Tags()
    reader.feed(text)
    return reader.names


@given(words)
def test_no_word_becomes_a_formula_or_a_line(word):
    assert not formula(cell(word))
    assert harmless(cell(word), "")
    row = next(csv.reader(io.StringIO(gradebooks._csv([word, "x"], []), newline="")))
    assert len(row) == 2


@posix
def test_the_terminal_shows_a_hostile_class_harmlessly(tmp_path, faked, capsys):
    folder = hostile_class(tmp_path / "class")
    hand_in(folder, "\x1b[2Jbroken/02.ipynb", act="garbage")
    assert main(["grade", str(folder)]) == 2
    said = capsys.readouterr()
    assert harmless(said.out)
    assert harmless(said.err)


# --- the command line ----------------------------------------------------------------------------------------------


@posix
@pytest.mark.parametrize("name", ["--json=alice.ipynb", "--unsafe", "--own", "--seed=1", "--js=alice.ipynb", "--debug"])
def test_a_file_whose_name_is_an_option_is_never_one(name, tmp_path, monkeypatch, capsys):
    """``rnncourse grade *`` in a folder of submissions: the shell makes words of file names."""
    monkeypatch.chdir(tmp_path)
    alice = hand_in(tmp_path, "alice.ipynb", points=3).read_bytes()
    (tmp_path / name).touch()
    with pytest.raises(SystemExit) as stop:
        main(["grade", *sorted(os.listdir(tmp_path))])
    assert stop.value.code == 2
    assert "also the name of a file here" in capsys.readouterr().err
    assert (tmp_path / "alice.ipynb").read_bytes() == alice


@pytest.mark.parametrize("option", ["--json", "--html"])
@pytest.mark.parametrize(
    "target", ["alice.ipynb", "ALICE.IPYNB", "new.ipynb", "bob.txt", "hard.json", ".", "no/r.json"]
)
def test_a_report_is_never_written_over_what_is_graded_and_no_output_fails_late(
    option,
    target,
    tmp_path,
    monkeypatch,
    faked,
    capsys,
):
    monkeypatch.chdir(tmp_path)
    alice = hand_in(tmp_path, "alice.ipynb", points=3)
    before = alice.read_bytes()
    os.link(alice, tmp_path / "hard.json")
    hand_in(tmp_path, "bob.txt", points=3)
    assert main(["grade", "alice.ipynb", "bob.txt", option, target]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.count("\n") == 1
    assert alice.read_bytes() == before


@posix
def test_an_unwritable_output_is_refused_before_grading(tmp_path, monkeypatch, faked, capsys):
    monkeypatch.chdir(tmp_path)
    hand_in(tmp_path, "alice.ipynb", points=3)
    trace = tmp_path / "trace"
    monkeypatch.setenv("FAKE_EXAMINER_TRACE", str(trace))

    def refuse(*arguments, **options):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(outputs.tempfile, "mkstemp", refuse)  # a real mode would not stop root
    for words in (["--json", "r.json"], ["--html", "r.html"]):
        assert main(["grade", "alice.ipynb", *words]) == 2
        assert "nothing was graded" in capsys.readouterr().err
    (tmp_path / "class").mkdir()
    hand_in(tmp_path / "class", "ada.ipynb", points=3)
    assert main(["grade", "class"]) == 2
    assert "nothing was graded" in capsys.readouterr().err
    assert not trace.exists()


def test_a_device_can_be_an_output(tmp_path, faked, capsys):
    alice = hand_in(tmp_path, "alice.ipynb", points=3)
    assert main(["grade", str(alice), "--json", os.devnull]) == 0
    assert os.path.exists(os.devnull)
    capsys.readouterr()


def test_two_notebooks_of_one_name_are_told_apart_everywhere(tmp_path, monkeypatch, faked, capsys):
    monkeypatch.chdir(tmp_path)
    for number, who in enumerate(("ada", "bob")):
        hand_in(tmp_path, f"{who}/02.ipynb", points=number + 1)
    hand_in(tmp_path, "cyd/02.ipynb", act="crash")
    hand_in(tmp_path, "dan/02.ipynb", act="crash")
    argv = ["grade", *(f"{who}/02.ipynb" for who in ("ada", "bob", "cyd", "dan", "ada"))]
    assert main([*argv, "--json", "r.json", "--html", "r.html"]) == 2
    said = json.loads((tmp_path / "r.json").read_text())
    assert [(report["notebook"], report["points"]) for report in said["reports"]] == [
        (os.path.join("ada", "02.ipynb"), 1),
        (os.path.join("bob", "02.ipynb"), 2),
    ]
    assert set(said["failures"]) == {os.path.join("cyd", "02.ipynb"), os.path.join("dan", "02.ipynb")}
    text = capsys.readouterr()
    page = (tmp_path / "r.html").read_text()
    for who in ("ada", "bob"):
        assert f"{who}/02.ipynb" in text.out.replace("\\\\", "/")
        assert f"<h1>{who}/02.ipynb</h1>" in page.replace("\\\\", "/")
    assert "cyd" in text.err
    assert "dan" in text.err


# --- JSON on the standard output -----------------------------------------------------------------------------------


def as_command(argv, tmp_path, **environment):
    """The command in a process of its own, with fake examiners."""
    program = (
        "import sys; from rnncourse.grading.classes import pool, batch, singly\n"
        "from tests.fake_examiner import COMMAND\n"
        "pool.COMMAND = COMMAND\n"
        "singly.grade_notebooks.__defaults__ = (COMMAND,); batch.Class.__init__.__defaults__ = "
        "(*batch.Class.__init__.__defaults__[:-1], COMMAND)\n"
        "from rnncourse.cli import main; sys.exit(main(sys.argv[1:]))"
    )
    environment = os.environ | {"PYTHONPATH": str(ROOT)} | environment
    return subprocess.run([sys.executable, "-c", program, *argv], cwd=tmp_path, env=environment, capture_output=True)


@posix
@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "utf-16", "latin-1:strict"])
def test_json_is_json_in_any_code_page(encoding, tmp_path):
    name = os.fsdecode(b"\xff\xfe \xe2\x9c\x93.ipynb")
    hand_in(tmp_path, name, points=2, said="\u2713 \U0001f600 \ud800")
    hand_in(tmp_path, "\u2717.ipynb", act="crash")
    done = as_command(["grade", name, "\u2717.ipynb", "--json", "-"], tmp_path, PYTHONIOENCODING=encoding)
    assert done.returncode == 2
    said = json.loads(done.stdout.decode("ascii"))
    assert len(said["reports"]) == len(said["failures"]) == 1
    table = as_command(["grade", name, "--json", "r.json"], tmp_path, PYTHONIOENCODING=encoding)
    assert table.returncode == 1, table.stderr
    assert json.loads((tmp_path / "r.json").read_text("utf-8"))["reports"]


@pytest.mark.parametrize(
    ("argv", "code"),
    [
        (["grade", "--json", "-"], 2),
        (["grade", "absent.ipynb", "--json=-"], 2),
        (["grade", "--json", "-", "--no-such-option"], 2),
        (["grade", "x.ipynb", "--json", "-", "--seconds", "much"], 2),
        (["grade", "x.ipynb", "--json", "-", "--seconds", "nan"], 2),
        (["grade", "x.ipynb", "--json", "-", "--html", "no/where.html"], 2),
        (["grade", "empty", "--json", "-"], 2),
        (["grade", "x.ipynb", "--json", "-", "--roster", "x"], 2),
    ],
)
def test_json_is_json_whatever_happens(argv, code, tmp_path):
    hand_in(tmp_path, "x.ipynb", points=3)
    (tmp_path / "empty").mkdir()
    done = as_command(argv, tmp_path)
    assert done.returncode == code
    said = json.loads(done.stdout)
    assert said["reports"] == []
    assert said.get("error") or said["failures"]
    assert done.stderr


def test_json_is_json_when_the_command_is_interrupted(tmp_path, monkeypatch, faked, capsys):
    from rnncourse.grading import progress

    paths = [str(hand_in(tmp_path, f"{name}.ipynb", points=3)) for name in "ab"]

    def interrupt(questions, path):
        if path.name == "b.ipynb":
            raise KeyboardInterrupt

    monkeypatch.setattr(progress, "record_grades", interrupt)
    assert main(["grade", *paths, "--json", "-"]) == 130
    said = json.loads(capsys.readouterr().out)
    assert said["error"] == "interrupted"
    assert len(said["reports"]) == 2


# --- what a self-check says ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("raised", "words"),
    [
        ("", "not written yet"),
        ("Exercise 2.1", "not written yet"),
        ("Cannot copy out of meta tensor; no data!", "it raised NotImplementedError: Cannot copy out of meta tensor"),
        ("The operator 'aten::x' is not implemented", "it raised NotImplementedError: The operator"),
    ],
)
def test_not_written_yet_is_said_of_nothing_else(raised, words, capsys):
    from rnncourse.course import check

    def stub(*arguments):
        raise NotImplementedError(raised) if raised else NotImplementedError

    check("2.1", stub)
    assert words in capsys.readouterr().out


def test_a_forward_that_failed_is_not_one_that_was_not_written(capsys):
    """A learner's own cell that lacks its equations says so; the stub alone is not written yet."""
    from rnncourse.attention import Attention
    from rnncourse.cells import Cell
    from rnncourse.course import check
    from rnncourse.scan import LinearCell

    class Mine(Cell):
        pass

    class Linear(LinearCell):
        pass

    def run(x_t, h, *rest):
        cell = Mine(x_t.shape[1], h.shape[1]).to(x_t)
        return cell(x_t, h)

    check("2.1", run)
    said = capsys.readouterr().out
    assert "not written yet" not in said
    assert "it raised NotImplementedError: Mine: a cell should say its equations" in said
    for call in (lambda: Linear(3, 4).coefficients(None), lambda: Attention(3, 4).scores(None, None)):
        check("2.1", lambda *rest, call=call: call())
        assert "not written yet" not in capsys.readouterr().out


def test_a_meta_tensor_is_an_answer_without_numbers(capsys):
    import torch

    from rnncourse.course import check

    check("2.1", lambda x_t, h, *rest: (torch.empty(3, 6, device="meta"),) * 3)
    said = capsys.readouterr().out
    assert "not written yet" not in said
    assert "meta" in said


# --- gradebooks ----------------------------------------------------------------------------------------------------

CANVAS = """Student,ID,SIS User ID,SIS Login ID,Section,Homework 1 (11),rnncourse (12),Current Score
    Points Possible,,,,,10,3,(read only)
"Lee, Ann",101,s1,leeann,A,,,
"Lee, Bo",102,s2,leebo,A,7,,
"O'Neil, Cy",103,=s3,cyo,B,,,
"""
MOODLE = """Identifier,Full name,Email address,Status,Grade,Maximum Grade,Grade can be changed,Last modified (submission),Last modified (grade),Feedback comments
Participant 77,Ann Lee,ann@x.org,Submitted,,3.00,Yes,"Monday, 1 June 2026, 9:00 AM",-,
Participant 78,Ann Lee,ann2@x.org,Submitted,,3.00,Yes,-,-,
Participant 79,Bo,bo@x.org,No submission,,3.00,Yes,-,-,
"""  # noqa: E501


def rows_of(path):
    return list(csv.DictReader(io.StringIO(path.read_text("utf-8-sig"), newline="")))


def test_canvas_gets_its_own_columns_back_with_the_points_in_its_own_assignment(tmp_path):
    folder = tmp_path / "class"
    hand_in(folder, "leeann_101_5001_02_vanilla_rnn.ipynb", points=2)
    hand_in(folder, "leebo_102_5002_02_vanilla_rnn.ipynb", act="crash")
    hand_in(folder, "stranger_999_5003_02_vanilla_rnn.ipynb", points=3)
    (tmp_path / "canvas.csv").write_text(CANVAS)
    graded(folder, roster=read_roster(tmp_path / "canvas.csv"))
    text = (tmp_path / "out" / "canvas.csv").read_text()
    header = text.splitlines()[0].split(",")
    assert header == ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", "rnncourse (12)"]
    found = rows_of(tmp_path / "out" / "canvas.csv")
    assert [row["ID"] for row in found] == ["", "101", "102", "103"]
    assert found[0]["Student"].strip() == "Points Possible"
    # A crash of ours and a learner who handed in nothing change nothing in Canvas's gradebook.
    assert [row["rnncourse (12)"] for row in found] == ["3", "2", "", ""]
    assert len(rows_of(tmp_path / "out" / "grades.csv")) == 4


def test_without_canvas_export_its_ids_come_from_the_downloads_names(tmp_path):
    folder = tmp_path / "class"
    hand_in(folder, "leeann_101_5001_02_vanilla_rnn.ipynb", points=2)
    graded(folder)
    assert rows_of(tmp_path / "out" / "canvas.csv")[1]["ID"] == "101"


def test_moodles_worksheet_is_filled_in_and_nothing_else_of_it_changes(tmp_path):
    folder = tmp_path / "class"
    hand_in(folder, "Ann Lee_77_assignsubmission_file_/02.ipynb", points=1)
    hand_in(folder, "Ann Lee_78_assignsubmission_file_/02.ipynb", points=3)
    (tmp_path / "moodle.csv").write_text(MOODLE)
    graded(folder, roster=read_roster(tmp_path / "moodle.csv"))
    given, found = rows_of(tmp_path / "moodle.csv"), rows_of(tmp_path / "out" / "moodle.csv")
    assert [row["Grade"] for row in found] == ["1", "3", ""]
    assert found[0]["Feedback comments"] == "2.2: a reason"
    for before, after in zip(given, found, strict=True):
        for column in set(before) - {"Grade", "Feedback comments"}:
            assert before[column] == after[column]


def test_a_list_with_addresses_becomes_moodles_gradebook_import(tmp_path):
    folder = tmp_path / "class"
    hand_in(folder, "ada.ipynb", points=2)
    (tmp_path / "list.csv").write_text("learner,email\nada,a@x.org\nbob,b@x.org\n")
    graded(folder, roster=read_roster(tmp_path / "list.csv"))
    found = rows_of(tmp_path / "out" / "moodle.csv")
    assert [(row["Email address"], row["rnncourse"]) for row in found] == [("a@x.org", "2"), ("b@x.org", "")]


def test_a_grade_is_never_entered_on_a_guess(tmp_path):
    (tmp_path / "list.csv").write_text("learner,name\na1,Ann Lee\na2,Ann Lee\nb1,Bo\n")
    folder = tmp_path / "class"
    for name in ("Ann Lee", "bo", "BO"):
        hand_in(folder, f"{name}/02.ipynb", points=3)
    roster = read_roster(tmp_path / "list.csv")
    from rnncourse.grading.classes.submissions import find_learners

    assert roster.match(find_learners(folder)) == {}  # two of one name on the list; two who would be Bo


def test_gradescopes_result_adds_up_and_has_its_form(tmp_path):
    folder = tmp_path / "class"
    hand_in(folder, "ada.ipynb", points=2)
    graded(folder)
    (path,) = (tmp_path / "out" / "gradescope").iterdir()
    said = json.loads(path.read_text())
    assert said["score"] == sum(test["score"] for test in said["tests"]) == 2
    for test in said["tests"]:
        assert set(test) == {
            "name", "number", "score", "max_score", "status", "output", "output_format", "visibility",
        }  # fmt: skip
        assert test["output"]
        assert test["output_format"] == "text"
        assert test["status"] in ("passed", "failed")
    assert said["stdout_visibility"] == "hidden"


# --- the instructor's page -----------------------------------------------------------------------------------------


def test_the_instructors_page_counts_what_the_rows_hold(tmp_path):
    from rnncourse.grading.classes.instructor import hardest, histogram, mistakes

    folder = tmp_path / "class"
    for number, points in enumerate([0, 1, 1, 2, 3, 3]):
        hand_in(folder, f"l{number}.ipynb", points=points, mistake="the bias is added twice" if points == 1 else "")
    rows = list(graded(folder).values())
    assert histogram([100 * row.points / 3 for row in rows]) == [1, 0, 0, 2, 0, 0, 1, 0, 0, 2]
    hard = hardest(rows)
    assert [question["id"] for question in hard] == ["2.2", "2.1"]
    assert [round(question["share"]) for question in hard] == [42, 83]
    assert hard[0]["reason"] == "a reason"
    assert mistakes(rows) == [{"question": "2.2 Question 2", "mistake": "the bias is added twice", "learners": 2}]
    page = (tmp_path / "out" / "instructor.html").read_text()
    assert "0 to 10 %: 1, 30 to 40 %: 2, 60 to 70 %: 1, 90 to 100 %: 2" in page
    assert "the bias is added twice" in page


def test_a_question_that_the_better_half_answers_tells_apart(tmp_path):
    from rnncourse.grading.classes.instructor import hardest
    from rnncourse.grading.classes.rows import Row

    def row(first, second):
        questions = [
            {"id": f"2.{n}", "title": "t", "points": points, "out_of": 1, "message": "m", "mistake": ""}
            for n, points in enumerate((first, second), 1)
        ]
        report = {"questions": questions, "points": first + second, "out_of": 2}
        return Row("x", ("x", ""), first + second, 2, {2: report})

    agree = hardest([row(1, 1), row(1, 1), row(0, 0), row(0, 0)])
    against = hardest([row(1, 0), row(1, 0), row(0, 1), row(0, 1)])
    assert {question["tells"] for question in agree} == {"+100"}
    assert {question["tells"] for question in against} == {"-100"}
