"""A site that is built again after one page changed: what the other pages gave to the search is still there."""

import pytest
from sphinx.search import js_index

from tests.pages import build_site

pytestmark = pytest.mark.site

CONF = """
extensions = ["myst_parser"]
exclude_patterns = ["out"]

def setup(app):
    from course import search
    search.connect(app)
"""
PAGES = {"book/05_lstm.md": "# Gates\n", "book/06_gru.md": "# Fewer gates\n"}
INDEX = "# Course\n\n```{toctree}\n:glob:\nbook/*\n```\n"


def entries(out) -> dict[str, list[str]]:
    """The pages of each phrase that the search knows."""
    frozen = js_index.loads((out / "searchindex.js").read_text(encoding="utf-8"))
    return {
        phrase: sorted(frozen["docnames"][page] for page, *_ in places)
        for phrase, places in frozen["indexentries"].items()
    }


def test_a_page_that_is_not_read_again_keeps_its_phrases(tmp_path):
    first = entries(build_site(tmp_path, CONF, {"index.md": INDEX, **PAGES})[0])
    assert {page for pages in first.values() for page in pages} == {"book/05_lstm", "book/06_gru"}
    build_site(tmp_path, CONF, {"book/06_gru.md": "# Fewer gates\n\nA new sentence.\n"})
    assert entries(tmp_path / "out") == first


def test_a_page_that_went_takes_its_phrases_along(tmp_path):
    first = entries(build_site(tmp_path, CONF, {"index.md": INDEX, **PAGES})[0])
    (tmp_path / "book" / "06_gru.md").unlink()
    build_site(tmp_path, CONF, {"index.md": INDEX + "\nOne is gone.\n"})
    left = {phrase: kept for phrase, pages in first.items() if (kept := [page for page in pages if "05" in page])}
    assert entries(tmp_path / "out") == left
