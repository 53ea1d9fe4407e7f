"""The printed book: one document, nothing folded or cut, links that stay inside, the quiz's answers at the end."""

import re

import pytest
from bs4 import BeautifulSoup

from book._ext import pdf
from tests.house import chromium, site

pytestmark = pytest.mark.site


@pytest.fixture(scope="module")
def book():
    """Two chapters and the notation, joined."""
    site()
    names = [*pdf.chapters()[:2], "notation"]
    return names, BeautifulSoup(pdf.joined(names), "html.parser")


def test_names_are_unique_and_every_link_inside_leads_somewhere(book):
    _, page = book
    names = [tag["id"] for tag in page.find_all(id=True)]
    assert len(names) == len(set(names))
    lost = [link["href"] for link in page.find_all("a", href=True) if link["href"].startswith("#")]
    assert [target for target in lost if target[1:] not in set(names)] == []
    rest = {link["href"] for link in page.find_all("a", href=True) if not link["href"].startswith("#")}
    assert [target for target in rest if not re.match(r"https?:|mailto:", target)] == []


def test_nothing_is_folded_and_the_answers_stand_at_the_end(book):
    names, page = book
    assert [folded for folded in page.find_all("details") if not folded.has_attr("open")] == []
    last = page.find_all("article")[-1]
    assert last.find("h1").get_text() == "Answers to the quizzes"
    assert len(last.find_all("h2")) == len([name for name in names if name[0].isdigit()])
    assert page.find("script") is None


def test_an_unknown_chapter_is_refused_with_the_known_ones():
    site()
    with pytest.raises(SystemExit, match="no page '99_nothing'.*01_"):
        pdf.article("99_nothing")


def test_a_chapter_prints(tmp_path, monkeypatch):
    site()
    monkeypatch.setenv("CHROMIUM", chromium())
    assert pdf.print_pages(pdf.chapters()[:1], tmp_path / "one.pdf") == 0
    printed = (tmp_path / "one.pdf").read_bytes()
    assert printed.startswith(b"%PDF-")
    assert len(re.findall(rb"/Type\s*/Page\b", printed)) > 10
    assert not (site() / "book" / "print.html").exists()
