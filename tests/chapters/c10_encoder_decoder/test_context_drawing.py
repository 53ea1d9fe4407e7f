"""The drawing shows every symbol and every number of the states; curves have a point a length."""

import pytest
import torch

from rnncourse.chapters.c10_encoder_decoder.figures.context_drawing import by_length, draw_context

STATES, WRITTEN = torch.tensor([[0.1, 0.2], [0.3, 0.4]]), torch.tensor([[0.5, 0.6]])


def test_symbols_states_and_the_context_are_written_from_left_to_right():
    (axes,) = draw_context("ab", ["<bos>"], ["x"], STATES, torch.tensor([0.3, 0.4]), WRITTEN).axes
    places = [(text.get_text(), text.get_position()) for text in axes.texts if text.get_text()]
    columns = [x for text, (x, y) in places if y == 0]
    assert columns == sorted(columns)
    assert [text for text, (x, y) in places if y == 0] == [
        "+0.10\n+0.20",
        "+0.30\n+0.40",
        "+0.30\n+0.40",
        "+0.50\n+0.60",
    ]
    assert {"a", "b", "<bos>", "x", "encoder", "context", "decoder"} <= {text for text, _ in places}


def test_every_length_has_a_point():
    (axes,) = by_length([1, 2, 3], {"reversed": [1.0, 0.9, 0.8]}, xlabel="letters").axes
    (line,) = axes.lines
    assert line.get_xydata().tolist() == [[1, 1.0], [2, 0.9], [3, 0.8]]


@pytest.mark.bad_input
def test_what_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="source has 1 symbols and there are 2 states"):
        draw_context("a", ["<bos>"], ["x"], STATES, STATES[1], WRITTEN)
    with pytest.raises(ValueError, match="curves has 1 shares under 'LSTM'"):
        by_length([1, 2], {"LSTM": [0.9]}, xlabel="letters")
