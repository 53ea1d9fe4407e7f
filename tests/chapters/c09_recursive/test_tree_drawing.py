"""The tree's drawing shows every node once, above its children; curves have a point a depth."""

import pytest

from rnncourse.chapters.c09_recursive.figures.tree_drawing import by_depth, draw_tree
from rnncourse.data.trees import Tree

TREE = Tree(3, (Tree(1), Tree(4, (Tree(2),))))
LABELS = {1: "F", 2: "T", 3: "or", 4: "not"}


def test_every_node_and_value_is_written_and_parents_stand_above():
    (axes,) = draw_tree(TREE, LABELS, {3: "yes"}).axes
    places = {text.get_text(): text.get_position() for text in axes.texts if text.get_text()}
    assert set(places) == {"F", "T", "or", "not", "yes"}
    assert places["or"][1] > places["not"][1] > places["T"][1]
    assert places["F"][0] < places["not"][0]
    assert places["F"][1] == places["not"][1]


def test_every_depth_has_a_point():
    (axes,) = by_depth([5, 6, 8], {"LSTM": [0.9, 0.8, 0.7]}, trained=5, chance=[0.6, 0.6, 0.6]).axes
    line = next(line for line in axes.lines if line.get_label() == "LSTM")
    assert line.get_xydata().tolist() == [[5, 0.9], [6, 0.8], [8, 0.7]]


@pytest.mark.bad_input
def test_what_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="labels has nothing for the token 4"):
        draw_tree(TREE, {1: "F", 2: "T", 3: "or"})
    with pytest.raises(ValueError, match="curves has 1 shares under 'LSTM'"):
        by_depth([5, 6], {"LSTM": [0.9]}, trained=5, chance=[0.6, 0.6])
