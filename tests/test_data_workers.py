"""Splits, batches and data sets go to other processes and can be indexed; what is drawn stays what it was."""

import pickle

import numpy as np
import pytest
import torch
from torch.utils.data import BatchSampler, DataLoader, RandomSampler

from rnncourse.data import Split, Vocabulary, load
from rnncourse.data.batches import labelled, order_rows
from rnncourse.data.prose import Passage, TextSplit

SMALL = {
    "adding": {"length": 8},
    "anbn": {"n": (1, 4), "longer": 6},
    "continual_reber": {"length": 20},
    "copying": {"lag": 3},
    "parity": {"length": (1, 6), "longer": 9},
    "reber": {},
    "reverse": {"length": (1, 5), "longer": 7},
    "selective_copying": {"length": 10, "width": 3},
    "temporal_order": {"length": (20, 22)},
}
LENGTHS = torch.tensor([5, 3, 2, 5, 1, 4, 2])


def split():
    return Split(labelled(torch.arange(35).view(7, 5), torch.arange(7), LENGTHS))


def text():
    return TextSplit([Passage("a", "abcabca" * 30)], Vocabulary("abc\n"))


def equal(ours, theirs):
    return all(torch.equal(a, b) for a, b in zip(ours, theirs, strict=True))


@pytest.mark.parametrize("name", SMALL)
def test_a_data_set_comes_back_from_a_pickle_and_draws_the_same(name):
    data = load(name, held_out=4, **SMALL[name])
    back = pickle.loads(pickle.dumps(data))
    assert back["valid"] is back.valid
    drawn = (one.train.batches(3, steps=2, seed=5) for one in (data, back))
    for ours, theirs in zip(*drawn, strict=True):
        assert equal(ours, theirs)
    assert equal(data.test.batch(), back.test.batch())


BATCHES = {
    "a split's": lambda: split().batches(3, seed=2),
    "a split's, by length": lambda: split().batches(2, bucket=True, drop_last=True),
    "a text's windows": lambda: text().batches(4, seed=1),
    "a text read on": lambda: text().stream(3, seq_len=7),
    "fresh ones": lambda: load("parity", held_out=2, length=(1, 6)).train.batches(3, steps=4),
}


@pytest.mark.parametrize("kind", BATCHES)
def test_batches_pickle_index_and_say_where_they_are(kind):
    batches = BATCHES[kind]()
    next(iter(batches))  # one epoch has been begun
    back = pickle.loads(pickle.dumps(batches))
    by_number = [back[index] for index in range(len(back))]
    walked = list(batches)
    assert len(by_number) == len(walked)
    assert all(map(equal, by_number, walked))
    assert equal(back[-1], walked[-1])
    with pytest.raises(IndexError, match="index is 99"):
        back[99]
    fresh = BATCHES[kind]()
    fresh.load_state_dict(back.state_dict())
    assert all(map(equal, fresh, walked))


def test_workers_that_are_started_afresh_read_splits_and_batches():
    """As on Windows and macOS, where a worker begins with nothing but what was pickled."""
    rows = split()
    sampler = BatchSampler(RandomSampler(range(7), generator=torch.Generator().manual_seed(0)), 3, drop_last=False)
    options = {"batch_size": None, "num_workers": 1, "multiprocessing_context": "spawn"}
    seen = torch.cat([batch.targets for batch in DataLoader(rows, sampler=sampler, **options)])
    assert seen.sort().values.tolist() == list(range(7))
    batches = text().batches(4, seed=1)
    assert all(map(equal, DataLoader(batches, **options), text().batches(4, seed=1)))


def test_a_split_is_indexed_by_a_number_a_slice_and_several():
    rows = split()
    assert rows[-1].targets.tolist() == [6]
    assert rows[1].inputs.shape == (1, 3)  # cut to its own length
    assert rows[2:5].targets.tolist() == [2, 3, 4]
    assert rows[[4, 0]].targets.tolist() == rows[torch.tensor([4, 0])].targets.tolist() == [4, 0]
    assert [batch.targets.item() for batch in rows] == list(range(7))
    for wrong in (7, -8):
        with pytest.raises(IndexError, match=f"row is {wrong}"):
            rows[wrong]
    with pytest.raises(ValueError, match="split is 'dev'; it should be one of 'train', 'valid', 'test'"):
        load("reber", held_out=2)["dev"]


def test_who_is_left_out_has_nothing_to_do_with_length():
    """With buckets the rows are sorted; what drop_last drops must be drawn before that."""
    lengths, left_out = np.arange(1, 8), []
    for seed in range(200):
        parts = order_rows(lengths, 3, np.random.default_rng(seed), bucket=True, drop_last=True)
        assert [len(part) for part in parts] == [3, 3]
        kept = torch.cat(parts).tolist()
        left_out += [row for row in range(7) if row not in kept]
    counts = np.bincount(left_out, minlength=7)
    assert counts.min() > 10, counts  # about 29 each; the longest alone before
    assert order_rows(lengths, 9, np.random.default_rng(0), bucket=True, drop_last=True) == []
