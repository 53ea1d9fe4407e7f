"""Hover cards: a page that refers to an equation of another page carries a copy of it, for ``js/cards.js``."""

import re
from functools import cache
from pathlib import Path

REFERENCE = re.compile(r'<a class="reference internal" href="(?P<page>[^"#:]+\.html)#(?P<place>equation-[\w-]+)"')
CARDS = re.compile(r'a class="term |#equation-|bibliography\.html#')


@cache
def formulas(page: Path) -> dict[str, str]:
    """The labelled equations of a page, as they stand there."""
    if not page.exists():
        return {}
    found = re.finditer(r'<div class="math notranslate" id="(equation-[\w-]+)".*?</div>', page.read_text("utf-8"), re.S)
    return {one[1]: one[0] for one in found}


def copies(html: str, folder: Path) -> str:
    """The page with what its cards need, once for each equation, before its end."""
    if 'template data-card="' in html:
        return html
    wanted = {found["place"]: found["page"] for found in REFERENCE.finditer(html)}
    kept = [
        f'<template data-card="{place}">{formula}</template>'
        for place, page in sorted(wanted.items())
        if (formula := formulas((folder / page).resolve()).get(place))
    ]
    # A template's content is no part of the page: its identifier may stand there twice.
    return html.replace("</body>", "".join(kept) + "</body>") if kept else html


def script(app, pagename, templatename, context, doctree):
    """Only on pages with something to show."""
    if CARDS.search(context.get("body") or ""):
        app.add_js_file("js/cards.js", defer="defer")


def finish(app, exception):
    """When all pages are written."""
    if exception or app.builder.format != "html":
        return
    formulas.cache_clear()
    for page in (Path(app.outdir) / "book").rglob("*.html"):
        text = page.read_text(encoding="utf-8")
        if (better := copies(text, page.parent)) != text:
            page.write_text(better, encoding="utf-8")


def connect(app):
    app.connect("html-page-context", script, priority=400)
    app.connect("build-finished", finish)
