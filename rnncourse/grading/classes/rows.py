"""From graded notebooks to one row for each learner, with a reason for every point that is missing."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from rnncourse.grading.classes.submissions import Learner

__all__ = ["Row", "chapters_asked", "make_rows"]

SHARE = 0.25  # of those who were graded: a chapter that fewer answered is their own idea


@dataclass
class Row:
    """What one learner has.

    Args:
        learner: What to call the learner; no two rows share it.
        key: Name and number, as they are on disk or in the list.
        points: What was earned.
        out_of: What there was to earn.
        reports: The report that counts for each chapter.
        reasons: Why points are missing: a sentence each.
        failures: Notebooks that could not be graded, with the reason.
        notes: What a human should look at.
        ours: Whether something could not be graded through no fault of the learner's.
    """

    learner: str
    key: tuple[str, str]
    points: float = 0.0
    out_of: float = 0.0
    reports: dict[int, dict[str, Any]] = field(default_factory=dict)
    reasons: list[str] = field(default_factory=list)
    failures: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    ours: bool = False

    @property
    def status(self) -> str:
        """One of "graded", "not graded" (something could not be graded) and "nothing handed in"."""
        return "not graded" if self.failures or self.ours else "graded" if self.reports else "nothing handed in"

    @property
    def full(self) -> bool:
        """Whether every point was earned."""
        return self.status == "graded" and self.points == self.out_of

    @property
    def questions(self) -> dict[str, dict[str, Any]]:
        """Question id → what the report that counts says about it."""
        return {question["id"]: question for report in self.reports.values() for question in report["questions"]}

    def as_dict(self) -> dict[str, Any]:
        """All but the reports, for JSON."""
        return {
            "learner": self.learner,
            "points": self.points,
            "out_of": self.out_of,
            "status": self.status,
            "reasons": self.reasons,
            "notes": self.notes,
            "failures": self.failures,
        }


def make_rows(
    learners: Sequence[Learner],
    shown: Mapping[tuple[str, str], str],
    records: Mapping[tuple[str, str], Sequence[Mapping[str, Any]]],
) -> list[Row]:
    """One row for each learner, in the order given.

    Of several notebooks for one chapter the best counts. A learner who handed in nothing for a chapter that the class
    was asked has zero for it.

    Args:
        learners: The class.
        shown: What to call each.
        records: The log's records of each learner's notebooks.
    """
    rows = []
    for learner in learners:
        key = (learner.name, learner.number)
        row = Row(shown[key], key)
        for record in records.get(key, ()):
            report = record.get("report")
            if report is None:
                row.failures[record["label"]] = record["failure"]
                row.ours |= record["fault"] != "submission"
            elif report["points"] > row.reports.get(report["chapter"], {"points": -1.0})["points"]:
                row.reports[report["chapter"]] = report
        rows.append(row)
    asked = chapters_asked(rows)
    for row, learner in zip(rows, learners, strict=True):
        _sum_up(row, learner, asked)
    return rows


def chapters_asked(rows: Sequence[Row]) -> dict[int, float]:
    """Chapter → what it is worth, for the chapters that the class answers.

    A notebook says itself which chapter it belongs to; what one learner claims changes nobody else's total.
    """
    graded = [row for row in rows if row.reports]
    count = Counter(chapter for row in graded for chapter in row.reports)
    worth: dict[int, Counter[float]] = defaultdict(Counter)
    for row in graded:
        for chapter, report in row.reports.items():
            worth[chapter][report["out_of"]] += 1
    return {
        chapter: worth[chapter].most_common(1)[0][0]
        for chapter, number in sorted(count.items())
        if number >= SHARE * len(graded)
    }


def _sum_up(row: Row, learner: Learner, asked: Mapping[int, float]) -> None:
    for chapter, report in list(row.reports.items()):
        if chapter not in asked:
            del row.reports[chapter]
            row.reasons.append(f"{report['notebook']} answers chapter {chapter}, which the class was not asked")
    for chapter, worth in asked.items():
        report = row.reports.get(chapter)
        row.out_of += report["out_of"] if report else worth
        if report:
            row.points += report["points"]
            row.ours |= bool(report["faults"])  # the grader failed on an answer: a human decides
            row.reasons += _missing(report)
            row.notes += [
                f"{question['id']}: {question['note']}" for question in report["questions"] if question["note"]
            ]
    for label, why in row.failures.items():
        row.reasons.append(why if why.startswith(label) else f"{label}: {why}")
    if not row.reports and not row.failures:
        row.reasons.append(learner.trouble or "nothing was handed in")
    elif absent := [str(chapter) for chapter in asked if chapter not in row.reports]:
        row.reasons.append(f"no graded notebook for chapter {', '.join(absent)}")
    row.points = round(row.points, 2)


def _missing(report: Mapping[str, Any]) -> list[str]:
    """Why points are missing in one report; questions with the same reason share a sentence."""
    why: dict[str, list[str]] = {}
    for question in report["questions"]:
        if question["points"] < question["out_of"]:
            why.setdefault(question["message"], []).append(question["id"])
    return [f"{', '.join(ids)}: {message}" for message, ids in why.items()]
