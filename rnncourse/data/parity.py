"""Parity: is the number of ones odd?"""

import numpy as np
import torch

from rnncourse.data.batches import Batch, labelled, mask_of, tagged
from rnncourse.data.dataset import Baseline, Dataset
from rnncourse.data.splits import Drawing, Fresh, Split, fresh_splits
from rnncourse.data.synthetic import as_generator, batch_hash, check_at_least, check_span, synthetic_card
from rnncourse.data.vocabulary import PAD, Vocabulary
from rnncourse.signatures import checked

CARD = synthetic_card(
    name="parity",
    title="Parity",
    task="A string of bits; say whether the number of ones is odd, at the end or after every bit.",
    citation="Minsky and Papert, Perceptrons, 1969; as a recurrent task Bengio and Frasconi 1994, a variant of which "
    "Hochreiter and Schmidhuber, Long short-term memory, 1997, section 5, solve by guessing weights; on linear "
    "recurrences Grazzi et al., Unlocking state-tracking in linear RNNs through negative eigenvalues, 2025.",
    size="lengths 1 to 40 by default, and a split `longer` of length 256; 1,000 strings in each fixed split",
    sha="101479b9d0f59f8a48df2d0a666d09df320dd368700378b8f981b53bbf133585",
)


@checked
def parity(
    batch_size: int,
    *,
    length: int | tuple[int, int] = (1, 40),
    each_step: bool = False,
    seed: int | np.random.Generator = 0,
) -> Batch:
    r"""Random bits and their parity.

    .. math::

        y_t = x_1 \oplus x_2 \oplus \dots \oplus x_t

    where :math:`x_t` is the bit at step :math:`t` and :math:`\oplus` is exclusive or.

    Args:
        batch_size: Sequences, at least 1.
        length: Steps, or (shortest, longest); at least 1.
        each_step: Whether to ask after every bit; otherwise only at the end.
        seed: Seed or generator.

    Returns:
        Inputs (batch, longest) with 1 for the bit 0, 2 for the bit 1 and 0 for padding; targets 0 or 1 of shape
        (batch,), or (batch, longest) with ``each_step``.

    Raises:
        ValueError: A size is too small.

    Example:
        >>> batch = parity(1, length=6, each_step=True, seed=0)
        >>> batch.inputs.tolist(), batch.targets.tolist()
        ([[2, 2, 2, 1, 1, 1]], [[1, 0, 1, 1, 1, 1]])
    """
    check_at_least("batch_size", batch_size, 1)
    shortest, longest = check_span("length", length)
    rng = as_generator(seed)
    lengths = torch.from_numpy(rng.integers(shortest, longest + 1, size=batch_size))
    steps = int(lengths.max())
    mask = mask_of(lengths)
    bits = torch.from_numpy(rng.integers(2, size=(batch_size, steps))) * mask
    running = bits.cumsum(dim=1) % 2
    inputs = (bits + 1) * mask
    if each_step:
        return tagged(inputs, running * mask, lengths)
    return labelled(inputs, running[:, -1], lengths)


@checked
def load(
    *, length: int | tuple[int, int] = (1, 40), each_step: bool = False, longer: int = 256, held_out: int = 1000
) -> Dataset:
    """Parity as a data set.

    Args:
        length: Steps, or (shortest, longest), in train, valid and test.
        each_step: Whether to ask after every bit.
        longer: Steps in the extra split ``"longer"``.
        held_out: Sequences in each fixed split.

    Returns:
        The data set; its baseline is a guess.

    Raises:
        ValueError: A size is too small.
    """
    check_at_least("longer", longer, 1)
    splits: dict[str, Split | Fresh] = fresh_splits(Drawing(parity, length=length, each_step=each_step), held_out)
    splits["longer"] = Split(
        parity(held_out, length=longer, each_step=each_step, seed=np.random.default_rng([3, 0, 0]))
    )
    guess = Baseline(
        "majority", 0.5, "accuracy", "higher", "analytic: one more random bit makes both answers equally likely"
    )
    return Dataset(
        "parity", CARD, splits, Vocabulary([PAD, "0", "1"]), Vocabulary(["even", "odd"]), {"majority": guess}
    )


def fingerprint() -> str:
    """SHA-256 of the default test sample.

    Returns:
        64 hexadecimal digits.
    """
    return batch_hash(load().test.batch())
