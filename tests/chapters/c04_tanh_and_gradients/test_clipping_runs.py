"""Clipped and unclipped runs differ in the clipping alone; an unclipped one that diverges is counted, not raised."""

from rnncourse.chapters.c04_tanh_and_gradients.experiments import clipping as module
from rnncourse.chapters.c04_tanh_and_gradients.experiments.adding import learn_to_add
from rnncourse.chapters.c04_tanh_and_gradients.experiments.clipping import WAYS, clipping


def test_both_ways_see_the_same_start_and_only_one_is_clipped(monkeypatch):
    seen = []

    def spy(cell, **settings):
        seen.append((cell.weight_ih.sum().item(), settings.pop("clip"), settings))
        return learn_to_add(cell, **settings)

    monkeypatch.setattr(module, "learn_to_add", spy)
    clipping(seed=3, rates=[1e-3, 5e-3], length=5, steps=2)
    assert [clip for _, clip, _ in seen] == [1.0, 1.0, None, None]
    assert [run[::2] for run in seen[:2]] == [run[::2] for run in seen[2:]]


def test_a_run_that_blows_up_is_counted():
    values = clipping(seed=0, rates=[1e6], length=8, steps=20)
    assert set(values) == {f"{way}_{key}" for way in WAYS for key in KEYS}
    assert values["unclipped_solved"] == [0]
    assert values["unclipped_log10_norm"][0] > values["clipped_log10_norm"][0] - 1


KEYS = ("solved", "errors", "sequences", "diverged", "log10_norm")
