"""A class: graded once each, whatever happens in between, and a row for everybody with the reason for every zero."""

import dataclasses
import io
import json
import os
import random
import signal
import subprocess
import sys
import time

import pytest

from rnncourse.cli import main
from rnncourse.grading.classes import batch
from rnncourse.grading.classes.batch import LOG_NAME, Class, NoWalls
from rnncourse.grading.classes.jobs import Options
from rnncourse.grading.classes.log import Log
from rnncourse.grading.classes.meter import Meter
from rnncourse.grading.classes.roster import read_roster
from rnncourse.grading.classes.submissions import find_learners
from tests import fake_examiner
from tests.house import ROOT

linux = pytest.mark.skipif(os.name == "nt", reason="files of Windows have other rules")


def hand_in(folder, path, **content):
    """Somebody's notebook, for the fake examiner."""
    target = folder / path
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps(content))
    return target


def a_class(folder, size, **content):
    for number in range(size):
        hand_in(folder, f"learner{number:03d}/02_vanilla_rnn.ipynb", points=number % 4, **content)
    return folder


def graded(folder, out=None, **options):
    """The rows of a class, by learner."""
    options = {"command": fake_examiner.COMMAND, "workers": 2} | options
    rows = Class(folder, out or folder.with_name("out"), **options).grade(meter=quiet)
    assert len({row.learner for row in rows}) == len(rows)
    return {row.learner: row for row in rows}


def quiet(total, before):
    return Meter(total, before, stream=io.StringIO())


def trace(tmp_path, monkeypatch):
    """The jobs that the fake examiners have begun, as a function."""
    path = tmp_path / "trace"
    monkeypatch.setenv("FAKE_EXAMINER_TRACE", str(path))
    return lambda: [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def records(out):
    return [json.loads(line) for line in (out / LOG_NAME).read_text().splitlines()]


# --- one row for everybody -----------------------------------------------------------------------------------------


def test_everybody_has_one_row_and_every_missing_point_a_reason(tmp_path):
    folder = tmp_path / "class"
    hand_in(folder, "ada/02_vanilla_rnn.ipynb", points=3)
    hand_in(folder, "bob/deep/er/anything.ipynb", points=0, said="not written yet")
    (folder / "cyd").mkdir()
    hand_in(folder, "dan.ipynb", points=1)
    hand_in(folder, "eve/a.ipynb", points=1)
    hand_in(folder, "eve/b.ipynb", points=2)
    hand_in(folder, "fay/02.ipynb", act="crash")
    rows = graded(folder)
    assert [rows[name].points for name in ("ada", "bob", "cyd", "dan", "eve", "fay")] == [3, 0, 0, 1, 2, 0]
    assert {row.out_of for row in rows.values()} == {3}
    assert rows["ada"].reasons == []
    assert rows["bob"].reasons == ["2.1, 2.2: not written yet"]
    assert rows["cyd"].reasons == ["there is no notebook"]
    assert rows["dan"].reasons == ["2.2: a reason"]
    assert rows["eve"].reports[2]["notebook"] == "eve/b.ipynb"
    assert "process ended" in rows["fay"].reasons[0]
    for row in rows.values():
        assert row.full or row.reasons
    assert {name for name, row in rows.items() if row.status == "not graded"} == {"fay"}


def test_what_one_learner_claims_to_answer_changes_nobody_elses_total(tmp_path):
    folder = a_class(tmp_path / "class", 8)
    hand_in(folder, "odd/02_vanilla_rnn.ipynb", points=3, chapter=5)
    rows = graded(folder)
    assert {row.out_of for row in rows.values()} == {3}
    assert rows["odd"].points == 0
    assert "answers chapter 5, which the class was not asked" in rows["odd"].reasons[0]


def test_who_is_on_the_list_and_handed_in_nothing_has_a_row(tmp_path):
    folder = a_class(tmp_path / "class", 2)
    (tmp_path / "list.csv").write_text("learner,email\nlearner000,a@x\nlearner001,b@x\nzoe,z@x\n")
    rows = graded(folder, roster=read_roster(tmp_path / "list.csv"))
    assert rows["zoe"].reasons == ["nothing was handed in"]
    assert rows["zoe"].out_of == 3


def test_a_list_can_say_whose_file_is_whose_but_not_outside_of_the_folder(tmp_path):
    folder = tmp_path / "class"
    hand_in(folder, "1.ipynb", points=1)
    hand_in(folder, "2.ipynb", points=2)
    hand_in(folder, "3.ipynb", points=3)
    (tmp_path / "list.csv").write_text("learner,notebook\nada,2.ipynb\nbob,1.ipynb\ncyd,\nbob,3.ipynb\n")
    rows = graded(folder, roster=read_roster(tmp_path / "list.csv"))
    assert [(row.learner, row.points) for row in rows.values()] == [("ada", 2), ("bob", 3), ("cyd", 0)]
    for outside in ("../secret.ipynb", "/etc/passwd"):
        (tmp_path / "list.csv").write_text(f"learner,notebook\nada,{outside}\n")
        with pytest.raises(ValueError, match="should lie below"):
            graded(folder, tmp_path / "other", roster=read_roster(tmp_path / "list.csv"))


@linux
def test_links_pipes_devices_and_huge_files_are_rows_with_a_reason_and_never_read(tmp_path):
    folder = tmp_path / "class"
    secret = hand_in(tmp_path, "secret.ipynb", points=3)
    for name in ("link", "folder_link", "pipe", "huge", "many"):
        (folder / name).mkdir(parents=True)
    (folder / "link" / "02.ipynb").symlink_to(secret)
    (folder / "flat.ipynb").symlink_to(secret)
    (folder / "folder_link" / "inner").symlink_to(tmp_path)
    os.mkfifo(folder / "pipe" / "02.ipynb")
    with open(folder / "huge" / "02.ipynb", "wb") as file:
        file.truncate(3 << 30)
    for number in range(25):
        hand_in(folder, f"many/{number}.ipynb", points=3)
    hand_in(folder, "honest.ipynb", points=3)
    rows = graded(folder)
    assert {name for name, row in rows.items() if row.points} == {"honest"}
    assert "link" in rows["link"].reasons[0]
    assert "link" in rows["flat"].reasons[0]
    assert "no notebook" in rows["folder_link"].reasons[0]
    assert "not a file" in rows["pipe"].reasons[0]
    assert "MB" in rows["huge"].reasons[0]
    assert "25 notebooks" in rows["many"].reasons[0]


def test_a_whole_folder_of_start_counts_by_its_exercises_and_not_by_the_courses_copies(tmp_path):
    folder = tmp_path / "class"
    hand_in(folder, "ada/mine/exercises/02_vanilla_rnn.ipynb", points=1)
    hand_in(folder, "ada/mine/exercises/02_vanilla_rnn_course-0.2.0.ipynb", points=3)
    hand_in(folder, "ada/mine/newer-0.2.0/exercises/02_vanilla_rnn.ipynb", points=3)
    hand_in(folder, "ada/mine/chapters/02_vanilla_rnn.ipynb", points=3)
    hand_in(folder, "ada/mine/exercises/.ipynb_checkpoints/02_vanilla_rnn-checkpoint.ipynb", points=3)
    assert graded(folder)["ada"].points == 1


def test_a_folder_of_chapters_is_no_class(tmp_path):
    hand_in(tmp_path, "exercises/02_vanilla_rnn.ipynb")
    hand_in(tmp_path, "exercises/03_backpropagation_through_time.ipynb")
    with pytest.raises(ValueError, match="not after learners"):
        find_learners(tmp_path / "exercises")


def test_names_of_platforms_are_taken_apart_and_two_of_one_name_stay_two(tmp_path):
    names = [
        "leeann_101_5001_02_vanilla_rnn.ipynb",
        "leeann_LATE_102_5002_02_vanilla_rnn-1.ipynb",
        "ada_02_vanilla_rnn.ipynb",
        "2024_11_bob.ipynb",
        "2024_11_cyd.ipynb",
        "Ann Lee_77_assignsubmission_file_/x.ipynb",
        "Ann Lee_78_assignsubmission_file_02_vanilla_rnn.ipynb",
    ]
    for name in names:
        hand_in(tmp_path, name)
    found = {(learner.name, learner.number, learner.platform): learner for learner in find_learners(tmp_path)}
    assert set(found) == {
        ("leeann", "101", "canvas"),
        ("leeann", "102", "canvas"),
        ("ada", "", ""),
        ("2024_11_bob", "", ""),
        ("2024_11_cyd", "", ""),
        ("Ann Lee", "77", "moodle"),
        ("Ann Lee", "78", "moodle"),
    }
    learner = found["leeann", "102", "canvas"]
    assert learner.file_name(learner.notebooks[0]) == "02_vanilla_rnn-1.ipynb"
    ada = found["ada", "", ""]
    assert ada.file_name(ada.notebooks[0]) == "02_vanilla_rnn.ipynb"


# --- the exception boundary ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("act", ["crash", "hang", "flood", "garbage", "memory"])
def test_whatever_one_notebook_does_to_its_grader_the_next_one_is_graded(act, tmp_path):
    folder = a_class(tmp_path / "class", 4)
    hand_in(folder, "learner001/02_vanilla_rnn.ipynb", act=act)
    options = Options(total_seconds=1)
    deadline = dataclasses.replace(options)
    object.__setattr__(deadline, "total_seconds", -118.5)  # 1.5 s for the fake one to hang
    rows = graded(folder, options=deadline, workers=1)
    assert [row.points for row in rows.values()] == [0, 0, 2, 3]
    assert list(rows["learner001"].failures) == ["learner001/02_vanilla_rnn.ipynb"]
    assert rows["learner001"].ours


def test_an_exception_of_the_parent_is_one_notebooks_too(tmp_path, monkeypatch):
    folder = a_class(tmp_path / "class", 4)
    real = batch.make_job

    def sometimes(label, *arguments):
        if "001" in label:
            raise ZeroDivisionError("a bug of ours")
        return real(label, *arguments)

    monkeypatch.setattr(batch, "make_job", sometimes)
    rows = graded(folder)
    assert [row.points for row in rows.values()] == [0, 0, 2, 3]
    assert "a bug of ours" in rows["learner001"].reasons[0]


def test_without_a_sandbox_nothing_is_graded_and_nobody_has_a_zero(tmp_path):
    folder = a_class(tmp_path / "class", 4, act="no walls")
    with pytest.raises(NoWalls, match="no sandbox"):
        graded(folder)
    assert len(records(tmp_path / "out")) == 1  # the header
    assert not (tmp_path / "out" / "grades.csv").exists()


def test_what_failed_through_our_fault_is_tried_again_and_what_is_no_notebook_is_not(tmp_path, monkeypatch):
    folder = a_class(tmp_path / "class", 3)
    ours = hand_in(folder, "learner001/02_vanilla_rnn.ipynb", act="crash")
    hand_in(folder, "learner002/02_vanilla_rnn.ipynb").write_bytes(b"")
    (folder / "learner002" / "02_vanilla_rnn.ipynb").unlink()
    (folder / "learner002" / "02_vanilla_rnn.ipynb").symlink_to(ours)
    jobs = trace(tmp_path, monkeypatch)
    graded(folder)
    graded(folder)
    assert sorted(job["label"][:10] for job in jobs()) == ["learner000", "learner001", "learner001"]


# --- the log -------------------------------------------------------------------------------------------------------


def summary(rows):
    return {name: (row.points, row.out_of, row.reasons, row.status) for name, row in rows.items()}


def test_a_second_run_grades_nothing_and_says_the_same(tmp_path, monkeypatch):
    folder = a_class(tmp_path / "class", 6)
    jobs = trace(tmp_path, monkeypatch)
    first = graded(folder)
    before = (tmp_path / "out" / LOG_NAME).read_bytes()
    assert summary(graded(folder)) == summary(first)
    assert len(jobs()) == 6
    assert (tmp_path / "out" / LOG_NAME).read_bytes() == before


def test_only_what_was_handed_in_again_is_graded_again(tmp_path, monkeypatch):
    folder = a_class(tmp_path / "class", 6)
    jobs = trace(tmp_path, monkeypatch)
    graded(folder)
    hand_in(folder, "learner002/02_vanilla_rnn.ipynb", points=3)
    hand_in(folder, "late/02_vanilla_rnn.ipynb", points=3)
    rows = graded(folder)
    assert [job["label"].split("/")[0] for job in jobs()[6:]] == ["late", "learner002"] or len(jobs()) == 8
    assert len(jobs()) == 8
    assert rows["learner002"].points == 3


@pytest.mark.parametrize("cut", range(12))
def test_a_log_that_was_cut_anywhere_is_completed_without_regrading(cut, tmp_path, monkeypatch):
    folder = a_class(tmp_path / "class", 8)
    whole = graded(folder)
    log = tmp_path / "out" / LOG_NAME
    content = log.read_bytes()
    header = content.index(b"\n") + 1
    log.write_bytes(content[: random.Random(cut).randint(header, len(content))])
    kept = {record["label"] for record in _readable(log) if record["kind"] == "notebook"}
    jobs = trace(tmp_path, monkeypatch)
    assert summary(graded(folder)) == summary(whole)
    assert {job["label"] for job in jobs()} == {row.reports[2]["notebook"] for row in whole.values()} - kept
    assert len(jobs()) == 8 - len(kept)
    seeds = {row.learner: row.reports[2]["seed"] for row in whole.values()}
    assert {row.learner: row.reports[2]["seed"] for row in graded(folder).values()} == seeds


def _readable(log):
    for line in log.read_bytes().split(b"\n"):
        try:
            yield json.loads(line)
        except ValueError:
            continue


RUN = """
import sys
from pathlib import Path
from rnncourse.grading.classes.batch import Class
from tests.fake_examiner import COMMAND
Class(Path(sys.argv[1]), Path(sys.argv[2]), workers=2, command=COMMAND).grade()
"""


@linux
@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_a_run_killed_at_random_points_loses_nothing_and_grades_nothing_twice(seed, tmp_path, monkeypatch):
    chance = random.Random(seed)
    folder, out = a_class(tmp_path / "class", 40, seconds=0.01), tmp_path / "out"
    jobs = trace(tmp_path, monkeypatch)
    log = out / LOG_NAME
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])}
    kills = 0
    while True:
        known = {record["label"] for record in _readable(log) if "report" in record} if log.exists() else set()
        begun = len(jobs())
        command = [sys.executable, "-c", RUN, str(folder), str(out)]
        run = subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL)
        size = log.stat().st_size if log.exists() else 0
        wanted = size + chance.randint(0, 12_000)  # some nine notebooks, and anywhere within a line
        while run.poll() is None and (log.stat().st_size if log.exists() else 0) < wanted:
            time.sleep(0.001)
        time.sleep(chance.random() * 0.01)
        if run.poll() is None:
            run.send_signal(signal.SIGKILL)
            kills += 1
        code = run.wait()
        assert not {job["label"] for job in jobs()[begun:]} & known, "what is in the log is not graded again"
        if code == 0:
            break
        assert code == -signal.SIGKILL
    assert kills >= 2
    labels = [record["label"] for record in _readable(log) if record["kind"] == "notebook"]
    assert sorted(labels) == sorted(set(labels)), "nothing is in the log twice"
    assert len(labels) == 40, "nothing is lost"
    assert len(jobs()) <= 40 + 2 * kills, "only what was in flight was begun again"
    monkeypatch.delenv("FAKE_EXAMINER_TRACE")
    undisturbed = graded(folder, tmp_path / "undisturbed")
    assert summary(graded(folder, out)) == summary(undisturbed)


def test_two_runs_never_write_into_one_log(tmp_path):
    folder = a_class(tmp_path / "class", 2)
    (tmp_path / "out").mkdir()
    with Log(tmp_path / "out" / LOG_NAME, {"course": "0", "seed": 1}):
        if os.name != "nt":
            with pytest.raises(ValueError, match="another run"):
                graded(folder)


def test_a_class_is_finished_with_the_seed_and_the_course_that_it_was_begun_with(tmp_path, monkeypatch):
    folder = a_class(tmp_path / "class", 2)
    graded(folder, seed=7)
    with pytest.raises(ValueError, match="another seed"):
        graded(folder, seed=8)
    monkeypatch.setattr("rnncourse.grading.classes.batch.__version__", "9.9")
    with pytest.raises(ValueError, match="begun with course"):
        graded(folder)


def test_a_report_is_in_the_log_before_the_next_notebook_is_begun(tmp_path, monkeypatch):
    folder = a_class(tmp_path / "class", 4)
    jobs, written = trace(tmp_path, monkeypatch), []
    real = Log.add

    def add(self, key, record):
        real(self, key, record)
        written.append(len(records(tmp_path / "out")))

    monkeypatch.setattr(Log, "add", add)
    graded(folder)
    assert written == [2, 3, 4, 5]
    assert len(jobs()) == 4


# --- seeds ---------------------------------------------------------------------------------------------------------


def test_every_learner_has_a_seed_of_its_own_and_the_class_seed_gives_all_of_them_again(tmp_path):
    folder = a_class(tmp_path / "class", 6)

    def seeds(out, seed):
        return {row.learner: row.reports[2]["seed"] for row in graded(folder, tmp_path / out, seed=seed).values()}

    first = seeds("a", 7)
    assert len(set(first.values())) == 6
    assert seeds("b", 7) == first
    assert not set(seeds("c", 8).values()) & set(first.values())
    assert not set(seeds("d", None).values()) & set(seeds("e", None).values())


def test_one_learner_is_graded_again_with_the_recorded_seed(tmp_path, monkeypatch):
    folder = a_class(tmp_path / "class", 4)
    before = graded(folder)
    jobs = trace(tmp_path, monkeypatch)
    rows = graded(folder, again=["learner002"])
    assert [(job["label"], job["seed"]) for job in jobs()] == [
        ("learner002/02_vanilla_rnn.ipynb", before["learner002"].reports[2]["seed"])
    ]
    assert summary(rows) == summary(before)
    assert len(records(tmp_path / "out")) == 6  # the older record stays where it is
    with pytest.raises(ValueError, match="nobody"):
        graded(folder, again=["nobody here"])


# --- progress ------------------------------------------------------------------------------------------------------


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_progress_says_rate_and_time_left():
    now = [0.0]
    meter = Meter(200, 10, stream=Terminal(), clock=lambda: now[0])
    assert meter.line() == "0 of 200 graded · 10 before"
    for _ in range(50):
        now[0] += 2.0
        meter.step()
    assert meter.line() == "50 of 200 graded · 10 before · 2.0 s each · 5 min 0 s left"
    assert "\r\033[K50 of 200" in meter.stream.getvalue()


def test_elsewhere_than_on_a_terminal_progress_is_a_line_for_every_tenth():
    now, stream = [0.0], io.StringIO()
    meter = Meter(200, stream=stream, clock=lambda: now[0])
    for _ in range(200):
        now[0] += 0.5
        meter.step()
    assert len(stream.getvalue().splitlines()) == 10
    assert "\r" not in stream.getvalue()
    assert stream.getvalue().splitlines()[-1] == "rnncourse: 200 of 200 graded · 2.0 a second"


# --- the command ---------------------------------------------------------------------------------------------------


def test_the_exit_code_tells_the_truth_about_a_class(tmp_path, faked, capsys):
    full = tmp_path / "full"
    hand_in(full, "ada.ipynb", points=3)
    assert main(["grade", str(full)]) == 0
    missing = a_class(tmp_path / "missing", 3)
    assert main(["grade", str(missing)]) == 1
    broken = a_class(tmp_path / "broken", 3)
    hand_in(broken, "learner001/02_vanilla_rnn.ipynb", act="crash")
    assert main(["grade", str(broken)]) == 2
    assert main(["grade", str(tmp_path / "absent" / "x.ipynb")]) == 2
    decide = hand_in(tmp_path / "decide", "ada.ipynb", points=2, faults={"2.2": "a judge failed"})
    assert main(["grade", str(decide)]) == 2
    assert main(["grade", str(decide.parent)]) == 2
    said = capsys.readouterr().out
    assert str(tmp_path / "full-graded" / "grades.csv") in said.replace("\n", "")


@pytest.mark.parametrize(
    ("words", "argv"),
    [
        ("--own is for your own notebook", ["--own"]),
        ("--out lies in the folder of the submissions", ["--out", "FOLDER/out"]),
        ("--html is for single notebooks", ["--html", "x.html"]),
        ("nothing was graded", ["--out", "FILE/out"]),
        ("cannot be read as a class list", ["--roster", "FOLDER"]),
        ("is no class list", ["--roster", "FILE"]),
        ("not what rnncourse handout wrote", ["--variants", "FILE"]),
        ("--again zoe: that is nobody", ["--again", "zoe"]),
        ("there is no Dask scheduler", ["--scheduler", "tcp://127.0.0.1:1"]),
        ("--workers should be at least 1", ["--workers", "0"]),
        ("--seed should be from 0", ["--seed", "-1"]),
        ("--seed should be from 0", ["--seed", str(2**200)]),
    ],
)
def test_what_cannot_work_is_refused_before_grading(words, argv, tmp_path, faked, monkeypatch, capsys):
    if "--scheduler" in argv:
        pytest.importorskip("distributed")
        monkeypatch.setattr("rnncourse.grading.classes.cluster.PATIENCE", 0.2)
    monkeypatch.chdir(tmp_path)
    folder, file = a_class(tmp_path / "class", 2), tmp_path / "file"
    file.write_text("a,b\n1,2\n")
    jobs = trace(tmp_path, monkeypatch)
    argv = [word.replace("FOLDER", str(folder)).replace("FILE", str(file)) for word in argv]
    assert main(["grade", str(folder), *argv]) == 2
    assert words in capsys.readouterr().err
    assert jobs() == []


def test_each_report_of_several_notebooks_is_written_at_once(tmp_path, faked, monkeypatch, capsys):
    from rnncourse.grading import outputs

    paths = [str(hand_in(tmp_path, f"{name}/02.ipynb", points=3)) for name in "abc"]
    seen = []
    real = outputs.write

    def write(target, text):
        real(target, text)
        seen.append(len(json.loads((tmp_path / "r.json").read_text())["reports"]))

    monkeypatch.setattr(outputs, "write", write)
    assert main(["grade", *paths, "--json", str(tmp_path / "r.json"), "--html", str(tmp_path / "r.html")]) == 0
    assert seen == [1, 1, 2, 2, 3, 3]
    labels = [report["notebook"] for report in json.loads((tmp_path / "r.json").read_text())["reports"]]
    assert len(set(labels)) == 3
    capsys.readouterr()


@pytest.mark.slow
@pytest.mark.sandbox
def test_a_class_through_the_real_sandbox(tmp_path, capsys):
    from rnncourse.grading.walls.sandbox import find_sandbox
    from tests.house import need

    found, reason = find_sandbox()
    if found is None:
        need("a sandbox", reason)
    folder = tmp_path / "class"
    for learner, source in (("ada", "solutions"), ("bob", "exercises"), ("eve", "solutions")):
        content = json.loads((ROOT / source / "02_vanilla_rnn.ipynb").read_text(encoding="utf-8"))
        if learner == "eve":
            code = next(cell for cell in content["cells"] if cell["cell_type"] == "code")
            code["source"] = "import os\nos._exit(3)"
        hand_in(folder, f"{learner}/02_vanilla_rnn.ipynb", **content)
    hand_in(folder, "cyd.ipynb").write_bytes(b"\xff")
    assert main(["grade", str(folder), "--workers", "2", "--json", "-"]) == 2
    said = json.loads(capsys.readouterr().out)
    rows = {row["learner"]: row for row in said["learners"]}
    assert (rows["ada"]["points"], rows["bob"]["points"]) == (19, 0)
    assert rows["bob"]["reasons"] == ["2.1, 2.2, 2.3, 2.4, 2.5, 2.6: not written yet"]
    assert "not JSON" in rows["cyd"]["reasons"][0]
    assert rows["eve"]["points"] <= 19
    report = next(report for report in said["reports"] if report["notebook"].startswith("eve"))
    assert any("exit code 3" in problem for problem in report["cells"].values())
