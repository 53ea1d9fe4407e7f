"""Continual embedded Reber: string after string, never reset, so that what is over must be forgotten."""

import numpy as np
import torch

from rnncourse.data import reber as embedded
from rnncourse.data.batches import Batch, tagged
from rnncourse.data.dataset import Dataset
from rnncourse.data.splits import Drawing, fresh_splits
from rnncourse.data.synthetic import as_generator, batch_hash, check_at_least, synthetic_card
from rnncourse.data.vocabulary import Vocabulary
from rnncourse.signatures import checked

CARD = synthetic_card(
    name="continual_reber",
    title="Continual embedded Reber",
    task="Read a stream of embedded Reber strings that is never cut or reset; predict at each step the symbol that "
    "follows.",
    citation="Gers, Schmidhuber and Cummins, Learning to forget: continual prediction with LSTM, Neural Computation "
    "12, 2000.",
    size="streams of 300 symbols by default; valid and test of 200 streams each",
    sha="94ac9ad994a93cc8dfb875ea86f9371b6583d23f13c720c52e8ccddc2b460abf",
    notes="The paper reads one stream at a time, each until the first wrong prediction or a very large number of "
    "symbols (from secondary sources); a batch here holds many streams of one length, each starting with a fresh "
    "string.",
)


@checked
def continual_reber(batch_size: int, *, length: int = 300, seed: int | np.random.Generator = 0) -> Batch:
    """Streams of embedded Reber strings, each step's target being the symbol that follows.

    Args:
        batch_size: Streams, at least 1.
        length: Steps, at least 1; the last string is cut where the stream ends.
        seed: Seed or generator.

    Returns:
        Inputs and targets (batch, length) as numbers of :data:`rnncourse.data.reber.SYMBOLS`.

    Raises:
        ValueError: A size is too small.

    References:
        Gers et al. 2000, section 4 (from secondary sources).

    Example:
        >>> batch = continual_reber(1, length=24, seed=3)
        >>> "".join(embedded.SYMBOLS[symbol] for symbol in batch.inputs[0])
        'BTBTSXSETEBTBTSSXSETEBPB'
    """
    check_at_least("batch_size", batch_size, 1)
    check_at_least("length", length, 1)
    rng = as_generator(seed)
    state = np.full(batch_size, embedded._BEFORE)
    columns = []
    for _ in range(length + 1):
        state = np.where(state == embedded.DONE, embedded._BEFORE, state)
        way = rng.integers(2, size=batch_size)
        columns.append(embedded._SYMBOLS[state, way])
        state = embedded._FOLLOWING[state, way]
    tokens = torch.from_numpy(np.stack(columns, axis=1))
    return tagged(tokens[:, :-1], tokens[:, 1:])


@checked
def load(*, length: int = 300, held_out: int = 200) -> Dataset:
    """Continual embedded Reber as a data set.

    Args:
        length: Steps of each stream.
        held_out: Streams in each of valid and test.

    Returns:
        The data set; its baselines know the grammar and forget or remember.

    Raises:
        ValueError: A size is too small.
    """
    splits = fresh_splits(Drawing(continual_reber, length=length), held_out)
    vocabulary = Vocabulary(embedded.SYMBOLS)
    baselines = embedded.prediction_baselines(splits["test"].batch(), continual=True)
    return Dataset("continual_reber", CARD, splits, vocabulary, vocabulary, baselines)


def fingerprint() -> str:
    """SHA-256 of the default test sample.

    Returns:
        64 hexadecimal digits.
    """
    return batch_hash(load().test.batch())
