"""Lists, arrays and tensors of the same symbols score the same, and what is unknown is refused."""

import numpy as np
import pytest
import torch

from rnncourse.data import Vocabulary
from rnncourse.data.baselines import NaiveBayes, linear_classifier, majority
from rnncourse.data.metrics import edit_distance, edit_distances, error_rates, word_f1
from rnncourse.data.prose import Passage, TextSplit, encode_text
from rnncourse.training import accuracy

FORMS = {
    "a list": list,
    "a tuple": tuple,
    "an array": np.array,
    "a tensor": torch.tensor,
    "a list of tensors": lambda numbers: list(torch.tensor(numbers)),
    "a list of NumPy's numbers": lambda numbers: list(np.array(numbers)),
}
every_form = pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)


@every_form
def test_sequences_score_the_same_in_every_form(form):
    a, b = form([1, 2, 3, 4]), form([1, 3, 3])
    assert edit_distance(a, form([1, 2, 3, 4])) == 0
    assert edit_distance(a, [1, 2, 3, 4]) == 0
    assert edit_distance(a, b) == 2
    assert edit_distances([a, b], [b, b]).tolist() == [2, 0]
    assert error_rates([a, b], [[b, a], [a]]) == error_rates(
        [[1, 2, 3, 4], [1, 3, 3]], [[[1, 3, 3], [1, 2, 3, 4]], [[1, 2, 3, 4]]]
    )
    assert word_f1([form([0, 1, 0, 0, 1])], [form([0, 1, 0, 1, 1])]) == pytest.approx(0.4)


def test_a_tensor_of_rows_is_as_many_sequences():
    rows = torch.tensor([[1, 2], [3, 4]])
    assert edit_distances(rows, rows.clone()).tolist() == [0, 0]
    assert edit_distances(rows.numpy(), rows.tolist()).tolist() == [0, 0]


@every_form
def test_labels_count_the_same_in_every_form(form):
    assert majority(form([0, 1, 1]), form([1, 0])) == 0.5
    bayes = NaiveBayes().fit(["abba", "baab", "abab"], form([0, 1, 0]))
    assert len(bayes.classes) == 2
    assert bayes.accuracy(["abba", "baab"], form([0, 1])) == 1.0
    features = form([[0.0], [1.0], [0.1], [0.9]])
    assert linear_classifier(features, form([0, 1, 0, 1]), features, form([0, 1, 0, 1]), ridge=0.1) == 1.0


def test_an_unknown_character_is_refused_and_never_another_letter():
    known = Vocabulary("abc")
    for text in ("abx", "ab\x01", "é", "𝒳"):
        with pytest.raises(ValueError, match=r"text holds '.*'; every character should be one of the vocabulary's"):
            encode_text(text, known)
        with pytest.raises(ValueError, match="symbols holds"):
            known.encode(text)
    with pytest.raises(ValueError, match="text holds"):
        TextSplit([Passage("a", "abz")], Vocabulary("abc\n"))
    with pytest.raises(ValueError, match="vocabulary holds a symbol that is no single character"):
        encode_text("ab", Vocabulary(["<pad>", "a", "b"]))
    assert encode_text("cab", known).tolist() == [2, 0, 1]


def test_a_number_that_is_no_symbol_is_refused():
    known = Vocabulary("abc")
    for wrong in ([-1], torch.tensor([0, -1]), [3], torch.tensor([[0]])):
        with pytest.raises(ValueError, match="numbers holds"):
            known.decode(wrong)
        with pytest.raises(ValueError, match="numbers holds"):
            known.text(wrong)
    with pytest.raises(ValueError, match="number is -1"):
        known[-1]
    assert list(known) == ["a", "b", "c"]
    assert known.decode(np.array([2, 0])) == ["c", "a"]


@pytest.mark.parametrize(
    ("logits", "targets", "message"),
    [
        ([[float("nan"), 1.0]], [1], "logits holds NaN"),
        ([[0.0, 1.0]], [2], "targets holds 2; it should hold indices from 0 to 1"),
        ([[0.0, 1.0]], [-100], "targets holds -100"),
        ([[0.0, 1.0]], [1.0], "targets has dtype torch.float32"),
        ([[0.0, 1.0]], [True], "targets has dtype torch.bool"),
        ([[0, 1]], [1], "logits has dtype torch.int64"),
    ],
)
@pytest.mark.bad_input
def test_accuracy_is_of_numbers_and_of_classes_that_there_are(logits, targets, message):
    logits, targets = torch.tensor(logits), torch.tensor(targets)
    with pytest.raises(ValueError, match=message):
        accuracy(logits, targets)
    padded = torch.cat([torch.tensor([[0.0, 1.0]]), logits])
    if logits.is_floating_point() and targets.dtype == torch.int64:  # what is masked is not looked at
        assert accuracy(padded, torch.cat([torch.tensor([1]), targets]), torch.tensor([True, False])) == 1.0
