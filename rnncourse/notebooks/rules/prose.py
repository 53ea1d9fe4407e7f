"""Rules for the words of a notebook: one title, a chapter's parts in order, and no number that nothing holds up."""

import re

from rnncourse.notebooks.colab import COLAB_TAG
from rnncourse.notebooks.files import Notebook, has_tag
from rnncourse.notebooks.rules.reading import asserts, code_cells, prose, without_fences
from rnncourse.notebooks.rules.table import Found, chapter_rule, rule

NUMBER = re.compile(r"(?<![\w.])\d+(?:[.,]\d{3})*\.\d+(?![\w.]*\.\d)|(?<![\w.])\d+(?:\.\d+)?(?=\s?%)")
TEMPLATE = (
    "What you will learn",
    "The problem",
    "The idea",
    "The equations",
    "From scratch",
    "packaged",
    "What breaks",
    "Take-away",
    "Quiz",
    "Graded exercises",
    "Further reading",
)


@rule
def numbers_in_prose_are_computed(notebook: Notebook) -> Found:
    """A decimal or percentage in prose is glued in, asserted in code, or stands in a paragraph with its citation."""
    asserted = "\n".join(cell.source for _, cell in code_cells(notebook) if asserts(cell.source))
    for number, cell in enumerate(notebook.cells, start=1):
        if cell.cell_type != "markdown":
            continue
        for paragraph in re.split(r"\n\s*\n", prose(cell.source)):
            if "{cite" in paragraph:
                continue
            for match in NUMBER.finditer(paragraph):
                if not re.search(rf"(?<![\d.]){re.escape(match[0])}(?![\d])", asserted):
                    yield number, f"{match[0]!r} in prose is neither glued in, asserted nor cited"


@rule
def one_title(notebook: Notebook) -> Found:
    """One title, at the top: the page's name in the navigation."""
    titles = [
        number
        for number, cell in enumerate(notebook.cells, start=1)
        if cell.cell_type == "markdown"
        for _ in re.findall(r"^# \S", without_fences(cell.source), re.MULTILINE)
    ]
    first = next((n for n, cell in enumerate(notebook.cells, start=1) if not has_tag(cell, COLAB_TAG)), None)
    if len(titles) != 1 or titles[0] != first:
        yield (
            (titles[-1] if titles else None),
            f"has {len(titles)} titles ('# …'); it should have one, in its first cell",
        )


@chapter_rule
def follows_the_template(notebook: Notebook) -> Found:
    """A chapter has the parts of the template, in their order, and makes its reader predict at least twice."""
    text = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    headings = re.findall(r"^(?:#{2,} |:{3,}\{admonition\} )(.*)$", text, re.MULTILINE)
    place = 0
    for part in TEMPLATE:
        found = next((n for n in range(place, len(headings)) if part.lower() in headings[n].lower()), None)
        if found is None:
            where = "" if not any(part.lower() in one.lower() for one in headings) else " at its place in the order"
            yield None, f"has no part {part!r}{where}"
        else:
            place = found + 1
    predictions = len(re.findall(r"^:class: .*\bpredict\b", text, re.MULTILINE))
    if predictions < 2:
        yield None, f"asks the reader to predict {predictions} times; at least twice is the rule (:class: predict)"
