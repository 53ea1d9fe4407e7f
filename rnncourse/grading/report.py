"""A graded run as JSON and as a table in the terminal (:mod:`rnncourse.grading.page` draws it as HTML).

Reports arrive here as plain dictionaries (:func:`rnncourse.grading.classes.jobs.report_to_dict`): this module needs no
torch.
"""

import json
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from rich import box
from rich.console import Console, Group
from rich.table import Table
from rich.text import Text

from rnncourse.grading.names import clean
from rnncourse.version import __version__

__all__ = ["as_dict", "as_json", "as_table", "class_table", "console", "details", "state"]

SCHEMA = 1  # raised when a key changes its meaning


def as_dict(reports: Sequence[Mapping[str, Any]], failures: Mapping[str, str], **more: Any) -> dict[str, Any]:
    """All reports of one command, and the notebooks that could not be graded with the reason, in ``--json``'s form."""
    return {
        "schema": SCHEMA,
        "course": __version__,
        "reports": list(reports),
        "failures": dict(failures),
        **more,
    }


def as_json(content: Mapping[str, Any]) -> str:
    """The same as text for a file."""
    return json.dumps(content, indent=1, ensure_ascii=False) + "\n"


def state(question: Mapping[str, Any]) -> str:
    """How a question went: "full", "some" or "none" of its points."""
    return "full" if question["points"] == question["out_of"] else "some" if question["points"] else "none"


def details(question: Mapping[str, Any]) -> list[str]:
    """What there is to say below a question's line, in the order of its use to the learner."""
    note = [f"For a human: {question['note']}"] if question["note"] else []
    if state(question) == "full":
        return note
    message = question["message"]
    lines = [f"{message[:1].upper()}{message[1:]}."]
    if question["earned"]:
        lines.append(f"Right already: {', '.join(question['earned'])}.")
    if question["mistake"] and question["problems"]:
        label, problem = next(iter(question["problems"].items()))
        lines.append(f"Seen in the case “{label}”: {problem}.")
    lines.append(f"Hint: {question['hint']}")
    return lines + note


def as_table(report: Mapping[str, Any]) -> Group:
    """The report as something :class:`rich.console.Console` prints.

    What a notebook says goes in as :class:`rich.text.Text`, never read as markup, and without control characters.
    """
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("", no_wrap=True)
    table.add_column("question")
    table.add_column("points", no_wrap=True, justify="right")
    table.add_column("", no_wrap=True)
    advice = Table.grid(padding=(0, 2))  # below the table, where there is room for sentences
    for question in report["questions"]:
        sign, colour = {"full": ("✓", "green"), "some": ("·", "yellow"), "none": ("✗", "red")}[state(question)]
        title = _text(f"{question['id']} {question['title']}")
        points = Text(f"{question['points']:g} / {question['out_of']:g}")
        table.add_row(Text(sign, style=colour), title, points, _text(question["verdict"], style=colour))
        for number, line in enumerate(details(question)):
            advice.add_row(_text("" if number else question["id"]), _text(line))
    head = Text.assemble(
        (clean(report["notebook"]), "bold"),
        f"  chapter {report['chapter']}  ",
        (f"{report['points']:g} of {report['out_of']:g} points", "bold"),
    )
    notes = [f"cell {number} failed: {problem}" for number, problem in report["cells"].items()]
    foot = f"course {report['course']} · seed {report['seed']} · {report['walls']} · {report['seconds']:g} s"
    return Group(head, table, advice, *[_text(note, style="dim") for note in notes], _text(foot, style="dim"))


def class_table(rows: Sequence[Any]) -> Table:
    """A class as a table: a line for each :class:`~rnncourse.grading.classes.rows.Row`, with the first reason."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("learner")
    table.add_column("points", no_wrap=True, justify="right")
    table.add_column("why not all", ratio=1)
    for row in rows:
        colour = "green" if row.full else "red" if row.failures or not row.points else ""
        why = "; ".join(row.reasons)
        short = f"{why[:157]}…" if len(why) > 158 else why
        table.add_row(_text(row.learner), Text(f"{row.points:g} / {row.out_of:g}", style=colour), _text(short))
    return table


def _text(words: str, style: str = "") -> Text:
    return Text(clean(words), style=style)


def console() -> Console:
    """A console that never guesses links, numbers or emoji into a stranger's words, and prints in any code page."""
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(errors="replace")
    return Console(highlight=False, emoji=False, markup=False)
