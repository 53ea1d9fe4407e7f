"""The figure of the four ways shows five networks, and each layer stands where its name says."""

import pytest
from matplotlib import pyplot as plt
from matplotlib.patches import FancyBboxPatch

from rnncourse.chapters.c08_deep.figures.four_ways import PANELS, TITLES, four_ways


@pytest.fixture(autouse=True)
def close():
    yield
    plt.close("all")


def shown(kind):
    axes = four_ways((kind,)).axes[0]
    boxes = [p for p in axes.patches if isinstance(p, FancyBboxPatch) and p.get_width() * p.get_height() > 0.05]
    return {text.get_text(): text.get_position() for text in axes.texts}, boxes


def test_every_kind_has_its_title_inputs_states_and_outputs():
    texts = [text.get_text() for text in four_ways().axes[0].texts]
    for kind in PANELS:
        assert TITLES[kind] in texts
    for name in ("$x_{t}$", "$h_{t}$", "$y_{t}$", "$x_{t-1}$"):
        assert texts.count(name) == len(PANELS)
    assert texts.count("$h^{(2)}_{t}$") == 1


@pytest.mark.parametrize(("kind", "below", "above"), [("deep_input", "x", "h"), ("deep_output", "h", "y")])
def test_a_feedforward_layer_stands_between_what_it_joins(kind, below, above):
    places, boxes = shown(kind)
    assert len(boxes) == 2
    for box in boxes:
        middle = box.get_y() + box.get_height() / 2
        assert places[f"${below}_{{t}}$"][1] < middle < places[f"${above}_{{t}}$"][1]


def test_the_layer_of_a_deep_transition_stands_between_two_steps():
    places, (box,) = shown("deep_transition")
    assert places["$h_{t-1}$"][0] < box.get_x() < box.get_x() + box.get_width() < places["$h_{t}$"][0]


@pytest.mark.bad_input
def test_an_unknown_kind_is_refused():
    with pytest.raises(ValueError, match="an entry of kinds is 'wide'"):
        four_ways(("wide",))
