"""The rows of a batch of sequences: every step's in their place, every block's ends where sequences end."""

import torch
from hypothesis import given
from hypothesis import strategies as st

from rnncourse.kernels.rows import blocks_of, continuing, one_step_before, prefixes

some_lengths = st.lists(st.integers(1, 90), min_size=1, max_size=9).map(lambda lengths: sorted(lengths, reverse=True))


def packed(lengths):
    """How many sequences each step has, and of every row its step and its sequence."""
    batch_sizes = [sum(length > t for length in lengths) for t in range(lengths[0])]
    return batch_sizes, [(t, i) for t, n in enumerate(batch_sizes) for i in range(n)]


def test_checkpoints_stand_every_root_of_time():
    for steps in (1, 2, 15, 16, 17, 100, 5000):
        size = len(next(blocks_of([2] * steps, 3, checkpoint=True)).batch_sizes)
        assert (size - 1) ** 2 < steps <= size**2


@given(lengths=some_lengths, checkpoint=st.booleans())
def test_blocks_hold_every_row_once_and_know_where_sequences_end(lengths, checkpoint):
    batch_sizes, of_row = packed(lengths)
    rows, running_before = [], batch_sizes[0]
    for block in blocks_of(batch_sizes, 2**14, checkpoint):
        inside = of_row[block.rows]
        assert {t for t, _ in inside} == set(range(block.steps.start, block.steps.stop))
        assert block.batch_sizes == batch_sizes[block.steps]
        assert block.earlier == running_before
        ends = [inside[k] for k in torch.arange(len(inside))[block.ends()]]
        assert ends == [(min(lengths[i], block.steps.stop) - 1, i) for i in range(block.batch_sizes[0])]
        rows, running_before = rows + inside, block.batch_sizes[-1]
    assert rows == of_row


@given(lengths=some_lengths)
def test_every_row_finds_its_own_sequence_one_step_earlier(lengths):
    batch_sizes, of_row = packed(lengths)
    named = torch.tensor([(-1, i) for i in range(batch_sizes[0])] + of_row)
    assert one_step_before(named, batch_sizes).tolist() == [[t - 1, i] for t, i in of_row]
    steps = torch.tensor(of_row).split(batch_sizes)
    kept = [step.tolist() for step in continuing(steps, batch_sizes)]
    assert kept == [[[t, i] for i in range(n)] for t, n in enumerate(batch_sizes[1:])]


@given(lengths=some_lengths)
def test_prefixes_share_the_memory_of_what_they_are_prefixes_of(lengths):
    batch_sizes, _ = packed(lengths)
    sums = torch.zeros(len(lengths), dtype=torch.int64)
    for part in prefixes(sums, batch_sizes):
        part += 1
    assert sums.tolist() == lengths
