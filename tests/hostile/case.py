"""What a case is: one cell, and what has to come of it.

In a cell, a line ``ANSWER`` stands for the head of the function that the question asks for: it should return ``2 * x``.

- An **attack** tries to earn the point without computing anything: it must earn nothing.
- A **probe** tries to get through a wall, and computes the answer when, and only when, the wall holds.
- A **hog** takes all it can of something, up to a bound that the machine survives: it must be refused or ended before,
  and returns the answer if it was refused.
- An **honest** cell is somebody's work: it must earn its point.
"""

import textwrap
from dataclasses import dataclass

__all__ = ["Case", "attack", "hog", "honest", "probe"]

GOT_AWAY = "got away with it"


@dataclass(frozen=True)
class Case:
    """One cell.

    Args:
        name: The function's name.
        kind: "attack", "probe", "hog" or "honest".
        source: The cell.
        words: A pattern that the message of a lost point has to match.
        ends: Whether it ends the worker, so that everything else is run again.
        but: Wall → why it is not so behind that one; there the case has to fail, or the words here are wrong.
    """

    name: str
    kind: str
    source: str
    words: str = ""
    ends: bool = False
    but: tuple[tuple[str, str], ...] = ()

    def as_said(self, mark, wall: str) -> bool:
        """Whether what should come of it did, or failed to where that is said."""
        return self.holds(mark) != (wall in dict(self.but))

    def holds(self, mark) -> bool:
        """Whether what should come of it did."""
        import re

        if self.kind in ("probe", "honest"):
            return mark.full
        if self.kind == "hog":
            return mark.full or (GOT_AWAY not in mark.message and re.search(self.words, mark.message) is not None)
        return mark.points == 0 and re.search(self.words, mark.message) is not None


def _case(kind: str):
    def make(name: str, source: str, words: str = "", *, ends: bool = False, but: dict[str, str] | None = None) -> Case:
        source = textwrap.dedent(source).strip("\n").replace("ANSWER", f"def {name}(x):")
        return Case(name, kind, source, words, ends, tuple((but or {}).items()))

    return make


attack, probe, hog, honest = _case("attack"), _case("probe"), _case("hog"), _case("honest")
