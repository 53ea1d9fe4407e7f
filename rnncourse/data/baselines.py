"""Predictors without a network: majority, persistence, linear models, naive Bayes, lucky guesses."""

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from rnncourse.checks import check_count
from rnncourse.signatures import checked


@checked
def majority(train_labels: Sequence[Any], test_labels: Sequence[Any]) -> float:
    """Accuracy of always answering the label that is most frequent in training.

    Args:
        train_labels: Labels to count, at least one; of equally frequent ones the first that occurs wins.
        test_labels: Labels to score, at least one.

    Returns:
        Accuracy from 0 to 1.

    Raises:
        ValueError: One of them is empty.

    Example:
        >>> majority(["a", "b", "a"], ["a", "b", "c", "a"])
        0.5
    """
    for name, labels in (("train_labels", train_labels), ("test_labels", test_labels)):
        if np.ndim(labels) != 1:
            raise ValueError(f"{name} has {np.ndim(labels)} axes; it should have one")
    train, test = np.asarray(train_labels).tolist(), np.asarray(test_labels).tolist()
    if not train or not test:
        raise ValueError(
            f"there are {len(train)} train_labels and {len(test)} test_labels; both should have at least one"
        )
    common = Counter(train).most_common(1)[0][0]
    return sum(label == common for label in test) / len(test)


@checked
def persistence(series: Sequence[float] | np.ndarray) -> float:
    """Root mean squared error of predicting that the next value equals this one.

    Args:
        series: At least two values.

    Returns:
        The error in the series' own unit.

    Raises:
        ValueError: There are fewer than two values.

    Example:
        >>> persistence([1.0, 2.0, 3.0])
        1.0
    """
    values = np.asarray(series, dtype=float).ravel()
    if len(values) < 2:
        raise ValueError(f"series has {len(values)} values; it should have at least 2")
    return float(np.sqrt(np.mean(np.diff(values) ** 2)))


class LinearFit(NamedTuple):
    """A linear autoregression.

    Attributes:
        rmse: Root mean squared one-step error on the test series.
        coefficients: Weights of the last ``order`` values, oldest first, then the constant.
    """

    rmse: float
    coefficients: np.ndarray


@checked
def linear_autoregression(
    train: Sequence[float] | np.ndarray, test: Sequence[float] | np.ndarray, *, order: int
) -> LinearFit:
    r"""Predict each value by least squares from those before it.

    .. math::

        \hat x_t = a_0 + \sum_{k=1}^{p} a_k\, x_{t-k}

    where :math:`p` is the order and the :math:`a` minimise the squared error on the training series.

    Args:
        train: Series to fit, more than ``2 · order`` values.
        test: Series to score, more than ``order`` values; its first ``order`` values are only context.
        order: How many values back, at least 1.

    Returns:
        Test error and coefficients.

    Raises:
        ValueError: The order is below 1, or a series too short for it.

    References:
        Yule, On a method of investigating periodicities in disturbed series, 1927.

    Example:
        >>> wave = np.sin(np.arange(200) / 5)
        >>> linear_autoregression(wave[:150], wave[150:], order=2).rmse < 1e-10
        True
    """
    past, future = (np.asarray(series, dtype=float).ravel() for series in (train, test))
    if order < 1 or len(past) <= 2 * order or len(future) <= order:
        raise ValueError(
            f"order is {order} for {len(past)} train and {len(future)} test values; it should be at least 1, "
            "with more than 2 * order values to fit and more than order to score"
        )

    def design(series: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        windows = np.lib.stride_tricks.sliding_window_view(series, order + 1)
        return np.column_stack([windows[:, :-1], np.ones(len(windows))]), windows[:, -1]

    inputs, targets = design(past)
    coefficients = np.linalg.lstsq(inputs, targets, rcond=None)[0]
    inputs, targets = design(future)
    return LinearFit(float(np.sqrt(np.mean((inputs @ coefficients - targets) ** 2))), coefficients)


@checked
def linear_classifier(
    train: Sequence[Any],
    train_labels: Sequence[Any],
    test: Sequence[Any],
    test_labels: Sequence[Any],
    *,
    ridge: float = 1.0,
) -> float:
    """Accuracy of least squares on one-hot labels, with all steps of a sequence as features at once.

    Args:
        train: Shape (sequences, features).
        train_labels: Labels from 0, shape (sequences,).
        test: Shape (test sequences, features).
        test_labels: Shape (test sequences,).
        ridge: Penalty on the squared weights, above 0.

    Returns:
        Accuracy from 0 to 1.

    Raises:
        ValueError: The penalty is not positive.

    Example:
        >>> x = np.array([[0.0], [1.0], [0.1], [0.9]])
        >>> linear_classifier(x, np.array([0, 1, 0, 1]), x, np.array([0, 1, 0, 1]), ridge=0.1)
        1.0
    """
    if not ridge > 0:
        raise ValueError(f"ridge is {ridge}; it should be above 0")
    train_labels, test_labels = np.asarray(train_labels), np.asarray(test_labels)
    parts = {"train": (train, train_labels), "test": (test, test_labels)}
    for name, (rows, labels) in parts.items():
        if np.ndim(rows) != 2 or labels.ndim != 1 or len(rows) != len(labels) or labels.dtype.kind not in "iu":
            raise ValueError(
                f"{name} has shape {np.shape(rows)} and {name}_labels {labels.shape}, of dtype {labels.dtype}; they "
                "should be (sequences, features) and whole numbers (sequences,)"
            )
    if np.shape(train)[1] != np.shape(test)[1]:
        raise ValueError(f"test has {np.shape(test)[1]} features; it should have {np.shape(train)[1]}, as train has")
    train, test = (np.column_stack([part, np.ones(len(part))]).astype(float) for part in (train, test))
    onehot = np.eye(int(train_labels.max()) + 1)[train_labels]
    weights = np.linalg.solve(train.T @ train + ridge * np.eye(train.shape[1]), train.T @ onehot)
    return float(((test @ weights).argmax(axis=1) == test_labels).mean())


class NaiveBayes:
    r"""Which class makes a string's character n-grams most likely, counted with one added.

    .. math::

        \hat c = \arg\max_c \; \log P(c) + \sum_{g} n_g \log \frac{N_{c,g} + 1}{N_c + G}

    where :math:`n_g` counts the n-gram :math:`g` in the string, :math:`N_{c,g}` in the training strings of class
    :math:`c`, :math:`N_c` sums those, and :math:`G` is the number of n-grams known. Strings are framed by a mark at
    both ends; unknown n-grams are left out.

    Args:
        orders: Lengths of the n-grams, (least, most).

    Raises:
        ValueError: The lengths are below 1 or out of order.

    References:
        McCallum and Nigam, A comparison of event models for naive Bayes text classification, 1998 (the multinomial
        model).

    Example:
        >>> model = NaiveBayes((1, 2)).fit(["anna", "hannah", "otto", "bob"], ["a", "a", "o", "o"])
        >>> model.predict(["nana", "toot"])
        ['a', 'o']
    """

    @checked
    def __init__(self, orders: tuple[int, int] = (1, 4)) -> None:
        if not 1 <= orders[0] <= orders[1]:
            raise ValueError(f"orders is {orders}; it should be (least, most) with 1 <= least <= most")
        self.orders = orders

    def _grams(self, string: str) -> Counter[str]:
        framed = f"\x02{string}\x03"
        least, most = self.orders
        return Counter(
            framed[start : start + order]
            for order in range(least, most + 1)
            for start in range(len(framed) - order + 1)
        )

    @checked
    def fit(self, strings: Sequence[str], labels: Sequence[Any]) -> "NaiveBayes":
        """Count n-grams by class.

        Args:
            strings: Training strings, at least one.
            labels: A label for each.

        Returns:
            This object.

        Raises:
            ValueError: There is no string, or not one label for each.
        """
        if np.ndim(labels) != 1:
            raise ValueError(f"labels has {np.ndim(labels)} axes; it should have one")
        strings, labels = list(strings), np.asarray(labels).tolist()
        if not strings or len(strings) != len(labels):
            raise ValueError(
                f"there are {len(strings)} strings and {len(labels)} labels; there should be as many, at least 1"
            )
        self.classes = sorted(set(labels))
        self._known: dict[str, int] = {}
        counts: list[dict[int, int]] = [Counter() for _ in self.classes]
        place = {label: number for number, label in enumerate(self.classes)}
        for string, label in zip(strings, labels, strict=True):
            for gram, times in self._grams(string).items():
                counts[place[label]][self._known.setdefault(gram, len(self._known))] += times
        table = np.ones((len(self.classes), len(self._known)))
        for number, count in enumerate(counts):
            table[number, list(count)] += list(count.values())
        frequency = Counter(labels)
        self._prior = np.log([frequency[label] / len(labels) for label in self.classes])
        self._table = np.log(table / table.sum(axis=1, keepdims=True))
        return self

    @checked
    def predict(self, strings: Sequence[str]) -> list[Any]:
        """The most likely class of each string.

        Args:
            strings: Any strings.

        Returns:
            A label for each.
        """
        answers = []
        for string in strings:
            score = self._prior.copy()
            for gram, times in self._grams(string).items():
                if gram in self._known:
                    score += times * self._table[:, self._known[gram]]
            answers.append(self.classes[int(score.argmax())])
        return answers

    @checked
    def accuracy(self, strings: Sequence[str], labels: Sequence[Any]) -> float:
        """Share of strings whose class is predicted rightly.

        Args:
            strings: Test strings, at least one.
            labels: A label for each.

        Returns:
            Accuracy from 0 to 1.

        Raises:
            ValueError: There is no string, or not one label for each.
        """
        labels = np.asarray(labels).tolist()
        if not len(strings) or len(strings) != len(labels):
            raise ValueError(
                f"there are {len(strings)} strings and {len(labels)} labels; it should be as many, not none"
            )
        return float(np.mean([guess == label for guess, label in zip(self.predict(strings), labels, strict=True)]))


class Guess(NamedTuple):
    """What guessing weights came to.

    Attributes:
        value: Best score found.
        trials: How many guesses were made.
        solved: Whether the goal was reached.
        best: The weights that scored best, as they were drawn.
    """

    value: float
    trials: int
    solved: bool
    best: Any


@checked
def random_weights(
    draw: Callable[[np.random.Generator], Any],
    score: Callable[[Any], float],
    *,
    trials: int,
    goal: float = 1.0,
    seed: int = 0,
) -> Guess:
    """Guess all weights at random until a network happens to solve the task: if that is quick, the task shows little.

    The model stays outside: ``draw`` makes weights and ``score`` runs whatever network they belong to.

    Args:
        draw: Random generator → weights.
        score: Weights → a score where higher is better, such as training accuracy.
        trials: Most guesses to make, at least 1.
        goal: Score at which the task counts as solved.
        seed: Seeds the guesses.

    Returns:
        The best guess and how many it took.

    Raises:
        ValueError: The number of trials is below 1.

    References:
        Hochreiter and Schmidhuber, Bridging long time lags by weight guessing and "long short term memory", 1996.

    Example:
        >>> guess = random_weights(lambda rng: rng.integers(6), lambda die: float(die == 5), trials=100)
        >>> guess.solved, guess.best == 5
        (True, np.True_)
    """
    check_count("seed", seed)
    if trials < 1:
        raise ValueError(f"trials is {trials}; it should be at least 1")
    rng = np.random.default_rng(seed)
    best_value, best = -np.inf, None
    for trial in range(1, trials + 1):
        weights = draw(rng)
        value = float(score(weights))
        if value > best_value:
            best_value, best = value, weights
        if value >= goal:
            return Guess(best_value, trial, True, best)
    return Guess(best_value, trials, False, best)
