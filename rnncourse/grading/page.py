"""Graded runs as one HTML page: self-contained, no script, light and dark, and everything escaped.

All text passes :func:`html.escape` exactly once, in :func:`escape`; the template itself holds no value of a notebook.
"""

import html
from collections.abc import Mapping, Sequence
from typing import Any

from rnncourse.grading.names import clean
from rnncourse.grading.report import details, state
from rnncourse.version import __version__

__all__ = ["as_html", "document", "escape"]

STYLE = """
:root { color-scheme: light dark; --ink: #232a33; --paper: #fdfcf9; --card: #f5f3ed; --line: #ded9cd; --muted: #5a6470;
  --good: #2d6a3f; --part: #8a4a00; --bad: #a3362f; }
@media (prefers-color-scheme: dark) { :root { --ink: #dbe1e8; --paper: #14181e; --card: #1b2129; --line: #333c48;
  --muted: #a3aebb; --good: #8ecf9f; --part: #eeb074; --bad: #f09a92; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 46rem; padding: 2rem 1.25rem 3rem; background: var(--paper); color: var(--ink);
  font: 1.0625rem/1.55 Charter, Georgia, "Times New Roman", serif; overflow-wrap: anywhere; }
h1 { font-size: 1.5rem; line-height: 1.25; margin: 0 0 .25rem; }
h2 { font-size: 1.0625rem; margin: 0; }
.total { font-size: 1.25rem; margin: 0 0 .75rem; }
.bar { height: .5rem; border-radius: .25rem; background: var(--line); overflow: hidden; margin-bottom: 1.5rem; }
.bar i { display: block; height: 100%; background: var(--good); }
ol { list-style: none; margin: 0; padding: 0; }
li { background: var(--card); border: 1px solid var(--line); border-left: .3rem solid var(--state);
  border-radius: .4rem; padding: .8rem 1rem; margin-bottom: .75rem; }
.full { --state: var(--good); }
.some { --state: var(--part); }
.none { --state: var(--bad); }
.head { display: flex; justify-content: space-between; gap: 1rem; }
.points { white-space: nowrap; color: var(--state); font-weight: bold; font-variant-numeric: tabular-nums; }
p { margin: .35rem 0 0; } .small, li p + p, footer { color: var(--muted); font-size: .92rem; }
footer { border-top: 1px solid var(--line); margin-top: 1.5rem; padding-top: .75rem; }
section + section { margin-top: 3rem; }
.warn { border: 1px solid var(--bad); color: var(--bad); border-radius: .4rem; padding: .5rem .8rem; margin: 0 0 1rem; }
"""


def as_html(reports: Sequence[Mapping[str, Any]], title: str = "", words: Sequence[str] = ()) -> str:
    """A whole page with one section for each report.

    Args:
        reports: Plain dictionaries (:func:`rnncourse.grading.classes.jobs.report_to_dict`).
        title: Of the page; by default the names of the notebooks.
        words: Paragraphs to stand above the reports.
    """
    title = title or "Graded: " + ", ".join(report["notebook"] for report in reports)
    head = "".join(f"<p>{escape(line)}</p>\n" for line in words)
    return document(title, head + "".join(_section(report) for report in reports))


def document(title: str, body: str, style: str = "") -> str:
    """A self-contained page in the reports' look: no script, nothing fetched.

    Args:
        title: As plain text.
        body: HTML in which every stranger's word is escaped already.
        style: More CSS.
    """
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        # Even if something slipped through unescaped, the browser would neither run nor fetch it.
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
        f"<title>{escape(title)}</title>\n<style>{STYLE}{style}</style>\n</head>\n<body>\n<main>\n{body}"
        f"</main>\n<footer>rnncourse {escape(__version__)}</footer>\n</body>\n</html>\n"
    )


def _section(report: Mapping[str, Any]) -> str:
    share = 100 * report["points"] / report["out_of"] if report["out_of"] else 0.0
    total = f"{report['points']:g} of {report['out_of']:g} points"
    lines = [
        f"<section>\n<h1>{escape(report['notebook'])}</h1>\n",
        f'<p class="total">{total}</p>\n',
        f'<div class="bar" role="img" aria-label="{total}"><i style="width: {share:.1f}%"></i></div>\n',
    ]
    if report["isolation"] in ("own", "unsafe"):
        lines.append(f'<p class="warn">Isolation: {escape(report["walls"])}</p>\n')
    lines += ["<ol>\n", *[_question(question) for question in report["questions"]], "</ol>\n"]
    if report["cells"]:
        lines.append('<p class="small">Cells that failed:</p>\n<div class="small">\n')
        lines += [
            f"<div>cell {escape(number)}: {escape(problem)}</div>\n" for number, problem in report["cells"].items()
        ]
        lines.append("</div>\n")
    facts = [
        f"chapter {report['chapter']}",
        f"course {report['course']}",
        f"seed {report['seed']}",
        report["walls"],
        *[f"{name} {version}" for name, version in report["platform"].items()],
        f"{report['seconds']:g} s",
        report["when"],
    ]
    lines.append(f'<p class="small">{escape(" · ".join(facts))}</p>\n</section>\n')
    return "".join(lines)


def _question(question: Mapping[str, Any]) -> str:
    return (
        f'<li class="{state(question)}"><div class="head"><h2>{escape(question["id"])} {escape(question["title"])}</h2>'
        f'<span class="points">{question["points"]:g} / {question["out_of"]:g}</span></div>\n'
        + ("<p>Right.</p>\n" if state(question) == "full" else "")
        + "".join(f"<p>{escape(line)}</p>\n" for line in details(question))
        + "</li>\n"
    )


def escape(text: str) -> str:
    """A stranger's words as HTML shows them: on one line, without control characters, nothing of them a tag."""
    return html.escape(clean(text), quote=True)
