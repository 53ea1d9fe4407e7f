"""All files of a graded class, each written whole: from its rows, and from nothing else."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from rnncourse.grading import outputs
from rnncourse.grading.classes import gradebooks, instructor
from rnncourse.grading.classes.rows import Row
from rnncourse.grading.names import file_stem, visible
from rnncourse.grading.page import as_html
from rnncourse.version import __version__

if TYPE_CHECKING:
    from rnncourse.grading.classes.batch import Class, People

__all__ = ["write_class"]


def write_class(batch: "Class", people: "People", rows: Sequence[Row], seed: int) -> None:
    """Writes the tables, the pages and what learning platforms import.

    Args:
        batch: The class.
        people: Who is in it.
        rows: What everybody has.
        seed: The class's, for the record.
    """
    files = _tables(batch, people, rows)
    facts = [f"course {__version__}", f"class seed {seed}", datetime.now(UTC).isoformat(timespec="seconds")]
    title = f"{visible(batch.folder.resolve().name)}: the class"
    files["instructor.html"] = instructor.as_page(title, rows, facts)
    for folder in ("feedback", "gradescope"):
        outputs.ensure_folder(batch.out / folder)
    for row in rows:
        stem = file_stem("\0".join(row.key))
        total = f"{row.points:g} of {row.out_of:g} points"
        page = as_html(list(row.reports.values()), f"Graded: {row.learner}", [total, *row.reasons])
        files[f"feedback/{stem}.html"] = page
        files[f"gradescope/{stem}.json"] = json.dumps(gradebooks.gradescope(row), indent=1) + "\n"
    for name, text in files.items():
        outputs.write(batch.out / name, text)


def _tables(batch: "Class", people: "People", rows: Sequence[Row]) -> dict[str, str]:
    roster, places = batch.roster, people.places
    files = {"grades.csv": gradebooks.table(rows, roster, places), "learners.jsonl": gradebooks.json_lines(rows)}
    title = f"rnncourse chapter {batch.options.chapter}" if batch.options.chapter else "rnncourse"
    if roster is None:
        if any(learner.platform == "canvas" for learner in people.learners):
            files["canvas.csv"] = gradebooks.canvas(rows, None, places, title)
    elif roster.kind == "canvas":
        files["canvas.csv"] = gradebooks.canvas(rows, roster, places, title)
    elif roster.kind == "moodle":
        files["moodle.csv"] = gradebooks.moodle(rows, roster, places)
    elif "email" in roster.header:
        files["moodle.csv"] = gradebooks.moodle_gradebook(rows, roster, places, title)
    return files
