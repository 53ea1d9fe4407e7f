"""King James into Basic English: verses stand beside their own translation, and BLEU is what its equation says."""

import math
from collections import Counter

import pytest

from rnncourse.data import load, translation
from rnncourse.data.bleu import bleu
from rnncourse.data.translation import Verse, align, parse_verses, tokenize, word_vocabulary

FILE = '''bible = Bible(
    Version.SOME,
    """A title.\\\\\\\\3:1\\\\\\\\One is here.\\\\\\\\3:2\\\\\\\\Two [is] here. Three...***Five.[]""",
    {
        19003001: 0,
        19003002: 8,
        19003003: 27,
        19003004: 48,
        19003005: 57,
        19003006: 60,
        19003007: 65,
    },
    {
        19003001: 8,
        19003002: 27,
        19003003: 48,
        19003004: 57,
        19003005: 60,
        19003006: 65,
        19003007: 67,
    },
)'''


@pytest.fixture(scope="module")
def bible():
    return load("translation", max_pairs=600)


@pytest.fixture(scope="module")
def pairs():
    return translation.verses()


def test_a_second_number_counts_before_the_first_and_holes_are_left_out():
    plain = FILE.replace("\\\\\\\\", "\\\\")  # as the package writes it: two strokes before the number and after it
    found = parse_verses(plain)
    assert found[19003001] == "One is here."  # not the title, which stands under that number
    assert found[19003002] == "Two [is] here."
    assert "Five." in found.values()
    assert not {"Three...", "***", "[]"} & set(found.values())


def test_words_and_marks_are_tokens_in_lower_case():
    assert tokenize("God’s [own] light—and, Æneas; 'tis") == (
        "god's", "own", "light", "-", "and", ",", "aeneas", ";", "'tis",
    )  # fmt: skip


def test_only_verses_that_both_have_are_paired_and_misplaced_chapters_are_not():
    one = {1001001: "In the beginning.", 1001002: "And", 23065001: "I am sought."}
    two = {1001001: "At the first.", 23065001: "I have been ready."}
    assert align(one, two) == [Verse("Genesis 1", 1, ("in", "the", "beginning", "."), ("at", "the", "first", "."))]


def test_psalms_stand_beside_their_own_verses(pairs):
    verse = {(pair.chapter, pair.number): pair for pair in pairs}
    assert verse["Psalms 3", 1].target[:4] == ("lord", ",", "how", "greatly")
    assert verse["Psalms 51", 1].target[:4] == ("have", "pity", "on", "me")
    assert verse["Job 41", 1].source[:4] == ("canst", "thou", "draw", "out")
    assert "leviathan" in verse["Job 41", 1].source
    assert "leviathan" in verse["Job 41", 1].target
    assert not any(pair.chapter in ("Isaiah 64", "Isaiah 65", "Isaiah 66") for pair in pairs)


def test_hardly_a_pair_has_nothing_in_common(pairs):
    def shared(pair):
        both = Counter(pair.source) & Counter(pair.target)
        return sum(both.values()) / min(len(pair.source), len(pair.target))

    assert sum(shared(pair) < 0.12 for pair in pairs) < 10
    by_book = {}
    for pair in pairs:
        by_book.setdefault(pair.chapter.rpartition(" ")[0], []).append(shared(pair))
    assert min(sum(shares) / len(shares) for shares in by_book.values()) > 0.35


def test_the_card_counts_truly(pairs):
    whole = load("translation")
    short = [pair for pair in pairs if max(len(pair.source), len(pair.target)) <= 25]
    sizes = [len(whole[name]) for name in ("train", "valid", "test")]
    assert sum(sizes) == len(short)
    for number in (len(pairs), len(short), *sizes, len(whole.vocabulary) - 2, len(whole.target_vocabulary) - 4):
        assert f"{number:,}" in translation.CARD.size, number


def test_chapters_are_not_divided_among_the_splits(bible):
    chapters = [{verse.chapter for verse in bible[name].items} for name in ("train", "valid", "test")]
    assert not chapters[0] & chapters[1]
    assert not chapters[0] & chapters[2]
    assert not chapters[1] & chapters[2]


def test_rows_are_their_verses_with_rare_words_unknown(bible):
    batch = bible.test.batch(range(20))
    seen = Counter(word for verse in bible.train.items for word in verse.target)
    for row in range(20):
        verse = bible.test.items[row]
        assert max(len(verse.source), len(verse.target)) <= 25
        target = bible.target_vocabulary.decode(batch.targets[row][batch.target_mask[row]])
        expected = [word if seen[word] >= 2 else "<unk>" for word in verse.target]
        assert target == ["<bos>", *expected, "<eos>"]
        source = bible.vocabulary.decode(batch.inputs[row][batch.mask[row]])
        assert all(one in (word, "<unk>") for one, word in zip(source, verse.source, strict=True))


def test_the_baseline_copies_the_source(bible):
    items = bible.test.items
    copied = bleu([list(verse.source) for verse in items], [list(verse.target) for verse in items])
    assert bible.baselines["copy"].value == pytest.approx(copied)
    assert 10 < copied < 40


def test_a_word_is_known_from_so_many_times_on():
    assert word_vocabulary([["b", "a", "b"], ["a", "c"]], 2, ["<pad>"]).symbols == ("<pad>", "a", "b")


def bleu_by_hand(predicted, references):
    """The equation, with the smoothing of what is zero that sacrebleu calls ``exp``."""
    halves, logs = 1.0, 0.0
    for n in range(1, 5):
        shared = total = 0
        for words, reference in zip(predicted, references, strict=True):
            runs, theirs = (
                Counter(tuple(text[i : i + n]) for i in range(len(text) - n + 1)) for text in (words, reference)
            )
            shared += sum((runs & theirs).values())
            total += sum(runs.values())
        if shared == 0:
            halves *= 2
        logs += math.log((shared or 1 / halves) / total) / 4
    c, r = sum(map(len, predicted)), sum(map(len, references))
    return 100 * min(1.0, math.exp(1 - r / c)) * math.exp(logs)


@pytest.mark.parametrize("shift", [0, 1, 7])
def test_bleu_is_its_equation(bible, shift):
    items = bible.test.items[:40]
    references = [list(verse.target) for verse in items]
    predicted = [list(items[(row + shift) % 40].source) for row in range(40)]
    assert bleu(predicted, references) == pytest.approx(bleu_by_hand(predicted, references), rel=1e-9)


def test_what_is_short_is_punished_and_repetition_does_not_pay():
    reference = ["the", "cat", "sat", "on", "the", "mat", "."]
    assert bleu([reference], [reference]) == pytest.approx(100)
    assert bleu([reference[:5]], [reference]) == pytest.approx(100 * math.exp(1 - 7 / 5))
    assert bleu([["the"] * 7], [reference]) < 15
    assert bleu([[]], [reference]) == 0


@pytest.mark.bad_input
@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: bleu([["a"]], []), "predicted has 1 translations and references 0"),
        (lambda: bleu([], []), "at least 1"),
        (lambda: bleu([["a"]], [[]]), "references holds an empty one"),
        (lambda: bleu([["a b"]], [["a"]]), "predicted holds"),
        (lambda: bleu(["ab"], [["a"]]), "predicted holds"),
        (lambda: load("translation", max_tokens=3), "max_tokens is 3"),
        (lambda: load("translation", fewest=0), "fewest is 0"),
        (lambda: load("translation", max_pairs=10), "max_pairs is 10"),
    ],
)
def test_bad_input_is_refused_by_name(call, message):
    with pytest.raises(ValueError, match=message):
        call()
