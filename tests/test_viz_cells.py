"""Drawings of cells light the part they are asked to; figures of many seeds show what they are given."""

import io

import numpy as np
import pytest
from matplotlib import pyplot as plt
from matplotlib.colors import to_rgb
from matplotlib.patches import FancyBboxPatch

from rnncourse.notebooks.pictures import MAX_BYTES
from rnncourse.viz import cell_drawings, gradients, style, sweeps

STEPS = tuple(cell_drawings.EQUATIONS)


@pytest.fixture(autouse=True)
def _close():
    yield
    plt.close("all")


def boxes(figure):
    """Learned layers, from left to right: whether each is in full colour."""
    (axes,) = figure.axes
    full = to_rgb(style.COLOURS["orange"])
    filled = [(to_rgb(p.get_facecolor()), p) for p in axes.patches if isinstance(p, FancyBboxPatch)]
    layers = [p for (red, green, _), p in filled if red > green]  # learned layers are orange, frames green
    return [to_rgb(p.get_edgecolor()) == full for p in sorted(layers, key=lambda p: p.get_x())]


def texts(figure):
    return {text.get_text(): text for text in figure.axes[0].texts}


# cells


def test_the_lstm_has_four_learned_layers_and_the_vanilla_cell_one():
    assert boxes(cell_drawings.lstm_cell()) == [True] * 4
    assert boxes(cell_drawings.vanilla_cell()) == [True]


@pytest.mark.parametrize(
    ("step", "lit"),
    [
        ("forget", [True, False, False, False]),
        ("input", [False, True, True, False]),
        ("update", [False, False, False, False]),
        ("output", [False, False, False, True]),
    ],
)
def test_a_step_lights_its_own_layers(step, lit):
    assert boxes(cell_drawings.lstm_cell(step)) == lit


def test_every_part_of_the_lstm_is_lit_in_some_step_and_none_in_all():
    count = len(cell_drawings.lstm_cell().axes[0].patches)
    pale = np.zeros(count)
    frame = to_rgb(style.COLOURS["green"])
    for step in STEPS:
        drawn = cell_drawings.lstm_cell(step).axes[0].patches
        whole = cell_drawings.lstm_cell().axes[0].patches
        assert len(drawn) == count
        pale += [to_rgb(a.get_edgecolor()) != to_rgb(b.get_edgecolor()) for a, b in zip(drawn, whole, strict=True)]
    assert pale.max() < len(STEPS)
    outline = [to_rgb(patch.get_edgecolor()) == frame for patch in whole].index(True)
    assert np.flatnonzero(pale == 0).tolist() == [outline]


@pytest.mark.parametrize("step", STEPS)
def test_a_lit_step_says_its_equation_and_the_whole_cell_says_none(step):
    assert cell_drawings.EQUATIONS[step] in texts(cell_drawings.lstm_cell(step))
    assert not set(cell_drawings.EQUATIONS.values()) & set(texts(cell_drawings.lstm_cell()))


def test_the_cells_are_drawn_in_one_frame():
    vanilla, lstm = (draw().axes[0].patches[0] for draw in (cell_drawings.vanilla_cell, cell_drawings.lstm_cell))
    assert vanilla.get_bbox().bounds == lstm.get_bbox().bounds


def test_of_the_two_jobs_one_can_be_lit():
    words = texts(cell_drawings.vanilla_cell("carry"))
    assert to_rgb(words["carry onward"].get_color()) == to_rgb(style.COLOURS["blue"])
    assert min(to_rgb(words["decide now"].get_color())) > 0.8


@pytest.mark.parametrize("steps", [2, 5])
def test_the_conveyor_belt_has_a_product_and_a_sum_at_every_step(steps):
    words = [text.get_text() for text in cell_drawings.conveyor_belt(steps, gradient=True).axes[0].texts]
    assert words.count("×") == words.count("+") == steps
    assert sum(word.startswith("$\\odot f") for word in words) == steps


@pytest.mark.bad_input
@pytest.mark.parametrize(
    ("draw", "message"),
    [
        (lambda: cell_drawings.lstm_cell("reset"), "highlight is 'reset'; it should be one of forget, input"),
        (lambda: cell_drawings.vanilla_cell("forget"), "highlight is 'forget'; it should be one of carry, decide"),
        (lambda: cell_drawings.conveyor_belt(1), "steps is 1"),
        (lambda: sweeps.sweep([1, 2], {}, xlabel="", ylabel=""), "lines is empty"),
        (lambda: sweeps.sweep([1, 2], {"a": [[1, 2, 3]]}, xlabel="", ylabel=""), "under 'a'; it should be"),
        (lambda: sweeps.dots({}, xlabel=""), "panels is empty"),
        (lambda: sweeps.dots({"a": {"x": [1]}, "b": {"y": [1]}}, xlabel=""), "different rows"),
    ],
)
def test_nothing_to_draw_is_refused(draw, message):
    with pytest.raises(ValueError, match=message):
        draw()


# many seeds


def test_a_sweep_draws_means_and_every_seed():
    fig = sweeps.sweep([10, 100], {"a": [[1, 2], [3, 4]]}, xlabel="", ylabel="", references={"chance": 5}, log="x")
    mean, *seeds, reference = fig.axes[0].lines
    assert mean.get_ydata().tolist() == [2, 3]
    assert [line.get_ydata().tolist() for line in seeds] == [[1, 2], [3, 4]]
    assert reference.get_ydata()[0] == 5
    assert fig.axes[0].get_xscale() == "log"


def test_a_sweep_leaves_out_what_was_not_tried():
    fig = sweeps.sweep([1, 2], {"a": [[1, np.nan], [3, np.nan]]}, xlabel="", ylabel="")
    assert fig.axes[0].lines[0].get_ydata().tolist() == [2]


def test_dots_put_the_bar_at_the_median():
    fig = sweeps.dots({"a": {"whole": [1, 5, 2], "less": [3]}, "b": {"whole": [1], "less": [1]}}, xlabel=["x", "y"])
    bar, seeds = fig.axes[0].lines[:2]
    assert bar.get_xdata().tolist() == [2, 2]
    assert seeds.get_xdata().tolist() == [1, 2, 5]
    assert [axes.get_xlabel() for axes in fig.axes] == ["x", "y"]


def test_horizons_draw_more_cells_than_there_are_colours():
    reached = {f"cell {n}": [10] for n in range(len(style.CYCLE) + 1)}
    (axes,) = gradients.horizons(reached, lengths=[10], sequences=1).axes
    assert len(axes.patches) == len(reached)


@pytest.mark.parametrize("draw", [cell_drawings.lstm_cell, cell_drawings.vanilla_cell, cell_drawings.conveyor_belt])
def test_a_drawing_fits_into_a_notebook(draw):
    picture = io.BytesIO()
    draw().savefig(picture, format="png")
    assert len(picture.getvalue()) <= 2 * MAX_BYTES  # before the palette, which at least halves it
