"""A rule is a function that yields what it has against a notebook; here is where rules are kept."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from rnncourse.notebooks.files import Notebook

__all__ = ["CHAPTER_RULES", "RULES", "Complaint", "Found", "chapter_rule", "rule"]


@dataclass(frozen=True)
class Complaint:
    """What a rule has against a notebook: the rule, the cell (counted from 1 over all cells) and the reason."""

    rule: str
    cell: int | None
    reason: str

    def __str__(self) -> str:
        return f"{self.rule}: " + (f"cell {self.cell}: " if self.cell else "") + self.reason


Found = Iterator[tuple[int | None, str]]
RULES: dict[str, Callable[[Notebook], Found]] = {}
CHAPTER_RULES: dict[str, Callable[[Notebook], Found]] = {}


def rule(function: Callable[[Notebook], Found], table: dict[str, Callable[[Notebook], Found]] = RULES) -> Any:
    """Adds a function to a table of rules, under its own name."""
    table[function.__name__] = function
    return function


chapter_rule = partial(rule, table=CHAPTER_RULES)
