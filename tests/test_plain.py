"""The plain edition: nothing raw survives, no code changes, every number stands, every link leads somewhere."""

import copy
import posixpath
import re
from functools import cache
from pathlib import Path

import pytest

from rnncourse.notebooks import has_tag, notebook_files, page_number, read, write
from rnncourse.notebooks.colab import COLAB_TAG
from rnncourse.notebooks.files import DEEPER, deeper_pages
from rnncourse.notebooks.plain import NoPlainForm, learners_course, plain_notebook, read_book, write_edition
from rnncourse.notebooks.plain.links import Links
from rnncourse.notebooks.plain.numbers import glued
from rnncourse.notebooks.plain.page import Page
from rnncourse.notebooks.plain.text import plain_text
from tests.house import ROOT
from tests.test_notebooks import notebook

SOURCES = notebook_files(ROOT, ("book", DEEPER, "exercises", "solutions"))
named = pytest.mark.parametrize("path", SOURCES, ids=lambda path: f"{path.parent.name}/{path.stem}")
CODE = re.compile(r"^(`{3,})[^`{].*?^\1`*$|(`+)(?!`).+?(?<!`)\2(?!`)", re.MULTILINE | re.DOTALL)
GLUE = re.compile(
    r"(?P<before>[^`{}\[\]\n$]{0,12})\{glue:?(?:text|any)?\}`(?P<named>[^`]+)`(?P<after>[^`{}\[\]\n$]{0,12})"
)
LINK = re.compile(r"\]\((?P<file>[^)#\s]*)(?:#(?P<anchor>[^)\s]+))?\)")


@cache
def book():
    return read_book(ROOT)


@cache
def plain(path: Path):
    return plain_notebook(read(path), path.stem, book(), folder=folder_of(path), root=ROOT)


def folder_of(path: Path) -> str:
    return {"book": "chapters", "deeper": "chapters/deeper"}.get(path.parent.name, "exercises")


def texts(one) -> list[str]:
    return [cell.source for cell in one.cells if cell.cell_type == "markdown"]


def code(one) -> list[tuple]:
    cells = [cell for cell in one.cells if cell.cell_type == "code" and not has_tag(cell, COLAB_TAG)]
    return [(cell.source, cell.execution_count, cell.outputs, cell.metadata.get("tags")) for cell in cells]


def raw(text: str) -> list[str]:
    """What only MyST understands: found by the website's own parser, and by its look outside of code."""
    from markdown_it.renderer import RendererHTML
    from myst_parser.config.main import MdParserConfig
    from myst_parser.parsers.mdit import create_md_parser

    extensions = {"amsmath", "attrs_block", "attrs_inline", "colon_fence", "deflist", "dollarmath", "fieldlist"}
    parser = create_md_parser(MdParserConfig(enable_extensions=extensions | {"substitution"}), RendererHTML)
    only_myst = {"myst_role", "myst_target", "myst_line_comment", "myst_block_break", "math_block_label", "colon_fence"}
    only_myst |= {"amsmath", "dl_open", "field_list_open", "substitution_inline", "substitution_block", "footnote_ref"}
    found = []
    for token in parser.parse(text):
        for each in [token, *(token.children or [])]:
            if each.type in only_myst or (each.type == "fence" and each.info.startswith("{")):
                found.append(f"{each.type}: {each.info}{each.content[:60]}")
    look = CODE.sub("", text)
    return found + re.findall(r"\{[a-z:+-]+\}`[^`]*`|^ *:{3,}.*$|^\([\w-]+\)=$|^\$\$ *\([\w-]+\)$", look, re.MULTILINE)


# --- the notebooks of the course ----------------------------------------------------------------------------------


@named
def test_no_role_or_directive_survives(path):
    assert [found for text in texts(plain(path)) for found in raw(text)] == []


def test_the_test_above_sees_what_is_raw():
    for text in (
        "past {glue:text}`02-best` characters", ":::{note}\nx\n:::", "```{dropdown} Answer\nx\n```", "(here)=\n# T",
        "$$\na\n$$ (label)", "\\begin{align}\na\n\\end{align}", "a[^1]\n\n[^1]: b", "% hidden", "{cite:p}`elman`",
    ):  # fmt: skip
        assert raw(text), text
    assert raw("`{note}` is code, $$a$$ a formula, and [a](b.ipynb#c) a link\n\n```python\nx = {y}\n```") == []


@named
def test_code_and_outputs_are_the_sources(path):
    assert code(plain(path)) == code(read(path))
    assert len({cell.id for cell in plain(path).cells}) == len(plain(path).cells)


@named
def test_every_number_stands_where_its_name_stood(path):
    from myst_nb.core.variables import format_plain_text

    source, whole = read(path), "\n".join(texts(plain(path)))
    stored = glued(source)
    for found in GLUE.finditer("\n".join(texts(source))):
        name, _, form = found["named"].rpartition(":") if ":" in found["named"] else (found["named"], "", "s")
        value = format_plain_text(stored[name], form)
        assert f"{found['before']}{value}{found['after']}" in whole, found["named"]
    assert "{glue" not in CODE.sub("", whole)


def anchors(one) -> set[str]:
    return set(re.findall(r'<a id="([^"]+)"></a>', "\n".join(texts(one))))


@named
def test_every_link_leads_to_a_notebook_and_to_a_place_in_it(path):
    by_place = {f"{folder_of(source)}/{source.name}": source for source in SOURCES if source.parent.name != "solutions"}
    by_place[f"{folder_of(path)}/{path.name}"] = path
    for text in texts(plain(path)):
        for found in LINK.finditer(CODE.sub("", text)):
            file, anchor = found["file"], found["anchor"]
            if file.startswith(("https://", "http://", "attachment:")):
                continue
            place = (Path("/") / folder_of(path) / (file or path.name)).parts
            target = posixpath.normpath("/".join(place[1:]))
            assert target in by_place, found[0]
            assert anchor is None or anchor in anchors(plain(by_place[target])), found[0]


@pytest.mark.parametrize("path", notebook_files(ROOT, ("book", DEEPER)), ids=lambda path: path.stem)
def test_labelled_equations_are_numbered_through_and_pictures_have_captions(path):
    whole = "\n".join(texts(plain(path)))
    labels = [place.called for place in book().equations.values() if place.stem == path.stem]
    assert re.findall(r"\\tag\{([\dA-Z.]+)\}", whole) == labels
    number = page_number(path.stem, deeper_pages(ROOT))
    assert labels == [f"{number}.{n}" for n in range(1, len(labels) + 1)]
    pictures = [c for c in read(path).cells if any("image/png" in o.get("data", {}) for o in c.get("outputs", []))]
    assert len(re.findall(r"^\*Figure \d+[A-Z]?\.\d+\.\* \w", whole, re.MULTILINE)) == len(pictures)


@named
def test_answers_fold_away(path):
    source, whole = "\n".join(texts(read(path))), "\n".join(texts(plain(path)))
    assert (
        whole.count("<details>") == whole.count("</details>") == source.count("{dropdown}") + source.count("<details>")
    )


@pytest.mark.slow
def test_the_plain_edition_runs_from_top_to_bottom(tmp_path, monkeypatch):
    """One chapter; the others have the same code cells as the chapters that are run and compared cell by cell."""
    from rnncourse.notebooks.runs import run_notebook

    path = tmp_path / "03_backpropagation_through_time.ipynb"
    write(path, plain(ROOT / "book" / path.name))
    monkeypatch.chdir(tmp_path)
    ran = read(run_notebook(path, "smoke", {}, tmp_path / "runs", progress_bar=False))
    counts = [cell.execution_count for cell in ran.cells if cell.cell_type == "code"]
    assert counts == list(range(1, len(counts) + 1))


# --- the edition --------------------------------------------------------------------------------------------------


@pytest.fixture
def small(tmp_path):
    """A course of two chapters and an exercise."""
    root = tmp_path / "course"
    for folder in ("book", "exercises"):
        (root / folder).mkdir(parents=True)
    first = notebook("md:(chapter-01)=\n# One\n\n{doc}`02_two`, {eq}`two` and {doc}`03_later`", "x = 1")
    write(root / "book" / "01_one.ipynb", first)
    write(root / "book" / "02_two.ipynb", notebook("# Two\n\n$$\na = b\n$$ (two)\n\n(aside)=\n## Aside", "y = 2"))
    write(root / "exercises" / "01_one.ipynb", notebook("# Exercises for {doc}`/book/01_one`", "z = 3"))
    return root


def test_links_lead_beside_or_to_the_site(small, tmp_path):
    write_edition(small, tmp_path / "beside")
    first = texts(read(tmp_path / "beside" / "book" / "01_one.ipynb"))[0]
    assert first == "# One\n\n[Two](02_two.ipynb), [(2.1)](02_two.ipynb#eq-two) and chapter 3"
    exercise = texts(read(tmp_path / "beside" / "exercises" / "01_one.ipynb"))[0]
    assert exercise == "# Exercises for [One](../chapters/01_one.ipynb)"
    (small / "_config.yml").write_text("repository: {url: https://github.com/a/b}", encoding="utf-8")
    write_edition(small, tmp_path / "online", online=True)
    alone = read(tmp_path / "online" / "book" / "01_one.ipynb")
    site = "https://a.github.io/b/book/02_two.html"
    assert texts(alone)[0].splitlines()[-1] == f"[Two]({site}), [(2.1)]({site}#equation-two) and chapter 3"
    assert "rnncourse[data,notebooks] @ git+https://github.com/a/b" in alone.cells[1].source


def test_a_deeper_page_lies_below_its_chapter_and_both_lead_to_each_other(small, tmp_path):
    from rnncourse.grading.start import lay_out

    (small / "book" / "deeper").mkdir()
    aside = "# Aside\n\nBack to {doc}`../02_two`, {eq}`two`; {minutes}`02_aside`\n\n$$\na = c\n$$ (three)"
    write(small / "book" / "deeper" / "02_aside.ipynb", notebook(aside, "z = 3"))
    write(small / "book" / "01_one.ipynb", notebook("# One\n\n{doc}`deeper/02_aside`, {eq}`three`", "x = 1"))
    lay_out(tmp_path / "mine", learners_course(small))
    first = texts(read(tmp_path / "mine" / "chapters" / "01_one.ipynb"))[0]
    assert first.endswith("[Aside](deeper/02_aside.ipynb), [(2A.1)](deeper/02_aside.ipynb#eq-three)")
    deeper = texts(read(tmp_path / "mine" / "chapters" / "deeper" / "02_aside.ipynb"))[0]
    assert "[Two](../02_two.ipynb), [(2.1)](../02_two.ipynb#eq-two); 5 minutes" in deeper
    assert r"\tag{2A.1}" in deeper
    (small / "_config.yml").write_text("repository: {url: https://github.com/a/b}", encoding="utf-8")
    write_edition(small, tmp_path / "online", online=True)
    alone = texts(read(tmp_path / "online" / "book" / "01_one.ipynb"))[0]
    assert "(https://a.github.io/b/book/deeper/02_aside.html)" in alone


def test_what_start_lays_out_is_the_plain_edition(small, tmp_path):
    from rnncourse.grading.start import lay_out

    lay_out(tmp_path / "mine", learners_course(small))
    assert "{doc}" not in (tmp_path / "mine" / "chapters" / "01_one.ipynb").read_text(encoding="utf-8")
    assert learners_course(tmp_path / "rnncourse" / "_course") == tmp_path / "rnncourse" / "_course"


def test_a_refusal_says_where(small):
    path = small / "book" / "01_one.ipynb"
    write(path, notebook("# One", "x = 1", "md:See {nonsense}`this`."))
    with pytest.raises(NoPlainForm, match=r"01_one.ipynb, cell 3: the role \{nonsense\} has no plain form"):
        write_edition(small, small / "out")


# --- words, boxes, formulas ---------------------------------------------------------------------------------------


def page(**numbers) -> Page:
    known = copy.copy(book())
    return Page(known, Links("02_vanilla_rnn", "chapters", known.chapters), numbers)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("{glue:text}`gain:.1f` and {glue:text}`unit`", "2.4 and bits"),
        ("{glue:text}`big:,`", "25,600"),
        ("{cite:p}`hochreiter1997long`", "([Hochreiter and Schmidhuber, 1997](https://doi.org/10.1162/neco.1997.9.8.1735))"),
        ("{cite:t}`gers2000recurrent`", "[Gers and Schmidhuber (2000)](#work-gers2000recurrent)"),
        ("{term}`carries <carry>`", "[carries](#word-carry)"),
        ("{py:class}`~rnncourse.bptt.Deep` {py:func}`rnncourse.bptt.backward`", "`Deep` `rnncourse.bptt.backward()`"),
        ("`{doc}` stays, and so does `` {term}`carry` ``", "`{doc}` stays, and so does `` {term}`carry` ``"),
        ("*{term}`carry`* in **{py:mod}`torch`**", "*[carry](#word-carry)* in **`torch`**"),
        ("| a | b |\n|---|---|\n| {term}`carry` | {term}`gate` |",
         "| a | b |\n|---|---|\n| [carry](#word-carry) | [gate](#word-gate) |"),
        ("{term}`backpropagation\nthrough time`", "[backpropagation through time](#word-backpropagation-through-time)"),
        ("[a loop](05_lstm.ipynb) and [](06_gru.md)",
         "[a loop](05_lstm.ipynb) and [GRU and its relatives](06_gru.ipynb)"),
        (":::{note}\nOne `x`.\n\n$$\na\n= b\n$$\n:::", "> **Note**\n>\n> One `x`.\n>\n> $$a = b$$"),
        (":::{admonition} A {term}`gate`\n:class: tip\nText\n:::", "> **A [gate](#word-gate)**\n>\n> Text"),
        ("::::{note}\n:::{dropdown} Why `x`?\nSo.\n:::\n::::",
         "> **Note**\n>\n> <details>\n> <summary><b>Why <code>x</code>?</b></summary>\n>\n> So.\n>\n> </details>"),
        ("- one\n\n  ```{note}\n  Two\n  ```\n- three", "- one\n\n  > **Note**\n  >\n  > Two\n- three"),
        ("\\begin{align}\na &= b \\\\\nc &= d\n\\end{align}",
         "$$\n\\begin{aligned}\na &= b \\\\\nc &= d\n\\end{aligned}\n$$"),
        ("```python\n{term}`carry` in code\n```", "```python\n{term}`carry` in code\n```"),
        ("% a remark\nText\n\n+++\n\nMore", "Text\n\n\n\nMore"),
        ("{.lead}\nText", "Text"),
        ("```{live} gates\nMove $f_t$.\n```", "> **A figure to move, on the course's website**\n>\n> Move $f_t$."),
        ("```{list-table}\n:header-rows: 1\n\n* - a\n  - b\n* - {term}`gate`\n  - d\n```",
         "| a | b |\n|---|---|\n| [gate](#word-gate) | d |"),
    ],
)  # fmt: skip
def test_what_the_words_become(source, expected):
    assert plain_text(source, page(gain="2.4499", unit="'bits'", big="25600")) == expected


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("{glue:text}`nobody`", "no cell stored the number 'nobody'"),
        ("{glue:text}`unit:.2f`", "the format '.2f' does not fit"),
        ("{cite:p}`nobody1900`", "no work 'nobody1900'"),
        ("{term}`nonsense`", "no word 'nonsense'"),
        ("{eq}`nowhere`", "no equation 'nowhere'"),
        ("{ref}`nowhere`", "no label 'nowhere'"),
        ("{doc}`nowhere`", "no page 'nowhere'"),
        ("{minutes}`nothing`", "no page 'nothing' whose reading"),
        ("{footcite}`x`", "the role {footcite} has no plain form"),
        (":::{video} x\n:::", "the directive {video} has no plain form"),
        ("[x](nowhere.md)", "leads nowhere outside of the website"),
    ],
)
def test_what_cannot_be_said_is_refused(source, says):
    with pytest.raises(NoPlainForm, match=re.escape(says)):
        plain_text(source, page(unit="'bits'"))
