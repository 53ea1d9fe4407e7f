"""Figures of gates show what they are given."""

import pytest
from matplotlib import pyplot as plt
from matplotlib.colors import to_rgb

from rnncourse.chapters.c05_lstm.figures import gates


@pytest.fixture(autouse=True)
def _close():
    yield
    plt.close("all")


@pytest.mark.bad_input
@pytest.mark.parametrize(
    ("draw", "message"),
    [
        (lambda: gates.mask([0.5, 2.0], [1.0, 1.0]), "gate runs from 0.5 to 2"),
        (lambda: gates.mask([0.5], [1.0, 1.0]), "values has shape"),
        (lambda: gates.histograms({}), "panels is empty"),
        (lambda: gates.over_text("", {"a": []}), "rows or text is empty"),
        (lambda: gates.over_text("ab", {"a": [1.0]}), "under 'a'; it should have 2"),
    ],
)
def test_nothing_to_draw_is_refused(draw, message):
    with pytest.raises(ValueError, match=message):
        draw()


def test_a_mask_shows_vector_gate_and_product():
    (axes,) = gates.mask([1.0, 0.0, 0.5], [2.0, -1.0, -0.01], gate_name="f", value_name="c").axes
    words = [text.get_text() for text in axes.texts]
    assert words == [
        "c",
        "2.00",
        "−1.00",
        "−0.01",
        "× f",
        "1.00",
        "0.00",
        "0.50",
        "= let through",
        "2.00",
        "0.00",
        "−0.01",
    ]


def test_a_product_that_rounds_to_nothing_has_no_sign():
    (axes,) = gates.mask([0.1], [-0.01]).axes
    assert axes.texts[-1].get_text() == "0.00"


def test_histograms_have_a_panel_for_each_gate_in_percent():
    fig = gates.histograms({"input": {"trained": [0.25, 0.75]}, "forget": {"trained": [0.5, 0.5]}})
    assert [axes.get_title(loc="left") or axes.get_title() for axes in fig.axes] == ["input", "forget"]
    assert fig.axes[0].patches[0].get_data().values.tolist() == [25, 75]


def test_over_text_gives_gates_one_scale_and_signed_rows_their_own():
    (axes,) = gates.over_text("ab", {"gate": [0.0, 1.0], "c": [-0.1, 0.1], "d": [-5, 5]}, signed=("c", "d")).axes
    colour = [to_rgb(patch.get_facecolor()) for patch in axes.patches]
    assert colour[0] == to_rgb(gates.OPEN.to_rgba(0.0))
    assert colour[1] == to_rgb(gates.OPEN.to_rgba(1.0))
    assert colour[2:4] == colour[4:6]


def test_over_text_breaks_lines():
    (axes,) = gates.over_text("abcd", {"gate": [0.1] * 4}, per_line=3).axes
    assert sum(text.get_text() == "gate" for text in axes.texts) == 2
