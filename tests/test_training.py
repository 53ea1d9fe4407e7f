"""The training loop does what it says at each step, and says why it stopped."""

import itertools
import json
import math

import pytest
import torch
from torch import nn

from rnncourse.training import OPTIMIZERS, average, cosine, fit


def squared(model, batch):
    x, y = batch
    return ((model(x) - y) ** 2).mean()


@pytest.fixture
def batches():
    g = torch.Generator().manual_seed(1)
    x = torch.randn(5, 8, 3, generator=g)
    return [(one, one @ torch.tensor([[1.0], [-2.0], [0.5]])) for one in x]


def linear():
    torch.manual_seed(0)
    return nn.Linear(3, 1)


def run(model, batches, **options):
    return fit(model, batches, **{"loss": squared, "progress": False, "lr": 0.05} | options)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_fit_equals_the_loop_written_out(batches, name):
    model, twin = linear(), linear()
    history = run(model, batches, epochs=3, optimizer=name, weight_decay=0.01, clip=0.5)
    opt = OPTIMIZERS[name](twin.parameters(), lr=0.05, weight_decay=0.01)
    losses = []
    for _ in range(3):
        for batch in batches:
            opt.zero_grad()
            loss = squared(twin, batch)
            loss.backward()
            nn.utils.clip_grad_norm_(twin.parameters(), 0.5)
            opt.step()
            losses.append(loss.item())
    assert history.losses == losses
    assert torch.equal(model.weight, twin.weight)
    assert torch.equal(model.bias, twin.bias)


def test_an_optimiser_of_ones_own_is_used(batches):
    model, twin = linear(), linear()
    run(model, batches, epochs=2, lr=None, optimizer=lambda p: torch.optim.SGD(p, lr=0.01, momentum=0.9))
    run(twin, batches, epochs=2, optimizer="sgd", lr=0.01, momentum=0.9)
    assert torch.equal(model.weight, twin.weight)


def test_clipping_bounds_the_step_and_records_the_norm_before_it(batches):
    model = linear()
    before = torch.cat([p.detach().clone().flatten() for p in model.parameters()])
    history = run(model, batches, steps=1, optimizer="sgd", lr=1.0, clip=0.25)
    after = torch.cat([p.detach().flatten() for p in model.parameters()])
    assert history.gradient_norms[0] > 0.25
    assert (after - before).norm().item() == pytest.approx(0.25, rel=1e-4)


def test_without_clipping_the_gradient_is_left_alone(batches):
    model, twin = linear(), linear()
    history = run(model, batches, steps=1, optimizer="sgd", lr=0.1, clip=None)
    squared(twin, batches[0]).backward()
    norm = torch.cat([p.grad.flatten() for p in twin.parameters()]).norm().item()
    assert history.gradient_norms == [pytest.approx(norm, rel=1e-5)]
    torch.testing.assert_close(model.weight, twin.weight - 0.1 * twin.weight.grad)


def test_the_same_seed_trains_the_same_model_and_the_global_generator_is_left_alone(batches):
    def train(seed):
        torch.manual_seed(7)
        model = nn.Sequential(nn.Linear(3, 8), nn.Dropout(0.5), nn.Linear(8, 1))
        state = torch.get_rng_state()
        history = run(model, batches, epochs=2, seed=seed)
        assert torch.equal(torch.get_rng_state(), state)
        return history.losses

    assert train(0) == train(0)
    assert train(0) != train(1)


def test_epochs_and_steps_end_it_whichever_comes_first(batches):
    assert run(linear(), batches, epochs=2).steps == 10
    assert run(linear(), batches, steps=7).steps == 7
    early = run(linear(), batches, epochs=2, steps=3)
    assert (early.steps, early.epochs, early.stopped) == (3, 0, "all 3 steps done")
    late = run(linear(), batches, epochs=2, steps=99)
    assert (late.steps, late.epochs, late.stopped) == (10, 2, "all 2 epochs done")


def test_an_endless_iterator_is_read_as_far_as_the_steps_go(batches):
    endless = itertools.cycle(batches)
    assert run(linear(), endless, steps=12).steps == 12


def test_history_counts_sequences_steps_and_rates(batches):
    history = run(linear(), batches, epochs=2, schedule=cosine(10), lr=0.1)
    assert history.sequences == 10 * 8
    assert len(history.losses) == len(history.gradient_norms) == len(history.lrs) == 10
    assert history.lrs == [pytest.approx(0.1 * 0.5 * (1 + math.cos(math.pi * s / 10))) for s in range(10)]
    assert history.seconds > 0
    assert json.loads(json.dumps(history.to_dict()))["steps"] == 10


def test_progress_is_one_plain_line_at_a_time(batches, capsys):
    lines = []
    run(linear(), batches, steps=3, validate=lambda model: 1.0, progress=lines.append)
    assert len(lines) == 1
    assert lines[0].startswith("step 3/3  loss ")
    assert lines[0].endswith("stopped: all 3 steps done")
    assert "validation 1.0000 (best 1.0000)" in lines[0]
    run(linear(), batches, steps=3, progress=0.0)
    printed = capsys.readouterr()
    assert len(printed.out.splitlines()) == 4
    assert not set("\r\x1b") & set(printed.out)
    run(linear(), batches, steps=3, progress=False)
    assert capsys.readouterr().out == ""


def test_frozen_parameters_stay(batches):
    model = linear()
    model.bias.requires_grad_(False)
    before = model.bias.clone()
    run(model, batches, epochs=1)
    assert torch.equal(model.bias, before)


def test_average_weighs_by_what_was_counted():
    data = [(torch.ones(2), 2), (torch.zeros(6), 6)]
    model = nn.Dropout(0.9).train()
    assert average(model, data, lambda model, batch: (model(batch[0]).mean(), batch[1])) == 0.25
    assert average(model, data, lambda model, batch: model(batch[0]).mean()) == 0.5
    assert model.training


def test_cosine_falls_to_zero_and_stays():
    factor = cosine(10, warmup=2)
    assert [factor(s) for s in (0, 1, 2)] == [0.5, 1.0, 1.0]
    assert factor(6) == pytest.approx(0.5)
    assert factor(10) == factor(99) == pytest.approx(0)


@pytest.mark.bad_input
@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "epochs and steps are both None"),
        ({"steps": 0}, "steps is 0"),
        ({"epochs": 1.5}, "epochs is 1.5"),
        ({"steps": 1, "lr": 0}, "lr is 0"),
        ({"steps": 1, "lr": math.nan}, "lr is nan"),
        ({"steps": 1, "lr": "fast"}, "lr is 'fast'; it should be a positive, finite number"),
        ({"steps": 1, "momentum": 1.0, "optimizer": "sgd"}, "momentum is 1.0"),
        ({"steps": 1, "weight_decay": -0.1}, "weight_decay is -0.1"),
        ({"steps": 1, "clip": "all"}, "clip is 'all'"),
        ({"steps": 1, "loss": None}, "loss is a NoneType; it should be a function of the model and a batch"),
        ({"steps": 1, "schedule": 0.5}, "schedule is a float; it should be a function of the step"),
        ({"steps": 1, "validate": 0.5}, "validate is a float; it should be a function of the model"),
        ({"steps": 1, "seed": None}, "seed is a NoneType"),
        ({"steps": 1, "progress": "loud"}, "progress is a str"),
        ({"steps": 1, "model": None}, "model is a NoneType; it should be of type Module"),
        ({"steps": 1, "batches": 3}, "batches is a int; it should be something to loop over"),
        ({"steps": 1, "optimizer": ["sgd"]}, r"optimizer is \['sgd'\]"),
        ({"steps": 1, "clip": -1.0}, "clip is -1.0"),
        ({"steps": 1, "optimizer": "adamm"}, "optimizer is 'adamm'; it should be one of adam,"),
        ({"steps": 1, "momentum": 0.9}, "momentum is 0.9 and optimizer is 'adam'"),
        ({"steps": 1, "patience": 2}, "patience is set but validate is None"),
        ({"steps": 1, "validate": len, "patience": 0}, "patience is 0"),
        ({"steps": 1, "loss": lambda model, batch: 3.0}, "loss returned float"),
        ({"steps": 1, "loss": lambda model, batch: model.weight}, r"loss returned shape \(1, 3\)"),
        ({"steps": 1, "loss": lambda model, batch: torch.tensor(1.0)}, "without a gradient"),
        ({"steps": 6, "batches": iter([(torch.ones(1, 3), torch.ones(1, 1))])}, "used up after 1 epoch and 1 steps"),
        ({"steps": 6, "batches": []}, "batches was empty"),
        ({"steps": 1, "model": nn.Identity()}, "no parameters"),
    ],
)
def test_bad_input_is_named(batches, options, message):
    arguments = {"model": linear(), "batches": batches} | options
    with pytest.raises(ValueError, match=message):
        run(arguments.pop("model"), arguments.pop("batches"), **arguments)


@pytest.mark.bad_input
def test_average_of_nothing_and_an_impossible_schedule_are_refused():
    with pytest.raises(ValueError, match="batches was empty"):
        average(linear(), [], squared)
    with pytest.raises(ValueError, match="warmup is 5 and steps is 5"):
        cosine(5, warmup=5)


def test_a_measure_puts_every_parts_mode_back_also_after_an_error():
    model = nn.Sequential(nn.Dropout(), nn.Dropout().eval())

    def failing(model, batch):
        assert not any(part.training for part in model.modules())
        raise ZeroDivisionError

    average(model, [torch.ones(2)], lambda model, x: model(x).mean())
    assert [part.training for part in model.modules()] == [True, True, False]
    with pytest.raises(ZeroDivisionError):
        average(model, [torch.ones(2)], failing)
    assert [part.training for part in model.modules()] == [True, True, False]


@pytest.mark.bad_input
@pytest.mark.parametrize("option", [{"lr": 0.1}, {"weight_decay": 0.1}, {"momentum": 0.9}], ids=str)
def test_nothing_is_said_to_an_optimiser_that_does_not_listen(batches, option):
    with pytest.raises(
        ValueError, match=f"{next(iter(option))} is .* and optimizer is a function, which brings its own"
    ):
        run(linear(), batches, steps=1, optimizer=torch.optim.SGD, **{"lr": None} | option)
