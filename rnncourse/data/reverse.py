"""Reversal: read a string to its end, then say it backwards."""

from math import log

import numpy as np
import torch

from rnncourse.data.batches import Batch, mask_of
from rnncourse.data.dataset import Baseline, Dataset
from rnncourse.data.splits import Drawing, Fresh, Split, fresh_splits
from rnncourse.data.synthetic import as_generator, batch_hash, check_at_least, check_span, synthetic_card
from rnncourse.data.vocabulary import BOS, EOS, PAD, Vocabulary
from rnncourse.signatures import checked

CARD = synthetic_card(
    name="reverse",
    title="Reversal",
    task="A random string of letters in, the same string backwards out.",
    citation="A standard test of sequence-to-sequence models; reversing the source is what Sutskever, Vinyals and Le, "
    "Sequence to sequence learning with neural networks, 2014, did to shorten the lags of translation.",
    size="10 letters, lengths 1 to 20 by default, and a split `longer` of length 40; 1,000 strings in each fixed split",
    sha="2add6c6a4d4aa063479bd9dd30e84669fefcfb4e0cbe868a741a01d453e514c2",
    notes="The shortest strings occur in several splits.",
)


@checked
def reverse(
    batch_size: int, *, length: int | tuple[int, int] = (1, 20), symbols: int = 10, seed: int | np.random.Generator = 0
) -> Batch:
    """Random strings and their reversals, as a transduction.

    Args:
        batch_size: Strings, at least 1.
        length: Letters, or (fewest, most); at least 1.
        symbols: Number of different letters, 2 to 26; they are numbered from 3.
        seed: Seed or generator.

    Returns:
        Inputs (batch, longest), and targets (batch, longest + 2) that begin with 1 (``<bos>``) and end with 2
        (``<eos>``).

    Raises:
        ValueError: A size is out of its range.

    Example:
        >>> batch = reverse(1, length=3, seed=0)
        >>> batch.inputs.tolist(), batch.targets.tolist()
        ([[11, 9, 8]], [[1, 8, 9, 11, 2]])
    """
    check_at_least("batch_size", batch_size, 1)
    fewest, most = check_span("length", length)
    check_at_least("symbols", symbols, 2)
    if symbols > 26:
        raise ValueError(f"symbols is {symbols}; it should be at most 26")
    rng = as_generator(seed)
    lengths = torch.from_numpy(rng.integers(fewest, most + 1, size=batch_size))
    steps = int(lengths.max())
    mask = mask_of(lengths)
    inputs = (torch.from_numpy(rng.integers(symbols, size=(batch_size, steps))) + 3) * mask
    place = torch.arange(steps)
    backwards = inputs.gather(1, (lengths.unsqueeze(1) - 1 - place).clamp(min=0)) * mask
    targets = torch.zeros((batch_size, steps + 2), dtype=torch.int64)
    targets[:, 0] = 1
    targets[:, 1:-1] = backwards
    targets.scatter_(1, lengths.unsqueeze(1) + 1, 2)
    return Batch(inputs, targets, lengths, mask, lengths + 2, mask_of(lengths + 2))


@checked
def load(
    *, length: int | tuple[int, int] = (1, 20), symbols: int = 10, longer: int = 40, held_out: int = 1000
) -> Dataset:
    """Reversal as a data set.

    Args:
        length: Letters, or (fewest, most), in train, valid and test.
        symbols: Number of different letters.
        longer: Letters in the extra split ``"longer"``.
        held_out: Strings in each fixed split.

    Returns:
        The data set; its baselines guess among equally likely letters.

    Raises:
        ValueError: A size is out of its range.
    """
    splits: dict[str, Split | Fresh] = fresh_splits(Drawing(reverse, length=length, symbols=symbols), held_out)
    splits["longer"] = Split(reverse(held_out, length=longer, symbols=symbols, seed=np.random.default_rng([3, 0, 0])))
    vocabulary = Vocabulary([PAD, BOS, EOS, *"abcdefghijklmnopqrstuvwxyz"[:symbols]])
    how = "analytic: all letters are equally likely"
    baselines = {
        "majority": Baseline("majority", 1 / symbols, "accuracy per letter", "higher", how),
        "memoryless": Baseline("memoryless", log(symbols), "nats per letter", "lower", how),
    }
    return Dataset("reverse", CARD, splits, vocabulary, vocabulary, baselines)


def fingerprint() -> str:
    """SHA-256 of the default test sample.

    Returns:
        64 hexadecimal digits.
    """
    return batch_hash(load().test.batch())
