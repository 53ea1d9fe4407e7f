"""The copying problem: remember ten symbols over a long blank, then say them again."""

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
    name="copying",
    title="The copying problem",
    task="Ten symbols, a long blank, a delimiter: repeat the ten symbols after the delimiter, and say blank before it.",
    citation="Arjovsky, Shah and Bengio, Unitary evolution recurrent neural networks, 2016, section 5.1, after "
    "Hochreiter and Schmidhuber 1997.",
    size="lag T = 100 by default, so 120 steps; valid and test of 1,000 sequences each",
    sha="1d57dfd47fad909496f7b3c8cae4cfe39f84bcf8c5d33d408f1b91083f7d767d",
)


@checked
def copying(
    batch_size: int, *, lag: int = 100, symbols: int = 8, width: int = 10, seed: int | np.random.Generator = 0
) -> Batch:
    r"""Sequences to remember: `width` symbols, `lag - 1` blanks, a delimiter, `width` blanks.

    The target is blank for the first ``lag + width`` steps and then the symbols. Without memory the best that one can
    do is to say blank until the delimiter and to guess afterwards, for an average cross-entropy in nats of

    .. math::

        \frac{K \log S}{T + 2K}

    where :math:`K` is the width, :math:`S` the number of symbols and :math:`T` the lag: the well-known :math:`10 \log
    8 / (T + 20)`.

    Args:
        batch_size: Sequences, at least 1.
        lag: T, at least 1.
        symbols: S, at least 2; blank is number S and the delimiter S + 1.
        width: K, at least 1.
        seed: Seed or generator.

    Returns:
        Inputs and targets (batch, lag + 2 · width), all steps scored.

    Raises:
        ValueError: A size is too small.

    References:
        Arjovsky et al. 2016, section 5.1, task and formula read in a long quotation.

    Example:
        >>> batch = copying(1, lag=3, symbols=2, width=2, seed=0)
        >>> batch.inputs.tolist(), batch.targets.tolist()
        ([[1, 1, 2, 2, 3, 2, 2]], [[2, 2, 2, 2, 2, 1, 1]])
    """
    for argument, value, least in (
        ("batch_size", batch_size, 1),
        ("lag", lag, 1),
        ("symbols", symbols, 2),
        ("width", width, 1),
    ):
        check_at_least(argument, value, least)
    rng = as_generator(seed)
    blank, delimiter = symbols, symbols + 1
    what = torch.from_numpy(rng.integers(symbols, size=(batch_size, width)))
    inputs = torch.full((batch_size, lag + 2 * width), blank)
    inputs[:, :width] = what
    inputs[:, width + lag - 1] = delimiter
    targets = torch.full_like(inputs, blank)
    targets[:, -width:] = what
    return tagged(inputs, targets)


@checked
def memoryless_nats(lag: int, symbols: int = 8, width: int = 10) -> float:
    r"""The cross-entropy of a predictor without memory, :math:`K \log S / (T + 2K)`.

    Args:
        lag: T.
        symbols: S.
        width: K.

    Returns:
        Nats per step.

    Example:
        >>> round(memoryless_nats(100), 5)
        0.17329
    """
    for name, number, least in (("lag", lag, 0), ("symbols", symbols, 1), ("width", width, 1)):
        check_at_least(name, number, least)
    return width * log(symbols) / (lag + 2 * width)


@checked
def load(*, lag: int = 100, symbols: int = 8, width: int = 10, held_out: int = 1000) -> Dataset:
    """The copying problem as a data set.

    Args:
        lag: Steps T between the symbols and their copy.
        symbols: Number of different symbols.
        width: How many to remember.
        held_out: Sequences in each of valid and test.

    Returns:
        The data set; its baseline is the analytic loss of a predictor without memory.

    Raises:
        ValueError: A size is too small.
    """
    splits = fresh_splits(Drawing(copying, lag=lag, symbols=symbols, width=width), held_out)
    vocabulary = Vocabulary([*(f"a{number}" for number in range(symbols)), "blank", "delimiter"])
    memoryless = Baseline(
        "memoryless",
        memoryless_nats(lag, symbols, width),
        "nats per step",
        "lower",
        "analytic: blank up to the delimiter, then a guess, K log S / (T + 2K)",
    )
    return Dataset("copying", CARD, splits, vocabulary, vocabulary, {"memoryless": memoryless})


def fingerprint() -> str:
    """SHA-256 of the default test sample.

    Returns:
        64 hexadecimal digits.
    """
    return batch_hash(load().test.batch())
