"""Tables of results: rows and columns on a page, aligned text in a terminal, the same cells in both."""

import html
from collections.abc import Collection, Iterable, Mapping, Sequence
from numbers import Real
from typing import Any

from rnncourse.checks import check_kind

MISSING = "–"


class Table:
    """A table that a notebook shows when it ends a cell, with one row for each label.

    Args:
        columns: The headings, left to right.
        rows: From a row's label to its cells, one for each column: a number, None where there is none, or words that
            stand as they are, such as `2.10 ± 0.02`.
        corner: The heading over the labels.
        numbers: How numbers are written, as Python's ``format`` takes it; a mapping says it by column, and what is in
            no mapping is written as it is.
        marked: Cells that stand out, as (row, column), such as the best of each column: with a star.
        caption: A sentence about the table.

    Raises:
        ValueError: If there is no column or no row, a row has another number of cells than there are columns, or a
            marked cell is not there.

    Example:
        >>> Table(["units", "bits"], {"tanh": [125, 2.074], "GRU": [72, 2.17]}, corner="cell", numbers={"bits": ".2f"},
        ...       marked=[("tanh", "bits")])
        cell  units  bits
        tanh    125  2.07*
        GRU      72  2.17
    """

    def __init__(
        self,
        columns: Sequence[str],
        rows: Mapping[str, Sequence[Any]],
        *,
        corner: str = "",
        numbers: str | Mapping[str, str] = "",
        marked: Iterable[tuple[str, str]] = (),
        caption: str = "",
    ):
        check_kind("rows", rows, Mapping)
        self.columns, self.corner, self.caption = tuple(columns), corner, caption
        if not self.columns or not rows:
            raise ValueError("columns and rows should each hold something; one of them is empty")
        self.marked = _known(marked, rows, self.columns)
        self.rows = {label: self._written(label, cells, numbers) for label, cells in rows.items()}
        # A column of numbers is aligned to the right, as is one of numbers that were written elsewhere.
        cells = {column: [row[place] for row in rows.values()] for place, column in enumerate(self.columns)}
        self.numeric = {column for column, values in cells.items() if all(map(_is_number, values))}

    def _written(self, label: str, cells: Sequence[Any], numbers: str | Mapping[str, str]) -> tuple[str, ...]:
        if isinstance(cells, str) or len(cells) != len(self.columns):
            held = "a text" if isinstance(cells, str) else len(cells)
            raise ValueError(
                f"row {label!r} holds {held}; it should hold {len(self.columns)} cells, one for each column"
            )
        form = numbers if isinstance(numbers, Mapping) else dict.fromkeys(self.columns, numbers)
        return tuple(_cell(cell, form.get(column, "")) for column, cell in zip(self.columns, cells, strict=True))

    def __repr__(self) -> str:
        """The table as lines of text, its columns aligned."""
        stars = [
            [text + "*" * ((label, column) in self.marked) for column, text in zip(self.columns, row, strict=True)]
            for label, row in self.rows.items()
        ]
        # A star hangs over to the right, so that the numbers still stand below one another.
        room = [int(any(line[place].endswith("*") for line in stars)) for place in range(len(self.columns))]
        lines = [[self.corner, *self.columns]]
        lines += [[label, *line] for label, line in zip(self.rows, stars, strict=True)]
        widths = [max(len(line[place].rstrip("*")) for line in lines) for place in range(len(lines[0]))]
        text = []
        for line in lines:
            parts = [f"{line[0]:{widths[0]}}"]
            for place, (column, cell) in enumerate(zip(self.columns, line[1:], strict=True), start=1):
                star = cell[len(cell.rstrip("*")) :]
                if column in self.numeric:
                    parts.append(f"{cell.rstrip('*'):>{widths[place]}}{star:{room[place - 1]}}")
                else:
                    parts.append(f"{cell:{widths[place] + room[place - 1]}}")
            text.append("  ".join(parts).rstrip())
        return "\n".join(([self.caption] if self.caption else []) + text)

    def _repr_html_(self) -> str:
        """The same as a table of HTML, with headings that a screen reader reads out before each cell."""
        head = "".join(f'<th scope="col"{self._side(column)}>{_safe(column)}</th>' for column in self.columns)
        corner = f'<th scope="col"{LEFT}>{_safe(self.corner)}</th>' if self.corner else "<td></td>"
        body = "".join(f"<tr>{self._html_row(label, row)}</tr>" for label, row in self.rows.items())
        caption = f"<caption>{_safe(self.caption)}</caption>" if self.caption else ""
        heads = f"<thead><tr>{corner}{head}</tr></thead>"
        return f'<table class="table dataframe results">{caption}{heads}<tbody>{body}</tbody></table>'

    def _html_row(self, label: str, row: Sequence[str]) -> str:
        cells = []
        for column, text in zip(self.columns, row, strict=True):
            shown = f"<strong>{_safe(text)}*</strong>" if (label, column) in self.marked else _safe(text)
            cells.append(f"<td{self._side(column)}>{shown}</td>")
        return f'<th scope="row"{LEFT}>{_safe(label)}</th>' + "".join(cells)

    def _side(self, column: str) -> str:
        return RIGHT if column in self.numeric else LEFT


LEFT, RIGHT = ' style="text-align: left"', ' style="text-align: right"'


def _known(
    marked: Iterable[tuple[str, str]], rows: Collection[str], columns: Collection[str]
) -> frozenset[tuple[str, str]]:
    found = frozenset((str(row), str(column)) for row, column in marked)
    for row, column in sorted(found):
        if row not in rows or column not in columns:
            raise ValueError(f"marked has {(row, column)!r}; it should name a row and a column of the table")
    return found


def _is_number(cell: Any) -> bool:
    """Whether a cell is a number, is missing, or is words that begin with a figure, as "2.1 ± 0.1" does."""
    return cell is None or isinstance(cell, Real) or str(cell).lstrip("+-−≈<>~ ")[:1].isdigit() or cell == MISSING


def _cell(value: Any, form: str) -> str:
    if value is None:
        return MISSING
    return format(value, form) if isinstance(value, Real) and not isinstance(value, bool) else str(value)


def _safe(text: str) -> str:
    return html.escape(text, quote=False)
