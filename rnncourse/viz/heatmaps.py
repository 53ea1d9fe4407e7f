"""Heat maps: numbers over a text, character by character, and over a grid."""

import math
from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize, TwoSlopeNorm
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from rnncourse.checks import check_positive
from rnncourse.signatures import checked
from rnncourse.viz.style import COLOURS, DIVERGING, figure

VISIBLE = {" ": "␣", "\n": "⏎", "\t": "⇥"}


@checked
def text_heatmap(
    text: str | Sequence[str],
    values: Sequence[float] | Sequence[Sequence[float]] | np.ndarray,
    *,
    row_labels: Sequence[str] | None = None,
    centre: float | None = 0.0,
    label: str = "",
    per_line: int = 64,
) -> Figure:
    """Draws a text with a colour behind each character: one row for each unit that is looked at.

    Args:
        text: Characters, or words.
        values: One number for each character, or rows of them.
        row_labels: A name for each row, like the number of a unit.
        centre: The value drawn white; below it blue, above it orange. None: from light (lowest) to dark (highest).
        label: What the values are, with their unit, for the colour bar.
        per_line: After how many characters the text is broken.

    Returns:
        A figure.

    Raises:
        ValueError: If the numbers do not fit the text or the labels.
    """
    check_positive("per_line", per_line)
    if centre is not None and not math.isfinite(centre):
        raise ValueError(f"centre is {centre}; it should be finite, or None")
    rows = np.atleast_2d(np.asarray(values, dtype=float))
    if rows.shape[1] != len(text) or not len(text):
        raise ValueError(
            f"values has {rows.shape[1]} numbers a row; it should have {len(text)}, one for each part of text"
        )
    names = list(row_labels) if row_labels is not None else [""] * len(rows)
    if len(names) != len(rows):
        raise ValueError(f"row_labels has {len(names)} names; it should have {len(rows)}, one for each row")
    cell = 1.0 if isinstance(text, str) else 0.62 * max(map(len, text)) + 0.6
    breaks = range(0, len(text), per_line)
    height = len(breaks) * (len(rows) + 0.35)
    fig, axes = figure(7.2, 0.55 + 0.245 * height)
    mappable = _mappable(rows, centre)
    for line, start in enumerate(breaks):
        for row, (name, numbers) in enumerate(zip(names, rows, strict=True)):
            y = -line * (len(rows) + 0.35) - row
            axes.text(-0.5, y, name, ha="right", va="center", fontsize=8, color=COLOURS["muted"])
            for place, (part, number) in enumerate(
                zip(text[start : start + per_line], numbers[start : start + per_line], strict=True)
            ):
                draw_cell(axes, place * cell, y, cell, part, mappable, number)
    axes.set(xlim=(-0.2, cell * min(per_line, len(text)) + 0.1), ylim=(0.6 - height, 0.6))
    axes.set_axis_off()
    bar = fig.colorbar(mappable, ax=axes, fraction=0.025, pad=0.015, aspect=max(8, 3 * height))
    bar.outline.set_visible(False)
    bar.ax.tick_params(labelsize=8)
    bar.set_label(label, fontsize=8.5)
    return fig


@checked
def matrix(
    values: Sequence[Sequence[float]] | np.ndarray,
    *,
    xlabel: str = "",
    ylabel: str = "",
    xticks: Sequence[str] | None = None,
    yticks: Sequence[str] | None = None,
    centre: float | None = None,
    label: str = "",
    numbers: str = "",
) -> Figure:
    """Draws a grid of numbers as colours.

    Args:
        values: Rows of numbers, the first row on top.
        xlabel: What the columns are.
        ylabel: What the rows are.
        xticks: A name for each column.
        yticks: A name for each row.
        centre: The value drawn white; None: from light (lowest) to dark (highest).
        label: What the numbers are, with their unit.
        numbers: A format like ".2f" to write each number into its cell.

    Returns:
        A figure.

    Raises:
        ValueError: If values are not rows of equal length.
    """
    if centre is not None and not math.isfinite(centre):
        raise ValueError(f"centre is {centre}; it should be finite, or None")
    grid = np.asarray(values, dtype=float)
    if grid.ndim != 2 or not grid.size:
        raise ValueError(f"values has shape {grid.shape}; it should be rows of numbers")
    rows, columns = grid.shape
    fig, axes = figure(min(7.0, 1.8 + 0.42 * max(columns, 5)), min(6.0, 1.1 + 0.36 * max(rows, 4)))
    mappable = _mappable(grid, centre)
    axes.imshow(grid, cmap=mappable.cmap, norm=mappable.norm, aspect="auto", interpolation="nearest")
    axes.grid(False)
    axes.set(xlabel=xlabel, ylabel=ylabel)
    for name, ticks, count in (("xticks", xticks, columns), ("yticks", yticks, rows)):
        if ticks is not None and len(ticks) != count:
            raise ValueError(f"{name} has {len(ticks)} names; it should have {count}")
    if xticks is not None:
        axes.set_xticks(range(columns), xticks)
    if yticks is not None:
        axes.set_yticks(range(rows), yticks)
    for row in range(rows if numbers else 0):
        for column in range(columns):
            ink = ink_on(mappable, grid[row, column])
            axes.text(column, row, format(grid[row, column], numbers), ha="center", va="center", fontsize=8, color=ink)
    bar = fig.colorbar(mappable, ax=axes, fraction=0.04, pad=0.03)
    bar.outline.set_visible(False)
    bar.set_label(label)
    return fig


def _mappable(values: np.ndarray, centre: float | None) -> ScalarMappable:
    finite = values[np.isfinite(values)]
    low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 1.0)
    if centre is None:
        return ScalarMappable(Normalize(low, high if high > low else low + 1), "YlOrBr")
    reach = max(high - centre, centre - low) or 1.0
    return ScalarMappable(TwoSlopeNorm(centre, centre - reach, centre + reach), DIVERGING)


@checked
def draw_cell(axes: Axes, x: float, y: float, width: float, part: str, mappable: ScalarMappable, number: float) -> None:
    axes.add_patch(Rectangle((x, y - 0.5), width, 0.94, color=mappable.to_rgba(number), lw=0))
    shown = VISIBLE.get(part, part)
    ink = COLOURS["muted"] if part in VISIBLE else ink_on(mappable, number)
    axes.text(
        x + width / 2, y, shown.replace("$", r"\$"), ha="center", va="center_baseline", fontsize=8.5,
        family="DejaVu Sans Mono", color=ink,
    )  # fmt: skip


@checked
def ink_on(mappable: ScalarMappable, number: float) -> str:
    """Dark ink on a light cell, white on a dark one."""
    red, green, blue, _ = mappable.to_rgba(number)
    return COLOURS["ink"] if 0.3 * red + 0.59 * green + 0.11 * blue > 0.5 else "white"
