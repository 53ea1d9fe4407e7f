"""A table shows the same cells as text and as HTML, whatever stands in them."""

import re

import pytest
from bs4 import BeautifulSoup
from hypothesis import given, settings
from hypothesis import strategies as st

from rnncourse.viz.tables import MISSING, Table

WORDS = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=1, max_size=8).filter(
    lambda text: not text.endswith("*")
)
CELLS = st.one_of(st.none(), st.integers(-999, 999), st.floats(-99, 99).map(lambda x: round(x, 2)), WORDS)


@st.composite
def tables(draw):
    """The parts of a table of any size: columns, rows, and one cell to mark."""
    columns = draw(st.lists(WORDS, min_size=1, max_size=4, unique=True))
    labels = draw(st.lists(WORDS, min_size=1, max_size=4, unique=True))
    rows = {label: draw(st.lists(CELLS, min_size=len(columns), max_size=len(columns))) for label in labels}
    return columns, rows, (draw(st.sampled_from(labels)), draw(st.sampled_from(columns)))


def read(table: Table) -> list[list[str]]:
    """What a reader of the page sees, row by row."""
    page = BeautifulSoup(table._repr_html_(), "html.parser")
    return [[cell.get_text() for cell in row.find_all(["th", "td"])] for row in page.find_all("tr")]


@settings(deadline=None)
@given(tables())
def test_text_and_html_hold_the_same_cells(parts):
    columns, rows, mark = parts
    table = Table(columns, rows, corner="what", marked=[mark])
    lines = [re.split(r" +", line) for line in repr(table).splitlines()]
    assert lines == read(table)
    assert read(table)[0] == ["what", *columns]


@settings(deadline=None)
@given(tables())
def test_columns_stand_below_one_another(parts):
    columns, rows, _ = parts
    table = Table(columns, rows, corner="what")
    head, *body = repr(table).splitlines()
    place = head.index(f"  {columns[0]}") if columns[0] not in table.numeric else None
    for line, label in zip(body, rows, strict=True):
        assert line.startswith(label)
        if place is not None:
            assert line[:place].rstrip() == label


def test_numbers_end_at_one_place_and_a_star_hangs_over():
    table = Table(["a", "b"], {"x": [1.0, 2], "long": [22.25, None]}, numbers=".1f", marked=[("x", "a")])
    assert repr(table).splitlines() == ["         a     b", "x      1.0*  2.0", f"long  22.2     {MISSING}"]
    assert table.numeric == {"a", "b"}
    cell = BeautifulSoup(table._repr_html_(), "html.parser").find("strong")
    assert cell.get_text() == "1.0*"
    assert "right" in cell.parent["style"]


def test_numbers_are_written_as_their_column_says():
    table = Table(["n", "bits"], {"x": [1234567, 1.23456]}, numbers={"n": ",", "bits": ".2f"})
    assert read(table)[1] == ["x", "1,234,567", "1.23"]


def test_what_looks_like_markup_stays_words():
    table = Table(["<b>"], {"a & b": ["<script>x</script>"]}, caption="<i>", corner="&")
    assert read(table) == [["&", "<b>"], ["a & b", "<script>x</script>"]]
    assert not BeautifulSoup(table._repr_html_(), "html.parser").find(["script", "b", "i"])


def test_headings_name_their_cells():
    page = BeautifulSoup(Table(["a"], {"x": [1]}, caption="What it says")._repr_html_(), "html.parser")
    assert [cell["scope"] for cell in page.find_all("th")] == ["col", "row"]
    assert page.caption.get_text() == "What it says"


@pytest.mark.parametrize(
    ("columns", "rows", "options", "said"),
    [
        ([], {"x": []}, {}, "one of them is empty"),
        (["a"], {}, {}, "one of them is empty"),
        (["a", "b"], {"x": [1]}, {}, "row 'x' holds 1; it should hold 2 cells"),
        (["a", "b"], {"x": "no"}, {}, "row 'x' holds a text"),
        (["a"], [["x", 1]], {}, "rows is a list; it should be of type Mapping"),
        (["a"], {"x": [1]}, {"marked": [("x", "b")]}, r"marked has \('x', 'b'\); it should name a row and a column"),
    ],
)
def test_a_table_that_is_none_is_refused(columns, rows, options, said):
    with pytest.raises(ValueError, match=said):
        Table(columns, rows, **options)
