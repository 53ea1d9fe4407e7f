"""A class's grades as files: a table, JSON lines, and what Canvas, Moodle and Gradescope import.

No cell of a table can be taken for a formula by a spreadsheet, whichever separator it expects, and none holds a
control character. The columns are those that the importers of Canvas (``lib/gradebook_importer.rb``) and Moodle
(``mod/assign/feedback/offline``) look for, and the keys of Gradescope's ``results.json``; they were read there.
"""

import csv
import io
import json
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any

from rnncourse.grading.classes.roster import Roster
from rnncourse.grading.classes.rows import Row
from rnncourse.grading.names import clean
from rnncourse.grading.report import details

__all__ = ["canvas", "cell", "gradescope", "json_lines", "moodle", "moodle_gradebook", "table"]

FORMULA = ("=", "+", "-", "@")
FACTS = ("points", "out of", "percent", "status", "why points are missing", "to look at", "notebooks", "seeds")


def cell(value: Any) -> str:
    """A value as a cell: numbers as they are, words so that no spreadsheet computes with them.

    Example:
        >>> cell("=HYPERLINK(1;2)"), cell(" ＝1+1"), cell(2.5), cell("Ada")
        ("'=HYPERLINK(1,2)", "' ＝1+1", '2.5', 'Ada')
    """
    if isinstance(value, int | float):
        return f"{value:.10g}"
    # Where a semicolon separates cells, a word could begin a cell of its own in the middle of ours.
    text = clean(str(value)).replace(";", ",")
    start = unicodedata.normalize("NFKC", text).lstrip(" '\"")
    return f"'{text}" if start.startswith(FORMULA) and any(c.isalnum() for c in start) else text


def _csv(header: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\r\n")
    writer.writerow([cell(word) for word in header])
    writer.writerows([[cell(value) for value in row] for row in rows])
    return buffer.getvalue()


def table(
    rows: Sequence[Row], roster: Roster | None = None, places: Mapping[tuple[str, str], int] | None = None
) -> str:
    """The class as CSV: a row for each learner, a column for each question, and the reasons in words.

    Args:
        rows: The class.
        roster: The lecturer's list, whose columns come along.
        places: Which row belongs to whom on the list.
    """
    questions = sorted({question for row in rows for question in row.questions}, key=_in_order)
    known = [column for column in roster.header if column not in ("learner", "notebook")] if roster else []
    known = [column for column in known if roster.kind == "plain" or column in _identifying(roster)]
    lines = []
    for row in rows:
        person = roster.people[places[row.key]] if roster and places and row.key in places else {}
        marks = row.questions
        lines.append(
            [
                row.learner,
                row.points,
                row.out_of,
                round(100 * row.points / row.out_of, 1) if row.out_of else 0,
                row.status,
                " | ".join(row.reasons),
                " | ".join(row.notes),
                " | ".join(report["notebook"] for report in row.reports.values()),
                " | ".join(str(report["seed"]) for report in row.reports.values()),
                *[marks[question]["points"] if question in marks else "" for question in questions],
                *[person.get(column, "") for column in known],
            ]
        )
    # Excel reads a file as UTF-8 only when it begins with this mark.
    return "\ufeff" + _csv(["learner", *FACTS, *[f"question {name}" for name in questions], *known], lines)


def json_lines(rows: Sequence[Row]) -> str:
    """The class as JSON lines in ASCII: an object for each learner, with the reports that count."""
    return "".join(json.dumps(row.as_dict() | {"reports": list(row.reports.values())}) + "\n" for row in rows)


def canvas(rows: Sequence[Row], roster: Roster | None, places: Mapping[tuple[str, str], int], title: str) -> str:
    """What Canvas's gradebook imports: its own columns, then one assignment, with the points possible above.

    Args:
        rows: The class.
        roster: Canvas's gradebook export; without it, learners are told by the IDs that the downloads' names carry.
        places: Which row belongs to whom on the export.
        title: The assignment. One of the export that begins with this title is found by it, with its ID.
    """
    worth = max((row.out_of for row in rows), default=0)
    by_place = {places[row.key]: row for row in rows if row.key in places}
    if roster is None:
        header = ["Student", "ID", "SIS Login ID", "Section", title]
        people = [[row.key[0], row.key[1], "", "", row.points] for row in rows if row.key[1]]
        return _csv(header, [["    Points Possible", "", "", "", worth], *people])
    known = roster.header[: roster.header.index("Section") + 1]
    assignment = next((column for column in roster.header if column.startswith(f"{title} (")), title)
    lines: list[list[Any]] = [["    Points Possible", *[""] * (len(known) - 1), worth]]
    for place, person in enumerate(roster.people):
        row = by_place.get(place)
        lines.append([*[person[column] for column in known], _grade(row)])
    return _csv([*known, assignment], lines)


def moodle(rows: Sequence[Row], roster: Roster, places: Mapping[tuple[str, str], int]) -> str:
    """Moodle's grading worksheet of an assignment, filled in: the grade, and the reasons as feedback.

    Args:
        rows: The class.
        roster: The worksheet as Moodle made it.
        places: Which row belongs to whom on it.
    """
    by_place = {places[row.key]: row for row in rows if row.key in places}
    lines = []
    for place, person in enumerate(roster.people):
        row = by_place.get(place)
        filled = dict(person) | {"Grade": _grade(row)}
        if "Feedback comments" in filled and row is not None:
            filled["Feedback comments"] = " | ".join(row.reasons)
        lines.append([filled[column] for column in roster.header])
    return _csv(roster.header, lines)


def moodle_gradebook(rows: Sequence[Row], roster: Roster, places: Mapping[tuple[str, str], int], title: str) -> str:
    """What Moodle's gradebook imports as CSV, mapped by address: for a plain list that has a column ``email``."""
    by_place = {places[row.key]: row for row in rows if row.key in places}
    lines = [
        [person["email"], _grade(by_place.get(place)), " | ".join(by_place[place].reasons) if place in by_place else ""]
        for place, person in enumerate(roster.people)
    ]
    return _csv(["Email address", title, f"{title} (feedback)"], lines)


def gradescope(row: Row) -> dict[str, Any]:
    """One learner's result in the form of Gradescope's ``results.json``."""
    tests = [
        {
            "name": f"{question['id']} {question['title']}",
            "number": question["id"],
            "score": question["points"],
            "max_score": question["out_of"],
            "status": "passed" if question["points"] == question["out_of"] else "failed",
            "output": "\n".join(details(question)) or "Right.",
            "output_format": "text",
            "visibility": "visible",
        }
        for question in row.questions.values()
    ]
    facts = [f"seed {report['seed']}, {report['walls']}" for report in row.reports.values()]
    reasons = [] if tests and not row.failures else row.reasons
    return {
        "score": row.points,
        "output": "\n".join([*reasons, *facts]),
        "output_format": "text",
        "stdout_visibility": "hidden",
        "tests": tests,
        "extra_data": {"seeds": {str(chapter): report["seed"] for chapter, report in row.reports.items()}},
    }


def _grade(row: Row | None) -> Any:
    """Points; nothing where nothing was handed in, or where it was the grader that failed: that is no zero."""
    return "" if row is None or row.ours or row.status == "nothing handed in" else row.points


def _identifying(roster: Roster) -> tuple[str, ...]:
    from rnncourse.grading.classes.roster import NAMING

    return NAMING[roster.kind]


def _in_order(question_id: str) -> tuple[int, ...]:
    return tuple(map(int, question_id.split(".")))
