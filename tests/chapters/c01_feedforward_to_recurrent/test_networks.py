"""Pictures of graphs: every arrow of the matrix is painted, one-way and both-ways apart."""

import numpy as np
import pytest
from matplotlib import pyplot as plt

from rnncourse.chapters.c01_feedforward_to_recurrent.figures import networks


@pytest.fixture(autouse=True)
def _close():
    yield
    plt.close("all")


def test_adjacency_paints_one_way_both_ways_and_nothing_apart():
    graph = np.array([[0, 1, 0], [1, 0, 0], [0, 1, 0]])
    picture = networks.adjacency({"g": graph}).axes[0].images[0].get_array()
    colours = {name: tuple(picture[place]) for name, place in {"both": (0, 1), "one": (2, 1), "none": (0, 0)}.items()}
    assert tuple(picture[1, 0]) == colours["both"]
    assert len(set(colours.values())) == 3


def test_adjacency_has_a_panel_for_each_network():
    figure = networks.adjacency({"a": np.eye(3), "b": np.ones((3, 3))}, groups=(1, 2), labels=("in", "out"))
    assert [axes.get_title(loc="left") or axes.get_title() for axes in figure.axes] == ["a", "b"]


def test_only_the_recurrent_network_has_an_arrow_that_comes_back():
    texts = [text.get_text() for text in networks.feedforward_and_recurrent().axes[0].texts]
    assert texts.count("$U$") == texts.count("$V$") == 2
    assert texts.count("$W$") == 1


@pytest.mark.bad_input
@pytest.mark.parametrize(
    ("call", "named"),
    [
        (lambda: networks.adjacency({"a": np.ones((2, 3))}), "square"),
        (lambda: networks.adjacency({"a": np.eye(2)}, groups=(1, 1), labels=("x",)), "labels"),
    ],
)
def test_bad_input_is_refused(call, named):
    with pytest.raises(ValueError, match=named):
        call()
