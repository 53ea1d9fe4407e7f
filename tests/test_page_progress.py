"""What a browser remembers of a reader: the way back, and the ticks; and nothing where storage is off."""

import pytest

from tests.browsing import browser  # noqa: F401 - a fixture
from tests.house import ROOT
from tests.pages import served

pytestmark = pytest.mark.site

CHAPTER = """<!doctype html><meta charset="utf-8"><nav class="bd-sidebar-primary bd-links">
<a class="reference internal" href="05_lstm.html">LSTM</a>
<a class="reference internal" href="06_gru.html">GRU</a></nav>
<article class="bd-article"><section id="top"><h1>LSTM</h1>
<section id="one" style="height:1500px"><h2>One</h2></section>
<section id="two" style="height:1500px"><h2>Two</h2></section>
</section></article><script src="progress.js" defer></script>"""
HOME = """<!doctype html><meta charset="utf-8"><style>.continue-reading:not(.known){display:none}</style>
<div class="continue-reading"><p><a href="01_feedforward_to_recurrent.html">Continue</a></p></div>
<script src="progress.js" defer></script>"""


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    """A folder with a home page and a chapter, served (pages from the disk share no storage)."""
    folder = tmp_path_factory.mktemp("progress")
    (folder / "progress.js").write_bytes((ROOT / "book" / "_static" / "js" / "progress.js").read_bytes())
    (folder / "index.html").write_text(HOME, encoding="utf-8")
    (folder / "05_lstm.html").write_text(CHAPTER, encoding="utf-8")
    with served(folder) as where:
        yield where


@pytest.fixture
def context(browser):  # noqa: F811
    """A reader's browser, fresh."""
    fresh = browser.new_context(viewport={"width": 800, "height": 600})
    yield fresh
    fresh.close()


def test_a_new_reader_is_not_sent_back_anywhere(context, address):
    tab = context.new_page()
    tab.goto(f"{address}/index.html")
    assert not tab.locator(".continue-reading").is_visible()


def test_a_reader_comes_back_to_the_section_and_a_finished_chapter_is_ticked(context, address):
    tab = context.new_page()
    tab.goto(f"{address}/05_lstm.html")
    tab.wait_for_function("localStorage.getItem('rnncourse-reading')?.includes('one')")
    assert tab.locator("a.read").count() == 0
    tab.evaluate("document.getElementById('two').scrollIntoView()")
    tab.wait_for_selector("a.read")
    assert tab.locator("a.read").all_inner_texts() == ["LSTM"]
    tab.goto(f"{address}/index.html")
    link = tab.locator(".continue-reading a")
    assert link.is_visible()
    assert link.inner_text() == "Continue with chapter 5"
    assert link.get_attribute("href") == "05_lstm.html#two"


@pytest.mark.parametrize(
    "kept", ["not json", "null", '{"last": {"page": "javascript:alert(1)", "section": "x"}}', "[]"]
)
def test_odd_memories_do_no_harm(context, address, kept):
    tab = context.new_page()
    said = []
    tab.on("pageerror", lambda error: said.append(str(error)))
    tab.goto(f"{address}/index.html")
    tab.evaluate("(kept) => localStorage.setItem('rnncourse-reading', kept)", kept)
    tab.reload()
    assert not tab.locator(".continue-reading").is_visible()
    assert said == []
