"""Search that finds what a reader means: pages before the reference, and the words people use for a subject.

A page's own words are found anyway. ``search_phrases.yml`` holds the other names of what it is about: what somebody
types who has not read it. They become entries of the index, which search ranks first.
"""

from functools import cache
from pathlib import Path

import yaml
from docutils import nodes
from sphinx import addnodes
from sphinx.search import js_index

HERE = Path(__file__).parents[1]


@cache
def table() -> dict[str, list[str]]:
    """All phrases, by page."""
    return yaml.safe_load((HERE / "search_phrases.yml").read_text(encoding="utf-8"))


def phrases(docname: str) -> list[str]:
    """The other names of what a page is about.

    >>> phrases("book/06_gru")[0], phrases("book/api/index")
    ('gru', [])
    """
    return table().get(docname) or table().get(docname[: len("book/00_")], [])


def enter(app, doctree):
    """Put them into the page as entries of an index that only search reads: each one a main entry."""
    section = next(iter(doctree.findall(nodes.section)), None)
    if section is not None and (found := phrases(app.env.docname)):
        section += addnodes.index(entries=[("single", phrase, "", "main", None) for phrase in found])


def keep(app):
    """Before the index is written: give the pages that were not written this time the entries that they had.

    Sphinx takes everything else of the old index over, and loses these.
    """
    old = Path(app.outdir) / "searchindex.js"
    if not old.exists() or app.builder.name != "html":
        return []
    frozen = js_index.loads(old.read_text(encoding="utf-8"))
    kept: dict[str, set[tuple[str, str, str]]] = {}
    for entry, places in frozen.get("indexentries", {}).items():
        for page, target, main in places:
            kept.setdefault(frozen["docnames"][page], set()).add((entry, target, "main" if main else ""))
    entries = app.builder.indexer._index_entries  # it has no other door
    for docname in (kept.keys() & app.env.all_docs.keys()) - entries.keys():
        entries[docname] = sorted(kept[docname])
    return []


def script(app, pagename, templatename, context, doctree):
    """What makes formulas in the excerpts readable, on the search page alone."""
    if pagename == "search":
        app.add_js_file("js/search.js", defer="defer")


def connect(app):
    """The scorer is written into the index's own script."""
    app.config.html_search_scorer = str(HERE / "search_scorer.js")
    app.connect("doctree-read", enter)
    app.connect("html-collect-pages", keep)
    app.connect("html-page-context", script)
