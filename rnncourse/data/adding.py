"""The adding problem: two marked numbers far apart, and their sum at the end."""

import numpy as np
import torch

from rnncourse.data.batches import Batch, labelled
from rnncourse.data.dataset import Baseline, Dataset
from rnncourse.data.splits import Drawing, fresh_splits
from rnncourse.data.synthetic import as_generator, batch_hash, check_at_least, synthetic_card
from rnncourse.signatures import checked

CARD = synthetic_card(
    name="adding",
    title="The adding problem",
    task="A sequence of numbers in [0, 1), two of them marked; give the sum of the marked two after the last step.",
    citation="Hochreiter and Schmidhuber, Long short-term memory, Neural Computation 9, 1997, experiment 4; in the "
    "form of Le, Jaitly and Hinton, A simple way to initialize recurrent networks of rectified linear units, 2015.",
    size="length 100 by default; valid and test of 1,000 sequences each",
    sha="b43af050610ab81071aa51ed57ae219235a4815140c232641995a4e9555d32d8",
    notes="`variant='hochreiter1997'` is the original: numbers in [-1, 1], lengths from T to T + T/10, a mark within "
    "the first ten steps and another within the first half, -1 beside the first and last number, target 0.5 + (x1 + "
    "x2)/4, and a sequence counts as solved when the error is below 0.04. `variant='arjovsky2016'` puts one mark into "
    "each half.",
)
VARIANTS = ("le2015", "arjovsky2016", "hochreiter1997")


@checked
def adding(
    batch_size: int, *, length: int = 100, variant: str = "le2015", seed: int | np.random.Generator = 0
) -> Batch:
    r"""Sequences of pairs (number, mark) whose target is the sum of the two marked numbers.

    .. math::

        y = \sum_t m_t x_t, \qquad x_t \sim U[0, 1), \quad m_t \in \{0, 1\}, \quad \sum_t m_t = 2

    where :math:`x_t` is the number and :math:`m_t` the mark at step :math:`t`. The best constant answer is 1, and its
    mean squared error is the variance of a sum of two uniform numbers, 1/6.

    Args:
        batch_size: Sequences, at least 1.
        length: Steps T, at least 2 (at least 22 for ``"hochreiter1997"``).
        variant: ``"le2015"`` marks any two steps, ``"arjovsky2016"`` one in each half, ``"hochreiter1997"`` is the
            original task.
        seed: Seed or generator.

    Returns:
        Inputs (batch, length, 2), targets (batch, 1).

    Raises:
        ValueError: A size is too small, or the variant is unknown.

    References:
        Hochreiter and Schmidhuber 1997, experiment 4; Le et al. 2015, section 4.1; Arjovsky et al. 2016, section 5.2.

    Example:
        >>> batch = adding(4, length=10, seed=1)
        >>> marked = (batch.inputs[..., 0] * batch.inputs[..., 1]).sum(1, keepdim=True)
        >>> bool(torch.allclose(marked, batch.targets))
        True
    """
    check_at_least("batch_size", batch_size, 1)
    if variant not in VARIANTS:
        raise ValueError(f"variant is {variant!r}; it should be one of {', '.join(VARIANTS)}")
    rng = as_generator(seed)
    if variant == "hochreiter1997":
        return _original(batch_size, length, rng)
    check_at_least("length", length, 2)
    numbers = rng.random((batch_size, length), dtype=np.float32)
    rows = np.arange(batch_size)
    if variant == "arjovsky2016":
        first = rng.integers(length // 2, size=batch_size)
        second = rng.integers(length // 2, length, size=batch_size)
    else:
        first = rng.integers(length, size=batch_size)
        second = (first + rng.integers(1, length, size=batch_size)) % length
    marks = np.zeros_like(numbers)
    marks[rows, first] = marks[rows, second] = 1
    targets = numbers[rows, first] + numbers[rows, second]
    inputs = np.stack([numbers, marks], axis=2)
    return labelled(torch.from_numpy(inputs), torch.from_numpy(targets[:, None]))


def _original(batch_size: int, length: int, rng: np.random.Generator) -> Batch:
    """Experiment 4 of 1997, as its authors describe it."""
    check_at_least("length", length, 22)
    lengths = rng.integers(length, length + length // 10 + 1, size=batch_size)
    longest = int(lengths.max())
    numbers = rng.uniform(-1, 1, size=(batch_size, longest)).astype(np.float32)
    rows = np.arange(batch_size)
    first = rng.integers(10, size=batch_size)
    second = rng.integers(length // 2 - 1, size=batch_size)
    second += second >= first  # one of the first T/2 - 1 steps that are still unmarked
    numbers[rows[(first == 0) | (second == 0)], 0] = 0
    marks = np.zeros_like(numbers)
    marks[rows, first] = marks[rows, second] = 1
    marks[:, 0] = marks[rows, lengths - 1] = -1
    targets = 0.5 + (numbers[rows, first] + numbers[rows, second]) / 4
    inside = np.arange(longest) < lengths[:, None]
    inputs = np.stack([numbers * inside, marks * inside], axis=2)
    return labelled(torch.from_numpy(inputs), torch.from_numpy(targets[:, None]), torch.from_numpy(lengths))


@checked
def constant_error(variant: str, length: int) -> float:
    r"""Mean squared error of the best constant answer.

    It is :math:`1/6` for the sum of two numbers from [0, 1). In the original task, with numbers from [-1, 1], the sum
    has variance :math:`2/3` and the target a sixteenth of it, :math:`1/24`, less a little because a mark on the first
    number turns that number into 0.

    Args:
        variant: One of :data:`VARIANTS`.
        length: Steps T.

    Returns:
        The error.

    Example:
        >>> round(constant_error("le2015", 100), 4)
        0.1667
    """
    if variant != "hochreiter1997":
        return 1 / 6
    first_is_zeroed, second_is_zeroed = 0.1, 0.9 / (length // 2 - 1)
    return (2 - first_is_zeroed - second_is_zeroed) / 3 / 16


@checked
def load(*, length: int = 100, variant: str = "le2015", held_out: int = 1000) -> Dataset:
    """The adding problem as a data set.

    Args:
        length: Steps T.
        variant: One of :data:`VARIANTS`.
        held_out: Sequences in each of valid and test.

    Returns:
        The data set; its baseline is the best constant answer.

    Raises:
        ValueError: A size is too small, or the variant is unknown.
    """
    splits = fresh_splits(Drawing(adding, length=length, variant=variant), held_out)
    constant = Baseline(
        "constant",
        constant_error(variant, length),
        "mean squared error",
        "lower",
        "analytic: the variance of the target, the error of always answering its mean",
    )
    return Dataset("adding", CARD, splits, baselines={"constant": constant})


def fingerprint() -> str:
    """SHA-256 of the default test sample.

    Returns:
        64 hexadecimal digits.
    """
    return batch_hash(load().test.batch())
