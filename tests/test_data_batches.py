"""Padding, masks, buckets and hash splits keep every row exactly once and in its place."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from rnncourse.data.batches import Batch, TreeBatch, labelled, pad, select, tagged, transduced
from rnncourse.data.padding import pad_numbers, transduction
from rnncourse.data.splits import Fresh, Split, fraction, split_by_hash, split_of
from rnncourse.data.vocabulary import BOS, EOS, PAD, Vocabulary

ROWS = st.lists(st.lists(st.integers(1, 9), min_size=1, max_size=7), min_size=1, max_size=12)


def rows_of(batch: Batch) -> list[list[int]]:
    return [row[mask].tolist() for row, mask in zip(batch.inputs, batch.mask, strict=True)]


@settings(max_examples=50, deadline=None)
@given(ROWS)
def test_padding_hides_nothing_and_adds_nothing(rows):
    for table, lengths in (pad([torch.tensor(row) for row in rows])[:2], pad_numbers(rows)):
        assert lengths.tolist() == [len(row) for row in rows]
        for row, number in zip(rows, range(len(rows)), strict=True):
            assert table[number].tolist() == row + [0] * (table.shape[1] - len(row))
    mask = pad([torch.tensor(row) for row in rows])[2]
    assert mask.sum(1).tolist() == [len(row) for row in rows]


@settings(max_examples=50, deadline=None)
@given(ROWS, st.integers(1, 5), st.booleans(), st.booleans(), st.integers(0, 99))
def test_an_epoch_holds_every_row_once(rows, batch_size, bucket, shuffle, seed):
    numbered = [[place + 10, *row] for place, row in enumerate(rows)]
    table, lengths = pad_numbers(numbered)
    split = Split(tagged(table, table, lengths), rows)
    batches = split.batches(batch_size, seed=seed, bucket=bucket, shuffle=shuffle)
    seen = [row for batch in batches for row in rows_of(batch)]
    assert sorted(seen) == sorted(numbered)
    assert len(batches) == len(list(batches)) == -(-len(rows) // batch_size)
    for batch in batches:
        assert batch.inputs.shape[1] == int(batch.lengths.max())
        assert torch.equal(batch.mask, torch.arange(batch.inputs.shape[1]) < batch.lengths[:, None])
        assert torch.equal(batch.targets, batch.inputs)
    if not shuffle and not bucket:
        assert seen == numbered


def test_epochs_differ_repeat_and_depend_on_the_seed():
    table = torch.arange(1, 41).reshape(40, 1)
    split = Split(tagged(table, table))

    def order(batches):
        return torch.cat([batch.inputs for batch in batches]).flatten().tolist()

    batches = split.batches(7, seed=1)
    first, second = order(batches), order(batches)
    assert first != second
    assert first == order(split.batches(7, seed=1)) == order(batches.epoch(0))
    assert second == order(batches.epoch(1))
    assert first != order(split.batches(7, seed=2))


def test_buckets_put_similar_lengths_together():
    lengths = np.random.default_rng(0).integers(1, 50, size=200)
    table, sizes = pad_numbers([[1] * int(length) for length in lengths])
    split = Split(tagged(table, table, sizes))
    padding = {
        bucket: sum(int((~batch.mask).sum()) for batch in split.batches(10, bucket=bucket)) for bucket in (True, False)
    }
    assert padding[True] < padding[False] / 5


def test_drop_last_leaves_out_the_small_batch():
    table = torch.ones(10, 1, dtype=torch.int64)
    batches = Split(tagged(table, table)).batches(4, drop_last=True)
    assert [len(batch.inputs) for batch in batches] == [4, 4]
    assert len(batches) == 2


def test_selecting_cuts_both_sides_to_their_own_longest():
    whole = transduction([[5], [5, 6, 7], [5, 6]], [[8, 8, 8], [], [8]], bos=1, eos=2)
    part = select(whole, torch.tensor([2, 1]))
    assert part.inputs.tolist() == [[5, 6, 0], [5, 6, 7]]
    assert part.targets.tolist() == [[1, 8, 2], [1, 2, 0]]
    assert part.target_mask.tolist() == [[True, True, True], [True, True, False]]
    same = transduced([torch.tensor([5])], [torch.tensor([1, 8, 2])])
    assert same.target_lengths.tolist() == [3]


def test_labels_are_scored_once_and_trees_travel_with_their_rows():
    inputs = torch.tensor([[1, 2], [3, 0]])
    batch = labelled(inputs, torch.tensor([7, 8]), torch.tensor([2, 1]))
    assert batch.target_mask.tolist() == [True, True]
    trees = TreeBatch(("left", "right"), *batch)
    part = select(trees, torch.tensor([1]))
    assert isinstance(part, TreeBatch)
    assert part.trees == ("right",)
    assert part.inputs.tolist() == [[3]]
    assert part.to("cpu").trees == ("right",)
    assert batch.to("cpu").inputs.tolist() == inputs.tolist()


def test_fresh_batches_go_on_down_their_stream():
    fresh = Fresh(lambda count, rng: torch.from_numpy(rng.random(count)), stream=0)
    batches = fresh.batches(3, steps=2, seed=5)
    first, second = torch.stack(list(batches)), torch.stack(list(batches))
    assert len(batches) == 2
    assert not torch.equal(first, second)
    straight = torch.stack(list(fresh.batches(3, steps=4, seed=5)))
    assert torch.equal(torch.cat([first, second]), straight)
    other = Fresh(fresh._draw, stream=1).sample(3, seed=5)
    assert not torch.equal(other, fresh.sample(3, seed=5))


def test_the_split_of_a_word_never_changes():
    words = ("moon", "star", "w2", "w6")
    assert [split_of(word) for word in words] == ["train", "valid", "valid", "test"]
    assert fraction("moon") != fraction("moon", salt="take")


def test_the_hash_splits_evenly():
    parts = split_by_hash([f"item {number}" for number in range(20_000)], key=str)
    assert [len(parts[name]) / 20_000 for name in ("train", "valid", "test")] == pytest.approx(
        [0.8, 0.1, 0.1], abs=0.01
    )


@settings(max_examples=30, deadline=None)
@given(st.lists(st.text(max_size=5), unique=True, max_size=40), st.text(max_size=5), st.randoms(use_true_random=False))
def test_splits_are_disjoint_and_stable_under_order_and_growth(items, new, random):
    parts = split_by_hash(items, key=str)
    assert sorted(item for part in parts.values() for item in part) == sorted(items)
    mixed = [*items, new]
    random.shuffle(mixed)
    later = split_by_hash(mixed, key=str)
    for name, part in parts.items():
        assert set(part) <= set(later[name])


def test_a_vocabulary_is_its_own_inverse():
    v = Vocabulary.of("hello world", special=[PAD, BOS, EOS])
    assert (v.pad, v.bos, v.eos) == (0, 1, 2)
    assert v.text(v.encode("low")) == "low"
    assert v.decode([1, v.index("h"), 2]) == [BOS, "h", EOS]
    assert v[3] == " "
    assert "h" in v
    assert len(v) == 3 + 8
    assert Vocabulary.of("ab").pad is None


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: Vocabulary(["a", "b", "a"]), "symbols holds 'a' twice"),
        (lambda: Vocabulary(["a"]).encode("ab"), "symbols holds 'b'"),
        (lambda: Vocabulary(["a"]).index("b"), "symbol is 'b'"),
        (lambda: pad([]), "sequences is empty"),
        (lambda: pad([torch.tensor([1]), torch.tensor([])]), r"sequences\[1\] has length 0"),
        (lambda: pad_numbers([]), "rows holds 0 rows"),
        (lambda: pad_numbers([[1], []]), "every row should have a number"),
        (lambda: Split(labelled(torch.ones(2, 1), torch.ones(2)), ["one"]), "items has 1 entries"),
        (lambda: Split(labelled(torch.ones(2, 1), torch.ones(2))).batches(0), "batch_size is 0"),
        (lambda: Split(labelled(torch.ones(2, 1), torch.ones(2))).batch([]), "rows is empty"),
        (lambda: Fresh(lambda count, rng: None).batches(1, steps=0), "steps is 0"),
        (lambda: Fresh(lambda count, rng: None).sample(0), "count is 0"),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
