"""Selective copying: symbols scattered over a long blank, to be said again in order."""

from math import log

import numpy as np
import torch

from rnncourse.data.batches import Batch, tagged
from rnncourse.data.dataset import Baseline, Dataset
from rnncourse.data.splits import Drawing, fresh_splits
from rnncourse.data.synthetic import as_generator, batch_hash, check_at_least, synthetic_card
from rnncourse.data.vocabulary import Vocabulary
from rnncourse.signatures import checked

CARD = synthetic_card(
    name="selective_copying",
    title="Selective copying",
    task="Symbols at random places among blanks, then cues: repeat the symbols in their order, one at each cue.",
    citation="Gu and Dao, Mamba: linear-time sequence modeling with selective state spaces, 2023, section 4.1.1; "
    "after the denoise task of Jing et al., Gated orthogonal recurrent units, 2019.",
    size="8 symbols over 100 steps by default, then 8 cues; valid and test of 1,000 sequences each",
    sha="f7bb3412466b8f22193619cf69adf3121b3850eec89e0692964bee59c1d14875",
    notes="In the copying problem the symbols stand at known places, so keeping time is enough; here the content "
    "decides.",
)


@checked
def selective_copying(
    batch_size: int, *, length: int = 100, symbols: int = 8, width: int = 8, seed: int | np.random.Generator = 0
) -> Batch:
    """Sequences with scattered symbols, scored only at the cues.

    Args:
        batch_size: Sequences, at least 1.
        length: Steps over which the symbols are scattered, at least ``width``.
        symbols: Number of different symbols, at least 2; blank is that number and the cue one more.
        width: How many symbols to remember, at least 1.
        seed: Seed or generator.

    Returns:
        Inputs and targets (batch, length + width); the last ``width`` targets are the symbols, the others blank and
        not scored.

    Raises:
        ValueError: A size is too small.

    Example:
        >>> batch = selective_copying(1, length=6, symbols=3, width=2, seed=1)
        >>> batch.inputs.tolist(), batch.targets[batch.target_mask].tolist()
        ([[3, 1, 3, 1, 3, 3, 4, 4]], [1, 1])
    """
    for argument, value, least in (
        ("batch_size", batch_size, 1),
        ("symbols", symbols, 2),
        ("width", width, 1),
        ("length", length, width),
    ):
        check_at_least(argument, value, least)
    rng = as_generator(seed)
    what = torch.from_numpy(rng.integers(symbols, size=(batch_size, width)))
    where = torch.from_numpy(np.sort(rng.random((batch_size, length)).argsort(axis=1)[:, :width], axis=1))
    inputs = torch.full((batch_size, length + width), symbols)
    inputs.scatter_(1, where, what)
    inputs[:, length:] = symbols + 1
    targets = torch.full_like(inputs, symbols)
    targets[:, length:] = what
    return tagged(inputs, targets, scored=inputs == symbols + 1)


@checked
def load(*, length: int = 100, symbols: int = 8, width: int = 8, held_out: int = 1000) -> Dataset:
    """Selective copying as a data set.

    Args:
        length: Steps over which the symbols are scattered.
        symbols: Number of different symbols.
        width: How many to remember.
        held_out: Sequences in each of valid and test.

    Returns:
        The data set; its baselines guess among equally likely symbols.

    Raises:
        ValueError: A size is too small.
    """
    splits = fresh_splits(Drawing(selective_copying, length=length, symbols=symbols, width=width), held_out)
    vocabulary = Vocabulary([*(f"a{number}" for number in range(symbols)), "blank", "cue"])
    how = "analytic: all symbols are equally likely"
    baselines = {
        "majority": Baseline("majority", 1 / symbols, "accuracy on scored symbols", "higher", how),
        "memoryless": Baseline("memoryless", log(symbols), "nats per scored symbol", "lower", how),
    }
    return Dataset("selective_copying", CARD, splits, vocabulary, vocabulary, baselines)


def fingerprint() -> str:
    """SHA-256 of the default test sample.

    Returns:
        64 hexadecimal digits.
    """
    return batch_hash(load().test.batch())
