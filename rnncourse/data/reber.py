"""The embedded Reber grammar: the second symbol must come again just before the end."""

import numpy as np
import torch
from jaxtyping import Bool, Int
from torch import Tensor

from rnncourse.data.batches import Batch, tagged
from rnncourse.data.dataset import Baseline, Dataset
from rnncourse.data.splits import Drawing, fresh_splits
from rnncourse.data.synthetic import as_generator, batch_hash, check_at_least, synthetic_card
from rnncourse.data.vocabulary import PAD, Vocabulary
from rnncourse.signatures import checked

CARD = synthetic_card(
    name="reber",
    title="The embedded Reber grammar",
    task="Read a string of the embedded Reber grammar; predict at each step the symbol that follows.",
    citation="Reber, Implicit learning of artificial grammars, 1967; embedded by Smith and Zipser 1989 and Cleeremans "
    "et al. 1989; Hochreiter and Schmidhuber, Long short-term memory, Neural Computation 9, 1997, experiment 1.",
    size="strings of 9 symbols and more; valid and test of 1,000 strings each",
    sha="ed0db2ed973b1ab1c5712c7ddde767819da60fd1ea5b0b9b4272ae304c8bb858",
    notes="Every fork takes either way with probability 1/2, as in 1997; Smith and Zipser made short strings likelier. "
    "Short strings repeat between the splits, since the grammar has few of them; in 1997 no string of the train set "
    "was tested.",
)
SYMBOLS = (PAD, "B", "T", "S", "X", "P", "V", "E")
# state of the inner grammar -> its two (symbol, next state); state 5 is left by E alone
INNER = {
    0: (("T", 1), ("P", 2)),
    1: (("S", 1), ("X", 3)),
    2: (("T", 2), ("V", 4)),
    3: (("X", 2), ("S", 5)),
    4: (("P", 3), ("V", 5)),
}
# The embedded grammar as one automaton: states 0..3 outside, then two copies of the inner one, which differ in what
# they remember.
START, CHOSE, CLOSE, LAST, DONE = 0, {"T": 1, "P": 2}, {"T": 17, "P": 18}, 19, 20


def _automaton() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Symbols and next states of each state's two ways on, and the state after each symbol (−1: not allowed)."""
    ways: dict[int, tuple[tuple[str, int], ...]] = {21: (("B", START),), START: (("T", 1), ("P", 2))}
    for copy, outer in enumerate(("T", "P")):
        first = 3 + 7 * copy
        ways[CHOSE[outer]] = (("B", first),)
        for state, edges in INNER.items():
            ways[first + state] = tuple((symbol, first + following) for symbol, following in edges)
        ways[first + 5] = (("E", CLOSE[outer]),)
        ways[CLOSE[outer]] = ((outer, LAST),)
    ways[LAST] = (("E", DONE),)
    symbols, following = np.zeros((22, 2), dtype=np.int64), np.full((22, 2), DONE)
    after = np.full((22, len(SYMBOLS)), -1)
    for state, edges in ways.items():
        for way in range(2):
            symbol, target = edges[way % len(edges)]
            symbols[state, way], following[state, way] = SYMBOLS.index(symbol), target
            after[state, SYMBOLS.index(symbol)] = target
    return symbols, following, after


_SYMBOLS, _FOLLOWING, _AFTER = _automaton()
_BEFORE = 21


def _strings(count: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Whole strings, all grown side by side: symbols (count, longest) padded with 0, and lengths."""
    state = np.full(count, _BEFORE)
    columns = []
    while (state != DONE).any():
        way = rng.integers(2, size=count)
        columns.append(_SYMBOLS[state, way])
        state = _FOLLOWING[state, way]
    symbols = np.stack(columns, axis=1)
    return symbols, (symbols != 0).sum(axis=1)


@checked
def reber(batch_size: int, *, seed: int | np.random.Generator = 0) -> Batch:
    """Strings of the embedded Reber grammar, each step's target being the symbol that follows.

    Args:
        batch_size: Strings, at least 1.
        seed: Seed or generator.

    Returns:
        Inputs and targets (batch, longest - 1) as numbers of :data:`SYMBOLS`.

    Raises:
        ValueError: The batch size is too small.

    References:
        Hochreiter and Schmidhuber 1997, section 5.1, figures 3 and 4.

    Example:
        >>> batch = reber(1, seed=3)
        >>> "".join(SYMBOLS[symbol] for symbol in batch.inputs[0]), SYMBOLS[batch.targets[0, -1]]
        ('BTBTSXSET', 'E')
    """
    check_at_least("batch_size", batch_size, 1)
    symbols, lengths = _strings(batch_size, as_generator(seed))
    tokens = torch.from_numpy(symbols)
    return tagged(tokens[:, :-1] * (tokens[:, 1:] != 0), tokens[:, 1:], torch.from_numpy(lengths - 1))


@checked
def states(tokens: Int[Tensor, "batch time"], *, continual: bool = False) -> Int[Tensor, "batch time"]:
    """The automaton's state after each symbol.

    Args:
        tokens: Strings that begin with B, padded with 0.
        continual: Whether a new string begins after each E that ends one.

    Returns:
        States, shape (batch, time); that of the padding means nothing.

    Raises:
        ValueError: A string is not of the grammar.
    """
    low, high = (int(tokens.min()), int(tokens.max())) if tokens.numel() else (-1, -1)
    if low < 0 or high >= len(SYMBOLS):
        raise ValueError(
            f"tokens holds {low if low < 0 else high}; it should hold symbols from 0 to {len(SYMBOLS) - 1}"
        )
    numbers = tokens.numpy()
    state = np.full(len(numbers), _BEFORE)
    columns = []
    for step in range(numbers.shape[1]):
        symbol = numbers[:, step]
        state = np.where(continual & (state == DONE), _BEFORE, state)
        following = _AFTER[state, symbol]
        wrong = (following < 0) & (symbol != 0)
        if wrong.any():
            raise ValueError(f"tokens[{int(wrong.argmax())}] leaves the embedded Reber grammar at step {step}")
        state = np.where(symbol == 0, state, following)
        columns.append(state)
    return torch.from_numpy(np.stack(columns, axis=1))


@checked
def legal_successors(tokens: Int[Tensor, "batch time"], *, continual: bool = False) -> Bool[Tensor, "batch time 8"]:
    """Which symbols may follow each symbol: what an ideal predictor would say.

    Args:
        tokens: Strings that begin with B, padded with 0.
        continual: Whether another string begins after each one.

    Returns:
        True for each possible next symbol, in the order of :data:`SYMBOLS`.

    Raises:
        ValueError: A string is not of the grammar.

    Example:
        >>> legal = legal_successors(reber(1, seed=3).inputs)
        >>> [SYMBOLS[symbol] for symbol in legal[0, 1].nonzero().flatten()]
        ['B']
    """
    state = states(tokens, continual=continual)
    allowed = torch.from_numpy(_AFTER >= 0)[state]
    if continual:
        allowed[..., SYMBOLS.index("B")] |= state == DONE
    return allowed


@checked
def closing_steps(tokens: Int[Tensor, "batch time"], *, continual: bool = False) -> Bool[Tensor, "batch time"]:
    """Where the next symbol is the one that only memory can tell: after the inner string's E.

    Args:
        tokens: Strings that begin with B, padded with 0.
        continual: Whether another string begins after each one.

    Returns:
        True at those steps.
    """
    state = states(tokens, continual=continual)
    return ((state == CLOSE["T"]) | (state == CLOSE["P"])) & (tokens != 0)


@checked
def prediction_baselines(batch: Batch, *, continual: bool = False) -> dict[str, Baseline]:
    """What predictors score that know the grammar but forget, or remember everything.

    Args:
        batch: Strings with their next symbols.
        continual: Whether another string begins after each one.

    Returns:
        ``"forgetful"`` (a guess at the closing symbol) and ``"ideal"``, in bits per symbol, and ``"closing"``, the
        accuracy of that guess.
    """
    ways = legal_successors(batch.inputs, continual=continual).sum(-1).clamp(min=1)
    closing = closing_steps(batch.inputs, continual=continual) & batch.target_mask
    ideal = float(torch.log2(ways[batch.target_mask].double()).mean())
    forgetful = ideal + float(closing.sum() / batch.target_mask.sum())
    entropy = "the grammar's own entropy at each step of the test strings"
    guess = "knows the grammar and guesses the closing symbol: one bit more there"
    even = "analytic: T and P are equally likely"
    return {
        "ideal": Baseline("ideal", ideal, "bits per symbol", "lower", entropy),
        "forgetful": Baseline("forgetful", forgetful, "bits per symbol", "lower", guess),
        "closing": Baseline("closing", 0.5, "accuracy at the closing symbol", "higher", even),
    }


@checked
def load(*, held_out: int = 1000) -> Dataset:
    """The embedded Reber grammar as a data set.

    Args:
        held_out: Strings in each of valid and test.

    Returns:
        The data set; its baselines know the grammar and forget or remember.

    Raises:
        ValueError: The number of strings is too small.
    """
    splits = fresh_splits(Drawing(reber), held_out)
    vocabulary = Vocabulary(SYMBOLS)
    return Dataset("reber", CARD, splits, vocabulary, vocabulary, prediction_baselines(splits["test"].batch()))


def fingerprint() -> str:
    """SHA-256 of the default test sample.

    Returns:
        64 hexadecimal digits.
    """
    return batch_hash(load().test.batch())
