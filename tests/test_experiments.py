"""A committed number is what the code would make now: changed lines make it stale, changed words do not."""

import importlib
import json
import math
import sys

import numpy as np
import pytest

from rnncourse import provenance, signatures
from rnncourse.notebooks import course_root
from rnncourse.results import (
    MissingResult,
    Pace,
    Published,
    StaleResult,
    expected_seconds,
    experiment_names,
    find_experiment,
    in_words,
    ledger_page,
    ledger_rows,
    load_result,
    note_challenge,
    records,
    refreshing,
    registry,
    require_fresh,
    runner,
    verdict,
)

ROOT = course_root()

# registering, running, storing


@pytest.fixture
def declared(monkeypatch):
    """Declares an experiment of a chapter 99, as a module of the folder would."""
    monkeypatch.setattr(registry, "_REGISTERED", {})
    calls = []

    def declare(name="99.try", also=(provenance.environment,), published=(), full=3):
        @registry.experiment(
            name,
            smoke={"seeds": 1, "n": 1, "lags": (1,)},
            page={"seeds": 1, "n": 2, "lags": (1,)},
            full={"seeds": full, "n": 3, "lags": (1, 2)},
            published=published,
        )
        def run(*, seed, n, lags):
            import torch

            calls.append(seed)
            noise = torch.rand(()).item()
            return {"y": seed + n, "noise": noise, "curve": [float(n), math.nan], "tensor": torch.ones(2)}

        one = registry._REGISTERED[name]
        object.__setattr__(one, "code_text", "1")
        return one

    monkeypatch.setattr(registry, "_modules", lambda: dict.fromkeys(registry._REGISTERED, "tests"))
    monkeypatch.setattr(registry.Experiment, "code", lambda self: self.code_text)
    declare.calls = calls
    return declare


def folders(root):
    return {"results": root / "book" / "results", "unfinished": root / "runs"}


def test_a_result_says_how_it_was_made_and_loads_back(declared, tmp_path):
    declared()
    lines = []
    file = runner.run_chapter_experiments("99", "full", **folders(tmp_path), say=lines.append)
    assert file == tmp_path / "book" / "results" / "99.json"
    result = load_result("99.try", tmp_path)
    assert (result.scale, result.seeds, dict(result.config)) == (
        "full",
        (0, 1, 2),
        {"seeds": 3, "n": 3, "lags": [1, 2]},
    )
    assert result.command == "rnncourse run 99 --scale full --experiment 99.try"
    assert set(result.versions) == set(provenance.environment())
    assert result.seconds >= 0
    np.testing.assert_array_equal(result["y"], [3, 4, 5])
    assert (result.mean("y"), result.spread("y"), result.summary("y", 1)) == (4.0, 1.0, "4.0 ± 1.0 (3 seeds)")
    np.testing.assert_array_equal(result.mean("curve"), [3.0, math.nan])
    assert result["tensor"].shape == (3, 2)
    assert len(lines) == 4
    with pytest.raises(KeyError, match="99.try has no value 'z'; it has: y, noise, curve, tensor"):
        result["z"]


def test_each_seed_gives_its_own_numbers_again(declared, tmp_path):
    one = declared()
    noise = [run["values"]["noise"] for run in runner.run_experiment(one, "full", say=str)["runs"]]
    assert len(set(noise)) == 3
    assert [run["values"]["noise"] for run in runner.run_experiment(one, "full", say=str)["runs"]] == noise


def test_one_experiment_leaves_the_others_results(declared, tmp_path):
    declared()
    declared("99.other")
    runner.run_chapter_experiments("99", "full", **folders(tmp_path), say=str)
    before = load_result("99.other", tmp_path)
    runner.run_chapter_experiments("99", "full", names=["99.try"], **folders(tmp_path), say=str)
    assert load_result("99.other", tmp_path) == before
    assert sorted(path.name for path in (tmp_path / "book" / "results").iterdir()) == ["99.json"]


def test_finished_seeds_survive_a_stop(declared, tmp_path, monkeypatch):
    one = declared()
    with monkeypatch.context() as patch:
        real = runner.run_seed

        def stops(experiment, seed, sizes):
            if seed == 2:
                raise KeyboardInterrupt
            return real(experiment, seed, sizes)

        patch.setattr(runner, "run_seed", stops)
        with pytest.raises(KeyboardInterrupt):
            runner.run_experiment(one, "full", unfinished=tmp_path, say=str)
    assert declared.calls == [0, 1]
    record = runner.run_experiment(one, "full", unfinished=tmp_path, say=str)
    assert declared.calls == [0, 1, 2]
    assert [run["seed"] for run in record["runs"]] == [0, 1, 2]
    assert list(tmp_path.iterdir()) == []


def test_missing_and_stale_results_name_the_command(declared, tmp_path):
    one = declared()
    command = "rnncourse run 99 --scale full --experiment 99.try"
    with pytest.raises(MissingResult, match=f"there is no result of 99.try yet; make it with: {command}"):
        load_result("99.try", tmp_path)
    runner.run_chapter_experiments("99", "full", **folders(tmp_path), say=str)
    assert require_fresh(tmp_path) == 1
    object.__setattr__(one, "code_text", "2")
    for look in (lambda: load_result("99.try", tmp_path), lambda: require_fresh(tmp_path)):
        with pytest.raises(
            StaleResult, match=rf"stale \(the code that made it changed\); make it again with: {command}"
        ):
            look()
    declared(full=4)
    with pytest.raises(StaleResult, match="its sizes changed"):
        load_result("99.try", tmp_path)
    with pytest.raises(ValueError, match="there is no experiment '99.tri'; there are: 99.try"):
        load_result("99.tri", tmp_path)


def test_a_stale_result_is_confirmed_only_when_a_seed_comes_out_the_same(declared, tmp_path, monkeypatch):
    one = declared()
    file = runner.run_chapter_experiments("99", "full", **folders(tmp_path), say=str)
    object.__setattr__(one, "code_text", "2")
    before = file.read_bytes()
    with monkeypatch.context() as patch:
        real = runner.run_seed
        patch.setattr(refreshing, "run_seed", lambda *given: real(*given) | {"y": 3.0000001, "new": 1})
        with pytest.raises(ValueError, match="99.try came out differently in new, y; its result is left as it was"):
            refreshing.confirm_result(one, file, say=str)
    assert file.read_bytes() == before
    refreshing.confirm_result(one, file, say=str)
    assert load_result("99.try", tmp_path).code == "2"
    record = json.loads(file.read_text())["experiments"]["99.try"]
    assert record["confirmed"]["made_by"] == "1"
    assert record["runs"] == json.loads(before)["experiments"]["99.try"]["runs"]
    with pytest.raises(ValueError, match="the sizes of 99.try changed"):
        refreshing.confirm_result(declared(full=4), file, say=str)
    with pytest.raises(ValueError, match="has no result of 99.new to confirm"):
        refreshing.confirm_result(declared("99.new"), file, say=str)


def test_a_result_of_an_experiment_that_is_gone_is_refused(declared, tmp_path):
    declared()
    runner.run_chapter_experiments("99", "full", **folders(tmp_path), say=str)
    registry._REGISTERED.clear()
    with pytest.raises(StaleResult, match="99.json holds a result of 99.try, an experiment that is gone"):
        require_fresh(tmp_path)


@pytest.mark.parametrize("content", ["", "[]", '{"experiments": {"99.try": {"runs": []}}}', '{"experiments": 3}'])
def test_a_broken_results_file_is_refused_and_left_alone(declared, tmp_path, content):
    declared()
    file = records.results_file(tmp_path, "99")
    file.parent.mkdir(parents=True)
    file.write_text(content)
    with pytest.raises(ValueError, match="99.json is not a results file"):
        load_result("99.try", tmp_path)
    with pytest.raises(ValueError, match="99.json is not a results file"):
        runner.run_chapter_experiments("99", "full", **folders(tmp_path), say=str)
    assert file.read_text() == content


@pytest.mark.parametrize(
    ("declare", "message"),
    [
        (lambda: registry.experiment("two.x", smoke={}, page={}, full={}), "experiment name is 'two.x'"),
        (
            lambda: registry.experiment("99.x", smoke={"seeds": 1}, page={"seeds": 1}, full={"n": 2})(
                lambda seed: {"y": 1}
            ),
            "full gives n; it should give seeds",
        ),
        (
            lambda: registry.experiment("99.x", smoke={"seeds": 1, "m": 1}, page={"seeds": 1}, full={"seeds": 1})(
                lambda seed: {"y": 1}
            ),
            "smoke gives m, seeds",
        ),
    ],
)
def test_a_declaration_that_does_not_fit_is_refused(declare, message):
    with pytest.raises(ValueError, match=message):
        declare()


def test_values_that_json_cannot_hold_are_refused():
    with pytest.raises(ValueError, match=r"99.x\['a'\]\[1\] is a set; results hold numbers"):
        records.plain({"a": [1, {2}]}, "99.x")


# the ledger

PUBLISHED = Published(
    "y",
    3.5,
    cite="nobody1999x",
    read="read in the paper",
    unit="bits",
    size="small",
    comparable=True,
    why="ours is smaller",
    better="higher",
    margin=0.1,
)


def test_the_ledger_puts_paper_and_page_side_by_side(declared, tmp_path):
    declared(published=[Published(**{**vars(PUBLISHED), "key": "tensor[-1]", "comparable": False}), PUBLISHED])
    assert "not run yet" in ledger_page(tmp_path)
    runner.run_chapter_experiments("99", "full", **folders(tmp_path), say=str)
    page = ledger_page(tmp_path)
    assert "2 numbers: 1 partly, 1 not comparable." in page
    assert "## Chapter 99" in page
    assert "* - Y {cite:p}`nobody1999x`\n  - **partly**\n  - 3.5 bits\n  - 4 ± 1 (3 seeds)" in page
    assert "* - Tensor[-1] {cite:p}`nobody1999x`\n  - not comparable\n  - 3.5 bits\n  - 1 ± 0 (3 seeds)" in page
    assert page.index("* - Y") < page.index("* - Tensor[-1]")  # comparable rows first, whatever the order declared
    assert "- **Y**, {cite:t}`nobody1999x` (read in the paper). Theirs: small. Ours: n 3" in page
    assert page == ledger_page(tmp_path)


@pytest.mark.parametrize(
    ("better", "margin", "expected"),
    [
        ("higher", 0.0, "partly"),  # ours: 3, 4 and 5 beside 3.5
        ("higher", 0.5, "reproduced"),
        ("lower", 0.0, "partly"),
        ("lower", 1.5, "reproduced"),
        ("", 0.5, "partly"),
        ("", 0.4, "not reproduced"),
        ("", 1.5, "reproduced"),
    ],
)
def test_every_seed_has_a_say_in_the_verdict(better, margin, expected):
    published = Published(**{**vars(PUBLISHED), "better": better, "margin": margin})
    assert verdict(published, np.array([3.0, 4.0, 5.0])) == expected


def test_each_row_of_the_ledger_has_the_number_that_its_experiment_computed():
    rows = list(ledger_rows(ROOT))
    page = (ROOT / "book" / "ledger.md").read_text(encoding="utf-8")
    assert page.count("\n* - ") == len(rows) + len({row.experiment.chapter for row in rows})  # and a head a chapter
    for row in rows:
        if row.result is not None:
            name, _, index = row.published.key.removesuffix("]").partition("[")
            values = [run[name][int(index)] if index else run[name] for run in row.result.runs]
            what = row.published.what or row.published.key.replace("_", " ")
            entry = page.split(f"* - {what[0].upper()}{what[1:]} {{cite:p}}`{row.published.cite}`\n", 1)[1]
            counted = [value for value in values if value is not None]  # null: a seed that never got there
            shown = entry.split("\n  - ")[2].split(" ")[0]
            if not counted:
                assert shown == "none", what
                continue
            mean = sum(counted) / len(counted)
            assert float(shown.replace(",", "").replace("−", "-")) == float(f"{mean:.3g}"), what
            assert ("," in shown) == (abs(float(f"{mean:.3g}")) >= 1000), what  # thousands in groups


def test_seeds_that_never_got_there_are_counted_and_not_averaged(declared, tmp_path):
    declared(published=[Published(**{**vars(PUBLISHED), "key": "curve[0]"})])
    declared("99.none", published=[Published(**{**vars(PUBLISHED), "key": "curve[1]", "what": "never"})])
    file = runner.run_chapter_experiments("99", "full", **folders(tmp_path), say=str)
    content = json.loads(file.read_text())
    content["experiments"]["99.try"]["runs"][1]["values"]["curve"][0] = None
    file.write_text(json.dumps(content))
    page = ledger_page(tmp_path)
    assert "  - **not reproduced**\n  - 3.5 bits\n  - 3 ± 0 (2 of 3 seeds)" in page
    assert "  - **not reproduced**\n  - 3.5 bits\n  - none (0 of 3 seeds)" in page


# how long it takes


def test_what_a_run_will_take_is_what_the_committed_results_took(declared, tmp_path):
    declared()
    declared("99.new")
    file = runner.run_chapter_experiments("99", "full", names=["99.try"], **folders(tmp_path), say=str)
    content = json.loads(file.read_text())
    content["experiments"]["99.try"]["seconds"] = 3725.0
    file.write_text(json.dumps(content))
    names = ["99.try", "99.new"]
    assert expected_seconds(tmp_path, names, "full") == {"99.try": 3725.0, "99.new": None}
    assert expected_seconds(tmp_path, names, "smoke") == {"99.try": None, "99.new": None}  # other sizes
    said = Pace(expected_seconds(tmp_path, names, "full")).announcement()
    assert said.startswith("2 experiments: about 1 h 02 min for 1 of them")
    assert said.endswith("never run at these sizes: 99.new")
    declared(full=4)
    assert expected_seconds(tmp_path, ["99.try"], "full") == {"99.try": None}  # its sizes changed since


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "0 s"), (59.4, "59 s"), (59.6, "1 min"), (3569, "59 min"), (3575, "1 h 00 min"), (21_600, "6 h 00 min")],
)
def test_seconds_are_rounded_as_somebody_would_say_them(seconds, words):
    assert in_words(seconds) == words


def test_what_is_left_follows_the_machines_own_pace():
    now = iter([0.0, 0.0, 300.0, 1000.0, 1060.0])
    pace = Pace({"99.a": 100.0, "99.b": None, "99.c": 60.0, "99.d": 600.0}, clock=now.__next__)
    assert pace.begins("99.a").endswith("experiment 1 of 4, about 13 min to go and 1 of unknown length")
    assert pace.begins("99.b").endswith("experiment 2 of 4, about 33 min to go and 1 of unknown length")  # thrice 660 s
    assert pace.begins("99.c").endswith("experiment 3 of 4, about 33 min to go")  # what was unknown tells nothing
    assert pace.begins("99.d").endswith("experiment 4 of 4, about 22 min to go")  # (300 + 60) / (100 + 60) of 600 s


def test_a_challenge_stands_beside_its_result_and_on_the_ledger(declared, tmp_path):
    declared(published=[PUBLISHED])
    words = {"tried": "a wider window", "reached": "3.4 bits", "outcome": "The sentence stays"}
    with pytest.raises(MissingResult, match=r"no result of 99.try"):
        note_challenge(tmp_path, "99.try", **words)
    runner.run_chapter_experiments("99", "full", **folders(tmp_path), say=str)
    note_challenge(tmp_path, "99.try", **words)
    assert load_result("99.try", tmp_path).challenge == (words,)
    assert load_result("99.try", tmp_path).challenged(24) == "challenge: a wider\nwindow: 3.4 bits"
    assert "- `99.try`: a wider window. Reached: 3.4 bits. The sentence stays." in ledger_page(tmp_path)
    with pytest.raises(ValueError, match="outcome is empty"):
        note_challenge(tmp_path, "99.try", **{**words, "outcome": " "})


def test_the_ledger_will_not_choose_among_a_lists_entries(declared, tmp_path):
    declared(published=[Published(**{**vars(PUBLISHED), "key": "curve"})])
    runner.run_chapter_experiments("99", "full", **folders(tmp_path), say=str)
    with pytest.raises(ValueError, match=r"'curve' is a list; name one entry, like 'curve\[-1\]'"):
        ledger_page(tmp_path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"read": "somewhere"}, "read is 'somewhere'"),
        ({"read": "from a secondary source"}, "is not compared as if it were exact"),
        ({"why": ""}, "why is empty"),
        ({"better": "bigger"}, "better is 'bigger'"),
        ({"margin": -1.0}, "margin -1.0"),
        ({"better": "", "margin": 0.0}, "needs better or margin"),
    ],
)
def test_a_published_number_says_where_it_was_read_and_why_it_differs(change, message):
    with pytest.raises(ValueError, match=message):
        Published(**{**vars(PUBLISHED), **change})


# the course's own


@pytest.mark.parametrize("name", experiment_names())
def test_every_experiment_can_be_followed_to_its_code(name):
    one = find_experiment(name)
    assert one.name == name
    assert len(one.code()) == 16
    assert importlib.import_module(one.function.__module__).__file__


def committed():
    return [
        (file, name)
        for file in sorted((ROOT / "book" / "results").glob("[0-9][0-9].json"))
        for name in json.loads(file.read_text())["experiments"]
    ]


@pytest.mark.parametrize(("file", "name"), committed(), ids=[name for _, name in committed()])
def test_no_committed_result_is_stale(file, name):
    result = load_result(name, ROOT)
    assert result.scale == "full"
    assert len(result.seeds) == result.config["seeds"]


def test_the_ledger_page_is_what_the_results_say():
    page = ROOT / "book" / "ledger.md"
    assert page.read_text(encoding="utf-8") == ledger_page(ROOT), "run: rnncourse ledger"


@pytest.mark.slow
@pytest.mark.parametrize("name", experiment_names())
def test_every_experiment_runs_and_calls_nothing_that_its_hash_does_not_hang_on(name):
    """The oracle of the static closure: what is really called, at smoke size, was found without running it."""
    one = find_experiment(name)
    called = set()

    def watch(frame, event, arg):
        module = frame.f_globals.get("__name__", "")
        held = frame.f_code.co_filename == signatures.__file__  # what @checked puts around a function only refuses
        if event == "call" and module.startswith("rnncourse.") and module not in provenance.scope.GUARDS and not held:
            called.add(f"{module}:{frame.f_code.co_qualname.split('.')[0]}")

    sys.setprofile(watch)
    try:
        values = one.function(seed=0, **{key: size for key, size in one.scales["smoke"].items() if key != "seeds"})
    finally:
        sys.setprofile(None)
    assert records.plain(values, name)
    reached = set(provenance.closure(one.function, *one.also, words=one.words()))
    made_by_python = ("<", "__create_fn__")  # lambdas, comprehensions, module bodies; what @dataclass writes
    missed = {key for key in called - reached if not key.split(":")[1].startswith(made_by_python)}
    assert f"{one.function.__module__}:{one.function.__name__}" in called
    assert not missed, f"name these in @experiment(..., also=...): {sorted(missed)}"


@pytest.mark.parametrize(
    ("within", "after", "renewed"),
    [
        (0.0, {"y": [1.0, 2.0], "n": 3}, "side by side"),
        (1e-6, {"y": [1.0, 2.000001], "n": 3}, "largest relative difference 5.0e-07, bound 1e-06"),
        (0.0, {"y": [1.0, 2.000001], "n": 3}, None),
        (1e-7, {"y": [1.0, 2.000001], "n": 3}, None),
        (1.0, {"y": [1.0, 2.0], "n": 4}, None),  # a count is no rounded number
        (1.0, {"y": [1.0], "n": 3}, None),
        (1.0, {"y": [1.0, float("nan")], "n": 3}, None),
        (1.0, {"y": [1.0, 2.0]}, None),
    ],
)
def test_two_versions_renew_a_result_within_a_stated_bound_which_is_recorded(
    declared, tmp_path, monkeypatch, within, after, renewed
):
    one = declared()
    file = runner.run_chapter_experiments("99", "full", **folders(tmp_path), say=str)
    object.__setattr__(one, "code_text", "2")
    both = iter([{"y": [1.0, 2.0], "n": 3}, after])
    monkeypatch.setattr(refreshing, "_smoke_values", lambda tree, experiment: next(both))
    (tmp_path / "rnncourse").mkdir()
    before = file.read_bytes()
    if renewed is None:
        with pytest.raises(ValueError, match="99.try comes out differently in [ny]; run it again"):
            refreshing.compare_versions(one, file, tmp_path, within=within, say=str)
        assert file.read_bytes() == before
    else:
        refreshing.compare_versions(one, file, tmp_path, within=within, say=str)
        assert renewed in json.loads(file.read_text())["experiments"]["99.try"]["confirmed"]["how"]
