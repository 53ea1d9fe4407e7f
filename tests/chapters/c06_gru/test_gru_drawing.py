"""The GRU's drawing lights what it names."""

import numpy as np
import pytest
from matplotlib import pyplot as plt

from rnncourse.chapters.c06_gru.figures import gru_drawing
from rnncourse.viz.cell_drawings import PALE


@pytest.fixture(autouse=True)
def close():
    yield
    plt.close("all")


def texts(figure, *, pale):
    return {text.get_text() for text in figure.axes[0].texts if (np.min(_rgb(text.get_color())) >= PALE - 0.01) == pale}


def _rgb(colour):
    from matplotlib.colors import to_rgb

    return to_rgb(colour)


@pytest.mark.parametrize(("step", "lit", "dark"), [
    ("reset", {"$x_t$"}, {"$U_n$", "$W_n$", "1−", "$n_t$"}),
    ("candidate", {"$U_n$", "$W_n$", "$r_t$", "$n_t$", "tanh"}, {"1−", "$z_t$"}),
    ("update", {"$z_t$", "$x_t$"}, {"1−", "$U_n$", "$r_t$"}),
    ("blend", {"1−", "$z_t$", "$n_t$", "$h_t$"}, {"$U_n$", "$x_t$"}),
])  # fmt: skip
def test_a_step_is_lit_with_its_equation_and_the_rest_is_pale(step, lit, dark):
    figure = gru_drawing.gru_cell(step)
    assert lit | {gru_drawing.EQUATIONS[step]} <= texts(figure, pale=False)
    assert dark <= texts(figure, pale=True)


def test_the_whole_cell_has_nothing_pale_and_no_equation():
    figure = gru_drawing.gru_cell()
    assert texts(figure, pale=True) == set()
    assert not texts(figure, pale=False) & set(gru_drawing.EQUATIONS.values())


def test_the_published_form_has_its_weights_behind_the_reset():
    places = {}
    for reset in ("after", "before"):
        shown = gru_drawing.gru_cell("candidate", reset=reset).axes[0].texts
        places[reset] = {text.get_text(): text.get_position()[0] for text in shown}
    times = 3.45  # where the product with r stands in both
    assert places["after"]["$W_n$"] < times < places["before"]["$W_n$"]
    assert gru_drawing.EQUATIONS["candidate, before"] in places["before"]


@pytest.mark.bad_input
@pytest.mark.parametrize(
    ("draw", "message"),
    [
        (lambda: gru_drawing.gru_cell("output"), "highlight is 'output'"),
        (lambda: gru_drawing.gru_cell(reset="never"), "reset is 'never'"),
    ],
)
def test_what_cannot_be_drawn_is_refused(draw, message):
    with pytest.raises(ValueError, match=message):
        draw()
