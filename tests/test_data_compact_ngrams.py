"""Tables made compact: decisions come back as written, tables are what their formula says, and fit their bytes."""

from collections import Counter
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from rnncourse.data.arithmetic_coding import DecisionReader, DecisionWriter
from rnncourse.data.compact_ngrams import CompactNgram
from rnncourse.data.ngrams import InterpolatedNgram
from rnncourse.data.pruned_ngrams import CountedNgrams, best_tables, pruned_to


def text(length: int = 4000, size: int = 5, seed: int = 0) -> torch.Tensor:
    """A text whose characters depend on the two before."""
    rng = np.random.default_rng(seed)
    likely = rng.integers(size, size=(size, size))
    codes = [0, 1]
    for _ in range(length - 2):
        codes.append(int(likely[codes[-2], codes[-1]]) if rng.random() < 0.7 else int(rng.integers(size)))
    return torch.tensor(codes)


def entries(model: CompactNgram) -> dict[tuple[int, ...], int]:
    """From each gram, its characters spelled out, to its bits."""
    found = {}
    for order, level in enumerate(model._levels, start=1):
        for gram, bits in zip(level.grams.tolist(), level.bits.tolist(), strict=True):
            spelled = []
            for _ in range(order):
                gram, character = divmod(gram, model.alphabet_size)
                spelled.append(character)
            found[tuple(reversed(spelled))] = bits
    return found


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 3)), max_size=300))
@settings(deadline=None, max_examples=100)
def test_decisions_come_back_as_they_were_written(pairs):
    decisions, keys = np.array([d for d, _ in pairs], dtype=bool), np.array([k for _, k in pairs], dtype=int)
    writer = DecisionWriter()
    writer.write(decisions, keys)
    np.testing.assert_array_equal(DecisionReader(writer.finish()).read(keys), decisions)


@pytest.mark.parametrize("share", [0.0, 0.003, 0.5, 0.97])
def test_decisions_take_hardly_more_than_their_entropy(share):
    rng = np.random.default_rng(0)
    decisions = rng.random(40_000) < share
    writer = DecisionWriter()
    writer.write(decisions, np.zeros(40_000, dtype=int))
    seen = decisions.mean()
    entropy = 0.0 if share == 0 else -(seen * np.log2(seen) + (1 - seen) * np.log2(1 - seen)) * 40_000 / 8
    assert entropy - 1 <= len(writer.finish()) <= 1.02 * entropy + 5


def test_probabilities_are_the_formula_worked_out_one_by_one():
    model = CountedNgrams(text(600), 3, 5).pruned(3.0)
    bits = entries(model)

    def probability(context: tuple[int, ...], character: int) -> float:
        if not context:
            weights = [2.0 ** bits.get((c,), 0) / 5 for c in range(5)]
        else:
            weights = [2.0 ** bits.get((*context, c), 0) * probability(context[1:], c) for c in range(5)]
        return weights[character] / sum(weights)

    codes = text(60, seed=3).tolist()
    expected = [probability(tuple(codes[max(0, place - 2) : place]), codes[place]) for place in range(60)]
    np.testing.assert_allclose(model.probabilities(torch.tensor(codes)), expected, rtol=1e-12)


def test_with_nothing_dropped_it_is_modified_kneser_ney_before_rounding():
    """Against a table of dictionaries: continuation counts below the longest order, three discounts each."""
    codes, order, size = text(2000), 3, 5
    counted = CountedNgrams(codes, order, size)
    raw = codes.tolist()
    counts = {order: Counter(zip(*(raw[k:] for k in range(order)), strict=False))}
    for length in range(order - 1, 0, -1):
        counts[length] = Counter(gram[1:] for gram in counts[length + 1])
        counts[length][tuple(raw[:length])] += 1  # what opens the text continues nothing
    probability = {(): 1.0}
    for length in range(1, order + 1):
        of = Counter(counts[length].values())
        share = of[1] / (of[1] + 2 * of[2]) if of[1] and of[2] and of[3] else None
        discount = {j: (j - (j + 1) * share * of[j + 1] / of[j] if share is not None else 0.5) for j in (1, 2, 3)}
        for gram, count in counts[length].items():
            after = {c: counts[length].get((*gram[:-1], c), 0) for c in range(size)}
            total = sum(after.values())
            left = sum(discount[min(n, 3)] for n in after.values() if n) / total
            lower = probability[gram[1:]] if length > 1 else 1 / size
            probability[gram] = (count - discount[min(count, 3)]) / total + left * lower
    below = np.full(1, 1 / size)
    keep = [np.ones(len(one.grams), dtype=bool) for one in counted._orders]
    for one, (_, own, left) in zip(counted._orders, counted._shares(keep), strict=True):
        below = own + left * below[one.suffix]
    expected = [probability[gram] for gram in sorted(counts[order])]
    np.testing.assert_allclose(below, expected, rtol=1e-10)


@pytest.mark.parametrize("least", [0.0, 5.0, 1e9])
@pytest.mark.parametrize("order", [1, 2, 4])
def test_whatever_is_dropped_the_probabilities_add_up_to_one(least, order):
    model = CountedNgrams(text(), order, 5).pruned(least)
    context = text(seed=9)[: order + 5]
    total = sum(float(model.probabilities(torch.cat([context, torch.tensor([c])]))[-1]) for c in range(5))
    assert total == pytest.approx(1.0, abs=1e-12)


@pytest.mark.parametrize("least", [0.0, 5.0, 40.0])
def test_entries_have_their_shorter_ones(least):
    counted = CountedNgrams(text(), 4, 5)
    keep = [np.ones(len(one.grams), dtype=bool) for one in counted._orders]
    counted._drop(keep, least)
    kept = [set(one.grams[there].tolist()) for one, there in zip(counted._orders, keep, strict=True)]
    for order in (2, 3, 4):
        assert {gram // 5 for gram in kept[order - 1]} | {gram % 5 ** (order - 1) for gram in kept[order - 1]} <= kept[
            order - 2
        ]


def test_what_a_dropped_entry_explained_is_passed_on():
    """0 1 0 1 0 2: the pairs 01, 10, 02 occur 2, 2, 1 times; a kept pair passes one on, a dropped one all it has."""
    counted = CountedNgrams(torch.tensor([0, 1, 0, 1, 0, 2]), 2, 3)
    single, pairs = np.ones(3, dtype=bool), np.ones(3, dtype=bool)  # pairs sorted: 01, 02, 10
    assert [count.tolist() for count in counted._passed_on([single, pairs])] == [[2, 1, 1], [2, 1, 2]]
    assert counted._passed_on([single, np.array([False, True, True])])[0].tolist() == [2, 2, 1]
    assert counted._passed_on([single, np.array([True, True, False])])[0].tolist() == [3, 1, 1]


@pytest.mark.parametrize("least", [2.0, 8.0])
def test_entries_stay_by_their_gain_and_are_rounded_as_the_formulas_say(least):
    """One round of dropping at order 2, and the bits, worked out entry by entry from counts and discounts."""
    counted = CountedNgrams(text(500), 2, 5)
    first, second = counted._orders
    keep = [np.ones(5, dtype=bool), np.ones(len(second.grams), dtype=bool)]
    counted._drop(keep, least)
    total = np.bincount(second.grams // 5, second.counts, minlength=5)
    discount = np.minimum(second.discounts[np.minimum(second.counts, 3)], second.counts)
    lost = np.bincount(second.grams // 5, discount, minlength=5)
    (_, own, left), _ = counted._shares([np.ones(5, dtype=bool), np.ones(len(second.grams), dtype=bool)])
    single = own + left / 5
    for place, (gram, count) in enumerate(zip(second.grams.tolist(), second.counts.tolist(), strict=True)):
        context, character = divmod(gram, 5)
        share, rest, p = (count - discount[place]) / total[context], lost[context] / total[context], single[character]
        gain = count * np.log2((share + rest * p) / ((rest + share) * p))
        assert keep[1][place] == (gain >= least)
    model = counted.pruned(1e-9)
    bits, shorter = entries(model), {c: model.probabilities(torch.tensor([c]))[0] for c in range(5)}
    kept = [np.isin(one.grams, level.grams) for one, level in zip(counted._orders, model._levels, strict=True)]
    _, own, left = counted._shares(kept)[1]
    for place, gram in enumerate(second.grams.tolist()):
        if kept[1][place]:
            exact = np.log2(1 + own[place] / (left[place] * shorter[gram % 5]))
            assert bits[divmod(gram, 5)] == round(exact)


def test_the_validation_text_chooses_the_order():
    """Where validation is noise single letters are taken, though the test text is like the training text."""
    train = text(6000)

    def part(codes):
        return SimpleNamespace(codes=codes)

    noise = torch.from_numpy(np.random.default_rng(1).integers(5, size=2000))
    rows = {}
    for name, valid in (("like the training", train[:2000]), ("unlike it", noise)):
        data = SimpleNamespace(vocabulary=range(5), train=part(train), valid=part(valid), test=part(train[:2000]))
        rows[name] = best_tables(data, [1, 3], [4000], halvings=3)
    assert rows["like the training"]["order"] == [3.0]
    assert rows["unlike it"]["order"] == [1.0]
    assert rows["unlike it"]["bits"][0] > rows["like the training"]["bits"][0]


def test_everything_dropped_leaves_single_characters():
    model = CountedNgrams(text(), 4, 5).pruned(1e9)
    assert [len(level.grams) for level in model._levels] == [5, 0, 0, 0]


@pytest.mark.parametrize("least", [0.0, 3.0, 1e9])
def test_what_is_stored_restores_the_table_to_the_last_bit(least):
    model = CountedNgrams(text(), 4, 5).pruned(least)
    again = CompactNgram.from_bytes(model.to_bytes(), 4, 5)
    np.testing.assert_array_equal(again.probabilities(text(seed=2)), model.probabilities(text(seed=2)))
    assert again.entries == model.entries


def test_a_character_that_training_never_saw_has_a_probability():
    model = CountedNgrams(text(), 3, 9).pruned(1.0)
    assert 0 < model.probabilities(torch.tensor([0, 8]))[1] < 0.05


def test_a_table_fits_its_bytes_and_more_bytes_predict_no_worse():
    counted = CountedNgrams(text(20_000), 5, 5)
    whole = len(counted.pruned(0.0).to_bytes())
    bits = []
    for budget in (whole // 8, whole // 2, whole):
        fitted = pruned_to(counted, budget)
        assert fitted.bytes == len(fitted.model.to_bytes()) <= budget
        assert fitted.bytes > 0.75 * budget
        bits.append(fitted.model.bits_per_character(text(20_000)))  # of the training text
    assert bits == sorted(bits, reverse=True)


def test_it_predicts_better_than_plain_counts_of_the_same_order():
    codes, held_out = text(20_000)[:10_000], text(20_000)[10_000:]  # one text, in two parts
    plain = InterpolatedNgram(5, 5).fit(codes)
    compact = CountedNgrams(codes, 5, 5).pruned(8.0)
    assert compact.bits_per_character(held_out) < plain.bits_per_character(held_out)
    assert len(compact.to_bytes()) < plain.memory_bytes / 50


@pytest.mark.bad_input
def test_what_cannot_be_is_refused():
    with pytest.raises(ValueError, match="codes has 2 characters; it should have at least order = 3"):
        CountedNgrams(torch.tensor([0, 1]), 3, 2)
    with pytest.raises(ValueError, match=r"codes holds 0..7; it should stay within 0..4"):
        CountedNgrams(torch.tensor([0, 7]), 2, 5)
    with pytest.raises(ValueError, match="budget is 1; it should be at least"):
        pruned_to(CountedNgrams(text(), 2, 5), 1)
    one, none = (np.array([0, 1]), np.array([1, 0])), (np.array([], dtype=int), np.array([], dtype=int))
    for wrong in (
        [(np.array([1, 0]), np.array([0, 0]))],
        [(np.array([0]), np.array([-1]))],
        [(np.array([0]), np.array([64]))],
    ):
        with pytest.raises(ValueError, match="not sorted, or not each with 0 to 63 bits"):
            CompactNgram(2, wrong)
    for wrong in ([-1, 0], [1, 2]):
        with pytest.raises(ValueError, match=rf"order 1 are {wrong[0]}..{wrong[1]}; they should be characters"):
            CompactNgram(2, [(np.array(wrong), np.array([0, 0]))])
    with pytest.raises(ValueError, match="should have their shorter ones"):
        CompactNgram(3, [one, (np.array([2]), np.array([1]))])  # 0 2, where 2 has no entry
    with pytest.raises(ValueError, match="should have their shorter ones"):
        CompactNgram(2, [one, none, (np.array([0]), np.array([1]))])
    with pytest.raises(ValueError, match="there are 2 decisions and 1 keys"):
        DecisionWriter().write(np.array([True, False]), np.array([0]))
