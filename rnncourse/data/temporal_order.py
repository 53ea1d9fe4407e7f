"""Temporal order: two (or three) important symbols in a long noisy sequence; which came first?"""

import numpy as np
import torch

from rnncourse.data.batches import Batch, labelled
from rnncourse.data.dataset import Baseline, Dataset
from rnncourse.data.splits import Drawing, fresh_splits
from rnncourse.data.synthetic import as_generator, batch_hash, check_at_least, check_span, synthetic_card
from rnncourse.data.vocabulary import PAD, Vocabulary
from rnncourse.signatures import checked

CARD = synthetic_card(
    name="temporal_order",
    title="Temporal order",
    task="A long string of a, b, c, d with an X or Y at two (or three) places; name the order in which they came.",
    citation="Hochreiter and Schmidhuber, Long short-term memory, Neural Computation 9, 1997, experiment 6 (tasks 6a "
    "and 6b).",
    size="100 to 110 steps and 4 classes by default (8 with `relevant=3`); valid and test of 1,000 sequences each",
    sha="f83612735463de19e23ec32b6db9a3709f719fc34135c67f718e8b11cd31426f",
    notes="For other lengths the places scale with the shortest length, as tenths (6a) or hundredths (6b) of it.",
)
SYMBOLS = (PAD, "E", "B", "a", "b", "c", "d", "X", "Y")
CLASSES = {2: ("XX", "XY", "YX", "YY"), 3: ("XXX", "XXY", "XYX", "XYY", "YXX", "YXY", "YYX", "YYY")}
_PLACES = {2: ((10, 20), (50, 60)), 3: ((10, 20), (33, 43), (66, 76))}  # out of a hundred, both ends possible


@checked
def temporal_order(
    batch_size: int,
    *,
    length: int | tuple[int, int] = (100, 110),
    relevant: int = 2,
    seed: int | np.random.Generator = 0,
) -> Batch:
    """Strings from E to B whose class is the order of the X and Y in them.

    Args:
        batch_size: Sequences, at least 1.
        length: Steps, or (shortest, longest); at least 20.
        relevant: How many X or Y there are: 2 (task 6a) or 3 (task 6b).
        seed: Seed or generator.

    Returns:
        Inputs (batch, longest) as numbers of :data:`SYMBOLS`, targets (batch,) as numbers of :data:`CLASSES`.

    Raises:
        ValueError: A size is too small, or ``relevant`` is neither 2 nor 3.

    References:
        Hochreiter and Schmidhuber 1997, experiment 6.

    Example:
        >>> batch = temporal_order(2, length=20, seed=0)
        >>> ["".join(SYMBOLS[symbol] for symbol in row) for row in batch.inputs]
        ['EcXbbaaaadcXccdccccB', 'EdcaXdcadcdXadacabbB']
        >>> [CLASSES[2][label] for label in batch.targets]
        ['XX', 'XX']
    """
    check_at_least("batch_size", batch_size, 1)
    shortest, longest = check_span("length", length, least=20)
    if relevant not in _PLACES:
        raise ValueError(f"relevant is {relevant!r}; it should be 2 or 3")
    rng = as_generator(seed)
    rows = np.arange(batch_size)
    lengths = rng.integers(shortest, longest + 1, size=batch_size)
    steps = int(lengths.max())
    inputs = rng.integers(SYMBOLS.index("a"), SYMBOLS.index("d") + 1, size=(batch_size, steps))
    choices = rng.integers(2, size=(batch_size, relevant))
    for which, (low, high) in enumerate(_PLACES[relevant]):
        place = rng.integers(low * shortest // 100, high * shortest // 100 + 1, size=batch_size)
        inputs[rows, place] = SYMBOLS.index("X") + choices[:, which]
    inputs[:, 0] = SYMBOLS.index("E")
    inputs[rows, lengths - 1] = SYMBOLS.index("B")
    inputs[np.arange(steps) >= lengths[:, None]] = 0
    targets = choices @ (2 ** np.arange(relevant)[::-1])
    return labelled(torch.from_numpy(inputs), torch.from_numpy(targets), torch.from_numpy(lengths))


@checked
def load(*, length: int | tuple[int, int] = (100, 110), relevant: int = 2, held_out: int = 1000) -> Dataset:
    """Temporal order as a data set.

    Args:
        length: Steps, or (shortest, longest).
        relevant: 2 or 3 important symbols.
        held_out: Sequences in each of valid and test.

    Returns:
        The data set; its baseline is a guess among equally likely classes.

    Raises:
        ValueError: A size is too small, or ``relevant`` is neither 2 nor 3.
    """
    splits = fresh_splits(Drawing(temporal_order, length=length, relevant=relevant), held_out)
    classes = CLASSES[relevant]
    chance = Baseline("majority", 1 / len(classes), "accuracy", "higher", "analytic: all classes are equally likely")
    return Dataset("temporal_order", CARD, splits, Vocabulary(SYMBOLS), Vocabulary(classes), {"majority": chance})


def fingerprint() -> str:
    """SHA-256 of the default test sample.

    Returns:
        64 hexadecimal digits.
    """
    return batch_hash(load().test.batch())
