"""What a page costs its reader: requests, kilobytes, and text that moves while it loads."""

import re

import pytest

from tests.house import site
from tests.pages import served
from tests.test_site import NARROW, WIDE, browser, name, sample  # noqa: F401 - browser is a fixture

pytestmark = [pytest.mark.site, pytest.mark.browser, pytest.mark.slow]

# As files lie on the disk; a server that compresses sends a quarter. Half is the theme's style and the page itself.
REQUESTS, KILOBYTES = 46, 1750
SHIFT = 0.1  # the most that is called good (web.dev, "Cumulative Layout Shift"); what pages have is nearer to 0.001
WATCH = """() => { window.moved = 0; new PerformanceObserver(list => list.getEntries().forEach(
  entry => { if (!entry.hadRecentInput) window.moved += entry.value; }
)).observe({type: 'layout-shift', buffered: true}); }"""
THROUGH = """async () => { for (let y = 0; y < document.body.scrollHeight; y += innerHeight * 0.8) {
  scrollTo({top: y, behavior: 'instant'}); await new Promise(done => setTimeout(done, 40)); } }"""


@pytest.fixture(scope="module")
def address():
    """The site over HTTP on this machine."""
    with served(site()) as where:
        yield where


def costs(browser, url, size):  # noqa: F811
    """What a browser asks for when it opens this page, with sizes in kilobytes; the page stays open."""
    tab = browser.new_context(viewport={"width": size[0], "height": size[1]}).new_page()
    asked = {}
    tab.on("response", lambda r: asked.update({r.url: int(r.headers.get("content-length") or 0) / 1024}))
    tab.goto(url, wait_until="networkidle")
    return tab, asked


def test_every_page_keeps_its_budget(browser, address):  # noqa: F811
    over = {}
    for path in sample():
        tab, asked = costs(browser, f"{address}/{path}", WIDE)
        tab.context.close()
        if len(asked) > REQUESTS or sum(asked.values()) > KILOBYTES:
            over[path] = (len(asked), round(sum(asked.values())))
        unneeded = [url for url in asked if re.search(r"searchindex|searchtools|fontawesome", url)]
        assert unneeded == [], path
    assert over == {}


@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "phone"])
def test_no_chapter_moves_while_it_loads_or_is_read(browser, address, size):  # noqa: F811
    moved = {}
    for path in [path for path in sample() if re.match(r"book/(\d\d_|index|notation|ledger)", path)]:
        tab, _ = costs(browser, f"{address}/{path}", size)
        tab.evaluate(WATCH)
        tab.evaluate(THROUGH)
        tab.wait_for_timeout(300)
        if (shift := tab.evaluate("window.moved")) >= SHIFT:
            moved[path] = round(shift, 3)
        tab.context.close()
    assert moved == {}


def test_the_observer_sees_what_moves(browser, tmp_path):  # noqa: F811
    (tmp_path / "x.html").write_text(
        "<!doctype html><body><div id=a></div><p>text</p><script>setTimeout(() => "
        "a.style.height = '400px', 200)</script>",
        encoding="utf-8",
    )
    with served(tmp_path) as where:
        tab, _ = costs(browser, f"{where}/x.html", WIDE)
        tab.evaluate(WATCH)
        tab.wait_for_timeout(600)
        assert tab.evaluate("window.moved") > 0.01
        tab.context.close()
