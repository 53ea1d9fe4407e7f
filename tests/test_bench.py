"""The benchmark measures what it says, on candidates that compute the same thing. No test here asserts a speed."""

import gc
import itertools
import json
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.utils.flop_counter import FlopCounterMode

from rnncourse.bench import (
    decoding,
    machine,
    main,
    memory,
    pairs,
    peers,
    records,
    recursion,
    scans,
    speed,
    targets,
    trees,
)
from rnncourse.bench.command import SECTIONS
from rnncourse.bench.plain_search import beam_by_hypothesis
from rnncourse.bench.products import products
from rnncourse.bench.timing import Summary, fitted_exponent, geometric_mean, interleave, ratios, summarise
from rnncourse.provenance import code_hash
from rnncourse.scan import SCANS
from rnncourse.seq2seq import beam_search, greedy
from rnncourse.trees import Forest, TreeLayer

ROOT = Path(__file__).parent.parent
MACHINES = sorted(records.folder_of(ROOT).glob("*.json"))


@pytest.fixture(autouse=True, scope="module")
def _nothing_old_to_search():
    """Each timed round begins with a search for garbage, half a second where thousands of tests were collected."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


@pytest.mark.parametrize("cell", ["RNN", "GRU", "LSTM"])
@pytest.mark.parametrize("candidate", ["kernel", "loop", "checkpoint", "textbook"])
def test_every_candidate_equals_torch(cell, candidate):
    reference = pairs.torch_layer(cell, 3, 4, torch.float64)
    build = pairs.textbook_layer if candidate == "textbook" else pairs.our_layer
    layer = build(cell, reference, *(() if candidate == "textbook" else (candidate,)))
    x, dy = torch.randn(2, 6, 3, dtype=torch.float64), torch.randn(2, 6, 4, dtype=torch.float64)
    theirs = pairs.results(reference, x, dy)
    assert len(theirs) == 5
    assert pairs.largest_difference(pairs.results(layer, x, dy), theirs) < 1e-10


def test_a_candidate_with_another_answer_is_not_timed():
    reference, other = pairs.torch_layer("GRU", 3, 4), pairs.torch_layer("GRU", 3, 4)
    x, dy = torch.randn(2, 6, 3), torch.randn(2, 6, 4)
    with pytest.raises(AssertionError, match="differs from torch.nn"):
        pairs.assert_same("other", pairs.results(other, x, dy), pairs.results(reference, x, dy), 1e-4)
    with pytest.raises(AssertionError, match="differs"):
        pairs.assert_same("nan", [torch.tensor([float("nan")])], [torch.ones(1)], 1e-4)


def test_work_leaves_no_gradient_behind():
    layer = pairs.torch_layer("LSTM", 3, 4)
    x = torch.randn(2, 6, 3, requires_grad=True)
    pairs.forward_backward(layer, x, torch.randn(2, 6, 4))()
    assert all(leaf.grad is None for leaf in (x, *layer.parameters()))


def test_truncated_work_goes_through_every_window():
    reference = pairs.torch_layer("LSTM", 3, 4)
    layer, seen = pairs.our_layer("LSTM", reference), []
    layer.register_forward_hook(lambda module, arguments, result: seen.append(arguments[0].shape[1]))
    x = torch.randn(2, 7, 3, requires_grad=True)
    memory.truncated_work(layer, x, torch.randn(2, 7, 4), window=3)()
    assert seen == [3, 3, 1]


def test_candidates_are_interleaved_and_their_order_rotates():
    ticks, order = itertools.count(), []
    candidates = {name: lambda name=name: order.append(name) for name in "abc"}
    seconds = interleave(candidates, rounds=3, warmup=0, clock=lambda: float(next(ticks)))
    assert "".join(order) == "abcbcacab"
    assert seconds == {"a": [1, 1, 1], "b": [1, 1, 1], "c": [1, 1, 1]}


def test_warmup_rounds_are_not_counted():
    calls = []
    seconds = interleave({"a": lambda: calls.append(1)}, rounds=2, warmup=3)
    assert (len(calls), len(seconds["a"])) == (5, 2)


def test_ratios_are_taken_within_a_round():
    found = ratios({"slow": [2.0, 20.0, 3.0], "base": [1.0, 10.0, 3.0]}, "base")
    assert found == {"slow": Summary(2.0, 1.0, 2.0)}
    assert summarise([4.0, 1.0, 2.0, 3.0]) == Summary(2.5, 1.0, 4.0)


@given(st.floats(0.2, 3), st.floats(1e-6, 10))
def test_the_exponent_of_a_power_law_is_recovered(exponent, scale):
    sizes = [256, 512, 1024, 4096]
    assert fitted_exponent(sizes, [scale * n**exponent for n in sizes]) == pytest.approx(exponent, rel=1e-6)


def test_the_geometric_mean_of_reciprocal_ratios_is_one():
    assert geometric_mean([0.25, 4.0, 0.5, 2.0]) == pytest.approx(1.0)


@pytest.mark.slow
def test_memory_is_measured_in_a_process_of_its_own_and_sees_a_known_allocation():
    small = memory.measure_apart("RNN", "torch.nn", 20, 1, 1, 1)
    large = memory.measure_apart("RNN", "torch.nn", 2000, 32, 1, 64)
    outputs = 2000 * 32 * 64 * 4 / 1e6  # the hidden states alone, in MB
    assert small < outputs <= large


@pytest.mark.parametrize("work", ["forward", "forward+backward"])
@pytest.mark.parametrize("cell", ["RNN", "GRU", "LSTM"])
def test_the_products_alone_are_those_of_the_textbook_loop(cell, work):
    def operations(function):
        with FlopCounterMode(display=False) as counter:
            function()
        return counter.get_total_flops()

    x, dy = torch.randn(3, 5, 2, requires_grad=True), torch.randn(3, 5, 4)
    layer = pairs.textbook_layer(cell, pairs.torch_layer(cell, 2, 4))
    backward = work == "forward+backward"
    textbook = pairs.forward_backward(layer, x, dy) if backward else pairs.forward_only(layer, x)
    assert operations(products(cell, x, 4, backward=backward)) == operations(textbook) > 0


@pytest.mark.parametrize("name", trees.CELLS)
def test_the_plain_recursion_equals_the_layer_over_trees(name):
    batch = [*trees.expressions(3), trees.balanced(5), trees.chain(4), trees.balanced(1)]
    forest, cell = Forest.of(batch), trees.CELLS[name](3, 5).double()
    x = torch.randn(*forest.counts.shape, 3, dtype=torch.float64, requires_grad=True)
    real = torch.arange(x.shape[1]) < forest.lengths.unsqueeze(1)
    leaves, results = [x, *cell.parameters()], []
    for y in (recursion.outputs(cell, x, forest.lengths.tolist(), batch), TreeLayer(cell)(x, trees=forest)[0][real]):
        results.append([y, *torch.autograd.grad(y.sin().sum(), leaves)])
    assert pairs.largest_difference(*results) < 1e-10


def test_a_quick_run_over_trees_compares_and_grows(tmp_path):
    words = ["--quick", "--sections", "trees", "--rounds", "1", "--figures", str(tmp_path)]
    assert main([*words, "--output", str(tmp_path / "bench.json")]) == 0
    rows = json.loads((tmp_path / "bench.json").read_text())["sections"]["trees"]["rows"]
    compared = {(row["cell"], row["trees"], row["work"]) for row in rows if row["kind"] == "speed"}
    kinds = ("ListOps", "binary"), ("forward", "forward+backward")
    assert compared == set(itertools.product(trees.CELLS, *kinds))
    grown = {(row["cell"], row["trees"], row["candidate"]) for row in rows if row["kind"] == "growth"}
    assert grown == set(itertools.product(trees.CELLS, ("chain", "binary"), ("levels", "fold")))


def test_trees_are_held_to_twenty_times_and_to_linear_growth():
    size = {"batch": 64, "nodes": 1, "hidden": 64}
    speed_row = {"kind": "speed", "cell": "N-ary", "trees": "binary", "work": "forward+backward", "size": size}
    growth_row = {"kind": "growth", "cell": "N-ary", "trees": "chain", "candidate": "levels", "nodes": [1, 8192]}
    for ratio, exponent, reached in ((21.0, 1.0, True), (19.0, 1.2, False)):
        rows = [speed_row | {"ratio": {"recursion": {"median": ratio}}}, growth_row | {"exponent": exponent}]
        assert [target.reached for target in targets.targets({"trees": {"rows": rows}})] == [reached, reached]


def record(ratio, textbook=2.0):
    """A layers section as the benchmark would save it, with one ratio everywhere."""
    rows = [
        {
            "cell": cell,
            "size": dict(zip(("time", "batch", "input", "hidden"), size, strict=True)),
            "work": "forward+backward",
            "ratio": {"kernel": {"median": ratio, "low": ratio, "high": ratio}},
            "textbook_over_kernel": {"median": textbook, "low": textbook, "high": textbook},
            "textbook_over_products": {"median": 2.5, "low": 2.5, "high": 2.5},
        }
        for cell in ("RNN", "GRU", "LSTM")
        for size in speed.LARGE
    ]
    return {"layers": {"rows": rows}}


def test_a_target_is_reached_on_its_own_side_of_the_limit():
    reached = {t.name: t.reached for t in targets.targets(record(1.0, textbook=1.7))}
    means = {name.split()[0]: value for name, value in reached.items() if "mean" in name}
    assert means == {"RNN": False, "GRU": False, "LSTM": True}
    assert [value for name, value in reached.items() if name.startswith("textbook")] == [False, False]
    assert all(t.reached for t in targets.targets(record(0.7)))
    assert not any(t.reached for t in targets.targets(record(2.0)) if "largest" in t.name)


def test_the_aims_are_about_what_a_layer_does_by_default_where_that_was_measured():
    sections = record(2.0)
    for row in sections["layers"]["rows"]:
        row["ratio"]["auto"] = {"median": 0.7, "low": 0.7, "high": 0.7}
    found = [target for target in targets.targets(sections) if "mean" in target.name]
    assert [(target.name.split()[1], target.reached) for target in found] == [("auto", True)] * 3


def test_lengths_have_two_opponents():
    row = {"cell": "GRU", "time": 100, "batch": 32, "ratio": {"kernel": {"median": 0.3}}}
    assert [t.reached for t in targets.targets({"lengths": {"rows": [row]}})] == [True]
    row["over_masked"] = {"kernel": {"median": 1.1}}
    assert [t.reached for t in targets.targets({"lengths": {"rows": [row]}})] == [True, False]


@pytest.fixture(scope="module")
def quick(tmp_path_factory):
    """One quick run of the sections that need no other process."""
    folder = tmp_path_factory.mktemp("bench")
    words = ["--quick", "--sections", "layers,lengths,growth", "--rounds", "1"]
    status = main([*words, "--output", str(folder / "bench.json"), "--figures", str(folder)])
    return status, folder, json.loads((folder / "bench.json").read_text())


def test_a_quick_run_saves_every_section_with_its_provenance(quick):
    status, _, record = quick
    assert status == 0
    assert list(record["sections"]) == [*records.PARTS["layers"], "lengths", "growth"]
    for section in record["sections"].values():
        assert section["rows"]
        assert {"command", "when", "seconds", "rounds", "versions", "machine", "commit", "code"} <= section.keys()
        assert section["versions"]["torch"] == torch.__version__
        assert section["machine"]["threads"] == 1


def test_a_quick_run_measures_every_cell_and_both_kinds_of_work(quick):
    _, _, record = quick
    rows = records.sections_of(record)["layers"]["rows"]
    cases = {(row["cell"], row["work"]) for row in rows}
    assert cases == set(itertools.product(("RNN", "GRU", "LSTM"), ("forward", "forward+backward")))
    for row in rows:
        there = {peer for peer in peers.PEERS if peers.missing(peer, row["cell"]) is None}
        assert set(row["ratio"]) == {*pairs.offered(speed.OURS), "textbook", "products"} | there
        assert max(row["difference"].values()) < 1e-4
        assert set(row["compile_seconds"]) == there
    for row in record["sections"]["lengths"]["rows"]:
        assert row["difference"]["float64"] < 1e-10
        assert set(row["ratio"]) - {"masked torch.nn"} == set(row["over_masked"]) - {"packed torch.nn"}


def test_the_figures_are_drawn_from_the_record_and_are_the_same_bytes_each_time(quick, tmp_path):
    from rnncourse.viz import bench as figures

    _, folder, record = quick
    for name in ("layers", "lengths", "growth"):
        assert (folder / f"bench_{name}.svg").stat().st_size > 1000
    again = figures.save_all(records.measured(record), tmp_path)
    assert [path.name for path in again] == ["bench_layers.svg", "bench_lengths.svg", "bench_growth.svg"]
    for path in again:
        assert path.read_bytes() == (folder / path.name).read_bytes()


SMALL_DECODING = {"sentences": 3, "source": 4, "length": 5, "hidden": 6, "growing": (2, 4)}


def test_decoding_measures_every_pair_and_its_growth():
    said = []
    rows = decoding.measure(("GRU",), rounds=1, say=said.append, **SMALL_DECODING)
    opponents = {row["work"]: set(row["ratio"]) for row in rows if "ratio" in row}
    assert opponents == {
        "greedy": {"one by one"},
        "beam": {"by sentence", "by hypothesis"},
        "keys": {"at every step"},
        "teacher forcing": {"step by step"},
    }
    assert [row["work"] for row in rows if "exponent" in row] == ["growth of greedy", "growth of beam"]
    assert len(said) == len(rows) == 6


def test_the_batched_search_finds_what_one_hypothesis_at_a_time_finds():
    model = decoding.build("LSTM", 6).double()
    start, state = torch.ones(4, 1).long(), model.encode(torch.randint(30, (4, 5)))
    options = {"width": 3, "eos": 2, "max_length": 6}
    together = beam_search(model.decoder, start, state, **options)
    alone = beam_by_hypothesis(model.decoder, start, state, **options)
    for row, one in enumerate(alone):
        for place, (score, tokens) in enumerate(one):
            assert together.tokens[row, place, : together.lengths[row, place]].tolist() == tokens
            assert together.log_probabilities[row, place].item() == pytest.approx(score, abs=1e-9)


def test_a_search_with_another_answer_is_not_timed(monkeypatch):
    monkeypatch.setattr(decoding, "greedy_one_by_one", lambda *a, **k: [greedy(*a, **k | {"max_length": 1})])
    with pytest.raises(AssertionError, match="greedy decoding differs"):
        decoding.measure(("GRU",), rounds=1, say=print, **SMALL_DECODING)


def test_decoding_reaches_its_aims_on_the_right_side():
    ratio = {"median": 7.9, "low": 7.0, "high": 9.0}
    rows = [
        {"cell": "GRU", "work": "greedy", "size": {"sentences": 64}, "ratio": {"one by one": ratio}},
        {"cell": "GRU", "work": "beam", "size": {"sentences": 64}, "ratio": {"by hypothesis": {**ratio, "median": 8}}},
        {"cell": "GRU", "work": "growth of beam", "time": [32, 256], "exponent": 1.2},
    ]
    assert [aim.reached for aim in targets.targets({"decoding": {"rows": rows}})] == [False, True, False]


def test_a_figure_of_memory_has_a_bar_for_each_candidate():
    from rnncourse.viz.bench import memory_figure

    row = {"cell": "LSTM", "time": 5000, "megabytes": {"median": 10.0}, "time_ratio": {"median": 1.1}}
    rows = [{**row, "candidate": name} for name in memory.CANDIDATES]
    record = {"machine": "one", "sections": {"memory": {"rows": rows}}}
    figure = memory_figure(record, {"machine": "of nothing", "sections": {}}, record | {"machine": "another"})
    assert [len(axis.patches) for axis in figure.axes] == [len(memory.CANDIDATES)] * 2
    assert [axis.get_title(loc="left") for axis in figure.axes] == ["one", "another"]
    with pytest.raises(ValueError, match="no record has a section 'memory'"):
        memory_figure({"machine": "of nothing", "sections": {}})


def test_sections_measured_before_are_kept(quick, tmp_path):
    _, _, record = quick
    path = tmp_path / "bench.json"
    path.write_text(json.dumps(record))
    words = ["--quick", "--sections", "growth", "--rounds", "1", "--output", str(path), "--figures", str(tmp_path)]
    assert main(words) == 0
    after = json.loads(path.read_text())["sections"]
    assert after["layers-gru"] == record["sections"]["layers-gru"]
    assert after["growth"]["rows"] != record["sections"]["growth"]["rows"]


@pytest.mark.parametrize("words", [["--sections", "layers,speed"], ["--rounds", "0"], ["--nonsense"]])
def test_wrong_words_end_with_one_line_that_says_what_is_known(words, capsys):
    with pytest.raises(SystemExit) as end:
        main(words)
    assert end.value.code == 2
    assert "rnncourse bench: error:" in capsys.readouterr().err.splitlines()[-1]


def test_a_folder_that_cannot_be_written_is_refused_before_anything_is_measured(tmp_path, capsys):
    (tmp_path / "file").write_text("")
    assert main(["--quick", "--output", str(tmp_path / "file" / "bench.json")]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert len(err.splitlines()) == 1
    assert "choose --output" in err


def test_a_wrong_result_ends_the_run_with_one_line(tmp_path, capsys, monkeypatch):
    def wrong(*arguments, **options):
        raise AssertionError("LSTM kernel differs from torch.nn by 1e+00; nothing is timed that is not equal")

    monkeypatch.setattr(speed, "measure", wrong)
    assert main(["--quick", "--sections", "layers", "--output", str(tmp_path / "b.json")]) == 1
    assert "differs from torch.nn" in capsys.readouterr().err


def test_after_ctrl_c_the_finished_sections_are_saved(tmp_path, capsys, monkeypatch):
    from rnncourse.bench import growth, lengths

    def stop(*arguments, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr(growth, "measure", lambda *a, **k: [])
    monkeypatch.setattr(lengths, "measure", stop)
    path = tmp_path / "b.json"
    assert main(["--quick", "--sections", "growth,lengths", "--output", str(path)]) == 130
    assert list(json.loads(path.read_text())["sections"]) == ["growth"]


@pytest.mark.parametrize("section", SECTIONS)
def test_some_machine_measured_the_code_that_is_here(section):
    measured = [records.read(path)["sections"].get(section) for path in MACHINES]
    made_by = [one["code"] for one in measured if one]
    if not made_by:
        pytest.skip(f"not measured on a quiet machine yet; run: rnncourse bench --sections {section}")
    assert code_hash(SECTIONS[section]) in made_by, f"run: rnncourse bench --sections {section}"


@pytest.mark.parametrize("path", MACHINES, ids=lambda path: path.stem)
def test_a_machine_has_one_file_and_each_of_its_sections_says_how_it_was_measured(path):
    record = records.read(path)
    assert record["sections"].keys() <= SECTIONS.keys()
    for section in record["sections"].values():
        said = section["machine"]
        assert records.slug(said["processor"], said["model"]) == path.stem
        assert {"model", "instruction_set", "blas", "onednn", "threads", "cores"} <= said.keys()
        assert {"command", "when", "seconds", "rounds", "versions", "commit", "code", "rows"} <= section.keys()
        assert said["threads"] == 1
    assert records.name_of(record)


def test_the_machine_is_recorded_with_what_torch_uses_of_it():
    said, configuration = machine.machine(), torch.__config__.show()
    assert said["instruction_set"] == torch.backends.cpu.get_cpu_capability()
    assert (said["onednn"] is not None) == torch.backends.mkldnn.is_available()
    assert said["blas"].startswith("MKL") == torch.backends.mkl.is_available()
    assert said["blas"].split()[-1] in configuration
    assert said["processor"]
    assert records.this_machine() == machine.slug(said["processor"], said["model"])


def test_processors_whose_name_is_hidden_are_told_apart(tmp_path, monkeypatch):
    found = set()
    for number in (143, 207):
        lines = {"vendor_id": "GenuineIntel", "cpu family": 6, "model": number, "model name": "Xeon", "stepping": 2}
        (tmp_path / "cpuinfo").write_text("\n".join(f"{name}\t: {value}" for name, value in lines.items()))
        monkeypatch.setattr(machine, "CPUINFO", tmp_path / "cpuinfo")
        found.add(records.this_machine())
    assert found == {"xeon-6-143", "xeon-6-207"}
    monkeypatch.setattr(machine, "CPUINFO", tmp_path / "nothing")
    assert machine.model() is None
    assert machine.slug(machine.processor(), machine.model())


def test_a_file_holds_one_machine(quick, tmp_path, capsys):
    _, _, record = quick
    other = json.loads(json.dumps(record).replace(json.dumps(machine.processor()), '"another"'))
    path = tmp_path / "bench.json"
    path.write_text(json.dumps(other))
    assert main(["--quick", "--sections", "growth", "--output", str(path), "--figures", str(tmp_path)]) == 1
    assert "is of another; choose another --output" in capsys.readouterr().err
    assert json.loads(path.read_text()) == other
    mixed = {"sections": {"growth": record["sections"]["growth"], "lengths": other["sections"]["lengths"]}}
    with pytest.raises(ValueError, match="it should be one processor"):
        records.name_of(mixed)


def test_nothing_in_a_machine_s_file_is_read_from_one_that_is_broken(tmp_path):
    for text in ("", "[]", "{}", '{"sections": 3}'):
        (tmp_path / "a.json").write_text(text)
        assert records.read(tmp_path / "a.json") == {"sections": {}}
        assert records.read_all(tmp_path) == []


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
@pytest.mark.parametrize("cell", ["RNN", "GRU", "LSTM"])
@pytest.mark.parametrize("peer", peers.PEERS)
def test_every_peer_equals_torch(peer, cell, dtype):
    if reason := peers.missing(peer, cell):
        pytest.skip(reason)
    reference = pairs.torch_layer(cell, 3, 4, dtype)
    x, dy = torch.randn(2, 6, 3, dtype=dtype), torch.randn(2, 6, 4, dtype=dtype)
    found = peers.Peer(peer, cell, reference, x, dy)
    mine = found.results()
    assert {each.dtype for each in mine} == {dtype}
    tolerance = 1e-10 if dtype == torch.float64 else 1e-5
    assert pairs.largest_difference(mine, pairs.results(reference, x, dy)) < tolerance
    (outputs,) = [torch.tensor(peers._numpy(found.work("forward")()))]
    assert torch.equal(outputs, mine[0])
    told = dict(found.compile_seconds)
    found.work("forward+backward")
    assert found.compile_seconds == told  # the compiling, not its being found again
    assert set(told) == {"forward", "forward+backward"}


def test_a_peer_that_is_missing_is_named_with_the_reason(monkeypatch):
    monkeypatch.setattr(peers, "find_spec", lambda name: None if name == "flax" else name)
    assert peers.missing("flax", "GRU") == "flax skipped: flax not installed (pip install rnncourse[bench])"
    assert peers.missing("equinox", "LSTM") is None
    assert "no vanilla cell" in peers.missing("equinox", "RNN")
    said = []
    monkeypatch.setattr(peers, "find_spec", lambda name: None)
    rows = speed.measure(speed.TINY, rounds=1, cells=("GRU",), say=said.append)
    assert [line for line in said if "skipped" in line] == [peers.missing(peer, "GRU") for peer in peers.PEERS]
    assert not any(set(peers.PEERS) & set(row["ratio"]) for row in rows)


@pytest.fixture(scope="module")
def scan_rows():
    return scans.measure((4, 40), rounds=1, widths=((2, 3),), say=lambda text: None)


def test_every_scan_is_timed_against_the_loop_and_torch_and_its_error_is_measured(scan_rows):
    kinds = {
        kind: [row for row in scan_rows if row["kind"] == kind] for kind in ("time", "growth", "crossover", "error")
    }
    assert sum(map(len, kinds.values())) == len(scan_rows)
    assert [row["time"] for row in kinds["time"]] == [4, 40]
    for row in kinds["time"]:
        assert set(row["ratio"]) == {"loop", *SCANS}
        assert set(row["over_loop"]) == {"torch.nn", *SCANS}
    assert {row["candidate"] for row in kinds["growth"]} == {"torch.nn", "loop", *SCANS}
    pairs = {(row["candidate"], row["over"]) for row in kinds["crossover"]}
    assert {("odd_even", "sequential"), ("chunked", "sequential"), ("sequential", "torch.nn")} <= pairs
    for row in kinds["error"]:
        assert all(0 < error["states"] < 1e-4 for error in row["error"])


def test_a_scan_with_another_answer_is_not_timed(monkeypatch):
    assert scans.assert_loop("odd_even", 3, 40) < 1e-12
    coefficients = scans.MinGRUCell.coefficients
    monkeypatch.setattr(scans.MinGRUCell, "coefficients", lambda cell, x: (coefficients(cell, x)[1],) * 2)
    with pytest.raises(AssertionError, match="odd_even differs from the loop"):
        scans.assert_loop("odd_even", 3, 40)


def test_the_figure_of_the_scans_has_a_line_for_each_candidate_at_each_width(scan_rows):
    from rnncourse.viz.bench import scan_figure

    figure = scan_figure({"machine": "one", "sections": {"scan": {"rows": scan_rows}}})
    assert [len(axis.lines) for axis in figure.axes] == [2 + len(SCANS)]


@given(st.lists(st.floats(0.1, 9), min_size=1, max_size=8))
def test_a_crossover_is_the_first_length_after_which_nothing_is_slower(measured):
    found = scans.crossover(list(range(len(measured))), measured)
    wins = [ratio < 1 for ratio in measured]
    if found is None:
        assert not wins[-1]
    else:
        assert all(wins[found:])
        assert found == 0 or not wins[found - 1]
