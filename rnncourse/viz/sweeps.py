"""Many runs in one picture: every seed a dot, so that a difference and the spread around it are seen together."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from rnncourse.signatures import checked
from rnncourse.viz.style import COLOURS, CYCLE, figure

MARKERS = ("o", "s", "^", "D", "v", "P")


@checked
def sweep(
    x: Sequence[float],
    lines: Mapping[str, Sequence[Sequence[float]] | np.ndarray],
    *,
    xlabel: str,
    ylabel: str,
    references: Mapping[str, float] | None = None,
    log: str = "",
) -> Figure:
    """Draws how a result changes with one number: a line through the means, a dot for each seed.

    Args:
        x: The number's values.
        lines: From a label to results of shape (seeds, len(x)); NaN where there is none.
        xlabel: What the number is.
        ylabel: What the result is.
        references: Levels to compare with, dashed lines with a name.
        log: The axes that are logarithmic: ``""``, ``"x"``, ``"y"`` or ``"xy"``.

    Returns:
        A figure.

    Raises:
        ValueError: If there is nothing to draw, or results do not fit x.
    """
    if not lines:
        raise ValueError("lines is empty; it should hold at least one line")
    x = np.asarray(x, dtype=float)
    fig, axes = figure(6.6, 3.2)
    for place, ((label, results), colour, marker) in enumerate(zip(lines.items(), CYCLE, MARKERS, strict=False)):
        grid = np.asarray(results, dtype=float)
        if grid.ndim != 2 or grid.shape[1] != len(x):
            raise ValueError(f"lines has shape {grid.shape} under {label!r}; it should be (seeds, {len(x)})")
        nudge = (place - (len(lines) - 1) / 2) * 0.02
        shifted = x * (1 + nudge) if "x" in log else x + nudge * np.ptp(x)
        known = ~np.isnan(grid).all(axis=0)
        axes.plot(shifted[known], np.nanmean(grid[:, known], axis=0), color=colour, label=label)
        for seed in grid:
            axes.plot(shifted, seed, marker, color=colour, ms=4, mfc="white", mew=1.1)
    for name, level in (references or {}).items():
        axes.axhline(level, color=COLOURS["ink"], ls="--", lw=1)
        axes.annotate(
            name, (1, level), xycoords=("axes fraction", "data"), xytext=(2, 2), textcoords="offset points",
            fontsize=8, color=COLOURS["muted"],
        )  # fmt: skip
    axes.set(xlabel=xlabel, ylabel=ylabel)
    if "x" in log:
        axes.set_xscale("log")
        axes.set_xticks(x, [f"{value:g}" for value in x])
        axes.minorticks_off()
    else:
        axes.set_xticks(x)
    if "y" in log:
        axes.set_yscale("log")
    axes.legend(loc="center left", bbox_to_anchor=(1.06, 0.5))
    return fig


@checked
def dots(
    panels: Mapping[str, Mapping[str, Sequence[float]]],
    *,
    xlabel: str | Sequence[str],
    references: Mapping[str, float] | None = None,
    log: bool = False,
) -> Figure:
    """Draws results row by row: a dot for each seed, a bar for their median.

    Args:
        panels: From a title to rows, each from a label to one number for each seed; all panels have the same rows.
        xlabel: What the numbers are, one for all panels or one each.
        references: From a panel's title to a level to compare with, a dashed line.
        log: Whether the axis is logarithmic.

    Returns:
        A figure.

    Raises:
        ValueError: If there is nothing to draw, or the panels' rows differ.
    """
    if not panels:
        raise ValueError("panels is empty; it should hold at least one panel")
    labels = list(next(iter(panels.values())))
    if any(list(rows) != labels for rows in panels.values()):
        raise ValueError("panels has different rows in its panels; they should have the same")
    fig, axes = figure(7.2, 0.85 + 0.3 * len(labels), ncols=len(panels), sharey=True, squeeze=False)
    names = [xlabel] * len(panels) if isinstance(xlabel, str) else list(xlabel)
    for axis, (title, rows), name in zip(axes[0], panels.items(), names, strict=True):
        _rows(axis, rows)
        if references and title in references:
            axis.axvline(references[title], color=COLOURS["ink"], ls="--", lw=1)
        axis.set(title=title, xlabel=name, **({"xscale": "log"} if log else {}))
    axes[0, 0].set_yticks(range(len(labels)), labels)
    axes[0, 0].invert_yaxis()
    return fig


def _rows(axis: Axes, rows: Mapping[str, Sequence[float]]) -> None:
    for row, values in enumerate(rows.values()):
        colour = CYCLE[0] if row == 0 else CYCLE[1]
        values = np.sort(np.asarray(values, dtype=float))
        spread = np.linspace(-0.14, 0.14, len(values)) if len(values) > 1 else np.zeros(1)
        axis.plot([np.median(values)] * 2, [row - 0.3, row + 0.3], color=colour, lw=2.4, alpha=0.55)
        axis.plot(values, row + spread, "o", color=colour, ms=4.5, mfc="white", mew=1.3)
    axis.grid(axis="y", visible=False)
