"""The built website, as a reader's browser meets it: self-contained, described, reachable, readable."""

import re
import subprocess
import sys
from functools import cache
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from bs4 import BeautifulSoup

from rnncourse.notebooks import notebook_files
from rnncourse.notebooks.files import DEEPER
from tests.house import ROOT, chromium, site
from tests.pages import served

pytestmark = pytest.mark.site
sys.path.insert(0, str(ROOT / "book" / "_ext"))

WIDE, NARROW = (1280, 900), (390, 844)


def pages() -> list[Path]:
    """Every page that a reader is led to (not the redirect, the search page and the source listings)."""
    return sorted(site().glob("book/**/*.html"))


@cache
def soup(page: Path) -> BeautifulSoup:
    """A parsed page."""
    return BeautifulSoup(page.read_text(encoding="utf-8"), "html.parser")


def name(page: Path) -> str:
    """A page's address on the site."""
    return page.relative_to(site()).as_posix()


# --- what the files say -------------------------------------------------------------------------------------------


def test_there_is_a_page_for_every_source():
    sources = {path.relative_to(ROOT).with_suffix(".html").as_posix() for path in (ROOT / "book").glob("*.md")}
    notebooks = notebook_files(ROOT, ("book", DEEPER))
    sources |= {path.relative_to(ROOT).with_suffix(".html").as_posix() for path in notebooks}
    assert sources - {name(page) for page in pages()} == set()


def test_every_public_module_has_a_page_that_documents_it():
    from course import api

    missing = [module for module in api.modules(ROOT) if not (site() / "book" / "api" / f"{module}.html").exists()]
    assert missing == []
    index = (site() / "book" / "api" / "index.html").read_text(encoding="utf-8")
    assert [module for module in api.modules(ROOT) if f"{module}.html" not in index] == []


def test_answers_and_machinery_are_no_part_of_the_reference():
    shown = [name(page) for page in pages()] + [path.name for path in site().glob("_modules/**/*.html")]
    for room in ("chapters", "grading", "cli", "bench"):
        assert (ROOT / "rnncourse" / room).is_dir()
        assert not [page for page in shown if f"rnncourse.{room}" in page]
        assert not (site() / "_modules" / "rnncourse" / room).exists()


def test_the_download_is_the_plain_edition_and_the_exercises_lie_beside_it():
    for source in notebook_files(ROOT, ("book", DEEPER)):
        home = source.parent.relative_to(ROOT).as_posix()
        page = soup(site() / home / f"{source.stem}.html")
        links = {a.get("href") for a in page.select(".dropdown-download-buttons a")}
        for folder in (home, *(["exercises"] if home == "book" else [])):
            if (ROOT / folder / source.name).exists():
                up = "../" * (home.count("/") + 1)
                assert f"{up}_sources/{folder}/{source.name}" in links
                text = (site() / "_sources" / folder / source.name).read_text(encoding="utf-8")
                assert '"edition": "plain"' in text
                assert not re.search(r"\{(glue:text|doc|term|cite:[pt]|minutes)\}`", text)


def test_the_plain_edition_numbers_equations_as_the_site_does():
    from rnncourse.notebooks.plain import read_book

    printed = re.compile(r'class="eqno">\(([\dA-Z.]+)\)<a class="headerlink" href="#equation-([\w-]+)"')
    on_site = {}
    for page in pages():
        on_site |= {label: number for number, label in printed.findall(page.read_text(encoding="utf-8"))}
    ours = {label: place.called for label, place in read_book(ROOT).equations.items()}
    assert ours
    assert ours == {label: number for label, number in on_site.items() if label in ours}


def test_every_documented_object_is_public_and_described():
    bare = []
    for page in pages():
        for entry in soup(page).select("dl.py > dt.sig"):
            text = entry.find_next_sibling("dd")
            if not (text and text.get_text(strip=True)):
                bare.append(f"{name(page)}: {entry.get('id')}")
    assert bare == []


def external(tag) -> list[str]:
    """Addresses on other hosts that this tag makes a browser load (links that a reader clicks are fine)."""
    found = [tag.get(key) for key in ("src", "srcset", "poster", "data") if tag.get(key)]
    if tag.name == "link" and not {"canonical", "license"} & set(tag.get("rel", [])):
        found.append(tag.get("href"))
    return [address for address in found if re.match(r"(https?:)?//", address or "")]


def test_no_page_names_a_file_on_another_host():
    found = {
        name(page): [a for tag in soup(page).find_all(True) for a in external(tag)] for page in site().rglob("*.html")
    }
    assert {page: addresses for page, addresses in found.items() if addresses} == {}


def test_no_stylesheet_loads_from_another_host():
    pattern = re.compile(r"(?:url\(|@import\s*)[\"']?((?:https?:)?//[^)\"' ]+)")
    found = {name(file): pattern.findall(file.read_text(encoding="utf-8")) for file in site().rglob("*.css")}
    assert {file: addresses for file, addresses in found.items() if addresses} == {}


def test_every_formula_was_rendered():
    for page in pages():
        text = page.read_text(encoding="utf-8")
        assert "katex-error" not in text, name(page)
        assert "#cc0000" not in text, name(page)
        unrendered = [m.get_text()[:60] for m in soup(page).select(".math") if not m.select(".katex")]
        assert unrendered == [], name(page)


def test_an_unreadable_formula_is_reported(monkeypatch):
    from course import maths

    said = []
    maths.patient()
    monkeypatch.setattr(maths.logger, "warning", lambda *arguments, **_: said.append(arguments))
    assert 'class="katex"' in maths.render(r"h_t = \tanh(W h_{t-1})", True, None)
    assert said == []
    maths.render(r"\undefinedmacro x", False, None)
    maths.render(r"\frac{1", False, None)
    assert len(said) == 2


def test_every_image_says_what_it_shows():
    silent = []
    for page in pages():
        for image in soup(page).select("article img, article svg[role=img]"):
            words = (
                image.get("alt", "")
                if image.name == "img"
                else (image.get("aria-labelledby") or image.get("aria-label") or "")
            )
            if len(words.strip()) < 5 or re.search(r"\.(png|svg|jpe?g)$|^_images", words):
                silent.append(f"{name(page)}: {image.get('src', image.name)} says {words!r}")
    assert silent == []


def test_every_page_has_one_title_and_ordered_headings():
    for page in pages():
        levels = [
            int(heading.name[1])
            for heading in soup(page).select("article :is(h1, h2, h3, h4, h5, h6)")
            if "rubric" not in heading.get("class", [])
        ]
        assert levels.count(1) == 1, name(page)
        jumps = [(a, b) for a, b in zip(levels, levels[1:], strict=False) if b > a + 1]
        assert jumps == [], name(page)


def test_every_page_of_the_book_says_what_it_is_about():
    for page in site().glob("book/*.html"):
        about = soup(page).select_one('meta[name="description"]')
        assert about is not None, name(page)
        assert 40 < len(about["content"]) <= 160, name(page)


def test_every_link_inside_the_site_leads_somewhere():
    broken = []
    identifiers = cache(
        lambda page: (
            {tag["id"] for tag in soup(page).find_all(id=True)}
            | {tag["name"] for tag in soup(page).find_all("a", attrs={"name": True})}
        )
    )
    for page in pages():
        for link in soup(page).find_all("a", href=True):
            parts = urlsplit(link["href"])
            if parts.scheme or parts.netloc:
                continue
            target = (page.parent / unquote(parts.path)).resolve() if parts.path else page
            if not target.exists():
                broken.append(f"{name(page)} -> {link['href']}")
            elif parts.fragment and target.suffix == ".html" and unquote(parts.fragment) not in identifiers(target):
                broken.append(f"{name(page)} -> {link['href']} (no such place)")
    assert broken == []


def test_lychee_finds_no_broken_link():
    command = [
        "lychee",
        "--offline",
        "--include-fragments",
        "--no-progress",
        "--root-dir",
        str(site()),
        "--exclude-path",
        "_static/.*webpack",
        "--exclude-path",
        "404.html",
        str(site() / "book"),
    ]
    lychee = Path(sys.executable).with_name("lychee")
    command[0] = str(lychee) if lychee.exists() else "lychee"
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-1000:]


def chapter_pages():
    """Chapters, without the deeper pages beside them."""
    return [page for page in pages() if re.match(r"\d\d_", page.name) and page.parent.name == "book"]


def test_code_in_chapters_links_to_the_reference():
    assert chapter_pages(), "no chapter is on the site"
    for page in chapter_pages():
        links = [a["href"] for a in soup(page).select("a.sphinx-codeautolink-a") if "api/rnncourse" in a["href"]]
        assert links, f"{name(page)} links no code to the reference"


def test_a_pages_number_is_that_of_its_file():
    for page in pages():
        found = re.match(r"(\d\d)_", page.name)
        if found:
            said = soup(page).select_one("article h1 .section-number").get_text(strip=True)
            letter = "" if page.parent.name == "book" else "[A-Z]"  # a deeper page is 5A, 5B, …
            assert re.fullmatch(rf"{int(found[1])}{letter}\.", said), (name(page), said)


def test_every_icon_has_a_shape():
    style = (site() / "_static" / "styles" / "pydata-sphinx-theme.css").read_text(encoding="utf-8")
    used = {
        c
        for page in pages()
        for icon in soup(page).select("[class*='fa-']")
        for c in icon["class"]
        if c.startswith("fa-")
    }
    assert [
        icon
        for icon in sorted(used - {"fa-solid", "fa-brands", "fa-regular", "fa-lg"})
        if f".{icon}:before" not in style
    ] == []


def test_the_repository_is_one_setting(tmp_path):
    import yaml

    config = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))
    chapter = next(page for page in pages() if re.match(r"\d\d_", page.name))
    text = chapter.read_text(encoding="utf-8")
    shown = {"colab.research.google.com" in text, "/edit/" in text, "/issues/new" in text}
    assert shown == {bool(config["repository"]["url"])}


# --- what a browser sees ------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def browser():
    """One headless Chromium for all tests of this module."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as play:
        started = play.chromium.launch(executable_path=chromium(), args=["--no-sandbox", "--disable-gpu"])
        yield started
        started.close()


@pytest.fixture(scope="module")
def address():
    """The site over HTTP on this machine."""
    with served(site()) as where:
        yield where


def sample() -> list[str]:
    """The pages looked at one by one: all but the API pages, of which a few stand for the rest."""
    names = [name(page) for page in pages()]
    api = [n for n in names if "/api/rnncourse" in n]
    few = {n for n in api if n.endswith(("functional.lstm.html", "cells.lstm.html", "training.loop.html"))}
    return [n for n in names if n not in api] + sorted(few | {max(api, key=len)})


def visit(browser, size, theme, url):
    """Open a page; returns it with what it asked of other hosts and what it complained of."""
    context = browser.new_context(viewport={"width": size[0], "height": size[1]}, color_scheme=theme)
    page = context.new_page()
    strangers, complaints = [], []

    def guard(route):
        target = urlsplit(route.request.url)
        if target.scheme in {"file", "data", "blob"} or target.hostname == "127.0.0.1":
            route.continue_()
        else:
            strangers.append(route.request.url)
            route.abort()

    page.route("**/*", guard)
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(url, wait_until="load")
    return page, strangers, complaints


@pytest.mark.browser
@pytest.mark.slow
def test_pages_load_nothing_from_other_hosts_and_do_not_complain(browser, address):
    found = {}
    for path in [*sample(), "index.html", "search.html", "genindex.html"]:
        page, strangers, complaints = visit(browser, WIDE, "light", f"{address}/{path}")
        if strangers or complaints:
            found[path] = (strangers, complaints)
        page.context.close()
    assert found == {}


@pytest.mark.browser
@pytest.mark.slow
def test_pages_work_from_the_disk(browser):
    found = {}
    for path in sample():
        page, strangers, complaints = visit(browser, WIDE, "dark", (site() / path).as_uri())
        styled = page.evaluate("getComputedStyle(document.body).backgroundColor")
        if strangers or complaints or styled in {"rgba(0, 0, 0, 0)", "rgb(255, 255, 255)"}:
            found[path] = (strangers, complaints, styled)
        page.context.close()
    assert found == {}


@pytest.mark.browser
def test_a_stranger_and_a_complaint_are_seen(browser, tmp_path):
    bad = tmp_path / "bad.html"
    bad.write_text('<img src="https://example.org/x.png" alt=""><script>nonsense()</script>', encoding="utf-8")
    page, strangers, complaints = visit(browser, WIDE, "light", bad.as_uri())
    page.context.close()
    assert strangers == ["https://example.org/x.png"]
    assert any("nonsense" in text for text in complaints)


WIDER = """() => {
  const over = document.documentElement.scrollWidth - window.innerWidth;
  if (over <= 0) return null;
  const clipped = e => { while (e = e.parentElement) if (getComputedStyle(e).overflowX !== 'visible') return true; };
  const all = [...document.querySelectorAll('article *')];
  const guilty = all.filter(e => e.getBoundingClientRect().right > innerWidth + 1 && !clipped(e));
  return [over, guilty.slice(0, 3).map(e => e.outerHTML.slice(0, 120))];
}"""


@pytest.mark.browser
@pytest.mark.slow
def test_no_page_scrolls_sideways_on_a_phone(browser, address):
    found = {}
    for path in sample():
        page, *_ = visit(browser, NARROW, "light", f"{address}/{path}")
        said = page.evaluate(WIDER)
        if said:
            found[path] = said
        page.context.close()
    assert found == {}


CUT = """() => [...document.querySelectorAll('.cell_input pre, .highlight-python pre')]
  .filter(code => code.scrollWidth > code.clientWidth + 1).map(code => code.textContent.slice(0, 80))"""


@pytest.mark.browser
def test_no_line_of_code_is_cut(browser, address):
    chapters = [name(page) for page in pages() if re.match(r"\d\d_", page.name)]
    for size in (WIDE, NARROW):
        for path in chapters:
            page, *_ = visit(browser, size, "light", f"{address}/{path}")
            assert page.locator(".cell_input pre").count()
            assert page.evaluate(CUT) == [], (path, size)
            page.context.close()


@pytest.mark.browser
@pytest.mark.slow
@pytest.mark.parametrize(
    ("size", "theme"),
    [(WIDE, "light"), (WIDE, "dark"), (NARROW, "light")],
    ids=["wide, light", "wide, dark", "phone, light"],
)
def test_pages_are_accessible(browser, address, theme, size):
    from axe_playwright_python.sync_playwright import Axe

    found = {}
    for path in sample():
        page, *_ = visit(browser, size, theme, f"{address}/{path}")
        report = Axe().run(page, options={"resultTypes": ["violations"]}).response
        if report["violations"]:
            found[path] = [
                (v["id"], v["impact"], [n["html"][:120] for n in v["nodes"]][:3]) for v in report["violations"]
            ]
        page.context.close()
    assert found == {}


@pytest.mark.browser
def test_axe_sees_a_fault(browser, tmp_path):
    from axe_playwright_python.sync_playwright import Axe

    bad = tmp_path / "bad.html"
    bad.write_text(
        "<!doctype html><html><body><main><h1>x</h1><img src='x.png'></main></body></html>", encoding="utf-8"
    )
    page, *_ = visit(browser, WIDE, "light", bad.as_uri())
    found = {violation["id"] for violation in Axe().run(page).response["violations"]}
    page.context.close()
    assert {"image-alt", "html-has-lang"} <= found


@pytest.mark.browser
def test_search_finds_the_forget_gate_from_the_disk(browser):
    page, *_ = visit(browser, WIDE, "light", (site() / "search.html").as_uri() + "?q=recurrent")
    page.wait_for_selector("#search-results li a", timeout=30_000)
    assert page.locator("#search-results li a").count() >= 1
    page.context.close()


@pytest.mark.browser
def test_the_reader_can_switch_to_the_dark(browser, address):
    page, *_ = visit(browser, WIDE, "light", f"{address}/book/index.html")
    before = page.evaluate("getComputedStyle(document.body).backgroundColor")
    for _ in range(3):
        if page.evaluate("document.documentElement.dataset.theme") == "dark":
            break
        page.locator("button.theme-switch-button").first.click()
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") != before
    page.context.close()
