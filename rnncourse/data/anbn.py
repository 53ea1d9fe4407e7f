"""The language aⁿbⁿ: count the a's, then as many b's."""

import numpy as np
import torch

from rnncourse.data.batches import Batch, mask_of, tagged
from rnncourse.data.dataset import Baseline, Dataset
from rnncourse.data.splits import Drawing, Fresh, Split, fresh_splits
from rnncourse.data.synthetic import as_generator, batch_hash, check_at_least, check_span, synthetic_card
from rnncourse.data.vocabulary import PAD, Vocabulary
from rnncourse.signatures import checked

CARD = synthetic_card(
    name="anbn",
    title="The language aⁿbⁿ",
    task="Read S aⁿ bⁿ; from the first b on, predict each next symbol: another b, or the end T.",
    citation="Gers and Schmidhuber, LSTM recurrent networks learn simple context free and context sensitive "
    "languages, IEEE Transactions on Neural Networks 12, 2001; Rodriguez, Wiles and Elman 1999.",
    size="n from 1 to 10 by default, and a split `longer` with each n from 11 to 100; 1,000 strings in valid and test",
    sha="96fd77482b76d7a98eef02a7b79167a91c89cb8c07a46290db438b56969f0b6d",
    notes="While a's are read, nobody can know whether another comes; those steps are not scored. There is one string "
    "for each n, so valid and test repeat the strings of train; `longer` is the honest test.",
)
SYMBOLS = (PAD, "S", "a", "b", "T")


@checked
def anbn_strings(counts: np.ndarray) -> Batch:
    """The strings with these numbers of a's, each step's target being the symbol that follows.

    Args:
        counts: How many a's (and b's) each string has, at least 1 each, shape (batch,).

    Returns:
        Inputs S aⁿ bⁿ and targets aⁿ bⁿ T as numbers of :data:`SYMBOLS`; scored from the first b on.

    Raises:
        ValueError: A count is below 1, or there is none.

    Example:
        >>> batch = anbn_strings(np.array([2]))
        >>> ["".join(SYMBOLS[symbol] for symbol in row[0]) for row in (batch.inputs, batch.targets)]
        ['Saabb', 'aabbT']
        >>> batch.target_mask.tolist()
        [[False, False, False, True, True]]
    """
    if len(counts) == 0 or counts.min() < 1:
        raise ValueError(f"counts is {counts!r}; it should hold at least one integer, each at least 1")
    n = torch.from_numpy(np.asarray(counts, dtype=np.int64)).unsqueeze(1)
    place = torch.arange(2 * int(n.max()) + 2)
    symbols = torch.where(place == 0, 1, torch.where(place <= n, 2, torch.where(place <= 2 * n, 3, 4)))
    symbols = symbols * (place <= 2 * n + 1)
    lengths = (2 * n + 1).squeeze(1)
    inputs = symbols[:, :-1] * mask_of(lengths)
    return tagged(inputs, symbols[:, 1:], lengths, inputs == SYMBOLS.index("b"))


@checked
def anbn(batch_size: int, *, n: int | tuple[int, int] = (1, 10), seed: int | np.random.Generator = 0) -> Batch:
    """Strings of the language with n drawn evenly from a range.

    Args:
        batch_size: Strings, at least 1.
        n: One number of a's, or (least, most), at least 1.
        seed: Seed or generator.

    Returns:
        As :func:`anbn_strings`.

    Raises:
        ValueError: A size is too small.
    """
    check_at_least("batch_size", batch_size, 1)
    least, most = check_span("n", n)
    return anbn_strings(as_generator(seed).integers(least, most + 1, size=batch_size))


@checked
def load(*, n: int | tuple[int, int] = (1, 10), longer: int = 100, held_out: int = 1000) -> Dataset:
    """The language aⁿbⁿ as a data set.

    Args:
        n: Numbers of a's to train on, (least, most).
        longer: The split ``"longer"`` holds each n beyond those, up to this one.
        held_out: Strings in each of valid and test.

    Returns:
        The data set; its baseline always predicts another b.

    Raises:
        ValueError: A size is too small, or nothing is longer.
    """
    _, most = check_span("n", n)
    check_at_least("longer", longer, most + 1)
    splits: dict[str, Split | Fresh] = fresh_splits(Drawing(anbn, n=n), held_out)
    splits["longer"] = Split(anbn_strings(np.arange(most + 1, longer + 1)))
    test = splits["test"].batch()
    share = float((test.targets[test.target_mask] == SYMBOLS.index("b")).float().mean())
    always = Baseline(
        "majority",
        share,
        "accuracy on scored symbols",
        "higher",
        "always predicts another b; no string is right to its end",
    )
    return Dataset("anbn", CARD, splits, Vocabulary(SYMBOLS), Vocabulary(SYMBOLS), {"majority": always})


def fingerprint() -> str:
    """SHA-256 of the default test sample.

    Returns:
        64 hexadecimal digits.
    """
    return batch_hash(load().test.batch())
