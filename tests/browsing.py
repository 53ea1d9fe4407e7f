"""A reader's browser: one Chromium for the tests of a module, and pages opened as a reader opens them.

Opening a chapter and looking at all of it takes seconds. So one opened page serves all checks that want it at the same
size and in the same theme (:func:`opened` makes such fixtures), and each check is computed when a test first asks.
"""

import re
from functools import cached_property
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe

from tests.house import SITE, chromium, site
from tests.pages import served

WIDE, NARROW = (1280, 900), (390, 844)
# No name leads anywhere but this machine's: what a page asks of another host is seen, and never gets there.
ALONE = "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"


@pytest.fixture(scope="module")
def browser():
    """One headless Chromium for all tests of a module."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as play:
        started = play.chromium.launch(executable_path=chromium(), args=["--no-sandbox", "--disable-gpu", ALONE])
        yield started
        started.close()


@pytest.fixture(scope="module")
def address():
    """The site over HTTP on this machine."""
    with served(site()) as where:
        yield where


def pages():
    """Every page that a reader is led to (not the redirect, the search page and the source listings)."""
    return sorted(site().glob("book/**/*.html"))


def name(page) -> str:
    """A page's address on the site."""
    return page.relative_to(SITE).as_posix()


def sample() -> list[str]:
    """The pages looked at one by one: all but the API pages, of which a few stand for the rest; none without a site."""
    names = [name(page) for page in pages()] if (SITE / "index.html").exists() else []
    api = [n for n in names if "/api/rnncourse" in n]
    few = {n for n in api if n.endswith(("functional.lstm.html", "cells.lstm.html", "training.loop.html"))}
    return [n for n in names if n not in api] + sorted(few | {max(api, key=len, default="")} - {""})


class Visit:
    """A page opened in a context of its own, with what it asked for and complained of."""

    def __init__(self, browser, size, theme, url, until="load"):
        self.url = url
        self.strangers, self.complaints, self.asked = [], [], {}
        self.context = browser.new_context(viewport={"width": size[0], "height": size[1]}, color_scheme=theme)
        self.tab = self.context.new_page()
        self.tab.on("request", self._request)
        self.tab.on("response", self._response)
        self.tab.on("console", lambda said: self.complaints.append(said.text) if said.type == "error" else None)
        self.tab.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.tab.goto(url, wait_until=until)
        self.loaded = dict(self.asked)  # before anybody scrolls

    def _request(self, request):
        target = urlsplit(request.url)
        if target.scheme not in {"file", "data", "blob"} and target.hostname != "127.0.0.1":
            self.strangers.append(request.url)

    def _response(self, response):
        self.asked[response.url] = int(response.headers.get("content-length") or 0) / 1024

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.context.close()

    @cached_property
    def moved(self) -> float:
        """How much the layout shifted while the page loaded and was read to its end."""
        self.tab.evaluate(WATCH)
        self.tab.evaluate(THROUGH)
        shift = self.tab.evaluate("watched()")
        self.tab.evaluate("scrollTo({top: 0, behavior: 'instant'})")
        return shift

    @cached_property
    def barriers(self) -> list:
        """What axe calls a violation, with all open that waits for a reader's prediction."""
        self.tab.evaluate("document.querySelectorAll('.predicted, .told').forEach(one => one.classList.add('seen'))")
        return violations(self.tab)


def opened(size, theme: str, until: str = "load", disk: bool = False):
    """A fixture: each page of the sample, opened once for all tests of the module that want it like this."""

    # Tests of one page stay together, so that the worker which opened it is the one that looks.
    @pytest.fixture(scope="module", params=[pytest.param(one, marks=pytest.mark.xdist_group(one)) for one in sample()])
    def visit(request, browser, address):
        url = (SITE / request.param).as_uri() if disk else f"{address}/{request.param}"
        with Visit(browser, size, theme, url, until) as one:
            yield one

    return visit


def is_notebook(url: str) -> bool:
    """Whether the page is a chapter or a deeper page."""
    return re.match(r"\d\d_", url.rsplit("/", 1)[-1]) is not None


# --- how much moves -----------------------------------------------------------------------------------------------

WATCH = """() => {
  let moved = 0;
  const add = (entries) => entries.forEach((entry) => { if (!entry.hadRecentInput) moved += entry.value; });
  const observer = new PerformanceObserver((list) => add(list.getEntries()));
  observer.observe({type: 'layout-shift', buffered: true});
  window.watched = () => { add(observer.takeRecords()); return moved; };
  window.frame = () => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
}"""
# As a reader scrolls: each screen is drawn, and its pictures have come, before the next.
THROUGH = """async () => {
  const shown = (image) => image.getClientRects().length && image.getBoundingClientRect().bottom > 0
    && image.getBoundingClientRect().top < innerHeight;
  await document.fonts.ready;
  for (let y = 0; y < document.body.scrollHeight; y += innerHeight * 0.8) {
    scrollTo({top: y, behavior: 'instant'});
    await frame();
    for (const image of [...document.images].filter(shown)) await image.decode().catch(() => {});
  }
  await frame();
  await new Promise((done) => setTimeout(done));
}"""

# --- what axe says ------------------------------------------------------------------------------------------------

# axe reads the colour of everything below every word, and most of its time goes into reading the same few again.
REMEMBER = """() => {
  const Color = axe.commons.color.Color, read = Color.prototype.parseString, known = new Map();
  Color.prototype.parseString = function (text) {
    if (!known.has(text)) {
      read.call(this, text);
      known.set(text, [this.r, this.g, this.b, this.alpha]);
    }
    [this.r, this.g, this.b, this.alpha] = known.get(text);
    return this;
  };
}"""


def violations(tab, remember: bool = True) -> list:
    """What axe calls a violation on this page: rule, impact, and the first elements."""
    tab.evaluate(Axe().axe_script)
    if remember:
        tab.evaluate(REMEMBER)
    found = tab.evaluate("axe.run({resultTypes: ['violations']}).then((report) => report.violations)")
    return [(v["id"], v["impact"], [node["html"][:120] for node in v["nodes"]][:3]) for v in found]
