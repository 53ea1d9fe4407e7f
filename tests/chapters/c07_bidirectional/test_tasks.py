"""What chapter 7's networks are measured on: deciding letters, words without spaces, sentences and their parts."""

import math

import numpy as np
import pytest
import torch

from rnncourse.chapters.c07_bidirectional.experiments.cost import pass_milliseconds
from rnncourse.chapters.c07_bidirectional.experiments.deciding import deciding_distances
from rnncourse.chapters.c07_bidirectional.experiments.networks import make_layer
from rnncourse.chapters.c07_bidirectional.experiments.sentences import (
    PARTS,
    READS,
    make_reader,
    naive_bayes,
    part_of,
    sentences,
)
from rnncourse.chapters.c07_bidirectional.experiments.words_without_spaces import f1
from rnncourse.chapters.c07_bidirectional.questions.reach import dictionary_inputs, letters_ahead
from rnncourse.data.batches import labelled, tagged
from rnncourse.data.letter_to_sound import Tagged
from rnncourse.data.pronunciation import Word
from rnncourse.data.prose import BOOKS
from rnncourse.grading.spec import Draw


@pytest.mark.parametrize("seed", range(5))
def test_deciding_distances_are_those_of_the_definition(seed):
    words, tags, _ = dictionary_inputs(Draw(seed), "ab", 6, 40)
    found = deciding_distances([Tagged(Word(w, ()), tuple(row)) for w, row in zip(words, tags, strict=True)])
    assert set(found) == set(words)
    for word in words:
        assert found[word].tolist() == letters_ahead(words, tags, word)
    assert max(distances.max() for distances in found.values()) >= 2


@pytest.mark.bad_input
def test_a_dictionary_with_a_word_twice_is_refused():
    word = Tagged(Word("a", ()), ("AH",))
    with pytest.raises(ValueError, match="spelling twice"):
        deciding_distances([word, word])


def test_a_tagger_that_knows_every_end_has_an_f1_of_one_and_one_that_knows_none_finds_whole_pieces():
    inputs, lengths = torch.tensor([[1, 2, 3, 4], [5, 6, 0, 0]]), torch.tensor([4, 2])
    ends = torch.tensor([[0, 1, 0, 1], [0, 1, 0, 0]])

    def knows(x, lengths):
        return torch.nn.functional.one_hot(ends, 2).float(), None

    def none(x, lengths):
        return torch.tensor([1.0, 0.0]).expand(2, 4, 2), None

    batch = tagged(inputs, ends, lengths)
    assert f1(knows, batch) == 1.0
    assert f1(none, batch) == pytest.approx(2 * 1 / (2 + 3))  # the second piece is one word; the first is not


def test_every_book_has_its_part():
    parts = [part_of(f"{book.replace('_', ' ')} 1") for book in BOOKS]
    assert parts == sorted(parts)
    assert np.bincount(parts).tolist() == [5, 12, 5, 17, 5, 22]
    assert len(PARTS) == 6


def test_sentences_have_their_words_and_lie_in_one_split_each():
    task = sentences(3, 200)
    batch = task.splits["train"].batch()
    assert len(batch.inputs) == 200
    assert batch.lengths.min() >= 5
    assert batch.lengths.max() <= 25
    assert int(batch.inputs.max()) < task.vocabulary
    assert ((batch.inputs > 0) == batch.mask).all()


def test_naive_bayes_is_the_count_by_hand():
    train = labelled(torch.tensor([[2, 2, 3], [3, 3, 0]]), torch.tensor([0, 1]), torch.tensor([3, 2]))
    # P(w | 0): (1, 1, 3, 2) / 7, P(w | 1): (1, 1, 1, 3) / 6, other parts unseen and without a prior
    assert math.log(3 / 7) > math.log(1 / 6)
    test = labelled(torch.tensor([[2, 0], [3, 3]]), torch.tensor([0, 1]), torch.tensor([1, 2]))
    assert naive_bayes(train, test, 4) == 1.0
    turned = labelled(test.inputs, torch.tensor([1, 1]), test.lengths)
    assert naive_bayes(train, turned, 4) == 0.5


@pytest.mark.parametrize("read", READS)
def test_each_way_reads_what_it_says(read):
    task = sentences(3, 200)
    model = make_reader(read, task, budget=3_000, seed=0)
    batch = task.splits["valid"].batch()
    _, vectors = model(batch.inputs, lengths=batch.lengths)
    for row in range(3):
        length = int(batch.lengths[row])
        outputs = model.embedding(batch.inputs[row : row + 1, :length])
        if model.layer is not None:
            outputs, _ = model.layer(outputs)
        half = outputs.shape[2] // 2
        expected = {
            "bag": outputs.mean(1),
            "mean": outputs.mean(1),
            "max": outputs.amax(1),
            "forward": outputs[:, -1],
            "wrong end": outputs[:, -1],
            "final": torch.cat([outputs[:, -1, :half], outputs[:, 0, half:]], dim=1),
        }[read]
        assert torch.allclose(vectors[row : row + 1], expected, atol=1e-6)


@pytest.mark.bad_input
def test_an_unknown_way_to_read_is_refused():
    with pytest.raises(ValueError, match="read is 'first'"):
        make_reader("first", sentences(3, 200), budget=3_000, seed=0)


def test_every_layer_is_timed_in_every_turn():
    calls = []

    class Counted(torch.nn.Module):
        def __init__(self, name):
            super().__init__()
            self.name, self.layer = name, make_layer("forward", 2)

        def forward(self, x):
            calls.append(self.name)
            return self.layer(x)

    spent = pass_milliseconds({"a": Counted("a"), "b": Counted("b")}, torch.randn(1, 2, 32), repeats=2)
    assert calls == ["a", "b"] * 3
    assert min(spent.values()) > 0
