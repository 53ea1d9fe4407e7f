"""Every page of the site in a browser: it asks nobody else, keeps its budget, stands still, fits and is accessible.

A page is opened three times: wide and light, on a phone, and dark from the disk; each opening serves several tests.
"""

import re

import pytest

from tests.browsing import (  # noqa: F401 - browser and address are fixtures
    NARROW,
    WIDE,
    Visit,
    address,
    browser,
    is_notebook,
    opened,
    sample,
    violations,
)
from tests.house import site

pytestmark = [pytest.mark.site, pytest.mark.browser, pytest.mark.slow]

wide = opened(WIDE, "light", until="networkidle")
phone = opened(NARROW, "light", until="networkidle")
dark = opened(WIDE, "dark", disk=True)

# As files lie on the disk; a server that compresses sends a quarter. Half is the theme's style and the page itself.
REQUESTS, KILOBYTES = 46, 1750
SHIFT = 0.1  # the most that is called good (web.dev, "Cumulative Layout Shift"); what pages have is nearer to 0.001

WIDER = """() => {
  const over = document.documentElement.scrollWidth - window.innerWidth;
  if (over <= 0) return null;
  const clipped = e => { while (e = e.parentElement) if (getComputedStyle(e).overflowX !== 'visible') return true; };
  const all = [...document.querySelectorAll('article *')];
  const guilty = all.filter(e => e.getBoundingClientRect().right > innerWidth + 1 && !clipped(e));
  return [over, guilty.slice(0, 3).map(e => e.outerHTML.slice(0, 120))];
}"""


def with_all_open(look: str) -> str:
    """A script that looks at what is folded or waits for a prediction, too, and leaves all as it was undrawn."""
    return """(given) => {
  const folded = [...document.querySelectorAll('article details:not([open])')];
  const waiting = [...document.querySelectorAll('.predicted:not(.seen), .told:not(.seen)')];
  folded.forEach(one => { one.open = true; });
  waiting.forEach(one => one.classList.add('seen'));
  const found = (LOOK)(given);
  folded.forEach(one => { one.open = false; });
  waiting.forEach(one => one.classList.remove('seen'));
  return found;
}""".replace("LOOK", look)


CUT = with_all_open("""(boxes) => [...document.querySelectorAll(boxes)]
  .filter(one => one.scrollWidth > one.clientWidth + 1)
  .map(one => one.textContent.trim().slice(0, 80))""")
FIRST_IN_LINE = """() => [...document.querySelectorAll('article span.math')].flatMap(formula => {
  const next = formula.nextSibling;
  if (next?.nodeType !== Node.TEXT_NODE || !/^[.,;:!?)]/.test(next.data)) return [];
  const mark = document.createRange();
  mark.setStart(next, 0);
  mark.setEnd(next, 1);
  const end = [...formula.querySelectorAll('.base')].at(-1) ?? formula;
  return mark.getBoundingClientRect().left < end.getBoundingClientRect().left ? [formula.textContent + next.data] : [];
})"""
# What is in sight below a prediction before its button is used, and predictions above a cell that have no button.
TOLD = """() => [...document.querySelectorAll('.admonition.predict')].flatMap(box => {
  const found = [];
  let cells = 0, buttons = 0;
  for (let node = box.nextElementSibling; node && !node.matches('section, .predict'); node = node.nextElementSibling) {
    cells += node.matches('.cell');
    buttons += node.querySelectorAll('.reveal button').length;
    const told = node.matches('.cell') ? node.querySelector('.cell_output') : node;
    if (cells && told?.offsetHeight) found.push(told.textContent.trim().slice(0, 60));
  }
  return cells && buttons !== 1 ? [...found, `${buttons} buttons`] : found;
})"""
# Formulas side by side that do not fit, though each of them would.
SIDE_BY_SIDE = """() => [...document.querySelectorAll('.formulas')].filter(one => {
  const room = one.parentElement.clientWidth + 1;
  return one.scrollWidth > room && [...one.children].every(part => part.offsetWidth <= room);
}).map(one => one.textContent.slice(0, 60))"""
# Lines of code and of printed words that do not begin in the column in which they are written.
SHIFTED = with_all_open("""() => [...document.querySelectorAll('article div.highlight pre')].flatMap(pre => {
  const walker = document.createTreeWalker(pre, NodeFilter.SHOW_TEXT);
  const starts = [];  // the first mark of each line: its node, its place in it, its column
  let column = 0, begun = false;
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    [...node.data].forEach((mark, place) => {
      if (mark === '\\n') { column = 0; begun = false; return; }
      if (!begun && mark !== ' ') { starts.push([node, place, column]); begun = true; }
      column += 1;
    });
  }
  const lefts = starts.map(([node, place]) => {
    const range = document.createRange();
    range.setStart(node, place);
    range.setEnd(node, place + 1);
    return range.getBoundingClientRect();
  });
  const flush = starts.findIndex(([, , column]) => column === 0);
  if (flush < 0 || !lefts[flush].width) return [];
  const wide = lefts[flush].width;
  return starts.filter(([, , column], k) => Math.abs(lefts[k].left - lefts[flush].left - column * wide) > wide / 2)
    .map(([node]) => node.parentNode.parentNode.textContent.trim().slice(0, 60));
})""")
CODE = ".cell_input pre, .highlight-python pre"
BOXES = "article pre, article div.wide, article div.math"  # what scrolls where it is too wide


def cut_code(visit) -> list[str]:
    """Lines of code that are not seen whole; a notebook's page has code."""
    assert visit.tab.locator(".cell_input pre").count() or not is_notebook(visit.url)
    return visit.tab.evaluate(CUT, CODE)


def test_there_are_pages_to_look_at():
    site()
    assert len(sample()) > 30


# --- wide ---------------------------------------------------------------------------------------------------------


def test_a_page_asks_no_other_host_and_does_not_complain(wide):
    assert (wide.strangers, wide.complaints) == ([], [])


def test_a_page_keeps_its_budget(wide):
    assert [url for url in wide.loaded if re.search(r"searchindex|searchtools|fontawesome", url)] == []
    assert len(wide.loaded) <= REQUESTS
    assert sum(wide.loaded.values()) <= KILOBYTES


def test_no_line_of_code_is_cut(wide):
    assert cut_code(wide) == []


def test_each_line_of_code_begins_in_its_column(wide):
    assert wide.tab.evaluate(SHIFTED) == []


def test_no_output_table_or_formula_is_cut(wide):
    assert wide.tab.evaluate(CUT, BOXES) == []


def test_no_line_begins_with_the_comma_after_a_formula(wide):
    assert wide.tab.evaluate(FIRST_IN_LINE) == []


def test_nothing_is_told_before_the_reader_predicts(wide):
    assert wide.tab.evaluate(TOLD) == []


def test_a_page_does_not_move_while_it_loads_or_is_read(wide):
    assert wide.moved < SHIFT


def test_a_page_is_accessible(wide):
    assert wide.barriers == []


# --- on a phone ---------------------------------------------------------------------------------------------------


def test_a_page_does_not_scroll_sideways_on_a_phone(phone):
    assert phone.tab.evaluate(WIDER) is None


def test_no_line_of_code_is_cut_on_a_phone(phone):
    assert cut_code(phone) == []


def test_each_line_of_code_begins_in_its_column_on_a_phone(phone):
    assert phone.tab.evaluate(SHIFTED) == []


def test_no_line_begins_with_the_comma_after_a_formula_on_a_phone(phone):
    assert phone.tab.evaluate(FIRST_IN_LINE) == []


def test_formulas_side_by_side_stand_below_each_other_on_a_phone(phone):
    assert phone.tab.locator(".formulas").count() or "01_feedforward" not in phone.url
    assert phone.tab.evaluate(SIDE_BY_SIDE) == []


def test_a_page_does_not_move_on_a_phone(phone):
    assert phone.moved < SHIFT


def test_a_page_is_accessible_on_a_phone(phone):
    assert phone.barriers == []


# --- dark, from the disk ------------------------------------------------------------------------------------------


def test_a_page_works_from_the_disk(dark):
    assert (dark.strangers, dark.complaints) == ([], [])
    paper = dark.tab.evaluate("getComputedStyle(document.body).backgroundColor")
    assert paper not in {"rgba(0, 0, 0, 0)", "rgb(255, 255, 255)"}


def test_a_page_is_accessible_in_the_dark(dark):
    assert dark.tab.evaluate("document.documentElement.dataset.theme") == "dark"
    assert dark.barriers == []


# --- beside the pages of the book ---------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["index.html", "search.html", "genindex.html"])
def test_what_is_no_page_of_the_book_asks_no_other_host_either(browser, address, path):  # noqa: F811
    with Visit(browser, WIDE, "light", f"{address}/{path}") as page:
        assert (page.strangers, page.complaints) == ([], [])


def test_search_finds_a_word_from_the_disk(browser):  # noqa: F811
    with Visit(browser, WIDE, "light", (site() / "search.html").as_uri() + "?q=recurrent") as page:
        page.tab.wait_for_selector("#search-results li a", timeout=30_000)
        assert page.tab.locator("#search-results li a").count() >= 1


def test_the_reader_can_switch_to_the_dark(browser, address):  # noqa: F811
    with Visit(browser, WIDE, "light", f"{address}/book/index.html") as page:
        before = page.tab.evaluate("getComputedStyle(document.body).backgroundColor")
        for _ in range(3):
            if page.tab.evaluate("document.documentElement.dataset.theme") == "dark":
                break
            page.tab.locator("button.theme-switch-button").first.click()
        assert page.tab.evaluate("document.documentElement.dataset.theme") == "dark"
        assert page.tab.evaluate("getComputedStyle(document.body).backgroundColor") != before


# --- what these tests see -----------------------------------------------------------------------------------------


def made(folder, html: str) -> str:
    """A page of this text, and its address on the disk."""
    (folder / "x.html").write_text(html, encoding="utf-8")
    return (folder / "x.html").as_uri()


def test_a_stranger_and_a_complaint_are_seen(browser, tmp_path):  # noqa: F811
    bad = made(tmp_path, '<img src="https://example.org/x.png" alt=""><script>nonsense()</script>')
    with Visit(browser, WIDE, "light", bad) as page:
        assert page.strangers == ["https://example.org/x.png"]
        assert any("nonsense" in text for text in page.complaints)
        assert any("ERR_NAME_NOT_RESOLVED" in text for text in page.complaints)  # it was asked for, and not reached


def test_the_observer_sees_what_moves(browser, tmp_path):  # noqa: F811
    grows = "<div id=a></div><p>text</p><script>setTimeout(() => a.style.height = '400px', 200)</script>"
    with Visit(browser, WIDE, "light", made(tmp_path, f"<!doctype html><body>{grows}")) as page:
        page.tab.wait_for_function("a.style.height === '400px'")
        assert page.moved > 0.01


def test_what_is_cut_and_what_is_too_wide_are_seen(browser, tmp_path):  # noqa: F811
    long = "<div class=cell_input><pre style='overflow: auto; white-space: pre'>" + "word " * 100 + "</pre></div>"
    table = "<article><details><div class=wide style='overflow: auto'><b style='white-space: nowrap'>" + "row " * 100
    with Visit(browser, NARROW, "light", made(tmp_path, f"<!doctype html><body>{long}{table}")) as page:
        assert page.tab.evaluate(CUT, CODE) == [("word " * 100)[:80]]
        assert page.tab.evaluate(CUT, BOXES) == [("row " * 100)[:80]]
    with Visit(browser, NARROW, "light", made(tmp_path, "<article><p style='width: 2000px'>wide</article>")) as page:
        assert page.tab.evaluate(WIDER)[1]


FAULTS = """<!doctype html><html><body style="background: #fff"><main><h1>x</h1><img src="x.png">
<p style="color: #999">pale</p> <p style="color: rgb(0 0 0 / 30%)">thin</p> <p style="color: rebeccapurple">well</p>
<div style="background: #123"><p style="color: #345">dark</p><p style="color: white; opacity: 0.4">faint</p></div>
<div style="background: rgb(0 0 0 / 60%)"><div style="background: hsl(40 90% 60% / 50%)"><p>layers</p></div></div>
<p style="color: color-mix(in srgb, black 40%, white)">mixed</p></main></body></html>"""


def test_axe_sees_faults_and_as_many_when_it_remembers_colours(browser, tmp_path):  # noqa: F811
    seen = []
    for remember in (False, True):
        with Visit(browser, WIDE, "light", made(tmp_path, FAULTS)) as page:
            seen.append(violations(page.tab, remember))
    assert seen[0] == seen[1]
    assert {"image-alt", "html-has-lang", "color-contrast"} <= {rule for rule, *_ in seen[0]}
