"""The parts of grading, each by itself: the pipe's format, the comparison and its words, marks, reports, commands."""

import json
import os
import threading
from html.parser import HTMLParser

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import save

import rnncourse
from rnncourse.chapters import all_questions, find_question
from rnncourse.cli import main
from rnncourse.course import check
from rnncourse.grading import progress
from rnncourse.grading.classes.jobs import report_to_dict
from rnncourse.grading.comparison import difference
from rnncourse.grading.grader import GradeReport
from rnncourse.grading.judging import verdicts
from rnncourse.grading.marking import Failure, Mark, mark
from rnncourse.grading.notebook import read_submission
from rnncourse.grading.page import as_html
from rnncourse.grading.report import as_dict, as_json, as_table, console
from rnncourse.grading.selfcheck import examine
from rnncourse.grading.spec import Question, Wrong
from rnncourse.grading.start import lay_out
from rnncourse.grading.walls.bubblewrap import bubblewrap_command
from rnncourse.grading.walls.sandbox import Limits
from rnncourse.grading.wire import NO_NONCE, PREFIX, WireError, decode, encode, pack, plain, sizes, unpack
from tests.house import ROOT

HOSTILE = '"><script>alert(1)</script>[bold red]x[/]\x1b[2J&amp;'

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9) | st.integers(0, 4).map(torch.ones),
    lambda inner: st.lists(inner, max_size=3) | st.tuples(inner, inner) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=12,
)


# --- the pipe ------------------------------------------------------------------------------------------------------


@given(values)
def test_every_plain_value_survives_the_pipe(value):
    tree, tensors = encode(plain(value))
    frame = pack({"answer": tree}, tensors)
    head, blob = sizes(frame[: PREFIX.size])
    header, tensors = unpack(frame[PREFIX.size : PREFIX.size + head], frame[PREFIX.size + head :])
    assert len(frame) == PREFIX.size + head + blob
    assert repr(decode(header["answer"], tensors)) == repr(plain(value))


@given(st.binary(max_size=200), st.binary(max_size=200))
def test_no_bytes_break_the_reader(head, blob):
    try:
        header, tensors = unpack(head, blob)
        decode(header, tensors)
    except WireError:
        pass


@given(st.integers(0, 60), st.integers(0, 255))
def test_no_changed_byte_of_a_tensor_breaks_the_reader(position, byte):
    blob = bytearray(save({"0": torch.ones(3)}))
    blob[position] = byte
    try:
        _, tensors = unpack(b"{}", bytes(blob))
    except WireError:
        return
    for tensor in tensors.values():  # whatever can be read can also be compared
        difference(torch.ones(3), tensor, 1e-4)


@pytest.mark.parametrize(
    "tree",
    [
        {},
        {"value": []},
        {"tensor": "7"},
        {"tensor": 0},
        {"tuple": "ab"},
        {"value": 1, "list": []},
        {"__class__": "x"},
        ["value"],
        {"list": [{"value": 1}] * 20_000},
    ],
)
def test_what_is_no_encoded_value_is_refused(tree):
    with pytest.raises(WireError):
        decode(tree, {"0": torch.ones(1)})


def test_json_that_is_too_deep_is_refused():
    with pytest.raises(WireError):
        unpack(b'{"a":' * 100_000, b"")
    tree = {"value": 1}
    for _ in range(50):
        tree = {"list": [tree]}
    with pytest.raises(WireError, match="deeply nested"):
        decode(tree, {})


def test_an_announced_length_over_the_cap_is_refused_before_reading():
    with pytest.raises(WireError, match="announced"):
        sizes(PREFIX.pack(NO_NONCE, 2**31, 0))
    with pytest.raises(WireError, match="announced"):
        sizes(PREFIX.pack(NO_NONCE, 10, 2**30))


def test_subclasses_do_not_cross():
    class Yes(float):
        def __eq__(self, other):
            return True

        __hash__ = None

    with pytest.raises(WireError, match="type Yes"):
        plain((1.0, Yes(0)))

    class Loud(torch.Tensor):
        @classmethod
        def __torch_function__(cls, function, types, args=(), kwargs=None):
            return super().__torch_function__(function, types, args, kwargs or {})

    assert type(plain(torch.ones(2).as_subclass(Loud))) is torch.Tensor
    assert type(plain(torch.nn.Parameter(torch.ones(2)))) is torch.Tensor


# --- the comparison ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("expected", "given"),
    [
        (torch.ones(3), torch.ones(3, dtype=torch.float64)),
        (torch.ones(3), torch.ones(3) + 5e-5),
        (torch.tensor(2.0), 2.0),
        (2.0, torch.tensor(2.0)),
        (2.0, np.float32(2.0)),
        ((1, [2.0]), [1, (2.0,)]),
        (torch.tensor([0.0, 1000.0]), torch.tensor([0.05, 1000.0])),
        (torch.tensor([float("-inf"), 1.0]), torch.tensor([float("-inf"), 1.0])),
        (torch.zeros(3), torch.zeros(3)),
        (torch.zeros(0, 3), torch.zeros(0, 3)),
        ({"a": True, "b": None}, {"b": None, "a": True}),
        ("yes", "yes"),
    ],
)
def test_these_are_right(expected, given):
    assert difference(expected, given, 1e-4) is None


@pytest.mark.parametrize(
    ("expected", "given", "words"),
    [
        (torch.ones(3), None, "None"),
        (torch.ones(2, 3), torch.ones(3, 2), "swapped"),
        (torch.ones(2, 3, 4), torch.ones(3, 2, 4), "first two axes"),
        (torch.ones(3), torch.ones(1), r"expected the shape \(3,\), got \(1,\)"),
        (torch.ones(3), torch.tensor([1.0, 1.0, 1.1]), r"1 of 3 entries is off, by up to 0.1; the first at \[2\]"),
        (torch.ones(3), torch.tensor([1.0, float("nan"), 1.0]), r"1 of 3 entries is NaN; the first at \[1\]"),
        (torch.ones(3), torch.full((3,), float("inf")), "3 of 3 entries are off"),
        (torch.tensor([float("-inf"), 1.0]), torch.tensor([float("inf"), 1.0]), r"off; the first at \[0\]"),
        (torch.ones(3), torch.ones(3, dtype=torch.int64), "expected real numbers, got integers"),
        (torch.tensor([1, 2]), torch.tensor([True, False]), "got true or false"),
        (1.0, 10**400, "cannot be compared"),
        (1.0, "1.0", "expected a number, got a string"),
        (1.0, [1.0], "got 1 values"),
        ((1.0, 2.0), (1.0,), "expected 2 values"),
        ((1.0, 2.0), (1.0, 3.0), "value 2: the number is off, by 1"),
        ({"a": 1}, {"b": 1}, "keys"),
        ("yes", "no", "another"),
        (torch.ones(3), object(), "type object"),
    ],
)
def test_these_are_wrong_and_the_words_say_how(expected, given, words):
    import re

    said = difference(expected, given, 1e-4)
    assert said is not None
    assert re.search(words, said), said


@given(st.integers(1, 4), st.integers(1, 4), st.floats(1e-3, 1e3), st.integers(0, 15))
def test_the_tolerance_is_relative_to_the_largest_entry(rows, columns, scale, where):
    expected = torch.linspace(-scale, scale / 2, rows * columns, dtype=torch.float64).reshape(rows, columns)
    largest = expected.abs().max()
    inside, outside = expected.clone(), expected.clone()
    inside.view(-1)[where % expected.numel()] += 0.9e-4 * largest
    outside.view(-1)[where % expected.numel()] += 1.1e-4 * largest
    assert difference(expected, inside, 1e-4) is None
    assert difference(expected, outside, 1e-4) is not None


# --- marks ---------------------------------------------------------------------------------------------------------


def toy(**options) -> Question:
    return Question(
        **{
            "id": "99.1",
            "title": "Sum and difference",
            "name": "both",
            "points": 3,
            "reference": lambda a, b: (a + b, a - b),
            "cases": {"four": lambda d: (d.normal(4), d.normal(4)), "one": lambda d: (d.normal(1), d.normal(1))},
            "wrong": (
                Wrong("swapped", lambda a, b: (a - b, a + b), "The sum comes first."),
                Wrong("reversed", lambda a, b: (a + b, b - a), "Which one is taken away?"),
            ),
            "hints": ("What are the two called?", "Plus and minus."),
        }
        | options
    )


def answer(question, function, seed=0):
    return mark(question, {label: function(*arguments) for label, arguments in question.inputs(seed).items()}, seed)


def test_parts_earn_their_share_only_when_right_in_every_case():
    question = toy(parts=("the sum", "the difference"))
    result = answer(question, lambda a, b: (a + b, b - a))
    assert (result.points, result.earned, result.mistake) == (1.5, ("the sum",), "reversed")
    once = answer(question, lambda a, b: (a + b, a - b if len(a) == 4 else a))
    assert (once.points, once.mistake, once.hint) == (1.5, "", "What are the two called?")


def test_without_parts_it_is_all_or_nothing():
    assert answer(toy(), lambda a, b: (a + b, b - a)).points == 0
    assert answer(toy(), lambda a, b: (a + b, a - b)).points == 3


def test_cases_can_earn_shares_too():
    result = answer(toy(credit_cases=True), lambda a, b: (a + b, a - b if len(a) == 4 else a))
    assert (result.points, result.earned) == (1.5, ("four",))


def test_a_mistake_is_recognised_only_when_every_answer_is_that_mistake():
    question = toy()
    inputs = question.inputs(0)
    mixed = {"four": question.wrong[0].answer(*inputs["four"]), "one": (torch.ones(1), torch.ones(1))}
    assert mark(question, mixed, 0).mistake == ""
    lost = {"four": question.wrong[0].answer(*inputs["four"]), "one": Failure("took too long")}
    assert mark(question, lost, 0).mistake == "swapped"


def between(answer, low, high):
    """A judge: any number between the two, and any larger one."""
    inside, above = answer
    return "" if low < inside < high else f"{inside:g} is outside", "" if above > high else "it is not above"


def judged(**options) -> Question:
    wrong = (
        Wrong("the lower end", lambda low, high: (low, high + 1), "Between, not at the end."),
        Wrong("the middle twice", lambda low, high: ((low + high) / 2,) * 2, "The second should be larger."),
    )
    cases = {"small": lambda d: (0.0, d.number(1, 2)), "large": lambda d: (0.0, d.number(10, 20))}
    middle = {"reference": lambda low, high: ((low + high) / 2, high + 1), "parts": ("one inside", "one above")}
    return toy(**({"judge": between, "cases": cases, "wrong": wrong} | middle | options))


def test_a_judge_accepts_every_right_answer_and_not_only_the_reference():
    assert answer(judged(), lambda low, high: (high / 3, high + 5)).full
    assert answer(judged(), lambda low, high: (high / 7, 2 * high)).full


def test_a_judge_gives_shares_words_and_recognises_by_what_it_says():
    result = answer(judged(), lambda low, high: (0.0, 3 * high))  # not what the wrong answer returns; the same is said
    assert (result.points, result.earned, result.mistake) == (1.5, ("one above",), "the lower end")
    assert result.problems["small"] == "one inside: 0 is outside"
    other = answer(judged(), lambda low, high: (-1.0, 3 * high))
    assert (other.points, other.mistake, other.hint) == (1.5, "", "What are the two called?")


def test_a_judge_that_fails_on_everything_gives_nobody_a_point():
    result = answer(judged(judge=lambda *_: 1 / 0), lambda low, high: (high / 3, high + 5))
    assert result.points == 0


@pytest.mark.parametrize("given", [7, "x", (), (1.0, 2.0, 3.0), ("a", "b"), [torch.ones(2), torch.ones(2)]])
def test_what_a_judge_cannot_read_earns_nothing_and_stops_nobody(given):
    result = answer(judged(), lambda low, high: given)
    assert result.points == 0
    assert set(result.problems.values()) == {"an answer of another form than was asked for"}


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (None, "is there a `return`"),
        ((float("nan"), float("inf")), "not finite"),
        ((torch.tensor(float("nan")), torch.tensor(9.0)), "not finite"),
        ({"a": [torch.zeros(60_000)], "b": torch.zeros(60_000)}, "more than 100000 numbers"),
        ((object(), 1.0), "of type object"),
    ],
)
def test_a_judge_never_sees_what_is_not_finite_or_too_much(given, words):
    seen = []
    question = judged(judge=lambda answer, low, high: seen.append(answer))
    assert {words in said for said in verdicts(question, (0.0, 1.0), given)} == {True}
    assert not seen


def test_a_judge_that_does_not_end_is_left_behind():
    forever = threading.Event()
    said = verdicts(judged(judge=lambda *_: forever.wait()), (0.0, 1.0), (0.5, 2.0), seconds=0.05)
    forever.set()
    assert said == ("trying the answer out took longer than 0.05 s",) * 2


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"id": "two"}, "id"),
        ({"points": 0}, "points"),
        ({"wrong": ()}, "two wrong answers"),
        ({"wrong": (Wrong("a", max, "same hint"), Wrong("b", max, "same hint"))}, "hint of its own"),
        ({"wrong": (Wrong("a", max), Wrong("b", max).told("a hint"))}, "hint of its own"),
        ({"hints": ()}, "hints"),
        ({"name": "a b"}, "name"),
        ({"kind": "class"}, "kind"),
        ({"cases": {}}, "cases"),
        ({"tolerance": 0.5}, "tolerance"),
        ({"parts": ("a", "b"), "credit_cases": True}, "not both"),
        ({"judge": between}, "parts"),
    ],
)
def test_a_question_that_contradicts_itself_is_refused(options, words):
    with pytest.raises(ValueError, match=words):
        toy(**options)


# --- the self-check ------------------------------------------------------------------------------------------------


def test_check_says_what_is_right_and_what_is_not(capsys):
    question = find_question("2.1")
    check("2.1", question.reference)
    assert capsys.readouterr().out == "2.1 One step: right in all 3 cases. (2 points in a graded run)\n"
    check("2.1", question.wrong[0].answer)
    said = capsys.readouterr().out
    assert question.wrong[0].hint in said
    assert "the first at [0, 0]" in said


def test_the_page_on_grading_quotes_what_check_says(capsys):
    check("2.2", find_question("2.2").wrong[0].answer)
    assert f"```text\n{capsys.readouterr().out}```" in (ROOT / "book" / "grading.md").read_text(encoding="utf-8")


def test_check_never_shows_an_expected_number(capsys):
    question = find_question("2.4")
    from rnncourse.grading.selfcheck import PUBLIC_SEED

    check("2.4", lambda logits, targets, lengths: (torch.tensor(1.0), torch.tensor(1.0)))
    said = capsys.readouterr().out
    for arguments in question.inputs(PUBLIC_SEED).values():
        for value in question.reference(*arguments):
            assert f"{float(value):.3g}" not in said


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (None, "without brackets"),
        (torch.ones(2), "without brackets"),
        (lambda: 1, "it raised TypeError"),
        (lambda *a: None, "is there a `return`"),
        (lambda *a: a[0], "expected 3 values (the scores a_t, the state h_t, the output y_t), got a tensor"),
        (lambda *a: (a[0].zero_(), *a[:2]), "the scores a_t: expected the shape"),
        (lambda *a: (object(),) * 3, "type object"),
    ],
)
def test_check_is_friendly_whatever_it_is_given(given, words, capsys):
    check("2.1", given)
    assert words in capsys.readouterr().out


def test_check_of_an_unknown_question_names_the_known():
    with pytest.raises(ValueError, match=r"no question '2.99'; the course has .*2\.1, 2\.2"):
        check("2.99", None)


def test_check_does_not_change_what_it_is_given_twice(capsys):
    def spoils(x_t, *rest):
        result = find_question("2.1").reference(x_t, *rest)
        x_t.zero_()
        return result

    for _ in range(2):
        check("2.1", spoils)
        assert "right in all" in capsys.readouterr().out


def test_check_is_off_in_a_graded_run(monkeypatch, capsys):
    monkeypatch.setenv("RNNCOURSE_GRADING", "1")
    check("2.1", None)
    assert "off during a graded run" in capsys.readouterr().out


def test_hints_grow_stronger_with_every_failure_and_progress_is_kept(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    question = find_question("2.1")
    check("2.1", lambda *a: None)
    assert question.hints[1] not in capsys.readouterr().out  # nowhere to count
    path = progress.create(tmp_path, rnncourse.__version__)
    (tmp_path / "exercises").mkdir()
    monkeypatch.chdir(tmp_path / "exercises")
    for shown in (1, 2, 2):
        check("2.1", lambda *a: None)
        said = capsys.readouterr().out
        assert [hint in said for hint in question.hints] == [number < shown for number in range(len(question.hints))]
    check("2.1", question.reference)
    assert progress.read(path)["questions"]["2.1"] == {"answered": True, "checks": 4, "failed": 0, "passed": True}
    row = next(row for row in progress.summarise(progress.read(path), all_questions().values()) if row[0] == "2")
    assert row == ("2", "1 of 6", "1 of 6", "0 of 6", "0 of 19", "question 2.2: Two matrices or one")


def test_hints_fit_the_part_that_is_wrong():
    question = find_question("3.6")
    first, second = question.parts
    assert question.hints_for() == question.hints
    left = question.hints_for((first,))
    assert left[0].startswith(f"{second}: ")
    assert not any(hint.startswith(f"{first}: ") for hint in left)
    assert len(left) < len(question.hints)

    def half_right(*arguments):
        return question.reference(*arguments)[0], 0 * question.reference(*arguments)[1]

    result = examine(question, half_right)
    assert (result.earned, result.hint) == ((first,), left[0])


def test_a_broken_progress_file_disturbs_nobody_and_is_left_alone(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / progress.FILE_NAME).write_text("{half")
    check("2.1", find_question("2.1").reference)
    said = capsys.readouterr()
    assert "right in all 3 cases" in said.out
    assert "move it away" in said.err
    assert (tmp_path / progress.FILE_NAME).read_text() == "{half"


# --- reading notebooks ---------------------------------------------------------------------------------------------


def write(path, cells, metadata=None):
    cells = [{"cell_type": "code", "metadata": {}, "source": source} for source in cells]
    path.write_text(json.dumps({"nbformat": 4, "metadata": metadata or {}, "cells": cells}))
    return path


def test_the_chapter_is_found_by_metadata_name_or_checks(tmp_path):
    assert read_submission(write(tmp_path / "02_x.ipynb", ["1"])).chapter == 2
    assert read_submission(write(tmp_path / "02_x.ipynb", ["1"], {"rnncourse": {"chapter": 5}})).chapter == 5
    assert read_submission(write(tmp_path / "mine.ipynb", ['check("7.1", f)', "check('7.2', g)"])).chapter == 7
    assert read_submission(write(tmp_path / "mine.ipynb", ["1"]), 3).chapter == 3
    with pytest.raises(ValueError, match="--chapter N"):
        read_submission(write(tmp_path / "mine.ipynb", ["1"]))


NO_NOTEBOOKS = {
    "not JSON": b"not json",
    "is not JSON": b"\xff\xfe\x00",
    "nested too deeply": b"[" * 200_000,
    "no list of cells": b"[]",
    "has no list of cells": b'{"cells": 3}',
    "not text": b'{"cells": [{"cell_type": "code", "source": {"a": 1}}]}',
    "600 code cells": json.dumps({"cells": [{"cell_type": "code", "source": "1"}] * 600}).encode(),
}


def test_what_is_no_notebook_is_refused_in_one_line_each(tmp_path, capsys):
    paths = []
    for number, content in enumerate(NO_NOTEBOOKS.values()):
        paths.append(tmp_path / f"02_{number}.ipynb")
        paths[-1].write_bytes(content)
    assert main(["grade", *map(str, paths)]) == 2
    lines = capsys.readouterr().err.splitlines()
    for line, path, words in zip(lines, paths, NO_NOTEBOOKS, strict=True):
        assert path.name in line
        assert words in line


@pytest.mark.parametrize(
    ("words", "argv"),
    [
        ("not after learners", ["grade", "FOLDER"]),
        ("is a folder", ["grade", "FOLDER", "FOLDER/02_x.ipynb", "--chapter", "98", "--json", "FOLDER/j"]),
        ("does not exist", ["grade", "FOLDER/nothing.ipynb"]),
        ("no graded questions", ["grade", "FOLDER/02_x.ipynb", "--chapter", "98"]),
        ("name a notebook", ["grade"]),
        ("should be positive", ["grade", "FOLDER/02_x.ipynb", "--seconds", "0"]),
        ("cannot be written", ["grade", "FOLDER/02_x.ipynb", "--json", "FOLDER/no/where.json"]),
        ("rnncourse start FOLDER makes", ["progress", "FOLDER"]),
    ],
)
def test_a_mistyped_command_is_one_clear_line(words, argv, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "02_x.ipynb", ["1"])
    assert main([word.replace("FOLDER", str(tmp_path)) for word in argv]) == 2
    said = capsys.readouterr().err
    assert words in said
    assert said.count("\n") == 1 + ("is a folder" in words)  # there, another notebook has its line


# --- reports -------------------------------------------------------------------------------------------------------


def hostile_report(isolation="bubblewrap") -> dict:
    marks = [
        Mark("2.1", "One step", 2, 2, message="right"),
        Mark("2.2", "Two", 0.67, 2, {HOSTILE: HOSTILE}, "a mistake", "a hint", ("a part",), HOSTILE, note=HOSTILE),
        Mark("2.3", "Three", 0, 4, {"case": HOSTILE}, hint="hint", message=f"it raised {HOSTILE}", answered=False),
    ]
    report = GradeReport(
        f"{HOSTILE}.ipynb", 2, marks, {3: HOSTILE}, 7, isolation, 1.0, when="now", platform={"python": "3"}
    )
    return report_to_dict(report)


ALLOWED_TAGS = {"html", "head", "meta", "title", "style", "body", "main", "section", "footer"}
ALLOWED_TAGS |= {"h1", "h2", "p", "div", "span", "i", "ol", "li"}


class Reader(HTMLParser):
    def __init__(self):
        super().__init__()
        self.tags, self.text = [], ""

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.text += data


def test_html_holds_a_strangers_words_as_text_only():
    page = as_html([hostile_report(), hostile_report("unsafe")])
    reader = Reader()
    reader.feed(page)
    names = {tag for tag, _ in reader.tags}
    assert "script" not in names
    assert names <= ALLOWED_TAGS
    assert not any(name.startswith("on") or name in ("src", "href") for _, attrs in reader.tags for name in attrs)
    assert '"><script>alert(1)</script>' in reader.text
    assert page.count("Isolation:") == 1  # only the one without a sandbox says so in red
    assert "2.67 of 8 points" in page
    assert f"course {rnncourse.__version__}" in page
    assert "seed 7" in page


def test_the_terminal_shows_a_strangers_words_as_text_only(capsys):
    screen = console()
    screen.print(as_table(hostile_report()))
    said = capsys.readouterr().out
    assert "\x1b[2J" not in said
    assert "[bold red]" in said.replace("\n", "")
    assert f"course {rnncourse.__version__} · seed 7" in said


def test_json_carries_version_seed_isolation_and_every_question():
    content = json.loads(as_json(as_dict([hostile_report()], {"b.ipynb": "is not a notebook"})))
    report = content["reports"][0]
    assert content["schema"] == 1
    assert content["course"] == rnncourse.__version__ == report["course"]
    assert (report["seed"], report["isolation"], report["points"], report["out_of"]) == (7, "bubblewrap", 2.67, 8)
    assert [question["id"] for question in report["questions"]] == ["2.1", "2.2", "2.3"]
    assert [question["verdict"] for question in report["questions"]] == ["right", "known mistake", "no answer"]
    assert content["failures"] == {"b.ipynb": "is not a notebook"}


# --- starting and going on -----------------------------------------------------------------------------------------


@pytest.fixture
def course(tmp_path):
    root = tmp_path / "course"
    for folder in ("book", "exercises"):
        (root / folder).mkdir(parents=True)
        write(root / folder / "02_vanilla_rnn.ipynb", [f"'{folder}'"])
    return root


def test_start_lays_out_and_never_overwrites(course, tmp_path):
    folder = tmp_path / "mine"
    assert lay_out(folder, course)[0].startswith("2 notebooks laid out")
    mine = folder / "exercises" / "02_vanilla_rnn.ipynb"
    untouched = folder / "chapters" / "02_vanilla_rnn.ipynb"
    write(mine, ["'my work'"])
    assert lay_out(folder, course) == ["0 notebooks laid out, 0 brought up to date, 2 left as they are"]
    # A newer course: what nobody touched follows it, what somebody worked in stays, and the new one comes separately.
    for name in ("book", "exercises"):
        write(course / name / "02_vanilla_rnn.ipynb", [f"'newer {name}'"])
    said = lay_out(folder, course)
    assert said[0] == "0 notebooks laid out, 1 brought up to date, 1 left as they are"
    assert "my work" in mine.read_text()
    assert "newer book" in untouched.read_text()
    beside = folder / f"newer-{rnncourse.__version__}" / "exercises" / "02_vanilla_rnn.ipynb"
    assert said[1].endswith(str(beside.relative_to(folder)))
    assert [path.name for path in mine.parent.iterdir()] == [mine.name]
    assert "newer exercises" in beside.read_text()
    write(beside, ["'also mine'"])
    lay_out(folder, course)
    assert "also mine" in beside.read_text()


def test_grade_grades_the_learners_notebook_and_not_the_newer_one_that_start_brought(
    course, tmp_path, monkeypatch, faked, capsys
):
    folder = tmp_path / "mine"
    lay_out(folder, course)
    mine = folder / "exercises" / "02_vanilla_rnn.ipynb"
    mine.write_text('{"points": 1}')
    (course / "exercises" / mine.name).write_text('{"points": 3}')
    assert "yours was kept; the newer version is newer-" in lay_out(folder, course)[1]
    monkeypatch.chdir(folder)
    assert main(["grade", "--json", "-"]) == 1
    reports = json.loads(capsys.readouterr().out)["reports"]
    assert [(report["notebook"], report["points"]) for report in reports] == [(mine.name, 1)]


def test_start_refuses_what_it_cannot_use(course, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ValueError, match="is a file"):
        lay_out(tmp_path / "file", course)
    with pytest.raises(ValueError, match="holds the course itself"):
        lay_out(course, course)


def graded(question: Question, points: float, answered: bool = True) -> dict:
    return {"id": question.id, "points": points, "out_of": question.points, "answered": answered}


def test_grading_is_noted_beside_the_notebook(course, tmp_path, capsys):
    folder = tmp_path / "mine"
    lay_out(folder, course)
    notebook = folder / "exercises" / "02_vanilla_rnn.ipynb"
    questions = [question for question in all_questions().values() if question.chapter == 2]
    progress.record_grades([graded(question, question.points) for question in questions], notebook)
    progress.record_grades([graded(questions[0], 0)], notebook)  # a worse try later takes nothing away
    assert main(["progress", str(folder)]) == 0
    said = capsys.readouterr().out
    row = next(line for line in said.splitlines() if line.startswith("2 "))
    assert "6 of 6" in row
    assert "19 of 19" in row
    assert row.rstrip().endswith("done")
    assert progress.read(folder / progress.FILE_NAME)["questions"]["2.1"]["graded"]["points"] == 0


def test_an_untouched_chapter_is_graded_but_not_attempted(course, tmp_path, monkeypatch, capsys):
    folder = tmp_path / "mine"
    lay_out(folder, course)
    questions = [question for question in all_questions().values() if question.chapter == 2]
    untouched = [graded(question, 0, answered=False) for question in questions]
    progress.record_grades(untouched, folder / "exercises" / "02_vanilla_rnn.ipynb")
    monkeypatch.chdir(folder)
    check("2.1", lambda *arguments: (_ for _ in ()).throw(NotImplementedError("Exercise 2.1")))
    rows = progress.summarise(progress.read(folder / progress.FILE_NAME), all_questions().values())
    assert next(row for row in rows if row[0] == "2")[1:4] == ("0 of 6", "0 of 6", "6 of 6")
    assert {row[5].split(";")[0] for row in rows} == {"not started"}
    capsys.readouterr()


def test_strangers_points_never_enter_ones_own_progress_nor_is_their_file_opened(course, tmp_path, monkeypatch):
    mine, theirs = tmp_path / "mine", tmp_path / "mine" / "submissions" / "ada"
    lay_out(mine, course)
    before = (mine / progress.FILE_NAME).read_bytes()
    # Ada hands in the whole folder that `start` laid out for her on her machine.
    here = os.environ["RNNCOURSE_STATE"]
    monkeypatch.setenv("RNNCOURSE_STATE", str(tmp_path / "elsewhere"))
    theirs.parent.mkdir()
    lay_out(theirs, course)
    monkeypatch.setenv("RNNCOURSE_STATE", here)
    assert progress.own_file(mine / "exercises" / "02_vanilla_rnn.ipynb") == mine / progress.FILE_NAME
    question = find_question("2.1")
    opened = []
    monkeypatch.setattr(progress, "read", lambda path: opened.append(path) or {"files": {}, "questions": {}})
    notebooks = [theirs / "exercises" / "02_vanilla_rnn.ipynb", mine / "submissions" / "02_vanilla_rnn.ipynb"]
    notebooks += [mine / "exercises" / "02_bob.ipynb", mine / "02_vanilla_rnn.ipynb"]
    for notebook in notebooks:
        progress.record_grades([graded(question, 2)], notebook)
    assert (mine / progress.FILE_NAME).read_bytes() == before
    assert set(opened) <= {mine / progress.FILE_NAME}


@pytest.mark.parametrize("kind", ["nested", "sparse", "a pipe", "no object"])
def test_a_progress_file_that_is_none_of_ours_stops_nobody(kind, course, tmp_path, capsys):
    folder = tmp_path / "mine"
    lay_out(folder, course)
    path = folder / progress.FILE_NAME
    path.unlink()
    if kind == "a pipe":
        os.mkfifo(path)
    elif kind == "sparse":
        with open(path, "wb") as file:
            file.truncate(2 << 30)
    else:
        path.write_text('{"questions":' * 100_000 if kind == "nested" else '{"questions": {}, "files": 3}')
    progress.record_grades([graded(find_question("2.1"), 2)], folder / "exercises" / "02_vanilla_rnn.ipynb")
    if kind != "a pipe":
        assert main(["progress", str(folder)]) == (0 if kind == "no object" else 1)
    capsys.readouterr()


def test_each_failed_check_of_a_session_shows_one_more_hint(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # no progress file here
    question = find_question("2.4")
    check("2.4", question.reference)  # a right answer starts the count anew
    capsys.readouterr()

    def unrecognised(*arguments):
        return (12345.0,) * len(question.parts) if question.parts else 12345.0

    seen = []
    for _ in range(2):
        check("2.4", unrecognised)
        seen.append(capsys.readouterr().out.count("Hint:"))
    assert seen == [1, 2]


def test_the_empty_tmp_is_laid_before_what_is_shown_on_top_of_it():
    """A course in a folder below /tmp (a fresh clone, a container) must not be buried under the learner's own /tmp."""
    argv = bubblewrap_command("bwrap", Limits())
    assert argv.index("/tmp", argv.index("--tmpfs")) < argv.index("--ro-bind")
    assert [argv[i + 1] for i, word in enumerate(argv) if word == "--tmpfs"].count("/tmp") == 1
