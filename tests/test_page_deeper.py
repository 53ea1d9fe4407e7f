"""Deeper pages on the website: listed below their chapter, numbered 5A, 5B, with a reading time that is computed."""

import re

import pytest

from rnncourse.notebooks import write
from tests.pages import build_page
from tests.test_notebooks import notebook

pytestmark = pytest.mark.site

CONF = """
extensions = ["myst_parser", "sphinx_external_toc"]
myst_enable_extensions = ["dollarmath"]
html_theme = "basic"
numfig = math_numfig = True
math_eqref_format = "({number})"
exclude_patterns = ["out"]
suppress_warnings = ["etoc.glob", "etoc.toctree"]

def setup(app):
    from course import minutes, numbers
    minutes.connect(app)
    numbers.connect(app)
"""
TOC = """format: jb-book
root: index
parts:
  - caption: Gates
    numbered: true
    chapters:
      - glob: "book/05_*"
      - glob: "book/deeper/05_*"
      - glob: "book/06_*"
"""
INDEX = (
    "# Course\n\nA quarter of an hour: {minutes}`05_long`, and {minutes}`05_aside`. {eq}`one` {eq}`two` {eq}`three`\n"
)


def test_pages_are_numbered_and_their_minutes_counted(tmp_path):
    (tmp_path / "book" / "deeper").mkdir(parents=True)
    (tmp_path / "_toc.yml").write_text(TOC, encoding="utf-8")
    pages = {"book/05_gate": "one", "book/deeper/05_aside": "two", "book/06_other": "three"}
    for name, label in pages.items():
        (tmp_path / f"{name}.md").write_text(f"# {label}\n\n$$\na = b\n$$ ({label})\n", encoding="utf-8")
    write(tmp_path / "book" / "05_long.ipynb", notebook("# Long\n\n" + "word " * 1600))
    write(tmp_path / "book" / "deeper" / "05_aside.ipynb", notebook("# Aside"))
    page, said = build_page(tmp_path, CONF, INDEX)
    assert said == ""
    text = page.read_text(encoding="utf-8")
    assert "15 minutes, and 5 minutes" in text
    assert re.findall(r">\((\d[\dA-Z.]*)\)<", text) == ["5.1", "5A.1", "6.1"]
    chapter = (page.parent / "book" / "05_gate.html").read_text(encoding="utf-8")
    assert re.search(r'rel="next"[^>]* href="deeper/05_aside\.html"', chapter)  # below its chapter, before the next one


def test_minutes_of_an_unknown_page_are_an_error(tmp_path):
    (tmp_path / "_toc.yml").write_text("format: jb-book\nroot: index\n", encoding="utf-8")
    _, said = build_page(tmp_path, CONF, "# Course\n\n{minutes}`05_nothing`\n")
    assert "there is no page '05_nothing' whose reading takes minutes" in said
