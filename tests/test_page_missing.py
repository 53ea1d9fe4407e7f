"""The page for an address that leads nowhere: styled and leading home from any depth, in a subfolder, from the disk."""

import sys

import pytest
from jinja2 import Environment, FileSystemLoader

from tests.browsing import NARROW, WIDE, Visit, browser  # noqa: F401 - browser is a fixture
from tests.house import ROOT
from tests.pages import served

sys.path.insert(0, str(ROOT / "book" / "_ext"))
pytestmark = [pytest.mark.site, pytest.mark.browser]


def missing(site: str) -> str:
    """The page as the build writes it."""
    template = Environment(loader=FileSystemLoader(ROOT / "book" / "_ext" / "templates"), autoescape=True)
    chapters = [(5, "book/05_lstm.html", "LSTM: a memory behind gates")]
    return template.get_template("404.html").render(project="A course", site=site, chapters=chapters)


@pytest.fixture(params=["known", "found"])
def folder(tmp_path, request):
    """A server's folder with a site in a subfolder that does, or does not, know its own address."""
    from course import notfound

    inside = tmp_path / "rnncourse"
    (inside / "book").mkdir(parents=True)
    for name in ("book/index.html", "book/05_lstm.html", "search.html", "objects.inv"):
        (inside / name).write_text(f"<title>{name}</title>", encoding="utf-8")
    text = missing(notfound.root("https://example.org/rnncourse/") if request.param == "known" else notfound.root(""))
    for place in (tmp_path, inside):  # the server answers from its top, the disk from beside the site
        (place / "404.html").write_text(text, encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize("lost", ["book/nothing.html", "a/b/c/nothing.html", "nothing.html", "book/api/x/"])
def test_every_link_leads_into_the_subfolder(browser, folder, lost):  # noqa: F811
    with served(folder) as address:
        visit = Visit(browser, WIDE, "light", f"{address}/rnncourse/{lost}")
        page = visit.tab
        page.wait_for_function("document.querySelector('a.first').href.includes('/rnncourse/book/index.html')")
        for link, title in (("a.first", "book/index.html"), ("ol a", "book/05_lstm.html")):
            page.click(link)
            page.wait_for_load_state()
            assert page.title() == title
            page.go_back()
            page.wait_for_function("document.querySelector('a.first').href.includes('/rnncourse/book/index.html')")
        page.fill("input", "gate")
        page.click("button")
        page.wait_for_url(f"{address}/rnncourse/search.html?q=gate")
        assert visit.strangers == []
        visit.context.close()


def test_it_leads_home_from_the_disk(browser, folder):  # noqa: F811
    beside = folder / "rnncourse" / "404.html"
    beside.write_text(missing(""), encoding="utf-8")
    with Visit(browser, WIDE, "dark", beside.as_uri()) as visit:
        visit.tab.click("a.first")
        visit.tab.wait_for_load_state()
        assert visit.tab.title() == "book/index.html"
        assert (visit.strangers, visit.complaints) == ([], [])


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("size", [WIDE, NARROW])
def test_it_carries_its_own_style_and_is_accessible(browser, tmp_path, theme, size):  # noqa: F811
    (tmp_path / "404.html").write_text(missing(""), encoding="utf-8")
    with Visit(browser, size, theme, (tmp_path / "404.html").as_uri()) as visit:
        paper = visit.tab.evaluate("getComputedStyle(document.body).backgroundColor")
        assert paper == ("rgb(253, 252, 249)" if theme == "light" else "rgb(20, 24, 30)")
        assert visit.tab.evaluate("document.documentElement.scrollWidth") <= size[0]
        assert visit.barriers == []


def test_the_site_has_it_with_every_chapter():
    from tests.house import site

    text = (site() / "404.html").read_text(encoding="utf-8")
    for chapter in sorted(site().glob("book/[0-9][0-9]_*.html")):
        assert f'href="book/{chapter.name}"' in text
    assert "_static" not in text.split("<script>")[0]
