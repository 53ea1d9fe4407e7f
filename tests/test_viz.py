"""Figures show the data they are given, in colours that can be told apart on white."""

import io
import itertools

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib import pyplot as plt
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

from rnncourse.notebooks.pictures import MAX_BYTES
from rnncourse.training import History
from rnncourse.viz import curves, diagrams, heatmaps, style, tradeoff


@pytest.fixture(autouse=True)
def _close():
    yield
    plt.close("all")


# style


def contrast(first: str, second: str) -> float:
    """How far two colours stand apart in lightness: 1 for the same, 21 for black on white (WCAG 2)."""

    def luminance(colour: str) -> float:
        rgb = np.array(mpl.colors.to_rgb(colour))
        linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
        return float(linear @ np.array([0.2126, 0.7152, 0.0722]))

    dark, light = sorted((luminance(first), luminance(second)))
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("name", [name for name in style.COLOURS if name not in ("line", "paper")])
def test_every_colour_stands_out_from_paper(name):
    assert contrast(style.COLOURS[name], style.COLOURS["paper"]) >= (4.5 if name in ("ink", "muted") else 3)


@pytest.mark.parametrize("colour", [*style.COLOURS, "#ffff00", "C1"])
def test_words_are_legible_on_white_and_on_every_fill(colour):
    for behind in ("white", *style.FILLS.values()):
        assert contrast(style.legible(colour), behind) >= 4.5


def test_no_word_of_a_drawing_is_pale():
    made = diagrams.Sketch(3, 1)
    made.frame(0, 0, 3, 1, "cell")
    for colour in style.COLOURS:
        made.text(1, 0.5, colour, colour=colour)
    made.arrow((0, 0), (1, 1), label="h", colour="orange")
    assert len(made.axes.texts) > len(style.COLOURS)
    assert all(contrast(text.get_color(), fill) >= 4.5 for text in made.axes.texts for fill in style.FILLS.values())


def test_ink_is_readable_on_every_fill():
    assert all(contrast(style.COLOURS["ink"], fill) >= 7 for fill in style.FILLS.values())


def test_the_first_four_lines_differ_also_for_readers_without_green():
    """With red and green seen as one, neighbours in the cycle still differ in lightness or in blue."""
    seen = [((0.6 * r + 0.4 * g), b) for r, g, b in (to_rgb(colour) for colour in style.CYCLE[:4])]
    for (yellow, blue), (other_yellow, other_blue) in itertools.pairwise(seen):
        assert abs(yellow - other_yellow) + abs(blue - other_blue) > 0.2


def test_use_changes_pyplot_and_figure_does_not():
    with plt.rc_context():
        before = plt.rcParams["axes.spines.top"]
        style.figure()
        assert plt.rcParams["axes.spines.top"] == before
        style.use()
        assert plt.rcParams["axes.spines.top"] is False


# curves


def lines_of(figure):
    (axes,) = [one for one in figure.axes if one.get_xlabel() or one.get_ylabel()]
    return axes, {line.get_label(): line for line in axes.lines}


def test_loss_curves_draw_the_losses_and_their_running_mean():
    losses = [4.0, 2.0, 3.0]
    axes, lines = lines_of(curves.loss_curves({"RNN": History(losses=losses)}, smooth=0.5, baselines={"unigram": 4.1}))
    np.testing.assert_allclose(axes.lines[0].get_ydata(), losses)
    by_hand = [4.0, (4 * 0.5 + 2) / 1.5, (4 * 0.25 + 2 * 0.5 + 3) / 1.75]
    np.testing.assert_allclose(lines["RNN"].get_ydata(), by_hand)
    np.testing.assert_allclose(axes.lines[-1].get_ydata(), [4.1, 4.1])
    assert "nats" in axes.get_ylabel()
    assert "unigram" in [text.get_text() for text in axes.texts]


def test_without_smoothing_the_curve_is_the_mean_over_seeds():
    _, lines = lines_of(curves.loss_curves({"two": [[1.0, 2.0, 9.0], [3.0, 4.0]]}, smooth=0))
    np.testing.assert_allclose(lines["two"].get_ydata(), [2.0, 3.0])


def test_lines_draw_the_mean_and_one_deviation():
    table = np.array([[1.0, 2.0], [3.0, 6.0]])
    figure = curves.lines([1, 10], {"a": table, "b": [5.0, 5.0]}, xlabel="x", ylabel="y", logx=True)
    axes, lines = lines_of(figure)
    np.testing.assert_allclose(lines["a"].get_ydata(), [2.0, 4.0])
    (band,) = axes.collections
    corners = band.get_paths()[0].vertices
    np.testing.assert_allclose([corners[:, 1].min(), corners[:, 1].max()], [2 - np.sqrt(2), 4 + np.sqrt(8)])
    assert axes.get_xscale() == "log"
    assert [tick.get_text() for tick in axes.get_xticklabels()] == ["1", "10"]


def test_bars_are_as_high_as_their_means():
    figure = curves.bars({"one": 2.0, "three seeds": [1.0, 2.0, 6.0]}, ylabel="bits")
    axes, _ = lines_of(figure)
    assert [bar.get_height() for bar in axes.patches] == [2.0, 3.0]
    assert [text.get_text() for text in axes.texts] == ["2", "3"]


# heat maps


def test_text_heatmap_writes_every_character_and_colours_the_centre_white():
    text = "ab cd\ne"
    values = [[0.0, 1.0, -1.0, 0.5, 0.0, 0.0, 1.0]]
    figure = heatmaps.text_heatmap(text, values, row_labels=["unit 3"], per_line=4, label="h")
    shown = [one.get_text() for one in figure.axes[0].texts]
    assert "".join(one for one in shown if one != "unit 3") == "ab␣cd⏎e"
    assert shown.count("unit 3") == 2
    colours = [patch.get_facecolor()[:3] for patch in figure.axes[0].patches]
    assert min(colours[0]) > 0.9
    assert colours[1][0] > colours[1][2]
    assert colours[2][2] > colours[2][0]
    assert figure.axes[1].get_ylabel() == "h"


def test_text_heatmap_takes_words_and_a_constant():
    figure = heatmaps.text_heatmap(["the", "$cat"], [1.0, 1.0], centre=None)
    figure.savefig(io.BytesIO())
    assert [one.get_text() for one in figure.axes[0].texts if one.get_text()] == ["the", r"\$cat"]


def test_matrix_shows_the_numbers_where_they_stand():
    grid = np.array([[0.0, 1.0, 2.0], [3.0, 4.0, 5.0]])
    figure = heatmaps.matrix(grid, xlabel="to", ylabel="from", numbers=".0f", yticks=["a", "b"])
    axes = figure.axes[0]
    np.testing.assert_array_equal(axes.images[0].get_array(), grid)
    assert {(t.get_position(), t.get_text()) for t in axes.texts} == {
        ((column, row), f"{grid[row, column]:.0f}") for row in range(2) for column in range(3)
    }


# diagrams

DIAGRAMS = {
    "legend": diagrams.legend,
    "cycle": diagrams.cycle,
    "unrolled_rnn": diagrams.unrolled_rnn,
    "unrolled_rnn with gradient": lambda: diagrams.unrolled_rnn(5, folded=False, gradient=True),
    "rnn_cell": diagrams.rnn_cell,
    "sequence_shapes": diagrams.sequence_shapes,
}


@pytest.mark.parametrize("name", DIAGRAMS)
def test_diagrams_stay_inside_their_paper_and_are_small(name):
    figure = DIAGRAMS[name]()
    assert isinstance(figure, Figure)
    buffer = io.BytesIO()
    figure.savefig(buffer)
    assert buffer.tell() < MAX_BYTES
    (axes,) = figure.axes
    paper = axes.get_window_extent().padded(1.0)
    for artist in (*axes.patches, *axes.texts):
        box = artist.get_window_extent(figure.canvas.get_renderer())
        assert paper.contains(box.x0, box.y0), artist
        assert paper.contains(box.x1, box.y1), artist


def test_the_unrolled_rnn_has_a_state_an_input_and_an_output_at_each_step():
    texts = [text.get_text() for text in diagrams.unrolled_rnn(4, folded=False).axes[0].texts]
    for letter in "xhy":
        assert [f"${letter}_{{{step}}}$" in texts for step in (1, 2, 3, "T")] == [True] * 4
    assert texts.count("$W$") == 3


def test_the_five_shapes_have_their_inputs_and_outputs():
    figure = diagrams.sequence_shapes()
    colours = [style.COLOURS[name] for name in ("blue", "green", "purple")]
    circles = [patch for patch in figure.axes[0].patches if hasattr(patch, "get_radius")]
    counts = [sum(to_rgb(one.get_edgecolor()[:3]) == to_rgb(colour) for one in circles) for colour in colours]
    assert counts == [1 + 1 + 3 + 3 + 3, 1 + 3 + 3 + 3 + 5, 1 + 3 + 1 + 3 + 2]
    dashed = [one for one in figure.axes[0].patches if isinstance(one.get_linestyle(), tuple)]
    assert len(dashed) == 1  # the delayed one hears itself


def test_names_of_families_that_lie_on_each_other_stand_apart():
    figure = tradeoff.sizes_and_bits({"a": [(1e4, 3.0, "8")], "b": [(1e4, 3.0, "128")], "c": [(1e4, 3.0, "x")]}, {})
    figure.draw_without_rendering()
    boxes = [text.get_window_extent() for text in figure.axes[0].texts]
    assert not any(one.overlaps(other) for one, other in itertools.combinations(boxes, 2))


def test_arrows_end_on_the_outline_of_what_they_join():
    sketch = diagrams.Sketch(4, 2)
    circle, box = sketch.node(1, 1, "a", radius=0.3), sketch.box(3, 1.5, "b", width=0.8, height=0.4)
    x, y = circle.towards((3, 1.5))
    assert np.hypot(x - 1, y - 1) == pytest.approx(0.3)
    assert box.towards((3, 0)) == (3, 1.3)
    assert box.towards((0, 1.5)) == (2.6, 1.5)
    assert (box.left, box.right, box.top, box.bottom) == ((2.6, 1.5), (3.4, 1.5), (3.0, 1.7), (3.0, 1.3))


@pytest.mark.bad_input
@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: curves.loss_curves({}), "runs is empty"),
        (lambda: curves.loss_curves({"a": []}), "'a' is empty"),
        (lambda: curves.loss_curves({"a": [1.0]}, smooth=1), "smooth is 1"),
        (lambda: curves.lines([1, 2], {"a": [1.0]}, xlabel="", ylabel=""), "'a' has 1 values; it should have 2"),
        (lambda: curves.lines([1, 2], {}, xlabel="", ylabel=""), "series is empty"),
        (lambda: curves.bars({}, ylabel=""), "values is empty"),
        (lambda: heatmaps.text_heatmap("abc", [1.0]), "values has 1 numbers a row; it should have 3"),
        (lambda: heatmaps.text_heatmap("", []), "values has 0 numbers"),
        (lambda: heatmaps.text_heatmap("a", [[1.0]], row_labels=[]), "row_labels has 0 names"),
        (lambda: heatmaps.matrix([1.0]), "values is a list of 1; it should be a sequence of sequences of numbers"),
        (lambda: diagrams.unrolled_rnn(1), "steps is 1; it should be a whole number from 2 to 8"),
        (lambda: diagrams.unrolled_rnn(2.5), "steps is 2.5"),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
