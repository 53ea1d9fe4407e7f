"""The same training runs twice: against passes through the data, and against the seconds that they took."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure

from rnncourse.viz.style import CYCLE, figure

STYLES = ("-", "--", "-.", ":")


def epochs_and_seconds(
    curves: Mapping[str, Sequence[Sequence[float]] | np.ndarray],
    *,
    epochs: Sequence[float],
    seconds: Mapping[str, Sequence[float]],
    ylabel: str,
) -> Figure:
    """Draws validation curves against epochs on the left and against seconds on the right, on one scale.

    Args:
        curves: From a name to values of shape (seeds, points); the band reaches from the lowest to the highest seed.
        epochs: Passes through the data at each point, the same for all.
        seconds: From each name to the CPU seconds spent at each point.
        ylabel: What the values are, with their unit.

    Returns:
        A figure of two panels.

    Raises:
        ValueError: If there is nothing to draw, or the points do not fit.
    """
    if not curves:
        raise ValueError("curves is empty; it should hold at least one cell")
    fig, panels = figure(7.2, 3.1, ncols=2, sharey=True)
    for (name, values), colour, style in zip(curves.items(), CYCLE, STYLES, strict=False):
        table = np.atleast_2d(np.asarray(values, dtype=float))
        if table.shape[1] != len(epochs) or len(seconds[name]) != len(epochs):
            raise ValueError(f"curves has {table.shape[1]} points under {name!r}; epochs has {len(epochs)}")
        for axes, places in zip(panels, (epochs, seconds[name]), strict=True):
            axes.fill_between(places, table.min(0), table.max(0), color=colour, alpha=0.2, lw=0)
            axes.plot(places, table.mean(0), style, color=colour, marker="o", ms=3, label=name)
    panels[0].set(xlabel="passes through the text", ylabel=ylabel)
    panels[1].set(xlabel="CPU seconds")
    panels[0].legend()
    return fig
