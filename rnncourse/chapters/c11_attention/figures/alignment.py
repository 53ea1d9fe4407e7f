"""Where each step of a target looked in its source: as lines between two rows, and as a grid."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from rnncourse.signatures import checked
from rnncourse.viz.style import COLOURS, figure, plain

FAINT = 0.03
"""A weight below this is not drawn as a line."""


@checked
def _weights(source: Sequence[str], target: Sequence[str], weights: np.ndarray) -> np.ndarray:
    grid = np.asarray(weights, dtype=float)
    if grid.shape != (len(target), len(source)) or not grid.size:
        raise ValueError(
            f"weights has shape {grid.shape}; it should be {(len(target), len(source))}: a row for each symbol of the "
            "target, a column for each of the source"
        )
    return grid


def draw_lines(source: Sequence[str], target: Sequence[str], weights: np.ndarray) -> Figure:
    """Draws the source below, the target above, and a line for each weight, the thicker the larger.

    Args:
        source: What was read, symbol by symbol.
        target: What was written.
        weights: Where each symbol of the target looked, of shape (target, source).

    Returns:
        A figure.

    Raises:
        ValueError: If the weights have another shape.
    """
    grid = _weights(source, target, weights)
    longest = max(len(source), len(target))
    fig, axes = figure(min(7.0, 1.2 + 0.55 * longest), 2.3)
    below, above = (np.linspace(0, longest - 1, len(row)) if len(row) > 1 else [0.0] for row in (source, target))
    for row, x in enumerate(above):
        for column, start in enumerate(below):
            if grid[row, column] >= FAINT:
                width = 5 * grid[row, column]
                axes.plot([start, x], [0.18, 1.02], color=COLOURS["blue"], lw=width, alpha=0.75, solid_capstyle="round")
    for places, symbols, y in ((below, source, 0.0), (above, target, 1.2)):
        for x, symbol in zip(places, symbols, strict=True):
            axes.text(x, y, symbol, ha="center", va="center", fontsize=10.5, color=COLOURS["ink"])
    for y, name in ((0.0, "read"), (1.2, "written")):
        axes.text(-0.9, y, name, ha="right", va="center", fontsize=9, color=COLOURS["muted"])
    plain(axes).set(xlim=(-1.9, longest - 0.4), ylim=(-0.25, 1.45), aspect="auto")
    return fig


def draw_grid(source: Sequence[str], target: Sequence[str], weights: np.ndarray) -> Figure:
    """Draws the weights as a grid of shades: a row for each symbol of the target, a column for each of the source.

    Args:
        source: What was read, symbol by symbol.
        target: What was written.
        weights: Where each symbol of the target looked, of shape (target, source).

    Returns:
        A figure.

    Raises:
        ValueError: If the weights have another shape.
    """
    grid = _weights(source, target, weights)
    fig, axes = figure(min(7.0, 1.9 + 0.3 * len(source)), min(6.5, 1.3 + 0.24 * len(target)))
    drawn = axes.imshow(grid, cmap="Blues", vmin=0, vmax=1, aspect="auto", interpolation="nearest")
    axes.grid(False)
    axes.set_xticks(range(len(source)), source, rotation=55, ha="left", rotation_mode="anchor")
    axes.set_yticks(range(len(target)), target)
    axes.tick_params(top=True, labeltop=True, bottom=False, labelbottom=False, length=2)
    bar = fig.colorbar(drawn, ax=axes, fraction=0.04, pad=0.02)
    bar.outline.set_visible(False)
    bar.set_label("weight")
    return fig
