"""Letters and sounds: the aligner equals brute force, its likelihood never falls, and CMUdict is read right."""

import gc
from itertools import product

import numpy as np
import pytest

from rnncourse.data import letter_to_sound, load
from rnncourse.data import pronunciation as cmu
from rnncourse.data.alignment import Aligner
from rnncourse.data.metrics import error_rates

PAIRS = [
    ("cat", "KAT"),
    ("sax", "SAKS"),
    ("tax", "TAKS"),
    ("sat", "SAT"),
    ("a", "A"),
    ("scat", "SKAT"),
    ("cast", "KAST"),
    ("aa", "A"),
]


def cuts(letters: int, sounds: int):
    """All ways of giving each letter 0, 1 or 2 of the phonemes."""
    return [sizes for sizes in product(range(3), repeat=letters) if sum(sizes) == sounds]


def chunk_probability(aligner: Aligner, letter: str, chunk: str) -> float:
    row = aligner.letters.index(letter)
    place = [aligner.sounds.index(sound) for sound in chunk]
    table = (aligner._none, aligner._one, aligner._two)[len(chunk)]
    return float(table[(row, *place)])


def way_probability(aligner, letters, sounds, sizes) -> float:
    ends = np.cumsum(sizes)
    parts = [sounds[end - size : end] for size, end in zip(sizes, ends, strict=True)]
    return float(
        np.prod([chunk_probability(aligner, letter, part) for letter, part in zip(letters, parts, strict=True)])
    )


@pytest.fixture
def fitted():
    return Aligner("acstx", "AKST").fit(PAIRS, iterations=3, batch_size=3)


def test_log_likelihood_equals_the_sum_over_all_ways(fitted):
    expected = np.mean(
        [np.log(sum(way_probability(fitted, x, y, sizes) for sizes in cuts(len(x), len(y)))) for x, y in PAIRS]
    )
    before = len(fitted.log_likelihood)
    fitted.fit(PAIRS, iterations=1)
    assert fitted.log_likelihood[before] == pytest.approx(expected, rel=1e-10)


def test_one_iteration_equals_expected_counts_by_brute_force():
    start, after = Aligner("acstx", "AKST"), Aligner("acstx", "AKST").fit(PAIRS, iterations=1)
    counts: dict[tuple[str, str], float] = {}
    for x, y in PAIRS:
        ways = {sizes: way_probability(start, x, y, sizes) for sizes in cuts(len(x), len(y))}
        total = sum(ways.values())
        for sizes, probability in ways.items():
            ends = np.cumsum(sizes)
            for letter, size, end in zip(x, sizes, ends, strict=True):
                key = (letter, y[end - size : end])
                counts[key] = counts.get(key, 0) + probability / total
    for (letter, chunk), count in counts.items():
        share = count / sum(value for (other, _), value in counts.items() if other == letter)
        assert chunk_probability(after, letter, chunk) == pytest.approx(share, rel=1e-10)
    sums = after._none + after._one.sum(1) + after._two.sum((1, 2))
    np.testing.assert_allclose(sums, 1, rtol=1e-12)


def test_likelihood_never_falls():
    history = Aligner("acstx", "AKST").fit(PAIRS, iterations=15).log_likelihood
    assert len(history) == 15
    assert all(later >= earlier - 1e-12 for earlier, later in zip(history, history[1:], strict=False))


def test_alignment_is_the_likeliest_way(fitted):
    for (x, y), row in zip(PAIRS, fitted.align(PAIRS, batch_size=3), strict=True):
        best = max(cuts(len(x), len(y)), key=lambda sizes: way_probability(fitted, x, y, sizes))
        value = way_probability(fitted, x, y, [len(chunk) for chunk in row])
        assert value == pytest.approx(way_probability(fitted, x, y, best))
        assert "".join("".join(chunk) for chunk in row) == y
        assert len(row) == len(x)


def test_x_learns_to_make_two_sounds():
    aligner = Aligner("acstx", "AKST").fit(PAIRS * 3, iterations=25)
    assert aligner.align([("tax", "TAKS")]) == [(("T",), ("A",), ("K", "S"))]


def test_batches_do_not_change_the_fit():
    one, many = (Aligner("acstx", "AKST").fit(PAIRS, iterations=4, batch_size=size) for size in (1, 100))
    np.testing.assert_allclose(one._two, many._two, rtol=1e-10)


def test_what_cannot_be_aligned_is_none_or_refused():
    aligner = Aligner("ab", "XY").fit([("ab", "XY")], iterations=2)
    assert aligner.align([("a", "XYX")]) == [None]
    with pytest.raises(ValueError, match="there are 0 pairs"):
        Aligner("ab", "XY").fit([("a", "XYX")])
    with pytest.raises(ValueError, match="0 iterations"):
        Aligner("ab", "XY").fit([("a", "X")], iterations=0)


def test_the_dictionary_is_parsed_as_written():
    source = (
        "'bout B AW1 T\na AH0\na(2) EY1\na.m. EY2 EH1 M\nread R EH1 D # past\nread(2) R IY1 D\n"
        "read(3) R EH0 D\nrecord-holder R\n"
    )
    assert cmu.parse(source) == [
        cmu.Word("a", ("AH",), (("EY",),)),
        cmu.Word("read", ("R", "EH", "D"), (("R", "IY", "D"),)),
    ]


@pytest.mark.parametrize(
    "words",
    [
        ("walk", "walks", "walked", "walking", "walker", "walkers"),
        ("hope", "hopes", "hoped", "hoping"),
        ("stop", "stopped", "stopping"),
        ("carry", "carries", "carried", "carrier"),
        ("box", "boxes"),
    ],
)
def test_inflections_share_a_family(words):
    assert len({cmu.family(word) for word in words}) == 1


def test_short_words_keep_their_letters():
    assert [cmu.family(word) for word in ("is", "red", "sing", "bus")] == ["is", "red", "sing", "bus"]


@pytest.fixture(scope="module")
def tagging():
    return load("letter_to_sound", max_words=1500)


@pytest.fixture(scope="module")
def transduction():
    return load("grapheme_to_phoneme", max_words=1500)


def test_families_do_not_leak(transduction):
    families = {name: {cmu.family(word.letters) for word in split.items} for name, split in transduction.splits.items()}
    assert not families["train"] & (families["valid"] | families["test"])
    assert not families["valid"] & families["test"]


def test_fewer_words_are_some_of_the_same_words(transduction):
    small = load("grapheme_to_phoneme", max_words=300)
    for name in ("train", "valid", "test"):
        assert set(small.splits[name].items) <= set(transduction.splits[name].items)
    assert [len(small.splits[name]) for name in ("train", "valid", "test")] == [300, 30, 30]
    assert small.target_vocabulary.symbols == transduction.target_vocabulary.symbols
    assert len(small.target_vocabulary) == 3 + 39


def test_tags_spell_the_pronunciation(tagging):
    for split in tagging.splits.values():
        batch = split.batch()
        for row, item in enumerate(split.items[:300]):
            tags = tagging.target_vocabulary.decode(batch.targets[row][batch.mask[row]])
            assert tuple(tags) == item.tags
            assert letter_to_sound.phonemes(tags) == item.word.phonemes
            assert tagging.vocabulary.text(batch.inputs[row]) == item.word.letters


def test_most_words_can_be_tagged(tagging, transduction):
    assert len(tagging.train) > 0.98 * len(transduction.train)


def test_transduction_frames_the_phonemes(transduction):
    batch = transduction.test.batch()
    for row, word in enumerate(transduction.test.items):
        symbols = transduction.target_vocabulary.decode(batch.targets[row][batch.target_mask[row]])
        assert symbols == ["<bos>", *word.phonemes, "<eos>"]


def test_table_baselines_are_what_a_table_by_hand_gives(tagging):
    train, test = tagging.train.items, tagging.test.items
    counts: dict[str, dict[str, int]] = {}
    for item in train:
        for letter, tag in zip(item.word.letters, item.tags, strict=True):
            counts.setdefault(letter, {}).setdefault(tag, 0)
            counts[letter][tag] += 1
    best = {letter: max(tags.values()) for letter, tags in counts.items()}
    guesses = letter_to_sound.windowed(tagging.train.batch(), tagging.test.batch(), 0)
    for row, item in enumerate(test):
        for place, letter in enumerate(item.word.letters):
            tag = tagging.target_vocabulary[int(guesses[row, place])]
            assert counts[letter][tag] == best[letter]
    rows = [tagging.target_vocabulary.decode(row[: len(item.tags)]) for row, item in zip(guesses, test, strict=True)]
    rates = error_rates([letter_to_sound.phonemes(row) for row in rows], [item.word.pronunciations for item in test])
    assert tagging.baselines["majority PER"].value == pytest.approx(rates.per)
    assert tagging.baselines["majority WER"].value == pytest.approx(rates.wer)
    assert tagging.baselines["window PER"].value < tagging.baselines["majority PER"].value


def test_windows_fall_back_to_narrower_ones(tagging):
    batch = tagging.train.batch()
    own = letter_to_sound.windowed(batch, batch, 2)
    wide = float((own == batch.targets)[batch.mask].double().mean())
    narrow = float((letter_to_sound.windowed(batch, batch, 0) == batch.targets)[batch.mask].double().mean())
    assert wide > narrow
    assert bool((own[batch.mask] > 0).all())
    assert bool((own[~batch.mask] == 0).all())


def test_bad_input_is_named():
    with pytest.raises(ValueError, match="max_words is 9"):
        load("grapheme_to_phoneme", max_words=9)
    with pytest.raises(ValueError, match="max_words is 'many'"):
        load("letter_to_sound", max_words="many")


def test_the_collector_rests_while_words_are_made_and_is_left_as_it_was():
    with cmu.collector_paused():
        assert not gc.isenabled()
        with cmu.collector_paused():
            pass
        assert not gc.isenabled()
    assert gc.isenabled()
    with pytest.raises(ZeroDivisionError), cmu.collector_paused():
        1 / 0  # noqa: B018
    assert gc.isenabled()


def test_stress_is_dropped_from_phonemes_and_digits_stay_where_they_are_no_stress():
    assert cmu.parse("abc AE2 B IY1 S IY0\nabc(2) AE0 B # 2 B\nb2b B IY1\n") == [
        cmu.Word("abc", ("AE", "B", "IY", "S", "IY"), (("AE", "B"),))
    ]
