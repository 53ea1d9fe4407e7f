"""A page is as long as it may be, and says how long it takes from what it is: nobody types a reading time."""

import re
from pathlib import Path

import pytest

from rnncourse.notebooks import Length, chapters, course_root, deeper_pages, length, page_number, read
from rnncourse.notebooks.length import MOST_LINES, MOST_WORDS
from tests.test_notebooks import notebook

ROOT = course_root()
CHAPTERS = [ROOT / "book" / f"{stem}.ipynb" for stem in chapters(ROOT).values()]
DEEPER = [ROOT / "book" / "deeper" / f"{stem}.ipynb" for stem in deeper_pages(ROOT)]
TYPED = re.compile(r"\b(?:\d+|[a-z]+ty(?:-[a-z]+)?|[a-z]+teen|ten|five|an hour)\s+minutes?\s+to\s+read", re.IGNORECASE)

# Chapters whose second edition is not written yet; the list only ever gets shorter.
NOT_YET_SHORT: set[str] = set()


def text(path: Path) -> str:
    return "\n".join(cell.source for cell in read(path).cells if cell.cell_type == "markdown")


@pytest.mark.parametrize("path", [*CHAPTERS, *DEEPER], ids=lambda path: path.stem)
def test_a_page_is_no_longer_than_it_may_be(path):
    found = length(read(path))
    allowed = found.words <= MOST_WORDS and found.lines <= MOST_LINES
    if path in CHAPTERS and path.stem[:2] in NOT_YET_SHORT:
        assert not allowed, f"{path.stem} is short enough now: take it off the list"
    else:
        assert allowed, found


@pytest.mark.parametrize("path", [*CHAPTERS, *DEEPER], ids=lambda path: path.stem)
def test_the_reading_time_is_computed_and_not_typed(path):
    if path in CHAPTERS and path.stem[:2] in NOT_YET_SHORT:
        return
    said = text(path)
    assert f"{{minutes}}`{path.stem}`" in said
    assert TYPED.findall(said) == []


@pytest.mark.parametrize("path", DEEPER, ids=lambda path: path.stem)
def test_a_deeper_page_and_its_chapter_lead_to_each_other(path):
    (chapter,) = (one for one in CHAPTERS if one.stem[:2] == path.stem[:2])
    assert re.search(rf"\{{doc\}}`[^`]*\b{chapter.stem}\b", text(path)), f"lead back to {chapter.stem}"
    assert re.search(rf"\{{doc\}}`[^`]*\bdeeper/{path.stem}\b", text(chapter)), f"{chapter.stem} does not mention it"


def test_what_is_typed_is_seen():
    for said in ("About 45 minutes to read", "about forty-five minutes\nto read", "Ten minutes to read"):
        assert TYPED.search(said), said
    assert not TYPED.search("{minutes}`05_lstm` to read, 80 seconds to run")


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("Four words stand here.", 4),
        ("A $h_t = \\tanh(a + b)$ counts once", 4),
        ("Above\n\n$$\na + b \\\\\nc\n$$ (label)\n\nbelow", 4),
        ("See {doc}`chapter 5 <05_lstm>` or {eq}`cell`", 5),
        ("[two words](https://example.org/a/b) — and one", 4),
        (":::{admonition} A title\n:class: learn\nOne\n:::", 3),
        ("(label)=\n## Heading\n\n% a remark", 1),
        ("```{figure} x.svg\n:alt: three more words\nOne caption\n```", 3),
    ],
)
def test_words_are_counted_as_they_are_read(source, words):
    assert length(notebook(f"md:{source}")).words == words


def test_lines_are_those_that_a_reader_sees():
    seen = notebook("x = 1\n\n# a remark\ny = 2", "z = " + "1 + " * 30 + "1")
    assert length(seen).lines == 3 + 2
    for tag in ("hide-input", "hide-cell", "remove-input", "remove-cell"):
        hidden = notebook("x = 1")
        hidden.cells[0].metadata["tags"] = [tag]
        assert length(hidden).lines == 0


def test_a_caption_is_read_and_an_alternative_text_is_not():
    page = notebook("x = 1")
    page.cells[0].metadata["mystnb"] = {"figure": {"caption": "Two words."}, "image": {"alt": "Three more words."}}
    assert length(page) == Length(words=2, lines=1)


def test_deeper_pages_are_counted_by_letters():
    pages = ["06_blend", "05_peepholes", "05_denormals"]
    assert [page_number(stem, pages) for stem in ("05_lstm", *sorted(pages))] == ["5", "5A", "5B", "6A"]
