"""Cards beside links: by pointer, by keyboard, by touch; and without scripts the links are what they were."""

import pytest

from tests.browsing import browser  # noqa: F401 - a fixture
from tests.house import ROOT
from tests.pages import served

pytestmark = [pytest.mark.site, pytest.mark.browser]

PAGE = """<!doctype html><html lang="en" data-theme="light"><meta charset="utf-8"><title>x</title>
<link rel="stylesheet" href="course.css"><body><article class="bd-article">
<p><a class="term reference internal" href="glossary.html#term-gate" id="t" title="A vector of numbers.">gate</a> and
<a class="reference internal" href="bibliography.html#id3" id="c" title="A. Author. A title. 1997.">Author, 1997</a></p>
<p><a class="reference internal" href="#equation-05-forget" id="e">(5.1)</a> and
<a class="reference internal" href="other.html#equation-04-bound" id="o">(4.2)</a> and
<a class="reference internal" href="#elsewhere" id="n">a section</a></p>
<div class="math notranslate" id="equation-05-forget"><span class="eqno">(5.1)<a class="headerlink"
href="#equation-05-forget">#</a></span>f = sigma(a)</div>
<p style="height: 1500px">Text.</p></article>
<script src="cards.js" defer></script></body></html>"""
OTHER = """<div class="math notranslate" id="equation-04-bound" tabindex="0"><span class="katex">|W|</span></div>
<div class="math notranslate" id="equation-04-next" tabindex="0">none asked for this</div>"""
CARD = "#card:not([hidden])"


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    """The page with its cards, and the page that it goes to."""
    import sys

    sys.path.insert(0, str(ROOT / "book" / "_ext"))
    from course import cards

    folder = tmp_path_factory.mktemp("cards")
    static = ROOT / "book" / "_static"
    for name, path in {"cards.js": static / "js" / "cards.js", "course.css": static / "course.css"}.items():
        (folder / name).write_bytes(path.read_bytes())
    for name in ("glossary", "bibliography"):
        (folder / f"{name}.html").write_text(f"<title>{name}</title>", encoding="utf-8")
    (folder / "other.html").write_text(OTHER, encoding="utf-8")
    html = cards.copies(PAGE, folder)
    assert html.count("<template") == 1
    assert cards.copies(html, folder) == html
    (folder / "page.html").write_text(html, encoding="utf-8")
    with served(folder) as where:
        yield where


@pytest.fixture
def tab(browser, address, request):  # noqa: F811
    """The page, opened; by a finger where the test says so."""
    context = browser.new_context(viewport={"width": 390, "height": 700}, **getattr(request, "param", {}))
    page = context.new_page()
    page.goto(f"{address}/page.html")
    yield page
    context.close()


SAYS = {"t": "A vector of numbers.", "c": "A. Author. A title. 1997.", "e": "(5.1)f = sigma(a)", "o": "|W|"}


@pytest.mark.parametrize("link", SAYS)
def test_a_card_says_what_the_link_leads_to(tab, link):
    tab.hover(f"#{link}")
    tab.wait_for_selector(CARD)
    assert tab.locator(CARD).inner_text().strip().replace("\n", "") == SAYS[link]
    assert tab.get_attribute(f"#{link}", "aria-describedby") == "card"
    assert tab.get_attribute("#card", "role") == "tooltip"
    box = tab.locator(CARD).bounding_box()
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= 390
    tab.hover(CARD)  # it stays while the pointer is on it
    tab.wait_for_timeout(400)
    assert tab.locator(CARD).is_visible()
    tab.mouse.move(5, 650)
    tab.wait_for_selector(CARD, state="hidden")
    assert tab.get_attribute(f"#{link}", "aria-describedby") is None


def test_an_equation_is_shown_once_and_the_page_keeps_its_own(tab):
    tab.hover("#e")
    tab.wait_for_selector(CARD)
    assert tab.locator("#equation-05-forget").count() == 1
    assert tab.locator(f"{CARD} .headerlink").count() == 0


def test_other_links_have_no_card(tab):
    tab.hover("#n")
    tab.wait_for_timeout(400)
    assert tab.locator(CARD).count() == 0


def test_the_keyboard_opens_and_escape_closes(tab):
    tab.keyboard.press("Tab")
    assert tab.locator(CARD).inner_text() == SAYS["t"]
    tab.keyboard.press("Escape")
    assert tab.locator(CARD).count() == 0
    assert tab.evaluate("document.activeElement.id") == "t"
    tab.keyboard.press("Tab")
    assert tab.locator(CARD).inner_text() == SAYS["c"]
    tab.keyboard.press("Enter")
    tab.wait_for_url("**/bibliography.html#id3")


@pytest.mark.parametrize("tab", [{"has_touch": True}], indirect=True)
def test_the_first_touch_shows_and_the_second_goes_there(tab):
    tab.tap("#t")
    assert tab.locator(f"{CARD} p").first.inner_text() == SAYS["t"]
    assert tab.url.endswith("page.html")
    tab.touchscreen.tap(200, 600)
    tab.wait_for_selector(CARD, state="hidden")
    tab.tap("#t")
    tab.wait_for_selector(CARD)
    tab.get_by_text("Go there").tap()
    tab.wait_for_url("**/glossary.html#term-gate")
    tab.go_back()
    tab.tap("#c")
    tab.tap("#c")
    tab.wait_for_url("**/bibliography.html#id3")


@pytest.mark.parametrize("tab", [{"java_script_enabled": False}], indirect=True)
def test_without_scripts_the_titles_say_it(tab):
    assert tab.get_attribute("#t", "title") == SAYS["t"]
    tab.click("#t")
    tab.wait_for_url("**/glossary.html#term-gate")


def test_a_deeper_page_carries_the_equations_of_the_chapter_above_it(tmp_path):
    import sys
    from types import SimpleNamespace

    sys.path.insert(0, str(ROOT / "book" / "_ext"))
    from course import cards

    below = tmp_path / "book" / "deeper"
    below.mkdir(parents=True)
    (below.parent / "other.html").write_text(OTHER, encoding="utf-8")
    (below / "page.html").write_text(PAGE.replace("other.html", "../other.html"), encoding="utf-8")
    cards.finish(SimpleNamespace(builder=SimpleNamespace(format="html"), outdir=str(tmp_path)), None)
    assert '<template data-card="equation-04-bound">' in (below / "page.html").read_text(encoding="utf-8")
