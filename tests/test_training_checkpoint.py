"""A run that was stopped and goes on is the run that never stopped, bit for bit."""

import itertools
import signal
import subprocess
import sys
import textwrap
from dataclasses import asdict

import pytest
import torch
from torch import nn

from rnncourse.data import Split
from rnncourse.data.batches import labelled
from rnncourse.training import Interrupted, cosine, fit
from tests.house import ROOT

DATA = torch.Generator().manual_seed(1)
INPUTS, TARGETS = torch.randn(23, 4, 3, generator=DATA), torch.randn(23, generator=DATA)
LENGTHS = torch.randint(1, 5, (23,), generator=DATA)


class Model(nn.Module):
    """With dropout, which draws random numbers, and running statistics, which are no parameters."""

    def __init__(self, hidden=5):
        super().__init__()
        torch.manual_seed(0)
        self.layers = nn.Sequential(nn.Linear(3, hidden), nn.BatchNorm1d(hidden), nn.Dropout(0.4), nn.Linear(hidden, 1))

    def forward(self, x):
        return self.layers(x.mean(1)).squeeze(1)


def squared(model, batch):
    return (model(batch.inputs) - batch.targets).square().mean()


def batches(seed=3, **options):
    return Split(labelled(INPUTS, TARGETS, LENGTHS)).batches(4, seed=seed, **options)  # six an epoch, the last of three


def measure(model):
    return (model(INPUTS) - TARGETS).square().mean()


def run(model, drawn=None, **options):
    standard = {"loss": squared, "progress": False, "lr": 0.05, "seed": 7, "weight_decay": 0.01}
    return fit(model, batches() if drawn is None else drawn, **standard | options)


def told(history):
    return {name: value for name, value in asdict(history).items() if name != "seconds"}


def assert_same(ours, theirs):
    assert ours.keys() == theirs.keys()
    for name in ours:
        assert torch.equal(ours[name], theirs[name]), name


WAYS = {
    "adam": {},
    "sgd": {"optimizer": "sgd", "momentum": 0.9},
    "rmsprop": {"optimizer": "rmsprop"},
    "adamw, cosine": {"optimizer": "adamw", "schedule": cosine(20, warmup=3)},
    "an optimiser of one's own": {
        "optimizer": lambda p: torch.optim.NAdam(p, lr=0.01),
        "lr": None,
        "weight_decay": 0.0,
    },
    "validated by epochs": {"validate": measure},
    "validated by steps": {"validate": measure, "validate_every": 3},
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("stops", [(5, 10), (6, 12), (1, 7, 20), (12, 13, 14, 20)], ids=str)
def test_stopping_and_going_on_is_never_having_stopped(tmp_path, way, stops):
    whole, parts = Model(), None
    history = run(whole, steps=stops[-1], **WAYS[way])
    for stop in stops:
        parts = Model()  # as in a new process: another model, other batches, the file alone is common
        torch.manual_seed(stop)
        said = run(parts, steps=stop, checkpoint=tmp_path / "run.pt", **WAYS[way])
    assert told(said) == told(history)
    assert_same(parts.state_dict(), whole.state_dict())
    assert list(tmp_path.iterdir()) == [tmp_path / "run.pt"]


def test_the_optimiser_and_the_best_weights_go_on_too(tmp_path):
    for name, stops in (("whole", [14]), ("parts", [4, 14])):
        for stop in stops:
            run(Model(), steps=stop, validate=measure, validate_every=2, checkpoint=tmp_path / name)
    whole, parts = (torch.load(tmp_path / name, weights_only=True) for name in ("whole", "parts"))
    for key in whole["optimizer"]["state"]:
        assert_same(parts["optimizer"]["state"][key], whole["optimizer"]["state"][key])
    assert_same(parts["best_weights"], whole["best_weights"])
    assert parts["since_best"] == whole["since_best"]
    assert torch.equal(parts["place"]["now"]["random"][0], whole["place"]["now"]["random"][0])


def test_epochs_go_on_with_the_same_batches_object_or_a_fresh_one(tmp_path):
    whole, fresh, same = Model(), Model(), Model()
    history = run(whole, epochs=3)
    run(Model(), epochs=1, checkpoint=tmp_path / "fresh")
    assert told(run(fresh, epochs=3, checkpoint=tmp_path / "fresh")) == told(history)
    drawn = batches()
    run(Model(), drawn, steps=8, checkpoint=tmp_path / "same")
    assert told(run(same, drawn, epochs=3, checkpoint=tmp_path / "same")) == told(history)
    assert_same(fresh.state_dict(), whole.state_dict())
    assert_same(same.state_dict(), whole.state_dict())


def test_a_loader_that_shuffles_by_torchs_generator_goes_on(tmp_path):
    rows = Split(labelled(INPUTS, TARGETS, LENGTHS))

    def loader():
        return torch.utils.data.DataLoader(range(23), batch_size=4, shuffle=True, collate_fn=rows.batch)

    whole, parts = Model(), Model()
    history = run(whole, loader(), steps=10)
    run(Model(), loader(), steps=5, checkpoint=tmp_path / "run")
    assert told(run(parts, loader(), steps=10, checkpoint=tmp_path / "run")) == told(history)
    assert_same(parts.state_dict(), whole.state_dict())


def test_patience_that_ran_out_stays_so_and_more_of_it_goes_on(tmp_path):
    values = itertools.count()

    def worse(model):
        return next(values)

    options = {"validate": worse, "validate_every": 1, "checkpoint": tmp_path / "run"}
    first = run(Model(), steps=20, patience=2, **options)
    again = run(Model(), steps=20, patience=2, **options)
    assert told(again) == told(first)
    assert first.steps == 3
    assert run(Model(), steps=20, patience=4, **options).steps == 5


def test_a_finished_run_takes_no_further_step(tmp_path):
    once, twice = Model(), Model()
    history = run(once, steps=5, checkpoint=tmp_path / "run")
    assert told(run(twice, steps=5, checkpoint=tmp_path / "run")) == told(history)
    assert_same(once.state_dict(), twice.state_dict())


class Killed(BaseException):
    """What ends a process without asking."""


@pytest.mark.parametrize("every", [1, 4])
def test_a_run_that_died_goes_on_from_the_last_written_step(tmp_path, every):
    steps = itertools.count()

    def dying(model, batch):
        if next(steps) == 9:
            raise Killed
        return squared(model, batch)

    whole, parts = Model(), Model()
    history = run(whole, steps=15)
    options = {"steps": 15, "checkpoint": tmp_path / "run", "checkpoint_every": every}
    with pytest.raises(Killed):
        run(Model(), loss=dying, **options)
    assert told(run(parts, **options)) == told(history)
    assert_same(parts.state_dict(), whole.state_dict())


def test_a_file_that_could_not_be_written_whole_leaves_the_one_before(tmp_path, monkeypatch):
    file = tmp_path / "run"
    run(Model(), steps=3, checkpoint=file)
    before = file.read_bytes()

    def full(content, handle):
        handle.write(b"half")
        raise OSError("no space left on device")

    monkeypatch.setattr(torch, "save", full)
    with pytest.raises(OSError, match="no space"):
        run(Model(), steps=6, checkpoint=file)
    assert file.read_bytes() == before
    assert list(tmp_path.iterdir()) == [file]


OTHERS = {
    "model": (lambda: Model(hidden=6), {}, r"another model: there layers.0.weight \(5, 3\)"),
    "optimiser": (Model, {"optimizer": "sgd"}, "another optimizer: there Adam"),
    "weight decay": (Model, {"weight_decay": 0.02}, "another optimizer"),
    "rate": (Model, {"lr": 0.06}, r"another lr: there \[0.05\], here \[0.06\]"),
    "seed": (Model, {"seed": 8}, "another seed: there 7, here 8"),
    "clip": (Model, {"clip": None}, "another clip: there 1.0, here None"),
    "batches": (Model, {"drawn": batches(drop_last=True)}, "another batches: there 6, here 5"),
    "schedule": (Model, {"schedule": cosine(9)}, "schedule gives step 3 a learning rate of"),
    "validation": (Model, {"validate": measure, "validate_every": 2}, "another validate_every"),
}


@pytest.mark.bad_input
@pytest.mark.parametrize("what", OTHERS)
def test_a_file_of_another_run_is_refused_and_nothing_is_changed(tmp_path, what):
    file = tmp_path / "run"
    run(Model(), steps=3, checkpoint=file)
    make, options, message = OTHERS[what]
    model, before = make(), file.read_bytes()
    weights = {name: value.clone() for name, value in model.state_dict().items()}
    with pytest.raises(ValueError, match=message):
        run(model, steps=6, checkpoint=file, **options)
    assert file.read_bytes() == before
    if what != "schedule":
        assert_same(model.state_dict(), weights)


@pytest.mark.bad_input
def test_what_is_no_checkpoint_is_refused(tmp_path):
    for name, content in (("empty", b""), ("text", b"this is a letter"), ("half", None)):
        file = tmp_path / name
        if content is None:
            run(Model(), steps=1, checkpoint=file)
            content = file.read_bytes()[:-300]
        file.write_bytes(content)
        with pytest.raises(ValueError, match=f"checkpoint is '.*{name}', which cannot be read"):
            run(Model(), steps=2, checkpoint=file)
    torch.save({"weights": torch.zeros(2)}, tmp_path / "other")
    with pytest.raises(ValueError, match="it should be a file that fit wrote"):
        run(Model(), steps=2, checkpoint=tmp_path / "other")
    for wrong in (3, "", tmp_path, tmp_path / "no" / "folder"):
        with pytest.raises(ValueError, match="^checkpoint is "):
            run(Model(), steps=2, checkpoint=wrong)
    with pytest.raises(ValueError, match="batches is a generator, which cannot be read from its start again"):
        run(Model(), (batch for batch in batches()), steps=2, checkpoint=tmp_path / "run")
    with pytest.raises(ValueError, match="checkpoint_every is set but checkpoint is None"):
        run(Model(), steps=2, checkpoint_every=2)


SCRIPT = """
    import os, signal, sys, torch
    from tests.test_training_checkpoint import Model, batches, measure, run, squared
    from rnncourse.training import Interrupted

    file = sys.argv[1] or None
    model = Model()
    model.layers[1].eval()
    taken = []

    def interrupted(model, batch):
        value = squared(model, batch)
        taken.append(value.item())
        if len(taken) == 9:
            os.kill(os.getpid(), signal.SIGINT)  # in the midst of the ninth step
        return value

    try:
        run(model, loss=interrupted, steps=1000, validate=measure, validate_every=2, checkpoint=file)
    except Interrupted as stop:
        history = stop.history
        assert history.losses == taken and history.steps == 9, history
        assert history.stopped == "interrupted at step 9", history.stopped
        assert abs(measure(model.eval()).item() - history.best) < 1e-6
        print(history.best_step, [part.training for part in model.train().modules()])
    else:
        raise SystemExit("it was not interrupted")
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
"""


def interrupt(*arguments):
    script = textwrap.dedent(SCRIPT)
    return subprocess.run(
        [sys.executable, "-c", script, *arguments], cwd=ROOT, capture_output=True, text=True, check=False, timeout=120
    )


def test_an_interrupt_keeps_the_history_the_best_weights_and_the_whole_step(tmp_path):
    done = interrupt(str(tmp_path / "run"))
    assert done.returncode == 0, done.stderr
    whole, parts = Model(), Model()
    options = {"steps": 12, "validate": measure, "validate_every": 2}
    for model in (whole, parts):
        model.layers[1].eval()
    history = run(whole, **options)
    assert told(run(parts, checkpoint=tmp_path / "run", **options)) == told(history)
    assert_same(parts.state_dict(), whole.state_dict())


def test_a_second_interrupt_does_not_wait(monkeypatch):
    steps = []

    def stuck(model, batch):
        steps.append(1)
        if len(steps) == 3:
            signal.raise_signal(signal.SIGINT)
            signal.raise_signal(signal.SIGINT)
        return squared(model, batch)

    model = Model()
    with pytest.raises(Interrupted) as stop:
        run(model, loss=stuck, steps=10)
    assert stop.value.history.steps == len(stop.value.history.losses) == 2
    assert isinstance(stop.value, KeyboardInterrupt)


def test_a_run_puts_every_modes_part_back(tmp_path):
    def frozen():
        model = Model()
        model.layers[1].eval()
        return model

    def broken(model, batch):
        raise Killed

    for model, options in ((frozen(), {}), (frozen().eval(), {}), (frozen(), {"validate": measure})):
        before = [part.training for part in model.modules()]
        run(model, steps=3, **options)
        assert [part.training for part in model.modules()] == before
        with pytest.raises(Killed):
            run(model, steps=3, loss=broken)
        assert [part.training for part in model.modules()] == before
