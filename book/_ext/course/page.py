"""What is done to a page as it is written: scrollable tables, labels."""

import re
from pathlib import Path


def scroll(html: str) -> str:
    """Wide tables scroll inside their own box, which the keyboard can reach.

    >>> scroll("<table><tr><td>x</td></tr></table>")
    '<div class="wide" role="group" tabindex="0" aria-label="Table"><table><tr><td>x</td></tr></table></div>'
    """
    html = re.sub(r"<table\b", '<div class="wide" role="group" tabindex="0" aria-label="Table"><table', html)
    return html.replace("</table>", "</table></div>")


def body(app, pagename, templatename, context, doctree):
    """Wrap tables once the theme's own handlers have run."""
    if context.get("body") and doctree is not None:
        context["body"] = scroll(context["body"])


def finish(app, exception):
    """Small repairs of the theme's markup that no option offers."""
    if exception or app.builder.format != "html":
        return
    for file in Path(app.outdir).rglob("*.html"):
        text = file.read_text(encoding="utf-8")
        mended = mend(text)
        if mended != text:
            file.write_text(mended, encoding="utf-8")


REPAIRS = (
    # The button that opens a part of the side bar has only an icon.
    (
        re.compile(r'<summary><span class="toctree-toggle"'),
        '<summary aria-label="Show the pages below"><span class="toctree-toggle"',
    ),
    # The logo stands outside every landmark.
    (
        re.compile(r'<div class="sidebar-primary-items__start'),
        '<div role="region" aria-label="Site" class="sidebar-primary-items__start',
    ),
    # docutils marks entries of a bibliography with roles that ARIA has since withdrawn.
    (re.compile(r' role="doc-biblioentry"'), ""),
    (re.compile(r'<div role="list" class="citation-list">'), '<div class="citation-list">'),
    # The corner of a table with two sets of headings is not a heading.
    (re.compile(r'<th class="head([^"]*)">(?:<p></p>)?</th>'), r'<td class="head\1"></td>'),
)


def mend(html: str) -> str:
    """What a screen reader needs and the theme leaves out.

    >>> mend('<th class="head"><p></p></th>')
    '<td class="head"></td>'
    """
    for pattern, better in REPAIRS:
        html = pattern.sub(better, html)
    return html


def connect(app):
    """After the theme (priority 500), so that its changes are seen."""
    app.connect("html-page-context", body, priority=900)
    app.connect("build-finished", finish)
