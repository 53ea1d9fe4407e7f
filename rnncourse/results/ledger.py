"""The ledger: every published number that the course is held against, with ours beside it and why they differ."""

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from rnncourse.results.records import Result, stored_results
from rnncourse.results.registry import Experiment, Published, experiment_names, find_experiment
from rnncourse.results.verdicts import verdict

__all__ = ["Row", "ledger_page", "ledger_rows"]

ENTRY = re.compile(r"(?P<key>[^\[\]]+)(?:\[(?P<index>-?\d+)\])?")  # a key may be words: "GRU, orthogonal: test"
VERDICTS = ("reproduced", "partly", "not reproduced", "not run yet", "not comparable")  # and the order of a table
HEAD = """\
(ledger)=
# Published numbers beside ours

Every published number that a chapter is held against stands here, with ours beside it. This page is written by
`rnncourse ledger` from the files in `book/results/`; nothing in it is typed by hand. Our numbers are means over seeds,
with their sample standard deviation.

A number is **reproduced** when every seed comes within a margin of it that was fixed before the run, or goes beyond it
on the better side; **partly** when some seeds do; **not reproduced** when none does. It is **not comparable** when
task, size or measure differ, or when we could not read the number in the paper itself: then ours only shows what the
method does at the size of a page, and the details say what differs.
"""


class Row(NamedTuple):
    """A published number and ours.

    Attributes:
        published: Theirs.
        experiment: What ours comes from.
        result: Ours; None where it was not run yet.
    """

    published: Published
    experiment: Experiment
    result: Result | None

    @property
    def verdict(self) -> str:
        """One of :data:`VERDICTS`."""
        if self.published.comparable and self.result is None:
            return "not run yet"
        return verdict(self.published, np.zeros(0) if self.result is None else _values(self.published.key, self.result))


def ledger_rows(root: Path) -> Iterator[Row]:
    """Every published number that an experiment is held against.

    Args:
        root: The course's folder.

    Yields:
        A row for each, in the order of the experiments' names.
    """
    for name in experiment_names():
        experiment = find_experiment(name)
        result = stored_results(root, experiment.chapter).get(name)
        for published in experiment.published:
            yield Row(published, experiment, result)


def ledger_page(root: Path) -> str:
    """Returns the text of the page.

    Args:
        root: The course's folder.

    Returns:
        Markdown, the same for the same results.
    """
    rows = list(ledger_rows(root))
    parts = [HEAD, _counted(rows)]
    for chapter in sorted({row.experiment.chapter for row in rows}):
        of_chapter = [row for row in rows if row.experiment.chapter == chapter]
        parts.append(_chapter(int(chapter), sorted(of_chapter, key=lambda row: VERDICTS.index(row.verdict))))
    challenged = list(_challenges(root))
    if challenged:
        parts.append(
            "## What was tried against our own sentences\n\nBefore a headline is printed, somebody else tries to "
            "overturn it: another start, rate or width, or a rule of three lines.\n"
        )
        parts.extend(challenged)
    return "\n".join(parts).rstrip("\n") + "\n"


def _counted(rows: list[Row]) -> str:
    if not rows:
        return "No result is held against a published number yet.\n"
    counted = Counter(row.verdict for row in rows)
    listed = ", ".join(f"{counted[word]} {word}" for word in VERDICTS if counted[word])
    return f"{len(rows)} numbers: {listed}.\n"


def _chapter(number: int, rows: list[Row]) -> str:
    table = [f"## Chapter {number}\n", "```{list-table}", ":header-rows: 1", ":widths: 42 18 18 22", ""]
    table.extend(_cells("What", "Verdict", "Paper", "This page"))
    details = [":::{dropdown} Sizes, where it was read, and why they differ"]
    for row in rows:
        published, what = row.published, _what(row.published)
        bold = f"**{row.verdict}**" if row.published.comparable else row.verdict
        theirs, ours = f"{_number(published.value, 12)} {published.unit}", _ours(row)
        table.extend(_cells(f"{what} {{cite:p}}`{published.cite}`", bold, theirs, ours))
        details.append(
            f"- **{what}**, {{cite:t}}`{published.cite}` ({published.read}). Theirs: {published.size}. "
            f"Ours: {_sizes(row)}. {published.why[0].upper()}{published.why[1:]}."
        )
    return "\n".join([*table, "```\n", *details, ":::\n"])


def _cells(*texts: str) -> list[str]:
    return [f"{'* - ' if place == 0 else '  - '}{text}" for place, text in enumerate(texts)]


def _what(published: Published) -> str:
    what = published.what or published.key.replace("_", " ")
    return what[0].upper() + what[1:]


def _ours(row: Row) -> str:
    if row.result is None:
        return "not run yet"
    values = _values(row.published.key, row.result)
    counted = values[np.isfinite(values)]  # a run that never got there has no number of sequences
    if not len(counted):
        return f"none (0 of {len(values)} seeds)"
    seeds = f"{len(values)} seeds" if len(counted) == len(values) else f"{len(counted)} of {len(values)} seeds"
    if len(counted) == 1:
        return f"{_number(counted[0], 3)} ({'1 seed' if len(values) == 1 else seeds})"
    return f"{_number(counted.mean(), 3)} ± {_number(counted.std(ddof=1), 2)} ({seeds})"


def _number(value: float, digits: int) -> str:
    """So many significant digits; thousands in groups, as a page writes them."""
    rounded = f"{value:.{digits}g}"
    whole = f"{float(rounded):,.0f}" if abs(value) >= 1000 else rounded
    return whole.replace("-", "−")


def _values(key: str, result: Result) -> np.ndarray:
    """Ours, one value for each seed."""
    match = ENTRY.fullmatch(key)
    if not match:
        raise ValueError(f"{result.name}: published key {key!r} should be like 'bits' or 'curve[-1]'")
    values = result[match["key"]]
    if match["index"] is not None:
        values = values[:, int(match["index"])]
    if values.ndim != 1:
        raise ValueError(f"{result.name}: published key {key!r} is a list; name one entry, like {key + '[-1]'!r}")
    return values


def _sizes(row: Row) -> str:
    config: dict[str, Any] = dict(row.experiment.scales["full"] if row.result is None else row.result.config)
    listed = ", ".join(f"{key} {value}" for key, value in config.items() if key != "seeds")
    return f"{listed}; `{row.experiment.command('full')}`"


def _challenges(root: Path) -> Iterator[str]:
    for name in experiment_names():
        result = stored_results(root, name[:2]).get(name)
        for one in result.challenge if result else ():
            yield f"- `{name}`: {one['tried']}. Reached: {one['reached']}. {one['outcome']}."
