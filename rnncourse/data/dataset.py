"""What ``load`` returns: splits, vocabularies, the card and the baselines, together."""

from dataclasses import dataclass, field
from typing import Any, NamedTuple

from rnncourse.data.card import Card
from rnncourse.data.vocabulary import Vocabulary


class Baseline(NamedTuple):
    """What can be had without a network; a network that does not beat it has learned nothing.

    Attributes:
        name: Which baseline.
        value: Its score on the test split.
        metric: What was measured, with its unit.
        better: ``"lower"`` or ``"higher"``.
        how: How it came about: the formula, or what was fitted on the training split.
    """

    name: str
    value: float
    metric: str
    better: str
    how: str


@dataclass(frozen=True)
class Dataset:
    """A loaded data set.

    Attributes:
        name: The name it was loaded by.
        card: Where it comes from, its licences, hash and split.
        splits: The parts under ``"train"``, ``"valid"`` and ``"test"``.
        vocabulary: Symbols of the inputs; None where inputs are numbers.
        target_vocabulary: Symbols or class names of the targets; None where they are numbers.
        baselines: Cheap baselines by name, scored on the test split.
    """

    name: str
    card: Card
    splits: dict[str, Any] = field(repr=False)
    vocabulary: Vocabulary | None = None
    target_vocabulary: Vocabulary | None = None
    baselines: dict[str, Baseline] = field(default_factory=dict, repr=False)

    def __getitem__(self, split: str) -> Any:
        if split not in self.splits:
            raise ValueError(f"split is {split!r}; it should be one of {', '.join(map(repr, self.splits))}")
        return self.splits[split]

    @property
    def train(self) -> Any:
        """The part to fit on."""
        return self.splits["train"]

    @property
    def valid(self) -> Any:
        """The part to choose by."""
        return self.splits["valid"]

    @property
    def test(self) -> Any:
        """The part to report on, once."""
        return self.splits["test"]
