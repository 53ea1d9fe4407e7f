"""The drawings of chapter 12 show what they say."""

import pytest
from matplotlib import pyplot as plt

from rnncourse.chapters.c12_transformers_and_linear_rnns.figures.three_ways import against_length, draw_ways


@pytest.fixture(autouse=True)
def _closed():
    yield
    plt.close("all")


@pytest.mark.parametrize(("steps", "rounds"), [(2, 1), (4, 2), (16, 4)])
def test_each_panel_has_the_arrows_of_its_way(steps, rounds):
    chain, attention, scan = draw_ways(steps).axes
    assert len(chain.texts) == steps - 1
    assert len(attention.texts) == steps * (steps + 1) // 2
    assert len(scan.texts) == 2 * (steps - 1)  # every join takes two
    assert scan.get_title().endswith(f": {rounds}")


@pytest.mark.parametrize("steps", [4, 8])
def test_the_red_way_is_as_long_as_the_title_says(steps):
    red = "#b8324a"
    for axes, length in zip(draw_ways(steps).axes, (steps - 1, 1, steps.bit_length() - 1), strict=True):
        strong = [
            text for text in axes.texts if text.arrow_patch.get_edgecolor()[:3] == plt.matplotlib.colors.to_rgb(red)
        ]
        assert len(strong) == length


@pytest.mark.bad_input
@pytest.mark.parametrize("steps", [0, 1, 6, "8"])
def test_other_numbers_of_steps_are_refused(steps):
    with pytest.raises(ValueError, match="steps is"):
        draw_ways(steps)


@pytest.mark.bad_input
def test_a_curve_of_another_length_is_refused():
    with pytest.raises(ValueError, match="under 'LSTM'"):
        against_length([1, 2], {"a": {"LSTM": [1.0]}}, unit=["µs"])
