"""What is done to a page as it is written: scrollable tables, labels, and nothing loaded that the page does not use."""

import json
import re
from html import escape
from pathlib import Path

from docutils import nodes


def scroll(html: str) -> str:
    """Wide tables scroll inside their own box, which the keyboard can reach.

    >>> scroll("<table><tr><td>x</td></tr></table>")
    '<div class="wide" role="group" tabindex="0" aria-label="Table"><table><tr><td>x</td></tr></table></div>'
    """
    html = re.sub(r"<table\b", '<div class="wide" role="group" tabindex="0" aria-label="Table"><table', html)
    return html.replace("</table>", "</table></div>")


def description(doctree) -> str:
    """What a page says first, for those who list it: its first paragraph, cut at a word."""
    first = next((one.astext() for one in doctree.findall(nodes.paragraph) if len(one.astext()) > 40), "")
    text = " ".join(first.split())
    return text if len(text) <= 155 else text[:155].rsplit(" ", 1)[0] + " …"


def body(app, pagename, templatename, context, doctree):
    """Wrap tables once the theme's own handlers have run."""
    if context.get("body") and doctree is not None:
        context["body"] = scroll(context["body"])
        said = description(doctree)
        if said and 'name="description"' not in context.get("metatags", ""):
            context["metatags"] = f'{context.get("metatags", "")}\n<meta name="description" content="{escape(said)}" />'


def finish(app, exception):
    """Small repairs of the theme's markup that no option offers."""
    if exception or app.builder.format != "html":
        return
    for file in Path(app.outdir).rglob("*.html"):
        text = file.read_text(encoding="utf-8")
        mended = mend(text if file.name == "search.html" else SEARCH.sub("", text))
        if mended != text:
            file.write_text(mended, encoding="utf-8")


# Search as one types is off, and still the theme has every page load the index of the whole book.
SEARCH = re.compile(
    r'<script src="[^"]*_static/searchtools\.js"></script>\s*<script src="[^"]*_static/language_data\.js"></script>\s*'
    r'<script src="[^"]*searchindex\.js"></script>\s*'
)
FONTS = tuple(
    f"fonts/source-{name}.woff2"
    for name in ("serif-4-latin-wght-normal", "serif-4-latin-wght-italic", "sans-3-latin-wght-normal")
)
FORMULAS = ("katex/fonts/KaTeX_Main-Regular.woff2", "katex/fonts/KaTeX_Math-Italic.woff2")
AUTO = 'document.documentElement.dataset.theme = localStorage.getItem("theme") || "auto";'
# The theme settles on light or dark once all its scripts have run; until then a page would have the colours of neither.
SETTLED = """
    if (document.documentElement.dataset.theme === "auto")
      document.documentElement.dataset.theme = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";"""
# Fonts that come late move the text. (A browser that opens a file from the disk refuses to fetch them ahead.)
AHEAD = """
    if (location.protocol !== "file:")
      for (const font of {fonts})
        document.head.append(Object.assign(document.createElement("link"), {{
          rel: "preload", as: "font", type: "font/woff2", crossOrigin: "",
          href: document.documentElement.dataset.content_root + "_static/" + font,
        }}));"""


def early(html: str) -> str:
    """What is settled before anything is drawn: the theme, and the fonts that the text needs.

    >>> early('<html data-theme="auto" lang="en">')
    '<html data-theme="light" lang="en">'
    """
    fonts = [*FONTS, *(FORMULAS if 'class="katex' in html else ())]
    if SETTLED not in html:
        html = html.replace(AUTO, AUTO + SETTLED + AHEAD.format(fonts=json.dumps(fonts)), 1)
    return re.sub(r'(<html\b[^>]*) data-theme="auto"', r'\1 data-theme="light"', html)  # for readers without scripts


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
    return early(html)


def connect(app):
    """After the theme (priority 500), so that its changes are seen."""
    app.connect("html-page-context", body, priority=900)
    app.connect("build-finished", finish)
