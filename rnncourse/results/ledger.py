"""The ledger: every published number that the course is held against, with ours beside it and why they differ."""

import re
from pathlib import Path
from typing import Any

from rnncourse.results.records import Result, stored_results
from rnncourse.results.registry import Experiment, Published, experiment_names, find_experiment

ENTRY = re.compile(r"(?P<key>\w+)(?:\[(?P<index>-?\d+)\])?")
HEAD = """\
(ledger)=
# Paper and page

Every published number that a chapter is held against stands here, with ours beside it. This page is written by
`rnncourse ledger` from the files in `book/results/`; nothing in it is typed by hand.

**Comparable** means that both numbers measure the same thing on the same kind of data, so that their difference means
something. **Not comparable** means that ours is there to show what the method does at the size of a page. *Read* says
where the published claim was read; what comes from a secondary source is never compared as if it were exact. Our
numbers are means over seeds, with their sample standard deviation.
"""


def ledger_page(root: Path) -> str:
    """Returns the text of the page.

    Args:
        root: The course's folder.

    Returns:
        Markdown, the same for the same results.
    """
    parts = [HEAD]
    chapter = ""
    for name in experiment_names():
        experiment = find_experiment(name)
        if not experiment.published:
            continue
        if experiment.chapter != chapter:
            chapter = experiment.chapter
            parts.append(f"## Chapter {int(chapter)}\n")
        result = stored_results(root, chapter).get(name)
        parts.append("\n".join(_entry(published, experiment, result) for published in experiment.published))
    if len(parts) == 1:
        parts.append("No result is held against a published number yet.\n")
    return "\n".join(parts).rstrip("\n") + "\n"


def _entry(published: Published, experiment: Experiment, result: Result | None) -> str:
    what = published.what or published.key.replace("_", " ")
    verdict = "Comparable" if published.comparable else "Not comparable"
    ours = "not run yet" if result is None else f"{_ours(published.key, result)} {published.unit}"
    rows = [
        ("Paper", f"{published.value:g} {published.unit}, {{cite:t}}`{published.cite}` ({published.read})"),
        ("Their size", published.size),
        ("This page", ours),
        ("Our size", _sizes(experiment, result)),
        (verdict, published.why),
    ]
    body = "\n".join(f"* - **{head}**\n  - {text}" for head, text in rows)
    return f"```{{list-table}} {what[0].upper()}{what[1:]}\n:widths: 20 80\n\n{body}\n```\n"


def _ours(key: str, result: Result) -> str:
    match = ENTRY.fullmatch(key)
    if not match:
        raise ValueError(f"{result.name}: published key {key!r} should be like 'bits' or 'curve[-1]'")
    values = result[match["key"]]
    if match["index"] is not None:
        values = values[:, int(match["index"])]
    if values.ndim != 1:
        raise ValueError(f"{result.name}: published key {key!r} is a list; name one entry, like {key + '[-1]'!r}")
    if len(values) == 1:
        return f"{values[0]:.3g} (1 seed)"
    return f"{values.mean():.3g} ± {values.std(ddof=1):.2g} ({len(values)} seeds)"


def _sizes(experiment: Experiment, result: Result | None) -> str:
    config: dict[str, Any] = dict(experiment.scales["full"] if result is None else result.config)
    listed = ", ".join(f"{key} {value}" for key, value in config.items() if key != "seeds")
    return f"{listed}; `{experiment.command('full')}`"
